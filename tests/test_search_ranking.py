"""What ranking reads of a title and of a wish: documents, columns, the table, years, genres, candidates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.catalogue.records import Credit, Title
from falsework.errors import FalseworkError
from falsework.search.index.protocol import Conditions, Hit
from falsework.search.query import Query
from falsework.search.ranking.candidates import Gatherer
from falsework.search.ranking.columns import Spool, map_columns, write_columns
from falsework.search.ranking.document import (
    KNOWN,
    MOST_PASSAGES,
    lexical_weights,
    passages,
    sentences,
    standing,
)
from falsework.search.ranking.features import features, quick_scores
from falsework.search.ranking.genre_bits import genres_said, names_of, title_genres
from falsework.search.ranking.mentions import names_written
from falsework.search.ranking.model import Model, load_model
from falsework.search.ranking.named import Named, names_in
from falsework.search.ranking.request import read_request
from falsework.search.ranking.reranker import Reranker
from falsework.search.ranking.signals import Signal, signals, takings, title_key
from falsework.search.ranking.table import FILE, UNKNOWN, Table, TableWriter
from falsework.search.ranking.wording import Years, looks, telling, telling_sentences, years_said
from falsework.search.text import term_id

DIMENSIONS = 16

TITLES = (
    Title(
        "alien",
        "Alien",
        year=1979,
        genres=("Horror", "Science Fiction"),
        synopsis="A crew meets a thing. It kills.",
    ),
    Title(
        "aliens",
        "Aliens",
        year=1986,
        genres=("Action",),
        credits=(Credit("Sigourney Weaver"),),
        synopsis="Marines.",
    ),
    Title(
        "it", "It", year=2017, genres=("Horror",), synopsis="A clown haunts children. They fight it together."
    ),
    Title("it-90", "It", year=1990, synopsis="A clown, for television."),
    Title("łódź", "Ziemia obiecana", year=None, synopsis=""),
)


class Hashed:
    """An encoder for tests: a unit vector that depends on nothing but the text's letters."""

    def encode(self, texts):
        rows = [
            np.bincount([ord(each) % DIMENSIONS for each in text] or [0], minlength=DIMENSIONS)
            for text in texts
        ]
        found = np.array(rows, np.float32) + 0.01
        return found / np.linalg.norm(found, axis=1, keepdims=True)


class Listed:
    """An index over titles in memory, exact, that keeps to one condition: the years."""

    def __init__(self, titles):
        self.titles = titles
        self.vectors = Hashed().encode([passages(title)[0] for title in titles])

    def _best(self, scores, conditions, limit):
        fit = [
            at
            for at, title in enumerate(self.titles)
            if conditions.years is None or (title.year is not None and conditions.years.holds(title.year))
        ]
        return [
            Hit(self.titles[at].id, scores[at])
            for at in sorted(fit, key=lambda at: -scores[at])
            if scores[at] > 0
        ][:limit]

    def lexical(self, terms, conditions, limit):
        weights = [lexical_weights(title) for title in self.titles]
        return self._best(
            [sum(found.get(term, 0) * weight for term, weight in terms.items()) for found in weights],
            conditions,
            limit,
        )

    def dense(self, vector, conditions, limit):
        return self._best((self.vectors @ vector).tolist(), conditions, limit)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return written(TITLES, tmp_path)


def written(titles, folder: Path) -> Table:
    writer = TableWriter(folder, DIMENSIONS)
    for title in titles:
        writer.add(title, Hashed().encode(passages(title)))
    writer.finish()
    return Table.open(folder)


def wish(text: str, table: Table, **query):
    return read_request(text, Query.model_validate(query), table, Hashed())


def ranked(text: str, table: Table, conditions=Conditions(), **query) -> list[str]:  # noqa: B008
    request = wish(text, table, **query)
    candidates = Gatherer(Listed(TITLES), table).gather(request, conditions)
    return [each.id for each in Reranker.load().rank(request, candidates, table)]


# --- documents


@given(st.text(max_size=600))
def test_no_sentence_loses_a_word(text: str) -> None:
    assert " ".join(sentences(text)).split() == text.split()


