"""The invisible mark: what it survives, what it costs, and that it is never seen where there is none."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.cli import main as cli
from falsework.errors import FalseworkError
from falsework.rights import watermark
from falsework.rights.mark_reading import find_mark
from falsework.rights.pointer_code import CODED_BITS, decode, encode
from falsework.rights.watermark import mark_picture, pointer_to, read_mark

POINTER = bytes.fromhex("a1b2c3d4e5f6")
PLACES, SIGNS = [188, 197, 203, 78, 226, 195], [1.0, -1.0, 1.0, 1.0, -1.0, 1.0]
CODED = "+++-++---+-+++--+-++--++"


def street(seed: int = 1, height: int = 720, width: int = 1280) -> np.ndarray:
    """A picture with a sky, walls with windows, and detail at every scale: uint8 RGB."""
    chance = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    picture[:] = np.linspace(220, 160, height, dtype=np.float32)[:, None, None]
    for _ in range(40):
        left, top = chance.integers(0, width), chance.integers(height // 4, height)
        size = chance.integers(20, 260, 2)
        picture[top : top + size[0], left : left + size[1]] = chance.integers(20, 235, 3)
    for scale in (4, 16, 64):
        rough = chance.normal(0, 9, (height // scale + 2, width // scale + 2)).astype(np.float32)
        picture[height // 3 :] += cv2.resize(rough, (width, height))[height // 3 :, :, None]
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def marked() -> np.ndarray:
    return mark_picture(street(), POINTER)


def level(one: np.ndarray, other: np.ndarray) -> float:
    """PSNR in decibels."""
    return float(10 * np.log10(255**2 / np.mean(np.square(one.astype(float) - other.astype(float)))))


def pointer_in(*pictures: np.ndarray) -> bytes | None:
    found = read_mark(pictures)
    return found.pointer if found else None


@given(st.binary(min_size=6, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_code_corrects_what_is_lost(pointer: bytes, chance: object) -> None:
    coded = encode(pointer).astype(float)
    assert coded.shape == (CODED_BITS,)
    assert set(coded) == {1.0, -1.0}
    assert decode(coded) == (pointer, 1.0)
    rng = np.random.default_rng(chance.randrange(1 << 30))  # type: ignore[attr-defined]
    hurt = coded.copy()
    hurt[rng.permutation(CODED_BITS)[: CODED_BITS // 3]] = 0.0  # a third erased
    assert decode(hurt).pointer == pointer
    wrong = coded * 3
    wrong[rng.permutation(CODED_BITS)[:12]] *= -1  # some plainly wrong
    assert decode(wrong).pointer == pointer


def test_noise_holds_no_pointer() -> None:
    rng = np.random.default_rng(3)
    assert all(decode(rng.normal(size=CODED_BITS)).pointer is None for _ in range(200))
    assert decode(np.zeros(CODED_BITS)).agreement == 0.0


def test_the_mark_is_read_without_the_original_and_hardly_changes_it(marked: np.ndarray) -> None:
    assert marked.dtype == np.uint8
    found = read_mark([marked])
    assert found is not None
    assert found.pointer == POINTER
    assert found.agreement > 0.95
    assert level(street(), marked) > 42.0
    assert np.abs(marked.astype(int) - street()).max() < 24


def test_the_mark_is_the_same_every_time(marked: np.ndarray) -> None:
    assert np.array_equal(mark_picture(street(), POINTER), marked)


def test_floats_are_marked_like_bytes(marked: np.ndarray) -> None:
    exact = mark_picture(street().astype(np.float32) / 255.0, POINTER)
    assert exact.dtype == np.float32
    assert exact.min() >= 0.0
    assert exact.max() <= 1.0
    assert np.abs(exact * 255.0 - marked).max() <= 0.51


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    done, content = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1]


def crop(picture: np.ndarray, kept: float) -> np.ndarray:
    height, width = picture.shape[:2]
    down, across = round(height * (1 - kept) / 2), round(width * (1 - kept) / 2)
    return picture[down : height - down, across : width - across]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda picture: jpeg(picture, 50), id="jpeg 50"),
        pytest.param(lambda picture: cv2.resize(picture, (1920, 1080)), id="larger"),
        pytest.param(
            lambda picture: cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA), id="half"
        ),
        pytest.param(lambda picture: cv2.resize(picture, (1280, 960)), id="squeezed"),
        pytest.param(lambda picture: np.rint(255 * (picture / 255.0) ** 1.3).astype(np.uint8), id="gamma"),
        pytest.param(lambda picture: np.rint(picture * 0.6 + 40).astype(np.uint8), id="contrast"),
        pytest.param(lambda picture: cv2.GaussianBlur(picture, (0, 0), 1.5), id="blur"),
        pytest.param(lambda picture: crop(picture, 0.9), id="crop"),
        pytest.param(lambda picture: picture[:, ::-1], id="mirrored"),
        pytest.param(lambda picture: picture[:-40, 70:], id="corner"),
        pytest.param(lambda picture: picture[40:], id="top cut"),
        pytest.param(
            lambda picture: np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8),
            id="grey",
        ),
    ],
)
def test_the_mark_survives(marked: np.ndarray, change: object) -> None:
    assert pointer_in(change(marked)) == POINTER  # type: ignore[operator]


def test_a_matte_is_recognised() -> None:
    whole = mark_picture(street(), POINTER)
    bars = round((720 - 1280 / 2.39) / 2)
    found = read_mark([whole[bars : 720 - bars]])
    assert found is not None
    assert found.pointer == POINTER
    assert found.kept[0] == 1.0
    assert abs(found.kept[1] - 16 / 9 / 2.39) < 0.01


def test_frames_of_a_movie_add_up() -> None:
    frames = [mark_picture(street(seed, 540, 960), POINTER) for seed in (1, 2, 3)]
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as movie:
        stream = movie.add_stream("libx264", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = 960, 540, "yuv420p"
        stream.options = {"crf": "30", "preset": "veryfast"}
        for frame in frames:
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        movie.mux(stream.encode())
    held.seek(0)
    with av.open(held) as movie:
        shown = [frame.to_ndarray(format="rgb24") for frame in movie.decode(video=0)]
    assert len(shown) == 3
    assert pointer_in(*shown) == POINTER


def test_the_command_reads_the_mark_of_a_stripped_file(
    tmp_path: Path, marked: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "stripped.jpg"), crop(marked, 0.95)[..., ::-1])
    cv2.imwrite(str(tmp_path / "none.png"), street(2))
    (tmp_path / "broken.mp4").write_bytes(b"no movie")
    assert cli.main(["verify", str(tmp_path / "stripped.jpg"), "--mark", "--json"]) == 4
    answer = json.loads(capsys.readouterr().out)
    assert answer["mark"]["pointer"] == POINTER.hex()
    assert cli.main(["verify", str(tmp_path / "stripped.jpg"), "--mark"]) == 4
    assert f"pointer {POINTER.hex()}" in capsys.readouterr().out
    assert cli.main(["verify", str(tmp_path / "none.png"), "--mark"]) == 4
    assert "none can be read" in capsys.readouterr().out
    with pytest.raises(FalseworkError, match="cannot be read"):
        find_mark(tmp_path / "broken.mp4")


def test_no_mark_is_read_where_there_is_none() -> None:
    for seed in range(2):
        assert read_mark([street(seed)]) is None
    assert read_mark([np.zeros((300, 400, 3), np.uint8)]) is None
    assert read_mark([]) is None


def test_a_mark_in_flat_grey_shows_no_more_than_a_few_levels() -> None:
    grey = np.full((540, 960, 3), 128, np.uint8)
    marked = mark_picture(grey, POINTER)
    assert pointer_in(marked) == POINTER
    assert np.abs(marked.astype(int) - 128).max() <= 3


def test_the_pointer_is_the_beginning_of_the_cuts_digest() -> None:
    assert pointer_to("a1b2c3d4e5f6" + "00" * 26) == POINTER


@pytest.mark.parametrize("shape", [(200, 2000, 3), (400, 400), (400, 400, 4)])
def test_pictures_that_cannot_hold_a_mark_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(FalseworkError):
        mark_picture(np.zeros(shape, np.uint8), POINTER)


def test_the_layout_is_fixed_for_good() -> None:
    """Marks in films that are out must be read by every later version."""
    places, signs = watermark._layout()
    assert places[:6].tolist() == PLACES
    assert signs[:6].tolist() == SIGNS
    assert "".join("+" if bit > 0 else "-" for bit in encode(POINTER)[:24]) == CODED
