"""Logs of choices with their propensities: the studio's own exposures, and the CSV form of the Open Bandit
Dataset (Saito et al. 2021)."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from falsework.ads.measurement.exposure import Exposure, Happened, read_record
from falsework.ads.state.events import frames, segments_of
from falsework.errors import FalseworkError

__all__ = ["Choices", "own_log", "read_choices"]

Floats = npt.NDArray[np.float64]
NEEDED = ("item_id", "click", "propensity_score")
NO_FEATURES = {"", "timestamp", *NEEDED}
MOST_VALUES = 200  # of a feature that is no number; what has more of them is no feature


@dataclass(frozen=True)
class Choices:
    """`rewards` (n,), `logged` (n,) the probability of each choice, `context` (n, d) what was known before
    it. `chosen` (n,) places in `items`, where every choice was among all `items`; else None, with how many
    there were in `candidates` (n,)."""

    rewards: Floats
    logged: Floats
    context: Floats
    items: tuple[str, ...] = ()
    chosen: npt.NDArray[np.int64] | None = None
    candidates: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.rewards)


def read_choices(path: Path, *, event: str = "click") -> Choices:
    """A folder of our own log, or a CSV file with the columns item_id, click, propensity_score and further
    ones as features (position, user_feature_…), plain or gzipped. Raises `FalseworkError` naming the line."""
    if path.is_dir():
        return own_log(path, event)
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as text:
                return _from_csv(text, path)
        with path.open(encoding="utf-8-sig", newline="") as text:
            return _from_csv(text, path)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise FalseworkError(
            f"cannot be read ({error})", where=path, todo="Name a folder of exposures or a CSV file."
        ) from error


def own_log(folder: Path, event: str) -> Choices:
    """The advertisements that led their breaks, with how likely they were to; the reward is whether `event`
    came of it."""
    leads: dict[str, Exposure] = {}
    responded: set[str] = set()
    for path in segments_of(folder):
        for frame in frames(path):
            record = read_record(frame)
            if isinstance(record, Exposure):
                if record.propensity > 0 and record.candidates > 0:
                    leads[record.served] = record
            elif isinstance(record, Happened) and record.event.kind == event:
                responded.add(record.event.served)
    if not leads:
        raise FalseworkError(
            "has no exposures with propensities",
            where=folder,
            todo="Name the folder that the server logs to.",
        )
    kept = sorted(leads.values(), key=lambda each: (each.at, each.served))
    names = sorted({name for each in kept for name in each.context})
    place = {name: at for at, name in enumerate(names)}
    context = np.zeros((len(kept), len(names)))
    for row, each in enumerate(kept):
        context[row, [place[name] for name in each.context]] = 1.0
    return Choices(
        rewards=np.array([float(each.served in responded) for each in kept]),
        logged=np.array([each.propensity for each in kept]),
        context=context,
        candidates=np.array([each.candidates for each in kept]),
    )


def _from_csv(text: TextIO, path: Path) -> Choices:
    reader = csv.DictReader(text)
    head = reader.fieldnames or []
    missing = [name for name in NEEDED if name not in head]
    if missing:
        raise FalseworkError(
            f"has no column {missing[0]}", where=path, todo=f"The columns needed are {', '.join(NEEDED)}."
        )
    features: dict[str, list[str]] = {name: [] for name in head if name not in NO_FEATURES}
    items: list[str] = []
    numbers: list[tuple[float, float]] = []
    for row in reader:
        numbers.append(_numbers(row, path, reader.line_num))
        items.append(row["item_id"])
        for name, column in features.items():
            column.append(row[name] or "")
    if not items:
        raise FalseworkError("has no choices", where=path, todo="Give a log with a line for each.")
    named = tuple(sorted(set(items), key=lambda item: (len(item), item)))
    place = {item: at for at, item in enumerate(named)}
    columns = [part for column in features.values() for part in _columns(column)]
    values = np.array(numbers)
    return Choices(
        rewards=values[:, 0],
        logged=values[:, 1],
        context=np.stack(columns, axis=1) if columns else np.zeros((len(items), 0)),
        items=named,
        chosen=np.array([place[item] for item in items], dtype=np.int64),
    )


def _numbers(row: dict[str, Any], path: Path, line: int) -> tuple[float, float]:
    """The reward and the propensity of a row."""
    try:
        reward, logged = float(row["click"]), float(row["propensity_score"])
    except (TypeError, ValueError) as error:
        raise FalseworkError(
            "has no numbers for click and propensity_score",
            where=f"{path}, line {line}",
            todo="Mend the line.",
        ) from error
    if not np.isfinite(reward) or not 0 < logged <= 1:
        raise FalseworkError(
            f"has a propensity of {logged:g}" if np.isfinite(reward) else "has a click that is no number",
            where=f"{path}, line {line}",
            todo="Propensities lie above 0 and up to 1.",
        )
    return reward, logged


def _columns(values: Sequence[str]) -> list[Floats]:
    """A feature as columns: a number as it is, scaled; a name as one column for each; nothing if it never
    changes. Whole numbers of few values are names (a position is no amount)."""
    distinct = sorted(set(values))
    try:
        numbers = np.array([float(value) for value in values])
    except ValueError:
        numbers = np.full(len(values), np.nan)
    is_amount = bool(np.isfinite(numbers).all()) and (
        len(distinct) > 10 or bool((numbers != np.floor(numbers)).any())
    )
    if is_amount:
        spread = float(numbers.std())
        return [(numbers - numbers.mean()) / spread] if spread > 0 else []
    if not 1 < len(distinct) <= MOST_VALUES:
        return []
    column = np.array(values)
    return [(column == value).astype(np.float64) for value in distinct]
