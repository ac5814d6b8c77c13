"""Reports: each number against one counted by hand, and viewability against what events can show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ads_state_suite import NOW
from falsework.ads.learning.synthetic import write_log
from falsework.ads.measurement.compaction import compact
from falsework.ads.measurement.exposure import Exposure, Happened, read_record
from falsework.ads.measurement.reports import delivery, discrepancies, reach
from falsework.ads.state.events import Segments, frames, segments_of
from falsework.ads.state.protocol import Event
from falsework.errors import FalseworkError

pytest.importorskip("duckdb", reason="DuckDB (extra `ads`) is not installed")
pytest.importorskip("pyarrow", reason="pyarrow is not installed")


def exposure(served: str, *, cost: int = 5, viewer: str = "", house: bool = False) -> Exposure:
    return Exposure(
        at=NOW, decision="d", served=served, campaign="c", advertiser="a.example", line_item="i",
        creative="x", duration=20.0, cost=cost, viewer=viewer, house=house,
    )  # fmt: skip


def events(served: str, *kinds: tuple[str, float], cost: int = 5, fresh: bool = True) -> list[Happened]:
    return [
        Happened(
            event=Event(
                stream="s", served=served, kind=kind, line_item="i", at=NOW + after,
                cost=cost if kind == "impression" else 0,
            ),
            fresh=fresh,
        )
        for kind, after in kinds
    ]  # fmt: skip


def log_of(folder: Path, *records: list[Any]) -> Path:
    log = Segments(folder)
    log.append([one for part in records for one in part])
    log.close()
    return folder


@pytest.mark.parametrize("compacted", [False, True])
def test_every_number_is_what_counting_by_hand_gives(tmp_path: Path, compacted: bool) -> None:
    write_log(tmp_path, count=1_500, seed=3)
    shown: dict[str, Exposure] = {}
    kinds: dict[str, Counter[str]] = {}
    beacons = duplicates = 0
    for path in segments_of(tmp_path):
        for frame in frames(path):
            record = read_record(frame)
            if isinstance(record, Exposure):
                shown[record.served] = record
            else:
                beacons += 1
                duplicates += not record.fresh
                kinds.setdefault(record.event.served, Counter())[record.event.kind] += 1
    if compacted:
        assert compact(tmp_path) == 1
    rows = {row["line_item"]: row for row in delivery(tmp_path, ["line-item"])}
    assert set(rows) == {one.line_item for one in shown.values()}
    for item, row in rows.items():
        own = [one.served for one in shown.values() if one.line_item == item]
        assert row["decisions"] == len(own)
        for column, kind in (("impressions", "impression"), ("first_quartile", "firstQuartile"),
                             ("complete", "complete"), ("clicks", "click")):  # fmt: skip
            assert row[column] == sum(kind in kinds.get(served, ()) for served in own)
        assert row["cost_micros"] == 20_000 * row["impressions"]
        assert row["completion_rate"] == pytest.approx(row["complete"] / row["starts"])
    counts = discrepancies(tmp_path)
    assert (counts["beacons"], counts["duplicates"]) == (beacons, duplicates)
    assert counts["lost"] == pytest.approx(1 - len(kinds) / len(shown))
    whole = reach(tmp_path)[0]
    counted = [shown[served].viewer for served in kinds if shown[served].viewer]
    assert whole["viewers"] == len(set(counted))
    assert whole["frequency"] == pytest.approx(len(counted) / len(set(counted)))
    assert whole["counted_share"] == pytest.approx(len(counted) / len(kinds))


RUNS: dict[str, tuple[list[tuple[str, float]], bool | None]] = {
    "to its end": ([("start", 0), ("firstQuartile", 5), ("complete", 20)], True),
    "skipped at once": ([("start", 0), ("skip", 1.5)], False),
    "skipped after two seconds": ([("start", 0), ("skip", 2.0)], True),
    "in pieces of a second": (
        [("start", 0), ("pause", 1), ("resume", 10), ("skip", 11.5)], False),
    "long enough after a pause": ([("start", 0), ("pause", 1), ("resume", 60), ("firstQuartile", 64)], True),
    "paused for long": ([("start", 0), ("pause", 1), ("resume", 60)], False),
    "never began": ([], None),
    "a click is no playing": ([("click", 9)], None),
    "ends without a beginning": ([("complete", 20)], None),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_two_seconds_on_end_are_what_events_can_show(tmp_path: Path, name: str) -> None:
    kinds, wanted = RUNS[name]
    log_of(tmp_path, [exposure("1")], events("1", ("impression", 0), *kinds))
    (row,) = delivery(tmp_path)
    assert row["viewability_from_events"] == (wanted is not None)
    assert row["viewable_from_events"] == (None if wanted is None else float(wanted))
    assert row["viewable_told"] is None


def test_what_the_player_says_is_kept_apart(tmp_path: Path) -> None:
    log_of(
        tmp_path,
        [exposure("1"), exposure("2"), exposure("3")],
        events("1", ("impression", 0), ("start", 0), ("viewable", 2), ("complete", 20)),
        events("2", ("impression", 0), ("start", 0), ("notViewable", 20), ("complete", 20)),
        events("3", ("impression", 0)),
    )
    (row,) = delivery(tmp_path)
    assert (row["viewability_told"], row["viewable_told"]) == (2, 0.5)
    assert (row["viewability_from_events"], row["viewable_from_events"]) == (2, 1.0)


def test_counts_that_disagree_are_named(tmp_path: Path) -> None:
    log_of(
        tmp_path,
        [exposure(str(number)) for number in range(10)],
        *(events(str(number), ("impression", 0), ("start", 0)) for number in range(7)),
        events("0", ("impression", 1), fresh=False),
        events("ghost", ("impression", 0)),
        events("8", ("start", 0)),
        events("9", ("complete", 20)),
    )
    counts = discrepancies(tmp_path)
    assert counts["decisions"] == 10
    assert counts["lost"] == pytest.approx(0.3)
    assert counts["impressions_without_decision"] == 1
    assert counts["unknown"] == pytest.approx(1 / 8)
    assert counts["starts_without_impression"] == 1
    assert counts["completions_without_start"] == 1
    assert counts["duplicates"] == 1
    assert counts["suspicious"]
    assert delivery(tmp_path, ["campaign"])[0]["campaign"] == "(not in the exposures)"


def test_a_price_that_is_not_the_agreed_one_is_suspicious(tmp_path: Path) -> None:
    log_of(tmp_path, [exposure("1", cost=5)], events("1", ("impression", 0), cost=6))
    assert discrepancies(tmp_path)["suspicious"]


def test_without_leave_to_count_there_is_no_reach(tmp_path: Path) -> None:
    log_of(tmp_path, [exposure("1")], events("1", ("impression", 0)))
    (row,) = reach(tmp_path)
    assert (row["viewers"], row["frequency"], row["counted_share"]) == (0, None, 0.0)


def test_rows_go_to_parquet_as_they_are_told(tmp_path: Path) -> None:
    from pyarrow import parquet

    write_log(tmp_path / "log", count=300, seed=1)
    out = tmp_path / "it's a report.parquet"
    rows = delivery(tmp_path / "log", ["campaign", "day"], parquet=out)
    assert parquet.read_table(out).to_pylist() == rows


def test_a_folder_without_a_log_and_an_unknown_group_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(FalseworkError, match="has no log"):
            delivery(folder)
    log_of(tmp_path, [exposure("1")])
    with pytest.raises(FalseworkError, match="nothing is reported"):
        delivery(tmp_path, ["campaign; DROP TABLE events"])
