"""From words to units: the longest expressions first, then each word in the reading that its neighbours
allow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from falsework.search.understanding.spanish.lexicon import Entry, Lexicon, fold
from falsework.search.understanding.spanish.morphology import Reading, readings
from falsework.search.understanding.spanish.tokens import Token
from falsework.search.understanding.spanish.typing_errors import mended

__all__ = ["FINITE", "Unit", "units_of"]

FINITE = frozenset(("present", "past", "future", "conditional", "subjunctive", "imperative"))
REFLEXIVE = frozenset(("se", "me", "te", "nos", "os"))
OBJECTS = {
    "lo": "him", "le": "him", "les": "them", "la": "her", "los": "them", "las": "them", "me": "me", "te":
    "you",
    "nos": "us", "os": "you",
}  # fmt: skip
# "una de espías": the film goes without saying
FILM_ASKED = frozenset(("una", "alguna", "otra", "cualquiera"))
NOT_A_SUBJECT = frozenset(
    (
        "las", "los", "ellas", "ellos", "mis", "tus", "sus", "estas", "estos", "esas", "esos",
        "nosotros", "vosotros", "ustedes",
    )
)  # fmt: skip
# before a title
LIKE = frozenset(("tipo", "estilo", "rollo", "onda"))
LONGEST_EXPRESSION = 8
MOST_MENDED = 6  # misspelt words looked up in one sentence, so that a long one stays quick

# Which kind of word is likely after which, the likeliest first.
AFTER = {
    "determiner": ("noun", "adjective", "number", "participle", "adverb", "verb", "infinitive"),
    "number": ("noun", "adjective", "participle", "verb"),
    "preposition": ("infinitive", "noun", "determiner", "adjective", "participle", "adverb", "verb"),
    "pronoun": ("verb", "infinitive", "adverb", "participle", "adjective", "noun"),
    "noun": ("adjective", "participle", "verb", "gerund", "adverb", "noun"),
    "adjective": ("noun", "adjective", "participle", "verb", "adverb"),
    "verb": ("adverb", "noun", "adjective", "participle", "infinitive", "gerund", "verb"),
    "be": ("adverb", "adjective", "participle", "gerund", "noun", "verb"),
    "adverb": ("adjective", "participle", "adverb", "verb", "noun", "infinitive"),
    "": ("noun", "adjective", "adverb", "gerund", "verb", "participle", "infinitive"),
}
FUNCTIONS = ("determiner", "pronoun", "preposition", "conjunction", "phrase", "name", "greeting", "number")


@dataclass(slots=True)
class Unit:
    """A piece of the sentence with its English. `english` is a base form until `written`; `part` is the
    glossary's, or "title" (kept), "sign" (punctuation) and "unknown"; `reading` tells the form."""

    spanish: str
    part: str
    english: str
    reading: Reading | None = None
    plural: bool = False
    glued: bool = False
    before: list[str] = field(default_factory=list)  # English words that go in front: "not", "more"
    settled: bool = False  # `english` is already as it is to be written

    @property
    def human(self) -> bool:
        return self.reading is not None and self.reading.entry.human

    @property
    def feminine(self) -> bool:
        return self.reading is not None and self.reading.feminine

    @property
    def finite(self) -> bool:
        return self.part == "verb" and self.reading is not None and self.reading.tense in FINITE

    @property
    def tense(self) -> str:
        return self.reading.tense if self.reading is not None else ""

    @property
    def plain(self) -> str:
        return fold(self.spanish)


def units_of(tokens: list[Token], known: Lexicon) -> list[Unit]:
    mendable = MOST_MENDED
    found: list[list[Reading]] = []
    keys: list[list[str]] = []
    for token in tokens:
        if token.kept is not None or not token.word:
            found.append([])
            keys.append([token.plain] if token.kept is None else [])
            continue
        each = readings(token.text.lower())
        if (
            not each
            and mendable
            and not token.capital
            and len(token.plain) >= 6
            and token.plain not in known.tree
        ):
            mendable -= 1
            if (better := mended(token.plain, known)) is not None:
                each = readings(better)
        found.append(list(each))
        keys.append(_keys(token.plain, each))
    tokens, found, keys = _with_reflexives(tokens, found, keys, known)
    return _units(*_with_films(tokens, found, keys), known)


def _keys(plain: str, found: tuple[Reading, ...]) -> list[str]:
    """What the word may be called in an expression: as written, by its lemmas, as a reflexive infinitive."""
    keys = [plain]
    for one in found:
        lemma = fold(one.entry.lemma)
        if one.entry.part in ("noun", "adjective", "verb"):
            keys.append(lemma)
            if one.entry.part == "verb" and one.tense != "participle" and plain.endswith("se"):
                keys.append(lemma if lemma.endswith("se") else lemma + "se")
    return list(dict.fromkeys(keys))


