// Where a ray meets the dust's grid and which of its blocks hold any dust.
uniform sampler3D fullest;       // largest density in blocks of cells
uniform sampler2D depths;        // along the optical axis, 0 or huge: none
uniform vec3 dust_low;
uniform vec3 dust_extent;
uniform vec3 block_count;

struct Path { vec3 ray; vec3 slow; float unit; float start; float end; bool at_surface; };

Path path_of(vec2 pixel_centre) {
    Path path;
    path.ray = ray_through(pixel_centre);
    path.unit = length(path.ray);
    path.ray /= path.unit;
    float behind = texelFetch(depths, ivec2(pixel_centre), 0).r;
    float finish = behind > 0.0 && behind < 1e4 ? behind * path.unit : 1e4;
    path.slow = 1.0 / (path.ray + vec3(equal(path.ray, vec3(0.0))) * 1e-8);
    vec3 one = (dust_low - camera_position) * path.slow;
    vec3 two = (dust_low + dust_extent - camera_position) * path.slow;
    vec3 low = min(one, two), high = max(one, two);
    path.start = max(max(low.x, low.y), max(low.z, 0.2));
    float leave = min(min(high.x, high.y), high.z);
    path.at_surface = finish < leave;
    path.end = min(finish, leave);
    return path;
}

// Next place at or after t whose block holds dust; the path's end or more if there is none.
float next_dust(Path path, float t) {
    for (int number = 0; number < 200; number++) {
        vec3 place = (camera_position + t * path.ray - dust_low) / dust_extent;
        vec3 cell = clamp(floor(place * block_count), vec3(0.0), ceil(block_count) - 1.0);
        bool empty = texelFetch(fullest, ivec3(cell), 0).r < 0.004;
        if (!empty || t >= path.end) break;
        vec3 wall = dust_low + (cell + step(vec3(0.0), path.ray)) / block_count * dust_extent;
        vec3 reach = (wall - camera_position) * path.slow;
        t = max(min(min(reach.x, reach.y), reach.z), t) + 0.02;
    }
    return t;
}
