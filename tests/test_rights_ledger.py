"""The ledger: appends, proofs, two processes, kills, and every kind of tampering named."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.rights import merkle
from falsework.rights.anchors import Anchor, anchors_beside, read_anchors
from falsework.rights.events import Event
from falsework.rights.ledger import Fault, Ledger
from falsework.rights.records import Activity, Party
from ledgers import AT, filled, one_of_each, people, tamper

HERE = Path(__file__).parent
AT_WORK = HERE / "ledger_at_work.py"


def faults_of(path: Path) -> list[Fault]:
    """What `verify` says, a file that cannot even be opened being one fault."""
    try:
        with Ledger.open(path, create=False) as ledger:
            return ledger.verify()
    except FalseworkError as error:
        words = error.sentence()
    assert words.endswith(".")
    return [Fault("unreadable", None, words)]


def first_of(path: Path) -> tuple[str, int | None]:
    return faults_of(path)[0].kind, faults_of(path)[0].event


# Appending and reading


def test_append_read_and_open_again(tmp_path: Path) -> None:
    path = tmp_path / "rights" / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        assert (ledger.size, ledger.root(), ledger.events(), ledger.verify()) == (
            0,
            merkle.EMPTY_ROOT,
            [],
            [],
        )
        events = ledger.append(one_of_each(), at=AT)
        assert [event.record() for event in events] == one_of_each()
        assert [event.sequence for event in events] == list(range(len(events)))
        assert ledger.events() == events
    assert not path.with_name(path.name + "-wal").exists()
    with Ledger.open(path, create=False) as ledger:
        assert ledger.events(3) == events[3:]
        assert ledger.events() == events
        assert ledger.root() == merkle.root([event.digest for event in events])
        assert ledger.verify() == []


def test_the_same_again_is_not_written(tmp_path: Path) -> None:
    anna, other = (
        Party(id="party:a", type="person", name="Anna"),
        Party(id="party:a", type="person", name="Änne"),
    )
    with Ledger.open(tmp_path / "l") as ledger:
        assert len(ledger.append([anna, anna], at=AT)) == 1
        assert ledger.append([anna], at=AT) == []
        assert len(ledger.append([other, anna, anna], at=AT)) == 2
    with Ledger.open(tmp_path / "l") as ledger:
        assert ledger.append([anna], at=AT) == []
        assert len(ledger.append([other], at=AT)) == 1
        # The same id in another kind is another thing.
        assert len(ledger.append([Activity(id="party:a", type="render")], at=AT)) == 1
        assert len(ledger.append(people(1200), at=AT)) == 1200
        assert ledger.append(people(1200), at=AT) == []


def test_all_or_none_are_written(tmp_path: Path) -> None:
    bad = Activity(id="bad", type="render", parameters={"x": float("nan")})
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append(people(2), at=AT)
        with pytest.raises(FalseworkError, match="JSON"):
            ledger.append([*people(3, start=2), bad], at=AT)
        assert (ledger.size, ledger.verify()) == (2, [])
        assert len(ledger.append(people(3, start=2), at=AT)) == 3
        assert ledger.verify() == []


def test_two_open_ledgers_see_each_other(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as one, Ledger.open(tmp_path / "l") as two:
        for number in range(6):
            (one if number % 2 else two).append(people(1, start=number), at=AT)
        assert one.events() == two.events()
        assert one.root() == two.root()
        assert one.append(people(6), at=AT) == []


def test_threads_may_share_a_ledger(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as ledger, ThreadPoolExecutor(4) as pool:
        appended = pool.map(lambda number: ledger.append(people(2, start=2 * number), at=AT), range(30))
        sequences = sorted(event.sequence for events in appended for event in events)
        assert sequences == list(range(60))
        assert ledger.verify() == []


def test_proofs(tmp_path: Path) -> None:
    with Ledger.open(filled(tmp_path / "l", people(37))) as ledger:
        for sequence in range(37):
            proof = ledger.inclusion(sequence)
            assert proof.holds()
            assert (proof.size, proof.root) == (37, ledger.root())
        for old in range(38):
            assert merkle.verify_consistency(
                old, ledger.root(old), 37, ledger.root(), ledger.consistency(old)
            )
        for bad in (-1, 37):
            with pytest.raises(FalseworkError, match="there is no event"):
                ledger.inclusion(bad)
        with pytest.raises(FalseworkError, match="37 events"):
            ledger.root(38)


# Opening what is none


def test_what_is_no_ledger_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database" * 100)
    (tmp_path / "empty").write_bytes(b"")
    tamper(tmp_path / "other", "CREATE TABLE films (name TEXT)")
    films = (tmp_path / "other").read_bytes()
    for name in ("text", "empty", "other", "absent", "no/such/folder"):
        with pytest.raises(FalseworkError) as caught:
            Ledger.open(tmp_path / name, create=False)
        assert str(tmp_path / name) in caught.value.sentence()
        assert caught.value.todo
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "other", "text"]
    assert (tmp_path / "empty").read_bytes() == b""
    with pytest.raises(FalseworkError):
        Ledger.open(tmp_path)
    with pytest.raises(FalseworkError, match="is no ledger"):
        Ledger.open(tmp_path / "other")
    assert (tmp_path / "other").read_bytes() == films


def test_a_password_is_in_no_error() -> None:
    for url in (
        "postgresql+psycopg://anna:sesame@127.0.0.1:1/rights?connect_timeout=2",
        "mysql://anna:sesame@host/rights",
        "postgresql+psycopg://anna@127.0.0.1:1/rights?connect_timeout=2&password=sesame",
        "postgresql+nosuch://anna:sesame@host/rights",
        "postgresql+psycopg://anna:sesame@host:port/rights",
    ):
        with pytest.raises(FalseworkError) as caught:
            Ledger.open(url)
        assert "sesame" not in caught.value.sentence()


def test_read_only_folders_can_be_verified(tmp_path: Path) -> None:
    path = filled(tmp_path / "l", people(12))
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        assert faults_of(path) == []
        tmp_path.chmod(0o700)
        return
    # Root may write everywhere: let another user look.
    folder = Path(tempfile.mkdtemp(prefix="falsework-ledger-"))
    try:
        shutil.copy(path, folder / "l")
        folder.chmod(0o555)
        program = (
            "import os, sys; from falsework.rights.ledger import Ledger; os.setgid(65534); os.setuid(65534);"
            "ledger = Ledger.open(sys.argv[1], create=False); print(ledger.size, ledger.verify())"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder / "l")], capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == "12 []", done.stderr
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


# Tampering


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
    path = filled(tmp_path / "l", [*one_of_each(), *people(40)])
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
    path = filled(tmp_path / "l", [*one_of_each(), large, *people(40)])
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


# Several processes


def at_work(task: str, where: str, first: int, second: int) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, str(AT_WORK), task, where, str(first), str(second)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_race(where: str, children: int, count: int) -> None:
    (said,) = at_work("race", where, children, count)
    assert said["codes"] == [0] * children
    with Ledger.open(where) as ledger:
        assert ledger.verify() == []
        written = [event.id for event in ledger.events()]
    assert sorted(written) == sorted(record.id for record in people(children * count))


def test_processes_appending_at_once_lose_nothing(tmp_path: Path) -> None:
    check_race(str(tmp_path / "l"), 3, 60)


def check_kills(where: str, rounds: int) -> None:
    before = 0
    for said in at_work("kill", where, rounds, 9):
        finished, size = said["finished"], said["size"]
        assert isinstance(finished, int)
        assert isinstance(size, int)
        assert said["faults"] == []
        assert (size - before) % 40 == 0, "a batch is in the ledger whole or not at all"
        assert size - before >= 40 * finished, "what was acknowledged is there"
        before = size
    assert before > 0


def test_sigkill_in_the_middle_of_an_append(tmp_path: Path) -> None:
    check_kills(str(tmp_path / "l"), 36)


def test_a_full_disk_is_told_and_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "l"
    (said,) = at_work("fill", str(path), 200_000, 0)
    assert isinstance(said["finished"], int)
    assert said["finished"] > 0
    assert str(path) in str(said["words"])
    with Ledger.open(path) as ledger:
        assert (ledger.size, ledger.verify()) == (said["finished"], [])
        assert ledger.append(people(1, start=10**6), at=AT)


# PostgreSQL


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, on a socket in a temporary folder."""
    pytest.importorskip("psycopg", reason="the driver for PostgreSQL (extra `rights`) is not installed")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(programs[-1]) if programs else None)
    if found is None:
        pytest.skip("PostgreSQL's server is not installed here")
    programs_folder = Path(found).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="falsework-pg-"))
    who: dict[str, object] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        os.chown(folder, 65534, 65534)
        who = {"user": 65534, "group": 65534, "extra_groups": []}

    def run(*words: str) -> None:
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, cwd=folder, stdin=subprocess.DEVNULL, **who
        )  # type: ignore[call-overload]
        if done.returncode:
            pytest.skip(f"PostgreSQL could not be started: {done.stderr.strip()[-300:]}")

    data = folder / "data"
    control = str(programs_folder / "pg_ctl")
    try:
        run(found, "--auth=trust", "--username=falsework", "--no-sync", "--encoding=UTF8", "-D", str(data))
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run(control, "-w", "-D", str(data), "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://falsework:sesame@/postgres?host={folder}"
        finally:
            subprocess.run(
                [control, "-w", "-D", str(data), "-m", "immediate", "stop"],
                capture_output=True, check=False, cwd=folder, **who,
            )  # type: ignore[call-overload]  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres: str) -> str:
    """The same with no ledger in it."""
    import psycopg

    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS ledger_events, ledger_head")
    return postgres


def test_postgres_holds_a_ledger(database: str, tmp_path: Path) -> None:
    import psycopg

    with pytest.raises(FalseworkError, match="is no ledger"):
        Ledger.open(database, create=False)
    with Ledger.open(database, anchors=tmp_path / "anchors") as ledger:
        events = ledger.append(one_of_each(), at=AT)
        assert ledger.append(one_of_each(), at=AT) == []
        assert (ledger.events(), ledger.verify()) == (events, [])
        assert ledger.inclusion(3).holds()
        ledger.anchor(at=AT)
        assert "sesame" not in ledger.where
    with Ledger.open(tmp_path / "l") as same:
        same.append(one_of_each(), at=AT)
        with Ledger.open(database) as ledger:
            assert ledger.root() == same.root(), "the same events have the same root wherever they lie"
            with pytest.raises(FalseworkError, match="anchors"):
                ledger.anchor(at=AT)
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE ledger_events SET digest = payload WHERE sequence = 4")
    with Ledger.open(database, anchors=tmp_path / "anchors") as ledger:
        assert [(fault.kind, fault.event) for fault in ledger.verify()] == [("edited", 4)]
        with pytest.raises(FalseworkError, match="event 4"):
            ledger.append(people(1), at=AT)


def test_processes_appending_to_postgres_at_once_lose_nothing(database: str) -> None:
    check_race(database, 3, 40)


def test_sigkill_while_appending_to_postgres(database: str) -> None:
    check_kills(database, 8)
