"""Briefs become settings: thirty written ones, and sentences put together that nobody wrote down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.shots.brief import Interpretation, read_brief
from falsework.shots.brief_endpoint import BRIEF_KEYS
from falsework.shots.spec import read_shot
from falsework.shots.starter import starter_text

BRIEFS = sorted((Path(__file__).parent / "briefs").glob("*.json"))


def values(understood: Interpretation) -> dict[str, object]:
    return {key: finding.value for key, finding in understood.settings.items()}


def test_there_are_thirty_in_two_languages() -> None:
    assert len(BRIEFS) == 30
    assert sum(path.name.startswith("es") for path in BRIEFS) == 15


@pytest.mark.parametrize("path", BRIEFS, ids=lambda path: path.stem)
def test_a_brief_gives_its_settings_with_their_words(path: Path) -> None:
    expected = json.loads(path.read_text(encoding="utf-8"))
    understood = read_brief(expected["brief"])
    assert understood.language == expected["language"]
    assert values(understood) == expected["settings"]
    assert {key: finding.words for key, finding in understood.settings.items()} == expected["words"]
    assert list(understood.not_understood) == expected["not_understood"]
    assert len(understood.notes) == expected["notes"]


@pytest.mark.parametrize("path", BRIEFS, ids=lambda path: path.stem)
def test_a_brief_makes_a_sound_shot(path: Path) -> None:
    brief = json.loads(path.read_text(encoding="utf-8"))["brief"]
    read_shot(starter_text("x", "plate.jpg", (1920, 1080), read_brief(brief)))


# Put together from parts: English and Spanish words for the same settings, in any order.
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"]
ORDINALES = ["primer", "segundo", "tercer", "cuarto", "quinto", "sexto"]
KINDS = {
    "implosion": (
        ["implodes", "caves in", "collapses in on itself"],
        ["implosiona", "se hunde hacia dentro"],
    ),
    "topple": (["topples", "tips over", "keels over"], ["vuelca", "cae de lado", "se tumba"]),
    "pancake": (
        ["pancakes", "comes down floor by floor"],
        ["cae piso sobre piso", "se hunde planta por planta"],
    ),
    "progressive": (["folds", "buckles", "gives way", "crumbles"], ["se pliega", "se desmorona", "cede"]),
}
SIDES = {
    "left": ("the left", "la izquierda"),
    "right": ("the right", "la derecha"),
    "corner": ("the corner", "la esquina"),
}
PACES = {
    "slow": (["slowly", "gradually"], ["lentamente", "poco a poco", "despacio"]),
    "sudden": (["suddenly", "all at once"], ["de golpe", "de repente"]),
}
DUST = {
    4.0: (["enormous", "massive"], ["muchísimo"]),
    2.0: (["thick", "heavy", "lots of"], ["mucho", "bastante"]),
    0.4: (["little", "a bit of"], ["poco", "un poco de"]),
    0.0: (["no"], ["nada de"]),
}
COLOURS = {"white": "blanco", "grey": "gris", "brown": "marrón", "pink": "rosado"}


@given(
    kind=st.sampled_from(sorted(KINDS)),
    side=st.sampled_from(sorted(SIDES)),
    floor=st.integers(1, 6),
    pace=st.sampled_from(sorted(PACES)),
    dust=st.sampled_from(sorted(DUST)),
    spanish=st.booleans(),
    swap=st.booleans(),
    data=st.data(),
)
def test_sentences_nobody_wrote_down(
    kind: str, side: str, floor: int, pace: str, dust: float, spanish: bool, swap: bool, data: st.DataObject
) -> None:
    tongue = int(spanish)
    verb, speed, amount = (
        data.draw(st.sampled_from(table[key][tongue]))
        for table, key in ((KINDS, kind), (PACES, pace), (DUST, dust))  # type: ignore[index]
    )
    if spanish:
        falls = f"El edificio {verb} {speed} desde el {ORDINALES[floor - 1]} piso por {SIDES[side][1]}"
        cloud = f"{amount} polvo"
    else:
        falls = f"The building {verb} {speed} from the {ORDINALS[floor - 1]} floor on {SIDES[side][0]}"
        cloud = f"{amount} dust"
    brief = f"{cloud}; {falls}." if swap else f"{falls}, {cloud}."
    understood = read_brief(brief)
    found = values(understood)
    assert found["collapse.kind"] == kind
    assert found["collapse.from_storey"] == floor
    assert found["collapse.side"] == side
    assert found["collapse.timing"] == [[0.0, 0.0], [1.0, {"slow": 2.4, "sudden": 0.1}[pace]]]
    assert found["dust.amount"] == dust
    assert len(found) == 5
    assert not understood.not_understood
    assert not understood.notes


@given(
    colour=st.sampled_from(sorted(COLOURS)), goal=st.sampled_from(["camera", "street"]), refused=st.booleans()
)
def test_both_languages_say_the_same_of_dust(colour: str, goal: str, refused: bool) -> None:
    english = f"The {colour} dust {'does not reach' if refused else 'reaches'} the {goal}."
    where = {"camera": "la cámara", "street": "la calle"}[goal]
    spanish = f"El polvo {COLOURS[colour]} {'no ' if refused else ''}alcanza {where}."
    assert values(read_brief(english)) == values(read_brief(spanish))
    nearer = {"camera": "street", "street": "local"}[goal]
    assert values(read_brief(english))["dust.reach"] == (nearer if refused else goal)


@pytest.mark.parametrize(
    ("brief", "settings"),
    [
        ("The tower falls to the left.", {"collapse.kind": "topple", "collapse.direction": 270.0}),
        ("The tower falls from the left.", {"collapse.side": "left"}),
        ("The house on fire sings.", {}),
        ("The corner house collapses.", {}),  # says which house, not where it begins
        ("It does not implode.", {}),
        ("It starts after half a second.", {"collapse.start": 1013}),
        ("The third storey fails.", {"collapse.from_storey": 2}),
        ("Falla la planta baja.", {"collapse.from_storey": 0}),
        ("Without wind, and with a little dust.", {"dust.wind_speed": 0.0, "dust.amount": 0.4}),
        ("Wind of 36 km/h from the left.", {"dust.wind_speed": 10.0, "dust.wind_direction": 90.0}),
        ("", {}),
    ],
)
def test_small_words_decide(brief: str, settings: dict[str, object]) -> None:
    assert values(read_brief(brief)) == settings


def test_contradictions_keep_the_first_and_say_so() -> None:
    understood = read_brief("The tower topples. The tower implodes.")
    assert values(understood) == {"collapse.kind": "topple"}
    assert "contradicts" in understood.notes[0]


@given(st.text(max_size=120))
def test_any_text_is_read_and_every_finding_quotes_it(text: str) -> None:
    understood = read_brief(text)
    for key, finding in understood.settings.items():
        assert key in BRIEF_KEYS
        assert finding.words == text[slice(*finding.span)]
    for words in understood.not_understood:
        assert words in text


@given(
    st.lists(
        st.sampled_from(
            [
                "the",
                "dust",
                "no",
                "not",
                "heavy",
                "wind",
                "from",
                "left",
                "right",
                "corner",
                "third",
                "floor",
                "two",
                "seconds",
                "falls",
                "slowly",
                "implodes",
                "camera",
                "street",
                "pale",
                "sun",
                "low",
                ",",
                ".",
                "and",
                "but",
                "to",
                "el",
                "polvo",
                "sin",
                "mucho",
                "viento",
                "desde",
                "izquierda",
                "tercer",
                "piso",
                "cae",
                "despacio",
                "y",
                "cámara",
            ]
        ),
        max_size=14,
    )
)
def test_any_order_of_the_fields_words_gives_settings_the_shot_accepts(words: list[str]) -> None:
    understood = read_brief(" ".join(words))
    read_shot(starter_text("x", "plate.jpg", (1920, 1080), understood))
