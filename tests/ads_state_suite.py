"""What every engine of state must do. A test file of an engine inherits it and says how one is opened."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from falsework.ads.state.protocol import Event, Lease, State

NOW = 1_000_000.0
Open = Callable[[], State]
# One state for all examples of a test, and one test for all engines: both are meant.
SHARED = (HealthCheck.function_scoped_fixture, HealthCheck.differing_executors)


def event(
    served: str,
    kind: str = "impression",
    *,
    stream: str = "s",
    viewer: str = "",
    at: float = NOW,
    cost: int = 5,
    line_item: str = "item",
    counters: tuple[str, ...] = ("campaign:7", "advertiser:a"),
) -> Event:
    return Event(
        stream=stream,
        served=served,
        kind=kind,
        line_item=line_item,
        at=at,
        cost=cost if kind == "impression" else 0,
        viewer=viewer,
        counters=counters,
    )


def held_at(leases: list[Lease], now: float) -> dict[str, int]:
    """What leases hold of the line items x and y."""
    return {
        item: sum(lease.amount for lease in leases if lease.line_item == item and lease.expires > now)
        for item in "xy"
    }


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

    @settings(max_examples=25, deadline=None, suppress_health_check=SHARED)
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

    def test_names_run_into_each_other_nowhere(self, open_state: Open) -> None:
        state = open_state()
        names = [
            ("ab", "c"),
            ("a", "bc"),
            ("a\0b", "c"),
            ("a", "b\0c"),
            ("é", "☃"),
            ("", "abc"),
            ("a:b", "c"),
        ]
        events = [event(served, stream=stream) for stream, served in names]
        assert state.record(events) == [True] * len(names)
        assert state.record(events) == [False] * len(names)
        assert len(state.history("a")["campaign:7"]) == 2
        assert len(state.history("a:b")["campaign:7"]) == 1
        assert not state.history("b")
        state.close()

    def test_times_and_amounts_come_back_as_they_were(self, open_state: Open) -> None:
        state = open_state()
        at, cost = 1_792_000_000.123456, 3_000_000_000_000_001
        state.record([event("a", at=at, cost=cost), event("b", at=math.nextafter(at, 0), cost=1)])
        assert list(state.history("s")["campaign:7"]) == [math.nextafter(at, 0), at]
        assert state.spent(["item"])["item"] == cost + 1
        lease = state.lease("item", 2**51, budget=2**52, now=at, seconds=0.5)
        assert lease is not None
        assert lease.amount == 2**52 - cost - 1 if 2**52 - cost - 1 < 2**51 else 2**51
        assert state.outstanding(["item"], at + 0.25)["item"] == lease.amount
        assert state.outstanding(["item"], at + 0.5)["item"] == 0
        state.close()

    @pytest.mark.parametrize("length", [1, 31, 32, 255, 256, 600, 70_000])
    def test_names_may_be_of_any_length(self, open_state: Open, length: int) -> None:
        state = open_state()
        name = "☃" * (length // 3) + "x" * (length % 3)
        one = event(name, name, stream=name, line_item=name)
        shown = event(name, stream=name, viewer=name + "v", line_item=name, counters=(name, "b"))
        assert state.record([one, shown, shown]) == [True, True, False]
        assert list(state.history(name + "v")) in ([name, "b"], ["b", name])
        assert dict(state.spent([name])) == {name: 5}
        lease = state.lease(name, 3, budget=9, now=NOW, seconds=10)
        assert lease is not None
        state.give_back(lease)
        assert state.outstanding([name], NOW)[name] == 0
        state.close()

    def test_nothing_asked_is_nothing_told(self, open_state: Open) -> None:
        state = open_state()
        assert state.record([]) == []
        assert dict(state.spent([])) == {}
        assert dict(state.outstanding([], NOW)) == {}
        assert not state.history("nobody")
        state.close()

    def test_a_lease_that_ended_gives_nothing_back(self, open_state: Open) -> None:
        state = open_state()
        old = state.lease("item", 80, budget=100, now=NOW, seconds=10)
        new = state.lease("item", 80, budget=100, now=NOW + 20, seconds=10)
        assert old is not None
        assert new is not None
        state.give_back(old)
        assert state.outstanding(["item"], NOW + 20)["item"] == 80
        assert state.lease("other", 80, budget=100, now=NOW + 20, seconds=10) is not None
        state.close()

    def test_a_budget_that_was_overspent_lends_nothing(self, open_state: Open) -> None:
        state = open_state()
        state.record([event("a", cost=120)])
        assert state.lease("item", 1, budget=100, now=NOW, seconds=10) is None
        assert state.lease("item", 1, budget=0, now=NOW, seconds=10) is None
        state.close()

    @settings(max_examples=25, deadline=None, suppress_health_check=SHARED)
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("record"), st.integers(0, 12), st.sampled_from("xy")),
                st.tuples(st.just("lease"), st.integers(1, 50), st.sampled_from("xy")),
                st.tuples(st.just("give back"), st.integers(0, 5), st.just("")),
                st.tuples(st.just("wait"), st.integers(0, 30), st.just("")),
            ),
            max_size=40,
        )
    )
    def test_any_calls_answer_as_a_plain_ledger_does(
        self, open_state: Open, calls: list[tuple[str, int, str]]
    ) -> None:
        """Leases of 20 s on budgets of 100 above what earlier examples spent, against sums kept by hand."""
        state = open_state()
        began = {item: state.spent([item])[item] for item in "xy"}
        run = f"{began}"
        # Past every lease of the example before.
        now = NOW + 1e5 * sum(began.values())
        for item in "xy":
            now += 2_000 * (state.outstanding([item], now)[item] > 0)
        spent: dict[str, int] = defaultdict(int)
        seen: set[tuple[int, str]] = set()
        leases: list[Lease] = []
        for name, number, item in calls:
            held = held_at(leases, now)
            if name == "record":
                one = event(f"{run}{number}", at=now, cost=number, line_item=item, stream=item)
                assert state.record([one]) == [(number, item) not in seen]
                spent[item] += 0 if (number, item) in seen else number
                seen.add((number, item))
            elif name == "lease":
                left = 100 - spent[item] - held[item]
                lease = state.lease(item, number, budget=began[item] + 100, now=now, seconds=20)
                assert (0 if lease is None else lease.amount) == min(number, max(left, 0))
                leases += [lease] if lease is not None else []
            elif name == "give back" and leases:
                state.give_back(leases.pop(number % len(leases)))
            elif name == "wait":
                now += number
            held = held_at(leases, now)
            assert dict(state.outstanding("xy", now)) == held
            assert dict(state.spent("xy")) == {one: began[one] + spent[one] for one in "xy"}
        for lease in leases:
            state.give_back(lease)
        # So that the next example, in the same state, has names of its own.
        state.record([event(f"{run}end", at=now, cost=1, line_item="x")])
        state.close()
