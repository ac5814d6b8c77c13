"""What is put into a catalogue comes out of it; revisions, migrations, several processes; SQLite and
PostgreSQL."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sql
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.catalogue.database import Catalogue, default_url
from falsework.catalogue.engine import place_of
from falsework.catalogue.migrating import script_location
from falsework.catalogue.reading import Wanted
from falsework.catalogue.records import Availability, Credit, Episode, Scene, Season, Title
from falsework.catalogue.schema import VERSION, VERSION_TABLE, Base
from falsework.errors import FalseworkError
from falsework.rights import engines

AT_WORK = Path(__file__).parent / "catalogue_at_work.py"


@pytest.fixture
def catalogue(catalogue_url: str) -> Iterator[Catalogue]:
    with Catalogue.open(catalogue_url) as opened:
        yield opened


# PostgreSQL takes no NUL in a text, and import lets none through.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
names = texts.filter(bool)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
titles = st.builds(
    Title,
    id=names,
    title=names,
    kind=st.sampled_from(["film", "series"]),
    original_title=texts,
    year=st.none() | st.integers(1870, 2200),
    synopsis=texts,
    genres=st.lists(names, max_size=3).map(tuple),
    moods=st.lists(names, max_size=2).map(tuple),
    credits=st.lists(st.builds(Credit, names, names, texts), max_size=3).map(tuple),
    countries=st.lists(st.sampled_from(["FR", "DE", "NA"]), max_size=2).map(tuple),
    languages=st.lists(st.sampled_from(["fr", "de"]), max_size=2).map(tuple),
    rating=texts,
    runtime=st.none() | st.integers(1, 999),
    popularity=st.none() | st.floats(0, 1e12),
    availability=st.lists(
        st.builds(Availability, st.just("FR"), st.none() | moments, st.none() | moments), max_size=2
    ).map(tuple),
)


@settings(max_examples=25)
@given(st.lists(st.lists(titles, max_size=5), max_size=3))
def test_what_is_put_in_comes_out(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Title]]
) -> None:
    expected: dict[str, Title] = {}
    with Catalogue.open(tmp_path_factory.mktemp("catalogue") / "c.db") as catalogue:
        for batch in batches:
            last = {title.id: title for title in batch}
            before = catalogue.revision
            changes = catalogue.upsert(batch)
            assert changes.added == len(last.keys() - expected.keys())
            assert changes.changed == sum(
                id_ in expected and expected[id_] != one for id_, one in last.items()
            )
            assert catalogue.revision == before + bool(changes.added or changes.changed)
            assert set(catalogue.changed_since(before)) == {
                i for i, one in last.items() if expected.get(i) != one
            }
            expected |= last
        assert {title.id: title for title in catalogue.every()} == expected
        assert [title.id for title in catalogue.every()] == sorted(expected)
        assert catalogue.titles(list(expected)) == expected
        assert catalogue.count() == len(expected)


def test_in_both_databases_the_same(catalogue: Catalogue) -> None:
    full = Title(
        "tt:1", "Ärger, 東京 'n' \"quotes\"", "series", "Original", 1999, "Text\nof two lines",
        ("Drama", "Crime"),
        ("dark",), (Credit("A", "director"), Credit("B", "cast", "Bea"), Credit("A")), ("FR", "NA"), ("fr",),
        "TV-MA",
        42, 0.1 + 0.2, (Availability("FR", datetime(2026, 1, 2, 3, 4, 5, 678, UTC), None), Availability()),
    )  # fmt: skip
    others = [Title(id_, "T") for id_ in ("b", "B", "a", "_", "ä", "10", "9")]
    catalogue.upsert([full, *others])
    assert catalogue.title("tt:1") == full
    assert [one.id for one in catalogue.every()] == sorted(["tt:1", *(one.id for one in others)])
    assert catalogue.upsert([full]).changed == 0
    assert catalogue.revision == 1
    assert catalogue.title("nobody") is None
    assert catalogue.titles(["\ud800", "a\0b"]) == {}  # nothing is there under what no text can hold
    assert catalogue.titles([]) == {}


def test_removed_titles_are_told_and_take_all_that_is_theirs(catalogue: Catalogue) -> None:
    catalogue.upsert([Title("a", "A", credits=(Credit("P"),)), Title("b", "B")])
    with catalogue.writing() as writer:
        writer.seasons([Season("s", "a", 1)])
        writer.episodes([Episode("e", "s", 1)])
        writer.scenes([Scene("c", "a", 1, "e", 0.0, 1.0, moods=("dark",), events=("chase",))])
    before = catalogue.revision
    assert catalogue.remove(["a", "nobody"]) == 1
    assert catalogue.remove(["a"]) == 0
    assert (catalogue.revision, list(catalogue.changed_since(before))) == (before + 1, ["a"])
    assert (catalogue.title("a"), catalogue.seasons("a"), catalogue.scenes("a")) == (None, (), ())
    catalogue.upsert([Title("a", "A again")])
    assert list(catalogue.changed_since(before)) == ["a"]


def test_a_transaction_is_whole_or_not_at_all(catalogue: Catalogue) -> None:
    def half() -> None:
        with catalogue.writing() as writer:
            writer.titles([Title("a", "A")])
            writer.seasons([Season("s", "nobody", 1)])

    with pytest.raises(FalseworkError, match='no title "nobody"'):
        half()
    assert (catalogue.count(), catalogue.revision) == (0, 0)


def test_seasons_that_are_counted_leave_those_that_are_known(catalogue: Catalogue) -> None:
    catalogue.upsert([Title("a", "A", "series")])
    with catalogue.writing() as writer:
        writer.seasons([Season("known", "a", 2, "The second", 1999)])
        writer.seasons_counted({"a": 3})
    assert [(one.id, one.number) for one in catalogue.seasons("a")] == [
        ("a/season-1", 1), ("known", 2), ("a/season-3", 3),
    ]  # fmt: skip
    with catalogue.writing() as writer:
        writer.seasons_counted({"a": 3})
        assert not writer.changed


def test_what_is_on_screen(catalogue: Catalogue) -> None:
    catalogue.upsert([Title("a", "A", "series")])
    with catalogue.writing() as writer:
        writer.seasons([Season("s", "a", 1)])
        writer.episodes([Episode("e", "s", 1)])
        writer.scenes(
            [
                Scene("1", "a", 1, starts=10.0, ends=20.0, events=("building collapse",)),
                Scene("2", "a", 2, starts=20.0),
                Scene("3", "a", 3, starts=30.0, ends=40.0),
                Scene("within 3", "a", 4, starts=32.0, ends=33.0, moods=("tense", "dark")),
                Scene("last", "a", 5, starts=50.0),
                Scene("untimed", "a", 6),
                Scene("of e", "a", 1, "e", 0.0, 99.0),
            ]
        )
    at = {
        second: catalogue.scene_at("a", second)
        for second in (9.9, 10, 19.9, 20, 29.9, 30, 32, 33, 45, 50, 1e6)
    }
    found = {second: scene.id if scene else None for second, scene in at.items()}
    assert found == {
        9.9: None, 10: "1", 19.9: "1", 20: "2", 29.9: "2", 30: "3", 32: "within 3", 33: "3", 45: None,
        50: "last", 1e6: "last",
    }  # fmt: skip
    assert at[32] == Scene("within 3", "a", 4, starts=32.0, ends=33.0, moods=("tense", "dark"))
    episode = catalogue.scene_at("a", 5, episode_id="e")
    assert episode is not None
    assert episode.id == "of e"
    assert catalogue.scene_at("nobody", 5) is None


def test_conditions(catalogue: Catalogue) -> None:
    catalogue.upsert(
        [
            Title("1", "Äpfel 100%", year=1999, genres=("Drama",), rating="G", countries=("FR",)),
            Title("2", "B", "series", "Apple", 2005, moods=("dark",), rating="TV-MA", languages=("fr",)),
            Title("3", "C", credits=(Credit("Ada Example"),), rating="PG"),
        ]
    )

    def found(**wanted: object) -> list[str]:
        return [one.id for one in catalogue.find(Wanted(**wanted))]  # type: ignore[arg-type]

    assert found() == ["1", "2", "3"]
    assert (found(words="0%"), found(words="APPLE"), found(words="_")) == (["1"], ["2"], [])
    assert (found(kind="series"), found(genre="drama"), found(mood="Dark")) == (["2"], ["1"], ["2"])
    assert (found(words="Äpfel"), found(words="äPFEL"), found(words="ß")) == (["1"], ["1"], [])
    assert (found(person="ada example"), found(country="FR"), found(language="fr")) == (["3"], ["1"], ["2"])
    assert (found(least_year=2000), found(most_year=1999), found(rating="tv-ma")) == (["2"], ["1"], ["2"])
    assert found(children=True) == ["1"]
    assert [one.id for one in catalogue.find(Wanted(), limit=2)] == ["1", "2"]


# Tables


def test_migrations_make_the_tables_that_are_declared(catalogue_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    Catalogue.open(catalogue_url).close()
    place = place_of(catalogue_url, create=False)
    with place.transaction() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, Base.metadata) == []
        tables = sql.inspect(connection)
        for name, table in Base.metadata.tables.items():  # which the comparison leaves out
            declared = {tuple(key.column_keys): key.ondelete for key in table.foreign_key_constraints}
            made = {
                tuple(key["constrained_columns"]): key["options"].get("ondelete")
                for key in tables.get_foreign_keys(name)
            }
            assert made == declared, name
            assert tables.get_pk_constraint(name)["constrained_columns"] == [
                c.name for c in table.primary_key
            ], name
    place.close()
    assert ScriptDirectory.from_config(script_location()).get_current_head() == VERSION


def test_a_newer_catalogue_is_refused_and_left_alone(catalogue_url: str) -> None:
    with Catalogue.open(catalogue_url) as catalogue:
        catalogue.upsert([Title("a", "A")])
    place = place_of(catalogue_url, create=False)
    with place.transaction(writing=True) as connection:
        connection.execute(sql.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    place.close()
    with pytest.raises(FalseworkError, match="newer falsework") as caught:
        Catalogue.open(catalogue_url)
    assert caught.value.todo


def test_what_is_no_catalogue_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database" * 400)
    connection = sqlite3.connect(tmp_path / "other")
    connection.execute("CREATE TABLE films (name TEXT)")
    connection.commit()
    connection.close()
    for name in ("text", "other"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(FalseworkError, match="is no catalogue"):
            Catalogue.open(tmp_path / name)
        assert (tmp_path / name).read_bytes() == before
    with pytest.raises(FalseworkError, match="is a folder"):
        Catalogue.open(tmp_path)
    with pytest.raises(FalseworkError, match="there is no catalogue here"):
        Catalogue.open(tmp_path / "absent", create=False)
    assert not (tmp_path / "absent").exists()
    for url in ("mysql://u:secret@h/d", "nonsense://", "postgresql+nothing://u:secret@h/d"):
        with pytest.raises(FalseworkError) as caught:
            Catalogue.open(url)
        assert "secret" not in caught.value.sentence()


def test_where_the_catalogue_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FALSEWORK_CATALOGUE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_url() == str(tmp_path / "falsework" / "catalogue.db")
    monkeypatch.setenv("XDG_DATA_HOME", "relative/paths/do/not/count")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_url() == str(tmp_path / ".local/share/falsework/catalogue.db")
    monkeypatch.setenv("FALSEWORK_CATALOGUE", "postgresql://h/d")
    assert default_url() == "postgresql://h/d"


# Several at once


def test_two_writers_and_a_reader_at_once(catalogue_url: str) -> None:
    count = 40
    tasks = [("write", "1", count), ("write", "2", count), ("read", "0", 2 * count)]
    # They begin the catalogue, too, all at once.
    running = [
        subprocess.Popen(
            [sys.executable, str(AT_WORK), task, catalogue_url, which, str(most)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for task, which, most in tasks
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    with Catalogue.open(catalogue_url) as catalogue:
        assert {one.id for one in catalogue.every()} == {f"{w}-{n}" for w in (1, 2) for n in range(count)}
        assert catalogue.revision == 2 * count
        assert len(list(catalogue.changed_since(count))) == count


def test_a_reader_sees_one_moment(catalogue_url: str) -> None:
    with Catalogue.open(catalogue_url) as one, Catalogue.open(catalogue_url) as other:
        one.upsert([Title(f"{number:05}", "T") for number in range(2500)])
        seen = one.every()
        first = next(seen)
        other.upsert([Title("02499", "Another"), Title("99999", "New")])
        rest = list(seen)
        assert (first.id, len(rest), rest[-1].title) == ("00000", 2499, "T")
        assert [title.title for title in one.every()][-2:] == ["Another", "New"]


def test_who_waits_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PATIENCE", 0.1)
    with Catalogue.open(tmp_path / "c") as one, Catalogue.open(tmp_path / "c") as other:
        with one.writing() as writer:
            writer.titles([Title("a", "A")])
            with pytest.raises(FalseworkError, match="has been writing"):
                other.upsert([Title("b", "B")])
        other.upsert([Title("b", "B")])
        assert one.count() == 2


# Identity


def test_a_catalogue_is_called_as_no_other_is_and_keeps_it(catalogue_url: str, tmp_path: Path) -> None:
    with Catalogue.open(catalogue_url) as catalogue:
        called = catalogue.identity
        catalogue.upsert([Title("a", "A")])
        assert catalogue.identity == called != ""
    with Catalogue.open(catalogue_url) as again, Catalogue.open(tmp_path / "other.db") as other:
        assert again.identity == called != other.identity


def test_a_catalogue_of_the_first_version_gets_one(catalogue_url: str) -> None:
    with Catalogue.open(catalogue_url) as catalogue:
        catalogue.upsert([Title("a", "A")])
    place = place_of(catalogue_url, create=False)
    with place.transaction(writing=True) as connection:
        connection.execute(sql.text("DROP TABLE catalogue_identity"))
        connection.execute(sql.text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'"))
    place.close()
    with Catalogue.open(catalogue_url) as catalogue:
        assert len(catalogue.identity) == 32
        assert catalogue.title("a") == Title("a", "A")
        assert catalogue.revision == 1


def test_an_order_is_given_until_nobody_is_in_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite takes up its log only when it is alone, and does not wait for that itself."""
    given: list[int] = []

    def order() -> None:
        given.append(1)
        if len(given) < 4:
            raise sqlite3.OperationalError("database is locked")

    engines._insisted(order)
    assert len(given) == 4
    given.clear()
    monkeypatch.setattr(engines, "PATIENCE", 0.0)
    with pytest.raises(sqlite3.OperationalError):
        engines._insisted(order)
