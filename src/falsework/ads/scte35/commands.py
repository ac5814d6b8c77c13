"""The splice commands' fields. ANSI/SCTE 35 2023r1, section 9.7."""

from __future__ import annotations

from falsework.ads.bits import BitReader, BitWriter
from falsework.ads.scte35.section import (
    BandwidthReservation,
    BreakDuration,
    Command,
    Component,
    PrivateCommand,
    ScheduledSplice,
    SpliceInsert,
    SpliceNull,
    SpliceSchedule,
    SpliceTime,
    TimeSignal,
)

__all__ = ["command_type", "read_command", "write_command"]

NULL, SCHEDULE, INSERT, TIME_SIGNAL, BANDWIDTH = 0x00, 0x04, 0x05, 0x06, 0x07
TYPES: dict[type[object], int] = {
    SpliceNull: NULL,
    SpliceSchedule: SCHEDULE,
    SpliceInsert: INSERT,
    TimeSignal: TIME_SIGNAL,
    BandwidthReservation: BANDWIDTH,
}
PRIVATE = 0xFF


def command_type(command: Command) -> int:
    return command.splice_command_type if isinstance(command, PrivateCommand) else TYPES[type(command)]


def read_command(reader: BitReader, kind: int, length: int | None) -> Command:
    """The command at the reader, which ends behind it. `length` in bytes, None where it is not told."""
    end = reader.end if length is None else reader.position + 8 * length
    if end > reader.end:
        raise ValueError("its command is longer than it is")
    command: Command
    if kind == NULL:
        command = SpliceNull()
    elif kind == SCHEDULE:
        command = SpliceSchedule(tuple(_read_scheduled(reader) for _ in range(reader.unsigned(8))))
    elif kind == INSERT:
        command = _read_insert(reader)
    elif kind == TIME_SIGNAL:
        command = TimeSignal(splice_time=_read_time(reader))
    elif kind == BANDWIDTH:
        command = BandwidthReservation()
    elif length is None:
        raise ValueError(f"the length of its command, of type 0x{kind:02x}, is not told")
    else:
        identifier = reader.unsigned(32) if kind == PRIVATE else None
        left = max(end - reader.position, 0) // 8
        command = PrivateCommand(
            splice_command_type=kind, identifier=identifier, private=reader.octets(left).hex()
        )
    if length is not None and reader.position != end:
        raise ValueError(f"its command says that it is {length} bytes long, and its fields say otherwise")
    return command


def write_command(writer: BitWriter, command: Command) -> None:
    match command:
        case SpliceSchedule(splices):
            writer.unsigned(len(splices), 8)
            for splice in splices:
                _write_scheduled(writer, splice)
        case SpliceInsert():
            _write_insert(writer, command)
        case TimeSignal(splice_time=splice_time):
            _write_time(writer, splice_time)
        case PrivateCommand(identifier=identifier, private=private):
            if identifier is not None:
                writer.unsigned(identifier, 32)
            writer.octets(bytes.fromhex(private))
        case SpliceNull() | BandwidthReservation():
            pass


def _read_time(reader: BitReader) -> SpliceTime:
    if reader.flag():
        reader.unsigned(6)
        return SpliceTime(pts_time=reader.unsigned(33))
    reader.unsigned(7)
    return SpliceTime()


def _write_time(writer: BitWriter, time: SpliceTime) -> None:
    writer.flag(time.pts_time is not None)
    if time.pts_time is None:
        writer.unsigned(0x7F, 7)
    else:
        writer.unsigned(0x3F, 6)
        writer.unsigned(time.pts_time, 33)


def _read_duration(reader: BitReader) -> BreakDuration:
    auto_return = reader.flag()
    reader.unsigned(6)
    return BreakDuration(auto_return=auto_return, duration=reader.unsigned(33))


def _write_duration(writer: BitWriter, duration: BreakDuration) -> None:
    writer.flag(duration.auto_return)
    writer.unsigned(0x3F, 6)
    writer.unsigned(duration.duration, 33)


