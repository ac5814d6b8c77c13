"""Dust as Mantaflow's smoke: balls that give it out, what stands and what falls in its way. Needs no NumPy.

job.json says what is where (see `smoke.py`); each frame's density is left as smoke.NNNN.safetensors.
"""

import sys
from array import array
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import bpy

import exchange

# How much density weighs: the most that Mantaflow allows. The rest is gravity's, which nothing else obeys.
SINKING = -5.0
NOWHERE = (0.0, 0.0, -1000.0)
BORDERS = ("front", "back", "left", "right", "top", "bottom")
CUBE_FACES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def add_cube(name, corners):
    """A solid with eight corners, x slowest: outward faces."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(corner) for corner in corners], [], CUBE_FACES)
    mesh.update()
    return add_object(name, mesh)


def add_object(name, mesh):
    made = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(made)
    return made


def add_fluid(made, kind):
    """A fluid modifier of a kind, and its settings."""
    modifier = made.modifiers.new("fluid", "FLUID")
    modifier.fluid_type = kind
    return getattr(modifier, kind.lower() + "_settings")


def add_obstacle(name, corners):
    made = add_cube(name, corners)
    settings = add_fluid(made, "EFFECTOR")
    settings.effector_type = "COLLISION"
    settings.surface_distance = 0.0
    return made, settings


def add_block(name, block, first):
    """An obstacle on its way. It must have keys: what is moved otherwise is looked at only once."""
    made, settings = add_obstacle(name, block["corners"])
    for number, (x, y, z, scale) in enumerate(block["way"]):
        settings.use_effector = scale > 0.0
        made.location = (x, y, z)
        made.scale = (scale or 0.01,) * 3
        for path in ("location", "scale", 'modifiers["fluid"].effector_settings.use_effector'):
            made.keyframe_insert(path, frame=first + number + 1)
        exchange.breathe()


def add_emitters(job):
    """As many balls as ever give out dust at once."""
    turns = {}
    for frame, *rest in job["emitters"]:
        turns.setdefault(int(frame), []).append(rest)
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=3, radius=1.0, location=NOWHERE)
    mesh = bpy.context.object.data
    bpy.data.objects.remove(bpy.context.object)
    emitters = []
    for number in range(max(map(len, turns.values()), default=0)):
        made = add_object(f"emitter{number}", mesh)
        settings = add_fluid(made, "FLOW")
        settings.flow_type = "SMOKE"
        settings.flow_behavior = "INFLOW"
        settings.use_absolute = False
        settings.use_initial_velocity = True
        settings.velocity_factor = 0.0
        settings.volume_density = 1.0
        settings.temperature = 0.0
        settings.use_inflow = False
        emitters.append((made, settings))
    return turns, emitters


def add_domain(job, folder):
    x, y, z = job["origin"]
    width, depth, height = (cells * job["voxel"] for cells in job["shape"])
    corners = [(x + a * width, y + b * depth, z + c * height) for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    made = add_cube("domain", corners)
    settings = add_fluid(made, "DOMAIN")
    settings.domain_type = "GAS"
    settings.resolution_max = max(job["shape"])
    settings.use_adaptive_domain = False
    settings.use_dissolve_smoke = False
    settings.use_noise = False
    settings.alpha = SINKING
    settings.beta = 0.0
    settings.vorticity = job["vorticity"]
    settings.time_scale = 1.0
    settings.cache_type = "ALL"
    settings.cache_data_format = "OPENVDB"
    settings.cache_directory = str(folder / "cache")
    settings.cache_frame_start = job["first"] + 1
    settings.cache_frame_end = job["frames"]
    for side in BORDERS:
        setattr(settings, "use_collision_border_" + side, side == "bottom")
    return made


def place_emitters(job, frame, turns, emitters):
    """Set the balls as they are at a frame (from 0)."""
    turn = turns.get(frame - (frame - job["first"]) % job["turn"], [])
    for number, (made, settings) in enumerate(emitters):
        settings.use_inflow = number < len(turn)
        if number < len(turn):
            x, y, z, u, v, w, radius, reach, density = turn[number]
            made.location = (x, y, z)
            made.scale = (radius, radius, radius)
            settings.velocity_coord = (u, v, w)
            settings.surface_distance = reach
            settings.density = density


def bake(job, folder):
    scene = exchange.clear_scene()
    scene.frame_start, scene.frame_end = 1, job["frames"]
    exchange.set_frame_rate(scene, job["fps"])
    scene.unit_settings.scale_length = 1.0
    scene.use_gravity = True
    scene.gravity = (0.0, 0.0, -job["gravity"])
    turns, emitters = add_emitters(job)
    for number, corners in enumerate(job["walls"]):
        add_obstacle(f"wall{number}", corners)
        exchange.breathe()
    for number, block in enumerate(job["blocks"]):
        add_block(f"block{number}", block, job["first"])
    domain = add_domain(job, folder)
    total = 2 * (job["frames"] - job["first"])

    def show(scene, *ignored):
        frame = scene.frame_current - 1
        if job["first"] <= frame < job["frames"]:
            place_emitters(job, frame, turns, emitters)
            exchange.say(frame - job["first"], total)

    bpy.app.handlers.frame_change_pre.append(show)
    scene.frame_set(job["first"] + 1)
    bpy.context.view_layer.objects.active = domain
    bpy.ops.fluid.bake_all()
    bpy.app.handlers.frame_change_pre.remove(show)
    return domain


def densities(job, folder, domain):
    """Write each frame's density, x fastest; returns the files."""
    scene = bpy.context.scene
    cells = job["shape"][0] * job["shape"][1] * job["shape"][2]
    files = []
    frames = job["frames"] - job["first"]
    for index in range(job["first"], job["frames"]):
        if not (folder / "cache" / "data" / f"fluid_data_{index + 1:04d}.vdb").exists():
            exchange.refuse(f"Mantaflow left no smoke for frame {index}")
        scene.frame_set(index + 1)
        evaluated = domain.evaluated_get(bpy.context.evaluated_depsgraph_get())
        settings = evaluated.modifiers["fluid"].domain_settings
        if list(settings.domain_resolution) != job["shape"]:
            exchange.refuse(f"Mantaflow made another grid: {list(settings.domain_resolution)}")
        density = array("f", bytes(4 * cells))
        settings.density_grid.foreach_get(density)
        path = folder / f"smoke.{index:04d}.safetensors"
        exchange.write_flat(path, {"density": (job["shape"][::-1], density)})
        files.append(path)
        exchange.say(frames + index - job["first"] + 1, 2 * frames)
    return files


def main():
    folder, job = exchange.begin()
    domain = bake(job, folder)
    files = densities(job, folder, domain)
    exchange.finish({"frames": len(files)}, files=files)


main()
