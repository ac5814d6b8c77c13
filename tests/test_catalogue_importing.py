"""Files into the catalogue: what is read, what is refused and why, and imports that were killed."""

from __future__ import annotations

import csv
import gzip
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from falsework.catalogue import importing, sources
from falsework.catalogue.database import Catalogue
from falsework.catalogue.exporting import export
from falsework.catalogue.importing import Imported, import_file, import_scenes
from falsework.catalogue.mapping import guessed, load_mapping
from falsework.catalogue.records import Availability, Credit, Episode, Scene, Season, Title
from falsework.errors import FalseworkError

AT_WORK = Path(__file__).parent / "catalogue_at_work.py"


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path / "catalogue.db") as opened:
        yield opened


def file_of(folder: Path, content: str | bytes, name: str = "titles.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines_of(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def refusals(done: Imported) -> dict[int, str]:
    return {one.line: one.reason for one in done.refused}


# Real catalogues


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


def test_the_films_of_an_encyclopaedia(catalogue: Catalogue, shared: Path) -> None:
    file = shared / "search" / "wiki_films.jsonl.gz"
    done = import_file(catalogue, file)
    assert (done.rows, done.added, done.refused) == (34375, 34375, ())
    film = catalogue.title("5")
    assert film is not None
    assert (film.title, film.year, film.genres) == ("Sherlock Holmes Baffled", 1900, ("Short", "Silent"))
    assert film.synopsis.startswith("Sherlock Holmes Baffled is an American short silent film")
    catalogue.upsert([Title("5", "Changed")])
    again = import_file(catalogue, file)
    assert (again.added, again.changed, again.unchanged) == (0, 1, 34374)


# What is refused, and what not


def test_bad_rows_cost_no_others(catalogue: Catalogue, tmp_path: Path) -> None:
    content = """\
id,title,year,runtime,kind
1,Good,2000,90,film
2,,2001,90,film
,No id,2001,90,film
3,"Never closed,2001,90,film
4,"Fine, with a comma
and a line",1999,1h 40m,Movie
1,Again,1999,100,film
5,Late,soon,100,film
6,Short

,,,,
7,Long,2000,90,film,more
8,A game,2000,90,video game
9,Endless,2000,-3,film
10,Last,2002,,
"""
    done = import_file(catalogue, file_of(tmp_path, content))
    assert [one.id for one in catalogue.every()] == ["1", "10", "4"]
    assert refusals(done).keys() == {3, 4, 5, 8, 9, 10, 13, 14, 15}
    said = refusals(done)
    assert (said[3], said[4]) == ("it has no title", "it has no id")
    assert "quotation mark" in said[5]
    assert said[8] == "line 2 has the same id"
    assert 'year "soon"' in said[9]
    assert said[10] == "it has 2 fields where the header has 5"
    assert said[13] == "it has 6 fields where the header has 5"
    assert "neither a film nor a series" in said[14]
    assert 'running time "-3"' in said[15]
    assert (done.rows, done.added) == (12, 3)
    four = catalogue.title("4")
    assert four is not None
    assert (four.title, four.runtime) == ("Fine, with a comma and a line", 100)


def test_a_quotation_mark_that_is_open_at_the_end_takes_one_row(catalogue: Catalogue, tmp_path: Path) -> None:
    done = import_file(catalogue, file_of(tmp_path, 'id,title\n1,A\n2,"B\n3,C\n4,D\n'))
    assert refusals(done) == {3: "a quotation mark is never closed"}
    assert [one.id for one in catalogue.every()] == ["1", "3", "4"]


def test_huge_fields_are_refused_and_the_next_row_is_read(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LONGEST_RECORD", 300_000)
    fine, huge = "word " * 40_000, "word " * 80_000
    rows = [
        {"id": number, "title": "T", "synopsis": text} for number, text in enumerate((fine, huge, "short"))
    ]
    done = import_file(catalogue, file_of(tmp_path, lines_of(*rows), "titles.jsonl"))
    assert refusals(done) == {2: "it is longer than 300,000 characters"}
    assert [len(one.synopsis) for one in catalogue.every()] == [len(fine) - 1, 5]
    done = import_file(
        catalogue, file_of(tmp_path, f'id,title,synopsis\n7,"T","{huge}"\n8,T,"\n\n{huge}"\n9,T,\n')
    )
    assert refusals(done).keys() >= {2, 3}
    assert catalogue.title("9") is not None


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", "é"),
        ("utf-8-sig", "é"),
        ("utf-16", "é"),
        ("cp1252", "é’"),
        ("utf-8", "ascii"),
        ("utf-8-sig", "東京"),
    ],
)
def test_encodings(catalogue: Catalogue, tmp_path: Path, encoding: str, content: str) -> None:
    text = f"id,title\r\n1,{content}\r\n2,{content} {content}\r\n"
    import_file(catalogue, file_of(tmp_path, text.encode(encoding)))
    assert [one.title for one in catalogue.every()] == [content, f"{content} {content}"]


