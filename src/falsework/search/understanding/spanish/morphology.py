"""Spanish word forms by rule: which lemmas of the glossary a written word can be a form of, and which form.

Nothing is expanded beforehand; a word is taken apart when it is met, and the answer is kept. Accents count
where they were typed and are supplied where they were not: "mato" reads as present before it reads as
"mató".
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from falsework.search.understanding.spanish.lexicon import Entry, Lexicon, fold, lexicon

__all__ = ["Reading", "readings"]

PERSONAL_ENDINGS = {
    "ar": {
        "present": "o as a amos áis an",
        "past": "é aste ó amos asteis aron|aba abas aba ábamos abais aban|ara aras ara áramos arais aran"
        "|ase ases ase ásemos aseis asen",
        "subjunctive": "e es e emos éis en",
    },
    "er": {
        "present": "o es e emos éis en",
        "past": "í iste ió imos isteis ieron|ía ías ía íamos íais ían|iera ieras iera iéramos ierais ieran"
        "|iese ieses iese iésemos ieseis iesen|í íste yó ímos ísteis yeron"
        "|yera yeras yera yéramos yerais yeran",
        "subjunctive": "a as a amos áis an",
    },
}
PERSONAL_ENDINGS["ir"] = PERSONAL_ENDINGS["er"] | {"present": "o es e imos ís en"}
FUTURE = {"future": "é ás á emos éis án", "conditional": "ía ías ía íamos íais ían"}
IMPERSONAL_ENDINGS = {
    "ar": {"gerund": ("ando",), "participle": ("ado", "ada", "ados", "adas")},
    "er": {
        "gerund": ("iendo", "yendo"),
        "participle": ("ido", "ida", "idos", "idas", "ído", "ída", "ídos", "ídas"),
    },
}
IMPERSONAL_ENDINGS["ir"] = IMPERSONAL_ENDINGS["er"]
LONGEST_ENDING = 9
CLITICS = (
    "melo", "mela", "telo", "tela", "selo", "sela", "selos", "selas", "noslo", "los", "las", "les", "nos",
    "lo",
    "la", "le", "me", "te", "se", "os",
)  # fmt: skip
PREFIXED = (
    "tener",
    "poner",
    "venir",
    "hacer",
    "decir",
    "ver",
    "volver",
    "traer",
    "salir",
    "seguir",
    "caer",
    "oir",
)
DIMINUTIVES = (
    "ecito", "ecita", "ecillo", "ecilla", "cito", "cita", "cillo", "cilla", "ito", "ita", "illo", "illa",
    "ico", "ica",
    "uelo", "uela",
)  # fmt: skip


class Reading(NamedTuple):
    """One way to take a written word: a form of `entry`. `person` is 0 to 5 (I … they) for finite verbs.

    `clitic` is a pronoun written onto the verb ("lo" in "buscándolo"), `marked` what the form adds in
    English: "little" (diminutive), "very" (-ísimo), "ly" (-mente). `exact` is false where accents had to be
    supplied.
    """

    entry: Entry
    tense: str = ""
    person: int = 2
    plural: bool = False
    feminine: bool = False
    clitic: str = ""
    marked: str = ""
    exact: bool = True


def _endings() -> dict[str, list[tuple[str, str, str, int]]]:
    """Without accents: ending -> (as written, of which infinitive, tense, person)."""
    table: dict[str, list[tuple[str, str, str, int]]] = {}

    def add(ending: str, infinitive: str, tense: str, person: int) -> None:
        table.setdefault(fold(ending), []).append((ending, infinitive, tense, person))

    for infinitive, tenses in PERSONAL_ENDINGS.items():
        for tense, rows in tenses.items():
            for row in rows.split("|"):
                for person, ending in enumerate(row.split()):
                    add(ending, infinitive, tense, person)
        for tense, row in FUTURE.items():
            for person, ending in enumerate(row.split()):
                add(infinitive + ending, infinitive, tense, person)
        for tense, endings in IMPERSONAL_ENDINGS[infinitive].items():
            for ending in endings:
                add(ending, infinitive, tense, 5 if ending.endswith("s") else 2)
    return table


@lru_cache(maxsize=1)
def _tables() -> tuple[
    dict[str, list[tuple[str, str, str, int]]], dict[str, list[tuple[str, str, str, int]]]
]:
    """The endings, and the irregular forms: without accents -> (as written, infinitive, tense, person)."""
    irregular: dict[str, list[tuple[str, str, str, int]]] = {}
    with files(__package__).joinpath("irregular_verbs.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            forms = row["forms"].split()
            for place, form in enumerate(forms):
                person = place if len(forms) == 6 else 5 if form.endswith("s") else 2
                if form != "-":
                    irregular.setdefault(fold(form), []).append(
                        (form, row["infinitive"], row["tense"], person)
                    )
    return _endings(), irregular


@lru_cache(maxsize=32_768)
def readings(word: str) -> tuple[Reading, ...]:
    """Every way to read `word` (lower case), the likeliest first; empty if the glossary knows none."""
    found = list(dict.fromkeys(_readings(word, lexicon())))
    if any(one.exact and not (one.tense in ("present", "subjunctive") and one.person == 0) for one in found):
        found = [one for one in found if one.exact]
    found.sort(key=lambda one: (not one.exact, one.entry.lemma.lower() != word, _said_of_oneself(one)))
    return tuple(found)


def _said_of_oneself(one: Reading) -> bool:
    """A form that is the first person's and the third's alike ("daba", "den") is the third's in a plot."""
    return one.person == 0 and one.tense in ("past", "subjunctive", "conditional")


