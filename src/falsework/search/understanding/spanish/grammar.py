"""English grammar for the units: verbs with their pronouns and "not", adjectives before nouns, articles."""

from __future__ import annotations

from typing import cast

from falsework.search.understanding.spanish import english
from falsework.search.understanding.spanish.units import Unit

__all__ = ["as_english"]

DEGREES = {"mas": "more", "menos": "less"}
MODIFIERS = frozenset(
    [
        "muy",
        "tan",
        "bastante",
        "demasiado",
        "mas",
        "menos",
        "poco",
        "algo",
        "super",
        "totalmente",
        "realmente",
        "tremendamente",
    ]
)
KEEPS_TO = frozenset(
    [
        "go",
        "come",
        "come",
        "back",
        "return",
        "arrive",
        "travel",
        "fly",
        "move",
        "run",
        "drive",
        "walk",
        "climb",
        "sail",
        "get",
    ]
)
FILM_WORDS = frozenset(
    [
        "film",
        "movie",
        "series",
        "story",
        "comedy",
        "drama",
        "thriller",
        "documentary",
        "novel",
        "cartoon",
        "musical",
        "saga",
        "short",
        "film",
    ]
)
NO_ARTICLE = frozenset(("phrase", "preposition", "conjunction", "sign"))
CLOSING = frozenset(".,;:!?)]}…%")
OPENING = frozenset("([{¿¡")
GENERIC = frozenset(("the", "a", "some"))


def as_english(units: list[Unit]) -> str:
    """The sentence in English. The units are changed in place."""
    units = _perfects(units)
    units = _negations_and_objects(units)
    units = _without_personal_a(units)
    units = _degrees(units)
    units = _noun_phrases(units)
    _possessives(units)
    units = _film_kinds(units)
    return _joined(units)


def _perfects(units: list[Unit]) -> list[Unit]:
    """ "ha matado": "has killed"."""
    out: list[Unit] = []
    for unit in units:
        last = out[-1] if out else None
        if last is not None and last.finite and last.reading and last.reading.entry.lemma == "haber":
            if unit.part == "verb" and unit.tense == "participle":
                auxiliary = _verb_form("have", last.tense, last.reading.person)
                participle = english.conjugated(unit.english, "participle")
                out[-1] = Unit(f"{last.spanish} {unit.spanish}", "verb", f"{auxiliary} {participle}", last.reading,
                               glued=last.glued, settled=True)  # fmt: skip
                continue
            if last.plain in ("ha", "he", "han"):
                last.english = "have"
        out.append(unit)
    return out


def _verb_form(phrase: str, tense: str, person: int) -> str:
    tense = {"subjunctive": "present"}.get(tense, tense)
    return english.conjugated(phrase, cast(english.Tense, tense), person)


def _negations_and_objects(units: list[Unit]) -> list[Unit]:
    """ "no le persigue": "does not chase him"."""
    out: list[Unit] = []
    place = 0
    while place < len(units):
        unit = units[place]
        verb = place
        objects: list[Unit] = []
        negated = unit.plain == "no" and unit.part != "title"
        verb += negated
        while verb < len(units) and units[verb].part == "object":
            objects.append(units[verb])
            verb += 1
        if verb == place or verb >= len(units) or units[verb].part != "verb":
            if negated:
                unit.english, unit.settled = _plain_no(units, place), True
            out.append(unit)
            place += 1
            continue
        head = units[verb]
        text = _negated(head) if negated else _written_verb(head)
        text = " ".join([text, *(one.english for one in objects)])
        spanish = " ".join(one.spanish for one in units[place : verb + 1])
        out.append(Unit(spanish, "verb", text, head.reading, glued=unit.glued, settled=True))
        place = verb + 1
    return out


def _plain_no(units: list[Unit], place: int) -> str:
    """ "no" is "not" before what it denies and "no" before a noun or alone."""
    following = units[place + 1] if place + 1 < len(units) else None
    return "no" if following is None or following.part in ("noun", "sign") else "not"


def _written_verb(unit: Unit) -> str:
    if unit.settled or unit.reading is None:
        return unit.english
    text = _verb_form(unit.english, unit.tense or "infinitive", unit.reading.person)
    if unit.reading.clitic:
        from falsework.search.understanding.spanish.units import OBJECTS

        text += " " + OBJECTS.get(unit.reading.clitic, "it")
    return text


