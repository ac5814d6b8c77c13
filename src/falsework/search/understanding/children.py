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


def take_children(wish: Wish) -> None:
    """ "For my 5 year old", "kids film", "family friendly"; "not for kids" is the contrary."""
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
        operator = operator_before(sentence, first)
        if operator in ("exclude", "not", "mild"):
            wish.add("exclude", "Family")
        else:
            wish.kids = True
        if match["films"]:
            after = first + 1  # the kind and the genre are still to be understood
        sentence.use(first, after)


def _age(said: str) -> int:
    return int(said) if said.isdigit() else UNITS[said]
