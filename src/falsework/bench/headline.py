"""The ratio of times at equal error, and how sure it is."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from falsework.bench.rows import Drawing, FrameStudy, ShotStudy
from falsework.errors import FalseworkError

__all__ = [
    "Denoised",
    "Equal",
    "Headline",
    "beside_denoised",
    "headline",
    "shot_ratio",
    "time_at_error",
    "whole_seconds",
]

Bound = Literal["", "at most", "at least", "mixed"]


@dataclass(frozen=True)
class Equal:
    """Seconds Cycles needs for an error that falsework has.

    bound  "at most" where Cycles is better with the fewest samples drawn, so that it may need less;
           "at least" where it is not as good with the most, so that it needs more
    """

    wall: float
    cpu: float
    bound: Bound


@dataclass(frozen=True)
class Denoised:
    """One frame by falsework beside Cycles with its denoiser, at whatever samples that was drawn with.

    ours      falsework's drawing;  equal: seconds that denoised Cycles needs for its error
    cheapest  the denoised drawing that took the fewest seconds, whatever its error
    """

    frame: int
    ours: Drawing
    equal: Equal
    cheapest: Drawing

    @property
    def at_equal_error(self) -> float:
        """Seconds of denoised Cycles over falsework's, at falsework's error."""
        return self.equal.wall / self.ours.frame.wall

    @property
    def at_any_error(self) -> float:
        """Seconds of denoised Cycles' cheapest drawing over falsework's: no number of samples is sooner."""
        return self.cheapest.frame.wall / self.ours.frame.wall

    def to_json(self) -> dict[str, Any]:
        return {"at_equal_error": self.at_equal_error, "at_any_error": self.at_any_error, **asdict(self)}


@dataclass(frozen=True)
class Headline:
    """Ratios (traditional / falsework) at equal HDR-FLIP: medians over shots, the least and the greatest.

    frame       seconds of one frame's drawing;  shot: of everything, set-up included
    bound       "at most" or "at least" where some of the ratios are; "mixed" where there are both
    per_shot    by name of the shot: (frame, shot, bound)
    """

    frame: float
    frame_spread: tuple[float, float]
    shot: float
    shot_spread: tuple[float, float]
    bound: Bound
    per_shot: dict[str, tuple[float, float, Bound]]


def time_at_error(drawings: Sequence[Drawing], flip: float) -> Equal:
    """When Cycles reaches an error, denoised or not, whichever is sooner.

    Between two drawings time and error are taken to follow a power law. A drawing that is slower than another
    and no better is left out, so that noise in a measured error cannot make time run backwards.
    """
    if not drawings:
        raise FalseworkError("nothing of Cycles' was drawn to compare with", where="bench")
    best: list[Drawing] = []
    for drawing in sorted(drawings, key=lambda one: (one.frame.wall, one.flip)):
        if not best or drawing.flip < best[-1].flip:
            best.append(drawing)
    if flip >= best[0].flip:
        bound: Bound = "" if flip == best[0].flip else "at most"
        return Equal(best[0].frame.wall, best[0].frame.cpu, bound)
    for worse, better in itertools.pairwise(best):
        if better.flip <= flip:
            span = math.log(worse.flip / max(better.flip, 1e-9))
            part = math.log(worse.flip / max(flip, 1e-9)) / span if span > 0 else 1.0
            return Equal(
                _between(worse.frame.wall, better.frame.wall, part),
                _between(worse.frame.cpu, better.frame.cpu, part),
                "",
            )
    return Equal(best[-1].frame.wall, best[-1].frame.cpu, "at least")


def beside_denoised(shot: ShotStudy) -> tuple[Denoised, ...]:
    """Every studied frame beside Cycles with its denoiser; none where the shot has that switched off."""
    rows = []
    for study in shot.studies:
        drawn = [one for one in study.of("cycles") if one.denoised]
        if drawn:
            ours = _ours(shot, study)
            cheapest = min(drawn, key=lambda one: (one.frame.wall, one.flip))
            rows.append(Denoised(study.frame, ours, time_at_error(drawn, ours.flip), cheapest))
    return tuple(rows)


def shot_ratio(shot: ShotStudy) -> tuple[float, float, Bound]:
    """Ratios of one shot: of a frame's drawing, of everything, and what kind of number they are. Raises
    FalseworkError where it has no whole pair of drawings."""
    ours, theirs, bound = _frame_seconds(shot)
    whole = [_whole_shot(shot, "falsework", ours), _whole_shot(shot, "traditional", theirs)]
    return theirs / ours, whole[1] / whole[0], bound


def headline(shots: Sequence[ShotStudy], *, asked: int | None = None) -> Headline:
    """Of all shots. Raises FalseworkError where a shot has no whole pair of drawings, or where there are
    fewer shots than were `asked` for: a median of those that went well would flatter."""
    if asked is not None and len(shots) != asked:
        raise FalseworkError(
            f"{len(shots)} of {asked} shots are there, and the ratio is that of all of them",
            where="bench",
            todo="Run the bench again.",
        )
    per_shot: dict[str, tuple[float, float, Bound]] = {}
    for shot in shots:
        if shot.name in per_shot:
            raise FalseworkError(
                f"two shots are called {shot.name}", where="bench", todo="Give their folders other names."
            )
        per_shot[shot.name] = shot_ratio(shot)
    frames = [frame for frame, _, _ in per_shot.values()]
    whole_shots = [whole for _, whole, _ in per_shot.values()]
    return Headline(
        frame=statistics.median(frames),
        frame_spread=(min(frames), max(frames)),
        shot=statistics.median(whole_shots),
        shot_spread=(min(whole_shots), max(whole_shots)),
        bound=_joint([bound for _, _, bound in per_shot.values()]),
        per_shot=per_shot,
    )


def whole_seconds(shot: ShotStudy) -> tuple[float, float]:
    """Wall seconds of a whole shot by falsework, and by the traditional pipeline at falsework's error."""
    ours, theirs, _ = _frame_seconds(shot)
    return _whole_shot(shot, "falsework", ours), _whole_shot(shot, "traditional", theirs)


