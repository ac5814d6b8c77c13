"""A wish ("a 90s thriller with Al Pacino, no gore") into the fields of a query.

Rules take their words in turn: titles, running time, years, children, people, then genres, moods, languages,
countries and kinds with what negates or softens them; what nobody took is the text to search with.

Decisions: "not too scary" excludes the gory but stays no exclusion of the scary itself (`mild`); years and ages that
are vague or doubted only rank (`around`); a language named for a film ("a French film") is the language spoken, a
country ("British", "from Mexico") only ranks; what a film is about is text, never a genre.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from falsework.catalogue.vocabularies import LANGUAGES
from falsework.search.query import LONGEST_TEXT, MOST_TERMS, Query, Span
from falsework.search.understanding.lexicon import (
    FILLERS,
    FILM_WORDS,
    KEPT,
    LONGEST_PHRASE,
    OPERATORS,
    SERIES_WORDS,
    Meaning,
    Operator,
    meanings,
)
from falsework.search.understanding.mentions import PersonSaid, TitleSaid, people_in, titles_in, whole_title
from falsework.search.understanding.names import Names
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.spans import YearsSaid, runtime_in, years_in

__all__ = ["Wish", "query_of", "read_wish", "take_children", "take_titles", "terms"]

EXTREMES: Final = {
    "scary": "gory",
    "violent": "gory",
    "dark": "cruel",
    "gory": "cruel",
    "chilling": "gory",
    "sad": "bleak",
}
GROWN_UP: Final = 13  # years: from this age on nobody asks for a children's film
NEARBY: Final = 2  # years a single guessed year may be off

_CHILD: Final = (
    r"(?:kids?|kiddos?|children|child|toddlers?|preschoolers?|little ones?|grandkids|grandchildren|grandson|granddaughter|niece|nephew|"
    r"(?:young |little )?(?:son|daughter|sons|daughters)|infants?|tots|littl?uns)"
)
_OWN: Final = r"(?:(?:my|our|the|a|an|his|her|their|young|younger|small|little|two|three|all|some) ){0,3}"
_CHILDREN: Final = re.compile(
    rf" (?:(?P<age>(?:for|with|suits?|suitable for|my|our) {_OWN}(?P<years>\d{{1,2}}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) ?(?:(?:to|or|and) \d{{1,2}} )?(?:years?|yrs?|y) ?(?:olds?|o)(?: {_CHILD})?)"
    rf"|(?P<friendly>(?:kid|kids|child|children|family) (?:friendly|appropriate|safe|suitable))"
    rf"|(?P<films>(?:kids?|childrens?|children) (?:and family )?(?:films?|movies?|flicks?|shows?|series|cartoons?|comed(?:y|ies)|programmes?|animation|animated|adventures?|tv|musicals?|fantasy|documentar(?:y|ies)|stuff|content))"
    rf"|(?P<for>(?:something |suitable |appropriate |good |ok |okay |safe |fun )?(?:for|with) {_OWN}(?:whole |entire )?(?:family and )?{_CHILD})"
    rf"|(?P<can>(?:kids|children) (?:can|could|will|would|may) (?:watch|enjoy|like|love)))(?= )"
)
_ABOUT: Final = frozenset(["about", "where", "who", "whose", "whom", "involving", "featuring"])
_PLAINLY: Final = frozenset(
    ["no", "without", "minus", "avoid", "avoiding", "free", "exclude", "excluding", "remove", "skip", "nor"]
)
_CONNECTING: Final = frozenset(
    ["or", "nor", "and", "any", "even", "at", "all", "a", "an", "the", "kind", "of", "too", "very", "so"]
)
_EDGES: Final = FILLERS | frozenset(
    [
        "who",
        "where",
        "which",
        "whose",
        "when",
        "while",
        "if",
        "how",
        "there",
        "into",
        "over",
        "under",
        "after",
        "before",
        "off",
        "through",
        "his",
        "her",
        "their",
        "them",
        "he",
        "she",
        "they",
        "him",
        "up",
    ]
)


@dataclass
class Wish:
    """What was read so far; `fields` are the query's, each a list or a value."""

    sentence: Sentence
    values: dict[str, list[str]] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    kind: Literal["film", "series"] | None = None
    kids: bool = False
    unknown_titles: list[str] = field(default_factory=list)
    unknown_people: list[str] = field(default_factory=list)

    def add(self, key: str, value: str) -> None:
        held = self.values.setdefault(key, [])
        if value and value not in held:
            held.append(value)

    def drop(self, key: str, value: str) -> None:
        if value in self.values.get(key, ()):
            self.values[key].remove(value)