def _with_reflexives(
    tokens: list[Token], found: list[list[Reading]], keys: list[list[str]], known: Lexicon
) -> tuple[list[Token], list[list[Reading]], list[list[str]]]:
    """ "se enamora" as one word, a form of "enamorarse"; "se ha ido" as "ha" and "se ido"."""
    out_tokens, out_found, out_keys = [], [], []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        verb = place + 1
        if token.plain in REFLEXIVE and token.kept is None and verb < len(tokens):
            if tokens[verb].plain in OBJECTS and verb + 1 < len(tokens):  # "se lo lleva"
                verb += 1
            perfect = any(one.entry.lemma == "haber" for one in found[verb]) and verb + 1 < len(tokens)
            verb += perfect
            merged = _reflexive(found[verb], known, token.plain)
            lemmas = {
                fold(one.entry.lemma).removesuffix("se") + "se"
                for one in found[verb]
                if one.entry.part == "verb"
            }
            in_tree = {lemma for lemma in lemmas if lemma in known.tree}
            if merged or in_tree:
                for between in range(place + 1, verb):
                    out_tokens.append(tokens[between])
                    out_found.append(found[between])
                    out_keys.append(keys[between])
                text = f"{token.text} {tokens[verb].text}"
                out_tokens.append(Token(text, fold(text), token.glued))
                out_found.append(merged or [one for one in found[verb] if one.entry.part == "verb"])
                out_keys.append([*lemmas, *(fold(one.entry.lemma) for one in found[verb])])
                place = verb + 1
                continue
            if token.plain == "se":  # "se estrena", "se busca": nothing is lost without it
                if any(one.tense in FINITE for one in found[verb]):
                    found[verb] = [one for one in found[verb] if one.entry.part == "verb"]
                place += 1
                continue
        out_tokens.append(token)
        out_found.append(found[place])
        out_keys.append(keys[place])
        place += 1
    return out_tokens, out_found, out_keys


def _reflexive(found: list[Reading], known: Lexicon, pronoun: str) -> list[Reading]:
    person = {"me": 0, "te": 1, "nos": 3, "os": 4}
    return [
        one._replace(entry=entry)
        for one in found
        if one.entry.part == "verb" and (pronoun == "se" or one.person == person[pronoun])
        for entry in known.verbs.get(fold(one.entry.lemma).removesuffix("se") + "se", ())
    ]


def _with_films(
    tokens: list[Token], found: list[list[Reading]], keys: list[list[str]]
) -> tuple[list[Token], list[list[Reading]], list[list[str]]]:
    """The unsaid film put in: "una de espías", "la del autobús", "alguna de miedo"."""
    place = 0
    while place + 2 < len(tokens):
        one, two, three = tokens[place], tokens[place + 1], tokens[place + 2]
        asked = one.plain in FILM_ASKED or (place == 0 and one.plain == "la") or one.plain == "las"
        if (
            asked
            and one.kept is None
            and (place == 0 or tokens[place - 1].plain != "de")
            and two.plain in ("de", "del")
            and three.plain not in NOT_A_SUBJECT
        ):
            text = "películas" if one.plain == "las" else "película"
            tokens.insert(place + 1, Token(text, fold(text)))
            found.insert(place + 1, list(readings(text)))
            keys.insert(place + 1, ["pelicula"])
        place += 1
    return tokens, found, keys


def _units(
    tokens: list[Token], found: list[list[Reading]], keys: list[list[str]], known: Lexicon
) -> list[Unit]:
    units: list[Unit] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.kept is not None:
            units.append(Unit(token.text, "title", token.kept, glued=token.glued, settled=True))
            place += 1
            continue
        length, entry, used = _expression(known.tree, keys, place)
        determined = bool(units) and units[-1].part == "determiner"
        if entry is not None and entry.part == "verb" and determined and _can_be_noun(found[place]):
            entry = None  # "un robo a un banco" is not "robar a"
        if entry is not None:
            spanish = " ".join(one.text for one in tokens[place : place + length])
            reading = _head(entry, found, place, used)
            units.append(
                Unit(spanish, entry.part, entry.english, reading, plural=reading.plural, glued=token.glued)
            )
            place += length
            continue
        units.append(
            _single(token, found[place], units, tokens[place + 1] if place + 1 < len(tokens) else None)
        )
        place += 1
    return units


def _can_be_noun(found: list[Reading]) -> bool:
    return any(one.entry.part == "noun" and one.exact for one in found)


