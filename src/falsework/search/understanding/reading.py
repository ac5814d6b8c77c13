"""The way a viewer's sentence goes: made plain, put into English, read as an edit, a wish or a story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from falsework.search.query import LONGEST_TEXT, Query
from falsework.search.text import folded, tokens
from falsework.search.understanding.absent import Told, absent_title, is_ordinary
from falsework.search.understanding.chips import chips_of
from falsework.search.understanding.draft import Wish
from falsework.search.understanding.followups import read_followup
from falsework.search.understanding.lexicon import FILLERS, OPERATORS, meanings
from falsework.search.understanding.names import Names
from falsework.search.understanding.sentence import Sentence, cleaned
from falsework.search.understanding.spanish import English, to_english
from falsework.search.understanding.story import is_story, read_story
from falsework.search.understanding.taking_back import TakenBack, taken_back
from falsework.search.understanding.understood import Understood
from falsework.search.understanding.wish import query_of, read_wish

__all__ = ["understand"]

MOST_NAMED: Final = 6  # words of a text that may be hardly more than names
SHORTEST_TYPED: Final = 4  # letters of a Spanish word that is looked for as it was typed
SPANISH_WORDS: Final = ("una", "que", "para", "por")  # which hardly any Spanish text is without
FEWEST_SPANISH: Final = 0.01  # share of titles from which those are no names
MANY_WORDS: Final = 30  # from which on people talk, and much is said in passing


def understand(
    text: str,
    *,
    names: Names,
    kids: bool = False,
    previous: Query | None = None,
    shown: Sequence[str] = (),
    told: Told | None = None,
) -> Understood:
    """What a viewer means by a sentence, in English or Spanish.

    `kids`: the profile is a child's; it stays so whatever is said. `previous`: the query before in this
    conversation, which the sentence may edit ("shorter", "no gore"). `shown`: the titles of the answer to
    it, in their order, for "more like the second". `told`: in how many titles' texts a word
    stands; a rare word that stands in none is taken for a title's. Any text is read and none raises.
    """
    plain, left_out = cleaned(text)
    english = to_english(plain)
    if english.language == "es" and _is_names(plain, english, names):
        english = English(plain, "en")
    spanish = english.language == "es"
    said, cut = cleaned(english.text)
    if previous is not None:
        back = taken_back(plain, previous, names, kids=kids, spanish=spanish)
        if back is not None and (taken := _less(back, english, names, kids=kids, shown=shown)) is not None:
            return taken
        edited = read_followup(said, previous, names=names, kids=kids, shown=shown, spanish=spanish)
        if edited is not None:
            query, wish, step = edited
            unknown = (tuple(wish.unknown_titles), tuple(wish.unknown_people)) if wish else ((), ())
            return Understood(
                query,
                chips_of(query, language=english.language),
                english.language,
                step,
                *unknown,
                left_out + cut,
            )
    sentence = Sentence.of(said)
    if is_story(sentence):
        query, wish = read_story(sentence, names, kids=kids)
    else:
        wish = read_wish(said, names, spanish=spanish)
        query = query_of(wish, kids=kids)
        if len(sentence.words) >= MANY_WORDS:
            query = _in_passing(query)
        if _says_only_text(wish) and (name := absent_title(sentence, names, told=told)) is not None:
            wish.unknown_titles.append(name)
            query = query_of(wish, kids=kids, text=name)
    if spanish and told is not None and _tells_in_spanish(told, len(names)):
        query = _with_typed(query, english, told)
    return Understood(
        query,
        chips_of(query, language=english.language),
        english.language,
        "new",
        tuple(wish.unknown_titles),
        tuple(wish.unknown_people),
        left_out + cut,
    )


def _less(
    back: TakenBack, english: English, names: Names, *, kids: bool, shown: Sequence[str]
) -> Understood | None:
    """The wish before less what was taken back, edited by the rest of the sentence; None where the rest is a
    wish of its own."""
    query = back.query
    unknown: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    if back.rest:
        edited = read_followup(
            back.rest, query, names=names, kids=kids, shown=shown, spanish=english.language == "es",
            surely=back.leads,
        )  # fmt: skip
        if edited is None:
            return None
        query, wish, _ = edited
        unknown = (tuple(wish.unknown_titles), tuple(wish.unknown_people)) if wish else unknown
    return Understood(
        query,
        chips_of(query, language=english.language),
        english.language,
        "cleared" if back.cleared else "edited",
        *unknown,
        remarks=tuple(f"Nothing was asked for as “{what}”: nothing was taken away." for what in back.idle),
    )


def _tells_in_spanish(told: Told, titles: int) -> bool:
    """Whether some of the catalogue's texts are in Spanish, and not just names in them: in an English one
    even "casa" stands in a title, and finds it for every house."""
    return sum(told(word) >= FEWEST_SPANISH * titles for word in SPANISH_WORDS) >= 2


def _with_typed(query: Query, english: English, told: Told) -> Query:
    """The query with the Spanish words of its text behind the English ones, where the catalogue's texts have
    them: a synopsis may be in Spanish too. What is an English word as well would find something else."""
    left = set(tokens(query.text))
    typed = dict.fromkeys(
        word
        for said, meant in english.glossed
        if left.intersection(tokens(meant))
        for word in said.split()
        if len(word) >= SHORTEST_TYPED and not is_ordinary(folded(word), None) and told(word)
    )
    new = [word for word in typed if not left.intersection(tokens(word))]
    text = " ".join((query.text, *new))
    return query.model_copy(update={"text": text}) if new and len(text) <= LONGEST_TEXT else query


def _in_passing(query: Query) -> Query:
    """A long talk's query: years and people that it mentions rank, and shut nothing out."""
    if query.people:
        text = ". ".join(part for part in (query.text, ", ".join(query.people)) if part)[:LONGEST_TEXT]
        query = query.model_copy(update={"people": (), "text": text})
    if query.years is not None:
        query = query.model_copy(update={"years": None, "around": query.around or query.years})
    return query


def _says_only_text(wish: Wish) -> bool:
    """Whether no rule has understood anything."""
    return not (
        any(wish.values.values()) or wish.spans or wish.kind or wish.kids
        or wish.unknown_titles or wish.unknown_people
    )  # fmt: skip


def _is_names(plain: str, english: English, names: Names) -> bool:
    """Whether all that sounds Spanish is a name ("Al Pacino", "Los Amigos") or an English word as well."""
    if names.is_title(plain):
        return True
    sentence = Sentence.of(plain)
    if len(sentence.words) > MOST_NAMED:
        return False
    table = meanings()
    plainly = [key in table or key in FILLERS or key in OPERATORS for key in sentence.keys]
    for first in range(len(sentence.words) - 1):
        if not all(plainly[first : first + 2]) and names.person(sentence.said(first, first + 2), typos=True):
            plainly[first : first + 2] = [True, True]
    return all(plainly)
