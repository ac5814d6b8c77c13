"""Looking for the invisible mark in a picture or movie from outside, within limits.

Decoders are given outside files in a process of their own, as `reading` gives them to the signing library.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from falsework.errors import FalseworkError
from falsework.rights.reading import DEFAULT_LIMITS, Limits, confine
from falsework.rights.watermark import Mark, read_mark

__all__ = ["find_mark", "frames_of"]

MOVIES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mxf")
FRAMES = 24  # of a movie that are read: their evidence adds up
MOST_PIXELS = 1 << 27


def find_mark(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Mark | None:
    """The mark in a picture or in the first frames of a movie; None where none can be read.

    Raises a FalseworkError where the file is no picture or movie, or goes beyond the limits.
    """
    if not path.is_file():
        raise FalseworkError(
            "is no file" if path.exists() else "is not there", where=path, todo="Name a picture or a movie."
        )
    try:
        said = subprocess.run(
            [sys.executable, "-P", "-m", "falsework.rights.mark_reading"],
            input=json.dumps({"path": str(path), "memory": limits.memory}).encode(),
            capture_output=True,
            timeout=4 * limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FalseworkError("could not be searched for a mark in time", where=path) from None
    if said.returncode != 0:
        raise FalseworkError("cannot be read as a picture or movie", where=path)
    answer = json.loads(said.stdout)
    if answer is None:
        return None
    return Mark(
        bytes.fromhex(answer["pointer"]),
        float(answer["agreement"]),
        (float(answer["kept"][0]), float(answer["kept"][1])),
        (float(answer["moved"][0]), float(answer["moved"][1])),
        bool(answer["mirrored"]),
    )


def frames_of(path: Path) -> list[NDArray[np.uint8]]:
    """The picture, or the first frames of the movie: (height, width, 3) RGB."""
    if path.suffix.lower() in MOVIES:
        frames: list[NDArray[np.uint8]] = []
        with av.open(str(path)) as movie:
            stream = movie.streams.video[0]
            if stream.width * stream.height > MOST_PIXELS:
                raise ValueError("too many pixels")
            for frame in movie.decode(stream):
                frames.append(np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8))
                if len(frames) == FRAMES:
                    break
        return frames
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None or picture.shape[0] * picture.shape[1] > MOST_PIXELS:
        raise ValueError("no picture")
    return [np.asarray(picture[..., ::-1], dtype=np.uint8)]


def main() -> None:
    """The reading process: a request on stdin, the mark or null on stdout."""
    request = json.load(sys.stdin.buffer)
    confine(request["memory"])
    cv2.setNumThreads(1)
    found = read_mark(frames_of(Path(request["path"])))
    sys.stdout.write(json.dumps(asdict(found) | {"pointer": found.pointer.hex()} if found else None))


if __name__ == "__main__":
    main()
