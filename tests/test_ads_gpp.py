"""GPP strings: bit for bit there and back, in every section; and the pieces they are made of."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.ads.bits import BitReader, BitWriter
from falsework.ads.consent import gpp, us_privacy
from falsework.ads.consent.fibonacci import (
    read_fibonacci,
    read_fibonacci_ranges,
    write_fibonacci,
    write_fibonacci_ranges,
)
from falsework.ads.consent.segments import text_of
from falsework.ads.consent.tcf import TcString
from falsework.ads.consent.tcf_canada import TcfCanada
from falsework.ads.consent.us_sections import (
    Layout,
    UsSection,
    layouts,
    read_us_section,
    write_us_section,
)
from falsework.errors import FalseworkError

# The specification's examples, and strings of other decoders' documentation.
PUBLISHED = {
    "Europe": "DBABMA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA",
    "Europe and US Privacy": "DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN",
    "a range in the header": "DBABjw~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN",
    "Canada": "DBABDA~BPXuQIAPXuQIAAfKABENB-CgAAAAAAAAAAAAAAAA",
    "Canada, publisher purposes": "DBABDA~BPXuQIAPXuQIAAfKABENB-CgAAAAAAAAAAAAAAAA.YAAAAAAAAAA",
    "California": "DBABBg~BAAAAACA",
    "Connecticut": "DBABVg~BAAAAAEA",
    "national, all opted out": "DBABLA~BVVVVVVVVWA.YA",
    "national, default": "DBABLA~BAAAAAAAAQA.QA",
    "a header alone": "DBAA",
    "US Privacy": "DBABTA~1YNN",
    "Europe, allowed and disclosed vendors": "DBABMA~CPSG_8APSG_8ANwAAAENAwCAAAAAAAAAAAAAAAAAAAAA.QAAA.IAAA",
    "Canada 1.1": "DBABDA~BPSG_8APSG_8AAyACAENGdCgf_gfgAfgfgBgABABAAABAB4AACACAAA.fHHHA4444ao",
    "Canada, disclosed vendors": "DBABDA~BPSG_8APSG_8AAAAAAENAACAAAAAAAAAAAAAAAAAAA.YAAAAAAAAAA.IAGO5wAA",
    "Canada, restrictions": (
        "DBABDA~BPSG_8APSG_8AAAAAAENAACAAAAAAAAAAAAAAAAACCgBwABAAOAAoADgAJA.YAAAAAAAAAA"
    ),
    "national, as a platform writes it": "DBABLA~BVQqAAAAAAJY.QA",
    "the same, with the browser's signal": "DBABLA~BVQqAAAAAAJY.YA",
    "the same, without its segment": "DBABLA~BVQqAAAAAAJY",
}
# Sections as the IAB's own encoder writes them in its tests.
SECTIONS = {
    "usmd": ("BQAA.Q", "BVVV.Y", "BQAA"),
    "usmn": ("BAAAAAQ.Q", "BVWSSVW.Y", "BAAAAAQ", "BVWSSVWA.YA", "BVWSSVWA"),
    "usnat": ("BAAAAAAAAQA.QA", "BVVVkkkklWA.YA", "BAAAAAAAAQA", "BbbbGxsbFbA"),
    "usri": ("BQAA.AAA", "BVVV.kkk", "BQAA"),
}
two_bits = st.integers(0, 3)


@pytest.mark.parametrize("text", PUBLISHED.values(), ids=PUBLISHED)
def test_a_published_string_is_written_as_it_was(text: str) -> None:
    assert gpp.encode(gpp.decode(text)) == text


@pytest.mark.parametrize(
    "name", sorted(PUBLISHED.keys() - {"a range in the header"})
)  # whose Canada is Europe's
def test_no_section_of_a_published_string_has_a_fault(name: str) -> None:
    assert not [section.fault for section in gpp.decode(PUBLISHED[name]).sections if section.fault]


@pytest.mark.parametrize(("prefix", "text"), [(name, one) for name, all_ in SECTIONS.items() for one in all_])
def test_a_section_of_the_standards_encoder_is_written_as_it_was(prefix: str, text: str) -> None:
    identifier = next(layout.id for layout in layouts().values() if layout.prefix == prefix)
    assert write_us_section(read_us_section(identifier, text)) == text


def test_a_platforms_national_string_has_the_fields_of_version_2() -> None:
    """Under the number 1: with the fields of 1 it would say that the transaction is not covered, and leave
    something over."""
    (section,) = gpp.decode(PUBLISHED["national, as a platform writes it"]).sections
    assert isinstance(section.content, UsSection)
    assert section.content.version == 1
    assert len(section.content.values["SensitiveDataProcessing"]) == 16
    assert section.content.first("MspaCoveredTransaction") == 1
    assert section.content.gpc is False


def test_sensitive_data_without_the_segments_type() -> None:
    read = read_us_section(27, "BVVV.kkk")
    assert read.sensitive == (2, 1, 0, 2, 1, 0, 2, 1)


def test_what_published_strings_say() -> None:
    both = gpp.decode(PUBLISHED["Europe and US Privacy"])
    europe, privacy = (section.content for section in both.sections)
    assert isinstance(europe, TcString)
    assert (europe.cmp_id, europe.consent_language) == (31, "EN")
    assert privacy == us_privacy.UsPrivacy(notice=True, opted_out=False, lspa=False)
    (canada,) = gpp.decode(PUBLISHED["Canada"]).sections
    assert isinstance(canada.content, TcfCanada)
    assert canada.content.created == 16_504_128_000
    assert (canada.content.cmp_version, canada.content.vendor_list_version) == (640, 126)
    (national,) = gpp.decode(PUBLISHED["national, all opted out"]).sections
    assert isinstance(national.content, UsSection)
    assert national.content.gpc is True
    assert national.content.first("SaleOptOut") == 1
    assert national.prefix == "usnat"


@given(st.integers(1, 50_000))
def test_fibonacci_numbers(number: int) -> None:
    writer = BitWriter()
    write_fibonacci(writer, number)
    reader = BitReader(writer.data(), end=writer.length)
    assert read_fibonacci(reader) == number
    assert reader.left == 0


def test_the_specifications_fibonacci_examples() -> None:
    for number, bits in ((2, "011"), (4, "1011"), (5, "00011"), (1, "11")):
        writer = BitWriter()
        write_fibonacci(writer, number)
        assert f"{int.from_bytes(writer.data(), 'big'):08b}"[: writer.length] == bits


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40)), max_size=6))
def test_fibonacci_ranges(steps: list[tuple[int, int]]) -> None:
    ranges, at = [], 0
    for gap, more in steps:
        ranges.append((at + gap, at + gap + more))
        at += gap + more
    writer = BitWriter()
    write_fibonacci_ranges(writer, tuple(ranges))
    assert read_fibonacci_ranges(BitReader(writer.data())) == tuple(ranges)


@pytest.mark.parametrize("layout", layouts().values(), ids=lambda layout: f"{layout.prefix}{layout.version}")
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_section_is_written_and_read_the_same(layout: Layout, data: st.DataObject) -> None:
    def values(count: int) -> tuple[int, ...]:
        return tuple(data.draw(st.lists(two_bits, min_size=count, max_size=count)))

    section = UsSection(
        id=layout.id,
        version=layout.version,
        values={name: values(count) for name, count in layout.fields},
        gpc=data.draw(st.none() | st.booleans()) if layout.has_gpc else None,
        sensitive=values(8) if layout.has_sensitive and data.draw(st.booleans()) else None,
    )
    text = write_us_section(section)
    read = read_us_section(layout.id, text)
    assert msgspec.structs.replace(read, lengths=None) == section
    assert write_us_section(read) == text
    whole = gpp.encode(gpp.GppString(sections=(gpp.Section(id=layout.id, text=text, content=section),)))
    assert gpp.encode(gpp.decode(whole)) == whole


def test_a_section_with_its_header_is_read_as_one_without() -> None:
    """Rhode Island, id 27, version 1, subsections 0 and 1 (the ranges cannot hold a zero, so 1 alone)."""
    writer = BitWriter()
    writer.unsigned(27, 6)
    writer.unsigned(1, 6)
    write_fibonacci_ranges(writer, ((1, 1),))

    core = UsSection(id=27, version=1, values={name: (1,) * count for name, count in layouts()[27, 1].fields})
    headed = f"{text_of(writer)}.{write_us_section(core)}.VVU"
    read = read_us_section(27, headed)
    assert read.values == core.values
    assert read.sensitive == (1,) * 8
    assert write_us_section(read) == headed


def test_a_broken_section_leaves_the_others() -> None:
    found = gpp.decode("DBACNYA~CPXx~1YNN")
    assert found.sections[0].content is None
    assert found.sections[0].fault
    assert found.sections[1].content is not None
    assert gpp.encode(found) == "DBACNYA~CPXx~1YNN"


@settings(max_examples=300, deadline=None)
@given(st.text("ABDMNYabc0129-_.~=", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for head in ("", "DBABLA~", "DBACNYA~"):
        try:
            found = gpp.decode(head + text)
        except FalseworkError:
            continue
        assert gpp.decode(gpp.encode(found)) == found


@pytest.mark.parametrize(
    "text",
    ["", "~", "D", "DBABLA", "DBABLA~~", "CPXxRfAPXxRfAAfKABENB", "DCABLA~B", "é~1YNN", "DB" + "A" * 99_999],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(FalseworkError):
        gpp.decode(text)


@pytest.mark.parametrize("text", ["1YNN", "1---", "1NYY", "1Y-N"])
def test_us_privacy_strings(text: str) -> None:
    assert us_privacy.encode(us_privacy.decode(text)) == text


@pytest.mark.parametrize("text", ["", "1YN", "2YNN", "1YNNN", "1XNN"])
def test_other_us_privacy_strings_are_refused(text: str) -> None:
    with pytest.raises(FalseworkError):
        us_privacy.decode(text)
