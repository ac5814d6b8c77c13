"""Spanish wishes in English, offline: our own glossary, word forms by rule, a little grammar."""

from falsework.search.understanding.spanish.lexicon import english_words
from falsework.search.understanding.spanish.tokens import famous_titles
from falsework.search.understanding.spanish.translation import English, in_english, to_english

__all__ = ["English", "english_words", "famous_titles", "in_english", "to_english"]
