//!include camera.glsl
//!include hash.glsl
//!include light.glsl
// The dust between the camera and what it sees, marched front to back.
// Multiple scattering after M. Wrenninge, C. Kulla and V. Lundqvist, "Oz: The Great and Volumetric" (2013):
// octaves of ever weaker extinction and ever rounder phase. Eroded density after A. Schneider,
// "The Real-Time Volumetric Cloudscapes of Horizon: Zero Dawn" (2015).
uniform sampler3D density;       // g/m3; wide: smoothed; near: smoothed over metres; unused
uniform sampler3D fullest;       // largest density in blocks of cells
uniform sampler3D detail_first;  // where the air came from, metres
uniform sampler3D detail_second;
uniform sampler3D noise;
uniform sampler3D core;
uniform sampler2D depths;        // along the optical axis, 0 or huge: none
uniform sampler2D occluder_depth;
uniform vec3 dust_low;
uniform vec3 dust_extent;
uniform vec3 block_count;
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
    vec3 ray = ray_through(gl_FragCoord.xy);
    float unit = length(ray);
    ray /= unit;
    float behind = texelFetch(depths, pixel, 0).r;
    float finish = behind > 0.0 && behind < 1e4 ? behind * unit : 1e4;
    float occluder = texelFetch(occluder_depth, pixel, 0).r;
    float curtain = occluder > 0.0 && occluder < 1e4 ? occluder * unit : -1.0;
    vec3 slow = 1.0 / (ray + vec3(equal(ray, vec3(0.0))) * 1e-8);
    vec3 one = (dust_low - camera_position) * slow, two = (dust_low + dust_extent - camera_position) * slow;
    vec3 low = min(one, two), high = max(one, two);
    float t = max(max(low.x, low.y), max(low.z, 0.2));
    float leave = min(min(high.x, high.y), high.z);
    bool at_surface = finish < leave;
    float end = min(finish, leave);
    if (t >= end) return;

    float cosine = dot(ray, sun_direction);
    float lobe = 0.7 * henyey(cosine, 0.55) + 0.3 * henyey(cosine, -0.25);
    vec3 colour = vec3(0.0);
    float through = 1.0;
    vec3 block = dust_extent / block_count;
    float shift = dither(gl_FragCoord.xy, mod(frame_number, 64.0));
    bool before = curtain > 0.0;
    bool fresh = true;
    for (int number = 0; number < STEPS; number++) {
        if (before && t >= curtain) { out_front = vec4(colour, 1.0 - through); before = false; }
        if (t >= end) break;
        vec3 at = camera_position + t * ray;
        vec3 place = (at - dust_low) / dust_extent;
        ivec3 cell = clamp(ivec3(place * block_count), ivec3(0), ivec3(block_count) - 1);
        if (texelFetch(fullest, cell, 0).r < 0.004) {
            vec3 wall = dust_low + (vec3(cell) + step(vec3(0.0), ray)) * block;
            vec3 reach = (wall - camera_position) * slow;
            t = max(min(min(reach.x, reach.y), reach.z), t) + 0.02;
            fresh = true;
            continue;
        }
        float stride = clamp(0.006 * t, 0.10, 0.30);
        if (fresh) { t += shift * stride; fresh = false; at = camera_position + t * ray; place = (at - dust_low) / dust_extent; }
        if (t >= end) break;
        vec3 amount = textureLod(density, place, 0.0).rgb;
        if (amount.y < 0.003) { t += 2.0 * stride; continue; }
        vec3 first = at, second = at;
        float billow = 0.5;
        vec4 coarse = vec4(0.5);
        if (relief > 0.0) {
            first = at + textureLod(detail_first, place, 0.0).xyz + layer_offset_first;
            second = at + textureLod(detail_second, place, 0.0).xyz + layer_offset_second;
            coarse = lobes(first, second, 1.0 / TILE);
            vec3 bent = vec3(coarse.b - coarse.a, coarse.g - coarse.b, coarse.a - coarse.g) * 0.5;
            vec4 fine = lobes(first + bent, second + bent, 4.73 / TILE);
            billow = dot(coarse, vec4(0.40, 0.27, 0.15, 0.07)) + dot(fine.gb, vec2(0.07, 0.04));
            amount = textureLod(density, place + bent / dust_extent, 0.0).rgb;
        }
        float grams = eroded(amount, billow);
        // The cloud thins out towards the grid's open sides and before a surface, so that neither draws a line.
        vec3 rim = min(at - dust_low, dust_low + dust_extent - at);
        if (relief > 0.0) grams *= smoothstep(0.0, 2.0, min(min(rim.x, rim.y), dust_low.z + dust_extent.z - at.z));
        float sigma = grams * extinction;
        if (sigma < 0.004) { t += stride; continue; }
        float length_here = min(stride, end - t);
        if (before) length_here = min(length_here, max(curtain - t, 1e-3));
        if (at_surface && relief > 0.0) sigma *= smoothstep(-0.05, 0.45, finish - t);

        vec4 middle = textureLod(core, (at - grid_low) / grid_extent, 0.0);
        // What the light grid is too coarse for: the lobes' own shade, from two short steps towards the sun.
        float own = 0.0;
        if (relief > 0.0) {
            for (int tap = 0; tap < 2; tap++) {
                float away = tap == 0 ? 0.22 : 0.75;
                vec3 there = place + sun_direction * away / dust_extent;
                vec3 lot = textureLod(density, there, 0.0).rgb;
                vec3 moved = (layer_weight.x > layer_weight.y ? first : second) + sun_direction * away;
                float lump = dot(textureLod(noise, moved / TILE, 0.0), vec4(0.43, 0.30, 0.17, 0.10));
                own += eroded(lot, lump) * (tap == 0 ? 0.4 : 0.7);
            }
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
        vec3 source = dust_albedo * light / 3.14159265;
        float kept = exp(-sigma * length_here);
        colour += through * (1.0 - kept) * source;
        through *= kept;
        t += length_here;
        if (through < 0.012) {
            if (before && t < curtain) { out_front = vec4(colour, 1.0); before = false; }
            colour /= 1.0 - through;
            through = 0.0;
            break;
        }
    }
    if (before) out_front = vec4(colour, 1.0 - through);
    out_dust = vec4(colour, 1.0 - through);
}
