"""Every kind of tampering is named, and every flipped byte of an event is found."""

from __future__ import annotations

import json
import random
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.rights.anchors import Anchor, anchors_beside, read_anchors
from falsework.rights.events import BEFORE_ALL, Event
from falsework.rights.ledger import Ledger
from falsework.rights.records import Activity, Party
from falsework.rights.tampering import Link, check
from ledgers import AT, faults_of, filled, first_of, one_of_each, people, tamper


@pytest.mark.parametrize("last", [False, True], ids=["within", "the last"])
def test_an_edited_event_is_named(tmp_path: Path, last: bool) -> None:
    path = filled(tmp_path / "l", people(30))
    number = 29 if last else 17
    tamper(
        path,
        f"UPDATE ledger_events SET payload = replace(payload, 'Person', 'Nobody') WHERE sequence = {number}",
    )
    assert first_of(path) == ("edited", number)
    tamper(path, f"UPDATE ledger_events SET payload = CAST(payload AS BLOB) WHERE sequence = {number}")
    assert [(fault.kind, fault.event) for fault in faults_of(path)] == [("edited", number)]


@pytest.mark.parametrize("number", [0, 17, 29])
def test_an_event_edited_with_its_digest_is_named(tmp_path: Path, number: int) -> None:
    path = filled(tmp_path / "l", people(30))
    with Ledger.open(path) as ledger:
        events = ledger.events()
    old = events[number]
    forged = Event.of(
        Party(id=old.id, type="person", name="Nobody"), sequence=number, at=old.time, previous=old.previous
    )
    tamper(
        path,
        f"UPDATE ledger_events SET payload = x'{forged.payload.hex()}', digest = x'{forged.digest.hex()}' "
        f"WHERE sequence = {number}",
    )
    assert first_of(path) == ("edited", number)


def test_removed_events_are_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", people(30))
    tamper(path, "DELETE FROM ledger_events WHERE sequence IN (4, 11, 12)")
    assert [(fault.kind, fault.event) for fault in faults_of(path)] == [("removed", 4), ("removed", 11)]
    assert "events 11 to 12 are removed" in faults_of(path)[1].words


def test_anchors_do_not_name_what_is_named_already(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", people(30))
    with Ledger.open(path) as ledger:
        ledger.anchor(at=AT)
        ledger.append(people(2, start=30), at=AT)
        ledger.anchor(at=AT)
    tamper(path, "DELETE FROM ledger_events WHERE sequence = 4")
    assert [(fault.kind, fault.event) for fault in faults_of(path)] == [("removed", 4)]
    tamper(path, "DELETE FROM ledger_events WHERE sequence >= 20")
    assert [(fault.kind, fault.event) for fault in faults_of(path)] == [("removed", 4), ("truncated", 20)]


def test_a_closed_gap_is_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", people(30))
    tamper(
        path,
        "DELETE FROM ledger_events WHERE sequence = 4",
        "UPDATE ledger_events SET sequence = -sequence WHERE sequence > 4",
        "UPDATE ledger_events SET sequence = -sequence - 1 WHERE sequence < 0",
    )
    kinds = {(fault.kind, fault.event) for fault in faults_of(path)}
    assert ("removed", 4) in kinds
    assert faults_of(path)[0].event == 4


def test_reordered_events_are_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", people(30))
    tamper(
        path,
        "UPDATE ledger_events SET sequence = -7 WHERE sequence = 7",
        "UPDATE ledger_events SET sequence = 7 WHERE sequence = 20",
        "UPDATE ledger_events SET sequence = 20 WHERE sequence = -7",
    )
    assert [(fault.kind, fault.event) for fault in faults_of(path)] == [("reordered", 7), ("reordered", 20)]


def test_a_cut_end_is_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", people(30))
    tamper(path, "DELETE FROM ledger_events WHERE sequence >= 27")
    assert first_of(path) == ("truncated", 27)


def test_events_added_behind_are_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", people(30))
    with Ledger.open(path) as ledger:
        last = ledger.events()[-1]
    more = Event.of(people(1, start=30)[0], sequence=30, at=AT, previous=last.digest)
    tamper(
        path,
        f"INSERT INTO ledger_events VALUES (30, x'{more.payload.hex()}', x'{more.digest.hex()}')",
    )
    assert first_of(path) == ("added", 30)
    tamper(path, "UPDATE ledger_events SET sequence = 99 WHERE sequence = 30")
    assert first_of(path)[1] == 30


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_head SET size = 12",
        "UPDATE ledger_head SET size = 4000000000000",
        "UPDATE ledger_head SET size = 'many'",
        "UPDATE ledger_head SET root = zeroblob(32)",
        "UPDATE ledger_head SET last = zeroblob(31)",
        "UPDATE ledger_head SET last = zeroblob(32)",
        "DELETE FROM ledger_head",
        "DROP TABLE ledger_head",
        "DROP TABLE ledger_events",
        "CREATE TRIGGER quiet AFTER INSERT ON ledger_events BEGIN DELETE FROM ledger_events; END",
        "CREATE VIEW more AS SELECT 1",
        "ALTER TABLE ledger_events RENAME COLUMN digest TO hash",
        "UPDATE ledger_events SET sequence = -5 WHERE sequence = 5",
        "DELETE FROM ledger_events",
    ],
)
def test_other_damage_is_found_and_nothing_is_built_on_it(tmp_path: Path, statement: str) -> None:
    path = filled(tmp_path / "l", people(30))
    tamper(path, statement)
    assert faults_of(path)
    before = path.read_bytes()
    with pytest.raises(FalseworkError), Ledger.open(path, create=False) as ledger:
        ledger.append(people(1, start=99), at=AT)
    assert path.read_bytes() == before


