"""Words that neither the language nor the catalogue has: said plainly, and nothing is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from falsework.cli.search_words import told
from falsework.search.searcher import Searcher
from search_at_work import encoder, sample_searcher, small_searcher, title


@pytest.fixture(scope="module")
def sample() -> Iterator[Searcher]:
    with sample_searcher() as searcher:
        yield searcher
        searcher.catalogue.close()


@pytest.mark.parametrize("wish", ["asdfgh", "qwerty zxcvb", "Xtro", "quiero asdfgh", "lkjhg poiuyt"])
def test_of_gibberish_nothing_is_made(sample: Searcher, wish: str) -> None:
    answer = sample.search(wish)
    assert answer.results == ()
    assert answer.unknown_words
    assert answer.not_in_catalogue
    words = told(answer)
    assert "No title and no text of the catalogue has “" in words
    assert "Nothing in the catalogue meets all of this" not in words
    assert sample.find(answer.query).results == ()
    assert answer.to_json()["unknown_words"] == list(answer.unknown_words)


@pytest.mark.parametrize("wish", ["Casablanca", "beekeeper"])
def test_a_word_that_may_mean_something_is_a_guess_and_said_to_be_one(sample: Searcher, wish: str) -> None:
    answer = sample.search(wish)
    assert answer.results
    assert f"No title and no text of the catalogue has “{wish}”. What was found is a guess." in answer.notes


def test_beside_words_that_say_something_it_is_named(sample: Searcher) -> None:
    answer = sample.search("a comedy about asdfgh")
    assert answer.results
    assert answer.notes == ("No title and no text of the catalogue has “asdfgh”.",)


@pytest.mark.parametrize(
    "wish",
    ["inseption", "the pianst", "tokyo", "a comedy", "penguins", "", "🐧", "1999", "two brothers at sea"],
)
def test_what_is_understood_has_no_such_note(sample: Searcher, wish: str) -> None:
    answer = sample.search(wish)
    assert answer.unknown_words == ()
    assert answer.results


def test_an_odd_title_that_is_there_is_found(tmp_path: Path) -> None:
    titles = [title("xtro", "Xtro", "Something comes back."), title("other", "Tron", "A game.")]
    with small_searcher(tmp_path, titles) as searcher, searcher.catalogue:
        for wish in ("Xtro", "xtro", "like xtro"):
            answer = searcher.search(wish)
            assert answer.unknown_words == ()
            assert answer.results
        assert searcher.search("xtro").results[0].title.id == "xtro"


def test_the_encoder_knows_what_it_need_not_spell() -> None:
    knows = encoder().knows
    assert all(map(knows, ("house", "beekeeper", "Casablanca", "taxidermy")))
    assert not any(map(knows, ("asdfgh", "zxcvb", "", "ffghjk")))