def _expression(
    tree: dict[str, Any], keys: list[list[str]], start: int
) -> tuple[int, Entry | None, list[str]]:
    """The longest expression that begins at `start`: its length, entry, and the key each of its words
    matched by."""
    best: tuple[int, Entry | None, list[str]] = (0, None, [])
    open_paths: list[tuple[dict[str, Any], list[str]]] = [(tree, [])]
    for place in range(start, min(start + LONGEST_EXPRESSION, len(keys))):
        open_paths = [
            (node[key], [*path, key])
            for node, path in open_paths
            for key in keys[place]
            if key in node and key
        ]
        if not open_paths:
            break
        for node, path in open_paths:
            if "" in node:
                best = (place - start + 1, node[""], path)
                break
    return best


def _head(entry: Entry, found: list[list[Reading]], place: int, used: list[str]) -> Reading:
    """The form of an expression: that of its verb, or the number of its nouns."""
    if entry.part == "verb":
        for offset, key in enumerate(used):
            for one in found[place + offset]:
                lemma = fold(one.entry.lemma)
                if one.entry.part == "verb" and key in (lemma, lemma + "se", lemma.removesuffix("se")):
                    return one._replace(entry=entry)
        return Reading(entry, tense="infinitive")
    plural = feminine = False
    for offset, key in enumerate(used):
        for one in found[place + offset]:
            if one.entry.part == "noun" and fold(one.entry.lemma) == key:
                plural, feminine = plural or one.plural, feminine or one.feminine
                break
    return Reading(entry, plural=plural and entry.part == "noun", feminine=feminine)


def _single(token: Token, found: list[Reading], before: list[Unit], after: Token | None) -> Unit:
    if not token.word:
        part = "number" if token.text[0].isdigit() else "sign"
        return Unit(token.text, part, token.text, glued=token.glued, settled=True)
    if token.plain in OBJECTS and after is not None and _goes_before_verb(token.plain, after):
        return Unit(token.text, "object", OBJECTS[token.plain], glued=token.glued, settled=True)
    if token.plain in LIKE and after is not None and after.kept is not None:
        return Unit(token.text, "preposition", "like", glued=token.glued, settled=True)
    if not found:
        return Unit(token.text, "unknown", token.text, glued=token.glued, settled=True)
    reading = min(found, key=lambda one: (_unlikeliness(one, before, token), not one.exact))
    return Unit(
        token.text,
        reading.entry.part,
        reading.entry.english,
        reading,
        plural=reading.plural,
        glued=token.glued,
    )


def _goes_before_verb(plain: str, after: Token) -> bool:
    """Whether "la", "lo", "le" … is a pronoun: a verb follows that cannot be a noun or an adjective."""
    if after.kept is not None or not after.word:
        return False
    following = readings(after.text.lower())
    if not any(one.entry.part == "verb" and one.tense in FINITE for one in following):
        return False
    if plain in ("le", "les", "me", "te", "nos", "os"):
        return True
    return not any(one.entry.part in ("noun", "adjective") for one in following)


def _unlikeliness(one: Reading, before: list[Unit], token: Token) -> int:
    part = one.entry.part
    if part == "name" and not token.capital:  # "película argentina"
        return len(AFTER) // 2
    if part in FUNCTIONS:
        return -1
    kind = part
    if part == "verb":
        kind = "verb" if one.tense in FINITE else one.tense
    previous = _kind_before(before)
    if token.plain == "solo" and previous == "" and part == "adverb":
        return -1
    order = AFTER[previous]
    return order.index(kind) if kind in order else len(order)


def _kind_before(before: list[Unit]) -> str:
    """The kind of the unit before, as the table `AFTER` names it."""
    if not before:
        return ""
    last = before[-1]
    if last.part == "conjunction" and len(before) > 1:  # "ríe y llora", "padre e hijo": like goes with like
        if any(unit.finite for unit in before[-12:-1]):
            return "pronoun"
        return "determiner" if before[-2].part == "noun" else "adverb"
    if last.part in ("object", "pronoun") or last.plain == "no":
        return "pronoun"
    if last.part in ("title", "unknown", "name"):
        return "noun"
    if last.part == "verb":
        if last.tense == "participle":
            return "adverb" if len(before) > 1 and before[-2].plain in ("ha", "han", "habia") else "noun"
        return "be" if last.english == "be" else "verb"
    if last.part == "adjective" and len(before) > 1 and before[-2].part == "noun":
        return "noun"
    if last.part in ("phrase", "sign", "greeting", "conjunction"):
        return ""
    return last.part if last.part in AFTER else ""
