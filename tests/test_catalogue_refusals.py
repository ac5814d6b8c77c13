"""What is refused of a file and why, and what it costs the rows beside it: nothing."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from catalogue_files import file_of, lines_of, refusals
from falsework.catalogue import importing, sources
from falsework.catalogue.database import Catalogue
from falsework.catalogue.importing import import_file
from falsework.catalogue.records import Credit, Title
from falsework.errors import FalseworkError


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


def test_marks_that_open_again_on_every_line_do_not_cost_their_square(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line of these begins a record that never ends, from whichever of them it is read. Once too many
    were read again, they go together; what comes after them is read."""
    monkeypatch.setattr(sources, "LONGEST_RECORD", 20_000)
    monkeypatch.setattr(sources, "READ_AGAIN", 50_000)
    hostile, fine = 'b","\n' * 40_000, "".join(f"{number},T\n" for number in range(9_000))
    done = import_file(catalogue, file_of(tmp_path, f'id,title\n{hostile}x","\n{fine}'))
    assert len(done.refused) < 100
    assert any("after so many rows like it, all up to line " in one for one in refusals(done).values())
    assert catalogue.count() > 3_000
    assert catalogue.title("8999") is not None


def test_a_header_of_very_many_columns_is_read(catalogue: Catalogue, tmp_path: Path) -> None:
    names = ",".join(f"column {number}" for number in range(100_000))
    done = import_file(catalogue, file_of(tmp_path, f"id,title,{names}\n1,T{',' * 100_000}\n"))
    assert done.added == 1


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
