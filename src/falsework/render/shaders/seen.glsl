// What the pictures of who is seen tell: coded normals, and how near things shade each other. Needs `depths`.
vec3 unpack_normal(uint coded) {
    vec2 e = unpackSnorm2x16(coded);
    vec3 n = vec3(e, 1.0 - abs(e.x) - abs(e.y));
    if (n.z < 0.0) n.xy = (1.0 - abs(n.yx)) * vec2(n.x < 0.0 ? -1.0 : 1.0, n.y < 0.0 ? -1.0 : 1.0);
    return normalize(n);
}

// Ambient occlusion of near things from the depths around (after M. Mittring's and later screen-space methods):
// how much of the hemisphere's samples within a metre lie behind what is seen.
float contact(vec3 world, vec3 normal, float depth, float angle) {
    float radius = clamp(0.7 * camera_focal / depth, 3.0, 60.0);
    float hidden = 0.0;
    ivec2 limit = ivec2(camera_size) - 1;
    for (int tap = 0; tap < 5; tap++) {
        float way = angle + 2.399963 * float(tap);
        vec2 at = gl_FragCoord.xy + radius * sqrt((float(tap) + 0.5) / 5.0) * vec2(cos(way), sin(way));
        float found = texelFetch(depths, clamp(ivec2(at), ivec2(0), limit), 0).r;
        if (found <= 0.0) continue;
        vec3 there = camera_position + found * ray_through(at) - world;
        float far = length(there);
        float above = dot(there, normal) / max(far, 1e-3);
        hidden += max(above - 0.12, 0.0) * clamp(1.4 - far, 0.0, 1.0);
    }
    return clamp(1.0 - 0.42 * hidden, 0.25, 1.0);
}
