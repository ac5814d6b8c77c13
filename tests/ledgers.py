"""Records and ledgers for the tests of the rights room."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.rights.ledger import Fault, Ledger
from falsework.rights.records import Activity, Asset, Decision, Finding, Grant, Party, Record, asset_id

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def digest(number: int) -> str:
    return asset_id(f"{number:064x}")


def people(count: int, start: int = 0) -> list[Record]:
    return [
        Party(id=f"party:p{number}", type="person", name=f"Person {number}", roles=("compositor",))
        for number in range(start, start + count)
    ]


def one_of_each() -> list[Record]:
    """A plate, a cut made from it under a licence, a finding, and a named human's approval."""
    return [
        Party(
            id="party:anna",
            type="person",
            name="Anna Ångström",
            roles=("VFX supervisor",),
            member_of=("party:iatse",),
        ),
        Party(id="party:iatse", type="union", name="IATSE"),
        Asset(id=digest(1), type="plate", name="plate", creator="party:anna", facts={"in_public": True}),
        Asset(id=digest(2), type="cut", name="cut", parts={"0001.exr": "0" * 64}),
        Activity(
            id="comp of cut 2",
            type="comp",
            used=(digest(1), digest(3)),
            generated=(digest(2),),
            agent="party:anna",
            parameters={"gain": 1.5, "layers": ["dust", "debris"]},
            seed=7,
            offline=True,
            started=AT,
        ),
        Grant(
            id="grant:1",
            type="licence",
            given_by="party:anna",
            assets=(digest(1),),
            licence="CC-BY-SA-4.0",
            basis="item",
            ends=AT,
        ),
        Finding(
            id="finding:1",
            rule="NFX-1",
            subject=digest(2),
            outcome="pass",
            words="declared",
            evidence=("grant:1",),
        ),
        Decision(
            id="decision:1",
            type="approval",
            by="party:anna",
            role="producer",
            subject=digest(2),
            saw=(digest(1), "finding:1"),
            why="it is good",
        ),
    ]


def filled(path: Path, records: Sequence[Record]) -> Path:
    """A closed ledger with one transaction for every ten records."""
    with Ledger.open(path) as ledger:
        for start in range(0, len(records), 10):
            ledger.append(records[start : start + 10], at=AT)
    return path


def tamper(path: Path, *statements: str) -> None:
    """Change the file behind the ledger's back."""
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


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
