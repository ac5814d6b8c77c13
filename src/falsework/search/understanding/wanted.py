"""Genres, moods, languages, countries and kinds in a sentence: wanted, unwanted, or wanted a little.

Words are read from left to right. An operator ("no", "not too", "maybe") holds until its clause ends, or
for the next phrase only; what a film is about is told, not asked for, so nothing in there is a genre.
"""

from __future__ import annotations

from typing import Final

from falsework.catalogue.vocabularies import LANGUAGES
from falsework.search.understanding.draft import Wish
from falsework.search.understanding.lexicon import (
    FILLERS,
    FILM_WORDS,
    KEPT,
    SERIES_WORDS,
    Meaning,
    Operator,
    compound,
    meanings,
    phrases,
)
from falsework.search.understanding.matching import ABOUT, ends_clause, meanings_at, operator_at
from falsework.search.understanding.remainder import EDGES
from falsework.search.understanding.sentence import Sentence

__all__ = ["take_vocabulary"]

# What is shut out with "not too …": nobody who says so misses it.
EXTREMES: Final = {
    "scary": "gory",
    "violent": "gory",
    "dark": "cruel",
    "gory": "cruel",
    "chilling": "gory",
    "sad": "bleak",
}
_PLAINLY: Final = phrases("no|without|minus|avoid|avoiding|free|exclude|excluding|remove|skip|about|any|nor")
_ANSWERS: Final = frozenset({"no", "never"})
_TALKING: Final = phrases(
    "i|im|ive|id|it|its|he|she|we|they|you|not|thanks|thank|heard|seen|watched|saw|but|yes|sorry|well"
)
_IDLE: Final = phrases(
    "idea|problem|matter|longer|clue|doubt|way|worries|preference|particular|rush|offense|sense"
)
_CONNECTING: Final = phrases("or|nor|and|any|even|at|all|a|an|the|kind|of|too|very|so")


def take_vocabulary(wish: Wish, *, spanish: bool) -> None:
    """Put all a sentence says in words of the vocabularies into the wish. `spanish`: know their Spanish words
    too."""
    _Scan(wish, meanings(spanish=spanish)).run()


class _Scan:
    """One pass over a sentence. `state` is the operator that holds, `opener` the last word of its phrase,
    `about` whether it is being told what the film is about.
    """

    def __init__(self, wish: Wish, table: dict[str, tuple[Meaning, ...]]) -> None:
        self.wish = wish
        self.sentence = wish.sentence
        self.table = table
        self.state: Operator = "wish"
        self.opener = ""
        self.about = False
        self.kinds: set[str] = set()

    def run(self) -> None:
        place = 0
        while place < len(self.sentence.words):
            if self.sentence.words[place].breaks and place:
                self._clause_begins(place)
            place += 1 if self.sentence.used[place] else self._step(place)
        if len(self.kinds) == 1:
            self.wish.kind = "film" if self.kinds == {"film"} else "series"

    def _clause_begins(self, place: int) -> None:
        word, before = self.sentence.words[place], self.sentence.words[place - 1]
        same = word.sentence == before.sentence and word.key != "but"
        self.about = self.about and same and not _begins_anew(self.sentence, place, self.table)
        if not (self.state == "exclude" and _list_goes_on(self.sentence, place, self.table)):
            self.state = "wish"

    def _step(self, place: int) -> int:
        """Read what begins at a word; how many words that was."""
        size, operator = operator_at(self.sentence, place)
        found = meanings_at(self.sentence, place, self.table)
        if operator is not None and size >= (found[0] if found else 0):
            return self._operator(place, size, operator)
        if found is not None:
            return self._meant(place, *found)
        key = self.sentence.keys[place]
        if key in ABOUT and self.state == "wish":
            self.about = True
        elif key == "but":
            self.state, self.about = "wish", False
        elif self.state in ("exclude", "not") and key not in _CONNECTING and key not in FILLERS:
            plainly = self.opener in _PLAINLY and self.state == "exclude" and not self.about
            if plainly and (
                size := _excluded_words(self.wish, place, self.table, told=self.opener == "about")
            ):
                return size
            if key not in _IDLE and (size := self._together(place, 1)):
                return size
            self.state = "wish"
        return 1

    def _together(self, place: int, size: int) -> int:
        """Shut out what is two things at once, "dark comedies" or "medical dramas", where the genre stands
        right behind a phrase of `size` words; how many words that was."""
        after = place + size
        behind = None
        if after < len(self.sentence.words) and not self.sentence.words[after].breaks:
            behind = meanings_at(self.sentence, after, self.table)
        end = after if behind is None else after + behind[0]
        phrase = " ".join(self.sentence.keys[place:end])
        if not compound(phrase):
            return 0
        self.wish.add("exclude", phrase)
        self.sentence.use(place, end)
        return end - place

    def _operator(self, place: int, size: int, operator: Operator) -> int:
        last = self.sentence.keys[place + size - 1]
        if operator == "mild" and last == "much" and ends_clause(self.sentence, place + size):
            # "Scary, but not too much": said of the mood before.
            for mood in self.wish.values.get("moods", [])[-1:]:
                _put_mildly(self.wish, mood)
            self.sentence.use(place, place + size)
        elif last in _ANSWERS and _goes_on_talking(self.sentence, place + size):
            self.state = "wish"
        elif not (self.about and operator == "wish"):
            if operator == "mild" and _of_the_film(self.sentence, place):
                self.about = False
            self.state, self.opener = operator, last
            self.sentence.use(place, place + size)
        return size

    def _meant(self, place: int, size: int, several: tuple[Meaning, ...]) -> int:
        after = place + size
        if self.about and not _stands_alone(self.sentence, place, size):
            return size
        following = self.sentence.keys[after] if after < len(self.sentence.keys) else ""
        free = following == "free" and any(key in ("genres", "moods") for key, _ in several)
        state: Operator = "exclude" if free else self.state
        phrase = " ".join(self.sentence.keys[place:after])
        if state in ("exclude", "not") and not free and (whole := self._together(place, size)):
            return whole
        subject = phrase in KEPT and any(key == "genres" for key, _ in several)
        if subject and state in ("exclude", "not"):
            self.wish.add("exclude", phrase)  # "no aliens" shuts out aliens, not science fiction
        elif not self._apply(several, state, place, size):
            return size
        if not (state == "wish" and phrase in KEPT):  # a subject is looked for in the text as well
            self.sentence.use(place, after + free)
        if self.state in ("not", "mild", "ignore") and following not in ("or", "nor"):
            self.state = "wish"
        return size

    def _apply(self, several: tuple[Meaning, ...], state: Operator, place: int, size: int) -> bool:
        """Put what a phrase means into the wish; False where it means nothing here."""
        wish, done = self.wish, False
        for key, value in several:
            if key in ("languages", "countries") and not _is_origin(self.sentence, place, size):
                continue
            done = True
            if state == "ignore":
                continue
            if key == "kind":
                if len(several) == 1 or state not in ("exclude", "not"):
                    self._kind(value, state, place)
            elif state in ("exclude", "not"):
                wish.add("exclude", _language_name(value) if key == "languages" else value)
                for wished in ("genres", "moods"):
                    wish.drop(wished, value)
            elif state == "mild":
                if key == "moods":
                    _put_mildly(wish, value)
            elif value not in wish.values.get("exclude", ()) or key not in ("genres", "moods"):
                wish.add(key, value)
        return done

    def _kind(self, kind: str, state: Operator, place: int) -> None:
        if state not in ("exclude", "not"):
            self.kinds.add(kind)
        elif place == 0 or self.sentence.keys[place - 1] in ("no", "not", "a", "any"):
            # "No movies" asks for series; "no horror movies" asks for no horror.
            self.kinds.add("series" if kind == "film" else "film")


