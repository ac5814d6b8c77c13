"""A misspelt word and the one it was meant to be, one slip apart (a letter wrong, missing, added, or two
swapped)."""

from __future__ import annotations

from functools import lru_cache

from falsework.search.understanding.spanish.lexicon import Lexicon, lexicon
from falsework.search.understanding.spanish.morphology import readings

__all__ = ["mended"]

SHORTEST = 6  # letters; below, one slip makes another word too easily
ENDINGS = ("", "s", "es")


@lru_cache(maxsize=1)
def _by_length() -> dict[int, list[str]]:
    """Lemmas and their plurals, folded, by their length."""
    table: dict[int, list[str]] = {}
    for lemma in lexicon().folded:
        if len(lemma) >= SHORTEST - 1:
            for ending in ENDINGS:
                form = lemma + ending
                if not ending or (lemma[-1] in "aeiou") == (ending == "s"):
                    table.setdefault(len(form), []).append(form)
    return table


def mended(plain: str, known: Lexicon) -> str | None:
    """The glossary's word one slip from `plain` (folded); None if there is none, or `plain` is too short."""
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extractOne

    if len(plain) < SHORTEST or len(plain) > 30:
        return None
    for length in (len(plain), len(plain) + 1, len(plain) - 1):
        hit = extractOne(plain, _by_length().get(length, ()), scorer=OSA.distance, score_cutoff=1)
        if hit is not None and hit[0][0] == plain[0] and readings(hit[0]):
            return str(hit[0])
    return None
