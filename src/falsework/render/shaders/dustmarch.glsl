// What a march through dust needs however the dust is given: noise that the air carries, what lies before an occluder,
// the light at a place, and where the cloud ends softly.
uniform sampler3D towards_light; // the grid's optical depth towards the sun, and towards the open sky
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
uniform float extinction;        // m2/g
uniform float frame_number;
uniform vec3 dust_albedo;
uniform vec3 sky_side;           // where most of the sky is open
layout(location = 0) out vec4 out_dust;
layout(location = 1) out vec4 out_front;

const int STEPS = 600;

// What lies before an occluder is the mean of three depths just short of it, or lobes would draw their outline on
// the flat card it is. `before`: not all three are passed yet; `mark`: the next of them.
struct Curtain { bool before; float mark; float marks; };

Curtain curtain_of(Path path, ivec2 pixel) {
    float occluder = texelFetch(occluder_depth, pixel, 0).r;
    float depth = occluder > 0.0 && occluder < 1e4 ? occluder * path.unit : -1.0;
    return Curtain(depth > 0.0, depth - 0.8, 0.0);
}

// Before each step: what was met until t.
void met_until(inout Curtain curtain, float t, vec3 colour, float through) {
    if (curtain.before && t >= curtain.mark) {
        out_front += vec4(colour, 1.0 - through) / 3.0;
        curtain.mark += 0.4;
        curtain.marks += 1.0;
        curtain.before = curtain.marks < 2.5;
    }
}

// After the last step.
void end_march(Curtain curtain, vec3 colour, float through) {
    if (curtain.before) out_front += vec4(colour, 1.0 - through) * (3.0 - curtain.marks) / 3.0;
    out_dust = vec4(colour, 1.0 - through);
}

// Noise of both layers of air. `value`: its octaves, about zero, to be divided by `norm`; `keeps`: how well the air
// keeps its shape; `origin`: where the first layer's noise is looked up.
struct AirNoise { vec4 value; float norm; float keeps; vec3 origin; };

AirNoise air_noise(vec3 at, vec3 place, float often) {
    vec4 from_first = textureLod(detail_first, place, 0.0);
    vec4 from_second = textureLod(detail_second, place, 0.0);
    vec2 weight = layer_weight * vec2(from_first.w, from_second.w) + 1e-4;
    weight /= weight.x + weight.y;
    vec3 origin = at + from_first.xyz + layer_offset_first;
    vec4 one = textureLod(noise, origin * (often / tile), 0.0) - 0.5;
    vec4 two = textureLod(noise, (at + from_second.xyz + layer_offset_second) * (often / tile), 0.0) - 0.5;
    float keeps = dot(weight, vec2(from_first.w, from_second.w));
    return AirNoise(weight.x * one + weight.y * two, length(weight), keeps, origin);
}

// The cloud thins out towards the grid's open sides, so that they draw no line. Dense dust meets the ground over a
// hand's breadth; a grazing ray would turn less into dots.
float thinned(float grams, vec3 at) {
    vec3 rim = min(at - dust_low, dust_low + dust_extent - at);
    grams *= smoothstep(0.0, 2.0, min(min(rim.x, rim.y), dust_low.z + dust_extent.z - at.z));
    return grams * (0.03 + 0.97 * smoothstep(-0.02, 0.30, at.z));
}

// Optical depths towards sun and sky at a place (0..1 over the grid; `inverse` of its extent), half a cell on, so that
// a lobe's lit skin is not in its own cell's shade.
vec2 shade_at(vec3 place, vec3 inverse) {
    return vec2(textureLod(towards_light, place + 0.18 * sun_direction * inverse, 0.0).r,
                textureLod(towards_light, place + 0.18 * sky_side * inverse, 0.0).g);
}

// The light grid's `core`, a little towards the sun and the camera.
vec4 middle_at(vec3 at, vec3 ray) {
    return textureLod(core, (at + 0.6 * sun_direction - 0.5 * ray - grid_low) / grid_extent, 0.0);
}

// How far out a place lies: deep in the cover's slope is the floor of a cleft, far out a lobe's crown.
float crown_at(float cover) { return mix(1.2, 0.38, smoothstep(0.25, 0.85, cover)); }
