"""TC strings of the IAB Europe Transparency and Consent Framework, bit for bit.

IAB Tech Lab, "Consent string and vendor list format v2", with what v2.2 and v2.3 changed: from 1 March 2026
on a string has to carry the vendors that were disclosed to the person.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from falsework.ads.bits import BitReader, BitWriter, TruncatedError
from falsework.ads.consent.fields import (
    HEAD,
    Field,
    flag,
    ids,
    letters,
    numbered,
    read_fields,
    read_numbered,
    within,
    write_fields,
    write_numbered,
)
from falsework.ads.consent.segments import (
    IdRange,
    Ids,
    bits_of,
    nothing_left,
    read_ids,
    read_ranges,
    text_of,
    write_ids,
    write_ranges,
)
from falsework.errors import FalseworkError

__all__ = [
    "DISCLOSURE_MANDATORY",
    "PURPOSES",
    "SPECIAL_FEATURES",
    "PublisherPurposes",
    "Restriction",
    "TcString",
    "decode",
    "encode",
    "in_segment",
    "read_publisher",
    "read_restrictions",
    "write_publisher",
    "write_restrictions",
]

VERSION = 2
DISCLOSURE_MANDATORY = datetime(2026, 3, 1, tzinfo=UTC)
PURPOSES, SPECIAL_FEATURES = 24, 12
CORE, DISCLOSED, ALLOWED, PUBLISHER = 0, 1, 2, 3  # segment types; the core's is not written
SEGMENTS = {DISCLOSED: "disclosed vendors", ALLOWED: "allowed vendors", PUBLISHER: "the publisher's purposes"}
T = TypeVar("T")
TENTH = timedelta(milliseconds=100)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOT_ALLOWED, REQUIRE_CONSENT, REQUIRE_LEGITIMATE_INTEREST = 0, 1, 2


class Restriction(msgspec.Struct, frozen=True, kw_only=True):
    """A publisher's: `kind` 0 purpose flatly not allowed, 1 consent needed, 2 legitimate interest needed."""

    purpose: int
    kind: int
    ranges: tuple[IdRange, ...]

    def holds_for(self, vendor: int) -> bool:
        return any(each.first <= vendor <= each.last for each in self.ranges)


class PublisherPurposes(msgspec.Struct, frozen=True, kw_only=True):
    """What the person agreed to for the publisher itself; custom purposes are numbered from 1."""

    consents: frozenset[int] = frozenset()
    legitimate_interests: frozenset[int] = frozenset()
    custom: int = 0
    custom_consents: frozenset[int] = frozenset()
    custom_legitimate_interests: frozenset[int] = frozenset()


class TcString(msgspec.Struct, frozen=True, kw_only=True, tag="tcfeu"):
    """One TC string. Times are whole tenths of a second since 1970. `order` are the types of the segments
    behind the core as they were written, and `lengths` the characters of each segment, core first: encoders
    pad differently."""

    created: int
    last_updated: int
    cmp_id: int
    cmp_version: int = 0
    consent_screen: int = 0
    consent_language: str = "EN"
    vendor_list_version: int = 0
    tcf_policy_version: int = 5
    is_service_specific: bool = True
    use_non_standard_texts: bool = False
    special_feature_opt_ins: frozenset[int] = frozenset()
    purposes_consent: frozenset[int] = frozenset()
    purposes_legitimate_interest: frozenset[int] = frozenset()
    purpose_one_treatment: bool = False
    publisher_country: str = "AA"
    vendor_consents: Ids = Ids()
    vendor_legitimate_interests: Ids = Ids()
    restrictions: tuple[Restriction, ...] = ()
    disclosed_vendors: Ids | None = None
    allowed_vendors: Ids | None = None
    publisher: PublisherPurposes | None = None
    order: tuple[int, ...] = ()
    lengths: tuple[int, ...] | None = None

    @property
    def created_at(self) -> datetime:
        return EPOCH + self.created * TENTH

    def may(self, vendor: int, purpose: int, *, by_interest: bool = False) -> bool:
        """Whether a vendor has a legal basis for a purpose: the person's consent, or, where `by_interest`
        says that the vendor claims one, a legitimate interest that was told and not objected to. What a
        publisher restricts holds. A vendor that was not disclosed has none."""
        if self.disclosed_vendors is not None and vendor not in self.disclosed_vendors:
            return False
        kinds = {
            each.kind for each in self.restrictions if each.purpose == purpose and each.holds_for(vendor)
        }
        if NOT_ALLOWED in kinds:
            return False
        if REQUIRE_CONSENT in kinds or (not by_interest and REQUIRE_LEGITIMATE_INTEREST not in kinds):
            return purpose in self.purposes_consent and vendor in self.vendor_consents
        # Purpose 1, storing on a device, knows no legitimate interest; 3 to 6 have none since policy 4.
        barred = {1} | ({3, 4, 5, 6} if self.tcf_policy_version >= 4 else set())
        return (
            purpose not in barred
            and purpose in self.purposes_legitimate_interest
            and vendor in self.vendor_legitimate_interests
        )

    def fault(self, now: datetime) -> str:
        """Why no legal basis follows from the string at that time, in words; "" where nothing is wrong."""
        if self.disclosed_vendors is None and now >= DISCLOSURE_MANDATORY:
            return "it does not say which vendors were disclosed, as TCF 2.3 demands since 1 March 2026"
        if self.created_at > now + timedelta(days=1):
            return "it was made in the future"
        if not self.is_service_specific:
            return "it claims a global scope, which TCF 2.2 has ended"
        return ""


