"""Verbs in English: pronouns behind them, "not" with its auxiliary, infinitives with or without "to"."""

from __future__ import annotations

from typing import cast

from falsework.search.understanding.spanish import english
from falsework.search.understanding.spanish.units import OBJECTS, Unit

__all__ = ["linked", "negated_with_objects", "perfects", "without_personal_a", "written_verb"]

AUXILIARIES = ("be", "can", "must", "should")
KEEPS_TO = frozenset(
    (
        "go", "come", "return", "arrive", "travel", "fly", "move", "run", "drive", "walk", "climb",
        "sail", "get", "invite", "send", "take", "bring", "give", "belong", "head", "lead", "subject",
        "flee", "escape", "drag", "transfer", "leave", "approach", "condemn", "sentence", "sell",
        "speak", "emigrate", "marry", "offer",
    )
)  # fmt: skip
HIMSELF = ("myself", "yourself", "himself", "ourselves", "yourselves", "themselves")
HIS = ("my", "your", "his", "our", "your", "their")


def linked(units: list[Unit]) -> list[Unit]:
    """Words whose English hangs on the next: "para huir" is "to flee", "deja salir" "lets go out", "van
    matando" "kill", "un hombre que" "a man who", "acaba como profesor" "ends as teacher"."""
    out: list[Unit] = []
    for place, unit in enumerate(units):
        following = units[place + 1] if place + 1 < len(units) else None
        before = out[-1] if out else None
        tense = following.tense if following is not None and following.part == "verb" else ""
        lemma = unit.reading.entry.lemma if unit.reading is not None and unit.part == "verb" else ""
        if unit.plain == "para" and tense == "infinitive":
            unit.english, unit.settled = "to", True
        elif unit.plain == "al" and tense == "infinitive":
            unit.english, unit.settled = "when", True
        elif lemma == "dejar" and tense == "infinitive":
            unit.english = "let"
        elif lemma == "acabar de" and tense != "infinitive":
            unit.english = "end up as"
        elif lemma in ("ir", "seguir") and tense == "gerund" and following is not None and following.reading:
            assert unit.reading is not None
            following.reading = following.reading._replace(tense=unit.tense, person=unit.reading.person)
            continue
        elif unit.plain == "como" and before is not None and before.part in ("verb", "noun"):
            if before.part == "verb" and following is not None and following.part == "noun":
                unit.english = "as"
        elif unit.plain in ("por", "por el", "por la") and before is not None and _is_participle(before):
            unit.english, unit.settled = "by", True
        elif unit.plain == "que" and before is not None and before.human:
            unit.english = "who"
        elif unit.plain == "algo" and following is not None and following.plain == "de":
            following.english, following.settled = "about", True
        elif unit.plain == "todo" and (following is None or following.part not in ("noun", "determiner")):
            unit.english, unit.settled = "everything", True
            if before is not None and before.part == "verb" and len(out) > 1 and out[-2].plain == "lo":
                del out[-2]  # "lo perdieron todo"
        out.append(unit)
    return out


def _is_participle(unit: Unit) -> bool:
    ending = unit.plain.rstrip("s").endswith(("ado", "ada", "ido", "ida"))
    return unit.tense == "participle" or (unit.part == "adjective" and ending)


def perfects(units: list[Unit]) -> list[Unit]:
    """ "ha matado": "has killed"."""
    out: list[Unit] = []
    for unit in units:
        last = out[-1] if out else None
        had = last is not None and last.finite and last.reading and last.reading.entry.lemma == "haber"
        if last is not None and had and last.reading and unit.part == "verb" and unit.tense == "participle":
            auxiliary = _form("have", last.tense, last.reading.person)
            text = f"{auxiliary} {english.conjugated(unit.english, 'participle')}"
            spanish = f"{last.spanish} {unit.spanish}"
            out[-1] = Unit(spanish, "verb", text, last.reading, glued=last.glued, settled=True)
        else:
            out.append(unit)
    return out


