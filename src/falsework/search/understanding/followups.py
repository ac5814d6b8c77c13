"""What edits the wish before: "shorter", "no gore", "in Spanish", "with Tom Hanks instead", "more like the
second".

A sentence that could stand alone ("a comedy with dogs") is a new wish and replaces the old one. An edit is
told by its form: it compares ("funnier"), or it begins with a word nothing begins with ("but", "without",
"in", "only"), or it ends with "instead". Running time, years, languages, people and kind are replaced by
what is said, all lists grow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from falsework.catalogue.vocabularies import LANGUAGES
from falsework.search.query import LONGEST_TEXT, Query
from falsework.search.understanding.comparing import compared, compares
from falsework.search.understanding.draft import Wish, terms
from falsework.search.understanding.lexicon import (
    FILLERS,
    FILM_WORDS,
    SERIES_WORDS,
    compound,
    meanings,
    phrases,
)
from falsework.search.understanding.names import Names
from falsework.search.understanding.remainder import left_over
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.understood import Step
from falsework.search.understanding.wish import read_wish

__all__ = ["read_followup"]

LONGEST_EDIT: Final = 14  # words
_RESET: Final = re.compile(
    r"^ (?:(?:ok|okay|no|please|lets|let us|can we|i want to) )*(?:start (?:over|again|afresh|"
    r"from scratch|a new search)|restart|reset|new search|clear|clear (?:all|everything|it|that|filters|"
    r"the search)|"
    r"forget (?:it|that|everything|all that|about it)|from scratch|scrap that|begin again|"
    r"remove everything|never mind)(?: please| now)?(?= |$)"
)
_OTHERS: Final = re.compile(
    r"^ (?:(?:ok|okay|no|and|please|thanks|show me|show|give me|got|any|do you have|i want|can i have|"
    r"can i see|whats|what|lets see|id like|find me) )*"
    r"(?:something (?:else|different)|anything else|any others|others|other(?= $)|"
    r"other ones|another|another one|"
    r"another please|more|some more|more please|more of (?:these|those|this|that|the same)|next|"
    r"next ones?|"
    r"next page|what else|else|different ones|other (?:suggestions|options|ideas|movies|films|titles|"
    r"recommendations)|more (?:suggestions|options|ideas|recommendations|results|movies|films|titles|"
    r"like this|like that|like these|like those|of them)|"
    r"i have seen (?:those|these|them|that|it|all of (?:them|those|these))|ive seen (?:those|these|them|"
    r"that|it|all of (?:them|those|these))|seen (?:those|these|them|that|it)(?: already)?|"
    r"already seen (?:those|these|them|that|it)|none of (?:these|those))(?: (?:please|thanks|then|now|"
    r"already))* $"
)
_PLACE_WORDS: Final = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last"
_POINTED: Final = re.compile(
    rf" (?P<not>not |nothing |less |un)?(?:more |something |some |movies? |films? )*(?:like|similar to|"
    rf"as) (?:(?:the )?(?P<place>{_PLACE_WORDS})|(?:the )?(?:number |no |"
    rf"nr )(?P<number>\d{{1,2}}))(?: (?:one|title|film|movie|result|suggestion))? $"
)
_OPENERS: Final = phrases("""
    no|not|without|but|and|also|only|just|less|more|in|with|from|by|starring|featuring|under|over
    before|after|remove|drop|exclude|except|maybe|for|instead|plus|or|too|make|now|preferably|than
    nothing|never|dont|isnt|should|shorter|longer|newer|older|set|about|something|directed|between
    at|around|since|any|avoid|skip|not|with|rather|ok|okay
