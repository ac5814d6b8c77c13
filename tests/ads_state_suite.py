"""What every engine of state must do. A test file of an engine inherits it and says how one is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from falsework.ads.state.protocol import Event, State

NOW = 1_000_000.0
Open = Callable[[], State]


def event(
    served: str,
    kind: str = "impression",
    *,
    stream: str = "s",
    viewer: str = "",
    at: float = NOW,
    cost: int = 5,
) -> Event:
    return Event(
        stream=stream,
        served=served,
        kind=kind,
        line_item="item",
        at=at,
        cost=cost if kind == "impression" else 0,
        viewer=viewer,
        counters=("campaign:7", "advertiser:a"),
    )


class StateSuite:
    """`reopens`: what was recorded is there when the state is opened again."""

    reopens: ClassVar[bool] = True

    @pytest.fixture
    def open_state(self) -> Open:
        raise NotImplementedError

    def test_an_event_counts_once(self, open_state: Open) -> None:
        state = open_state()
        assert state.record([event("a"), event("a"), event("b")]) == [True, False, True]
        assert state.record([event("a"), event("a", "start")]) == [False, True]
        assert state.spent(["item"])["item"] == 10
        assert len(state.history("s")["campaign:7"]) == 2
        state.close()

    def test_only_impressions_are_counted_and_cost(self, open_state: Open) -> None:
        state = open_state()
        state.record([event("a", "start"), event("a", "click"), event("a", "complete")])
        assert state.spent(["item", "other"]) == {"item": 0, "other": 0}
        assert not state.history("s")
        state.close()

    def test_a_viewer_is_counted_only_where_one_is_told(self, open_state: Open) -> None:
        state = open_state()
        state.record([event("a", viewer="v", at=NOW + 9), event("b", viewer="v", at=NOW), event("c")])
        assert list(state.history("v")["advertiser:a"]) == [NOW, NOW + 9]
        assert len(state.history("s")["advertiser:a"]) == 3
        assert not state.history("")
        state.close()

    def test_leases_never_promise_more_than_the_budget(self, open_state: Open) -> None:
        state = open_state()
        first = state.lease("item", 60, budget=100, now=NOW, seconds=10)
        second = state.lease("item", 60, budget=100, now=NOW, seconds=10)
        assert first is not None
        assert second is not None
        assert (first.amount, second.amount) == (60, 40)
        assert state.lease("item", 1, budget=100, now=NOW, seconds=10) is None
        assert state.outstanding(["item"], NOW)["item"] == 100
        state.record([event("a", cost=30)])
        state.give_back(first)
        state.give_back(first)
        again = state.lease("item", 100, budget=100, now=NOW, seconds=10)
        assert again is not None
        assert again.amount == 30  # 100, less 30 spent, less 40 leased
        state.close()

    def test_a_lease_ends_by_itself(self, open_state: Open) -> None:
        state = open_state()
        assert state.lease("item", 100, budget=100, now=NOW, seconds=10) is not None
        assert state.lease("item", 100, budget=100, now=NOW + 9, seconds=10) is None
        assert state.outstanding(["item"], NOW + 11)["item"] == 0
        assert state.lease("item", 100, budget=100, now=NOW + 11, seconds=10) is not None
        state.close()

    def test_all_of_it_is_there_again(self, open_state: Open) -> None:
        if not self.reopens:
            pytest.skip("this engine has nothing to open again")
        state = open_state()
        state.record([event("a", viewer="v"), event("b")])
        lease = state.lease("item", 50, budget=100, now=NOW, seconds=100)
        state.close()
        state = open_state()
        assert lease is not None
        assert state.spent(["item"])["item"] == 10
        assert state.outstanding(["item"], NOW)["item"] == 50
        assert state.record([event("a"), event("c")]) == [False, True]
        assert len(state.history("v")["campaign:7"]) == 1
        state.give_back(lease)
        assert state.outstanding(["item"], NOW)["item"] == 0
        state.close()

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["impression", "start"])), max_size=30)
    )
    def test_any_order_of_duplicates_counts_the_same(
        self, open_state: Open, calls: list[tuple[str, str]]
    ) -> None:
        state = open_state()
        before = state.spent(["item"])["item"]
        run = f"run{before}"
        for served, kind in calls:
            state.record([event(f"{run}{served}", kind)])
        distinct = {served for served, kind in calls if kind == "impression"}
        assert state.spent(["item"])["item"] - before == 5 * len(distinct)
        state.close()