def read_wish(text: str, names: Names, *, spanish: bool = False) -> Wish:
    """All that one wish says. `spanish`: know the vocabularies' Spanish words too."""
    sentence = Sentence.of(text)
    wish = Wish(sentence)
    whole = whole_title(sentence, names)
    if whole is not None and whole.linked is not None:
        wish.add("titles", names.written(whole.linked))
        if not _says_more(sentence, spanish=spanish):
            return wish
    take_titles(wish, titles_in(sentence, names), names)
    runtime = runtime_in(sentence)
    if runtime is not None:
        wish.spans["runtime"] = runtime
    take_children(wish)
    take_years(wish, names.newest)
    take_people(wish, people_in(sentence, names), names)
    _take_vocabulary(wish, spanish=spanish)
    return wish


def query_of(wish: Wish, *, kids: bool = False, text: str | None = None) -> Query:
    """The query of a wish; `kids`: the profile is a child's, whatever was said."""
    fields: dict[str, Any] = {key: terms(found) for key, found in wish.values.items()}
    return Query.model_validate(
        {
            "text": left_over(wish.sentence) if text is None else text[:LONGEST_TEXT],
            **fields,
            **wish.spans,
            "kind": wish.kind,
            "kids": wish.kids or kids,
        }
    )


def terms(found: list[str]) -> tuple[str, ...]:
    """What a query can hold of a list: each once, not too many, none too long or empty."""
    short = (" ".join(each.split())[:200] for each in found)
    return tuple(dict.fromkeys(each for each in short if each))[:MOST_TERMS]


def _says_more(sentence: Sentence, *, spanish: bool) -> bool:
    """Whether a title's words are a wish too: "scary movie"."""
    table = meanings(spanish=spanish)
    return all(key in table or key in FILLERS for key in sentence.keys)


def take_titles(wish: Wish, titles: list[TitleSaid], names: Names) -> None:
    for title in titles:
        if title.linked is None:
            wish.unknown_titles.append(title.said)
        written = title.said if title.linked is None else names.written(title.linked)
        wish.add("titles" if title.asked and title.wanted else "like" if title.wanted else "unlike", written)


def take_years(wish: Wish, newest: int) -> None:
    """Years: certain ones bind, guessed and vague ones only rank; those of a setting stay text."""
    sure: list[YearsSaid] = []
    soft: list[YearsSaid] = []
    for said in years_in(wish.sentence, newest):
        if said.setting or _in_story(wish.sentence, said.first):
            continue
        (sure if said.sure else soft).append(said)
        if "white" not in wish.sentence.keys[said.first : said.after]:
            wish.sentence.use(said.first, said.after)
    if sure:
        wish.spans["years"] = _united([said.span for said in sure])
    elif soft:
        wish.spans["around"] = _united([_widened(said.span) for said in soft])


def take_people(wish: Wish, people: list[PersonSaid], names: Names) -> None:
    for person in people:
        if person.name is None:
            wish.unknown_people.append(person.said)
            wish.sentence.used[person.first : person.after] = [False] * (person.after - person.first)
        elif person.wanted:
            wish.add("people", person.name)
        else:
            wish.add("exclude", person.name)


def take_children(wish: Wish) -> None:
    """ "For my 5 year old", "kids film", "family friendly"; "not for kids" is the contrary."""
    sentence = wish.sentence
    if sentence.keys in (("kids",), ("children",), ("childrens",)):
        wish.kids = True
        sentence.use(0, 1)
    for match in _CHILDREN.finditer(sentence.joined):
        first, after = sentence.numbers(match.start() + 1, match.end())
        aged = bool(match["age"]) and sentence.keys[first] == "for"
        if not sentence.free(first, after) or (_in_story(sentence, first) and not aged):
            continue
        if match["age"] and _age(match["years"]) >= GROWN_UP:
            sentence.use(first, after)
            continue
        operator = _operator_before(sentence, first)
        if operator in ("exclude", "not", "mild"):
            wish.add("exclude", "Family")
        else:
            wish.kids = True
        if match["films"]:
            after = first + 1  # the kind and the genre are still to be understood
        sentence.use(first, after)


