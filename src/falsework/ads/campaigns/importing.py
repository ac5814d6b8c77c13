"""Campaigns from a file: JSON, JSON lines or CSV. What is wrong with a row is said by its line, and the rest
is taken.

    JSON        a list of campaigns, or an object with `campaigns`, as `records.Campaign` has them
    JSON lines  a campaign on each line
    CSV         a creative on each line, with its line item's and campaign's columns; prices and budgets in
                units of the currency, several values in one cell with "|" between them

In all of them a flight's `starts` and `ends` may be dates (2026-11-01, 2026-11-01T18:00:00+01:00).
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from falsework.ads.campaigns.checking import faults
from falsework.ads.records import MICROS, Campaign
from falsework.errors import FalseworkError

__all__ = ["COLUMNS", "Imported", "RefusedRow", "campaigns_of", "import_file"]

BETWEEN = "|"
LONGEST_FILE = 1 << 30  # bytes

# CSV's columns: those of a campaign, of a line item, of a creative.
OF_CAMPAIGN = ("campaign", "name", "advertiser", "domain", "starts", "ends", "currency", "competitors")
OF_LINE_ITEM = (
    "line_item", "price", "budget", "goal", "house", "categories", "countries", "regions", "devices",
    "placements", "genres", "without_genres", "languages", "vendors", "child_safe", "cap", "cap_seconds",
    "app",
)  # fmt: skip
OF_CREATIVE = (
    "creative", "title", "duration", "url", "mime", "width", "height", "bitrate", "wrapper", "click_through",
    "impressions", "attributes", "language", "text",
)  # fmt: skip
COLUMNS = (*OF_CAMPAIGN, *OF_LINE_ITEM, *OF_CREATIVE)
NEEDED = ("campaign", "advertiser", "domain", "starts", "ends", "line_item", "creative")
TARGETING = ("countries", "regions", "placements", "devices", "genres", "without_genres", "languages")
YES, NO = frozenset({"yes", "true", "1"}), frozenset({"", "no", "false", "0"})


@dataclass(frozen=True)
class RefusedRow:
    """`line` of the file, from 1; of a JSON list the number of the campaign in it."""

    line: int
    what: str


@dataclass(frozen=True)
class Imported:
    campaigns: tuple[Campaign, ...]
    refused: tuple[RefusedRow, ...]


def import_file(file: Path) -> Imported:
    """Raises `FalseworkError` for a file that cannot be read at all."""
    try:
        if file.stat().st_size > LONGEST_FILE:
            raise FalseworkError("is larger than a gigabyte", where=file, todo="Split it.")
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FalseworkError(
            f"cannot be read ({error})", where=file, todo="Give a file of campaigns in UTF-8."
        ) from error
    if file.suffix.lower() == ".csv":
        found = _of_csv(text, file)
    elif file.suffix.lower() in (".jsonl", ".ndjson"):
        found = _of_json_lines(text)
    else:
        found = _of_json(text, file)
    return _checked(found)


def campaigns_of(file: Path) -> tuple[Campaign, ...]:
    """All of a file's campaigns. Raises `FalseworkError` for the first row that is wrong."""
    imported = import_file(file)
    if imported.refused:
        first, count = imported.refused[0], len(imported.refused)
        more = f" ({count - 1} more are refused)" if count > 1 else ""
        raise FalseworkError(
            first.what + more,
            where=f"{file}, {first.line}",
            todo="`falsework ads campaigns import` lists them all, and keeps the others.",
        )
    return imported.campaigns


Found = tuple[int, Campaign | str]  # the line, and what was found there or what is wrong with it


def _checked(found: Iterable[Found]) -> Imported:
    campaigns: dict[str, Campaign] = {}
    items: set[str] = set()
    refused = []
    for line, one in found:
        if isinstance(one, str):
            refused.append(RefusedRow(line, one))
            continue
        wrong = next(faults(one), None)
        if one.id in campaigns:
            wrong = f'campaign "{one.id}" is there twice'
        twice = next((item.id for item in one.line_items if item.id in items), None)
        if twice is not None and wrong is None:
            wrong = f'line item "{twice}" is there twice'
        if wrong is not None:
            refused.append(RefusedRow(line, wrong))
            continue
        campaigns[one.id] = one
        items.update(item.id for item in one.line_items)
    return Imported(tuple(campaigns.values()), tuple(sorted(refused, key=lambda row: row.line)))


def _of_json(text: str, file: Path) -> Iterator[Found]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FalseworkError(f"is no JSON ({error})", where=file, todo="Mend the file.") from error
    if isinstance(told, dict) and "campaigns" in told:
        told = told["campaigns"]
    if not isinstance(told, list):
        raise FalseworkError(
            "holds no list of campaigns", where=file, todo='Give [...] or {"campaigns": [...]}.'
        )
    for number, one in enumerate(told, 1):
        yield number, _campaign(one)


def _of_json_lines(text: str) -> Iterator[Found]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                told = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, f"is no JSON ({error})"
                continue
            yield number, _campaign(told)


