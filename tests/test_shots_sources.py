"""The hash of the code a stage's result comes from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from falsework.shots import sources
from falsework.shots.sources import source_hash, source_modules
from falsework.shots.stages import STAGES, Stage


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A house of three rooms in place of the real one; the caches forget both."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    for name, text in {
        "attic/roof.py": "from falsework.cellar.wine import bottle\n",
        "attic/dust.py": "def sweep():\n    from falsework.cellar import wine, cellar_depth\n",
        "cellar/__init__.py": "",
        "cellar/wine.py": 'import falsework.garden\nfiles("falsework.cellar")\n',
        "cellar/label.glsl": "void main() {}",
        "garden/__init__.py": "from falsework.cellar.wine import (\n    bottle,\n)\n",
        "garden/weeds.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for cached in (source_hash, sources._imports, sources._read, sources._data):
        cached.cache_clear()


def test_imports_are_followed_wherever_they_stand(house: Path) -> None:
    wine = {"falsework.cellar.wine", "falsework.garden"}
    assert source_modules(["falsework.attic.roof"]) == wine | {"falsework.attic.roof"}
    assert source_modules(["falsework.attic.dust"]) == wine | {"falsework.attic.dust"}


@pytest.mark.parametrize(
    "file", ["attic/roof.py", "cellar/wine.py", "cellar/label.glsl", "garden/__init__.py"]
)
def test_a_change_near_or_far_changes_the_hash(house: Path, file: str) -> None:
    before = source_hash(("falsework.attic.roof",))
    (house / file).write_text((house / file).read_text() + "\n# changed\n")
    forget()
    assert source_hash(("falsework.attic.roof",)) != before


@pytest.mark.parametrize("file", ["attic/dust.py", "garden/weeds.py"])
def test_what_is_not_imported_does_not(house: Path, file: str) -> None:
    before = source_hash(("falsework.attic.roof",))
    (house / file).write_text("changed")
    forget()
    assert source_hash(("falsework.attic.roof",)) == before


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_stage_names_all_it_calls(stage: Stage) -> None:
    work = stage.make if isinstance(stage, Stage) else stage.open
    called = set(re.findall(r"from (falsework[\w.]+) import", inspect.getsource(work)))
    assert called <= source_modules(stage.code)
    assert set(stage.code) <= called


def test_a_room_counts_for_the_stages_that_use_it() -> None:
    using = {
        module: [
            name for name, stage in STAGES.items() if f"falsework.{module}" in source_modules(stage.code)
        ]
        for module in ("plate.occluders", "collapse.stress", "render.volume", "comp.blend", "media.exr")
    }
    assert using == {
        "plate.occluders": ["solve"],
        "collapse.stress": ["collapse"],
        "render.volume": ["render"],
        "comp.blend": ["comp"],
        "media.exr": ["solve", "comp"],
    }
