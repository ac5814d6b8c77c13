//!include camera.glsl
//!include hash.glsl
//!include light.glsl
//!include dustgrid.glsl
//!include dustlight.glsl
// The dust between the camera and what it sees, marched front to back.
// Eroded density after A. Schneider, "The Real-Time Volumetric Cloudscapes of Horizon: Zero Dawn" (2015).
uniform sampler3D density;       // see `carved`
uniform sampler3D towards_light; // optical depth towards the sun, and towards the open sky
uniform sampler3D detail_first;  // where the air came from, metres
uniform sampler3D detail_second;
uniform sampler3D noise;
uniform sampler3D core;
uniform sampler2D occluder_depth;
uniform sampler2D starts;        // first dust along each ray, metres
uniform vec2 layer_weight;
uniform vec3 layer_offset_first;
uniform vec3 layer_offset_second;
uniform float contrast;
uniform float loose;             // least cover that can hold a lobe
uniform float tile;              // metres the noise repeats over
uniform float extinction;        // m2/g
uniform float relief;            // 0: the plain grid, 1: eroded by noise
uniform float frame_number;
uniform vec3 dust_albedo;
uniform vec3 sky_side;           // where most of the sky is open
layout(location = 0) out vec4 out_dust;
layout(location = 1) out vec4 out_front;

const int STEPS = 600;
const float SLOPE = 1.3;
const float FRAY = 0.8;

// Density in g/m3 at a point, carved into lobes; `billow` is the noise there. `amount`: density, smoothed
// cover (0..1, one half at the cloud's edge), coarse noise, density of the nearest full cells.
float carved(vec4 amount, float billow) {
    if (relief <= 0.0) return amount.x;
    float inside = amount.y - clamp(1.0 - billow, loose, 0.85);
    // Small puffs are thin all through and fray; the walls of the great cloud are as solid as masonry to look at.
    float full = smoothstep(0.3, 0.8, amount.y);
    float edge = clamp(inside / mix(0.18, 0.09, full) + 0.3, 0.0, 1.0);
    float lump = mix(0.9, 1.8, full) * amount.w * edge * edge
               * (0.45 + 0.75 * smoothstep(0.0, 0.22, inside));
    float haze = min(amount.x, 0.35) * (0.06 + 1.04 * smoothstep(0.3, 0.85, billow)) * (1.0 - smoothstep(0.15, 0.7, amount.y));
    return lump + haze;
}

