"""Data sets over many runs: pictures that come later, buildings that fail, runs that are stopped."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import time
from functools import partial
from pathlib import Path

import pytest

from falsework.datasets import work
from falsework.datasets.croissant import describe
from falsework.datasets.shards import write_shard
from falsework.datasets.work import build
from falsework.datasets.workers import in_processes
from falsework.errors import FalseworkError
from recipes import one_more, write_recipe


@pytest.fixture
def recipe(shared: Path, tmp_path: Path) -> Path:
    (tmp_path / "recipe").mkdir()
    return write_recipe(shared, tmp_path / "recipe")


def test_a_set_grows_with_the_pictures_that_it_was_begun_with(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[work.Plan] = []

    def empty(plan: work.Plan, index: int) -> None:
        given.append(plan)
        write_shard(work._shard(plan, index), [])

    monkeypatch.setattr(work, "make_shard", empty)
    build(recipe, tmp_path / "set", count=1)
    said: list[str] = []
    with one_more(recipe) as another:
        assert build(recipe, tmp_path / "set", count=2, say=said.append).made == 1
        assert another in said[0]
        before, after = given
        assert after.pictures == before.pictures
        assert work.redrawn(after, 1) == work.redrawn(before, 1)
        build(recipe, tmp_path / "new", count=1)
        assert another in {asset.file for asset in given[-1].pictures}


def test_a_building_that_fails_unforeseen_is_passed_over_and_tried_last(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def some(plan: work.Plan, index: int) -> None:
        asked.append(index)
        if index in (1, 2):
            raise ValueError("array of odd shape")
        write_shard(work._shard(plan, index), [])

    monkeypatch.setattr(work, "make_shard", some)
    out = tmp_path / "set"
    first = build(recipe, out, count=4)
    assert asked == [0, 1, 2, 3]
    assert first.made == 2
    assert set(first.failed) == {1, 2}
    assert "ValueError: array of odd shape" in first.failed[1]
    assert "in some\n" in json.loads((out / work.FAILED).read_text())["1"][1]  # where it came about
    build(recipe, out, count=6)
    assert asked[4:] == [4, 5, 1, 2]
    monkeypatch.setattr(work, "make_shard", lambda plan, index: write_shard(work._shard(plan, index), []))
    assert build(recipe, out, count=6).failed == {}
    assert not (out / work.FAILED).exists()


def test_what_fails_for_every_building_stops_a_new_set(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(plan: work.Plan, index: int) -> None:
        raise ValueError("no card")

    monkeypatch.setattr(work, "make_shard", none)
    for _ in range(2):  # and so it does the second time
        with pytest.raises(FalseworkError, match="no card"):
            build(recipe, tmp_path / "set", count=5)


def _late(folder: Path, number: int) -> None:
    """Number 0 at once, the others after a while, and with an end that is told of."""
    if number == 1:
        raise ValueError("one")
    try:
        (folder / f"began{number}").touch()
        time.sleep(number)
        (folder / f"done{number}").touch()
    finally:
        (folder / f"left{number}").touch()


def test_an_interrupted_run_ends_its_workers(tmp_path: Path) -> None:
    outcomes = in_processes(partial(_late, tmp_path), [0, 40, 41], 2)
    assert next(outcomes)[0] == 0
    while not list(tmp_path.glob("began4*")):
        time.sleep(0.01)
    with pytest.raises(KeyboardInterrupt):
        outcomes.throw(KeyboardInterrupt)
    assert multiprocessing.active_children() == []
    assert not list(tmp_path.glob("done4*"))
    assert len(list(tmp_path.glob("left4*"))) == len(
        list(tmp_path.glob("began4*"))
    )  # it had time to end what it had begun


def test_a_fault_in_a_worker_is_told_with_its_traceback(tmp_path: Path) -> None:
    outcomes = dict(in_processes(partial(_late, tmp_path), [0, 1], 2))
    assert outcomes[0] is None
    fault = outcomes[1]
    assert isinstance(fault, FalseworkError)
    assert "ValueError: one" in fault.sentence()
    assert "in _late" in fault.__notes__[0]


@pytest.mark.parametrize("fault", ["gone", "cut"])
def test_a_damaged_set_is_not_described(tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "set"
    shutil.copytree(Path(__file__).parents[1] / "examples" / "dataset" / "sample", folder)
    shard = next(iter(sorted(folder.glob("*/b*.tar"))))
    if fault == "gone":
        shard.unlink()
    else:
        shard.write_bytes(shard.read_bytes()[:90_000])
    with pytest.raises(FalseworkError, match=r"a shard that is gone|not the shard that was built"):
        describe(folder)
