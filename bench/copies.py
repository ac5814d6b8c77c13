"""What the copy audit catches, what it takes for a copy by mistake, and what its shortlist loses.

    python bench/copies.py [--pictures FOLDER ...] [--samples 1000] [--frames 12] [--table FILE]

Every picture of the folders (and of the examples, and drawn ones that need no files) is planted in a frame in
seven ways and looked for; every two pictures of different families are compared and must not be taken for one
another. The audit's limits are given and nothing here sets them. Families (views of one place, maps of one
material) are told by their file names, as `family` says.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.rights.copies import FrameAudit, audit
from falsework.rights.keypoints import MOST_OF_FRAME, agreement, features
from falsework.rights.pdq import distances, pdq
from falsework.rights.samples import Index, Sample, read_sample
from falsework.seeds import generator

Picture = npt.NDArray[np.uint8]
Edit = Callable[[Picture, Picture], Picture]

EXAMPLES = Path(__file__).parents[1] / "examples"
SHARED = Path(__file__).parents[2] / "shared"
LONGEST = 1920  # pixels: larger pictures are brought down to it, as a production would


def jpeg(picture: Picture, quality: int) -> Picture:
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def jpeg_20(picture: Picture, _: Picture) -> Picture:
    return jpeg(picture, 20)


def half_size(picture: Picture, _: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def mirrored(picture: Picture, _: Picture) -> Picture:
    return np.ascontiguousarray(picture[:, ::-1])


def crop_70(picture: Picture, _: Picture) -> Picture:
    """70 % of either side, off the middle."""
    height, width = picture.shape[:2]
    top, left = round(0.1 * height), round(0.25 * width)
    return np.ascontiguousarray(picture[top : top + round(0.7 * height), left : left + round(0.7 * width)])


def turned_8(picture: Picture, _: Picture) -> Picture:
    """About the middle, with black corners."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 8.0, 1.0)
    return np.asarray(cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_LINEAR), np.uint8)


def inset_35(picture: Picture, background: Picture) -> Picture:
    """35 % of the width of another picture, towards a corner."""
    frame = background.copy()
    height, width = frame.shape[:2]
    scale = min(0.35 * width / picture.shape[1], 0.6 * height / picture.shape[0])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = round(0.2 * height), round(0.55 * width)
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


def graded(picture: Picture, _: Picture) -> Picture:
    """Warm highlights, lifted blacks, more contrast, half the saturation."""
    light = picture.astype(np.float32) / 255.0
    grey = light.mean(axis=2, keepdims=True)
    light = (grey + 0.5 * (light - grey)) ** np.array([0.8, 0.95, 1.2], np.float32)
    light = 0.08 + 1.05 * (light - 0.02)
    return np.rint(255.0 * np.clip(light, 0.0, 1.0)).astype(np.uint8)


EDITS: dict[str, Edit] = {
    "JPEG at quality 20": jpeg_20,
    "half size": half_size,
    "mirrored": mirrored,
    "70 % crop": crop_70,
    "turned by 8°": turned_8,
    "35 % inset": inset_35,
    "colour grade": graded,
}