def _campaign(told: Any) -> Campaign | str:
    """The campaign, or what is wrong with it."""
    if not isinstance(told, dict):
        return "is no campaign"
    told = dict(told)
    try:
        if isinstance(told.get("flight"), dict):
            told["flight"] = {name: _seconds(value) for name, value in told["flight"].items()}
        for item in told.get("line_items") or ():
            if isinstance(item, dict):
                item.setdefault("campaign", told.get("id"))
        return msgspec.convert(told, Campaign)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        return str(error)


def _seconds(value: Any) -> Any:
    """A date in UTC where it names no zone, as seconds since 1970."""
    if not isinstance(value, str):
        return value
    try:
        date = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f'"{value}" is no date') from error
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _of_csv(text: str, file: Path) -> Iterator[Found]:
    rows = csv.DictReader(text.splitlines())
    missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise FalseworkError(
            f"has no column {', '.join(missing)}", where=file, todo=f"The columns are {', '.join(COLUMNS)}."
        )
    campaigns: dict[str, tuple[int, dict[str, Any]]] = {}
    for row in rows:
        line = rows.line_num
        try:
            _add_row({name: (row.get(name) or "").strip() for name in COLUMNS}, line, campaigns)
        except ValueError as error:
            yield line, str(error)
    for line, told in campaigns.values():
        told["line_items"] = list(told["line_items"].values())
        yield line, _campaign(told)


def _add_row(row: Mapping[str, str], line: int, campaigns: dict[str, tuple[int, dict[str, Any]]]) -> None:
    """Put a creative where it belongs. Raises `ValueError` for a row that cannot be read, or says something
    else of its campaign or line item than a row before it."""
    for name in NEEDED:
        if not row[name]:
            raise ValueError(f"{name} is empty")
    head = {
        "id": row["campaign"],
        "name": row["name"],
        "advertiser": row["advertiser"],
        "domain": row["domain"],
        "flight": {"starts": _seconds(row["starts"]), "ends": _seconds(row["ends"])},
        "currency": row["currency"] or "EUR",
        "competitors": _several(row["competitors"]),
    }
    item = {
        "id": row["line_item"],
        "campaign": row["campaign"],
        "price": _micros(row, "price"),
        "budget": _micros(row, "budget"),
        "goal": row["goal"] or "even",
        "house": _yes(row, "house"),
        "categories": _several(row["categories"]),
        "targeting": {
            name: _numbers(row, name) if name in ("devices", "placements") else _several(row[name])
            for name in TARGETING
        },
        "caps": [{"count": _whole(row, "cap"), "seconds": _whole(row, "cap_seconds")}] if row["cap"] else [],
        "vendors": _numbers(row, "vendors"),
        "child_safe": _yes(row, "child_safe"),
        "app": row["app"],
    }
    creative = _creative(row)
    kept = campaigns.get(row["campaign"], (line, {**head, "line_items": {}}))[1]
    if {name: kept[name] for name in head} != head:
        raise ValueError(f'says something else of campaign "{row["campaign"]}" than a line before it')
    before = kept["line_items"].get(row["line_item"], {**item, "creatives": []})
    if {name: before[name] for name in item} != item:
        raise ValueError(f'says something else of line item "{row["line_item"]}" than a line before it')
    before["creatives"].append(creative)
    kept["line_items"][row["line_item"]] = before
    campaigns.setdefault(row["campaign"], (line, kept))


def _creative(row: Mapping[str, str]) -> dict[str, Any]:
    media = []
    if row["url"]:
        size = [_whole(row, name) for name in ("width", "height", "bitrate")]
        media.append([row["url"], row["mime"] or "video/mp4", *size])
    return {
        "id": row["creative"],
        "title": row["title"],
        "duration": _number(row, "duration"),
        "media": media,
        "wrapper": row["wrapper"],
        "click_through": row["click_through"],
        "impressions": _several(row["impressions"]),
        "attributes": _numbers(row, "attributes"),
        "language": row["language"],
        "text": row["text"],
    }


def _several(cell: str) -> list[str]:
    return [one.strip() for one in cell.split(BETWEEN) if one.strip()]


def _numbers(row: Mapping[str, str], name: str) -> list[int]:
    try:
        return [int(one) for one in _several(row[name])]
    except ValueError as error:
        raise ValueError(f'{name} is "{row[name]}", and holds whole numbers') from error


def _number(row: Mapping[str, str], name: str) -> float:
    try:
        number = float(row[name] or 0)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise ValueError(f'{name} is "{row[name]}", and must be a number of at least 0')
    return number


def _whole(row: Mapping[str, str], name: str) -> int:
    return int(_number(row, name))


def _micros(row: Mapping[str, str], name: str) -> int:
    return round(_number(row, name) * MICROS)


def _yes(row: Mapping[str, str], name: str) -> bool:
    value = row[name].lower()
    if value not in YES | NO:
        raise ValueError(f'{name} is "{row[name]}", and is yes or no')
    return value in YES
