"""A condition of the wish before that is taken back: "forget the short part", "drop the language", "quita lo
de los 90", "da igual el idioma".

Both languages are read as they were typed: the form that takes back ("quita lo de …") is no sentence that a
translation keeps, only what it speaks of is translated. That is a field by its name ("the language") or a
value ("short", "los 90"), which is read as a wish would be and compared with the wish before.
"""

# ruff: noqa: E501  (the patterns are tables)

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from falsework.catalogue.vocabularies import term
from falsework.search.query import Query
from falsework.search.text import folded, tokens
from falsework.search.understanding.draft import Wish
from falsework.search.understanding.lexicon import compound
from falsework.search.understanding.names import Names
from falsework.search.understanding.remainder import left_over
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.spanish import in_english
from falsework.search.understanding.wanted import EXTREMES
from falsework.search.understanding.wish import read_wish

__all__ = ["TakenBack", "taken_back"]

LONGEST: Final = 16  # words
_FIELDS: Final = {
    ("languages",): r"languages?|tongue|audio|idiomas?|lenguas?|lenguaje",
    ("runtime",): r"length|runtime|running time|time|time limit|duration|minutes|hours|how long(?: it is)?|"
    r"duracion|tiempo|minutos|horas|longitud|lo que dure|cuanto dure",
    ("years", "around"): r"years?|decades?|date|era|period|time period|release date|when it was made|from when|"
    r"anos?|decadas?|epocas?|fechas?|de cuando sea",
    ("people",): r"actors?|actress(?:es)?|cast|directors?|people|person|persons|stars?|actor(?:es)?|"
    r"actriz|actrices|reparto|director(?:a|es)?|gente|personas?",
    ("countries",): r"countr(?:y|ies)|nationality|origin|pais|paises|nacionalidad|origen|procedencia",
    ("genres",): r"genres?|generos?",
    ("moods", "mild"): r"moods?|tone|atmosphere|tono|ambiente|animo",
    ("kind",): r"kind|format|formato|films? or (?:series|shows?)|movies? or (?:series|shows?)|"
    r"(?:series|shows?) or (?:films?|movies?)|(?:pelis?|peliculas?) o series?|series? o (?:pelis?|peliculas?)",
    ("seasons",): r"seasons?|number of seasons|temporadas?|numero de temporadas",
    ("exclude",): r"exclusions?|exceptions?|exclusiones|excepciones",
    ("like", "unlike"): r"comparison|comparisons|comparacion|parecido",
}  # fmt: skip
_NAMED: Final = {keys: re.compile(pattern) for keys, pattern in _FIELDS.items()}
_FIELD: Final = rf"(?P<field>{'|'.join(_FIELDS.values())})"
_POLITE: Final = (
    r"(?:(?:ok|okay|please|now|actually|no|yes|well|hmm|oh|and|but|so|then|just|also|maybe|lets|let us|"
    r"(?:can|could) (?:you|we)|(?:you|we) can|i want to|id like to|vale|bueno|venga|anda|mejor|por favor|ahora|"
    r"entonces|ya|puedes|podrias|quiero|y|pero|si|pues|tambien) )*"
)
_REMOVE: Final = (
    r"(?:remove|drop|delete|erase|cancel|undo|ditch|scrap|lose|take (?:out|away|off)|get rid of|do away with|"
    r"quita(?:me|le|r)?|quite|saca(?:me|r)?|elimina(?:me|r)?|borra(?:me|r)?|retira(?:r)?|suprime|suprimir|"
    r"descarta(?:r)?|fuera)"
)
_FORGET: Final = (
    r"(?:forget(?: about)?|never ?mind(?: about)?|disregard|ignore|olvida(?:te de|r|te)?|olvidemos|olvidese de|"
    r"ignora(?:r)?|prescinde de|pasa de)"
)
_OF_IT: Final = (
    r"(?:(?:lo|eso|la parte|el filtro|la condicion|la restriccion|el requisito|el limite) de(?: que)?|"
    r"(?:it|its) being|that it(?: is|s)|(?:the|that|this|my) (?:condition|filter|part|bit|limit) (?:about|of|on))"
)
_PART: Final = (
    r"(?:part|bit|thing|condition|filter|requirement|restriction|constraint|criterion|stuff|limit|bits|parts)"
)
_BE: Final = r"(?:sea|sean|es|fuera|fuese|este|tenga que ser) "
_TAKING: Final = tuple(
    re.compile(f"{pattern} $")
    for pattern in (
        rf" {_POLITE}(?P<remove>{_REMOVE}) (?P<what>.+)",
        rf" {_POLITE}{_FORGET} (?P<what>.+)",
        rf" {_POLITE}(?:sin|menos|without|except) (?P<of_it>{_OF_IT}) (?P<what>.+)",
        rf" {_POLITE}(?:sin|menos|without) (?P<article>the|lo de) (?P<what>.+ {_PART})",
    )
)
_FINE: Final = (
    r"(?: (?:(?:is|are) )?(?:fine|ok|okay|good|will do|works|at all|vale|me vale|sirve|esta bien))?"
)
_NO_MATTER: Final = (
    r"(?:(?:i |we )?(?:dont|do not) (?:care|mind)(?: about| which| what| for)?|"
    r"(?:it )?(?:doesnt|does not) matter(?: which| what)?|no matter(?: the| which| what)?|regardless of|"
    r"whatever|(?:a mi )?(?:que )?(?:me |nos )?(?:ya )?(?:d[ae] igual|da lo mismo|es igual|no importa)|ya no me importa|"
    r"no me importa|sin importar|independientemente de)"
)
_LIMIT: Final = (
    r"(?:limits?|restrictions?|requirements?|preference|limites?|restriccion(?:es)?|requisitos?|topes?)"
)
_ARTICLE: Final = r"(?:(?:the|my|el|la|los|las|en que|en cual|de que|cual sea) )*"
_FREEING: Final = tuple(
    re.compile(f"{pattern} $")
    for pattern in (
        rf" {_POLITE}{_NO_MATTER} {_ARTICLE}{_FIELD}(?: is| it is| its| sea| it is in| its in| its from)?",
        rf" {_POLITE}{_ARTICLE}{_FIELD} (?:(?:doesnt|does not|dont|do not) matter(?: to me| any ?more| at all)?|"
        rf"(?:is|are) (?:not|no longer) important|(?:isnt|arent) important|(?:is|are) (?:irrelevant|unimportant)|"
        rf"(?:ya )?(?:me |nos )?(?:da igual|dan igual|da lo mismo|dan lo mismo|es igual|no importan?)|"
        rf"(?:ya )?no me importan?)",
        rf" {_POLITE}(?P<whenever>(?:from )?any ?time)",
        rf" {_POLITE}(?:(?:in|from|with|of|en|de|con) )?(?:any|whatever|whichever|all|cualquier) {_FIELD}{_FINE}",
        rf" {_POLITE}{_FIELD} can be any(?:thing)?",
        rf" {_POLITE}(?:no|without|without a|without any) {_FIELD} {_LIMIT}",
        rf" {_POLITE}(?:no|without|without a|without any) {_LIMIT} (?:on|of|for) {_ARTICLE}{_FIELD}",
        rf" {_POLITE}without the {_FIELD}",
        rf" {_POLITE}(?:sin|no hay|ya no hay)(?: ningun| ninguna)? {_LIMIT} (?:de|en|para|con) {_ARTICLE}{_FIELD}",
        rf" {_POLITE}{_FIELD} sin {_LIMIT}",
        rf" {_POLITE}(?P<films>films? or (?:series|shows?)|(?:series|shows?) or films?)",
        rf" {_POLITE}(?:with )?(?P<anyone>anyone|anybody|con quien sea|con cualquiera)",
    )
)
_NEED_NOT: Final = tuple(
    re.compile(f"{pattern} $")
    for pattern in (
        rf" {_POLITE}(?:it |that |this |they )?(?:(?:doesnt|does not|dont|do not|no longer) (?:have|need|has|needs) "
        rf"to be|neednt be|need not be) (?P<what>.+)",
        rf" {_POLITE}not necessarily (?P<what>.+)",
        rf" {_POLITE}{_NO_MATTER} (?:if|whether|si|que) (?:its |it is |{_BE})?(?P<what>.+)",
        rf" {_POLITE}(?:ya )?no (?:hace falta que|tiene que|tiene por que|necesita|es necesario que|hay que) "
        rf"(?:ser|sea|este|estar) (?P<what>.+)",
        rf" {_POLITE}no necesariamente (?P<what>.+)",
        rf" {_POLITE}(?:ya no quiero|ya no la quiero|ya no hace falta)(?: que)? (?:{_BE})?(?P<what>.+)",
        rf" {_POLITE}(?:i )?no longer want (?:it |that )?(?:to be )?(?P<what>.+)",
    )
)
_ALL: Final = re.compile(
    r"(?:todo|todo eso|todo lo anterior|todas las condiciones|everything|all|all of (?:it|that)|it all|"
    r"all conditions|all the conditions|all filters)"
)
_ANEW: Final = re.compile(
    rf" {_POLITE}(?:olvidalo(?: todo)?|borralo todo|quitalo todo|empecemos de nuevo|empezar de nuevo|"
    r"empieza de (?:nuevo|cero)|empecemos de cero|desde cero|nueva busqueda|borron y cuenta nueva) $"
)
_JOINING: Final = frozenset(("and", "y", "e", "but", "pero", "then", "luego", "ni"))
_HALVES: Final = (("media",), ("medio",), ("cuarto",), ("half",), ("a",))
_POINTING: Final = frozenset(("it", "that", "this", "eso", "esto", "about it", "all that"))
_DETERMINED: Final = re.compile(rf"(?:(?P<of_it>{_OF_IT})|about|the|that|this|my|any|el|la|los|las|lo|al|a) ")
_LAST_WORDS: Final = re.compile(
    r"(?: (?:please|thanks|thank you|now|then|any ?more|por favor|gracias|ya|anda))+ $"
)


