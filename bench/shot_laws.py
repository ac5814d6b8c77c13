"""What must hold of a shot, as numbers, measured on finished folders and on runs of the command itself.

Used by `bench/acceptance.py` on real shots and by `tests/test_shot_end_to_end.py` on a tiny one.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from pxr import Usd

from falsework.collapse.motion import Motion
from falsework.delivery.layers_exr import read_frame
from falsework.media.arrays import read_arrays
from falsework.media.colour import display_space, from_working, to_8bit
from falsework.media.images import read_picture
from falsework.plate.plate import Plate
from falsework.shots.layer_files import read_layers
from falsework.shots.spec import Shot, load_shot
from falsework.shots.stages import PREVIEW_HEIGHT

Image = npt.NDArray[np.float32]
Stamps = dict[str, tuple[int, int]]

FRAME_STAGES = ("render", "comp")
LEAST_PSNR = 34.0  # dB over what the movie shows of the untouched plate: H.264 at CRF 14 keeps more
CHROMA_REACH = 17  # pixels, a macroblock: so far may the codec carry a change across the matte's edge


@dataclass(frozen=True)
class Law:
    """One thing measured: the number of the promise (as `bench/acceptance.py` counts them), what it is in
    words, its figure, and whether that is what must hold."""

    point: int
    measured: str
    figure: str
    holds: bool


@dataclass(frozen=True)
class Made:
    """A shot that `falsework make` finished: its file, and what the command answered."""

    path: Path
    answer: dict[str, Any]
    preview: bool

    @cached_property
    def shot(self) -> Shot:
        return load_shot(self.path)

    @property
    def out(self) -> Path:
        return Path(self.answer["out"])

    @property
    def work(self) -> Path:
        return self.path.parent / "work" / self.shot.name

    def folder(self, stage: str) -> Path:
        return Path(self.answer["stages"][stage]["folder"])

    @property
    def trigger(self) -> float:
        """The frame at which the first support goes."""
        collapse = self.shot.collapse
        return collapse.start + min(seconds for _, seconds in collapse.timing) * self.shot.fps

    def frames(self) -> Iterator[tuple[int, dict[str, Image]]]:
        """Number and layers of every delivered EXR."""
        for path in sorted((self.out / "exr").glob("*.exr")):
            yield int(path.name.split(".")[-2]), read_frame(path)[0]

    def manifest(self) -> dict[str, Any]:
        return dict(json.loads((self.out / "manifest.json").read_bytes()))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of what was delivered, recomputed; not of report and manifest, which tell times."""
        names = [name for name in self.manifest()["files"] if name != "report.html"]
        return {name: hashlib.sha256((self.out / name).read_bytes()).hexdigest() for name in names}

    @cached_property
    def plate(self) -> Image:
        """The plate as delivered. Read from the user's file where the solve did not have to scale it."""
        settings = self.shot.plate
        if settings.size is None and not self.preview:
            picture = read_picture(self.path.parent / settings.file, settings.colour_space)
            x, y, width, height = settings.crop or (0, 0, picture.shape[1], picture.shape[0])
            return picture[y : y + height, x : x + width]
        plate = Plate.load(self.folder("solve"))
        return plate.resized(PREVIEW_HEIGHT).original if self.preview else plate.original


def copy_shot(shot: Path, folder: Path) -> Path:
    """The shot's folder without anything made before; returns the copied shot file.

    Without its production either, which would burn a line into the movie.
    """
    left = ("out", "work", "production.toml", "rights", "credentials", "deliveries")
    shutil.copytree(shot.parent, folder, ignore=shutil.ignore_patterns(*left))
    return folder / shot.name


def command(shot: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "falsework.cli.main", "make", str(shot), "--json", "--quiet", *options]


def make(shot: Path, *options: str) -> Made:
    """Run `falsework make` to its end."""
    run = subprocess.run(command(shot, *options), capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"falsework make ended with {run.returncode}: {run.stderr.strip()}")
    return Made(shot, json.loads(run.stdout), "--preview" in options)


# ---- 1 and 2: the plate is kept -------------------------------------------------------------------------


