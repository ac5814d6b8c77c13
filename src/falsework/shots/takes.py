"""Takes of a shot: the same fall in the same light, other fine dust, for a person to choose from."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.delivery.contact import draw_contact
from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.media.images import write_png
from falsework.shots.clearing.production_file import production_of
from falsework.shots.handover import run_facts
from falsework.shots.networks import networks_of
from falsework.shots.pipeline import Listener, Nobody, Run, shot_with
from falsework.shots.products import TEMPORARY, made_once
from falsework.shots.report_data import comp_picture, frame_label
from falsework.shots.shared_files import give, seal
from falsework.shots.sources import source_hash
from falsework.shots.spec import Shot, load_shot
from falsework.shots.stages import PREVIEW_STEP, STAGES, FrameStage, Stage
from falsework.shots.store import Store, disk_faults

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["MOST_TAKES", "TAKES_HEIGHT", "Take", "Takes", "make_takes"]

TAKES_HEIGHT = 360
MOST_TAKES = 64
TELLING = (0.3, 0.5, 0.75, 1.0)  # of the time from the first support's going to the end: on the contact sheet
CONTACT, LIST = "contact.png", "takes.json"
BEFORE = "dust"  # the last stage that all takes share


@dataclass(frozen=True)
class Take:
    """One take, finished.

    movie    its short movie
    seconds  that its frames took to draw and to comp, in this run or an earlier one; `reused`: in an earlier
    id       under which its frames are on record, "" where they are not, and `unrecorded` says why not
    """

    number: int
    movie: Path
    seconds: float
    reused: bool
    id: str = ""
    unrecorded: str = ""


@dataclass(frozen=True)
class Takes:
    """What a run of takes left in `out`."""

    shot: Shot
    shot_path: Path
    out: Path
    contact: Path
    height: int
    frames: tuple[int, ...]
    on_sheet: tuple[int, ...]
    takes: tuple[Take, ...]
    seconds: float

    def finish(self, take: Take) -> str:
        """What finishes a take, as it is typed."""
        words = f"falsework make {self.shot_path} --take {take.number}"
        written = load_shot(self.shot_path)
        if self.shot.seed != written.seed:
            words += f" --seed {self.shot.seed}"
        if self.shot.render.shading != written.render.shading:
            words += f" --shading {self.shot.render.shading}"
        if self.shot.render.dust_detail != written.render.dust_detail:
            words += f" --dust {self.shot.render.dust_detail}"
        return words

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.shot.name,
            "seed": self.shot.seed,
            "shading": self.shot.render.shading,
            "dust_detail": self.shot.render.dust_detail,
            "height": self.height,
            "frames": list(self.frames),
            "contact": self.contact.name,
            "contact_frames": list(self.on_sheet),
            "takes": [
                {
                    "take": take.number,
                    "movie": take.movie.name,
                    "seconds": take.seconds,
                    "reused": take.reused,
                    "id": take.id,
                    "finish": self.finish(take),
                }
                for take in self.takes
            ],
        }


def make_takes(
    shot_path: Path | str,
    *,
    count: int = 8,
    first: int = 0,
    height: int = TAKES_HEIGHT,
    frames: Sequence[int] | None = None,
    out: Path | str | None = None,
    seed: int | None = None,
    render: Mapping[str, Any] | None = None,
    by: str = "",
    listener: Listener | None = None,
    stages: Mapping[str, Stage | FrameStage] = STAGES,
) -> Takes:
    """Make takes `first` to `first + count - 1` of a shot, small.

    height   lines of a picture
    frames   which of the shot's; every PREVIEW_STEPth
    out      folder for the contact sheet, a movie of each take and `takes.json`; `out/takes` beside the shot

    Everything before the drawing is made once, and found finished by a `make` of the whole shot. What is
    finished stays, however a run ends: the next one goes on from there.
    """
    began = time.perf_counter()
    if not 1 <= count <= MOST_TAKES:
        raise FalseworkError(f"{count} takes are asked for", where="--count", todo=f"Give 1 to {MOST_TAKES}.")
    if height < 64:
        raise FalseworkError(f"{height} lines show nothing", where="--height", todo="Give 64 or more.")
    shot_path = Path(shot_path)
    shot = shot_with(load_shot(shot_path), seed, render)
    chosen = _chosen(shot, frames)
    networks_of(shot.render)  # before any work is done
    base = shot_path.resolve().parent
    folder = Path(out) if out is not None else base / "out" / "takes"
    store = Store(base / "work" / shot.name)
    temporary = production_of(base) is not None
    finished: list[Take] = []
    rows: list[list[npt.NDArray[np.uint8]]] = []
    shown = _telling(shot, chosen)
    listener = listener or Nobody()
    with disk_faults(store.root), store.lock():
        store.sweep()
        shared = Run(shot, shot_path, base, store, stages, chosen, height, listener)
        shared.to(BEFORE)
        for number in range(first, first + count):
            of_take = shot_with(shot, None, {"take": number})
            words = f"take {number}"
            run = Run(of_take, shot_path, base, store, stages, chosen, height, _OfTake(words, listener))
            run.to(None)
            movie = _movie(of_take, run, temporary)
            store.note_run(run.keys | {"take": movie.parent.name})
            target = folder / f"take_{number}.mp4"
            folder.mkdir(parents=True, exist_ok=True)
            give(movie, target, share=False)
            rows.append([comp_picture(run.folders["comp"], frame) for frame in shown])
            drawn = [run.results[name] for name in ("render", "comp")]
            seconds = round(sum(result.seconds for result in drawn), 3)
            reused = all(result.reused for result in drawn)
            identity, unrecorded = _on_record(run, folder, seconds, by)
            finished.append(Take(number, target, seconds, reused, identity, unrecorded))
            listener.finished(words, seconds, reused)
        sheet = folder / CONTACT
        labels = [f"take {take.number}   {frame_label(shot, frame)}" for take in finished for frame in shown]
        pictures = [picture for row in rows for picture in row]
        title = f"{shot.name}: {count} takes" + (f"   {TEMPORARY}" if temporary else "")
        write_png(sheet, draw_contact(pictures, labels, title=title, columns=len(shown)))
        result = Takes(
            shot,
            shot_path,
            folder,
            sheet,
            height,
            chosen,
            tuple(shown),
            tuple(finished),
            time.perf_counter() - began,
        )
        write_text(folder / LIST, json.dumps(result.to_json(), indent=1, ensure_ascii=False) + "\n")
    return result


class _OfTake:
    """Tells of a take's frames under its own name, and of what all takes share nothing."""

    def __init__(self, words: str, listener: Listener) -> None:
        self._words, self._listener = words, listener

    def progress(self, stage: str, done: int, total: int) -> None:
        if stage == "comp":
            self._listener.progress(self._words, done, total)

    def finished(self, stage: str, seconds: float, reused: bool) -> None:
        pass