@dataclass
class TakenBack:
    """`query` is the wish before, less what was taken back. `rest` is what else the sentence says, in
    English; `leads`: what was taken back stood before it. `idle` is what there was nothing to take back for,
    as said. `cleared`: everything was taken back.
    """

    query: Query
    rest: str = ""
    leads: bool = False
    idle: list[str] = field(default_factory=list)
    cleared: bool = False


@dataclass(frozen=True)
class _Part:
    """What one clause takes back: `what` is said in the clause's words, and `whole` with the article before
    it ("Al Pacino", "los 90"); `keys` are fields called by their names. `sure`: nothing but a condition can
    be meant ("the … part", "lo de …"). `shuts_out`: where there is no such condition, it is one against
    ("remove horror"). `frees`: it need not hold, whether or not it was asked for ("any language").
    """

    what: str = ""
    whole: str = ""
    keys: tuple[str, ...] = ()
    sure: bool = False
    shuts_out: bool = False
    frees: bool = False
    everything: bool = False


def taken_back(
    typed: str, previous: Query, names: Names, *, kids: bool = False, spanish: bool = False
) -> TakenBack | None:
    """What a sentence as typed takes back of the wish before; None where it takes nothing back. `kids`: the
    profile is a child's, and stays so. `spanish`: it was typed in Spanish."""
    sentence = Sentence.of(typed)
    if not 0 < len(sentence.words) <= LONGEST or (len(sentence.words) > 1 and names.is_title(typed)):
        return None
    if _ANEW.search(sentence.joined):
        return TakenBack(Query.model_validate({"kids": kids}), cleared=True)
    found = TakenBack(previous)
    rest: list[str] = []
    taking = False
    for first, after in _clauses(sentence):
        said = sentence.said(first, after)
        part = _part(sentence, first, after)
        if part is None and taking:
            part = _goes_on(said)
            if part is not None and _less(found.query, part, names, kids=kids, spanish=spanish) is None:
                part = None
        if part is None:
            rest.append(said)
            continue
        if part.everything:
            return TakenBack(Query.model_validate({"kids": kids}), cleared=True)
        less = _less(found.query, part, names, kids=kids, spanish=spanish)
        if less is not None:
            found.query = less
        elif part.shuts_out and not part.sure and not part.keys:
            person = names.person(part.whole) if part.whole else None  # "Al Pacino" has no article
            rest.append(f"no {person or _english(part.what, spanish=spanish)}")
        elif not part.frees:
            found.idle.append(part.what)
        taking = True
        found.leads = found.leads or not first
    if not taking:
        return None
    found.rest = ", ".join(
        each if each.startswith("no ") else _english(each, spanish=spanish) for each in rest
    )
    return found


