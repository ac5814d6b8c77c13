// Which triangle is seen, and how far away along the optical axis.
uniform uint first_id;
in float depth;
layout(location = 0) out uint out_id;
layout(location = 1) out float out_depth;
void main() {
    out_id = first_id + uint(gl_PrimitiveID);
    out_depth = depth;
}
