"""How many points a training picture's fingerprint needs, so that what holds the picture is found by it.

    python bench/fingerprints.py --pictures DATASET/previews [--most 24]

Every picture is enlarged to 640 pixels and planted in a frame in the ways of bench/copies.py; it is looked
for with its strongest points alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from copies import EDITS, drawn
from falsework.rights.copies import BLOCKING_DISTANCE, BLOCKING_POINTS
from falsework.rights.keypoints import MOST_OF_FRAME, agreement, features
from falsework.rights.pdq import distances, pdq
from falsework.rights.samples import Fingerprint, read_sample

POINTS = (32, 64, 96, 128, 160, 512)
EDGE = 640  # pixels of the frames


def found(path: Path, number: int) -> dict[tuple[str, int], bool]:
    """Whether a picture is found by its hash or points, by edit and number of points kept."""
    picture = read_sample(path)
    prints = {most: Fingerprint.of(picture, most) for most in POINTS}
    large = np.asarray(cv2.resize(picture, (EDGE, EDGE), interpolation=cv2.INTER_CUBIC), np.uint8)
    background = drawn(number, EDGE, EDGE)
    seen = {}
    for name, edit in EDITS.items():
        frame = edit(large, background)
        points, hashed = features(frame, MOST_OF_FRAME), pdq(frame)
        for most, kept in prints.items():
            near = distances(hashed, kept.hash.bits[None]).min() <= BLOCKING_DISTANCE
            seen[name, most] = bool(near) or agreement(points, kept.points).inliers >= BLOCKING_POINTS
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--most", type=int, default=24, metavar="N", help="pictures, from all over the folder"
    )
    given = parser.parse_args()
    paths = sorted(given.pictures.rglob("*.png"))
    paths = [paths[int(n)] for n in np.unique(np.linspace(0, len(paths) - 1, min(given.most, len(paths))))]
    results = [found(path, number) for number, path in enumerate(paths)]
    print(f"| planted ({len(paths)} pictures) | {' | '.join(f'{most} points' for most in POINTS)} |")
    print("|---" * (len(POINTS) + 1) + "|")
    for name in EDITS:
        counts = (sum(one[name, most] for one in results) for most in POINTS)
        print(f"| {name} | {' | '.join(map(str, counts))} |")


if __name__ == "__main__":
    main()
