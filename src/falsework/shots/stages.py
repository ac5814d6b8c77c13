"""The stages of a shot in their order: what each depends on, and the call into its room.

Rooms are imported where they are called: a run that finds everything finished loads none of them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import finalize

import numpy as np

from falsework.media.atomic import write_text
from falsework.progress import Progress
from falsework.shots.networks import light_of, network_settings, note_networks, open_learned, refine_of
from falsework.shots.spec import Shot

if TYPE_CHECKING:
    from falsework.building.fragments import Fragments
    from falsework.collapse.motion import Motion
    from falsework.dust.field import Debris
    from falsework.plate.plate import Plate

__all__ = [
    "OPENGL",
    "PREVIEW_HEIGHT",
    "PREVIEW_STEP",
    "STAGES",
    "DustBegun",
    "FrameStage",
    "Job",
    "Stage",
    "begin_dust",
    "delivered_view",
    "digest",
    "frame_file",
    "working_pixels",
]

PREVIEW_HEIGHT = 480
PREVIEW_STEP = 4
LAYERS = ".layers"
OPENGL = "opengl.json"  # in the render's folder: who drew


def frame_file(folder: Path, frame: int, suffix: str) -> Path:
    """Where a frame stage keeps one frame."""
    return folder / f"{frame:04d}{suffix}"


def _no_files(shot: Shot) -> list[tuple[str, str]]:
    return []


@dataclass(frozen=True)
class Job:
    """What a stage gets to work with.

    base     the shot file's folder, which paths in the shot start from
    folder   where to write
    folders  of the finished stages, by name
    height   picture height for a preview, None for the plate's own
    """

    shot: Shot
    base: Path
    folder: Path
    folders: Mapping[str, Path]
    height: int | None
    progress: Progress

    def frame_path(self, frame: int, suffix: str) -> Path:
        return frame_file(self.folder, frame, suffix)


@dataclass(frozen=True)
class Stage:
    """One stage whose result appears as a whole folder.

    code      the modules it calls: a change to them, or to what they import, redoes it
    needs     stages it reads; "solve:facades" when only that part of the result matters for the key
    settings  what of the shot decides its result
    files     what files of the user decide its result: (key in the shot, path relative to the shot file)
    make      does the work in `job.folder`; may return digests of parts that later stages depend on
    """

    name: str
    code: tuple[str, ...]
    needs: tuple[str, ...]
    settings: Callable[[Shot], Any]
    make: Callable[[Job], dict[str, str] | None]
    files: Callable[[Shot], list[tuple[str, str]]] = _no_files
    per_frame = False


@dataclass(frozen=True)
class FrameStage:
    """A stage that keeps each finished frame as a file of its own, so that it goes on where it was stopped.
    Its functions can be sent to another process.

    open     prepares for many frames and returns the function that makes one: it writes `job.frame_path`
    follows  the frame stage whose frames it reads one by one: it may work beside it
    """

    name: str
    code: tuple[str, ...]
    needs: tuple[str, ...]
    settings: Callable[[Shot], Any]
    open: Callable[[Job], Callable[[int], None]]
    suffix: str
    follows: str = ""
    files: Callable[[Shot], list[tuple[str, str]]] = _no_files
    per_frame = True


def digest(*values: Any) -> str:
    """A hash of dataclasses, arrays and plain values, by content."""
    whole = hashlib.sha256()

    def add(value: Any) -> None:
        if is_dataclass(value) and not isinstance(value, type):
            for field in fields(value):
                whole.update(field.name.encode())
                add(getattr(value, field.name))
        elif isinstance(value, np.ndarray):
            whole.update(f"{value.dtype}{value.shape}".encode())
            whole.update(np.ascontiguousarray(value).tobytes())
        elif isinstance(value, tuple | list):
            whole.update(f"[{len(value)}".encode())
            for item in value:
                add(item)
        else:
            whole.update(repr(value).encode())

    for value in values:
        add(value)
    return whole.hexdigest()


@lru_cache(maxsize=1)
def _solved(folder: Path) -> Plate:
    from falsework.plate.plate import Plate

    return Plate.load(folder)


def delivered_view(solve: Path, height: int | None) -> Plate:
    """The plate of a finished solve at the size a run delivers: `height` lines, None for its own."""
    plate = _solved(solve)
    if height is None or height >= plate.camera.height:
        return plate
    return plate.resized(height)


def _plain(settings: Any) -> Any:
    return settings.model_dump(mode="json")


def _solve_settings(shot: Shot) -> Any:
    return {
        "plate": _plain(shot.plate),
        "facades": [_plain(facade) for facade in shot.facades],
        "neighbours": [_plain(neighbour) for neighbour in shot.neighbours],
        "occluders": [_plain(occluder) for occluder in shot.occluders],
        "light": _plain(shot.light),
    }


def _solve_files(shot: Shot) -> list[tuple[str, str]]:
    named = [
        ("plate.file", shot.plate.file),
        ("plate.clean", shot.plate.clean),
        ("plate.building_matte", shot.plate.building_matte),
    ]
    named += [(f"occluders.{index}.file", occluder.file) for index, occluder in enumerate(shot.occluders)]
    return [(key, file) for key, file in named if file]


def _solve(job: Job) -> dict[str, str]:
    from falsework.delivery.solve_words import solve_words
    from falsework.plate.stage import make_plate

    shot = job.shot
    plate = make_plate(
        shot.plate,
        shot.facades,
        shot.neighbours,
        shot.occluders,
        shot.light,
        base=job.base,
        progress=job.progress,
    )
    plate.save(job.folder)
    write_text(job.folder / "solve.json", json.dumps(solve_words(plate), indent=2) + "\n")
    return {
        "facades": digest(plate.facades),
        "set": digest(plate.set_planes),
        "camera": digest(plate.camera),
    }


def working_pixels(solve: Path) -> int:
    """Pixels of the picture that a finished solve works in."""
    camera = json.loads((solve / "solve.json").read_bytes())["camera"]
    return int(camera["width"]) * int(camera["height"])


def _build(job: Job) -> None:
    from falsework.building.building import build

    plate = _solved(job.folders["solve"])
    building = build(plate.facades, job.shot.building, seed=job.shot.seed)
    building.save(job.folder)


def _fracture(job: Job) -> None:
    from falsework.building.fracturing import fracture
    from falsework.building.structure import Building

    building = Building.load(job.folders["build"])
    fragments = fracture(building, job.shot.fracture, seed=job.shot.seed, progress=job.progress)
    fragments.save(job.folder)


def _collapse(job: Job) -> None:
    from falsework.building.fragments import Fragments
    from falsework.collapse.collapse import collapse

    shot = job.shot
    motion = collapse(
        Fragments.load(job.folders["fracture"]),
        _solved(job.folders["solve"]).set_planes,
        shot.collapse,
        first_frame=shot.frames[0],
        frames=shot.frame_count,
        fps=shot.fps,
        seed=shot.seed,
        progress=job.progress,
    )
    motion.save(job.folder)


@dataclass(frozen=True)
class DustBegun:
    """What a dust stage begins with, in either pipeline: all it reads, and the chips, made and saved.

    progress   of the gas that is left to do
    """

    fragments: Fragments
    motion: Motion
    plate: Plate
    debris: Debris
    progress: Progress


def begin_dust(job: Job) -> DustBegun:
    """Make the chips of a shot, whose pieces the gas then moves among."""
    from falsework.building.fragments import Fragments
    from falsework.collapse.motion import Motion
    from falsework.dust.debris import simulate_debris

    fragments = Fragments.load(job.folders["fracture"])
    motion = Motion.load(job.folders["collapse"])
    plate = delivered_view(job.folders["solve"], None)

    def gas(done: int, total: int) -> None:  # debris takes a tenth of the time, or less
        job.progress(total + 9 * done, 10 * total)

    def chips(done: int, total: int) -> None:
        job.progress(done, 10 * total)

    debris = simulate_debris(
        fragments, motion, job.shot.dust, seed=job.shot.seed, set_planes=plate.set_planes, progress=chips
    )
    debris.save(job.folder)
    return DustBegun(fragments, motion, plate, debris, gas)


def _dust(job: Job) -> None:
    from falsework.dust.solver import simulate_dust

    begun = begin_dust(job)
    simulate_dust(
        begun.fragments,
        begun.motion,
        begun.debris,
        begun.plate.set_planes,
        job.shot.dust,
        camera=begun.plate.camera,
        folder=job.folder,
        seed=job.shot.seed,
        progress=begun.progress,
    )


def _open_render(job: Job) -> Callable[[int], None]:
    from falsework.building.fragments import Fragments
    from falsework.collapse.motion import Motion
    from falsework.dust.field import Debris, DustField
    from falsework.render.renderer import Renderer
    from falsework.shots.layer_files import write_layers

    folders = job.folders
    view = delivered_view(job.folders["solve"], job.height)
    # A smaller picture's pixels are longer on the way: as many fewer sub-frames draw the same blur.
    share = view.camera.height / _solved(folders["solve"]).camera.height
    samples = max(min(job.shot.render.samples, 3), math.ceil(job.shot.render.samples * share))
    scene = (
        view,
        Fragments.load(folders["fracture"]),
        Motion.load(folders["collapse"]),
        Debris.load(folders["dust"]),
        DustField.load(folders["dust"]),
        job.shot.render.model_copy(update={"samples": samples}),
    )
    note_networks(job.shot.render, job.folder)
    seed, refine, light = job.shot.seed, refine_of(job.shot), light_of(job.shot)
    if light is None:
        renderer = Renderer(*scene, seed=seed, refine=refine)
    else:
        renderer = open_learned(*scene, seed=seed, light=light, refine=refine)

    _solved.cache_clear()  # gigabytes of a large plate, which drawing needs no more
    write_text(job.folder / OPENGL, json.dumps(renderer.opengl))

    def make(frame: int) -> None:
        write_layers(job.frame_path(frame, LAYERS), renderer.layers(frame - job.shot.frames[0]))

    # Gigabytes of textures, which Python does not see: they go with the last reference to `make`.
    finalize(make, renderer.close)

    return make


def _open_comp(job: Job) -> Callable[[int], None]:
    from falsework.building.fragments import Fragments
    from falsework.comp.composite import Compositor
    from falsework.delivery.layers_exr import write_frame
    from falsework.media.colour import display_space, to_8bit
    from falsework.media.images import write_png
    from falsework.render.cryptomatte import manifest
    from falsework.shots.layer_files import read_layers

    shot, plate = job.shot, delivered_view(job.folders["solve"], job.height)
    compositor = Compositor(plate, shot.comp, seed=shot.seed)
    names = manifest(Fragments.load(job.folders["fracture"]))
    rendered = job.folders["render"]
    display = display_space(shot.plate.colour_space)

    def make(frame: int) -> None:
        layers = read_layers(frame_file(rendered, frame, LAYERS))
        finished = compositor.frame(layers)
        # The picture for viewing first: the EXR's name says that the frame is finished.
        write_png(job.frame_path(frame, ".png"), to_8bit(finished.picture, display))
        write_frame(
            job.frame_path(frame, ".exr"),
            {"beauty": finished.picture, "matte": finished.matte, **finished.aovs},
            frame=frame,
            fps=shot.fps,
            name=shot.name,
            crypto_manifest=names,
        )

    return make


def _render_settings(shot: Shot) -> Any:
    # Where networks run is asked for here; what that comes to on this machine is among the networks' own.
    settings = _plain(shot.render)
    del settings["inference"]
    return [settings, shot.seed, network_settings(shot.render)]


def _comp_settings(shot: Shot) -> Any:
    # The slate stands before the movie only. Name and rate are written into the EXR headers.
    settings = _plain(shot.comp)
    del settings["slate"]
    return {"comp": settings, "seed": shot.seed, "name": shot.name, "fps": shot.fps, "first": shot.frames[0]}


STAGES: Mapping[str, Stage | FrameStage] = {
    stage.name: stage
    for stage in (
        Stage(
            "solve",
            ("falsework.plate.stage", "falsework.delivery.solve_words"),
            (),
            _solve_settings,
            _solve,
            _solve_files,
        ),
        Stage(
            "build",
            ("falsework.building.building",),
            ("solve:facades",),
            lambda shot: [_plain(shot.building), shot.seed],
            _build,
        ),
        Stage(
            "fracture",
            ("falsework.building.fracturing", "falsework.building.structure"),
            ("build",),
            lambda shot: [_plain(shot.fracture), shot.seed],
            _fracture,
        ),
        Stage(
            "collapse",
            ("falsework.collapse.collapse", "falsework.building.fragments"),
            ("fracture", "solve:set"),
            lambda shot: [_plain(shot.collapse), list(shot.frames), shot.fps, shot.seed],
            _collapse,
        ),
        Stage(
            "dust",
            (
                "falsework.dust.debris",
                "falsework.dust.solver",
                "falsework.building.fragments",
                "falsework.collapse.motion",
            ),
            ("fracture", "collapse", "solve:set", "solve:camera"),
            lambda shot: [_plain(shot.dust), shot.seed],
            _dust,
        ),
        FrameStage(
            "render",
            (
                "falsework.render.renderer",
                "falsework.building.fragments",
                "falsework.collapse.motion",
                "falsework.dust.field",
                "falsework.shots.layer_files",
            ),
            ("solve", "fracture", "collapse", "dust"),
            _render_settings,
            _open_render,
            LAYERS,
        ),
        FrameStage(
            "comp",
            (
                "falsework.comp.composite",
                "falsework.building.fragments",
                "falsework.delivery.layers_exr",
                "falsework.media.colour",
                "falsework.media.images",
                "falsework.render.cryptomatte",
                "falsework.shots.layer_files",
            ),
            ("solve", "fracture", "render"),
            _comp_settings,
            _open_comp,
            ".exr",
            "render",
        ),
    )
}
