//!include camera.glsl
//!include pose.glsl
//!include hash.glsl
//!include light.glsl
//!include material.glsl
// The lit surface that one sample of one pixel sees. Sums over samples by blending; runs only where `hold.frag`
// left work to do.
layout(std430, binding = 0) readonly buffer Poses { vec4 pose[]; };
layout(std430, binding = 1) readonly buffer Centres { vec4 centre[]; };
layout(std430, binding = 2) readonly buffer Faces { uvec2 face[]; };
layout(std430, binding = 3) readonly buffer Chips { vec4 chip[]; };
layout(std430, binding = 4) readonly buffer ChipFaces { vec4 chip_normal[]; };
layout(std430, binding = 6) readonly buffer ChipWays { vec4 chip_way[]; };  // metres to the next frame
layout(std430, binding = 5) readonly buffer NextPoses { vec4 next_pose[]; };
uniform usampler2D ids;
uniform sampler2D depths;
uniform sampler2D facade;
uniform sampler2D building;
uniform sampler2D sun_map;
uniform sampler2D rest_sun_map;
uniform sampler3D core;
uniform sampler3D sides;
uniform sampler3D rest_core;
uniform sampler3D rest_sides;
uniform float pad_top;
uniform vec2 jitter;
uniform float sample_number;
uniform vec3 dust_albedo;
//!include seen.glsl

#ifdef CENTRE
layout(location = 0) out vec4 out_normal;
layout(location = 1) out vec4 out_albedo;
layout(location = 2) out vec2 out_motion;
#else
layout(location = 0) out vec4 out_surface;
#endif

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    uint id = texelFetch(ids, pixel, 0).r;
#ifdef CENTRE
    out_normal = vec4(0.0); out_albedo = vec4(0.0); out_motion = vec2(0.0);
#else
    out_surface = vec4(0.0);
#endif
    float depth = texelFetch(depths, pixel, 0).r;
    vec3 world = camera_position + depth * ray_through(gl_FragCoord.xy + jitter);
    vec3 normal; vec3 rest; vec4 q; Stuff stuff; float age; vec3 rest_normal;
    bool plate_pixels = false;
    vec3 moved_to = world;
    bool is_chip = (id & 0x80000000u) != 0u;
    if (is_chip) {
        uint number = (id & 0x7fffffffu) / 12u;
        vec4 place = chip[2u * number];
        q = chip[2u * number + 1u];
        uint kind = uint(place.w);
        rest_normal = chip_normal[(kind & 7u) * 12u + (id & 0x7fffffffu) % 12u].xyz;
        rest = turn_back(q, world - place.xyz) + vec3(number % 64u, number / 64u % 64u, number / 4096u);
        stuff = Stuff(int(kind >> 3), 5, 1.0, number * 7919u, 0u);
        age = 0.6;
#ifdef CENTRE
        moved_to = world + chip_way[number].xyz;
#endif
    } else {
        uvec2 coded = face[id - 1u];
        uint fragment = coded.x & 0xfffffu;
        vec4 place = pose[2u * fragment];
        q = pose[2u * fragment + 1u];
        age = place.w;
        rest = turn_back(q, world - place.xyz) + centre[fragment].xyz;
        rest_normal = unpack_normal(coded.y);
        uint about = floatBitsToUint(centre[fragment].w);
        int material = int((coded.x >> 20u) & 0xffu);
        plate_pixels = material == 0;
        stuff = Stuff(plate_pixels ? int((about >> 4u) & 15u) : material - 1, int(about & 15u),
                      float(coded.x >> 28u) / 15.0, fragment, about >> 8u);
#ifdef CENTRE
        moved_to = turn(next_pose[2u * fragment + 1u], rest - centre[fragment].xyz) + next_pose[2u * fragment].xyz;
#endif
    }
    normal = turn(q, rest_normal);
    vec3 view = normalize(world - camera_position);
    if (dot(normal, view) > 0.0) { normal = -normal; rest_normal = -rest_normal; plate_pixels = false; }

    vec3 plate_colour = vec3(0.0);
    if (plate_pixels) {
        // Without the sample's jitter a face that has hardly moved shows the plate's very pixels.
        vec2 at = to_pixel(rest) - jitter + vec2(0.0, pad_top);
        vec2 size = vec2(textureSize(facade, 0));
        bool inside = all(greaterThan(at, vec2(0.5))) && all(lessThan(at, size - 0.5));
        if (inside) {
            float cover = textureLod(building, at / size, 0.0).r;
            if (cover < 0.35) {
                return;
            }
            plate_colour = textureLod(facade, at / size, 0.0).rgb;
        } else {
            plate_pixels = false;
        }
    }
    float angle = 6.2831853 * dither(gl_FragCoord.xy, sample_number);
    float coat = coating(age, normal, rest, stuff);
    if (is_chip) coat = 0.30 + 0.45 * hash3(uvec3(stuff.number, 29u, 7u)).x;  // grit flies in the dust it makes
    Ambient now = ambient_at(core, sides, world, normal);

#ifdef CENTRE
    Look look = look_of(stuff, rest, rest_normal, depth);
    if (plate_pixels) {
        vec3 light = sky * 0.5 + sun * max(dot(rest_normal, sun_direction), 0.0) * shade_plane(rest) + bounce * 0.5;
        look.albedo = min(plate_colour * 3.14159265 / max(light, vec3(1e-3)), vec3(0.9));
    }
    out_normal = vec4(normal, 1.0);
    out_albedo = vec4(mix(look.albedo, dust_albedo, coat), 1.0);
    out_motion = to_pixel(moved_to) - to_pixel(world);
#else
    float direct = shade_plane(world) * max(dot(normal, sun_direction), 0.0);
    float visible = 0.0;
    vec3 colour;
    if (plate_pixels) {
        if (direct > 0.0) direct *= sun_seen(sun_map, world, normal, 4, angle) * exp(-now.sun_dust);
        vec3 light = sun * direct + now.irradiance;
        Ambient before = ambient_at(rest_core, rest_sides, rest, rest_normal);
        float then = shade_plane(rest) * max(dot(rest_normal, sun_direction), 0.0);
        if (then > 0.0) then *= sun_seen(rest_sun_map, rest, rest_normal, 4, angle);
        vec3 rest_light = sun * then + before.irradiance;
        colour = plate_colour * clamp(light / rest_light, 0.1, 1.8);
        colour = mix(colour, dust_albedo * light / 3.14159265, 0.6 * coat);
    } else {
        Look look = look_of(stuff, rest, rest_normal, depth);
        normal = turn(q, look.normal);
        direct = shade_plane(world) * max(dot(normal, sun_direction), 0.0);
        if (direct > 0.0) direct *= sun_seen(sun_map, world, turn(q, rest_normal), 4, angle) * exp(-now.sun_dust);
        float near = contact(world, turn(q, rest_normal), depth, angle);
        vec3 light = sun * direct * mix(near, 1.0, 0.6) + (now.irradiance + room_light(core, world, turn(q, rest_normal))) * near * look.cavity;
        colour = mix(look.albedo, dust_albedo, coat) * light / 3.14159265;
        colour += look.shine * sky * 0.25 * (0.04 + 0.6 * pow(1.0 - abs(dot(view, normal)), 4.0)) * (1.0 - coat);
    }
    out_surface = vec4(colour, 1.0);
#endif
}
