"""What must hold before anything is scored. Each filter is a mask over the book's rows; none of them can be
bought.

Most of what a break asks is asked again by the next one: the same country and device, the same scene, the
same slots. So masks are kept by what they were made from, in three groups: who watches, what is on screen,
what form the break has. Which rows they leave open together is only looked at as far down the book's best as
a break needs (`ranking.py`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from falsework.ads.campaigns.book import Book, Targets
from falsework.ads.decision.forms import Forms
from falsework.ads.decision.reasons import Reason
from falsework.ads.opportunity import STILLS, Activity, Break, Scene, Slot
from falsework.ads.taxonomy.taxonomies import products

__all__ = ["Filters", "History", "Open", "Unsuitable", "floor_of", "key_of"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
History = Mapping[str, Sequence[float]]
Unsuitable = Callable[[Scene], frozenset[str]]
MOST_KEPT = 64 << 20  # bytes of masks in each group


@dataclass(frozen=True)
class Open:
    """Rows (n,) that may be shown, with their line items' numbers (n,) and prices (n,), micros for a
    thousand."""

    rows: Rows
    items: Rows
    prices: Floats


class Filters:
    """`unsuitable(scene)` names the product categories that may not stand beside a scene, `slack` the seconds
    by which an advertisement may miss a length that a slot demands."""

    def __init__(self, book: Book, unsuitable: Unsuitable, *, slack: float = 0.5) -> None:
        self.book = book
        self._unsuitable = unsuitable
        self._slack = slack
        self._forms = Forms(book)
        self._masks = tuple(_Kept() for _ in GROUPS)
        self._paid = ~book.house
        self._running = np.zeros(len(book), dtype=np.bool_)
        self._runs_from, self._runs_until = 0.0, 0.0  # the times between which `_running` holds

    def masks(self, asked: Break, stream: History, viewer: History) -> tuple[Flags, ...]:
        """What may be shown is what all of them (rows of the book,) let through; house advertisements are no
        part of it. `stream` and `viewer` are what was counted for the one and the other; `viewer` is empty
        where nothing may be counted. The masks are not the caller's to change."""
        self._run(asked.at)
        found = [self._running]
        for kept, (key_for, tests) in zip(self._masks, GROUPS, strict=True):
            key = key_for(asked)
            of_group = kept.get(key)
            if of_group is None:
                of_group = self._paid.copy()
                for _, test in tests:
                    of_group &= test(self, asked)
                kept.put(key, of_group)
            found.append(of_group)
        over = self._over_caps(asked.at, stream, viewer)
        if over:
            found.append(self._but(over))
        return tuple(found)

    def open(self, masks: Sequence[Flags]) -> Open:
        """All that they let through, in the book's order."""
        rows = np.flatnonzero(np.logical_and.reduce(masks))
        return Open(rows, self.book.item[rows], self.book.price[rows].astype(np.float64))

    def refused(self, asked: Break, stream: History, viewer: History) -> list[tuple[Reason, Rows]]:
        """For each reason, in order, the rows that it refused first."""
        self._run(asked.at)
        masks = {Reason.NOT_RUNNING: self._running}
        for _, tests in GROUPS:
            masks |= {reason: test(self, asked) for reason, test in tests}
        masks[Reason.CAP] = self._but(self._over_caps(asked.at, stream, viewer))
        mask = self._paid
        found = []
        for reason in Reason:
            if reason in masks:
                found.append((reason, np.flatnonzero(mask & ~masks[reason])))
                mask = mask & masks[reason]
        return found

    def _but(self, groups: Sequence[Rows]) -> Flags:
        """All rows but these."""
        found = np.ones(len(self.book), dtype=np.bool_)
        for rows in groups:
            found[rows] = False
        return found

    def _run(self, at: float) -> None:
        """Which campaigns run at this time; the same until the next one begins or ends."""
        if self._runs_from <= at < self._runs_until:
            return
        starts, ends = self.book.starts, self.book.ends
        self._running = (starts <= at) & (at < ends)
        times = np.concatenate([starts, ends])
        self._runs_from = float(times[times <= at].max(initial=-np.inf))
        self._runs_until = float(times[times > at].min(initial=np.inf))

    def country(self, asked: Break) -> Flags:
        book, watching = self.book, asked.viewer
        return book.countries.suits(watching.country) & book.regions.suits(watching.region)

    def device(self, asked: Break) -> Flags:
        return self.book.devices.suits(asked.viewer.device)

    def placement(self, asked: Break) -> Flags:
        """A still is for placements beside the programme, and nothing that lasts is."""
        fits = self.book.still if asked.placement in STILLS else ~self.book.still
        return self.book.placements.suits(int(asked.placement)) & fits

    def language(self, asked: Break) -> Flags:
        return self.book.languages.suits(asked.viewer.language)

    def genre(self, asked: Break) -> Flags:
        genres = asked.scene.genres
        return self.book.genres.suits_any(genres) & ~self.book.without_genres.names_any(genres)

    def attributes(self, asked: Break) -> Flags:
        """Suits at least one of the slots, as all that follow."""
        attributes = self.book.attributes
        return self._of_some(asked, lambda slot: ~attributes.names_any(slot.blocked_attributes))

    def media(self, asked: Break) -> Flags:
        return self._of_some(asked, self._forms.types)

    def bitrate(self, asked: Break) -> Flags:
        return self._of_some(asked, self._forms.rates)

    def size(self, asked: Break) -> Flags:
        return self._of_some(asked, self._forms.sizes)

    def api(self, asked: Break) -> Flags:
        return self._of_some(asked, self._forms.apis)

    def protocol(self, asked: Break) -> Flags:
        return self._of_some(asked, self._forms.protocols)

    def secure(self, asked: Break) -> Flags:
        return self._of_some(asked, self._forms.secured)

    def _of_some(self, asked: Break, suits: Callable[[Slot], Flags]) -> Flags:
        found = np.zeros(len(self.book), dtype=np.bool_)
        for slot in _slots(asked):
            found |= suits(slot)
        return found

    def duration(self, asked: Break) -> Flags:
        duration = self.book.duration
        found = np.zeros(len(duration), dtype=np.bool_)
        for slot in _slots(asked):
            if slot.lengths:
                for length in slot.lengths:
                    found |= np.abs(duration - length) <= self._slack
            else:
                found |= (duration >= slot.least - self._slack) & (duration <= slot.most + self._slack)
        return found & (duration <= asked.duration + self._slack) if asked.duration else found

    def consent(self, asked: Break) -> Flags:
        """Trackers of other parties need their vendors' legal basis and leave to send anything to partners;
        a partner's wrapper needs that leave, whether it names vendors or not."""
        allowed = np.zeros(len(self.book), dtype=np.bool_)
        permissions = asked.viewer.permissions
        shares = permissions.allows(Activity.SHARE) and not asked.viewer.kids
        for needed, rows in self.book.vendors:
            given = permissions.vendors is None or needed <= permissions.vendors
            if not needed or (shares and given):
                allowed |= rows
        return allowed if shares else allowed & ~self._forms.wrapper

    def kids(self, asked: Break) -> Flags:
        """The list for children, and no third party: who marks a line item as safe cannot know what a
        partner's wrapper will lead to."""
        if asked.viewer.kids:
            return self.book.child_safe & ~self._forms.wrapper
        return np.ones(len(self.book), dtype=np.bool_)

    def suitability(self, asked: Break) -> Flags:
        return ~self.book.categories.names_any(self._unsuitable(asked.scene))

    def category(self, asked: Break) -> Flags:
        """With a list of what is allowed, all of a row's categories have to be on it."""
        categories = self.book.categories
        refused = categories.names_any(_with_all_below(asked.blocked_categories))
        if asked.allowed_categories:
            allowed = _with_all_below(asked.allowed_categories)
            refused = refused | categories.open | categories.names_any(products().names.keys() - allowed)
        return ~refused

    def advertiser(self, asked: Break) -> Flags:
        """A domain is blocked with all below it."""
        domains = self._domains_below
        return ~self.book.domains.names_any(
            domain for blocked in asked.blocked_domains for domain in domains.get(blocked, ())
        )

    def app(self, asked: Break) -> Flags:
        return ~self._apps.names_any(asked.blocked_apps)

    def seat(self, asked: Break) -> Flags:
        refused = self.book.seats.names_any(asked.blocked_seats)
        if asked.allowed_seats:
            refused = refused | ~self.book.seats.names_any(asked.allowed_seats)
        return ~refused

    @cached_property
    def _apps(self) -> Targets:
        return Targets([(row.line_item.app,) if row.line_item.app else () for row in self.book.rows])

    @cached_property
    def _domains_below(self) -> Mapping[str, Sequence[str]]:
        """Under each domain and what it is part of, the advertisers' domains."""
        found: dict[str, list[str]] = {}
        for domain in {campaign.domain for campaign in self.book.campaigns}:
            parts = domain.split(".")
            for at in range(len(parts)):
                found.setdefault(".".join(parts[at:]), []).append(domain)
        return found

    def floor(self, asked: Break) -> Flags:
        """Meets the floor of at least one of the slots."""
        found = np.zeros(len(self.book), dtype=np.bool_)
        for slot in _slots(asked):
            if slot.floor_per_second or slot.floors:
                lengths, length = self.book.lengths
                floors = np.array([floor_of(slot, seconds) for seconds in lengths.tolist()], dtype=np.int64)
                found |= self.book.price >= floors[length]
            else:
                found |= self.book.price >= slot.floor
        return found

    def _over_caps(self, now: float, stream: History, viewer: History) -> list[Rows]:
        """A cap over time needs a viewer who may be counted; where there is none, it holds for the stream."""
        if not stream and not viewer:
            return []
        closed = []
        for counter in stream.keys() | viewer.keys():
            of_stream, of_viewer = stream.get(counter, ()), viewer.get(counter, ())
            counted = of_viewer or of_stream
            for cap in self.book.caps.get(counter, ()):
                if cap.seconds:
                    shown = len(counted) - bisect_right(counted, now - cap.seconds)
                else:
                    shown = len(of_stream)
                if shown >= cap.count:
                    closed.append(cap.rows)
        return closed