def test_only_anchors_show_a_cut_end_with_its_head_and_a_rewriting(tmp_path: Path) -> None:
    path, shorter, other = tmp_path / "l", tmp_path / "shorter", tmp_path / "other"
    for start in range(0, 30, 10):
        with Ledger.open(path) as ledger:
            ledger.append(people(10, start=start), at=AT)
            ledger.anchor(at=AT)
    assert faults_of(path) == []
    filled(shorter, people(25))
    filled(other, [*people(14), *people(16, start=100)])
    for forged in (shorter, other):
        assert faults_of(forged) == []
        shutil.copy(anchors_beside(path), anchors_beside(forged))
    assert first_of(shorter) == ("truncated", 25)
    assert first_of(other) == ("rewritten", 10)
    assert "events 10 to 19" in faults_of(other)[0].words
    # Anchors from elsewhere, a delivery for instance, count just as much.
    anchors, _ = read_anchors(anchors_beside(path))
    anchors_beside(other).unlink()
    with Ledger.open(other) as ledger:
        assert ledger.verify() == []
        assert [fault.kind for fault in ledger.verify(anchors)] == ["rewritten"]
        assert ledger.verify(anchors[:1]) == []


def test_anchors_survive_and_damaged_ones_are_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", people(12))
    beside = anchors_beside(path)
    beside.write_bytes(b'{"size": 3, "ro')  # killed while writing
    with Ledger.open(path) as ledger:
        anchor = ledger.anchor(at=AT, stamp=lambda statement: statement[:5])
        assert anchor.token == anchor.statement()[:5]
        assert read_anchors(beside) == ([anchor], [1])
        assert [(fault.kind, fault.event) for fault in ledger.verify()] == [("anchor", None)]
    assert Anchor.from_json(json.loads(json.dumps(anchor.to_json()))) == anchor
    for bad in ([], {}, {**anchor.to_json(), "size": -1}, {**anchor.to_json(), "root": "00"},
                {**anchor.to_json(), "time": "yesterday"}, {**anchor.to_json(), "token": "?"}):  # fmt: skip
        with pytest.raises(ValueError):
            Anchor.from_json(bad)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_of_rows_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Deletions, swaps, copies and edits at random, with or without their digests made to fit."""
    path = filled(tmp_path_factory.mktemp("l") / "l", people(12))
    number = st.integers(0, 11)
    one, two = data.draw(number), data.draw(number)
    change = data.draw(
        st.sampled_from(
            [
                f"DELETE FROM ledger_events WHERE sequence BETWEEN {min(one, two)} AND {max(one, two)}",
                f"UPDATE ledger_events SET sequence = sequence + 100 WHERE sequence >= {one}",
                "INSERT INTO ledger_events SELECT 12, payload, digest FROM ledger_events "
                f"WHERE sequence = {one}",
                f"UPDATE ledger_events SET digest = zeroblob(32) WHERE sequence = {one}",
                f"UPDATE ledger_events SET payload = x'' WHERE sequence = {one}",
                "UPDATE ledger_events SET (payload, digest) = (SELECT payload, digest FROM ledger_events "
                f"WHERE sequence = {(one + 1) % 12}) WHERE sequence = {one}",
            ]
        )
    )
    tamper(path, change)
    faults = faults_of(path)
    assert faults
    assert faults[0].event is not None


# Flipped bytes


def spans_of(content: bytes, events: list[Event]) -> list[tuple[int, int]]:
    """Where payloads and digests of the events lie in the file."""
    spans = []
    for event in events:
        for part in (event.payload, event.digest):
            start = content.find(part)
            assert start >= 0
            spans.append((start, len(part)))
    return spans


def test_a_thousand_flipped_bytes_of_events_are_all_detected(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", [*one_of_each(), *people(16)])
    with Ledger.open(path) as ledger:
        events = ledger.events()
    content = path.read_bytes()
    places = [place for start, length in spans_of(content, events) for place in range(start, start + length)]
    chance = random.Random(6962)
    missed = []
    for _ in range(1000):
        place, change = chance.choice(places), chance.randint(1, 255)
        flipped = bytearray(content)
        flipped[place] ^= change
        path.write_bytes(flipped)
        if not faults_of(path):
            missed.append((place, change))
    assert missed == []


def holds_no_event(content: bytes, place: int) -> bool:
    """Whether a byte lies where SQLite keeps nothing of an event (its file format, 1.3, 1.6): in the page of
    file header and schema, between a page's cell pointers and cells, or behind the end of a long cell."""
    number, offset = divmod(place, 4096)
    page = content[number * 4096 : (number + 1) * 4096]
    if number == 0:
        return True
    if page[0] not in (
        5,
        13,
    ):  # neither node nor leaf of a table: a page of a long cell, filled up with zeros
        return offset >= len(page.rstrip(bytes(1)))
    header = 12 if page[0] == 5 else 8
    cells, start = int.from_bytes(page[3:5]), int.from_bytes(page[5:7])
    return header + 2 * cells <= offset < start


