"""The Canadian TCF's section of a GPP string. IAB Canada, "TCF Canada technical specification", versions 1
and 1.1."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from falsework.ads.bits import BitReader, BitWriter
from falsework.ads.consent.fields import HEAD, flag, ids, numbered, read_fields, within, write_fields
from falsework.ads.consent.segments import Ids, read_ids, text_of, write_ids
from falsework.ads.consent.tcf import (
    PURPOSES,
    SPECIAL_FEATURES,
    PublisherPurposes,
    Restriction,
    in_segment,
    read_publisher,
    read_restrictions,
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


FIELDS = (
    *HEAD,
    flag("use_non_standard_stacks"),
    numbered("special_feature_express_consents", SPECIAL_FEATURES),
    numbered("purposes_express_consent", PURPOSES),
    numbered("purposes_implied_consent", PURPOSES),
    ids("vendor_express_consents"),
    ids("vendor_implied_consents"),
)


def read_tcf_canada(text: str) -> TcfCanada:
    """Raises ValueError with what does not fit."""
    pieces = text.split(".")
    section = in_segment("the core", pieces[0], _read_core)
    order: list[int] = []
    for place, piece in enumerate(pieces[1:], 2):
        kind, field, value = in_segment(f"segment {place}", piece, _read_segment)
        if kind in order:
            raise ValueError(f"segment {place}: type {kind} is told twice")
        section = replace(section, **{field: value})
        order.append(kind)
    return replace(section, order=tuple(order), lengths=tuple(len(piece.rstrip("=")) for piece in pieces))


def _read_segment(reader: BitReader) -> tuple[int, str, Any]:
    kind = within("its type", reader, lambda bits: bits.unsigned(3))
    if kind == DISCLOSED:
        return kind, "disclosed_vendors", within("disclosed vendors", reader, read_ids)
    if kind == PUBLISHER:
        return kind, "publisher", within("the publisher's purposes", reader, read_publisher)
    raise ValueError(f"type {kind} is not known")


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
    version = within("the version", reader, lambda bits: bits.unsigned(6))
    if version != VERSION:
        raise ValueError(f"its version {version} is not known")
    core = TcfCanada(**read_fields(reader, FIELDS))
    # Version 1.1 added restrictions under the same number; a count of 12 bits is more than padding leaves.
    if reader.left >= 12:
        core = replace(core, restrictions=within("restrictions", reader, read_restrictions))
    return core


def _core(section: TcfCanada) -> BitWriter:
    writer = BitWriter()
    writer.unsigned(VERSION, 6)
    write_fields(writer, FIELDS, msgspec.structs.asdict(section))
    if section.restrictions is not None:
        write_restrictions(writer, section.restrictions)
    return writer
