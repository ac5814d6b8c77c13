"""What sentences mean: a written table of them, and what must hold for any text at all."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.search.query import LONGEST_TEXT, Query, Span
from falsework.search.understanding import Names, chips_of, understand, without
from search_names import small_names

CASES = tomllib.loads((Path(__file__).parent / "search_sentences.toml").read_text())["case"]
NAMES = small_names()


def said(query: Query) -> dict[str, Any]:
    """A query as the table writes it: each field's chips."""
    found: dict[str, Any] = {}
    for chip in chips_of(query):
        value = getattr(query, chip.key)
        if isinstance(value, tuple):
            found.setdefault(chip.key, set()).add(chip.value)
        else:
            found[chip.key] = True if value is True else chip.value
    return found


def in_turn(sentences: list[str], names: Names = NAMES) -> Query:
    query = None
    for sentence in sentences:
        query = understand(sentence, names=names, previous=query).query
    assert query is not None
    return query


@pytest.mark.parametrize("case", CASES, ids=[" / ".join([*each.get("after", []), each["say"]])[:70] for each in CASES])
def test_sentence(case: dict[str, Any]) -> None:
    query = in_turn([*case.get("after", []), case["say"]])
    wanted = {key: set(value) if isinstance(value, list) else value for key, value in case["want"].items()}
    assert said(query) == wanted
    if "text" in case:
        assert query.text.casefold() == case["text"].casefold()
