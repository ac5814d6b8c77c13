"""Whether an advertisement could be seen, as far as events tell.

The Media Rating Council asks for half of a video's pixels in view for two seconds on end. A server sees no
pixels. What its log can show is that a player said so itself (VAST's `viewable` and `notViewable`), or that
it played for two seconds on end, on a screen of which nothing else is known. Reports name both apart: this is
"from events", and no measurement of geometry.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CONTINUOUS_SECONDS", "STOPS", "VIEWABILITY"]

CONTINUOUS_SECONDS: Final = 2.0
STOPS: Final = ("pause", "skip", "closeLinear", "complete", "error", "close")
_STOPPING = ", ".join(f"'{kind}'" for kind in STOPS)

# For each `served` of a view `happened` (served, kind, at; each kind once): `told`, what the player said, and
# `played`, whether it ran on end for long enough; NULL where nothing tells. A run ends with a stop, which
# still belongs to it. Events of one moment are taken in their usual order.
VIEWABILITY: Final = f"""
SELECT served,
       max(CASE WHEN kind = 'viewable' THEN 1 WHEN kind = 'notViewable' THEN 0 END) = 1 AS told,
       max(longest) >= {CONTINUOUS_SECONDS} AS played
FROM (
    SELECT served, kind,
           CASE WHEN bool_or(kind IN ('start', 'resume')) OVER run
                THEN max("at") OVER run - min("at") OVER run END AS longest
    FROM (
        SELECT served, kind, "at",
               coalesce(sum(CASE WHEN kind IN ({_STOPPING}) THEN 1 ELSE 0 END) OVER (
                   PARTITION BY served ORDER BY "at", kind IN ({_STOPPING})
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS stopped
        FROM happened
        WHERE kind IN ('start', 'resume', 'firstQuartile', 'midpoint', 'thirdQuartile',
                       'viewable', 'notViewable', {_STOPPING})
    )
    WINDOW run AS (PARTITION BY served, stopped)
)
GROUP BY served
"""
