"""Brand suitability: no airline follows a crash."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from falsework.ads.opportunity import Scene
from falsework.ads.taxonomy.suitability import Suitability
from falsework.ads.taxonomy.taxonomies import content, products
from falsework.catalogue.vocabularies import GENRES, MOODS
from falsework.errors import FalseworkError

RULES = Suitability.load()


def test_the_taxonomies_are_trees() -> None:
    for tree in (products(), content()):
        assert len(tree.names) > 500
        for identifier, parent in tree.parents.items():
            assert not parent or parent in tree.names
            assert identifier not in tree.above(identifier)
    assert products().names["1342"] == "Home Insurance"
    assert products().above("1342") == ("1340", "1335")
    assert {"1340", "1341", "1346"} <= products().with_all_below(["1340"])


def test_the_collapse_of_a_house_takes_no_builder_no_insurer_and_no_airline_beside_it() -> None:
    lines = (
        files("falsework.catalogue").joinpath("sample/scenes.jsonl").read_text(encoding="utf-8").splitlines()
    )
    collapse = next(scene for scene in map(json.loads, lines) if "building collapse" in scene["events"])
    blocked = RULES(Scene(events=tuple(collapse["events"]), moods=tuple(collapse["moods"]), known=True))
    for product in ("1028", "1038", "1413", "1340", "1342", "1537"):
        assert product in blocked, products().names[product]
    assert "1123" not in blocked  # groceries may stay


def test_no_airline_follows_a_crash_and_what_is_below_a_category_goes_with_it() -> None:
    blocked = RULES(Scene(events=("Plane Crash",), known=True))
    assert {"1529", "1537", "1542", "1346"} <= blocked


def test_a_scene_of_which_nothing_is_known_takes_nothing_that_could_hurt() -> None:
    blocked = RULES(Scene())
    assert {"1002", "1007", "1361", "1576", "1474"} <= blocked
    assert not RULES(Scene(known=True))


def test_a_quiet_scene_of_a_comedy_takes_everything() -> None:
    assert RULES(Scene(genres=("Comedy",), moods=("funny",), known=True)) == frozenset()


def test_rules_name_moods_and_genres_that_there_are() -> None:
    moods, genres = {term.name for term in MOODS}, {term.name for term in GENRES}
    for (sort, _), rule in RULES._rules.items():
        if sort == "mood":
            assert rule.name in moods, rule.name
        if sort == "genre":
            assert rule.name in genres, rule.name
        if sort == "content":
            assert rule.name in content().names
        assert rule.why


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("weather,rain,1028,x", "one of event"),
        ("event,,1028,x", "one of event"),
        ("event,rain,9999999,x", "9999999"),
        ("event,rain,,x", "no product"),
    ],
)
def test_a_bad_table_is_refused_by_its_line(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"sort,name,products,why\nevent,fire,1028,x\n{line}\n")
    with pytest.raises(FalseworkError) as refused:
        Suitability.load(path)
    assert "line 3" in refused.value.where
    assert says in refused.value.what
