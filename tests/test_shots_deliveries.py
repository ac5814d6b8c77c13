"""Ways around a delivery: each of these once left the house, or was lost, without anybody being told."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.rights.state import State
from falsework.shots.clearing import delivering
from falsework.shots.clearing.cut import cut_in
from falsework.shots.clearing.delivering import deliver
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import approve_shot, impact_of, judge, reject_shot
from falsework.shots.clearing.production_file import production_of
from falsework.shots.clearing.recording import record_make
from test_shots_clearing import AT, PRODUCTION, approved, delivered, shot_in

LATER = datetime(2026, 12, 5, tzinfo=UTC)


def listed(path: Path, name: str, content: bytes) -> None:
    """A file among those that the run's own list names."""
    out = path.parent / "out" / "tiny"
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_bytes(content)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256(content).hexdigest()
    (out / "manifest.json").write_text(json.dumps(manifest))


def rejected(path: Path, at: datetime = AT) -> None:
    reject_shot(desk_of(path), by="ada", role="VFX supervisor", why="not this one", at=at)


# What goes out beside the frames


def test_only_what_the_run_put_on_record_lies_beside_the_frames(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    listed(path, "plate/clean.exr", b"as it was made")
    record_make(desk_of(path), tmp_path / "out" / "tiny", preview=False, at=AT, seconds=1.0)
    done = delivered(path)
    assert (done.folder / "plate" / "clean.exr").read_bytes() == b"as it was made"
    listed(path, "plate/clean.exr", b"anything at all")
    with pytest.raises(FalseworkError, match="is not what was made, or no run put it on record"):
        deliver(desk_of(path), at=AT)
    listed(path, "plate/clean.exr", b"as it was made")
    listed(path, "plate/other.exr", b"anything at all")
    with pytest.raises(FalseworkError, match=r"plate/other\.exr"):
        deliver(desk_of(path), at=AT)


# Between the last look and the rename


def test_a_rejection_during_the_delivery_holds_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shot_in(tmp_path)
    approved(path)
    report = delivering.report_of

    def meanwhile(*given: object, **more: object) -> object:
        found = report(*given, **more)  # type: ignore[arg-type]
        rejected(path)
        return found

    monkeypatch.setattr(delivering, "report_of", meanwhile)
    with pytest.raises(FalseworkError, match="rejected by Ada Example"):
        deliver(desk_of(path), at=AT)
    assert not (tmp_path / "deliveries" / "tiny").exists()


# The production's rules


def test_rules_that_are_dropped_after_the_approval_void_it(tmp_path: Path) -> None:
    path = shot_in(tmp_path, PRODUCTION.replace("displaces_union_work = false", ""))
    approved(path)
    assert judge(desk_of(path), at=AT).blockers
    text = (tmp_path / "production.toml").read_text()
    text = text.replace('packs = ["netflix", "eu"]', 'packs = []\nterritories = ["JP"]\ncommercial = false')
    (tmp_path / "production.toml").write_text(text)
    with pytest.raises(FalseworkError, match="packs from eu, netflix to nothing") as refused:
        deliver(desk_of(path), at=AT)
    assert "Approve it again" in refused.value.todo


def test_a_production_that_has_lost_its_file_is_not_one_without_rules(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    (tmp_path / "production.toml").rename(tmp_path / "production.toml.off")
    with pytest.raises(FalseworkError, match=r'production "street", and its production\.toml is not here'):
        judge(desk_of(path), at=AT)
    (tmp_path / "production.toml.off").rename(tmp_path / "production.toml")
    assert not judge(desk_of(path), at=AT).blockers


def test_a_production_file_that_is_no_file_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "production.toml"
    assert production_of(tmp_path) is None
    for make, words in (
        (lambda: os.symlink("production.toml", file), "leads nowhere"),
        (lambda: os.mkfifo(file), "is no file"),
        (lambda: file.mkdir(), "is no file"),
    ):
        make()
        with pytest.raises(FalseworkError, match=words):
            production_of(tmp_path)
        file.rmdir() if file.is_dir() else file.unlink()


def test_a_shot_that_never_had_a_production_goes_on_without(tmp_path: Path) -> None:
    path = shot_in(tmp_path, None)
    approved(path)
    assert judge(desk_of(path), at=AT).blockers[0].rules == ("GATE-3",)


# The frames as they were seen


def test_the_movie_is_shown_as_the_frames_were_approved(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    path.write_text(path.read_text().replace("seed = 3", "seed = 3\nfps = 12"))
    with pytest.raises(FalseworkError, match="fps from 24 to 12"):
        deliver(desk_of(path), at=AT)


def test_a_shot_made_at_one_rate_is_not_approved_at_another(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    out = tmp_path / "out" / "tiny"
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["parameters"] = desk_of(path).shot.model_dump(mode="json")
    (out / "manifest.json").write_text(json.dumps(manifest))
    made = record_make(desk_of(path), out, preview=False, at=AT, seconds=1.0)
    approved(path)
    with desk_of(path).open_ledger() as ledger:
        steps = State.of(ledger.events()).made_by(made.id)
    assert steps[0].parameters["shot"]["fps"] == 24  # type: ignore[index]
    path.write_text(
        path.read_text().replace('file = "plate.png"', 'file = "plate.png"\ncolour_space = "ACEScg"')
    )
    with pytest.raises(FalseworkError, match="colour_space from auto to ACEScg"):
        approved(path)


def test_another_shots_cut_is_not_delivered_under_this_name(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    other = tmp_path / "hero.toml"
    other.write_text(path.read_text().replace('name = "tiny"', 'name = "hero"'))
    with pytest.raises(FalseworkError, match='holds the cut of "tiny", and this is the shot "hero"'):
        deliver(desk_of(other), at=AT, made=tmp_path / "out" / "tiny")


# The ledger


def test_a_ledger_from_before_a_rejection_does_not_deliver(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    ledger = tmp_path / "rights" / "ledger.db"
    shutil.copy(ledger, tmp_path / "copy.db")
    rejected(path)
    for file in ledger.parent.glob("ledger.db-*"):
        file.unlink()
    shutil.copy(tmp_path / "copy.db", ledger)
    with pytest.raises(FalseworkError, match="the end was cut off"):
        deliver(desk_of(path), at=AT)


def test_an_anchor_in_an_earlier_delivery_tells_of_a_ledger_that_was_longer(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    ledger = tmp_path / "rights" / "ledger.db"
    approved(path)
    shutil.copy(ledger, tmp_path / "copy.db")
    deliver(desk_of(path), at=AT)
    for file in ledger.parent.glob("ledger.db*"):
        file.unlink()
    shutil.copy(tmp_path / "copy.db", ledger)
    with pytest.raises(FalseworkError, match="the end was cut off"):
        deliver(desk_of(path), at=AT, out=tmp_path / "elsewhere")


@pytest.mark.parametrize("left", [None, b""])
def test_no_ledger_is_begun_where_one_is_gone(tmp_path: Path, left: bytes | None) -> None:
    path = shot_in(tmp_path)
    approved(path)
    ledger = tmp_path / "rights" / "ledger.db"
    for file in ledger.parent.glob("ledger.db*"):
        if not file.name.endswith(".jsonl"):
            file.unlink()
    if left is not None:
        ledger.write_bytes(left)
    with pytest.raises(FalseworkError, match="the ledger is gone: it had"):
        record_make(desk_of(path), tmp_path / "out" / "tiny", preview=False, at=AT, seconds=1.0)
    assert not ledger.exists() or not ledger.stat().st_size


def test_a_clock_that_is_set_back_revives_nothing(tmp_path: Path) -> None:
    path = shot_in(tmp_path, PRODUCTION.replace('basis = "item"', 'basis = "item"\nends = 2026-11-23'))
    approved(path)
    judge(desk_of(path), at=LATER)
    with pytest.raises(FalseworkError, match="Set the clock right"):
        deliver(desk_of(path), at=AT)
    approve_shot(desk_of(path), by="ada", role="producer", why="again", at=LATER + timedelta(hours=1))
    # an hour behind, as another machine's clock may be: judged as of the last event
    assert judge(desk_of(path), at=LATER).at == LATER + timedelta(hours=1)


# The folder


def test_what_people_put_into_a_delivery_is_not_lost(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    done = delivered(path)
    notes = done.folder / "notes_from_comp.txt"
    notes.write_text("mine")
    with pytest.raises(FalseworkError, match=r"no delivery put there.*\(notes_from_comp\.txt\)"):
        deliver(desk_of(path), at=AT)
    assert notes.read_text() == "mine"
    notes.unlink()
    assert deliver(desk_of(path), at=AT).folder == done.folder


def test_three_deliveries_at_once_are_three_deliveries(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    failures: list[BaseException] = []

    def go() -> None:
        try:
            deliver(desk_of(path), at=AT)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=go) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failures == []
    assert [one.name for one in (tmp_path / "deliveries").iterdir()] == ["tiny"]


# Odd files


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_frame_that_is_no_file_is_refused_in_a_sentence(tmp_path: Path, make: object) -> None:
    path = shot_in(tmp_path)
    approved(path)
    frame = tmp_path / "out" / "tiny" / "exr" / "tiny.1002.exr"
    frame.unlink()
    make(frame)  # type: ignore[operator]
    with pytest.raises(FalseworkError, match="a frame of the cut"):
        deliver(desk_of(path), at=AT)


@pytest.mark.parametrize("text", ["[" * 100_000, json.dumps({"files": {"exr/" + "a" * 400 + ".exr": "x"}})])
def test_an_odd_manifest_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(FalseworkError):
        cut_in(tmp_path)


LONG = "a" * 5000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('basis = "item"', 'basis = "item"\nends = 9999-12-31'),
        ('basis = "item"', 'basis = "item"\nstarts = 0001-01-01T00:00:00+05:00'),
        ("packs =", "until = 9999-12-31\npacks ="),
        ("packs =", "releases = [9999-12-31]\npacks ="),
        ("packs =", 'ledger = "a\\u0000b"\npacks ='),
        ("packs =", f'ledger = "{LONG}"\npacks ='),
        ('files = ["plate.png"]', 'files = ["**foo*"]'),
        ('files = ["plate.png"]', f'files = ["{LONG}"]'),
        ('files = ["plate.png"]', f'files = ["{LONG}*"]'),
        ("[[declared]]", f'[protected]\nfolder = "{LONG}"\n[[declared]]'),
        ("key_visual = true", f"key_visual = {'1' * 5000}"),
    ],
)
def test_an_odd_production_is_refused_in_a_sentence(tmp_path: Path, old: str, new: str) -> None:
    path = shot_in(tmp_path)
    (tmp_path / "production.toml").write_text(PRODUCTION.replace(old, new, 1))
    with pytest.raises(FalseworkError) as refused:
        judge(desk_of(path), at=AT)
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("name", [LONG, "a\0b"])
def test_an_odd_name_has_nothing_hanging_on_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(FalseworkError, match="nothing is on record"):
        impact_of(desk_of(shot_in(tmp_path)), name, at=AT)