def untouched_before_the_trigger(made: Made) -> Law:
    """Before the first support goes, the picture is the plate; inside the matte to 1/255 as displayed."""
    plate = half(made.plate)
    shown = from_working(plate, "sRGB")
    outside = inside = covered = 0.0
    count = 0
    for frame, layers in made.frames():
        if frame >= made.trigger:
            break
        count += 1
        matte = layers["matte"] > 0
        covered = max(covered, float(matte.mean()))
        outside = max(outside, largest(np.abs(layers["beauty"] - plate)[~matte]))
        inside = max(inside, largest(np.abs(from_working(layers["beauty"], "sRGB") - shown)[matte]))
    figure = f"outside {outside:g}, inside {255 * inside:.2f}/255; matte {100 * covered:.2f} % of the picture"
    holds = count > 0 and outside == 0 and 255 * inside <= 1.0 + 1e-3
    return Law(1, f"largest difference from the plate, {count} frames before the trigger", figure, holds)


def untouched_outside_the_matte(made: Made) -> Law:
    """Outside the matte every frame is the plate rounded to half, bit for bit. A matte that took in the whole
    picture would hold nothing: its size is told, and that it opens at all."""
    plate = half(made.plate)
    worst, count = 0.0, 0
    shares = []
    for _, layers in made.frames():
        matte = layers["matte"] > 0
        worst = max(worst, largest(np.abs(layers["beauty"] - plate)[~matte]))
        shares.append(float(matte.mean()))
        count += 1
    figure = f"{worst:g}; matte {100 * min(shares):.1f} to {100 * max(shares):.1f} % of the picture"
    return Law(
        2, f"largest difference outside the matte, {count} EXRs", figure, worst == 0 and max(shares) > 0
    )


def movie_within_codec_error(made: Made) -> Law:
    """Outside the matte the movie shows the plate as an H.264 encoder leaves it."""
    space = made.shot.plate.colour_space
    plate = to_8bit(made.plate, "sRGB" if space == "auto" else display_space(space)).astype(np.float64)
    height, width = plate.shape[:2]
    squares, pixels, worst, count = 0.0, 0, 0.0, 0
    pictures = movie(made.out / "review.mp4")
    for _ in range(max(round(made.shot.fps), 1) if made.shot.comp.slate else 0):
        next(pictures)
    for (_, layers), picture in zip(made.frames(), pictures, strict=True):
        reach = np.ones((2 * CHROMA_REACH + 1, 2 * CHROMA_REACH + 1), np.uint8)
        kept = cv2.dilate((layers["matte"] > 0).astype(np.uint8), reach) == 0
        error = np.abs(picture[:height, :width] - plate)[kept]
        squares += float((error**2).sum())
        pixels += error.size
        worst = max(worst, largest(error))
        count += 1
    psnr = 10 * np.log10(255.0**2 * pixels / squares) if squares else np.inf
    figure = f"PSNR {psnr:.1f} dB, largest {worst:.0f}/255"
    return Law(2, f"movie against the plate outside the matte, {count} frames", figure, psnr >= LEAST_PSNR)