def floor_of(slot: Slot, seconds: float) -> int:
    """What a slot asks of an advertisement of this length, micros for a thousand."""
    floors = [floor for least, most, floor in slot.floors if least <= seconds <= most]
    return max(slot.floor, round(slot.floor_per_second * seconds), *floors)


def key_of(slot: Slot) -> Hashable:
    """A slot without its name."""
    return replace(slot, id="")


@lru_cache(maxsize=1_024)
def _with_all_below(categories: tuple[str, ...]) -> frozenset[str]:
    return products().with_all_below(categories)


def _slots(asked: Break) -> Sequence[Slot]:
    if asked.slots:
        return asked.slots
    return (asked.each or Slot(id=asked.id, most=asked.duration),)


def _who(asked: Break) -> Hashable:
    viewer = asked.viewer
    shares = not viewer.kids and viewer.permissions.allows(Activity.SHARE)
    return (
        viewer.country,
        viewer.region,
        viewer.device,
        viewer.language,
        viewer.kids,
        shares,
        viewer.permissions.vendors if shares else None,
        int(asked.placement),
    )


def _what(asked: Break) -> Hashable:
    return asked.scene


def _form(asked: Break) -> Hashable:
    return (
        tuple(key_of(slot) for slot in _slots(asked)),
        asked.duration,
        asked.blocked_categories,
        asked.blocked_domains,
        asked.blocked_seats,
        asked.allowed_categories,
        asked.allowed_seats,
        asked.blocked_apps,
    )


