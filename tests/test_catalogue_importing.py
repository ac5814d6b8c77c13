"""Files into the catalogue: real ones, their scenes, and what comes out of it and in again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogue_files import file_of, lines_of, refusals
from falsework.catalogue.database import Catalogue
from falsework.catalogue.exporting import export
from falsework.catalogue.importing import import_file, import_scenes
from falsework.catalogue.records import Availability, Credit, Episode, Scene, Season, Title
from falsework.errors import FalseworkError


def test_the_streaming_catalogue(catalogue: Catalogue, shared: Path) -> None:
    file = shared / "search" / "netflix_titles.csv"
    done = import_file(catalogue, file)
    assert (done.rows, done.added, done.refused, done.encoding) == (8807, 8807, (), "cp1252")
    series = catalogue.title("s2")
    assert series is not None
    assert (series.title, series.kind, series.year, series.rating) == (
        "Blood & Water",
        "series",
        2021,
        "TV-MA",
    )
    assert series.countries == ("ZA",)
    assert series.availability == (Availability("worldwide", datetime(2021, 9, 24, tzinfo=UTC)),)
    assert [one.number for one in catalogue.seasons("s2")] == [1, 2]
    film = catalogue.title("s1")
    assert film is not None
    assert (film.runtime, film.kind, film.credits) == (90, "film", (Credit("Kirsten Johnson", "director"),))
    # Three running times stand in the column of ratings.
    slipped = catalogue.title("s5542")
    assert slipped is not None
    assert (slipped.rating, slipped.runtime) == ("", 74)
    assert sum(done.notes.values()) == 3
    before = catalogue.revision
    again = import_file(catalogue, file)
    assert again.before
    assert catalogue.revision == before
    catalogue.upsert([Title("s5", "Changed")])
    again = import_file(catalogue, file)
    assert (again.added, again.changed, again.unchanged) == (0, 1, 8806)


def test_the_films_of_an_encyclopaedia(catalogue: Catalogue, shared: Path) -> None:
    file = shared / "search" / "wiki_films.jsonl.gz"
    done = import_file(catalogue, file)
    assert (done.rows, done.added, done.refused) == (34375, 34375, ())
    film = catalogue.title("5")
    assert film is not None
    assert (film.title, film.year, film.genres) == ("Sherlock Holmes Baffled", 1900, ("Short", "Silent"))
    assert film.synopsis.startswith("Sherlock Holmes Baffled is an American short silent film")


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "csv", "parquet"])
def test_what_was_exported_is_imported_as_it_was(catalogue: Catalogue, tmp_path: Path, form: str) -> None:
    full = Title(
        "tt:1", "Ärger, \"東京\"; |'", "series", "Original", 1999, "Text\nof two, lines",
        ("Drama", "My, own|word"),
        ("dark",), (Credit("A, B", "director"), Credit("None", "cast", "Bea"), Credit("A")),
        ("NA", "SU"), ("no",),
        "TV-MA", 42, 0.1 + 0.2,
        (Availability("FR", datetime(2026, 1, 2, 3, 4, 5, 678, UTC), None), Availability()),
    )  # fmt: skip
    catalogue.upsert(
        [full, Title("0", "None"), Title("02", "1984", rating="FSK 6"), Title("x", "nan", synopsis="N/A?")]
    )
    seasons = (Season("s", "tt:1", 1, "First", 1999), Season("tt:1/season-2", "tt:1", 2))
    episodes = (Episode("e", "s", 1, "Pilot", "It begins.", 41), Episode("f", "s", 2))
    scenes = (
        Scene("c", "tt:1", 1, "", 0.5, 12.25, "Dust", ("dark",), ("building collapse",)),
        Scene("d", "tt:1", 1, "e"),
    )
    with catalogue.writing() as writer:
        writer.seasons(seasons)
        writer.episodes(episodes)
        writer.scenes(scenes)
    file = tmp_path / f"out.{form}"
    assert export(catalogue, file) == 4
    with Catalogue.open(tmp_path / "second.db") as second:
        done = import_file(second, file)
        assert (done.added, done.refused, done.notes) == (4, (), {})
        assert list(second.every()) == list(catalogue.every())
        if form.startswith("jsonl"):
            assert second.parts("tt:1") == catalogue.parts("tt:1")
            assert export(second, tmp_path / f"again.{form}") == 4
            assert (tmp_path / f"again.{form}").read_bytes() == file.read_bytes()
        assert [one.number for one in second.seasons("tt:1")] == [1, 2]
    revision = catalogue.revision
    assert import_file(catalogue, file).unchanged == 4
    assert catalogue.revision == revision


def test_an_export_has_a_name_that_says_its_form(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="in what form"):
        export(catalogue, tmp_path / "out.txt")
    assert export(catalogue, tmp_path / "empty.jsonl") == 0
    assert (tmp_path / "empty.jsonl").read_bytes() == b""


def test_a_row_whose_parts_have_ids_of_another_title_is_refused_whole(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    rows = [{"id": id_, "title": "T", "seasons": [{"id": "same", "number": 1}]} for id_ in ("a", "b", "c")]
    rows[2]["seasons"] = [{"number": 1, "episodes": [{"number": 1, "name": "Pilot"}]}]
    done = import_file(catalogue, file_of(tmp_path, lines_of(*rows), "t.jsonl"))
    assert refusals(done) == {2: "an id in it is another title's"}
    assert (done.added, done.changed, done.unchanged) == (2, 0, 0)
    assert [one.id for one in catalogue.every()] == ["a", "c"]
    assert [one.id for one in catalogue.parts("c").episodes] == ["c/season-1/episode-1"]


def test_scenes(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.upsert([Title("a", "A"), Title("b", "B")])
    content = """\
title_id,id,number,starts,ends,moods,events,description
a,one,1,0,0:01:30,dark|scary,building collapse;chase,Dust
a,,2,90,,,,
nobody,x,1,0,1,,,
a,y,1,5,4,,,
b,one,1,0,1,,,
a,z,first,0,1,,,
,w,1,0,1,,,
"""
    done = import_scenes(catalogue, file_of(tmp_path, content))
    assert catalogue.scenes("a") == (
        Scene("one", "a", 1, "", 0.0, 90.0, "Dust", ("dark", "scary"), ("building collapse", "chase")),
        Scene("a/scene-2", "a", 2, "", 90.0),
    )
    assert refusals(done) == {
        4: 'there is no title "nobody" in the catalogue',
        5: "the scene ends before it starts",
        6: "line 2 has the same id",
        7: 'the number of a scene "first" is none',
        8: "it has no title_id",
    }
    assert (done.added, done.changed) == (2, 0)
    changed = import_scenes(
        catalogue,
        file_of(
            tmp_path,
            lines_of({"title_id": "a", "id": "one", "number": 1}, {"title_id": "b", "id": "a/scene-2"}),
            "s.jsonl",
        ),
    )
    assert (changed.added, changed.changed) == (0, 1)
    assert refusals(changed) == {2: '"a/scene-2" is a scene of another title'}
    assert catalogue.scenes("a")[0] == Scene("one", "a", 1)
    with pytest.raises(FalseworkError, match="no column title_id"):
        import_scenes(catalogue, file_of(tmp_path, "id,number\n1,1\n", "none.csv"))
