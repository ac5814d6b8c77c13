"""`falsework ledger`: what people and programs get to read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from falsework.cli.main import main
from falsework.rights.merkle import leaf_hash, verify_consistency, verify_inclusion
from falsework.rights.records import KINDS, Decision, Grant, Party
from ledgers import digest, filled, one_of_each, people, tamper


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return filled(tmp_path / "ledger.sqlite", [*one_of_each(), *people(12)])


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main(["ledger", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    _, out, _ = run(capsys, *words, "--json")
    value = json.loads(out)
    assert isinstance(value, dict)
    return value


def test_a_good_ledger(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "verify", ledger)
    assert (code, err) == (0, "")
    assert "20 events, all as they were written" in out
    assert "no anchors" in out
    said = answer(capsys, "verify", ledger)
    assert (said["ok"], said["events"], said["faults"]) == (True, 20, [])
    assert str(said["root"]) in out


def test_a_damaged_ledger_exits_with_2_and_names_the_event(
    ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(ledger, "DELETE FROM ledger_events WHERE sequence IN (9, 15)")
    code, out, err = run(capsys, "verify", ledger)
    assert (code, out) == (2, "")
    first, second = err.splitlines()
    assert first.startswith(f"{ledger}: event 9 is removed.")
    assert "event 15 is removed" in second
    code, out, err = run(capsys, "verify", ledger, "--json")
    said = json.loads(out)
    assert (code, said["ok"], said["exit_code"]) == (2, False, 2)
    assert "event 9" in said["error"]["what"]
    assert [(fault["kind"], fault["event"]) for fault in said["faults"]] == [("removed", 9), ("removed", 15)]


def test_what_is_no_ledger_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("no ledger")
    for name in ("text", "absent"):
        for task in (
            ["verify"],
            ["show"],
            ["prove", "0"],
            ["anchor"],
            ["export", "--out", str(tmp_path / "o")],
        ):
            code, out, err = run(capsys, task[0], tmp_path / name, *task[1:])
            assert (code, out) == (2, "")
            assert name in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text"]


def test_anchors_and_truncation(ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "anchor", ledger)[0] == 0
    assert "agrees with 1 anchor\n" in run(capsys, "verify", ledger)[1]
    beside = ledger.with_name("ledger.sqlite.anchors.jsonl")
    elsewhere = beside.rename(tmp_path / "from the delivery")
    other = filled(tmp_path / "other", people(5))
    assert run(capsys, "verify", other)[0] == 0
    code, _, err = run(capsys, "verify", other, "--against", elsewhere)
    assert code == 2
    assert "the end was cut off: events 5 to 19" in err
    for bad in (tmp_path / "absent", ledger):
        assert run(capsys, "verify", other, "--against", bad)[0] == 2


def test_an_authority_that_cannot_be_reached(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rfc3161_client", reason="rfc3161-client (extra `rights`) is not installed")
    words = ("anchor", ledger, "--authority", "http://127.0.0.1:1/", "--wait", "1")
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "cannot be reached" in err
    assert "no anchors" in run(capsys, "verify", ledger)[1]
    code, _, err = run(capsys, *words, "--go-on")
    assert code == 0
    assert err.startswith("Without a time-stamp: the time-stamp authority cannot be reached")
    assert "agrees with 1 anchor\n" in run(capsys, "verify", ledger)[1]


def test_show(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", ledger)
    assert len(out.splitlines()) == 20
    assert "Anna Ångström" in out
    _, out, _ = run(capsys, "show", ledger, "--kind", "decision")
    assert out.rstrip().endswith("decision:1  approval: party:anna: it is good")
    assert len(run(capsys, "show", ledger, "--last", 3)[1].splitlines()) == 3
    assert run(capsys, "show", ledger, "--last", 0)[1] == ""
    said = answer(capsys, "show", ledger, "--id", digest(2))["events"]
    assert isinstance(said, list)
    assert [event["body"]["name"] for event in said] == ["cut"]


def test_show_finds_a_record_by_an_id_cut_short(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = run(capsys, "show", ledger, "--id", "decision:1")[1]
    assert whole
    assert run(capsys, "show", ledger, "--id", "decision…")[1] == whole
    code, out, err = run(capsys, "show", ledger, "--id", "grant:nobody")
    assert (code, out) == (2, "")
    assert 'no record here is called "grant:nobody"' in err


def test_what_was_taken_back_is_shown_as_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    approval = Decision(
        id="decision:1", type="approval", by="party:anna", role="producer", subject=digest(2), why="good"
    )
    grant = Grant(id="grant:1", type="licence", given_by="party:anna", assets=(digest(2),), uses=("use",),
                  basis="item", licence="CC0-1.0")  # fmt: skip
    taken = [
        approval,
        approval.model_copy(update={"withdrawn": True}),
        grant,
        grant.model_copy(update={"revoked": datetime(2026, 11, 20, tzinfo=UTC)}),
    ]
    lines = run(capsys, "show", filled(tmp_path / "l", taken))[1].splitlines()
    assert "approval withdrawn: party:anna" in lines[1]
    assert "withdrawn" not in lines[0]
    assert "licence revoked from 2026-11-20: CC0-1.0" in lines[3]


def test_what_is_shown_cannot_steer_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "Anna\x1b[2J\u202e"
    path = filled(tmp_path / "l", [Party(id="party:anna", type="person", name=name)])
    assert run(capsys, "show", path)[1].endswith("party:anna  Anna?[2J?\n")


def test_kinds_that_are_shown_are_those_there_are(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in KINDS:
        assert run(capsys, "show", ledger, "--kind", kind)[1]


def test_proofs_hold_without_the_ledger(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = answer(capsys, "prove", ledger, 7, "--since", 11)
    text = json.dumps(said)
    ledger.unlink()
    read = json.loads(text)
    leaf = leaf_hash(read["payload"].encode())
    root = bytes.fromhex(read["root"])
    proof = [bytes.fromhex(one) for one in read["inclusion"]]
    assert verify_inclusion(leaf, read["event"], read["size"], proof, root)
    old = read["since"]
    steps = [bytes.fromhex(one) for one in old["consistency"]]
    assert verify_consistency(old["size"], bytes.fromhex(old["root"]), read["size"], root, steps)


def test_prove_speaks(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "prove", ledger, 7, "--since", 11)
    assert "Event 7 is one of the 20 under the root" in out
    assert "The first 11 events are as they were under the root" in out
    code, _, err = run(capsys, "prove", ledger, 20)
    assert code == 2
    assert "they go from 0 to 19" in err


def test_export(ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, prov = tmp_path / "events.jsonl", tmp_path / "prov.json"
    run(capsys, "export", ledger, "--out", lines, "--format", "events")
    events = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [event["sequence"] for event in events] == list(range(20))
    run(capsys, "export", ledger, "--out", prov)
    assert len(json.loads(prov.read_text())["agent"]) == 14


@pytest.mark.parametrize("words", [["--last", "-1"], ["--last", "many"]])
def test_usage(ledger: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(capsys, "show", ledger, *words)
    assert caught.value.code == 2