def negated_with_objects(units: list[Unit]) -> list[Unit]:
    """ "no le persigue": "does not chase him"."""
    out: list[Unit] = []
    place = 0
    while place < len(units):
        unit = units[place]
        negated = unit.plain == "no" and unit.part == "adverb"
        verb = place + negated
        objects: list[Unit] = []
        while verb < len(units) and units[verb].part == "object":
            objects.append(units[verb])
            verb += 1
        if verb == place or verb >= len(units) or units[verb].part != "verb":
            if negated:
                unit.english, unit.settled = _bare_no(units, place), True
            out.append(unit)
            place += 1
            continue
        head = units[verb]
        named_later = verb + 1 < len(units) and units[verb + 1].plain in ("a", "al")
        if (
            named_later and objects and objects[-1].plain in ("le", "les")
        ):  # "les pone trampas a los ladrones"
            units[verb + 1].english, units[verb + 1].settled = "for", True
        spoken = [one.english for one in objects if not (named_later and one.plain in ("le", "les"))]
        text = " ".join([_negated(head) if negated else written_verb(head), *spoken])
        spanish = " ".join(one.spanish for one in units[place : verb + 1])
        out.append(Unit(spanish, "verb", text, head.reading, glued=unit.glued, settled=True))
        place = verb + 1
    return out


def _bare_no(units: list[Unit], place: int) -> str:
    """ "no" is "not" before what it denies, and "no" before a noun or alone."""
    following = units[place + 1] if place + 1 < len(units) else None
    return "no" if following is None or following.part in ("noun", "sign") else "not"


def _negated(unit: Unit) -> str:
    assert unit.reading is not None
    if unit.settled:  # a perfect: "has killed"
        auxiliary, _, rest = unit.english.partition(" ")
        return f"{auxiliary} not {rest}"
    verb, _, rest = unit.english.partition(" ")
    tense, person = unit.tense, unit.reading.person
    if tense not in ("present", "past", "subjunctive", "future", "conditional"):
        return f"not {written_verb(unit)}"
    form = _form(verb, tense, person)
    if verb in AUXILIARIES:
        text = f"{'cannot' if form == 'can' else form + ' not'} {rest}"
    elif tense in ("future", "conditional"):
        auxiliary, _, base = form.partition(" ")
        text = f"{auxiliary} not {base} {rest}"
    else:
        text = f"{_form('do', tense, person)} not {verb} {rest}"
    return _of_oneself(text.strip(), person)


def without_personal_a(units: list[Unit]) -> list[Unit]:
    """ "busca a su hijo": "looks for his son"; "vuelve a casa" keeps its "to"."""
    out: list[Unit] = []
    for place, unit in enumerate(units):
        following = units[place + 1] if place + 1 < len(units) else None
        if unit.plain in ("a", "al") and not unit.settled and out and following is not None:
            last = out[-1]
            verb = last.reading.entry.english.split(" ")[0] if last.part == "verb" and last.reading else ""
            infinitive = following.part == "verb" and following.tense == "infinitive"
            if verb and verb not in KEEPS_TO and not infinitive:
                if unit.plain == "al":
                    out.append(Unit("al", "determiner", "the", settled=True))
                continue
        out.append(unit)
    return out


def written_verb(unit: Unit, before: Unit | None = None) -> str:
    """The verb in its form, with a pronoun written onto it; `before` tells what an infinitive follows."""
    if unit.settled or unit.reading is None:
        return unit.english
    clitic = f" {OBJECTS.get(unit.reading.clitic, 'it')}" if unit.reading.clitic else ""
    if unit.tense == "infinitive" and before is not None:
        return _of_oneself(_infinitive(unit, before), 2) + clitic
    return _form(unit.english, unit.tense or "infinitive", unit.reading.person) + clitic


def _infinitive(unit: Unit, before: Unit) -> str:
    text = unit.english
    if before.part == "verb":
        helps = before.english.split(" ")[0] in ("can", "cannot", "must", "should", "let", "lets", "make")
        helps = helps or before.english.endswith((" to", " not to"))
        return text if helps or before.english.startswith(("does not let", "do not let")) else f"to {text}"
    if before.part == "phrase" and before.english.endswith("feel like"):
        return english.conjugated(text, "gerund")
    if before.part in ("noun", "adjective", "pronoun", "object") or before.english in (
        "I want",
        "I would like",
    ):
        return f"to {text}"
    if before.part == "preposition" and before.english not in ("to", "when", "about to"):
        return english.conjugated(text, "gerund")
    return text


def _form(phrase: str, tense: str, person: int) -> str:
    tense = "present" if tense == "subjunctive" else tense
    return _of_oneself(english.conjugated(phrase, cast(english.Tense, tense), person), person)


def _of_oneself(text: str, person: int) -> str:
    return text.replace("oneself", HIMSELF[person]).replace("one's", HIS[person])
