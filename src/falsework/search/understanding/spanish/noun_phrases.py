"""Nouns in English: adjectives before them, what "de" ties to them, degrees, and whose they are."""

from __future__ import annotations

from falsework.search.understanding.spanish import english
from falsework.search.understanding.spanish.units import Unit

__all__ = ["compounds", "degrees", "possessives", "qualities_first"]

MODIFIERS = frozenset(
    (
        "muy", "tan", "bastante", "demasiado", "mas", "menos", "poco", "algo", "super", "totalmente",
        "realmente",
    )
)  # fmt: skip
FILM_WORDS = frozenset(
    (
        "film", "series", "story", "comedy", "drama", "thriller", "documentary", "novel", "cartoon",
        "musical", "saga", "short film", "animated film", "tale", "miniseries", "adventure",
    )
)  # fmt: skip
NO_COMPOUND = frozenset(
    (
        "group", "pair", "couple", "series", "kind", "mixture", "lack", "glass", "loss", "end",
        "beginning", "rest", "part", "number", "amount", "bottle", "cup", "set", "pile", "team", "gang",
        "bunch", "band", "way", "search", "sense", "fear", "death", "love", "world", "thirst", "member",
        "owner", "king", "queen", "name", "lord", "life", "son", "daughter", "victim", "price", "power",
        "half", "point", "case", "day", "night", "man", "woman", "boy", "girl", "friend", "middle",
        "hundreds", "thousands", "millions", "piece", "drop", "bit",
    )
)  # fmt: skip
SELVES = {"his": "himself", "her": "herself", "their": "themselves"}
FEMININE = frozenset(("una", "la", "esta", "esa", "otra", "aquella"))
GOVERNS = ("preposition", "verb", "name", "adverb")  # what hangs on a participle: "atrapado en …"
MOVED_BY_THREE = (" of ", " to ", " in ", " on ", " with ", " from ")  # too long to stand before a noun


def degrees(units: list[Unit]) -> list[Unit]:
    """ "más corta": "shorter"; "la más divertida": "the funniest"; "no demasiado": "not too scary"."""
    out: list[Unit] = []
    quality = ""
    for place, unit in enumerate(units):
        following = units[place + 1] if place + 1 < len(units) else None
        last = out[-1] if out else None
        if unit.part == "adjective" and last is not None and last.plain == "mas" and last.part == "adverb":
            before = out[-2] if len(out) > 1 else None
            highest = before is not None and before.part == "determiner" and before.english == "the"
            text = english.compared(unit.english, highest=highest)
            spanish = f"{last.spanish} {unit.spanish}"
            out[-1] = Unit(spanish, "adjective", text, unit.reading, glued=last.glued, settled=True)
            continue
        alone = following is None or following.part in ("sign", "conjunction")
        if (
            quality
            and alone
            and last is not None
            and last.plain == "no"
            and unit.plain in ("demasiado", "mucho", "tanto")
        ):
            unit.english, unit.settled = f"too {quality}", True
        elif (
            quality
            and alone
            and unit.plain in ("pero no demasiado", "pero no mucho", "pero no tanto", "no demasiado")
        ):
            unit.english = f"{'but ' if unit.plain.startswith('pero') else ''}not too {quality}"
        if unit.part == "adjective":
            quality = unit.english
        elif unit.english.startswith("something ") and unit.part == "phrase":
            quality = unit.english.removeprefix("something ").removeprefix("with ")
        out.append(unit)
    return out


def qualities_first(units: list[Unit]) -> list[Unit]:
    """Adjectives, with what makes them more or less so, move before their noun."""
    out: list[Unit] = []
    place = 0
    while place < len(units):
        unit = units[place]
        place += 1
        if unit.part == "noun":
            moved, place = _qualities(units, place)
            for group in moved:
                out.extend(group)
        out.append(unit)
    return out


