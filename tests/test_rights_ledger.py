"""The ledger: appends, reading, proofs, and opening what is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.rights import merkle
from falsework.rights.ledger import Ledger
from falsework.rights.records import Activity, Party
from ledgers import AT, faults_of, filled, one_of_each, people, tamper


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
