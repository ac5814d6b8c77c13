"""Rows of files whose single values are beyond what Python holds."""

from __future__ import annotations

from pathlib import Path

import pyarrow
from pyarrow.parquet import write_table

from falsework.catalogue.database import Catalogue
from falsework.catalogue.importing import import_file


def test_a_date_that_is_none_refuses_its_row_alone(tmp_path: Path) -> None:
    file = tmp_path / "titles.parquet"
    days = pyarrow.array([0, 2**31 - 1, 1], pyarrow.date32())
    write_table(
        pyarrow.table({"id": ["1", "2", "3"], "title": ["A", "B", "C"], "available_from": days}), file
    )
    with Catalogue.open(tmp_path / "catalogue.db") as catalogue:
        done = import_file(catalogue, file)
        assert [one.id for one in catalogue.every()] == ["1", "3"]
    assert [one.line for one in done.refused] == [2]
    assert "a value in it cannot be read" in done.refused[0].reason
