"""Spanish wishes in English, offline: a glossary of the project's own, word forms by rule, a little
grammar."""

from falsework.search.understanding.spanish.translation import English, to_english

__all__ = ["English", "to_english"]
