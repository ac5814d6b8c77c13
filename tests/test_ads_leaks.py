"""Nothing of a person goes anywhere without leave: identifiers planted in every place a request has."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import string
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from ads_at_work import COLLAPSE, at_work
from falsework.ads.learning.features import contextual, personal
from falsework.ads.measurement.exposure import read_record
from falsework.ads.openrtb.objects import BidRequest
from falsework.ads.openrtb.scrubbing import scrub, truncated
from falsework.ads.opportunity import Activity, Permissions, Verdict
from falsework.ads.server.deadline import Deadline
from falsework.ads.state.events import frames, segments_of

DENIED = Permissions(verdicts=dict.fromkeys(Activity, Verdict.DENIED), vendors=frozenset())
REQUESTS = 10_000
# Each a way of saying no, or of saying nothing.
NO = (
    {"regs": {"gdpr": 1}},
    {"regs": {"coppa": 1}},
    {"regs": {"ext": {"gdpr": 1}}},
    {"regs": {"us_privacy": "1YYN"}},
    {"regs": {"gpp": "DBAA", "gpp_sid": [7]}},
    {"regs": {"gpp": "broken"}},
    {"device": {"lmt": 1}},
    {"user": {"consent": "broken"}},
    {"user": {"yob": 2018}},
    {"ext": {"kids": 1}},
    {},
)


class Planter:
    """Makes requests with marks wherever something of a person may stand, and remembers the marks."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.marks: set[str] = set()

    def mark(self) -> str:
        found = "Z" + "".join(self.chance.choices(string.ascii_letters + string.digits, k=15))
        self.marks.add(found)
        return found

    def some(self, **values: Any) -> dict[str, Any]:
        """Some of them, in any order."""
        kept = [(name, value) for name, value in values.items() if self.chance.random() < 0.7]
        self.chance.shuffle(kept)
        return dict(kept)

    def ext(self) -> dict[str, Any]:
        name = self.chance.choice(("eid", "id", "data", "amazon", "prebid", "fpd", "session"))
        return {name: self.chance.choice((self.mark(), {"deep": [self.mark()]}, [self.mark()]))}

    def geo(self) -> dict[str, Any]:
        address = {"city": self.mark(), "zip": self.mark(), "metro": self.mark(), "ext": self.ext()}
        place = {"lat": 48.123456, "lon": 2.654321, "accuracy": 3}
        return self.some(**address, **place) | {"country": self.chance.choice(("FRA", "USA", "BRA"))}

    def user(self) -> dict[str, Any]:
        uid = {"source": self.mark(), "uids": [{"id": self.mark(), "ext": self.ext()}]}
        segment = {"id": self.mark(), "name": self.mark(), "value": self.mark()}
        return self.some(
            id=self.mark(),
            buyeruid=self.mark(),
            keywords=self.mark(),
            kwarray=[self.mark()],
            customdata=self.mark(),
            gender="F",
            eids=[uid],
            data=[{"id": self.mark(), "name": self.mark(), "segment": [segment], "ext": self.ext()}],
            geo=self.geo(),
            ext=self.ext() if self.chance.random() < 0.5 else {"eids": [uid]},
        )

    def device(self) -> dict[str, Any]:
        names = ("ifa", "didsha1", "didmd5", "dpidsha1", "dpidmd5", "macsha1", "macmd5", "carrier", "hwv")
        address = f"203.0.113.{self.chance.randrange(100, 255)}"
        self.marks.add(address)
        plain = {"devicetype": self.chance.choice((1, 2, 3, 7)), "language": "fr", "ip": address}
        return (
            self.some(**{name: self.mark() for name in names}, ext=self.ext()) | plain | {"geo": self.geo()}
        )

    def request(self) -> dict[str, Any]:
        content = {**COLLAPSE["content"], "ext": self.ext(), "url": f"https://x.example/?u={self.mark()}"}
        data = [{"id": self.mark(), "segment": [{"id": self.mark()}]}]
        video = {"mimes": ["video/mp4"], "poddur": 45, "maxseq": 3, "startdelay": 4746, "ext": self.ext()}
        told = {
            "id": "request",
            "imp": [{"id": "1", "video": video, "ext": self.ext()}],
            "user": self.user(),
            "device": self.device(),
            "source": self.some(tid=self.mark(), pchain=self.mark(), ext=self.ext()),
            "ext": self.ext(),
        }
        content |= self.some(data=data)
        if self.chance.random() < 0.5:
            told["app"] = {"bundle": "player", "content": content, "ext": self.ext()}
        else:
            page = f"https://{self.mark()}@x.example/watch?me={self.mark()}#{self.mark()}"
            told["site"] = {"page": page, "ref": page, "search": self.mark(), "content": content}
        for name, value in self.chance.choice(NO).items():
            told[name] = {**told.get(name, {}), **value}
        return told


