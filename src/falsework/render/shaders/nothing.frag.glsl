// For shadow maps: only depth counts.
void main() {}
