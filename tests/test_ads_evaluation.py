"""Policies judged from logs of choices, as the command does it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from falsework.ads.learning.synthetic import GENRES, ITEMS, LED, true_rate, write_log
from falsework.ads.measurement.choices import read_choices
from falsework.ads.measurement.evaluation import evaluate
from falsework.errors import FalseworkError


def test_the_other_log_lies_within_every_estimate(shared: Path) -> None:
    folder = shared / "ads" / "open_bandit"
    if not folder.exists():
        pytest.skip("the Open Bandit sample is not here")
    thompson = read_choices(folder / "bts_men" / "men.csv.gz")
    uniform = read_choices(folder / "random_men" / "men.csv.gz")
    (truth,) = evaluate(uniform, "logged")
    found = evaluate(thompson, "uniform")
    assert truth.value is not None
    assert [one.method for one in found] == ["inverse propensity", "self-normalised", "doubly robust"]
    assert all(one.holds(truth.value) for one in found)
    assert all(one.effective_sample == pytest.approx(656, abs=1) for one in found)
    # A policy the log is made of agrees with itself, by any way of telling it.
    (value,) = evaluate(thompson, "logged")
    assert value.value == pytest.approx(thompson.rewards.mean())
    table = dict.fromkeys(thompson.items, 1 / len(thompson.items))
    assert evaluate(thompson, table) == found


def test_a_policy_the_log_hardly_ever_followed_is_refused_by_all_three(shared: Path) -> None:
    path = shared / "ads" / "open_bandit" / "bts_men" / "men.csv.gz"
    if not path.exists():
        pytest.skip("the Open Bandit sample is not here")
    log = read_choices(path)
    counts = np.bincount(log.chosen if log.chosen is not None else [])
    rarest = log.items[int(counts.argmin())]
    found = evaluate(log, {rarest: 1.0})
    assert all(one.effective_sample < 50 and one.refused and one.value is None for one in found)


@pytest.mark.parametrize("policy", ["uniform", "greedy"])
def test_own_logs_tell_what_is_true_by_construction(tmp_path: Path, policy: str) -> None:
    write_log(tmp_path, count=25_000, seed=2)
    evening = 0.25
    rates = np.array(
        [
            [
                (1 - evening) * true_rate(item, genre, False) + evening * true_rate(item, genre, True)
                for item in range(len(ITEMS))
            ]
            for genre in range(len(GENRES))
        ]
    )
    truth = LED * (rates.mean() if policy == "uniform" else np.mean([rates[at, at] for at in range(5)]))
    found = evaluate(read_choices(tmp_path), policy)
    assert all(one.holds(float(truth)) for one in found)
    with pytest.raises(FalseworkError, match="only some policies"):
        evaluate(read_choices(tmp_path), {"shoes": 1.0})


def write_csv(path: Path, text: str) -> Path:
    path.write_text("item_id,position,click,propensity_score\n" + text)
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no choices"),
        ("1,1,0,0\n", "propensity of 0"),
        ("1,1,0,0.5\n1,1,0,1.5\n", "line 3"),
        ("1,1,x,0.5\n", "line 2"),
        ("1,1\n", "line 2"),
        ("1,1,nan,0.5\n", "no number"),
    ],
)
def test_a_bad_log_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(FalseworkError) as refused:
        read_choices(write_csv(tmp_path / "log.csv", text))
    assert says in refused.value.sentence()


def test_what_is_no_log_or_no_policy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("item_id,click\n1,0\n")
    for path, says in ((tmp_path / "bare.csv", "propensity_score"), (tmp_path / "none", "cannot be read"),
                       (tmp_path, "no exposures")):  # fmt: skip
        with pytest.raises(FalseworkError, match=says):
            read_choices(path)
    log = read_choices(write_csv(tmp_path / "log.csv", "1,1,0,0.5\n2,1,1,0.5\n"))
    for policy in ("greedy", {"1": 0.4}, {"3": 1.0}, {"1": 2.0, "2": -1.0}):
        with pytest.raises(FalseworkError):
            evaluate(log, policy)  # type: ignore[arg-type]
