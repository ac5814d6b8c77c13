"""From finished stages to the folder that is delivered: whole files only, and none of an earlier run's."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import falsework
from falsework.media.atomic import whole_file
from falsework.progress import Progress
from falsework.shots.spec import Shot
from falsework.shots.stages import frame_file
from falsework.shots.store import Store, settings_key

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["hand_over"]

MANIFEST = "manifest.json"
FILES = (MANIFEST, "review.mp4", "motion.usd", "solve.json", "contact.png", "report.html")  # it goes first
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
REVIEW_VERSION = 1
USD_VERSION = 1


def hand_over(
    shot: Shot,
    out: Path,
    store: Store,
    *,
    folders: Mapping[str, Path],
    keys: Mapping[str, str],
    seconds: Mapping[str, float],
    reused: Sequence[str],
    frames: Sequence[int],
    fps: float,
    began: float,
    progress: Progress,
) -> tuple[Path, ...]:
    """Deliver what the finished stages (`folders`, `keys`) hold; returns the paths, the manifest last.

    `began` is what `time.perf_counter()` said when the run began.

    Everything that takes time is made in the store first, then linked, so that `out` changes in a moment. An
    old manifest goes first: where there is one, all it lists is there.
    """
    progress(0, 4)
    opened = time.perf_counter()
    ready: dict[str, Path] = {}
    if "solve" in folders:
        ready["solve.json"] = folders["solve"] / "solve.json"
    if "collapse" in folders:
        ready["motion.usd"] = _usd(shot, store, folders, keys) / "motion.usd"
    progress(1, 4)
    whole = "comp" in folders
    if whole:
        review = _review(shot, store, folders, keys, frames, fps)
        ready["review.mp4"] = review / "review.mp4"
        ready["contact.png"] = review / "contact.png"
        for frame in frames:
            ready[f"exr/{shot.name}.{frame:04d}.exr"] = frame_file(folders["comp"], frame, ".exr")
    progress(2, 4)
    out.mkdir(parents=True, exist_ok=True)
    _clear(out, shot.name, set(ready))
    for name, source in ready.items():
        _link(source, out / name)
    progress(3, 4)
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
    names = [*ready, *(["report.html"] if whole else [])]
    _manifest(shot, out, names, spent, reused)
    progress(4, 4)
    return tuple(out / name for name in (*names, MANIFEST))


def _clear(out: Path, name: str, kept: set[str]) -> None:
    """Remove what earlier runs delivered and this one does not; nobody else's files.

    Frames are known by the manifest that lists them, or, where a run was stopped before it wrote one, by the
    shot's name: other pictures may share the folder.
    """
    earlier = [out / file for file in FILES]
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        listed = json.loads((out / MANIFEST).read_bytes())["files"]
        earlier += [out / file for file in listed if re.fullmatch(r"exr/[\w-]+\.\d+\.exr", file)]
    for path in dict.fromkeys(earlier):
        if path.relative_to(out).as_posix() not in kept:
            path.unlink(missing_ok=True)
    pictures = out / "exr"
    numbered = re.compile(re.escape(name) + r"\.\d{4,}\.exr(\.part.*)?")
    for path in pictures.iterdir() if pictures.is_dir() else ():
        if numbered.fullmatch(path.name) and f"exr/{path.name}" not in kept:
            path.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    """Give a stage's file its delivered name without a second copy where the disk can do that."""
    if target.exists() and target.samefile(source):
        return
    with whole_file(target) as part:
        try:
            os.link(source, part)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source, part)


def _made(store: Store, name: str, content: Mapping[str, Any]) -> tuple[Path, Path | None]:
    """Folder of a delivered product in the store, and the folder to make it in where it is not there yet."""
    key = settings_key(content)
    if store.done(name, key) is not None:
        return store.folder(name, key), None
    return store.folder(name, key), store.begin(name, key)


def _usd(shot: Shot, store: Store, folders: Mapping[str, Path], keys: Mapping[str, str]) -> Path:
    content = {
        "version": USD_VERSION,
        "solve": keys["solve"],
        "collapse": keys["collapse"],
        "name": shot.name,
    }
    folder, part = _made(store, "usd", content)
    if part is not None:
        from falsework.building.fragments import Fragments
        from falsework.collapse.motion import Motion
        from falsework.delivery.usd import write_usd
        from falsework.plate.plate import Plate

        plate = Plate.load(folders["solve"])
        write_usd(
            part / "motion.usd",
            Fragments.load(folders["fracture"]),
            Motion.load(folders["collapse"]),
            plate.camera,
            plate.set_planes,
            fps=shot.fps,
            first_frame=shot.frames[0],
            name=shot.name,
        )
        store.finish("usd", folder.name, part, {})
    return folder


def _review(
    shot: Shot,
    store: Store,
    folders: Mapping[str, Path],
    keys: Mapping[str, str],
    frames: Sequence[int],
    fps: float,
) -> Path:
    """Movie and contact sheet, from the pictures comp left for viewing."""
    content = {
        "version": REVIEW_VERSION,
        "comp": keys["comp"],
        "frames": [frames[0], frames[-1], len(frames)],
        "fps": fps,
        "slate": [shot.brief, shot.seed, falsework.__version__] if shot.comp.slate else None,
        "start": shot.collapse.start,
    }
    folder, part = _made(store, "review", content)
    if part is not None:
        from falsework.delivery.contact import write_contact
        from falsework.media.movie import write_movie
        from falsework.shots.report_data import comp_picture, frame_label, shown_frames

        def picture(frame: int) -> npt.NDArray[np.uint8]:
            return comp_picture(folders["comp"], frame)

        def pictures() -> Iterator[npt.NDArray[np.uint8]]:
            if shot.comp.slate:
                card = _slate(shot, frames, fps, *first.shape[:2])
                for _ in range(max(round(fps), 1)):
                    yield card
            for frame in frames:
                yield picture(frame)

        first = picture(frames[0])
        write_movie(part / "review.mp4", pictures(), fps, (first.shape[1], first.shape[0]))
        chosen = shown_frames(shot, frames)
        write_contact(
            part / "contact.png",
            [picture(frame) for frame in chosen],
            [frame_label(shot, frame) for frame in chosen],
            title=shot.name,
        )
        store.finish("review", folder.name, part, {})
    return folder


def _slate(shot: Shot, frames: Sequence[int], fps: float, height: int, width: int) -> npt.NDArray[np.uint8]:
    from falsework.comp.slate import draw_slate

    lines = [
        ("frames", f"{frames[0]}-{frames[-1]}"),
        ("rate", f"{fps:g} fps"),
        ("seed", str(shot.seed)),
        ("brief", shot.brief),
        ("falsework", falsework.__version__),
    ]
    return draw_slate(width, height, shot.name, lines)


def _manifest(
    shot: Shot, out: Path, names: Sequence[str], seconds: Mapping[str, float], reused: Sequence[str]
) -> None:
    from falsework.delivery.manifest import write_manifest

    write_manifest(
        out / MANIFEST,
        out,
        names,
        versions=_versions(),
        seed=shot.seed,
        parameters=shot.model_dump(mode="json"),
        seconds=seconds,
        reused=reused,
    )


def _versions() -> dict[str, str]:
    versions = {"falsework": falsework.__version__, "python": platform.python_version()}
    for library in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[library] = importlib.metadata.version(library)
    return versions
