//!include camera.glsl
//!include dustgrid.glsl
// Marks, in the depth buffer, the pixels whose ray meets dust before its surface, and says where.
layout(location = 0) out float out_start;
void main() {
    Path path = path_of(gl_FragCoord.xy);
    float start = next_dust(path, path.start);
    out_start = start;
    gl_FragDepth = path.start < path.end && start < path.end ? 0.0 : 1.0;
}
