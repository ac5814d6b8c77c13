"""`falsework verify FILE`: who signed a file, whether that is trusted, and what was changed since."""

from __future__ import annotations

import argparse
import io
import sys
import traceback
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from falsework.cli.output import write_out
from falsework.errors import shown

if TYPE_CHECKING:
    from rich.console import Console

    from falsework.rights.folder import FolderVerification
    from falsework.rights.verification import IngredientOutcome, Verification

__all__ = ["add"]

COLOURS = {"trusted": "green", "valid": "yellow", "invalid": "red", "unsigned": "yellow"}
MOST_OTHERS = 6  # names in a line; --json has all
MOST_ALIKE = 3  # actions or ingredients of one kind that take a line each, and names in the line of more

MANY = {"unsigned": "none carries credentials", "intact": "all intact"}
LONGEST_KIND = 20  # characters; what is longer is no kind but a description

Like = TypeVar("Like")

CODES = "exit codes: 0 trusted, 1 valid but not trusted, 3 invalid, 4 unsigned, 2 usage or unreadable"


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "verify",
        parents=[shared],
        help="check a file's Content Credentials, whoever made it",
        epilog=CODES,
    )
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a movie, a still, a sidecar (.c2pa), or a folder: each file in it",
    )
    parser.add_argument(
        "--trust",
        type=Path,
        action="append",
        default=[],
        metavar="PEM",
        help="roots to trust: a PEM file or a credentials folder; may be given again (none is built in)",
    )
    parser.add_argument(
        "--production",
        type=Path,
        metavar="PRODUCTION.TOML",
        help="trust what this production's [credentials] trusts",
    )
    parser.add_argument(
        "--mark", action="store_true", help="also look for the invisible mark in the pictures themselves"
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="a line for each ingredient, however many are alike"
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.errors import FalseworkError

    try:
        return _checked(given)
    except FalseworkError:
        raise
    except (
        OSError
    ) as error:  # a name too long, a loop of links, a file that may not be read, a disk that fails
        raise FalseworkError(
            f"cannot be read ({error.strerror or error})", where=given.file, todo="Check the path."
        ) from error
    except Exception as error:
        if given.debug:
            print("".join(traceback.format_exception(error)), file=sys.stderr)
        # Exit code 1 means "valid" here, so a fault of ours must not end with it, --debug or not.
        raise FalseworkError(
            f"could not be checked ({type(error).__name__})",
            where=given.file,
            todo="Nothing is known about it; treat it as unsigned. A fault of ours"
            + ("." if given.debug else ": --debug shows it."),
        ) from error


def _checked(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.rights.verification import verify

    anchors = _anchors(given)
    if given.file.is_dir():
        return _folder(given, anchors)
    outcome = verify(given.file, anchors=anchors)
    mark = _mark(given)
    if not given.quiet and not given.json:
        lines = io.StringIO()
        _tell(_console(lines), outcome, bool(anchors), verbose=given.verbose)
        for line in mark.get("words", ()):
            lines.write(f"  {'mark read':<13}{line}\n")
        write_out(lines.getvalue())
    found = (
        {"mark": {key: value for key, value in mark.items() if key != "words"} or None} if given.mark else {}
    )
    return {"ok": outcome.state in ("trusted", "valid"), **outcome.to_json(), **found}


def _folder(given: argparse.Namespace, anchors: str) -> dict[str, Any]:
    """Every file of a folder with its own verdict; the gravest is the folder's."""
    from falsework.errors import FalseworkError
    from falsework.rights.folder import verify_folder

    if given.mark:
        raise FalseworkError(
            "is a folder, and the mark is read in one picture or movie",
            where=given.file,
            todo="Name one of its files.",
        )
    outcome = verify_folder(given.file, anchors=anchors)
    if not given.quiet and not given.json:
        lines = io.StringIO()
        console = _console(lines)
        if len(outcome.files) == 1 and not outcome.unreadable:
            _tell(console, outcome.files[0], bool(anchors), verbose=given.verbose)
        else:
            _tell_folder(console, outcome)
        write_out(lines.getvalue())
    return {"ok": outcome.state in ("trusted", "valid"), **outcome.to_json()}


def _tell_folder(console: Console, outcome: FolderVerification) -> None:
    """One line for each file, with what is wrong with it below."""
    from rich.text import Text

    def within(path: str) -> str:
        found = Path(path)
        return shown(str(found.relative_to(outcome.path)) if found.is_relative_to(outcome.path) else path)

    for one in outcome.files:
        row = Text(f"{one.state.upper():<11}", style=f"bold {COLOURS[one.state]}").append(within(one.path))
        if one.files_listed:
            row.append(f"  {one.files_checked} of {one.files_listed} files checked", style="dim")
        if one.signer is not None:
            row.append(f"  signed by {one.signer.name}", style="dim")
        console.print(row)
        for fault in one.faults:
            console.print(Text(f"{'':<11}{fault.words}", style="red"))
    for lost in outcome.unreadable:
        console.print(Text("UNREADABLE ", style="bold red").append(within(lost.path)))
        console.print(Text(f"{'':<11}{shown(lost.why)}", style="red"))
    if outcome.others:
        some = ", ".join(within(path) for path in outcome.others[:MOST_OTHERS])
        more = len(outcome.others) - MOST_OTHERS
        rest = f" and {more:,} more" if more > 0 else ""
        console.print(Text(f"{'':<11}not signed, in forms without a place for it: {some}{rest}", style="dim"))
    if not outcome.files and not outcome.unreadable:
        console.print(Text("UNSIGNED   nothing here carries Content Credentials", style="bold yellow"))
    elif outcome.files:
        console.print(Text("Name a file to see all that its credentials say.", style="dim"))


def _console(lines: io.StringIO) -> Console:
    from rich.console import Console

    return Console(file=lines, soft_wrap=True, highlight=False, force_terminal=sys.stdout.isatty() or None)


def _mark(given: argparse.Namespace) -> dict[str, Any]:
    """The mark in the pictures themselves; it never changes the outcome, since anyone can write one."""
    if not given.mark:
        return {}
    from falsework.rights.mark_reading import find_mark

    mark = find_mark(given.file)
    if mark is None:
        return {"words": ["none can be read"]}
    words = [f"pointer {mark.pointer.hex()} ({mark.agreement:.0%} of the evidence agrees)"]
    if mark.kept != (1.0, 1.0):
        words.append(
            f"cropped: {mark.kept[0]:.0%} of the width and {mark.kept[1]:.0%} of the height are left"
        )
    if mark.mirrored:
        words.append("mirrored")
    words.append("It says which cut to look for in the production's records, and proves nothing by itself.")
    return {
        "pointer": mark.pointer.hex(),
        "agreement": mark.agreement,
        "kept": mark.kept,
        "mirrored": mark.mirrored,
        "words": words,
    }


def _anchors(given: argparse.Namespace) -> str:
    from falsework.rights.certificates import read_trust

    paths = list(given.trust)
    if given.production is not None:
        from falsework.rights.places import named_folders, named_place
        from falsework.rights.production import load_production

        trust = load_production(given.production).credentials.trust
        folder = given.production if given.production.is_dir() else given.production.parent
        if trust:
            paths.append(named_place(folder, trust, "credentials.trust", named_folders()))
    return "".join(read_trust(path) for path in paths)


def _tell(console: Console, outcome: Verification, anchored: bool, *, verbose: bool = False) -> None:
    """The outcome for people. Text from outside goes in as plain text, never as markup."""
    from rich.text import Text

    words = {
        "trusted": "TRUSTED: signed by someone you trust, and unchanged since",
        "valid": "VALID, NOT TRUSTED: unchanged since it was signed, by someone nobody here vouches for",
        "invalid": "INVALID: do not rely on what these credentials say",
        "unsigned": "UNSIGNED: no Content Credentials; where it comes from is not known",
    }
    console.print(Text(words[outcome.state], style=f"bold {COLOURS[outcome.state]}"))
    console.print(Text(shown(outcome.path), style="dim"))

    def line(name: str, value: str, style: str = "") -> None:
        if value:
            console.print(Text(f"  {name:<13}", style="dim").append(value, style=style))

    for fault in outcome.faults:
        line("fault", fault.words, "red")
    if outcome.signer is not None:
        signer = outcome.signer
        by = ", ".join(dict.fromkeys(each for each in (signer.name, signer.organisation) if each))
        line("signed by", f"{by} ({signer.algorithm}; certificate issued by {signer.issuer})")
        if signer.test:
            line("", "a TEST chain for trying out: anyone can make one", "yellow")
        by_whom = ", by an authority nobody here vouches for" if outcome.stamped == "untrusted" else ""
        line(
            "signed at",
            outcome.signed_at + by_whom or "not time-stamped: when is only what the signer says",
            "yellow" if by_whom else "",
        )
        if outcome.state == "valid" and not anchored:
            line("trust", "no root was given; name those you trust with --trust PEM")
    said = outcome.statements
    line("title", said.title)
    line("made with", said.generator)
    line("source type", ", ".join(said.source_types))
    line("AI", ", ".join(said.ai))
    runs = groupby(said.actions, lambda one: (one.action, one.agent, one.when))  # steps stay in their order
    for same in (part for _, run in runs for part in _alike(list(run), lambda one: "", verbose)):
        action, names = same[0], [name for each in same for name in each.ingredients]
        by = f" by {action.agent}" if action.agent else ""
        of = f" {', '.join(names) if len(same) == 1 else _some(names)}" if names else ""
        line(
            "action",
            f"{action.action.removeprefix('c2pa.')}{of}{by}{f', {action.when}' if action.when else ''}",
        )
    if said.mining:
        line("mining", ", ".join(f"{use} {terms}" for use, terms in said.mining))
    for credit in said.credits:
        line("credit", credit)
    line("licence", said.licence)
    _tell_ingredients(console, outcome.ingredients, 1, verbose)
    line("cut", outcome.cut)
    if outcome.ledger_root:
        line("ledger", f"{outcome.ledger_size} events, root {outcome.ledger_root}")
    line("mark", f"the frames are said to carry the pointer {outcome.watermark}" if outcome.watermark else "")
    if outcome.files_listed:
        line(
            "files", f"{outcome.files_checked} of {outcome.files_listed} checked, by {shown(outcome.sidecar)}"
        )
    if outcome.unbound:
        left = "more than the standard leaves out" if outcome.beyond else "what the standard leaves out"
        line("not bound", f"{', '.join(outcome.unbound)}: {left}", "yellow" if outcome.beyond else "")
    for note in outcome.notes:
        line("note", note, "yellow")
    if outcome.state in ("trusted", "valid"):
        console.print(Text("Signed is not the same as true: these are the signer's statements.", style="dim"))


def _alike(these: Sequence[Like], told: Callable[[Like], object], verbose: bool) -> list[list[Like]]:
    """What says the same but for its names, together where it is many; None says the same as nothing else."""
    groups: dict[object, list[Like]] = {}
    for number, one in enumerate(these):
        said = None if verbose else told(one)
        groups.setdefault(number if said is None else said, []).append(one)
    return [
        part
        for same in groups.values()
        for part in ([same] if len(same) > MOST_ALIKE else [[each] for each in same])
    ]


def _some(names: Sequence[str]) -> str:
    return f"{len(names)} ({', '.join(names[:MOST_ALIKE])} and {len(names) - MOST_ALIKE} more; -v names all)"


def _tell_ingredients(
    console: Console, ingredients: tuple[IngredientOutcome, ...], level: int, verbose: bool
) -> None:
    from rich.text import Text

    def told(one: IngredientOutcome) -> object:
        if one.state == "broken" or one.ingredients:  # each has something of its own to say
            return None
        return one.kind, one.relationship, one.state, one.signer, one.trusted

    words = {
        "broken": ("BROKEN", "red"),
        "unsigned": ("carries no credentials", "dim"),
        "remote": ("its credentials are kept on the network, and were not asked for", "yellow"),
        "intact": ("intact", "green"),
    }
    for same in _alike(ingredients, told, verbose):
        each = same[0]
        signed, style = words[each.state]
        by = f", signed by {each.signer}" if each.signer else ""
        if each.state == "intact" and not each.trusted:
            by, style = f"{by or ', signed'}, whom nobody here vouches for", "yellow"
        title = each.title
        if len(same) > 1:
            kind = f"{each.kind}: " if len(each.kind) <= LONGEST_KIND and each.kind else ""
            title = kind + _some([one.title for one in same])
            signed = MANY.get(each.state, signed)
        row = Text(f"  {'ingredient':<13}", style="dim").append("  " * (level - 1) + title)
        console.print(row.append(f"  {each.relationship}, {signed}{by}", style=style))
        _tell_ingredients(console, each.ingredients, level + 1, verbose)
