"""OpenRTB requests: what the specification allows is read, and what it forbids is refused by its field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.ads.openrtb.validation import LONGEST_BODY, read
from falsework.errors import FalseworkError

VIDEO = {"mimes": ["video/mp4"], "podid": "break 1", "poddur": 120, "maxseq": 4, "protocols": [7, 8]}
EIDS = [{"source": "example.com", "uids": [{"id": "a", "atype": 1}]}]
CHAIN = {"complete": 1, "ver": "1.0", "nodes": [{"asi": "example.com", "sid": "1", "hp": 1}]}


def request(**changes: Any) -> dict[str, Any]:
    return {"id": "r", "imp": [{"id": "1", "video": VIDEO}], "app": {"id": "tv"}, **changes}


def imp(**media: Any) -> dict[str, Any]:
    return request(imp=[{"id": "1", **media}])


def video(**changes: Any) -> dict[str, Any]:
    return imp(video={**VIDEO, **changes})


def banner(**sizes: Any) -> dict[str, Any]:
    return imp(banner=sizes)


def native(text: str) -> dict[str, Any]:
    return imp(native={"request": text, "ver": "1.2"})


VALID = {
    "a pod of open length": request(),
    "a pod of fixed lengths": video(rqddurs=[15, 30], podseq=-1, slotinpod=2),
    "a site by its page": request(app=None, site={"page": "https://example.com"}),
    "a screen in the street": request(app=None, dooh={"venuetype": ["1"]}),
    "fixed and flexible sizes": banner(format=[{"w": 300, "h": 250}, {"wmin": 10, "wratio": 2, "hratio": 1}]),
    "one size": banner(w=300, h=250),
    "an interstitial without a size": request(imp=[{"id": "1", "instl": 1, "banner": {}}]),
    "audio": imp(audio={"mimes": ["audio/mp4"], "minduration": 5, "maxduration": 30}),
    "native": native('{"assets": [{"id": 1, "title": {"len": 20}}, {"id": 2, "img": {"wmin": 10}}]}'),
    "native, an object around it": native('{"native": {"assets": [{"data": {"type": 1}}]}}'),
    "a deal": imp(video=VIDEO, pmp={"deals": [{"id": "d", "bidfloor": 1.5}]}),
    "identifiers": request(user={"eids": EIDS, "consent": "C"}),
    "identifiers in their old place": request(user={"ext": {"eids": EIDS, "consent": "C"}}),
    "no identifiers": request(user={"ext": {"eids": []}}),
    "regulations": request(regs={"coppa": 0, "gdpr": 1, "gpp": "DBAA", "gpp_sid": [7], "us_privacy": "?"}),
    "regulations in their old place": request(regs={"ext": {"gdpr": 0, "us_privacy": "1YNN"}}),
    "a chain": request(source={"schain": CHAIN, "tid": "t"}),
    "a chain in its old place": request(source={"ext": {"schain": CHAIN}}),
    "fields nobody knows": request(future={"a": 1}, imp=[{"id": "1", "video": VIDEO, "ext": {"x": [1]}}]),
    "a device": request(
        device={"sua": {"platform": {"brand": "tvOS"}}, "w": 1920, "lmt": 1, "geo": {"lat": 1.5}}
    ),
}

INVALID = {
    "no id": (request(id=""), "id"),
    "an id that is a number": (request(id=3), "id"),
    "no imp": (request(imp=None), "imp"),
    "imp empty": (request(imp=[]), "imp"),
    "an imp without id": (request(imp=[{"video": VIDEO}]), "imp[0].id"),
    "two imps alike": (request(imp=[{"id": "1", "video": VIDEO}] * 2), "imp[1].id"),
    "an imp of nothing": (request(imp=[{"id": "1"}]), "imp[0]"),
    "too many imps": (request(imp=[{"id": str(n), "video": VIDEO} for n in range(201)]), "imp"),
    "no place": (request(app=None), "request"),
    "two places": (request(site={"id": "s"}), "request"),
    "an empty site": (request(app=None, site={}), "site"),
    "an empty application": (request(app={}), "app"),
    "an empty screen": (request(app=None, dooh={}), "dooh"),
    "a time below nothing": (request(tmax=-1), "tmax"),
    "a floor below nothing": (request(imp=[{"id": "1", "video": VIDEO, "bidfloor": -1}]), "imp[0].bidfloor"),
    "no types of file": (video(mimes=[]), "imp[0].video.mimes"),
    "types of file as text": (video(mimes="video/mp4"), "imp[0].video.mimes"),
    "a width below nothing": (video(w=-1), "imp[0].video.w"),
    "a rate below nothing": (video(minbitrate=-1), "imp[0].video.minbitrate"),
    "shortest over longest": (video(minduration=30, maxduration=15), "imp[0].video.minduration"),
    "lengths fixed and not": (video(rqddurs=[15], maxduration=30), "imp[0].video.rqddurs"),
    "no length": (video(rqddurs=[]), "imp[0].video.rqddurs"),
    "a pod's place that is none": (video(podseq=7), "imp[0].video.podseq"),
    "audio without types": (imp(audio={}), "imp[0].audio.mimes"),
    "audio's order below nothing": (imp(audio={"mimes": ["a/b"], "sequence": -1}), "imp[0].audio.sequence"),
    "a banner without size": (banner(), "imp[0].banner"),
    "a banner without height": (banner(w=300), "imp[0].banner.h"),
    "a banner without width": (banner(h=300), "imp[0].banner.w"),
    "a banner of no height": (banner(w=300, h=0), "imp[0].banner.h"),
    "a banner below nothing": (banner(w=-1, h=5), "imp[0].banner.w"),
    "a deprecated size": (banner(w=3, h=3, wmax=9), "imp[0].banner.wmax"),
    "no format": (banner(format=[]), "imp[0].banner.format"),
    "an empty format": (banner(format=[{}]), "imp[0].banner.format[0]"),
    "two sorts of size": (banner(format=[{"w": 30, "wratio": 2}]), "imp[0].banner.format[0]"),
    "half a size": (banner(format=[{"w": 30}]), "imp[0].banner.format[0].h"),
    "half a flexible size": (banner(format=[{"wmin": 3, "wratio": 2}]), "imp[0].banner.format[0].hratio"),
    "native of nothing": (native(""), "imp[0].native.request"),
    "native that is no JSON": (native('{"assets": ['), "imp[0].native.request"),
    "native without assets": (native("{}"), "imp[0].native.request.assets"),
    "an asset of two sorts": (
        native('{"assets": [{"title": {}, "img": {}}]}'),
        "imp[0].native.request.assets[0]",
    ),
    "a deal without id": (imp(video=VIDEO, pmp={"deals": [{}]}), "imp[0].pmp.deals[0].id"),
    "a metric of nothing": (imp(video=VIDEO, metric=[{}]), "imp[0].metric[0].type"),
    "the GDPR twice over": (request(regs={"gdpr": 2}), "regs.gdpr"),
    "the GDPR as text": (request(regs={"ext": {"gdpr": "1"}}), "regs.ext.gdpr"),
    "regulations as text": (request(regs={"ext": "malformed"}), "regs.ext"),
    "US privacy as a number": (request(regs={"ext": {"us_privacy": 1}}), "regs.ext.us_privacy"),
    "consent as a number": (request(user={"ext": {"consent": 1}}), "user.ext.consent"),
    "an identifier of nobody": (request(user={"eids": [{"uids": [{"id": "a"}]}]}), "user.eids[0].source"),
    "an identifier of nothing": (request(user={"eids": [{"source": "s"}]}), "user.eids[0].uids"),
    "an empty identifier": (
        request(user={"ext": {"eids": [{"source": "s", "uids": [{"id": ""}]}]}}),
        "user.ext.eids[0].uids[0].id",
    ),
    "identifiers as text": (request(user={"ext": {"eids": [{"source": 3}]}}), "user.ext.eids[0].source"),
    "a device below nothing": (request(device={"w": -1}), "device.w"),
    "a place below nothing": (request(device={"geo": {"accuracy": -1}}), "device.geo.accuracy"),
    "a platform of nobody": (request(device={"sua": {"platform": {}}}), "device.sua.platform.brand"),
    "a browser of nobody": (request(device={"sua": {"browsers": [{}]}}), "device.sua.browsers[0].brand"),
    "a chain of nobody": (request(source={"schain": {**CHAIN, "nodes": []}}), "source.schain.nodes"),
    "a link of nobody": (
        request(source={"schain": {**CHAIN, "nodes": [{"asi": "a"}]}}),
        "source.schain.nodes[0].sid",
    ),
    "a chain as text": (request(source={"ext": {"schain": "x"}}), "source.ext.schain"),
    "a page that is half AMP": (request(app=None, site={"id": "s", "ext": {"amp": 2}}), "site.ext.amp"),
}

HOSTILE = {
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "a number": b"3",
    "no UTF-8": b'{"id": "\xff"}',
    "cut short": b'{"id": "r", "imp": [',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"ext": ' * 5_000 + b"1" + b"}" * 5_000,
    "long": b" " * (LONGEST_BODY + 1),
}


@pytest.mark.parametrize("body", VALID.values(), ids=VALID)
def test_what_the_specification_allows_is_read(body: dict[str, Any]) -> None:
    assert read(json.dumps(body).encode()).id == "r"


@pytest.mark.parametrize(("body", "field"), INVALID.values(), ids=INVALID)
def test_what_it_forbids_is_refused_by_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(FalseworkError) as refused:
        read(json.dumps(body).encode())
    assert refused.value.where == field


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(FalseworkError):
        read(body)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["id", "imp", "app", "site", "dooh", "device", "user", "regs", "source", "tmax", "bcat"]
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(fields, anything, max_size=3))
def test_anything_in_any_field_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        found = read(json.dumps(request(**changes)).encode())
    except FalseworkError:
        return
    assert found.imp