def _qualities(units: list[Unit], start: int) -> tuple[list[list[Unit]], int]:
    """The adjectives after a noun, in English order, and where they end."""
    found: list[list[Unit]] = []
    place = start
    while place < len(units):
        look = place
        conjunction = units[look] if found and units[look].plain in ("y", "e", "o") else None
        look += conjunction is not None
        group: list[Unit] = []
        while look < len(units) and units[look].part == "adverb" and units[look].plain in MODIFIERS:
            group.append(units[look])
            look += 1
        if look >= len(units) or not _is_quality(units, look):
            break
        if conjunction is None:
            found.insert(0, [*group, units[look]])
        elif len(found) == 1 and not (look + 1 < len(units) and units[look + 1].part == "noun"):
            found[0] = [*found[0], conjunction, *group, units[look]]
        else:  # "un pueblo pequeño y gran ciudad"
            break
        place = look + 1
    return found, place


def _is_quality(units: list[Unit], place: int) -> bool:
    """An adjective, or a participle that nothing hangs on ("padre divorciado", not "atrapado en …")."""
    unit = units[place]
    following = units[place + 1] if place + 1 < len(units) else None
    governs = following is not None and following.part in GOVERNS
    if unit.part == "adjective":
        long = any(word in f" {unit.english} " for word in MOVED_BY_THREE)
        participial = unit.plain.rstrip("s").endswith(("ado", "ada", "ido", "ida")) or unit.english == "full"
        return not long and not (participial and following is not None and following.part == "preposition")
    if unit.part == "noun" and unit.human and units[place - 1].human:  # "marido policía"
        return True
    return unit.part == "verb" and unit.tense == "participle" and not unit.settled and not governs


def possessives(units: list[Unit]) -> None:
    """ "su" is the first person's of the sentence: "her" after a woman, "their" after several, else "his"."""
    owner = ""
    for place, unit in enumerate(units):
        if unit.part == "sign" and unit.english in ".;!?":
            owner = ""
        if unit.part == "noun" and unit.human and not owner:
            of_woman = unit.feminine or any(one.plain in FEMININE for one in units[max(0, place - 2) : place])
            owner = "their" if unit.plural else "her" if of_woman else "his"
        elif unit.plain in ("su", "sus") and unit.part == "determiner":
            unit.english, unit.settled = owner or "his", True
        elif unit.part == "verb" and owner:
            unit.english = unit.english.replace("oneself", SELVES[owner]).replace("one's", owner)


def compounds(units: list[Unit]) -> list[Unit]:
    """ "película de espías": "spy film"; "película de espías y soldados": "film about spies and soldiers";
    "equipo de rugby": "rugby team". With an article ("la hija del rey") "of" stays."""
    out: list[Unit] = []
    place = 0
    while place < len(units):
        unit = units[place]
        link = units[place + 1] if place + 2 < len(units) and unit.part == "noun" else None
        if link is None or link.plain != "de" or link.part != "preposition" or link.settled:
            out.append(unit)
            place += 1
            continue
        subject = units[place + 2]
        after = units[place + 3] if place + 3 < len(units) else None
        film = unit.english in FILM_WORDS
        if _is_kind(subject, after, film=film) and (film or unit.english.split(" ")[0] not in NO_COMPOUND):
            spanish = f"{unit.spanish} {link.spanish} {subject.spanish}"
            kind = subject.english
            number = english.plural(unit.english) if unit.plural else unit.english
            out.append(
                Unit(spanish, "noun", f"{kind} {number}", unit.reading, glued=unit.glued, settled=True)
            )
            place += 3
            continue
        if film and subject.part == "title":
            link.english, link.settled = "by", True
        elif film and subject.part in ("noun", "adjective", "determiner", "number", "verb"):
            link.english, link.settled = "about", True
        out.append(unit)
        place += 1
    return out


def _is_kind(subject: Unit, after: Unit | None, *, film: bool) -> bool:
    if subject.part != "noun" or (not film and (subject.human or subject.plural)):
        return False
    return after is None or after.plain not in ("y", "e", "o", "de", "del", "que", ",")
