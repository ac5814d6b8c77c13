"""Whether a network gives its training pictures back: the copy audit, of what it generates.

What it generates is compared with all it learned from by the copy audit's two measures
(`falsework.rights.copies`). Pictures of one world look alike without anybody having learned them by heart:
two houses may wear one texture. So the held-out truth of the same input, which no network has seen, is
compared, too:

- a generated picture is caught where a training picture is found in it that is not found in its truth;
- all of them are, where they are nearer to the training pictures than the truths are, by rank (Meehan and
  others 2020, "A Non-Parametric Test to Detect Data-Copying in Generative Models").
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.stats import mannwhitneyu

from falsework.errors import FalseworkError
from falsework.models.card import Memorisation, Near
from falsework.progress import Progress, silent
from falsework.rights.copies import CopyAudit, FrameAudit, Neighbour, audit
from falsework.rights.samples import Fingerprint, Index, Sample, read_sample

__all__ = ["Generated", "audit_memorisation", "nearest_sheet"]

SHOWN = 8  # pairs in the card
NEARER = 1e-4  # chance by which the ranks may say so of a network that knows nothing by heart
LEAST_RANKED = 8  # pictures without which ranks say nothing
LEAST_JUDGED = 0.5  # of what was generated must have the detail to be judged
EDGE, LARGEST_SHEET = 200, 300_000  # pixels of a picture on the sheet; bytes of it

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Generated:
    """A picture that the network made, uint8 (H, W, 3) as displayed, from an input that it was not trained
    on; `truth` the same picture as it should be, where there is one."""

    name: str
    picture: Picture
    truth: Picture | None = None


@dataclass(frozen=True)
class _Seen:
    """One generated picture's neighbours, and those of its truth."""

    one: Generated
    frame: FrameAudit
    truth: FrameAudit | None

    @property
    def nearest(self) -> Neighbour:
        return min(self.frame.neighbours, key=lambda each: (each.distance, -(each.points or 0)))

    def caught(self) -> Neighbour | None:
        """A training picture that came back: found in what was generated, and not in the truth."""
        there = self.truth.neighbours if self.truth is not None else ()
        explained = {each.sample for each in there if each.outcome == "block"}
        found = [each for each in self.frame.neighbours if each.outcome == "block"]
        return next((each for each in found if each.sample not in explained), None)


def audit_memorisation(
    generated: Sequence[Generated],
    learned: Sequence[Sample],
    *,
    index: Index | None = None,
    progress: Progress = silent,
) -> Memorisation:
    """Compare what a network generated with what it learned from: training samples, or their fingerprints."""
    if not generated or not learned:
        raise FalseworkError(
            "there is nothing to compare", where="memorisation audit", todo="Give pictures of either kind."
        )
    frames = [(f"{number} made", one.picture) for number, one in enumerate(generated)]
    frames += [(f"{number} true", one.truth) for number, one in enumerate(generated) if one.truth is not None]
    result = audit(frames, learned, index=index or Index(), progress=progress)
    if result.unread:
        raise FalseworkError(
            f"{len(result.unread)} of the training pictures cannot be read ({result.unread[0].why})",
            where=result.unread[0].sample,
            todo="Draw them anew: `falsework dataset build` does.",
        )
    seen = [*_seen(generated, result)]
    caught = [one for one in seen if one.caught() is not None]
    judged = [one for one in seen if not one.frame.featureless]
    distances = [one.nearest.distance for one in seen]
    held_out = [_nearest(one.truth).distance for one in seen if one.truth is not None]
    chance = _chance(distances, held_out)
    nearer = chance is not None and chance < NEARER
    words = _words(len(seen), len(judged), len(caught), chance, nearer, result)
    few = len(judged) < LEAST_JUDGED * len(seen)
    ranked = sorted(seen, key=lambda one: (one.caught() is None, one.nearest.distance))
    return Memorisation(
        outcome="caught" if caught or nearer else "inconclusive" if few else "clear",
        words=words,
        generated=len(seen),
        compared=len(learned),
        caught=len(caught),
        median_distance=float(np.median(distances)),
        held_out_median_distance=float(np.median(held_out)) if held_out else None,
        nearest=tuple(_near(one) for one in ranked[:SHOWN]),
    )


