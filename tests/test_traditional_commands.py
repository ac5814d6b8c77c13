"""`falsework traditional` and `make --pipeline traditional`, as a person meets them on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blender_fakes import ended, fake_blender
from falsework.cli import main as cli
from falsework.errors import FalseworkError
from falsework.render.traditional.blender import find_blenders
from falsework.render.traditional.settings import TraditionalSettings
from falsework.shots.traditional_stages import demand
from shots_fakes import write_shot


@pytest.fixture
def no_blender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BLENDER", raising=False)
    for name in ("PATH", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))


def test_without_a_blender_one_sentence_says_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], no_blender: None
) -> None:
    path = write_shot(tmp_path)
    assert cli.main(["make", str(path), "--pipeline", "traditional"]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "falsework traditional setup" in said
    assert "--blender PATH" in said
    assert not (tmp_path / "work").exists()
    assert cli.main(["traditional", "check", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_a_blender_without_the_pipeline_is_a_slip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["make", str(write_shot(tmp_path)), "--blender", "/usr/bin/blender"]) == 2
    assert "Add --pipeline traditional" in capsys.readouterr().err


PROBED = """
job = json.loads((folder / "job.json").read_text())
if job["smoke"]:
    os.abort()
(folder / "answer.json").write_text(json.dumps({"version": "5.0.1", "abilities": ["bullet", "cycles"]}))
"""


def test_check_tells_who_does_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], no_blender: None
) -> None:
    program = fake_blender(tmp_path / "my programs", PROBED).program
    assert cli.main(["traditional", "check", "--blender", str(program)]) == 2  # nobody bakes
    said = capsys.readouterr()
    assert f"5.0.1    {program}  (can simulate rigid bodies, render)" in said.out
    assert f"collapse 5.0.1 at {program}" in said.out
    assert "dust     nobody" in said.out
    assert "no Blender here can bake smoke" in said.err
    assert cli.main(["traditional", "check", "--blender", str(program), "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["stages"] == {"collapse": str(program), "dust": None, "render": None}


def test_one_that_does_not_denoise_serves_only_a_shot_that_wants_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], no_blender: None
) -> None:
    """What `check` says of the render is what `make` does about it, and what it names helps."""
    program = str(fake_blender(tmp_path / "my programs", PROBED).program)
    assert cli.main(["traditional", "check", "--blender", program]) == 2
    said = capsys.readouterr()
    assert "render   nobody" in said.out
    assert f"render: nobody (5.0.1 at {program} draws, but does not denoise" in said.err
    assert "set `denoise = false` under [traditional]" in said.err
    blenders = find_blenders(Path(program))
    with pytest.raises(FalseworkError, match="can denoise"):
        demand(blenders, TraditionalSettings(), ["render"])
    demand(blenders, TraditionalSettings(denoise=False), ["render"])


HANGS = """
child = subprocess.Popen(["sleep", "600"])
Path({pids!r}).write_text(f"{{os.getpid()}} {{child.pid}}\\n")
time.sleep(600)
"""


def test_a_command_that_is_terminated_ends_as_one_that_is_interrupted(
    tmp_path: Path, no_blender: None
) -> None:
    """SIGTERM, as batch systems and `kill` send it: no Blender lives on, no scratch stays."""
    pids, scratch = tmp_path / "pids", tmp_path / "scratch"
    scratch.mkdir()
    program = fake_blender(tmp_path / "my programs", HANGS.format(pids=str(pids))).program
    program.write_text(program.read_text().replace('["sleep"', '["/bin/sleep"'))
    ours = subprocess.Popen(
        [sys.executable, "-m", "falsework", "traditional", "check", "--blender", str(program)],
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    limit = time.monotonic() + 60
    while not (pids.exists() and pids.read_text().endswith("\n")) and time.monotonic() < limit:
        time.sleep(0.02)
    ours.terminate()
    _, said = ours.communicate(timeout=30)
    assert ours.returncode == 130
    assert said.decode().startswith("Stopped.")
    assert all(ended(int(pid)) for pid in pids.read_text().split())
    assert not list(scratch.iterdir())


def test_setup_leaves_other_peoples_folders_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], no_blender: None
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letters.txt").write_text("dear")
    assert cli.main(["traditional", "setup", "--folder", str(tmp_path / "mine")]) == 2
    assert "something else in it" in capsys.readouterr().err
    assert (tmp_path / "mine" / "letters.txt").read_text() == "dear"


def test_setup_says_why_pip_did_not_succeed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], no_blender: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from falsework.render.traditional import setup

    python = tmp_path / "python3.11"
    python.write_text(
        f"#!{sys.executable}\nimport os, sys\nfrom pathlib import Path\n"
        "if sys.argv[1] == '-c': print('3.11')\n"
        "elif sys.argv[2] == 'venv':\n"
        "    made = Path(sys.argv[-1]) / 'bin'\n"
        "    made.mkdir(parents=True)\n"
        "    (made / 'python').write_bytes(Path(sys.argv[0]).read_bytes())\n"
        "    (made / 'python').chmod(0o755)\n"
        "else: sys.exit('ERROR: No matching distribution found for bpy')\n"
    )
    python.chmod(0o755)
    monkeypatch.setattr(setup.sys, "executable", str(python))
    assert cli.main(["traditional", "setup", "--folder", str(tmp_path / "env"), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "pip could not install bpy" in said
    assert "No matching distribution found for bpy" in said


def test_help_of_the_new_commands_is_light() -> None:
    script = (
        "import sys\nfrom falsework.cli.main import main\n"
        "try: main(['traditional', 'setup', '--help'])\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('falsework.render', 'numpy', 'pydantic'))])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"