void main() {
    out_dust = vec4(0.0);
    out_front = vec4(0.0);
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    Path path = path_of(gl_FragCoord.xy);
    float occluder = texelFetch(occluder_depth, pixel, 0).r;
    float curtain = occluder > 0.0 && occluder < 1e4 ? occluder * path.unit : -1.0;
    float cosine = dot(path.ray, sun_direction);
    float lobe = towards_camera(cosine);
    vec3 inverse = 1.0 / dust_extent;
    vec3 colour = vec3(0.0);
    float through = 1.0;
    // What lies before an occluder is the mean of three depths just short of it, or lobes would draw their outline on
    // the flat card it is.
    bool before = curtain > 0.0;
    float mark = curtain - 0.8;
    float marks = 0.0;
    float last_inside = -1.0, gap = 0.0;
    float t = texelFetch(starts, pixel, 0).r;
    float shift = dither(gl_FragCoord.xy, mod(frame_number, 64.0));
    t += shift * shortest(t);
    for (int number = 0; number < STEPS; number++) {
        // Both sides of a branch run on software OpenGL, so empty space is crossed in a loop of its own.
        float reached = next_dust(path, t);
        // Each new stretch of dust is entered at another place in the step, or the blocks' walls would show.
        t = reached > t ? reached + shift * shortest(t) : t;
        if (before && t >= mark) {
            out_front += vec4(colour, 1.0 - through) / 3.0;
            mark += 0.4;
            marks += 1.0;
            before = marks < 2.5;
        }
        if (t >= path.end || through <= 0.0) break;
        vec3 at = camera_position + t * path.ray;
        vec3 place = (at - dust_low) * inverse;
        vec4 amount = textureLod(density, place, 0.0);
        // The grid holds the noise's coarse octaves; the fine ones are added here, from both layers.
        float billow = amount.z;
        vec4 from_first = textureLod(detail_first, place, 0.0);
        vec4 from_second = textureLod(detail_second, place, 0.0);
        vec2 weight = layer_weight * vec2(from_first.w, from_second.w) + 1e-4;
        weight /= weight.x + weight.y;
        vec4 one = textureLod(noise, (at + from_first.xyz + layer_offset_first) * (3.1 / tile), 0.0) - 0.5;
        vec4 two = textureLod(noise, (at + from_second.xyz + layer_offset_second) * (3.1 / tile), 0.0) - 0.5;
        vec3 fine = (weight.x * one.gba + weight.y * two.gba) / length(weight);
        float keeps = dot(weight, vec2(from_first.w, from_second.w));
        billow += contrast * dot(fine, vec3(0.19, 0.115, 0.04)) * (0.55 + 0.45 * keeps);
        // At its foot the front is undercut and frayed, and a thin veil runs ahead of it.
        float foot = relief > 0.0 ? exp(-0.9 * max(at.z, 0.0)) : 0.0;
        float tongue = textureLod(noise, (at + from_first.xyz + layer_offset_first) * (0.83 / tile), 0.0).r;
        amount.y = max(amount.y - foot * FRAY * (1.1 - 0.5 * tongue - 0.5 * billow), 0.0);
        float grams = carved(amount, billow);
        // The cloud thins out towards the grid's open sides and before a surface, so that neither draws a line.
        vec3 rim = min(at - dust_low, dust_low + dust_extent - at);
        if (relief > 0.0) grams *= smoothstep(0.0, 2.0, min(min(rim.x, rim.y), dust_low.z + dust_extent.z - at.z));
        // Dense dust meets the ground over a hand's breadth; a grazing ray would turn less into dots.
        if (relief > 0.0) grams *= 0.03 + 0.97 * smoothstep(-0.02, 0.30, at.z);
        float sigma = grams * extinction;
        // As far as no lobe can begin (cover and noise together change by SLOPE a metre), or a quarter absorbed.
        float inside = amount.y - clamp(1.0 - billow, loose, 0.85);
        float stride = inside > 0.2 ? 0.4 / max(sigma, 0.4) : (inside > 0.0 ? 0.0 : -inside / SLOPE);
        stride = relief > 0.0 ? clamp(stride, shortest(t), 0.8) : shortest(t);
        float length_here = min(stride, path.end - t);
        // A lobe entered between two steps counts from where its skin was crossed, not from this step on.
        float back = inside > 0.0 && last_inside < 0.0 && relief > 0.0 ? min(gap, 0.5) * inside / (inside - last_inside) : 0.0;
        last_inside = inside;
        gap = length_here;
        if (before) length_here = min(length_here, max(mark - t, 1e-3));
        if (path.at_surface && relief > 0.0) sigma *= smoothstep(-0.05, 0.45, path.end - t);

        vec4 middle = textureLod(core, (at + 0.6 * sun_direction - 0.5 * path.ray - grid_low) / grid_extent, 0.0);
        // Half a cell towards the sun, so that a lobe's lit skin is not in its own cell's shade.
        float sunward = textureLod(towards_light, place + 0.18 * sun_direction * inverse, 0.0).r;
        float skyward = textureLod(towards_light, place + 0.18 * sky_side * inverse, 0.0).g;
        // Where the carved surface lies deep in the cover's slope it is the floor of a cleft, far out a lobe's crown.
        float crown = relief > 0.0 ? mix(1.2, 0.38, smoothstep(0.25, 0.85, amount.y)) : 1.0;
        vec3 light = scattered(sunward, skyward, middle, lobe, crown);
        // Each small lobe is lit on its crown and dark in the crease beside it, finer than the light's own grid.
        light *= clamp(1.0 + 0.95 * dot(fine, vec3(0.6, 0.4, 0.1)), 0.5, 1.4);
        float kept = exp(-sigma * (length_here + back));
        colour += through * (1.0 - kept) * dust_albedo * light / 3.14159265;
        through *= kept;
        t += length_here;
        if (through < 0.03) {
            colour /= 1.0 - through;
            through = 0.0;
        }
    }
    if (before) out_front += vec4(colour, 1.0 - through) * (3.0 - marks) / 3.0;
    out_dust = vec4(colour, 1.0 - through);
}
