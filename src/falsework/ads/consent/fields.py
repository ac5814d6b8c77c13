"""What the consent strings of Europe and of Canada have in common: fields one after another, each under its
name, so that a string which cannot be read says what is wrong with which of them, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from falsework.ads.bits import BitReader, BitWriter, TruncatedError
from falsework.ads.consent.segments import read_ids, write_ids

__all__ = [
    "HEAD",
    "Field",
    "flag",
    "ids",
    "letters",
    "number",
    "numbered",
    "read_fields",
    "read_numbered",
    "within",
    "write_fields",
    "write_numbered",
]


class Field(NamedTuple):
    """`name` is that of a record's attribute."""

    name: str
    read: Callable[[BitReader], Any]
    write: Callable[[BitWriter, Any], None]


def number(name: str, bits: int) -> Field:
    return Field(
        name, lambda reader: reader.unsigned(bits), lambda writer, value: writer.unsigned(value, bits)
    )


def flag(name: str) -> Field:
    return Field(name, BitReader.flag, BitWriter.flag)


def letters(name: str) -> Field:
    """A code of two."""
    return Field(name, _read_letters, _write_letters)


def numbered(name: str, count: int) -> Field:
    """A set of the numbers 1 to `count`, a bit for each."""
    return Field(
        name,
        lambda reader: read_numbered(reader, count),
        lambda writer, value: write_numbered(writer, value, count),
    )


def ids(name: str) -> Field:
    return Field(name, read_ids, write_ids)


def read_fields(reader: BitReader, fields: Sequence[Field]) -> dict[str, Any]:
    """Values by name. Raises ValueError that names the field and the bit it begins at."""
    found = {}
    for field in fields:
        found[field.name] = within(field.name, reader, field.read)
    return found


def within(name: str, reader: BitReader, read: Callable[[BitReader], Any]) -> Any:
    """What `read` reads; what it cannot is said with the name of the field and where that begins."""
    start = reader.position
    try:
        return read(reader)
    except TruncatedError as error:
        words = name.replace("_", " ")
        raise ValueError(
            f"the text ends within {words}, which begins at bit {start} of {reader.end}"
        ) from error
    except ValueError as error:
        raise ValueError(f"{name.replace('_', ' ')}, at bit {start}: {error}") from error


def write_fields(writer: BitWriter, fields: Sequence[Field], values: Mapping[str, Any]) -> None:
    """Raises ValueError that names the field whose value does not fit."""
    for field in fields:
        try:
            field.write(writer, values[field.name])
        except ValueError as error:
            raise ValueError(f"{field.name.replace('_', ' ')}: {error}") from error


def read_numbered(reader: BitReader, count: int) -> frozenset[int]:
    """Which of the numbers 1 to `count` are set, a bit for each."""
    field = reader.unsigned(count)
    return frozenset(one for one in range(1, count + 1) if field >> (count - one) & 1)


def write_numbered(writer: BitWriter, numbers: frozenset[int], count: int) -> None:
    if numbers and not 1 <= min(numbers) <= max(numbers) <= count:
        raise ValueError(f"{sorted(numbers)} has a number that is not between 1 and {count}")
    writer.unsigned(sum(1 << (count - one) for one in numbers), count)


def _read_letters(reader: BitReader) -> str:
    codes = reader.unsigned(6), reader.unsigned(6)
    if max(codes) > 25:
        raise ValueError(f"{codes[0]} and {codes[1]} are no two letters (0 for A to 25 for Z)")
    return "".join(chr(ord("A") + code) for code in codes)


def _write_letters(writer: BitWriter, text: str) -> None:
    if len(text) != 2 or not text.isascii() or not text.isalpha():
        raise ValueError(f'"{text}" is no code of two letters')
    for letter in text.upper():
        writer.unsigned(ord(letter) - ord("A"), 6)


# Behind the version, and the same in both.
HEAD = (
    number("created", 36),
    number("last_updated", 36),
    number("cmp_id", 12),
    number("cmp_version", 12),
    number("consent_screen", 6),
    letters("consent_language"),
    number("vendor_list_version", 12),
    number("tcf_policy_version", 6),
)