def _readings(word: str, known: Lexicon) -> Iterator[Reading]:
    plain = fold(word)
    if word in known.words:
        yield from (_lemma(entry) for entry in known.words[word])
    elif plain in known.folded:
        yield from (_lemma(entry)._replace(exact=False) for entry in known.folded[plain])
    yield from _nominal(word, plain, known)
    verbal = list(_verbal(word, plain, known))
    yield from verbal
    if not verbal:
        yield from _with_clitic(word, plain, known)
        yield from _derived(plain, known)


def _lemma(entry: Entry) -> Reading:
    feminine = entry.part in ("noun", "adjective") and entry.lemma.endswith(("a", "triz", "esa"))
    return Reading(entry, tense="infinitive" if entry.part == "verb" else "", feminine=feminine)


def _nominal(word: str, plain: str, known: Lexicon) -> Iterator[Reading]:
    """Plurals and feminines of nouns and adjectives."""
    for singular, plural in _singulars(plain):
        for lemma, feminine in _masculines(singular):
            if lemma == plain:
                continue
            for entry in known.folded.get(lemma, ()):
                if entry.part == "noun" and (not feminine or entry.human):
                    yield Reading(entry, plural=plural, feminine=feminine or lemma.endswith("a"))
                elif entry.part in ("adjective", "determiner"):
                    yield Reading(entry, plural=plural, feminine=feminine)


def _singulars(plain: str) -> Iterator[tuple[str, bool]]:
    yield plain, False
    if plain.endswith("s") and len(plain) > 3:
        yield plain[:-1], True
        if plain.endswith("ces"):
            yield plain[:-3] + "z", True
        if plain.endswith("es"):
            yield plain[:-2], True
        if plain.endswith("ies"):
            yield plain[:-3] + "y", True


def _masculines(singular: str) -> Iterator[tuple[str, bool]]:
    yield singular, False
    if singular.endswith("a") and len(singular) > 3:
        yield singular[:-1] + "o", True
        yield singular[:-1] + "e", True
        if singular[-2] in "rnslz":
            yield singular[:-1], True


def _verbal(word: str, plain: str, known: Lexicon) -> Iterator[Reading]:
    endings, irregular = _tables()
    for form, infinitive, tense, person in irregular.get(plain, ()):
        for entry in known.verbs.get(fold(infinitive), ()):
            yield Reading(entry, tense, person, exact=form == word)
    for base in PREFIXED:  # "mantiene" as "tiene", "propuso" as "puso"
        for cut in range(1, min(7, len(plain) - 1)):
            for form, infinitive, tense, person in irregular.get(plain[cut:], ()):
                if infinitive == base:
                    for entry in known.verbs.get(plain[:cut] + base, ()):
                        yield Reading(entry, tense, person, exact=word.endswith(form))
    for length in range(1, min(LONGEST_ENDING, len(plain) - 1) + 1):
        for ending, infinitive, tense, person in endings.get(plain[-length:], ()):
            for stem in _stems(plain[:-length]):
                for entry in known.verbs.get(stem + infinitive, ()):
                    yield Reading(entry, tense, person, exact=word.endswith(ending))


