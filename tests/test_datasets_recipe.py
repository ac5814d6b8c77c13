"""The recipe of a data set: what is wrong with one is said in a sentence; its document names every key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from falsework.cli.main import main
from falsework.datasets.settings import Recipe
from falsework.render.gbuffers import CHANNELS
from recipes import TINY

PLAIN = {"name": "r", "textures": "t", "skies": "s", "sources": "c"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('seed = 3', 'sead = 3'),
        ("storeys = [2, 2]", "storeys = [5, 2]"),
        ("storeys = [2, 2]", "storeys = 3"),
        ("crop = 32", "crop = 900"),
        ("strength = [0.1, 0.2]", "strength = [0, 1e9]"),
        ("types = { terraced = 1 }", "types = { terraced = 0 }"),
        ("types = { terraced = 1 }", "types = { castle = 1 }"),
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_a_sentence(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, words: str
) -> None:
    path = tmp_path / "recipe.toml"
    text = TINY.format(shared=shared)
    assert change in text
    path.write_text(text.replace(change, words))
    assert main(["dataset", "build", str(path), "--out", str(tmp_path / "o"), "--no-targets"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") < 12
    assert "Traceback" not in said
    assert str(path) in said
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('fragments = "many"', 'must be two numbers between 50 and 20000, the smaller first, not "many"'),
        ("fragments = [60, 50]", "two numbers between 50 and 20000, the smaller first, not [60, 50]"),
        ("fragments = [50, 90000]", "two numbers between 50 and 20000"),
        ('fragments = ["a", 5]', "shot.fragments: must be two numbers between 50 and 20000"),
    ],
)
def test_a_range_that_is_none_is_told_what_is_allowed(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, told: str
) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(TINY.format(shared=shared).replace("fragments = [50, 60]", words))
    assert main(["dataset", "build", str(path), "--out", str(tmp_path / "o"), "--no-targets"]) == 2
    assert told in capsys.readouterr().err


def test_a_pixel_of_a_half_has_one_path_at_the_least() -> None:
    assert Recipe.model_validate(PLAIN | {"targets": {"samples": 2}}).targets.samples == 2
    with pytest.raises(ValidationError, match="greater than or equal to 2"):
        Recipe.model_validate(PLAIN | {"targets": {"samples": 1}})


def test_the_document_names_every_key_and_every_array() -> None:
    text = (Path(__file__).parents[1] / "docs" / "datasets.md").read_text(encoding="utf-8")
    for name in CHANNELS:
        assert f"`{name}`" in text, name
    recipe = text.split("## The recipe")[1].split("## Rights")[0]
    named = re.findall(r"`([a-z_.]+)`", recipe)
    for table, field in Recipe.model_fields.items():
        inner = getattr(field.default, "__class__", None)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            for key in inner.model_fields:
                assert f"{table}.{key}" in named or f".{key}" in named, f"{table}.{key}"
        else:
            assert table in named, table
