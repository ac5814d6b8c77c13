"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file, write_bytes, write_text


@pytest.fixture
def small_files_only() -> Iterator[int]:
    """A real failing write: the system refuses files above a few kilobytes."""
    limit = 4096
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_name_is_taken_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    with whole_file(path) as part:
        part.write_text("half")
        assert not path.exists()
        assert part.parent == path.parent
        assert part.name == "file.txt.part"
    assert path.read_text() == "half"
    assert [file.name for file in path.parent.iterdir()] == ["file.txt"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "earlier")

    def torn() -> None:
        with whole_file(path) as part:
            part.write_text("half")
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        torn()
    assert path.read_text() == "earlier"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_killed_runs_part_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file.txt.part").write_text("a much longer leftover")
    write_text(tmp_path / "file.txt", "new")
    assert (tmp_path / "file.txt").read_text() == "new"
    assert not (tmp_path / "file.txt.part").exists()


def test_a_write_that_fails_is_a_sentence(tmp_path: Path, small_files_only: int) -> None:
    path = tmp_path / "big.bin"
    with pytest.raises(FalseworkError, match=r"big\.bin: could not be written"):
        write_bytes(path, bytes(10 * small_files_only))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "may not be written to"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_the_reason_is_said(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(FalseworkError, match=words), whole_file(tmp_path / "file.exr"):
        raise OSError(number, "Input/output error")


def test_a_folder_in_the_way_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FalseworkError, match="could not be written"):
        write_text(tmp_path / "file" / "below.txt", "x")
