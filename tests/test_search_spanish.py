"""Spanish wishes in English: what must come out, what must stay, and that nothing typed breaks it."""

from __future__ import annotations

import csv
import gzip
import json
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.search.understanding import Names, understand
from falsework.search.understanding.spanish import to_english
from falsework.search.understanding.spanish.lexicon import PARTS, entries, fold, lexicon
from falsework.search.understanding.spanish.morphology import readings

PACKAGE = "falsework.search.understanding.spanish"


def english(spanish: str) -> str:
    return to_english(spanish).text


@pytest.mark.parametrize(
    ("spanish", "expected"),
    [
        ("algo de miedo pero no demasiado", "something scary but not too scary"),
        ("más corta", "shorter"),
        ("menos violenta", "less violent"),
        ("sin sangre", "no gore"),
        ("en español", "in Spanish"),
        ("una de espías", "a spy film"),
        ("película de terror", "horror film"),
        ("una banda de ladrones", "a gang of thieves"),
        ("una chica rica", "a rich girl"),
        ("asesinos en serie", "serial killers"),
        ("que no den miedo", "that is not scary"),
        ("de menos de dos horas", "under two hours"),
        ("una mujer que finge su muerte", "a woman who fakes her own death"),
        ("los secuestradores no la encuentran", "the kidnappers do not find her"),
        ("un policía que persigue a un ladrón", "a police officer who chases a thief"),
        ("vuelve a su pueblo", "returns to his town"),
    ],
)
def test_a_wish_says_the_same_in_english(spanish: str, expected: str) -> None:
    assert english(spanish) == expected


@pytest.mark.parametrize(
    ("spanish", "expected"),
    [
        ("una peli como The Matrix pero menos violenta", "a film like The Matrix but less violent"),
        ("una peli como tiburón", "a film like Jaws"),
        ("me encantó «El padrino»", "I loved The Godfather"),
        ("Con faldas y a lo loco", "Some Like It Hot"),
        ("películas con Tom Hanks y Meg Ryan", "films with Tom Hanks and Meg Ryan"),
        ("una de tiburones", "a shark film"),
        ("viajan en la máquina del tiempo", "travel in the time machine"),
    ],
)
def test_titles_and_names_stay_and_release_titles_become_the_original(spanish: str, expected: str) -> None:
    assert english(spanish) == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("something scary but not too scary", "en"),
        ("movies like El Mariachi", "en"),
        ("something like La casa de papel", "en"),
        ("La La Land", "en"),
        ("scary movie", "en"),
        ("tom hanks", "en"),
        ("", "en"),
        ("peli de miedo", "es"),
        ("una peli como The Silence of the Lambs", "es"),
        ("comedia romantica", "es"),
        ("mas corta", "es"),
        ("un film drôle avec des enfants", "fr"),
        ("um filme de ação com muitos carros", "pt"),
        ("un film di paura con molto sangue", "it"),
        ("ein lustiger Film mit Hunden", "de"),
    ],
)
def test_the_words_around_a_title_tell_the_language(text: str, language: str) -> None:
    answer = to_english(text)
    assert answer.language == language
    if language != "es":
        assert answer.text == text
        assert (answer.glossed, answer.unknown) == ((), ())


@pytest.mark.parametrize(
    ("word", "lemma"),
    [
        ("buscándolo", "buscar"),
        ("encontrarla", "encontrar"),
        ("secuestraron", "secuestrar"),
        ("huyendo", "huir"),
        ("pidió", "pedir"),
        ("jueguen", "jugar"),
        ("busqué", "buscar"),
        ("dijeron", "decir"),
        ("mantuvo", "mantener"),
        ("propuso", "proponer"),
        ("conozcan", "conocer"),
        ("ladrones", "ladrón"),
        ("luces", "luz"),
        ("abogadas", "abogado"),
        ("perritos", "perro"),
        ("pueblecito", "pueblo"),
        ("injustamente", "injusto"),
        ("policiacas", "policiaco"),
        ("nino", "niño"),
        ("rehen", "rehén"),
    ],
)
def test_a_form_is_traced_to_its_lemma(word: str, lemma: str) -> None:
    assert lemma in {one.entry.lemma for one in readings(word)}