def test_one_damaged_row_does_not_make_another_encoding_of_it_all(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    done = import_file(
        catalogue, file_of(tmp_path, "id,title\n1,é\n2,ü\n3,".encode() + b"\xff\xfe\n4,plain\n")
    )
    assert refusals(done) == {4: "the title holds bytes that are no characters"}
    assert [one.title for one in catalogue.every()] == ["é", "ü", "plain"]


def test_control_characters_and_overrides_of_direction(catalogue: Catalogue, tmp_path: Path) -> None:
    rows = [
        {"id": "1", "title": "A\0B\x1b[31m\tC\u202e", "synopsis": "one\r\ntwo\x07\u2066", "cast": ["A\nB"]},
        {"id": "2\0", "title": "T"},
        {"id": "3", "title": "\ud800"},
        {"id": "4", "title": "\u200f\u05d0"},
        {"id": "5", "title": " \x00 "},
    ]
    done = import_file(catalogue, file_of(tmp_path, lines_of(*rows), "t.jsonl"))
    assert refusals(done).keys() == {2, 3, 5}
    first = catalogue.title("1")
    assert first is not None
    assert (first.title, first.synopsis, first.credits) == ("A B [31m C", "one\ntwo", (Credit("A B"),))
    assert catalogue.title("4") == Title("4", "\u200f\u05d0")


def test_a_refusal_quotes_nothing_that_cannot_be_written_or_steers(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    fields = ("id", "kind", "year", "runtime", "popularity", "available_from", "cast", "synopsis")
    rows = [{"id": str(at), "title": "T", field: "\ud800\x1b[2J\u202e"} for at, field in enumerate(fields)]
    done = import_file(catalogue, file_of(tmp_path, lines_of(*rows, {"id": "x", "title": "T"}), "t.jsonl"))
    assert refusals(done).keys() == set(range(1, len(rows) + 1))
    assert refusals(done)[3] == 'the year "\\ud800\\u001b[2J\\u202e" is no year'
    assert all(reason.isprintable() for reason in refusals(done).values())
    assert catalogue.count() == 1
    again = import_file(catalogue, tmp_path / "t.jsonl")  # what was refused is remembered as it was said
    assert refusals(again) == refusals(done)


def test_any_json_line_is_a_title_or_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    lines = [
        "null", "[]", "3", '"text"', "{", "[" * 100_000, '{"id": 1}', '{"title": "T"}',
        '{"id": true, "title": "T"}',
        '{"id": {"a": 1}, "title": "T"}', '{"id": 2, "title": ["T"]}',
        '{"id": 3, "title": "T", "year": 1e400}',
        '{"id": 4, "title": "T", "cast": {"a": "b"}}', '{"id": 5, "title": "T", "cast": [{"x": 1}]}',
        '{"id": 6, "title": "T", "cast": [[["deep"]]]}', '{"id": 7, "title": "T", "popularity": NaN}',
        '{"id": 8, "title": "T", "popularity": -1}', '{"id": 9, "title": "T", "availability": ["x"]}',
        '{"id": 10, "title": "T", "seasons": [1]}', '{"id": 11, "title": "T", "scenes": [{"number": -1}]}',
        '{"id": 12, "title": "T", "runtime": ' + "9" * 5000 + "}", '{"id": 13, "title": "T", "genres": 5}',
    ]  # fmt: skip
    # Of what has no columns there is nothing to guess from, so the last row brings them.
    lines.append(
        '{"id": "good", "title": "Good", "year": 2000, "cast": [], "availability": [], "seasons": []}'
    )
    done = import_file(catalogue, file_of(tmp_path, "\n".join(lines), "t.jsonl"))
    there = {one.id for one in catalogue.every()}
    assert there == {"7", "13", "good"}, "what is not known is unknown, and no reason to refuse"
    assert len(done.refused) == len(lines) - len(there)
    assert all(one.reason for one in done.refused)


def test_a_broken_archive_is_told_and_what_came_before_is_kept(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 10)
    chance = random.Random(3)
    rows = [{"id": number, "title": str(chance.random())} for number in range(20_000)]
    whole = gzip.compress(lines_of(*rows).encode())
    for name, content in (("cut.jsonl.gz", whole[: len(whole) // 2]), ("not.jsonl.gz", b"no archive")):
        with pytest.raises(FalseworkError, match="cannot be read") as caught:
            import_file(catalogue, file_of(tmp_path, content, name))
        assert caught.value.todo


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.xlsx", "x", "does not say what it is"),
        ("t.csv", "", "no header"),
        ("t.csv", "id,title,title\n1,a,b\n", "two columns"),
        ("t.csv", "name,year\nA,2000\n", "hold the id"),
        ("t.jsonl", "[\n]\n", "no JSON objects"),
        ("t.parquet", "PAR1", "no Parquet"),
        ("absent.csv", None, "no such file"),
    ],
)
def test_files_that_cannot_be_read_at_all(
    catalogue: Catalogue, tmp_path: Path, name: str, content: str | None, says: str
) -> None:
    path = file_of(tmp_path, content, name) if content is not None else tmp_path / name
    with pytest.raises(FalseworkError, match=says):
        import_file(catalogue, path)
    assert catalogue.count() == 0


# Mappings


def test_a_mapping(catalogue: Catalogue, tmp_path: Path) -> None:
    mapping = file_of(
        tmp_path,
        """\
        prefix = "acme-"
        dates = "%d/%m/%Y"
        [fields]
        id = "nr"
        title = ["english", "german"]
        cast = { column = "mit", split = " & " }
        genres = { column = "art", split = "/", words = { L = "Comedy", T = "Thriller" } }
        kind = { column = "form", words = { F = "film", S = "series" } }
        countries = "land"
        runtime = "dauer"
        available_from = "ab"
        available_until = "bis"
        territories = "wo"
        [constants]
        languages = "German"
        rating = "FSK 12"
        """,
        "m.toml",
    )
    content = (
        "nr;english;german;mit;art;form;land;dauer;ab;bis;wo\n"
        "1;;Der Titel;Anna A., Jr. & Bert B;L/T;F;West Germany, Österreich, Atlantis;95';02/01/2026;"
        "31/01/2026;DE|AT\n"
        "2;Title;;;X;S;;2 Staffeln;;;\n"
    )
    done = import_file(catalogue, file_of(tmp_path, content), load_mapping(mapping))
    start, end = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert list(catalogue.every()) == [
        Title(
            "acme-1", "Der Titel", genres=("Comedy", "Thriller"),
            credits=(Credit("Anna A., Jr."), Credit("Bert B")),
            countries=("DE", "AT"), languages=("de",), rating="FSK 12", runtime=95,
            availability=(Availability("DE", start, end), Availability("AT", start, end)),
        ),
        Title("acme-2", "Title", "series", genres=("X",), languages=("de",), rating="FSK 12"),
    ]  # fmt: skip
    assert len(catalogue.seasons("acme-2")) == 2
    assert done.notes == {'the country "Atlantis" is not known': 1}


def test_until_the_end_of_the_calendar_is_for_ever(catalogue: Catalogue, tmp_path: Path) -> None:
    content = (
        "id,title,available_until\n"
        "day,A,9999-12-31\n"
        "moment,B,9999-12-31T23:59:59-05:00\n"
        "before all,C,0001-01-01T00:00:00+14:00\n"
    )
    done = import_file(catalogue, file_of(tmp_path, content))
    ends = [window.ends for one in catalogue.every() for window in one.availability]
    assert ends == [datetime(9999, 12, 31, tzinfo=UTC)] * 2
    assert [(one.id, one.line) for one in done.refused] == [("before all", 4)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[fields]\nid = 'a'\n", "holds the title"),
        ("[fields]\nid = 'nr'\ntitle = 'nowhere'\n", 'no column "nowhere"'),
        ("[fields]\nid = 'a'\ntitle = 't'\nyaer = 'y'\n", "yaer"),
        ("[fields\n", "TOML"),
        ("[fields]\nid = ''\ntitle = 't'\n", "id"),
    ],
)
def test_mappings_that_cannot_be_used(catalogue: Catalogue, tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(FalseworkError, match=says):
        import_file(
            catalogue, file_of(tmp_path, "nr,name\n1,A\n"), load_mapping(file_of(tmp_path, content, "m.toml"))
        )


def test_kind_and_columns_that_are_guessed(catalogue: Catalogue, tmp_path: Path) -> None:
    mapping = guessed(
        ["ShowID", "Primary Title", "Extract", "description", "Runtime (minutes)", "number_of_seasons"]
    )
    assert mapping.fields["id"].column == ("ShowID",)
    assert mapping.fields["title"].column == ("Primary Title",)
    assert mapping.fields["synopsis"].column == ("description", "Extract")
    content = "tconst,name,overview,extract\n1,A,,From the second\n"
    import_file(catalogue, file_of(tmp_path, content), kind="series")
    assert catalogue.title("1") == Title("1", "A", "series", synopsis="From the second")


def test_lists_as_other_programs_write_them(catalogue: Catalogue, tmp_path: Path) -> None:
    genres = [
        "Drama, Crime",
        "['Drama', 'Crime']",
        '[{"id": 18, "name": "Drama"}, {"name": "Crime"}]',
        "Drama|Crime",
    ]
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["id", "title", "genres"], *([i, "T", each] for i, each in enumerate(genres))]
        )
    import_file(catalogue, path)
    assert {one.genres for one in catalogue.every()} == {("Drama", "Crime")}


# Again, and after a kill


def test_a_dry_run_counts_and_writes_nothing(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.upsert([Title("1", "A"), Title("2", "B")])
    file = file_of(tmp_path, "id,title\n1,A\n2,Changed\n3,New\n3,Again\n")
    told = import_file(catalogue, file, dry_run=True)
    assert (told.added, told.changed, told.unchanged, len(told.refused)) == (1, 1, 1, 1)
    assert catalogue.revision == 1
    done = import_file(catalogue, file)
    assert (done.added, done.changed, done.unchanged, done.refused) == (1, 1, 1, told.refused)


def test_an_import_goes_on_where_it_stopped(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 10)
    rows = ["id,title,year"] + [
        f"{number},T{number},{'x' if number % 7 == 0 else 2000}" for number in range(100)
    ]
    rows += ["5,Again,2000", "7,Now with a year,2000"]
    file = file_of(tmp_path, "\n".join(rows))

    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > 50:
            raise StoppedError

    with pytest.raises(StoppedError):
        import_file(catalogue, file, progress=stop)
    part = catalogue.count()
    assert 0 < part < 86
    done = import_file(catalogue, file)
    assert done.went_on == 51
    assert (done.rows, done.added, len(done.refused)) == (102, 86, 16)
    assert refusals(done)[102] == "line 7 has the same id"
    seven = catalogue.title("7")
    assert seven is not None
    assert seven.title == "Now with a year"
    assert list(refusals(done)) == [*range(2, 102, 7), 102]
    assert import_file(catalogue, file).refused == done.refused


def test_an_import_begins_again_where_others_have_written_since(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 10)
    file = file_of(tmp_path, "id,title\n" + "".join(f"{number},T{number}\n" for number in range(30)))

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(catalogue, file, progress=stop)
    catalogue.remove(["3"])
    catalogue.upsert([Title("4", "Another")])
    done = import_file(catalogue, file)
    assert (done.went_on, done.rows, done.added, done.changed) == (0, 30, 21, 1)
    assert {one.title for one in catalogue.every()} == {f"T{number}" for number in range(30)}


def test_sigkill_in_the_middle_of_an_import(tmp_path: Path) -> None:
    count = 3000
    file = file_of(
        tmp_path,
        lines_of(*({"id": n, "title": f"T{n}", "cast": ["A", f"B{n}"]} for n in range(count))),
        "t.jsonl",
    )
    with Catalogue.open(tmp_path / "whole.db") as catalogue:
        import_file(catalogue, file)
        whole = list(catalogue.every())
    url = tmp_path / "killed.db"
    chance = random.Random(5)
    before, kills = 0, 0
    while True:
        process = subprocess.Popen(
            [sys.executable, str(AT_WORK), "import", str(url), str(file), "20"], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.read(1)  # it is at work
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        said = process.stdout.read()
        ended = process.wait(30) == 0
        with Catalogue.open(url) as catalogue:
            there = catalogue.count()
        assert there % 20 == 0, "a chunk is in the catalogue whole or not at all"
        assert there >= min(before + 20 * len(said), count), "what was told as done is there"
        kills += not ended
        before = there
        if ended or there == count:
            break
    assert kills > 1
    with Catalogue.open(url) as catalogue:
        revision = catalogue.revision
        assert revision == count // 20, "no chunk was done twice"
        done = import_file(catalogue, file)
        assert (done.rows, done.added, done.refused) == (count, 0 if done.before else count, ())
        assert catalogue.revision == revision
        assert list(catalogue.every()) == whole


def test_two_imports_of_one_file_do_not_disturb_each_other(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 2)
    file = file_of(tmp_path, "id,title\n" + "".join(f"{n},T\n" for n in range(10)))
    inner: list[int] = []

    def another(done: int, total: int) -> None:
        if not inner:
            inner.append(import_file(catalogue, file).rows)

    with pytest.raises(FalseworkError, match="another import of this file"):
        import_file(catalogue, file, progress=another)
    assert (inner, catalogue.count()) == ([10], 10)


# Out and in again


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


# Scenes


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