def test_with_consent_denied_no_identifier_is_anywhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    planter = Planter(20)
    told: list[bytes] = []
    asked = []
    with at_work(tmp_path) as service:
        decide = service.decider.decide

        def watched(one: Any, beside: Any = ()) -> Any:
            asked.append(one)
            return decide(one, beside)

        service.decider.decide = watched  # type: ignore[method-assign]

        async def all_of_them() -> None:
            for number in range(REQUESTS):
                request = planter.request()
                body = json.dumps(request).encode()
                answer = await service.openrtb(body, Deadline.none(), trace=number % 10 == 0)
                assert answer.status == 200, answer.body
                told.append(answer.body)
                if number % 20 == 0:
                    await _call_beacons(service, answer.body)

        asyncio.run(all_of_them())
        traces = list(service._traces.values())
        health = service.health().body
        assert len(asked) == REQUESTS
        assert service.counts.faults == 0
    features = [name for one in asked for name in (*contextual(one), *personal(one.viewer))]
    on_disk = b"".join(
        file.read_bytes()
        for folder in ("state", "log")
        for file in (tmp_path / folder).rglob("*")
        if file.is_file()
    )
    places = {
        "answers": b"".join(told),
        "breaks": msgspec.json.encode([msgspec.to_builtins(one, str_keys=True) for one in asked]),
        "traces": b"".join(traces),
        "features": " ".join(features).encode(),
        "state and log": on_disk,
        "health": health,
        "logged lines": caplog.text.encode(),
    }
    assert on_disk
    for name, text in places.items():
        found = [mark for mark in _marks_in(text) if mark in planter.marks]
        assert not found, f"{found[:3]} in {name}"
    for one in asked:
        assert not one.viewer.identifier
        assert not one.viewer.segments
        assert "48.123456" not in repr(one)


def _marks_in(text: bytes) -> set[str]:
    """Everything that may be a planted mark or address."""
    plain = text.decode("latin-1")
    found = set(re.findall(r"203\.0\.113\.\d+", plain))
    for start in re.finditer("Z", plain):
        found.add(plain[start.start() : start.start() + 16])
    return found


async def _call_beacons(service: Any, body: bytes) -> None:
    for seat in json.loads(body).get("seatbid", ()):
        for bid in seat["bid"]:
            parts = urlsplit(bid["burl"])
            answer = await service.beacon(parts.path.rsplit("/", 1)[1], dict(parse_qsl(parts.query)))
            assert answer.status == 204


def test_where_it_is_allowed_the_same_things_are_used(tmp_path: Path) -> None:
    """So that the test above would fail if they leaked."""
    planter = Planter(21)
    told = {
        "id": "request",
        "imp": [{"id": "1", "video": {"mimes": ["video/mp4"], "poddur": 30}}],
        "app": COLLAPSE,
        "regs": {"us_privacy": "1YNN"},
        "user": {"id": planter.mark(), "data": [{"segment": [{"id": "gardeners"}]}]},
        "device": {"geo": {"country": "USA"}},
    }
    asked = []
    with at_work(tmp_path) as service:
        decide = service.decider.decide
        service.decider.decide = lambda one, beside=(): (asked.append(one), decide(one, beside))[1]  # type: ignore[method-assign]
        asyncio.run(service.openrtb(json.dumps(told).encode(), Deadline.none()))
        hashed = service.signer.hashed(told["user"]["id"])  # type: ignore[index]
    (one,) = asked
    assert one.viewer.identifier == hashed
    assert one.viewer.segments == ("gardeners",)
    (record, *_) = [read_record(frame) for path in segments_of(tmp_path / "log") for frame in frames(path)]
    assert record.viewer == hashed
    assert "segment=gardeners" in record.personal


def test_a_child_has_no_behaviour_even_with_every_leave(tmp_path: Path) -> None:
    told = {
        "id": "request",
        "imp": [{"id": "1", "video": {"mimes": ["video/mp4"], "poddur": 60, "maxseq": 4}}],
        "app": {"content": {"id": "nothing-known"}},
        "regs": {"us_privacy": "1YNN"},
        "user": {"id": "somebody", "data": [{"segment": [{"id": "gardeners"}]}], "ext": {"kids": True}},
        "device": {"geo": {"country": "USA"}},
    }
    asked = []
    with at_work(tmp_path) as service:
        decide = service.decider.decide
        service.decider.decide = lambda one, beside=(): (asked.append(one), decide(one, beside))[1]  # type: ignore[method-assign]
        answer = asyncio.run(service.openrtb(json.dumps(told).encode(), Deadline.none()))
        safe = {row.creative.id for row in service.decider.book.rows if row.line_item.child_safe}
    (one,) = asked
    assert one.viewer.kids
    assert not one.viewer.identifier
    assert not one.viewer.segments
    assert personal(one.viewer) == ()
    bids = [bid for seat in json.loads(answer.body)["seatbid"] for bid in seat["bid"]]
    assert bids
    assert {bid["crid"] for bid in bids} <= safe


def test_what_is_scrubbed_is_a_new_request() -> None:
    planter = Planter(22)
    for _ in range(200):
        request = msgspec.convert(planter.request(), BidRequest)
        before = msgspec.json.encode(request)
        after = msgspec.json.encode(scrub(request, DENIED))
        assert msgspec.json.encode(request) == before
        assert not [mark for mark in _marks_in(after) if mark in planter.marks]


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:abcd:12::1", "2001:db8:abcd::"),
        ("2001:db8::1", "2001:db8::"),
        ("::1", None),
        ("::ffff:203.0.113.77", None),
        ("somebody", None),
        ("1.2.3.4.5", None),
        ("1.2.3.400", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses_are_cut(address: str | None, left: str | None) -> None:
    assert truncated(address) == left
