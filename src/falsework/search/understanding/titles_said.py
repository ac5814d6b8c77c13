"""Titles named in a sentence.

An ordinary word may be a title (It, Up, Heat, Home): it is taken for one only where something says so:
quotes, a year in brackets, "like" before it, or capitals where a sentence has no reason for them.
"""

from __future__ import annotations

import re
from typing import Final

from falsework.search.understanding.lexicon import (
    ASKING,
    meanings,
)
from falsework.search.understanding.matching import is_vocabulary
from falsework.search.understanding.names import Names
from falsework.search.understanding.sentence import Sentence
from falsework.search.understanding.title_cues import title_at, titles_after_cues
from falsework.search.understanding.title_marks import (
    LONGEST_TITLE,
    TitleSaid,
    cue_before,
    is_capital,
    title_said,
)
from falsework.search.understanding.title_years import titles_with_year

__all__ = ["TitleSaid", "titles_in", "whole_title"]

_QUOTED: Final = re.compile(r"[\"“„«‘]([^\"“”„«»‘’]{1,100}(?:[’'][^\"“”„«»‘’]{1,60})?)[\"”“»’]")


def titles_in(sentence: Sentence, names: Names) -> list[TitleSaid]:
    """All titles named, in their order; marks their words, and the words that pointed at them, as used."""
    found = [*titles_with_year(sentence, names), *_quoted(sentence, names)]
    found += _leading(sentence, names)
    found += _asked(sentence, names)
    found += _meeting(sentence, names)
    found += titles_after_cues(sentence, names)
    found += _listed(sentence, names, found)
    return sorted(found, key=lambda title: title.first)


def whole_title(sentence: Sentence, names: Names) -> TitleSaid | None:
    """The title that the whole text is, if it is one: what is typed into a search box."""
    count = len(sentence.words)
    if not 1 <= count <= LONGEST_TITLE:
        return None
    linked = names.title(sentence.text, typos=False)
    if linked is None and count <= 8 and not is_vocabulary(sentence, 0, count):
        linked = names.title(sentence.text)
    if linked is None or (count == 1 and linked.likeness < 1 and sentence.keys[0] in meanings()):
        return None
    return TitleSaid(sentence.text, linked, 0, count, asked=True)


def _quoted(sentence: Sentence, names: Names) -> list[TitleSaid]:
    found = []
    for quote in _QUOTED.finditer(sentence.text):
        inside = [
            n
            for n, word in enumerate(sentence.words)
            if quote.start() <= word.start and word.end <= quote.end()
        ]
        if not inside or len(inside) > LONGEST_TITLE or not sentence.free(inside[0], inside[-1] + 1):
            continue
        linked = names.title(quote[1])
        cue = cue_before(sentence, inside[0])
        if linked is None and cue is None:
            continue
        found.append(
            title_said(sentence, inside[0], inside[-1] + 1, inside[-1] + 1, linked, None, asked=cue is None)
        )
    return found


def _leading(sentence: Sentence, names: Names) -> list[TitleSaid]:
    """ "Scream but funnier", "Heat, only shorter": a title the sentence begins with."""
    for after in range(min(LONGEST_TITLE, len(sentence.words) - 1), 0, -1):
        turns = sentence.keys[after] == "but" or (
            sentence.keys[after] == "only" and sentence.words[after].breaks
        )
        if not turns or not sentence.free(0, after) or is_vocabulary(sentence, 0, after):
            continue
        linked = names.title(sentence.said(0, after))
        if linked is not None:
            return [title_said(sentence, 0, after, after, linked, None)]
    return []


def _asked(sentence: Sentence, names: Names) -> list[TitleSaid]:
    """ "Do you have The Exorcist?": a title in capitals to the end of its clause."""
    found = []
    for place in range(len(sentence.words)):
        size = next(
            (size for size in (4, 3, 2, 1) if " ".join(sentence.keys[place : place + size]) in ASKING), 0
        )
        first = place + size
        if not size or first >= len(sentence.words) or not sentence.words[first].capital:
            continue
        end = first + 1
        while (
            end < len(sentence.words)
            and not sentence.words[end].breaks
            and sentence.keys[end] not in ("like", "please", "about")
        ):
            end += 1
        if (
            not sentence.free(first, end)
            or is_vocabulary(sentence, first, end)
            or end - first > LONGEST_TITLE
        ):
            continue
        linked = names.title(sentence.said(first, end))
        if linked is not None:
            found.append(title_said(sentence, first, end, end, linked, None, asked=True))
            if end < len(sentence.words) and sentence.keys[end] == "like":
                sentence.use(end, end + 1)
    return found


def _meeting(sentence: Sentence, names: Names) -> list[TitleSaid]:
    """ "Blade Runner meets Alien": both of them."""
    found = []
    for middle, key in enumerate(sentence.keys):
        if key not in ("meets", "x") or not 0 < middle < len(sentence.keys) - 1 or sentence.used[middle]:
            continue
        for first in range(max(0, middle - LONGEST_TITLE), middle):
            linked = (
                names.title(sentence.said(first, middle), typos=False)
                if sentence.free(first, middle)
                else None
            )
            if (
                linked is not None
                and is_capital(sentence, first)
                and not is_vocabulary(sentence, first, middle)
            ):
                other = title_at(sentence, names, middle + 1, strong=True)
                if other is not None and other.linked is not None:
                    found += [title_said(sentence, first, middle, middle + 1, linked, None), other]
                break
    return found


def _listed(sentence: Sentence, names: Names, found: list[TitleSaid]) -> list[TitleSaid]:
    """Titles that go on a list: "like Heat, Ronin and Collateral"."""
    more: list[TitleSaid] = []
    ends = [(title.after, title.wanted, title.asked) for title in found]
    while ends:
        after, wanted, asked = ends.pop()
        first = after
        while (
            first < len(sentence.words) and sentence.keys[first] in ("and", "or") and not sentence.used[first]
        ):
            first += 1
        if first >= len(sentence.words) or sentence.used[first] or not is_capital(sentence, first):
            continue
        if (first == after and not sentence.words[first].breaks) or sentence.words[
            first
        ].sentence != sentence.words[after - 1].sentence:
            continue
        title = title_at(sentence, names, first, strong=False)
        if title is not None and title.linked is not None:
            more.append(TitleSaid(title.said, title.linked, title.first, title.after, wanted, asked))
            ends.append((title.after, wanted, asked))
    return more
