"""Delivered shots in their scenes: with the clearance the ledger of rights gives exactly these frames, and no
other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from falsework.catalogue.attaching import attach, delivery_in
from falsework.catalogue.database import Catalogue
from falsework.catalogue.records import Scene, Shot, Title
from falsework.cli.main import main
from falsework.errors import FalseworkError
from falsework.rights.ledger import Ledger
from falsework.shots.clearing.cut import cut_in
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import reject_shot
from test_shots_clearing import PRODUCTION, approved, delivered, shot_in

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path / "catalogue.db") as opened:
        opened.upsert([Title("a", "A"), Title("b", "B")])
        with opened.writing() as writer:
            writer.scenes([Scene("a1", "a", 1), Scene("b1", "b", 1)])
        yield opened


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    (tmp_path / "production").mkdir()
    return shot_in(tmp_path / "production")


def attached(catalogue: Catalogue, shot: Path, **how: str) -> Shot:
    return attach(catalogue, "a", shot.parent / "out" / "tiny", at=NOW, **how)  # type: ignore[arg-type]


def test_an_uncleared_shot_is_attached_as_such(catalogue: Catalogue, shot: Path) -> None:
    before = catalogue.revision
    found = attached(catalogue, shot, scene_id="a1")
    assert (found.clearance, found.why) == ("not cleared", "nobody has approved this cut")
    assert (found.record, found.approved_by, found.name, found.frames) == ("", "", "tiny", 4)
    assert found.cut == cut_in(shot.parent / "out" / "tiny").id
    assert catalogue.shots("a") == [found]
    assert list(catalogue.changed_since(before)) == ["a"]


def test_a_cleared_one_names_who_approved_it(catalogue: Catalogue, shot: Path) -> None:
    attached(catalogue, shot)
    approved(shot)
    with desk_of(shot).open_ledger() as ledger:
        size = ledger.size
    found = attached(catalogue, shot, scene_id="a1")
    assert (found.clearance, found.why) == ("cleared", "approved, and not yet delivered")
    assert (found.approved_by, found.role) == ("Ada Example", "VFX supervisor")
    with desk_of(shot).open_ledger() as ledger:
        assert [event.kind for event in ledger.events() if event.id == found.record] == ["decision"]
        assert ledger.size == size, "attaching writes nothing into the ledger"
    assert catalogue.shots("a") == [found], "it replaces what was attached before"


def test_a_signed_delivery_is_the_same_cut(catalogue: Catalogue, shot: Path) -> None:
    folder = delivered(shot).folder
    found = attach(catalogue, "a", folder, at=NOW)
    assert (found.clearance, found.why) == ("cleared", "approved, and signed at its delivery")
    assert found.cut == attached(catalogue, shot).cut
    # Without its production around it no ledger knows it, unless somebody says which one does.
    away = shot.parents[1] / "elsewhere" / "tiny"
    shutil.copytree(folder, away)
    assert attach(catalogue, "a", away, at=NOW).clearance == "not on record"


def test_what_was_rejected_after_all_is_not_cleared(catalogue: Catalogue, shot: Path) -> None:
    approved(shot)
    reject_shot(desk_of(shot), by="ada", role="VFX supervisor", why="seen again", at=NOW)
    assert attached(catalogue, shot).clearance == "not cleared"


def test_other_terms_than_it_was_approved_under_clear_nothing(catalogue: Catalogue, shot: Path) -> None:
    approved(shot)
    (shot.parent / "production.toml").write_text(
        PRODUCTION.replace('["netflix", "eu"]', '["netflix", "awards"]')
    )
    assert attached(catalogue, shot).clearance == "not cleared"


def test_a_ledger_that_was_tampered_with_clears_nothing(catalogue: Catalogue, shot: Path) -> None:
    import sqlite3

    approved(shot)
    connection = sqlite3.connect(shot.parent / "rights" / "ledger.db")
    connection.execute("UPDATE ledger_events SET payload = replace(payload, 'Ada', 'Eve')")
    connection.commit()
    connection.close()
    found = attached(catalogue, shot)
    assert found.clearance == "not on record"
    assert "not as it was written" in found.why


def test_another_ledger_does_not_know_it(catalogue: Catalogue, shot: Path, tmp_path: Path) -> None:
    approved(shot)
    Ledger.open(tmp_path / "other.db").close()
    found = attached(catalogue, shot, ledger=str(tmp_path / "other.db"))
    assert (found.clearance, found.why) == ("not on record", "no run in the ledger made exactly these frames")
    with pytest.raises(FalseworkError, match="there is no ledger here"):
        attached(catalogue, shot, ledger=str(tmp_path / "absent.db"))


def test_a_changed_frame_is_no_delivery(catalogue: Catalogue, shot: Path) -> None:
    approved(shot)
    folder = shot.parent / "out" / "tiny"
    frame = folder / "exr" / "tiny.1002.exr"
    content = frame.read_bytes()
    frame.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(FalseworkError, match="it has changed"):
        attach(catalogue, "a", folder, at=NOW)
    # Who makes the list agree with it has made another cut, which nobody approved.
    manifest = json.loads((folder / "manifest.json").read_bytes())
    import hashlib

    manifest["files"]["exr/tiny.1002.exr"] = hashlib.sha256(frame.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert attach(catalogue, "a", folder, at=NOW).clearance == "not on record"
    frame.unlink()
    with pytest.raises(FalseworkError, match="cannot be read"):
        attach(catalogue, "a", folder, at=NOW)


@pytest.mark.parametrize(
    "manifest", ["", "[]", "{}", '{"files": {}}', '{"files": {"../../etc/passwd": "00"}}', '{"files": 3}']
)
def test_folders_that_are_no_delivery(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(FalseworkError) as caught:
        delivery_in(tmp_path)
    assert caught.value.todo
    with pytest.raises(FalseworkError, match="holds no delivered shot"):
        delivery_in(tmp_path / "absent")


def test_titles_and_scenes_have_to_be_there(catalogue: Catalogue, shot: Path) -> None:
    with pytest.raises(FalseworkError, match='no title "nobody"'):
        attach(catalogue, "nobody", shot.parent / "out" / "tiny", at=NOW)
    with pytest.raises(FalseworkError, match='no scene "nowhere"'):
        attached(catalogue, shot, scene_id="nowhere")
    with pytest.raises(FalseworkError, match='none of the title "a"'):
        attached(catalogue, shot, scene_id="b1")
    assert catalogue.shots("a") == []


def test_the_command(
    catalogue: Catalogue, shot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--catalogue", str(tmp_path / "catalogue.db")]
    folder = str(shot.parent / "out" / "tiny")
    assert main(["catalogue", "attach", "a", folder, "--scene", "a1", *place]) == 0
    assert "NOT CLEARED: nobody has approved this cut" in capsys.readouterr().out
    approved(shot)
    assert main(["catalogue", "attach", "a", folder, "--scene", "a1", "--json", *place]) == 0
    told = json.loads(capsys.readouterr().out)["shot"]
    assert (told["clearance"], told["approved_by"], told["scene_id"]) == ("cleared", "Ada Example", "a1")
    assert main(["catalogue", "show", "a", *place]) == 0
    shown = capsys.readouterr().out
    assert "shot tiny in scene a1: CLEARED" in shown
    assert "by Ada Example (VFX supervisor)" in shown