def _read_insert(reader: BitReader) -> SpliceInsert:
    event, cancelled = reader.unsigned(32), reader.flag()
    reader.unsigned(7)
    if cancelled:
        return SpliceInsert(splice_event_id=event, splice_event_cancel_indicator=True)
    out, of_program, has_duration, immediate = (reader.flag() for _ in range(4))
    complies = reader.flag()
    reader.unsigned(3)
    time, components = None, []
    if of_program and not immediate:
        time = _read_time(reader)
    if not of_program:
        for _ in range(reader.unsigned(8)):
            tag = reader.unsigned(8)
            components.append(
                Component(component_tag=tag, splice_time=None if immediate else _read_time(reader))
            )
    return SpliceInsert(
        splice_event_id=event,
        event_id_compliance_flag=complies,
        out_of_network_indicator=out,
        program_splice_flag=of_program,
        splice_immediate_flag=immediate,
        splice_time=time,
        components=tuple(components),
        break_duration=_read_duration(reader) if has_duration else None,
        unique_program_id=reader.unsigned(16),
        avail_num=reader.unsigned(8),
        avails_expected=reader.unsigned(8),
    )


def _write_insert(writer: BitWriter, insert: SpliceInsert) -> None:
    writer.unsigned(insert.splice_event_id, 32)
    writer.flag(insert.splice_event_cancel_indicator)
    writer.unsigned(0x7F, 7)
    if insert.splice_event_cancel_indicator:
        return
    writer.flag(insert.out_of_network_indicator)
    writer.flag(insert.program_splice_flag)
    writer.flag(insert.break_duration is not None)
    writer.flag(insert.splice_immediate_flag)
    writer.flag(insert.event_id_compliance_flag)
    writer.unsigned(0x7, 3)
    if insert.program_splice_flag and not insert.splice_immediate_flag:
        _write_time(writer, insert.splice_time or SpliceTime())
    if not insert.program_splice_flag:
        writer.unsigned(len(insert.components), 8)
        for component in insert.components:
            writer.unsigned(component.component_tag, 8)
            if not insert.splice_immediate_flag:
                _write_time(writer, component.splice_time or SpliceTime())
    if insert.break_duration is not None:
        _write_duration(writer, insert.break_duration)
    _write_avail(writer, insert)


def _read_scheduled(reader: BitReader) -> ScheduledSplice:
    event, cancelled, complies = reader.unsigned(32), reader.flag(), reader.flag()
    reader.unsigned(6)
    if cancelled:
        return ScheduledSplice(
            splice_event_id=event, splice_event_cancel_indicator=True, event_id_compliance_flag=complies
        )
    out, of_program, has_duration = (reader.flag() for _ in range(3))
    reader.unsigned(5)
    time, components = None, []
    if of_program:
        time = reader.unsigned(32)
    else:
        for _ in range(reader.unsigned(8)):
            tag = reader.unsigned(8)
            components.append(Component(component_tag=tag, utc_splice_time=reader.unsigned(32)))
    return ScheduledSplice(
        splice_event_id=event,
        event_id_compliance_flag=complies,
        out_of_network_indicator=out,
        utc_splice_time=time,
        components=tuple(components),
        break_duration=_read_duration(reader) if has_duration else None,
        unique_program_id=reader.unsigned(16),
        avail_num=reader.unsigned(8),
        avails_expected=reader.unsigned(8),
    )


def _write_scheduled(writer: BitWriter, splice: ScheduledSplice) -> None:
    writer.unsigned(splice.splice_event_id, 32)
    writer.flag(splice.splice_event_cancel_indicator)
    writer.flag(splice.event_id_compliance_flag)
    writer.unsigned(0x3F, 6)
    if splice.splice_event_cancel_indicator:
        return
    writer.flag(splice.out_of_network_indicator)
    writer.flag(splice.utc_splice_time is not None)
    writer.flag(splice.break_duration is not None)
    writer.unsigned(0x1F, 5)
    if splice.utc_splice_time is not None:
        writer.unsigned(splice.utc_splice_time, 32)
    else:
        writer.unsigned(len(splice.components), 8)
        for component in splice.components:
            writer.unsigned(component.component_tag, 8)
            writer.unsigned(component.utc_splice_time or 0, 32)
    if splice.break_duration is not None:
        _write_duration(writer, splice.break_duration)
    _write_avail(writer, splice)


def _write_avail(writer: BitWriter, splice: SpliceInsert | ScheduledSplice) -> None:
    writer.unsigned(splice.unique_program_id, 16)
    writer.unsigned(splice.avail_num, 8)
    writer.unsigned(splice.avails_expected, 8)