def _seen(generated: Sequence[Generated], result: CopyAudit) -> Iterator[_Seen]:
    frames = {frame.name: frame for frame in result.frames}
    for number, one in enumerate(generated):
        yield _Seen(one, frames[f"{number} made"], frames.get(f"{number} true"))


def _nearest(frame: FrameAudit) -> Neighbour:
    return min(frame.neighbours, key=lambda each: each.distance)


def _chance(distances: Sequence[int], held_out: Sequence[int]) -> float | None:
    """How likely what was generated is so near to what it learned from by chance, as against held-out
    pictures; None where there are too few of either."""
    if min(len(distances), len(held_out)) < LEAST_RANKED:
        return None
    chance = float(mannwhitneyu(distances, held_out, alternative="less").pvalue)
    return None if math.isnan(chance) else chance


def _words(seen: int, judged: int, caught: int, chance: float | None, nearer: bool, result: CopyAudit) -> str:
    said = f"{seen} generated pictures were compared with {result.compared['training']} training pictures: "
    said += f"in {caught} of them one came back." if caught else "none of those came back."
    if nearer:
        said += f" They are nearer to the training pictures than held-out ones are (p = {chance:.1g})."
    elif chance is not None:
        said += f" They are no nearer to the training pictures than held-out ones are (p = {chance:.2g})."
    if judged < seen:
        said += f" {seen - judged} have too little detail to be judged."
    if not result.exhaustive:
        said += " Parts were looked for in a shortlist for each, not in all."
    return said


def _near(one: _Seen) -> Near:
    near, truth = one.caught() or one.nearest, one.truth
    points = (
        [each.points for each in truth.neighbours if each.points is not None] if truth is not None else []
    )
    return Near(
        generated=one.one.name,
        sample=near.sample,
        distance=near.distance,
        symmetry=near.symmetry,
        points=near.points,
        held_out_distance=_nearest(truth).distance if truth is not None else None,
        held_out_points=max(points, default=None),
    )


def nearest_sheet(found: Memorisation, generated: Sequence[Generated], learned: Sequence[Sample]) -> bytes:
    """The nearest pairs as one JPEG: what was generated, the training picture nearest to it, and the held-out
    truth of the same input, side by side."""
    made = {one.name: one for one in generated}
    known = {sample.name: sample for sample in learned}
    rows = []
    for near in found.nearest:
        one = made[near.generated]
        tiles = [one.picture, _picture(known[near.sample])]
        tiles += [one.truth] if one.truth is not None else []
        small = [_tile(tile) for tile in tiles]
        high = max(tile.shape[0] for tile in small)
        rows.append(
            np.concatenate([np.pad(t, ((0, high - t.shape[0]), (0, 0), (0, 0))) for t in small], axis=1)
        )
    wide = max(row.shape[1] for row in rows)
    rows.insert(0, _heads(wide))
    sheet = np.concatenate([np.pad(row, ((0, 4), (0, wide - row.shape[1]), (0, 0))) for row in rows])
    for quality in (88, 75, 60, 40):
        _, data = cv2.imencode(".jpg", sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) <= LARGEST_SHEET:
            break
    return bytes(data)


def _heads(wide: int) -> Picture:
    """What stands in the columns."""
    line = np.zeros((18, wide, 3), np.uint8)
    for column, words in enumerate(("made by the network", "nearest it learned from", "held-out truth")):
        place = (column * (EDGE + 4) + 3, 13)
        cv2.putText(line, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA)
    return line


def _picture(sample: Sample) -> Picture:
    if isinstance(sample.picture, Fingerprint):
        return np.zeros((EDGE, EDGE, 3), np.uint8)
    return sample.picture if isinstance(sample.picture, np.ndarray) else read_sample(sample.picture)


def _tile(picture: Picture) -> Picture:
    scale = EDGE / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.pad(small, ((0, 0), (0, EDGE + 4 - small.shape[1]), (0, 0)))