def _age(said: str) -> int:
    words = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ]
    return int(said) if said.isdigit() else words.index(said)


def _take_vocabulary(wish: Wish, *, spanish: bool) -> None:
    """Genres, moods, languages, countries and kinds, each wanted, unwanted or wanted a little, from left to right."""
    sentence = wish.sentence
    table = meanings(spanish=spanish)
    state: Operator = "wish"
    opened = -1  # the word of the operator that holds
    about = False
    place = 0
    kinds: set[str] = set()
    while place < len(sentence.words):
        word = sentence.words[place]
        if word.breaks and place:
            about = (
                about
                and word.sentence == sentence.words[place - 1].sentence
                and word.key != "but"
                and not _begins_anew(sentence, place, table)
            )
            if not (state == "exclude" and _list_goes_on(sentence, place, table)):
                state = "wish"
        if sentence.used[place]:
            place += 1
            continue
        size, operator = _operator_at(sentence, place)
        found = _meanings_at(sentence, place, table)
        if operator is not None and size >= (found[0] if found else 0):
            if (
                operator == "mild"
                and sentence.keys[place + size - 1] == "much"
                and _ends_clause(sentence, place + size)
            ):
                # "Scary, but not too much": said of the mood before.
                for mood in wish.values.get("moods", [])[-1:]:
                    _put_mildly(wish, mood)
                sentence.use(place, place + size)
                place += size
                continue
            if not (about and operator in ("wish",)):
                state, opened = operator, place
                sentence.use(place, place + size)
            place += size
            continue
        if found is not None:
            size, several = found
            free = (
                place + size < len(sentence.keys)
                and sentence.keys[place + size] == "free"
                and any(key in ("genres", "moods") for key, _ in several)
            )
            if about and not _stands_alone(sentence, place, size):
                place += size
                continue
            if _apply(wish, several, "exclude" if free else state, place, size, kinds):
                _use(sentence, place, size, state)
                if free:
                    sentence.use(place + size, place + size + 1)
                if state in ("not", "mild", "ignore") and not (
                    place + size < len(sentence.keys) and sentence.keys[place + size] in ("or", "nor")
                ):
                    state = "wish"
            place += size
            continue
        if word.key in _ABOUT and state == "wish":
            about = True
        elif word.key == "but":
            state, about = "wish", False
        elif state in ("exclude", "not") and word.key not in _CONNECTING and word.key not in FILLERS:
            plainly = sentence.keys[opened] in _PLAINLY and state == "exclude" and not about
            size = _excluded_words(wish, place, table) if plainly else 0
            place += size
            if size:
                continue
            state = "wish"
        place += 1
    if len(kinds) == 1:
        wish.kind = "film" if kinds == {"film"} else "series"


def _use(sentence: Sentence, place: int, size: int, state: Operator) -> None:
    """The words of a phrase are understood; a subject ("zombies") is still looked for in the text."""
    phrase = " ".join(sentence.keys[place : place + size])
    if state == "wish" and phrase in KEPT:
        return
    sentence.use(place, place + size)


def _apply(
    wish: Wish, several: tuple[Meaning, ...], state: Operator, place: int, size: int, kinds: set[str]
) -> bool:
    """Put what a phrase means into the wish; False where it means nothing here."""
    sentence = wish.sentence
    done = False
    for key, value in several:
        if key in ("languages", "countries") and not _is_origin(sentence, place, size):
            continue
        done = True
        if state == "ignore":
            continue
        if key == "kind":
            if state in ("exclude", "not"):
                # "no movies" asks for series; "no horror movies" asks for no horror.
                if sentence.keys[place - 1 : place] in (("no",), ("not",), ("a",), ("any",)) or place == 0:
                    kinds.add("series" if value == "film" else "film")
            else:
                kinds.add(value)
        elif state in ("exclude", "not"):
            wish.add("exclude", _language_name(value) if key == "languages" else value)
            for wished in ("genres", "moods"):
                wish.drop(wished, value)
        elif state == "mild" and key == "moods":
            _put_mildly(wish, value)
        elif state == "mild":
            pass
        elif value not in wish.values.get("exclude", ()) or key not in ("genres", "moods"):
            wish.add(key, value)
    return done


