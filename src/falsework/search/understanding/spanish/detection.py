"""Which language a short, informal wish is written in. A title inside it does not decide, the words around
it do."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files

from falsework.search.understanding.spanish.lexicon import Lexicon, fold, lexicon
from falsework.search.understanding.spanish.morphology import readings
from falsework.search.understanding.spanish.tokens import Token

__all__ = ["language_of"]

# Words that hold a sentence together, the shared ones left out where they would tell nothing. Folded.
# "El Mariachi", "La La Land": weak witnesses
SHARED_WITH_NAMES = frozenset(("el", "la", "los", "las", "de", "del"))
ONLY_SPANISH = "ñ¿¡"
ONLY_OTHERS = {
    "ç": "fr",
    "ã": "pt",
    "õ": "pt",
    "ß": "de",
    "ä": "de",
    "ö": "de",
    "œ": "fr",
    "ê": "fr",
    "ò": "it",
}
ENOUGH = 4  # words without a verdict before the statistical model is asked


@lru_cache(maxsize=1)
def _function_words() -> dict[str, frozenset[str]]:
    """By language: words that hold a sentence together, folded; those left out that would tell nothing."""
    path = files(__package__).joinpath("function_words_by_language.csv")
    with path.open(encoding="utf-8") as file:
        return {row["language"]: frozenset(row["words"].split()) for row in csv.DictReader(file)}


@lru_cache(maxsize=1)
def _english_words() -> frozenset[str]:
    """The words of the glossary's English side that no Spanish word is spelt like."""
    known = lexicon()
    words = {word for entry in known.entries for word in entry.english.lower().split()}
    return frozenset(word for word in words if word.isascii() and word not in known.folded)


def language_of(tokens: list[Token], known: Lexicon) -> str:
    """ISO 639-1 of the sentence; "en" where nothing speaks against it. Kept names have no voice."""
    words = [token for token in tokens if token.word and token.kept is None]
    score = dict.fromkeys(_function_words(), 0.0)
    for token in words:
        _hear(token, score, known)
    best = max(score, key=lambda language: (score[language], language == "en", language == "es"))
    if score[best] <= 0.5:
        return _by_statistics(words) if len(words) >= ENOUGH else "en"
    if best != "es" and score["es"] >= 0.9 * score[best] and best in ("ca", "pt", "it"):
        return "es" if score["es"] > 2 * score["en"] else best
    return best


def _hear(token: Token, score: dict[str, float], known: Lexicon) -> None:
    plain = token.plain
    low = token.text.lower()
    for language, words in _function_words().items():
        if plain in words:
            score[language] += 0.3 if plain in SHARED_WITH_NAMES else 1.0
    if any(one in ONLY_SPANISH for one in low):
        score["es"] += 1.0
    for character, language in ONLY_OTHERS.items():
        if character in low:
            score[language] += 1.0
    if len(plain) < 3:
        return
    spanish = bool(readings(low))
    english = plain in _english_words()
    if spanish and not english:
        score["es"] += 0.8
    elif english and not spanish:
        score["en"] += 0.8


def _by_statistics(words: list[Token]) -> str:
    """For a sentence none of whose words is known here. A tie of near neighbours is not told apart by it."""
    from py3langid.langid import classify  # type: ignore[import-untyped]

    language, _ = classify(" ".join(fold(token.text) for token in words))
    return str(language) if language in _function_words() and language != "es" else "en"
