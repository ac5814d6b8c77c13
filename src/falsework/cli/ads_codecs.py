"""`falsework ads decode|encode`: cues and consent strings as JSON, and JSON as what they were."""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from falsework.cli.ads_input import STDIN, not_installed, read_input
from falsework.cli.output import write_out
from falsework.errors import FalseworkError, shown

__all__ = ["add"]

STANDARDS = {
    "scte35": "SCTE-35 cue",
    "tcf": "TCF consent string",
    "gpp": "GPP string",
    "us-privacy": "US Privacy string",
}
# How a section's bytes may be written; the first is how it is written where nothing is said.
FORMS: dict[str, Callable[[bytes], str]] = {
    "base64": lambda data: base64.b64encode(data).decode("ascii"),
    "0XHEX": lambda data: f"0x{data.hex().upper()}",
    "0xhex": lambda data: f"0x{data.hex()}",
    "HEX": lambda data: data.hex().upper(),
    "hex": lambda data: data.hex(),
}
INDENT = "  "


class Codec(NamedTuple):
    decode: Callable[[str], Any]
    encode: Callable[[Any], str]
    struct: Any


def add(tasks: Any, shared: argparse.ArgumentParser) -> None:
    listed = "; ".join(f"{name}: {what}" for name, what in STANDARDS.items())
    decode = tasks.add_parser("decode", parents=[shared], help="a cue or a consent string, field by field")
    decode.add_argument("standard", choices=tuple(STANDARDS), metavar="STANDARD", help=listed)
    decode.add_argument("string", metavar="STRING", help='the string itself; "-" reads standard input')
    decode.set_defaults(run=_decode)

    encode = tasks.add_parser("encode", parents=[shared], help="the string for JSON as decode prints it")
    encode.add_argument("standard", choices=tuple(STANDARDS), metavar="STANDARD", help=", ".join(STANDARDS))
    encode.add_argument(
        "file", metavar="FILE.json", help='JSON as `decode --json` prints it; "-": standard input'
    )
    encode.set_defaults(run=_encode)


def _codec(standard: str) -> Codec:
    try:
        from falsework.ads.consent import gpp, tcf, us_privacy
        from falsework.ads.scte35 import codec, section
    except ImportError as error:
        raise not_installed(error) from error
    return {
        "scte35": Codec(codec.decode_text, codec.encode_text, section.SpliceInfoSection),
        "tcf": Codec(tcf.decode, tcf.encode, tcf.TcString),
        "gpp": Codec(gpp.decode, gpp.encode, gpp.GppString),
        "us-privacy": Codec(us_privacy.decode, us_privacy.encode, us_privacy.UsPrivacy),
    }[standard]


def _decode(given: argparse.Namespace) -> dict[str, Any]:
    text = given.string
    if text == STDIN:
        text = read_input(STDIN).decode("utf-8", "replace")
    text = text.strip()
    codec = _codec(given.standard)
    decoded = codec.decode(text)
    import msgspec

    value = msgspec.to_builtins(decoded, order="deterministic")
    answer = {"standard": given.standard, "value": value}
    if given.standard == "scte35":
        answer["form"] = _form(text, codec.encode(decoded))
    if not given.quiet and not given.json:
        write_out(shown("\n".join([STANDARDS[given.standard], *_lines(value)])) + "\n")
    return answer


def _encode(given: argparse.Namespace) -> dict[str, Any]:
    where = "standard input" if given.file == STDIN else given.file
    codec = _codec(given.standard)
    import msgspec

    try:
        told = json.loads(read_input(given.file))
    except (ValueError, RecursionError) as error:
        raise FalseworkError(
            f"is no JSON: {error}", where=where, todo="Give what `falsework ads decode --json` prints."
        ) from error
    form = "base64"
    if isinstance(told, dict) and "value" in told:
        if told.get("standard", given.standard) != given.standard:
            raise FalseworkError(
                f"is of {told['standard']}",
                where=where,
                todo=f"Say `falsework ads encode {told['standard']}`.",
            )
        form, told = told.get("form", form), told["value"]
    try:
        value = msgspec.convert(told, codec.struct)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at ")
        field = path.strip("`").removeprefix("$").lstrip(".")
        raise FalseworkError(
            what[:1].lower() + what[1:],
            where=f"{where}: {field}" if field else where,
            todo="Give what `falsework ads decode --json` prints.",
        ) from error
    strange = _strange(told, msgspec.to_builtins(value))
    if strange:
        raise FalseworkError("is no field of it", where=f"{where}: {strange}", todo="Check its spelling.")
    text = codec.encode(value)
    if given.standard == "scte35":
        if form not in FORMS:
            raise FalseworkError(
                f"is {form!r}", where=f"{where}: form", todo=f"Name one of {', '.join(FORMS)}."
            )
        text = FORMS[form](base64.b64decode(text))
    if not given.quiet and not given.json:
        write_out(text + "\n")
    return {"standard": given.standard, "text": text}


def _form(text: str, in_base64: str) -> str:
    data = base64.b64decode(in_base64)
    return next((name for name, write in FORMS.items() if write(data) == text), "base64")


def _strange(given: Any, known: Any, path: str = "") -> str:
    """The path of the first name in `given` that is in no record; "" where there is none."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            here = f"{path}.{name}" if path else str(name)
            if name not in known:
                return here
            found = _strange(value, known[name], here)
            if found:
                return found
    elif isinstance(given, list) and isinstance(known, (list, tuple)) and len(given) == len(known):
        for place, (one, other) in enumerate(zip(given, known, strict=True)):
            found = _strange(one, other, f"{path}[{place}]")
            if found:
                return found
    return ""


def _lines(value: Any, indent: int = 1) -> list[str]:
    """A record as indented lines for people."""
    lines: list[str] = []
    for name, one in value.items():
        head = f"{INDENT * indent}{name}"
        if isinstance(one, dict) and one:
            lines += [f"{head}:", *_lines(one, indent + 1)]
        elif isinstance(one, (list, tuple)) and one and isinstance(one[0], dict):
            for place, each in enumerate(one):
                lines += [f"{head}[{place}]:", *_lines(each, indent + 1)]
        else:
            lines.append(f"{head}: {_words(name, one)}")
    return lines


def _words(name: str, value: Any) -> str:
    if value is None:
        return "not there"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple, dict)):
        return _ranges(value) if value else "none"
    if value == "":
        return "empty"
    return f"{value}{_meaning(name, value)}"


def _meaning(name: str, value: Any) -> str:
    """A raw number as people say it."""
    if name in ("pts_time", "duration", "segmentation_duration", "pts_adjustment", "pts_offset"):
        return f" ({value / 90_000:.3f} s)"
    if name in ("created", "last_updated"):
        from datetime import UTC, datetime, timedelta

        at = datetime(1970, 1, 1, tzinfo=UTC) + value * timedelta(milliseconds=100)
        return f" ({at:%Y-%m-%d %H:%M:%S} UTC)"
    return ""


def _ranges(values: Any) -> str:
    """Numbers in order, neighbours as a range: 1-3, 7. Pairs are ranges already."""
    numbers = list(values)
    if isinstance(numbers[0], (list, tuple)):
        return ", ".join("-".join(map(str, dict.fromkeys(each))) for each in numbers)
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in numbers) or numbers != sorted(
        numbers
    ):
        return ", ".join(map(str, numbers))
    told: list[list[int]] = []
    for one in numbers:
        if told and one == told[-1][-1] + 1:
            told[-1][1:] = [one]
        else:
            told.append([one])
    return ", ".join("-".join(map(str, each)) for each in told)