class _Test(Protocol):
    def __call__(self, filters: Filters, asked: Break, /) -> Flags: ...


# What a group's masks depend on, and the masks.
GROUPS: tuple[tuple[Callable[[Break], Hashable], tuple[tuple[Reason, _Test], ...]], ...] = (
    (
        _who,
        (
            (Reason.COUNTRY, Filters.country),
            (Reason.DEVICE, Filters.device),
            (Reason.PLACEMENT, Filters.placement),
            (Reason.LANGUAGE, Filters.language),
            (Reason.CONSENT, Filters.consent),
            (Reason.KIDS, Filters.kids),
        ),
    ),
    (_what, ((Reason.GENRE, Filters.genre), (Reason.SUITABILITY, Filters.suitability))),
    (
        _form,
        (
            (Reason.ATTRIBUTE, Filters.attributes),
            (Reason.MEDIA, Filters.media),
            (Reason.BITRATE, Filters.bitrate),
            (Reason.SIZE, Filters.size),
            (Reason.API, Filters.api),
            (Reason.PROTOCOL, Filters.protocol),
            (Reason.SECURE, Filters.secure),
            (Reason.DURATION, Filters.duration),
            (Reason.CATEGORY, Filters.category),
            (Reason.ADVERTISER, Filters.advertiser),
            (Reason.APP, Filters.app),
            (Reason.SEAT, Filters.seat),
            (Reason.FLOOR, Filters.floor),
        ),
    ),
)


class _Kept:
    """The masks used last, as many as there is room for."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most, self._bytes = most, 0
        self._found: OrderedDict[Hashable, Flags] = OrderedDict()

    def get(self, key: Hashable) -> Flags | None:
        found = self._found.get(key)
        if found is not None:
            self._found.move_to_end(key)
        return found

    def put(self, key: Hashable, value: Flags) -> None:
        self._found[key] = value
        self._bytes += value.nbytes + 512
        while self._bytes > self._most and len(self._found) > 1:
            self._bytes -= self._found.popitem(last=False)[1].nbytes + 512
