"""`falsework ads validate`: OpenRTB requests and VAST documents, held against their specifications."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from falsework.cli.ads_explain import query_in
from falsework.cli.ads_input import STDIN, not_installed, read_input
from falsework.cli.output import write_out
from falsework.errors import FalseworkError, shown

__all__ = ["add"]

YOURS_TO_MEND = 2
SUFFIXES = {".json": "openrtb", ".xml": "vast", ".vast": "vast"}
NAMES = {
    "openrtb": "an OpenRTB 2.6 request",
    "vast": "a VAST document",
    "query": "a player's request",
}


def add(tasks: Any, shared: argparse.ArgumentParser) -> None:
    parser = tasks.add_parser(
        "validate", parents=[shared], help="OpenRTB requests and VAST documents: what is wrong, and where"
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help='files, folders with .json and .xml files in them, "-" for standard input, or what a player '
        "asks ('/vast?duration=30')",
    )
    parser.add_argument(
        "--kind", choices=("openrtb", "vast"), help="what they are (default: told by what is in them)"
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> dict[str, Any]:
    found = [_checked(name, given.kind) for name in _files(given.files)]
    wrong = [one for one in found if not one["valid"]]
    if not given.quiet and not given.json:
        for one in found:
            if one["valid"]:
                write_out(shown(f"{one['file']}: {NAMES[one['kind']]}, valid") + "\n")
    for one in wrong:
        field = f"{one['field']} " if one["field"] else ""
        print(shown(f"{one['file']}: {field}{one['what']}."), file=sys.stderr)
    if len(found) > 1 and not given.quiet and not given.json:
        write_out(f"{len(found) - len(wrong)} of {len(found)} valid\n")
    answer: dict[str, Any] = {"files": found, "valid": len(found) - len(wrong), "invalid": len(wrong)}
    return answer | ({"ok": False, "exit_code": YOURS_TO_MEND} if wrong else {})


def _files(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        path = Path(name)
        if name == STDIN or query_in(name) or not path.is_dir():
            yield name
            continue
        inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        if not inside:
            raise FalseworkError(
                "has neither .json nor .xml files in it", where=name, todo="Name another folder."
            )
        yield from map(str, inside)


def _checked(name: str, kind: str | None) -> dict[str, Any]:
    """One file: its kind, and the first thing that is wrong with it."""
    try:
        from falsework.ads.openrtb import validation as openrtb
        from falsework.ads.vast import validation as vast
    except ImportError as error:
        raise not_installed(error) from error
    file = "standard input" if name == STDIN else name
    answer: dict[str, Any] = {"file": file, "kind": kind, "valid": True, "field": "", "what": ""}
    query = query_in(name)
    if query is not None:
        return answer | {"kind": "query"} | _query(*query)
    try:
        body = read_input(name)
        answer["kind"] = kind = kind or _kind(name, body)
        if kind == "vast":
            vast.check(body)
        else:
            openrtb.read(body)
    except FalseworkError as error:
        field = "" if error.where in (file, name) else error.where
        answer |= {"valid": False, "field": field, "what": error.what.rstrip(".")}
    return answer


def _query(path: str, query: str) -> dict[str, Any]:
    """The first parameter that is refused, or else the first that is not taken as it came."""
    from falsework.ads.opportunity import Placement
    from falsework.ads.server.queries import notes_of, parameters, request_of

    try:
        given = parameters(query.encode("utf-8", "replace"))
        request_of(given, Placement.PAUSE if path == "pause" else Placement.INSTREAM)
    except FalseworkError as error:
        return {"valid": False, "field": error.where, "what": error.what}
    notes = notes_of(given)
    return {"valid": not notes, "field": "", "what": notes[0] if notes else ""}


def _kind(name: str, body: bytes) -> str:
    """By the first character, and by the name where there is none."""
    first = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if first in (b"<", b"{"):
        return "vast" if first == b"<" else "openrtb"
    return SUFFIXES.get(Path(name).suffix.lower(), "openrtb")
