"""Several processes, kills, a full disk, and the same in PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.rights.ledger import Ledger
from ledgers import AT, one_of_each, people

AT_WORK = Path(__file__).parent / "ledger_at_work.py"


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
