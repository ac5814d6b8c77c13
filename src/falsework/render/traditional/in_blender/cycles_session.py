"""Draws one shot with Cycles, picture by picture, for as long as falsework asks.

Requests:
    {"do": "place", "frame", "states": [..], "chips": file or null, "dust": file or null}
    {"do": "reload", "picture", "file"}
    {"do": "draw", "what", "file", "samples", "threshold", "denoise", "seed", "blur", "pad_top", "passes",
     "border": [x0, y0, x1, y1] or null}
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import bpy

import exchange
from cycles_scene import Scene

INSTANT = 0.01  # frames
PIXEL = 1.5  # width of the Blackman-Harris filter, whose falloff is that of a lens and a sensor


class Session:
    def __init__(self, folder, job):
        self.folder, self.job = folder, job
        scene = exchange.clear_scene()
        scene.render.engine = "CYCLES"
        arrays, _ = exchange.read_flat(folder / "scene.safetensors")
        self._shot = Scene(job, arrays, folder)
        self.scene = scene
        self._settle()

    def _settle(self):
        scene, job = self.scene, self.job
        render, cycles = scene.render, scene.cycles
        render.use_persistent_data = True
        render.film_transparent = True
        exchange.set_frame_rate(scene, job["fps"])
        render.motion_blur_shutter = job["shutter"] / 360.0
        if hasattr(render, "motion_blur_position"):
            render.motion_blur_position = "CENTER"
        else:
            cycles.motion_blur_position = "CENTER"
        render.use_compositing = render.use_sequencer = False
        render.threads_mode = "FIXED" if job["threads"] else "AUTO"
        if job["threads"]:
            render.threads = job["threads"]
        image = render.image_settings
        if hasattr(image, "media_type"):  # 5.0 and later
            image.media_type = "MULTI_LAYER_IMAGE"
        image.file_format = "OPEN_EXR_MULTILAYER"
        image.color_depth = "32"
        image.exr_codec = "NONE"
        if hasattr(image, "use_exr_interleave"):  # 5.0 and later: all in one part, as ever
            image.use_exr_interleave = True
        cycles.use_light_tree = True
        cycles.max_bounces = max(job["bounces"], job["volume_bounces"])
        cycles.diffuse_bounces = job["bounces"]
        cycles.glossy_bounces = cycles.transmission_bounces = 0
        cycles.volume_bounces = job["volume_bounces"]
        cycles.transparent_max_bounces = 16
        cycles.caustics_reflective = cycles.caustics_refractive = False
        cycles.sample_clamp_direct = 0.0
        cycles.sample_clamp_indirect = 0.0  # all is matt, there are no fireflies to hide
        if hasattr(cycles, "volume_biased"):
            cycles.volume_biased = job["volume_biased"]
        cycles.volume_step_rate = job["volume_step_rate"]
        cycles.volume_max_steps = 1024
        cycles.film_exposure = 1.0
        self._device()
        layer = scene.view_layers[0]
        layer.name = "layer"
        layer.use_pass_combined = True
        # In every picture, though few want it. With data kept from picture to picture, Blender 5.0.1 sorts
        # cryptomattes once more after they were switched off: in a picture of one sample it so mixes up that
        # picture's own passes, writes past the end of its memory, and dies of that sooner or later.
        layer.use_pass_cryptomatte_object = True
        layer.pass_cryptomatte_depth = 6
        for name in ("hold", "number"):
            aov = layer.aovs.add()
            aov.name, aov.type = name, "VALUE"

    def _device(self):
        """Ask for the device by name; say so where this Blender sees none of its kind."""
        wanted = self.job["device"]
        if wanted == "CPU":
            self.scene.cycles.device = "CPU"
            return
        preferences = bpy.context.preferences.addons["cycles"].preferences
        try:
            preferences.compute_device_type = wanted
        except TypeError:
            exchange.refuse(f"this Blender cannot draw on {wanted}", self.job["other_device"])
        preferences.get_devices()
        found = [device for device in preferences.devices if device.type == wanted]
        if not found:
            exchange.refuse(f"Blender finds no {wanted} device here", self.job["other_device"])
        for device in preferences.devices:
            device.use = device.type == wanted
        self.scene.cycles.device = "GPU"

    def handle(self, request):
        return getattr(self, request["do"])(request)

    def place(self, request):
        began = time.perf_counter()
        chips, _ = exchange.read_flat(self.folder / request["chips"]) if request["chips"] else ({}, None)
        self._shot.place(request["frame"], request["states"], chips, request["dust"])
        return {"seconds": time.perf_counter() - began}

    def reload(self, request):
        self._shot.reload(request["picture"], request["file"])
        return {}

    def draw(self, request):
        began = time.perf_counter()
        scene, layer = self.scene, self.scene.view_layers[0]
        render, cycles = scene.render, scene.cycles
        self._shot.frame_picture(request["pad_top"])
        self._shot.show(request["what"])
        cycles.samples = request["samples"]
        cycles.use_adaptive_sampling = request["threshold"] > 0 and request["samples"] > 1
        cycles.adaptive_threshold = max(request["threshold"], 1e-4)
        cycles.seed = request["seed"]
        cycles.use_denoising = request["denoise"]
        if request["denoise"]:
            cycles.denoiser = "OPENIMAGEDENOISE"
            cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
            cycles.denoising_prefilter = "ACCURATE"
        # At a pixel's very centre where something is measured.
        exact = request["what"] == "measure"
        cycles.pixel_filter_type = "BOX" if exact else "BLACKMAN_HARRIS"
        cycles.filter_width = 0.01 if exact else PIXEL
        render.use_motion_blur = blurs = self.job["shutter"] > 0
        # An instant is a very short shutter: to switch blur off would have every mesh built anew.
        if blurs:
            render.motion_blur_shutter = self.job["shutter"] / 360.0 if request["blur"] else INSTANT
        border = request["border"]
        render.use_border = render.use_crop_to_border = border is not None
        if border is not None:
            width, height = render.resolution_x, render.resolution_y
            x0, y0, x1, y1 = border
            # A hundredth of a pixel in, so that rounding up or down gives the same.
            render.border_min_x, render.border_max_x = (x0 + 0.01) / width, (x1 + 0.01) / width
            render.border_min_y, render.border_max_y = 1 - (y1 - 0.01) / height, 1 - (y0 - 0.01) / height
        passes = set(request["passes"])
        layer.use_pass_z = "depth" in passes
        layer.use_pass_normal = "normal" in passes
        layer.cycles.denoising_store_passes = "albedo" in passes
        path = self.folder / request["file"]
        render.filepath = str(path)
        ready = time.perf_counter()
        bpy.ops.render.render(write_still=True)
        done = time.perf_counter()
        return {"sync": ready - began, "render": done - ready, "files": [path]}


def main():
    folder, job = exchange.begin()
    exchange.serve(Session(folder, job).handle)


if __name__ == "__main__":
    main()
