"""SCTE 35 cues: bit for bit there and back, and nothing damaged is believed."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.ads.scte35.codec import crc32_mpeg2, decode, decode_text, encode, encode_text
from falsework.ads.scte35.section import (
    AvailDescriptor,
    BreakDuration,
    Component,
    DtmfDescriptor,
    PrivateCommand,
    Restrictions,
    ScheduledSplice,
    SegmentationComponent,
    SegmentationDescriptor,
    SpliceInfoSection,
    SpliceInsert,
    SpliceSchedule,
    SpliceTime,
    TimeDescriptor,
    TimeSignal,
    UnknownDescriptor,
)
from falsework.errors import FalseworkError

# The standard's own examples, section 14 (base64), and two senders' that are about.
PUBLISHED = {
    "time signal, placement opportunity start": (
        "/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg=="
    ),
    "splice insert": "/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=",
    "time signal, placement opportunity end": (
        "/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g="
    ),
    "time signal, programme end and start": (
        "/DBIAAAAAAAA///wBQb+ek2ItgAyAhdDVUVJSAAAGH+fCAgAAAAALMvDRBEAAAIXQ1VFSUgAABl/nwgIAAAAACyk26AQAACZcuND"
    ),
    "time signal alone": "/DAWAAAAAAAAAP/wBQb+AKmKxwAACzuu2Q==",
    "insert without an avail": "/DAlAAAAAAAAAP/wFAUAAAABf+/+LRQrAP4BI9MIAAEBAQAAfxV6SQ==",
    "null": "/DARAAAAAAAAAP/wAAAAAHpPv/8=",
    "DTMF": "/DAxAAAAAAAAAP/wFAVAAIeuf+/+0AWRK/4AUmXAAC0AfwAMAQpDVUVJUJ81MTkqo5/+gA==",
    "several UPIDs in one": (
        "/DBrAAAAAAAAAP/wBQb/AAAAAABVAlNDVUVJAAAAAn+/DUQKDBR3i+Xj9gAAAAAAAAoMFHeL5eP2AAAAAAAACSZTSUdOQUw6THk5RU1H"
        "eEtSMGhGWlV0cE1IZENVVlpuUlVGblp6MTcBA6QTOe8="
    ),
    "a command of unknown length": (
        "/DA8AAAAAAAAAP///wb+06ACpQAmAiRDVUVJAACcHX//AACky4AMEERJU0NZTVdGMDQ1MjAwMEgxAQEMm4c0"
    ),
    "somebody's own descriptor": (
        "/DBPAAAAAAAAAP/wBQb/Gq9LggA5AAVTQVBTCwIwQ1VFSf////9//wAAFI4PDxx1cm46bmJjdW5pLmNvbTpicmM6NDk5ODY2NDM0MQoB"
        "bM98zw=="
    ),
    "stuffing": "/DAeAAAAAAAAAP///wViAA/nf18ACQAAAAAskJv+YPtE",
    "stuffing behind descriptors": (
        "/DA0AABS2+YAAACgFAUALJGCf+/+MSwPcX4AUmXAAAAAAAAMAQpDVUVJRp8xMjEq3pnIPCi6lw=="
    ),
    "an adjusted time of 33 bits": (
        "/DBGAAET8J+pAP/wBQb+AAAAAAAwAi5DVUVJQAErgX+/CR9TSUdOQUw6OGlTdzllUWlGVndBQUFBQUFBQUJCQT09NwMDaJ6RZQ=="
    ),
    "three segmentations": (
        "/DBvAAFDizjpAP/wBQb+K9F+MgBZAhlDVUVJXAL02n+3AQpIRDExMjM0OFQxIQEAAh1DVUVJXAL2U3/3AAGb/KUBCUhEQ00xMDY0ODQA"
        "AAIdQ1VFSVwC9lR/9wAAKTGxAQlIRENNMTA2NDgwAADHDHPR"
    ),
    "ISAN": "/DAzAAAAAAAA///wBQb+AAAAAAAdAhtDVUVJAAAABn+/BgwAAAAAOo0AAAAAAAARAAAT5alN",
    "EIDR": "/DA4AAAAAAAA///wBQb+AAAAAAAiAiBDVUVJAAAAA3//AAApPWwKDBR4+FrhALBoW4+xyBAAAGij1lQ=",
    "ATSC": "/DA4AAAAAAAA///wBQb+AAAAAAAiAiBDVUVJAAAAA3//AAApPWwLDADx7/9odW1hbjAxMhAAALdaWG4=",
    "TI and MPU": (
        "/DB5AAAAAAAAAP/wBQb/DkfmpABjAhdDVUVJhPHPYH+/CAgAAAAABy4QajEBGAIcQ1VFSYTx71B//wAAK3NwCAgAAAAABy1cxzACGAIq"
        "Q1VFSYTx751/vwwbUlRMTjFIAQAAAAAxMzU2MTY2MjQ1NTUxQjEAAQAALL95dg=="
    ),
}

ticks = st.integers(0, 2**33 - 1)
octet = st.integers(0, 255)
hexadecimal = st.binary(max_size=20).map(bytes.hex)
splice_times = st.builds(SpliceTime, pts_time=st.none() | ticks)
durations = st.none() | st.builds(BreakDuration, auto_return=st.booleans(), duration=ticks)
AVAIL = {
    "splice_event_id": st.integers(0, 2**32 - 1),
    "event_id_compliance_flag": st.booleans(),
    "out_of_network_indicator": st.booleans(),
    "break_duration": durations,
    "unique_program_id": st.integers(0, 2**16 - 1),
    "avail_num": octet,
    "avails_expected": octet,
}
programme_insert = st.builds(
    SpliceInsert, splice_time=splice_times, splice_immediate_flag=st.just(False), **AVAIL
)
immediate_insert = st.builds(SpliceInsert, splice_immediate_flag=st.just(True), **AVAIL)
component_insert = st.builds(
    SpliceInsert,
    program_splice_flag=st.just(False),
    components=st.lists(st.builds(Component, component_tag=octet, splice_time=splice_times), max_size=4).map(
        tuple
    ),
    **AVAIL,
)
schedules = st.lists(
    st.builds(ScheduledSplice, utc_splice_time=st.integers(0, 2**32 - 1), **AVAIL), max_size=3
).map(lambda splices: SpliceSchedule(tuple(splices)))
commands = st.one_of(
    programme_insert,
    immediate_insert,
    component_insert,
    schedules,
    st.builds(TimeSignal, splice_time=splice_times),
    st.builds(PrivateCommand, identifier=st.integers(0, 2**32 - 1), private=hexadecimal),
)
segmentations = st.builds(
    SegmentationDescriptor,
    segmentation_event_id=st.integers(0, 2**32 - 1),
    restrictions=st.none()
    | st.builds(
        Restrictions,
        web_delivery_allowed_flag=st.booleans(),
        no_regional_blackout_flag=st.booleans(),
        archive_allowed_flag=st.booleans(),
        device_restrictions=st.integers(0, 3),
    ),
    components=st.none()
    | st.lists(st.builds(SegmentationComponent, component_tag=octet, pts_offset=ticks), max_size=3).map(
        tuple
    ),
    segmentation_duration=st.none() | st.integers(0, 2**40 - 1),
    segmentation_upid_type=octet,
    segmentation_upid=hexadecimal,
    segmentation_type_id=octet,
    segment_num=octet,
    segments_expected=octet,
)
descriptors = st.one_of(
    segmentations,
    st.builds(AvailDescriptor, provider_avail_id=st.integers(0, 2**32 - 1)),
    st.builds(DtmfDescriptor, preroll=octet, dtmf=st.text("0123456789*#", max_size=7)),
    st.builds(
        TimeDescriptor,
        tai_seconds=st.integers(0, 2**48 - 1),
        tai_ns=st.integers(0, 2**32 - 1),
        utc_offset=st.integers(0, 2**16 - 1),
    ),
    st.builds(
        UnknownDescriptor,
        splice_descriptor_tag=octet,
        identifier=st.integers(0, 2**32 - 1).filter(lambda one: one != 0x43554549),
        private=hexadecimal,
    ),
)
sections = st.builds(
    SpliceInfoSection,
    command=commands,
    descriptors=st.lists(descriptors, max_size=4).map(tuple),
    sap_type=st.integers(0, 3),
    pts_adjustment=ticks,
    cw_index=octet,
    tier=st.integers(0, 0xFFF),
    alignment_stuffing=st.sampled_from(["", "ff", "0000"]),
)


@pytest.mark.parametrize("text", PUBLISHED.values(), ids=PUBLISHED)
def test_a_published_cue_is_written_as_it_was(text: str) -> None:
    assert encode_text(decode_text(text)) == text
    assert decode_text("0x" + base64.b64decode(text).hex()) == decode_text(text)


def test_what_a_published_cue_says() -> None:
    insert = decode_text(PUBLISHED["splice insert"])
    assert isinstance(insert.command, SpliceInsert)
    assert insert.command.splice_event_id == 0x4800008F
    assert insert.command.out_of_network_indicator
    assert insert.command.splice_time == SpliceTime(pts_time=0x07369C02E)
    assert insert.command.break_duration == BreakDuration(auto_return=True, duration=0x00052CCF5)
    assert insert.descriptors == (AvailDescriptor(provider_avail_id=0x135),)
    signal = decode_text(PUBLISHED["time signal, placement opportunity start"])
    (segmentation,) = signal.descriptors
    assert isinstance(segmentation, SegmentationDescriptor)
    assert segmentation.segmentation_type_id == 0x34
    assert segmentation.segmentation_duration == 0x0001A599B0
    assert segmentation.segmentation_upid == "000000002ca0a18a"
    assert segmentation.restrictions == Restrictions(
        web_delivery_allowed_flag=False,
        no_regional_blackout_flag=True,
        archive_allowed_flag=True,
        device_restrictions=3,
    )


@settings(max_examples=300, deadline=None)
@given(sections)
def test_what_is_written_reads_the_same(section: SpliceInfoSection) -> None:
    data = encode(section)
    assert decode(data) == section
    assert encode(decode(data)) == data
    assert msgspec.json.decode(msgspec.json.encode(section), type=SpliceInfoSection) == section


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(PUBLISHED.values())), st.integers(0, 10_000))
def test_one_wrong_bit_is_noticed(text: str, where: int) -> None:
    data = bytearray(base64.b64decode(text))
    data[where // 8 % len(data)] ^= 1 << where % 8
    with pytest.raises(FalseworkError):
        decode(bytes(data))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused_with_a_sentence(content: bytes) -> None:
    """Behind a right length and CRC, so that the fields are reached."""
    head = bytes((0xFC, 0x30 | len(content) + 4 >> 8, len(content) + 4 & 0xFF)) + content
    data = head + crc32_mpeg2(head).to_bytes(4, "big")
    try:
        section = decode(data)
    except FalseworkError:
        return
    assert decode(encode(section)) == section


@pytest.mark.parametrize("text", ["", "fc", "0x", "no cue", "/DAv", "é", "A" * 100_000])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(FalseworkError):
        decode_text(text)


def test_a_value_too_large_for_its_field_is_refused() -> None:
    with pytest.raises(FalseworkError, match="does not fit"):
        encode(SpliceInfoSection(command=TimeSignal(splice_time=SpliceTime(pts_time=2**33))))
