"""What a policy would have been worth on a log of choices, by three estimators side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse, special

from falsework.ads.learning.logistic import fit_logistic
from falsework.ads.measurement.choices import Choices
from falsework.ads.measurement.estimators import (
    LEAST_EFFECTIVE,
    Estimate,
    doubly_robust,
    effective_sample,
    inverse_propensity,
    on_policy,
    self_normalised,
)
from falsework.errors import FalseworkError
from falsework.seeds import generator

__all__ = ["POLICIES", "evaluate"]

Floats = npt.NDArray[np.float64]
POLICIES: Final = ("logged", "uniform", "greedy")
FOLDS = 5
PENALTY = 20.0  # of the reward model's weights: responses are few


def evaluate(log: Choices, policy: str | Mapping[str, float], *, seed: int = 0) -> list[Estimate]:
    """`policy`: "logged", the one that made the log, whose value is simply the mean; "uniform", every
    candidate alike; "greedy", always the one that led without chance (own logs alone); or probabilities by
    item. Inverse propensity, self-normalised and doubly robust estimates, or their refusals. Raises
    `FalseworkError` for a policy that the log cannot tell of."""
    if policy == "logged":
        return [on_policy(log.rewards, seed=seed)]
    wanted, table = _wanted(log, policy)
    first = [
        inverse_propensity(log.rewards, log.logged, wanted, seed=seed),
        self_normalised(log.rewards, log.logged, wanted, seed=seed),
    ]
    if effective_sample(wanted / log.logged) < LEAST_EFFECTIVE:
        model = direct = np.zeros(len(log))  # refused whatever the model says
    else:
        model, direct = _predicted(log, table, seed)
    return [*first, doubly_robust(log.rewards, log.logged, wanted, model, direct, seed=seed)]


def _wanted(log: Choices, policy: str | Mapping[str, float]) -> tuple[Floats, Floats | None]:
    """The probability of each logged choice under the policy, and that of each item where it is the same for
    every choice."""
    if log.chosen is None:
        return _of_own(log, policy), None
    if isinstance(policy, str):
        if policy != "uniform":
            raise FalseworkError(
                f'"{policy}" is no policy that this log tells of',
                where="--policy",
                todo="Choose logged, uniform, or a JSON file of probabilities by item.",
            )
        table = np.full(len(log.items), 1 / len(log.items))
    else:
        table = _probabilities(log.items, policy)
    return table[log.chosen], table


def _of_own(log: Choices, policy: str | Mapping[str, float]) -> Floats:
    assert log.candidates is not None
    if policy == "uniform":
        return 1.0 / log.candidates
    if policy == "greedy":
        # The one that leads without chance has more than an even share of the draws.
        return np.where((log.logged * log.candidates > 1.0) | (log.candidates == 1), 1.0, 0.0)
    raise FalseworkError(
        "the exposures name how many candidates there were, not which: only some policies can be judged",
        where="--policy",
        todo=f"Choose from: {', '.join(POLICIES)}.",
    )


def _probabilities(items: tuple[str, ...], policy: Mapping[str, float]) -> Floats:
    unknown = [item for item in policy if item not in items]
    table = np.array([policy.get(item, 0.0) for item in items])
    if unknown or not np.isfinite(table).all() or (table < 0).any() or abs(table.sum() - 1) > 1e-6:
        raise FalseworkError(
            f"the log never chose {unknown[0]}, nothing can be said of it" if unknown else
            "the probabilities of a policy must be at least 0 and add up to 1",
            where="--policy", todo=f"Give one for each of the log's {len(items)} items.",
        )  # fmt: skip
    return table


def _predicted(log: Choices, table: Floats | None, seed: int) -> tuple[Floats, Floats]:
    """What a logistic model of the reward, fitted on the other folds, predicts for each choice, and on
    average for the policy's. Without the candidates the model knows the context alone: then both are the
    same, which is as unbiased and narrows less."""
    count = len(log)
    items = np.zeros((count, len(log.items)))
    if log.chosen is not None:
        items[np.arange(count), log.chosen] = 1.0
    known = sparse.csr_matrix(np.hstack([log.context, items]))
    fold = generator(seed, "folds").permutation(count) % FOLDS
    least, most = float(log.rewards.min()), float(log.rewards.max())
    scale = (most - least) or 1.0
    labels = (log.rewards - least) / scale  # a logistic model fits fractions of the range just as well
    model, direct = np.zeros(count), np.zeros(count)
    width = log.context.shape[1]
    for part in range(FOLDS):
        inside = fold == part
        weights, intercept = fit_logistic(known[~inside], labels[~inside], penalty=PENALTY)
        around = log.context[inside] @ weights[:width] + intercept
        if log.chosen is None or table is None:
            model[inside] = direct[inside] = special.expit(around)
        else:
            each = special.expit(around[:, None] + weights[None, width:])
            model[inside] = each[np.arange(len(each)), log.chosen[inside]]
            direct[inside] = each @ table
    return model * scale + least, direct * scale + least
