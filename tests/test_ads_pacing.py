"""Spending a budget over a day: as much of it, and as well spent, as hindsight could have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.ads.decision.pacing import DAY, Pacer, SpendPlan

Floats = npt.NDArray[np.float64]
COST = 20_000  # micros an impression
EVERY = 100  # breaks between updates


def day(seed: int, breaks: int = 30_000, campaigns: int = 8) -> tuple[Floats, Floats]:
    """Times with an evening's peak and a night's lull, and click rates (breaks, campaigns)."""
    rng = np.random.default_rng(seed)
    hour = np.arange(288) / 12
    weight = 1 + 2.4 * np.exp(-(((hour - 21) / 3.5) ** 2)) - 0.7 * np.exp(-(((hour - 4) / 4.2) ** 2))
    weight *= np.exp(0.1 * rng.normal(size=288))
    times = np.sort((rng.choice(288, size=breaks, p=weight / weight.sum()) + rng.random(breaks)) / 288 * DAY)
    suits = 0.4 * rng.normal(size=(breaks, 1)) + 0.8 * rng.normal(size=(breaks, campaigns))
    return times, np.exp(-4.5 + suits + np.linspace(-0.4, 0.4, campaigns))


def spend(
    times: Floats,
    rates: Floats,
    usual: float,
    budget: npt.NDArray[np.int64],
    plan: SpendPlan,
    first: Floats | None,
) -> tuple[Pacer, npt.NDArray[np.int64], float]:
    campaigns = len(budget)
    pacer = Pacer(budget, np.zeros(campaigns), np.full(campaigns, DAY), plan, first)
    spent, clicks = np.zeros(campaigns, np.int64), 0.0
    for at, time in enumerate(times):
        if at % EVERY == 0:
            pacer.update(time, spent)
        score = np.where(spent + COST <= budget, rates[at] / usual - pacer.price, -1.0)
        best = int(score.argmax())
        if score[best] > 0:
            spent[best] += COST
            clicks += rates[at, best]
    return pacer, spent, clicks


def most_clicks(rates: Floats, budget: npt.NDArray[np.int64]) -> float:
    """No allocation within the budgets can have more: the least value of the problem's Lagrangian dual."""
    everyone, price = np.arange(len(rates)), np.full(rates.shape[1], rates.mean() / COST)
    least = np.inf
    for step in range(1500):
        score = rates - price * COST
        best = score.argmax(axis=1)
        worth = np.maximum(score[everyone, best], 0.0)
        least = min(least, float(worth.sum() + (price * budget).sum()))
        paid = np.bincount(best[worth > 0], minlength=len(price)) * COST
        price = price * np.exp(np.clip(0.5 / (1 + step / 60) * (paid - budget) / budget, -0.3, 0.3))
    return least


@pytest.mark.parametrize("share", [0.03, 0.08])
def test_a_day_is_spent_as_well_as_hindsight_could(share: float) -> None:
    """Yesterday's traffic gives the plan and the prices to begin with; today's is only run on."""
    before, rates_before = day(1)
    times, rates = day(2)
    budget = (share * len(times) * COST * np.linspace(0.5, 1.5, rates.shape[1])).astype(np.int64)
    plan = SpendPlan(np.histogram(before, bins=96, range=(0, DAY))[0])
    usual, first = float(rates_before.mean()), None
    for _ in range(2):
        first = spend(before, rates_before, usual, budget, plan, first)[0].price
    _, spent, clicks = spend(times, rates, usual, budget, plan, first)
    assert (spent <= budget).all()
    assert spent.sum() / budget.sum() == pytest.approx(1.0, abs=0.02)
    assert (spent / budget).min() >= 0.98
    assert clicks >= 0.97 * most_clicks(rates, budget)


def test_without_yesterday_the_budget_is_spent_all_the_same() -> None:
    times, rates = day(3)
    budget = np.full(rates.shape[1], int(0.05 * len(times) * COST), np.int64)
    _, spent, clicks = spend(times, rates, float(rates.mean()), budget, SpendPlan(), None)
    assert spent.sum() / budget.sum() == pytest.approx(1.0, abs=0.02)
    assert clicks >= 0.85 * most_clicks(rates, budget)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=48), st.floats(0, 3 * DAY), st.floats(1, 5 * DAY))
def test_a_plan_has_passed_more_as_time_goes_on_and_all_of_it_at_the_end(
    weights: list[float], starts: float, length: float
) -> None:
    plan = SpendPlan(weights)
    moments = starts + np.linspace(0, length, 50)
    begin, end = np.array([starts]), np.array([starts + length])
    shares = np.array([plan.share(begin, end, moment)[0] for moment in moments])
    assert (np.diff(shares) >= -1e-9).all()
    assert shares[0] == pytest.approx(0, abs=1e-6)
    assert shares[-1] == pytest.approx(1, abs=1e-6)


def test_prices_rise_while_spend_is_ahead_and_fall_while_it_is_behind() -> None:
    pacer = Pacer(np.array([1000, 1000, 0]), np.zeros(3), np.full(3, DAY), SpendPlan())
    pacer.update(0.0, np.zeros(3, np.int64))
    before = pacer.price.copy()
    pacer.update(0.1 * DAY, np.array([300, 0, 0]))
    assert pacer.price[0] > before[0]
    assert pacer.price[1] < before[1]
    assert pacer.price[2] == before[2]


@pytest.mark.parametrize("weights", [[], [0.0], [1.0, -1.0], [float("nan")]])
def test_a_plan_of_nothing_is_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        SpendPlan(weights)
