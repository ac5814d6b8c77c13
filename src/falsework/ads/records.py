"""What is to be shown and who pays for it, as plain records. Money is in millionths of a currency's unit."""

from __future__ import annotations

import msgspec

__all__ = ["MICROS", "Campaign", "Cap", "Creative", "Flight", "LineItem", "Targeting"]

MICROS = 1_000_000  # of one unit of the currency, so that budgets add up exactly


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """At most `count` impressions in `seconds`; 0 seconds: in one stream."""

    count: int
    seconds: int = 0


class Creative(msgspec.Struct, frozen=True, kw_only=True):
    """One advertisement. `duration` in seconds; 0 for a still. `media` are the files a player chooses from:
    (URL, MIME type, width, height, bit rate in kbit/s). `attributes` are AdCOM creative attributes (`attr`).
    `wrapper`: the URL of a partner's VAST, instead of files of our own. Third parties' addresses are
    `impressions`, `trackers` (VAST's event, address), `clicks` and `errors`."""

    id: str
    title: str = ""
    duration: float = 0.0
    media: tuple[tuple[str, str, int, int, int], ...] = ()
    wrapper: str = ""
    click_through: str = ""
    impressions: tuple[str, ...] = ()
    trackers: tuple[tuple[str, str], ...] = ()
    clicks: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    attributes: tuple[int, ...] = ()
    language: str = ""
    text: str = ""  # what is said and shown, for the match with a scene
    universal_ad_id: tuple[str, str] = ("unknown", "unknown")  # registry and value
    caps: tuple[Cap, ...] = ()


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """From `starts` to `ends`, seconds since 1970 in UTC; `ends` itself is outside."""

    starts: float
    ends: float


class Targeting(msgspec.Struct, frozen=True, kw_only=True):
    """Empty means no condition. Countries ISO 3166-1 alpha-2, regions ISO 3166-2, devices AdCOM device types,
    placements AdCOM `plcmt`, genres and keywords as the catalogue names them."""

    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    devices: tuple[int, ...] = ()
    placements: tuple[int, ...] = ()
    genres: tuple[str, ...] = ()
    without_genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


class LineItem(msgspec.Struct, frozen=True, kw_only=True):
    """What may win a slot. `price` micros for a thousand impressions. `budget` micros over the flight. `goal`
    is "even" or "fast". `house`: shown only where nothing paid may be, costs nothing and has no cap.
    `categories` are Ad Product Taxonomy 2.0 ids, `domain` is the advertiser's for separation (`adomain`).
    `app` is the bundle or store id of the application it advertises, for those that block it. `vendors` are
    the TCF vendor ids that its creatives' trackers need consent for. `child_safe` was decided by a named
    person."""

    id: str
    campaign: str
    creatives: tuple[Creative, ...]
    price: int = 0
    budget: int = 0
    goal: str = "even"
    house: bool = False
    categories: tuple[str, ...] = ()
    targeting: Targeting = Targeting()
    caps: tuple[Cap, ...] = ()
    vendors: tuple[int, ...] = ()
    child_safe: bool = False
    app: str = ""


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """An advertiser's line items over one flight; its caps hold for all of them together."""

    id: str
    advertiser: str
    domain: str
    flight: Flight
    name: str = ""
    caps: tuple[Cap, ...] = ()
    advertiser_caps: tuple[Cap, ...] = ()
    competitors: tuple[str, ...] = ()  # domains that no pod shows beside it
    currency: str = "EUR"
    line_items: tuple[LineItem, ...] = ()
