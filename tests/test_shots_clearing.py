"""A cut before the gate: refused, approved, delivered; a changed pixel, a revoked grant, a broken run."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from falsework.cli.main import main
from falsework.delivery.layers_exr import write_frame
from falsework.delivery.manifest import write_manifest
from falsework.errors import FalseworkError
from falsework.media.images import write_png
from falsework.rights.certificates import make_test_chain
from falsework.rights.ledger import Ledger
from falsework.rights.state import State
from falsework.rights.verification import verify
from falsework.seeds import generator
from falsework.shots.clearing import delivering
from falsework.shots.clearing.auditing import audit_shot
from falsework.shots.clearing.delivering import Delivered, deliver
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import (
    approve_shot,
    impact_of,
    judge,
    reject_shot,
    review_finding,
    waive_rule,
)
from falsework.shots.clearing.recording import record_make, record_script
from falsework.shots.clearing.viewing import viewed
from falsework.shots.pipeline import _on_record
from shots_fakes import SHOT, write_shot

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PRODUCTION = """\
name = "street"
packs = ["netflix", "eu"]

[[parties]]
id = "ada"
name = "Ada Example"
roles = ["VFX supervisor"]

[[parties]]
id = "photographer"
name = "P. Hotographer"

[[grants]]
files = ["plate.png"]
given_by = "photographer"
licence = "CC-BY-4.0"
basis = "item"

[grants.obligations]
attribution = "Photograph: P. Hotographer, CC BY 4.0"

[[declared]]
by = "ada"
why = "seen frame by frame"

