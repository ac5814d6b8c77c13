// What materials look like: textures scaled to each material's albedo, and what no texture shows.
struct Stuff {
    int material;   // index into building.materials.MATERIALS
    int kind;       // index into building.fragments.KINDS
    float broken;   // 1: fresh broken face
    uint number;    // of the fragment
    uint element;   // of the building element it was cut from
};
struct Look { vec3 albedo; vec3 normal; float cavity; float shine; };

uniform sampler2DArray stuff_texture;
uniform sampler3D noise;
uniform vec4 material_look[16];   // albedo, texture layer (-1: none)
uniform float material_tile[16];  // metres

const int PLASTER = 3, WALLPAPER = 4, TIMBER = 5, ROOFING = 6, GLASS = 7, STEEL = 8, CLUTTER = 9;

// Wall colours of rooms, relative to the material's own albedo.
const vec3 PAPER[8] = vec3[8](
    vec3(1.15, 1.08, 0.92), vec3(0.78, 0.98, 0.88), vec3(1.20, 0.86, 0.72), vec3(0.80, 0.92, 1.18),
    vec3(1.22, 1.16, 1.02), vec3(1.12, 0.98, 0.55), vec3(0.95, 0.72, 0.74), vec3(1.00, 1.02, 1.05));

float coating(float age, vec3 normal, vec3 rest, Stuff stuff) {
    if (age <= 0.0) return 0.0;
    float patchy = textureLod(noise, rest / 3.1, 0.0).g;
    float settled = 1.0 - exp(-age / 2.2);
    return clamp(settled * (0.30 + 0.45 * max(normal.z, 0.0) + 0.5 * (patchy - 0.5)), 0.0, 0.85);
}

Look look_of(Stuff stuff, vec3 rest, vec3 normal, float depth) {
    vec4 base = material_look[stuff.material];
    vec3 own = hash3(uvec3(stuff.number, 17u, 3u));
    vec3 room = hash3(uvec3(stuff.element, 5u, 11u));
    vec3 size = abs(normal);
    vec2 flat_place = size.z > max(size.x, size.y) ? rest.xy : (size.x > size.y ? rest.yz : rest.xz);
    vec3 albedo = base.rgb;
    float shine = 0.0;
    if (base.w >= 0.0) {
        float tile = material_tile[stuff.material];
        float level = log2(max(depth / camera_focal / tile * 768.0, 1.0));
        albedo *= textureLod(stuff_texture, vec3(flat_place / tile, base.w), level).rgb * 2.0;
    }
    // Detail finer than a pixel is left out, so that nothing sparkles.
    float sharp = clamp(2.0 - depth / camera_focal * 60.0, 0.0, 1.0);
    vec4 rough = textureLod(noise, rest / 0.9 + own * 3.0, 0.0);
    vec4 broad = textureLod(noise, rest / 4.3 + own, 0.0);
    if (stuff.material == WALLPAPER || stuff.material == PLASTER) {
        float strength = stuff.material == WALLPAPER ? 1.0 : 0.45;
        vec3 tint = PAPER[int(room.x * 7.99)];
        albedo *= mix(vec3(1.0), tint, strength * (1.0 - 0.8 * stuff.broken));
        if (stuff.material == WALLPAPER && stuff.broken < 0.5) {
            if (room.y > 0.78) {
                vec2 joint = abs(fract(flat_place / 0.15) - 0.5);
                albedo = mix(vec3(0.55, 0.56, 0.54), vec3(0.30), sharp * step(0.46, max(joint.x, joint.y)));
                shine = 0.4;
            } else {
                float stripe = smoothstep(0.35, 0.65, abs(fract(flat_place.x / (0.18 + 0.2 * room.z)) - 0.5) * 2.0);
                albedo *= 1.0 - 0.16 * stripe * sharp;
            }
            // Soot over old heaters, the pale ghosts of pictures, dirt towards the floor.
            albedo *= 0.86 + 0.28 * broad.g;
        }
    } else if (stuff.material == TIMBER) {
        float grain = textureLod(noise, rest * vec3(0.25, 0.25, 2.6) + own, 0.0).b;
        albedo *= (0.65 + 0.7 * grain) * (0.75 + 0.5 * own.x);
        albedo = mix(albedo, vec3(0.42, 0.31, 0.19), 0.6 * stuff.broken);
    } else if (stuff.material == ROOFING) {
        float course = floor(flat_place.y / 0.22);
        float slate = floor(flat_place.x / 0.3 + 0.5 * mod(course, 2.0));
        albedo *= 0.7 + 0.6 * hash3(uvec3(ivec3(course + 512.0, slate + 512.0, 3.0))).x;
        albedo *= 1.0 - 0.35 * sharp * step(0.88, fract(flat_place.y / 0.22));
    } else if (stuff.material == GLASS) {
        shine = 1.0;
    } else if (stuff.material == CLUTTER) {
        vec3 hue = 0.5 + 0.5 * cos(6.2831853 * (own.x + vec3(0.0, 0.33, 0.67)));
        albedo = mix(albedo, albedo * (0.5 + hue), 0.7) * (0.5 + 1.6 * own.y);
    } else {
        albedo *= 0.85 + 0.3 * own.x;
    }
    // A fresh break is lighter, less coloured and rougher than what weather and hands have been at.
    float grey = dot(albedo, vec3(0.27, 0.67, 0.06));
    vec3 fresh = mix(albedo, vec3(grey), 0.25) * (1.05 + 0.25 * rough.r) + 0.03;
    albedo = mix(albedo * (0.92 + 0.16 * rough.g), fresh * (0.88 + 0.24 * rough.g), stuff.broken);
    albedo *= 0.80 + 0.40 * broad.b;
    vec3 bump = vec3(0.0);
    if (stuff.material != GLASS) {
        vec3 at = rest / 0.9 + own * 3.0;
        vec2 away = vec2(0.03, 0.0);
        const vec4 RELIEF = vec4(0.6, 0.3, 0.1, 0.0);
        float here = dot(rough, RELIEF);
        vec3 slope = vec3(dot(textureLod(noise, at + away.xyy, 0.0), RELIEF) - here,
                          dot(textureLod(noise, at + away.yxy, 0.0), RELIEF) - here,
                          dot(textureLod(noise, at + away.yyx, 0.0), RELIEF) - here);
        bump = slope * mix(0.3, 1.7, stuff.broken) * sharp;
    }
    vec3 turned = normalize(normal - (bump - normal * dot(bump, normal)));
    float cavity = mix(1.0, clamp(0.55 + 0.75 * rough.r, 0.0, 1.0), 0.3 + 0.4 * stuff.broken);
    return Look(clamp(albedo, 0.015, 0.85), turned, cavity, shine);
}
