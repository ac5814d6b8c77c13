"""What a worker's log gets: everything, once, in order, and later where it cannot be had now."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ads_at_work import at_work
from falsework.ads.campaigns.book import Book
from falsework.ads.measurement.beacons import Beacon
from falsework.ads.measurement.exposure import Happened, read_record
from falsework.ads.records import Campaign, Creative, Flight, LineItem
from falsework.ads.server import journal, pacing, service
from falsework.ads.server.journal import Journal
from falsework.ads.server.pacing import EVERY, Paced
from falsework.ads.state.embedded import EmbeddedState
from falsework.ads.state.events import Segments, frames, segments_of
from falsework.ads.state.protocol import Event
from falsework.errors import FalseworkError


def happened(number: int, cost: int = 0, item: str = "item") -> Happened:
    event = Event(stream="s", served=str(number), kind="impression", line_item=item, at=1.0, cost=cost)
    return Happened(event=event)


class Broken(Segments):
    """Takes nothing while `away`."""

    away = True

    def write(self, records: Sequence[bytes]) -> None:
        if self.away:
            raise FalseworkError("takes nothing", where="log")
        super().write(records)


def written(folder: Path) -> list[str]:
    found = [read_record(frame) for path in segments_of(folder) for frame in frames(path)]
    return [one.event.served for one in found if isinstance(one, Happened)]


def test_what_is_added_is_written_a_few_at_a_time_and_the_rest_at_the_end(tmp_path: Path) -> None:
    kept = Journal(Segments(tmp_path))
    for number in range(10):
        kept.add(happened(number))
    kept.encode(3)
    kept.write()
    assert written(tmp_path) == ["0", "1", "2"]
    kept.close()
    assert written(tmp_path) == [str(number) for number in range(10)]


def test_what_a_log_does_not_take_is_tried_again_and_of_too_much_the_oldest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST_WAITING", 6)
    monkeypatch.setattr(journal, "MOST_ENCODED", 2)
    log = Broken(tmp_path)
    kept = Journal(log)
    for number in range(12):
        kept.add(happened(number))
        kept.encode()
        with pytest.raises(FalseworkError):
            kept.write()
    log.away = False
    kept.close()
    assert written(tmp_path) == ["0", "1", *map(str, range(6, 12))]


class Slow(Segments):
    """Takes nothing until it is `free`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked, self.free = threading.Event(), threading.Event()

    def write(self, records: Sequence[bytes]) -> None:
        self.asked.set()
        self.free.wait()
        super().write(records)


def test_records_are_made_while_a_write_waits(tmp_path: Path) -> None:
    log = Slow(tmp_path)
    kept = Journal(log)
    kept.add(happened(0))
    kept.encode()
    writing = threading.Thread(target=kept.write, daemon=True)
    writing.start()
    assert log.asked.wait(60)
    for number in (1, 2):
        kept.add(happened(number))
    making = threading.Thread(target=kept.encode, daemon=True)
    making.start()
    making.join(60)
    assert not making.is_alive()
    log.free.set()
    writing.join()
    assert written(tmp_path) == ["0"]
    kept.close()
    assert written(tmp_path) == ["0", "1", "2"]


def test_leases_are_renewed_while_a_write_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOGGED_EVERY", 0.0)
    log = Slow(tmp_path / "log")
    with at_work(tmp_path) as at:
        at._journal = Journal(log)
        at._journal.add(happened(0))
        renewed = 0

        def refresh() -> None:
            nonlocal renewed
            renewed += log.asked.is_set()

        monkeypatch.setattr(at, "_refresh", refresh)

        async def between() -> None:
            running = asyncio.create_task(at.run())
            try:
                async with asyncio.timeout(60):
                    while renewed < 5:
                        await asyncio.sleep(0.01)
            finally:
                log.free.set()
                running.cancel()

        asyncio.run(between())
        assert at.counts.faults == 0
    assert written(tmp_path / "log") == ["0"]


def test_an_event_that_was_counted_too_late_for_its_player_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked to call again, and that call is a duplicate: only the first says that it was fresh."""
    monkeypatch.setattr(service, "BEACON_WAITS", 0.05)
    goes_on = threading.Event()
    with at_work(tmp_path) as at:
        at.remote = True
        record = at.state.record

        def slow(events: Sequence[Event]) -> Sequence[bool]:
            assert goes_on.wait(60)
            return record(events)

        monkeypatch.setattr(at.state, "record", slow)
        item = next(iter(at.decider.book.line_items))
        packed = at.signer.packed(Beacon(stream="s", served="1", line_item=item, issued=int(at.clock())))
        told = {"b": packed, "s": at.signer.signatures(packed)["impression"].decode()}
        assert asyncio.run(at.beacon("impression", told)).status == 503
        goes_on.set()
        monkeypatch.setattr(service, "BEACON_WAITS", 60.0)
        assert asyncio.run(at.beacon("impression", told)).status == 204
        assert at.counts.duplicates == 1
    found = [read_record(frame) for path in segments_of(tmp_path / "log") for frame in frames(path)]
    assert [one.fresh for one in found if isinstance(one, Happened)] == [True, False]


def test_without_a_log_nothing_is_kept() -> None:
    kept = Journal(None)
    kept.add(happened(1))
    kept.encode()
    kept.write()
    kept.close()


def test_spend_is_looked_at_a_part_at_a_time_and_priced_when_all_of_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "AT_A_TIME", 2)
    goals = ("even", "fast", "even", "even")
    items = [
        LineItem(id=f"i{number}", campaign="c", creatives=(Creative(id="x", duration=15.0),), price=1_000,
                 budget=1_000_000, goal=goal)
        for number, goal in enumerate(goals)
    ]  # fmt: skip
    whole = Campaign(
        id="c",
        advertiser="a",
        domain="a.example",
        flight=Flight(starts=0.0, ends=1e6),
        line_items=tuple(items),
    )
    state = EmbeddedState(tmp_path)
    paced = Paced(Book([whole]), state)
    first = paced()
    assert (first > 0).tolist() == [goal == "even" for goal in goals]
    paced.update(1_000.0)
    assert paced() is first  # only some were looked at
    paced.update(1_000.1)
    state.record([happened(1, 900_000, "i0").event])
    before = paced()
    assert before is not first
    paced.update(1_000.0 + EVERY / 2)
    paced.update(1_000.0 + EVERY + 1)
    paced.update(1_000.0 + EVERY + 1)
    changed = paced()
    assert changed[0] > before[0]
    assert np.array_equal(changed[1:] <= before[1:], [True, True, True])
    state.close()


def test_a_record_is_encoded_as_it_is_written(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    log.write([log.encoded(happened(7))])
    log.append([happened(8)])
    log.close()
    assert written(tmp_path) == ["7", "8"]
    assert msgspec.msgpack.encode(happened(7)) in segments_of(tmp_path)[0].read_bytes()
