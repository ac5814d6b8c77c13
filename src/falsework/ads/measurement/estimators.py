"""What a new way of choosing would have been worth, from a log of another one that kept its propensities.

Horvitz and Thompson 1952 (inverse propensity), Swaminathan and Joachims 2015 (self-normalised), Dudík,
Langford and Li 2011 (doubly robust). All of them say nothing where the effective sample is small: few logged
decisions then carry all the weight, and their intervals are too narrow to be believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from falsework.errors import FalseworkError
from falsework.seeds import generator

__all__ = [
    "LEAST_EFFECTIVE",
    "Estimate",
    "doubly_robust",
    "effective_sample",
    "inverse_propensity",
    "on_policy",
    "self_normalised",
]

LEAST_EFFECTIVE = 50.0
RESAMPLES = 2_000
LEVEL = 0.95
AT_ONCE = 64  # resamples held in memory together

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Estimate:
    """A policy's value for each decision with its interval at `level`; nothing but the reason where
    `refused`.

    `effective_sample` is Kish's: how many decisions of the new policy's own would weigh as much.
    """

    method: str
    value: float | None
    low: float | None
    high: float | None
    effective_sample: float
    decisions: int
    level: float = LEVEL
    refused: str = ""

    def holds(self, value: float) -> bool:
        """Whether the interval holds a value."""
        return self.low is not None and self.high is not None and self.low <= value <= self.high


def effective_sample(weights: Floats) -> float:
    """(sum w)^2 / sum w^2 of importance weights (n,). Kish 1965."""
    total = float(weights.sum())
    return total * total / float(np.square(weights).sum()) if total > 0 else 0.0


def on_policy(rewards: npt.ArrayLike, *, seed: int = 0) -> Estimate:
    """The value of the policy that made the log: the mean of `rewards` (n,)."""
    given = _column(rewards, "rewards")
    return _estimate("on policy", np.ones_like(given), [given], lambda sums: sums[:, 0], seed, needs=0.0)


def inverse_propensity(
    rewards: npt.ArrayLike, logged: npt.ArrayLike, wanted: npt.ArrayLike, *, seed: int = 0
) -> Estimate:
    """Rewards (n,), the probability with which each logged choice was made (`logged`, above 0) and with which
    the new policy would make it (`wanted`). Unbiased; its interval is wide where the policies differ."""
    given, weights = _weighted(rewards, logged, wanted)
    return _estimate("inverse propensity", weights, [weights * given], lambda sums: sums[:, 0], seed)


def self_normalised(
    rewards: npt.ArrayLike, logged: npt.ArrayLike, wanted: npt.ArrayLike, *, seed: int = 0
) -> Estimate:
    """As `inverse_propensity`, divided by the weights' own mean: a small bias, far less spread."""
    given, weights = _weighted(rewards, logged, wanted)
    return _estimate(
        "self-normalised",
        weights,
        [weights * given, weights],
        lambda sums: sums[:, 0] / np.maximum(sums[:, 1], np.finfo(np.float64).tiny),
        seed,
    )


def doubly_robust(
    rewards: npt.ArrayLike,
    logged: npt.ArrayLike,
    wanted: npt.ArrayLike,
    predicted: npt.ArrayLike,
    predicted_wanted: npt.ArrayLike,
    *,
    seed: int = 0,
) -> Estimate:
    """With a model of the reward besides: `predicted` (n,) for the logged choices, `predicted_wanted` (n,)
    the mean of what it predicts for what the new policy would choose. Right where either the model or the
    propensities are. The predictions of a decision must come from a model that has not seen that decision
    (cross-fitting)."""
    given, weights = _weighted(rewards, logged, wanted)
    model = _column(predicted, "predicted", like=given)
    direct = _column(predicted_wanted, "predicted_wanted", like=given)
    each = direct + weights * (given - model)
    return _estimate("doubly robust", weights, [each], lambda sums: sums[:, 0], seed)


def _estimate(
    method: str,
    weights: Floats,
    columns: list[Floats],
    statistic: Statistic,
    seed: int,
    *,
    needs: float = LEAST_EFFECTIVE,
) -> Estimate:
    """The statistic of the columns' means, and its bootstrap interval."""
    effective = effective_sample(weights)
    if effective < needs:
        reason = (
            f"the effective sample is {effective:.1f} of {len(weights)} decisions, {needs:.0f} are needed: "
            "the log's policy hardly ever chose what this one would"
        )
        return Estimate(method, None, None, None, effective, len(weights), refused=reason)
    table = np.stack(columns, axis=1)
    rng = generator(seed, "bootstrap", method)
    count = len(table)
    resampled = np.empty((RESAMPLES, table.shape[1]))
    for start in range(0, RESAMPLES, AT_ONCE):
        drawn = rng.integers(count, size=(min(AT_ONCE, RESAMPLES - start), count))
        resampled[start : start + len(drawn)] = table[drawn].mean(axis=1)
    value = float(statistic(table.mean(axis=0, keepdims=True))[0])
    without = (table.sum(axis=0) - table) / max(count - 1, 1)
    low, high = _interval(statistic(resampled), value, statistic(without))
    return Estimate(method, value, low, high, effective, count)


def _interval(resampled: Floats, value: float, without: Floats) -> tuple[float, float]:
    """Bias-corrected and accelerated (Efron 1987): importance weights are skewed, and plain percentiles would
    end too low. `without` is the statistic with each decision left out."""
    below = (np.count_nonzero(resampled < value) + 0.5 * np.count_nonzero(resampled == value)) / len(
        resampled
    )
    bias = special.ndtri(np.clip(below, 0.5 / len(resampled), 1 - 0.5 / len(resampled)))
    influence = without.mean() - without
    spread = float(np.square(influence).sum()) ** 1.5
    acceleration = float((influence**3).sum()) / (6 * spread) if spread > 0 else 0.0
    normal = special.ndtri(np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    shifted = bias + (bias + normal) / (1 - acceleration * (bias + normal))
    low, high = np.quantile(resampled, special.ndtr(shifted))
    return float(low), float(high)


def _weighted(rewards: npt.ArrayLike, logged: npt.ArrayLike, wanted: npt.ArrayLike) -> tuple[Floats, Floats]:
    given = _column(rewards, "rewards")
    made = _column(logged, "logged propensities", like=given)
    new = _column(wanted, "wanted propensities", like=given)
    for name, column, fault in (
        ("logged propensities", made, (made <= 0) | (made > 1)),
        ("wanted propensities", new, (new < 0) | (new > 1)),
    ):
        if fault.any():
            row = int(np.argmax(fault))
            raise FalseworkError(
                f"row {row} has a probability of {column[row]:g}",
                where=name,
                todo="Logged ones lie above 0 and up to 1, wanted ones from 0 to 1.",
            )
    return given, new / made


def _column(values: npt.ArrayLike, name: str, like: Floats | None = None) -> Floats:
    column = np.asarray(values, dtype=np.float64)
    wrong = column.ndim != 1 or not len(column) or (like is not None and column.shape != like.shape)
    if wrong or not np.isfinite(column).all():
        raise FalseworkError(
            "is no column of finite numbers as long as the others", where=name, todo="Mend the log."
        )
    return column
