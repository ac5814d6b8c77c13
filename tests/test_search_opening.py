"""Where a catalogue's index lies when nothing else is said, and whether it is that catalogue's."""

from __future__ import annotations

from pathlib import Path

import pytest

from falsework.catalogue.database import Catalogue
from falsework.catalogue.records import Title
from falsework.cli.main import main
from falsework.search.opening import index_folder


def test_catalogues_of_one_name_in_two_folders_have_an_index_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        for path in ("catalogue.db", str(tmp_path / name / "catalogue.db")):
            with Catalogue.open(path) as catalogue:
                found.append(index_folder(catalogue))
    assert found[0] == found[1] != found[2] == found[3]


def test_the_index_of_a_catalogue_that_was_replaced_is_said_to_be_anothers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "catalogue.db"
    search = ["search", "bears", "--offline", "--catalogue", str(file), "--index", str(tmp_path / "index")]

    def written(*titles: str) -> None:
        file.unlink(missing_ok=True)
        with Catalogue.open(file) as catalogue:
            catalogue.upsert([Title(name, name) for name in titles])

    written("Bears", "Wolves")
    assert main(search) == main(search) == 0
    assert "another catalogue" not in capsys.readouterr().err
    written("Foxes")
    assert main(search) == 0
    assert "that of another catalogue: run with --rebuild" in capsys.readouterr().err
