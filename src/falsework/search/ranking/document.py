"""What of a title is indexed: its terms with their weights, and the passages that are encoded.

The lexical weights are BM25F's (Robertson, Zaragoza and Taylor, CIKM 2004): a term counts by the field it
stands in, the counts are saturated once over all fields, and long documents are held back. Beside words, a
title has one term that no sentence can spell, KNOWN, whose weight is how well known the title seems: an
inverted index then finds the best-known titles under any conditions as it finds a word.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from typing import Final

from falsework.catalogue.records import Title
from falsework.search.ranking.signals import Signal, signals
from falsework.search.text import term_id, tokens

__all__ = [
    "KNOWN",
    "LONGEST_SYNOPSIS",
    "MOST_PASSAGES",
    "cast",
    "lexical_weights",
    "passages",
    "sentences",
    "standing",
    "whole_text",
]

K1: Final = 1.2  # saturation of a term's count
B: Final = 0.75  # how much a long document is held back
USUAL_LENGTH: Final = 64.0  # terms; a constant, so that one title's weights do not depend on the others'
TITLE_WEIGHT: Final = 2.0
CAST_WEIGHT: Final = 1.0
GENRE_WEIGHT: Final = 1.0
TEXT_WEIGHT: Final = 1.0

MOST_PASSAGES: Final = 16  # of a title, the whole included: bounds time and disk whatever a synopsis holds
LONGEST_SYNOPSIS: Final = 8_000  # characters that are read; a synopsis is a page at most
SHORTEST_SENTENCE: Final = 5  # words; a shorter one is read with the one before it
LARGEST_CAST: Final = 12  # names that are encoded with the whole text

KNOWN: Final = term_id("\0known")
# A term that every title has keeps a document frequency worth more than nothing up to four million titles.
LEAST_STANDING: Final = 1e-3  # of a title nothing is known of: every title is on the list, if at its end
HALF_FORGOTTEN: Final = (
    1968  # before television showed it in colour: the year of which half is still asked for
)
SELDOM_ASKED: Final = Signal.SILENT | Signal.SHORT | Signal.DOCUMENTARY | Signal.TELEVISION | Signal.LOST

_END = re.compile(r"""(?<=[.!?])["'”’)\]]*\s+(?=["'“‘(\[]?[A-Z0-9¿¡ÁÉÍÓÚÑ])""")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|Lt|Col|Gen|Capt|Sgt|Prof|vs|No|etc)|\b[A-Z])\.$")


def cast(title: Title) -> list[str]:
    """Names of those who play in it, in the order of the credits; the directors last."""
    played = [credit.name for credit in title.credits if credit.role == "cast"]
    return played + [credit.name for credit in title.credits if credit.role == "director"]


def whole_text(title: Title) -> str:
    """A title in one text: name, year, genres, cast, synopsis."""
    head = f"{title.title} ({title.year})" if title.year else title.title
    parts = [head, ", ".join(title.genres), ", ".join(cast(title)[:LARGEST_CAST])]
    return ". ".join(part for part in parts if part) + ". " + title.synopsis[:LONGEST_SYNOPSIS]


def sentences(text: str, shortest: int = SHORTEST_SENTENCE) -> list[str]:
    """`text` in sentences; one of less than `shortest` words stays with the sentence before it."""
    found: list[str] = []
    for part in _END.split(text):
        part = " ".join(part.split())
        if not part:
            continue
        if found and (len(part.split()) < shortest or _ABBREVIATION.search(found[-1])):
            found[-1] += " " + part
        else:
            found.append(part)
    return found


def passages(title: Title) -> list[str]:
    """What is encoded: the whole text first, then the synopsis in sentences. At most `MOST_PASSAGES`: the
    sentences of a longer synopsis are read several at a time. A synopsis of one sentence has no passage
    besides the whole."""
    split = sentences(title.synopsis[:LONGEST_SYNOPSIS])
    if len(split) < 2:
        return [whole_text(title)]
    together = math.ceil(len(split) / (MOST_PASSAGES - 1))
    grouped = [" ".join(split[at : at + together]) for at in range(0, len(split), together)]
    return [whole_text(title), *grouped]


def standing(title: Title) -> float:
    """How well known a title seems, 0 to 1, from its record alone: its popularity where somebody measured
    it. Otherwise how much was written about it, how many of its cast were worth naming, and whether it is
    of a kind and an age that people still watch. Set by hand; it only decides which titles are looked at
    beside those a request's words and meaning find, and leaves the order to what is learned."""
    if title.popularity is not None and title.popularity >= 0:
        return 1.0 - 1.0 / (2.0 + math.log1p(title.popularity))
    words = len(title.synopsis[:LONGEST_SYNOPSIS]) / 6.0
    played = len(cast(title))
    known = 0.6 * words / (words + 80.0) + 0.4 * played / (played + 4.0)
    if title.year is not None:
        known *= 0.2 + 0.8 / (1.0 + math.exp((HALF_FORGOTTEN - title.year) / 8.0))
    return known * (0.5 if signals(title) & SELDOM_ASKED else 1.0)


def lexical_weights(title: Title) -> dict[int, float]:
    """BM25F weights by term id, without the inverse document frequency, which is the index's part."""
    counts: defaultdict[str, float] = defaultdict(float)
    length = 0
    for text, weight in (
        (title.title, TITLE_WEIGHT),
        (title.original_title, TITLE_WEIGHT),
        (str(title.year or ""), TITLE_WEIGHT),
        (" ".join(credit.name + " " + credit.character for credit in title.credits), CAST_WEIGHT),
        (" ".join(title.genres + title.moods), GENRE_WEIGHT),
        (title.synopsis[:LONGEST_SYNOPSIS], TEXT_WEIGHT),
    ):
        for token in tokens(text) if text else ():
            counts[token] += weight
            length += 1
    held_back = K1 * (1.0 - B + B * length / USUAL_LENGTH)
    weights = {term_id(token): count * (K1 + 1.0) / (count + held_back) for token, count in counts.items()}
    weights[KNOWN] = max(standing(title), LEAST_STANDING)
    return weights
