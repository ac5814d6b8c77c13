"""The splice descriptors' fields. ANSI/SCTE 35 2023r1, section 10."""

from __future__ import annotations

from falsework.ads.bits import BitReader, BitWriter, TruncatedError
from falsework.ads.scte35.section import (
    CUEI,
    AudioChannel,
    AudioDescriptor,
    AvailDescriptor,
    Descriptor,
    DtmfDescriptor,
    Restrictions,
    SegmentationComponent,
    SegmentationDescriptor,
    TimeDescriptor,
    UnknownDescriptor,
)

__all__ = ["read_descriptor", "write_descriptor"]

AVAIL, DTMF, SEGMENTATION, TIME, AUDIO = range(5)
TAGS: dict[type[object], int] = {
    AvailDescriptor: AVAIL,
    DtmfDescriptor: DTMF,
    SegmentationDescriptor: SEGMENTATION,
    TimeDescriptor: TIME,
    AudioDescriptor: AUDIO,
}
IDENTIFIER_OCTETS = 4


def read_descriptor(reader: BitReader, loop_end: int) -> Descriptor:
    """The descriptor at the reader. One that cannot be read as its tag says is kept as its bytes."""
    tag, length = reader.unsigned(8), reader.unsigned(8)
    if reader.position + 8 * length > loop_end:
        raise ValueError("a descriptor is longer than the room for all of them")
    content = reader.octets(length)
    found: Descriptor | None = None
    if content[:IDENTIFIER_OCTETS] == CUEI.to_bytes(IDENTIFIER_OCTETS, "big"):
        try:
            found = _read(tag, BitReader(content[IDENTIFIER_OCTETS:]))
        except (TruncatedError, ValueError):
            found = None
    if found is not None and write_descriptor(found) == bytes((tag, length)) + content:
        return found
    named = length >= IDENTIFIER_OCTETS
    return UnknownDescriptor(
        splice_descriptor_tag=tag,
        identifier=int.from_bytes(content[:IDENTIFIER_OCTETS], "big") if named else None,
        private=content[IDENTIFIER_OCTETS if named else 0 :].hex(),
    )


def write_descriptor(descriptor: Descriptor) -> bytes:
    writer = BitWriter()
    if isinstance(descriptor, UnknownDescriptor):
        tag = descriptor.splice_descriptor_tag
        if descriptor.identifier is not None:
            writer.unsigned(descriptor.identifier, 32)
        writer.octets(bytes.fromhex(descriptor.private))
    else:
        tag = TAGS[type(descriptor)]
        writer.unsigned(CUEI, 32)
        _write(writer, descriptor)
    content = writer.data()
    if len(content) > 0xFF:
        raise ValueError(f"a descriptor has {len(content)} bytes, and 255 at most are allowed")
    return bytes((tag, len(content))) + content


def _read(tag: int, reader: BitReader) -> Descriptor | None:
    if tag == AVAIL:
        return AvailDescriptor(provider_avail_id=reader.unsigned(32))
    if tag == DTMF:
        preroll, count = reader.unsigned(8), reader.unsigned(3)
        reader.unsigned(5)
        return DtmfDescriptor(preroll=preroll, dtmf=reader.octets(count).decode("ascii"))
    if tag == SEGMENTATION:
        return _read_segmentation(reader)
    if tag == TIME:
        return TimeDescriptor(
            tai_seconds=reader.unsigned(48), tai_ns=reader.unsigned(32), utc_offset=reader.unsigned(16)
        )
    if tag == AUDIO:
        count = reader.unsigned(4)
        reader.unsigned(4)
        return AudioDescriptor(channels=tuple(_read_channel(reader) for _ in range(count)))
    return None


def _write(writer: BitWriter, descriptor: Descriptor) -> None:
    match descriptor:
        case AvailDescriptor():
            writer.unsigned(descriptor.provider_avail_id, 32)
        case DtmfDescriptor():
            writer.unsigned(descriptor.preroll, 8)
            writer.unsigned(len(descriptor.dtmf), 3)
            writer.unsigned(0x1F, 5)
            writer.octets(descriptor.dtmf.encode("ascii"))
        case SegmentationDescriptor():
            _write_segmentation(writer, descriptor)
        case TimeDescriptor():
            writer.unsigned(descriptor.tai_seconds, 48)
            writer.unsigned(descriptor.tai_ns, 32)
            writer.unsigned(descriptor.utc_offset, 16)
        case AudioDescriptor():
            writer.unsigned(len(descriptor.channels), 4)
            writer.unsigned(0xF, 4)
            for channel in descriptor.channels:
                _write_channel(writer, channel)


