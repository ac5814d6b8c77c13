"""Which anchors of a ledger an authority sealed: every token is checked, none is taken at its word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from falsework.errors import FalseworkError
from falsework.rights.anchors import Anchor
from falsework.rights.events import time_text
from falsework.rights.timestamp import read_stamp, trusted_roots, verify_stamp

__all__ = ["Seal", "Seals", "seals_of"]


@dataclass(frozen=True)
class Seal:
    """A token that holds: the first `size` events existed at `time`, says the authority."""

    size: int
    time: datetime
    authority: str


@dataclass(frozen=True)
class Seals:
    """What the tokens of some anchors come to.

    held       those whose authority is below the roots given
    unchecked  number of tokens that are to the right statement, from nobody knows whom: no roots were given
    faults     a sentence for each token that does not hold; with or without roots it seals nothing
    """

    held: tuple[Seal, ...] = ()
    unchecked: int = 0
    faults: tuple[str, ...] = ()


def seals_of(anchors: Sequence[Anchor], roots: bytes = b"") -> Seals:
    """Check every token against the root it should seal, and its signature against `roots` (PEM)."""
    if roots:
        trusted_roots(roots)  # a file that is none must not pass for tokens that do not hold
    held: list[Seal] = []
    faults: list[str] = []
    unchecked = 0
    for anchor in anchors:
        if not anchor.token:
            continue
        try:
            if roots:
                stamp = verify_stamp(anchor.token, anchor.statement(), roots)
                held.append(Seal(anchor.size, stamp.time, stamp.authority))
            else:
                read_stamp(anchor.token, anchor.statement())
                unchecked += 1
        except FalseworkError as error:
            faults.append(f"the anchor of {time_text(anchor.time)}: {error.what}")
    return Seals(tuple(held), unchecked, tuple(faults))
