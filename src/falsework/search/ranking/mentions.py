"""How often the rest of a catalogue speaks of a title: what has a sequel, a remake, or stands in other
titles' texts ("from the makers of Super Troopers") is known more widely than what nobody mentions.

Nothing is linked here. Every run of words in a synopsis that is written as a name is noted by its digest;
when all titles are written, the digests that are a title's are counted.
"""

from __future__ import annotations

import re
from typing import Final

from falsework.catalogue.records import Title
from falsework.search.ranking.signals import title_key

__all__ = ["names_written"]

READ: Final = 2_000  # characters of a synopsis; an encyclopaedia names the other titles first
LONGEST_NAME: Final = 6  # words
SHORTEST_NAME: Final = 6  # letters of a name of one word: "Home" and "Love" begin too many sentences

_STOP: Final = re.compile(r"""[.;,()"“”]""")
_WORD: Final = re.compile(r"[^\W_]+")
_APOSTROPHE: Final = str.maketrans("", "", "'’")


def names_written(title: Title) -> set[str]:
    """What its synopsis writes as a name may be written: runs of words from one with a capital (or a number)
    to another, as `title_key` has them. Its own name is none of them."""
    found: set[str] = set()
    for stretch in _STOP.split(title.synopsis[:READ].translate(_APOSTROPHE)):
        words = _WORD.findall(stretch)
        marked = [at for at, word in enumerate(words) if not word[0].islower()]
        for begin in marked:
            for end in marked:
                if begin <= end < begin + LONGEST_NAME:
                    found.add(" ".join(words[begin : end + 1]))
    keys = {title_key(name) for name in found}
    return {key for key in keys if " " in key or len(key) >= SHORTEST_NAME} - {title_key(title.title)}
