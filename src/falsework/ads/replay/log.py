"""A log of auctions: what each would have cost, whether it was clicked, and what was predicted before."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError

__all__ = ["COLUMNS", "AuctionLog", "read_log"]

Floats = npt.NDArray[np.float64]

# What logs call their columns, whatever stands between the words ("Market Price", "market_price").
COLUMNS = {
    "click": ("click", "clicks", "clicked", "clk", "y", "label"),
    "price": (
        "market price", "price", "pay price", "paying price", "winning price", "win price", "mp", "z",
    ),
    "rate": (
        "predicted rate", "rate", "predicted ctr", "pctr", "ctr", "pcvr", "theta", "prediction", "predicted",
    ),
}  # fmt: skip
# What is in a file without names: the order is told from which column has nothing but 0 and 1.
ORDERS = (("click", "price", "rate"), ("price", "click", "rate"))
PARQUET = (".parquet", ".pq")
DATA = "Give a log of auctions as CSV, TSV, Parquet or columns with spaces between."


@dataclass(frozen=True)
class AuctionLog:
    """Auctions in the order they came. `price` (n,): the highest rival bid, in the log's own unit; `click`
    (n,): 0 or 1; `rate` (n,): predicted probability of a click."""

    price: Floats
    click: Floats
    rate: Floats

    def __len__(self) -> int:
        return len(self.price)

    def part(self, start: int, end: int) -> AuctionLog:
        return AuctionLog(self.price[start:end], self.click[start:end], self.rate[start:end])


def read_log(path: Path) -> AuctionLog:
    """From CSV, TSV or columns with spaces between, plain or gzipped, with a header or without; or Parquet.

    Raises `FalseworkError` naming the line, or the row of Parquet.
    """
    try:
        if path.suffix.lower() in PARQUET:
            return _of_parquet(path)
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as text:
                return _of_text(text, path)
        with path.open(encoding="utf-8-sig", newline="") as text:
            return _of_text(text, path)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FalseworkError(f"cannot be read ({error})", where=path, todo=DATA) from error


def _of_text(text: TextIO, path: Path) -> AuctionLog:
    first = text.readline()
    if not first.strip():
        raise FalseworkError("is empty", where=path, todo=DATA)
    separator = next((one for one in ",\t;" if one in first), None)
    head = _cells(first, separator)
    if _is_without_rate(head):
        raise FalseworkError(
            "has features and no predicted rate",
            where=path,
            todo="Predict a rate for each auction first: lines of click, price and predicted rate.",
        )
    named = not all(_is_number(cell) for cell in head[:3])
    places = _places(head, path) if named else dict(zip(ORDERS[0], range(3), strict=True))
    lines: list[int] = []
    found: dict[str, list[float]] = {name: [] for name in places}
    for number, row in _rows(text, separator, None if named else head):
        try:
            values = {name: float(row[place]) for name, place in places.items()}
        except (ValueError, IndexError) as error:
            raise FalseworkError(
                "has no number for click, price and rate",
                where=f"{path}, line {number}",
                todo="Mend the line.",
            ) from error
        lines.append(number)
        for name, value in values.items():
            found[name].append(value)
    columns = {name: np.array(values) for name, values in found.items()}
    if not named and not np.isin(columns["click"], (0.0, 1.0)).all():
        swapped = dict(zip(ORDERS[1], (columns[name] for name in ORDERS[0]), strict=True))
        columns = swapped if np.isin(swapped["click"], (0.0, 1.0)).all() else columns
    return _checked(columns, path, lambda at: f"line {lines[at]}")


def _of_parquet(path: Path) -> AuctionLog:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise FalseworkError(
            "the library for Parquet (pyarrow) is missing", todo='Run `pip install "falsework[ads]"`.'
        ) from error
    columns = {}
    try:
        file = parquet.ParquetFile(path)
        names = file.schema_arrow.names
        places = _places(names, path)
        for name, place in places.items():
            column = file.read([names[place]]).column(0).cast(pyarrow.float64())
            # What is not there is not finite, and refused as such.
            columns[name] = np.asarray(column.to_numpy(), dtype=np.float64)
    except pyarrow.ArrowException as error:
        raise FalseworkError(
            f"is no Parquet of numbers ({str(error).splitlines()[0]})", where=path, todo=DATA
        ) from error
    return _checked(columns, path, lambda at: f"row {at + 1}")


def _checked(columns: Mapping[str, Floats], path: Path, where: Callable[[int], str]) -> AuctionLog:
    price, click, rate = columns["price"], columns["click"], columns["rate"]
    if not len(price):
        raise FalseworkError("has no auctions", where=path, todo="Give a log with a line for each.")
    faulty = ~(np.isfinite(price) & (price >= 0) & np.isin(click, (0.0, 1.0)) & (rate >= 0) & (rate <= 1))
    if faulty.any():
        at = int(np.argmax(faulty))
        fault = _fault({name: float(values[at]) for name, values in columns.items()})
        raise FalseworkError(fault, where=f"{path}, {where(at)}", todo="Mend it.")
    return AuctionLog(price, click, rate)


def _rows(
    text: TextIO, separator: str | None, before: Sequence[str] | None
) -> Iterator[tuple[int, Sequence[str]]]:
    if before is not None:
        yield 1, before
    if separator is None:
        rows: Iterator[list[str]] = (line.split() for line in text)
    else:
        rows = csv.reader(text, delimiter=separator)
    for number, row in enumerate(rows, start=2):
        if row:
            yield number, row


def _cells(line: str, separator: str | None) -> list[str]:
    return line.split() if separator is None else next(csv.reader([line], delimiter=separator))


def _places(head: Sequence[str], path: Path) -> dict[str, int]:
    plain = [_plain(name) for name in head]
    places = {}
    for name, called in COLUMNS.items():
        place = next((plain.index(one) for one in map(_plain, called) if one in plain), None)
        if place is None:
            told = ", ".join(head[:20]) + (", …" if len(head) > 20 else "")
            raise FalseworkError(
                f"has no column for the {name} (it has {told})",
                where=path,
                todo=f"Call it {called[0].replace(' ', '_')} (also known: {', '.join(called[1:])}).",
            )
        places[name] = place
    return places


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _fault(values: dict[str, float]) -> str:
    if not all(np.isfinite(value) for value in values.values()):
        return "has a number that is not finite"
    if values["price"] < 0:
        return f"has a price of {values['price']:g}"
    if values["click"] not in {0.0, 1.0}:
        return f"has a click of {values['click']:g}, which is neither 0 nor 1"
    if not 0 <= values["rate"] <= 1:
        return f"has a predicted rate of {values['rate']:g}, which is no probability"
    return ""


def _is_without_rate(head: Sequence[str]) -> bool:
    """Lines of click, price and features as index:value, as iPinYou's logs are often given ("yzx")."""
    return len(head) > 2 and all(_is_number(cell) for cell in head[:2]) and ":" in head[2]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
