"""Text as terms: what of a sentence the lexical half of search compares.

A term is a word in lower case, without accents, cut to its English stem (Porter's second stemmer, snowball).
Nothing about a catalogue is known here, so a document and a question come to the same terms.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from zlib import crc32

from falsework.errors import FalseworkError

__all__ = ["LONGEST_WORD", "STOP_WORDS", "folded", "term_id", "tokens"]

LONGEST_WORD = 40  # characters of a word that are compared; a longer run of letters is no word

_STOPPED = """
    a about above after again against all also am an and any are aren as at be because been before being
    below between both but by can cannot could couldn did didn do does doesn doing don down during each
    few for from further had hadn has hasn have haven having he her here hers herself him himself his
    how i if in into is isn it its itself just ll me more most mustn my myself no nor not now of off on
    once only or other our ours ourselves out over own re same shan she should shouldn so some such than
    that the their theirs them themselves then there these they this those through to too under until up
    ve very was wasn we were weren what when where which while who whom why will with won would wouldn
    you your yours yourself yourselves im ive id ill dont doesnt didnt isnt arent wasnt werent cant
    couldnt wont wouldnt shouldnt hasnt havent hadnt youre youve youll youd hes shes theyre theyve
    theyll theyd weve thats theres whats whos lets
"""
STOP_WORDS = frozenset(_STOPPED.split())

# Letters with a stroke or two in one: Unicode takes no mark off them, though a keyboard without them would.
_UNDECOMPOSED = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŧ": "t"}
)
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʹ`´＇", "'"))
# The marks of Latin, Greek and Cyrillic, and the points of Hebrew and Arabic, which few people type. Indic
# and south-east Asian scripts spell with their marks, which Python's \w leaves out.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
_LETTER = r"(?:[^\W_]|[\u0900-\u0963\u0966-\u109f])"
_WORD = re.compile(f"{_LETTER}+(?:'{_LETTER}+)*")
_POSSESSIVE = re.compile(r"'s$")
_WITHOUT_SPACES = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)")

_stemmers = threading.local()  # a stemmer keeps the word it is at, so each thread has its own


def tokens(text: str) -> list[str]:
    """The terms of `text` in their order, repeated as often as they stand in it.

    Unicode's NFKC, case folded, accents taken off; invisible characters (marks of direction, soft hyphens)
    leave no trace. "King's" is "king", "o'brien" is "obrien", numbers stay, Chinese and Japanese become
    overlapping pairs of characters. Stop words are left out, unless there is nothing else: It, Up and Us are
    films. Any text is allowed, whatever its length.
    """
    words = [word for found in _WORD.findall(_plain(text)) for word in _split(found)]
    telling = [word for word in words if word not in STOP_WORDS]
    return [_stem(word) for word in telling or words]


def folded(text: str) -> str:
    """The words of `text` as they are compared, unstemmed, with one space between: how names are matched
    whatever their case, accents and points ("Penélope  Cruz" is "penelope cruz")."""
    return " ".join(word.replace("'", "") for word in _WORD.findall(_plain(text)))


def term_id(token: str) -> int:
    """A 32-bit number that stays the same over runs and machines (CRC-32 of the token's UTF-8). Of 200,000
    terms about five pairs share one, which is too few to tell in a ranking."""
    return crc32(token.encode("utf-8", "surrogatepass"))


def _plain(text: str) -> str:
    """In one case and one form, without accents and without what cannot be seen."""
    if text.isascii():
        return text.lower().replace("`", "'")
    # Twice: folding the case of a composed letter can give one that is not.
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = "".join(each for each in text if unicodedata.category(each) != "Cf")
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_UNDECOMPOSED)))
    return unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)


def _split(word: str) -> Iterator[str]:
    """A found word without its apostrophes; runs of a script without spaces as pairs of characters."""
    word = _POSSESSIVE.sub("", word).replace("'", "")
    for part in (word,) if word.isascii() else filter(None, _WITHOUT_SPACES.split(word)):
        if _WITHOUT_SPACES.fullmatch(part) and len(part) > 1:
            yield from (part[at : at + 2] for at in range(len(part) - 1))
        else:
            yield part[:LONGEST_WORD]


@lru_cache(maxsize=1 << 17)  # the vocabulary of a large catalogue; the stemmer is Python's and slow
def _stem(word: str) -> str:
    stemmer: Any = getattr(_stemmers, "english", None)
    if stemmer is None:
        try:
            import snowballstemmer
        except ImportError as error:
            raise FalseworkError(
                "the package snowballstemmer is not installed",
                where="search",
                todo='Run `pip install "falsework[search]"`.',
            ) from error
        stemmer = _stemmers.english = snowballstemmer.stemmer("english")
    return str(stemmer.stemWord(word))
