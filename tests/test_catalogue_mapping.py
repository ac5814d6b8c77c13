"""Which column holds what: told by a mapping, or guessed."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogue_files import file_of
from falsework.catalogue.database import Catalogue
from falsework.catalogue.importing import import_file
from falsework.catalogue.mapping import guessed, load_mapping
from falsework.catalogue.records import Availability, Credit, Title
from falsework.errors import FalseworkError


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
