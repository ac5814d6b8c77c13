"""What must hold before anything is scored. Each filter is a mask over the book's rows; none of them can be
bought."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book
from falsework.ads.decision.reasons import Reason
from falsework.ads.opportunity import Activity, Break, Scene

__all__ = ["Eligible", "Filters", "History"]

Flags = npt.NDArray[np.bool_]
History = Mapping[str, Sequence[float]]
Unsuitable = Callable[[Scene], frozenset[str]]
MOST_SCENES = 4_096  # whose masks are kept


@dataclass(frozen=True)
class Eligible:
    """`rows` (n,) that may be shown. `refused`: for each reason in order the rows it refused first, where a
    trace was asked for."""

    rows: npt.NDArray[np.intp]
    refused: tuple[tuple[Reason, npt.NDArray[np.intp]], ...]


class Filters:
    """`unsuitable(scene)` names the product categories that may not stand beside a scene, `slack` the seconds
    by which an advertisement may miss a length that a slot demands."""

    def __init__(self, book: Book, unsuitable: Unsuitable, *, slack: float = 0.5) -> None:
        self.book = book
        self._unsuitable = unsuitable
        self._slack = slack
        self._beside: dict[Scene, Flags] = {}

    def eligible(self, asked: Break, stream: History, viewer: History) -> Eligible:
        """House advertisements are no part of it. `stream` and `viewer` are what was counted for the one and
        the other; `viewer` is empty where nothing may be counted."""
        open_rows = ~self.book.house
        refused = []
        for reason, allowed in self._masks(asked, stream, viewer):
            if asked.trace:
                refused.append((reason, np.flatnonzero(open_rows & ~allowed)))
            open_rows = open_rows & allowed
            if not asked.trace and not open_rows.any():
                break
        return Eligible(np.flatnonzero(open_rows), tuple(refused))

    def _masks(self, asked: Break, stream: History, viewer: History) -> Iterator[tuple[Reason, Flags]]:
        book, watching = self.book, asked.viewer
        yield Reason.NOT_RUNNING, (book.starts <= asked.at) & (asked.at < book.ends)
        yield Reason.COUNTRY, book.countries.suits(watching.country) & book.regions.suits(watching.region)
        yield Reason.DEVICE, book.devices.suits(watching.device)
        yield Reason.PLACEMENT, book.placements.suits(int(asked.placement))
        yield Reason.LANGUAGE, book.languages.suits(watching.language)
        genres = asked.scene.genres
        yield Reason.GENRE, book.genres.suits_any(genres) & ~book.without_genres.names_any(genres)
        yield Reason.MEDIA, self._media(asked)
        yield Reason.DURATION, self._duration(asked)
        yield Reason.CONSENT, self._consent(asked)
        yield Reason.KIDS, book.child_safe if watching.kids else np.ones(len(book), dtype=np.bool_)
        yield Reason.SUITABILITY, self._suits(asked.scene)
        blocked = book.categories.names_any(asked.blocked_categories)
        yield Reason.BLOCKED, ~(blocked | book.domains.names_any(asked.blocked_domains))
        yield Reason.FLOOR, book.price >= min((slot.floor for slot in asked.slots), default=0)
        yield Reason.CAP, self._under_caps(asked.at, stream, viewer)

    def _media(self, asked: Break) -> Flags:
        """Suits at least one of the slots."""
        book = self.book
        if not any(slot.mime_types or slot.blocked_attributes for slot in asked.slots):
            return np.ones(len(book), dtype=np.bool_)
        found = np.zeros(len(book), dtype=np.bool_)
        for slot in asked.slots:
            fits = ~book.attributes.names_any(slot.blocked_attributes)
            if slot.mime_types:
                # Rows without files are partners' wrappers, whose files nobody knows yet.
                fits &= book.mime_types.suits_any(slot.mime_types)
            found |= fits
        return found

    def _duration(self, asked: Break) -> Flags:
        duration = self.book.duration
        if not asked.slots:
            return duration <= asked.duration + self._slack
        found = np.zeros(len(duration), dtype=np.bool_)
        for slot in asked.slots:
            if slot.lengths:
                for length in slot.lengths:
                    found |= np.abs(duration - length) <= self._slack
            else:
                found |= (duration >= slot.least - self._slack) & (duration <= slot.most + self._slack)
        return found

    def _consent(self, asked: Break) -> Flags:
        """Trackers of other parties need their vendors' legal basis and leave to send anything to
        partners."""
        allowed = np.zeros(len(self.book), dtype=np.bool_)
        permissions = asked.viewer.permissions
        shares = permissions.allows(Activity.SHARE) and not asked.viewer.kids
        for needed, rows in self.book.vendors:
            given = permissions.vendors is None or needed <= permissions.vendors
            if not needed or (shares and given):
                allowed |= rows
        return allowed

    def _suits(self, scene: Scene) -> Flags:
        found = self._beside.get(scene)
        if found is None:
            if len(self._beside) >= MOST_SCENES:
                self._beside.clear()
            found = ~self.book.categories.names_any(self._unsuitable(scene))
            self._beside[scene] = found
        return found

    def _under_caps(self, now: float, stream: History, viewer: History) -> Flags:
        """A cap over time needs a viewer who may be counted; where there is none, it holds for the stream."""
        allowed = np.ones(len(self.book), dtype=np.bool_)
        if not stream and not viewer:
            return allowed
        for column in self.book.caps:
            for counter in stream.keys() | viewer.keys():
                rows = column.rows_of.get(counter)
                if rows is None:
                    continue
                of_stream, of_viewer = stream.get(counter, ()), viewer.get(counter, ())
                counted = of_viewer or of_stream
                seconds, most = column.seconds[rows], column.count[rows]
                within = np.searchsorted(np.asarray(counted), now - seconds, side="right")
                shown = np.where(seconds > 0, len(counted) - within, len(of_stream))
                allowed[rows[(most >= 0) & (shown >= most)]] = False
        return allowed
