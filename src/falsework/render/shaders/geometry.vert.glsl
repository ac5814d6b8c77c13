//!include pose.glsl
// Fragments in the pose of one instant, seen through any projection.
layout(std430, binding = 0) readonly buffer Poses { vec4 pose[]; };
layout(std430, binding = 1) readonly buffer Centres { vec4 centre[]; };
uniform mat4 projection;
uniform vec4 depth_axis;
in vec3 in_rest;
in uint in_fragment;
out float depth;
void main() {
    vec3 world = turn(pose[2u * in_fragment + 1u], in_rest - centre[in_fragment].xyz) + pose[2u * in_fragment].xyz;
    depth = dot(depth_axis, vec4(world, 1.0));
    gl_Position = projection * vec4(world, 1.0);
}
