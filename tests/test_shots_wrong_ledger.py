"""A ledger that is not the true one: nobody decides in it, and the way back from it is open."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from falsework.cli.main import main
from falsework.errors import FalseworkError
from falsework.shots.clearing.delivering import deliver
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import approve_shot, judge
from test_shots_clearing import AT, approved, delivered, shot_in


def kept(ledger: Path, copy: Path) -> None:
    """A copy, as a backup makes it."""
    with sqlite3.connect(ledger) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    target.close()
    source.close()


def brought_back(copy: Path, ledger: Path) -> None:
    for file in ledger.parent.glob("ledger.db*"):
        if not file.name.endswith(".jsonl"):
            file.unlink()
    ledger.write_bytes(copy.read_bytes())


def test_what_is_tried_on_a_wrong_copy_does_not_bar_the_true_ledger(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    delivered(path)
    ledger = tmp_path / "rights" / "ledger.db"
    kept(ledger, tmp_path / "yesterday.db")
    approve_shot(desk_of(path), by="ada", role="producer", why="seen again", at=AT)
    kept(ledger, tmp_path / "true.db")
    brought_back(tmp_path / "yesterday.db", ledger)
    for tried in (lambda: judge(desk_of(path), at=AT), lambda: approved(path)):
        with pytest.raises(FalseworkError, match="the end was cut off"):
            tried()
    brought_back(tmp_path / "true.db", ledger)
    assert deliver(desk_of(path), at=AT).folder.is_dir()


def test_a_clock_that_was_ahead_is_no_dead_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shot_in(tmp_path)
    approved(path)
    ledger = tmp_path / "rights" / "ledger.db"
    kept(ledger, tmp_path / "before.db")
    approve_shot(desk_of(path), by="ada", role="producer", why="ok", at=AT + timedelta(days=400))
    with pytest.raises(FalseworkError, match="Set the clock right") as refused:
        judge(desk_of(path), at=AT)
    assert "retire the anchors" in refused.value.todo
    brought_back(tmp_path / "before.db", ledger)
    with pytest.raises(FalseworkError, match="can be retired"):
        judge(desk_of(path), at=AT)
    anchors = tmp_path / "rights" / "ledger.db.anchors.jsonl"
    anchors.rename(tmp_path / "retired.jsonl")
    assert main(["ledger", "anchor", str(ledger)]) == 0
    assert deliver(desk_of(path), at=AT).folder.is_dir()
