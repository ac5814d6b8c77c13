"""GPP strings: signals of several laws in one. IAB Tech Lab, "Global Privacy Platform String", version
1.0."""

from __future__ import annotations

import msgspec

from falsework.ads.bits import BitWriter, TruncatedError
from falsework.ads.consent import tcf, us_privacy
from falsework.ads.consent.fibonacci import read_fibonacci_ranges, write_fibonacci_ranges
from falsework.ads.consent.segments import bits_of, text_of
from falsework.ads.consent.tcf_canada import TcfCanada, read_tcf_canada, write_tcf_canada
from falsework.ads.consent.us_sections import UsSection, prefix_of, read_us_section, write_us_section
from falsework.errors import FalseworkError

__all__ = ["TCF_EUROPE", "GppString", "Section", "decode", "encode"]

TYPE, VERSION = 3, 1
TCF_EUROPE, TCF_CANADA, US_PRIVACY = 2, 5, 6
PREFIXES = {TCF_EUROPE: "tcfeuv2", TCF_CANADA: "tcfcav1", US_PRIVACY: "uspv1"}
MOST_SECTIONS = 64

Content = tcf.TcString | us_privacy.UsPrivacy | UsSection | TcfCanada


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One law's signals: as `text`, and as `content` where its specification is known here. `fault` says why
    it could not be read; nothing follows from such a section, and nothing is allowed by it."""

    id: int
    text: str
    content: Content | None = None
    fault: str = ""

    @property
    def prefix(self) -> str:
        """Its name in the client-side interface ("usnat"); "" where it is not known."""
        return PREFIXES.get(self.id) or prefix_of(self.id)


class GppString(msgspec.Struct, frozen=True, kw_only=True):
    """`ranges`: the ids in the header as they were written; `header_length` in characters."""

    sections: tuple[Section, ...]
    ranges: tuple[tuple[int, int], ...] | None = None
    header_length: int | None = None

    def section(self, identifier: int) -> Section | None:
        return next((each for each in self.sections if each.id == identifier), None)


def decode(text: str, *, where: str = "GPP string") -> GppString:
    """Raises `FalseworkError` where the header does not fit what follows; a section that cannot be read has
    its fault on it, since the others hold all the same."""
    try:
        header, *texts = text.strip().split("~")
        reader = bits_of(header)
        if reader.unsigned(6) != TYPE:
            raise ValueError("it does not begin as a GPP string does (with a D)")
        version = reader.unsigned(6)
        if version != VERSION:
            raise ValueError(f"it is of version {version}, and {VERSION} is read")
        ranges = read_fibonacci_ranges(reader)
        count = sum(last - first + 1 for first, last in ranges)
        if count != len(texts) or count > MOST_SECTIONS:
            raise ValueError(f"its header tells {count} sections, and {len(texts)} follow")
    except (TruncatedError, ValueError) as error:
        raise FalseworkError(
            f"cannot be read: {error}", where=where, todo="Send it as the consent platform gave it."
        ) from error
    ids = [one for first, last in ranges for one in range(first, last + 1)]
    return GppString(
        sections=tuple(_read(one, piece) for one, piece in zip(ids, texts, strict=True)),
        ranges=ranges,
        header_length=len(header.rstrip("=")),
    )


def encode(gpp: GppString) -> str:
    """Raises `FalseworkError` where a value does not fit its field."""
    try:
        ids = [section.id for section in gpp.sections]
        ranges = gpp.ranges if gpp.ranges is not None else tuple((one, one) for one in ids)
        if sorted(set(ids)) != ids or ids != [
            one for first, last in ranges for one in range(first, last + 1)
        ]:
            raise ValueError("its sections are not in the order of their ids, or not those of its header")
        writer = BitWriter()
        writer.unsigned(TYPE, 6)
        writer.unsigned(VERSION, 6)
        write_fibonacci_ranges(writer, ranges)
        return "~".join([text_of(writer, gpp.header_length), *map(_write, gpp.sections)])
    except ValueError as error:
        raise FalseworkError(
            f"cannot be written: {error}", where="GPP string", todo="Give values that fit their fields."
        ) from error


def _read(identifier: int, text: str) -> Section:
    try:
        return Section(id=identifier, text=text, content=_content(identifier, text))
    except (TruncatedError, ValueError) as error:
        return Section(id=identifier, text=text, fault=str(error))
    except FalseworkError as error:
        return Section(id=identifier, text=text, fault=error.what)


def _content(identifier: int, text: str) -> Content:
    if identifier == TCF_EUROPE:
        return tcf.decode(text)
    if identifier == US_PRIVACY:
        return us_privacy.decode(text)
    if identifier == TCF_CANADA:
        return read_tcf_canada(text)
    if prefix_of(identifier):
        return read_us_section(identifier, text)
    raise ValueError(f"section {identifier} is not known here")


def _write(section: Section) -> str:
    match section.content:
        case tcf.TcString() as europe:
            return tcf.encode(europe)
        case us_privacy.UsPrivacy() as privacy:
            return us_privacy.encode(privacy)
        case TcfCanada() as canada:
            return write_tcf_canada(canada)
        case UsSection() as us:
            return write_us_section(us)
        case None:
            return section.text
