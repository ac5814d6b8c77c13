"""Scripts are human: what the tool's language features refuse to do, and why.

Under the WGA's Minimum Basic Agreement (2023, Article 72) a model is no writer and what it writes is no
literary material. A director's brief says what is to be seen; asking for a script's words is another thing,
and is refused before any grammar or model reads the sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from falsework.errors import FalseworkError

__all__ = ["asks_for_writing", "refuse_writing"]

# Verbs that ask for words by themselves.
WRITING = re.compile(
    r"(re)?writ(e|es|ing|ten)|(re)?draft(s|ing|ed)?|polish(es|ing|ed)?|paraphras(e|es|ing|ed)"
    r"|summari[sz](e|es|ing|ed)|ghostwrit(e|ing|ten)"
    r"|(re)?escrib(e|ir|as|a)|redact(a|ar|e)|resum(e|ir|a)|parafrase(a|ar|e)|pul(e|ir|a)"
)
# Those of them that also mean something else: a fall is resumed, marble polished, a draft blows.
AMBIGUOUS = re.compile(r"drafts?|polish(es|ing|ed)?|resum(e|ir|a)|pul(e|ir|a)")
NOUN = re.compile(r"drafts?|polish|writing")  # after an article: "the draft of the script"
# Verbs that directors use of pictures too: they ask for words where a script is what they are done to.
MAKING = re.compile(
    r"(re)?generat(e|es|ing|ed)|creat(e|es|ing|ed)|improv(e|es|ing|ed)|translat(e|es|ing|ed)"
    r"|compos(e|es|ing|ed)|invent(s|ing|ed)?|revis(e|es|ing|ed)|edit(s|ing|ed)?|shorten(s|ing|ed)?"
    r"|lengthen(s|ing|ed)?|expand(s|ing|ed)?|condens(e|es|ing|ed)|adapt(s|ing|ed)?|rework(s|ing|ed)?"
    r"|rephras(e|es|ing|ed)|finish|continue|correct|fix"
    r"|(re)?gener(a|ar|e)|cre(a|ar|e)|mejor(a|ar|e)|traduc(e|ir)|traduzca|compon(e|er|ga)?|invent(a|ar|e)"
    r"|revis(a|ar|e)|edit(a|ar|e)|acort(a|ar|e)|ampli(a|ar|e)|adapt(a|ar|e)|corr(ige|egir|ija)"
)
CLITIC = re.compile(r"(me|nos)?(lo|la|los|las)|me|nos")
LITERARY = re.compile(
    r"scripts?|screenplays?|teleplays?|dialog(ue)?s?|monologues?|loglines?|synops[ie]s|scriptments?|storylines?"
    r"|guion(es)?|libretos?|dialogos?|monologos?|sinopsis|escaletas?"
)
# A floor, or what the shot is about, or somebody's work: the last only where it is plainly what is asked for.
STORY = re.compile(r"stor(y|ies)|historias?")
TREATMENT = re.compile(r"treatments?")  # of a wall, where it is made and not written
NEAR = 6  # words between what is asked and what it is asked of
# "The third story", "a two-story house", "the story above": a floor.
FLOOR = re.compile(
    r"(fir|la|mo)st|second|third|(four|fif|six|seven|eigh|nin|ten|eleven|twelf|[a-z]+teen|n)th|st|nd|rd|th|one|two"
    r"|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]+teen|(twen|thir|for|fif|six|seven|eigh|nine)ty"
    r"|ground|(top|bottom|upper|lower)(most)?|middle|mid|next|whole|entire|each|every|single|multi|attic|lowest"
    r"|highest|other|corner|several|both|all|remaining"
)
COUNTED = re.compile(
    r"above|below|beneath|underneath|overhead|up|down|high|tall|deep|heights?|levels?|slabs?|floors?|ceilings?|walls?"
    r"|windows?|columns?|facades?|fronts?|ledges?|cornices?|balcon(y|ies)|buildings?|house|houses|towers?|blocks?"
    r"|hotels?|offices?|apartments?|structures?|collapses?|falls?|folds?|drops?|crumbles?|gives|give|goes"
)
PLACE = re.compile(
    r"on|onto|in|into|inside|at|from|above|below|under|through|across|over|along|near|behind|between|to|toward(s)?"
    r"|after|before|by|with|until|up|down|around"
)
CLAUSE = re.compile(
    r"so|that|while|when|where|until|as|if|and|but|because|then|which|y|que|cuando|mientras|si|pero"
)
# Parts of a story that only a written one has.
TELLING = re.compile(
    r"ending|beginning|plot|text|words|wording|draft|arc|tone|grammar|final|trama|texto|tono"
)
# What may stand between a story and "improve it" where the story is meant.
JOINING = re.compile(
    r"and|then|please|now|just|is|are|too|long|short|a|bit|so|could|can|you|should|must|needs?|to|be|has|have"
    r"|y|por|favor|es|muy|demasiado|larga|corta"
)
ARTICLES = re.compile(
    r"the|a|an|this|that|our|my|your|their|his|her|el|la|los|las|un|una|este|esta|nuestro|nuestra|su"
)
# "As the script says", "per the script", "segun el guion": it is followed, not written.
FOLLOWED = re.compile(
    r"as|per|in|from|like|by|follow|follows|following|says|said|segun|como|en|dice|pide|sigue"
)
SAYING = re.compile(
    r"says|said|calls|asks|wants|describes|demands|requires|tells|reads|goes|dice|pide|describe|cuenta"
    r"|manda"
)
MEANT = re.compile(r"it|them|this|that|these|those")
TO_BE = re.compile(r"be|needs?|wants?|get|have|has")
PARTICIPLE = re.compile(r"(ed|ten)$")
_WORD = re.compile(r"[a-z]+")
_END = re.compile(r"[.;!?\n]")


def asks_for_writing(text: str) -> str:
    """The words of a sentence (English or Spanish) that ask for literary material; "" where none do.

    In both orders: "rewrite the script", "the script: please rewrite it".
    """
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    found = [(match.group(), match.span()) for match in _WORD.finditer(plain)]
    words = [word for word, _ in found]
    for number, word in enumerate(words):
        writes, makes = _does(WRITING, word), _does(MAKING, word)
        if not (writes or makes) or _noun(words, number):
            continue
        surely = writes and not AMBIGUOUS.fullmatch(word)
        start, stop = found[number][1]
        # "As written in the script" is no wish; what is to be done to it stands before ("be rewritten").
        done = PARTICIPLE.search(word)
        for other in () if done else range(number + 1, min(number + 2 + NEAR, len(words))):
            begin, end = found[other][1]
            apart = _END.search(plain[stop:end])
            if not surely and (apart or _followed(words, other)):
                continue
            if LITERARY.fullmatch(words[other]) or (writes and TREATMENT.fullmatch(words[other])):
                return plain[start:end]
            counted = plain[:begin].rstrip(" -")[-1:].isdigit()
            if not (apart or counted or "," in plain[stop:end]) and _told(words, number, other, surely):
                return plain[start:end]
        if not _meant(words, number):
            continue
        for other in range(max(0, number - 1 - NEAR), number):
            if _followed(words, other):
                continue
            named = bool(LITERARY.fullmatch(words[other]))
            if STORY.fullmatch(words[other]) and not _floor(words, other):
                counted = plain[: found[other][1][0]].rstrip(" -")[-1:].isdigit()
                joined = all(JOINING.fullmatch(one) for one in words[other + 1 : number])
                named = not counted and (surely or joined)
            if named:
                return plain[found[other][1][0] : stop]
    return ""


def _does(verb: re.Pattern[str], word: str) -> bool:
    """Whether a word is one of the verbs, with what Spanish hangs on to it ("reescribelo")."""
    if verb.fullmatch(word):
        return True
    return any(
        verb.fullmatch(word[:cut]) is not None and CLITIC.fullmatch(word[cut:]) is not None
        for cut in range(max(3, len(word) - 5), len(word))
    )


def _noun(words: Sequence[str], at: int) -> bool:
    """Whether a word that could be a verb is a thing here: "the draft", "the last polish"."""
    before = words[max(0, at - 2) : at]
    return bool(NOUN.fullmatch(words[at])) and any(ARTICLES.fullmatch(one) for one in before)


def _floor(words: Sequence[str], at: int) -> bool:
    """Whether a "story" is a floor of a building, by the words beside it."""
    after = words[at + 1 : at + 3]
    after = after[1:] if after[:1] == ["s"] else after[:1]  # "the story's windows"
    one_by_one = ["story", "by", "story"]
    return bool(
        (at > 0 and FLOOR.fullmatch(words[at - 1]))
        or (after and COUNTED.fullmatch(after[0]))
        or one_by_one in (words[at : at + 3], words[max(0, at - 2) : at + 1])
    )


def _told(words: Sequence[str], verb: int, at: int, surely: bool) -> bool:
    """Whether a verb is done to a story, and to one that is told: "write two stories", "improve the story".

    What is made on, in or from a story is made of a building.
    """
    if not STORY.fullmatch(words[at]):
        return False
    between = words[verb + 1 : at]
    if any(PLACE.fullmatch(one) for one in between):
        return False
    if surely:  # nobody writes a floor
        return True
    if _floor(words, at) or any(CLAUSE.fullmatch(one) for one in between):
        return False
    if "of" in between or "de" in between:
        return any(TELLING.fullmatch(one) for one in between)
    return len(between) <= 3


def _followed(words: Sequence[str], at: int) -> bool:
    """Whether the script is what the picture keeps to."""
    before = at - 1
    while before >= 0 and ARTICLES.fullmatch(words[before]):
        before -= 1
    after = words[at + 1] if at + 1 < len(words) else ""
    return bool((before >= 0 and FOLLOWED.fullmatch(words[before])) or SAYING.fullmatch(after))


def _meant(words: Sequence[str], verb: int) -> bool:
    """Whether a verb is done to what was named before it: "rewrite it", "be rewritten", "reescribelo"."""
    word, after = words[verb], words[verb + 1] if verb + 1 < len(words) else ""
    if MEANT.fullmatch(after) or word.endswith(("lo", "la", "los", "las")):
        return True
    wished = any(TO_BE.fullmatch(one) for one in words[max(0, verb - 3) : verb])
    return wished and bool(PARTICIPLE.search(word) or word.endswith("ing"))


def refuse_writing(text: str) -> None:
    """Raise a sentence where a brief asks the tool to write, rewrite, translate or sum up a script."""
    words = asks_for_writing(text)
    if words:
        raise FalseworkError(
            f'"{words}": falsework does not write, rewrite, translate or sum up scripts',
            todo="Literary material is its writers' work (WGA agreement of 2023, Article 72). "
            "Say what is to be seen in the shot instead; a script is put on record with its authors by "
            "`falsework rights script FILE --author NAME`.",
        )
