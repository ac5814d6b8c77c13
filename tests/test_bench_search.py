"""`falsework bench search`: judged queries, the plain systems, and a small bench from end to end."""

from __future__ import annotations

import gzip
import json
import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.bench.search.memory import Telling, in_a_child
from falsework.bench.search.plain import BM25, Dense, fused
from falsework.bench.search.running import CROSS_VALIDATED, FUSION, SHIPPED, bench_search
from falsework.bench.search.table import HEAD, figures, remarks
from falsework.catalogue.database import Catalogue
from falsework.catalogue.records import Title
from falsework.errors import FalseworkError
from falsework.search.ranking.judged import JudgedQuery, digest, folds, read_queries
from falsework.search.ranking.learning import Choice, fit_weights
from falsework.search.ranking.train import measures

FILMS = 60
THINGS = """
lantern violin glacier orchard submarine piano lighthouse parrot volcano carousel telescope windmill
anchor balloon cathedral diamond elephant feather guitar harbour island jungle kettle library mirror
needle opera pyramid quilt railway saddle tunnel umbrella vineyard waterfall xylophone yacht zebra
almond bridge compass desert engine forest garden hammer igloo jacket knife ladder magnet notebook
oyster pencil quarry rocket spider temple uniform valley
"""
WORDS = tuple(THINGS.split())


def queries_file(path: Path, entries: object) -> Path:
    path.write_text(json.dumps(entries))
    return path


# --- judged queries


def test_ids_may_be_numbers_or_words(tmp_path: Path) -> None:
    path = queries_file(
        tmp_path / "q.json",
        [
            {"qid": 1, "query": "a", "rel": [7, "x"]},
            {"qid": "2", "query": "b", "rel": [8], "src": "anywhere"},
        ],
    )
    assert [query.relevant for query in read_queries(path)] == [{"7", "x"}, {"8"}]


FINE = {"qid": 0, "query": "a", "rel": [1]}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({}, "holds no list of queries"),
        ([], "holds an empty list"),
        ([FINE, {"qid": 1, "query": "a"}], "query 2: has no rel."),
        ([{}], "query 1: has no qid and no query and no rel."),
        ([{**FINE, "rel": []}], "query 1: its rel is empty"),
        ([{**FINE, "query": 5}], "query 1: its query is no text"),
        ([{**FINE, "rel": "12"}], "query 1: its rel is no list"),
        ([{**FINE, "rel": 12}], "query 1: its rel is no list"),
        ([{**FINE, "rel": [None]}], "query 1: its rel holds something"),
        ([{**FINE, "rel": [[1]]}], "query 1: its rel holds something"),
        ([{**FINE, "qid": None}], "query 1: its qid is neither"),
        ([{**FINE, "qid": {}}], "query 1: its qid is neither"),
        ([FINE, 3], "query 2: is no object"),
        ([FINE, {**FINE, "query": "b"}], "two queries with the qid 0"),
    ],
)
def test_a_malformed_file_gets_a_sentence(tmp_path: Path, entries: object, says: str) -> None:
    with pytest.raises(FalseworkError) as told:
        read_queries(queries_file(tmp_path / "q.json", entries))
    assert told.value.sentence().startswith(str(tmp_path / "q.json"))
    assert says in told.value.sentence()


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff[]", b'{"qid": 1}\n{"qid": 2}\n', None])
def test_what_is_no_json_gets_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "q.json").write_bytes(content)
    with pytest.raises(FalseworkError, match=r"q\.json: is not a readable list"):
        read_queries(tmp_path / "q.json")


def test_marks_and_halves_of_characters_are_read(tmp_path: Path) -> None:
    (tmp_path / "q.json").write_bytes(b"\xef\xbb\xbf" + json.dumps([{**FINE, "query": "\ud800"}]).encode())
    (query,) = read_queries(tmp_path / "q.json")
    assert len(query.digest) == 16


def test_a_set_of_queries_is_known_by_its_words() -> None:
    one = [JudgedQuery("1", "A  Film", frozenset("a")), JudgedQuery("2", "b", frozenset("b"))]
    other = [JudgedQuery("9", "b", frozenset("b")), JudgedQuery("8", "a film", frozenset("c"))]
    assert digest(one) == digest(other)
    assert digest(one) != digest(one[:1])


