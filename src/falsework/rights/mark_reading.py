"""Looking for the invisible mark in a picture or movie from outside, within limits.

Decoders are given outside files in a process of their own, as `reading` gives them to the signing library.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from falsework.errors import FalseworkError
from falsework.rights.reading import DEFAULT_LIMITS, Limits, answer_of, confine
from falsework.rights.watermark import Mark, read_mark

__all__ = ["find_mark", "frames_of"]

# The one reader for each: left to guess by the bytes, the library would also take a list of other files to
# open (its "concat" form) under the name of a movie.
MOVIES = {
    ".mp4": "mov",
    ".mov": "mov",
    ".m4v": "mov",
    ".mkv": "matroska",
    ".webm": "matroska",
    ".avi": "avi",
    ".mxf": "mxf",
}
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
        said = answer_of("falsework.rights.mark_reading", {"path": str(path)}, limits, limits.seconds * 4)
    except TimeoutError:
        raise FalseworkError("could not be searched for a mark in time", where=path) from None
    if said is None:
        raise FalseworkError("cannot be read as a picture or movie", where=path)
    answer = json.loads(said)
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
    reader = MOVIES.get(path.suffix.lower())
    if reader is not None:
        frames: list[NDArray[np.uint8]] = []
        # Named as a file, so that no name is taken for an address; and nothing but files is opened.
        with av.open(f"file:{path}", format=reader, options={"protocol_whitelist": "file"}) as movie:
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
    confine(request["memory"], request["answer_bytes"])
    cv2.setNumThreads(1)
    found = read_mark(frames_of(Path(request["path"])))
    sys.stdout.write(json.dumps(asdict(found) | {"pointer": found.pointer.hex()} if found else None))


if __name__ == "__main__":
    main()
