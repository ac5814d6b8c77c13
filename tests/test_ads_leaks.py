"""Nothing of a person goes anywhere without leave: identifiers planted in every place a request has."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import random
import re
import string
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urlsplit

import msgspec
import pytest

from ads_at_work import COLLAPSE, at_work
from falsework.ads.campaigns.sample import campaigns_file
from falsework.ads.learning.features import contextual, personal
from falsework.ads.learning.fit import names_of
from falsework.ads.measurement.exposure import Exposure, read_record
from falsework.ads.openrtb.objects import BidRequest
from falsework.ads.openrtb.scrubbing import scrub, truncated
from falsework.ads.opportunity import Activity, Permissions, Verdict
from falsework.ads.server.deadline import Deadline
from falsework.ads.server.partners import Partners
from falsework.ads.state.events import frames, segments_of
from falsework.ads.vast import fetching

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


# ---- finding what is hidden -----------------------------------------------------------------------------

SHORTEST = 16  # bytes that can hold a mark in any form; an address has 11 in plain
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{14,}")
HEXADECIMAL = re.compile(rb"[0-9a-fA-F]{22,}")
WORD = re.compile(rb"[^\s\"'<>]{14,}")
ESCAPED = re.compile(rb"\\\\*u00([0-9A-Fa-f]{2})|&#(?:x([0-9A-Fa-f]+)|([0-9]+));")
PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
URL_SAFE = bytes.maketrans(b"-_", b"+/")
MOST_UNPACKED = 1 << 20  # bytes


def found_in(text: bytes, planted: set[str], seen: set[bytes] | None = None) -> set[str]:
    """The planted marks in a text and in all that can be decoded in it, however often it was encoded: base64
    in both alphabets wherever it begins, hexadecimal, percent signs, escapes of JSON and XML, gzip and zlib,
    two bytes to a letter."""
    found: set[str] = set()
    for each in _unpacked(text, set() if seen is None else seen, 6):
        if b"Z" in each or b"203.0" in each:
            found |= _marks_in(each) & planted
    return found


def _unpacked(text: bytes, seen: set[bytes], depth: int) -> Iterator[bytes]:
    yield text
    if depth and len(text) >= SHORTEST:
        for each in _decoded(text, seen):
            yield from _unpacked(each, seen, depth - 1)


def _decoded(text: bytes, seen: set[bytes]) -> Iterator[bytes]:
    def new(pattern: re.Pattern[bytes]) -> set[bytes]:
        runs = set(pattern.findall(text)) - seen
        seen.update(runs)
        return runs

    for run in new(HEXADECIMAL):  # before base64, whose runs hold these too
        for start in (0, 1):
            part = run[start:]
            yield bytes.fromhex(part[: len(part) // 2 * 2].decode())
        seen.discard(run)
    for run in new(BASE64):
        plain = run.translate(URL_SAFE)
        for start in range(4):  # something else may stand before it
            part = plain[start:]
            part = part[: len(part) - (len(part) % 4 == 1)]
            yield base64.b64decode(part + b"=" * (-len(part) % 4))
    if b"%" in text:
        yield from (unquote_to_bytes(run) for run in new(WORD) if b"%" in run)
    if ESCAPED.search(text):
        yield ESCAPED.sub(_letter, text)
    if b"\0" in text and len(text) < MOST_UNPACKED:
        yield text.replace(b"\0", b"")
    for place in PACKED.finditer(text):
        with suppress(zlib.error):
            yield zlib.decompressobj(47).decompress(text[place.start() :], MOST_UNPACKED)


def _letter(found: re.Match[bytes]) -> bytes:
    number = int(found[1] or found[2] or b"0", 16) if not found[3] else int(found[3])
    return bytes((number,)) if number < 256 else b"?"


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data)


def _unpadded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _percent(data: bytes) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in data)


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "base64": _base64,
    "base64 for addresses": _unpadded,
    "base64 behind something": lambda data: b"p7/" + _base64(data),
    "base64 in base64": lambda data: _unpadded(_base64(data)),
    "hexadecimal": lambda data: data.hex().encode(),
    "hexadecimal, large, behind something": lambda data: b"x-a" + data.hex().upper().encode(),
    "percent signs": _percent,
    "percent signs, twice": lambda data: quote(_percent(data)).encode(),
    "gzip": gzip.compress,
    "gzip in base64": lambda data: _base64(gzip.compress(data)),
    "zlib in hexadecimal in an address": lambda data: b"http://x/?q=%b" % zlib.compress(data).hex().encode(),
    "JSON's escapes": lambda data: b"".join(b"\\u%04x" % byte for byte in data),
    "XML's entities": lambda data: b"".join(b"&#x%x;" % byte for byte in data),
    "XML's entities, decimal": lambda data: b"".join(b"&#%d;" % byte for byte in data),
    "two bytes to a letter": lambda data: data.decode().encode("utf-16-le"),
    "MessagePack in a beacon": lambda data: b"/beacon/start?b=" + _unpadded(
        msgspec.msgpack.encode(["s", data.decode(), 7])
    ),
    "gzip in base64 in JSON in percent signs": lambda data: _percent(
        json.dumps({"e": _base64(gzip.compress(data)).decode()}).encode()
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("length", range(3))
def test_what_is_encoded_is_found(form: str, length: int) -> None:
    """In every form, wherever in a text it stands, with as much before it inside the encoding."""
    planter = Planter(23)
    for mark in (planter.mark(), "203.0.113.177"):
        planter.marks.add(mark)
        hidden = FORMS[form](b"u=" + b"." * length + mark.encode() + b";")
        assert found_in(b'{"adm":"' + hidden + b'"} and more', planter.marks) == {mark}, mark
        other = FORMS[form](b"u=" + b"." * length + mark[::-1].encode() + b";")
        assert not found_in(b'{"adm":"' + other + b'"} and more', planter.marks)


# ---- requests through a service at work ------------------------------------------------------------------


class Seen:
    """Everything that left a service that was asked for breaks: by where it went."""

    def __init__(
        self, folder: Path, planter: Planter, count: int, spoil: Callable[[Any], None] | None = None
    ):
        self.asked: list[Any] = []
        self.hidden: dict[str, set[str]] = {}
        self._marks, self._decoded = planter.marks, dict[str, set[bytes]]()
        self.sizes: dict[str, int] = {}
        with at_work(folder) as service:
            self._watch(service)
            if spoil is not None:
                spoil(service)
            asyncio.run(self._ask(service, planter, count))
            for trace in service._traces.values():
                self._look("traces", trace)
            self._look("health", service.health().body)
            self.faults = service.counts.faults
        features = [name for one in self.asked for name in (*contextual(one), *personal(one.viewer))]
        self._look("what a model is asked", "\n".join(features).encode())
        for one in self.asked:
            self._look("breaks", msgspec.json.encode(msgspec.to_builtins(one, str_keys=True)))
        for part in ("state", "log"):
            for file in (folder / part).rglob("*"):
                if file.is_file():
                    self._look(part, file.read_bytes())
        log = folder / "log"
        names = [name for path in segments_of(log) for frame in frames(path) for name in _features(frame)]
        self._look("what a model learns from", "\n".join(names).encode())

    def _watch(self, service: Any) -> None:
        decide = service.decider.decide

        def watched(one: Any, beside: Any = ()) -> Any:
            self.asked.append(one)
            return decide(one, beside)

        async def fetch(target: Any, _: float) -> Any:
            self._look("partners", repr(target).encode() + fetching._request(target))
            raise OSError("nobody is there")

        service.decider.decide = watched
        service.partners = Partners(fetch=fetch, resolve=_somewhere, permitted=lambda _: True)

    async def _ask(self, service: Any, planter: Planter, count: int) -> None:
        for number in range(count):
            body = json.dumps(planter.request()).encode()
            answer = await service.openrtb(body, Deadline.none(), trace=number % 10 == 0)
            assert answer.status == 200, answer.body
            self._look("answers", answer.body)
            if number % 20 == 0:
                await _call_beacons(service, answer.body)
                player = await service.player(_query(planter), Deadline.none())
                self._look("answers", player.body + repr(player.headers).encode())

    def _look(self, where: str, text: bytes) -> None:
        self.sizes[where] = self.sizes.get(where, 0) + len(text)
        found = found_in(text, self._marks, self._decoded.setdefault(where, set()))
        self.hidden.setdefault(where, set()).update(found)


async def _somewhere(host: str, port: int) -> Sequence[str]:
    return ("198.51.100.7",)


def _features(frame: bytes) -> Sequence[str]:
    record = read_record(frame)
    return names_of(record) if isinstance(record, Exposure) else ()


def _query(planter: Planter) -> bytes:
    """A player's, with marks in what it may say of a person."""
    given = {"duration": 30, "uid": planter.mark(), "ifa": planter.mark(), "country": "FR", "gdpr": 1}
    return urlencode({**given, "genre": "Drama", "unknown": planter.mark(), planter.mark(): 1}).encode()


