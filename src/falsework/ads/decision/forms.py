"""What a slot asks of an advertisement's form: its files, its attributes, how it is sent and what it loads.

Over all rows of a book at once, and of one row where a break has different slots.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book, Row
from falsework.ads.opportunity import Slot
from falsework.ads.records import Creative

__all__ = ["INLINE", "SLACK", "WRAPPERS", "Forms", "fits", "secure", "sendable"]

Flags = npt.NDArray[np.bool_]
SLACK = 0.5  # seconds by which a length may be missed
# AdCOM 1.0, List: Creative Subtypes - Audio/Video. VAST 2.0, 3.0, 4.0, 4.1, 4.2 and 4.3, and their wrappers.
INLINE = frozenset({2, 3, 7, 11, 13, 15})
WRAPPERS = frozenset({5, 6, 8, 12, 14, 16})
VPAID = frozenset({1, 2})  # AdCOM 1.0, List: API Frameworks: VPAID 1.0 and 2.0
SCRIPTS = frozenset({"application/javascript", "text/javascript", "application/x-shockwave-flash"})
# These hold several bit rates, of which the player takes what suits it.
STREAMED = frozenset({"application/x-mpegurl", "application/vnd.apple.mpegurl", "application/dash+xml"})
UNLIMITED = 1 << 31


class Forms:
    """The files of all rows side by side, so that a slot's question is a mask."""

    def __init__(self, book: Book) -> None:
        self._rows = len(book)
        files = [(number, *file) for number, row in enumerate(book.rows) for file in row.creative.media]
        self._row = np.array([file[0] for file in files], dtype=np.intp)
        codes: dict[str, int] = {}
        self._type = np.array(
            [codes.setdefault(file[2].lower(), len(codes)) for file in files], dtype=np.intp
        )
        self._codes = codes
        size = [(file[3], file[4], file[5]) for file in files] or [(0, 0, 0)]
        self._width, self._height, self._rate = np.array(size, dtype=np.int64)[: len(files)].T
        self._any_rate = np.array([file[2].lower() in STREAMED for file in files], dtype=np.bool_)
        # A partner's wrapper has no files that anybody knows yet.
        self.wrapper = np.array([bool(row.creative.wrapper) for row in book.rows], dtype=np.bool_)
        self._still = book.still
        self._secure = np.array([secure(row.creative) for row in book.rows], dtype=np.bool_)
        self._script = np.array([_is_script(row.creative) for row in book.rows], dtype=np.bool_)

    def types(self, slot: Slot) -> Flags:
        """A file of a type the player takes."""
        return self._having(self._typed(slot)) if slot.mime_types else np.ones(self._rows, dtype=np.bool_)

    def rates(self, slot: Slot) -> Flags:
        """… and of a bit rate it asked for; one that does not say its own is none."""
        if not (slot.least_rate or slot.most_rate):
            return np.ones(self._rows, dtype=np.bool_)
        within = (self._rate >= max(slot.least_rate, 1)) & (self._rate <= (slot.most_rate or UNLIMITED))
        return self._having(self._typed(slot) & (within | self._any_rate)) | self._still

    def sizes(self, slot: Slot) -> Flags:
        """A still no larger than the player; a film is scaled."""
        if not (slot.width or slot.height):
            return np.ones(self._rows, dtype=np.bool_)
        within = (self._width <= (slot.width or UNLIMITED)) & (self._height <= (slot.height or UNLIMITED))
        return self._having(self._typed(slot) & within) | ~self._still

    def apis(self, slot: Slot) -> Flags:
        """A script runs only where its interface is listed: what is not listed is not supported."""
        return ~self._script if VPAID.isdisjoint(slot.apis) else np.ones(self._rows, dtype=np.bool_)

    def protocols(self, slot: Slot) -> Flags:
        return np.where(
            self.wrapper, sendable(slot.protocols, wrapper=True), sendable(slot.protocols, wrapper=False)
        )

    def secured(self, slot: Slot) -> Flags:
        return self._secure if slot.secure else np.ones(self._rows, dtype=np.bool_)

    def _typed(self, slot: Slot) -> Flags:
        """(files,)"""
        if not slot.mime_types:
            return np.ones(len(self._row), dtype=np.bool_)
        wanted = [self._codes[mime] for mime in slot.mime_types if mime in self._codes]
        return np.isin(self._type, wanted)

    def _having(self, files: Flags) -> Flags:
        found = self.wrapper.copy()
        found[self._row[files]] = True
        return found


def fits(row: Row, slot: Slot) -> bool:
    """Whether a slot takes a row by its form; the price is another matter."""
    creative = row.creative
    if slot.blocked_attributes and not set(creative.attributes).isdisjoint(slot.blocked_attributes):
        return False
    if slot.secure and not secure(creative):
        return False
    if not sendable(slot.protocols, wrapper=bool(creative.wrapper)):
        return False
    if VPAID.isdisjoint(slot.apis) and _is_script(creative):
        return False
    if not creative.wrapper and not _has_file(creative, slot):
        return False
    if slot.lengths:
        return any(abs(creative.duration - length) <= SLACK for length in slot.lengths)
    return slot.least - SLACK <= creative.duration <= slot.most + SLACK


def secure(creative: Creative) -> bool:
    """Whether everything it loads comes over TLS. Where a click leads to is not loaded."""
    addresses = (
        *(file[0] for file in creative.media),
        *creative.impressions,
        *(address for _, address in creative.trackers),
        *creative.clicks,
        *creative.errors,
        creative.wrapper,
    )
    return all(one.lower().startswith("https://") for one in addresses if one)


def sendable(protocols: Collection[int], *, wrapper: bool) -> bool:
    """Whether a player that lists these takes it in some version. A wrapper is followed here for one that
    takes no wrappers."""
    if not protocols:
        return True
    return not (INLINE.isdisjoint(protocols) and (not wrapper or WRAPPERS.isdisjoint(protocols)))


def _is_script(creative: Creative) -> bool:
    return bool(creative.media) and all(mime.lower() in SCRIPTS for _, mime, *_ in creative.media)


def _has_file(creative: Creative, slot: Slot) -> bool:
    asks_rate = bool(slot.least_rate or slot.most_rate) and creative.duration > 0
    asks_size = bool(slot.width or slot.height) and creative.duration == 0
    if not (slot.mime_types or asks_rate or asks_size):
        return True
    for _, mime, width, height, rate in creative.media:
        mime = mime.lower()
        if slot.mime_types and mime not in slot.mime_types:
            continue
        within = max(slot.least_rate, 1) <= rate <= (slot.most_rate or UNLIMITED)
        if asks_rate and not within and mime not in STREAMED:
            continue
        if asks_size and (width > (slot.width or UNLIMITED) or height > (slot.height or UNLIMITED)):
            continue
        return True
    return False
