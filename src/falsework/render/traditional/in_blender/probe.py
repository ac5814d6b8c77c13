"""What this Blender is able to do, found by having it do it."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import bpy

import exchange


def bakes_smoke(folder):
    """Whether Mantaflow bakes here: some builds have it and fail, or die, without a screen."""
    scene = exchange.clear_scene()
    scene.frame_start, scene.frame_end = 1, 2
    bpy.ops.mesh.primitive_cube_add(size=1)
    flow = bpy.context.object.modifiers.new("flow", "FLUID")
    flow.fluid_type = "FLOW"
    flow.flow_settings.flow_type = "SMOKE"
    flow.flow_settings.flow_behavior = "INFLOW"
    bpy.ops.mesh.primitive_cube_add(size=4)
    domain = bpy.context.object.modifiers.new("domain", "FLUID")
    domain.fluid_type = "DOMAIN"
    settings = domain.domain_settings
    settings.domain_type = "GAS"
    settings.resolution_max = 16
    settings.cache_type = "ALL"
    settings.cache_data_format = "OPENVDB"
    settings.cache_frame_start, settings.cache_frame_end = 1, 2
    settings.cache_directory = str(folder)
    try:
        bpy.ops.fluid.bake_all()
    except RuntimeError as error:
        print(error)
        return False
    return any(name.endswith(".vdb") for _, _, names in os.walk(str(folder)) for name in names)


def falls():
    """Whether a rigid body falls under Bullet."""
    scene = exchange.clear_scene()
    bpy.ops.rigidbody.world_add()
    bpy.ops.mesh.primitive_cube_add(location=(0, 0, 10))
    body = bpy.context.object
    bpy.ops.rigidbody.object_add()
    for frame in range(1, 6):
        scene.frame_set(frame)
    evaluated = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return evaluated.matrix_world.translation.z < 9.99


def abilities():
    """All but smoke."""
    built = bpy.app.build_options
    able = []
    if built.bullet and falls():
        able.append("bullet")
    if built.cycles and built.openvdb:
        import _cycles

        able.append("cycles")
        if getattr(_cycles, "with_openimagedenoise", False):
            able.append("denoise")
    if built.usd:
        able.append("usd")
    return able


def main():
    folder, job = exchange.begin()
    if job["smoke"]:
        exchange.finish({"smoke": bool(bpy.app.build_options.fluid) and bakes_smoke(folder / "smoke")})
    else:
        version = ".".join(str(part) for part in bpy.app.version)
        exchange.finish({"version": version, "abilities": abilities(), "python": sys.version.split()[0]})


main()
