//!include camera.glsl
//!include light.glsl
//!include dustlight.glsl
// The simulated dust as it is on its grid, lit by what reaches it without having been scattered before.
uniform sampler3D sigma;           // extinction per metre
uniform sampler3D core;
uniform sampler2D filled_depth;
uniform vec3 dust_low;
uniform vec3 dust_extent;
uniform float dust_step;           // metres
layout(location = 0) out vec4 out_dust;  // transmittance; light of a sun and of a sky of irradiance pi; mean distance
void main() {
    out_dust = vec4(1.0, 0.0, 0.0, 0.0);
    vec3 ray = ray_through(gl_FragCoord.xy);
    float unit = length(ray);
    ray /= unit;
    float depth = texelFetch(filled_depth, ivec2(gl_FragCoord.xy), 0).r;
    vec3 slow = 1.0 / (ray + vec3(equal(ray, vec3(0.0))) * 1e-8);
    vec3 one = (dust_low - camera_position) * slow, two = (dust_low + dust_extent - camera_position) * slow;
    vec3 low = min(one, two), high = max(one, two);
    float start = max(max(low.x, low.y), max(low.z, 0.2));
    float end = min(min(high.x, high.y), high.z);
    if (depth > 0.0 && depth < 1e4) end = min(end, depth * unit);
    float lobe = towards_camera(dot(ray, sun_direction));
    float through = 1.0;
    vec3 sum = vec3(0.0);
    for (float t = start; t < end && through > 0.001; t += dust_step) {
        float stride = min(dust_step, end - t);
        vec3 at = camera_position + (t + 0.5 * stride) * ray;
        float here = textureLod(sigma, (at - dust_low) / dust_extent, 0.0).r;
        if (here < 1e-5) continue;
        vec4 middle = textureLod(core, (at - grid_low) / grid_extent, 0.0);
        float kept = exp(-here * stride);
        float part = through * (1.0 - kept);
        sum += part * vec3(lobe * exp(-middle.x) * middle.y, middle.z, t + 0.5 * stride);
        through *= kept;
    }
    float taken = 1.0 - through;
    out_dust = vec4(through, sum.xy / 4.0, taken > 1e-4 ? sum.z / taken / unit : 0.0);
}
