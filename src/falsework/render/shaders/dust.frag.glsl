//!include camera.glsl
//!include hash.glsl
//!include light.glsl
//!include dustgrid.glsl
//!include dustlight.glsl
//!include dustmarch.glsl
// The dust between the camera and what it sees, marched front to back.
// Eroded density after A. Schneider, "The Real-Time Volumetric Cloudscapes of Horizon: Zero Dawn" (2015).
uniform sampler3D density;       // see `carved`
uniform float contrast;
uniform float loose;             // least cover that can hold a lobe
uniform float relief;            // 0: the plain grid, 1: eroded by noise

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
    Curtain curtain = curtain_of(path, pixel);
    float cosine = dot(path.ray, sun_direction);
    float lobe = towards_camera(cosine);
    vec3 inverse = 1.0 / dust_extent;
    vec3 colour = vec3(0.0);
    float through = 1.0;
    float last_inside = -1.0, gap = 0.0;
    float t = texelFetch(starts, pixel, 0).r;
    float shift = dither(gl_FragCoord.xy, mod(frame_number, 64.0));
    t += shift * shortest(t);
    for (int number = 0; number < STEPS; number++) {
        // Both sides of a branch run on software OpenGL, so empty space is crossed in a loop of its own.
        float reached = next_dust(path, t);
        // Each new stretch of dust is entered at another place in the step, or the blocks' walls would show.
        t = reached > t ? reached + shift * shortest(t) : t;
        met_until(curtain, t, colour, through);
        if (t >= path.end || through <= 0.0) break;
        vec3 at = camera_position + t * path.ray;
        vec3 place = (at - dust_low) * inverse;
        vec4 amount = textureLod(density, place, 0.0);
        // The grid holds the noise's coarse octaves; the fine ones are added here, from both layers.
        float billow = amount.z;
        AirNoise air = air_noise(at, place, 3.1);
        vec3 fine = air.value.gba / air.norm;
        billow += contrast * dot(fine, vec3(0.19, 0.115, 0.04)) * (0.55 + 0.45 * air.keeps);
        // At its foot the front is undercut and frayed, and a thin veil runs ahead of it.
        float foot = relief > 0.0 ? exp(-0.9 * max(at.z, 0.0)) : 0.0;
        float tongue = textureLod(noise, air.origin * (0.83 / tile), 0.0).r;
        amount.y = max(amount.y - foot * FRAY * (1.1 - 0.5 * tongue - 0.5 * billow), 0.0);
        float grams = carved(amount, billow);
        if (relief > 0.0) grams = thinned(grams, at);
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
        if (curtain.before) length_here = min(length_here, max(curtain.mark - t, 1e-3));
        // Before a surface, too, or the cut would draw a line.
        if (path.at_surface && relief > 0.0) sigma *= smoothstep(-0.05, 0.45, path.end - t);

        vec4 middle = middle_at(at, path.ray);
        vec2 shaded = shade_at(place, inverse);
        float crown = relief > 0.0 ? crown_at(amount.y) : 1.0;
        vec3 light = scattered(shaded.x, shaded.y, middle, lobe, crown);
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
    end_march(curtain, colour, through);
}
