"""Slate: a dark picture without sound for as many seconds as are needed, made when a player asks for it."""

from __future__ import annotations

import asyncio
import io
import re
from functools import lru_cache

import numpy as np

from falsework.ads.decision.house import LONGEST_SLATE, SLATE_SIZE
from falsework.ads.server.service import Answer, refusal
from falsework.errors import FalseworkError

__all__ = ["movie", "slate_file", "still"]

FILE = re.compile(r"(?P<seconds>[1-9]\d{0,2})\.(?P<form>mp4|ts|m3u8)|still\.png")
FORMS = {"mp4": ("mp4", b"video/mp4"), "ts": ("mpegts", b"video/mp2t")}
PLAYLIST = """\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:{seconds}
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:{seconds},
{seconds}.ts
#EXT-X-ENDLIST
"""
RATE = 5  # frames a second: nothing moves
GREY = 24  # of 255


async def slate_file(name: str) -> Answer:
    """`30.mp4`, `30.m3u8` with its `30.ts`, or `still.png`."""
    found = FILE.fullmatch(name)
    seconds = int(found["seconds"] or 0) if found else 0
    if found is None or seconds > LONGEST_SLATE:
        return refusal(404, FalseworkError("is no slate", where="path"))
    if not seconds:
        return Answer(200, still(), b"image/png")
    if found["form"] == "m3u8":
        return Answer(200, PLAYLIST.format(seconds=seconds).encode(), b"application/vnd.apple.mpegurl")
    form, kind = FORMS[found["form"]]
    return Answer(200, await asyncio.to_thread(movie, seconds, form), kind)


@lru_cache(maxsize=64)
def movie(seconds: int, form: str = "mp4") -> bytes:
    """H.264 in MP4 or a transport stream, some kilobytes."""
    import av

    width, height = SLATE_SIZE
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "35"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        picture = av.VideoFrame.from_ndarray(_picture(), format="rgb24")
        for number in range(seconds * RATE):
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return file.getvalue()


@lru_cache(maxsize=1)
def still() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(_picture()).save(file, format="PNG")
    return file.getvalue()


def _picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    width, height = SLATE_SIZE
    return np.full((height, width, 3), GREY, dtype=np.uint8)
