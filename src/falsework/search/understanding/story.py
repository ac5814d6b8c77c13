"""A story somebody half remembers ("I saw this in the 90s, there was a boy who …") into a query.

What is remembered is text, all of it: the words of a plot are no conditions, and what is said with doubt
must not shut out the film that is looked for. Only years (never as a condition), titles it is compared
with and the genre it is called by are taken out, and they rank.
"""

from __future__ import annotations

import re
from typing import Final

from falsework.search.query import Query, Span
from falsework.search.understanding.draft import Wish
from falsework.search.understanding.lexicon import FILM_WORDS, SERIES_WORDS, meanings, phrases
from falsework.search.understanding.names import Names
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.titles_said import titles_in
from falsework.search.understanding.wish import query_of, take_titles
from falsework.search.understanding.years import YearsSaid, years_in

__all__ = ["is_story", "read_story"]

MANY_WORDS: Final = 60
_REMEMBERED: Final = re.compile(
    r" (?:(?:cant|cannot|can not|dont|do not|didnt|couldnt|wont) (?:\w+ )?(?:remember|recall|"
    r"think of the name|figure out)|"
    r"(?:i|all i|only|ive|i ve|can|i vaguely|vaguely|barely|i kinda|i only|i also|"
    r"i just) (?:can )?(?:remember|recall)|remember (?:seeing|watching|this|a|the|it|is)|"
    r"what (?:is|was|s) (?:the |this |that )?(?:name|title|movie|film|called)|whats (?:the |this |"
    r"that )?(?:name|title|movie|film)|(?:name|title) of (?:the|this|that|a) (?:movie|film|show)|"
    r"trying to (?:find|remember|figure|identify|recall)|i (?:once |think i |also |must have |may have |"
    r"probably |first )?(?:saw|watched) (?:this|a|it|an|that|the)|"
    r"(?:what|which) (?:movie|film|show) (?:is|was|am|had|has|where|with|did|it|this|that)|"
    r"tip of my tongue|been looking for|have been searching|"
    r"i (?:also )?(?:remember|recall)|one scene|opening scene|final scene|last scene|end scene|"
    r"ending scene|in the end|main character|the movie (?:starts|ends|begins|opens)|movie where|"
    r"film where) ?"
)
_ASKS: Final = re.compile(
    r" (?:recommend|recommendations?|suggest|suggestions?|in the mood|looking for (?:a |an |some |"
    r"any )?(?:good|great|funny|new|nice)|what should i watch|would you) ?"
)
_SEEN: Final = re.compile(
    r" (?:saw|seen|see|seeing|watched|watching|watch|remember|aired|rented|on tv|on television|cable|hbo|"
    r"as a kid|as a child|vhs|netflix|theater|cinema|was (?:a )?(?:kid|child|young|little)) "
)
_MADE: Final = re.compile(
    r" (?:made|released|filmed|came out|looked|looks like|probably|movie (?:is|was)|film (?:is|was)) "
)
SLACK: Final = 3  # years a remembered date may be off


def is_story(sentence: Sentence) -> bool:
    """Whether this tells of a film somebody looks for, rather than of what they would like to see."""
    told = len(_REMEMBERED.findall(sentence.joined))
    asked = len(_ASKS.findall(sentence.joined))
    brackets = len(re.findall(r"\((?:18|19|20)\d\d\)", sentence.text))
    if len(sentence.words) < 9:
        return False
    if told > 2 * asked and told + (len(sentence.words) >= MANY_WORDS) > brackets:
        return True
    return len(sentence.words) >= MANY_WORDS and not asked and not brackets


def read_story(sentence: Sentence, names: Names, *, kids: bool = False) -> tuple[Query, Wish]:
    """The query of a story: its text whole, with what ranks beside it."""
    wish = Wish(sentence)
    around = _around(sentence, years_in(sentence, names.newest))
    if around is not None:
        wish.spans["around"] = around
    titles = [
        title for title in titles_in(sentence, names) if _is_compared(sentence, title.first, title.said)
    ]
    take_titles(wish, [title for title in titles if title.linked is not None], names)
    _called(wish)
    return query_of(wish, kids=kids, text=sentence.text), wish


