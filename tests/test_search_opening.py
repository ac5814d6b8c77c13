"""Where a catalogue's index lies when nothing else is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from falsework.catalogue.database import Catalogue
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