""")
_NOT_OPENERS: Final = frozenset(
    ("something", "any", "about", "ok", "okay", "at", "just")
)  # these open wishes too
_POLITE: Final = frozenset(
    ("ok", "okay", "please", "actually", "well", "hmm", "yes", "can", "could", "you", "now", "then")
)
_WHAT_ABOUT: Final = (("what", "about"), ("how", "about"))
_NOT_WANTED: Final = re.compile(r" (?:i )?(?:dont|do not) want (?!to )")


def read_followup(
    said: str,
    previous: Query,
    *,
    names: Names,
    kids: bool = False,
    shown: Sequence[str] = (),
    spanish: bool = False,
    surely: bool = False,
) -> tuple[Query, Wish | None, Step] | None:
    """The edited query, what was read for it and the step; None where the sentence is a wish of its own,
    which it is not where it `surely` edits."""
    sentence = Sentence.of(said)
    if (reset := _RESET.search(sentence.joined)) is not None:
        read = sentence.numbers(1, reset.end())[1]
        return (Query(text="", kids=kids), None, "cleared") if read >= len(sentence.words) else None
    if (pointed := _POINTED.search(sentence.joined)) is not None:
        title = _shown(pointed, shown)
        if title:
            key = "unlike" if pointed["not"] else "like"
            return _changed(previous, kids, **{key: terms([*getattr(previous, key), title])}), None, "edited"
    if _OTHERS.search(sentence.joined):
        return _changed(previous, kids), None, "others"
    if not surely and not _edits(sentence, names):
        return None
    instead = "instead" in sentence.keys
    if sentence.keys[:2] in _WHAT_ABOUT:
        sentence.use(0, 2)  # here "about" tells no story
    fields = compared(sentence, previous, names.newest)
    rest = " ".join(
        sentence.said(n, n + 1) + _pause(sentence, n)
        for n in range(len(sentence.words))
        if not sentence.used[n] and sentence.keys[n] != "instead"
    )
    wish = read_wish(rest, names, spanish=spanish) if rest else Wish(Sentence.of(""))
    if wish.values.get("titles") and not instead:
        return None  # a title is looked up, whatever stands before
    fields = _merged(
        previous,
        wish,
        fields,
        instead=instead,
        adding=sentence.keys[0] in ("and", "also", "plus", "or"),
    )
    return _changed(previous, kids or wish.kids, **fields), wish, "edited"


def _edits(sentence: Sentence, names: Names) -> bool:
    """Whether a sentence has the form of an edit."""
    keys = sentence.keys
    while len(keys) > 1 and keys[0] in _POLITE:
        keys = keys[1:]
    if not keys or len(keys) > LONGEST_EDIT:
        return False
    if names.is_title(sentence.text) and len(keys) > 1:
        return False
    if "instead" in keys or compares(sentence):
        return True
    if _NOT_WANTED.match(f" {' '.join(keys)} ") and sentence.words[-1].clause == sentence.words[0].clause:
        return True  # what is only not wanted is said of what was
    noun = any(key in FILM_WORDS or key in SERIES_WORDS for key in keys)
    if keys[0] in _OPENERS and keys[0] not in _NOT_OPENERS:
        return not (
            noun and keys[0] in ("with", "from", "in", "by", "for", "after", "before") and len(keys) > 6
        )
    if (keys[0] == "about" and not noun) or keys in (("kids",), ("children",), ("childrens",)):
        return True
    if keys[:2] in _WHAT_ABOUT and len(keys) <= 5:
        return True
    if keys[-1] in ("only", "too", "though") or keys[:2] in (
        ("make", "it"),
        ("it", "should"),
        ("i", "meant"),
        ("should", "be"),
    ):
        return True
    return not noun and _only_adjectives(sentence)


def _only_adjectives(sentence: Sentence) -> bool:
    """ "Funny and warm", "90 minutes", "the 80s": said alone, they are said of what was talked about."""
    table = meanings()
    place = 0
    said = False
    while place < len(sentence.keys):
        size = next(
            (
                size
                for size in (4, 3, 2, 1)
                if (found := table.get(" ".join(sentence.keys[place : place + size])))
                and not any(key in ("genres", "kind") for key, _ in found)
            ),
            0,
        )
        said = said or bool(size)
        if not size and not (
            sentence.keys[place] in FILLERS
            or re.fullmatch(
                r"\d{1,4}s?|minutes?|mins?|min|hours?|hrs?|h|nineties|eighties|seventies|sixties|fifties",
                sentence.keys[place],
            )
        ):
            return False
        said = said or sentence.keys[place][0].isdigit() or sentence.keys[place].endswith("ties")
        place += max(size, 1)
    return said and sentence.keys[0] not in (
        "something",
        "anything",
        "a",
        "an",
        "i",
        "im",
        "show",
        "find",
        "hi",
        "hello",
    )


def _merged(
    previous: Query, wish: Wish, fields: dict[str, Any], *, instead: bool, adding: bool
) -> dict[str, Any]:
    """The fields that change: conditions replaced, wishes added, what is unwanted taken out of what was
    wanted.
    """
    merged = dict(fields)
    excluded = wish.values.get("exclude", [])
    unwanted = {each.casefold() for each in excluded}
    for each in map(compound, excluded):
        if {*each} <= {*previous.genres, *previous.moods}:
            unwanted |= set(map(str.casefold, each))
    for key in (
        "genres",
        "moods",
        "like",
        "unlike",
        "titles",
        "mild",
        "countries",
        "people",
        "languages",
        "exclude",
    ):
        said = wish.values.get(key, [])
        before = list(merged.get(key, getattr(previous, key)))
        if key in ("languages", "people", "countries") and said and not adding:
            before = []
        if instead and said and key in ("genres", "moods", "like", "titles"):
            before = []
        if key == "exclude":
            wanted = {each.casefold() for name in ("genres", "moods") for each in wish.values.get(name, [])}
            before = [
                each for each in before if not wanted.issuperset(map(str.casefold, compound(each) or (each,)))
            ]
        elif key == "languages":  # by their names: "ES" is a country that is unwanted, and "es" no language
            before = [each for each in before if not _spoken(each) & unwanted]
        elif key != "unlike":
            before = [each for each in before if each.casefold() not in unwanted]
        now = terms([*before, *said])
        if now != getattr(previous, key):
            merged[key] = now
    for key, span in wish.spans.items():
        merged[key] = span
        if key in ("years", "around"):
            merged["around" if key == "years" else "years"] = None
    if wish.kind is not None:
        merged["kind"] = wish.kind
    if "Family" in excluded:
        merged["kids"] = False
    text = left_over(wish.sentence)
    if text and text.casefold() not in previous.text.casefold():
        merged["text"] = (text if instead or not previous.text else f"{previous.text}, {text}")[:LONGEST_TEXT]
    return merged


def _spoken(code: str) -> set[str]:
    return {language.english[0].casefold() for language in LANGUAGES if language.name == code}


def _changed(previous: Query, profile_kids: bool, **fields: Any) -> Query:
    values = {**previous.model_dump(), **fields}
    return Query.model_validate({**values, "kids": bool(values["kids"]) or profile_kids})


def _shown(pointed: re.Match[str], shown: Sequence[str]) -> str | None:
    if pointed["place"] == "last":
        return shown[-1] if shown else None
    if pointed["place"]:
        place = _PLACE_WORDS.split("|").index(pointed["place"])
    else:
        place = int(pointed["number"]) - 1
    return shown[place] if 0 <= place < len(shown) else None


def _pause(sentence: Sentence, place: int) -> str:
    """The comma that stood behind a word, so that clauses stay apart when words between are taken out."""
    return (
        ","
        if place + 1 < len(sentence.words)
        and sentence.words[place + 1].breaks
        and sentence.keys[place + 1] != "but"
        else ""
    )
