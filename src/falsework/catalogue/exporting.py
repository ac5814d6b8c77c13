"""The catalogue as a file that other programs read, and that import reads back."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from falsework.catalogue.database import Catalogue
from falsework.catalogue.parts import row_of
from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file
from falsework.progress import Progress, silent

__all__ = ["export"]

COLUMNS = (
    "id", "title", "kind", "original_title", "year", "synopsis", "genres", "moods", "credits", "countries",
    "languages", "rating", "runtime", "popularity", "availability", "seasons",
)  # fmt: skip
BATCH = 1_000  # titles that are written at a time


def export(catalogue: Catalogue, file: Path, *, progress: Progress = silent) -> int:
    """Write every title to a file by its name (.jsonl, .jsonl.gz, .csv or .parquet); returns how many.

    JSON lines hold everything but the attached shots, whose clearance no file can vouch for; CSV and Parquet
    hold the titles with the number of their seasons. The file appears whole.
    """
    name = file.name.lower()
    writers = {".jsonl": _json_lines, ".jsonl.gz": _json_lines, ".csv": _csv, ".parquet": _parquet}
    write = next((one for ending, one in writers.items() if name.endswith(ending)), None)
    if write is None:
        raise FalseworkError(
            "has a name that does not say in what form to write",
            where=file,
            todo="Call it .jsonl, .jsonl.gz, .csv or .parquet.",
        )
    count = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal count
        total = catalogue.count()
        for title, parts in catalogue.whole():
            yield row_of(title, parts)
            count += 1
            if count % BATCH == 0:
                progress(min(count, total), total)
        progress(count, count)

    with whole_file(file) as part:
        write(part, rows())
    return count


def _json_lines(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    packed = file.name.removesuffix(".part").lower().endswith(".gz")
    with file.open("wb") as raw:
        # Without a time and a name the same catalogue gives the same bytes.
        stream: Any = gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else raw
        with io.TextIOWrapper(stream, encoding="utf-8", newline="\n") as out:
            for row in rows:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")


def _csv(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([_cell(value) for value in _flat(row)])


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def _flat(row: dict[str, Any]) -> list[Any]:
    row = row | {"seasons": len(row.get("seasons", ())) or None}
    return [row.get(name) for name in COLUMNS]


def _parquet(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    try:
        import pyarrow as arrow
        from pyarrow.parquet import ParquetWriter
    except ModuleNotFoundError as error:
        raise FalseworkError(
            "the library that writes Parquet (pyarrow) is missing",
            where=file,
            todo='Install it with `pip install "falsework[search]"`.',
        ) from error
    text, number = arrow.string(), arrow.int64()
    types = {
        "year": number,
        "runtime": number,
        "seasons": number,
        "popularity": arrow.float64(),
        "credits": arrow.list_(arrow.struct([("name", text), ("role", text), ("character", text)])),
        "availability": arrow.list_(arrow.struct([("territory", text), ("starts", text), ("ends", text)])),
        **dict.fromkeys(("genres", "moods", "countries", "languages"), arrow.list_(text)),
    }
    schema = arrow.schema([(name, types.get(name, text)) for name in COLUMNS])
    with ParquetWriter(file, schema) as writer:
        batch: list[dict[str, Any]] = []
        for row in rows:
            batch.append(dict(zip(COLUMNS, _flat(row), strict=True)))
            if len(batch) == BATCH:
                writer.write_table(arrow.Table.from_pylist(batch, schema))
                batch = []
        writer.write_table(arrow.Table.from_pylist(batch, schema))
