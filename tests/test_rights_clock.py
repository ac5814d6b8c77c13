"""A clock that stood ahead, and what holds after a named person has set it right."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.cli.main import main
from falsework.errors import FalseworkError
from falsework.rights.clock import contradicted, corrections, ledger_clock
from falsework.rights.events import BACKWARDS, BEFORE_ALL, Event, time_text
from falsework.rights.ledger import Ledger
from falsework.rights.records import Decision, Grant, Party, Record
from falsework.rights.state import State
from falsework.rights.tampering import Link, check
from falsework.shots.clearing.delivering import deliver
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import approve_shot, judge, reject_shot
from falsework.shots.clearing.reporting import VALUES, write_reports
from ledgers import AT, digest, people
from test_shots_clearing import PRODUCTION, approved, shot_in

ANNA = Party(id="party:anna", type="person", name="Anna")
AHEAD = AT + timedelta(days=4000)
AFTER = AT + timedelta(hours=3)


def decision(kind: str = "approval", **values: object) -> Decision:
    said = {"id": "decision:1", "type": kind, "by": "party:anna", "role": "producer", "why": "good"}
    return Decision.model_validate({**said, "subject": digest(2), **values})


def corrected(ledger: Ledger, at: datetime = AFTER) -> Decision:
    return ledger.correct_clock(ANNA, role="producer", why="the battery was flat", at=at)


def test_the_ledger_goes_on_and_shows_who_set_the_clock_right(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append(people(2), at=AT)
        ledger.append(people(2, 2), at=AHEAD)
        with pytest.raises(FalseworkError, match="by this clock") as refused:
            ledger.append(people(1, 4), at=AFTER)
        assert "falsework ledger clock" in refused.value.todo
        corrected(ledger)
        (event,) = ledger.append(people(1, 4), at=AFTER + timedelta(hours=1))
        assert event.time == AFTER + timedelta(hours=1)
        assert ledger.verify() == []
        state = State.of(ledger.events())
    (one,) = state.corrections
    assert (one.sequence, one.was, one.now, one.by) == (4, AHEAD, AFTER, "party:anna")
    assert state.parties["party:anna"] == ANNA
    assert state.latest == AFTER + timedelta(hours=1)
    with Ledger.open(tmp_path / "l") as again:  # as another process reads it
        assert again.append(people(1, 4), at=AFTER) == []
        assert len(again.append(people(1, 2), at=AFTER)) == 1  # misdated: said again, it has the right date
        assert again.append(people(1, 2), at=AFTER) == []


def test_a_seal_of_a_later_day_shows_that_no_clock_was_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append([ANNA], at=AHEAD)
        corrected(ledger)
        (one,) = corrections(ledger.events())
    for size, time, wrong in ((1, AHEAD, 1), (1, AFTER, 0), (1, AT, 0), (2, AHEAD, 0)):
        assert len(list(contradicted([one], [(size, time)]))) == wrong
    stamp = {"size": 1, "time": time_text(AHEAD), "authority": "Somebody"}
    monkeypatch.setattr("falsework.cli.ledger._stamps", lambda roots, anchors: ([stamp], []))
    assert main(["ledger", "verify", str(tmp_path / "l")]) == 2
    assert "an authority sealed events before it at 2037-11-04" in capsys.readouterr().err


def test_where_no_clock_was_ahead_there_is_nothing_to_correct(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        with pytest.raises(FalseworkError, match="the clock was not ahead: there is no event"):
            corrected(ledger)
        ledger.append(people(1), at=AT)
        for at in (AT, AT - timedelta(hours=23), AHEAD):
            with pytest.raises(FalseworkError, match="the clock was not ahead"):
                corrected(ledger, at)
        firm = Party(id="party:firm", type="organisation", name="Firm")
        with pytest.raises(FalseworkError, match="is no person"):
            ledger.correct_clock(firm, role="x", why="y", at=AT - timedelta(days=9))
        assert ledger.size == 1


def test_only_exactly_such_a_decision_may_step_back() -> None:
    good = ledger_clock(AHEAD, AFTER, 1, by="party:anna", role="producer", why="flat battery")
    wrong: list[Record] = [
        decision(),
        ANNA,
        good.model_copy(update={"withdrawn": True}),
        good.model_copy(update={"about": ""}),
        good.model_copy(update={"subject": "film"}),
        good.model_copy(update={"type": "review"}),
        good.model_copy(update={"by": "somebody"}),
        good.model_copy(update={"facts": {}}),
        good.model_copy(update={"facts": {**good.facts, "more": True}}),
        ledger_clock(AHEAD - timedelta(days=1), AFTER, 1, by="party:anna", role="producer", why="x"),
        ledger_clock(AHEAD, AFTER - timedelta(days=1), 1, by="party:anna", role="producer", why="x"),
    ]
    for record, kinds in ((good, []), *((one, ["time"]) for one in wrong)):
        links, events, previous = [], [], BEFORE_ALL
        for number, (said, at) in enumerate(((ANNA, AHEAD), (record, AFTER))):
            event = Event.of(said, sequence=number, at=at, previous=previous)
            links.append(Link.of((number, event.payload, event.digest), number))
            events.append(event)
            previous = event.digest
        assert [one.kind for one in check(links, None)] == kinds, record
        assert len(corrections(events)) == (not kinds)


@pytest.mark.parametrize("kind", ["approval", "waiver", "review"])
def test_what_let_something_pass_is_said_again(tmp_path: Path, kind: str) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append([ANNA, decision(kind, id="decision:0")], at=AT)
        ledger.append([decision(kind), decision(kind, id="decision:0", why="anew")], at=AHEAD)
        corrected(ledger)
        state = State.of(ledger.events())
        assert all(state.misdated(one) for one in state.decisions_on(digest(2)))
        assert len(ledger.append([decision(kind)], at=AFTER)) == 1
        state = State.of(ledger.events())
        assert state.misdated(state.decisions["decision:1"]) is None
        assert state.misdated(state.decisions["decision:0"])


def test_what_holds_up_or_was_taken_back_is_not_revived(tmp_path: Path) -> None:
    grant = Grant(id="g", type="licence", given_by="party:anna", assets=(digest(1),), basis="item")
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append([ANNA, decision(), grant, decision("rejection", id="decision:2")], at=AT)
        ledger.append(
            [
                decision(withdrawn=True),
                grant.model_copy(update={"revoked": AHEAD, "revoked_why": "taken out"}),
                decision("rejection", id="decision:2", withdrawn=True),
                decision("rejection", id="decision:3"),
                decision("review", id="decision:4", facts={"resolved": False}),
            ],
            at=AHEAD,
        )
        corrected(ledger)
        state = State.of(ledger.events())
    assert state.decisions["decision:1"].withdrawn
    assert state.grants["g"].revoked == AFTER
    for held in ("decision:2", "decision:3", "decision:4"):
        assert not state.decisions[held].withdrawn
        assert state.misdated(state.decisions[held]) is None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["approve", "withdraw", "revoke", "correct"]),
        st.floats(-3000, 3000, allow_nan=False),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_the_clocks_did_the_ledger_fits_and_nothing_is_revived(
    steps: list[tuple[str, float]],
) -> None:
    """By the ledger's order alone: the last thing said of a record holds; what is dated in a future that was
    none lets nothing pass; the ledger always verifies and always can go on."""
    grant = Grant(id="g", type="licence", given_by="party:anna", assets=(digest(1),), basis="item")
    written: list[tuple[str, datetime]] = []  # of the approval: what was said last, and when
    revoked: datetime | None = None
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "l") as ledger:
        ledger.append([ANNA, grant], at=AT)
        last = AT
        for number, (what, days) in enumerate(steps):
            at = AT + timedelta(days=days)
            behind = last - at > BACKWARDS
            if what == "correct":
                if not behind:
                    with pytest.raises(FalseworkError, match="was not ahead"):
                        corrected(ledger, at)
                    continue
                corrected(ledger, at)
                last = at
                written = [(said, time) for said, time in written if said == "withdrawn" or time <= at]
                revoked = min(revoked, at) if revoked is not None else None
                continue
            record: Record = decision(why=f"said {number}", withdrawn=what == "withdraw")
            if what == "revoke":
                record = grant.model_copy(update={"revoked": at, "revoked_why": str(number)})
            if behind:
                size = ledger.size
                with pytest.raises(FalseworkError, match="by this clock"):
                    ledger.append([record], at=at)
                assert ledger.size == size
                continue
            (event,) = ledger.append([record], at=at)
            last = max(last, at)
            assert event.time == last
            if what == "revoke":
                revoked = at
            else:
                written = [("withdrawn" if what == "withdraw" else "stands", last)]
        assert ledger.verify() == []
        events = ledger.events()
        state = State.of(events)
        assert state.latest == last == events[-1].time
        one = state.decisions.get("decision:1")
        stands = one is not None and not one.withdrawn and state.misdated(one) is None
        assert stands == (bool(written) and written[-1][0] == "stands")
        assert (state.grants["g"].revoked is None) == (revoked is None)
        if revoked is not None and state.corrections:
            assert state.grants["g"].revoked == revoked
        ledger.append(people(1), at=last)


def test_a_shot_is_cleared_by_the_right_clock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lasting = PRODUCTION.replace('basis = "item"', 'basis = "item"\nends = 2029-11-23')
    path = shot_in(tmp_path, f"until = 2029-01-01\n{lasting}")
    approve_shot(desk_of(path), by="ada", role="producer", why="fine", at=AHEAD)
    assert any("GATE-3" in one.rules for one in judge(desk_of(path), at=AHEAD).blockers)
    for tried in (lambda: judge(desk_of(path), at=AT), lambda: deliver(desk_of(path), at=AT)):
        with pytest.raises(FalseworkError, match="Set the clock right"):
            tried()
    with desk_of(path).open_ledger() as ledger:
        corrected(ledger, AT)
        ledger.anchor(at=AT)
    verdict = judge(desk_of(path), at=AFTER)
    assert verdict.at == AFTER
    (missing,) = verdict.blockers  # the grant holds; the approval has to be given anew
    assert (
        "it is dated 2037-11-04, by a clock that was ahead and was set right on 2026-11-22" in missing.words
    )
    assert len(verdict.voided) == 1
    assert not verdict.approvals
    with pytest.raises(FalseworkError, match="has to be taken again"):
        deliver(desk_of(path), at=AFTER)
    write_reports(desk_of(path), at=AFTER, out=tmp_path / "report")
    report = json.loads((tmp_path / "report" / VALUES).read_text())
    assert (
        "was set right to 2026-11-22T12:00:00.000000Z by Anna, producer" in report["ledger"]["corrections"][0]
    )
    assert any("has to be taken again" in one["void"] for one in report["decisions"])
    assert "was set right to" in (tmp_path / "report" / "clearance.html").read_text()
    # the very same words as before
    _, verdict = approve_shot(desk_of(path), by="ada", role="producer", why="fine", at=AFTER)
    assert not verdict.blockers
    assert deliver(desk_of(path), at=AFTER).folder.is_dir()


def test_a_rejection_that_was_withdrawn_by_a_misdated_approval_stands(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approved(path)
    reject_shot(desk_of(path), by="ben", role="director", why="too dark", at=AT)
    approve_shot(desk_of(path), by="ben", role="director", why="fine", at=AHEAD)
    with desk_of(path).open_ledger() as ledger:
        corrected(ledger, AFTER)
    with pytest.raises(FalseworkError, match="rejected by"):
        deliver(desk_of(path), at=AFTER)
    approve_shot(desk_of(path), by="ben", role="director", why="fine", at=AFTER)
    assert deliver(desk_of(path), at=AFTER).folder.is_dir()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "l.sqlite"
    now = datetime.now(UTC)
    with Ledger.open(where) as ledger:
        ledger.append([ANNA, decision()], at=now + timedelta(days=900))
    asked = [
        "ledger",
        "clock",
        str(where),
        "--by",
        "Anna",
        "--role",
        "producer",
        "--reason",
        "flat\x1b battery",
    ]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "event 2: the clock stood at" in said
    assert "by Anna, producer" in said
    assert "to be decided again: approval" in said
    assert "\x1b" not in said
    assert where.with_name("l.sqlite.anchors.jsonl").is_file()
    assert main(["ledger", "verify", str(where)]) == 0
    said = capsys.readouterr().out
    assert "was set right to" in said
    assert "agrees with 1 anchor" in said
    assert main(["ledger", "verify", str(where), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["corrections"]) == 1
    assert main(asked) == 2
    assert "the clock was not ahead" in capsys.readouterr().err
    assert main([*asked[:-1], " "]) == 2
    assert "--reason is empty" in capsys.readouterr().err
