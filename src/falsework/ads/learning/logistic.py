"""Logistic regression on sparse features, and the calibration of what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

__all__ = ["calibration_error", "fit_logistic", "isotonic", "log_loss", "platt", "ranked_right"]

Floats = npt.NDArray[np.float64]
MOST_STEPS = 300
LEAST_BLOCK = 50  # responses and refusals together behind each step of a calibration


def fit_logistic(features: Any, labels: Floats, *, penalty: float) -> tuple[Floats, float]:
    """Weights (d,) and intercept that minimise the log-loss plus `penalty` / 2 times the weights' squares,
    summed over rows; the intercept is free. `features` (n, d): anything with `@` and `.T`. L-BFGS."""
    width = features.shape[1]
    base = float(np.clip(labels.mean(), 1e-9, 1 - 1e-9))

    def loss(point: Floats) -> tuple[float, Floats]:
        weights, intercept = point[:-1], point[-1]
        score = features @ weights + intercept
        value = float(np.logaddexp(0.0, score).sum() - labels @ score) + 0.5 * penalty * float(
            weights @ weights
        )
        missed = special.expit(score) - labels
        return value, np.append(features.T @ missed + penalty * weights, missed.sum())

    start = np.append(np.zeros(width), special.logit(base))
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS})
    return found.x[:-1], float(found.x[-1])


def isotonic(scores: Floats, labels: Floats, *, least: int = LEAST_BLOCK) -> tuple[Floats, Floats]:
    """Scores (k,) and the rates (k,) they stand for, both rising, to be interpolated between: isotonic
    regression by pooling adjacent violators (Ayer et al. 1955). Blocks of fewer than `least` rows are pooled
    with their neighbours, so that no rate rests on a handful."""
    order = np.argsort(scores, kind="stable")
    blocks: list[list[float]] = []  # sum of labels, rows, sum of scores
    for start in range(0, len(order), least):
        part = order[start : start + least]
        blocks.append([float(labels[part].sum()), float(len(part)), float(scores[part].sum())])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
    table = np.array(blocks)
    # Half a response more and half a refusal more (Krichevsky and Trofimov): no rate is 0 or 1.
    return table[:, 2] / table[:, 1], (table[:, 0] + 0.5) / (table[:, 1] + 1.0)


def platt(scores: Floats, labels: Floats) -> tuple[float, float]:
    """Slope and offset of the logit that make scores rates (Platt 1999): two numbers, where there are too few
    responses for `isotonic`. The slope is held near 1, and never turns the scores' order round."""
    slope, offset = fit_logistic(scores[:, None] - scores.mean(), labels, penalty=1.0)
    steep = max(float(slope[0]), 0.0)
    return steep, offset - steep * float(scores.mean())


def log_loss(rates: Floats, labels: Floats) -> float:
    """Mean negative log-likelihood, in nats."""
    kept = np.clip(rates, 1e-12, 1 - 1e-12)
    return float(-(labels * np.log(kept) + (1 - labels) * np.log1p(-kept)).mean())


def ranked_right(rates: Floats, labels: Floats) -> float:
    """Area under the ROC curve: how often a response has the higher rate of a pair; ties count half. NaN
    where there is no pair."""
    positive = labels > 0.5
    count = int(positive.sum())
    if not 0 < count < len(labels):
        return float("nan")
    _, places, counts = np.unique(rates, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((rank[positive].sum() - count * (count + 1) / 2) / (count * (len(labels) - count)))


def calibration_error(rates: Floats, labels: Floats, *, bins: int = 10) -> float:
    """Expected calibration error: over `bins` of equally many rows by rate, the mean distance of predicted
    and true rate."""
    order = np.argsort(rates, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return sum(abs(float(rates[part].sum() - labels[part].sum())) for part in parts) / len(rates)