def test_with_consent_denied_no_identifier_is_anywhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    planter = Planter(20)
    seen = Seen(tmp_path, planter, REQUESTS)
    assert seen.faults == 0
    assert len(seen.asked) == REQUESTS + REQUESTS // 20
    assert {where: found for where, found in seen.hidden.items() if found} == {}
    assert not found_in(caplog.text.encode(), planter.marks)
    assert min(seen.sizes[name] for name in ("answers", "traces", "state", "log", "breaks")) > 1_000
    for one in seen.asked:
        assert not one.viewer.identifier
        assert not one.viewer.segments
        assert "48.123456" not in repr(one)


def _spoil_beacons(service: Any) -> None:
    """An identifier in every beacon, as MessagePack in base64."""
    pack = service.signer.packed
    service.signer.packed = lambda beacon: pack(msgspec.structs.replace(beacon, viewer=service.spoiled))


def _spoil_breaks(service: Any) -> None:
    decide = service.decider.decide

    def spoiled(one: Any, beside: Any = ()) -> Any:
        viewer = msgspec.structs.replace(
            one.viewer, country=base64.b64encode(service.spoiled.encode()).decode()
        )
        return decide(msgspec.structs.replace(one, viewer=viewer), beside)

    service.decider.decide = spoiled


def _spoil_traces(service: Any) -> None:
    decide = service.decider.decide

    def spoiled(one: Any, beside: Any = ()) -> Any:
        decision = decide(one, beside)
        if decision.trace is None:
            return decision
        notes = (gzip.compress(service.spoiled.encode()).hex(),)
        return msgspec.structs.replace(decision, trace=msgspec.structs.replace(decision.trace, notes=notes))

    service.decider.decide = spoiled


