//!include camera.glsl
//!include hash.glsl
//!include light.glsl
//!include dustgrid.glsl
// The dust between the camera and what it sees, marched front to back.
// Multiple scattering after M. Wrenninge, C. Kulla and V. Lundqvist, "Oz: The Great and Volumetric" (2013):
// octaves of ever weaker extinction and ever rounder phase. Eroded density after A. Schneider,
// "The Real-Time Volumetric Cloudscapes of Horizon: Zero Dawn" (2015).
uniform sampler3D density;       // g/m3; wide: smoothed; near: smoothed over metres; unused
uniform sampler3D detail_first;  // where the air came from, metres
uniform sampler3D detail_second;
uniform sampler3D noise;
uniform sampler3D core;
uniform sampler2D occluder_depth;
uniform sampler2D starts;        // first dust along each ray, metres
uniform vec2 layer_weight;
uniform vec3 layer_offset_first;
uniform vec3 layer_offset_second;
uniform float extinction;        // m2/g
uniform float relief;            // 0: the plain grid, 1: eroded by noise
uniform float frame_number;
uniform vec3 dust_albedo;
layout(location = 0) out vec4 out_dust;
layout(location = 1) out vec4 out_front;

const float TILE = 11.0;         // metres the noise repeats over
const int STEPS = 220;

vec4 lobes(vec3 first, vec3 second, float scale) {
    vec4 found = vec4(0.0);
    float power = 0.0;
    if (layer_weight.x > 0.03) { found += layer_weight.x * (textureLod(noise, first * scale, 0.0) - 0.5); }
    if (layer_weight.y > 0.03) { found += layer_weight.y * (textureLod(noise, second * scale, 0.0) - 0.5); }
    // Two noises averaged have less contrast than one.
    return 0.5 + found / max(length(layer_weight), 0.1);
}

// Density in g/m3 at a point, eroded into lobes; `billow` is the noise there.
float eroded(vec3 amount, float billow) {
    if (relief <= 0.0) return amount.x;
    float profile = amount.y / (amount.y + 0.55);
    float crisp = smoothstep(0.15, 1.2, amount.z);
    float edge = clamp((profile - 0.85 * (1.0 - billow)) / mix(0.55, 0.10, crisp), 0.0, 1.0);
    float haze = amount.x * (0.25 + 1.5 * billow * billow);
    float lump = max(amount.x, amount.y) * edge * edge * (3.0 - 2.0 * edge);
    return mix(haze, lump, mix(0.35, 1.0, crisp));
}

float henyey(float cosine, float g) {
    return (1.0 - g * g) / pow(1.0 + g * g - 2.0 * g * cosine, 1.5);
}

void main() {
    out_dust = vec4(0.0);
    out_front = vec4(0.0);
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    Path path = path_of(gl_FragCoord.xy);
    float occluder = texelFetch(occluder_depth, pixel, 0).r;
    float curtain = occluder > 0.0 && occluder < 1e4 ? occluder * path.unit : -1.0;
    float cosine = dot(path.ray, sun_direction);
    float lobe = 0.7 * henyey(cosine, 0.55) + 0.3 * henyey(cosine, -0.25);
    vec3 inverse = 1.0 / dust_extent;
    vec3 colour = vec3(0.0);
    float through = 1.0;
    bool before = curtain > 0.0;
    bool leading_first = layer_weight.x > layer_weight.y;
    float t = texelFetch(starts, pixel, 0).r;
    t += dither(gl_FragCoord.xy, mod(frame_number, 64.0)) * clamp(0.006 * t, 0.10, 0.30);
    for (int number = 0; number < STEPS; number++) {
        // Both sides of a branch run on software OpenGL, so empty space is crossed in a loop of its own.
        t = next_dust(path, t);
        if (before && t >= curtain) { out_front = vec4(colour, 1.0 - through); before = false; }
        if (t >= path.end || through <= 0.0) break;
        vec3 at = camera_position + t * path.ray;
        vec3 place = (at - dust_low) * inverse;
        vec3 amount = textureLod(density, place, 0.0).rgb;
        // Short steps where dense lobes are near, long ones in haze.
        float fine = clamp(0.006 * t, 0.10, 0.26);
        float stride = mix(max(0.9, fine), fine, smoothstep(0.08, 0.5, max(amount.z, amount.y)));
        vec3 first = at, second = at;
        float billow = 0.5;
        if (relief > 0.0) {
            first = at + textureLod(detail_first, place, 0.0).xyz + layer_offset_first;
            second = at + textureLod(detail_second, place, 0.0).xyz + layer_offset_second;
            vec4 coarse = lobes(first, second, 1.0 / TILE);
            vec3 bent = vec3(coarse.b - coarse.a, coarse.g - coarse.b, coarse.a - coarse.g) * 0.4;
            vec4 small = textureLod(noise, ((leading_first ? first : second) + bent) * (4.73 / TILE), 0.0);
            billow = dot(coarse, vec4(0.38, 0.27, 0.16, 0.07)) + dot(small.gb, vec2(0.08, 0.04));
        }
        float grams = eroded(amount, billow);
        // The cloud thins out towards the grid's open sides and before a surface, so that neither draws a line.
        vec3 rim = min(at - dust_low, dust_low + dust_extent - at);
        if (relief > 0.0) grams *= smoothstep(0.0, 2.0, min(min(rim.x, rim.y), dust_low.z + dust_extent.z - at.z));
        float sigma = grams * extinction;
        float length_here = min(stride, path.end - t);
        if (before) length_here = min(length_here, max(curtain - t, 1e-3));
        if (path.at_surface && relief > 0.0) sigma *= smoothstep(-0.05, 0.45, path.end - t);

        vec4 middle = textureLod(core, (at - grid_low) / grid_extent, 0.0);
        // What the light grid is too coarse for: the lobes' own shade, from a short step towards the sun.
        float own = 0.0;
        if (relief > 0.0) {
            vec3 lot = textureLod(density, place + sun_direction * 0.5 * inverse, 0.0).rgb;
            vec3 moved = (leading_first ? first : second) + sun_direction * 0.5;
            float lump = dot(textureLod(noise, moved / TILE, 0.0), vec4(0.43, 0.30, 0.17, 0.10));
            own = eroded(lot, lump);
        }
        float sunward = middle.x * 0.8 + own * extinction;
        float glow = 0.0, gain = 0.42, thin = 1.0, round = 1.0;
        for (int octave = 0; octave < 4; octave++) {
            glow += gain * exp(-thin * sunward) * mix(1.0, lobe, round);
            gain *= 0.62; thin *= 0.42; round *= 0.45;
        }
        float cleft = relief > 0.0 ? mix(0.45, 1.12, smoothstep(0.25, 0.75, billow)) : 1.0;
        float crown = mix(1.0, cleft, smoothstep(0.2, 1.5, amount.z));
        vec3 light = sun * glow * middle.y * mix(crown, 1.0, 0.5)
                   + sky * (0.10 + 0.75 * middle.z) * crown
                   + bounce * 0.45 * (0.3 + 0.7 * middle.w);
        float kept = exp(-sigma * length_here);
        colour += through * (1.0 - kept) * dust_albedo * light / 3.14159265;
        through *= kept;
        t += length_here;
        if (through < 0.012) {
            colour /= 1.0 - through;
            through = 0.0;
        }
    }
    if (before) out_front = vec4(colour, 1.0 - through);
    out_dust = vec4(colour, 1.0 - through);
}
