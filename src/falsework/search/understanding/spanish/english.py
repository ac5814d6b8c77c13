"""English forms for the glossary's base words: "look for" in the past, "thief" in the plural, "scary"
compared."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files
from typing import Literal

__all__ = ["Tense", "adverb", "article", "compared", "conjugated", "plural"]

Tense = Literal[
    "infinitive", "present", "past", "future", "conditional", "imperative", "gerund", "participle"
]

VOWELS = "aeiou"
BE = {
    "present": ("am", "are", "is", "are", "are", "are"),
    "past": ("was", "were", "was", "were", "were", "were"),
}
IRREGULAR_PLURALS = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "wife": "wives", "life": "lives",
    "thief": "thieves", "wolf": "wolves", "knife": "knives", "leaf": "leaves", "half": "halves", "foot":
    "feet",
    "tooth": "teeth", "mouse": "mice", "goose": "geese", "ox": "oxen", "crisis": "crises", "elf": "elves",
    "dwarf": "dwarves", "hero": "heroes", "potato": "potatoes", "tomato": "tomatoes", "echo": "echoes",
    "shelf": "shelves", "scarf": "scarves", "calf": "calves", "passer-by": "passers-by", "cargo": "cargoes",
    "volcano": "volcanoes", "mosquito": "mosquitoes", "tornado": "tornadoes", "torpedo": "torpedoes",
    "mummy": "mummies", "oasis": "oases", "phenomenon": "phenomena", "werewolf": "werewolves",
    "housewife": "housewives", "midwife": "midwives", "grandchild": "grandchildren",
}  # fmt: skip
SAME_IN_PLURAL = frozenset(
    (
        "sheep", "deer", "fish", "series", "species", "aircraft", "spacecraft", "police", "people",
        "money", "music", "news", "politics", "information", "furniture", "luggage", "clothes",
        "trousers", "jeans", "glasses", "scissors", "staff", "homework", "evidence", "advice",
        "violence", "blood", "gore", "laughter", "love", "sex", "fear", "water", "rain", "snow",
        "music", "dancing", "humour", "suspense", "magic", "slavery", "poverty",
    )
)  # fmt: skip
PEOPLE_IN_MAN = ("man", "woman")  # policeman, fisherman, businesswoman
IRREGULAR_COMPARED = {
    "good": "better", "bad": "worse", "far": "further", "little": "less", "fun": "more fun", "well": "better",
    "much": "more", "many": "more",
}  # fmt: skip
IRREGULAR_HIGHEST = {
    "good": "best", "bad": "worst", "far": "furthest", "little": "least", "fun": "most fun", "well": "best",
}  # fmt: skip
LONG_ANYWAY = frozenset(
    (
        "real", "modern", "famous", "honest", "tragic", "tired", "bored", "wrong", "unreal", "alive",
        "afraid",
    )
)  # fmt: skip
SILENT_H = ("hour", "honest", "honour", "heir")
LIKE_YOU = ("uni", "use", "usu", "eu", "one", "once", "ufo")  # written with a vowel, spoken with a consonant


@lru_cache(maxsize=1)
def _irregular_verbs() -> dict[str, tuple[str, str]]:
    with files(__package__).joinpath("english_verbs.csv").open(encoding="utf-8") as file:
        return {row["base"]: (row["past"], row["participle"]) for row in csv.DictReader(file)}


def conjugated(phrase: str, tense: Tense, person: int = 2) -> str:
    """The verb phrase (its verb first: "look for") in a tense; `person` 0 to 5 is I, you, she, we, you,
    they."""
    verb, space, rest = phrase.partition(" ")
    return _verb(verb, tense, person) + space + rest


def _verb(verb: str, tense: Tense, person: int) -> str:
    if verb in ("can", "must", "should"):
        return _modal(verb, tense)
    if tense in ("infinitive", "imperative"):
        return verb
    if tense == "future":
        return f"will {verb}"
    if tense == "conditional":
        return f"would {verb}"
    if tense == "gerund":
        return _gerund(verb)
    if verb == "be":
        return "been" if tense == "participle" else BE[tense][person]
    if tense == "present":
        return _third_person(verb) if person == 2 else verb
    if irregular := _irregular_verbs().get(verb):
        return irregular[tense == "participle"]
    return _regular_past(verb)


def _modal(verb: str, tense: Tense) -> str:
    if verb == "can":
        forms = {
            "infinitive": "be able to",
            "past": "could",
            "conditional": "could",
            "future": "will be able to",
            "gerund": "being able to",
        }
        return forms.get(tense, "been able to" if tense == "participle" else "can")
    if verb == "must":
        return {"past": "had to", "participle": "had to", "infinitive": "have to"}.get(tense, verb)
    return verb


def _third_person(verb: str) -> str:
    if verb == "have":
        return "has"
    if verb.endswith(("s", "sh", "ch", "x", "z")) or verb in ("do", "go", "undergo", "veto", "echo"):
        return verb + "es"
    if verb.endswith("y") and verb[-2:-1] not in VOWELS:
        return verb[:-1] + "ies"
    return verb + "s"


def _gerund(verb: str) -> str:
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and verb != "be":
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def _regular_past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2:-1] not in VOWELS:
        return verb[:-1] + "ied"
    return _doubled(verb) + "ed"


def _doubled(verb: str) -> str:
    """The last consonant twice where a short, stressed syllable ends in it: kidnap, stop, plan, travel."""
    if len(verb) < 3 or verb[-1] in "aeiouwxyhc" or verb[-2] not in VOWELS or verb[-3] in VOWELS:
        return verb
    syllables = sum(
        one in VOWELS and (not place or verb[place - 1] not in VOWELS) for place, one in enumerate(verb)
    )
    stressed_last = verb.endswith(("nap", "mit", "fer", "pel", "bel", "vel", "cel", "gin", "get", "cur"))
    return verb + verb[-1] if syllables == 1 or (stressed_last and verb not in ("offer", "suffer")) else verb


def plural(phrase: str) -> str:
    """The noun phrase in the plural: its last word, or the word before the first "of", "in", …"""
    words = phrase.split(" ")
    head = next(
        (
            place
            for place, word in enumerate(words)
            if place and word in ("of", "in", "at", "to", "for", "with")
        ),
        len(words),
    )
    words[head - 1] = _noun_plural(words[head - 1])
    return " ".join(words)


def _noun_plural(noun: str) -> str:
    low = noun.lower()
    if low in SAME_IN_PLURAL or _is_plural(low):
        return noun
    if low in IRREGULAR_PLURALS:
        return noun[:1] + IRREGULAR_PLURALS[low][1:]
    if low.endswith(PEOPLE_IN_MAN) and low not in ("human", "german", "shaman", "roman", "talisman"):
        return noun[:-2] + "en"
    if low.endswith(("s", "sh", "ch", "x", "z")):
        return noun + "es"
    if low.endswith("y") and low[-2:-1] not in VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


def _is_plural(noun: str) -> bool:
    """Whether the noun is written as a plural already: "people", "clothes", "special effects"."""
    last = noun.rsplit(" ", 1)[-1].lower()
    if last in SAME_IN_PLURAL or last in IRREGULAR_PLURALS.values():
        return True
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "as", "os")) and len(last) > 3


def compared(adjective: str, *, highest: bool = False) -> str:
    """ "shorter", "funnier", "more violent"; or "shortest", "most violent"."""
    irregular = IRREGULAR_HIGHEST if highest else IRREGULAR_COMPARED
    if adjective in irregular:
        return irregular[adjective]
    ending = "est" if highest else "er"
    vowels = sum(
        one in "aeiouy" and (not place or adjective[place - 1] not in "aeiouy")
        for place, one in enumerate(adjective.removesuffix("e"))
    )
    short = vowels == 1 or (vowels == 2 and adjective.endswith("y"))
    if not short or " " in adjective or adjective.endswith(("ed", "ing")) or adjective in LONG_ANYWAY:
        return f"{'most' if highest else 'more'} {adjective}"
    if adjective.endswith("y"):
        return adjective[:-1] + "i" + ending
    if adjective.endswith("e"):
        return adjective + ending[1:]
    return (_doubled(adjective) if vowels == 1 else adjective) + ending


def adverb(adjective: str) -> str:
    """ "quick" to "quickly"; what has no such form stays."""
    if " " in adjective or adjective.endswith(("ly", "ward")) or adjective in ("fast", "hard", "late"):
        return adjective
    if adjective == "good":
        return "well"
    if adjective.endswith("y"):
        return adjective[:-1] + "ily"
    if adjective.endswith("le"):
        return adjective[:-1] + "y"
    return adjective + ("ally" if adjective.endswith("ic") else "ly")


def article(following: str) -> str:
    """ "a" or "an", by how the following word begins to sound."""
    low = following.lower()
    if low.startswith(SILENT_H):
        return "an"
    return "an" if low[:1] in VOWELS and not low.startswith(LIKE_YOU) else "a"
