"""Imports that run again, at once, or were killed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalogue_files import file_of, lines_of, refusals
from falsework.catalogue import importing
from falsework.catalogue.database import Catalogue
from falsework.catalogue.importing import import_file
from falsework.catalogue.records import Title
from falsework.errors import FalseworkError

AT_WORK = Path(__file__).parent / "catalogue_at_work.py"


def test_a_dry_run_counts_and_writes_nothing(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.upsert([Title("1", "A"), Title("2", "B")])
    file = file_of(tmp_path, "id,title\n1,A\n2,Changed\n3,New\n3,Again\n")
    told = import_file(catalogue, file, dry_run=True)
    assert (told.added, told.changed, told.unchanged, len(told.refused)) == (1, 1, 1, 1)
    assert catalogue.revision == 1
    done = import_file(catalogue, file)
    assert (done.added, done.changed, done.unchanged, done.refused) == (1, 1, 1, told.refused)


def test_an_import_goes_on_where_it_stopped(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 10)
    rows = ["id,title,year"] + [
        f"{number},T{number},{'x' if number % 7 == 0 else 2000}" for number in range(100)
    ]
    rows += ["5,Again,2000", "7,Now with a year,2000"]
    file = file_of(tmp_path, "\n".join(rows))

    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > 50:
            raise StoppedError

    with pytest.raises(StoppedError):
        import_file(catalogue, file, progress=stop)
    part = catalogue.count()
    assert 0 < part < 86
    done = import_file(catalogue, file)
    assert done.went_on == 51
    assert (done.rows, done.added, len(done.refused)) == (102, 86, 16)
    assert refusals(done)[102] == "line 7 has the same id"
    seven = catalogue.title("7")
    assert seven is not None
    assert seven.title == "Now with a year"
    assert list(refusals(done)) == [*range(2, 102, 7), 102]
    assert import_file(catalogue, file).refused == done.refused


def test_an_import_begins_again_where_others_have_written_since(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 10)
    file = file_of(tmp_path, "id,title\n" + "".join(f"{number},T{number}\n" for number in range(30)))

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(catalogue, file, progress=stop)
    catalogue.remove(["3"])
    catalogue.upsert([Title("4", "Another")])
    done = import_file(catalogue, file)
    assert (done.went_on, done.rows, done.added, done.changed) == (0, 30, 21, 1)
    assert {one.title for one in catalogue.every()} == {f"T{number}" for number in range(30)}


def test_sigkill_in_the_middle_of_an_import(catalogue_url: str, tmp_path: Path) -> None:
    count = 600
    file = file_of(
        tmp_path,
        lines_of(*({"id": n, "title": f"T{n}", "cast": ["A", f"B{n}"]} for n in range(count))),
        "t.jsonl",
    )
    with Catalogue.open(tmp_path / "whole.db") as catalogue:
        import_file(catalogue, file)
        whole = list(catalogue.every())
    chance = random.Random(5)
    before, kills = 0, 0
    while True:
        process = subprocess.Popen(
            [sys.executable, str(AT_WORK), "import", catalogue_url, str(file), "20"], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        said = process.stdout.read(chance.randint(1, 5))  # a dot for each chunk
        time.sleep(chance.uniform(0, 0.02))
        process.kill()
        said += process.stdout.read()
        ended = process.wait(30) == 0
        with Catalogue.open(catalogue_url) as catalogue:
            there = catalogue.count()
        assert there % 20 == 0, "a chunk is in the catalogue whole or not at all"
        assert there >= min(before + 20 * len(said), count), "what was told as done is there"
        kills += not ended
        before = there
        if ended or there == count:
            break
    assert kills > 1
    with Catalogue.open(catalogue_url) as catalogue:
        revision = catalogue.revision
        assert revision == count // 20, "no chunk was done twice"
        done = import_file(catalogue, file)
        assert (done.rows, done.added, done.refused) == (count, 0 if done.before else count, ())
        assert catalogue.revision == revision
        assert list(catalogue.every()) == whole


def test_two_imports_of_one_file_do_not_disturb_each_other(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 2)
    file = file_of(tmp_path, "id,title\n" + "".join(f"{n},T\n" for n in range(10)))
    inner: list[int] = []

    def another(done: int, total: int) -> None:
        if not inner:
            inner.append(import_file(catalogue, file).rows)

    with pytest.raises(FalseworkError, match="another import of this file"):
        import_file(catalogue, file, progress=another)
    assert (inner, catalogue.count()) == ([10], 10)
