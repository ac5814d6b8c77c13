"""The embedded engine: the suite, and what is its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.search.index.edge import EdgeIndex
from falsework.search.index.protocol import Conditions, Entry
from search_index_suite import DIMENSIONS, ENTRIES, EVERY, MODEL, IndexSuite, vector_of


@pytest.fixture
def quick_folder(tmp_path):
    """A folder in memory where there is one: the engine makes every one of its hundred files durable."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


class TestEdgeIndex(IndexSuite):
    @pytest.fixture(autouse=True)
    def _folder(self, quick_folder):
        self.folder = quick_folder / "index"

    def index(self, model=MODEL, dimensions=DIMENSIONS):
        return EdgeIndex.create(self.folder, model=model, dimensions=dimensions)

    def reopened(self, model=MODEL, dimensions=DIMENSIONS):
        return EdgeIndex.open(self.folder, model=model, dimensions=dimensions)


def test_a_large_index_gets_a_graph_and_answers_as_before(quick_folder, monkeypatch):
    """Beyond EXACT_UNTIL titles, which is lowered here, the nearest are found by walking: nearly all."""
    random = np.random.default_rng(2)
    middles = random.standard_normal((40, 384))
    vectors = middles[random.integers(40, size=8_000)] + random.standard_normal((8_000, 384))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    entries = [
        Entry(f"{at:05d}", {at % 50: 1.0}, vector, {"kids": at % 2}) for at, vector in enumerate(vectors)
    ]
    with EdgeIndex.create(quick_folder / "large", model=MODEL, dimensions=384) as index:
        index.put(entries)
        index.settle(1)
        exact = [index.dense(vector, EVERY, 20) for vector in vectors[:30]]
        terms = index.lexical({7: 1.0}, EVERY, 20)
        monkeypatch.setattr("falsework.search.index.edge.EXACT_UNTIL", 1_000)
        assert index.settle(2).titles == 8_000
        walked = [index.dense(vector, EVERY, 20) for vector in vectors[:30]]
        found = [len(set(one) & set(two)) / 20 for one, two in zip(exact, walked, strict=True)]
        assert np.mean(found) > 0.95
        assert index.lexical({7: 1.0}, EVERY, 20) == terms
        assert index.count(Conditions(kids=True)) == 4_000
        children = index.dense(vectors[0], Conditions(kids=True), 20)
        assert all(int(hit.id) % 2 for hit in children)
    with EdgeIndex.open(quick_folder / "large", model=MODEL, dimensions=384) as index:
        assert [index.dense(vector, EVERY, 20) for vector in vectors[:30]] == walked


def test_readers_change_nothing_in_the_folder(quick_folder):
    """A generation is read by many processes at once: none may write to it."""
    folder = quick_folder / "index"
    with EdgeIndex.create(folder, model=MODEL, dimensions=DIMENSIONS) as index:
        index.put(ENTRIES)
        index.settle(1)
    before = contents(folder)
    with (
        EdgeIndex.open(folder, model=MODEL, dimensions=DIMENSIONS) as one,
        EdgeIndex.open(folder, model=MODEL, dimensions=DIMENSIONS) as two,
    ):
        assert one.dense(vector_of(3), EVERY, 5) == two.dense(vector_of(3), EVERY, 5)
        assert one.lexical({1: 1.0}, EVERY, 5) == []
    assert contents(folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_threads_ask_one_index_at_once(quick_folder):
    with EdgeIndex.create(quick_folder / "index", model=MODEL, dimensions=DIMENSIONS) as index:
        index.put(ENTRIES)
        index.settle(1)
        sought = [vector_of(each) for each in range(50)]
        expected = [index.dense(vector, EVERY, 4) for vector in sought]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda vector: index.dense(vector, EVERY, 4), sought * 4)) == expected * 4


@pytest.mark.parametrize(
    "damage", ["nothing there", "no manifest", "a manifest of something else", "no shard"]
)
def test_a_folder_that_is_no_index_is_a_sentence(quick_folder, damage: str):
    folder = quick_folder / "index"
    if damage != "nothing there":
        EdgeIndex.create(folder, model=MODEL, dimensions=DIMENSIONS).close()
    if damage == "no manifest":
        (folder / "manifest.json").unlink()
    if damage == "a manifest of something else":
        (folder / "manifest.json").write_text('{"model": 3}')
    if damage == "no shard":
        shutil.rmtree(folder / "shard")
    with pytest.raises(FalseworkError, match="index") as refused:
        EdgeIndex.open(folder, model=MODEL, dimensions=DIMENSIONS)
    assert str(folder) in refused.value.sentence()
