"""Where a delivery lies: what is there is not lost, and what did not get there is not on record as if."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.rights.digests import Digests
from falsework.rights.records import Asset, asset_id
from falsework.rights.state import State
from falsework.shots.clearing import delivering, place
from falsework.shots.clearing.delivering import deliver
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import delivered_with_mark
from falsework.shots.clearing.place import ANCHOR, LOCK, alone, check_place, put_in_place
from test_shots_clearing import AT, approved, shot_in, state


def on_record(folder: Path, **files: str) -> State:
    """The state in which a folder with these files was delivered."""
    digests = Digests()
    folder.mkdir()
    for name, text in {ANCHOR: "{}", **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    parts = {path.name: digests.of(path) for path in folder.iterdir()}
    one = Asset(id=asset_id("a" * 64), type="delivery", name="tiny", parts=parts)
    return State(assets={one.id: one})


@pytest.mark.parametrize("change", ["edited", "link", "folder link", "empty folder", "pipe"])
def test_what_was_changed_in_a_delivery_is_left_alone(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "tiny"
    known = on_record(folder, credits="as delivered")
    check_place(folder, known, Digests())
    (tmp_path / "work").mkdir()
    match change:
        case "edited":
            (folder / "credits").write_text("corrected by hand")
        case "link":
            (folder / "credits").rename(tmp_path / "credits")
            (folder / "credits").symlink_to(tmp_path / "credits")
        case "folder link":
            (folder / "mine").symlink_to(tmp_path / "work")
        case "empty folder":
            (folder / "mine").mkdir()
        case _:
            os.mkfifo(folder / "mine")
    with pytest.raises(FalseworkError, match=r"or not as it is now \((credits|mine)\)"):
        check_place(folder, known, Digests())


def test_an_earlier_delivery_comes_back_where_the_next_cannot_take_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    on_record(folder, credits="the last one")
    with pytest.raises(FalseworkError, match="could not take its place"):
        put_in_place(tmp_path / "not there", folder)
    assert (folder / "credits").read_text() == "the last one"
    assert [one.name for one in tmp_path.iterdir()] == ["tiny"]


def test_a_folder_that_takes_no_lock_has_a_file_that_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock

    def as_on_nfs(descriptor: int, how: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EBADF, "Bad file descriptor")
        lock(descriptor, how)

    monkeypatch.setattr(place.fcntl, "flock", as_on_nfs)
    with alone(tmp_path):
        assert (tmp_path / LOCK).is_file()
    with pytest.raises(FalseworkError, match="cannot be locked"), alone(tmp_path / "nowhere"):
        pass


def test_what_could_not_take_its_place_is_not_on_record_as_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shot_in(tmp_path)
    approved(path)

    def full(part: Path, folder: Path) -> None:
        raise FalseworkError("no space left", where=folder)

    monkeypatch.setattr(delivering, "put_in_place", full)
    with pytest.raises(FalseworkError, match="no space left"):
        deliver(desk_of(path), at=AT)
    known = state(path)
    (one,) = [asset for asset in known.assets.values() if asset.type == "delivery"]
    assert one.facts["left"] is False
    cut = next(asset.id for asset in known.assets.values() if asset.type == "cut")
    assert not delivered_with_mark(known, cut)
