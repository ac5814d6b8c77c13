"""A response model as a file and as a score for decisions. JSON throughout: reading one runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import special

from falsework.ads.campaigns.book import Book
from falsework.ads.decision.engine import Score
from falsework.ads.learning.features import contextual, crossed, of_advertisement, personal
from falsework.ads.opportunity import Break
from falsework.errors import FalseworkError
from falsework.media.atomic import write_bytes

__all__ = ["ResponseModel", "read_model", "score", "write_model"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
FORM = 1
MOST = 8.0  # times better or worse than usual: a model's error costs no more than that


class ResponseModel(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """`weights` of features by name, `intercept`: logits. `trees`: LightGBM's own text, which then takes the
    features in the order of `weights` and whose score replaces the logit. `slope` and `offset` calibrate it
    (Platt), or `scores` and `rates` where there are any (isotonic, interpolated). `base`: the rate of the
    training log, what is usual. `uses_personal`: whether any feature is of a viewer."""

    form: int = FORM
    event: str
    weights: dict[str, float]
    intercept: float = 0.0
    trees: str = ""
    slope: float = 1.0
    offset: float = 0.0
    scores: list[float] = []
    rates: list[float] = []
    base: float
    rows: int = 0
    uses_personal: bool = False

    def rate(self, names: Sequence[Iterable[str]]) -> Floats:
        """The probability of a response for each row's features, by name; unknown names say nothing."""
        raw = self._by_trees(names) if self.trees else self._by_weights(names)
        return self.calibrated(raw)

    def calibrated(self, raw: Floats) -> Floats:
        if not self.scores:
            return np.asarray(special.expit(self.slope * raw + self.offset))
        return np.interp(raw, self.scores, self.rates)

    def _by_weights(self, names: Sequence[Iterable[str]]) -> Floats:
        weights = self.weights
        return np.array([self.intercept + sum(weights.get(name, 0.0) for name in row) for row in names])

    def _by_trees(self, names: Sequence[Iterable[str]]) -> Floats:
        table = np.zeros((len(names), len(self.weights)), dtype=np.float32)
        for row, present in enumerate(names):
            for name in present:
                place = self._places.get(name)
                if place is not None:
                    table[row, place] = 1.0
        return np.asarray(self._booster.predict(table, raw_score=True, num_threads=1), dtype=np.float64)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.weights)}

    @cached_property
    def _booster(self) -> Any:
        try:
            import lightgbm
        except ModuleNotFoundError as error:
            raise FalseworkError(
                "this model is made of trees, and LightGBM is missing",
                todo="Install it with `pip install 'falsework[ads]'`.",
            ) from error
        try:
            return lightgbm.Booster(model_str=self.trees)
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            raise FalseworkError(f"the model's trees cannot be read ({error})") from error


def write_model(model: ResponseModel, path: Path) -> None:
    """Whole or not at all."""
    write_bytes(path, msgspec.json.format(msgspec.json.encode(model), indent=1) + b"\n")


def read_model(path: Path) -> ResponseModel:
    """Raises `FalseworkError` for what is no model of ours."""
    try:
        model = msgspec.json.decode(path.read_bytes(), type=ResponseModel)
    except OSError as error:
        raise FalseworkError(f"cannot be read ({error.strerror or error})", where=path) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FalseworkError(
            f"is no response model ({error})", where=path, todo="Make one with `falsework ads fit`."
        ) from error
    rising = np.all(np.diff(model.scores) >= 0) and np.all(np.diff(model.rates) >= 0)
    if model.form != FORM or not 0 < model.base < 1 or len(model.scores) != len(model.rates) or not rising:
        raise FalseworkError(
            "is no response model of this version", where=path, todo="Make one with `falsework ads fit`."
        )
    return model


def score(model: ResponseModel, book: Book) -> Score:
    """How much likelier than usual a response is, for `Decider(response=…)`: 1.0 is as likely as usual."""
    own = [
        of_advertisement(row.line_item.id, row.creative.id, row.line_item.categories, row.creative.duration)
        for row in book.rows
    ]
    logits = None if model.trees else _Logits(model, own)

    def better(asked: Break, rows: Rows) -> Floats:
        around = [*contextual(asked), *personal(asked.viewer)]
        if logits is not None:
            rates = model.calibrated(logits(around, rows))
        else:
            rates = model.rate([[*around, *own[at], *crossed(around, own[at])] for at in rows.tolist()])
        return np.clip(rates / model.base, 1 / MOST, MOST)

    return better


class _Logits:
    """The sums of weights that `ResponseModel.rate` makes by name, from columns over all rows: what a break's
    own names add to every row is looked up once a break and not once a row."""

    def __init__(self, model: ResponseModel, own: Sequence[Sequence[str]]) -> None:
        weights = self._weights = model.weights
        self._rows = np.array([sum(weights.get(name, 0.0) for name in row) for row in own]) + model.intercept
        rows_of: dict[str, list[int]] = {}
        for at, row in enumerate(own):
            for name in row:
                rows_of.setdefault(name, []).append(at)
        self._crossed: dict[str, Floats] = {}
        for pair, weight in weights.items():
            for place in (place for place, letter in enumerate(pair) if letter == "&"):
                outer, inner = pair[:place], pair[place + 1 :]
                if inner in rows_of and crossed((outer,), (inner,)):
                    column = self._crossed.setdefault(outer, np.zeros(len(own)))
                    np.add.at(column, rows_of[inner], weight)

    def __call__(self, around: Sequence[str], rows: Rows) -> Floats:
        found = self._rows[rows] + sum(self._weights.get(name, 0.0) for name in around)
        for name in around:
            if name in self._crossed:
                found += self._crossed[name][rows]
        return np.asarray(found)
