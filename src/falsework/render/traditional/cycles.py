"""The traditional renderer: another program, Cycles, draws what `render.renderer.Renderer` draws."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris
from falsework.errors import FalseworkError
from falsework.plate.plate import Plate
from falsework.render.ambient import DENSEST
from falsework.render.cryptomatte import float_id
from falsework.render.dust_colour import dust_albedo
from falsework.render.layers import Layers
from falsework.render.settings import RenderSettings
from falsework.render.shadows import BRIGHTEST
from falsework.render.traditional.blender import Blender
from falsework.render.traditional.chip_files import ChipMeshes
from falsework.render.traditional.cycles_layers import (
    Passes,
    Rest,
    crypto_of,
    light_of,
    pixel_motion,
    read_passes,
    with_standing,
)
from falsework.render.traditional.delight import delight
from falsework.render.traditional.process import Session, write_job
from falsework.render.traditional.scene_files import (
    camera_job,
    curtain_depth,
    ground_albedo,
    light_job,
    looks,
    plane_job,
    scene_names,
    single_scattering,
    write_curtain,
    write_noise,
    write_picture,
    write_scene,
    write_textures,
)
from falsework.render.traditional.settings import TraditionalSettings
from falsework.render.traditional.smoke import Smoke
from falsework.render.volume import EXTINCTION
from falsework.seeds import generator

__all__ = ["CyclesRenderer"]

Float = npt.NDArray[np.float32]

DARKEST = 0.04  # share of its light that is left to anything, as in falsework's renderer
# Forward and backward lobe of dust: weight and mean cosine (dust.frag.glsl).
LOBES = ((0.7, 0.55), (0.3, -0.25))
REST_SAMPLES = (16, 64)  # to see what walls are made of, then to know their light
NOISY_REST_SAMPLES = (64, 512)  # where Blender has no denoiser
OTHER_DEVICE = 'Set `device = "CPU"` under [traditional].'
LIGHT_SHARE = 4  # light is smooth, and needs but a part of the samples once it is denoised


class CyclesRenderer:
    """Draws frames of one shot in a Blender that stays open; a context manager.

    smoke   the dust as OpenVDB files, or None
    crop    (x0, y0, x1, y1) pixels of the whole picture: all layers are of that part alone
    other_device  what a person is told to do where Blender sees no such device
    usage   seconds of the last frame by part: "sync" (the scene handed over), "render" (Cycles, its own scene
            update and its denoiser), "read", and each picture's own
    """

    def __init__(
        self,
        plate: Plate,
        fragments: Fragments,
        motion: Motion,
        debris: Debris,
        smoke: Smoke | None,
        render: RenderSettings,
        traditional: TraditionalSettings,
        *,
        seed: int,
        blender: Blender,
        folder: Path,
        crop: tuple[int, int, int, int] | None = None,
        other_device: str = OTHER_DEVICE,
    ) -> None:
        self._plate, self._fragments, self._motion, self._smoke = plate, fragments, motion, smoke
        self._render, self._traditional, self._seed = render, traditional, seed
        self._folder = folder.absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._crop, self._other_device = crop, other_device
        camera = plate.camera
        self._shape = (camera.height, camera.width)
        self._start = np.where(motion.moved.any(0), motion.moved.argmax(0), motion.frames).astype(np.int32)
        self._chips = ChipMeshes(debris, camera, motion.fps)
        self._denoises = "denoise" in blender.abilities
        self._rest_crypto: Float | None = None
        self._lights: dict[Any, tuple[Float, Float]] = {}
        self.usage: dict[str, float] = {}
        self._begin()
        self._describe()
        self._session = Session(blender, "cycles_session", self._folder)
        try:
            self._look_at_rest()
        except BaseException:
            self._session.close()
            raise

    @property
    def crop(self) -> tuple[int, int, int, int] | None:
        """(x0, y0, x1, y1) pixels of the whole picture that are drawn; None for all."""
        return self._crop

    @crop.setter
    def crop(self, crop: tuple[int, int, int, int] | None) -> None:
        if crop != self._crop:
            self._crop = crop
            self._rest_crypto = None
            self._lights.clear()

    def prepare(
        self, *, samples: int | None = None, denoise: bool | None = None, seed: int | None = None
    ) -> None:
        """Draw what all frames of such a quality need once: the light before anything fell."""
        self._light_at_rest(**self._quality(samples, denoise, seed, None))

    def _quality(
        self, samples: int | None, denoise: bool | None, seed: int | None, index: int | None
    ) -> dict[str, Any]:
        """Of a frame's drawing; of that of the light, whose noise stays in place, without an index."""
        if seed is None:
            seed = self._seed
            if index is not None:
                seed = int(generator(seed, "cycles", index).integers(2**31))
        taken = samples or self._traditional.samples
        denoises = self._denoises and (self._traditional.denoise if denoise is None else denoise)
        return {
            "samples": max(taken // LIGHT_SHARE, 1) if denoises and index is None else taken,
            "threshold": 0.0 if samples else self._traditional.noise_threshold,
            "denoise": denoises,
            "seed": seed,
        }

    def _begin(self) -> None:
        self.usage = {"sync": 0.0, "render": 0.0, "read": 0.0}

    # ---- what Blender is told ------------------------------------------------------------------------------

    def _describe(self) -> None:
        plate, settings = self._plate, self._traditional
        light, folder = plate.light, self._folder
        tall = plate.facade.shape[:2]
        middle = self._fragments.vertices.mean(0).astype(np.float64)
        foot = np.array([middle[0], self._fragments.vertices[:, 1].min(), 0.0])
        shown = plate.facade[plate.building > 0.5]
        facing = max([float(f.normal @ light.sun_direction) for f in plate.facades] or [0.3])
        falls = 0.5 * light.sky + 0.5 * light.bounce + 0.5 * max(facing, 0.0) * light.sun
        mean = np.clip(shown.mean(0) * np.pi / falls, 0.05, 0.7) if len(shown) else np.full(3, 0.3)
        self._plate_albedo = [float(part) for part in mean]
        pictures = {
            "noise": "noise.png",
            "albedo": "albedo_0.exr",
            "residue": "residue_0.exr",
            "far": "far_0.exr",
        }
        pictures |= write_textures(folder)
        first = np.concatenate([np.broadcast_to(mean, (*tall, 3)), plate.building[..., None]], axis=-1)
        write_picture(folder / "albedo_0.exr", first.astype(np.float32))
        write_picture(folder / "residue_0.exr", np.zeros((*tall, 3), np.float32))
        write_picture(folder / "far_0.exr", np.zeros((*self._shape, 1), np.float32))
        write_scene(folder / "scene.safetensors", self._fragments, self._motion)
        self._curtain = curtain_depth(plate)
        write_curtain(folder / "curtain.safetensors", plate.camera, self._curtain)
        forward = sum(weight * g for weight, g in LOBES)
        self._dust_albedo = [float(part) for part in dust_albedo(plate, self._render)]
        grams = 1.0 if self._smoke is None else self._smoke.grams
        job = {
            "camera": camera_job(plate.camera),
            "pad_top": plate.pad_top,
            "fps": self._motion.fps,
            "frames": self._motion.frames,
            "shutter": self._render.shutter,
            "names": scene_names(self._fragments),
            "looks": looks(),
            "light": light_job(light, middle),
            "ground_albedo": ground_albedo(light, foot),
            "planes": plane_job(plate),
            "pictures": pictures,
            "noise": write_noise(folder / "noise.png"),
            "plate_albedo": self._plate_albedo,
            "dust_albedo": self._dust_albedo,
            "dust": {
                "extinction": grams * EXTINCTION * self._render.dust_density,
                "densest": DENSEST,
                "albedo": single_scattering(self._dust_albedo, forward),
                "lobes": [list(lobe) for lobe in LOBES],
            },
            "bounces": settings.bounces,
            "volume_bounces": settings.volume_bounces,
            "volume_step_rate": settings.volume_step_rate,
            "volume_biased": True,
            "device": settings.device,
            "other_device": self._other_device,
            "threads": settings.threads,
        }
        write_job(folder, job)

    # ---- pictures -----------------------------------------------------------------------------------------

    def _draw(
        self,
        what: str,
        samples: int,
        *,
        passes: Sequence[str] = (),
        denoise: bool = False,
        seed: int = 0,
        threshold: float = 0.0,
        blur: bool = True,
        whole: bool = False,
        pad_top: int = 0,
    ) -> Passes:
        """One picture by Cycles; of the crop alone unless `whole`."""
        border = None if whole or self._crop is None else list(self._crop)
        answer = self._session.ask(
            {
                "do": "draw",
                "what": what,
                "file": f"{what}.exr",
                "samples": samples,
                "threshold": threshold,
                "denoise": denoise and self._denoises,
                "seed": seed,
                "blur": blur and self._render.shutter > 0,
                "border": border,
                "pad_top": pad_top,
                "passes": list(passes),
            }
        )
        self.usage["sync"] += answer["sync"]
        self.usage["render"] += answer["render"]
        self.usage[what] = answer["render"]
        began = time.perf_counter()
        path = self._folder / f"{what}.exr"
        drawn = read_passes(path)
        path.replace(path.with_suffix(".last.exr"))
        self.usage["read"] += time.perf_counter() - began
        return drawn

    def _place(self, frame: int, moving: npt.NDArray[np.bool_], *, bare: bool = False) -> None:
        began = time.perf_counter()
        age = np.maximum(frame - self._start, 0) / self._motion.fps
        settled = np.rint(1000 * (1 - np.exp(-age / 2.2))).astype(int)
        states = np.where(moving, 1 + settled, 0)
        chips = None
        self._shown = np.zeros(0, np.int64)
        if not bare and self._chips.born(frame):
            chips = "chips.safetensors"
            self._shown = self._chips.write(self._folder / chips, frame, len(self._fragments) + 1)
        self._session.ask(
            {
                "do": "place",
                "frame": frame,
                "states": states.tolist(),
                "chips": chips,
                "dust": None if bare else self._dust_file(frame),
            }
        )
        self.usage["sync"] += time.perf_counter() - began

    def _dust_file(self, frame: int) -> str | None:
        if self._smoke is None or self._render.dust_density <= 0 or not 0 <= frame < self._smoke.frames:
            return None
        path = self._smoke.path(frame)
        return None if path is None else str(path.absolute())

    def _reload(self, name: str, image: npt.NDArray[Any], number: int) -> None:
        file = f"{name}_{number}.exr"
        write_picture(self._folder / file, image)
        self._session.ask({"do": "reload", "picture": name, "file": file})

    def _look_at_rest(self) -> None:
        """What the standing building hides, what it is made of, and the light on it and on the set."""
        plate = self._plate
        none = np.zeros(len(self._fragments), np.bool_)
        self._place(0, none, bare=True)
        seen = self._draw("measure", 1, passes=("depth", "normal"), blur=False, whole=True)
        number = seen["number"]
        depth = np.where(seen["Depth"] < 1e6, seen["Depth"], 0.0)
        self._rest = Rest(plate, number, depth)
        self._rest_depth = np.where(np.rint(number) > 0, depth, 0.0)
        self._rest_normal = np.where(np.rint(number)[..., None] > 0, seen["Normal"], 0.0)
        # The id that the cryptomatte knows each pixel's fragment by, 0 where there is none.
        known = np.array([0.0, *map(float_id, scene_names(self._fragments))], np.float32)
        self._rest_ids = known[np.rint(number).astype(np.int64)]
        self._reload("far", self._rest.far[..., None], 1)
        for turn, samples in enumerate(REST_SAMPLES if self._denoises else NOISY_REST_SAMPLES):
            lit = self._draw("light", samples, denoise=True, whole=True, pad_top=plate.pad_top, blur=False)
            albedo, residue = delight(plate.facade, light_of(lit))
            self._reload("albedo", np.concatenate([albedo, plate.building[..., None]], axis=-1), 1 + turn)
            self._reload("residue", residue, 1 + turn)

    def _light_at_rest(self, **quality: Any) -> tuple[Float, Float]:
        """Light (h, w, 3) on what the plate and on what the clean plate shows, before anything fell.

        Drawn as the frames will be, noise and all: where nothing has changed, the two have the same noise,
        and their ratio none.
        """
        key = tuple(sorted(quality.items()))
        if key not in self._lights:
            self._place(0, np.zeros(len(self._fragments), np.bool_), bare=True)
            rest, bare = (light_of(self._draw(what, **quality)) for what in ("light", "bare"))
            # What the building hid was never in its shade as far as the clean plate's pixels go.
            self._lights[key] = rest, np.where(self._cropped(self._rest.matte)[..., None], bare, rest)
        return self._lights[key]

    # ---- one frame ----------------------------------------------------------------------------------------

    def frame(self, index: int, **options: Any) -> Layers:
        """Layers of frame `index` (0 is the shot's first)."""
        return Layers(**dict(self.layers(index, **options)))

    def layers(
        self,
        index: int,
        *,
        samples: int | None = None,
        denoise: bool | None = None,
        seed: int | None = None,
        shadow: bool = True,
    ) -> Iterator[tuple[str, Float]]:
        """The layers of frame `index` one by one, as `render.renderer.Renderer.layers` gives them.

        samples, denoise: other than the settings say (samples given are all taken: no adaptive sampling);
        seed: of the noise, otherwise the shot's and the frame's; shadow: whether that layer is wanted (nearly
        half the time of a picture that is not denoised).
        """
        if not 0 <= index < self._motion.frames:
            raise FalseworkError(f"there is no frame {index}", where="render", todo="Mend the frame range.")
        self._begin()
        following = min(index + 1, self._motion.frames - 1)
        moving = self._start <= following
        dusty = self._dust_file(index) is not None
        if not (moving.any() or dusty or self._chips.born(index)):
            yield from self._still()
            return
        quality = self._quality(samples, denoise, seed, index)
        # The light's noise stays where it is from frame to frame, and is that of the light at rest.
        steady = self._quality(samples, denoise, seed, None)
        before = self._light_at_rest(**steady) if shadow else None
        self._begin()
        self._place(index, moving)
        stands = self._rest.stand(moving)

        seen = self._draw("measure", 1, passes=("depth", "normal", "albedo"), blur=False)
        number = np.rint(seen["number"]).astype(np.int64)
        covered = number > 0
        depth = np.where(covered, seen["Depth"], 0.0).astype(np.float32)
        yield "normal", self._normal(seen["Normal"], covered, stands)
        yield (
            "motion",
            pixel_motion(
                self._plate.camera,
                self._motion,
                number,
                depth,
                index,
                self._crop[:2] if self._crop is not None else (0, 0),
                self._chips.way(self._shown, index) if len(self._shown) else None,
            ),
        )
        yield "albedo", np.where(covered[..., None], seen["Denoising Albedo"], 0.0).astype(np.float32)
        depth = self._filled(depth, stands)
        yield "depth", depth

        drawn = self._draw("surface", **quality)
        surface = _covering(drawn)
        yield "surface", surface
        held = np.clip(drawn["hold"], 0.0, 1.0)
        yield "crypto", with_standing(crypto_of(drawn), self._cropped(self._rest_ids), held)
        left = np.maximum(1.0 - surface[..., 3] - held, 0.0)
        yield "hold", (held + left * self._cropped(stands)).astype(np.float32)

        if before is not None:
            yield "shadow", self._shadow(self._draw("light", **steady), before, stands)

        dust, front = (np.zeros((*depth.shape, 4), np.float32) for _ in range(2))
        if dusty:
            dust = self._draw_dust("dust", quality)
        yield "dust", dust
        if dusty and self._dust_before_occluders():
            front = self._draw_dust("dust_front", quality)
            front *= np.isfinite(self._cropped(self._curtain))[..., None]
        yield "dust_front", front

    def _draw_dust(self, what: str, quality: dict[str, Any]) -> Float:
        """Dust in colour, and what it hides from a drawing of its own.

        The denoiser leaves coverage alone, and where light is scattered by chance it is noise; of black dust
        it is none.
        """
        dust = _covering(self._draw(what, **quality))
        few = quality | {"samples": max(quality["samples"] // LIGHT_SHARE, 1), "denoise": False}
        dust[..., 3] = _covering(self._draw(f"{what}_alpha", **few))[..., 3]
        return dust

    def _dust_before_occluders(self) -> bool:
        """Whether the dust's box comes nearer than the farthest thing that stands before the building."""
        assert self._smoke is not None
        known = self._curtain[np.isfinite(self._curtain)]
        box = np.array(np.meshgrid(*([0.0, float(n)] for n in self._smoke.shape))).reshape(3, -1).T
        depth = self._plate.camera.project(self._smoke.origin + box * self._smoke.voxel)[1]
        return bool(len(known)) and float(depth.min()) < float(known.max())

    def _cropped(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if self._crop is None:
            return image
        x0, y0, x1, y1 = self._crop
        return np.ascontiguousarray(image[y0:y1, x0:x1])

    def _normal(self, normal: Float, covered: npt.NDArray[np.bool_], stands: npt.NDArray[np.bool_]) -> Float:
        rest = np.where(stands[..., None], self._rest_normal, 0.0)
        return np.where(covered[..., None], normal, self._cropped(rest)).astype(np.float32)

    def _filled(self, depth: Float, stands: npt.NDArray[np.bool_]) -> Float:
        """Depth of the standing building, then of the clean plate, where nothing is seen."""
        depth = np.where(depth == 0, self._cropped(np.where(stands, self._rest_depth, 0.0)), depth)
        clean = self._cropped(self._plate.clean_depth)
        return np.where(depth > 0, depth, clean).astype(np.float32)

    def _shadow(self, lit: Passes, before: tuple[Float, Float], stands: npt.NDArray[np.bool_]) -> Float:
        """Light on what stands and on the set, over the light they were photographed in."""
        then = np.where(self._cropped(stands)[..., None], *before)
        share = np.clip(light_of(lit) / np.maximum(then, 1e-4), DARKEST, BRIGHTEST)
        known = (lit["Combined"][..., 3:] > 0.5) & (then.max(-1, keepdims=True) > 0)
        return np.where(known, share, 1.0).astype(np.float32)

    def _still(self) -> Iterator[tuple[str, Float]]:
        """A frame in which nothing has happened yet: the plate, and what can be measured of it."""
        if self._rest_crypto is None:
            self._place(0, np.zeros(len(self._fragments), np.bool_), bare=True)
            drawn = self._draw("measure", 1, blur=False)
            self._rest_crypto = crypto_of(drawn)
        yield "crypto", self._rest_crypto
        depth = np.where(self._rest_depth > 0, self._rest_depth, self._plate.clean_depth)
        yield "depth", self._cropped(depth).astype(np.float32)
        hold = self._cropped(self._rest.belongs).astype(np.float32)
        yield "hold", hold
        yield "shadow", np.ones((*hold.shape, 3), np.float32)
        for name, channels in {
            "surface": 4,
            "dust": 4,
            "dust_front": 4,
            "normal": 3,
            "motion": 2,
            "albedo": 3,
        }.items():
            yield name, np.zeros((*hold.shape, channels), np.float32)

    def close(self) -> None:
        """Let Blender end."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _covering(passes: Passes) -> Float:
    """Colour and coverage (h, w, 4) without the filter's and the denoiser's overshoot."""
    picture = np.maximum(passes["Combined"], 0.0)
    np.minimum(picture[..., 3], 1.0, out=picture[..., 3])
    return picture