@given(st.text(max_size=3_000), st.lists(st.text(max_size=20), max_size=5))
def test_any_title_has_a_document(synopsis: str, names: list[str]) -> None:
    title = Title("x", synopsis[:20], synopsis=synopsis, credits=tuple(map(Credit, names)))
    assert 1 <= len(passages(title)) <= MOST_PASSAGES
    weights = lexical_weights(title)
    assert all(0 < weight < 10 for weight in weights.values())
    assert 0 <= standing(title) <= 1


def test_a_long_synopsis_costs_no_more_than_a_page() -> None:
    long = Title("x", "X", synopsis="A thing happens to somebody again. " * 10_000)
    assert len(passages(long)) <= MOST_PASSAGES
    assert sum(map(len, passages(long))) < 20_000


def test_abbreviations_and_initials_end_no_sentence() -> None:
    text = "It was made by Mr. Brown and J. R. Smith in the end. Nobody came to see the film."
    first, second = sentences(text)
    assert first.endswith("in the end.")
    assert second.startswith("Nobody")


def test_popularity_that_was_measured_is_believed() -> None:
    assert standing(Title("a", "A", popularity=1e6)) > standing(
        Title("b", "B", popularity=10.0, synopsis="w " * 900)
    )


def test_what_is_known_can_be_asked_for_like_a_word() -> None:
    known = Title(
        "a", "A", year=2015, synopsis="word " * 200, credits=tuple(Credit(str(at)) for at in range(9))
    )
    assert (
        lexical_weights(known)[KNOWN]
        > lexical_weights(Title("b", "B", year=1912, synopsis="Silent."))[KNOWN]
        > 0
    )
    assert KNOWN not in {term_id(word) for word in ("known", "the known", "\0 known")}


def test_a_name_weighs_more_than_a_mention() -> None:
    named = lexical_weights(Title("a", "Jaws", synopsis="About a shark and a town."))
    told = lexical_weights(Title("b", "Shark", synopsis="About jaws and a town."))
    assert named[term_id("jaw")] > told[term_id("jaw")]


# --- columns


