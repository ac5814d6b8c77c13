//!include camera.glsl
//!include hash.glsl
//!include light.glsl
//!include dustgrid.glsl
//!include dustlight.glsl
//!include dustmarch.glsl
// As dust.frag, of dust that is given on fine cells where it is seen and on its grid elsewhere.
uniform sampler3D density;       // the grid's: carved, g/m3; smoothed cover (0..1)
uniform sampler3D bricks;        // texel of a brick's first fine cell in the atlas; w 0: there is none
uniform sampler3D atlas;         // root of the density; what the two optical depths are more than the grid's
uniform sampler3D ahead;         // the most that any fine cell holds within a dust cell of here
uniform vec3 atlas_size;
uniform float voxel;             // metres
uniform float densest;           // g/m3 that the atlas' 1 stands for
uniform float deepest;           // optical depth that it can hold

const float BRICK = 8.0, FACTOR = 4.0;

void main() {
    out_dust = vec4(0.0);
    out_front = vec4(0.0);
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    Path path = path_of(gl_FragCoord.xy);
    Curtain curtain = curtain_of(path, pixel);
    float lobe = towards_camera(dot(path.ray, sun_direction));
    vec3 inverse = 1.0 / dust_extent;
    ivec3 last_cell = ivec3(dust_extent / voxel + 0.5) - 1;
    vec3 colour = vec3(0.0);
    float through = 1.0;
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
        met_until(curtain, t, colour, through);
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
        AirNoise air = air_noise(at, place, 5.3);
        float grit = dot(air.value.ba, vec2(0.6, 0.4)) / air.norm;
        // Where a pixel is as wide as a fine cell it would only glitter.
        float wide = t / camera_focal * FACTOR / voxel;
        grit *= air.keeps * (1.0 - smoothstep(0.3, 1.2, wide));
        grams *= exp(2.0 * grit);
        grams = thinned(grams, at);
        // Before a surface, too, or the cut would draw a line.
        if (path.at_surface) grams *= smoothstep(-0.05, 0.45, path.end - t);
        float sigma = grams * extinction;

        vec4 middle = middle_at(at, path.ray);
        vec2 shaded = max(shade_at(place, inverse) + more, 0.0);
        // The grid's crowns and clefts, and finer ones upon them.
        float crown = crown_at(plain.g) * clamp(exp(-1.1 * more.y), 0.5, 1.5);
        vec3 light = scattered(shaded.x, shaded.y, middle, lobe, crown);
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
        if (curtain.before) gap = min(gap, max(curtain.mark - t, 1e-3));
        t += gap;
        if (through < 0.03) {
            colour /= 1.0 - through;
            through = 0.0;
        }
    }
    end_march(curtain, colour, through);
}
