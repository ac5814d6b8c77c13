"""A wish in Spanish over synopses in Spanish: its own words count, and not only their English."""

from __future__ import annotations

from pathlib import Path

import pytest

from falsework.search.ranking.reranker import Reranker
from falsework.search.understanding import understand
from search_at_work import small_searcher, title
from search_names import small_names

SPANISH = [
    title("faro", "El vigía", "Un farero y su hija esperan un barco que nunca llega para la cena."),
    title("reloj", "Horas", "La nieta del relojero busca a su abuelo por la ciudad."),
    title("velero", "Marea", "Dos hermanos cruzan el mar en un velero viejo que heredaron."),
    title("fiesta", "Noche", "Una mujer desaparece durante una verbena por la que nadie pregunta."),
    title("pan", "Horno", "Un panadero amasa de noche y sueña con viajar para ver la nieve."),
]
ENGLISH = [
    title(f"e{n}", f"Film {n}", f"A man walks into town number {n} and meets a woman.") for n in range(30)
]


@pytest.mark.parametrize(
    ("wish", "id"),
    [
        ("un farero y su hija", "faro"),
        ("la nieta del relojero", "reloj"),
        ("dos hermanos en un velero", "velero"),
        ("velero", "velero"),
        ("una película con una verbena", "fiesta"),
        ("un panadero", "pan"),
    ],
)
def test_a_word_of_the_wish_that_stands_in_a_synopsis_wins(tmp_path: Path, wish: str, id: str) -> None:
    with small_searcher(tmp_path, [*SPANISH, *ENGLISH], ranker=Reranker.load()) as searcher:
        answer = searcher.search(wish)
        searcher.catalogue.close()
    assert answer.language == "es"
    assert answer.results[0].title.id == id
    assert any(reason.field == "synopsis" for reason in answer.results[0].why)


def test_over_english_texts_a_wish_is_in_english() -> None:
    names = small_names()
    counts = {"casa": 2, "farero": 1}
    english = understand("un farero en una casa", names=names, told=lambda word: counts.get(word, 0))
    assert "farero" not in english.query.text
    spanish = {**counts, "una": 500, "que": 500}
    both = understand("un farero en una casa", names=names, told=lambda word: spanish.get(word, 0))
    assert both.query.text.startswith(english.query.text)
    assert both.query.text.endswith("farero casa")
