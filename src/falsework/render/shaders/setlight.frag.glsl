//!include camera.glsl
//!include light.glsl
//!include setlight.glsl
// Light on one picture of surfaces before anything falls.
uniform sampler2D surface_depth;
uniform sampler2D surface_normal;
layout(location = 0) out vec4 out_light;
void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    float depth = texelFetch(surface_depth, pixel, 0).r;
    out_light = vec4(1.0);
    if (depth > 0.0 && depth < 1e4) out_light.rgb = set_light(depth, texelFetch(surface_normal, pixel, 0).xyz);
}
