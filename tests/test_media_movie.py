"""The review movie: tags, colours, odd sizes, failures."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.media.movie import write_movie
from falsework.seeds import generator


def pictures(count: int = 6, height: int = 96, width: int = 128) -> list[np.ndarray]:
    noise = generator(8, "test", "movie").uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 8)
    smooth = np.clip((smooth - smooth.mean()) * 12 + 128, 0, 255).astype(np.uint8)
    return [np.ascontiguousarray(np.roll(smooth, 3 * step, axis=1)) for step in range(count)]


def decoded(path: Path) -> list[np.ndarray]:
    """The movie's frames as a player shows them, by BT.709's own figures (video range); float RGB."""
    shown = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            height, width = frame.height, frame.width
            planes = frame.to_ndarray(format="yuv420p").reshape(-1).astype(np.float64)
            luma, chroma = np.split(planes, [height * width])
            y = (luma.reshape(height, width) - 16) / 219
            half = chroma.reshape(2, height // 2, width // 2)
            blue, red = (cv2.resize((plane - 128) / 224, (width, height)) for plane in half)
            r, b = y + 1.5748 * red, y + 1.8556 * blue
            shown.append(np.stack([r, (y - 0.2126 * r - 0.0722 * b) / 0.7152, b], axis=2) * 255)
    return shown


def test_frames_come_back_within_codec_error(tmp_path: Path) -> None:
    path = tmp_path / "review.mp4"
    assert write_movie(path, pictures(), 24, (128, 96)) == 6
    shown = decoded(path)
    assert len(shown) == 6
    for before, after in zip(pictures(), shown, strict=True):
        difference = before - after
        assert np.abs(difference).mean() < 3
        assert np.abs(difference.mean(axis=(0, 1))).max() < 1.0  # no shift of colour


def test_flat_colours_keep_their_values(tmp_path: Path) -> None:
    for colour in ([0, 0, 0], [255, 255, 255], [128, 128, 128], [180, 60, 40], [30, 90, 200]):
        flat = np.full((64, 64, 3), colour, np.uint8)
        write_movie(tmp_path / "flat.mp4", [flat] * 3, 25, (64, 64))
        assert np.abs(decoded(tmp_path / "flat.mp4")[1] - colour).max() <= 2


def test_tags_and_index(tmp_path: Path) -> None:
    path = tmp_path / "review.mp4"
    write_movie(path, pictures(), 24000 / 1001, (128, 96))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(video=0))
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert float(stream.average_rate) == pytest.approx(24000 / 1001)
        tags = (frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range)
        assert [int(tag) for tag in tags] == [1, 1, 1, 1]  # BT.709 three times, video range
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(("height", "width"), [(95, 128), (96, 127), (65, 67)])
def test_odd_sides_are_padded(tmp_path: Path, height: int, width: int) -> None:
    path = tmp_path / "review.mp4"
    frames = [picture[:height, :width] for picture in pictures()]
    write_movie(path, frames, 24, (width, height))
    shown = decoded(path)[0]
    assert shown.shape == (height + height % 2, width + width % 2, 3)
    assert np.abs(frames[0] - shown[:height, :width]).mean() < 3


def test_same_frames_same_movie(tmp_path: Path) -> None:
    for name in "ab":
        write_movie(tmp_path / f"{name}.mp4", pictures(), 24, (128, 96))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_no_frames(tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="no frames"):
        write_movie(tmp_path / "review.mp4", [], 24, (128, 96))
    assert not list(tmp_path.iterdir())


def test_an_interrupted_movie_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "review.mp4"
    write_movie(path, pictures(2), 24, (128, 96))
    before = path.read_bytes()

    def torn() -> Iterator[np.ndarray]:
        yield from pictures(3)
        raise FalseworkError("frame 4 is missing")

    with pytest.raises(FalseworkError, match="frame 4"):
        write_movie(path, torn(), 24, (128, 96))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("limit", [4000, 12_000, -1])
def test_a_full_disk_is_a_sentence(tmp_path: Path, limit: int) -> None:
    """While frames are written, when the index is put in front, and at the very last byte."""
    if limit < 0:
        write_movie(tmp_path / "whole.mp4", pictures(40, 192, 256), 24, (256, 192))
        limit += (tmp_path / "whole.mp4").stat().st_size
        (tmp_path / "whole.mp4").unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(FalseworkError, match=r"review\.mp4: could not be written: the file would be"):
            write_movie(tmp_path / "review.mp4", pictures(40, 192, 256), 24, (256, 192))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        write_movie(tmp_path / "review.mp4", pictures(), 24, (100, 96))
