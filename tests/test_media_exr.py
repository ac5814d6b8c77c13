"""EXR: what is written is read, by us and by others, and nothing half-written stays."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from falsework.errors import FalseworkError
from falsework.media.exr import read_exr, write_exr
from falsework.seeds import generator


def channels(height: int = 50, width: int = 61) -> dict[str, np.ndarray]:
    draw = generator(6, "test", "exr")
    return {
        "R": draw.uniform(0, 2, (height, width)).astype(np.float16),
        "depth.Z": draw.uniform(1, 1e10, (height, width)).astype(np.float32),
        "id": draw.integers(0, 2**32, (height, width), dtype=np.uint32).view(np.float32),
    }


def test_round_trip_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    write_exr(path, channels(), attributes={"imageCounter": 1001, "note": "ñ"})
    read, attributes = read_exr(path)
    assert set(read) == set(channels())
    for name, pixels in channels().items():
        assert read[name].dtype == pixels.dtype
        assert read[name].tobytes() == pixels.tobytes()
    assert attributes["imageCounter"] == 1001
    assert attributes["note"] == "ñ"


def test_others_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    write_exr(path, channels())
    picture = oiio.ImageInput.open(str(path))
    spec = picture.spec()
    pixels = picture.read_image(oiio.FLOAT)
    np.testing.assert_array_equal(
        pixels[..., spec.channelnames.index("R")], channels()["R"].astype(np.float32)
    )
    assert np.allclose(
        spec.get("chromaticities"), (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
    )
    assert spec.get_string_attribute("compression") == "zips"


def test_same_channels_same_bytes(tmp_path: Path) -> None:
    write_exr(tmp_path / "a.exr", channels())
    write_exr(tmp_path / "b.exr", dict(reversed(channels().items())))
    assert (tmp_path / "a.exr").read_bytes() == (tmp_path / "b.exr").read_bytes()


def test_strided_arrays_are_written_as_they_look(tmp_path: Path) -> None:
    picture = generator(7, "test").uniform(0, 1, (40, 50, 3)).astype(np.float32)
    write_exr(tmp_path / "a.exr", {name: picture[::-1, :, i] for i, name in enumerate("RGB")})
    read, _ = read_exr(tmp_path / "a.exr")
    np.testing.assert_array_equal(np.stack([read[name] for name in "RGB"], axis=2), picture[::-1])


@pytest.mark.parametrize("limit", [100, 3000, 20_000, "last byte"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, limit: int | str) -> None:
    """Wherever in the file the space ends, the last buffered bytes included."""
    path = tmp_path / "a.exr"
    if limit == "last byte":
        write_exr(tmp_path / "whole.exr", channels())
        limit = (tmp_path / "whole.exr").stat().st_size - 1
        (tmp_path / "whole.exr").unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), hard))
    try:
        with pytest.raises(FalseworkError, match=r"a\.exr: could not be written"):
            write_exr(path, channels())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.exr"
    if content is None:
        write_exr(path, channels())
        content = path.read_bytes()[:-500]
    path.write_bytes(content)
    with pytest.raises(FalseworkError, match="is not a readable EXR"):
        read_exr(path)
