"""What another policy would have been worth: against a known truth, and on other people's logs."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.ads.measurement.estimators import (
    Estimate,
    doubly_robust,
    effective_sample,
    inverse_propensity,
    on_policy,
    self_normalised,
)
from falsework.errors import FalseworkError

Columns = dict[str, npt.NDArray[np.float64]]
ESTIMATORS = (inverse_propensity, self_normalised)


def open_bandit(shared: Path, policy: str) -> Columns:
    path = shared / "ads" / "open_bandit" / policy / "men.csv.gz"
    if not path.exists():
        pytest.skip("the Open Bandit sample is not here")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        name: np.array([float(row[name]) for row in rows])
        for name in ("item_id", "click", "propensity_score")
    }


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_other_policys_log_tells_what_the_uniform_one_was_worth(shared: Path, estimator: object) -> None:
    uniform, thompson = open_bandit(shared, "random_men"), open_bandit(shared, "bts_men")
    truth = on_policy(uniform["click"])
    wanted = np.full(len(thompson["click"]), 1 / len(np.unique(uniform["item_id"])))
    found: Estimate = estimator(thompson["click"], thompson["propensity_score"], wanted)  # type: ignore[operator]
    assert truth.value is not None
    assert found.holds(truth.value)
    assert found.effective_sample == pytest.approx(656, abs=1)


def test_a_log_that_hardly_ever_chose_so_is_refused() -> None:
    rng = np.random.default_rng(4)
    logged = np.where(rng.random(2000) < 0.002, 0.0005, 0.9)
    wanted = np.where(logged < 0.5, 1.0, 0.001)
    for estimator in ESTIMATORS:
        found = estimator(rng.random(2000) < 0.1, logged, wanted)
        assert found.effective_sample < 50
        assert found.value is found.low is found.high is None
        assert "effective sample" in found.refused


def bandit(seed: int, decisions: int = 1500, choices: int = 8) -> tuple[Columns, float]:
    """A log of a lopsided policy in four contexts, and what choosing evenly is truly worth."""
    rng = np.random.default_rng(seed)
    worth = np.random.default_rng(seed // 20).uniform(0.02, 0.2, (4, choices))
    policy = 0.9 * np.random.default_rng(7).dirichlet(np.full(choices, 0.7), size=4) + 0.1 / choices
    context = rng.integers(4, size=decisions)
    chosen = (
        (rng.random(decisions)[:, None] > policy[context].cumsum(axis=1)).sum(axis=1).clip(max=choices - 1)
    )
    columns = {
        "click": (rng.random(decisions) < worth[context, chosen]).astype(np.float64),
        "logged": policy[context, chosen],
        "wanted": np.full(decisions, 1 / choices),
        "predicted": worth[context, chosen],
        "direct": worth[context].mean(axis=1),
    }
    return columns, float(worth.mean())


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = {"ips": 0, "snips": 0, "dr": 0}
    rounds = 60
    for seed in range(rounds):
        log, truth = bandit(seed)
        columns = log["click"], log["logged"], log["wanted"]
        held["ips"] += inverse_propensity(*columns, seed=seed).holds(truth)
        held["snips"] += self_normalised(*columns, seed=seed).holds(truth)
        held["dr"] += doubly_robust(*columns, log["predicted"], log["direct"], seed=seed).holds(truth)
    # 95 % of 60 are 57; fewer than 50 would come about by chance once in ten thousand.
    assert min(held.values()) >= 50


def test_a_good_model_of_the_reward_narrows_the_interval_and_a_bad_one_does_no_harm() -> None:
    log, truth = bandit(3, decisions=20_000)
    columns = log["click"], log["logged"], log["wanted"]
    plain = inverse_propensity(*columns)
    good = doubly_robust(*columns, log["predicted"], log["direct"])
    nonsense = np.full(20_000, 0.5)
    bad = doubly_robust(*columns, nonsense, nonsense)
    assert plain.low is not None
    assert plain.high is not None
    assert good.low is not None
    assert good.high is not None
    assert good.high - good.low < plain.high - plain.low
    assert good.holds(truth)
    assert bad.holds(truth)


def test_the_same_log_gives_the_same_interval() -> None:
    log, _ = bandit(5)
    columns = log["click"], log["logged"], log["wanted"]
    assert self_normalised(*columns) == self_normalised(*columns)


@settings(max_examples=50, deadline=None)
@given(st.integers(60, 300), st.integers(0, 2**20))
def test_the_policy_of_the_log_itself_is_worth_its_mean(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rewards, logged = rng.random(count), rng.uniform(0.01, 1, count)
    for estimator in ESTIMATORS:
        assert estimator(rewards, logged, logged).value == pytest.approx(rewards.mean())
    assert effective_sample(np.ones(count)) == pytest.approx(count)


@pytest.mark.parametrize(
    ("logged", "wanted", "where"),
    [
        ([0.5, 0.0], [0.5, 0.5], "logged"),
        ([0.5, 1.5], [0.5, 0.5], "logged"),
        ([0.5, 0.5], [0.5, -0.1], "wanted"),
        ([0.5, float("nan")], [0.5, 0.5], "logged"),
        ([0.5], [0.5, 0.5], "logged"),
    ],
)
def test_what_is_no_probability_is_refused_by_name(
    logged: list[float], wanted: list[float], where: str
) -> None:
    with pytest.raises(FalseworkError) as refused:
        inverse_propensity([1.0, 0.0], logged, wanted)
    assert where in refused.value.where
