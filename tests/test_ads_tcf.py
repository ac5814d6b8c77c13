"""TC strings: bit for bit there and back, and what follows from them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from falsework.ads.consent.segments import IdRange, Ids
from falsework.ads.consent.tcf import PublisherPurposes, Restriction, TcString, decode, encode
from falsework.errors import FalseworkError

# Strings of public examples: a core alone, with disclosed vendors, and with a publisher's purposes.
PUBLISHED = {
    "core": "COtybn4PA_zT4KjACBENAPCIAEBAAECAAIAAAAAAAAAA",
    "disclosed vendors": (
        "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAA"
        "AAAGBAAgAAAAAAAFAAECAAAgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw"
    ),
    "publisher purposes": (
        "COrEAV4OrXx94ACABBENAHCIAD-AAAAAAACAAxAAAAgAIAwgAgAAAAEAgQAAAAAEAYQAQAAAACAAAABAAA.IAAA.YAAAAAAAAAAAAAAAAA"
    ),
}
NOW = datetime(2026, 11, 1, tzinfo=UTC)
CREATED = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp()) * 10

numbers = st.frozensets(st.integers(1, 24))
letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)


@st.composite
def ranges(draw: st.DrawFn, highest: int = 700) -> tuple[IdRange, ...]:
    found = []
    for first in sorted(draw(st.frozensets(st.integers(1, highest), max_size=5))):
        alone = draw(st.booleans())
        last = first if alone else draw(st.integers(first, highest))
        found.append(IdRange(first=first, last=last, alone=alone))
    return tuple(found)


@st.composite
def id_lists(draw: st.DrawFn) -> Ids:
    if draw(st.booleans()):
        written = draw(ranges())
        covered = frozenset(one for each in written for one in range(each.first, each.last + 1))
        return Ids(highest=700, ids=covered, ranges=written)
    return Ids(highest=90, ids=draw(st.frozensets(st.integers(1, 90))))


@st.composite
def consents(draw: st.DrawFn) -> TcString:
    order = tuple(draw(st.permutations([1, 2, 3]))[: draw(st.integers(0, 3))])
    custom = draw(st.integers(0, 6))
    some = st.frozensets(st.integers(1, custom)) if custom else st.just(frozenset())
    publisher = st.builds(
        PublisherPurposes,
        consents=numbers,
        legitimate_interests=numbers,
        custom=st.just(custom),
        custom_consents=some,
        custom_legitimate_interests=some,
    )
    restriction = st.builds(Restriction, purpose=st.integers(1, 24), kind=st.integers(0, 2), ranges=ranges())
    return TcString(
        created=draw(st.integers(0, 2**36 - 1)),
        last_updated=draw(st.integers(0, 2**36 - 1)),
        cmp_id=draw(st.integers(0, 4095)),
        consent_language=draw(letters),
        publisher_country=draw(letters),
        is_service_specific=draw(st.booleans()),
        special_feature_opt_ins=draw(st.frozensets(st.integers(1, 12))),
        purposes_consent=draw(numbers),
        purposes_legitimate_interest=draw(numbers),
        purpose_one_treatment=draw(st.booleans()),
        vendor_consents=draw(id_lists()),
        vendor_legitimate_interests=draw(id_lists()),
        restrictions=tuple(draw(st.lists(restriction, max_size=3))),
        disclosed_vendors=draw(id_lists()) if 1 in order else None,
        allowed_vendors=draw(id_lists()) if 2 in order else None,
        publisher=draw(publisher) if 3 in order else None,
        order=order,
    )


@pytest.mark.parametrize("text", PUBLISHED.values(), ids=PUBLISHED)
def test_a_published_string_is_written_as_it_was(text: str) -> None:
    assert encode(decode(text)) == text


def test_what_a_published_string_says() -> None:
    consent = decode(PUBLISHED["core"])
    assert consent.created_at == datetime(2020, 1, 26, 17, 1, tzinfo=UTC)
    assert (consent.cmp_id, consent.consent_language, consent.vendor_consents.highest) == (675, "EN", 0)
    disclosed = decode(PUBLISHED["disclosed vendors"])
    assert sorted(disclosed.vendor_consents.ids) == [2, 6, 8]
    assert sorted(disclosed.vendor_legitimate_interests.ids) == [2, 6, 8]


@settings(max_examples=200, deadline=None)
@given(consents())
def test_what_is_written_reads_the_same(consent: TcString) -> None:
    text = encode(consent)
    read = decode(text)
    assert replace(read, lengths=None) == consent
    assert encode(read) == text


@settings(max_examples=500, deadline=None)
@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    for head in ("", "COtybn4PA_zT4KjACBENAPCI"):
        try:
            found = decode(head + text)
        except FalseworkError:
            continue
        assert encode(found) == head + text


@pytest.mark.parametrize("text", ["", ".", "é", "COtybn4", "B" + PUBLISHED["core"][1:], "A" * 70_000])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(FalseworkError):
        decode(text)


def agreed(**changes: object) -> TcString:
    vendors = Ids(highest=9, ids=frozenset({7}))
    consent = TcString(
        created=CREATED,
        last_updated=CREATED,
        cmp_id=1,
        purposes_consent=frozenset({1, 2}),
        purposes_legitimate_interest=frozenset({2, 7}),
        vendor_consents=vendors,
        vendor_legitimate_interests=vendors,
        disclosed_vendors=vendors,
        order=(1,),
    )
    return replace(consent, **changes)


def test_a_legal_basis_needs_purpose_vendor_and_disclosure() -> None:
    assert agreed().may(7, 1)
    assert not agreed().may(7, 3)
    assert not agreed().may(8, 1)
    assert not agreed(disclosed_vendors=Ids(highest=9, ids=frozenset({8}))).may(7, 1)
    assert agreed().may(7, 7, by_interest=True)
    assert not agreed().may(7, 7)


def test_some_purposes_know_no_legitimate_interest() -> None:
    everything = frozenset(range(1, 12))
    open_to_all = agreed(purposes_legitimate_interest=everything, purposes_consent=frozenset())
    allowed = {purpose for purpose in everything if open_to_all.may(7, purpose, by_interest=True)}
    assert allowed == {2, 7, 8, 9, 10, 11}


@pytest.mark.parametrize(
    ("kind", "purpose", "by_interest", "may"),
    [(0, 2, False, False), (0, 2, True, False), (1, 7, True, False), (1, 2, True, True), (2, 7, False, True)],
)
def test_a_publisher_restricts(kind: int, purpose: int, by_interest: bool, may: bool) -> None:
    here = (IdRange(first=5, last=8, alone=False),)
    restricted = agreed(restrictions=(Restriction(purpose=purpose, kind=kind, ranges=here),))
    assert restricted.may(7, purpose, by_interest=by_interest) is may


def test_a_string_without_disclosed_vendors_counts_no_more() -> None:
    assert agreed().fault(NOW) == ""
    silent = agreed(disclosed_vendors=None, order=())
    assert "TCF 2.3" in silent.fault(NOW)
    assert silent.fault(datetime(2026, 2, 27, tzinfo=UTC).replace(year=2025)) != silent.fault(NOW)
    assert "global scope" in agreed(is_service_specific=False).fault(NOW)
    assert "future" in agreed(created=CREATED + 10 * 86_400 * 90).fault(NOW)


CORE = "COtybn4PA_zT4KjACBENAPCIAEBAAECAAIAAAAAAAAAA"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the core: it is empty"),
        (CORE[:32], "the core: the text ends within purposes legitimate interest, which begins at bit 176"),
        ("CPXx", "the core: the text ends within created, which begins at bit 6 of 24"),
        ("B" + CORE[1:], "the core: it is of version 1, and 2 is read"),
        ("C*" + CORE[2:], 'the core: "*", its character 2, is none of base64url'),
        (CORE[:18] + "__" + CORE[20:], "the core: consent language, at bit 108: "),
        (f"{CORE}.5AAA", "segment 2: type 7 is not known"),
        (f"{CORE}.IAAA.IAAA", "segment 3: disclosed vendors are told twice"),
        (f"{CORE}.IAA", "segment 2: the text ends within disclosed vendors, which begins at bit 3"),
        (f"{CORE}.IAAAD", "segment 2: something stands behind its last field"),
        (f"{CORE}.", "segment 2: it is empty"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(text: str, what: str) -> None:
    with pytest.raises(FalseworkError) as refused:
        decode(text)
    assert what in refused.value.what
