"""Arrays between stages: exact, whole, and a sentence when the disk is full."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays, write_arrays
from falsework.seeds import generator


def test_round_trip(tmp_path: Path) -> None:
    draw = generator(1, "test", "arrays")
    arrays = {
        "position": draw.normal(size=(4, 5, 3)).astype(np.float32),
        "half": draw.normal(size=(7,)).astype(np.float16),
        "moved": draw.random((3, 2)) > 0.5,
        "faces": draw.integers(0, 9, (6, 3)).astype(np.int32)[::-1],
        "none": np.zeros((0, 3), np.float32),
    }
    write_arrays(tmp_path / "a.safetensors", arrays, fps=24.0, name="ñ", checks={"x": {"passed": True}})
    read, values = read_arrays(tmp_path / "a.safetensors")
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert np.array_equal(read[name], array)
    assert values == {"fps": 24.0, "name": "ñ", "checks": {"x": {"passed": True}}}
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_same_arrays_same_bytes(tmp_path: Path) -> None:
    arrays = {name: np.arange(9.0) for name in "dacb"}
    write_arrays(tmp_path / "a", arrays, seed=1)
    write_arrays(tmp_path / "b", dict(sorted(arrays.items())), seed=1)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(FalseworkError, match=r"a\.safetensors: could not be written"):
            write_arrays(tmp_path / "a.safetensors", {"x": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"junk" * 40, None])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.safetensors"
    write_arrays(path, {"x": np.arange(1000.0)})
    path.write_bytes(path.read_bytes()[:-50] if content is None else content)
    with pytest.raises(FalseworkError, match="is not a readable stage file"):
        read_arrays(path)


def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.safetensors", {"x": np.zeros(3)})
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "a.safetensors").stat().st_mode == plain.stat().st_mode
