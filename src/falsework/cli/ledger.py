"""`falsework ledger verify|show|prove|export|anchor|clock LEDGER`: look into a ledger, check it, prove it."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.errors import FalseworkError

if TYPE_CHECKING:
    from falsework.rights.anchors import Anchor
    from falsework.rights.events import Event
    from falsework.rights.ledger import Ledger

__all__ = ["add"]

YOURS_TO_MEND = 2
WIDTH = 110  # characters of an event's line
SHORT = 23  # characters of an id in it: "sha256:" and sixteen digits
SAYS = {
    "party": ("name",),
    "asset": ("type", "name"),
    "activity": ("type", "tool"),
    "grant": ("type", "licence"),
    "finding": ("rule", "outcome", "words"),
    "decision": ("type", "by", "about", "why"),
}


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("ledger", help="check a ledger of rights, look into it, prove what is in it")
    tasks = parser.add_subparsers(metavar="TASK", required=True)
    common = argparse.ArgumentParser(add_help=False, parents=[shared])
    common.add_argument(
        "ledger", metavar="LEDGER", help="its file, or postgresql+psycopg://USER@HOST/DATABASE"
    )
    common.add_argument(
        "--anchors", type=Path, metavar="FILE", help="its anchors (default: LEDGER.anchors.jsonl)"
    )

    verify = tasks.add_parser("verify", parents=[common], help="find and name what was tampered with")
    verify.add_argument(
        "--against", type=Path, metavar="FILE", action="append", default=[],
        help="further anchors, from a delivery for instance",
    )  # fmt: skip
    verify.add_argument(
        "--roots", type=Path, metavar="PEM", help="check the anchors' time-stamps against these certificates"
    )
    verify.set_defaults(run=_verify)

    show = tasks.add_parser("show", parents=[common], help="list events")
    show.add_argument("--kind", choices=tuple(SAYS), help="only these")
    show.add_argument("--id", help="only the history of one record, by its id or the beginning of it")
    show.add_argument("--last", type=_count, metavar="N", help="only the last N of them")
    show.set_defaults(run=_show)

    prove = tasks.add_parser("prove", parents=[common], help="prove that an event is in the ledger")
    prove.add_argument("event", type=_count, metavar="EVENT", help="its number")
    prove.add_argument(
        "--since", type=_count, metavar="SIZE", help="prove too that the first SIZE are unchanged"
    )
    prove.set_defaults(run=_prove)

    export = tasks.add_parser("export", parents=[common], help="write everything out for other tools")
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    export.add_argument(
        "--format", choices=("prov", "events"), default="prov",
        help="W3C PROV-JSON of the present state, or the events line by line (default: prov)",
    )  # fmt: skip
    export.set_defaults(run=_export)

    anchor = tasks.add_parser("anchor", parents=[common], help="write the present root beside the ledger")
    anchor.add_argument("--authority", metavar="URL", help="have it sealed by this RFC 3161 authority")
    anchor.add_argument("--roots", type=Path, metavar="PEM", help="the authority's root certificates")
    anchor.add_argument(
        "--wait", type=_seconds, default=10.0, metavar="SECONDS", help="for its answer (default: 10)"
    )
    anchor.add_argument(
        "--go-on", action="store_true", help="write the anchor without a time-stamp if none can be had"
    )
    anchor.set_defaults(run=_anchor)

    clock = tasks.add_parser(
        "clock", parents=[common], help="a named person says that a clock stood ahead and is right now"
    )
    clock.add_argument("--by", required=True, metavar="NAME", help="the person, by name or id")
    clock.add_argument("--role", required=True, help='what they are here, such as "VFX supervisor"')
    clock.add_argument("--reason", required=True, help="what was wrong, in their words")
    clock.set_defaults(run=_clock)


def _verify(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.rights.anchors import read_anchors

    against: list[Anchor] = []
    for file in given.against:
        if not file.is_file():
            raise FalseworkError("there is no such file", where=file)
        anchors, broken = read_anchors(file)
        if broken or not anchors:
            raise FalseworkError("is no file of anchors", where=file, todo="Name one of JSON lines.")
        against += anchors
    with _opened(given) as ledger:
        faults = [fault.to_json() for fault in ledger.verify(against)]
        known = read_anchors(ledger.anchors_file)[0] if ledger.anchors_file else []
        answer: dict[str, Any] = {"ledger": ledger.where, "anchors": len(known) + len(against)}
        stamps, bad_stamps = _stamps(given.roots, [*known, *against])
        faults += bad_stamps
        faults += _set_back(ledger, stamps) if not faults else []
        answer |= {"faults": faults, "stamps": stamps}
        corrected: list[str] = []
        if not faults:
            corrected = _corrected(ledger)
            answer |= {"events": ledger.size, "root": ledger.root().hex(), "corrections": corrected}
    if faults:
        first = faults[0]
        todo = "Bring the ledger back from a copy; nothing was changed here."
        error = {"what": first["words"], "where": answer["ledger"], "todo": todo}
        print(FalseworkError(**error).sentence(), file=sys.stderr)
        if not given.quiet and not given.json:
            for fault in faults[1:]:
                print(f"- {fault['words']}", file=sys.stderr)
        return {"ok": False, "exit_code": YOURS_TO_MEND, "error": error, **answer}
    if not given.quiet and not given.json:
        print(f"{answer['ledger']}: {answer['events']} events, all as they were written")
        print(f"root {answer['root']}")
        if answer["anchors"]:
            print(f"agrees with {answer['anchors']} anchor{'s' if answer['anchors'] > 1 else ''}")
        else:
            print("no anchors: that its end was never cut off, or all of it written anew, is not shown")
        for words in corrected:
            print(_plainly(words))
        for stamp in stamps:
            print(f"the first {stamp['size']} events existed at {stamp['time']} ({stamp['authority']})")
    return answer


def _show(given: argparse.Namespace) -> dict[str, Any]:
    with _opened(given) as ledger:
        events = [event for event in ledger.events() if given.kind in (None, event.kind)]
    if given.id is not None:
        events = _of_record(events, given.id, given.ledger)
    if given.last is not None:
        events = events[len(events) - min(given.last, len(events)) :]
    if not given.json:
        for event in events:
            print(_line(event))
    return {"events": [_event_json(event) for event in events]}


def _of_record(events: list[Event], wanted: str, ledger: str) -> list[Event]:
    """The history of the record of this id; ids may be cut short, as `show` itself prints them."""
    begins = wanted.rstrip("…")
    found = [event for event in events if event.id == wanted] or [
        event for event in events if begins and event.id.startswith(begins)
    ]
    if not found:
        raise FalseworkError(
            f'no record here is called "{wanted}"',
            where=ledger,
            todo=f"`falsework ledger show {ledger}` lists them; --json gives their ids in full.",
        )
    return found


def _prove(given: argparse.Namespace) -> dict[str, Any]:
    with _opened(given) as ledger:
        proof = ledger.inclusion(given.event)
        event = ledger.events(given.event)[0]
        answer: dict[str, Any] = {
            "event": given.event,
            "payload": event.payload.decode(),
            "leaf": proof.leaf.hex(),
            "size": proof.size,
            "root": proof.root.hex(),
            "inclusion": [one.hex() for one in proof.proof],
        }
        if given.since is not None:
            answer["since"] = {
                "size": given.since,
                "root": ledger.root(given.since).hex(),
                "consistency": [one.hex() for one in ledger.consistency(given.since)],
            }
    if not given.json:
        print(_line(event))
        print(f"Event {proof.sequence} is one of the {proof.size} under the root {proof.root.hex()}.")
        print("The proof: hashes that lead from it to the root (RFC 6962); --json gives its bytes, too.")
        for one in proof.proof:
            print(f"  {one.hex()}")
        if given.since is not None:
            print(
                f"The first {given.since} events are as they were under the root {answer['since']['root']}."
            )
            print("The proof (RFC 6962, consistency):")
            for text in answer["since"]["consistency"]:
                print(f"  {text}")
    return answer


def _export(given: argparse.Namespace) -> dict[str, Any]:
    import json

    from falsework.media.atomic import write_bytes

    with _opened(given) as ledger:
        events = ledger.events()
    if given.format == "events":
        content = b"".join(event.payload + b"\n" for event in events)
    else:
        from falsework.rights.prov import prov_json
        from falsework.rights.state import State

        content = json.dumps(prov_json(State.of(events)), ensure_ascii=False, indent=1).encode()
    write_bytes(given.out, content)
    if not given.quiet and not given.json:
        print(f"{given.out}: {len(events)} events")
    return {"file": str(given.out), "events": len(events), "format": given.format}


def _anchor(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    notes: list[str] = []

    def stamp(statement: bytes) -> bytes:
        request_stamp = _timestamps().request_stamp
        try:
            return bytes(request_stamp(statement, given.authority, wait=given.wait, roots=_read(given.roots)))
        except FalseworkError as error:
            if not given.go_on:
                raise
            notes.append(f"Without a time-stamp: {error.what}")
            return b""

    with _opened(given) as ledger:
        anchor = ledger.anchor(at=datetime.now(UTC), stamp=stamp if given.authority else None)
        file = ledger.anchors_file
    if not given.quiet and not given.json:
        print(f"{file}: {anchor.size} events, root {anchor.root.hex()}")
        for note in notes:
            print(note, file=sys.stderr)
    return {"file": str(file), "anchor": anchor.to_json(), "notes": notes}


def _clock(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.rights.gate import person_named, said
    from falsework.rights.state import State

    role, why = said(given.role, "role"), said(given.reason, "reason")
    with _opened(given) as ledger:
        faults = ledger.verify()
        if faults:
            raise FalseworkError(
                f"the ledger is not as it was written: {faults[0].words}",
                where=ledger.where,
                todo="Nobody decides in it. Bring back a copy that verifies (docs/ledger.md).",
            )
        person = person_named(State.of(ledger.events()), None, given.by, role)
        now = datetime.now(UTC)
        decision = ledger.correct_clock(person, role=role, why=why, at=now)
        if ledger.anchors_file is not None:
            ledger.anchor(at=now)  # or a copy of the ledger from before would do as if nobody had decided
        state = State.of(ledger.events())
    correction = state.corrections[-1]
    again = [one for one in state.decisions.values() if not one.withdrawn and state.misdated(one)]
    if not given.quiet and not given.json:
        print(_plainly(correction.words(person.name)))
        for one in again:
            print(_plainly(f"to be decided again: {one.type} {one.about} by {one.by.removeprefix('party:')}"))
    return {"decision": decision.model_dump(mode="json"), "again": [one.id for one in again]}


def _set_back(ledger: Ledger, stamps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Corrections of a clock that the seals of an authority show to be wrong, as faults."""
    from falsework.rights.clock import contradicted, corrections
    from falsework.rights.events import time_of

    sealed = [(int(one["size"]), time_of(one["time"])) for one in stamps]
    wrong = contradicted(corrections(ledger.events()), sealed) if sealed else ()
    return [{"kind": "time", "event": event, "words": words} for event, words in wrong]