def _negated(unit: Unit) -> str:
    assert unit.reading is not None
    if unit.settled:  # a perfect: "has killed"
        auxiliary, _, rest = unit.english.partition(" ")
        return f"{auxiliary} not {rest}"
    verb, _, rest = unit.english.partition(" ")
    tense, person = unit.tense, unit.reading.person
    if tense not in ("present", "past", "subjunctive", "future", "conditional"):
        return f"not {_written_verb(unit)}"
    form = _verb_form(verb, tense, person)
    if verb in ("be", "can", "must", "should"):
        return f"{'cannot' if form == 'can' else form + ' not'} {rest}".strip()
    if tense in ("future", "conditional"):
        auxiliary, _, base = form.partition(" ")
        return f"{auxiliary} not {base} {rest}".strip()
    return f"{_verb_form('do', tense, person)} not {verb} {rest}".strip()


def _without_personal_a(units: list[Unit]) -> list[Unit]:
    """ "busca a su hijo": "looks for his son"."""
    out: list[Unit] = []
    for place, unit in enumerate(units):
        if unit.part == "preposition" and unit.plain in ("a", "al") and out and place + 1 < len(units):
            last, following = out[-1], units[place + 1]
            head = next(
                (one for one in units[place + 1 : place + 4] if one.part in ("noun", "title")), following
            )
            verb = last.reading.entry.english if last.reading is not None else ""
            personal = (
                last.part == "verb"
                and verb.split(" ")[0] not in KEEPS_TO
                and (head.human or head.part == "title")
            )
            if personal:
                if unit.plain == "al":
                    out.append(Unit("al", "determiner", "the", settled=True))
                continue
            if unit.plain == "al" and following.part == "verb" and following.tense == "infinitive":
                unit.english, unit.settled = "when", True
        out.append(unit)
    return out


def _degrees(units: list[Unit]) -> list[Unit]:
    """ "más corta": "shorter"; "la más divertida": "the funniest"; "pero no demasiado": "but not too scary"."""
    out: list[Unit] = []
    place = 0
    quality = ""
    while place < len(units):
        unit = units[place]
        following = units[place + 1] if place + 1 < len(units) else None
        if (
            unit.part == "adverb"
            and unit.plain == "mas"
            and following is not None
            and following.part == "adjective"
        ):
            highest = (
                bool(out)
                and out[-1].part == "determiner"
                and out[-1].plain in ("la", "el", "los", "las", "lo")
            )
            text = english.compared(following.english, highest=highest)
            out.append(Unit(f"{unit.spanish} {following.spanish}", "adjective", text, following.reading,
                            glued=unit.glued, settled=True))  # fmt: skip
            place += 2
            continue
        alone = following is None or following.part in ("sign", "conjunction", "phrase")
        if (
            unit.plain in ("demasiado", "mucho", "tanto")
            and alone
            and out
            and out[-1].plain == "no"
            and quality
        ):
            unit.english, unit.settled = f"{'so' if unit.plain == 'tanto' else 'too'} {quality}", True
        if unit.part == "adjective":
            quality = unit.english
        elif unit.part == "phrase" and unit.english.startswith("something "):
            quality = unit.english.removeprefix("something ")
        out.append(unit)
        place += 1
    return out


def _noun_phrases(units: list[Unit]) -> list[Unit]:
    """Adjectives, with what makes them more or less so, move before their noun."""
    out: list[Unit] = []
    place = 0
    while place < len(units):
        unit = units[place]
        if unit.part != "noun":
            out.append(unit)
            place += 1
            continue
        qualities, end = _qualities(units, place + 1)
        for one in qualities:
            out.extend(one)
        out.append(unit)
        place = end
    return out


def _qualities(units: list[Unit], start: int) -> tuple[list[list[Unit]], int]:
    """The adjectives after a noun in English order, and where they end."""
    found: list[list[Unit]] = []
    place = start
    joined = False
    while place < len(units):
        group: list[Unit] = []
        look = place
        conjunction = units[look] if units[look].plain in ("y", "e", "o") and found else None
        look += conjunction is not None
        while look < len(units) and units[look].part == "adverb" and units[look].plain in MODIFIERS:
            group.append(units[look])
            look += 1
        if look >= len(units) or not _quality(units, look):
            break
        if conjunction is not None:
            after = units[look + 1] if look + 1 < len(units) else None
            if after is not None and after.part == "noun":  # "pueblo pequeño y gran ciudad"
                break
            found[-1] = (
                [*found[-1], conjunction, *group, units[look]] if joined or len(found) == 1 else found[-1]
            )
            if not (joined or len(found) == 1):
                break
            joined = True
        else:
            found.insert(0, [*group, units[look]])
        place = look + 1
    return found, place