def drawn(seed: int, width: int = 960, height: int = 640) -> Picture:
    """A picture of chance: a sky, gables or blocks with windows, planes of noise, lines and lettering."""
    chance = generator(seed, "drawn picture")
    colours = chance.integers(0, 256, (64, 3)).tolist()
    coarse = chance.random((int(chance.integers(3, 9)), int(chance.integers(3, 9)), 3)).astype(np.float32)
    canvas = np.rint(60 + 150 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    picture = np.ascontiguousarray(np.clip(canvas, 0, 255).astype(np.uint8))
    for part in range(int(chance.integers(14, 40))):
        colour = colours[part % 64]
        x, y = int(chance.integers(0, width)), int(chance.integers(0, height))
        w, h = (int(v) for v in chance.integers(20, width // 3, 2))
        kind = int(chance.integers(0, 6))
        if kind == 0:
            cv2.ellipse(picture, (x, y), (w // 2, h // 2), float(chance.uniform(0, 180)), 0, 360, colour, -1)
        elif kind == 1:
            spread = chance.normal(0, w / 2, (int(chance.integers(3, 8)), 2))
            corners = (spread + np.array([x, y])).astype(np.int32)
            cv2.fillPoly(picture, [corners], colour)
        elif kind == 2:
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
            step = int(chance.integers(14, 46))
            for top in range(y + 6, y + h - step // 2, step):
                for left in range(x + 6, x + w - step // 2, step):
                    tone = [int(v) for v in chance.integers(0, 256, 3)]
                    end = (
                        left + int(step * chance.uniform(0.3, 0.7)),
                        top + int(step * chance.uniform(0.3, 0.8)),
                    )
                    cv2.rectangle(picture, (left, top), end, tone, -1)
        elif kind == 3:
            region = picture[y : y + h, x : x + w]
            grains = chance.normal(0, 40, (region.shape[0] // 3 + 1, region.shape[1] // 3 + 1, 3))
            noise = cv2.resize(grains.astype(np.float32), region.shape[1::-1], interpolation=cv2.INTER_CUBIC)
            region[:] = np.clip(region + noise, 0, 255).astype(np.uint8)
        elif kind == 4:
            ends = (chance.normal(0, w, (2, 2)) + np.array([x, y])).astype(int).tolist()
            cv2.line(picture, tuple(ends[0]), tuple(ends[1]), colour, int(chance.integers(1, 9)), cv2.LINE_AA)
        else:
            letters = "".join(chr(int(c)) for c in chance.integers(65, 91, 6))
            size, weight = float(chance.uniform(0.7, 3.0)), int(chance.integers(1, 5))
            cv2.putText(
                picture, letters, (x - 60, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, weight, cv2.LINE_AA
            )
    grain = chance.normal(0, 3, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def family(name: str) -> str:
    """What a picture shows: pictures of one family are related and prove nothing about unrelated ones."""
    stem = Path(name).stem.lower()
    for place in ("lyon", "rochelle", "davis", "gopro"):
        if place in name.lower().replace("_", ""):
            return place
    return next(
        (
            stem[: stem.index(word)]
            for word in ("_albedo", "_diff", "_rough", "_nor", "_met", "_col")
            if word in stem
        ),
        stem,
    )


def gathered(folders: Sequence[Path], drawings: int) -> dict[str, Picture]:
    """Pictures by name, brought down to `LONGEST`; of a film's frames the first only."""
    paths = [EXAMPLES / name / "plate.jpg" for name in ("lyon_corner", "la_rochelle")]
    for folder in folders:
        paths += sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".png"})
    found: dict[str, Picture] = {}
    for path in paths:
        if path.stem.isdigit() and int(path.stem) > 0:
            continue
        try:
            picture = read_sample(path)
        except FalseworkError as error:
            print(error, file=sys.stderr)
            continue
        scale = min(1.0, LONGEST / max(picture.shape[:2]))
        if scale < 1.0:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found["/".join(path.parts[-2:])] = picture
    return found | {f"drawn {seed}": drawn(seed) for seed in range(drawings)}


@dataclass(frozen=True)
class Planted:
    """One edited picture looked for among the samples."""

    picture: str
    edit: str
    outcome: str  # of the frame with respect to the planted sample
    distance: int
    points: int
    featureless: bool


def planted(pictures: dict[str, Picture]) -> list[Planted]:
    """Each picture in each edit, beside itself alone."""
    names = list(pictures)
    found = []
    for place, name in enumerate(names):
        # an unrelated one to be set into
        background = next(
            pictures[other]
            for other in (*names[place + 1 :], *names)
            if family(other) != family(name) and min(pictures[other].shape[:2]) >= 480
        )
        sample = Sample(name, "", "training", pictures[name])
        frames = [(edit, change(pictures[name], background)) for edit, change in EDITS.items()]
        result = audit(frames, [sample])
        for frame in result.frames:
            found.append(of_sample(frame, name, bool(result.featureless)))
    return found


def of_sample(frame: FrameAudit, name: str, featureless: bool) -> Planted:
    one = next((each for each in frame.neighbours if each.sample == name), None)
    if one is None:
        return Planted(name, frame.name, "clear", 256, 0, featureless)
    return Planted(name, frame.name, one.outcome, one.distance, one.points or 0, featureless)


def unrelated(pictures: dict[str, Picture]) -> list[tuple[str, str, int, bool, int]]:
    """Every two of different families: names, PDQ distance, whether that is reliable, agreeing points."""
    hashes = {name: pdq(picture) for name, picture in pictures.items()}
    as_frames = {name: features(picture, MOST_OF_FRAME) for name, picture in pictures.items()}
    as_samples = {name: features(picture) for name, picture in pictures.items()}
    pairs = []
    for one, other in itertools.combinations(pictures, 2):
        if family(one) == family(other):
            continue
        apart = int(distances(hashes[one], hashes[other].bits[None]).min())
        reliable = hashes[one].reliable and hashes[other].reliable
        pairs.append((one, other, apart, reliable, agreement(as_frames[one], as_samples[other]).inliers))
    return pairs


def shortlisted(pictures: dict[str, Picture], samples: int, frames: int) -> dict[str, object]:
    """Planted copies among many samples: what the shortlist loses, and what it costs."""
    crowd = [Sample(f"drawn {n}", "", "training", drawn(n, 720, 480)) for n in range(1000, 1000 + samples)]
    wanted = [Sample(name, "", "training", picture) for name, picture in pictures.items()]
    background = [pictures[name] for name in pictures if min(pictures[name].shape[:2]) >= 480]
    work = [
        (f"{name}|{edit}", EDITS[edit](pictures[name], background[(place + 1) % len(background)]))
        for place, (name, edit) in enumerate(
            itertools.islice(
                itertools.cycle(
                    itertools.product(list(pictures), ("70 % crop", "turned by 8°", "35 % inset", "mirrored"))
                ),
                frames,
            )
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        began = seconds()
        index = Index(Path(folder))
        audit([], [*crowd, *wanted], index=index)
        built = seconds()
        result = audit(work, [*crowd, *wanted], index=Index(Path(folder)))
        ended = seconds()
    lost = []
    false = []
    for frame in result.frames:
        name = frame.name.split("|")[0]
        alone = audit(
            [next(one for one in work if one[0] == frame.name)], [s for s in wanted if s.name == name]
        )
        if alone.frames[0].outcome == "block" and of_sample(frame, name, False).outcome != "block":
            lost.append(frame.name)
        false += [
            (frame.name, n.sample)
            for n in frame.neighbours
            if n.outcome == "block" and n.sample.startswith("drawn 1")
        ]
    return {
        "samples": samples + len(wanted),
        "frames": len(work),
        "pairs compared by points": result.pairs,
        "index CPU s": round(built - began, 1),
        "audit CPU s": round(ended - built, 1),
        "lost": lost,
        "false": false,
    }


def seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def report(pictures: dict[str, Picture], samples: int, frames: int) -> dict[str, object]:
    """All figures, as plain values."""
    began = seconds()
    rows = planted(pictures)
    told: dict[str, object] = {"pictures": len(pictures), "planted CPU s": round(seconds() - began, 1)}
    for edit in EDITS:
        mine = [row for row in rows if row.edit == edit]
        detailed = [row for row in mine if not row.featureless]
        told[edit] = {
            "blocked": f"{sum(row.outcome == 'block' for row in detailed)} of {len(detailed)}",
            "to a person": [row.picture for row in detailed if row.outcome == "person"],
            "missed": [(row.picture, row.points) for row in detailed if row.outcome == "clear"],
            "without detail": {row.picture: row.outcome for row in mine if row.featureless},
            "least points of those": min((row.points for row in detailed), default=0),
        }
    pairs = unrelated(pictures)
    reliable = [pair for pair in pairs if pair[3]]
    told["unrelated pairs"] = {
        "pairs": len(pairs),
        "closest by PDQ": min(reliable, key=lambda pair: pair[2]),
        "closest by points": max(pairs, key=lambda pair: pair[4]),
    }
    if samples:
        told["shortlist"] = shortlisted(pictures, samples, frames)
    told["peak memory MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=Path, nargs="*", default=[SHARED / "plates", SHARED / "textures"])
    parser.add_argument("--drawn", type=int, default=8, help="pictures drawn by chance beside them")
    parser.add_argument("--samples", type=int, default=0, help="drawn samples to hide planted ones among")
    parser.add_argument("--frames", type=int, default=16, help="frames looked for among them")
    parser.add_argument("--table", type=Path, help="write the figures there as JSON")
    chosen = parser.parse_args()
    pictures = gathered([folder for folder in chosen.pictures if folder.is_dir()], chosen.drawn)
    told = json.dumps(report(pictures, chosen.samples, chosen.frames), indent=1, ensure_ascii=False)
    print(told)
    if chosen.table:
        chosen.table.write_text(told + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
