//!include camera.glsl
//!include pose.glsl
//!include hash.glsl
//!include light.glsl
//!include material.glsl
// What light a pixel's surface could get, part by part, before anybody decides what it does with it.
layout(std430, binding = 0) readonly buffer Poses { vec4 pose[]; };
layout(std430, binding = 1) readonly buffer Centres { vec4 centre[]; };
layout(std430, binding = 2) readonly buffer Faces { uvec2 face[]; };
uniform usampler2D ids;
uniform sampler2D depths;          // of what moves, metres, 0: none
uniform sampler2D filled_depth;    // of whatever is seen, 0: sky
uniform sampler2D filled_normal;
uniform sampler2D facade;
uniform sampler2D building;
uniform sampler2D sun_map;
uniform sampler2D rest_sun_map;
uniform sampler3D core;
uniform sampler3D sides;
uniform sampler3D rest_core;
uniform sampler3D rest_sides;
uniform float pad_top;
//!include seen.glsl
layout(location = 0) out vec4 out_sun;    // share of the sun past solids, past dust; nearness of things; dust lying on it
layout(location = 1) out vec4 out_sky;    // share of the zenith, of the ground; 1: shows the plate's pixels; 1: a chip
layout(location = 2) out vec4 out_sides;  // share of the sky in four directions, as `LightGrid` has them
layout(location = 3) out vec4 out_rest;   // irradiance that the plate's pixels were photographed in
layout(location = 4) out vec4 out_plate;  // and their colour
void main() {
    out_sun = vec4(1.0, 1.0, 1.0, 0.0);
    out_sky = vec4(1.0, 1.0, 0.0, 0.0);
    out_sides = vec4(1.0);
    out_rest = vec4(0.0);
    out_plate = vec4(0.0);
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    float depth = texelFetch(filled_depth, pixel, 0).r;
    if (depth <= 0.0 || depth > 1e4) return;
    vec3 world = camera_position + depth * ray_through(gl_FragCoord.xy);
    vec3 normal = texelFetch(filled_normal, pixel, 0).xyz;
    vec3 place = (world + normal * 0.55 - grid_low) / grid_extent;
    vec3 beyond = max(max(-place, place - 1.0), 0.0) * grid_extent;
    float inside = clamp(1.0 - max(beyond.x, max(beyond.y, beyond.z)) / 3.0, 0.0, 1.0);
    vec4 middle = textureLod(core, place, 0.0);
    vec4 side = textureLod(sides, place, 0.0);
    float zenith = (middle.z - 0.2 * (side.x + side.y + side.z + side.w)) / 0.2;
    out_sides = mix(vec4(1.0), side, inside);
    out_sky.xy = mix(vec2(1.0), vec2(zenith, middle.w), inside);
    out_sun.x = shade_plane(world) * sun_seen(sun_map, world, normal, 12, 0.0);
    out_sun.y = exp(-middle.x * inside);
    uint id = texelFetch(ids, pixel, 0).r;
    if (id == 0u) return;
    out_sun.z = contact(world, normal, depth, 0.0);
    if ((id & 0x80000000u) != 0u) {
        out_sky.w = 1.0;
        uint number = (id & 0x7fffffffu) / 12u;
        out_sun.w = 0.30 + 0.45 * hash3(uvec3(number * 7919u, 29u, 7u)).x;
        return;
    }
    uvec2 coded = face[id - 1u];
    uint fragment = coded.x & 0xfffffu;
    vec4 body = pose[2u * fragment];
    vec4 q = pose[2u * fragment + 1u];
    vec3 rest = turn_back(q, world - body.xyz) + centre[fragment].xyz;
    vec3 rest_normal = unpack_normal(coded.y);
    Stuff stuff = Stuff(0, 0, 0.0, fragment, 0u);
    out_sun.w = coating(body.w, normal, rest, stuff);
    bool outside = ((coded.x >> 20u) & 0xffu) == 0u && dot(turn(q, rest_normal), normal) > 0.0;
    vec2 at = to_pixel(rest) + vec2(0.0, pad_top);
    vec2 size = vec2(textureSize(facade, 0));
    if (!outside || any(lessThan(at, vec2(0.5))) || any(greaterThan(at, size - 0.5))) return;
    if (textureLod(building, at / size, 0.0).r < 0.35) return;
    out_sky.z = 1.0;
    out_plate.rgb = textureLod(facade, at / size, 0.0).rgb;
    float then = shade_plane(rest) * max(dot(rest_normal, sun_direction), 0.0);
    if (then > 0.0) then *= sun_seen(rest_sun_map, rest, rest_normal, 12, 0.0);
    out_rest.rgb = sun * then + ambient_at(rest_core, rest_sides, rest, rest_normal).irradiance;
}
