"""The objects of an OpenRTB 2.6 request, by the specification's own names and types.

IAB Tech Lab, OpenRTB 2.6-202606. What is not named here is read over, as the specification asks of receivers;
`ext` objects are kept.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "App",
    "Audio",
    "Banner",
    "BidRequest",
    "Content",
    "Deal",
    "Device",
    "Dooh",
    "Eid",
    "Format",
    "Geo",
    "Imp",
    "Metric",
    "Native",
    "Pmp",
    "Producer",
    "Publisher",
    "Regs",
    "Segment",
    "Site",
    "Source",
    "SupplyChain",
    "User",
    "UserAgent",
    "Video",
]

Ext = dict[str, Any]


class _Object(msgspec.Struct, kw_only=True, omit_defaults=True):
    ext: Ext | None = None


class Metric(_Object):
    type: str | None = None
    value: float | None = None
    vendor: str | None = None


class Format(_Object):
    w: int | None = None
    h: int | None = None
    wratio: int | None = None
    hratio: int | None = None
    wmin: int | None = None


class Banner(_Object):
    format: list[Format] | None = None
    w: int | None = None
    h: int | None = None
    wmax: int | None = None
    hmax: int | None = None
    wmin: int | None = None
    hmin: int | None = None
    btype: list[int] | None = None
    battr: list[int] | None = None
    pos: int | None = None
    mimes: list[str] | None = None
    topframe: int | None = None
    expdir: list[int] | None = None
    api: list[int] | None = None
    id: str | None = None
    vcm: int | None = None


class DurFloors(_Object):
    mindur: int | None = None
    maxdur: int | None = None
    bidfloor: float | None = None


class Video(_Object):
    mimes: list[str] | None = None
    minduration: int | None = None
    maxduration: int | None = None
    startdelay: int | None = None
    maxseq: int | None = None
    poddur: int | None = None
    protocols: list[int] | None = None
    protocol: int | None = None
    w: int | None = None
    h: int | None = None
    podid: str | None = None
    podseq: int | None = None
    rqddurs: list[int] | None = None
    placement: int | None = None
    plcmt: int | None = None
    linearity: int | None = None
    skip: int | None = None
    skipmin: int | None = None
    skipafter: int | None = None
    sequence: int | None = None
    slotinpod: int | None = None
    mincpmpersec: float | None = None
    battr: list[int] | None = None
    maxextended: int | None = None
    minbitrate: int | None = None
    maxbitrate: int | None = None
    boxingallowed: int | None = None
    playbackmethod: list[int] | None = None
    playbackend: int | None = None
    delivery: list[int] | None = None
    pos: int | None = None
    companionad: list[Banner] | None = None
    api: list[int] | None = None
    companiontype: list[int] | None = None
    poddedupe: list[int] | None = None
    durfloors: list[DurFloors] | None = None


class Audio(_Object):
    mimes: list[str] | None = None
    minduration: int | None = None
    maxduration: int | None = None
    poddur: int | None = None
    protocols: list[int] | None = None
    startdelay: int | None = None
    rqddurs: list[int] | None = None
    podid: str | None = None
    podseq: int | None = None
    sequence: int | None = None
    slotinpod: int | None = None
    mincpmpersec: float | None = None
    battr: list[int] | None = None
    maxextended: int | None = None
    minbitrate: int | None = None
    maxbitrate: int | None = None
    delivery: list[int] | None = None
    companionad: list[Banner] | None = None
    api: list[int] | None = None
    companiontype: list[int] | None = None
    maxseq: int | None = None
    feed: int | None = None
    stitched: int | None = None
    nvol: int | None = None
    durfloors: list[DurFloors] | None = None


class Native(_Object):
    request: str | None = None
    ver: str | None = None
    api: list[int] | None = None
    battr: list[int] | None = None


class Deal(_Object):
    id: str | None = None
    bidfloor: float = 0.0
    bidfloorcur: str | None = None
    at: int | None = None
    wseat: list[str] | None = None
    wadomain: list[str] | None = None
    guar: int | None = None
    mincpmpersec: float | None = None
    durfloors: list[DurFloors] | None = None


class Pmp(_Object):
    private_auction: int | None = None
    deals: list[Deal] | None = None


class Qty(_Object):
    multiplier: float | None = None
    sourcetype: int | None = None
    vendor: str | None = None


class Imp(_Object):
    id: str | None = None
    metric: list[Metric] | None = None
    banner: Banner | None = None
    video: Video | None = None
    audio: Audio | None = None
    native: Native | None = None
    pmp: Pmp | None = None
    displaymanager: str | None = None
    displaymanagerver: str | None = None
    instl: int | None = None
    tagid: str | None = None
    bidfloor: float = 0.0
    bidfloorcur: str | None = None
    clickbrowser: int | None = None
    secure: int | None = None
    iframebuster: list[str] | None = None
    rwdd: int | None = None
    ssai: int | None = None
    exp: int | None = None
    qty: Qty | None = None
    dt: float | None = None
    refresh: Ext | None = None


class Publisher(_Object):
    id: str | None = None
    name: str | None = None
    cattax: int | None = None
    cat: list[str] | None = None
    domain: str | None = None


class Producer(Publisher):
    pass


class Segment(_Object):
    id: str | None = None
    name: str | None = None
    value: str | None = None


class Data(_Object):
    id: str | None = None
    name: str | None = None
    segment: list[Segment] | None = None
    cids: list[str] | None = None


class Content(_Object):
    id: str | None = None
    episode: int | None = None
    title: str | None = None
    series: str | None = None
    season: str | None = None
    artist: str | None = None
    genre: str | None = None
    gtax: int | None = None
    genres: list[int] | None = None
    album: str | None = None
    isrc: str | None = None
    producer: Producer | None = None
    url: str | None = None
    cattax: int | None = None
    cat: list[str] | None = None
    prodq: int | None = None
    videoquality: int | None = None
    context: int | None = None
    contentrating: str | None = None
    userrating: str | None = None
    qagmediarating: int | None = None
    keywords: str | None = None
    kwarray: list[str] | None = None
    livestream: int | None = None
    sourcerelationship: int | None = None
    len: int | None = None
    language: str | None = None
    langb: str | None = None
    embeddable: int | None = None
    data: list[Data] | None = None
    network: Publisher | None = None
    channel: Publisher | None = None


class _Place(_Object):
    """What a site and an application share."""

    id: str | None = None
    name: str | None = None
    domain: str | None = None
    cattax: int | None = None
    cat: list[str] | None = None
    sectioncat: list[str] | None = None
    pagecat: list[str] | None = None
    privacypolicy: int | None = None
    publisher: Publisher | None = None
    content: Content | None = None
    keywords: str | None = None
    kwarray: list[str] | None = None
    inventorypartnerdomain: str | None = None


class Site(_Place):
    page: str | None = None
    ref: str | None = None
    search: str | None = None
    mobile: int | None = None


class App(_Place):
    bundle: str | None = None
    storeurl: str | None = None
    ver: str | None = None
    paid: int | None = None


class Dooh(_Object):
    id: str | None = None
    name: str | None = None
    venuetype: list[str] | None = None
    venuetypetax: int | None = None
    publisher: Publisher | None = None
    domain: str | None = None
    keywords: str | None = None
    content: Content | None = None


class Geo(_Object):
    lat: float | None = None
    lon: float | None = None
    type: int | None = None
    accuracy: int | None = None
    lastfix: int | None = None
    ipservice: int | None = None
    country: str | None = None
    region: str | None = None
    regionfips104: str | None = None
    metro: str | None = None
    city: str | None = None
    zip: str | None = None
    utcoffset: int | None = None


class BrandVersion(_Object):
    brand: str | None = None
    version: list[str] | None = None


class UserAgent(_Object):
    browsers: list[BrandVersion] | None = None
    platform: BrandVersion | None = None
    mobile: int | None = None
    architecture: str | None = None
    bitness: str | None = None
    model: str | None = None
    source: int | None = None


class Device(_Object):
    geo: Geo | None = None
    dnt: int | None = None
    lmt: int | None = None
    ua: str | None = None
    sua: UserAgent | None = None
    ip: str | None = None
    ipv6: str | None = None
    devicetype: int | None = None
    make: str | None = None
    model: str | None = None
    os: str | None = None
    osv: str | None = None
    hwv: str | None = None
    h: int | None = None
    w: int | None = None
    ppi: int | None = None
    pxratio: float | None = None
    js: int | None = None
    geofetch: int | None = None
    flashver: str | None = None
    language: str | None = None
    langb: str | None = None
    carrier: str | None = None
    mccmnc: str | None = None
    connectiontype: int | None = None
    ifa: str | None = None
    didsha1: str | None = None
    didmd5: str | None = None
    dpidsha1: str | None = None
    dpidmd5: str | None = None
    macsha1: str | None = None
    macmd5: str | None = None


class Uid(_Object):
    id: str | None = None
    atype: int | None = None


class Eid(_Object):
    source: str | None = None
    uids: list[Uid] | None = None
    inserter: str | None = None
    matcher: str | None = None
    mm: int | None = None


class User(_Object):
    id: str | None = None
    buyeruid: str | None = None
    yob: int | None = None
    gender: str | None = None
    keywords: str | None = None
    kwarray: list[str] | None = None
    customdata: str | None = None
    geo: Geo | None = None
    data: list[Data] | None = None
    consent: str | None = None
    eids: list[Eid] | None = None


class Regs(_Object):
    coppa: int | None = None
    gdpr: int | None = None
    us_privacy: str | None = None
    gpp: str | None = None
    gpp_sid: list[int] | None = None


class SupplyChainNode(_Object):
    asi: str | None = None
    sid: str | None = None
    rid: str | None = None
    name: str | None = None
    domain: str | None = None
    hp: int | None = None


class SupplyChain(_Object):
    complete: int | None = None
    nodes: list[SupplyChainNode] | None = None
    ver: str | None = None


class Source(_Object):
    fd: int | None = None
    tid: str | None = None
    pchain: str | None = None
    schain: SupplyChain | None = None


class BidRequest(_Object):
    id: str | None = None
    imp: list[Imp] | None = None
    site: Site | None = None
    app: App | None = None
    dooh: Dooh | None = None
    device: Device | None = None
    user: User | None = None
    test: int | None = None
    at: int | None = None
    tmax: int | None = None
    wseat: list[str] | None = None
    bseat: list[str] | None = None
    allimps: int | None = None
    cur: list[str] | None = None
    wlang: list[str] | None = None
    wlangb: list[str] | None = None
    acat: list[str] | None = None
    bcat: list[str] | None = None
    cattax: int | None = None
    badv: list[str] | None = None
    bapp: list[str] | None = None
    source: Source | None = None
    regs: Regs | None = None
