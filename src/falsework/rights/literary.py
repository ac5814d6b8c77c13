"""Scripts are human: what the tool's language features refuse to do, and why.

Under the WGA's Minimum Basic Agreement (2023, Article 72) a model is no writer and what it writes is no
literary material. A director's brief says what is to be seen; asking for a script's words is another thing,
and is refused before any grammar or model reads the sentence.
"""

from __future__ import annotations

import re
import unicodedata

from falsework.errors import FalseworkError

__all__ = ["asks_for_writing", "refuse_writing"]

WRITING = re.compile(
    r"(re)?writ(e|es|ing)|(re)?draft|polish|paraphrase|summari[sz]e|ghostwrite"
    r"|(re)?escrib(e|ir|as)|redacta(r)?|resum(e|ir)|parafrasea(r)?|pul(e|ir)"
)
LITERARY = re.compile(
    r"scripts?|screenplays?|teleplay|dialog(ue)?s?|monologue|logline|synopsis|treatment|scriptment|story"
    r"|guion(es)?|libreto|dialogos?|monologo|sinopsis|escaleta|historia"
)
NEAR = 6  # words between what is asked and what it is asked of
_WORD = re.compile(r"[a-z]+")


def asks_for_writing(text: str) -> str:
    """The words of a sentence (English or Spanish) that ask for literary material; "" where none do."""
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    found = [(match.group(), match.span()) for match in _WORD.finditer(plain)]
    for number, (word, (start, _)) in enumerate(found):
        if not WRITING.fullmatch(word):
            continue
        for other, (_, end) in found[number + 1 : number + 2 + NEAR]:
            if LITERARY.fullmatch(other):
                return plain[start:end]
    return ""


def refuse_writing(text: str) -> None:
    """Raise a sentence where a brief asks the tool to write, rewrite or sum up a script."""
    words = asks_for_writing(text)
    if words:
        raise FalseworkError(
            f'"{words}": falsework does not write, rewrite or sum up scripts',
            todo="Literary material is its writers' work (WGA agreement of 2023, Article 72). "
            "Say what is to be seen in the shot instead; a script is put on record with its authors by "
            "`falsework rights script FILE --author NAME`.",
        )
