"""What a decision looked at, for somebody who asks why."""

from __future__ import annotations

import msgspec

__all__ = ["Considered", "Refused", "Trace"]

MOST_NAMED = 20


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """How many line items one filter refused, and the first of them by id."""

    reason: str
    why: str
    count: int
    line_items: tuple[str, ...]


class Considered(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that was scored. `worth` is what it was ranked by, `parts` what that is made of."""

    line_item: str
    creative: str
    worth: float
    parts: dict[str, float]
    shown: bool
    why: str = ""


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """No person's data is in it: only what the break asked, and the studio's own line items."""

    rows: int
    eligible: int
    refused: tuple[Refused, ...]
    considered: tuple[Considered, ...]
    permissions: dict[str, str]
    scene: dict[str, tuple[str, ...]]
    microseconds: float
    notes: tuple[str, ...] = ()
