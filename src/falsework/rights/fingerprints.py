"""What a set of pictures is found again by, in one small file: a model's training pictures do not ship.

Of every picture its hash under eight symmetries, its quality, how many distinct points it has, and its
strongest points: docs/copy_audit.md says what is found by those as well as by all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays, write_arrays
from falsework.rights.keypoints import Features
from falsework.rights.pdq import SYMMETRIES, Hash
from falsework.rights.samples import Fingerprint, Sample

__all__ = ["Fingerprints", "Printed", "points_each", "read_fingerprints", "write_fingerprints"]

MOST_POINTS, LEAST_POINTS = 160, 64  # of each picture
ALL_POINTS = 60_000  # of a list (8 MB), as long as each picture can have LEAST_POINTS
FORMAT = 1


def points_each(pictures: int) -> int:
    """How many points a list of so many pictures keeps of each."""
    return max(LEAST_POINTS, min(MOST_POINTS, ALL_POINTS // max(pictures, 1)))


@dataclass(frozen=True)
class Printed:
    """One picture's fingerprint.

    sha256  of the picture file's bytes
    own     whether whoever trained on it made it, out of pictures that are in the same list
    """

    name: str
    sha256: str
    own: bool
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Fingerprints:
    """A list of them, and what else its maker wrote down beside (`values`)."""

    pictures: tuple[Printed, ...]
    values: Mapping[str, Any]

    def samples(self, held_in: str) -> tuple[Sample, ...]:
        """As training samples for the copy audit; `held_in` is the asset id of the list's file."""
        return tuple(
            Sample(one.name, f"sha256:{one.sha256}", "training", one.fingerprint, held_in, one.own)
            for one in self.pictures
        )


def write_fingerprints(path: Path, pictures: Sequence[Printed], **values: Any) -> None:
    """Write a list of fingerprints, and JSON-able values beside; the same ones give the same bytes."""
    kept = [one.fingerprint for one in pictures]
    counts = [len(one.points) for one in kept]
    write_arrays(
        path,
        {
            "bits": np.array([one.hash.bits for one in kept], np.uint8).reshape(-1, len(SYMMETRIES), 32),
            "quality": np.array([one.hash.quality for one in kept], np.uint8),
            "distinct": np.array([one.distinct for one in kept], np.int32),
            "size": np.array([(one.points.width, one.points.height) for one in kept], np.int32).reshape(
                -1, 2
            ),
            "ends": np.cumsum(np.array(counts, np.int64)),
            # half precision places a point within a quarter of a pixel up to 512, half of one up to 1,024
            "points": np.concatenate([np.zeros((0, 4)), *(one.points.points for one in kept)]).astype(
                np.float16
            ),
            "descriptors": np.concatenate(
                [np.zeros((0, 128), np.uint8), *(one.points.descriptors for one in kept)]
            ),
        },
        format=FORMAT,
        names=[one.name for one in pictures],
        sha256=[one.sha256 for one in pictures],
        own=[one.own for one in pictures],
        **values,
    )


def read_fingerprints(path: Path) -> Fingerprints:
    """The list; FalseworkError where the file is none."""
    try:
        arrays, values = read_arrays(path)
        names, digests, own = (values[key] for key in ("names", "sha256", "own"))
        bits, points, descriptors = arrays["bits"], arrays["points"], arrays["descriptors"]
        ends, size = arrays["ends"], arrays["size"]
        count = len(names)
        sound = (
            values["format"] == FORMAT
            and bits.shape == (count, len(SYMMETRIES), 32)
            and bits.dtype == descriptors.dtype == np.uint8
            and len(digests) == len(own) == len(ends) == len(size) == count
            and len(arrays["quality"]) == len(arrays["distinct"]) == count
            and points.shape == (len(points), 4)
            and descriptors.shape == (len(points), 128)
            and (np.diff(ends, prepend=0) >= 0).all()
            and (ends[-1] if count else 0) == len(points)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error
    except FalseworkError as error:
        raise _unreadable(path, error.what) from error
    if not sound:
        raise _unreadable(path, "its parts do not fit together")
    found = []
    for row in range(count):
        part = slice(int(ends[row - 1]) if row else 0, int(ends[row]))
        kept = Features(
            int(size[row, 0]), int(size[row, 1]), points[part].astype(np.float32), descriptors[part]
        )
        hashed = Hash(bits[row], int(arrays["quality"][row]))
        fingerprint = Fingerprint(hashed, kept, int(arrays["distinct"][row]))
        found.append(Printed(str(names[row]), str(digests[row]), bool(own[row]), fingerprint))
    return Fingerprints(tuple(found), values)


def _unreadable(path: Path, why: str) -> FalseworkError:
    return FalseworkError(
        f"is no readable list of fingerprints ({why})",
        where=path,
        todo="Install the model again, with the file that came with it.",
    )