def _around(sentence: Sentence, years: list[YearsSaid]) -> Span | None:
    """When the film may be from: as it is said to look, else not after it was seen."""
    made: list[Span] = []
    seen: list[int] = []
    for said in years:
        if said.setting or (
            _is_vague(sentence, said) and not all(_is_vague(sentence, each) for each in years)
        ):
            continue
        # What was said of an earlier year is not said of this one.
        since = max([each.after for each in years if each.after <= said.first], default=0)
        begin = max(since, said.first - 14)
        number = sentence.words[said.first].sentence
        same = [
            key
            for key, word in zip(
                sentence.keys[begin : said.first], sentence.words[begin : said.first], strict=True
            )
            if word.sentence == number
        ]
        before = f" {' '.join(same)} "
        near = sentence.keys[max(0, said.first - 2) : said.after]
        from_then = "from" in near or bool(_MADE.search(before))
        if _SEEN.search(before) and not from_then:
            if said.span.most is not None:
                seen.append(said.span.most)
        else:
            made.append(said.span)
    if made:
        closed = [span for span in made if span.least is not None and span.most is not None]
        if closed:
            return Span(
                least=min(span.least for span in closed if span.least is not None) - SLACK,
                most=max(span.most for span in closed if span.most is not None) + SLACK,
            )
        least = [span.least for span in made if span.least is not None]
        most = [span.most for span in made if span.most is not None]
        low, high = (min(least) if least else None), (max(most) if most else None)
        return (
            Span(least=low, most=high)
            if low is None or high is None or low <= high
            else Span(least=low, most=None)
        )
    return Span(least=None, most=max(seen) + 1) if seen else None


def _is_vague(sentence: Sentence, said: YearsSaid) -> bool:
    """ "Old" or "recent", which mean little beside a year."""
    return not any(
        character.isdigit() or key.endswith("ies")
        for key in sentence.keys[said.first : said.after]
        for character in key
    )


def _is_compared(sentence: Sentence, first: int, said: str) -> bool:
    """A title with more than one word, or with "like" before it: "I saw Paris" compares with nothing."""
    before = " ".join(sentence.keys[max(0, first - 3) : first])
    return (
        re.search(r"\b(?:like|similar to|style of|vein of|reminiscent of|type of)$", before) is not None
        or "(" in said
    )


def _called(wish: Wish) -> None:
    """The genres of "horror movie", "animated film" or of the heading: never those a "not" stands before."""
    sentence = wish.sentence
    table = meanings()
    for place, word in enumerate(sentence.words):
        heading = word.sentence == 0 and len(sentence.words) > 25 and place < 14
        for size in (3, 2, 1):
            found = table.get(" ".join(sentence.keys[place : place + size]), ())
            genres = [value for key, value in found if key == "genres"]
            if not genres:
                continue
            after = sentence.keys[place + size : place + size + 2]
            called = (
                sentence.keys[min(place + size, len(sentence.keys)) - 1] in FILM_WORDS
                or any(key in FILM_WORDS or key in SERIES_WORDS for key in after[:1])
                or (
                    len(after) == 2
                    and after[1] in FILM_WORDS
                    and any(key == "genres" for key, _ in table.get(after[0], ()))
                )
            )
            negated = bool(
                {"not", "no", "isnt", "wasnt", "never", "neither"}
                & set(sentence.keys[max(0, place - 4) : place])
            )
            plain = " ".join(sentence.keys[place : place + size]) in _PLAIN
            if (called or (heading and plain)) and not negated:
                for genre in genres:
                    wish.add("genres", genre)
            break


_PLAIN: Final = phrases("""
    horror|comedy|thriller|western|sci fi|science fiction|animated|animation|slasher|romantic comedy
    musical|documentary|fantasy|drama|anime|superhero|martial arts|war movie|noir|mystery|romance
    adventure
""")
