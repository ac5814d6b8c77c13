// Triangles already in the world (debris, set planes).
uniform mat4 projection;
uniform vec4 depth_axis;
in vec3 in_world;
out float depth;
void main() {
    depth = dot(depth_axis, vec4(in_world, 1.0));
    gl_Position = projection * vec4(in_world, 1.0);
}
