"""A response model from the studio's own log of exposures, judged on a later part of it.

The log is cut by time: the first 70 % of the impressions teach, the next 15 % calibrate, the last 15 % are
asked how well it went. Nothing of the last part is looked at before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from falsework.ads.learning.features import crossed, of_advertisement
from falsework.ads.learning.logistic import (
    calibration_error,
    fit_logistic,
    isotonic,
    log_loss,
    platt,
    ranked_right,
)
from falsework.ads.learning.response import ResponseModel
from falsework.ads.measurement.exposure import Exposure, Happened, read_record
from falsework.ads.state.events import frames, segments_of
from falsework.errors import FalseworkError

__all__ = ["KINDS", "Examples", "Judged", "Kind", "examples", "fit"]

Floats = npt.NDArray[np.float64]
Kind = Literal["logistic", "trees"]
KINDS: tuple[Kind, ...] = ("logistic", "trees")
LEAST_RESPONSES = 20  # in the part that teaches, and of impressions without one
SEEN = 20  # impressions that a feature needs to be one
MANY_RESPONSES = 1_000  # from which on a free curve calibrates better than two numbers
PENALTY = 4.0  # of the squares of weights
TAUGHT, CALIBRATED = 0.70, 0.85  # shares of the log, by time
TREES: dict[str, Any] = {
    "objective": "binary", "num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 50,
    "lambda_l2": 10.0, "verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
ROUNDS = 120


@dataclass(frozen=True)
class Examples:
    """Impressions in the order of time: `names` of features of each, `labels` (n,) 0 or 1."""

    names: list[tuple[str, ...]]
    labels: Floats

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Judged:
    """On the held-out part of the log: mean log-loss, area under the curve, expected calibration error; those
    of saying the training log's rate every time are `base_…`."""

    rows: int
    responses: int
    log_loss: float
    base_log_loss: float
    auc: float
    calibration_error: float
    base_calibration_error: float


def examples(folder: Path, event: str) -> Examples:
    """Every impression in a folder of segments, and whether `event` followed it. Personal features are in it
    where the log has them: it has them only where they were permitted. House advertisements teach nothing."""
    shown: dict[str, Exposure] = {}
    seen: set[str] = set()
    responded: set[str] = set()
    for path in segments_of(folder):
        for frame in frames(path):
            record = read_record(frame)
            if isinstance(record, Exposure):
                if not record.house:
                    shown[record.served] = record
            elif isinstance(record, Happened) and record.event.kind == "impression":
                seen.add(record.event.served)
            elif record.event.kind == event:
                responded.add(record.event.served)
    kept = sorted((each for each in shown.values() if each.served in seen), key=lambda each: each.at)
    return Examples(
        [names_of(each) for each in kept],
        np.array([float(each.served in responded) for each in kept]),
    )


def names_of(exposure: Exposure) -> tuple[str, ...]:
    """What was known when it was decided, as names of features."""
    around = (*exposure.context, *exposure.personal)
    own = of_advertisement(exposure.line_item, exposure.creative, exposure.categories, exposure.duration)
    return (*around, *own, *crossed(around, own))


def fit(log: Examples, *, event: str, kind: Kind = "logistic") -> tuple[ResponseModel, Judged]:
    """Raises `FalseworkError` where the log has too little to learn from."""
    count = len(log)
    first, second = int(count * TAUGHT), int(count * CALIBRATED)
    responses = int(log.labels[:first].sum())
    if min(responses, first - responses) < LEAST_RESPONSES or not log.labels[first:second].any():
        raise FalseworkError(
            f"{responses} of the first {first} impressions have the event “{event}”: too few or too many to "
            "learn from",
            where="the log of exposures",
            todo=f"A model needs at least {LEAST_RESPONSES} with and without it, and some in the next 15 %.",
        )
    counted = Counter(name for row in log.names[:first] for name in row)
    vocabulary = sorted(name for name, times in counted.items() if times >= SEEN)
    table = _table(log.names, vocabulary)
    taught, labels = table[:first], log.labels[:first]
    trees, weights, intercept = "", np.zeros(len(vocabulary)), 0.0
    if kind == "trees":
        trees, raw = _trees(taught, labels, table, vocabulary)
    else:
        weights, intercept = fit_logistic(taught, labels, penalty=PENALTY)
        raw = table @ weights + intercept
    middle, answered = raw[first:second], log.labels[first:second]
    slope, offset, scores, rates = 1.0, 0.0, np.zeros(0), np.zeros(0)
    if answered.sum() >= MANY_RESPONSES:
        scores, rates = isotonic(middle, answered)
    else:
        slope, offset = platt(middle, answered)
    base = float(labels.mean())
    model = ResponseModel(
        event=event,
        weights=dict(zip(vocabulary, weights.tolist(), strict=True)),
        intercept=intercept,
        trees=trees,
        slope=slope,
        offset=offset,
        scores=scores.tolist(),
        rates=rates.tolist(),
        base=base,
        rows=first,
        uses_personal=any("segment=" in name for name in vocabulary),
    )
    return model, _judged(model.calibrated(raw[second:]), log.labels[second:], base)


def _trees(taught: Any, labels: Floats, table: Any, vocabulary: Sequence[str]) -> tuple[str, Floats]:
    try:
        import lightgbm
    except ModuleNotFoundError as error:
        raise FalseworkError(
            "LightGBM is missing", todo="Install it with `pip install 'falsework[ads]'`."
        ) from error
    data = lightgbm.Dataset(taught, label=labels, feature_name=[f"f{at}" for at in range(len(vocabulary))])
    booster = lightgbm.train(TREES, data, num_boost_round=ROUNDS)
    raw = np.asarray(booster.predict(table, raw_score=True, num_threads=1), dtype=np.float64)
    return booster.model_to_string(), raw


def _table(rows: Sequence[Iterable[str]], vocabulary: Sequence[str]) -> Any:
    """(n, d) of ones where a row has a feature, sparse."""
    from scipy import sparse

    places = {name: place for place, name in enumerate(vocabulary)}
    columns, ends = [], [0]
    for row in rows:
        columns += sorted({places[name] for name in row if name in places})
        ends.append(len(columns))
    return sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(ends) - 1, len(vocabulary)))


def _judged(rates: Floats, labels: Floats, base: float) -> Judged:
    always = np.full(len(labels), base)
    return Judged(
        rows=len(labels),
        responses=int(labels.sum()),
        log_loss=log_loss(rates, labels),
        base_log_loss=log_loss(always, labels),
        auc=ranked_right(rates, labels),
        calibration_error=calibration_error(rates, labels),
        base_calibration_error=calibration_error(always, labels),
    )