def _quality(units: list[Unit], place: int) -> bool:
    """An adjective, or a participle that nothing hangs on ("padre divorciado", not "atrapado en …")."""
    unit = units[place]
    following = units[place + 1] if place + 1 < len(units) else None
    governed = following is not None and following.part in ("preposition", "verb", "name")
    if unit.part == "adjective":
        return not (governed and following is not None and unit.plain.startswith(("llen", "capaz", "harto")))
    return unit.part == "verb" and unit.tense == "participle" and not unit.settled and not governed


def _possessives(units: list[Unit]) -> None:
    """ "su" is "her" or "their" after a woman or several people, and "his" otherwise."""
    owner = "his"
    for unit in units:
        if unit.part == "noun" and unit.human and (owner == "his" or not unit.plural):
            owner = "their" if unit.plural else "her" if unit.feminine else "his"
        elif unit.plain in ("su", "sus") and unit.part == "determiner":
            unit.english, unit.settled = owner, True


def _film_kinds(units: list[Unit]) -> list[Unit]:
    """ "película de espías": "spy film"; with more to say, "film about spies and soldiers"."""
    out: list[Unit] = []
    place = 0
    while place < len(units):
        unit = units[place]
        if unit.part == "noun" and unit.english in FILM_WORDS and place + 2 < len(units):
            link, subject = units[place + 1], units[place + 2]
            if link.plain == "de" and link.part == "preposition":
                after = units[place + 3] if place + 3 < len(units) else None
                simple = after is None or after.plain not in ("y", "e", "o", "de", "del", "que")
                if (subject.part == "noun" and not subject.human and simple) or _kind(subject, simple):
                    kind = subject.english
                    out.append(Unit(subject.spanish, "adjective", kind, subject.reading, settled=True))
                    out.append(unit)
                    place += 3
                    continue
                if subject.part in ("noun", "adjective", "determiner", "number"):
                    link.english, link.settled = "about", True
        out.append(unit)
        place += 1
    return out


def _kind(subject: Unit, simple: bool) -> bool:
    return subject.part == "adjective" or (subject.part == "noun" and simple)


def _joined(units: list[Unit]) -> str:
    words: list[str] = []
    glue = True
    for place, unit in enumerate(units):
        text = _written(unit, units[place - 1] if place else None)
        if not text:
            continue
        if text in OPENING and unit.part == "sign" and text in "¿¡":
            continue
        attach = glue or (unit.part == "sign" and (text in CLOSING or unit.glued))
        words.append(text if attach else f" {text}")
        glue = unit.part == "sign" and text in OPENING
    return _with_articles("".join(words).strip())


def _with_articles(text: str) -> str:
    """ "a" before a vowel is "an"."""
    words = text.split(" ")
    for place, word in enumerate(words[:-1]):
        if word in ("a", "A"):
            suited = english.article(words[place + 1])
            words[place] = suited if word == "a" else suited.capitalize()
    return " ".join(word for word in words if word)


def _written(unit: Unit, before: Unit | None) -> str:
    if unit.settled:
        return unit.english
    if unit.part == "verb":
        if unit.tense == "infinitive" and before is not None:
            return _infinitive(unit, before)
        return _written_verb(unit)
    text = unit.english
    marked = unit.reading.marked if unit.reading is not None else ""
    if marked == "ly":
        text = english.adverb(text)
    elif marked:
        text = f"{marked} {text}"
    return english.plural(text) if unit.part == "noun" and unit.plural else text


def _infinitive(unit: Unit, before: Unit) -> str:
    text = _written_verb(unit)
    if before.part == "verb":
        return (
            text
            if before.english.split(" ")[0] in ("can", "cannot", "must", "should", "let", "will")
            else f"to {text}"
        )
    if before.part in ("noun", "adjective", "pronoun"):
        return f"to {text}"
    if before.part == "preposition" and before.english not in ("to", "in order to"):
        assert unit.reading is not None
        return _verb_form(unit.english, "gerund", 2) + text.removeprefix(unit.english)
    return text