def read_restrictions(reader: BitReader) -> tuple[Restriction, ...]:
    found = []
    for _ in range(reader.unsigned(12)):
        purpose, kind = reader.unsigned(6), reader.unsigned(2)
        found.append(Restriction(purpose=purpose, kind=kind, ranges=read_ranges(reader)))
    return tuple(found)


def write_restrictions(writer: BitWriter, restrictions: tuple[Restriction, ...]) -> None:
    writer.unsigned(len(restrictions), 12)
    for restriction in restrictions:
        writer.unsigned(restriction.purpose, 6)
        writer.unsigned(restriction.kind, 2)
        write_ranges(writer, restriction.ranges)


FIELDS = (
    *HEAD,
    flag("is_service_specific"),
    flag("use_non_standard_texts"),
    numbered("special_feature_opt_ins", SPECIAL_FEATURES),
    numbered("purposes_consent", PURPOSES),
    numbered("purposes_legitimate_interest", PURPOSES),
    flag("purpose_one_treatment"),
    letters("publisher_country"),
    ids("vendor_consents"),
    ids("vendor_legitimate_interests"),
    Field("restrictions", read_restrictions, write_restrictions),
)


def decode(text: str, *, where: str = "TC string") -> TcString:
    """Raises `FalseworkError` with what does not fit."""
    try:
        return _decode(text.strip())
    except (TruncatedError, ValueError, OverflowError) as error:
        raise FalseworkError(
            f"cannot be read: {error}", where=where, todo="Send it as the consent platform gave it."
        ) from error


def encode(consent: TcString) -> str:
    """Raises `FalseworkError` where a value does not fit its field."""
    lengths = consent.lengths or (None,) * (1 + len(consent.order))
    try:
        pieces = [text_of(_core(consent), lengths[0])]
        for kind, length in zip(consent.order, lengths[1:], strict=True):
            pieces.append(text_of(_segment(consent, kind), length))
    except ValueError as error:
        raise FalseworkError(
            f"cannot be written: {error}", where="TC string", todo="Give values that fit their fields."
        ) from error
    return ".".join(pieces)


def _decode(text: str) -> TcString:
    pieces = text.split(".")
    if len(pieces) > 4:
        raise ValueError(f"it has {len(pieces)} segments, and 4 at most are known")
    consent = in_segment("the core", pieces[0], _read_core)
    order: list[int] = []
    for place, piece in enumerate(pieces[1:], 2):
        kind, field, value = in_segment(f"segment {place}", piece, _read_segment)
        if kind in order:
            raise ValueError(f"segment {place}: {SEGMENTS[kind]} are told twice")
        consent = replace(consent, **{field: value})
        order.append(kind)
    return replace(consent, order=tuple(order), lengths=tuple(len(piece.rstrip("=")) for piece in pieces))


def in_segment(name: str, piece: str, read: Callable[[BitReader], T]) -> T:
    """A segment read to its end. Raises ValueError that names it."""
    try:
        reader = bits_of(piece)
        found = read(reader)
        nothing_left(reader)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    return found


def _read_segment(reader: BitReader) -> tuple[int, str, Any]:
    """(type, the attribute it is kept under, its value)."""
    kind = within("its type", reader, lambda bits: bits.unsigned(3))
    if kind == DISCLOSED:
        return kind, "disclosed_vendors", within("disclosed vendors", reader, read_ids)
    if kind == ALLOWED:
        return kind, "allowed_vendors", within("allowed vendors", reader, read_ids)
    if kind == PUBLISHER:
        return kind, "publisher", within("the publisher's purposes", reader, read_publisher)
    raise ValueError(f"type {kind} is not known")


def _read_core(reader: BitReader) -> TcString:
    version = within("the version", reader, lambda bits: bits.unsigned(6))
    if version != VERSION:
        raise ValueError(f"it is of version {version}, and {VERSION} is read")
    return TcString(**read_fields(reader, FIELDS))


def _core(consent: TcString) -> BitWriter:
    writer = BitWriter()
    writer.unsigned(VERSION, 6)
    write_fields(writer, FIELDS, msgspec.structs.asdict(consent))
    return writer


def _segment(consent: TcString, kind: int) -> BitWriter:
    writer = BitWriter()
    writer.unsigned(kind, 3)
    held = {DISCLOSED: consent.disclosed_vendors, ALLOWED: consent.allowed_vendors}.get(kind)
    if held is not None:
        write_ids(writer, held)
    elif kind == PUBLISHER and consent.publisher is not None:
        write_publisher(writer, consent.publisher)
    else:
        raise ValueError(f"segment type {kind} is to be written and not there")
    return writer


def read_publisher(reader: BitReader) -> PublisherPurposes:
    consents, interests = read_numbered(reader, PURPOSES), read_numbered(reader, PURPOSES)
    custom = reader.unsigned(6)
    return PublisherPurposes(
        consents=consents,
        legitimate_interests=interests,
        custom=custom,
        custom_consents=read_numbered(reader, custom),
        custom_legitimate_interests=read_numbered(reader, custom),
    )


def write_publisher(writer: BitWriter, publisher: PublisherPurposes) -> None:
    write_numbered(writer, publisher.consents, PURPOSES)
    write_numbered(writer, publisher.legitimate_interests, PURPOSES)
    writer.unsigned(publisher.custom, 6)
    write_numbered(writer, publisher.custom_consents, publisher.custom)
    write_numbered(writer, publisher.custom_legitimate_interests, publisher.custom)