def _of_the_film(sentence: Sentence, place: int) -> bool:
    """ "About ghosts that is not too scary": said of the film again, not of what it is about."""
    before = sentence.keys[max(0, place - 2) : place]
    return before in (("that", "is"), ("which", "is")) or before[-1:] in (("thats",), ("but",), ("and",))


def _goes_on_talking(sentence: Sentence, after: int) -> bool:
    """ "No I haven't", "never heard of it": an answer in a conversation, which shuts out nothing."""
    return after < len(sentence.keys) and sentence.keys[after] in _TALKING


def _put_mildly(wish: Wish, mood: str) -> None:
    """A little of a mood at most; its extreme is shut out, unless that was asked for."""
    wish.add("mild", mood)
    if (extreme := EXTREMES.get(mood)) and extreme not in wish.values.get("moods", ()):
        wish.add("exclude", extreme)


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


def _list_goes_on(sentence: Sentence, place: int, table: dict[str, tuple[Meaning, ...]]) -> bool:
    """ "without blood, violence or sex": a comma inside a list that "or" closes."""
    while place < len(sentence.words) and (found := meanings_at(sentence, place, table)) is not None:
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
        size, operator = operator_at(sentence, place)
        if operator is None:
            found = meanings_at(sentence, place, table)
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


def _excluded_words(wish: Wish, place: int, table: dict[str, tuple[Meaning, ...]], *, told: bool) -> int:
    """Plain words after "no" or "without" ("no dogs dying") that end their clause or run into "and"; how
    many. `told`: after "not about", where a genre's word is a subject too ("not about world war 2").
    """
    sentence = wish.sentence
    end = place
    while (
        end < min(len(sentence.words), place + (5 if told else 3))
        and not sentence.used[end]
        and not (end > place and sentence.words[end].breaks)
        and sentence.keys[end] not in FILLERS
        and sentence.keys[end] not in EDGES
        and (told or meanings_at(sentence, end, table) is None)
    ):
        end += 1
    closed = (
        end == len(sentence.words)
        or sentence.words[end].breaks
        or sentence.keys[end] in ("or", "and", "please")
    )
    if end == place or not closed or sentence.keys[place] in _IDLE:
        return 0
    wish.add("exclude", " ".join(sentence.keys[place:end]))
    sentence.use(place, end)
    return end - place
