"""What is told of a request that was not taken as it came: in a header, in the log, and in a trace."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from falsework.ads.decision.engine import Decision
from falsework.ads.decision.trace import Trace
from falsework.errors import FalseworkError

__all__ = ["in_header", "refused_in_words", "untold"]

LONGEST = 1_024  # characters of a header
ONLY_HOUSE = "only the house's own is shown"


def in_header(notes: Sequence[str]) -> bytes:
    return "; ".join(notes).encode("ascii", "replace")[:LONGEST]


def refused_in_words(error: FalseworkError) -> str:
    return f"{error.where}: {error.what}; {ONLY_HOUSE}"


def untold(decision: Decision) -> Decision:
    """With a trace, where one was asked for, though nothing was looked at: for want of time, or because the
    request was refused."""
    if not decision.asked.trace or decision.trace is not None:
        return decision
    trace = Trace(
        rows=0,
        eligible=0,
        refused=(),
        considered=(),
        permissions={},
        scene={},
        microseconds=0.0,
        notes=(*decision.asked.notes, f"campaigns were not looked at: {ONLY_HOUSE}"),
    )
    return msgspec.structs.replace(decision, trace=trace)
