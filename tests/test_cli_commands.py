"""The command line: words, exit codes, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from falsework.cli import main as cli
from falsework.shots import pipeline
from shots_fakes import SHOT, fake_stages, write_shot

HEAVY = ("pydantic", "numpy", "rich", "cv2", "numba", "scipy", "moderngl", "rapier3d", "openai", "pxr", "av")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["make", "--help"], ["solve", "--help"], ["new", "-h"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from falsework.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as left: assert not left.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line on fake stages, delivering nothing."""
    real = pipeline.make

    def make(shot: Path, **options: Any) -> pipeline.MakeResult:
        return real(shot, **(options | {"stages": fake_stages(), "deliver": False}))

    monkeypatch.setattr(pipeline, "make", make)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.usefixtures("fakes")
def test_make_says_what_it_made_and_what_it_reused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write_shot(tmp_path))
    code, out, _ = run(capsys, "make", path, "--preview")
    assert code == 0
    assert "tiny: 3 frames" in out
    code, out, err = run(capsys, "make", path, "--preview")
    assert "reused: solve, build, fracture, collapse, dust, render, comp" in err


@pytest.mark.usefixtures("fakes")
def test_json_is_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(write_shot(tmp_path))
    code, out, err = run(capsys, "make", path, "--json", "--quiet", "--until", "dust", "--seed", "9")
    answer = json.loads(out)
    assert code == 0
    assert err == ""
    assert answer["ok"] is True
    assert list(answer["seconds"]) == ["solve", "build", "fracture", "collapse", "dust"]
    assert answer["reused"] == []


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("stage", ["solve", "build", "fracture", "collapse", "dust", "render", "comp"])
def test_each_stage_is_a_command(stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_shot(tmp_path)
    code, out, err = run(capsys, stage, str(path))
    assert code == 0
    assert out.startswith(f"{stage}: ")
    assert list((tmp_path / "work" / "tiny" / stage).iterdir())
    assert not (tmp_path / "out").exists()
    assert err.splitlines()[-1].startswith(stage)
    code, out, err = run(capsys, stage, str(path), "--quiet")
    assert (code, out, err) == (0, "", "")


def test_a_fault_in_the_shot_is_a_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_shot(tmp_path, SHOT.replace("[collapse]", "[colapse]"))
    code, out, err = run(capsys, "make", str(path))
    assert code == 2
    assert out == ""
    assert 'Did you mean "collapse"?' in err
    assert "Traceback" not in err
    code, out, err = run(capsys, "make", str(path), "--json")
    fault = json.loads(out)
    assert fault["ok"] is False
    assert fault["exit_code"] == 2
    assert fault["error"]["where"].endswith("shot.toml:14: colapse")


def test_a_fault_of_ours_is_exit_code_1_and_keeps_the_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(pipeline, "make", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, _, err = run(capsys, "make", "shot.toml")
    assert code == 1
    assert "A fault of ours" in err
    assert "Traceback" not in err
    kept = next(tmp_path.glob("falsework-*.txt"))
    assert str(kept) in err
    assert "ZeroDivisionError: by nothing" in kept.read_text()


def test_control_c_says_that_finished_work_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "make", interrupted)
    code, _, err = run(capsys, "make", "shot.toml")
    assert code == 130
    assert "is kept" in err


def test_a_brief_is_shown_with_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "brief", "La torre implosiona sin polvo y baila", "--offline")
    assert code == 0
    assert 'collapse.kind = "implosion"  # implosiona' in out
    assert "not understood: baila" in out
    code, out, _ = run(capsys, "brief", "La torre implosiona", "--json", "--offline")
    assert json.loads(out)["settings"]["collapse.kind"] == {"value": "implosion", "words": "implosiona"}


def test_new_begins_a_shot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), np.zeros((100, 150, 3), np.uint8))
    folder = tmp_path / "begun"
    code, out, _ = run(
        capsys, "new", str(folder), "--plate", str(photo), "--brief", "it topples", "--offline"
    )
    assert code == 0
    assert (folder / "shot.toml").exists()
    assert "Correct the facade's corners" in out
    code, _, err = run(capsys, "new", str(folder), "--plate", str(photo))
    assert code == 2
    assert "is there already" in err


@pytest.mark.parametrize(
    "arguments", [["make"], ["melt"], [], ["make", "x", "--until", "lunch"], ["make", "x", "--seed", "-1"]]
)
def test_wrong_arguments_are_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2


@pytest.mark.usefixtures("fakes")
def test_clean_frees_what_the_last_runs_did_not_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_shot(tmp_path)
    run(capsys, "make", str(path), "--quiet")
    path.write_text(SHOT.replace("seed = 3", "seed = 4"))
    run(capsys, "make", str(path), "--quiet")
    code, out, _ = run(capsys, "clean", str(path), "--json")
    assert (code, json.loads(out)["removed"]) == (0, [])
    code, out, _ = run(capsys, "clean", str(path), "--keep", "1")
    assert code == 0
    assert out.startswith("tiny: 6 results removed")
    code, out, _ = run(capsys, "make", str(path), "--json", "--quiet")
    assert len(json.loads(out)["reused"]) == 7