[declared.facts]
generative_ai = false
key_visual = true
depicts_performer = false
digital_replica = false
depicts_real_place = false
depicts_real_person = false
depicts_real_event = false
mistakable_for_real = false
evidently_artistic = true
displaces_union_work = false
"""


def shot_in(folder: Path, production: str | None = PRODUCTION, height: int = 288) -> Path:
    """A shot of four small frames, as a finished run leaves them; on record if `production` is given."""
    path = write_shot(folder, SHOT)
    write_png(folder / "plate.png", np.full((288, 432, 3), 90, np.uint8))
    if production is not None:
        (folder / "production.toml").write_text(production)
    out = folder / "out" / "tiny"
    (out / "exr").mkdir(parents=True)
    random = generator(3, "test clearing")
    names = []
    for frame in range(1001, 1005):
        names.append(f"exr/tiny.{frame}.exr")
        picture = random.random((height, 432, 3), np.float32)
        write_frame(
            out / names[-1], {"beauty": picture}, frame=frame, fps=24, name="tiny", crypto_manifest={}
        )
    plate = hashlib.sha256((folder / "plate.png").read_bytes()).hexdigest()
    write_manifest(
        out / "manifest.json", out, names, inputs={"plate.png": plate}, versions={}, opengl=None, seed=3,
        parameters={}, seconds={"comp": 1.0}, reused=[],
    )  # fmt: skip
    record_make(desk_of(path), out, preview=False, at=AT, seconds=2.0)
    return path


def state(path: Path) -> State:
    with desk_of(path).open_ledger() as ledger:
        return State.of(ledger.events())


def approved(path: Path) -> None:
    approve_shot(desk_of(path), by="ada", role="VFX supervisor", why="as it should be", at=AT)


def delivered(path: Path) -> Delivered:
    approved(path)
    return deliver(desk_of(path), at=AT)


def nothing_half(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if path.name.startswith((".part", ".old", ".unsigned"))]


def test_one_thing_is_missing_and_after_it_the_shot_is_delivered(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    verdict = judge(desk_of(path), at=AT)
    assert [one.words for one in verdict.blockers] == ["nobody has approved this cut"]
    with pytest.raises(FalseworkError, match="nobody has approved this cut"):
        deliver(desk_of(path), at=AT)
    assert not (tmp_path / "deliveries").exists()
    done = delivered(path)
    folder = tmp_path / "deliveries" / "tiny"
    assert done.folder == folder
    assert len([*folder.glob("exr/*.exr")]) == 4
    root = (tmp_path / "credentials" / "root.pem").read_text()
    for signed in (folder / "tiny.mp4", folder / "exr", *folder.glob("stills/*.png")):
        assert verify(signed, anchors=root).state == "trusted", signed
        assert verify(signed).state == "valid"
    assert {"clearance.html", "clearance.json"} <= {file.name for file in folder.iterdir()}
    assert json.loads((folder / "clearance.json").read_text())["verdict"] == "delivered"
    assert "P. Hotographer, CC BY 4.0" in (folder / "credits.txt").read_text()
    assert nothing_half(tmp_path)
    made = state(path).assets[done.asset.id]
    assert made.type == "delivery"
    assert state(path).ancestors(made.id)


def test_what_is_signed_names_the_cut_and_a_root_that_the_ledger_had(tmp_path: Path) -> None:
    done = delivered(shot_in(tmp_path))
    seen = verify(done.folder / "tiny.mp4")
    assert seen.cut == done.verdict.subject
    with Ledger.open(tmp_path / "rights" / "ledger.db") as ledger:
        assert ledger.root(seen.ledger_size).hex() == seen.ledger_root
        assert ledger.verify() == []
    assert json.loads((done.folder / "ledger.anchor.jsonl").read_text())["size"] >= (seen.ledger_size or 0)


def test_ingredients_of_one_kind_take_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    movie = str(delivered(shot_in(tmp_path)).folder / "tiny.mp4")
    assert main(["verify", movie]) == 1
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if line.startswith("  ingredient")]
    assert len(lines) == 2
    assert "texture: 9 (" in lines[0]
    assert "and 6 more; -v names all)  componentOf, none carries credentials" in lines[0]
    assert "plate.png  componentOf, carries no credentials" in lines[1]
    assert sum("placed" in line for line in said.splitlines()) == 1
    assert main(["verify", "-v", movie]) == 1
    said = capsys.readouterr().out
    assert sum(line.startswith("  ingredient") for line in said.splitlines()) == 10
    assert sum("placed" in line for line in said.splitlines()) == 10
    assert main(["verify", "--json", movie]) == 1
    found = json.loads(capsys.readouterr().out)["ingredients"]
    assert [one["kind"] for one in found].count("texture") == 9


def test_what_is_wrong_with_one_of_many_is_never_told_with_the_others() -> None:
    from falsework.cli.verify import _console, _tell_ingredients
    from falsework.rights.verification import IngredientOutcome

    one = IngredientOutcome("a.jpg", "componentOf", "", "unsigned", kind="texture")
    broken = dataclasses.replace(one, title="bad.jpg", state="broken")
    nested = dataclasses.replace(one, title="nested.jpg", state="intact", ingredients=(one,))
    other = dataclasses.replace(one, title="else.jpg", state="intact", signer="Somebody")
    long = dataclasses.replace(one, kind="a description " * 9)
    told = io.StringIO()
    these = (*[one] * 5, broken, nested, other, *[broken] * 5, *[long] * 4, *[one] * 3)
    _tell_ingredients(_console(told), these, 1, False)
    lines = told.getvalue().splitlines()
    assert "texture: 8 (a.jpg, a.jpg, a.jpg and 5 more" in lines[0]
    assert sum("bad.jpg  componentOf, BROKEN" in line for line in lines) == 6
    assert sum("nested.jpg" in line for line in lines) == 1
    assert sum("else.jpg" in line and "signed by Somebody" in line for line in lines) == 1
    assert "a description" not in told.getvalue()
    assert "  ingredient   4 (a.jpg" in told.getvalue()


def test_a_productions_own_certificate_signs_and_its_key_may_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.hazmat.primitives import serialization

    chain = tmp_path / "house"
    make_test_chain(chain, at=AT, name="the house")
    key = serialization.load_pem_private_key((chain / "key.pem").read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a long word"),
    )
    (chain / "key.pem").chmod(0o600)
    (chain / "key.pem").write_bytes(locked)
    credentials = '[credentials]\ncertificate = "house/chain.pem"\nkey = "house/key.pem"\n'
    path = shot_in(tmp_path, PRODUCTION + credentials)
    approved(path)
    with pytest.raises(FalseworkError) as refused:
        deliver(desk_of(path), at=AT)
    assert "a long word" not in str(refused.value)
    monkeypatch.setenv("FALSEWORK_KEY_PASSPHRASE", "a long word")
    assert deliver(desk_of(path), at=AT).signer == "the house"


def test_a_changed_pixel_voids_the_approval(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    frame = tmp_path / "out" / "tiny" / "exr" / "tiny.1002.exr"
    write_frame(
        frame,
        {"beauty": np.ones((288, 432, 3), np.float32)},
        frame=1002,
        fps=24,
        name="tiny",
        crypto_manifest={},
    )
    with pytest.raises(FalseworkError, match=r"tiny\.1002\.exr has changed"):
        deliver(desk_of(path), at=AT)
    # made anew, it is another cut, which nobody has approved
    out = tmp_path / "out" / "tiny"
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["files"]["exr/tiny.1002.exr"] = hashlib.sha256(frame.read_bytes()).hexdigest()
    (out / "manifest.json").write_text(json.dumps(manifest))
    record_make(desk_of(path), out, preview=False, at=AT, seconds=2.0)
    verdict = judge(desk_of(path), at=AT)
    assert len(verdict.blockers) == 1
    assert len(verdict.voided) == 1


def test_a_revoked_grant_reopens_what_was_clear(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    assert not judge(desk_of(path), at=AT).blockers
    text = PRODUCTION.replace(
        'basis = "item"\n', 'basis = "item"\nrevoked = 2026-11-20\nrevoked_why = "sold"\n'
    )
    (tmp_path / "production.toml").write_text(text)
    verdict = judge(desk_of(path), at=AT)
    assert any("plate.png" in one.words for one in verdict.blockers)
    found = impact_of(desk_of(path), str(tmp_path / "plate.png"), at=AT)
    assert [one.asset.type for one in found.reopened] == ["cut"]
    assert found.lapsed


def test_who_made_it_is_named_even_where_their_revoked_grant_is_waived(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    (tmp_path / "production.toml").write_text(
        PRODUCTION.replace('basis = "item"\n', 'basis = "item"\nrevoked = 2026-11-20\n')
    )
    waive_rule(desk_of(path), "GATE-3", by="ada", role="producer", why="settled by letter", at=AT)
    verdict = judge(desk_of(path), at=AT)
    assert not verdict.blockers
    assert verdict.credits == ("Photograph: P. Hotographer, CC BY 4.0",)
    another = """
