"""Where a catalogue's index lies when nothing else is said, whether it is that catalogue's, and what
becomes of one that this version cannot read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from falsework.catalogue.database import Catalogue
from falsework.catalogue.records import Title
from falsework.cli.main import main
from falsework.errors import FalseworkError
from falsework.search.encoder import Encoder
from falsework.search.index import edge
from falsework.search.index.generations import CURRENT, current
from falsework.search.opening import build_index, index_folder, of_another, open_searcher
from falsework.search.ranking import table
from falsework.search.understanding import names
from search_builder import Digesting


@pytest.fixture(autouse=True)
def cache(memory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and an encoder that costs nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(memory / "cache"))
    monkeypatch.setattr(Encoder, "load", lambda: Digesting(dimensions=384))
    return memory / "cache"


def written(file: Path, *titles: str) -> None:
    """A catalogue of these titles, in the place of what is there."""
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()
    with Catalogue.open(file) as catalogue:
        catalogue.upsert([Title(name, name) for name in titles])


def test_catalogues_of_one_name_in_two_folders_have_an_index_each(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name in ("here", "there"):
        (memory / name).mkdir()
        monkeypatch.chdir(memory / name)
        for path in ("catalogue.db", str(memory / name / "catalogue.db")):
            with Catalogue.open(path) as catalogue:
                found.append(index_folder(catalogue))
    assert found[0] == found[1] != found[2] == found[3]


@pytest.mark.parametrize("titles", [("Foxes",), ("Foxes", "Hens")], ids=["fewer titles", "as many titles"])
def test_the_index_of_a_catalogue_that_was_replaced_is_said_to_be_anothers(
    memory: Path, capsys: pytest.CaptureFixture[str], titles: tuple[str, ...]
) -> None:
    file = memory / "catalogue.db"
    search = ["search", "bears", "--offline", "--catalogue", str(file), "--index", str(memory / "index")]
    written(file, "Bears", "Wolves")
    assert main(search) == main(search) == 0
    assert "another catalogue" not in capsys.readouterr().err
    written(file, *titles)
    assert main(search) == 0
    assert "that of another catalogue: run with --rebuild" in capsys.readouterr().err


def test_in_the_cache_the_index_of_a_catalogue_that_was_replaced_is_built_anew(memory: Path) -> None:
    file, built = memory / "catalogue.db", list[int]()
    for titles in (("Bears", "Wolves"), ("Foxes", "Hens")):
        written(file, *titles)
        for _ in range(2):
            with (
                Catalogue.open(file) as catalogue,
                open_searcher(catalogue, building=built.append) as searcher,
            ):
                assert {one.title.title for one in searcher.search("animals").results} == set(titles)
                assert not of_another(catalogue, searcher.opened.manifest)
    assert built == [2, 2]


def test_an_index_that_noted_no_catalogue_is_known_by_its_revision_and_count(memory: Path) -> None:
    written(memory / "catalogue.db", "Bears")
    with Catalogue.open(memory / "catalogue.db") as catalogue, open_searcher(catalogue) as searcher:
        manifest = replace(searcher.opened.manifest, catalogue="")
        assert not of_another(catalogue, manifest)
        assert of_another(catalogue, replace(manifest, titles=2))
        assert of_another(catalogue, replace(manifest, revision=2))
        assert not of_another(catalogue, replace(manifest, revision=0, titles=7))  # it is behind


def of_another_format(generation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "FORMAT", table.FORMAT + 1)


def with_names_of_another_format(generation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "FORMAT", names.FORMAT + 1)


def with_another_manifest(generation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_manifest(generation, format=99)


def of_another_model(generation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_manifest(generation, model="another@1")


def change_manifest(generation: Path, **values: object) -> None:
    path = generation / "index" / edge.MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def without_a_column(generation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = (generation / "table").glob("*.safetensors")
    file.write_bytes(file.read_bytes().replace(b'"takings"', b'"unknown"', 1))


def cut_short(generation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = (generation / "table").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:500])


def without_its_shard(generation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(generation / "index")


def swept_away(generation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(generation)
    monkeypatch.setattr("falsework.search.index.generations.PATIENCE", 0.1)


def pointing_nowhere(generation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (generation.parent / CURRENT).write_text("../..\0\n")


UNREADABLE = [
    of_another_format, with_names_of_another_format, with_another_manifest, of_another_model,
    without_a_column, cut_short, without_its_shard, swept_away, pointing_nowhere,
]  # fmt: skip


@pytest.mark.parametrize("harm", UNREADABLE, ids=lambda harm: harm.__name__)
def test_an_index_that_cannot_be_read_is_built_anew_in_the_cache_and_refused_elsewhere(
    memory: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    file, own = memory / "catalogue.db", memory / "own index"
    written(file, "Bears")
    built: list[int] = []
    with Catalogue.open(file) as catalogue:
        open_searcher(catalogue).close()
        shutil.copytree(index_folder(catalogue), own)
        for folder in (index_folder(catalogue), own):
            with monkeypatch.context() as once:
                harm(folder / str(current(folder)), once if folder == own else monkeypatch)
        with pytest.raises(FalseworkError) as refused:
            open_searcher(catalogue, own, building=built.append)
        command = f"falsework search --rebuild --catalogue {file} --index '{own}'"
        assert command in refused.value.sentence()
        assert built == []
        with open_searcher(catalogue, building=built.append) as searcher:
            assert [one.title.id for one in searcher.search("bears").results] == ["Bears"]
        assert built == [1]
        build_index(catalogue, own)  # what the command does
        with open_searcher(catalogue, own) as searcher:
            assert searcher.opened.table.titles == 1
