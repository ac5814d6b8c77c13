// The plate's camera. World metres in, pixels with y down out; framebuffer row 0 is the picture's top row.
uniform mat3 camera_rotation;
uniform vec3 camera_position;
uniform float camera_focal;
uniform vec2 camera_centre;
uniform vec2 camera_size;

vec3 to_camera(vec3 world) { return camera_rotation * (world - camera_position); }

vec2 to_pixel(vec3 world) {
    vec3 local = to_camera(world);
    return local.xy / max(local.z, 1e-3) * camera_focal + camera_centre;
}

// World direction of unit depth through a pixel position.
vec3 ray_through(vec2 pixel) {
    return vec3((pixel - camera_centre) / camera_focal, 1.0) * camera_rotation;
}
