"""The answer to a bid request: a bid for every advertisement, its VAST, and signed addresses to be told by.

A dynamic pod's impression gets one bid for each advertisement of the pod. House advertisements and slate are
bids without a price, of a seat of their own: for whoever asks for its own breaks, and nothing an exchange
would take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

import msgspec

from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.measurement.beacons import Signer
from falsework.ads.openrtb.opportunities import AD_PRODUCT
from falsework.ads.opportunity import Break
from falsework.ads.records import MICROS
from falsework.ads.vast.response import vast
from falsework.ads.vast.tracking import beacon

__all__ = ["HOUSE_SEAT", "NoBid", "answer"]

HOUSE_SEAT = "house"
VIDEO = 2  # OpenRTB, List: Creative Markup Types
VAST_4_2 = 13  # AdCOM, List: Creative Subtypes - Audio/Video


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
    bid: list[Bid]
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
    seats: dict[str, list[Bid]] = {}
    for decision in decisions:
        for chosen in decision.chosen:
            seat = HOUSE_SEAT if chosen.house else chosen.row.campaign.advertiser
            seats.setdefault(seat, []).append(_bid(decision, chosen, signer, documents or {}))
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


def _bid(decision: Decision, chosen: Chosen, signer: Signer, documents: Mapping[str, bytes]) -> Bid:
    row = chosen.row
    creative = row.creative
    alone = msgspec.structs.replace(decision, chosen=(chosen,), trace=None)
    markup = documents.get(chosen.served) or vast(alone, signer)
    packed = signer.packed(beacon(decision, chosen, signer))
    _, _, width, height, _ = creative.media[0] if creative.media else ("", "", 0, 0, 0)
    return Bid(
        id=chosen.served,
        impid=_impression(decision.asked, chosen),
        price=0.0 if chosen.house else row.line_item.price / MICROS,
        nurl=None if chosen.house else signer.url(packed, "win"),
        lurl=None if chosen.house else signer.url(packed, "loss"),
        burl=signer.url(packed, "impression"),
        adm=markup.decode(),
        adid=creative.id,
        adomain=[row.campaign.domain] if row.campaign.domain else None,
        cid=row.campaign.id,
        crid=creative.id,
        cat=list(row.line_item.categories) or None,
        cattax=AD_PRODUCT if row.line_item.categories else None,
        attr=list(creative.attributes) or None,
        protocol=VAST_4_2,
        language=creative.language or None,
        w=width or None,
        h=height or None,
        exp=BIDS_GOOD_FOR,
        dur=round(creative.duration) or None,
        mtype=VIDEO,
        slotinpod=_position(decision, chosen),
    )


def _impression(asked: Break, chosen: Chosen) -> str:
    """Fixed slots are named after their impressions; a dynamic pod is one impression altogether."""
    return chosen.slot if asked.slots else asked.id


def _position(decision: Decision, chosen: Chosen) -> int | None:
    """1 for the first of a pod and -1 for its last, where there is a pod."""
    if len(decision.chosen) < 2:
        return None
    return {decision.chosen[0].served: 1, decision.chosen[-1].served: -1}.get(chosen.served, 0)