def _clauses(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """From where to where each clause reaches, without the word that joins it to the one before."""
    first = 0
    for place, (word, key) in enumerate(zip(sentence.words, sentence.keys, strict=True)):
        if key in _JOINING and sentence.keys[place + 1 : place + 2] in _HALVES:
            continue  # "hora y media"
        if place > first and (word.breaks or key in _JOINING):
            yield first, place
            first = place
        if key in _JOINING and place == first:
            first = place + 1
    if first < len(sentence.words):
        yield first, len(sentence.words)


def _part(sentence: Sentence, first: int, after: int) -> _Part | None:
    joined = f" {' '.join(sentence.keys[first:after])} "
    if (polite := _LAST_WORDS.search(joined)) is not None and polite.start() > 0:
        after -= polite[0].strip().count(" ") + 1
        joined = f"{joined[: polite.start()]} "
    for pattern in _FREEING:
        if (match := pattern.match(joined)) is not None:
            named = {"anyone": "people", "films": "kind", "whenever": "year"}
            name = next((named[each] for each in named if match.groupdict().get(each)), "")
            return _Part(keys=_keys(name or match["field"]), frees=True)
    for pattern in (*_TAKING, *_NEED_NOT):
        if (match := pattern.match(joined)) is None:
            continue
        groups = match.groupdict()
        begins = first + joined[: match.start("what")].count(" ") - 1
        sure = bool(groups.get("of_it") or groups.get("article"))
        frees = pattern in _NEED_NOT
        return _of(sentence.said(begins, after), sure=sure, shuts_out=bool(groups.get("remove")), frees=frees)
    return None


def _goes_on(said: str) -> _Part | None:
    """ "Drop the language and the length": a clause that may go on with what is taken back."""
    return _of(said)


def _of(what: str, *, sure: bool = False, shuts_out: bool = False, frees: bool = False) -> _Part | None:
    """What a clause takes back, without what only points at it."""
    words = what.split()
    plain = folded(what)
    if plain in _POINTING:
        return None
    if _ALL.fullmatch(plain):
        return _Part(everything=True)
    whole = ""
    while (match := _DETERMINED.match(f"{plain} ")) is not None and len(words) > match[0].count(" "):
        sure = sure or bool(match["of_it"])
        whole = "" if match["of_it"] else " ".join(words)
        words = words[match[0].count(" ") :]
        plain = folded(" ".join(words))
    if re.match(_BE, plain):
        words, sure = words[1:], True
        if words[:1] == ["de"] and len(words) > 1:
            words = words[1:]
    if len(words) > 1 and re.fullmatch(_PART, folded(words[-1])):
        words, sure, whole = words[:-1], True, ""
    left = " ".join(words)
    return _Part(left, whole, _keys(folded(left)), sure, shuts_out, frees)


def _keys(name: str) -> tuple[str, ...]:
    return next((keys for keys, pattern in _NAMED.items() if pattern.fullmatch(name)), ())


def _less(query: Query, part: _Part, names: Names, *, kids: bool, spanish: bool) -> Query | None:
    """The query without what a clause takes back; None where it has nothing of it."""
    if part.keys:
        freed = {
            key: Query.model_fields[key].default
            for key in part.keys
            if getattr(query, key) != Query.model_fields[key].default
        }
        return _with(query, freed) if freed else None
    for english in _readings(part, spanish=spanish):
        fields = _held(query, read_wish(english, names, spanish=spanish), kids=kids)
        fields |= {} if fields else _less_text(query, english, part.what)
        if fields:
            return _with(query, fields)
    return None


def _held(query: Query, said: Wish, *, kids: bool) -> dict[str, Any]:
    """The fields of a query that hold what a wish says, without it."""
    values = {folded(value) for key in said.values for value in said.values[key]}
    fields = _without(query, values, ("genres", "moods", "mild", "languages", "countries", "people"))
    fields |= _without(query, values, ("like", "unlike", "titles"))
    if not fields:  # "forget the gore": what is shut out, or the moods of a genre that was not asked for
        together = {
            folded(each)
            for each in query.exclude
            if values.issuperset(map(folded, compound(each) or (each,)))
        }
        fields = _without(query, values | together, ("exclude",))
        near = {
            mood for mood in query.moods if (known := term(mood)) and values & set(map(folded, known.near))
        }
        if not fields and near:
            fields = _without(query, set(map(folded, near)), ("moods", "mild"))
    extremes = {folded(EXTREMES[mood]) for mood in query.mild if mood in EXTREMES and folded(mood) in values}
    if extremes and "mild" in fields:
        fields |= _without(query, extremes, ("exclude",))
    for key in said.spans:
        for each in ("years", "around") if key in ("years", "around") else (key,):
            if getattr(query, each) is not None:
                fields[each] = None
    if said.kids and query.kids and not kids:
        fields["kids"] = False
    if not fields and said.kind is not None and said.kind == query.kind:
        fields["kind"] = None
    return fields


def _without(query: Query, values: set[str], keys: tuple[str, ...]) -> dict[str, Any]:
    return {
        key: tuple(value for value in getattr(query, key) if folded(value) not in values)
        for key in keys
        if any(folded(value) in values for value in getattr(query, key))
    }


def _less_text(query: Query, english: str, what: str) -> dict[str, Any]:
    """The text without words of it that are taken back: "forget the dogs"."""
    gone = {*tokens(left_over(Sentence.of(english))), *tokens(what)}
    sentence = Sentence.of(query.text)
    sentence.used = [bool(gone & set(tokens(key))) for key in sentence.keys]
    return {"text": left_over(sentence)} if any(sentence.used) else {}


def _with(query: Query, fields: dict[str, Any]) -> Query:
    return Query.model_validate({**query.model_dump(), **fields})


def _readings(part: _Part, *, spanish: bool) -> tuple[str, ...]:
    """What a phrase may be in English: alone, with its article, and behind "de", as in "lo de los 90"."""
    said = [each for each in (part.what, part.whole) if each]
    if not spanish:
        return tuple(said)
    return tuple(in_english(f"{of}{each}") for each in said for of in ("", "de "))


def _english(said: str, *, spanish: bool) -> str:
    return in_english(said) if spanish else said
