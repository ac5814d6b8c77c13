"""Spanish wishes in English, offline: our own glossary, word forms by rule, a little grammar."""

from falsework.search.understanding.spanish.translation import English, to_english

__all__ = ["English", "to_english"]
