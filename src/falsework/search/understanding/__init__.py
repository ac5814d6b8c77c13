"""A viewer's sentence into one typed query, offline, by rules over the catalogue's vocabularies and names."""

from falsework.search.understanding.absent import unknown_words
from falsework.search.understanding.chips import Chip, chips_of, without
from falsework.search.understanding.names import Linked, Names
from falsework.search.understanding.reading import understand
from falsework.search.understanding.understood import Understood
from falsework.search.understanding.wording import search_words

__all__ = [
    "Chip", "Linked", "Names", "Understood", "chips_of", "search_words", "understand",
    "unknown_words", "without",
]  # fmt: skip
