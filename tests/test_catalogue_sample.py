"""The sample catalogue: whole, in the vocabularies' words, and in words of its own."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from falsework.catalogue.codes import country_code, language_code
from falsework.catalogue.database import Catalogue
from falsework.catalogue.ratings import fit_for_children, least_age
from falsework.catalogue.sample import fill, sample_scenes
from falsework.catalogue.vocabularies import GENRES, MOODS

SHARED_WORDS = 8  # in a row: what two people write about the same film can have fewer in common
KEYS = {
    "id", "title", "original_title", "kind", "year", "synopsis", "genres", "moods", "cast", "directors",
    "countries", "languages", "rating", "runtime", "seasons",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    text = (files("falsework.catalogue.sample") / "titles.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_titles_are_whole(rows: list[dict[str, Any]]) -> None:
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert Counter(row["kind"] for row in rows).keys() == {"film", "series"}
    for row in rows:
        assert row.keys() <= KEYS, row["id"]
        assert re.fullmatch(rf"[a-z0-9-]+-{row['year']}", row["id"])
        assert 1940 <= row["year"] <= 2026
        assert row["title"] == row["title"].strip() != ""
        assert least_age(row["rating"]) is not None, row["id"]
        assert ("runtime" in row, "seasons" in row) == (row["kind"] == "film", row["kind"] == "series")
        assert 1 <= row.get("runtime", row.get("seasons")) <= 240
        assert not re.search("[\ufffd?]", " ".join(row.get("cast", []) + row.get("directors", [])))


def test_words_are_those_of_the_vocabularies(rows: list[dict[str, Any]]) -> None:
    genres, moods = {term.name for term in GENRES}, {term.name for term in MOODS}
    for row in rows:
        assert row["genres"], row["id"]
        assert row["moods"], row["id"]
        assert set(row["genres"]) <= genres, row["id"]
        assert set(row["moods"]) <= moods, row["id"]
        assert row["countries"], row["id"]
        assert all(country_code(code) == code for code in row["countries"]), row["id"]
        assert all(language_code(code) == code for code in row["languages"]), row["id"]


def test_synopses_are_short_paragraphs(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert 40 <= len(row["synopsis"].split()) <= 80, row["id"]
        assert 2 <= len(re.findall(r"[.!?][”\"]?(?= |$)", row["synopsis"])) <= 5, row["id"]
    openings = Counter(" ".join(row["synopsis"].split()[:6]) for row in rows)
    assert openings.most_common(1)[0][1] == 1


def test_it_is_broad_enough_to_search(rows: list[dict[str, Any]]) -> None:
    assert {row["year"] // 10 * 10 for row in rows} == set(range(1940, 2030, 10))
    languages = Counter(code for row in rows for code in row["languages"])
    assert all(languages[code] >= 8 for code in ("es", "fr", "ko", "ja", "hi", "de"))
    genres = Counter(genre for row in rows for genre in row["genres"])
    for name in ("Horror", "Comedy", "Romance", "War", "Western", "Documentary", "Animation", "Family"):
        assert genres[name] >= 5, name
    for_children = [row for row in rows if fit_for_children(row["rating"])]
    assert len(for_children) >= 50
    frightening = {"scary", "chilling"}
    assert any({"Horror", "Comedy"} <= set(row["genres"]) and frightening & set(row["moods"])
               and row.get("runtime", 999) < 120 for row in rows)  # fmt: skip
    assert any(row["languages"] == ["es"] and "Comedy" in row["genres"] and row.get("runtime", 999) < 100
               for row in rows)  # fmt: skip


def test_a_catalogue_is_filled_with_it(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    with Catalogue.open(tmp_path / "catalogue.db") as catalogue:
        assert fill(catalogue) == len(rows) == catalogue.count()
        revision = catalogue.revision
        assert fill(catalogue) == catalogue.count()
        assert set(catalogue.changed_since(revision)) <= {scene.title_id for scene in sample_scenes()}
        for row, title in zip(rows, catalogue.every(), strict=True):
            assert (title.id, title.title, title.kind, title.year) == tuple(
                row[key] for key in ("id", "title", "kind", "year")
            )
            assert title.synopsis == row["synopsis"]
            assert title.genres == tuple(row["genres"])
            assert title.moods == tuple(row["moods"])
            assert title.runtime == row.get("runtime")
            assert [credit.name for credit in title.credits if credit.role == "cast"] == row.get("cast", [])
            assert len(catalogue.seasons(title.id)) == row.get("seasons", 0)
        scene = catalogue.scene_at("the-lyon-corner-2026", 4720.0)
        assert scene is not None
        assert scene.events == ("building collapse",)


def test_scenes_belong_to_titles(rows: list[dict[str, Any]]) -> None:
    scenes = list(sample_scenes())
    moods = {term.name for term in MOODS}
    assert len({scene.id for scene in scenes}) == len(scenes)
    assert {scene.title_id for scene in scenes} <= {row["id"] for row in rows}
    assert sum("building collapse" in scene.events for scene in scenes) >= 2
    for scene in scenes:
        assert set(scene.moods) <= moods
        assert (scene.starts is None) == (scene.ends is None)
        assert scene.starts is None or scene.starts < scene.ends


def test_no_synopsis_repeats_a_source(rows: list[dict[str, Any]], shared: Path) -> None:
    folder = shared / "search"
    if not folder.is_dir():
        pytest.skip("the test material beside the checkout has no catalogues")
    ours = {run: row["id"] for row in rows for run in _runs(row["synopsis"])}
    texts = 0
    for text in _sources(folder):
        texts += 1
        found = {ours[run] for run in _runs(text) if run in ours}
        assert not found, text
    assert texts > 10_000


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = re.findall(r"[\w']+", text.lower())
    return (tuple(words[at : at + SHARED_WORDS]) for at in range(len(words) - SHARED_WORDS + 1))


def _sources(folder: Path) -> Iterator[str]:
    with gzip.open(folder / "wiki_films.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from (json.loads(line)["extract"] for line in lines)
    with (folder / "netflix_titles.csv").open(encoding="cp1252", errors="replace", newline="") as lines:
        yield from (row["description"] for row in csv.DictReader(lines))