def movie(path: Path) -> Iterator[npt.NDArray[np.float64]]:
    """Frames as a player shows them (H, W, 3), 0..255: BT.709, video range, chroma filtered up."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            size = (frame.width, frame.height)
            planes = frame.to_ndarray(format="yuv420p").reshape(-1).astype(np.float32)
            luma, chroma = np.split(planes, [frame.width * frame.height])
            y = (luma.reshape(frame.height, frame.width) - 16) / 219
            half_size = chroma.reshape(2, frame.height // 2, frame.width // 2)
            blue, red = (cv2.resize((plane - 128) / 224, size) for plane in half_size)
            r, b = y + 1.5748 * red, y + 1.8556 * blue
            picture = np.stack([r, (y - 0.2126 * r - 0.0722 * b) / 0.7152, b], axis=2)
            yield np.clip(picture.astype(np.float64), 0, 1) * 255


def half(image: Image) -> Image:
    return image.astype(np.float16).astype(np.float32)


def largest(values: npt.NDArray[Any]) -> float:
    return float(values.max()) if values.size else 0.0


# ---- 3: seeds -------------------------------------------------------------------------------------------


def same_seed_same_pictures(one: Made, other: Made) -> Law:
    """Two runs in two folders give the same bytes."""
    first, second = one.hashes(), other.hashes()
    pictures = [name for name in first if name.endswith(".exr")]
    differ = [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]
    figure = f"{len(pictures)} EXRs, {len(first)} files in all; {len(differ)} differ"
    figure += f" ({', '.join(sorted(differ)[:3])})" if differ else ""
    return Law(3, "hashes of two runs with one seed", figure, bool(pictures) and not differ)


def another_seed_another_collapse(one: Made, other: Made) -> Law:
    """Another seed lets the house fall otherwise: its kinetic energy takes another course."""
    first, second = (Motion.load(made.folder("collapse")) for made in (one, other))
    energy, other_energy = (motion.curves["kinetic"].astype(np.float64) for motion in (first, second))
    share = float(np.abs(energy - other_energy).max() / max(energy.max(), other_energy.max(), 1e-9))
    pieces = " and ".join(str(motion.position.shape[1]) for motion in (first, second))
    figure = f"differs by up to {100 * share:.1f} % of its peak; {pieces} pieces"
    return Law(3, "kinetic energy with another seed", figure, share > 1e-3)


# ---- 4: killed and started again ------------------------------------------------------------------------


def killed_and_started_again(shot: Path, reference: Made, seconds: float, kills: int, seed: int) -> list[Law]:
    """Kill a run in a fresh folder `kills` times within the `seconds` a whole one takes, then let it finish.

    Every other kill takes the whole process group, as a machine that goes down does; the rest take the main
    process only, as a person does, and the next run begins at once, beside what may be left of the last.
    """
    draw = random.Random(seed)
    moments = sorted(seconds * (number + draw.random()) / kills for number in range(kills))
    options = ("--preview",) if reference.preview else ()
    work, out = shot.parent / "work" / reference.shot.name, shot.parent / "out"
    redone: set[str] = set()
    broken: set[str] = set()
    finished: Stamps = {}
    for number, (before, after) in enumerate(pairwise([0.0, *moments])):
        kill_after(command(shot, *options), after - before, whole_group=number % 2 == 0)
        broken |= set(unreadable(work, out))
        redone |= changed(finished, stamps(work))
        finished = stamps(work)
    made = make(shot, *options)
    redone |= changed(finished, stamps(work))
    broken |= set(unreadable(work, out))
    left = [str(path) for path in shot.parent.rglob("*.part*")]
    differ = same_seed_same_pictures(reference, made)
    times = ", ".join(f"{moment:.1f}" for moment in moments)
    return [
        Law(4, f"finishes after {kills} kills (s: {times})", "finished" + tell(left, "parts left"), not left),
        Law(4, "finished stages and frames made again", f"{len(redone)}" + tell(redone, ""), not redone),
        Law(4, "half-written files under a final name", f"{len(broken)}" + tell(broken, ""), not broken),
        Law(4, "hashes against the undisturbed run", differ.figure, differ.holds),
    ]


def kill_after(arguments: list[str], seconds: float, *, whole_group: bool) -> None:
    """Start a run and SIGKILL it, if it is still there."""
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        return
    if process.returncode:
        raise RuntimeError(f"falsework make ended with {process.returncode}: {said}")


def stamps(work: Path) -> Stamps:
    """Inode and time of everything finished: all files of whole stages, the frames of the others."""
    found: Stamps = {}
    for folder in work.glob("*/*"):
        if ".part" in folder.name or not folder.is_dir():
            continue
        frames = folder.parent.name in FRAME_STAGES
        for path in folder.iterdir():
            if path.suffix in (".layers", ".exr") if frames else ".part" not in path.name:
                status = path.stat()
                found[str(path.relative_to(work))] = (status.st_ino, status.st_mtime_ns)
    return found


def changed(before: Stamps, after: Stamps) -> set[str]:
    return {name for name, stamp in before.items() if after.get(name) != stamp}


def tell(names: Any, words: str) -> str:
    return f" {words} ({', '.join(sorted(names)[:3])})" if names else ""


def unreadable(*roots: Path) -> Iterator[str]:
    """Files under a final name that cannot be read to their end; a manifest answers for what it lists."""
    for root in roots:
        for path in root.rglob("*") if root.exists() else ():
            if path.is_dir() or path.name == "lock" or ".part" in str(path.relative_to(root)):
                continue
            try:
                whole = READERS[path.suffix](path)
            except Exception:  # whatever a reader says of a torn file
                whole = False
            if not whole:
                yield str(path.relative_to(root.parent))


def _read_movie(path: Path) -> bool:
    return sum(1 for _ in movie(path)) > 0


def _read_usd(path: Path) -> bool:
    stage = Usd.Stage.Open(str(path))
    return bool(stage.GetPseudoRoot().GetChildren())


def _read_json(path: Path) -> bool:
    content = json.loads(path.read_bytes())
    listed = content.get("files", {}) if path.name == "manifest.json" else {}
    return all(
        hashlib.sha256((path.parent / name).read_bytes()).hexdigest() == digest
        for name, digest in listed.items()
    )


READERS: dict[str, Callable[[Path], bool]] = {
    ".exr": lambda path: bool(read_frame(path)[0]),
    ".png": lambda path: cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is not None,
    ".usd": _read_usd,
    ".mp4": _read_movie,
    ".json": _read_json,
    ".safetensors": lambda path: bool(read_arrays(path)[0]),
    ".layers": lambda path: read_layers(path) is not None,
    ".html": lambda path: path.read_text().rstrip().endswith("</html>"),
}


# ---- 5: what a change redoes ----------------------------------------------------------------------------

KEPT_BY_DUST_COLOUR = ("solve", "build", "fracture", "collapse", "dust")
KEPT_BY_GRAIN = (*KEPT_BY_DUST_COLOUR, "render")


def only_what_depends_is_redone(made: Made, table: str, key: str, value: str, kept: tuple[str, ...]) -> Law:
    """Change one key of a finished shot's file and make it again: `kept` are the stages that may not run."""
    before = stamps(made.work)
    made.path.write_text(with_setting(made.path.read_text(), table, key, value))
    again = make(made.path, *(("--preview",) if made.preview else ()))
    products = {"plate", "review", "usd"}
    new = {name.split("/")[0] for name in stamps(made.work).keys() - before.keys()} - products
    reused = tuple(again.manifest()["reused"])
    told = reused_in_report((again.out / "report.html").read_text())
    touched = changed(before, stamps(made.work))
    figure = f"redone: {', '.join(sorted(new)) or 'nothing'}; the report says reused: {', '.join(told)}"
    expected = {"render", "comp"} - set(kept)
    holds = reused == kept and set(told) == set(kept) and new == expected and not touched
    return Law(5, f"a change to {table}.{key}", figure + tell(touched, "; touched"), holds)


