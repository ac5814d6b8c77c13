"""From a request to the breaks it wants filled: pods, single slots, pauses.

    no podid, no poddur     one slot, a break of its own
    podid, several slots    a structured pod: one break of fixed slots
    poddur                  a dynamic pod: seconds to be filled with up to `maxseq`
    both under one podid    a hybrid pod: two breaks that keep clear of each other

Only scrubbed requests come here: `scrubbing.scrub` first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from falsework.ads.openrtb.objects import BidRequest, Content, DurFloors, Imp, Video
from falsework.ads.openrtb.places import region_code
from falsework.ads.openrtb.signals import country_of, geo_of
from falsework.ads.opportunity import Activity, Break, Permissions, Placement, Scene, Slot, Viewer
from falsework.ads.records import MICROS
from falsework.ads.taxonomy.mapping import AD_PRODUCT, CONTENT, placed

__all__ = ["AD_PRODUCT", "SceneOf", "Terms", "breaks", "place_in"]

# The programme's id, an episode's, and the second of it -> what the catalogue knows.
SceneOf = Callable[[str, str, float | None], Scene | None]

MOST_BREAK = 1_800.0  # seconds
UNSAID_MOST = 60.0  # seconds of a slot that sets no limit
NO_PRICE = 1 << 62  # a floor nobody meets: it is in a currency that cannot be compared
FIRST, LAST = 1, -1  # AdCOM, List: Slot Position in Pod
DEFAULT_CURRENCY = "USD"  # OpenRTB's, where a floor names none
LONGEST_NAME = 128  # characters of what a request may name a stream or a programme


@dataclass(frozen=True)
class Terms:
    """What prices are in, and what other currencies are worth in it (`rates["USD"]` of it buy one dollar)."""

    currency: str = "EUR"
    rates: Mapping[str, float] = field(default_factory=dict)

    def micros(self, price: float, currency: str | None) -> int:
        """A price for a thousand, in micros of `currency`."""
        if price <= 0:
            return 0
        given = (currency or DEFAULT_CURRENCY).upper()
        rate = 1.0 if given == self.currency else self.rates.get(given, 0.0)
        return min(round(price * rate * MICROS), NO_PRICE) if rate > 0 else NO_PRICE

    def accepted(self, request: BidRequest) -> bool:
        """Whether the request takes bids in this currency."""
        return not request.cur or self.currency in (one.upper() for one in request.cur)


def breaks(
    request: BidRequest,
    permissions: Permissions,
    scene_of: SceneOf,
    *,
    at: float,
    stream: str,
    hashed: Callable[[str], str],
    kids: bool = False,
    terms: Terms | None = None,
    notes: Iterable[str] = (),
    trace: bool = False,
) -> list[Break]:
    """The breaks of a scrubbed request, in the order of its pods. Impressions that are no video have none.

    `at` seconds since 1970. `notes` are for the trace. `stream` names the viewing (`signals.stream_of`).
    `hashed` is a keyed hash: neither a stream nor a person keeps the name it came with.
    """
    terms = terms or Terms()
    viewer = _viewer(request, permissions, stream, hashed, kids)
    pods: dict[str, list[tuple[Imp, Video]]] = {}
    for imp in request.imp or ():
        if imp.video is not None:
            pods.setdefault(imp.video.podid or f"\0{imp.id}", []).append((imp, imp.video))
    blocked = placed(request.cattax, tuple(request.bcat or ()))
    allowed, of_allowed = _allowed_categories(request)
    notes = (*notes, *(f"bcat: {note}, and blocks nothing" for note in blocked.notes), *of_allowed)
    accepted = terms.accepted(request)
    scenes: dict[float | None, Scene] = {}
    found = []
    for name, members in pods.items():
        first = members[0][1]
        second = _second(first)
        if second not in scenes:
            scenes[second] = _scene(request, scene_of, second)
        for slots, duration, most, each in _shapes(members, terms, accepted):
            found.append(
                Break(
                    id=each.id if each else slots[0].id,
                    viewer=viewer,
                    at=at,
                    slots=slots,
                    duration=duration,
                    most=most,
                    each=each,
                    pod=name if first.podid else "",
                    placement=_placement(first),
                    scene=scenes[second],
                    blocked_categories=blocked.products,
                    blocked_domains=tuple(domain.strip().lower() for domain in request.badv or ()),
                    blocked_apps=tuple(request.bapp or ()),
                    allowed_categories=allowed,
                    allowed_seats=tuple(request.wseat or ()),
                    blocked_seats=tuple(request.bseat or ()),
                    sequence=first.podseq or 0,
                    notes=notes,
                    trace=trace,
                )
            )
    return found


def place_in(request: BidRequest) -> tuple[str, str]:
    """The ids of the programme and of an episode of it; "" for what is not said."""
    content = _content(request)
    if content is None:
        return "", ""
    title, _, episode = (content.id or "")[:LONGEST_NAME].partition("#")
    return title, episode


Shape = tuple[tuple[Slot, ...], float, int, Slot | None]


def _shapes(members: Sequence[tuple[Imp, Video]], terms: Terms, accepted: bool) -> Iterator[Shape]:
    """(slots, duration, most, each): the fixed slots together, and every dynamic part by itself."""
    fixed = [(imp, video) for imp, video in members if not video.poddur]
    if fixed:
        fixed.sort(key=lambda member: _order(member[1].slotinpod))
        yield tuple(_slot(imp, video, terms, accepted) for imp, video in fixed), 0.0, 0, None
    for imp, video in members:
        if video.poddur:
            duration = min(float(video.poddur), MOST_BREAK)
            yield (), duration, video.maxseq or 0, _slot(imp, video, terms, accepted, most=duration)


def _order(position: int | None) -> int:
    return {FIRST: -1, LAST: 1}.get(position or 0, 0)


def _slot(imp: Imp, video: Video, terms: Terms, accepted: bool, most: float = UNSAID_MOST) -> Slot:
    bounds: Iterable[DurFloors] = video.durfloors or ()
    currency = imp.bidfloorcur
    longest = float(video.maxduration) if video.maxduration else most
    return Slot(
        id=str(imp.id),
        least=float(video.minduration or 0),
        most=min(longest, MOST_BREAK),
        lengths=tuple(map(float, video.rqddurs or ())),
        floor=terms.micros(imp.bidfloor, currency) if accepted else NO_PRICE,
        floor_per_second=terms.micros(video.mincpmpersec or 0.0, currency),
        floors=tuple(
            (
                float(one.mindur or 0),
                float(one.maxdur or MOST_BREAK),
                terms.micros(one.bidfloor or 0.0, currency),
            )
            for one in bounds
        ),
        blocked_attributes=tuple(video.battr or ()),
        mime_types=tuple(mime.lower() for mime in video.mimes or ()),
        secure=imp.secure == 1,
        protocols=tuple(video.protocols or ((video.protocol,) if video.protocol else ())),
        apis=tuple(video.api or ()),
        least_rate=video.minbitrate or 0,
        most_rate=video.maxbitrate or 0,
        width=video.w or 0,
        height=video.h or 0,
    )


def _placement(video: Video) -> Placement:
    try:
        return Placement(video.plcmt or Placement.INSTREAM)
    except ValueError:  # one of a later AdCOM: nothing that targets a placement suits it, and the rest may
        return Placement.INSTREAM


def _second(video: Video) -> float | None:
    """Of the programme: a mid-roll says it with its start delay, a pre-roll stands at the beginning."""
    delay = video.startdelay
    return float(delay) if delay is not None and delay >= 0 else None


def _viewer(
    request: BidRequest, permissions: Permissions, stream: str, hashed: Callable[[str], str], kids: bool
) -> Viewer:
    device = request.device
    country = country_of(request)
    return Viewer(
        stream=hashed(f"stream {stream}"),
        permissions=permissions,
        identifier="" if kids else _identifier(request, permissions, hashed),
        segments=() if kids else _segments(request, permissions),
        kids=kids,
        country=country,
        region=region_code(country, geo_of(request).region),
        device=(device.devicetype if device else None) or 0,
        language=((device.language if device else None) or "")[:2].lower(),
    )


def _identifier(request: BidRequest, permissions: Permissions, hashed: Callable[[str], str]) -> str:
    if not (permissions.allows(Activity.CAP_FREQUENCY) and permissions.allows(Activity.STORE_IDENTIFIER)):
        return ""
    user, device = request.user, request.device
    known = [user.id if user else None, device.ifa if device else None, user.buyeruid if user else None]
    known += [uid.id for eid in (user.eids if user else None) or () for uid in eid.uids or ()]
    return next((hashed(one) for one in known if one), "")


def _segments(request: BidRequest, permissions: Permissions) -> tuple[str, ...]:
    if request.user is None or not permissions.allows(Activity.PERSONALISE):
        return ()
    groups = request.user.data or ()
    return tuple(segment.id for group in groups for segment in group.segment or () if segment.id)


def _content(request: BidRequest) -> Content | None:
    place = request.site or request.app or request.dooh
    return place.content if place is not None else None


def _scene(request: BidRequest, scene_of: SceneOf, second: float | None) -> Scene:
    """From the catalogue where it knows the programme; otherwise from what the request says of it."""
    content = _content(request)
    if content is None:
        return Scene()
    said = _categories(content)
    title, episode = place_in(request)
    known = scene_of(title, episode, second) if title else None
    if known is not None:
        return known if not said else _with_categories(known, said)
    genres = tuple(genre.strip().lower() for genre in (content.genre or "").split(",") if genre.strip())
    return Scene(
        genres=genres[:16],
        categories=said,
        rating=(content.contentrating or "")[:32],
        text=(content.title or "")[:LONGEST_NAME],
    )


def _with_categories(scene: Scene, said: tuple[str, ...]) -> Scene:
    return Scene(
        title=scene.title,
        scene=scene.scene,
        genres=scene.genres,
        moods=scene.moods,
        events=scene.events,
        categories=tuple(dict.fromkeys((*scene.categories, *said))),
        text=scene.text,
        rating=scene.rating,
        known=scene.known,
    )


def _categories(content: Content) -> tuple[str, ...]:
    return tuple((content.cat or ())[:64]) if content.cattax in CONTENT else ()


def _allowed_categories(request: BidRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(products, notes). A list of which nothing can be placed allows nothing."""
    if not request.acat:
        return (), ()
    found = placed(request.cattax, tuple(request.acat))
    return found.products or tuple(request.acat), tuple(
        f"acat: {note}, and allows nothing" for note in found.notes
    )
