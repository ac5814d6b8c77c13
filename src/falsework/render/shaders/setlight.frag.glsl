//!include camera.glsl
//!include light.glsl
//!include setlight.glsl
// Light on one picture of surfaces before anything falls.
uniform sampler2D surface_depth;
uniform sampler2D surface_normal;
uniform ivec2 corner;        // where these pictures begin in the whole one
layout(location = 0) out vec4 out_light;
void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy) - corner;
    ivec2 size = textureSize(surface_depth, 0);
    out_light = vec4(1.0);
    if (any(lessThan(pixel, ivec2(0))) || any(greaterThanEqual(pixel, size))) return;
    float depth = texelFetch(surface_depth, pixel, 0).r;
    if (depth > 0.0 && depth < 1e4) out_light.rgb = set_light(depth, texelFetch(surface_normal, pixel, 0).xyz);
}
