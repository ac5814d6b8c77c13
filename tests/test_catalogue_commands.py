"""`falsework catalogue …` as people type it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import falsework
from falsework.cli.main import main

TITLES = """\
id,title,year,genres,rating,cast
1,"Dust, again",2001,Drama,G,Ada
2,Calm,1999,Comedy,R,Bea
3,,1999,,,
"""


@pytest.fixture(autouse=True)
def own_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FALSEWORK_CATALOGUE", str(tmp_path / "own" / "catalogue.db"))
    (tmp_path / "titles.csv").write_text(TITLES)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "own" / "catalogue.db"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    main(["catalogue", *words, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["catalogue", *words]) == 0
    return capsys.readouterr().out


def test_import_list_show_export_remove(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = said(capsys, "import", "titles.csv", "--refused", "refused.jsonl")
    assert "3 rows; 2 added, 0 changed, 0 as they were, 1 refused" in words
    assert "refused: line 4 (3): it has no title" in words
    assert json.loads((tmp_path / "refused.jsonl").read_text()) == {
        "file": "titles.csv", "line": 4, "id": "3", "reason": "it has no title",
    }  # fmt: skip
    assert "imported before" in said(capsys, "import", "titles.csv")
    assert said(capsys, "list").splitlines() == [
        "1  Dust, again  2001  G  Drama", "2  Calm  1999  R  Comedy", "2 of 2 titles",
    ]  # fmt: skip
    assert said(capsys, "list", "--kids", "--quiet") == "1  Dust, again  2001  G  Drama\n"
    assert "--limit 10" in said(capsys, "list", "--limit", "1")
    assert [one["id"] for one in told(capsys, "list", "--person", "bea")["titles"]] == ["2"]
    assert told(capsys, "show", "1")["title"]["credits"] == [{"name": "Ada", "role": "cast"}]
    assert "cast: Ada" in said(capsys, "show", "1")
    assert told(capsys, "export", "all.jsonl")["titles"] == 2
    assert told(capsys, "import", "all.jsonl", "--catalogue", "second.db")["imports"][0]["added"] == 2
    assert "1 title removed" in said(capsys, "remove", "1")
    assert told(capsys, "list")["count"] == 1


def test_the_sample_can_be_looked_at_and_not_changed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sample = ("--catalogue", "sample")
    assert "The Lyon Corner" in said(capsys, "show", "the-lyon-corner-2026", *sample)
    assert told(capsys, "list", "Tremors", *sample)["titles"][0]["id"] == "tremors-1990"
    assert "building collapse" in said(capsys, "scene", "the-lyon-corner-2026", "4720", *sample)
    assert told(capsys, "export", "sample.jsonl", *sample)["titles"] > 400
    (tmp_path / "delivery").mkdir()
    for words in (
        ["import", "titles.csv"],
        ["remove", "tremors-1990"],
        ["attach", "tremors-1990", "delivery"],
    ):
        assert main(["catalogue", *words, *sample]) == 2
        assert "there to be looked at" in capsys.readouterr().err
    assert not (tmp_path / "sample").exists()


def test_scenes_and_what_is_on_screen(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scene = {
        "title_id": "1",
        "number": 1,
        "starts": 0,
        "ends": "1:00",
        "events": ["chase"],
        "description": "Dust",
    }
    (tmp_path / "scenes.jsonl").write_text(json.dumps(scene))
    done = told(capsys, "import", "titles.csv", "--scenes", "scenes.jsonl")["imports"]
    assert [one["added"] for one in done] == [2, 1]
    assert said(capsys, "scene", "1", "59.5") == "scene 1 (1/scene-1) 0:00:00–0:01:00 chase; Dust\n"
    assert said(capsys, "scene", "1", "60") == "No scene is known there.\n"
    assert told(capsys, "scene", "1", "3")["scene"]["events"] == ["chase"]


def test_a_dry_run_begins_no_catalogue(capsys: pytest.CaptureFixture[str], own_catalogue: Path) -> None:
    assert "would be 2 added" in said(capsys, "import", "titles.csv", "--dry-run")
    assert not own_catalogue.parent.exists()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["list"], "there is no catalogue here"),
        (["show", "1"], "there is no catalogue here"),
        (["import"], "nothing to import"),
        (["import", "absent.csv"], "no such file"),
        (["import", "titles.csv", "--mapping", "absent.toml"], "mapping cannot be read"),
        (["import", "titles.csv", "--catalogue", "titles.csv"], "is no catalogue"),
    ],
)
def test_what_can_be_mended_is_said(capsys: pytest.CaptureFixture[str], words: list[str], what: str) -> None:
    assert main(["catalogue", *words]) == 2
    assert what in capsys.readouterr().err


def test_unknown_ids_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "import", "titles.csv")
    for words in (
        ["show", "9"],
        ["scene", "9", "1"],
        ["remove", "1", "9"],
        ["list", "--country", "Atlantis"],
    ):
        assert main(["catalogue", *words]) == 2
    capsys.readouterr()
    assert told(capsys, "list")["count"] == 2, "nothing is removed where one is not there"


def test_what_a_title_says_steers_no_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    row = {"id": "1", "title": "T\u200f\x1b[2J", "synopsis": "\u200f right to left", "cast": ["\u061c N"]}
    (tmp_path / "t.jsonl").write_text(json.dumps(row))
    said(capsys, "import", "t.jsonl")
    for words in (["list"], ["show", "1"]):
        assert not {"\x1b", "\u200f", "\u061c"} & set(said(capsys, *words))


def test_index_builds_what_search_answers_from(
    capsys: pytest.CaptureFixture[str], memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(memory / "cache"))
    said(capsys, "import", "titles.csv")
    assert "2 titles are indexed" in said(capsys, "index")
    assert main(["search", "calm", "--offline", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "indexed once" not in err
    assert json.loads(out)["results"][0]["title"] == "Calm"
    assert told(capsys, "index", "--index", str(memory / "elsewhere"))["titles"] == 2
    assert (memory / "elsewhere").is_dir()


def test_every_command_that_an_error_names_is_one() -> None:
    package = Path(falsework.__file__).parent
    named = {
        tuple(words.split())
        for file in package.rglob("*.py")
        for words in re.findall(r"`falsework ((?:catalogue|search) [a-z]+)", file.read_text())
    }
    assert ("catalogue", "import") in named
    tasks = {"import", "index", "list", "show", "scene", "export", "attach", "remove"}
    assert {task for room, task in named if room == "catalogue"} <= tasks
    assert {task for room, task in named if room == "search"} <= {"serve"}
