"""Every fault of a shot file is a sentence: what, where, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.faults import key_lines, setting_names
from falsework.shots.spec import Shot, load_shot, read_shot

ROOT = Path(__file__).parents[1]
SHOT = """\
name = "corner"
seed = 7
frames = [1001, 1096]

[plate]
file = "plate.jpg"

[[facades]]
name = "left"
corners = [[513, 150], [1146, -42], [1183, 1122], [446, 1062]]
storeys = 5

[[facades]]
name = "right"
corners = [[1146, -42], [1535, 292], [1605, 1052], [1183, 1122]]
storeys = 5

[collapse]
from_storey = 3
start = 1012
"""

QUAD = "[[513, 150], [1146, -42], [1183, 1122], [446, 1062]]"

FAULTS = [
    # what is wrong with the file, the words that must be said, the line they must name
    ("[collapse]", "[colapse]", ['"colapse" is not a key', 'Did you mean "collapse"?'], 18),
    ("start = 1012", "strat = 1012", ['"strat" is not a key of [collapse]', 'Did you mean "start"?'], 20),
    ("seed = 7", "material = 'glass'", ['"material" is not a key', 'Did you mean "building.material"?'], 2),
    ("seed = 7", "seed = nan", ["seed", "finite number"], 2),
    ("start = 1012", "strength = inf", ["collapse.strength", "finite number"], 20),
    ("start = 1012", "direction = -inf", ["collapse.direction", "finite number"], 20),
    ("start = 1012", "start = 1200", ["frame 1200", "after the last frame (1096)", "1001 to 1096"], 20),
    ("start = 1012", "start = 990", ["before the first frame (1001)"], 20),
    (
        "start = 1012",
        "start = 1090\ntiming = [[0, 2], [1, 3]]",
        ["plus 48 frames of timing", "after the last"],
        20,
    ),
    ("start = 1012", "timing = [[0, 0], [0, 1]]", ["do not ascend"], 20),
    ("start = 1012", "timing = []", ["collapse.timing", "is empty"], 20),
    ("start = 1012", "kind = 'implode'", ['"implosion"', 'not "implode"'], 20),
    ("from_storey = 3", "from_storey = 5", ["is 5", "has 5 storeys", "0 to 4"], 19),
    ("storeys = 5\n\n[[", "storeys = 0\n\n[[", ["facades.0.storeys", "at least 1", "not 0"], 11),
    ("seed = 7", "seed = 'x'", ["seed", "a whole number", 'not "x"'], 2),
    ("seed = 7", "frames = [1001", ["not valid TOML"], None),
    ("frames = [1001, 1096]", "frames = [1096, 1001]", ["(1001) comes before the first (1096)"], 3),
    ("frames = [1001, 1096]", "frames = [1001]", ["frames"], 3),
    ("frames = [1001, 1096]", "frames = [1001, 99999]", ["98999 frames", "5000"], 3),
    ('name = "corner"', 'name = "../corner"', ["name", "letters, digits"], 1),
    ('name = "corner"\n', "", ['"name" is missing'], None),
    ('file = "plate.jpg"', 'file = ""', ["plate.file", "no picture is named"], 6),
    ('file = "plate.jpg"', 'file = "p.jpg"\ncrop = [0, 0, 0, 9]', ["plate.crop", "positive"], 7),
    (
        'file = "plate.jpg"',
        'file = "p.jpg"\ncrop = [0, 0, 900, 600]\nsize = [1800, 1200]',
        ["plate.size", "larger than the crop", "ever scaled up"],
        8,
    ),
    (
        'file = "plate.jpg"',
        'file = "p.jpg"\nlens = { model = "none", coefficients = [0.1] }',
        ["plate.lens.coefficients", "1 coefficients are given"],
        7,
    ),
    (QUAD, "[[513, 150], [1146, -42], [600, 500], [446, 1062]]", ['quad of "left" is not convex'], 10),
    (QUAD, "[[1146, -42], [513, 150], [1183, 1122], [446, 1062]]", ['"left" crosses itself'], 10),
    (QUAD, "[[1146, -42], [513, 150], [446, 1062], [1183, 1122]]", ["the wrong way round"], 10),
    (QUAD, "[[446, 1062], [513, 150], [1146, -42], [1183, 1122]]", ["begin at its top-left"], 10),
    (QUAD, "[[5, 5], [6, 5], [6, 6], [5, 6]]", ["smaller than 64 square pixels"], 10),
    (QUAD, "[[5, 5], [5, 5], [5, 5], [5, 5]]", ["is not convex"], 10),
    (QUAD, "[[513, 150], [1146, -42], [1183, 1122]]", ["facades.0.corners"], 10),
    (QUAD, "[[nan, 150], [1146, -42], [1183, 1122], [446, 1062]]", ["facades.0.corners", "finite"], 10),
    ('name = "right"', 'name = "left"', ['two facades are called "left"'], 14),
    ("[collapse]", '[[occluders]]\nname = "car"\n[collapse]', ['"car" has no matte file, box or line'], 18),
    (
        "[collapse]",
        '[[occluders]]\nname = "car"\nbox = [1, 1, 0, 5]\n[collapse]',
        ['the box of "car" has no width'],
        20,
    ),
    (
        "[collapse]",
        '[[occluders]]\nname = "car"\nfile = "a.png"\nbox = [1, 1, 5, 5]\n[collapse]',
        ["both file and box"],
        18,
    ),
    (
        "[collapse]",
        '[[occluders]]\nname = "cable"\nline = [[1, 1]]\n[collapse]',
        ['the line of "cable" has one point'],
        20,
    ),
    ("[collapse]", "[light]\nelevation = 'up'\n[collapse]", ["light.elevation", "a number", '"auto"'], 19),
    ("[collapse]", "[dust]\nreach = 'stret'\n[collapse]", ["dust.reach", 'Did you mean "street"?'], 19),
]


def fault(text: str) -> str:
    with pytest.raises(FalseworkError) as caught:
        read_shot(text, "shot.toml")
    return str(caught.value)


def test_the_shot_the_faults_start_from_is_sound() -> None:
    assert read_shot(SHOT).frame_count == 96


@pytest.mark.parametrize(("old", "new", "words", "line"), FAULTS)
def test_a_fault_is_a_sentence_with_file_line_key_and_remedy(
    old: str, new: str, words: list[str], line: int | None
) -> None:
    assert old in SHOT
    said = fault(SHOT.replace(old, new, 1))
    assert said.startswith("shot.toml")
    for word in words:
        assert word in said
    if line is not None:
        assert said.startswith(f"shot.toml:{line}: ")


def test_all_faults_are_told_at_once() -> None:
    said = fault(SHOT.replace("seed = 7", "sed = 7").replace("storeys = 5", "storeys = 0"))
    assert "2 more faults" in said
    assert said.index('"sed"') < said.index("facades.0.storeys") < said.index("facades.1.storeys")


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="falsework new"):
        load_shot(tmp_path / "none.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shot.toml"
    path.write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(FalseworkError, match="is no text in UTF-8"):
        load_shot(path)


@pytest.mark.parametrize("shot", sorted(ROOT.glob("examples/*/shot.toml")), ids=lambda path: path.parent.name)
def test_the_examples_are_sound(shot: Path) -> None:
    assert load_shot(shot).name == shot.parent.name


@given(st.text(max_size=200))
def test_any_text_is_a_shot_or_a_sentence(text: str) -> None:
    with pytest.raises(FalseworkError):
        read_shot(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 2000) | st.floats() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=4),
        max_leaves=6,
    ),
    st.sampled_from(sorted(setting_names(Shot))),
)
def test_any_value_under_any_key_is_taken_or_answered_with_its_name(value: object, key: str) -> None:
    import json

    section, _, name = key.rpartition(".")
    written = "nan" if value is None else json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")
    top = "name = 'x'\n" if key != "name" else ""
    body = f"{top}{name} = {written}\n" if not section else f"{top}[{section}]\n{name} = {written}\n"
    with pytest.raises(FalseworkError) as caught:
        read_shot(body)
    assert str(caught.value).startswith("shot.toml")


def test_lines_are_found_in_tables_and_lists_of_tables() -> None:
    lines = key_lines(SHOT)
    assert lines["seed"] == 2
    assert lines["facades.1"] == 13
    assert lines["facades.1.storeys"] == 16
    assert lines["collapse.start"] == 20


def test_the_manual_explains_every_key_and_its_default() -> None:
    manual = (ROOT / "docs" / "shot.md").read_text(encoding="utf-8")
    rows = {
        line.split("|")[1].strip().strip("`"): line for line in manual.splitlines() if line.startswith("| `")
    }
    missing = [name for name in setting_names(Shot) if name not in rows]
    assert not missing
    assert not [name for name in rows if name not in setting_names(Shot)]
    for name in setting_names(Shot):
        default = _default(name)
        if default is not None:
            assert default in rows[name].replace("\\|", "|"), name


def _default(key: str) -> str | None:
    """A setting's default as TOML writes it; None where it has none or is a table."""
    import json

    from pydantic import BaseModel
    from pydantic_core import PydanticUndefined

    from falsework.faults import _inner_model

    model: type[BaseModel] = Shot
    *tables, name = key.split(".")
    for table in tables:
        inner = _inner_model(model.model_fields[table].annotation)
        assert inner is not None
        model = inner
    value = model.model_fields[name].default
    if value is PydanticUndefined or isinstance(value, BaseModel) or value is None:
        return None
    return f"`{json.dumps(value)}`"