def _put_mildly(wish: Wish, mood: str) -> None:
    """A little of a mood at most; its extreme is shut out, unless that was asked for."""
    wish.add("mild", mood)
    if (extreme := EXTREMES.get(mood)) and extreme not in wish.values.get("moods", ()):
        wish.add("exclude", extreme)


def _ends_clause(sentence: Sentence, place: int) -> bool:
    return place >= len(sentence.words) or sentence.words[place].breaks


def _is_origin(sentence: Sentence, place: int, size: int) -> bool:
    """Whether "French" is said of the film: not in "French Revolution" or "the Spanish Civil War"."""
    after = place + size
    if sentence.keys[place - 1 : place] in (("in",), ("from",)) or after >= len(sentence.keys):
        return True
    following = sentence.words[after]
    return (
        following.breaks
        or sentence.used[after]
        or following.key in FILLERS
        or following.key in FILM_WORDS | SERIES_WORDS
        or following.key in meanings()
        or following.key
        in (
            "language",
            "speaking",
            "cinema",
            "made",
            "spoken",
            "dubbed",
            "audio",
            "version",
            "directors",
            "new",
        )
    )


def _language_name(code: str) -> str:
    return next((each.english[0] for each in LANGUAGES if each.name == code), code)


def _operator_at(sentence: Sentence, place: int) -> tuple[int, Operator | None]:
    for size in range(min(LONGEST_PHRASE, len(sentence.keys) - place), 0, -1):
        operator = OPERATORS.get(" ".join(sentence.keys[place : place + size]))
        if (
            operator is not None
            and sentence.free(place, place + size)
            and not any(word.breaks for word in sentence.words[place + 1 : place + size])
        ):
            return size, operator
    return 0, None


def _operator_before(sentence: Sentence, first: int) -> Operator | None:
    """The operator whose phrase ends right before word `first`, articles aside."""
    end = first
    while end > 0 and sentence.keys[end - 1] in ("a", "an", "any", "really", "only", "just", "something"):
        end -= 1
    for size in (4, 3, 2, 1):
        if end >= size and (operator := OPERATORS.get(" ".join(sentence.keys[end - size : end]))) is not None:
            if operator in ("exclude", "not", "mild"):
                sentence.use(end - size, end)
            return operator
    return None


def _meanings_at(
    sentence: Sentence, place: int, table: dict[str, tuple[Meaning, ...]]
) -> tuple[int, tuple[Meaning, ...]] | None:
    """The longest phrase that begins at a word, with what it means."""
    for size in range(min(LONGEST_PHRASE, len(sentence.keys) - place), 0, -1):
        found = table.get(" ".join(sentence.keys[place : place + size]))
        if (
            found is not None
            and sentence.free(place, place + size)
            and not any(word.breaks for word in sentence.words[place + 1 : place + size])
        ):
            return size, found
    return None


def _list_goes_on(sentence: Sentence, place: int, table: dict[str, tuple[Meaning, ...]]) -> bool:
    """ "without blood, violence or sex": a comma inside a list that "or" closes."""
    while place < len(sentence.words) and (found := _meanings_at(sentence, place, table)) is not None:
        place += found[0]
        if place < len(sentence.words) and sentence.keys[place] in ("or", "nor"):
            return True
        if place >= len(sentence.words) or not sentence.words[place].breaks:
            return False
    return place < len(sentence.words) and sentence.keys[place] in ("or", "nor")