def _spoil_events(service: Any) -> None:
    record = service.state.record
    service.state.record = lambda events: record(
        [msgspec.structs.replace(one, viewer=_percent(service.spoiled.encode()).decode()) for one in events]
    )


SPOILED: dict[str, tuple[Callable[[Any], None], set[str]]] = {
    "beacons": (_spoil_beacons, {"answers"}),
    "breaks": (_spoil_breaks, {"breaks", "log", "what a model is asked", "what a model learns from"}),
    "traces": (_spoil_traces, {"traces"}),
    "events": (_spoil_events, {"state"}),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_leak_anywhere_would_be_seen(tmp_path: Path, name: str) -> None:
    planter = Planter(24)
    mark = planter.mark()
    spoil, places = SPOILED[name]

    def spoiled(service: Any) -> None:
        service.spoiled = mark
        spoil(service)

    seen = Seen(tmp_path, planter, 25, spoiled)
    assert seen.faults == 0
    assert places <= {where for where, found in seen.hidden.items() if mark in found}


def test_a_leak_to_a_partner_would_be_seen(tmp_path: Path) -> None:
    """Where everything is allowed partners are asked. Of the viewer they are told nothing; and a mark in what
    they are asked would be found."""
    planter = Planter(25)
    told = {
        "id": "request",
        "imp": [
            {"id": "1", "video": {"mimes": ["video/mp4"], "poddur": 120, "maxseq": 8, "protocols": [2, 3]}}
        ],
        "app": {"content": {"id": "the-garden"}},
        "regs": {"us_privacy": "1YNN"},
        "user": planter.user(),
        "device": {"ifa": planter.mark(), "geo": {"country": "USA"}},
    }

    def asked(folder: Path, address: str) -> set[str]:
        campaigns = json.loads(campaigns_file().read_text())
        for campaign in campaigns["campaigns"]:
            for item in campaign["line_items"]:
                for creative in item["creatives"]:
                    if creative.get("wrapper"):
                        creative["wrapper"] = address
        folder.mkdir()
        (folder / "campaigns.json").write_text(json.dumps(campaigns))
        seen = Seen.__new__(Seen)
        seen.asked, seen.hidden, seen.sizes = [], {}, {}
        seen._marks, seen._decoded = planter.marks, {}
        with at_work(folder, campaigns=folder / "campaigns.json") as service:
            seen._watch(service)
            asyncio.run(service.openrtb(json.dumps(told).encode(), Deadline.none()))
        assert seen.sizes.get("partners"), "no partner was asked"
        return seen.hidden["partners"]

    assert asked(tmp_path / "kept", "https://partner.example/vast?cb=[CACHEBUSTING]") == set()
    mark = planter.mark()
    leaking = f"https://partner.example/vast?u={_unpadded(gzip.compress(mark.encode())).decode()}"
    assert asked(tmp_path / "leaked", leaking) == {mark}


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
        assert not found_in(after, planter.marks)


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
