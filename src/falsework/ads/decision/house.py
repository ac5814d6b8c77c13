"""What is shown where nothing paid may be: the studio's own advertisements, slate where none of them fits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from falsework.ads.campaigns.book import Book, Row
from falsework.ads.decision.filters import History
from falsework.ads.decision.forms import SLACK, fits
from falsework.ads.opportunity import STILLS, Break, Slot
from falsework.ads.records import Campaign, Creative, Flight, LineItem

__all__ = ["SLATE", "SLATE_SIZE", "House"]

SLATE = "slate"  # id of its campaign and line item
SLATE_SIZE = (640, 360)
LONGEST_SLATE = 600
SLATE_MOVIES = (("{}.mp4", "video/mp4"), ("{}.m3u8", "application/vnd.apple.mpegurl"))
SLATE_STILLS = (("still.png", "image/png"),)


class House:
    """`address` is where slates are: `<address>/30.mp4` and `30.m3u8`, `<address>/still.png`."""

    def __init__(self, book: Book, address: str) -> None:
        self._book, self._address = book, address
        self._rows = np.flatnonzero(book.house).tolist()
        self._of_length = lru_cache(maxsize=LONGEST_SLATE)(self._slate)

    def suitable(self, asked: Break, stream: History) -> list[Row]:
        """House advertisements that may be shown in a break, those first that the stream has seen least, and
        longer ones before shorter."""
        placement = int(asked.placement)
        still = asked.placement in STILLS
        found = []
        for at in self._rows:
            row = self._book.rows[at]
            flight, placements = row.campaign.flight, row.line_item.targeting.placements
            if not flight.starts <= asked.at < flight.ends or (placements and placement not in placements):
                continue
            if (asked.viewer.kids and not row.line_item.child_safe) or still != (row.creative.duration == 0):
                continue
            found.append(row)
        found.sort(key=lambda row: (len(stream.get(row.counters[0], ())), -row.creative.duration))
        return found

    def take(self, unused: list[Row], slot: Slot, left: float) -> Row | None:
        """The first that fits a slot and the seconds left; it is taken out of `unused`."""
        for at, row in enumerate(unused):
            if row.creative.duration <= left + SLACK and fits(row, slot):
                return unused.pop(at)
        return None

    def slate(self, asked: Break, slot: Slot, left: float) -> Row:
        if asked.placement in STILLS:
            return self._of_length(0)
        length = min(slot.most, left)
        if slot.lengths:
            length = min((one for one in slot.lengths if one <= left + SLACK), default=length)
        return self._of_length(max(min(int(length), LONGEST_SLATE), 1))

    def _slate(self, seconds: int) -> Row:
        width, height = SLATE_SIZE
        names = SLATE_MOVIES if seconds else SLATE_STILLS
        creative = Creative(
            id=f"{SLATE}-{seconds}" if seconds else f"{SLATE}-still",
            title="Slate",
            duration=float(seconds),
            media=tuple(
                (f"{self._address}/{name.format(seconds)}", mime, width, height, 0) for name, mime in names
            ),
        )
        item = LineItem(id=SLATE, campaign=SLATE, creatives=(creative,), house=True, child_safe=True)
        whole = Campaign(
            id=SLATE,
            advertiser=SLATE,
            domain="",
            flight=Flight(starts=0.0, ends=float("inf")),
            line_items=(item,),
        )
        return Row.of(whole, item, creative)
