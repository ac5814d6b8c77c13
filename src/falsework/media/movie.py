"""Review movies: H.264 for any player."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation

from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file
from falsework.media.rate import frame_rate

__all__ = ["write_movie"]

# Two encoding threads, always: x264's rate control depends on their number.
THREADS = 2
QUALITY = 14  # x264's constant rate factor: no visible loss, a few MB a second


def write_movie(
    path: Path,
    frames: Iterable[npt.NDArray[np.uint8]],
    fps: float,
    size: tuple[int, int],
    *,
    comment: str = "",
) -> int:
    """Encode 8-bit display pictures (H, W, 3), red first, as an H.264 MP4; returns how many frames it holds.

    `size` is (width, height). 4:2:0 needs even sides: an odd last row or column is repeated once. Values are
    converted with the Rec.709 matrix to video range and tagged so, at CRF 14; the index lies in front, so
    that the movie starts while it loads; `comment` goes into its metadata. The file appears whole; the same
    frames give the same file with the same libraries. Raises FalseworkError where there is no frame or H.264
    cannot be encoded here.
    """
    width, height = size
    even = (width + width % 2, height + height % 2)
    if "libx264" not in av.codecs_available:
        raise FalseworkError(
            "this build of PyAV cannot encode H.264",
            where=path,
            todo="Install PyAV from its wheel: `pip install --force-reinstall av`.",
        )
    count = 0
    with whole_file(path) as part:
        try:
            # By absolute path: FFmpeg takes "a:b/c" for a protocol.
            container = av.open(str(part.absolute()), "w", format="mp4", options={"movflags": "+faststart"})
            with container:
                if comment:
                    container.metadata["comment"] = comment
                stream = container.add_stream("libx264", rate=frame_rate(fps))
                stream.width, stream.height = even
                stream.pix_fmt = "yuv420p"
                stream.options = {"crf": str(QUALITY), "preset": "medium", "tune": "film"}
                context = stream.codec_context
                context.thread_count = THREADS
                context.color_range = ColorRange.MPEG
                context.colorspace = Colorspace.ITU709
                context.color_primaries = ColorPrimaries.BT709
                context.color_trc = ColorTrc.BT709
                for frame in frames:
                    if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
                        raise ValueError(
                            f"a frame of {frame.shape} {frame.dtype} does not fit {width}x{height} uint8"
                        )
                    container.mux(stream.encode(_as_video(frame, even)))
                    count += 1
                if count:
                    container.mux(stream.encode(None))
        except FFmpegError as error:
            if isinstance(error, OSError):  # the disk, not the encoder
                raise
            raise FalseworkError(
                f"the movie could not be encoded ({error})",
                where=path,
                todo="The EXR frames are finished; run again.",
            ) from error
        if not count:
            raise FalseworkError(
                "there are no frames to make a movie of", where=path, todo="Check `frames` in the shot."
            )
    return count


def _as_video(frame: npt.NDArray[np.uint8], even: tuple[int, int]) -> av.VideoFrame:
    padded = np.pad(
        frame, ((0, even[1] - frame.shape[0]), (0, even[0] - frame.shape[1]), (0, 0)), mode="edge"
    )
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(padded), format="rgb24").reformat(
        format="yuv420p",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        dst_color_trc=ColorTrc.BT709,
        dst_color_primaries=ColorPrimaries.BT709,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT,
        threads=1,
    )
