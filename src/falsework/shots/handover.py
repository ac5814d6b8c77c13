"""From finished stages to the folder that is delivered: whole files only, and none of an earlier run's."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import falsework
from falsework.models.registry import read_notes
from falsework.progress import Progress
from falsework.shots.products import make_plate_pictures, make_review, make_scene
from falsework.shots.shared_files import give, seal
from falsework.shots.spec import Shot
from falsework.shots.stages import LAYERS, OPENGL, frame_file
from falsework.shots.store import Store
from falsework.shots.traditional_stages import blender_notes

__all__ = ["Delivery", "hand_over", "run_facts"]

MANIFEST = "manifest.json"
FILES = (MANIFEST, "review.mp4", "motion.usd", "solve.json", "contact.png", "report.html")  # it goes first
PICTURES = r"exr/[\w-]+\.\d+\.exr|plate/[\w-]+\.exr"
LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "rapier3d",
    "moderngl",
    "OpenEXR",
    "OpenImageIO",
    "opencolorio",
    "opencv-python-headless",
    "usd-core",
    "av",
)


@dataclass(frozen=True)
class Delivery:
    """The delivered paths, the manifest last, and the keys of what was made in the store for it, by name."""

    files: tuple[Path, ...]
    products: Mapping[str, str]


def hand_over(
    shot: Shot,
    out: Path,
    store: Store,
    *,
    folders: Mapping[str, Path],
    keys: Mapping[str, str],
    inputs: Mapping[str, str],
    seconds: Mapping[str, float],
    reused: Sequence[str],
    frames: Sequence[int],
    height: int | None,
    fps: float,
    began: float,
    progress: Progress,
    temporary: bool = False,
) -> Delivery:
    """Deliver what the finished stages (`folders`, `keys`) hold.

    `inputs` are the user's files to their SHA-256, `height` a preview's lines, `began` what
    `time.perf_counter()` said when the run began, `temporary` burns into the movie that it is not cleared.

    Everything that takes time is made in the store first, then given away, so that `out` changes in a moment.
    An old manifest goes first: where there is one, all it lists is there.
    """
    progress(0, 5)
    opened = time.perf_counter()
    ready: dict[str, Path] = {}
    products: list[Path] = []
    digests: dict[str, str] = {}
    if "solve" in folders:
        ready["solve.json"] = folders["solve"] / "solve.json"
        products.append(make_plate_pictures(shot, store, folders, keys, height))
        ready |= {f"plate/{path.name}": path for path in sorted(products[-1].glob("*.exr"))}
    progress(1, 5)
    if "collapse" in folders:
        products.append(make_scene(shot, store, folders, keys))
        ready["motion.usd"] = products[-1] / "motion.usd"
    progress(2, 5)
    whole = "comp" in folders
    shared: dict[str, Path] = {}
    if whole:
        products.append(make_review(shot, store, folders, keys, frames, fps, temporary=temporary))
        ready["review.mp4"] = products[-1] / "review.mp4"
        ready["contact.png"] = products[-1] / "contact.png"
        for frame in frames:
            shared[f"exr/{shot.name}.{frame:04d}.exr"] = frame_file(folders["comp"], frame, ".exr")
        sealed = seal(folders["comp"], [path.name for path in shared.values()])
        digests = {name: sealed[path.name] for name, path in shared.items()}
    progress(3, 5)
    out.mkdir(parents=True, exist_ok=True)
    _clear(out, shot.name, {*ready, *shared})
    for name, source in (ready | shared).items():
        give(source, out / name, share=name in shared)
    progress(4, 5)
    spent = dict(seconds) | {"deliver": round(time.perf_counter() - opened, 3)}
    if whole:
        from falsework.delivery.report import write_report
        from falsework.shots.report_data import report_data

        data = report_data(
            shot,
            folders,
            frames=frames,
            seconds=spent,
            run_seconds=time.perf_counter() - began,
            reused=reused,
            versions=_versions(),
        )
        write_report(out / "report.html", data)
    names = [*ready, *shared, *(["report.html"] if whole else [])]
    _manifest(shot, out, names, digests, inputs, folders, spent, reused)
    progress(5, 5)
    return Delivery(
        files=tuple(out / name for name in (*names, MANIFEST)),
        products={folder.parent.name: folder.name for folder in products},
    )


def _clear(out: Path, name: str, kept: set[str]) -> None:
    """Remove what earlier runs delivered and this one does not; nobody else's files.

    Frames are known by the manifest that lists them, or, where a run was stopped before it wrote one, by the
    shot's name: other pictures may share the folder.
    """
    earlier = [out / file for file in FILES]
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        listed = json.loads((out / MANIFEST).read_bytes())["files"]
        earlier += [out / file for file in listed if re.fullmatch(PICTURES, file)]
    for path in dict.fromkeys(earlier):
        if path.relative_to(out).as_posix() not in kept:
            path.unlink(missing_ok=True)
    pictures = out / "exr"
    numbered = re.compile(re.escape(name) + r"\.\d{4,}\.exr(\.part.*)?")
    for path in pictures.iterdir() if pictures.is_dir() else ():
        if numbered.fullmatch(path.name) and f"exr/{path.name}" not in kept:
            path.unlink(missing_ok=True)


def _opengl(folders: Mapping[str, Path]) -> dict[str, str] | None:
    """The driver that drew, where frames were drawn."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        return dict(json.loads((folders["render"] / OPENGL).read_bytes()))
    return None


def _manifest(
    shot: Shot,
    out: Path,
    names: Sequence[str],
    digests: Mapping[str, str],
    inputs: Mapping[str, str],
    folders: Mapping[str, Path],
    seconds: Mapping[str, float],
    reused: Sequence[str],
) -> None:
    from falsework.delivery.manifest import write_manifest

    facts = run_facts(shot, inputs=inputs, folders=folders, seconds=seconds, reused=reused)
    write_manifest(out / MANIFEST, out, names, digests=digests, **facts)


def run_facts(
    shot: Shot,
    *,
    inputs: Mapping[str, str],
    folders: Mapping[str, Path],
    seconds: Mapping[str, float],
    reused: Sequence[str],
) -> dict[str, Any]:
    """What a manifest says of a run besides its files, for `write_manifest` and for the record."""
    models = read_notes(folders["render"]) if "render" in folders else []
    return {
        "inputs": dict(inputs),
        "versions": _versions(),
        "opengl": _opengl(folders),
        "blender": blender_notes(folders),
        "models": models,
        "ai_pixels": _made_by(shot, folders) if models else {},
        "seed": shot.seed,
        "parameters": shot.model_dump(mode="json"),
        "seconds": dict(seconds),
        "reused": list(reused),
    }


def _made_by(shot: Shot, folders: Mapping[str, Path]) -> dict[str, float]:
    """How much of each delivered frame the networks made, by what their layers cover: rather too much, as
    where one covers another both count."""
    from falsework.shots.layer_files import COVERING, coverage

    dust_alone = shot.render.shading == "analytic"
    made = [name for name in COVERING if name != "surface" or not dust_alone]
    found = {}
    for path in sorted(folders["render"].glob(f"*{LAYERS}")):
        covered = coverage(path)
        if covered:
            share = min(1.0, sum(covered[name] for name in made))
            found[f"exr/{shot.name}.{path.stem}.exr"] = round(share, 4)
    return found


def _versions() -> dict[str, str]:
    versions = {"falsework": falsework.__version__, "python": platform.python_version()}
    for library in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[library] = importlib.metadata.version(library)
    return versions
