"""What of a sentence no rule has taken: the text to search with."""

from __future__ import annotations

from typing import Final

from falsework.search.query import LONGEST_TEXT
from falsework.search.understanding.lexicon import FILLERS, LONGEST_PHRASE, phrases
from falsework.search.understanding.sentence import Sentence

__all__ = ["EDGES", "left_over"]

EDGES: Final = FILLERS | phrases("""
    who|where|which|whose|when|while|if|how|there|into|over|under|after|before|off|through|his|her
    their|them|he|she|they|him|up
""")


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
        while first < last and sentence.keys[first] in EDGES:
            first += 1
        while last > first and sentence.keys[last - 1] in EDGES:
            last -= 1
        if last > first:
            pieces.append(sentence.said(first, last))
        place = max(end, place + 1)
    return " ".join(pieces)[:LONGEST_TEXT]