def _frame_seconds(shot: ShotStudy) -> tuple[float, float, Bound]:
    """A frame's mean seconds by falsework, those that Cycles takes to falsework's error, and their kind."""
    _whole(shot)
    pairs = [_pair(shot, study) for study in shot.studies]
    ours = statistics.fmean(one for one, _ in pairs)
    theirs = statistics.fmean(equal.wall for _, equal in pairs)
    return ours, theirs, _joint([equal.bound for _, equal in pairs])


def _whole_shot(shot: ShotStudy, side: str, frame: float) -> float:
    return shot.frames * frame + sum(work.wall for work in shot.stages.get(side, {}).values())


def _whole(shot: ShotStudy) -> None:
    """Raises FalseworkError where a frame or a drawing is missing: a ratio of what is there would flatter."""
    missing = sorted(set(shot.asked) - {study.frame for study in shot.studies})
    if missing or not shot.studies:
        named = ", ".join(str(frame) for frame in missing) or "all"
        raise FalseworkError(
            f"of {shot.name} these frames are missing: {named}", where="bench", todo="Run the bench again."
        )
    for study in shot.studies:
        drawn = _kinds(study)
        lacking = set().union(*(_kinds(other) for other in shot.studies)) - drawn
        if lacking:
            samples, denoised, _ = min(lacking)
            raise FalseworkError(
                f"frame {study.frame} of {shot.name} lacks Cycles' drawing of {samples} samples"
                f"{' denoised' if denoised else ''}",
                where="bench",
                todo="Run the bench again.",
            )


def _kinds(study: FrameStudy) -> set[tuple[int, bool, bool]]:
    return {(one.samples, one.denoised, one.adaptive) for one in study.of("cycles")}


def _pair(shot: ShotStudy, study: FrameStudy) -> tuple[float, Equal]:
    """falsework's seconds for a frame, and what Cycles needs for the same error."""
    ours = _ours(shot, study)
    return ours.frame.wall, time_at_error(study.of("cycles"), ours.flip)


def _ours(shot: ShotStudy, study: FrameStudy) -> Drawing:
    ours = study.of("falsework")
    if len(ours) != 1:
        raise FalseworkError(
            f"frame {study.frame} of {shot.name} has {len(ours)} drawings by falsework, not one",
            where="bench",
            todo="Run the bench again.",
        )
    return ours[0]


def _between(first: float, second: float, part: float) -> float:
    return math.exp(math.log(first) + part * (math.log(second) - math.log(first)))


def _joint(bounds: Sequence[Bound]) -> Bound:
    """Of a mean or median over parts: a bound where some are of that kind and none of the other."""
    kinds = set(bounds) - {""}
    if len(kinds) > 1:
        return "mixed"
    return kinds.pop() if kinds else ""
