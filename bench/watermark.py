"""What the invisible mark survives, and what it costs.

    python bench/watermark.py PICTURE_OR_MOVIE ... [--strength 1.0] [--width 1920]

Each picture is marked with a pointer of its own; a table says in how many of them it is read again after each
change, from one frame, and after H.264 from eight frames as well. Movies give their first eight frames.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from falsework.rights.mark_reading import frames_of
from falsework.rights.watermark import mark_picture, read_mark

Picture = np.ndarray
FRAMES = 8


def scaled(picture: Picture, width: int) -> Picture:
    height = round(picture.shape[0] * width / picture.shape[1] / 2) * 2
    method = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=method)


def jpeg(quality: int) -> Callable[[Picture], Picture]:
    def change(picture: Picture) -> Picture:
        content = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1]

    return change


def cropped(kept: float, aside: float = 0.0) -> Callable[[Picture], Picture]:
    """About the middle, or moved by a part of what is cut away."""

    def change(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        down, across = round(height * (1 - kept)), round(width * (1 - kept))
        top, left = round(down * (0.5 + aside / 2)), round(across * (0.5 + aside / 2))
        return picture[top : top + height - down, left : left + width - across]

    return change


def turned(degrees: float) -> Callable[[Picture], Picture]:
    def change(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        move = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        return cv2.warpAffine(picture, move, (width, height), borderMode=cv2.BORDER_REPLICATE)

    return change


def noisy(deviation: float) -> Callable[[Picture], Picture]:
    def change(picture: Picture) -> Picture:
        noise = np.random.default_rng(1).normal(0, deviation, picture.shape)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)

    return change


def gamma(power: float) -> Callable[[Picture], Picture]:
    return lambda picture: np.rint(255 * (picture / 255.0) ** power).astype(np.uint8)


STILL_CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "untouched": lambda picture: picture,
    **{f"JPEG q{quality}": jpeg(quality) for quality in (80, 50, 30, 20, 10)},
    **{f"scaled to {width} wide": (lambda p, w=width: scaled(p, w)) for width in (3840, 1280, 854, 640, 480)},
    "scaled to 640 and back": lambda picture: scaled(scaled(picture, 640), picture.shape[1]),
    **{f"cropped to {kept:.0%}, centred": cropped(kept) for kept in (0.95, 0.9, 0.8, 0.7)},
    **{f"cropped to {kept:.1%}, a corner": cropped(kept, 1.0) for kept in (0.973, 0.95, 0.9)},
    "cropped to 95%, halfway": cropped(0.95, 0.5),
    "left side cut by 5%": lambda picture: picture[:, round(picture.shape[1] * 0.05) :],
    **{f"gamma {power}": gamma(power) for power in (0.6, 0.8, 1.25, 1.7)},
    "contrast halved": lambda picture: np.rint(picture * 0.5 + 64).astype(np.uint8),
    "grey": lambda picture: np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "blurred, 3 pixels": lambda picture: cv2.GaussianBlur(picture, (0, 0), 3),
    "noise, 10 levels": noisy(10),
    "mirrored": lambda picture: picture[:, ::-1],
    "turned by 1 degree": turned(1.0),
}
CRFS = (18, 23, 28, 33, 38, 43)


def h264(pictures: list[Picture], crf: int) -> list[Picture]:
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as movie:
        stream = movie.add_stream("libx264", rate=Fraction(24))
        stream.height, stream.width = pictures[0].shape[0] // 2 * 2, pictures[0].shape[1] // 2 * 2
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf), "preset": "veryfast"}
        for picture in pictures:
            even = np.ascontiguousarray(picture[: stream.height, : stream.width])
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        movie.mux(stream.encode())
    held.seek(0)
    with av.open(held) as movie:
        return [frame.to_ndarray(format="rgb24") for frame in movie.decode(video=0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--width", type=int, default=1920)
    given = parser.parse_args()
    survived: dict[str, list[bool]] = {}
    wrong, levels, marking, reading, missing = 0, [], 0.0, 0.0, 0.0
    for path in given.files:
        frames = [scaled(frame, given.width) for frame in frames_of(path)[:FRAMES]]
        if len(frames) == 1:  # a still is held
            frames *= FRAMES
        pointer = hashlib.sha256(path.name.encode()).digest()[:6]
        began = time.process_time()
        marked = [mark_picture(frame, pointer, strength=given.strength) for frame in frames]
        marking += (time.process_time() - began) / len(frames)
        error = np.mean(np.square(marked[0].astype(np.float64) - frames[0]))
        levels.append(10 * np.log10(255**2 / error))
        changed = {name: [change(marked[0])] for name, change in STILL_CHANGES.items()}
        for crf in CRFS:
            shown = h264(marked, crf)
            changed[f"H.264 crf {crf}, one frame"] = shown[-1:]
            changed[f"H.264 crf {crf}, {FRAMES} frames"] = shown
        for name, pictures in changed.items():
            found = read_mark(pictures)
            survived.setdefault(name, []).append(found is not None and found.pointer == pointer)
            wrong += found is not None and found.pointer != pointer
        began = time.process_time()
        read_mark(marked[:1])
        reading += time.process_time() - began
        began = time.process_time()
        wrong += read_mark(frames[:1]) is not None
        missing += time.process_time() - began
    count = len(given.files)
    print(f"{count} pictures, {given.width} wide, strength {given.strength}")
    print(f"PSNR {np.mean(levels):.1f} dB on average, {np.min(levels):.1f} at worst")
    print(
        f"processor seconds: mark {marking / count:.2f} a frame, read {reading / count:.2f}, "
        f"find none {missing / count:.2f}"
    )
    for name, hits in survived.items():
        print(f"  {name:<28}{sum(hits):>4} of {count}")
    print(f"wrong pointers read, unmarked pictures included: {wrong}")


if __name__ == "__main__":
    main()
