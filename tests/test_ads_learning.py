"""Response models: against a known truth, and blind to what a person did not permit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from falsework.ads.campaigns.book import Book
from falsework.ads.learning.features import contextual, crossed, of_advertisement, personal
from falsework.ads.learning.fit import KINDS, Kind, examples, fit
from falsework.ads.learning.logistic import (
    calibration_error,
    fit_logistic,
    isotonic,
    log_loss,
    platt,
    ranked_right,
)
from falsework.ads.learning.response import ResponseModel, _Logits, read_model, score, write_model
from falsework.ads.learning.synthetic import DURATIONS, GENRES, ITEMS, true_rate, write_log
from falsework.ads.opportunity import Activity, Break, Permissions, Scene, Verdict, Viewer
from falsework.ads.records import Campaign, Creative, Flight, LineItem
from falsework.errors import FalseworkError

EVENING = 1_790_100_000.0 - 1_790_100_000.0 % 86_400 + 20 * 3600
ALL = Permissions(verdicts=dict.fromkeys(Activity, Verdict.ALLOWED))
NONE = Permissions(verdicts={})


def asked(genre: str, viewer: Viewer | None = None) -> Break:
    return Break(
        id="b", viewer=viewer or Viewer(stream="s", permissions=NONE), at=EVENING, duration=60,
        scene=Scene(genres=(genre,), known=True),
    )  # fmt: skip


def book() -> Book:
    return Book(
        [
            Campaign(
                id=f"campaign {name}", advertiser=name, domain=f"{name}.example",
                flight=Flight(starts=0, ends=1e12),
                line_items=(LineItem(id=name, campaign=f"campaign {name}", price=1, budget=1,
                                     creatives=(Creative(id=f"{name} 1", duration=DURATIONS[at % 3]),)),),
            )
            for at, name in enumerate(ITEMS)
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("log")
    write_log(made, count=30_000, seed=11)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_comes_near_the_truth_and_ranks_as_it_does(folder: Path, tmp_path: Path, kind: Kind) -> None:
    if kind == "trees":
        pytest.importorskip("lightgbm")
    model, judged = fit(examples(folder, "click"), event="click", kind=kind)
    assert judged.log_loss < judged.base_log_loss - 0.003
    assert judged.auc > 0.62
    assert judged.calibration_error < 0.02
    assert not model.uses_personal
    write_model(model, tmp_path / "model.json")
    again = read_model(tmp_path / "model.json")
    side = book()
    rows = np.arange(len(side))
    own = [ITEMS.index(row.line_item.id) for row in side.rows]
    found, truth = [], []
    for at, genre in enumerate(GENRES):
        found += score(again, side)(asked(genre), rows).tolist()
        truth += [true_rate(item, at, True) / model.base for item in own]
    # A constant has a correlation of 0.
    assert np.corrcoef(np.log(found), np.log(truth))[0, 1] > 0.75


NAMES = st.sampled_from(
    ["genre=a", "genre=a&b", "mood=dark", "daypart=night", "device=3", "segment=x", "line_item=k"]
)


@given(
    st.dictionaries(
        st.one_of(
            NAMES,
            st.tuples(
                NAMES, st.sampled_from(["category=1", "line_item=shoes", "line_item=a&b", "length=15"])
            ).map("&".join),
        ),
        st.floats(-2, 2),
    ),
    st.lists(NAMES, unique=True),
)
def test_columns_add_up_to_what_names_do(weights: dict[str, float], around: list[str]) -> None:
    own = [of_advertisement(name, f"{name} 1", ("1", "2"), 15.0) for name in ("shoes", "a&b", "tea")]
    model = ResponseModel(event="click", weights=weights, intercept=-2.0, base=0.1)
    by_name = model.rate([[*around, *row, *crossed(around, row)] for row in own])
    rows = np.array([2, 0, 1])
    assert model.calibrated(_Logits(model, own)(around, rows)) == pytest.approx(by_name[rows])


def test_it_is_a_file_that_runs_nothing(folder: Path, tmp_path: Path) -> None:
    model, _ = fit(examples(folder, "click"), event="click")
    write_model(model, tmp_path / "m.json")
    told = json.loads((tmp_path / "m.json").read_text())
    assert told["event"] == "click"
    assert all(isinstance(value, float) for value in told["weights"].values())
    for text in ("", "{}", "[1]", '{"event": "click", "weights": {}, "base": 2.0}', "\x80\x04K\x01."):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(FalseworkError, match="no response model"):
            read_model(tmp_path / "bad.json")
    with pytest.raises(FalseworkError, match="cannot be read"):
        read_model(tmp_path / "none.json")


@given(
    st.lists(st.text(min_size=1), max_size=4).map(tuple),
    st.text(min_size=1),
    st.booleans(),
    st.dictionaries(st.sampled_from(Activity), st.sampled_from(Verdict)),
)
@settings(max_examples=300)
def test_no_feature_is_of_a_person_who_did_not_permit_it(
    segments: tuple[str, ...], identifier: str, kids: bool, verdicts: dict[Activity, Verdict]
) -> None:
    """The same break with and without everything that is known of the viewer gives the same features."""
    known = Viewer(
        stream="s", permissions=Permissions(verdicts=verdicts), identifier=identifier, segments=segments,
        kids=kids, region="FR-69", language="fr",
    )  # fmt: skip
    plain = Viewer(stream="t", permissions=NONE, kids=kids)
    assert contextual(asked("drama", known)) == contextual(asked("drama", plain))
    allowed = verdicts.get(Activity.PERSONALISE) is Verdict.ALLOWED and not kids
    assert personal(known) == (tuple(dict.fromkeys(f"segment={one}" for one in segments)) if allowed else ())


def test_segments_change_a_score_only_where_they_may() -> None:
    model = ResponseModel(event="click", weights={"segment=sport": 2.0}, intercept=-3.0, base=0.05)
    rows = np.arange(len(ITEMS))

    def scored(permissions: Permissions, *segments: str, kids: bool = False) -> list[float]:
        viewer = Viewer(stream="s", permissions=permissions, segments=segments, kids=kids)
        return score(model, book())(asked("drama", viewer), rows).tolist()

    plain = scored(NONE)
    assert scored(NONE, "sport") == scored(ALL, "sport", kids=True) == scored(ALL) == plain
    assert scored(ALL, "sport")[0] > plain[0]


def test_too_little_to_learn_from_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path, count=200, seed=1)
    with pytest.raises(FalseworkError, match="too few or too many"):
        fit(examples(tmp_path, "click"), event="click")
    with pytest.raises(FalseworkError, match="0 of the first"):
        fit(examples(tmp_path, "acceptInvitation"), event="acceptInvitation")


def test_weights_are_those_that_made_the_data() -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(size=(40_000, 3))
    truth = np.array([1.0, -0.5, 0.0])
    labels = (rng.random(40_000) < special.expit(table @ truth - 2.0)).astype(np.float64)
    weights, intercept = fit_logistic(table, labels, penalty=1.0)
    assert weights == pytest.approx(truth, abs=0.06)
    assert intercept == pytest.approx(-2.0, abs=0.06)
    tight, _ = fit_logistic(table, labels, penalty=1e7)
    assert np.abs(tight).max() < 0.01


def test_calibration_takes_a_distortion_out() -> None:
    rng = np.random.default_rng(2)
    truth = rng.uniform(-4, 0, 60_000)
    labels = (rng.random(60_000) < special.expit(truth)).astype(np.float64)
    told = 3 * truth + 5
    before = calibration_error(special.expit(told), labels)
    slope, offset = platt(told, labels)
    assert (slope, offset) == (pytest.approx(1 / 3, rel=0.1), pytest.approx(-5 / 3, rel=0.1))
    assert calibration_error(special.expit(slope * told + offset), labels) < 0.01 < before
    scores, rates = isotonic(told, labels)
    assert (np.diff(scores) > 0).all()
    assert (np.diff(rates) >= 0).all()
    assert calibration_error(np.interp(told, scores, rates), labels) < 0.01
    assert platt(-told, labels)[0] == 0.0


def test_measures_are_what_they_are_on_paper() -> None:
    labels = np.array([0.0, 0.0, 1.0, 1.0])
    assert log_loss(np.full(4, 0.5), labels) == pytest.approx(np.log(2))
    assert ranked_right(np.array([0.1, 0.4, 0.35, 0.8]), labels) == 0.75
    assert ranked_right(np.full(4, 0.5), labels) == 0.5
    assert np.isnan(ranked_right(np.ones(2), np.ones(2)))
    assert calibration_error(np.full(4, 0.5), labels, bins=1) == 0.0
    assert calibration_error(np.full(4, 0.9), labels, bins=1) == pytest.approx(0.4)