def _read_channel(reader: BitReader) -> AudioChannel:
    return AudioChannel(
        component_tag=reader.unsigned(8),
        iso_code=reader.octets(3).decode("ascii"),
        bit_stream_mode=reader.unsigned(3),
        num_channels=reader.unsigned(4),
        full_srvc_audio=reader.flag(),
    )


def _write_channel(writer: BitWriter, channel: AudioChannel) -> None:
    writer.unsigned(channel.component_tag, 8)
    writer.octets(channel.iso_code.encode("ascii"))
    writer.unsigned(channel.bit_stream_mode, 3)
    writer.unsigned(channel.num_channels, 4)
    writer.flag(channel.full_srvc_audio)


def _read_segmentation(reader: BitReader) -> SegmentationDescriptor:
    event, cancelled, complies = reader.unsigned(32), reader.flag(), reader.flag()
    reader.unsigned(6)
    if cancelled:
        return SegmentationDescriptor(
            segmentation_event_id=event,
            segmentation_event_cancel_indicator=True,
            segmentation_event_id_compliance_indicator=complies,
        )
    of_program, has_duration, unrestricted = (reader.flag() for _ in range(3))
    restrictions = components = None
    if unrestricted:
        reader.unsigned(5)
    else:
        restrictions = Restrictions(
            web_delivery_allowed_flag=reader.flag(),
            no_regional_blackout_flag=reader.flag(),
            archive_allowed_flag=reader.flag(),
            device_restrictions=reader.unsigned(2),
        )
    if not of_program:
        found = []
        for _ in range(reader.unsigned(8)):
            tag = reader.unsigned(8)
            reader.unsigned(7)
            found.append(SegmentationComponent(component_tag=tag, pts_offset=reader.unsigned(33)))
        components = tuple(found)
    duration = reader.unsigned(40) if has_duration else None
    upid_type = reader.unsigned(8)
    upid = reader.octets(reader.unsigned(8)).hex()
    type_id, number, expected = (reader.unsigned(8) for _ in range(3))
    # Told by the descriptor's length: senders of older revisions leave them out.
    sub = (reader.unsigned(8), reader.unsigned(8)) if reader.left >= 16 else (None, None)
    return SegmentationDescriptor(
        segmentation_event_id=event,
        segmentation_event_id_compliance_indicator=complies,
        restrictions=restrictions,
        components=components,
        segmentation_duration=duration,
        segmentation_upid_type=upid_type,
        segmentation_upid=upid,
        segmentation_type_id=type_id,
        segment_num=number,
        segments_expected=expected,
        sub_segment_num=sub[0],
        sub_segments_expected=sub[1],
    )


def _write_segmentation(writer: BitWriter, segmentation: SegmentationDescriptor) -> None:
    writer.unsigned(segmentation.segmentation_event_id, 32)
    writer.flag(segmentation.segmentation_event_cancel_indicator)
    writer.flag(segmentation.segmentation_event_id_compliance_indicator)
    writer.unsigned(0x3F, 6)
    if segmentation.segmentation_event_cancel_indicator:
        return
    writer.flag(segmentation.components is None)
    writer.flag(segmentation.segmentation_duration is not None)
    writer.flag(segmentation.restrictions is None)
    if segmentation.restrictions is None:
        writer.unsigned(0x1F, 5)
    else:
        writer.flag(segmentation.restrictions.web_delivery_allowed_flag)
        writer.flag(segmentation.restrictions.no_regional_blackout_flag)
        writer.flag(segmentation.restrictions.archive_allowed_flag)
        writer.unsigned(segmentation.restrictions.device_restrictions, 2)
    if segmentation.components is not None:
        writer.unsigned(len(segmentation.components), 8)
        for component in segmentation.components:
            writer.unsigned(component.component_tag, 8)
            writer.unsigned(0x7F, 7)
            writer.unsigned(component.pts_offset, 33)
    if segmentation.segmentation_duration is not None:
        writer.unsigned(segmentation.segmentation_duration, 40)
    upid = bytes.fromhex(segmentation.segmentation_upid)
    writer.unsigned(segmentation.segmentation_upid_type, 8)
    writer.unsigned(len(upid), 8)
    writer.octets(upid)
    writer.unsigned(segmentation.segmentation_type_id, 8)
    writer.unsigned(segmentation.segment_num, 8)
    writer.unsigned(segmentation.segments_expected, 8)
    if segmentation.sub_segment_num is not None:
        writer.unsigned(segmentation.sub_segment_num, 8)
        writer.unsigned(segmentation.sub_segments_expected or 0, 8)
