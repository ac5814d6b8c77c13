"""Partners' VAST: read, unwrapped, and refused where it is a weapon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.ads.vast.addresses import Target, is_public, target
from falsework.ads.vast.markup import LARGEST
from falsework.ads.vast.partner import Answer, PartnerAd, read
from falsework.ads.vast.validation import check
from falsework.ads.vast.wrapper import Fetched, unwrap
from falsework.errors import FalseworkError

VAST_2 = b"""<?xml version="1.0"?>
<VAST version="2.0"><Ad id="a1"><InLine>
  <AdSystem version="1">Theirs</AdSystem><AdTitle><![CDATA[ Boots & more ]]></AdTitle>
  <Error><![CDATA[https://count.example/e?c=[ERRORCODE]]]></Error>
  <Impression><![CDATA[ https://count.example/i ]]></Impression><Impression>javascript:alert(1)</Impression>
  <Creatives><Creative AdID="boots-15"><Linear><Duration>00:00:15.500</Duration>
    <TrackingEvents><Tracking event="start">https://count.example/s</Tracking></TrackingEvents>
    <VideoClicks><ClickThrough>https://boots.example/</ClickThrough>
      <ClickTracking>https://count.example/c</ClickTracking></VideoClicks>
    <MediaFiles>
      <MediaFile delivery="progressive" type="video/mp4" width="640" height="360" bitrate="900">
        <![CDATA[https://cdn.example/boots.mp4]]></MediaFile>
      <MediaFile delivery="progressive" type="application/javascript" apiFramework="VPAID" width="1"
        height="1">https://cdn.example/vpaid.js</MediaFile>
    </MediaFiles></Linear></Creative></Creatives>
</InLine></Ad></VAST>"""
VAST_4 = b"""<VAST xmlns="http://www.iab.com/VAST" version="4.2"><Ad id="p" sequence="2"><InLine>
  <AdSystem>Theirs</AdSystem><Impression>https://count.example/i4</Impression>
  <AdServingId>x</AdServingId><AdTitle>Rest</AdTitle>
  <Advertiser>Beds Ltd</Advertiser><Category authority="https://iab.example">1001</Category>
  <Creatives><Creative id="n1"><NonLinearAds>
     <NonLinear width="1280" height="720"><StaticResource creativeType="image/png">https://cdn.example/bed.png
     </StaticResource><NonLinearClickThrough>https://beds.example/</NonLinearClickThrough></NonLinear>
  </NonLinearAds><UniversalAdId idRegistry="ad-id.org">BEDS1234</UniversalAdId></Creative></Creatives>
</InLine></Ad></VAST>"""


def wrapper(url: str, *, name: str = "w", attributes: str = "") -> bytes:
    return (
        f'<VAST version="3.0"><Ad id="{name}"><Wrapper {attributes}><AdSystem>x</AdSystem>'
        f"<Error>https://{name}.example/error</Error>"
        f"<Impression>https://{name}.example/impression</Impression>"
        '<Creatives><Creative><Linear><TrackingEvents><Tracking event="complete">'
        f"https://{name}.example/complete</Tracking></TrackingEvents></Linear></Creative></Creatives>"
        f"<VASTAdTagURI><![CDATA[{url}]]></VASTAdTagURI></Wrapper></Ad></VAST>"
    ).encode()


class Web:
    """Documents by address, and names by what they resolve to (93.184.215.14 where nothing is said)."""

    def __init__(
        self,
        pages: dict[str, Fetched | Callable[[], Coroutine[Any, Any, Fetched]]],
        names: dict[str, Sequence[str]] | None = None,
    ) -> None:
        self.pages, self.names = pages, names or {}
        self.asked: list[Target] = []
        self.resolved: list[str] = []

    async def fetch(self, found: Target, seconds: float) -> Fetched:
        assert seconds > 0
        self.asked.append(found)
        page = self.pages.get(found.url, Fetched(status=404))
        return page if isinstance(page, Fetched) else await page()

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.resolved.append(host)
        if host in self.names:
            return self.names[host]
        return [host] if host.replace(".", "").isdecimal() or ":" in host else ["93.184.215.14"]

    def unwrap(self, answer: Answer, *, seconds: float = 5.0) -> tuple[PartnerAd, ...]:
        return asyncio.run(
            unwrap(answer, fetch=self.fetch, deadline=time.monotonic() + seconds, resolve=self.resolve)
        )


def page(body: bytes) -> Fetched:
    return Fetched(status=200, body=body)


def test_vast_2_is_read() -> None:
    answer = read(VAST_2)
    (ad,) = answer.ads
    assert (answer.version, ad.id, ad.title, ad.wrapper) == ("2.0", "a1", "Boots & more", "")
    (creative,) = ad.creatives
    assert creative.id == "boots-15"
    assert creative.duration == 15.5
    assert creative.media == (("https://cdn.example/boots.mp4", "video/mp4", 640, 360, 900),)
    assert creative.click_through == "https://boots.example/"
    assert ad.impressions == creative.impressions == ("https://count.example/i",)
    assert ad.errors == ("https://count.example/e?c=%5BERRORCODE%5D",)
    assert ad.trackers == (("start", "https://count.example/s"),)
    assert ad.clicks == ("https://count.example/c",)


def test_vast_4_and_its_stills_are_read() -> None:
    (ad,) = read(VAST_4).ads
    assert (ad.sequence, ad.advertiser, ad.categories) == (2, "Beds Ltd", ("1001",))
    assert ad.creatives[0].media == (("https://cdn.example/bed.png", "image/png", 1280, 720, 0),)
    assert ad.creatives[0].universal_ad_id == ("ad-id.org", "BEDS1234")


def test_an_empty_answer_keeps_its_error_address() -> None:
    answer = read(b'<VAST version="3.0"><Error>https://count.example/none</Error></VAST>')
    assert answer.ads == ()
    assert answer.errors == ("https://count.example/none",)


BOMB = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">'.encode() for level in range(10)
)
HOSTILE = {
    "billion laughs": BOMB + b']><VAST version="2.0"><Ad id="&k;"/></VAST>',
    "quadratic": b'<!DOCTYPE v [<!ENTITY a "'
    + b"a" * 50_000
    + b'">]><VAST version="2.0">'
    + b"&a;" * 50_000
    + b"</VAST>",
    "external entity": b'<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]><VAST version="2">&x;</VAST>',
    "external document type": b'<!DOCTYPE VAST SYSTEM "http://169.254.169.254/"><VAST version="2.0"/>',
    "parameter entity": b'<!DOCTYPE v [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]><VAST version="2.0"/>',
    "deep": b'<VAST version="2.0">' + b"<a>" * 100_000,
    "deep and closed": b'<VAST version="2.0">' + b"<a>" * 50_000 + b"</a>" * 50_000 + b"</VAST>",
    "ten megabytes": b'<VAST version="2.0">' + b" " * 10_000_000 + b"</VAST>",
    "many elements": b'<VAST version="2.0">' + b"<a/>" * 100_000 + b"</VAST>",
    "many attributes": b'<VAST version="2.0" ' + b" ".join(b"a%d='1'" % one for one in range(20_000)) + b"/>",
    "invalid UTF-8": b'<VAST version="2.0"><Ad id="\xff\xfe"/></VAST>',
    "overlong UTF-8": b'<VAST version="2.0">\xc0\xbc</VAST>',
    "a surrogate": b'<VAST version="2.0">\xed\xa0\x80</VAST>',
    "UTF-16": '<?xml version="1.0" encoding="UTF-16"?><VAST version="2.0"/>'.encode("utf-16"),
    "another encoding": b'<?xml version="1.0" encoding="ISO-8859-1"?><VAST version="2.0">\xe9</VAST>',
    "a zero byte": b'<VAST version="2.0">\0</VAST>',
    "cut short": VAST_2[:300],
    "two roots": b'<VAST version="2.0"/><VAST version="2.0"/>',
    "empty": b"",
    "JSON": b'{"id": 1}',
    "another language": b"<html><body>Not found</body></html>",
    "version 1": b'<VAST version="1.0"/>',
    "no version": b"<VAST/>",
    "an entity of nobody": b'<VAST version="2.0">&nbsp;</VAST>',
    "a wrapper to a file": wrapper("file:///etc/passwd"),
    "too many": b'<VAST version="2.0">' + b"<Ad><InLine/></Ad>" * 40 + b"</VAST>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused_at_once(name: str) -> None:
    began = time.process_time()
    with pytest.raises(FalseworkError) as refused:
        read(HOSTILE[name], where="partner.example")
    assert time.process_time() - began < 0.5  # milliseconds by themselves; the machine may be busy
    assert refused.value.where == "partner.example"
    assert refused.value.todo
    assert len(refused.value.sentence()) < 400


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    for body in (noise, b'<VAST version="2.0">' + noise + b"</VAST>", VAST_2[:700] + noise + VAST_2[700:]):
        try:
            answer = read(body)
        except FalseworkError:
            continue
        assert all(url.startswith("http") for ad in answer.ads for url in (*ad.impressions, *ad.errors))


def test_the_largest_document_is_read() -> None:
    assert read(b'<VAST version="2.0">' + b" " * (LARGEST - 27) + b"</VAST>").ads == ()


def test_a_chain_gathers_every_wrapper_s_trackers() -> None:
    web = Web(
        {
            "https://two.example/": page(wrapper("https://three.example/", name="two")),
            "https://three.example/": page(VAST_2),
        }
    )
    (ad,) = web.unwrap(read(wrapper("https://two.example/", name="one")))
    assert ad.creatives[0].media[0][0] == "https://cdn.example/boots.mp4"
    assert ad.impressions == (
        "https://one.example/impression",
        "https://two.example/impression",
        "https://count.example/i",
    )
    assert ad.creatives[0].impressions == ad.impressions
    assert [event for event, _ in ad.trackers] == ["complete", "complete", "start"]
    assert ad.errors[:2] == ("https://one.example/error", "https://two.example/error")
    assert {one.address for one in web.asked} == {"93.184.215.14"}


def test_a_chain_may_have_five_wrappers_and_no_more() -> None:
    def chain(length: int) -> Web:
        pages = {
            f"https://w{one}.example/": page(wrapper(f"https://w{one + 1}.example/"))
            for one in range(1, length)
        }
        return Web({**pages, f"https://w{length}.example/": page(VAST_2)})

    first = read(wrapper("https://w1.example/"))
    assert len(chain(5).unwrap(first)) == 1
    with pytest.raises(FalseworkError, match="more than 5 wrappers"):
        chain(6).unwrap(first)


def test_a_circle_ends() -> None:
    web = Web({"https://w.example/": page(wrapper("https://w.example/"))})
    with pytest.raises(FalseworkError, match="more than 5 wrappers"):
        web.unwrap(read(wrapper("https://w.example/")))
    assert len(web.asked) == 5


def test_a_tree_of_wrappers_ends() -> None:
    bush = wrapper("https://w.example/", attributes='allowMultipleAds="true"')
    inner = bush.removeprefix(b'<VAST version="3.0">').removesuffix(b"</VAST>")
    body = b'<VAST version="3.0">' + inner * 8 + b"</VAST>"
    web = Web({"https://w.example/": page(body)})
    with pytest.raises(FalseworkError):
        web.unwrap(read(body))
    assert len(web.asked) <= 16


def test_a_wrapper_may_forbid_another_one() -> None:
    web = Web(
        {
            "https://two.example/": page(wrapper("https://three.example/")),
            "https://three.example/": page(VAST_2),
        }
    )
    with pytest.raises(FalseworkError, match="forbids"):
        web.unwrap(read(wrapper("https://two.example/", attributes='followAdditionalWrappers="false"')))


def test_one_fault_costs_no_other_advertisement() -> None:
    bad = wrapper("https://gone.example/").removesuffix(b"</VAST>")
    good = VAST_2[VAST_2.index(b"<Ad ") :]
    assert [ad.id for ad in Web({}).unwrap(read(bad + good))] == ["a1"]


def test_redirects_are_followed_and_looked_at_each() -> None:
    web = Web(
        {
            "https://a.example/x": Fetched(status=302, location="/y"),
            "https://a.example/y": Fetched(status=307, location="https://b.example/"),
            "https://b.example/": page(VAST_2),
        }
    )
    assert len(web.unwrap(read(wrapper("https://a.example/x")))) == 1
    assert web.resolved == ["a.example", "a.example", "b.example"]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://inside.example/",
        "file:///etc/passwd",
        "gopher://a.example/",
        "https://a.example/",
        "http://[",
    ],
)
def test_a_redirect_inwards_or_in_a_circle_is_refused(location: str) -> None:
    web = Web(
        {"https://a.example/": Fetched(status=302, location=location)},
        {"inside.example": ["93.184.215.14", "10.0.0.7"]},
    )
    with pytest.raises(FalseworkError):
        web.unwrap(read(wrapper("https://a.example/")))
    assert {one.host for one in web.asked} == {"a.example"}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "0.0.0.0",
        "192.0.0.192",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:db8::1",
        "fec0::1",
        "nonsense",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url", ["http://localhost/", "http://2130706433/", "http://0x7f.1/", "http://127.1:8080/"]
)
def test_this_machine_is_not_asked_by_any_of_its_names(url: str) -> None:
    """By the system's own resolver, which knows them without a network."""
    with pytest.raises(FalseworkError):
        asyncio.run(target(url))


def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    answers = [["93.184.215.14"], ["127.0.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    found = asyncio.run(target("https://rebind.example:8443/x", resolve=rebinding))
    assert (found.address, found.port, found.host) == ("93.184.215.14", 8443, "rebind.example")
    assert len(answers) == 1


def test_slow_partners_end_with_the_deadline() -> None:
    left: list[str] = []

    async def never() -> Fetched:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            left.append("alone")
            raise
        return page(VAST_2)

    slow = Web({"https://slow.example/": never})
    with pytest.raises(FalseworkError, match="in time"):
        slow.unwrap(read(wrapper("https://slow.example/")), seconds=0.05)
    assert left == ["alone"]
    with pytest.raises(FalseworkError, match="time was up"):
        slow.unwrap(read(wrapper("https://slow.example/")), seconds=-1)


@pytest.mark.parametrize(
    "answer",
    [
        Fetched(status=500),
        Fetched(status=302),
        page(b""),
        page(HOSTILE["billion laughs"]),
        page(HOSTILE["ten megabytes"]),
    ],
)
def test_what_partners_answer_wrongly_is_refused(answer: Fetched) -> None:
    with pytest.raises(FalseworkError):
        Web({"https://a.example/": answer}).unwrap(read(wrapper("https://a.example/")))


# ---- what a document has to have ------------------------------------------------------------------------


def test_whole_documents_are_valid() -> None:
    for body in (VAST_2, VAST_4, wrapper("https://w.example/"), b'<VAST version="4.2"/>'):
        check(body)


LINEAR = "VAST.Ad[0].InLine.Creatives.Creative[0].Linear"


@pytest.mark.parametrize(
    ("body", "given_one", "instead", "place"),
    [
        (VAST_2, b'version="2.0"', b"", "VAST.version"),
        (VAST_2, b'version="2.0"', b'version="9"', "VAST.version"),
        (VAST_2, b"InLine", b"Inline", "VAST.Ad[0]"),
        (VAST_2, b"AdTitle", b"Title", "VAST.Ad[0].InLine.AdTitle"),
        (VAST_2, b"Impression", b"Imp", "VAST.Ad[0].InLine.Impression"),
        (VAST_2, b"00:00:15.500", b"15.5", f"{LINEAR}.Duration"),
        (VAST_2, b'type="video/mp4"', b"", f"{LINEAR}.MediaFiles.MediaFile[0].type"),
        (VAST_2, b'width="640"', b'width="wide"', f"{LINEAR}.MediaFiles.MediaFile[0].width"),
        (VAST_2, b"https://cdn.example/boots.mp4", b"boots.mp4", f"{LINEAR}.MediaFiles.MediaFile[0]"),
        (VAST_2, b'event="start"', b"", f"{LINEAR}.TrackingEvents.Tracking[0].event"),
        (VAST_2, b'event="start"', b'event="progress"', f"{LINEAR}.TrackingEvents.Tracking[0].offset"),
        (VAST_4, b"AdServingId", b"ServingId", "VAST.Ad[0].InLine.AdServingId"),
        (VAST_4, b"UniversalAdId", b"AdId", "VAST.Ad[0].InLine.Creatives.Creative[0].UniversalAdId"),
        (VAST_4, b'authority="https://iab.example"', b"", "VAST.Ad[0].InLine.Category.authority"),
        (wrapper("x:"), b"", b"", "VAST.Ad[0].Wrapper.VASTAdTagURI"),
        (wrapper("https://w.example/"), b"AdSystem", b"System", "VAST.Ad[0].Wrapper.AdSystem"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_by_its_place(
    body: bytes, given_one: bytes, instead: bytes, place: str
) -> None:
    with pytest.raises(FalseworkError) as refused:
        check(body.replace(given_one, instead))
    assert refused.value.where == place
