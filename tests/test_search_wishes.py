"""Wishes over the sample catalogue with what a person would hope to see; written before any tuning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from falsework.search.ranking.reranker import Reranker
from falsework.search.searcher import Searcher
from search_at_work import sample_searcher


@pytest.fixture(scope="module")
def sample() -> Iterator[Searcher]:
    with sample_searcher(ranker=Reranker.load()) as searcher:
        yield searcher
        searcher.catalogue.close()


# A wish, titles of which a person would hope to see some, and how many of them among the first five.
WISHES = [
    (
        "something scary but not too scary, maybe a little funny, under two hours",
        {
            "Tremors", "Vampires vs. the Bronx", "Killer Klowns from Outer Space", "Goosebumps",
            "A Babysitter's Guide to Monster Hunting", "The Boy Who Cried Werewolf", "Hubie Halloween",
            "The Little Vampire",
        },
        3,
    ),
    (
        "like Train to Busan but funny",
        {
            "Zombieland", "Stree", "Tremors", "Vampires vs. the Bronx", "Killer Klowns from Outer Space",
            "Girls With Balls", "The Babysitter: Killer Queen",
        },
        3,
    ),
    (
        "like Jaws but funnier",
        {
            "Tremors", "Zombieland", "Vampires vs. the Bronx", "Stree", "Killer Klowns from Outer Space",
            "Indiana Jones and the Temple of Doom", "Indiana Jones and the Last Crusade", "Zathura",
        },
        3,
    ),
    (
        "a romantic and funny film in Spanish",
        {
            "I love you, stupid", "Crazy About Her", "Spanish Affair 2", "Caida del Cielo",
            "Despite Everything",
        },
        3,
    ),
    (
        "something like Coraline, magical and chilling",
        {
            "Nightbooks", "The Spiderwick Chronicles", "The Dark Crystal", "Labyrinth", "The Polar Express",
            "Willy Wonka & the Chocolate Factory",
        },
        3,
    ),
    (
        "a sad war drama",
        {
            "Schindler's List", "The Pianist", "Platoon", "Sarah's Key", "The Boy in the Striped Pajamas",
            "In This Corner of the World", "The Photographer Of Mauthausen", "Doctor Zhivago",
            "Under the Shadow", "A Bridge Too Far", "Black Hawk Down", "The Breadwinner", "Pan's Labyrinth",
        },
        4,
    ),
    (
        "tense and clever thriller with a twist",
        {
            "The Invisible Guest", "Kahaani", "Layer Cake", "Death Note", "Andhadhun", "Primal Fear",
            "Shutter Island", "Forgotten", "The Talented Mr. Ripley",
        },
        3,
    ),
    (
        "similar to Blue Planet II but exciting",
        {
            "Planet Earth II", "The Blue Planet: A Natural History of the Oceans", "Océans", "Octonauts",
            "Virunga",
        },
        2,
    ),
    (
        "una comedia romántica divertida y ligera",
        {
            "I love you, stupid", "Spanish Affair 2", "Isi & Ossi", "The Princess Switch", "Friends",
            "Crazy About Her", "Caida del Cielo", "Four Weddings and a Funeral", "Legally Blonde",
            "Something's Gotta Give", "Scandal in Sorrento",
        },
        4,
    ),
    ("kids film about dinosaurs", {"Rugrats in Paris: The Movie"}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "hoped", "least"), WISHES, ids=[wish for wish, _, _ in WISHES])
def test_what_a_person_would_hope_for_is_near_the_top(
    sample: Searcher, wish: str, hoped: set[str], least: int
) -> None:
    first = [result.title.title for result in sample.search(wish, limit=5).results]
    assert len(hoped.intersection(first)) >= least, first


def test_what_is_hoped_for_is_in_the_sample(sample: Searcher) -> None:
    there = {title.title for title in sample.catalogue.every()}
    assert {title for _, hoped, _ in WISHES for title in hoped} <= there


def test_who_carries_all_moods_stands_above_who_carries_one(sample: Searcher) -> None:
    answer = sample.search(
        "something scary but not too scary, maybe a little funny, under two hours", limit=60
    )
    both = [{"scary", "funny"} <= set(result.title.moods) for result in answer.results]
    assert sum(both) >= 2
    assert both == sorted(both, reverse=True)
    neither = [not {"scary", "funny", "chilling"} & set(result.title.moods) for result in answer.results[:5]]
    assert not any(neither)
    assert "Superbad" not in [result.title.title for result in answer.results[:5]], (
        "which is not scary at all"
    )


def test_near_a_title_and_carrying_the_mood_both_count(sample: Searcher) -> None:
    answer = sample.search("like Train to Busan but funny", limit=3)
    for result in answer.results:
        assert "funny" in result.title.moods, result.title.title
        assert {"Horror", "Action", "Thriller"} & set(result.title.genres), result.title.title
