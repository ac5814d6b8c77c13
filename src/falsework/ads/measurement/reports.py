"""What was delivered, from the log, by DuckDB over Parquet; segments that are not yet compacted are read too.

Every number is of distinct events: a beacon that came twice is a duplicate, and counted as one of those.
Reach and frequency are of the impressions whose viewers may be counted, and say what share those are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from falsework.ads.measurement.compaction import PARQUET, TABLES, arrow_table, rows_of
from falsework.ads.measurement.viewability import VIEWABILITY
from falsework.ads.state.events import segments_of
from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file

__all__ = ["BY", "MOST_NORMAL", "delivery", "discrepancies", "reach"]

BY: Final = {
    "campaign": "campaign",
    "line-item": "line_item",
    "creative": "creative",
    "advertiser": "advertiser",
    "day": "day",
}
MOST_NORMAL = 0.10  # of impressions that two counts may differ by before it costs money

# Impressions without an exposure are in it under what their events say.
_SERVED = f"""
CREATE VIEW happened AS
    SELECT served, stream, kind, min("at") AS "at", max(cost) AS cost, max(viewer) AS viewer,
           max(line_item) AS line_item, min(day) AS day
    FROM events GROUP BY ALL;
CREATE VIEW shown AS
    SELECT * FROM exposures QUALIFY row_number() OVER (PARTITION BY served ORDER BY "at") = 1;
CREATE VIEW viewability AS {VIEWABILITY};
CREATE VIEW by_served AS
    SELECT served, min(day) AS day, any_value(line_item) AS line_item, max(viewer) AS viewer,
           sum(cost) AS cost,
           bool_or(kind = 'impression') AS impression, bool_or(kind = 'start') AS start,
           bool_or(kind = 'firstQuartile') AS first_quartile, bool_or(kind = 'midpoint') AS midpoint,
           bool_or(kind = 'thirdQuartile') AS third_quartile, bool_or(kind = 'complete') AS complete,
           bool_or(kind = 'click') AS click, bool_or(kind = 'skip') AS skip,
           bool_or(kind = 'error') AS error
    FROM happened GROUP BY served;
CREATE TABLE delivered AS
    SELECT coalesce(shown.day, by_served.day) AS day,
           coalesce(campaign, '(not in the exposures)') AS campaign,
           coalesce(advertiser, '(not in the exposures)') AS advertiser,
           coalesce(creative, '(not in the exposures)') AS creative,
           coalesce(shown.line_item, by_served.line_item) AS line_item,
           shown.served IS NOT NULL AS decided, coalesce(house, false) AS house,
           shown.cost AS agreed, by_served.cost AS cost,
           coalesce(nullif(by_served.viewer, ''), nullif(shown.viewer, '')) AS viewer,
           coalesce(impression, false) AS impression, coalesce(start, false) AS start, first_quartile,
           midpoint, third_quartile, coalesce(complete, false) AS complete, click, skip, error, told, played
    FROM shown FULL JOIN by_served USING (served) LEFT JOIN viewability USING (served);
"""
_DELIVERY = """
SELECT {groups}
       count(*) FILTER (decided) AS decisions,
       count(*) FILTER (impression) AS impressions,
       count(*) FILTER (start) AS starts,
       count(*) FILTER (first_quartile) AS first_quartile,
       count(*) FILTER (midpoint) AS midpoint,
       count(*) FILTER (third_quartile) AS third_quartile,
       count(*) FILTER (complete) AS complete,
       count(*) FILTER (complete) / nullif(count(*) FILTER (start), 0) AS completion_rate,
       count(*) FILTER (click) AS clicks,
       count(*) FILTER (click) / nullif(count(*) FILTER (impression), 0) AS click_rate,
       count(*) FILTER (error) AS errors,
       coalesce(sum(cost), 0)::BIGINT AS cost_micros,
       count(told) FILTER (impression) AS viewability_told,
       avg(told::INT) FILTER (impression) AS viewable_told,
       count(played) FILTER (impression) AS viewability_from_events,
       avg(played::INT) FILTER (impression) AS viewable_from_events
FROM delivered {grouped}
"""
_DISCREPANCIES = """
SELECT count(*) FILTER (decided) AS decisions,
       count(*) FILTER (decided AND impression) AS decisions_with_impression,
       count(*) FILTER (impression AND NOT decided) AS impressions_without_decision,
       count(*) FILTER (impression AND NOT start) AS impressions_without_start,
       count(*) FILTER (start AND NOT impression) AS starts_without_impression,
       count(*) FILTER (complete AND NOT start) AS completions_without_start,
       (SELECT count(*) FROM events WHERE NOT fresh) AS duplicates,
       (SELECT count(*) FROM events) AS beacons,
       coalesce(sum(agreed) FILTER (impression AND decided), 0)::BIGINT AS agreed_micros,
       coalesce(sum(cost) FILTER (impression AND decided), 0)::BIGINT AS cost_micros
