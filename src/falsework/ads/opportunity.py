"""A break to be filled, whoever asks for it and how: what filters and scores may look at."""

from __future__ import annotations

import enum

import msgspec

__all__ = ["STILLS", "Activity", "Break", "Permissions", "Placement", "Scene", "Slot", "Verdict", "Viewer"]


class Verdict(enum.Enum):
    """ALLOWED and DENIED are somebody's decision; ABSTAINED: nobody did, and that is a no."""

    ALLOWED = "allowed"
    DENIED = "denied"
    ABSTAINED = "abstained"


class Activity(enum.Enum):
    """What may be done with what is known about a person; each is allowed, denied or abstained."""

    STORE_IDENTIFIER = "store an identifier"
    CAP_FREQUENCY = "count what a person was shown"
    PERSONALISE = "choose by behaviour"
    MEASURE = "measure"
    SHARE = "send to partners"
    PRECISE_LOCATION = "use the precise location"

    __hash__ = object.__hash__  # asked for a dozen times with each break; an enumeration's own is Python


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """What consent comes to. `vendors`: TCF vendor ids that have a legal basis; None: no consent string said.
    `reasons` say which signal decided each activity, in words."""

    verdicts: dict[Activity, Verdict]
    vendors: frozenset[int] | None = None
    reasons: dict[Activity, str] = {}

    def allows(self, activity: Activity) -> bool:
        """ABSTAINED counts as no."""
        return self.verdicts.get(activity, Verdict.ABSTAINED) is Verdict.ALLOWED


class Placement(enum.IntEnum):
    """AdCOM 1.0, List: Placement Subtypes - Video."""

    INSTREAM = 1
    ACCOMPANYING = 2
    INTERSTITIAL = 3
    STANDALONE = 4
    PAUSE = 5
    SCREENSAVER = 6
    OVERLAY = 7
    SQUEEZE_BACK = 8
    IN_SCENE = 9


# Placements beside, or instead of, the running programme: what is shown there is a still.
STILLS = frozenset({Placement.PAUSE, Placement.SCREENSAVER, Placement.OVERLAY, Placement.SQUEEZE_BACK})


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One place in a break. Durations in seconds; `lengths` are the only ones allowed where there are any.
    `floor` micros for a thousand; `floor_per_second` the same for each second shown; `floors` are
    (from, to, floor) for lengths from `from` up to `to`, both seconds and within it. The highest counts.
    `protocols` and `apis` by AdCOM's numbers, empty `protocols`: any. Rates in kbit/s and sizes in pixels of
    the player, 0 for no limit. `secure`: nothing may be loaded without TLS."""

    id: str
    least: float = 0.0
    most: float = 60.0
    lengths: tuple[float, ...] = ()
    floor: int = 0
    blocked_attributes: tuple[int, ...] = ()
    mime_types: tuple[str, ...] = ()
    floor_per_second: int = 0
    floors: tuple[tuple[float, float, int], ...] = ()
    secure: bool = False
    protocols: tuple[int, ...] = ()
    apis: tuple[int, ...] = ()
    least_rate: int = 0
    most_rate: int = 0
    width: int = 0
    height: int = 0


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What is on screen beside the break, from the catalogue. `categories` Content Taxonomy 3.1 ids."""

    title: str = ""
    scene: str = ""
    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    text: str = ""
    rating: str = ""
    known: bool = False  # False: nothing is known, and rules that need to know take the stricter side


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who watches, after scrubbing: `identifier` is "" and `segments` are () wherever they are not permitted;
    where it is not "", it is a keyed hash already, and what caps are counted under.
    `stream` names this viewing alone and no person."""

    stream: str
    permissions: Permissions
    identifier: str = ""
    segments: tuple[str, ...] = ()
    kids: bool = False
    country: str = ""
    region: str = ""
    device: int = 0
    language: str = ""


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A pod: either `slots` are fixed, or `duration` seconds are to be filled with at most `most`
    advertisements, each of which keeps to `each` where that is given. `sequence` -1 last, 0 anywhere, 1
    first … (OpenRTB podseq). `at` seconds since 1970, UTC. Breaks of one `pod` are parts of the same one:
    what stands in one of them is not repeated in another. Categories are of Ad Product Taxonomy 2.0, and mean
    what is below them too. `allowed_categories` and `allowed_seats` empty: any. `notes`: what of the request
    could not be taken as it was meant, in words, for the trace."""

    id: str
    viewer: Viewer
    at: float
    slots: tuple[Slot, ...] = ()
    duration: float = 0.0
    most: int = 0
    placement: Placement = Placement.INSTREAM
    scene: Scene = Scene()
    blocked_categories: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    sequence: int = 0
    each: Slot | None = None
    pod: str = ""
    allowed_categories: tuple[str, ...] = ()
    allowed_seats: tuple[str, ...] = ()
    blocked_seats: tuple[str, ...] = ()
    blocked_apps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    trace: bool = False

    def slot(self, name: str) -> Slot | None:
        """Of this name, or what each of a break of open length keeps to."""
        return next((one for one in self.slots if one.id == name), self.each)
