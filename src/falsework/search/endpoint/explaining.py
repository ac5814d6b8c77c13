"""Why a title answers a wish, pointed at by the model and quoted from the catalogue.

The model says which stored words speak for a title. What is shown are those words as the catalogue has them,
not the model's: a claim whose words are stored nowhere is dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, get_args

import pydantic
from pydantic import BaseModel, ConfigDict

from falsework.catalogue.records import Title
from falsework.catalogue.vocabularies import folded
from falsework.search.endpoint.client import Prompt
from falsework.search.endpoint.errors import EndpointError
from falsework.search.endpoint.material import AS_DATA, as_material, plain
from falsework.search.endpoint.reranking import wanted
from falsework.search.endpoint.schema import strict_schema
from falsework.search.endpoint.wire import parsed
from falsework.search.query import Query
from falsework.search.ranking.why import Field, stored

__all__ = ["Claim", "claims_in", "explaining_prompt"]

MOST_TITLES = 10
MOST_TOKENS = 900
SYNOPSIS = 600  # characters
NAME = 120
FEWEST_WORDS = 2  # of a synopsis: a single word speaks for nothing
LONGEST_QUOTE = 240  # characters
LONGEST_CLAIM = 2_000  # characters of one claim's JSON
CLAIMS_A_TITLE = 3

INSTRUCTIONS = f"""\
You point out why films and series answer a viewer's wish.
{AS_DATA}
Write one to three claims for each title, the titles in their order. "title": its number. "field": where
the words stand. "quote": words copied exactly from that field, of a list one entry, of the synopsis whole
phrases. "wish": the words of the wish that they answer, copied exactly. Claim nothing that no field says."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: int
    field: Field
    quote: Annotated[str, pydantic.Field(max_length=LONGEST_QUOTE)]
    wish: str


class _Explanation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    claims: list[_Said]


@dataclass(frozen=True)
class Claim:
    """Stored words that speak for a title: `quote` stands in its `field` exactly so. `wish` are the viewer's
    words they answer, empty where the model did not say."""

    id: str
    field: Field
    quote: str
    wish: str = ""


def explaining_prompt(query: Query, wish: str, titles: Sequence[Title]) -> Prompt:
    """What the model is asked to explain the first MOST_TITLES of `titles`."""
    listed = [
        {
            "number": number,
            **{
                field: plain(words[0], SYNOPSIS)
                if field == "synopsis"
                else [plain(each, NAME) for each in words]
                for field in get_args(Field)
                if (words := stored(title, field)[:8])
            },
        }
        for number, title in enumerate(titles[:MOST_TITLES], 1)
    ]
    material = as_material({**wanted(query, wish), "titles": listed})
    return Prompt("claims", INSTRUCTIONS, material, strict_schema(_Explanation), MOST_TOKENS)


def claims_in(pieces: Iterable[str], titles: Sequence[Title], wish: str) -> Iterator[Claim]:
    """The claims of a streamed answer that hold, each as soon as it is whole; no words twice for a title.

    Raises an EndpointError where the stream does, or where it holds no list of claims.
    """
    seen: set[tuple[str, Field, str]] = set()
    counts: dict[str, int] = {}
    for text in _objects(pieces):
        try:
            said = parsed(text, _Said)
        except EndpointError:
            continue  # one claim in the wrong form says nothing about the others
        claim = _grounded(said, titles, wish)
        if claim is None or (claim.id, claim.field, claim.quote) in seen:
            continue
        seen.add((claim.id, claim.field, claim.quote))
        counts[claim.id] = counts.get(claim.id, 0) + 1
        if counts[claim.id] <= CLAIMS_A_TITLE:
            yield claim


def _grounded(said: _Said, titles: Sequence[Title], wish: str) -> Claim | None:
    if not 1 <= said.title <= min(len(titles), MOST_TITLES):
        return None
    title = titles[said.title - 1]
    find = _passage if said.field == "synopsis" else _entry
    quote = next(filter(None, (find(said.quote, text) for text in stored(title, said.field))), None)
    if quote is None:
        return None
    answered = _within(said.wish, wish)
    return Claim(title.id, said.field, quote, answered or "")


def _entry(quote: str, text: str) -> str | None:
    return text if folded(quote) and folded(quote) == folded(text) else None


def _passage(quote: str, text: str) -> str | None:
    """The stored words, with the sentence around them where that is short: "scary" may stand after "not"."""
    if len(quote.split()) < FEWEST_WORDS:
        return None
    found = _within(quote, text)
    if found is None:
        return None
    at = text.find(found)
    begins = max(
        (text.rfind(end, 0, at) + len(end) for end in (". ", "! ", "? ", "\n") if end in text[:at]), default=0
    )
    ends = min(
        (place + 1 for end in ".!?\n" if (place := text.find(end, at + len(found) - 1)) >= 0),
        default=len(text),
    )
    sentence = text[begins:ends].strip()
    return sentence if found in sentence and len(sentence) <= LONGEST_QUOTE else found


def _within(words: str, text: str) -> str | None:
    """`words` as they stand in `text`, whole words only, whatever the capitals and blanks."""
    parts = words.split()
    if not parts or len(words) > LONGEST_QUOTE:
        return None
    pattern = r"(?<!\w)" + r"\s+".join(map(re.escape, parts)) + r"(?!\w)"
    found = re.search(pattern, text, re.IGNORECASE)
    return found[0] if found else None


def _objects(pieces: Iterable[str]) -> Iterator[str]:
    """The JSON objects in the list of a streamed {"claims": [...]}, each as soon as it is whole."""
    decoder = json.JSONDecoder()
    text, listed = "", False
    for piece in pieces:
        text += piece
        if not listed:
            head = re.match(r'\s*\{\s*"claims"\s*:\s*\[', text)
            if head is None:
                if len(text) > LONGEST_CLAIM:
                    raise EndpointError("sent its answer in the wrong form")
                continue
            text, listed = text[head.end() :], True
        while (text := text.lstrip(" \t\r\n,")).startswith("{"):
            try:
                _, end = decoder.raw_decode(text)
            except (ValueError, RecursionError):
                if len(text) > LONGEST_CLAIM:
                    raise EndpointError("sent its answer in the wrong form") from None
                break
            yield text[:end]
            text = text[end:]
    if not listed:
        raise EndpointError("sent its answer in the wrong form")
