"""Files with two names: what is given away, and what is noticed when it was changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from falsework.shots import shared_files
from falsework.shots.shared_files import READ_ONLY, drop_altered, give, seal


def test_a_link_takes_no_space_and_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_files, "_cloned", lambda source, target: False)
    source, target = tmp_path / "1001.exr", tmp_path / "out" / "a.1001.exr"
    source.write_bytes(b"frame")
    give(source, target, share=True)
    assert target.samefile(source)
    assert target.stat().st_mode & 0o777 == READ_ONLY
    give(source, target, share=True)
    assert target.read_bytes() == b"frame"


def test_what_is_not_shared_is_a_copy(tmp_path: Path) -> None:
    source, target = tmp_path / "solve.json", tmp_path / "out" / "solve.json"
    source.write_bytes(b"solve")
    give(source, target, share=False)
    target.write_bytes(b"mine")
    assert source.read_bytes() == b"solve"
    give(source, target, share=False)
    assert target.read_bytes() == b"solve"


def test_without_links_it_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    source, target = tmp_path / "1001.exr", tmp_path / "a.1001.exr"
    source.write_bytes(b"frame")
    give(source, target, share=True)
    assert target.read_bytes() == b"frame"
    assert not target.samefile(source)


def test_an_altered_file_is_dropped_and_a_touched_one_kept(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(name.encode())
    assert set(seal(tmp_path, ["a", "b", "c"])) == {"a", "b", "c"}
    (tmp_path / "a").write_bytes(b"x")  # as long as before
    os.utime(tmp_path / "b", (1, 1))
    (tmp_path / "c").unlink()
    assert drop_altered(tmp_path) == ["a"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "seals.json"]


def test_seals_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "seals.json").write_text('{"a": [1]}')
    assert drop_altered(tmp_path) == []
    assert len(seal(tmp_path, ["a"])["a"]) == 64
