"""A query's values in people's words, in English and Spanish, and the whole wish as words to search with."""

from __future__ import annotations

from falsework.catalogue.vocabularies import COUNTRIES, LANGUAGES, MOODS, Term, term
from falsework.search.query import Query

__all__ = ["chip_words", "search_words"]

SHORTEST_NAME = 3  # letters of a country's; what is shorter are initials: "UK"
ENGLISH = {
    "like": "like {}",
    "unlike": "not like {}",
    "around": "perhaps {}",
    "mild": "not too {}",
    "languages": "in {}",
    "countries": "from {}",
    "people": "with {}",
    "exclude": "no {}",
    "nothing": "nothing {}",
    "film": "film",
    "series": "series",
    "kids": "for kids",
    "from": "from {}",
    "until": "until {}",
    "decade": "{}s",
    "under": "up to {}",
    "over": "at least {}",
    "season": "season",
    "seasons": "seasons",
}
SPANISH = {
    "like": "como {}",
    "unlike": "no como {}",
    "around": "quizá {}",
    "mild": "no demasiado {}",
    "languages": "en {}",
    "countries": "de {}",
    "people": "con {}",
    "exclude": "sin {}",
    "nothing": "nada {}",
    "film": "película",
    "series": "serie",
    "kids": "para niños",
    "from": "desde {}",
    "until": "hasta {}",
    "decade": "años {}",
    "under": "hasta {}",
    "over": "al menos {}",
    "season": "temporada",
    "seasons": "temporadas",
}

# Moods whose word is no adjective: wanted, wanted a little, unwanted.
ENGLISH_MOODS = {
    "adrenaline": ("fast-paced", "not too fast-paced", "nothing fast-paced"),
    "drug-laden": ("with drugs", "few drugs", "no drugs"),
    "sexual": ("with sex", "not too much sex", "no sex"),
    "swearing": ("with swearing", "not too much swearing", "no swearing"),
}
SPANISH_MOODS = {
    "adrenaline": ("trepidante", "no demasiado trepidante", "nada trepidante"),
    "drug-laden": ("con drogas", "con pocas drogas", "sin drogas"),
    "scary": ("de miedo", "que no dé mucho miedo", "nada de miedo"),
    "sexual": ("con sexo", "con poco sexo", "sin sexo"),
    "suspenseful": ("de suspense", "sin demasiado suspense", "sin suspense"),
    "swearing": ("con palabrotas", "con pocas palabrotas", "sin palabrotas"),
    "tuneful": ("con buena música", "con poca música", "sin música"),
}
PLACES = {"moods": 0, "mild": 1, "exclude": 2}


def chip_words(key: str, value: str, *, language: str = "en") -> str:
    """What a chip of this field and value says."""
    words = SPANISH if language == "es" else ENGLISH
    if key in ("years", "around"):
        said = _years(value, words)
        return words["around"].format(said) if key == "around" else said
    if key == "runtime":
        return _minutes(value, words)
    if key == "seasons":
        return _seasons(value, words)
    if key == "languages":
        said = _said(LANGUAGES, value, language)
        return words[key].format(said.title() if words is ENGLISH else said)
    if key == "countries":
        said = _said(COUNTRIES, value, language)
        return words[key].format(said.upper() if len(said) <= SHORTEST_NAME else said.title())
    if key in ("kind", "kids"):
        return words.get(value, words["kids"])
    moods = SPANISH_MOODS if language == "es" else ENGLISH_MOODS
    if key in PLACES and value in moods:
        return moods[value][PLACES[key]]
    known = term(value) if key in ("genres", "moods", "mild", "exclude") else None
    if known is not None:
        value = _of(known, language, known.name.casefold())
    if key == "exclude" and known is not None and known in MOODS:
        key = "nothing"
    return words.get(key, "{}").format(value)


def search_words(query: Query) -> str:
    """The wish as words to look for: what is left of the text, then titles, genres, moods and countries in
    English."""
    countries = (_said(COUNTRIES, code, "en") for code in query.countries)
    said = (query.text, *query.titles, *(each.lower() for each in (*query.genres, *query.moods)), *countries)
    return " ".join(filter(None, said))


def _said(terms: tuple[Term, ...], name: str, language: str) -> str:
    return next((_of(each, language, each.english[0]) for each in terms if each.name == name), name)


def _of(known: Term, language: str, english: str) -> str:
    return known.spanish[0] if language == "es" and known.spanish else english


def _years(value: str, words: dict[str, str]) -> str:
    least, most = value.split("-")
    if least and most:
        if least == most:
            return least
        if least.endswith("0") and int(most) == int(least) + 9:
            # In Spanish the century goes without saying: los años 90, but los años 2010.
            short = words is SPANISH and "1920" <= least < "2000"
            return words["decade"].format(least[2:] if short else least)
        return f"{least}–{most}"
    return words["from"].format(least) if least else words["until"].format(most) if most else "…"


def _minutes(value: str, words: dict[str, str]) -> str:
    least, most = (_length(each) for each in value.split("-"))
    if least and most:
        return f"{least} – {most}"
    return words["over"].format(least) if least else words["under"].format(most) if most else "…"


def _seasons(value: str, words: dict[str, str]) -> str:
    least, most = value.split("-")
    name = words["season" if (most or least) == "1" else "seasons"]
    if least and most:
        return f"{least} {name}" if least == most else f"{least}–{most} {name}"
    if least:
        return words["over"].format(f"{least} {name}")
    return words["under"].format(f"{most} {name}") if most else "…"


def _length(minutes: str) -> str:
    if not minutes:
        return ""
    hours, rest = divmod(int(minutes), 60)
    if hours == 0 or (rest and int(minutes) < 120):
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
