"""A splice information section as records. Names are the standard's; times are ticks of the 90 kHz clock.

Bytes of no known meaning are kept as hexadecimal text, so that a section may be written as JSON and back.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "AudioChannel",
    "AudioDescriptor",
    "AvailDescriptor",
    "BandwidthReservation",
    "BreakDuration",
    "Command",
    "Component",
    "Descriptor",
    "DtmfDescriptor",
    "PrivateCommand",
    "Restrictions",
    "ScheduledSplice",
    "SegmentationComponent",
    "SegmentationDescriptor",
    "SpliceInfoSection",
    "SpliceInsert",
    "SpliceNull",
    "SpliceSchedule",
    "SpliceTime",
    "TimeDescriptor",
    "TimeSignal",
    "UnknownDescriptor",
]

TICKS_PER_SECOND = 90_000
CUEI = 0x43554549


class SpliceTime(msgspec.Struct, frozen=True, kw_only=True):
    """`pts_time` None: at once, or to be told by the component."""

    pts_time: int | None = None


class BreakDuration(msgspec.Struct, frozen=True, kw_only=True):
    auto_return: bool
    duration: int


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """A stream of its own time; `utc_splice_time` in a schedule, in seconds of GPS time."""

    component_tag: int
    splice_time: SpliceTime | None = None
    utc_splice_time: int | None = None


class SpliceNull(msgspec.Struct, frozen=True, tag="splice_null"):
    pass


class ScheduledSplice(msgspec.Struct, frozen=True, kw_only=True):
    splice_event_id: int
    splice_event_cancel_indicator: bool = False
    event_id_compliance_flag: bool = True
    out_of_network_indicator: bool = False
    utc_splice_time: int | None = None
    components: tuple[Component, ...] = ()
    break_duration: BreakDuration | None = None
    unique_program_id: int = 0
    avail_num: int = 0
    avails_expected: int = 0


class SpliceSchedule(msgspec.Struct, frozen=True, tag="splice_schedule"):
    splices: tuple[ScheduledSplice, ...] = ()


class SpliceInsert(msgspec.Struct, frozen=True, kw_only=True, tag="splice_insert"):
    """`splice_time` for a splice of the whole programme, `components` for one of single streams."""

    splice_event_id: int
    splice_event_cancel_indicator: bool = False
    event_id_compliance_flag: bool = True
    out_of_network_indicator: bool = False
    program_splice_flag: bool = True
    splice_immediate_flag: bool = False
    splice_time: SpliceTime | None = None
    components: tuple[Component, ...] = ()
    break_duration: BreakDuration | None = None
    unique_program_id: int = 0
    avail_num: int = 0
    avails_expected: int = 0


class TimeSignal(msgspec.Struct, frozen=True, kw_only=True, tag="time_signal"):
    splice_time: SpliceTime


class BandwidthReservation(msgspec.Struct, frozen=True, tag="bandwidth_reservation"):
    pass


class PrivateCommand(msgspec.Struct, frozen=True, kw_only=True, tag="private_command"):
    """Also any command type the standard has not given a meaning: `identifier` is None then."""

    splice_command_type: int = 0xFF
    identifier: int | None = None
    private: str = ""


Command = SpliceNull | SpliceSchedule | SpliceInsert | TimeSignal | BandwidthReservation | PrivateCommand


class AvailDescriptor(msgspec.Struct, frozen=True, kw_only=True, tag="avail"):
    provider_avail_id: int


class DtmfDescriptor(msgspec.Struct, frozen=True, kw_only=True, tag="dtmf"):
    """`preroll` in tenths of a second."""

    preroll: int
    dtmf: str


class Restrictions(msgspec.Struct, frozen=True, kw_only=True):
    web_delivery_allowed_flag: bool
    no_regional_blackout_flag: bool
    archive_allowed_flag: bool
    device_restrictions: int


class SegmentationComponent(msgspec.Struct, frozen=True, kw_only=True):
    component_tag: int
    pts_offset: int


class SegmentationDescriptor(msgspec.Struct, frozen=True, kw_only=True, tag="segmentation"):
    """`restrictions` None: delivery not restricted. `components` None: the whole programme.

    `segmentation_upid` is hexadecimal. `sub_segment_num` None: not written.
    """

    segmentation_event_id: int
    segmentation_event_cancel_indicator: bool = False
    segmentation_event_id_compliance_indicator: bool = True
    restrictions: Restrictions | None = None
    components: tuple[SegmentationComponent, ...] | None = None
    segmentation_duration: int | None = None
    segmentation_upid_type: int = 0
    segmentation_upid: str = ""
    segmentation_type_id: int = 0
    segment_num: int = 0
    segments_expected: int = 0
    sub_segment_num: int | None = None
    sub_segments_expected: int | None = None


class TimeDescriptor(msgspec.Struct, frozen=True, kw_only=True, tag="time"):
    tai_seconds: int
    tai_ns: int
    utc_offset: int


class AudioChannel(msgspec.Struct, frozen=True, kw_only=True):
    component_tag: int
    iso_code: str
    bit_stream_mode: int
    num_channels: int
    full_srvc_audio: bool


class AudioDescriptor(msgspec.Struct, frozen=True, kw_only=True, tag="audio"):
    channels: tuple[AudioChannel, ...]


class UnknownDescriptor(msgspec.Struct, frozen=True, kw_only=True, tag="unknown"):
    """One of another owner (`identifier`), of another tag, or that does not read as its tag wants."""

    splice_descriptor_tag: int
    identifier: int | None
    private: str = ""


Descriptor = (
    AvailDescriptor
    | DtmfDescriptor
    | SegmentationDescriptor
    | TimeDescriptor
    | AudioDescriptor
    | UnknownDescriptor
)


class SpliceInfoSection(msgspec.Struct, frozen=True, kw_only=True):
    """One cue. `encrypted`: hexadecimal, all from the command's type to E_CRC_32, where the packet is
    encrypted: then `command` is None. `command_length_told` is False where the sender left the length open
    (0xFFF). `alignment_stuffing` is hexadecimal."""

    command: Command | None
    descriptors: tuple[Descriptor, ...] = ()
    sap_type: int = 3
    protocol_version: int = 0
    encryption_algorithm: int = 0
    pts_adjustment: int = 0
    cw_index: int = 0
    tier: int = 0xFFF
    command_length_told: bool = True
    splice_command_length: int | None = None
    encrypted: str = ""
    alignment_stuffing: str = ""
