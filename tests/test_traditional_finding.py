"""Which Blender is taken, for what, and what is said where none serves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from blender_fakes import fake_blender
from falsework.errors import FalseworkError
from falsework.render.traditional.blender import Blender, Blenders, find_blenders, setup_folder

PROBED = """
job = json.loads((folder / "job.json").read_text())
with open({log!r}, "a") as log: log.write("asked\\n")
if job["smoke"]:
    {smoke}
answer = {{"smoke": True}} if job["smoke"] else {{"version": {version!r}, "abilities": {abilities!r}}}
(folder / "answer.json").write_text(json.dumps(answer))
"""


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Blender; returns an empty folder that is its PATH."""
    monkeypatch.delenv("BLENDER", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def probed(
    folder: Path,
    *,
    version: str = "4.1.0",
    abilities: tuple[str, ...] = ("bullet", "cycles"),
    smoke: str = "pass",
) -> Path:
    body = PROBED.format(log=str(folder / "log"), version=version, abilities=abilities, smoke=smoke)
    return fake_blender(folder, body).program


def test_without_any_blender_one_sentence_says_how_to_get_one(nothing: Path) -> None:
    with pytest.raises(FalseworkError) as caught:
        find_blenders()
    said = caught.value.sentence()
    assert said.count(". ") == 0
    assert "falsework traditional setup" in said
    assert "--blender PATH" in said


def test_what_a_blender_is_able_to_do_is_asked_once(nothing: Path, tmp_path: Path) -> None:
    program = probed(nothing)
    for _ in range(3):
        found = find_blenders()
        assert found.simulate.program == program
        assert found.smoke.abilities == {"bullet", "cycles", "smoke"}
    assert (nothing / "log").read_text() == "asked\n" * 2
    os.utime(program, (1, 1))  # another one, for all we know
    find_blenders()
    assert (nothing / "log").read_text() == "asked\n" * 4


def test_one_may_bake_and_another_render(
    nothing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baking = probed(nothing)
    drawing = probed(tmp_path / "other", abilities=("bullet", "cycles", "denoise"), smoke="os.abort()")
    found = find_blenders(drawing)
    assert (found.simulate.program, found.smoke.program, found.render.program) == (drawing, baking, drawing)
    monkeypatch.setenv("BLENDER", str(drawing))
    assert find_blenders(baking).render.program == drawing


def test_where_nobody_bakes_smoke_that_is_said(nothing: Path) -> None:
    probed(nothing, smoke="os.abort()")
    with pytest.raises(
        FalseworkError, match=r"no Blender here can bake smoke \(found: 4\.1\.0 at .*\): install"
    ):
        _ = find_blenders().smoke


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("sys.exit(9)", "exit code 9"),
        ("", "without a whole answer"),
    ],
)
def test_a_named_blender_that_does_not_serve_is_named(
    nothing: Path, tmp_path: Path, body: str, told: str
) -> None:
    probed(nothing)
    broken = fake_blender(tmp_path / "broken", body).program
    with pytest.raises(FalseworkError, match=f"--blender names .*{told}"):
        find_blenders(broken)
    with pytest.raises(FalseworkError, match="no such program"):
        find_blenders(tmp_path / "nowhere")
    (tmp_path / "letters").mkdir()
    with pytest.raises(FalseworkError, match="that is a folder, and there is no Blender in it"):
        find_blenders(tmp_path / "letters")


def test_an_old_blender_is_refused(nothing: Path) -> None:
    program = probed(nothing, version="2.93.1")
    with pytest.raises(FalseworkError, match=r"it is Blender 2\.93\.1, and 3\.4 is the oldest") as caught:
        find_blenders(program)
    assert "install Blender 3.4 or later (https://www.blender.org/download/)" in caught.value.sentence()


def test_a_broken_blender_on_path_is_passed_over_and_told(nothing: Path, tmp_path: Path) -> None:
    fake_blender(nothing, "print('libGL.so.1: cannot open shared object file'); sys.exit(127)")
    with pytest.raises(FalseworkError, match=r"no usable Blender here; .*libGL\.so\.1"):
        find_blenders()
    other = probed(tmp_path / "other")
    found = find_blenders(other)
    assert [one.program for one in found.found] == [other]
    assert "libGL" in found.failed[0][1]


def test_the_commands_keep_a_users_paths_whole() -> None:
    script, folder = Path("/a b/bullet.py"), Path("/my shots/job")
    program = Blender(Path("/x y/blender"), False, "3.4.1", frozenset())
    assert program.command(script, folder) == [
        *("/x y/blender", "-b", "--factory-startup", "--python-exit-code", "3"),
        *("--python", "/a b/bullet.py", "--", "/my shots/job"),
    ]
    module = Blender(Path("/x y/python"), True, "5.0.1", frozenset())
    assert module.command(script, folder) == ["/x y/python", "/a b/bullet.py", "/my shots/job"]
    assert Blenders((program, module)).found[1].is_module


def test_the_setup_environment_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "my data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.delenv("BLENDER", raising=False)
    made = setup_folder() / "bin"
    made.mkdir(parents=True)
    (made / "python").symlink_to(sys.executable)
    with pytest.raises(FalseworkError, match=r"my data.*No module named 'bpy'"):
        find_blenders()
