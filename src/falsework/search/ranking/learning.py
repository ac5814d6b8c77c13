"""Weights from queries with known answers: multinomial logistic regression over each query's candidates.

The model is Plackett and Luce's first choice (McFadden's conditional logit): the answer's probability among
a query's candidates is the softmax of their weighted columns. A ridge penalty on standardised columns keeps
a few hundred queries from saying more than they can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Choice", "fit_weights"]

Floats = npt.NDArray[np.float32]
LEAST_SPREAD: Final = 0.1  # what hardly ever varies here may vary elsewhere: it is given no large weight
STEPS: Final = 200  # of L-BFGS at most


@dataclass(frozen=True)
class Choice:
    """One query's candidates: `columns` (candidates, columns), and which of them answer it."""

    columns: Floats
    answers: npt.NDArray[np.bool_]


def fit_weights(choices: Sequence[Choice], penalty: float) -> npt.NDArray[np.float64]:
    """A weight for each column, for columns as they come. Choices without an answer among their candidates
    teach nothing and are left out; several answers share their query's weight of one. All weights are 0 where
    there is nothing to learn from."""
    from scipy.optimize import minimize

    taught = [choice for choice in choices if choice.answers.any()]
    if not taught:
        return np.zeros(choices[0].columns.shape[1] if choices else 0)
    every = np.concatenate([choice.columns for choice in taught])
    mean, spread = every.mean(axis=0), np.maximum(every.std(axis=0), LEAST_SPREAD)
    del every
    standardised = [((choice.columns - mean) / spread).astype(np.float32) for choice in taught]
    targets = [(choice.answers / choice.answers.sum()).astype(np.float32) for choice in taught]

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        total = penalty * float(weights @ weights) / 2
        gradient = penalty * weights
        single = weights.astype(np.float32)
        for columns, target in zip(standardised, targets, strict=True):
            scores = columns @ single
            scores -= scores.max()
            chances = np.exp(scores)
            mass = chances.sum()
            total -= float(target @ scores) - float(np.log(mass))
            gradient = gradient + (chances / mass - target) @ columns
        return total, gradient

    start = np.zeros(len(mean))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return np.asarray(found.x / spread, np.float64)
