"""A viewer's sentence into one typed query, offline, by rules over the catalogue's vocabularies and names."""

from falsework.search.understanding.chips import Chip, chips_of, without
from falsework.search.understanding.understood import Understood

__all__ = ["Chip", "Understood", "chips_of", "without"]