@given(
    st.lists(st.sets(st.integers(0, 30), min_size=1, max_size=3), min_size=1, max_size=40), st.integers(0, 9)
)
def test_no_title_is_in_two_folds(answers: list[set[int]], seed: int) -> None:
    queries = [JudgedQuery(str(at), "", frozenset(map(str, titles))) for at, titles in enumerate(answers)]
    dealt = folds(queries, 5, seed)
    for title in {title for query in queries for title in query.relevant}:
        asking = [at for at, query in enumerate(queries) if title in query.relevant]
        assert len(set(dealt[asking].tolist())) == 1


# --- measures


def test_measures_are_those_of_the_definition() -> None:
    queries = [JudgedQuery("1", "", frozenset("ab")), JudgedQuery("2", "", frozenset("c"))]
    found = measures(queries, [["x", "a", "y", "b"], []])
    gain = (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3))
    assert found["recall@10"] == pytest.approx(0.5)
    assert found["MRR"] == pytest.approx(0.25)
    assert found["nDCG@10"] == pytest.approx(gain / 2)


def test_no_answer_at_all_counts_as_zero() -> None:
    queries = [JudgedQuery("1", "", frozenset("a"))]
    assert measures(queries, [[]]) == {"recall@10": 0, "MRR": 0, "nDCG@10": 0}


# --- the plain systems


def test_bm25_is_the_formula() -> None:
    texts = ["shark shark town", "town hall", "clown"]
    scores = dict(zip(["0", "1"], BM25(texts).ranked("shark town").tolist(), strict=False))
    assert list(scores.values()) == [0, 1]
    idf = math.log(1 + (3 - 1 + 0.5) / 1.5)
    held_back = 1.2 * (0.25 + 0.75 * 3 / 2)
    rows, weights = BM25(texts)._postings["shark"]
    assert rows.tolist() == [0]
    assert weights[0] == pytest.approx(idf * 2 * 2.2 / (2 + held_back))


def test_fusion_is_by_reciprocal_rank() -> None:
    assert fused([np.array([1, 2]), np.array([2, 3])]) == [2, 1, 3]
    assert Dense(np.eye(3, dtype=np.float32)).ranked(np.array([0, 1, 0.5], np.float32)).tolist() == [1, 2, 0]


# --- learning


def test_weights_find_what_answers_are_chosen_by() -> None:
    draws = np.random.default_rng(0)
    choices = []
    for _ in range(200):
        columns = draws.normal(size=(30, 3)).astype(np.float32)
        utility = columns @ np.array([2.0, -1.0, 0.0]) + draws.gumbel(size=30)
        choices.append(Choice(columns, np.arange(30) == utility.argmax()))
    assert fit_weights(choices, 1.0) == pytest.approx([2, -1, 0], abs=0.3)
    assert np.abs(fit_weights(choices, 1e6)).max() < 0.01


def counting(most: int, telling: Telling) -> int:
    for done in range(most):
        telling("count", done + 1, most)
    return most


def filling(size: int) -> int:
    return len(b"x" * size)


def dying() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_child_says_how_far_it_is_and_raises_here() -> None:
    said: list[tuple[str, int, int]] = []
    assert in_a_child(counting, 500, telling=lambda *each: said.append(each))[0] == 500
    assert said[-1] == ("count", 500, 500)
    with pytest.raises(TypeError):
        in_a_child(len, 5)
    with pytest.raises(FalseworkError, match="ended from outside"):
        in_a_child(dying)


def test_memory_is_measured_in_the_child_alone() -> None:
    _, small = in_a_child(len, "four")
    _, large = in_a_child(filling, 300_000_000)
    assert 250_000_000 < large - small < 700_000_000


