"""Splice information sections to bytes and back, bit for bit. ANSI/SCTE 35 2023r1, sections 9 and 10."""

from __future__ import annotations

import base64
import binascii
import re

from msgspec.structs import replace

from falsework.ads.bits import BitReader, BitWriter, TruncatedError
from falsework.ads.scte35.commands import command_type, read_command, write_command
from falsework.ads.scte35.descriptors import read_descriptor, write_descriptor
from falsework.ads.scte35.section import Descriptor, SpliceInfoSection
from falsework.errors import FalseworkError

__all__ = ["crc32_mpeg2", "decode", "decode_text", "encode", "encode_text"]

TABLE_ID = 0xFC
LENGTH_NOT_TOLD = 0xFFF
CRC_OCTETS = 4
LONGEST_SECTION = 4096  # octets: twelve bits of length, and the three octets before it
HEXADECIMAL = re.compile(r"(?:0[xX])?[0-9a-fA-F\s]+")


def crc32_mpeg2(data: bytes) -> int:
    """CRC-32/MPEG-2: polynomial 0x04C11DB7, not reflected, begun with ones; 0 over data with its own."""
    register = 0xFFFFFFFF
    for octet in data:
        register = (register << 8 & 0xFFFFFFFF) ^ _CRC_TABLE[register >> 24 ^ octet]
    return register


def _crc_row(octet: int) -> int:
    register = octet << 24
    for _ in range(8):
        register = register << 1 ^ (0x04C11DB7 if register & 0x80000000 else 0)
    return register & 0xFFFFFFFF


_CRC_TABLE = tuple(_crc_row(octet) for octet in range(256))


def decode(data: bytes, *, where: str = "SCTE-35 cue") -> SpliceInfoSection:
    """A section from its bytes (table id to CRC). Raises `FalseworkError` with what does not fit."""
    try:
        return _decode(data)
    except (TruncatedError, ValueError) as error:
        raise FalseworkError(
            f"is no splice information section: {error}", where=where, todo="Send the section whole."
        ) from error


def decode_text(text: str, *, where: str = "SCTE-35 cue") -> SpliceInfoSection:
    """A section written in base64 or hexadecimal (with or without 0x), as manifests and logs carry it."""
    if len(text) > 4 * LONGEST_SECTION:
        raise FalseworkError(f"has {len(text)} characters", where=where, todo="Send one section.")
    bare = text.strip()
    try:
        if HEXADECIMAL.fullmatch(bare) and bare.lower().removeprefix("0x").lstrip()[:2] == "fc":
            data = bytes.fromhex(bare[2:] if bare[:2] in {"0x", "0X"} else bare)
        else:
            data = base64.b64decode("".join(bare.split()), validate=True)
    except (ValueError, binascii.Error) as error:
        raise FalseworkError(
            "is neither base64 nor hexadecimal", where=where, todo="Send the section in one of them."
        ) from error
    return decode(data, where=where)


def encode(section: SpliceInfoSection) -> bytes:
    """The section's bytes. Raises `FalseworkError` where a value does not fit its field."""
    try:
        return _encode(section)
    except ValueError as error:
        raise FalseworkError(
            f"cannot be written: {error}", where="SCTE-35 cue", todo="Give values that fit their fields."
        ) from error


def encode_text(section: SpliceInfoSection) -> str:
    """In base64."""
    return base64.b64encode(encode(section)).decode("ascii")


def _decode(data: bytes) -> SpliceInfoSection:
    reader = BitReader(data)
    if reader.unsigned(8) != TABLE_ID:
        raise ValueError(f"the first byte is 0x{data[0]:02x}, not 0x{TABLE_ID:02x}")
    reader.unsigned(2)
    sap_type = reader.unsigned(2)
    length = reader.unsigned(12)
    if len(data) != length + 3:
        raise ValueError(f"it says that it is {length + 3} bytes long and is {len(data)}")
    if crc32_mpeg2(data) != 0:
        raise ValueError("its CRC does not hold")
    reader.end -= 8 * CRC_OCTETS
    protocol_version = reader.unsigned(8)
    is_encrypted = reader.flag()
    section = SpliceInfoSection(
        command=None,
        sap_type=sap_type,
        protocol_version=protocol_version,
        encryption_algorithm=reader.unsigned(6),
        pts_adjustment=reader.unsigned(33),
        cw_index=reader.unsigned(8),
        tier=reader.unsigned(12),
    )
    command_length = reader.unsigned(12)
    told = command_length != LENGTH_NOT_TOLD
    if is_encrypted:
        return replace(
            section,
            command_length_told=told,
            splice_command_length=command_length,
            encrypted=reader.octets(reader.left // 8).hex(),
        )
    command = read_command(reader, reader.unsigned(8), command_length if told else None)
    loop_end = 8 * reader.unsigned(16) + reader.position
    if loop_end > reader.end:
        raise ValueError("its descriptors are longer than it is")
    descriptors: list[Descriptor] = []
    while reader.position < loop_end:
        descriptors.append(read_descriptor(reader, loop_end))
    return replace(
        section,
        command=command,
        descriptors=tuple(descriptors),
        command_length_told=told,
        alignment_stuffing=reader.octets(reader.left // 8).hex(),
    )


def _encode(section: SpliceInfoSection) -> bytes:
    body = BitWriter()
    body.unsigned(section.protocol_version, 8)
    body.flag(section.command is None)
    body.unsigned(section.encryption_algorithm, 6)
    body.unsigned(section.pts_adjustment, 33)
    body.unsigned(section.cw_index, 8)
    body.unsigned(section.tier, 12)
    if section.command is None:
        body.unsigned(section.splice_command_length or 0, 12)
        body.octets(bytes.fromhex(section.encrypted))
    else:
        command = BitWriter()
        write_command(command, section.command)
        octets = command.data()
        body.unsigned(len(octets) if section.command_length_told else LENGTH_NOT_TOLD, 12)
        body.unsigned(command_type(section.command), 8)
        body.octets(octets)
        descriptors = b"".join(map(write_descriptor, section.descriptors))
        body.unsigned(len(descriptors), 16)
        body.octets(descriptors)
        body.octets(bytes.fromhex(section.alignment_stuffing))
    octets = body.data()
    head = BitWriter()
    head.unsigned(TABLE_ID, 8)
    head.unsigned(0, 2)
    head.unsigned(section.sap_type, 2)
    head.unsigned(len(octets) + CRC_OCTETS, 12)
    written = head.data() + octets
    return written + crc32_mpeg2(written).to_bytes(CRC_OCTETS, "big")
