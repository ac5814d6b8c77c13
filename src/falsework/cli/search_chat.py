"""`falsework search --chat`: a conversation in which each line edits the wish before."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from falsework.cli.output import write_out
from falsework.cli.search_words import card, reason_words, told
from falsework.errors import FalseworkError, shown

if TYPE_CHECKING:
    from falsework.search.answer import Answer, Result
    from falsework.search.query import Query
    from falsework.search.searcher import Searcher

__all__ = ["Conversation", "chat"]

PROMPT = "> "
GREETING = """\
What would you like to watch? Say it in your own words, then change it: "shorter", "no gore", "in Spanish".
/remove N takes a condition away, /show N and /why N tell of a result, /kids, /new, /help, /quit.
"""
LOCKED = "This conversation was begun for children (--kids), and stays so until it ends.\n"
HELP = """\
  /remove N   take condition N away (or "1 3") /kids   only for children from now on, and back
  /show N     all that is known of result N   /new    forget the wish
  /why N      why result N is here            /quit   leave (Ctrl-D too)
Anything else edits the wish, or begins another: "funnier", "with Tom Hanks", "more like the second". It may
stand behind /remove and /kids too: "/remove 2 but funnier". [What is in square brackets] every result meets;
(what is in round ones) only ranks.
"""


def chat(given: argparse.Namespace, searcher: Searcher) -> dict[str, Any]:
    """Read lines until there are no more. A pipe works as well as a keyboard, and is echoed."""
    talk = Conversation(searcher, kids=given.kids, limit=given.limit, territory=given.territory,
                        offline=given.offline, explain=given.explain)  # fmt: skip
    read = _reader()
    if not given.quiet:
        write_out(GREETING)
    turns = 0
    while not talk.ended:
        try:
            line = read()
        except EOFError:
            write_out("\n" if sys.stdin.isatty() else "")
            break
        except KeyboardInterrupt:  # a line that was begun is thrown away, the conversation is not
            write_out("\n")
            continue
        if line.strip():
            turns += 1
            write_out(talk.hear(line))
    return {"turns": turns}


class Conversation:
    """What was said so far, and the answer to it."""

    def __init__(
        self,
        searcher: Searcher,
        *,
        kids: bool = False,
        limit: int = 10,
        territory: str | None = None,
        offline: bool = False,
        explain: bool = False,
    ) -> None:
        self.kids = kids
        self._locked = kids  # begun as a child's: no child ends it from inside
        self.ended = False
        self.answer: Answer | None = None
        self._searcher = searcher
        self._limit = limit
        self._territory = territory
        self._offline = offline
        self._explain = explain
        self._wish = ""

    def hear(self, line: str) -> str:
        """The reply to one line, which is a command where it begins with a stroke."""
        line = line.strip()
        try:
            if not line.startswith("/"):
                return self._searched(line)
            word, _, rest = line[1:].partition(" ")
            command = self._commands().get(word.lower())
            if command is None:
                return f"There is no /{shown(word)}.\n{HELP}"
            return command(rest.strip())
        except FalseworkError as error:
            return error.sentence() + "\n"

    def _commands(self) -> dict[str, Callable[[str], str]]:
        return {
            "remove": self._removed,
            "show": lambda rest: self._of_result(rest, lambda result: card(result.title)),
            "why": lambda rest: self._of_result(rest, self._reasons),
            "kids": self._kids,
            "new": self._forgotten,
            "help": lambda _: HELP,
            "quit": self._left,
            "exit": self._left,
        }

    def _searched(self, line: str) -> str:
        answer = self._searcher.search(
            line,
            kids=self.kids,
            previous=None if self.answer is None else self.answer.turn,
            limit=self._limit,
            territory=self._territory,
            offline=self._offline,
        )
        self._wish = line
        return self._told(answer)

    def _removed(self, rest: str) -> str:
        """Take conditions away by their numbers; what is said behind these is heard as any sentence."""
        chips = () if self.answer is None else self.answer.chips
        said, sentence = _numbers(rest)
        numbers = [_number(each, len(chips)) for each in said]
        if self.answer is None or not numbers or None in numbers:
            which = f"Which one? /remove with a number from 1 to {len(chips)}." if chips else "There is none."
            return f"{which} “{shown(sentence)}” was not heard.\n" if sentence else f"{which}\n"
        query, locked = self.answer.query, ""
        for chip in [chips[number - 1] for number in numbers if number is not None]:
            if chip.key == "kids" and self.kids:
                locked = LOCKED if self._locked else "This is a children's profile: /kids ends it.\n"
            else:
                query = self._searcher.without(query, chip)
        if query == self.answer.query:
            return locked + (self._searched(sentence) if sentence else "")
        return locked + self._again(query, sentence)

    def _kids(self, sentence: str) -> str:
        if self._locked:
            return LOCKED + (self._searched(sentence) if sentence else "")
        self.kids = not self.kids
        self._wish = ""  # what adults said is quoted to no child
        words = "Only what is rated for children from now on.\n" if self.kids else "For everybody again.\n"
        if self.answer is None:
            return words + (self._searched(sentence) if sentence else "")
        query = self.answer.query.model_copy(update={"kids": self.kids})
        return words + self._again(query, sentence, said=self.answer.said)

    def _again(self, query: Query, sentence: str, *, said: str = "") -> str:
        """The answer to a query that was changed by a command, and to the sentence that stood behind it."""
        language = "en" if self.answer is None else self.answer.language
        answer = self._searcher.find(
            query, kids=self.kids, limit=self._limit, territory=self._territory, language=language, said=said
        )
        if not sentence:
            return self._told(answer)
        self.answer = answer
        return self._searched(sentence)

    def _told(self, answer: Answer) -> str:
        self.answer = answer
        return told(answer, explain=self._explain, numbered_chips=True)

    def _forgotten(self, _: str) -> str:
        self.answer, self._wish = None, ""
        return "Forgotten. What would you like to watch?\n"

    def _left(self, _: str) -> str:
        self.ended = True
        return ""

    def _of_result(self, rest: str, tell: Callable[[Result], str]) -> str:
        results = () if self.answer is None else self.answer.results
        number = _number(rest, len(results))
        if number is None:
            return f"Which one? A number from 1 to {len(results)}.\n" if results else "There is none yet.\n"
        return tell(results[number - 1])

    def _reasons(self, result: Result) -> str:
        """Each reason with where it stands and what it answers; then what an endpoint points at."""
        lines = [f"{shown(result.title.title)}, because the catalogue says:"]
        for reason in result.why:
            wish = f"   (you said: {reason.wish})" if reason.wish else ""
            lines.append(shown(f"  {reason.field:<10} {reason_words(reason)}{wish}"))
        answer = self.answer
        explanation = None
        if answer is not None and not self._offline:
            explanation = self._searcher.explain(answer.query, [result.title], self._wish)
        if explanation is not None:
            for claim in explanation:
                wish = f"   (you said: {claim.wish})" if claim.wish else ""
                lines.append(shown(f"  {claim.field:<10} “{claim.quote}”{wish}"))
            lines += [shown(note) for note in explanation.notes]
        return "\n".join(lines) + "\n"


def _numbers(text: str) -> tuple[list[str], str]:
    """The words before the first that is no number, and the rest: "1, 3 but funnier"."""
    words = text.split()
    size = next((at for at, word in enumerate(words) if not word.rstrip(",;").isdecimal()), len(words))
    return [word.rstrip(",;") for word in words[:size]], " ".join(words[size:])


def _number(text: str, most: int) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 6 and 1 <= int(text) <= most else None


def _reader() -> Callable[[], str]:
    """Lines from a keyboard, with its arrows and a history; from a pipe echoed: a transcript reads well."""
    if sys.stdin.isatty():
        with suppress(ImportError):  # a Python without it still reads lines
            import readline  # noqa: F401  (importing it gives `input` its arrows)
        return lambda: input(PROMPT)

    def piped() -> str:
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        if line.strip():
            write_out(f"{PROMPT}{shown(line.rstrip())}\n")
        return line

    return piped