def test_a_slip_of_the_finger_is_forgiven_in_long_words_only() -> None:
    assert english("quiero algo con secuestrdores") == "I want something with kidnappers"
    assert to_english("una peli de zzz").unknown == ("zzz",)


def test_what_was_glossed_can_be_inspected_and_the_rest_is_named() -> None:
    answer = to_english("una viuda y su faro xyzzyplugh")
    assert ("viuda", "widow") in answer.glossed
    assert ("faro", "lighthouse") in answer.glossed
    assert answer.unknown == ("xyzzyplugh",)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    answer = to_english(text)
    assert answer.language
    if answer.language == "en":
        assert answer.text == text


WORDS = st.sampled_from(
    [
        *[
            "no",
            "se",
            "la",
            "lo",
            "de",
            "a",
            "que",
            "y",
            "más",
            "muy",
            "una",
            "el",
            "ha",
            "para",
            "por",
            "al",
            "su",
        ],
        "mata",
        "niño",
        "malo",
        "«",
        "El",
        "ha",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=25))
def test_the_small_words_in_any_order_break_nothing(words: list[str]) -> None:
    assert isinstance(to_english(" ".join(["una peli", *words])).text, str)


def test_the_glossary_is_well_formed() -> None:
    lines = entries()
    assert len(lines) >= 4_500
    assert {entry.part for entry in lines} <= PARTS
    for entry in lines:
        assert entry.lemma == entry.lemma.strip() != "", entry
        assert entry.english == entry.english.strip() != "", entry
        assert "  " not in entry.english, entry
        assert "/" not in entry.english, entry
        if entry.part == "verb" and " " not in entry.lemma:
            assert fold(entry.lemma).removesuffix("se").endswith(("ar", "er", "ir")), entry
    keys = [(entry.lemma.lower(), entry.part) for entry in lines]
    assert len(keys) == len(set(keys))
    for table in files(PACKAGE).joinpath("glossary").iterdir():
        if table.name.endswith(".csv"):
            assert len(table.read_text(encoding="utf-8").splitlines()) <= 1_000, table.name


def test_every_lemma_of_one_word_is_found_as_it_is_written() -> None:
    known = lexicon()
    for entry in known.entries:
        if " " not in entry.lemma and "." not in entry.lemma and "/" not in entry.lemma:
            assert any(one.entry.lemma == entry.lemma for one in readings(entry.lemma.lower())), entry


def test_release_titles_are_in_the_catalogue_they_were_checked_against(shared: Path) -> None:
    catalogue = shared / "search" / "wiki_films.jsonl.gz"
    if not catalogue.exists():
        pytest.skip("no shared films")
    with gzip.open(catalogue, "rt", encoding="utf-8") as lines:
        films = {(film["title"], film["year"]) for film in map(json.loads, lines)}
    with files(PACKAGE).joinpath("release_titles.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 600
    assert [row for row in rows if (row["original"], int(row["year"])) not in films] == []
    assert len({fold(row["spanish"]) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("wish", "shut_out"),
    [
        ("no quiero nada de miedo", "scary"),
        ("nada de miedo, por favor", "scary"),
        ("no quiero pasar miedo", "scary"),
        ("una comedia que no dé miedo", "scary"),
        ("no quiero ver nada de sangre", "gory"),
        ("no quiero nada de terror", "Horror"),
        ("no me gusta nada el terror", "Horror"),
    ],
)
def test_what_is_denied_twice_is_shut_out(wish: str, shut_out: str) -> None:
    query = understand(wish, names=Names.of([])).query
    assert query.exclude == (shut_out,)
    assert not query.moods
    assert shut_out not in query.genres


@pytest.mark.parametrize(
    ("wish", "chips"),
    [
        ("algo de miedo pero no mucho", ["de miedo", "que no dé mucho miedo", "nada sangrienta"]),
        ("no quiero nada de miedo", ["nada de miedo"]),
        ("una comedia no muy triste", ["comedia", "no demasiado triste", "nada deprimente"]),
        ("una película sin palabrotas", ["sin palabrotas", "película"]),
        ("una película romántica sin sexo", ["romance", "romántica", "película", "sin sexo"]),
    ],
)
def test_chips_read_as_spanish_is_spoken(wish: str, chips: list[str]) -> None:
    said = [chip.words for chip in understand(wish, names=Names.of([])).chips]
    assert sorted(said) == sorted(chips)
