"""Closed segments as Parquet, a folder for each day: what reports and other tools read.

    FOLDER/*.segment                            as they were written
    FOLDER/parquet/exposures/day=2026-11-23/    one file for each segment that had any of that day
    FOLDER/parquet/events/day=2026-11-23/

A segment's files have its name and appear whole; only then the segment goes. Killed in between, the next
compaction writes the same files again: nothing is there twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from falsework.ads.measurement.exposure import Exposure, read_record
from falsework.ads.state.events import frames, segments_of
from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file

__all__ = ["PARQUET", "TABLES", "arrow_table", "compact", "rows_of"]

PARQUET = "parquet"
TABLES = ("exposures", "events")
Rows = dict[str, list[dict[str, Any]]]


def compact(folder: Path) -> int:
    """Turn every closed segment into Parquet; gives how many there were. Raises `FalseworkError` for a
    damaged one, which stays."""
    closed = segments_of(folder, closed_only=True)
    for path in closed:
        days: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for table, rows in rows_of([path]).items():
            for row in rows:
                days[table, row["day"]].append(row)
        for (table, day), rows in days.items():
            _write(folder / PARQUET / table / f"day={day}" / f"{path.stem}.parquet", table, rows)
        path.unlink()
    return len(closed)


def rows_of(paths: Iterable[Path]) -> Rows:
    """The records of segments as rows of the two tables."""
    rows: Rows = {name: [] for name in TABLES}
    for path in paths:
        for record in _records(path):
            if isinstance(record, Exposure):
                row = msgspec.structs.asdict(record)
                rows["exposures"].append({"day": _day(record.at), **row})
            else:
                row = msgspec.structs.asdict(record.event)
                rows["events"].append({"day": _day(record.event.at), **row, "fresh": record.fresh})
    return rows


def arrow_table(table: str, rows: list[dict[str, Any]]) -> Any:
    """Rows as an Arrow table, without their day, which is in the folder's name where they are written."""
    arrow = _pyarrow()
    text, whole, real = arrow.string(), arrow.int64(), arrow.float64()
    texts = arrow.list_(text)
    columns = {
        "exposures": {
            "at": real, "decision": text, "served": text, "campaign": text, "advertiser": text,
            "line_item": text, "creative": text, "slot": text, "starts": real, "duration": real,
            "cost": whole, "house": arrow.bool_(), "propensity": real, "candidates": whole,
            "categories": texts, "stream": text, "viewer": text, "context": texts, "personal": texts,
        },
        "events": {
            "at": real, "stream": text, "served": text, "kind": text, "line_item": text, "cost": whole,
            "viewer": text, "counters": texts, "fresh": arrow.bool_(),
        },
    }[table]  # fmt: skip
    return arrow.Table.from_pylist(rows, arrow.schema(list(columns.items())))


def _write(path: Path, table: str, rows: list[dict[str, Any]]) -> None:
    rows_as_table = arrow_table(table, rows)
    from pyarrow import parquet

    with whole_file(path) as part:
        parquet.write_table(rows_as_table, part, compression="zstd")


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ModuleNotFoundError as error:
        raise FalseworkError(
            "the library for Arrow and Parquet (pyarrow) is missing",
            todo="Install it with `pip install 'falsework[ads]'`.",
        ) from error
    return pyarrow


def _records(path: Path) -> Iterator[Any]:
    for number, frame in enumerate(frames(path)):
        try:
            yield read_record(frame)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise FalseworkError(
                f"record {number} is none of this log ({error})",
                where=path,
                todo="Take it out of the folder.",
            ) from error


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
