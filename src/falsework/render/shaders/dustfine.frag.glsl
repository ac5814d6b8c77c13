//!include camera.glsl
//!include hash.glsl
//!include light.glsl
//!include dustgrid.glsl
//!include dustlight.glsl
// As dust.frag, of dust that is given on fine cells where it is seen and on its grid elsewhere.
uniform sampler3D density;       // the grid's: carved, g/m3; smoothed cover (0..1)
uniform sampler3D towards_light; // the grid's optical depth towards the sun, and towards the open sky
uniform sampler3D bricks;        // texel of a brick's first fine cell in the atlas; w 0: there is none
uniform sampler3D atlas;         // root of the density; what the two optical depths are more than the grid's
uniform sampler3D ahead;         // the most that any fine cell holds within a dust cell of here
uniform sampler3D detail_first;  // where the air came from, metres
uniform sampler3D detail_second;
uniform sampler3D noise;
uniform sampler3D core;
uniform sampler2D occluder_depth;
uniform sampler2D starts;        // first dust along each ray, metres
uniform vec2 layer_weight;
uniform vec3 layer_offset_first;
uniform vec3 layer_offset_second;
uniform float tile;              // metres the noise repeats over
uniform vec3 atlas_size;
uniform float voxel;             // metres
uniform float densest;           // g/m3 that the atlas' 1 stands for
uniform float deepest;           // optical depth that it can hold
uniform float extinction;        // m2/g
uniform float frame_number;
uniform vec3 dust_albedo;
uniform vec3 sky_side;           // where most of the sky is open
layout(location = 0) out vec4 out_dust;
layout(location = 1) out vec4 out_front;

const int STEPS = 600;
const float BRICK = 8.0, FACTOR = 4.0;

void main() {
    out_dust = vec4(0.0);
    out_front = vec4(0.0);
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    Path path = path_of(gl_FragCoord.xy);
    float occluder = texelFetch(occluder_depth, pixel, 0).r;
    float curtain = occluder > 0.0 && occluder < 1e4 ? occluder * path.unit : -1.0;
    float lobe = towards_camera(dot(path.ray, sun_direction));
    vec3 inverse = 1.0 / dust_extent;
    ivec3 last_cell = ivec3(dust_extent / voxel + 0.5) - 1;
    vec3 colour = vec3(0.0);
    float through = 1.0;
    // What lies before an occluder: see dust.frag.
    bool before = curtain > 0.0;
    float mark = curtain - 0.8;
    float marks = 0.0;
    float t = texelFetch(starts, pixel, 0).r;
    float shift = dither(gl_FragCoord.xy, mod(frame_number, 64.0));
    float gap = shift * shortest(t), sigma_before = 0.0;
    t += gap;
    for (int number = 0; number < STEPS; number++) {
        float reached = next_dust(path, t);
        if (reached > t) {
            gap = shift * shortest(t);
            t = reached + gap;
            sigma_before = 0.0;
        }
        if (before && t >= mark) {
            out_front += vec4(colour, 1.0 - through) / 3.0;
            mark += 0.4;
            marks += 1.0;
            before = marks < 2.5;
        }
        if (t >= path.end || through <= 0.0) break;
        vec3 at = camera_position + t * path.ray;
        vec3 cell = (at - dust_low) / voxel;
        vec3 place = (at - dust_low) * inverse;
        ivec3 brick = clamp(ivec3(cell / BRICK), ivec3(0), last_cell / int(BRICK));
        vec4 slot = texelFetch(bricks, brick, 0);
        vec3 within = clamp(cell - BRICK * vec3(brick), 0.0, BRICK) * FACTOR;
        vec4 texel = textureLod(atlas, (slot.xyz + within) / atlas_size, 0.0);
        vec2 plain = textureLod(density, place, 0.0).rg;
        float grams = slot.w > 0.5 ? texel.r * texel.r * densest : plain.r;
        vec2 more = slot.w > 0.5 ? (texel.gb * (255.0 / 254.0) - 0.5) * 2.0 * deepest : vec2(0.0);
        // Below the fine cell two octaves of noise, so that nothing near the camera is as smooth as china.
        vec4 from_first = textureLod(detail_first, place, 0.0);
        vec4 from_second = textureLod(detail_second, place, 0.0);
        vec2 weight = layer_weight * vec2(from_first.w, from_second.w) + 1e-4;
        weight /= weight.x + weight.y;
        vec4 one = textureLod(noise, (at + from_first.xyz + layer_offset_first) * (5.3 / tile), 0.0) - 0.5;
        vec4 two = textureLod(noise, (at + from_second.xyz + layer_offset_second) * (5.3 / tile), 0.0) - 0.5;
        float grit = dot(weight.x * one.ba + weight.y * two.ba, vec2(0.6, 0.4)) / length(weight);
        // Where a pixel is as wide as a fine cell it would only glitter.
        float wide = t / camera_focal * FACTOR / voxel;
        grit *= dot(weight, vec2(from_first.w, from_second.w)) * (1.0 - smoothstep(0.3, 1.2, wide));
        grams *= exp(2.0 * grit);
        // The cloud thins out towards the grid's open sides, before a surface and at the ground, so that none draws a line.
        vec3 rim = min(at - dust_low, dust_low + dust_extent - at);
        grams *= smoothstep(0.0, 2.0, min(min(rim.x, rim.y), dust_low.z + dust_extent.z - at.z));
        grams *= 0.03 + 0.97 * smoothstep(-0.02, 0.30, at.z);
        if (path.at_surface) grams *= smoothstep(-0.05, 0.45, path.end - t);
        float sigma = grams * extinction;

        vec4 middle = textureLod(core, (at + 0.6 * sun_direction - 0.5 * path.ray - grid_low) / grid_extent, 0.0);
        // Half a cell towards the sun, so that a lobe's lit skin is not in its own cell's shade.
        float sunward = textureLod(towards_light, place + 0.18 * sun_direction * inverse, 0.0).r;
        float skyward = textureLod(towards_light, place + 0.18 * sky_side * inverse, 0.0).g;
        // Deep in the cover's slope is the floor of a cleft, far out a lobe's crown, and finer ones upon them.
        float crown = mix(1.2, 0.38, smoothstep(0.25, 0.85, plain.g)) * clamp(exp(-1.1 * more.y), 0.5, 1.5);
        vec3 light = scattered(max(sunward + more.x, 0.0), max(skyward + more.y, 0.0), middle, lobe, crown);
        light *= 1.0 + 0.4 * grit;
        // Between two looks the density goes evenly from the one to the other.
        float kept = exp(-0.5 * (sigma_before + sigma) * gap);
        colour += through * (1.0 - kept) * dust_albedo * light / 3.14159265;
        through *= kept;
        sigma_before = sigma;
        // No step passes over what would stop a third of the light; a dust cell is as far as `ahead` knows.
        float most = texelFetch(ahead, clamp(ivec3(cell), ivec3(0), last_cell), 0).r * extinction;
        float finest = clamp(3.0 * t / camera_focal, 0.75 * voxel / FACTOR, voxel);
        gap = clamp(0.3 / max(most, 1e-3), finest, voxel);
        // The last look is at the surface itself.
        gap = min(gap, max(path.end - t - 1e-3, 1e-3));
        if (before) gap = min(gap, max(mark - t, 1e-3));
        t += gap;
        if (through < 0.03) {
            colour /= 1.0 - through;
            through = 0.0;
        }
    }
    if (before) out_front += vec4(colour, 1.0 - through) * (3.0 - marks) / 3.0;
    out_dust = vec4(colour, 1.0 - through);
}