# --- from end to end


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("bench")
    films = [
        {
            "id": at,
            "title": f"Film {at}",
            "year": 1980 + at % 40,
            "genres": ["Horror" if at % 2 else "Comedy"],
            "cast": [f"Player {at % 7}"],
            "extract": f"A story of the {word} and the people who found it. They live in town number {at}.",
        }
        for at, word in enumerate(WORDS)
    ]
    with gzip.open(folder / "films.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(film) + "\n" for film in films)
    asked = [{"qid": at, "query": f"the one where they find a {WORDS[at]}", "rel": [at]} for at in range(12)]
    return folder / "films.jsonl.gz", queries_file(folder / "asked.json", asked)


class Hearing:
    """Remembers what it was told last of each stage."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[int, int]] = {}
        self.stages: list[str] = []

    def progress(self, stage: str, done: int, total: int) -> None:
        self.told[stage] = done, total

    def finished(self, stage: str, seconds: float, reused: bool) -> None:
        self.stages.append(stage)


def test_a_catalogue_nobody_has_seen_is_measured(small, memory: Path) -> None:
    listener = Hearing()
    bench = bench_search(*small[:1], [small[1]], index=memory / "index", listener=listener)
    assert listener.stages == ["import", "index", "search", "plain"]
    assert listener.told.keys() == set(listener.stages)
    assert all(done == total > 0 for done, total in listener.told.values())
    systems = {row.system: row for row in bench.rows}
    assert CROSS_VALIDATED not in systems
    assert systems[SHIPPED].trained == 0
    assert systems[SHIPPED].queries == 12
    assert systems[FUSION].measures["recall@10"] > 0.8
    assert systems[SHIPPED].measures["recall@10"] > 0.8
    assert bench.indexing.titles == FILMS
    assert 0 < bench.serving.p50_ms <= bench.serving.p95_ms <= bench.serving.p99_ms
    assert all(len(row) == len(HEAD) for row in figures(bench))
    assert any("p95" in line for line in remarks(bench))
    assert bench.absent == {"asked": 0}
    assert bench.indexing.encoded > FILMS
    json.dumps(bench.to_json())


def test_a_folder_remembers_its_catalogue(small, memory: Path) -> None:
    """A bench over other titles leaves nothing of the first ones to be found, and keeps the vectors."""
    folder, other = memory / "index", memory / "other.jsonl"
    first = bench_search(small[0], [small[1]], index=folder)
    again = bench_search(small[0], [small[1]], index=folder)
    assert (again.indexing.titles, again.indexing.encoded) == (first.indexing.titles, 0)
    lines = gzip.decompress(small[0].read_bytes()).splitlines()
    other.write_bytes(b"\n".join(lines[5:40]))
    bench = bench_search(other, [small[1]], index=folder)
    assert (bench.indexing.titles, bench.indexing.encoded) == (35, 0)
    assert bench.absent == {"asked": 5}
    assert any("asked: 5 of the answers are no titles" in line for line in remarks(bench))
    with Catalogue.open(folder / "catalogue.db") as catalogue:
        assert catalogue.title("3") is None


def test_a_catalogue_that_no_bench_has_made_is_left_alone(small, tmp_path: Path) -> None:
    with Catalogue.open(tmp_path / "catalogue.db") as catalogue:
        catalogue.upsert([Title("mine", "Mine")])
    with pytest.raises(FalseworkError, match="no bench has made"):
        bench_search(small[0], [small[1]], index=tmp_path)
    with Catalogue.open(tmp_path / "catalogue.db") as catalogue:
        assert catalogue.count() == 1


def test_queries_that_were_trained_on_are_said_to_be(small, tmp_path: Path, monkeypatch) -> None:
    from falsework.bench.search import running
    from falsework.search.ranking.model import Model, load_model

    shipped = load_model()
    card = {**shipped.card, "query digests": [query.digest for query in read_queries(small[1])[:10]]}
    monkeypatch.setattr(
        running, "load_model", lambda: Model(shipped.quick, shipped.blend, shipped.named, card)
    )
    bench = bench_search(small[0], [small[1]], number=3)
    systems = {row.system: row for row in bench.rows}
    assert systems[SHIPPED].trained == 10
    assert systems[CROSS_VALIDATED].queries == 12
    assert "trained on 10" in " ".join(" ".join(row) for row in figures(bench))
    assert "cross-validated" in remarks(bench)[0]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.jsonl", b'{"colour": "red"}\n', "hold the id"),
        ("none.jsonl", b'{"id": 1, "title": ""}\n', "holds no title that could be read"),
        ("none.jsonl", b"", "no JSON objects"),
        ("none.jsonl.gz", b"no archive", "cannot be read"),
        ("none.parquet", b"PAR1", "no Parquet"),
        ("none.txt", b"id\n1\n", "does not say what it is"),
        ("none.jsonl", None, "no such file"),
    ],
)
def test_an_unreadable_catalogue_gets_a_sentence(
    small, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FalseworkError, match=rf"none.*{says}"):
        bench_search(tmp_path / name, [small[1]])
