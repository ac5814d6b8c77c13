"""What a decision adds to the log: its propensity, and nothing of a person that was not permitted."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.ads.campaigns.book import Book
from falsework.ads.decision.engine import Decider
from falsework.ads.measurement.choices import own_log
from falsework.ads.measurement.exposure import Exposure, exposures, read_record
from falsework.ads.opportunity import Activity, Break, Permissions, Scene, Verdict, Viewer
from falsework.ads.records import Campaign, Creative, Flight, LineItem
from falsework.ads.state.embedded import EmbeddedState
from falsework.ads.state.events import Segments

NOW = 1_790_000_000.0


def decider(folder: Path, *, explored: float = 0.5) -> Decider:
    campaigns = [
        Campaign(
            id=f"c{at}", advertiser=f"a{at}", domain=f"a{at}.example", flight=Flight(starts=0, ends=1e12),
            line_items=(
                LineItem(id=f"i{at}", campaign=f"c{at}", price=10_000_000 * (at + 1), budget=10**12,
                         creatives=(Creative(id=f"x{at}", duration=20.0),)),
            ),
        )
        for at in range(4)
    ]  # fmt: skip
    return Decider(
        Book(campaigns), EmbeddedState(folder), unsuitable=lambda _: frozenset(), explored=explored,
        clock=lambda: NOW,
    )  # fmt: skip


def asked(viewer: Viewer) -> Break:
    return Break(
        id="b", viewer=viewer, at=NOW, duration=20.0, most=1, scene=Scene(genres=("drama",), known=True)
    )


@pytest.fixture(scope="module")
def deciding(tmp_path_factory: pytest.TempPathFactory) -> Decider:
    return decider(tmp_path_factory.mktemp("state"))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(Activity), st.sampled_from(Verdict)), st.booleans())
def test_a_person_is_in_the_log_only_as_far_as_permitted(
    deciding: Decider, verdicts: dict[Activity, Verdict], kids: bool
) -> None:
    decision = deciding.decide(
        asked(
            Viewer(
                stream="secret-stream", permissions=Permissions(verdicts=verdicts), identifier="secret-hash",
                segments=("secret-segment",), kids=kids, region="secret-region", country="FR",
            )
        )
    )  # fmt: skip
    for one in exposures(decision):
        data = msgspec.msgpack.encode(one)
        assert read_record(data) == one
        allowed = {activity for activity, verdict in verdicts.items() if verdict is Verdict.ALLOWED}
        assert (b"secret-stream" in data) == (Activity.MEASURE in allowed)
        assert (b"secret-hash" in data) == (Activity.CAP_FREQUENCY in allowed and not kids)
        assert (b"secret-segment" in data) == (Activity.PERSONALISE in allowed and not kids)
        assert b"secret-region" not in data


def test_propensities_are_how_often_each_led(tmp_path: Path) -> None:
    """Inverse propensities of what was logged add up to the number of candidates, if they are true."""
    fresh = decider(tmp_path / "state")
    log = Segments(tmp_path / "log")
    viewer = Viewer(stream="s", permissions=Permissions(verdicts={}))
    led: list[Exposure] = []
    for _ in range(4_000):
        led += exposures(fresh.decide(asked(viewer)))
    log.append(led)
    log.close()
    choices = own_log(tmp_path / "log", "click")
    assert choices.candidates is not None
    assert set(choices.candidates.tolist()) == {4}
    assert len(choices) == 4_000
    # Its standard error is .03.
    assert np.mean(1 / choices.logged) / 4 == pytest.approx(1.0, abs=0.1)
    for item in range(4):
        chance = 0.5 / 4 + 0.5 * (item == 3)
        own = [one for one in led if one.line_item == f"i{item}"]
        assert {round(one.propensity, 6) for one in own} == {chance}
        assert abs(len(own) / 4_000 - chance) < 0.04
