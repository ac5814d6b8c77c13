"""The answer to a bid request: a bid for every advertisement, its VAST, and signed addresses to be told by.

A dynamic pod's impression gets one bid for each advertisement of the pod. House advertisements and slate are
bids without a price, of a seat of their own: for whoever asks for its own breaks, and nothing an exchange
would take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any

import msgspec

from falsework.ads.campaigns.book import Row
from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.measurement.beacons import Signer
from falsework.ads.openrtb.opportunities import AD_PRODUCT
from falsework.ads.opportunity import Break
from falsework.ads.records import MICROS
from falsework.ads.vast.response import KEPT, Manner, manner, marked
from falsework.ads.vast.stencil import BEACON, DOCUMENT, IMPRESSION, POSITION, SERVED, Stencil, mark
from falsework.ads.vast.tracking import served_values
from falsework.ads.vast.versions import protocol_of

__all__ = ["HOUSE_SEAT", "NoBid", "answer"]

HOUSE_SEAT = "house"
VIDEO = 2  # OpenRTB, List: Creative Markup Types


class NoBid(IntEnum):
    """OpenRTB, List: No-Bid Reason Codes."""

    UNKNOWN = 0
    TECHNICAL_ERROR = 1
    INVALID_REQUEST = 2
    INSUFFICIENT_TIME = 17


class Bid(msgspec.Struct, kw_only=True, omit_defaults=True):
    id: str
    impid: str
    price: float
    nurl: str | None = None
    burl: str | None = None
    lurl: str | None = None
    adm: str | None = None
    adid: str | None = None
    adomain: list[str] | None = None
    cid: str | None = None
    crid: str | None = None
    cat: list[str] | None = None
    cattax: int | None = None
    attr: list[int] | None = None
    protocol: int | None = None
    language: str | None = None
    w: int | None = None
    h: int | None = None
    exp: int | None = None
    dur: int | None = None
    mtype: int | None = None
    slotinpod: int | None = None


class SeatBid(msgspec.Struct, kw_only=True, omit_defaults=True):
    bid: list[msgspec.Raw]  # each a `Bid`
    seat: str


class BidResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    id: str
    seatbid: list[SeatBid] | None = None
    bidid: str | None = None
    cur: str | None = None
    nbr: int | None = None
    ext: dict[str, Any] | None = None


ENCODER = msgspec.json.Encoder()
BIDS_GOOD_FOR = 600  # seconds; as long as a promise of money is kept


def answer(
    request_id: str,
    decisions: Sequence[Decision],
    *,
    signer: Signer,
    currency: str,
    no_bid: NoBid = NoBid.UNKNOWN,
    documents: Mapping[str, bytes] | None = None,
) -> bytes:
    """A `BidResponse` as JSON. `documents` are VAST documents by `Chosen.served` where they differ from what
    a decision says by itself (a partner's, followed). Traces are in `ext.trace` where they were asked for."""
    seats: dict[str, list[msgspec.Raw]] = {}
    for decision in decisions:
        for chosen in decision.chosen:
            seat = HOUSE_SEAT if chosen.house else chosen.row.campaign.advertiser
            document = documents.get(chosen.served) if documents else None
            seats.setdefault(seat, []).append(msgspec.Raw(_bid(decision, chosen, signer, document)))
    traces = {decision.asked.id: decision.trace for decision in decisions if decision.trace is not None}
    return ENCODER.encode(
        BidResponse(
            id=request_id,
            seatbid=[SeatBid(seat=seat, bid=bids) for seat, bids in seats.items()] or None,
            bidid=decisions[0].id if decisions else None,
            cur=currency if seats else None,
            nbr=None if seats else int(no_bid),
            ext={"trace": msgspec.to_builtins(traces)} if traces else None,
        )
    )


def _bid(decision: Decision, chosen: Chosen, signer: Signer, document: bytes | None) -> bytes:
    """One bid as JSON."""
    values = served_values(decision, chosen, signer)
    values[IMPRESSION] = _within(_impression(decision.asked, chosen))
    several = len(decision.chosen) > 1
    if several:
        values[POSITION] = _position(decision, chosen)
    if document:
        values[DOCUMENT] = _within(document.decode())
    how = manner(decision, chosen)
    return _stencil(chosen.row, how, signer.base, chosen.house, several, bool(document)).filled(values)


@lru_cache(maxsize=KEPT)
def _stencil(row: Row, how: Manner, base: str, house: bool, several: bool, followed: bool) -> Stencil:
    """Of a bid as JSON. `followed`: its document is given, and not our own."""
    creative = row.creative
    _, _, width, height, _ = creative.media[0] if creative.media else ("", "", 0, 0, 0)

    def told(kind: str) -> str:
        return f"{base}/{kind}?b={mark(BEACON)}&s={mark(kind)}"

    bid = Bid(
        id=mark(SERVED),
        impid=mark(IMPRESSION),
        price=0.0 if house else row.line_item.price / MICROS,
        nurl=None if house else told("win"),
        lurl=None if house else told("loss"),
        burl=told("impression"),
        adm=mark(DOCUMENT) if followed else marked(row, how, base),
        adid=creative.id,
        adomain=[row.campaign.domain] if row.campaign.domain else None,
        cid=row.campaign.id,
        crid=creative.id,
        cat=list(row.line_item.categories) or None,
        cattax=AD_PRODUCT if row.line_item.categories else None,
        attr=list(creative.attributes) or None,
        protocol=protocol_of(how.version, wrapper=bool(creative.wrapper)),
        language=creative.language or None,
        w=width or None,
        h=height or None,
        exp=BIDS_GOOD_FOR,
        dur=round(creative.duration) or None,
        mtype=VIDEO,
        slotinpod=int(mark(POSITION)) if several else None,
    )
    return Stencil(ENCODER.encode(bid))


def _within(text: str) -> bytes:
    """As it stands between the quotes of JSON."""
    return ENCODER.encode(text)[1:-1]


def _impression(asked: Break, chosen: Chosen) -> str:
    """Fixed slots are named after their impressions; a dynamic pod is one impression altogether."""
    return chosen.slot if asked.slots else asked.id


def _position(decision: Decision, chosen: Chosen) -> bytes:
    """1 for the first of a pod and -1 for its last."""
    return {decision.chosen[0].served: b"1", decision.chosen[-1].served: b"-1"}.get(chosen.served, b"0")
