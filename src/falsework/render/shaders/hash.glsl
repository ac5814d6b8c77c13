// Integer hashing after M. Jarzynski and M. Olano, "Hash Functions for GPU Rendering" (JCGT 2020).
uvec3 pcg3(uvec3 v) {
    v = v * 1664525u + 1013904223u;
    v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
    v ^= v >> 16u;
    v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
    return v;
}
vec3 hash3(uvec3 v) { return vec3(pcg3(v) >> 8u) / 16777216.0; }

// Interleaved gradient noise (J. Jimenez, 2014): evenly spread over neighbouring pixels.
float dither(vec2 pixel, float step) {
    pixel += 5.588238 * step;
    return fract(52.9829189 * fract(0.06711056 * pixel.x + 0.00583715 * pixel.y));
}
