"""The copy audit: whether a shot's frames hold copies of training samples or of protected pictures.

Every frame is compared with every sample by PDQ under eight symmetries (`pdq`), and by points that agree in
one geometry (`keypoints`) with every sample where they are few, else with those that a shortlist names. The
limits are those production asked for: a PDQ distance of at most 31 or at least 20 agreeing points block, a
distance of 32 to 80 goes to a person, and a frame without enough detail for either is inconclusive and never
passes by itself.

It finds copies, whole or in part. It says nothing about style, and nothing about similarity as a court sees
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from operator import length_hint
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from falsework.errors import FalseworkError
from falsework.progress import Progress, silent
from falsework.rights.compared import compared_digest
from falsework.rights.keypoints import MOST_OF_FRAME, NOTHING, Agreement, Features, agreement, features
from falsework.rights.pdq import LEAST_QUALITY, SYMMETRIES, Hash, distances, pdq
from falsework.rights.samples import VOTERS, Group, Index, Known, Sample

__all__ = [
    "BLOCKING_DISTANCE",
    "BLOCKING_POINTS",
    "DOUBTFUL_DISTANCE",
    "EXHAUSTIVE",
    "GRAVITY",
    "CopyAudit",
    "FrameAudit",
    "Neighbour",
    "Unread",
    "Verdict",
    "audit",
]

BLOCKING_DISTANCE = 31  # PDQ, of 256 bits: at most this blocks
DOUBTFUL_DISTANCE = 80  # at most this goes to a person
BLOCKING_POINTS = 20  # at least so many points in one geometry block
# With fewer distinct points in a picture, finding too few of them again means nothing.
LEAST_DISTINCT = 3 * BLOCKING_POINTS

EXHAUSTIVE = 24  # up to so many samples are all compared by points
SHORTLIST = 12  # of more, so many for each frame, and the nearest by PDQ
NEAREST = 4
FRAME_VOTERS = 2000  # points of a frame that the shortlist is made with
# Descriptors vote for a sample where they are nearer to it than this part of the usual (squared) distance.
VOTE_BELOW = 0.6

Verdict = Literal["clear", "inconclusive", "person", "block"]
GRAVITY: tuple[Verdict, ...] = ("clear", "inconclusive", "person", "block")


@dataclass(frozen=True)
class Neighbour:
    """One sample beside one frame.

    distance   PDQ, 0 to 256 bits, the least over the symmetries; `symmetry` says what was done to the sample
    reliable   whether both pictures have the detail without which a small distance means nothing
    points     that agree in one geometry; None where the shortlist did not name the pair
    outline    the sample's corners in the frame, as fractions of width and height (`keypoints.Agreement`)
    relation   "is" where the sample is one of the shot's own inputs, "within" where that input shows it too
               (at least 20 points), else ""; `input` names it
    """

    sample: str
    asset_id: str
    group: Group
    outcome: Verdict
    distance: int
    symmetry: str
    reliable: bool
    points: int | None
    outline: tuple[tuple[float, float], ...] = ()
    mirrored: bool = False
    relation: Literal["", "is", "within"] = ""
    input: str = ""


@dataclass(frozen=True)
class FrameAudit:
    """One frame: its PDQ quality, its distinct points (at most 2,000), its nearest samples, gravest first.

    The nearest sample by PDQ and the one with most agreeing points are always among `neighbours`.
    """

    name: str
    outcome: Verdict
    quality: int
    distinct: int
    neighbours: tuple[Neighbour, ...]

    @property
    def featureless(self) -> bool:
        return _featureless(self.quality, self.distinct)


@dataclass(frozen=True)
class Unread:
    """A sample that could not be compared, and the sentence that says why."""

    sample: str
    asset_id: str
    group: Group
    why: str


@dataclass(frozen=True)
class CopyAudit:
    """What was compared with what, and what was found.

    compared     samples by group
    featureless  names of the samples that have too little detail to be found again
    exhaustive   whether points were compared for every pair and not for a shortlist only
    pairs        of frame and sample compared by points
    compared_digest  of what it was to be compared with, the unread too (`falsework.rights.compared`)
    printed      of those compared, how many by their fingerprints alone: their pictures are not at hand
    own_featureless  samples without detail that a model's own maker made: no work of anybody is in them that
                 is not compared for itself
    """

    outcome: Verdict
    frames: tuple[FrameAudit, ...]
    compared: dict[str, int]
    inputs: tuple[str, ...]
    unread: tuple[Unread, ...]
    featureless: tuple[str, ...]
    exhaustive: bool
    pairs: int
    compared_digest: str = ""
    printed: int = 0
    own_featureless: int = 0

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(values: object) -> CopyAudit:
        try:
            return TypeAdapter(CopyAudit).validate_python(values)
        except ValidationError as error:
            raise FalseworkError(
                f"the copy audit on record cannot be read ({error.error_count()} faults)",
                todo="Run the audit again.",
            ) from error


def audit(
    frames: Iterable[tuple[str, npt.NDArray[np.uint8]]],
    against: Sequence[Sample],
    *,
    inputs: Sequence[Sample] = (),
    index: Index | None = None,
    progress: Progress = silent,
) -> CopyAudit:
    """Compare frames (name, uint8 (H, W, 3), red first, as displayed) with samples.

    `against` are the training samples of the models used and the protected set. `inputs` (of group "input")
    are the pictures the shot was made from, its plate: they are found in every frame, of course, and are no
    copies. They serve to say of a sample that it is the plate itself, or is seen in it. Samples that cannot
    be read are listed, not raised. `progress` counts samples, then frames.
    """
    index = index or Index()
    total = len(against) + len(inputs) + length_hint(frames)
    done = 0
    set_: list[_Entry] = []
    own: list[_Entry] = []
    unread: list[Unread] = []
    for sample in (*inputs, *against):
        try:
            entry = _Entry(sample, index.know(sample))
            (own if sample.group == "input" else set_).append(entry)
        except FalseworkError as error:
            unread.append(
                Unread(sample.name, sample.asset_id, sample.group, f"{error.what}. {error.todo}".strip())
            )
        done += 1
        progress(done, total)
    table = _Table(set_, own, index)
    audited = []
    for name, picture in frames:
        audited.append(table.frame(name, picture))
        done += 1
        progress(done, max(total, done))
    compared = {
        group: sum(entry.sample.group == group for entry in set_) for group in ("training", "protected")
    }
    blank = [entry.sample for entry in set_ if _featureless(entry.known.hash.quality, entry.known.distinct)]
    featureless = tuple(sample.name for sample in blank if not sample.own)
    outcome = gravest(frame.outcome for frame in audited)
    if not audited or not set_ or unread or featureless:
        outcome = gravest((outcome, "inconclusive"))
    return CopyAudit(
        outcome=outcome,
        frames=tuple(audited),
        compared=compared,
        inputs=tuple(entry.sample.name for entry in own),
        unread=tuple(unread),
        featureless=featureless,
        exhaustive=table.exhaustive,
        pairs=table.pairs,
        compared_digest=compared_digest((one.group, one.held_in or one.asset_id) for one in against),
        printed=sum(bool(entry.sample.held_in) for entry in set_),
        own_featureless=sum(sample.own for sample in blank),
    )


def gravest(outcomes: Iterable[Verdict]) -> Verdict:
    """The gravest of several; "clear" of none."""
    return max(outcomes, key=GRAVITY.index, default="clear")


def _featureless(quality: int, distinct: int) -> bool:
    """Either measure alone is blind to some copies: a picture must have detail enough for both."""
    return quality < LEAST_QUALITY or distinct < LEAST_DISTINCT


@dataclass(frozen=True)
class _Entry:
    sample: Sample
    known: Known


class _Table:
    """All samples at once, as matrices."""

    def __init__(self, entries: Sequence[_Entry], own: Sequence[_Entry], index: Index) -> None:
        self._entries, self._own, self._index = entries, own, index
        self.exhaustive = len(entries) <= EXHAUSTIVE
        self.pairs = 0
        shape = (len(entries), len(SYMMETRIES), 32)
        self._hashes = np.array([entry.known.hash.bits for entry in entries], np.uint8).reshape(shape)
        self._relations: dict[int, tuple[Literal["", "is", "within"], str]] = {}
        if not self.exhaustive:
            self._voters = np.zeros((len(entries), VOTERS, 128), np.uint8)
            self._lengths = np.full((len(entries), VOTERS), 1e9, np.float32)  # beyond all where there is none
            for row, entry in enumerate(entries):
                some = entry.known.voters
                self._voters[row, : len(some)] = some
                self._lengths[row, : len(some)] = (some.astype(np.float32) ** 2).sum(axis=1)

    def frame(self, name: str, picture: npt.NDArray[np.uint8]) -> FrameAudit:
        hashed, points = pdq(picture), features(picture, MOST_OF_FRAME)
        distinct = points.distinct()
        apart = distances(hashed, self._hashes)
        symmetries, nearest = apart.argmin(axis=1), apart.min(axis=1, initial=257)
        order = np.argsort(nearest, kind="stable")
        compared = self._to_compare(points, order, nearest)
        agreed = {row: agreement(points, self._index.features(self._entries[row].known)) for row in compared}
        self.pairs += len(agreed)
        most = sorted(agreed, key=lambda row: -agreed[row].inliers)
        shown = {int(row) for row in order[:1]} | set(most[:1])
        shown |= {int(row) for row in order if nearest[row] <= DOUBTFUL_DISTANCE}
        shown |= {row for row in agreed if agreed[row].inliers >= BLOCKING_POINTS}
        neighbours = [
            self._neighbour(row, hashed, int(nearest[row]), SYMMETRIES[symmetries[row]], agreed.get(row))
            for row in sorted(shown)
        ]
        neighbours.sort(
            key=lambda one: (-GRAVITY.index(one.outcome), -(one.points or 0), one.distance, one.sample)
        )
        outcome = gravest(neighbour.outcome for neighbour in neighbours)
        if _featureless(hashed.quality, distinct):
            outcome = gravest((outcome, "inconclusive"))
        return FrameAudit(name, outcome, hashed.quality, distinct, tuple(neighbours))

    def _to_compare(
        self, points: Features, order: npt.NDArray[np.intp], nearest: npt.NDArray[np.int64]
    ) -> list[int]:
        """The rows whose points are compared with a frame's."""
        if self.exhaustive:
            return list(range(len(self._entries)))
        by_hash = [
            row for place, row in enumerate(order) if place < NEAREST or nearest[row] <= DOUBTFUL_DISTANCE
        ]
        votes = self._votes(points)
        by_votes = [row for row in np.argsort(-votes, kind="stable")[:SHORTLIST] if votes[row] > 0]
        return sorted({int(row) for row in (*by_hash[: 2 * SHORTLIST], *by_votes)})

    def _votes(self, points: Features) -> npt.NDArray[np.float64]:
        """How much of a frame, or of its mirror image, each sample seems to hold, (N,).

        A point of the frame speaks for every sample that has a descriptor far nearer to its own than samples
        usually have. (Not for the one nearest sample alone: a set may hold the same picture twice.)
        """
        some = np.concatenate(
            [each.descriptors[:FRAME_VOTERS] for each in (points, points.mirrored())]
        ).astype(np.float32)
        votes = np.zeros(len(self._entries))
        if not len(some):
            return votes
        lengths = (some * some).sum(axis=1)
        least = np.empty((len(some), len(self._entries)), np.float32)
        step = 64  # samples at a time: 4,000 x 64 x 128 distances are 131 MB
        for first in range(0, len(self._entries), step):
            block = self._voters[first : first + step].reshape(-1, 128).astype(np.float32)
            apart = self._lengths[first : first + step].reshape(-1) - 2.0 * (some @ block.T)
            least[:, first : first + step] = apart.reshape(len(some), -1, VOTERS).min(axis=2)
        least += lengths[:, None]
        usual = np.median(least, axis=1, keepdims=True)
        weights = np.clip(1.0 - least / np.maximum(VOTE_BELOW * usual, 1.0), 0.0, 1.0)
        half = len(some) // 2
        return np.asarray(np.maximum(weights[:half].sum(axis=0), weights[half:].sum(axis=0)), np.float64)

    def _neighbour(
        self, row: int, frame: Hash, distance: int, symmetry: str, agreed: Agreement | None
    ) -> Neighbour:
        entry = self._entries[row]
        reliable = frame.reliable and entry.known.hash.reliable
        found = agreed or NOTHING
        outcome: Verdict = "clear"
        if found.inliers >= BLOCKING_POINTS or (reliable and distance <= BLOCKING_DISTANCE):
            outcome = "block"
        elif distance <= DOUBTFUL_DISTANCE and (reliable or not entry.sample.own):
            # also a small distance between hashes that are no evidence: a person sees in a moment
            outcome = "person"
        neighbour = Neighbour(
            sample=entry.sample.name,
            asset_id=entry.sample.asset_id,
            group=entry.sample.group,
            outcome=outcome,
            distance=distance,
            symmetry=symmetry,
            reliable=reliable,
            points=None if agreed is None else agreed.inliers,
            outline=found.outline,
            mirrored=found.mirrored,
        )
        if outcome == "clear":
            return neighbour
        relation, name = self._relation(row)
        if relation == "is":
            # Found, as it must be. But that a work is used under a grant and is to be kept out as well is
            # for a person to settle.
            outcome = "person" if entry.sample.group == "protected" else "clear"
        return replace(neighbour, outcome=outcome, relation=relation, input=name)

    def _relation(self, row: int) -> tuple[Literal["", "is", "within"], str]:
        """Whether a sample is one of the shot's own inputs, or is seen in one."""
        if row not in self._relations:
            self._relations[row] = self._related(self._entries[row])
        return self._relations[row]

    def _related(self, entry: _Entry) -> tuple[Literal["", "is", "within"], str]:
        for own in self._own:
            same = own.sample.asset_id == entry.sample.asset_id or own.known.digest == entry.known.digest
            alike = distances(own.known.hash, entry.known.hash.bits[None]).min() <= BLOCKING_DISTANCE
            if same or (alike and own.known.hash.reliable and entry.known.hash.reliable):
                return "is", own.sample.name
        for own in self._own:
            seen = agreement(self._index.features(own.known), self._index.features(entry.known))
            if seen.inliers >= BLOCKING_POINTS:
                return "within", own.sample.name
        return "", ""
