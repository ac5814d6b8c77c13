// Sun and sky at a point, now or in the building's rest pose. Irradiance; a Lambertian albedo A gives A * E / pi.
uniform vec3 sun_direction;
uniform vec3 sun;
uniform vec3 sky;
uniform vec3 bounce;
uniform vec4 shade;
uniform float shade_softness;

uniform mat4 sun_projection;
uniform float sun_reach;       // metres the shadow map's depth range spans
uniform float sun_texel;       // metres a texel of the shadow map covers
uniform float penumbra;        // metres

uniform vec3 grid_low;         // the light grid's corner and extent, metres
uniform vec3 grid_extent;

// Share of the sky from the zenith and from each of four directions 30 degrees up, so that an open
// horizontal surface gets 1 and an open wall 0.5.
const float ZENITH = 0.184;
const float SIDE = 0.408;
const float INTERREFLECTION = 0.16;

float shade_plane(vec3 world) {
    if (dot(shade.xyz, shade.xyz) == 0.0) return 1.0;
    float distance = (dot(shade.xyz, world) + shade.w) / length(shade.xyz);
    return smoothstep(-0.5 * shade_softness, 0.5 * shade_softness, distance);
}

const vec2 DISC[12] = vec2[12](
    vec2(-0.326, -0.406), vec2(-0.840, -0.074), vec2(-0.696, 0.457), vec2(-0.203, 0.621),
    vec2(0.962, -0.195), vec2(0.473, -0.480), vec2(0.519, 0.767), vec2(0.185, -0.893),
    vec2(0.507, 0.064), vec2(0.896, 0.412), vec2(-0.322, -0.933), vec2(-0.792, -0.598));

// Share of the sun's disc not hidden by geometry in the shadow map.
float sun_seen(sampler2D map, vec3 world, vec3 normal, int taps, float angle) {
    float slope = 1.0 - abs(dot(normal, sun_direction));
    vec3 lifted = world + normal * (0.02 + 2.0 * sun_texel + slope * penumbra) + sun_direction * 0.05;
    vec3 place = (sun_projection * vec4(lifted, 1.0)).xyz * 0.5 + 0.5;
    if (any(lessThan(place, vec3(0.002))) || any(greaterThan(place, vec3(0.998)))) return 1.0;
    vec2 wide = vec2(penumbra / (sun_texel * float(textureSize(map, 0).x)));
    mat2 spin = mat2(cos(angle), sin(angle), -sin(angle), cos(angle));
    float seen = 0.0;
    for (int tap = 0; tap < taps; tap++) {
        vec2 at = place.xy + spin * DISC[tap] * wide;
        float blocker = textureLod(map, at, 0.0).r;
        seen += blocker < place.z ? 0.0 : 1.0;
    }
    return seen / float(taps);
}

// Light inside rooms that the grid's straight beams do not carry: it comes through windows and cracks and goes
// round between pale walls. Shares of the sun beyond the shade plane and of the sky, near an opening and deep inside.
const vec2 ROOM_SUN = vec2(0.085, 0.022);
const vec2 ROOM_SKY = vec2(0.26, 0.08);
vec3 room_light(sampler3D core, vec3 world, vec3 normal) {
    vec4 middle = textureLod(core, (world + normal * 0.55 - grid_low) / grid_extent, 0.0);
    float near = smoothstep(0.0, 0.30, max(middle.z, 0.5 * middle.y));
    float falls = 0.75 + 0.25 * dot(normal, vec3(0.35, -0.60, 0.72));
    vec3 lit = sun * shade_plane(world) * mix(ROOM_SUN.y, ROOM_SUN.x, near) * exp(-0.25 * middle.x);
    return falls * (lit + sky * mix(ROOM_SKY.y, ROOM_SKY.x, near));
}

struct Ambient { vec3 irradiance; float sun_dust; };

// Sky and bounce through the light grid; also the dust's optical depth towards the sun.
Ambient ambient_at(sampler3D core, sampler3D sides, vec3 world, vec3 normal) {
    vec3 place = (world + normal * 0.55 - grid_low) / grid_extent;
    vec3 beyond = max(max(-place, place - 1.0), 0.0) * grid_extent;
    float inside = clamp(1.0 - max(beyond.x, max(beyond.y, beyond.z)) / 3.0, 0.0, 1.0);
    vec4 middle = textureLod(core, place, 0.0);
    vec4 side = textureLod(sides, place, 0.0);
    float zenith = (middle.z - 0.2 * (side.x + side.y + side.z + side.w)) / 0.2;
    side = mix(vec4(1.0), side, inside);
    zenith = mix(1.0, zenith, inside);
    float nadir = mix(1.0, middle.w, inside);
    const float R = 0.61237244;  // cos(30 degrees) / sqrt(2)
    vec4 facing = max(vec4(dot(normal, vec3(R, R, 0.5)), dot(normal, vec3(-R, R, 0.5)),
                           dot(normal, vec3(-R, -R, 0.5)), dot(normal, vec3(R, -R, 0.5))), 0.0);
    float up = ZENITH * max(normal.z, 0.0) * zenith + SIDE * dot(facing, side);
    float open = ZENITH * max(normal.z, 0.0) + SIDE * dot(facing, vec4(1.0));
    up = mix(up, open, INTERREFLECTION);
    float down = (0.5 - 0.5 * normal.z) * mix(nadir, 1.0, INTERREFLECTION);
    return Ambient(sky * up + bounce * (down + 0.06), middle.x * inside);
}
