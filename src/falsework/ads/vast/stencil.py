"""Texts of which the same advertisement needs the same again and again, but for a few words in them.

A stencil is made from the text itself, written once with a mark wherever something changes. Marks are digits
that nobody can foresee, so that no campaign can hold one, and that neither XML nor JSON has to escape.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from falsework.ads.measurement.beacons import KINDS

__all__ = ["BEACON", "CHANGING", "DOCUMENT", "IMPRESSION", "POSITION", "SERVED", "Stencil", "mark"]

BEACON, SERVED, IMPRESSION, POSITION, DOCUMENT = "beacon", "served", "impid", "slotinpod", "document"
CHANGING: Final = (BEACON, SERVED, IMPRESSION, POSITION, DOCUMENT, *KINDS)  # a kind: its signature

_FIRST = 10**15 + secrets.randbelow(8 * 10**15)  # sixteen digits
_MARK = re.compile(rb"%d(\d\d)" % _FIRST)


def mark(what: str) -> str:
    """The mark for one of `CHANGING`: eighteen digits, and as such a number too."""
    return f"{_FIRST}{CHANGING.index(what):02d}"


class Stencil:
    """A text whose marks are filled in as often as it is needed."""

    def __init__(self, text: bytes) -> None:
        pieces = _MARK.split(text)  # what stays, a mark, what stays, …
        self._pieces = [_one(piece) for piece in pieces]
        self._names = [CHANGING[int(number)] for number in pieces[1::2]]

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """With what each mark stands for."""
        pieces = self._pieces.copy()
        pieces[1::2] = map(values.__getitem__, self._names)
        return b"".join(pieces)


@lru_cache(maxsize=4_096)
def _one(piece: bytes) -> bytes:
    """The same object for pieces that are alike, as most are from one advertisement to the next."""
    return piece
