"""The state that events come to, and the graph of what was made from what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.rights.events import BEFORE_ALL, Event
from falsework.rights.records import Activity, Asset, Decision, Finding, Grant, Party, Record
from falsework.rights.state import State
from ledgers import AT, digest, one_of_each


def events_of(records: Sequence[Record]) -> list[Event]:
    events: list[Event] = []
    for number, record in enumerate(records):
        previous = events[-1].digest if events else BEFORE_ALL
        events.append(Event.of(record, sequence=number, at=AT + timedelta(hours=number), previous=previous))
    return events


def made(number: int, used: Sequence[int], generated: Sequence[int]) -> Activity:
    return Activity(
        id=f"activity {number}",
        type="render",
        used=tuple(map(digest, used)),
        generated=tuple(map(digest, generated)),
    )


def test_every_kind_has_its_place() -> None:
    state = State.of(events_of(one_of_each()))
    by_kind = {
        Party: state.parties, Asset: state.assets, Activity: state.activities, Grant: state.grants,
        Finding: state.findings, Decision: state.decisions,
    }  # fmt: skip
    for record in one_of_each():
        assert by_kind[type(record)][record.id] == record
    assert sum(map(len, by_kind.values())) == len(one_of_each()) == state.size
    assert State.of([]) == State()


def test_a_later_record_replaces_an_earlier_one() -> None:
    grant = one_of_each()[5]
    assert isinstance(grant, Grant)
    revoked = grant.model_copy(update={"revoked": AT, "revoked_why": "withdrawn"})
    events = events_of([*one_of_each(), revoked])
    state = State.of(events)
    assert state.grants[grant.id] == revoked
    assert state.grants_for(digest(1)) == (revoked,)
    entry = state.entry(revoked)
    assert (entry.sequence, entry.time, entry.first) == (8, events[8].time, events[5].time)
    # The beginning of a ledger is a state too: what was known then.
    assert State.of(events[:-1]).grants[grant.id] == grant
    with pytest.raises(KeyError):
        state.entry(Party(id="party:nobody", type="person", name="N"))


def test_ancestors_and_descendants() -> None:
    #  1   2        plates
    #   \ / \
    #    3   4      layers
    #     \ /
    #      5        cut (also from 9, which nobody recorded)
    state = State.of(events_of([made(1, [1, 2], [3]), made(2, [2], [4]), made(3, [3, 4, 9], [5])]))
    assert state.ancestors(digest(5)) == tuple(map(digest, (3, 4, 9, 1, 2)))
    assert state.descendants(digest(2)) == tuple(map(digest, (3, 4, 5)))
    assert state.ancestors(digest(1)) == ()
    assert state.descendants(digest(5)) == ()
    assert state.ancestors("sha256:unheard") == ()
    assert [one.id for one in state.made_by(digest(5))] == ["activity 3"]
    assert [one.id for one in state.used_by(digest(2))] == ["activity 1", "activity 2"]
    assert [one.id for one in state.history(digest(5))] == ["activity 3", "activity 1", "activity 2"]


def test_a_repeated_activity_counts_as_it_is_now() -> None:
    state = State.of(events_of([made(1, [1], [3]), made(1, [2], [3])]))
    assert state.ancestors(digest(3)) == (digest(2),)


def test_what_was_decided_and_found() -> None:
    state = State.of(events_of(one_of_each()))
    assert [one.id for one in state.decisions_on(digest(2))] == ["decision:1"]
    assert [one.id for one in state.findings_on(digest(2))] == ["finding:1"]
    assert state.decisions_on(digest(1)) == ()


@given(st.lists(st.tuples(st.lists(st.integers(0, 9), max_size=3), st.lists(st.integers(0, 9), max_size=2))))
def test_the_graph_is_its_own_mirror(steps: list[tuple[list[int], list[int]]]) -> None:
    """With cycles too: b is an ancestor of a just where a is a descendant of b, and nothing of itself."""
    state = State.of(events_of([made(number, *step) for number, step in enumerate(steps)]))
    every = [digest(number) for number in range(10)]
    for asset in every:
        found = state.ancestors(asset)
        assert len(set(found)) == len(found)
        assert asset not in found
        assert {one for one in every if asset in state.descendants(one)} == set(found)
        for activity in state.made_by(asset):
            assert set(activity.used) - {asset} <= set(found)
