"""Texts as terms: what is folded together, what stays apart, and that nothing is too odd to be read."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import unicodedata
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.search import text as module
from falsework.search.text import LONGEST_WORD, STOP_WORDS, folded, term_id, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The King's Speech", ["king", "speech"]),
        ("O’Brien and O'Brien", ["obrien", "obrien"]),
        ("don't", ["dont"]),  # nothing but a stop word: kept
        ("I don't like running", ["like", "run"]),
        ("It", ["it"]),
        ("Up!", ["up"]),
        ("Amélie, naïve CAFÉ", tokens("amelie naive cafe")),
        ("Straße", tokens("strasse")),
        ("ŁÓDŹ Øresund Æon", tokens("lodz oresund aeon")),
        ("İstanbul ISTANBUL ıstanbul", ["istanbul"] * 3),
        ("2001: a space odyssey", ["2001", "space", tokens("odyssey")[0]]),
        ("from the 1980s", ["1980s"]),
        ("９/１１", ["9", "11"]),
        ("ﬁlm", ["film"]),
        ("千と千尋", ["千と", "と千", "千尋"]),
        ("猫", ["猫"]),
        ("Война и мир", tokens("ВОЙНА И МИР")),
        ("snake_case", tokens("snake case")),
        ("co\u00adop\u200bera\u202etion", tokens("cooperation")),
        ("", []),
        ("🎬🍿 … — !?", []),
        ("\ud800\x00\x07", []),
    ],
)
def test_terms(text: str, expected: list[str]):
    assert tokens(text) == expected


def test_inflections_meet():
    assert len({tuple(tokens(word)) for word in ("chase", "chased", "chasing", "chases")}) == 1


def test_accents_are_letters_in_scripts_that_spell_with_them():
    assert tokens("कि") != tokens("का")
    assert tokens("हिन्दी फ़िल्म") == ["हिन्दी", unicodedata.normalize("NFKC", "फ़िल्म")]
    assert tokens("שָׁלוֹם") == tokens("שלום")


@given(st.text())
def test_any_text_is_read_and_reads_the_same_however_it_is_composed(text: str):
    terms = tokens(text)
    assert all(term and term == term.strip() and len(term) <= LONGEST_WORD for term in terms)
    assert terms == tokens(unicodedata.normalize("NFD", text)) == tokens(unicodedata.normalize("NFC", text))


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_case_does_not_count(text: str):
    assert tokens(text) == tokens(text.upper()) == tokens(text.lower())
    assert folded(text) == folded(text.upper())


@given(st.text())
def test_folding_twice_is_folding_once(text: str):
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("  Penélope   CRUZ ", "penelope cruz"),
        ("Bill O’Neill", "bill oneill"),
        ("Samuel L. Jackson", "samuel l jackson"),
        ("🎬", ""),
    ],
)
def test_names_are_folded(name: str, key: str):
    assert folded(name) == key


def test_a_book_of_one_word_is_read_in_no_time_and_makes_one_short_term():
    assert tokens("a" * 1_000_000) == ["a" * LONGEST_WORD]
    assert len(tokens("rose " * 20_000)) == 20_000
    assert len(tokens("a'" * 100_000)) <= 1


def test_stop_words_are_folded_themselves():
    assert all(folded(word) == word for word in STOP_WORDS)


def test_ids_are_those_of_every_run_and_machine():
    words = ["storm", "1980s", "千と", "\ud800"]
    assert term_id("storm") == 0xF18CD045
    assert [term_id(word) for word in words] == _fresh(words)
    assert all(0 <= term_id(word) < 2**32 for word in words)


def _fresh(words: list[str]) -> list[int]:
    """The ids as another process, with another hash seed, has them."""
    code = "import json, sys; from falsework.search.text import term_id; "
    code += "print(json.dumps([term_id(word) for word in json.loads(sys.argv[1])]))"
    run = [sys.executable, "-c", code, json.dumps(words)]
    return list(json.loads(subprocess.run(run, capture_output=True, check=True).stdout))


def test_few_words_of_a_language_share_an_id():
    words = {"".join(parts) for parts in product(_SYLLABLES, repeat=3)}
    assert len(words) - len({term_id(word) for word in words}) <= 20


_SYLLABLES = [a + b for a in "bdfgklmnprst" for b in "aeiou"]


def test_threads_do_not_disturb_each_other():
    words = [f"{stem}{end}" for stem in _SYLLABLES for end in ("ing", "ed", "ation", "ness", "ly")]
    alone = [tokens(word) for word in words]
    module._stem.cache_clear()
    answers: list[list[list[str]]] = []
    threads = [
        threading.Thread(target=lambda: answers.append([tokens(word) for word in words])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [alone] * 8
