// Light on a surface of the set given by its depth and normal at this pixel.
uniform sampler2D sun_map;
uniform sampler3D core;
uniform sampler3D sides;
vec3 set_light(float depth, vec3 normal) {
    vec3 world = camera_position + depth * ray_through(gl_FragCoord.xy);
    Ambient around = ambient_at(core, sides, world, normal);
    float direct = shade_plane(world) * max(dot(normal, sun_direction), 0.0);
    if (direct > 0.0) direct *= sun_seen(sun_map, world, normal, 12, 0.0) * exp(-around.sun_dust);
    return sun * direct + around.irradiance;
}