def _chosen(shot: Shot, frames: Sequence[int] | None) -> tuple[int, ...]:
    first, last = shot.frames
    if frames is None:
        return tuple(range(first, last + 1, PREVIEW_STEP))
    chosen = tuple(sorted(set(frames)))
    outside = [frame for frame in chosen if not first <= frame <= last]
    if outside or not chosen:
        raise FalseworkError(
            f"the shot has no frame {outside[0]}" if outside else "no frame is asked for",
            where="--frames",
            todo=f"Give frames from {first} to {last}.",
        )
    return chosen


def _telling(shot: Shot, frames: Sequence[int]) -> list[int]:
    """The frames that show a take best: from where dust has risen to the last."""
    start, last = min(max(shot.collapse.start, frames[0]), frames[-1]), frames[-1]
    wanted = [start + share * (last - start) for share in TELLING]
    return sorted({min(frames, key=lambda have: abs(have - frame)) for frame in wanted})


def _movie(shot: Shot, run: Run, temporary: bool) -> Path:
    """The take's movie in the store, its number and the frames' burnt in."""
    rooms = ("falsework.media.movie", "falsework.comp.slate")
    content = {
        "code": source_hash(rooms, ("falsework.shots.takes",)),
        "comp": run.keys["comp"],
        "frames": list(run.frames),
        "take": shot.render.take,
        "temporary": temporary,
    }
    folder, part = made_once(run.store, "take", content)
    if part is not None:
        from falsework.comp.slate import burn_in
        from falsework.media.movie import write_movie

        mark = f"{TEMPORARY}  " if temporary else ""
        words = f"{mark}{shot.name}  take {shot.render.take}"
        first = comp_picture(run.folders["comp"], run.frames[0])
        write_movie(
            part / "take.mp4",
            (burn_in(comp_picture(run.folders["comp"], frame), f"{words}  {frame}") for frame in run.frames),
            _rate(shot, run.frames),
            (first.shape[1], first.shape[0]),
            comment=words,
        )
        run.store.finish("take", folder.name, part, {})
    return folder / "take.mp4"


def _rate(shot: Shot, frames: Sequence[int]) -> float:
    """Frames a second that show the chosen ones at the shot's own speed."""
    if len(frames) < 2:
        return shot.fps
    return max(shot.fps * (len(frames) - 1) / (frames[-1] - frames[0]), 1.0)


def _on_record(run: Run, out: Path, seconds: float, by: str) -> tuple[str, str]:
    """The take's id in the ledger of rights; what cannot be recorded is only said."""
    from falsework.shots.clearing.cut import Cut
    from falsework.shots.clearing.desk import desk_of
    from falsework.shots.clearing.recording import record_frames

    comp = run.folders["comp"]
    digests = seal(comp, [f"{frame:04d}.exr" for frame in run.frames])
    name = run.shot.name
    cut = Cut(out, {f"exr/{name}.{file}": digest for file, digest in sorted(digests.items())})
    facts = run_facts(
        run.shot,
        inputs=run.inputs,
        folders=run.folders,
        seconds={name: result.seconds for name, result in run.results.items()},
        reused=[name for name, result in run.results.items() if result.reused],
    )
    try:
        made = record_frames(
            desk_of(run.shot_path),
            cut,
            facts,
            {},
            preview=True,
            at=datetime.now(UTC),
            seconds=seconds,
            by=by,
        )
    except FalseworkError as error:
        return "", error.sentence()
    return made.id, ""
