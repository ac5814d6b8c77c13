"""A condition of the wish before that is taken back, in the ways people say it in English and Spanish."""

from __future__ import annotations

from typing import Any

import pytest

from falsework.search.query import Query, Span
from falsework.search.understanding import Understood, understand
from search_names import small_names

NAMES = small_names()
BEFORE = Query(
    text="dogs",
    like=("Alien",),
    genres=("Comedy", "Horror"),
    moods=("funny",),
    mild=("scary",),
    runtime=Span(most=90),
    years=Span(least=1990, most=1999),
    languages=("es",),
    countries=("MX",),
    people=("Al Pacino",),
    kind="film",
    exclude=("gory",),
)


def after(say: str, before: Query = BEFORE, **more: Any) -> Understood:
    return understand(say, names=NAMES, previous=before, **more)


def changed(query: Query, before: Query = BEFORE) -> dict[str, object]:
    return {
        key: getattr(query, key) for key in Query.model_fields if getattr(query, key) != getattr(before, key)
    }


@pytest.mark.parametrize(
    ("say", "key"),
    [
        ("quita lo de corta", "runtime"),
        ("quítame lo de que sea corta", "runtime"),
        ("quita lo de que dure menos de hora y media", "runtime"),
        ("olvida lo de corta", "runtime"),
        ("sin lo de corta", "runtime"),
        ("sin límite de duración", "runtime"),
        ("ya no importa la duración", "runtime"),
        ("da igual cuánto dure", "runtime"),
        ("me da igual que sea corta", "runtime"),
        ("no hace falta que sea corta", "runtime"),
        ("ya no quiero que sea corta", "runtime"),
        ("quita el filtro de duración", "runtime"),
        ("cualquier duración vale", "runtime"),
        ("forget the short part", "runtime"),
        ("drop the length", "runtime"),
        ("no time limit", "runtime"),
        ("without a time limit", "runtime"),
        ("I don't care about the length", "runtime"),
        ("it doesn't have to be short", "runtime"),
        ("never mind the length, please", "runtime"),
        ("quita lo de los 90", "years"),
        ("quita los 90", "years"),
        ("quita eso de los años noventa", "years"),
        ("fuera los años 90", "years"),
        ("de cualquier época", "years"),
        ("no me importa el año", "years"),
        ("remove the 90s", "years"),
        ("any year", "years"),
        ("da igual el idioma", "languages"),
        ("me da igual el idioma", "languages"),
        ("el idioma no importa", "languages"),
        ("en cualquier idioma", "languages"),
        ("elimina el idioma", "languages"),
        ("quita la condición de idioma", "languages"),
        ("drop the language", "languages"),
        ("language doesn't matter", "languages"),
        ("not necessarily Spanish", "languages"),
        ("in any language please", "languages"),
        ("sin importar el país", "countries"),
        ("quita lo de México", "countries"),
        ("any country", "countries"),
        ("quita a Al Pacino", "people"),
        ("forget Al Pacino", "people"),
        ("with anyone", "people"),
        ("quita lo de divertida", "moods"),
        ("forget the funny part", "moods"),
        ("olvídate de los perros", "text"),
        ("forget about the dogs", "text"),
        ("quita lo de como Alien", "like"),
        ("quita lo de sin sangre", "exclude"),
        ("forget the no gore part", "exclude"),
        ("films or series", "kind"),
    ],
)
def test_one_condition_goes_and_nothing_else(say: str, key: str) -> None:
    understood = after(say)
    assert understood.step == "edited"
    assert changed(understood.query) == {key: Query.model_fields[key].default}
    assert not understood.remarks


def test_what_was_to_be_mild_goes_with_the_extreme_it_shut_out() -> None:
    assert changed(after("quita lo de no muy de miedo").query) == {"mild": (), "exclude": ()}


@pytest.mark.parametrize("say", ["quita las comedias", "remove comedy", "forget the comedy part"])
def test_of_a_list_only_what_was_said(say: str) -> None:
    assert changed(after(say).query) == {"genres": ("Horror",)}


@pytest.mark.parametrize(
    ("say", "keys"),
    [
        ("drop the language and the length", {"languages", "runtime"}),
        ("quítame lo de Al Pacino y lo de los noventa", {"people", "years"}),
        ("remove the dogs, the 90s and Al Pacino", {"text", "years", "people"}),
    ],
)
def test_several_at_once(say: str, keys: set[str]) -> None:
    left = changed(after(say).query)
    assert left == {key: Query.model_fields[key].default for key in keys}


@pytest.mark.parametrize("say", ["quita lo de corta y ponla en francés", "forget the short part, in French"])
def test_the_rest_of_the_sentence_edits(say: str) -> None:
    assert changed(after(say).query) == {"runtime": None, "languages": ("fr",)}


@pytest.mark.parametrize("say", ["quita el western", "remove westerns"])
def test_removing_what_was_not_wished_shuts_it_out(say: str) -> None:
    assert changed(after(say).query) == {"exclude": ("gory", "Western")}


def test_a_name_that_begins_like_an_article_is_shut_out_whole() -> None:
    assert after("drop Al Pacino", Query(text="dogs")).query.exclude == ("Al Pacino",)


@pytest.mark.parametrize("say", ["quita lo de western", "forget the western part"])
def test_where_there_is_no_such_condition_it_is_said(say: str) -> None:
    understood = after(say)
    assert understood.query == BEFORE
    assert understood.remarks == ("Nothing was asked for as “western”: nothing was taken away.",)


@pytest.mark.parametrize("say", ["olvídalo", "olvida todo", "empecemos de nuevo", "forget everything"])
def test_everything_goes(say: str) -> None:
    understood = after(say)
    assert understood.step == "cleared"
    assert understood.query == Query.model_validate({})


def test_a_childrens_profile_stays_one() -> None:
    children = BEFORE.model_copy(update={"kids": True})
    for say in ("forget the kids part", "quita lo de para niños", "olvida todo"):
        assert after(say, children, kids=True).query.kids
    assert not after("quita lo de para niños", children).query.kids


@pytest.mark.parametrize(
    "say",
    [
        "a comedy, language doesn't matter",
        "a film about a man who forgets the language of his mother",
        "una comedia sobre un hombre que quita lo de otros",
    ],
)
def test_a_wish_of_its_own_takes_nothing_back(say: str) -> None:
    query = after(say).query
    assert query.people == ()
    assert query.years is None
