"""A wish read by the model into the same `Query` as the rules make, and held to the catalogue's own words.

Text is turned into a query as Netflix's Graph Search does it: the vocabulary's entries near the wish are
retrieved and go with it, the model fills in the schema, and what it says is checked for its form (syntax),
against the vocabularies and the catalogue's names (semantics), and for what must hold whatever is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from falsework.catalogue.vocabularies import (
    COUNTRIES,
    GENRES,
    LANGUAGES,
    MOODS,
    Term,
    folded,
    genres_named,
    moods_named,
)
from falsework.search.endpoint.answers import key_of
from falsework.search.endpoint.client import Prompt
from falsework.search.endpoint.errors import EndpointError
from falsework.search.endpoint.material import AS_DATA, as_material, plain
from falsework.search.endpoint.schema import strict_schema
from falsework.search.endpoint.wire import parsed
from falsework.search.query import LONGEST_TEXT, MOST_TERMS, Query
from falsework.search.understanding.lexicon import compound
from falsework.search.understanding.names import Names

__all__ = ["near", "query_in", "understanding_prompt", "vocabulary_version"]

MOST_TOKENS = 600  # a query with every field filled has about 400
NEAR_GENRES = 12
NEAR_MOODS = 16
HEARD = 85  # per cent of a title's letters that stand in the wish together
LONGEST_NAME = 200  # characters
LONGEST_EXCLUSION = 40  # characters of a word that is in no vocabulary

INSTRUCTIONS = f"""\
You read what a viewer wants to watch, in whatever language, and fill in a query for a catalogue.
{AS_DATA}
Fill in only what "wish" says; leave lists empty and other fields null where it says nothing. Never guess.
"text": what no other field holds, in English. "titles": titles asked for by name. "like", "unlike": titles
to compare with. "genres", "moods": names as the vocabulary in the message writes them; it holds those near
the wish, and there may be others. "mild": moods to be there a little at most. "years": said for certain;
"around": said with doubt. "runtime": minutes. "seasons": how many a series has. "languages": ISO 639-1.
"countries": ISO 3166-1 alpha-2.
"exclude": what no result may have. "kids": true where it is for children.
Where the wish changes the query in "previous" ("shorter", "no gore", "in Spanish"), answer with the whole
changed query; where it is a new wish, leave "previous" alone."""


def understanding_prompt(wish: str, *, previous: Query | None, kids: bool) -> Prompt:
    """What the model is asked to read a wish."""
    text = plain(wish, LONGEST_TEXT)
    material = {
        "wish": text,
        "previous": previous.model_dump(mode="json", exclude_defaults=True) if previous else None,
        "for_kids": kids,
        "vocabulary": {
            "genres": [term.name for term in near(text, GENRES, NEAR_GENRES)],
            "moods": [term.name for term in near(text, MOODS, NEAR_MOODS)],
        },
    }
    return Prompt("query", INSTRUCTIONS, as_material(material), _schema(), MOST_TOKENS)


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return strict_schema(Query)


def near(wish: str, terms: Sequence[Term], most: int) -> list[Term]:
    """The entries whose words, in either language, come nearest to the wish's, nearest first."""
    from rapidfuzz import fuzz

    heard = folded(wish)
    scored = [
        (max(_likeness(fuzz.partial_ratio, word, heard) for word in _words(term)), term) for term in terms
    ]
    return [term for _, term in sorted(scored, key=lambda pair: -pair[0])[:most]]


def _likeness(ratio: Callable[[str, str], float], word: str, heard: str) -> float:
    # Where the wish is the shorter one it would be found in any long word.
    return ratio(word, heard) if len(word) <= len(heard) else 0.0


@lru_cache(maxsize=256)
def _words(term: Term) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(folded, (term.name, *term.english, *term.spanish))))


@lru_cache(maxsize=1)
def vocabulary_version() -> str:
    """A digest of what genres, moods, languages and countries are called; answers are kept by it."""
    tables = {"genres": GENRES, "moods": MOODS, "languages": LANGUAGES, "countries": COUNTRIES}
    return key_of(**{name: [_words(term) for term in table] for name, table in tables.items()})[:16]


def query_in(
    answer: str, *, wish: str, previous: Query | None, kids: bool, names: Names
) -> tuple[Query, tuple[str, ...]]:
    """The query in a model's answer, and sentences about what was left out of it. Where there is none, an
    EndpointError.

    Titles and people become the catalogue's; titles it does not have stay only where the viewer named them,
    and on a child's profile (`kids`) the others too. Such a profile stays one.
    """
    from rapidfuzz.fuzz import partial_ratio

    said = parsed(answer, Query)
    known = folded(
        " ".join((wish, *((*previous.titles, *previous.like, *previous.unlike) if previous else ())))
    )
    left_out: dict[str, int] = {}

    def kept(field: str, values: Sequence[str], find: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for value in values:
            entries = find(plain(value, LONGEST_NAME))
            left_out[field] = left_out.get(field, 0) + (not entries)
            found.update(dict.fromkeys(entries))
        return tuple(found)[:MOST_TERMS]

    def titles(values: Sequence[str]) -> tuple[str, ...]:
        def find(name: str) -> Sequence[str]:
            linked = names.title(name, typos=False)
            if linked is None:
                return (name,) if folded(name) and f" {folded(name)} " in f" {known} " else ()
            # To a child no title is named that the child has not named, give or take a letter.
            heard = not kids or partial_ratio(folded(linked.title), known) >= HEARD
            return (names.written(linked),) if heard else ()

        return kept("titles", values, find)

    def person(name: str) -> Sequence[str]:
        found = names.person(name, typos=True)
        return () if found is None else (found,)

    query = Query(
        text=plain(said.text, LONGEST_TEXT),
        titles=titles(said.titles),
        like=titles(said.like),
        unlike=titles(said.unlike),
        years=said.years,
        around=said.around,
        genres=kept("genres", said.genres, genres_named),
        moods=kept("moods", said.moods, moods_named),
        mild=kept("moods", said.mild, moods_named),
        runtime=said.runtime,
        seasons=said.seasons,
        languages=kept("languages", said.languages, lambda name: _code(name, LANGUAGES)),
        countries=kept("countries", said.countries, lambda name: _code(name, COUNTRIES)),
        people=kept("people", said.people, person),
        kind=said.kind,
        kids=kids or said.kids,
        exclude=kept("exclusions", said.exclude, _excluded),
    )
    if not query.model_dump(exclude={"kids"} if kids else None, exclude_defaults=True):
        raise EndpointError("understood nothing", trips=False)
    # Their number, not their names: a model's words could be anything.
    notes = (f"Left out of what the endpoint understood: {field} ({n})" for field, n in left_out.items() if n)
    return query, tuple(notes)


def _excluded(name: str) -> Sequence[str]:
    known = () if compound(name) else genres_named(name) or moods_named(name)
    return known or ((name.casefold(),) if folded(name) and len(name) <= LONGEST_EXCLUSION else ())


def _code(name: str, table: Sequence[Term]) -> Sequence[str]:
    """The ISO code of a language or country, by the code itself or by what it is called."""
    plainly = folded(name)
    return tuple(term.name for term in table if plainly in _words(term))[:1]
