"""A wish ("a 90s thriller with Al Pacino, no gore") into the fields of a query.

Rules take their words in turn: titles, running time, years, children, people, then genres, moods,
languages, countries and kinds with what negates or softens them; what nobody took is the text to search
with.

Decisions: "not too scary" excludes the gory but stays no exclusion of the scary itself (`mild`); years and
ages that are vague or doubted only rank (`around`); a language named for a film ("a French film") is the
language spoken, a country ("British", "from Mexico") only ranks; what a film is about is text, never a
genre.
"""

from __future__ import annotations

from typing import Any, Final

from falsework.search.query import LONGEST_TEXT, Query, Span
from falsework.search.understanding.children import take_children
from falsework.search.understanding.comparing import compared
from falsework.search.understanding.draft import Wish, terms
from falsework.search.understanding.lexicon import FILLERS, meanings
from falsework.search.understanding.matching import in_story
from falsework.search.understanding.names import Names
from falsework.search.understanding.people_said import PersonSaid, people_in
from falsework.search.understanding.remainder import left_over
from falsework.search.understanding.running_time import runtime_in
from falsework.search.understanding.seasons import seasons_in
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.titles_said import TitleSaid, titles_in, whole_title
from falsework.search.understanding.wanted import take_vocabulary
from falsework.search.understanding.years import YearsSaid, years_in

__all__ = ["query_of", "read_wish", "take_titles"]

NEARBY: Final = 2  # years a single guessed year may be off


def read_wish(text: str, names: Names, *, spanish: bool = False) -> Wish:
    """All that one wish says. `spanish`: know the vocabularies' Spanish words too."""
    sentence = Sentence.of(text)
    wish = Wish(sentence)
    whole = whole_title(sentence, names)
    if whole is not None and whole.linked is not None:
        wish.add("titles", names.written(whole.linked))
        if not _says_more(sentence, spanish=spanish):
            return wish
    take_titles(wish, titles_in(sentence, names), names)
    seasons = seasons_in(sentence)
    if seasons is not None:
        wish.spans["seasons"] = seasons
    runtime = runtime_in(sentence)
    if runtime is not None:
        wish.spans["runtime"] = runtime
    take_children(wish)
    take_people(wish, people_in(sentence, names))
    take_years(wish, names.newest)
    take_comparisons(wish, names.newest)
    take_vocabulary(wish, spanish=spanish)
    if seasons is not None:
        wish.kind = "series"
    return wish


def query_of(wish: Wish, *, kids: bool = False, text: str | None = None) -> Query:
    """The query of a wish; `kids`: the profile is a child's, whatever was said."""
    fields: dict[str, Any] = {key: terms(found) for key, found in wish.values.items()}
    return Query.model_validate(
        {
            "text": left_over(wish.sentence) if text is None else text[:LONGEST_TEXT],
            **fields,
            **wish.spans,
            "kind": wish.kind,
            "kids": wish.kids or kids,
        }
    )


def _says_more(sentence: Sentence, *, spanish: bool) -> bool:
    """Whether a title's words are a wish too: "scary movie"."""
    table = meanings(spanish=spanish)
    return all(key in table or key in FILLERS for key in sentence.keys)


def take_titles(wish: Wish, titles: list[TitleSaid], names: Names) -> None:
    for title in titles:
        if title.linked is None:
            wish.unknown_titles.append(title.said)
        written = title.said if title.linked is None else names.written(title.linked)
        wish.add("titles" if title.asked and title.wanted else "like" if title.wanted else "unlike", written)


def take_comparisons(wish: Wish, newest: int) -> None:
    """ "Like Heat but shorter and funnier"."""
    for key, value in compared(wish.sentence, Query(text=""), newest, alone=True).items():
        if key == "moods":
            for mood in value:
                wish.add("moods", mood)
        else:
            wish.spans.setdefault(key, value)


def take_years(wish: Wish, newest: int) -> None:
    """Years: certain ones bind, guessed and vague ones only rank; those of a setting stay text."""
    sure: list[YearsSaid] = []
    soft: list[YearsSaid] = []
    for said in years_in(wish.sentence, newest):
        if said.setting or in_story(wish.sentence, said.first):
            continue
        (sure if said.sure else soft).append(said)
        if "white" not in wish.sentence.keys[said.first : said.after]:
            wish.sentence.use(said.first, said.after)
    if sure:
        wish.spans["years"] = _united([said.span for said in sure])
    elif soft:
        wish.spans["around"] = _united([_widened(said.span) for said in soft])


def take_people(wish: Wish, people: list[PersonSaid]) -> None:
    for person in people:
        if person.name is None:
            wish.unknown_people.append(person.said)
            wish.sentence.used[person.first : person.after] = [False] * (person.after - person.first)
        elif person.wanted:
            wish.add("people", person.name)
        else:
            wish.add("exclude", person.name)


def _united(spans: list[Span]) -> Span:
    """Years of several mentions: from the earliest to the latest; where all are open on a side, what holds
    for all of them.
    """
    lows = [span.least for span in spans if span.least is not None]
    highs = [span.most for span in spans if span.most is not None]
    closed = len(lows) == len(highs) == len(spans)
    least = (min(lows) if closed else max(lows)) if lows else None
    most = (max(highs) if closed else min(highs)) if highs else None
    return (
        spans[-1] if least is not None and most is not None and least > most else Span(least=least, most=most)
    )


def _widened(span: Span) -> Span:
    if span.least is not None and span.least == span.most:
        return Span(least=max(span.least - NEARBY, 0), most=min(span.most + NEARBY, 9999))
    return span
