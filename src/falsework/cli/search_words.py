"""An answer of search in words for a terminal, a file or a pipe."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from falsework.errors import shown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from falsework.catalogue.records import Title
    from falsework.search.answer import Answer, Result
    from falsework.search.ranking.why import Reason
    from falsework.search.understanding import Chip

__all__ = ["card", "chip_line", "reason_words", "told"]

INDENT = 4
IN_HEADING = ("title", "year", "kind", "runtime", "rating")
PARTS = 12  # of a score that --explain shows, the largest first
UNWRAPPED = 100_000  # columns: a pipe's lines are as long as they are


def told(answer: Answer, *, explain: bool = False, numbered_chips: bool = False, footer: bool = True) -> str:
    """The whole answer as text, in colour where standard output is a terminal that has any."""
    lines = io.StringIO()
    console = _console(lines)
    if answer.chips:
        console.print(chip_line(answer.chips, numbered=numbered_chips))
        console.print()
    _tell_missing(console, answer)
    for number, result in enumerate(answer.results, 1):
        _tell_result(console, number, result, explain=explain)
    if not answer.results and (answer.chips or not answer.unknown_words):
        _tell_nothing(console, answer)
    for note in answer.notes:
        console.print(_text(note, "yellow"))
    if footer:
        console.print(_text(f"{answer.answered_by}, {answer.took_ms:.0f} ms", "dim"))
    return lines.getvalue()


def chip_line(chips: Sequence[Chip], *, numbered: bool = False) -> Text:
    """What was understood: in square brackets what every result meets, in round ones what only ranks; with
    the numbers they are taken away by."""
    line = _text("")
    for number, chip in enumerate(chips, 1):
        line.append(" " if line.plain else "")
        opening, closing = "[]" if chip.binds else "()"
        line.append(opening, style="dim")
        line.append(f"{number} " if numbered else "", style="dim")
        line.append(shown(chip.words), style="cyan")
        line.append(closing, style="dim")
    return line


def card(title: Title) -> str:
    """All that the catalogue says of one title."""
    lines = io.StringIO()
    console = _console(lines)
    console.print(_heading(title))
    if title.original_title:
        console.print(_text(title.original_title, "italic"))
    console.print()
    _indented(console, _text(title.synopsis))
    played = ", ".join(one.name for one in title.credits if one.role == "cast")
    directed = ", ".join(one.name for one in title.credits if one.role == "director")
    for name, value in (
        ("genres", ", ".join(title.genres)),
        ("moods", ", ".join(title.moods)),
        ("directed by", directed),
        ("with", played),
        ("languages", ", ".join(_language(code) for code in title.languages)),
        ("countries", ", ".join(title.countries)),
    ):
        if value:
            _indented(console, _text(f"{name}: ", "dim").append(shown(value)))
    return lines.getvalue()


def reason_words(reason: Reason, *, liked: bool = True) -> str:
    """A reason as people read it. What is quoted is never reworded: only codes get their names."""
    if reason.field == "synopsis":
        return _quoted(reason.quote)
    if reason.field == "people":
        return f"with {reason.quote}"
    if reason.field == "runtime":
        return f"{reason.quote} min"
    if reason.field == "languages":
        return f"in {_language(reason.quote)}"
    if reason.field == "countries":
        return f"from {reason.quote}"
    if reason.field == "rating":
        return f"rated {reason.quote}"
    return reason.quote


def _quoted(passage: str) -> str:
    """Quotation marks around a passage, with dots where it begins or ends within a sentence."""
    if not passage:
        return ""
    before = "…" if passage[0].islower() else ""
    after = "" if passage.rstrip("\"'”’)]")[-1:] in (".", "!", "?") else "…"
    return f"“{before}{passage}{after}”"


def _tell_result(console: Console, number: int, result: Result, *, explain: bool) -> None:
    console.print(_text(f"{number:>2}  ", "dim").append_text(_heading(result.title)))
    quotes = [reason for reason in result.why if reason.field == "synopsis"] or [_opening(result)]
    for reason in quotes:
        _indented(console, _text(reason_words(reason)))
    others = [reason for reason in result.why if reason.field not in ("synopsis", *IN_HEADING)]
    if others:
        _indented(console, _text(" · ".join(_grouped(others)), "dim"))
    if explain:
        _indented(console, _text(_score(result), "dim"))
    console.print()


def _opening(result: Result) -> Reason:
    from falsework.search.ranking.why import Reason, opening

    return Reason("synopsis", opening(result.title.synopsis))


def _grouped(reasons: Iterable[Reason]) -> list[str]:
    """Reasons in words; those that stand for a liked title together: "like Jaws: tense, exciting"."""
    alike: dict[str, list[str]] = {}
    words = []
    for reason in reasons:
        if reason.field in ("people", "moods", "genres") and _is_liked(reason):
            alike.setdefault(reason.wish, []).append(reason.quote)
        else:
            words.append(reason_words(reason))
    return [*words, *(f"like {name}: {', '.join(quotes)}" for name, quotes in alike.items())]


def _is_liked(reason: Reason) -> bool:
    from falsework.search.text import folded

    return bool(reason.wish) and folded(reason.wish) != folded(reason.quote)


def _score(result: Result) -> str:
    parts = sorted(result.parts.items(), key=lambda part: -abs(part[1]))[:PARTS]
    said = ", ".join(f"{name} {value:+.3g}" for name, value in parts)
    return f"score {result.score:.4g}" + (f": {said}" if said else "")


def _tell_missing(console: Console, answer: Answer) -> None:
    if not answer.not_in_catalogue:
        return
    names = ", ".join(f"“{shown(name)}”" for name in answer.not_in_catalogue)
    verb = "is" if len(answer.not_in_catalogue) == 1 else "are"
    line = _text(f"{names} {verb} not in the catalogue.", "bold yellow")
    near = ", ".join(
        f"{title.title} ({title.year})" if title.year else title.title for title in answer.nearest
    )
    by_name = f"Nearest by name: {shown(near)}" if near else ""
    by_meaning = "earest by what it may be about:" if answer.results else ""
    if by_name or by_meaning:
        joined = f"{by_name}; n{by_meaning}" if near and by_meaning else by_name or f"N{by_meaning}"
        line.append(f" {joined}{'' if by_meaning else '.'}", style="yellow")
    console.print(line)
    console.print()


def _tell_nothing(console: Console, answer: Answer) -> None:
    console.print(_text("Nothing in the catalogue meets all of this.", "bold"))
    for each in answer.loosen:
        titles = "1 title" if each.titles == 1 else f"{each.titles:,} titles"
        _indented(console, _text(f"without “{each.chip.words}” there would be {titles}"))
    if not answer.loosen:
        _indented(console, _text("No single condition is what stands in the way: take away several."))
    console.print()


def _heading(title: Title) -> Text:
    facts = [
        str(title.year or ""),
        title.kind,
        f"{title.runtime} min" if title.runtime else "",
        title.rating or "not rated",
    ]
    said = " · ".join(filter(None, facts))
    return _text(title.title, "bold").append("  ").append(shown(said), style="dim")


def _language(code: str) -> str:
    from falsework.catalogue.vocabularies import LANGUAGES

    found = next((term.english[0] for term in LANGUAGES if term.name == code), "")
    return found.capitalize() or code


def _text(words: str, style: str = "") -> Text:
    """Text from outside goes in as plain text, never as markup."""
    from rich.text import Text

    return Text().append(shown(words), style=style)  # a style of its own: what is appended has another


def _indented(console: Console, text: Text) -> None:
    from rich.padding import Padding

    console.print(Padding(text, (0, 0, 0, INDENT), expand=False))


def _console(lines: io.StringIO) -> Console:
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(file=lines, highlight=False, force_terminal=True, width=Console().width)
    return Console(file=lines, highlight=False, width=UNWRAPPED)
