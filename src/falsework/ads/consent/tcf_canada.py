"""The Canadian TCF's section of a GPP string. IAB Canada, "TCF Canada technical specification", versions 1
and 1.1."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from falsework.ads.bits import BitReader, BitWriter
from falsework.ads.consent.segments import Ids, bits_of, read_ids, text_of, write_ids
from falsework.ads.consent.tcf import (
    PURPOSES,
    SPECIAL_FEATURES,
    PublisherPurposes,
    Restriction,
    read_letters,
    read_numbered,
    read_publisher,
    read_restrictions,
    write_letters,
    write_numbered,
    write_publisher,
    write_restrictions,
)

__all__ = ["TcfCanada", "read_tcf_canada", "write_tcf_canada"]

VERSION = 1
DISCLOSED, PUBLISHER = 1, 3


class TcfCanada(msgspec.Struct, frozen=True, kw_only=True, tag="tcfca"):
    """Consent is express or implied. Times are tenths of a second since 1970. `restrictions` None: written
    before version 1.1. In `publisher`, consents are the express ones and legitimate interests stand for the
    implied."""

    created: int
    last_updated: int
    cmp_id: int
    cmp_version: int
    consent_screen: int
    consent_language: str
    vendor_list_version: int
    tcf_policy_version: int
    use_non_standard_stacks: bool
    special_feature_express_consents: frozenset[int]
    purposes_express_consent: frozenset[int]
    purposes_implied_consent: frozenset[int]
    vendor_express_consents: Ids
    vendor_implied_consents: Ids
    restrictions: tuple[Restriction, ...] | None = None
    disclosed_vendors: Ids | None = None
    publisher: PublisherPurposes | None = None
    order: tuple[int, ...] = ()
    lengths: tuple[int, ...] | None = None


def read_tcf_canada(text: str) -> TcfCanada:
    """Raises ValueError with what does not fit."""
    pieces = text.split(".")
    section = _read_core(bits_of(pieces[0]))
    order = []
    for piece in pieces[1:]:
        reader = bits_of(piece)
        kind = reader.unsigned(3)
        if kind in order:
            raise ValueError(f"segment type {kind} stands in it twice")
        if kind == DISCLOSED:
            section = replace(section, disclosed_vendors=read_ids(reader))
        elif kind == PUBLISHER:
            section = replace(section, publisher=read_publisher(reader))
        else:
            raise ValueError(f"segment type {kind} is not known")
        order.append(kind)
    return replace(section, order=tuple(order), lengths=tuple(len(piece.rstrip("=")) for piece in pieces))


def write_tcf_canada(section: TcfCanada) -> str:
    """Raises ValueError with what does not fit."""
    lengths = section.lengths or (None,) * (1 + len(section.order))
    pieces = [text_of(_core(section), lengths[0])]
    for kind, length in zip(section.order, lengths[1:], strict=True):
        writer = BitWriter()
        writer.unsigned(kind, 3)
        if kind == DISCLOSED and section.disclosed_vendors is not None:
            write_ids(writer, section.disclosed_vendors)
        elif kind == PUBLISHER and section.publisher is not None:
            write_publisher(writer, section.publisher)
        else:
            raise ValueError(f"segment type {kind} is to be written and not there")
        pieces.append(text_of(writer, length))
    return ".".join(pieces)


def _read_core(reader: BitReader) -> TcfCanada:
    version = reader.unsigned(6)
    if version != VERSION:
        raise ValueError(f"its version {version} is not known")
    core = TcfCanada(
        created=reader.unsigned(36),
        last_updated=reader.unsigned(36),
        cmp_id=reader.unsigned(12),
        cmp_version=reader.unsigned(12),
        consent_screen=reader.unsigned(6),
        consent_language=read_letters(reader),
        vendor_list_version=reader.unsigned(12),
        tcf_policy_version=reader.unsigned(6),
        use_non_standard_stacks=reader.flag(),
        special_feature_express_consents=read_numbered(reader, SPECIAL_FEATURES),
        purposes_express_consent=read_numbered(reader, PURPOSES),
        purposes_implied_consent=read_numbered(reader, PURPOSES),
        vendor_express_consents=read_ids(reader),
        vendor_implied_consents=read_ids(reader),
    )
    # Version 1.1 added restrictions under the same number; a count of 12 bits is more than padding leaves.
    return replace(core, restrictions=read_restrictions(reader)) if reader.left >= 12 else core


def _core(section: TcfCanada) -> BitWriter:
    writer = BitWriter()
    writer.unsigned(VERSION, 6)
    writer.unsigned(section.created, 36)
    writer.unsigned(section.last_updated, 36)
    writer.unsigned(section.cmp_id, 12)
    writer.unsigned(section.cmp_version, 12)
    writer.unsigned(section.consent_screen, 6)
    write_letters(writer, section.consent_language)
    writer.unsigned(section.vendor_list_version, 12)
    writer.unsigned(section.tcf_policy_version, 6)
    writer.flag(section.use_non_standard_stacks)
    write_numbered(writer, section.special_feature_express_consents, SPECIAL_FEATURES)
    write_numbered(writer, section.purposes_express_consent, PURPOSES)
    write_numbered(writer, section.purposes_implied_consent, PURPOSES)
    write_ids(writer, section.vendor_express_consents)
    write_ids(writer, section.vendor_implied_consents)
    if section.restrictions is not None:
        write_restrictions(writer, section.restrictions)
    return writer