def with_setting(text: str, table: str, key: str, value: str) -> str:
    """A shot's text with one key of a table set."""
    line = f"{key} = {value}"
    header = re.search(rf"^\[{table}\].*$", text, re.MULTILINE)
    if header is None:
        return f"{text.rstrip()}\n\n[{table}]\n{line}\n"
    rest = re.split(r"^(?=\[)", text[header.end() :], maxsplit=1, flags=re.MULTILINE)
    body, count = re.subn(rf"^{key}\s*=.*$", line, rest[0], flags=re.MULTILINE)
    rest[0] = body if count else f"\n{line}{rest[0]}"
    return text[: header.end()] + "".join(rest)


def reused_in_report(page: str) -> list[str]:
    return re.findall(r'<tr class="reused"><th scope=row>(\w+)</th>', page)


# ---- 7: --help ------------------------------------------------------------------------------------------


def help_is_quick(runs: int = 9) -> Law:
    """Median wall-clock seconds of `falsework --help`."""
    program = Path(sys.executable).with_name("falsework")
    spent = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([str(program), "--help"], check=True, capture_output=True)
        spent.append(time.perf_counter() - began)
    median = statistics.median(spent)
    return Law(7, f"seconds of `falsework --help`, median of {runs}", f"{median:.2f} s", median < 0.5)
