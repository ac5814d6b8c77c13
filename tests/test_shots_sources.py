"""The hash of the code a stage's result comes from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from falsework.shots import sources
from falsework.shots.sources import libraries, source_hash, source_modules
from falsework.shots.stages import STAGES, Stage, begin_dust


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
        "garden/weeds.py": "import cv2\n",
        "garden/bees.py": "import json\nimport numpy.typing as npt\nfrom scipy.ndimage import zoom\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for cached in (source_hash, sources._imports, sources._read, sources._data, sources._version):
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
    source = inspect.getsource(work)
    if begin_dust.__name__ in source:
        source += inspect.getsource(begin_dust)
    called = set(re.findall(r"from (falsework[\w.]+) import", source))
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


def test_the_libraries_of_a_room_are_those_it_imports(house: Path) -> None:
    found = libraries(["falsework.garden.bees"])
    assert list(found) == ["numpy", "scipy"]
    assert all(re.match(r"\d+\.", version) for version in found.values())
    assert list(libraries(["falsework.garden.weeds"])) == ["cv2"]
    assert libraries(["falsework.attic.roof"]) == {}


def test_another_version_of_a_library_changes_the_keys_of_the_stages_that_use_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rapier moves the pieces, SciPy helps with the solve and the fall; NumPy is everywhere."""
    forget()
    before = {name: source_hash(stage.code) for name, stage in STAGES.items()}
    installed = sources.metadata.version
    changed = {}
    for library in ("rapier3d", "scipy", "moderngl", "opencolorio", "opencv-python-headless", "numpy"):
        newer = lambda name, library=library: "99.0" if name == library else installed(name)  # noqa: E731
        monkeypatch.setattr(sources.metadata, "version", newer)
        forget()
        changed[library] = [name for name in STAGES if source_hash(STAGES[name].code) != before[name]]
    monkeypatch.undo()
    forget()
    assert changed == {
        "rapier3d": ["collapse"],
        "scipy": ["solve", "collapse"],
        "moderngl": ["render"],
        "opencolorio": ["solve", "comp"],
        "opencv-python-headless": list(STAGES),
        "numpy": list(STAGES),
    }


def test_what_has_no_distribution_of_its_name_is_found_by_what_provides_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "CALLED", {})
    forget()
    assert re.match(r"\d+\.", sources._version("cv2"))
    assert sources._version("no_such_library") == ""
    forget()