[[grants]]
files = ["plate.png"]
given_by = "photographer"
uses = ["any"]
basis = "contract"
obligations = { attribution = "Photograph: another line" }

[[declared]]"""
    text = (tmp_path / "production.toml").read_text().replace("\n[[declared]]", another, 1)
    (tmp_path / "production.toml").write_text(text)
    assert judge(desk_of(path), at=AT).credits == ("Photograph: another line",)


def test_a_waiver_is_never_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shot_in(tmp_path)
    approved(path)
    assert main(["rights", "status", str(path)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^tiny, cut [0-9a-f]{12}: cleared$", said, re.MULTILINE)
    assert f"`falsework deliver {path}`" in said
    (tmp_path / "production.toml").write_text(
        PRODUCTION.replace('basis = "item"\n', 'basis = "item"\nrevoked = 2026-11-20\n')
    )
    main(["rights", "status", str(path)])
    assert ": not cleared\n" in capsys.readouterr().out
    person = ["--by", "ada", "--role", "producer", "--reason", "settled by letter"]
    main(["waive", str(path), "GATE-3", *person])
    assert "GATE-3 waived by Ada Example (producer), for cut " in capsys.readouterr().out
    main(["rights", "status", str(path)])
    said = capsys.readouterr().out
    assert ": cleared, by waiver\n" in said
    assert 'waived GATE-3 by Ada Example (producer), "settled by letter":\n    "plate.png": ' in said
    main(["rights", "report", str(path)])
    page = (tmp_path / "out" / "tiny" / "clearance.html").read_text()
    assert "Cleared by waiver, not yet signed" in page
    assert "but for GATE-3, waived by Ada Example" in page
    assert "no grant holds for plate.png" in page


def test_a_rejection_says_what_follows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shot_in(tmp_path)
    main(["reject", str(path), "--by", "ada", "--role", "producer", "--reason", "too dark"])
    assert "It is not delivered until Ada Example approves it, or it is made anew." in capsys.readouterr().out


def test_pictures_too_small_for_the_mark_are_listed_as_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shot_in(tmp_path, height=255)
    approved(path)
    assert main(["rights", "status", str(path)]) == 0
    said = capsys.readouterr().out
    assert "Nothing is missing" not in said
    assert "mark: its pictures are 432x255, too small for the invisible mark" in said
    assert "`size` under [plate]" in said
    assert main(["rights", "report", str(path)]) == 0
    report = json.loads((tmp_path / "out" / "tiny" / "clearance.json").read_text())
    assert report["verdict"] == "blocked"
    with pytest.raises(FalseworkError, match="cannot be delivered: its pictures are 432x255"):
        deliver(desk_of(path), at=AT)


def test_a_preview_alone_is_said_to_be_one_with_what_makes_the_shot(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    (tmp_path / "out" / "tiny").rename(tmp_path / "out" / "tiny_preview")
    with pytest.raises(FalseworkError, match=r"only a preview .* not cleared") as refused:
        judge(desk_of(path), at=AT)
    assert f"`falsework make {path}`" in refused.value.todo
    (tmp_path / "out" / "tiny_preview").rename(tmp_path / "elsewhere")
    with pytest.raises(FalseworkError, match="nothing has been made yet") as refused:
        judge(desk_of(path), at=AT)
    assert f"`falsework make {path}`" in refused.value.todo


def test_a_waiver_has_a_name_and_a_reason(tmp_path: Path) -> None:
    path = shot_in(tmp_path, PRODUCTION.replace("key_visual = true\n", ""))
    approved(path)
    missing = judge(desk_of(path), at=AT).blockers
    assert [rule for one in missing for rule in one.rules] == ["NFX-6"]
    decision, verdict = waive_rule(
        desk_of(path), "NFX-6", by="ada", role="VFX supervisor", why="agreed by e-mail", at=AT
    )
    assert not verdict.blockers
    assert state(path).decisions[decision.id].why == "agreed by e-mail"


def test_without_a_production_the_plate_has_no_grant_and_nothing_leaves(tmp_path: Path) -> None:
    path = shot_in(tmp_path, None)
    with pytest.raises(FalseworkError, match=r"plate\.png") as refused:
        delivered(path)
    assert "production.toml" in refused.value.todo


def test_a_preview_is_never_delivered(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    record_make(desk_of(path), tmp_path / "out" / "tiny", preview=True, at=AT, seconds=1.0)
    with pytest.raises(FalseworkError, match="preview"):
        deliver(desk_of(path), at=AT)


def test_a_delivery_that_fails_leaves_the_last_one_and_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shot_in(tmp_path)
    done = delivered(path)
    before = {file: file.read_bytes() for file in done.files}

    def fails(*_: object, **__: object) -> None:
        raise FalseworkError("the disk is full")

    monkeypatch.setattr(delivering, "sign_sequence", fails)
    with pytest.raises(FalseworkError, match="the disk is full"):
        deliver(desk_of(path), at=AT)
    assert {file: file.read_bytes() for file in done.files} == before
    assert nothing_half(tmp_path)


def test_a_broken_production_does_not_stop_a_run_it_only_says_so(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    out = tmp_path / "out" / "tiny"
    cut, unrecorded = _on_record(path, out, False, 1.0)
    assert cut in state(path).assets
    assert unrecorded == ""
    (tmp_path / "production.toml").write_text("name = ")
    cut, unrecorded = _on_record(path, out, False, 1.0)
    assert cut == ""
    assert "production.toml" in unrecorded


def test_the_commands_refuse_with_code_2_and_say_it_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shot_in(tmp_path)
    assert main(["deliver", str(path), "--quiet"]) == 2
    assert "nobody has approved this cut" in capsys.readouterr().err
    person = ["--by", "Ada Example", "--role", "VFX supervisor", "--reason", "seen"]
    assert main(["approve", str(path), *person, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["clearance"]["verdict"] == "clear"
    assert main(["deliver", str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["test_certificate"] is True
    assert main(["verify", str(Path(answer["folder"]) / "tiny.mp4"), "--quiet"]) == 1
    assert main(["rights", "status", str(path), "--json"]) == 0
    assert main(["rights", "impact", str(tmp_path / "plate.png"), "--shot", str(path), "--json"]) == 0


def test_the_key_is_in_nothing_that_is_written(tmp_path: Path) -> None:
    done = delivered(shot_in(tmp_path))
    key = (tmp_path / "credentials" / "key.pem").read_text()
    secret = "".join(key.splitlines()[1:-1]).encode()[:40]
    written = [*done.files, *(tmp_path / "rights").iterdir()]
    assert all(secret not in file.read_bytes() for file in written)


def test_a_still_of_the_delivery_shows_the_frame(tmp_path: Path) -> None:
    done = delivered(shot_in(tmp_path))
    assert [file.name for file in sorted(done.folder.glob("stills/*.png"))][-1] == "tiny.1004.png"
    write_png(tmp_path / "white.png", np.full((288, 432, 3), 255, np.uint8))
    assert (done.folder / "stills" / "tiny.1004.png").read_bytes() != (tmp_path / "white.png").read_bytes()


def test_who_had_it_made_is_on_record_by_name(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    out = tmp_path / "out" / "tiny"
    cut = record_make(desk_of(path), out, preview=False, at=AT, seconds=2.0, by="Ada Example")
    assert [one.agent for one in state(path).made_by(cut.id)] == ["party:ada"]


def test_once_delivered_it_stays_clear(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    delivered(path)
    assert judge(desk_of(path), at=AT).clear


def test_a_folder_that_is_no_delivery_is_never_replaced(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    desktop = tmp_path / "desktop"
    desktop.mkdir()
    (desktop / "letter.txt").write_text("dear")
    for place in (desktop, tmp_path / "out" / "tiny", path):
        with pytest.raises(FalseworkError, match="no delivery"):
            deliver(desk_of(path), at=AT, out=place)
    assert (desktop / "letter.txt").read_text() == "dear"
    (tmp_path / "empty").mkdir()
    assert deliver(desk_of(path), at=AT, out=tmp_path / "empty").folder == tmp_path / "empty"


def test_frames_that_change_while_they_are_delivered_are_not_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shot_in(tmp_path)
    approved(path)
    copy = shutil.copyfile

    def swapped(source: Path, target: Path) -> None:
        copy(source, target)
        if source.name.endswith("1003.exr"):
            target.write_bytes(target.read_bytes()[:-1] + b"x")

    monkeypatch.setattr(delivering.shutil, "copyfile", swapped)
    with pytest.raises(FalseworkError, match=r"tiny\.1003\.exr has changed"):
        deliver(desk_of(path), at=AT)
    assert not (tmp_path / "deliveries" / "tiny").exists()
    assert nothing_half(tmp_path)


def test_a_delivery_that_never_left_is_not_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shot_in(tmp_path)
    approved(path)

    def fails(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(delivering, "report_of", fails)
    with pytest.raises(OSError, match="no space"):
        deliver(desk_of(path), at=AT)
    assert not [one for one in state(path).assets.values() if one.type == "delivery"]


def test_a_ledger_that_was_cut_off_clears_nothing(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    delivered(path)
    with sqlite3.connect(tmp_path / "rights" / "ledger.db") as database:
        (table,) = {
            name
            for (name,) in database.execute("select name from sqlite_master where type = 'table'")
            if "event" in name
        }
        database.execute(f"delete from {table} where sequence > 40")
    with pytest.raises(FalseworkError):
        deliver(desk_of(path), at=AT)


def test_the_sequence_claims_no_mark_and_other_shots_stay_at_home(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    other = write_shot(tmp_path / "other", SHOT.replace('"tiny"', '"secret"'))
    (tmp_path / "other" / "plate.png").write_bytes((tmp_path / "plate.png").read_bytes() + b" ")
    record_script(desk_of(other), tmp_path / "other" / "plate.png", ["B. Writer"], at=AT)
    done = delivered(path)
    assert verify(done.folder / "exr").watermark == ""
    assert verify(done.folder / "tiny.mp4").watermark != ""
    assert "B. Writer" not in (done.folder / "provenance.prov.json").read_text()
    made = state(path).assets[done.asset.id]
    assert {"clearance.html", "credits.txt", "tiny.mp4"} <= set(made.parts)


def test_a_script_goes_on_record_with_its_authors_and_into_the_cuts_line(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    (tmp_path / "scene.fountain").write_text("INT. HOUSE - DAY")
    with pytest.raises(FalseworkError, match="has authors"):
        record_script(desk_of(path), tmp_path / "scene.fountain", [], at=AT)
    script = record_script(desk_of(path), tmp_path / "scene.fountain", ["Ada Example", "B. Writer"], at=AT)
    assert script.creator == "Ada Example; B. Writer"
    cut = record_make(desk_of(path), tmp_path / "out" / "tiny", preview=False, at=AT, seconds=2.0)
    assert script.id in state(path).ancestors(cut.id)
    assert b"INT. HOUSE" not in (tmp_path / "rights" / "ledger.db").read_bytes()


def test_a_frame_that_repeats_a_protected_picture_is_found_and_the_shot_stays(tmp_path: Path) -> None:
    (tmp_path / "protected").mkdir()
    path = shot_in(tmp_path, PRODUCTION + '\n[protected]\nfolder = "protected"\n')
    random = generator(5, "test clearing audit")
    small = random.random((16, 24, 3))
    work = np.kron(small, np.ones((18, 18, 1))).astype(np.float32)
    work += random.random(work.shape, np.float32) * 0.2
    frame = tmp_path / "out" / "tiny" / "exr" / "tiny.1003.exr"
    write_frame(frame, {"beauty": work * 0.8}, frame=1003, fps=24, name="tiny", crypto_manifest={})
    write_png(tmp_path / "protected" / "painting.png", viewed(desk_of(path).shot, frame))
    manifest = json.loads((tmp_path / "out" / "tiny" / "manifest.json").read_text())
    manifest["files"]["exr/tiny.1003.exr"] = hashlib.sha256(frame.read_bytes()).hexdigest()
    (tmp_path / "out" / "tiny" / "manifest.json").write_text(json.dumps(manifest))
    record_make(desk_of(path), tmp_path / "out" / "tiny", preview=False, at=AT, seconds=2.0)
    approved(path)
    result, found = audit_shot(desk_of(path), at=AT)
    assert result.outcome == "block"
    assert any("painting.png" in one.words for one in found if one.outcome == "fail")
    with pytest.raises(FalseworkError, match="NFX-2"):
        deliver(desk_of(path), at=AT)
    for one in found:
        if one.rule == "copy audit" and one.outcome != "pass":
            review_finding(desk_of(path), one.id, by="ada", role="VFX supervisor", why="it is ours", at=AT)
    assert deliver(desk_of(path), at=AT).folder.is_dir()


def test_an_audit_with_nothing_to_compare_with_leaves_no_mark(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    with pytest.raises(FalseworkError, match="nothing to compare with"):
        audit_shot(desk_of(path), at=AT)
    assert not judge(desk_of(path), at=AT).blockers


def test_a_rejection_holds_the_cut_until_the_same_person_approves_it(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    _, verdict = reject_shot(desk_of(path), by="ada", role="VFX supervisor", why="the dust is wrong", at=AT)
    assert verdict.blockers
    approved(path)
    assert not judge(desk_of(path), at=AT).blockers


def test_a_name_nobody_vouched_for_is_called_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shot_in(tmp_path)
    person = ["--role", "VFX supervisor", "--reason", "seen"]
    assert main(["approve", str(path), "--by", "Nobody Known", *person]) == 0
    assert "nobody has vouched for it" in capsys.readouterr().err
    assert main(["approve", str(path), "--by", "Ada Example", *person]) == 0
    assert "vouched" not in capsys.readouterr().err


def test_a_delivery_brings_what_a_compositor_needs(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    out = tmp_path / "out" / "tiny"
    (out / "plate").mkdir()
    for name in ("plate/tiny_clean.exr", "motion.usd", "solve.json"):
        (out / name).write_bytes(name.encode())
    manifest = json.loads((out / "manifest.json").read_text())
    for name in ("plate/tiny_clean.exr", "motion.usd", "solve.json"):
        manifest["files"][name] = hashlib.sha256(name.encode()).hexdigest()
    (out / "manifest.json").write_text(json.dumps(manifest))
    record_make(desk_of(path), out, preview=False, at=AT, seconds=2.0)
    folder = delivered(path).folder
    assert (folder / "plate" / "tiny_clean.exr").read_bytes() == b"plate/tiny_clean.exr"
    assert (folder / "motion.usd").is_file()
    (out / "motion.usd").write_bytes(b"other")
    with pytest.raises(FalseworkError, match="not what was made"):
        deliver(desk_of(path), at=AT)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ('ledger = "{outside}/ledger.db"', "ledger"),
        ('ledger = "link/ledger.db"', "ledger"),
        ('[protected]\nfolder = "link"', "protected.folder"),
        ('[timestamp]\nroots = "{outside}/roots.pem"', "timestamp.roots"),
        (
            '[credentials]\ncertificate = "{outside}/chain.pem"\nkey = "link/key.pem"',
            "credentials.certificate",
        ),
    ],
)
def test_what_lies_outside_is_left_alone_unless_the_person_at_work_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, key: str
) -> None:
    outside, film = tmp_path / "elsewhere", tmp_path / "film"
    make_test_chain(outside, at=AT, name="the house")
    shutil.copyfile(outside / "root.pem", outside / "roots.pem")
    path = shot_in(film)
    (film / "link").symlink_to(outside)
    before = {one.name for one in outside.iterdir()}
    text = table.format(outside=outside)
    top = f"{text}\n{PRODUCTION}" if text.startswith("ledger") else f"{PRODUCTION}\n{text}\n"
    (film / "production.toml").write_text(top)
    with pytest.raises(FalseworkError, match="leads out of the production's folder") as refused:
        delivered(path)
    assert refused.value.where == f"{film / 'production.toml'}: {key}"
    assert {one.name for one in outside.iterdir()} == before
    monkeypatch.setenv("FALSEWORK_OUTSIDE", str(outside))
    desk = desk_of(path)
    assert desk.named(str(outside / "x"), key) == outside / "x"
    if key == "credentials.certificate":
        assert deliver(desk, at=AT).signer == "the house"


def test_records_name_the_shot_from_the_productions_folder_and_answers_as_it_was_typed(
    tmp_path: Path,
) -> None:
    path = shot_in(tmp_path / "film")
    typed = judge(desk_of(path), at=AT)
    assert f"falsework approve {path}" in typed.blockers[0].remedy
    size = state(path).size
    (kept,) = [one for one in state(path).findings.values() if one.rule == "GATE-1"]
    assert "falsework approve shot.toml" in kept.remedy
    approved(path)
    with pytest.raises(FalseworkError):
        audit_shot(desk_of(path), at=AT)
    deliver(desk_of(path), at=AT)
    assert state(path).size > size
    with desk_of(path).open_ledger() as ledger:
        assert not [event for event in ledger.events() if str(tmp_path).encode() in event.payload]


def test_settings_on_record_name_files_from_the_productions_folder(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    out = tmp_path / "out" / "tiny"
    plate = str(tmp_path / "plate.png")
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["inputs"] = {plate: manifest["inputs"]["plate.png"]}
    manifest["parameters"] = {"plate": {"file": plate}, "occluders": [plate, "x"], "brief": "it falls"}
    (out / "manifest.json").write_text(json.dumps(manifest))
    cut = record_make(desk_of(path), out, preview=False, at=AT, seconds=2.0)
    (step,) = state(path).made_by(cut.id)
    assert step.parameters["shot"] == {
        "plate": {"file": "plate.png"}, "occluders": ["plate.png", "x"], "brief": "it falls",
    }  # fmt: skip


def test_a_delivery_reads_each_frame_once_and_each_ingredient_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shot_in(tmp_path)
    approved(path)
    opened: list[Path] = []
    real = Path.open

    def counted(self: Path, *args: Any, **more: Any) -> Any:
        opened.append(self)
        return real(self, *args, **more)

    monkeypatch.setattr(Path, "open", counted)
    desk = desk_of(path)
    deliver(desk, at=AT)
    assert desk.digests.read == 1  # the plate
    assert not [one for one in opened if one.is_relative_to(tmp_path / "out") and one.suffix == ".exr"]
    (tmp_path / "out" / "tiny" / "exr" / "tiny.1002.exr").unlink()
    with pytest.raises(FalseworkError, match="a frame of the cut is missing"):
        deliver(desk_of(path), at=AT)
