"""A log of auctions: what each would have cost, whether it was clicked, and what was predicted before."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError

__all__ = ["COLUMNS", "AuctionLog", "read_log"]

Floats = npt.NDArray[np.float64]

# What logs call their columns; a file without a header has click, price and rate in this order.
COLUMNS = {
    "click": ("click", "clicks", "clk", "y", "label"),
    "price": (
        "market_price",
        "market price",
        "price",
        "payprice",
        "paying_price",
        "winning_price",
        "mp",
        "z",
    ),
    "rate": ("predicted_rate", "predicted rate", "rate", "pctr", "ctr", "theta", "prediction"),
}
BARE = ("click", "price", "rate")


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
    """From CSV, TSV or columns with spaces between, plain or gzipped, with a header or without.

    Raises `FalseworkError` naming the line.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as text:
                return _read(text, path)
        with path.open(encoding="utf-8-sig", newline="") as text:
            return _read(text, path)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FalseworkError(
            f"cannot be read ({error})", where=path, todo="Give a log of auctions as CSV."
        ) from error


def _read(text: TextIO, path: Path) -> AuctionLog:
    first = text.readline()
    if not first.strip():
        raise FalseworkError("is empty", where=path, todo="Give a log of auctions as CSV.")
    separator = next((one for one in ",\t;" if one in first), None)
    head = _cells(first, separator)
    if _is_without_rate(head):
        raise FalseworkError(
            "has features and no predicted rate",
            where=path,
            todo="Predict a rate for each auction first: lines of click, price and predicted rate.",
        )
    named = not all(_is_number(cell) for cell in head)
    places = (
        _places([cell.strip().lower() for cell in head], path)
        if named
        else dict(zip(BARE, range(3), strict=True))
    )
    found: dict[str, list[float]] = {name: [] for name in BARE}
    for number, row in _rows(text, separator, None if named else head):
        try:
            values = {name: float(row[place]) for name, place in places.items()}
        except (ValueError, IndexError) as error:
            raise FalseworkError(
                "has no number for click, price and rate",
                where=f"{path}, line {number}",
                todo="Mend the line.",
            ) from error
        fault = _fault(values)
        if fault:
            raise FalseworkError(fault, where=f"{path}, line {number}", todo="Mend the line.")
        for name, value in values.items():
            found[name].append(value)
    if not found["price"]:
        raise FalseworkError("has no auctions", where=path, todo="Give a log with a line for each.")
    columns = {name: np.array(values) for name, values in found.items()}
    return AuctionLog(columns["price"], columns["click"], columns["rate"])


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
    places = {}
    for name, called in COLUMNS.items():
        place = next((head.index(one) for one in called if one in head), None)
        if place is None:
            raise FalseworkError(
                f"has no column for the {name}",
                where=path,
                todo=f"Call it {called[0]} (also known: {', '.join(called[1:])}).",
            )
        places[name] = place
    return places


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