def _stems(stem: str) -> Iterator[str]:
    """The stem as the infinitive may write it: busqu-, pid-, jueg-, conozc-, sig-, huy- …"""
    spelled = [stem]
    for written, infinitive in (
        ("qu", "c"), ("gu", "g"), ("zc", "c"), ("c", "z"), ("z", "c"), ("j", "g"), ("y", ""), ("g", "gu"),
    ):  # fmt: skip
        if stem.endswith(written):
            spelled.append(stem[: len(stem) - len(written)] + infinitive)
    for each in spelled:
        if len(each) < 2:
            continue
        yield each
        for written, infinitives in (("ie", ("e", "i")), ("ue", ("o", "u")), ("i", ("e",)), ("u", ("o",))):
            place = each.rfind(written)
            if place >= 0 and len(each) - place <= len(written) + 3:
                for infinitive in infinitives:
                    yield each[:place] + infinitive + each[place + len(written) :]
        if each.startswith("hue"):  # huele, of oler
            yield "o" + each[3:]


def _with_clitic(word: str, plain: str, known: Lexicon) -> Iterator[Reading]:
    """ "matarla", "buscándolo", "enamorarse", "dímelo"."""
    for clitic in CLITICS:
        if not plain.endswith(clitic) or len(plain) < len(clitic) + 2:
            continue
        verb = plain[: -len(clitic)]
        if not verb.endswith(("ar", "er", "ir", "ando", "endo", "ndo")):
            continue
        of_itself = clitic in ("se", "me", "te", "nos", "os")
        reflexive = [
            Reading(entry, one.tense, one.person)
            for one in _verb_forms(verb, known)
            for entry in known.verbs.get(fold(one.entry.lemma) + "se", ())
            if of_itself
        ]
        yield from reflexive
        if not reflexive:
            pronoun = clitic[2:] if clitic.startswith(("se", "me", "te")) and len(clitic) > 2 else clitic
            for one in _verb_forms(verb, known):
                yield one._replace(clitic="" if pronoun == "se" else pronoun)
        return


def _verb_forms(plain: str, known: Lexicon) -> Iterator[Reading]:
    for entry in known.verbs.get(plain, ()):
        yield Reading(entry, "infinitive")
    yield from (one for one in _verbal(plain, plain, known) if one.tense in ("gerund", "infinitive"))


def _derived(plain: str, known: Lexicon) -> Iterator[Reading]:
    """Diminutives, -ísimo and -mente of what the glossary has."""
    if plain.endswith("mente"):
        for lemma, _ in _masculines(plain[:-5]):
            for entry in known.folded.get(lemma, ()):
                if entry.part == "adjective":
                    yield Reading(entry, marked="ly")
        return
    singular = plain.removesuffix("s")
    if singular.endswith(("isimo", "isima")):
        stem = singular[:-5]
        for lemma in (
            stem + "o",
            stem + "e",
            stem,
            stem.removesuffix("qu") + "co",
            stem.removesuffix("bil") + "ble",
        ):
            for entry in known.folded.get(lemma, ()):
                if entry.part in ("adjective", "adverb"):
                    yield Reading(entry, marked="very")
    for ending in DIMINUTIVES:
        if not singular.endswith(ending) or len(singular) < len(ending) + 3:
            continue
        stem = singular[: -len(ending)]
        stems = [
            stem,
            stem.removesuffix("qu") + "c",
            stem.removesuffix("gu") + "g",
            stem.removesuffix("c") + "z",
        ]
        for one in dict.fromkeys(stems):
            for vowel in ("o", "a", "e", ""):
                for entry in known.folded.get(one + vowel, ()):
                    if entry.part in ("noun", "adjective", "adverb"):
                        yield Reading(
                            entry,
                            plural=plain.endswith("s"),
                            feminine=singular.endswith("a"),
                            marked="little" if entry.part == "noun" else "",
                        )