FROM delivered
"""
_REACH = """
SELECT {groups}
       count(*) AS impressions,
       count(viewer) / count(*) AS counted_share,
       count(DISTINCT viewer) AS viewers,
       count(viewer) / nullif(count(DISTINCT viewer), 0) AS frequency
FROM delivered WHERE impression {grouped}
"""


class _Log:
    """A folder's log, opened for questions."""

    def __init__(self, folder: Path) -> None:
        try:
            import duckdb
        except ModuleNotFoundError as error:
            raise FalseworkError(
                "DuckDB is missing", todo="Install it with `pip install 'falsework[ads]'`."
            ) from error
        waiting = segments_of(folder) if folder.is_dir() else []
        # By the names of segments, and not of folders: one may be compacted while this reads.
        compacted = {name: sorted((folder / PARQUET / name).glob("day=*/*.parquet")) for name in TABLES}
        if not waiting and not any(compacted.values()):
            raise FalseworkError(
                "has no log of exposures or events",
                where=folder,
                todo="Name the folder that the server logs to.",
            )
        done = {path.stem for paths in compacted.values() for path in paths}
        rows = rows_of(path for path in waiting if path.stem not in done)
        self._open = duckdb.connect(config={"threads": 2})
        for name in TABLES:
            self._open.register(f"{name}_waiting", arrow_table(name, rows[name]))
            day = "strftime(make_timestamp(CAST(\"at\" * 1e6 AS BIGINT)), '%Y-%m-%d') AS day"  # in UTC
            parts = [f"SELECT *, {day} FROM {name}_waiting"]
            if compacted[name]:
                files = ", ".join(_quoted(path) for path in compacted[name])
                parts.append(f"SELECT *, {day} FROM read_parquet([{files}], hive_partitioning = false)")
            self._open.execute(f"CREATE VIEW {name} AS {' UNION ALL BY NAME '.join(parts)}")
        self._open.execute(_SERVED)

    def rows(self, question: str) -> list[dict[str, Any]]:
        found = self._open.execute(question)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def write(self, question: str, path: Path) -> None:
        with whole_file(path) as part:
            self._open.execute(f"COPY ({question}) TO {_quoted(part)} (FORMAT parquet)")

    def close(self) -> None:
        self._open.close()


def delivery(folder: Path, by: Sequence[str] = (), *, parquet: Path | None = None) -> list[dict[str, Any]]:
    """A row for each group (names in `BY`): decisions, impressions, starts, quartiles, completions, clicks,
    cost in micros, and viewability; rates are None where there is nothing to divide by. `parquet`: the same
    rows as a file."""
    log = _Log(folder)
    question = _grouped(_DELIVERY, by)
    try:
        if parquet is not None:
            log.write(question, parquet)
        return log.rows(question)
    finally:
        log.close()


def discrepancies(folder: Path) -> dict[str, Any]:
    """Where decisions, impressions and beacons disagree. `lost` is the share of decisions that no impression
    followed, `unknown` the share of impressions that no decision explains; `suspicious`: either is above
    `MOST_NORMAL`, or what was paid is not what was agreed."""
    log = _Log(folder)
    try:
        (row,) = log.rows(_DISCREPANCIES)
    finally:
        log.close()
    row["lost"] = 1 - row["decisions_with_impression"] / row["decisions"] if row["decisions"] else None
    impressions = row["decisions_with_impression"] + row["impressions_without_decision"]
    row["unknown"] = row["impressions_without_decision"] / impressions if impressions else None
    row["suspicious"] = (
        max(row["lost"] or 0.0, row["unknown"] or 0.0) > MOST_NORMAL
        or row["agreed_micros"] != row["cost_micros"]
    )
    return row


def reach(folder: Path, by: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Viewers and impressions for each of them, of those that may be counted (`counted_share` of the
    impressions); a viewer's name here is a keyed hash."""
    log = _Log(folder)
    try:
        return log.rows(_grouped(_REACH, by))
    finally:
        log.close()


def _grouped(question: str, by: Sequence[str]) -> str:
    unknown = [one for one in by if one not in BY]
    if unknown:
        raise FalseworkError(
            f'nothing is reported by "{unknown[0]}"', where="--by", todo=f"Choose from: {', '.join(BY)}."
        )
    columns = ", ".join(BY[one] for one in by)
    return question.format(
        groups=f"{columns}," if columns else "",
        grouped=f"GROUP BY {columns} ORDER BY {columns}" if columns else "",
    )


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
