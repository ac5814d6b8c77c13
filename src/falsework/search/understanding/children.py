"""Whether children are to watch: "for my 5 year old", "kids film", and "not for kids"."""

from __future__ import annotations

import re
from typing import Final

from falsework.search.understanding.draft import Wish
from falsework.search.understanding.matching import in_story, operator_before
from falsework.search.understanding.numerals import UNITS

__all__ = ["take_children"]

GROWN_UP: Final = 13  # years: from this age on nobody asks for a children's film
_CHILD: Final = (
    r"(?:kids?|kiddos?|children|child|toddlers?|preschoolers?|little ones?|grandkids|grandchildren|"
    r"grandson|granddaughter|niece|nephew|"
    r"(?:young |little )?(?:son|daughter|sons|daughters)|infants?|tots|littl?uns)"
)
_OWN: Final = r"(?:(?:my|our|the|a|an|his|her|their|young|younger|small|little|two|three|all|some) ){0,3}"
_CHILDREN: Final = re.compile(
    rf" (?:(?P<age>(?:for|with|suits?|suitable for|my|our) {_OWN}(?P<years>\d{{1,2}}|two|three|four|five|"
    rf"six|seven|eight|nine|ten|eleven|twelve) ?(?:(?:to|or|and) \d{{1,2}} )?(?:years?|yrs?|y) ?(?:olds?|"
    rf"o)(?: {_CHILD})?)"
    rf"|(?P<friendly>(?:kid|kids|child|children|family) (?:friendly|appropriate|safe|suitable))"
    rf"|(?P<films>(?:kids?|childrens?|children) (?:and family )?(?:films?|movies?|flicks?|shows?|series|"
    rf"cartoons?|comed(?:y|ies)|programmes?|animation|animated|adventures?|tv|musicals?|fantasy|"
    rf"documentar(?:y|ies)|stuff|content))"
    rf"|(?P<for>(?:something |suitable |appropriate |good |ok |okay |safe |fun )?(?:for|"
    rf"with) {_OWN}(?:whole |entire )?(?:family and )?{_CHILD})"
    rf"|(?P<can>(?:kids|children) (?:can|could|will|would|may) (?:watch|enjoy|like|love)))(?= )"
)
_BE: Final = frozenset(("is", "are", "was", "were", "isnt", "arent", "wasnt"))
_IT: Final = frozenset(("it", "that", "this", "they", "those", "these"))
NEAR: Final = 14  # words of a title and what is said before it, in which "is" may stand


def take_children(wish: Wish) -> None:
    """ "For my 5 year old", "kids film", "family friendly"; "not for kids" is the contrary.

    Whether a title that is named is one for children ("Is Alien kid friendly?") asks for nothing.
    """
    sentence = wish.sentence
    if sentence.keys in (("kids",), ("children",), ("childrens",)):
        wish.kids = True
        sentence.use(0, 1)
    for match in _CHILDREN.finditer(sentence.joined):
        first, after = sentence.numbers(match.start() + 1, match.end())
        aged = bool(match["age"]) and sentence.keys[first] == "for"
        if not sentence.free(first, after) or (in_story(sentence, first) and not aged):
            continue
        if match["age"] and _age(match["years"]) >= GROWN_UP:
            sentence.use(first, after)
            continue
        if (match["friendly"] or match["for"] or match["can"]) and _of_a_title(wish, first):
            sentence.use(first, after)
            continue
        operator = operator_before(sentence, first)
        if operator in ("exclude", "not", "mild"):
            wish.add("exclude", "Family")
        else:
            wish.kids = True
        if match["films"]:
            after = first + 1  # the kind and the genre are still to be understood
        sentence.use(first, after)


def _of_a_title(wish: Wish, first: int) -> bool:
    """Whether what begins at a word is said or asked of a title that is named: "Alien is …", "is Alien …",
    "I saw Alien, is it …"."""
    sentence = wish.sentence
    if not (wish.unknown_titles or any(wish.values.get(key) for key in ("titles", "like", "unlike"))):
        return False
    begin = first
    while begin and sentence.words[begin - 1].sentence == sentence.words[first].sentence:
        begin -= 1
    before = sentence.keys[max(begin, first - NEAR) : first]
    used = sentence.used[max(begin, first - NEAR) : first]
    if before[-1:] and before[-1] in _BE:  # "Alien is kid friendly"
        return len(before) > 1 and used[-2]
    if before[-2:-1] and before[-2] in _BE and before[-1] in _IT:  # "is it kid friendly", said of one before
        return True
    # "is Alien kid friendly", but not "what is like Alien for kids"
    size = next((size for size, taken in enumerate(reversed(used)) if not taken), len(used))
    named = before[len(before) - size :]
    if not named or {"like", "similar"} & set(named):
        return False
    return named[0] in _BE or before[-size - 1 : len(before) - size] in {(each,) for each in _BE}


def _age(said: str) -> int:
    return int(said) if said.isdigit() else UNITS[said]
