"""What players send in a query: each parameter read, counted as absent, or refused with the reason told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ads_at_work import at_work
from falsework.ads.opportunity import Placement
from falsework.ads.server.app import application
from falsework.ads.server.queries import KNOWN, notes_of, parameters, request_of
from falsework.ads.vast.partner import read
from falsework.errors import FalseworkError


def asked(query: str, placement: Placement = Placement.INSTREAM) -> Any:
    return request_of(parameters(query.encode()), placement)


REFUSED = [
    "duration=banana", "duration=-5", "duration=0.5", "duration=nan", "duration=1e999", "poddur=9999",
    "maxseq=0", "maxseq=x", "minduration=x", "maxduration=-3", "minduration=30&maxduration=10",
    "rqddurs=15;30", "rqddurs=0", "rqddurs=-15", "rqddurs=15&minduration=5", "plcmt=banana", "plcmt=77",
    "coppa=yes", "gdpr=2", "lmt=x", "dnt=-3", "gpp_sid=x", "bidfloor=x", "bidfloor=-3", "bidfloor=inf",
    "bidfloorcur=EURO", "mimes=banana", "badv=banana", "badv=https://a.example", "battr=x", "protocols=x",
    "api=x", "cattax=x", "cattax=0", "secure=yes", "w=x", "h=-7", "minbitrate=x",
    "minbitrate=9&maxbitrate=3",
]  # fmt: skip
NOTED = [
    "country=banana", "country=XX", "region=banana-and-more", "language=1", "devicetype=x",
    "devicetype=99", "at=banana", "at=nan", "at=-3", "at=1e9",
]  # fmt: skip
ABSENT = ["[CACHEBUSTING]", "${GDPR}", "{{country}}", "{COUNTRY}", "%%WIDTH%%", "-1", "-2", ""]


@pytest.mark.parametrize("query", REFUSED)
def test_what_limits_what_may_be_shown_is_refused_by_name(query: str) -> None:
    with pytest.raises(FalseworkError) as refused:
        asked(query)
    assert refused.value.where in query
    assert refused.value.what


@pytest.mark.parametrize("query", NOTED)
def test_what_could_only_open_more_counts_as_absent_and_is_noted(query: str) -> None:
    told = parameters(query.encode())
    (note,) = notes_of(told)
    assert note.startswith(query.partition("=")[0] + ": ")
    plain, without = asked(query), asked("")
    if "country" in query:  # for which consent is on the safe side
        without.regs.gdpr = 1
    assert msgspec.structs.replace(plain, id="") == msgspec.structs.replace(without, id="")


def test_names_nobody_knows_are_noted_and_not_repeated() -> None:
    """A name may be somebody's, and notes are logged."""
    (note,) = notes_of(parameters(b"somebody-7=1&contry=FR&another=2&duration=30"))
    assert note == "names that are no parameters of this server: 3 (is country meant?)"


@pytest.mark.parametrize("value", ABSENT)
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_macro_nobody_filled_in_counts_as_absent(name: str, value: str) -> None:
    told = parameters(urlencode({name: value}).encode())
    assert not notes_of(told)
    plain = request_of(told, Placement.INSTREAM)
    assert msgspec.structs.replace(plain, id="") == msgspec.structs.replace(asked(""), id="")


def test_what_is_well_said_is_read() -> None:
    query = (
        "duration=45.9&maxseq=3&rqddurs=15,30&country=FRA&region=BRE&language=fr-FR&devicetype=3&at=600.5"
        "&bcat=IAB7-39,1002&badv=shoes.example&mimes=video/mp4,application/x-mpegURL&protocols=2,3&secure=1"
        "&w=1920&h=1080&maxbitrate=5000&api=7&gdpr=1&lmt=0&kids=yes&bidfloor=1.5&bidfloorcur=eur"
    )
    assert not notes_of(parameters(query.encode()))
    request = asked(query)
    (imp,) = request.imp
    video = imp.video
    assert (video.poddur, video.maxseq, video.rqddurs, video.startdelay) == (45, 3, [15, 30], 600)
    assert (video.protocols, video.api, video.w, video.h, video.maxbitrate) == ([2, 3], [7], 1920, 1080, 5000)
    assert (imp.secure, imp.bidfloor, imp.bidfloorcur) == (1, 1.5, "eur")
    assert (request.bcat, request.cattax, request.badv) == (["IAB7-39", "1002"], None, ["shoes.example"])
    assert request.ext == {"kids": True}
    assert (request.device.lmt, request.regs.gdpr) == (0, 1)


def get(service: Any, address: str) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    path, _, query = address.partition("?")
    scope = {"type": "http", "path": path, "method": "GET", "query_string": query.encode(), "headers": []}
    asyncio.run(application(service)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def test_a_player_gets_an_advertisement_and_the_reason(tmp_path: Path) -> None:
    of_films = ("maxseq", "minduration", "maxduration", "rqddurs", "minbitrate")  # a still has none of them
    with at_work(tmp_path) as service:
        for path, query in ((path, query) for path in ("/vast", "/pause") for query in (*REFUSED, *NOTED)):
            if path == "/pause" and query.startswith(of_films):
                continue
            status, headers, body = get(service, f"{path}?{query}&trace=1")
            (trace,) = service._traces.values()
            service._traces.clear()
            assert status == 200
            assert len(read(body).ads) >= 1
            refused = headers.get(b"x-falsework-refused", b"").decode()
            assert (refused in query and bool(refused)) == (query in REFUSED)
            notes = msgspec.json.decode(trace)["notes"]
            assert headers[b"x-falsework-notes"].decode().split("; ")[0] in "; ".join(notes)
            if query in REFUSED:
                assert any("only the house's own is shown" in note for note in notes)


def test_nothing_of_a_value_or_a_strange_name_is_in_a_header(tmp_path: Path) -> None:
    query = urlencode({"du\r\nSet-Cookie: a": "x", "duration": "somebody@mail.example"})
    with at_work(tmp_path) as service:
        _, headers, _ = get(service, f"/vast?{query}")
    for value in headers.values():
        assert b"\n" not in value
        assert b"somebody" not in value


def test_who_is_in_a_country_that_cannot_be_read_may_be_where_the_gdpr_holds() -> None:
    for said, expected in (
        ({"country": "Frankreich"}, 1),
        ({"country": "FR"}, None),
        ({}, None),
        ({"country": "Frankreich", "gdpr": "0"}, 0),
    ):
        regs = request_of(said, Placement.INSTREAM).regs
        assert regs is not None
        assert regs.gdpr == expected


@pytest.mark.parametrize("name", ["duration", "w", "cattax", "plcmt", "maxbitrate"])
def test_no_refusal_holds_the_value(name: str) -> None:
    for value in ("33612345678", "somebody"):
        with pytest.raises(FalseworkError) as refused:
            request_of({name: value}, Placement.INSTREAM)
        assert value not in str(refused.value)
        assert "3.36" not in str(refused.value)


NAMES = st.sampled_from(sorted(KNOWN)) | st.text(max_size=8)


@given(st.dictionaries(NAMES, st.text(max_size=12), max_size=5))
def test_any_query_is_read_or_refused_by_name(told: dict[str, str]) -> None:
    with suppress(FalseworkError):
        found = parameters(urlencode(told, errors="replace").encode())
        notes_of(found)
        request_of(found, Placement.INSTREAM)
