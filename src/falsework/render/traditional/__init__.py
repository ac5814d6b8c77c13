"""The traditional pipeline: the same building brought down, dusted and drawn by Blender.

Blender is another program, run as one and talked to through files: nothing here imports `bpy`. What runs
inside Blender lies in `in_blender/`, which is no package of falsework's but data of it. Import from the
modules: `settings.TraditionalSettings`, `blender.find_blenders`, `process.run_job` and `process.Session`.
"""