def test_a_flip_anywhere_is_detected_or_is_where_no_event_is(tmp_path: Path) -> None:
    """The whole file: header, page tables, free space, and an event that spreads over pages of its own."""
    large = Activity(id="large", type="render", parameters={"note": "x" * 9000})
    path = filled(tmp_path / "l", [*one_of_each(), large, *people(16)])
    with Ledger.open(path) as ledger:
        events, root = ledger.events(), ledger.root()
    content = path.read_bytes()
    chance = random.Random(3161)
    for _ in range(500):
        place, change = chance.randrange(len(content)), chance.randint(1, 255)
        flipped = bytearray(content)
        flipped[place] ^= change
        path.write_bytes(flipped)
        if not faults_of(path):
            assert holds_no_event(content, place)
            with Ledger.open(path, create=False) as ledger:
                assert (ledger.events(), ledger.root()) == (events, root)


def test_a_clock_that_was_set_back_is_named(tmp_path: Path) -> None:
    def chained(*days: float) -> list[Link]:
        links, previous = [], BEFORE_ALL
        for number, day in enumerate(days):
            event = Event.of(_party(number), sequence=number, at=AT + timedelta(days=day), previous=previous)
            links.append(Link(number, number, previous, event.digest, event.time))
            previous = event.digest
        return links

    assert [one.kind for one in check(chained(0, 3, 2.5, 4), None)] == []
    faults = check(chained(0, 13, 1, 2, 14), None)
    assert [(one.kind, one.event) for one in faults] == [("time", 2)]
    assert "the clock was set back" in faults[0].words
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append([_party(0)], at=AT)
        with pytest.raises(FalseworkError, match="by this clock"):
            ledger.append([_party(1)], at=AT - timedelta(days=2))
        (event,) = ledger.append([_party(1)], at=AT - timedelta(hours=2))
        assert event.time == AT  # it began before, and is written after
        with pytest.raises(FalseworkError, match="meanwhile"):
            ledger.append([_party(2)], at=AT, after=1)
        assert ledger.size == 2
        assert ledger.append([_party(2)], at=AT, after=2)
        assert ledger.verify() == []


def _party(number: int) -> Party:
    return Party(id=f"party:p{number}", type="person", name=f"P {number}")