def _begins_anew(sentence: Sentence, place: int, table: dict[str, tuple[Meaning, ...]]) -> bool:
    """Whether the clause that begins here is wholly made of what a wish is made of."""
    clause = sentence.words[place].clause
    while place < len(sentence.words) and sentence.words[place].clause == clause:
        size, operator = _operator_at(sentence, place)
        if operator is None:
            found = _meanings_at(sentence, place, table)
            if found is not None:
                size = found[0]
            elif sentence.used[place] or sentence.keys[place] in FILLERS:
                size = 1
            else:
                return False
        place += size
    return True


def _stands_alone(sentence: Sentence, place: int, size: int) -> bool:
    """In "about …" nothing is a genre; "in Spanish" and the like are said of the film all the same."""
    return (
        sentence.keys[place - 1 : place] == ("in",)
        and " ".join(sentence.keys[place : place + size]) not in FILM_WORDS
        and place + size == len(sentence.keys)
    )


def _in_story(sentence: Sentence, place: int) -> bool:
    """Whether a word tells what the film is about."""
    clause = sentence.words[place].clause
    while place > 0 and sentence.words[place - 1].clause == clause:
        place -= 1
        if sentence.keys[place] in _ABOUT:
            return True
    return False


def _excluded_words(wish: Wish, place: int, table: dict[str, tuple[Meaning, ...]]) -> int:
    """Plain words after "no" or "without" ("no dogs dying") that end their clause or run into "and"; how many."""
    sentence = wish.sentence
    end = place
    while (
        end < min(len(sentence.words), place + 3)
        and not sentence.used[end]
        and not (end > place and sentence.words[end].breaks)
        and sentence.keys[end] not in FILLERS
        and sentence.keys[end] not in _EDGES
        and _meanings_at(sentence, end, table) is None
    ):
        end += 1
    closed = (
        end == len(sentence.words)
        or sentence.words[end].breaks
        or sentence.keys[end] in ("or", "and", "please")
    )
    if (
        end == place
        or not closed
        or sentence.keys[place]
        in (
            "idea",
            "problem",
            "matter",
            "longer",
            "clue",
            "doubt",
            "way",
            "worries",
            "preference",
            "particular",
            "rush",
            "offense",
            "sense",
        )
    ):
        return 0
    wish.add("exclude", " ".join(sentence.keys[place:end]))
    sentence.use(place, end)
    return end - place


def left_over(sentence: Sentence) -> str:
    """What no rule understood, without the words that say nothing by themselves, as it was typed."""
    kept = [not used for used in sentence.used]
    place = 0
    while place < len(kept):
        size = next(
            (
                size
                for size in range(min(LONGEST_PHRASE, len(kept) - place), 0, -1)
                if (size > 1 or sentence.keys[place] not in ("i",))
                and " ".join(sentence.keys[place : place + size]) in FILLERS
                and all(kept[place : place + size])
            ),
            0,
        )
        if size > 1:
            kept[place : place + size] = [False] * size
        place += max(size, 1)
    # Small words stay only between words that are kept.
    pieces: list[str] = []
    place = 0
    while place < len(kept):
        end = place
        while end < len(kept) and kept[end]:
            end += 1
        first, last = place, end
        while first < last and sentence.keys[first] in _EDGES:
            first += 1
        while last > first and sentence.keys[last - 1] in _EDGES:
            last -= 1
        if last > first:
            pieces.append(sentence.said(first, last))
        place = max(end, place + 1)
    return " ".join(pieces)[:LONGEST_TEXT]


def _united(spans: list[Span]) -> Span:
    """Years of several mentions: from the earliest to the latest; open ends narrow each other."""
    lows = [span.least for span in spans]
    highs = [span.most for span in spans]
    if len(spans) > 1 and any(low is None for low in lows) and any(high is None for high in highs):
        least = max((low for low in lows if low is not None), default=None)
        most = min((high for high in highs if high is not None), default=None)
        if least is not None and most is not None and least > most:
            return spans[-1]
        return Span(least=least, most=most)
    least = None if any(low is None for low in lows) else min(low for low in lows if low is not None)
    most = None if any(high is None for high in highs) else max(high for high in highs if high is not None)
    return Span(least=least, most=most)


def _widened(span: Span) -> Span:
    if span.least is not None and span.least == span.most:
        return Span(least=max(span.least - NEARBY, 0), most=min(span.most + NEARBY, 9999))
    return span
