// Sorts the pixels of one sample: plate that holds (counted), nothing, or a surface to be lit. The last are marked
// in the depth buffer, so that the costly shader runs on them alone (software OpenGL runs both sides of a branch).
layout(std430, binding = 0) readonly buffer Poses { vec4 pose[]; };
layout(std430, binding = 2) readonly buffer Faces { uvec2 face[]; };
uniform usampler2D ids;
uniform sampler2D depths;
uniform sampler2D rest_far;      // farthest rest depth around each pixel of the building
uniform ivec2 rest_corner;       // where that picture begins in the whole one
uniform sampler2D standing;      // r: nothing seen here at rest has moved; g: what stood nearest is at rest
uniform float weight;            // what one sample counts
layout(location = 0) out float out_hold;
void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    uint id = texelFetch(ids, pixel, 0).r;
    vec2 stands = texelFetch(standing, pixel, 0).rg;
    bool chip = (id & 0x80000000u) != 0u;
    uint fragment = face[id == 0u || chip ? 0u : id - 1u].x & 0xfffffu;
    bool at_rest = id != 0u && !chip && pose[2u * fragment].w < 0.0;
    ivec2 at = pixel - rest_corner;
    bool within = all(greaterThanEqual(at, ivec2(0))) && all(lessThan(at, textureSize(rest_far, 0)));
    float far = within ? texelFetch(rest_far, at, 0).r : 0.0;
    // An inner face that was always there, but never seen, is a surface like any other.
    bool holds = at_rest && (stands.r > 0.5 || texelFetch(depths, pixel, 0).r <= far);
    out_hold = weight * (id == 0u ? stands.g : float(holds));
    gl_FragDepth = id == 0u || holds ? 1.0 : 0.0;
}
