//!include camera.glsl
//!include light.glsl
//!include setlight.glsl
// Share of its light that is left to what the plate or the clean plate shows at each pixel.
uniform sampler2D standing;
uniform sampler2D clean_depth;
uniform sampler2D clean_normal;
uniform sampler2D clean_light;
uniform sampler2D rest_depth;
uniform sampler2D rest_normal;
uniform sampler2D rest_light;
uniform float brightest;
uniform ivec2 rest_corner;       // where the pictures of what stands begin; it stands nowhere outside them
layout(location = 0) out vec4 out_left;
void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    bool stands = texelFetch(standing, pixel, 0).g > 0.5;
    float depth = stands ? texelFetch(rest_depth, pixel - rest_corner, 0).r : texelFetch(clean_depth, pixel, 0).r;
    out_left = vec4(1.0);
    if (depth <= 0.0 || depth > 1e4) return;
    vec3 normal = stands ? texelFetch(rest_normal, pixel - rest_corner, 0).xyz : texelFetch(clean_normal, pixel, 0).xyz;
    vec3 before = stands ? texelFetch(rest_light, pixel - rest_corner, 0).rgb : texelFetch(clean_light, pixel, 0).rgb;
    vec3 left = set_light(depth, normal) / max(before, vec3(1e-4));
    // Far ground is seen so flat that a texel of the grid spans many metres of it.
    out_left.rgb = clamp(left, 0.04, brightest);
}