def _corrected(ledger: Ledger) -> list[str]:
    """The corrections of a clock, as sentences."""
    from falsework.rights.clock import corrections
    from falsework.rights.state import State

    events = ledger.events()
    found = corrections(events)
    parties = State.of(events).parties if found else {}
    return [one.words(parties[one.by].name if one.by in parties else "") for one in found]


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"must be 0 or a positive whole number, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most 600 seconds, not {text!r}")
    return seconds


def _opened(given: argparse.Namespace) -> Ledger:
    from falsework.rights.ledger import Ledger

    return Ledger.open(given.ledger, create=False, anchors=given.anchors)


def _stamps(roots: Path | None, anchors: list[Anchor]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the anchors' time-stamps say, and those that do not hold as faults; nothing without `roots`."""
    if roots is None or not any(anchor.token for anchor in anchors):
        return [], []
    _timestamps()
    from falsework.rights.events import time_text
    from falsework.rights.seals import seals_of

    seals = seals_of(anchors, _read(roots))
    stamps = [
        {"size": seal.size, "time": time_text(seal.time), "authority": seal.authority} for seal in seals.held
    ]
    return stamps, [{"kind": "anchor", "event": None, "words": words} for words in seals.faults]


def _timestamps() -> Any:
    try:
        from falsework.rights import timestamp
    except ModuleNotFoundError as error:
        raise FalseworkError(
            "the library for RFC 3161 time-stamps is missing",
            todo="Install it with `pip install 'falsework[rights]'`.",
        ) from error
    return timestamp


def _read(path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FalseworkError(f"could not be read ({error.strerror or error})", where=path) from error


def _line(event: Event) -> str:
    """One event for people: number, time, kind, id and what it says first."""
    body = event.body
    said = [str(body[key]) for key in SAYS.get(event.kind, ()) if body.get(key)]
    if said and body.get("withdrawn"):
        said[0] += " withdrawn"
    if said and body.get("revoked"):
        said[0] += f" revoked from {str(body['revoked'])[:10]}"
    short = event.id[:SHORT] + "…" if len(event.id) > SHORT + 1 else event.id
    line = (
        f"{event.sequence:>6}  {event.time:%Y-%m-%d %H:%M:%SZ}  {event.kind:<8}  {short}  {': '.join(said)}"
    )
    line = _plainly(line)
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def _plainly(line: str) -> str:
    """What others wrote must not steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _event_json(event: Event) -> dict[str, Any]:
    from falsework.rights.events import time_text

    return {
        "sequence": event.sequence,
        "time": time_text(event.time),
        "kind": event.kind,
        "body": event.body,
        "previous": event.previous.hex(),
        "digest": event.digest.hex(),
    }
