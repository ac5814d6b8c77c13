"""The embedded engine: the suite, and what is its own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from falsework.search.index.edge import EdgeIndex
from search_index_suite import DIMENSIONS, MODEL, IndexSuite


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