def test_columns_are_plain_safetensors(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    spool = Spool(tmp_path / "spool", np.int8, 3)
    spool.append([[1, 2, 3], [4, 5, 6]])
    spool.append(np.zeros((0, 3)))
    spool.append([[7, 8, 9]])
    path = tmp_path / "x.safetensors"
    write_columns(
        path,
        {"a": spool, "empty": np.zeros((0, 2), np.float32), "b": np.arange(5, dtype=np.uint64)},
        {"n": 1},
    )
    columns, values = map_columns(path)
    assert values == {"n": 1}
    for name, array in load_file(path).items():
        np.testing.assert_array_equal(columns[name], array)
    assert columns["a"].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_file_is_said_to_be_one(tmp_path_factory, at: int, byte: int) -> None:
    path = tmp_path_factory.mktemp("columns") / "x.safetensors"
    write_columns(path, {"a": np.arange(8)}, {})
    damaged = bytearray(path.read_bytes())
    damaged[at % len(damaged)] = byte
    path.write_bytes(damaged[: len(damaged) - at])
    try:
        columns, _ = map_columns(path)
        assert all(array.nbytes <= 200 for array in columns.values())
    except FalseworkError:
        pass


# --- the table


def test_the_table_gives_back_what_it_was_given(table: Table) -> None:
    ids = [title.id for title in TITLES]
    assert table.ids_of(np.arange(table.titles)) == ids
    assert table.rows_of([*ids, "nobody"]).tolist() == [0, 1, 2, 3, 4, UNKNOWN]
    assert table.years.tolist() == [1979, 1986, 2017, 1990, UNKNOWN]
    assert sorted(table.rows_named(title_key("IT")).tolist()) == [2, 3]
    vectors = table.whole_vectors(np.arange(5))
    whole = Hashed().encode([passages(title)[0] for title in TITLES])
    np.testing.assert_allclose(vectors, whole, atol=0.01)


def test_frequencies_count_titles_not_mentions(table: Table) -> None:
    assert table.frequencies(np.array([term_id("clown"), term_id("nothing")], np.uint32)).tolist() == [2, 0]


def test_a_title_that_others_mention_is_counted(tmp_path: Path) -> None:
    titles = (
        Title("1", "Super Troopers", synopsis="Super Troopers is a comedy by Broken Lizard."),
        Title("2", "Super Troopers 2", synopsis="A sequel to Super Troopers; Super Troopers was a success."),
        Title("3", "Club Dread", synopsis="From the makers of Super Troopers and of Solaris."),
        Title("4", "Solaris", year=1972),
        Title("5", "Solaris", year=2002, synopsis="After Solaris (1972)."),
        Title("6", "Home", synopsis="They go home."),
        Title("7", "Away", synopsis="Home is far away, say super troopers."),
    )
    table = written(titles, tmp_path)
    assert table.mentions.tolist() == [2, 0, 0, 0.5, 0.5, 0, 0]


def test_names_are_runs_of_words_with_capitals() -> None:
    title = Title(
        "1", "Aliens", synopsis="The sequel to Alien, by the maker of Terminator: not aliens. Aliens!"
    )
    found = names_written(title)
    assert {"terminator", "the sequel to alien"} <= found
    assert not {"aliens", "alien", "maker", "alien by the maker"} & found


def test_a_table_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    writer = TableWriter(tmp_path, DIMENSIONS)
    writer.add(TITLES[0], Hashed().encode(["x"]))
    with pytest.raises(FalseworkError, match="table"):
        Table.open(tmp_path)
    assert written(TITLES, tmp_path).titles == len(TITLES)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_an_empty_catalogue_can_be_asked(tmp_path: Path) -> None:
    table = written((), tmp_path)
    request = wish("anything at all", table)
    candidates = Gatherer(Listed(TITLES), table).gather(request)
    assert len(candidates.rows) == 0
    assert Reranker.load().rank(request, candidates, table) == []


# --- signals and genres


def test_signals_are_read_from_the_text() -> None:
    title = Title(
        "x",
        "X",
        synopsis="X is a 1999 French animated film. It won an Oscar and grossed $1.5 billion on $20 million.",
    )
    assert Signal(signals(title)) >= Signal.FOREIGN | Signal.ANIMATED | Signal.AWARDED | Signal.TAKINGS
    assert takings(title) == 1_500


def test_labels_and_words_come_to_the_same_genres() -> None:
    title = Title("x", "X", genres=("Sci-Fi & Fantasy", "Horror Movies"))
    assert genres_said("a scary science fiction fantasy") & title_genres(title) == title_genres(title)
    assert "Comedy" in names_of(genres_said("something really funny"))
    assert genres_said("a bookkeeper's afternoon") == 0


# --- how a wish is worded


@pytest.mark.parametrize(
    ("said", "years"),
    [
        ("a comedy from the 80s or 90s", Years(1980, 1999)),
        ("made in the early 1990's", Years(1989, 1994)),
        ("I saw it on TV in 1995", Years(None, None, 1995)),
        ("I saw it in the early 90s, but I think it was from the seventies", Years(1970, 1979, 1994)),
        ("like Alien (1979)", Years()),
        ("it was set in 1885", Years()),
        ("he is in his early twenties", Years()),
        ("costs $1999", Years()),
    ],
)
def test_years_made_and_years_seen(said: str, years: Years) -> None:
    assert years_said(said) == years


def test_talk_of_remembering_is_left_out() -> None:
    said = "I saw it on TV years ago as a kid. A clown lives in a sewer and hunts children. Thanks for help!"
    assert telling_sentences(said) == ["A clown lives in a sewer and hunts children."]
    assert "clown" in telling(said)
    assert telling("movie") == ["movi"]


def test_looks_are_read() -> None:
    assert looks("an old black-and-white cartoon") == Signal.BLACK_AND_WHITE | Signal.ANIMATED
    assert looks("it was not animated") == Signal(0)


@given(st.text(max_size=400))
def test_any_words_can_be_read(said: str) -> None:
    years_said(said), looks(said), telling_sentences(said), telling(said), genres_said(said)


# --- a request and its candidates


def test_titles_named_with_their_year_are_liked_and_not_answered(table: Table) -> None:
    request = wish("Something like It (2017) but in space", table)
    assert request.liked.tolist() == [2]
    assert "it" not in ranked("Something like It (2017) but in space", table)
    assert "it-90" in ranked("Something like It (2017) but in space", table)


def test_liked_and_disliked_titles_of_the_query_are_looked_up(table: Table) -> None:
    request = wish("more of that", table, like=("Alien",), unlike=("It (1990)",))
    assert request.liked.tolist() == [0]
    assert request.unliked.tolist() == [3]
    assert not {"alien", "it-90"} & set(ranked("more of that", table, like=("Alien",), unlike=("It (1990)",)))


def test_no_title_comes_from_outside_the_conditions(table: Table) -> None:
    conditions = Conditions(years=Query.model_validate({"years": {"least": 1980, "most": 1995}}).years)
    assert set(ranked("a clown and aliens like It (2017)", table, conditions)) <= {"aliens", "it-90"}


@given(said=st.text(max_size=300))
def test_any_wish_is_ranked_with_numbers(tmp_path_factory, said: str) -> None:
    table = written(TITLES, tmp_path_factory.mktemp("table"))
    request = wish(said, table)
    candidates = Gatherer(Listed(TITLES), table).gather(request)
    assert len(set(candidates.rows.tolist())) == len(candidates.rows)
    assert all(np.isfinite(column).all() for column in features(request, candidates, table).values())
    found = Reranker.load().rank(request, candidates, table)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_the_parts_of_a_score_add_up(table: Table) -> None:
    request = wish("a clown haunts children", table)
    candidates = Gatherer(Listed(TITLES), table).gather(request)
    for each in Reranker.load().rank(request, candidates, table):
        assert sum(each.parts.values()) == pytest.approx(each.score, abs=1e-3)


@given(said=st.sampled_from(["a clown", "I liked Alien (1979), recommend something", "horror of 2017?", ""]))
def test_the_quick_sum_is_that_of_its_columns(tmp_path_factory, said: str) -> None:
    table = written(TITLES, tmp_path_factory.mktemp("table"))
    request, weights = wish(said, table), load_model().quick
    shelf, columns = Gatherer(Listed(TITLES), table).shelf(request)
    slowly = sum(weight * columns[name] for name, weight in weights.items())
    quickly = quick_scores(request, shelf, table, columns["named"], weights)
    np.testing.assert_allclose(quickly, slowly, rtol=1e-4, atol=1e-3)


# --- how often titles are named


def test_a_title_is_counted_once_for_each_wish_that_names_it(table: Table) -> None:
    twice = wish("Alien (1979), I love Alien (1979) and It (2017)", table)
    disliked = read_request("not that", Query(unlike=("Alien",)), table, Hashed())
    nothing = wish("a clown", table)
    counts = names_in([twice, disliked, nothing], table)
    named = Named.of(counts, table)
    times = dict(zip(table.ids_of(np.arange(table.titles)), np.expm1(named.weights).round(), strict=True))
    assert {name: number for name, number in times.items() if number} == {"alien": 2, "it": 1}
    assert named.column(table.rows_of(["it-90", "it", "alien"])).tolist() == pytest.approx(
        [0.0, np.log(2), np.log(3)]
    )


def test_counts_hold_for_another_catalogue(table: Table, tmp_path: Path) -> None:
    counts = names_in([wish("Alien (1979) and It (2017)", table)], table)
    (tmp_path / "other").mkdir()
    others = (Title("7", "Up", year=2009), Title("8", "ALIEN", year=1979), Title("9", "It", year=1990))
    other = written(others, tmp_path / "other")
    assert other.ids_of(np.flatnonzero(Named.of(counts, other).weights)) == ["8"]


def test_nobody_named_is_a_column_of_zeros(table: Table) -> None:
    named = Named.of({}, table)
    assert named.column(np.arange(table.titles)).tolist() == [0.0] * table.titles


def test_the_digest_of_a_name_leads_to_its_rows(table: Table) -> None:
    for row, key in enumerate(table.keys_of(np.arange(table.titles)).tolist()):
        assert row in table.rows_keyed(key)


# --- the model


def test_the_shipped_model_knows_every_column(table: Table) -> None:
    request = wish("a clown", table)
    gatherer = Gatherer(Listed(TITLES), table)
    columns = features(request, gatherer.gather(request), table)
    assert set(load_model().blend) == set(columns)
    assert set(load_model().quick) == set(gatherer.shelf(request)[1])


def test_a_model_is_read_as_it_was_written() -> None:
    named = {"00c0ffee00c0ffee 1979": 3}
    model = Model({"near": 1.5}, {"near": 2.0, "bm25": -0.25}, named, {"made": "today"})
    assert Model.loads(model.dumps()) == model


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"format": 99}), '{"format": 2, "quick": 3}'])
def test_no_model_is_said_to_be_none(text: str) -> None:
    with pytest.raises(FalseworkError, match="ranking model"):
        Model.loads(text)
