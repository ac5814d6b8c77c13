"""The traditional pipeline's stages: their keys, who does what, and a run that goes on where Blender died."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import falsework
from blender_fakes import fake_blender, fake_module, open_layers_comp
from falsework.cli import main as cli
from falsework.delivery.layers_exr import write_frame
from falsework.delivery.manifest import write_manifest
from falsework.errors import FalseworkError
from falsework.render.layers import Layers
from falsework.render.traditional import blender as finding
from falsework.render.traditional import process
from falsework.render.traditional.blender import ABILITIES, Blender, Blenders
from falsework.render.traditional.process import Session, in_blender
from falsework.render.traditional.settings import TraditionalSettings
from falsework.render.traditional.smoke import Smoke
from falsework.rights.state import State
from falsework.shots import pipeline, report_data, traditional_stages
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.recording import record_make
from falsework.shots.layer_files import read_layers
from falsework.shots.pipeline import MakeResult, make
from falsework.shots.spec import read_shot
from falsework.shots.stages import STAGES, FrameStage, Job, Stage
from falsework.shots.store import settings_key
from shots_fakes import CODE, SHOT, fake_stages, write_shot

OURS = ["collapse", "dust", "render"]
ABLE = Blenders((Blender(Path("/opt/blender"), False, "4.1.0", frozenset(ABILITIES)),))


# ---- keys -------------------------------------------------------------------------------------------------


def keys(table: str = "", blenders: Blenders = ABLE, *, stages: Any = None) -> dict[str, str]:
    """What decides each stage, of its settings."""
    shot = read_shot(SHOT + table)
    stages = stages or traditional_stages.traditional_stages(blenders)
    return {name: settings_key({"settings": stage.settings(shot)}) for name, stage in stages.items()}


@pytest.mark.parametrize(
    ("line", "redone"),
    [
        ("samples = 16", ["render"]),
        ("noise_threshold = 0.1", ["render"]),
        ("bounces = 2", ["render"]),
        ("volume_bounces = 0", ["render"]),
        ("denoise = false", ["render"]),
        ("volume_step_rate = 3", ["render"]),
        ('device = "CUDA"', ["render"]),
        ("smoke_resolution = 64", ["dust"]),
        ("substeps = 4", ["collapse"]),
        ("solver_iterations = 20", ["collapse"]),
        ("threads = 1", []),
    ],
)
def test_a_setting_redoes_the_stage_it_decides_and_nothing_of_falsework_s_own(
    line: str, redone: list[str]
) -> None:
    table = f"\n[traditional]\n{line}\n"
    assert [name for name, key in keys(table).items() if key != keys()[name]] == redone
    assert keys(table, stages=STAGES) == keys(stages=STAGES)


def test_every_setting_decides_a_stage_or_is_known_not_to() -> None:
    decided = [name for names in traditional_stages.DECIDES.values() for name in names]
    assert sorted([*decided, "threads"]) == sorted(TraditionalSettings.model_fields)


def test_the_stages_are_falsework_s_own_but_for_three() -> None:
    ours = traditional_stages.traditional_stages(ABLE)
    assert list(ours) == list(STAGES)
    assert [name for name in STAGES if ours[name] is not STAGES[name]] == OURS
    for name in OURS:
        assert ours[name].needs == STAGES[name].needs
    changed = [name for name, key in keys().items() if key != keys(stages=STAGES)[name]]
    assert changed == OURS


def test_another_blender_or_script_makes_its_stages_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = Blender(Path("/opt/5"), False, "5.0.1", frozenset({"cycles", "denoise"}))
    two = Blenders((drawing, *ABLE.found))
    assert [name for name, key in keys(blenders=two).items() if key != keys()[name]] == ["render"]
    before = keys()
    inside = tmp_path / "in_blender"
    inside.mkdir()
    for name in ("exchange", "bullet", "cycles_scene"):
        (inside / f"{name}.py").write_text("old")
    monkeypatch.setattr(traditional_stages, "in_blender", lambda name: inside / f"{name}.py")
    for name, redone in (("bullet", ["collapse"]), ("cycles_scene", ["render"]), ("exchange", OURS)):
        traditional_stages._scripts_digest.cache_clear()
        before = keys()
        (inside / f"{name}.py").write_text(f"new {name}")
        traditional_stages._scripts_digest.cache_clear()
        assert [stage for stage, key in keys().items() if key != before[stage]] == redone
    monkeypatch.undo()
    traditional_stages._scripts_digest.cache_clear()


def test_the_stages_can_be_sent_to_another_process() -> None:
    stages = traditional_stages.traditional_stages(ABLE)
    for name in ("render", "comp"):
        again = pickle.loads(pickle.dumps(stages[name]))
        assert again.settings(read_shot(SHOT)) == stages[name].settings(read_shot(SHOT))


# ---- who is able -------------------------------------------------------------------------------------------


def test_what_no_blender_is_able_to_do_is_said_before_any_work() -> None:
    wanted = TraditionalSettings()
    all_stages = list(STAGES)
    baking = Blender(Path("/usr/bin/blender"), False, "3.4.1", frozenset({"bullet", "smoke", "cycles"}))
    drawing = Blender(Path("/env/bin/python"), True, "5.0.1", frozenset({"bullet", "cycles", "denoise"}))
    traditional_stages.demand(Blenders((baking, drawing)), wanted, all_stages)
    traditional_stages.demand(Blenders((drawing,)), wanted, all_stages[:4])
    with pytest.raises(FalseworkError, match="can bake smoke"):
        traditional_stages.demand(Blenders((drawing,)), wanted, all_stages)
    with pytest.raises(FalseworkError, match=r"can denoise .*denoise = false"):
        traditional_stages.demand(Blenders((baking,)), wanted, all_stages)
    noisy = wanted.model_copy(update={"denoise": False})
    traditional_stages.demand(Blenders((baking,)), noisy, all_stages)


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
    assert f"render   5.0.1 at {program}" in said.out
    assert "dust     nobody" in said.out
    assert "no Blender here can bake smoke" in said.err
    assert "no Blender here denoises" in said.err
    assert cli.main(["traditional", "check", "--blender", str(program), "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["stages"] == {"collapse": str(program), "dust": None, "render": str(program)}


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


# ---- the calls into the room ---------------------------------------------------------------------------


class Saved:
    """Something a stage loads from a folder, or saves to one."""

    curves: dict[str, Any] = {}  # noqa: RUF012
    set_planes = ()
    camera = "camera"

    def __init__(self, name: str, journal: list[str]) -> None:
        self.name, self.journal = name, journal

    def save(self, folder: Path | None = None) -> None:
        self.journal.append(f"saved {self.name}")


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Job, dict[str, Any], list[str]]:
    """A job, what the fakes of Blender's functions were given, and what was saved."""
    journal: list[str] = []
    given: dict[str, Any] = {}

    def load(name: str) -> Any:
        return classmethod(lambda cls, folder: Saved(f"{name} of {folder.name}", journal))

    monkeypatch.setattr("falsework.building.fragments.Fragments.load", load("fragments"))
    monkeypatch.setattr("falsework.collapse.motion.Motion.load", load("motion"))
    monkeypatch.setattr(traditional_stages, "delivered_view", lambda folder, height: Saved("plate", journal))

    def simulate(*arguments: Any, folder: Path, **named: Any) -> Saved:
        given.update(named, arguments=arguments, folder=folder)
        (folder / "usage.json").write_text('{"wall": 2.0, "cpu": 1.0}')
        return Saved("result", journal)

    def debris(*arguments: Any, progress: Any, **named: Any) -> Saved:
        progress(1, 2)
        return Saved("debris", journal)

    for module, name in (("bullet", "bullet_collapse"), ("smoke", "mantaflow_dust")):
        fake = ModuleType(module)
        setattr(fake, name, simulate)
        monkeypatch.setitem(sys.modules, f"falsework.render.traditional.{module}", fake)
    monkeypatch.setattr("falsework.dust.debris.simulate_debris", debris)
    shot = read_shot(SHOT + "\n[traditional]\nsubsteps = 7\n")
    folders = {name: tmp_path / name for name in ("solve", "fracture", "collapse", "dust")}
    (tmp_path / "part").mkdir()
    said: list[tuple[int, int]] = []
    given["said"] = said
    job = Job(
        shot, tmp_path, tmp_path / "part", folders, None, lambda done, total: said.append((done, total))
    )
    return job, given, journal


def test_bullet_is_given_what_falsework_s_own_collapse_is(
    called: tuple[Job, dict[str, Any], list[str]],
) -> None:
    job, given, journal = called
    traditional_stages._collapse(ABLE, job)
    fragments, planes, settings, traditional = given["arguments"]
    assert (fragments.name, planes) == ("fragments of fracture", ())
    assert (settings, traditional.substeps) == (job.shot.collapse, 7)
    assert (given["first_frame"], given["frames"], given["fps"], given["seed"]) == (1001, 12, 24.0, 3)
    assert given["blender"] is ABLE.found[0]
    assert journal == ["saved result"]
    assert [path.name for path in job.folder.iterdir()] == ["blender.json"]
    noted = json.loads((job.folder / "blender.json").read_bytes())
    assert noted == {"version": "4.1.0", "usage": {"wall": 2.0, "cpu": 1.0}}
    assert traditional_stages.blender_notes({"collapse": job.folder, "solve": job.base}) == {
        "collapse": "4.1.0"
    }


def test_the_dust_is_mantaflows_and_the_chips_are_falsework_s(
    called: tuple[Job, dict[str, Any], list[str]],
) -> None:
    job, given, journal = called
    traditional_stages._dust(ABLE, job)
    fragments, motion, debris, planes, dust, traditional = given["arguments"]
    assert (fragments.name, motion.name, debris.name) == (
        "fragments of fracture",
        "motion of collapse",
        "debris",
    )
    assert (planes, dust, traditional) == ((), job.shot.dust, job.shot.traditional)
    assert (given["camera"], given["folder"], given["seed"]) == ("camera", job.folder, 3)
    given["progress"](1, 4)
    assert given["said"] == [(1, 20), (13, 40)]
    assert "saved debris" in journal


# ---- a run whose Blender dies ------------------------------------------------------------------------------

DRAWING = """
import json, os, sys, time
sys.path.insert(0, {exchange!r})
from pathlib import Path
import exchange
folder = Path(sys.argv[-1])
(Path({pids!r})).open("a").write(f"{{os.getpid()}}\\n")
def draw(request):
    frame = request["frame"]
    fate = Path({fate!r}).read_text()
    path = folder / f"frame {{frame}}.raw"
    path.write_bytes(b"x" * 100)
    if fate == f"dies {{frame}}":
        print("Out of memory in BVH build", flush=True)
        os.kill(os.getpid(), 11)
    if fate == f"hangs {{frame}}":
        print("Rendering 1 / 64 samples", flush=True)
        time.sleep(600)
    if fate == f"half {{frame}}":
        exchange._sizes, whole = (lambda *given: {{"files": {{path.name: 5000}}}}), exchange._sizes
    return {{"files": [path]}}
exchange.serve(draw)
"""


class FakeCycles:
    """As CyclesRenderer, of a program that draws nothing."""

    def __init__(self, *arguments: Any, blender: Blender, folder: Path, seed: int) -> None:
        self._session = Session(blender, "cycles_session", folder, patience=1.0)

    def layers(self, index: int) -> Iterator[tuple[str, np.ndarray]]:
        self._session.ask({"frame": index})
        for name, channels in (("surface", 4), ("shadow", 3), ("dust", 4), ("dust_front", 4), ("normal", 3)):
            yield name, np.full((4, 6, channels), index, np.float32)
        for name, channels in (("motion", 2), ("albedo", 3), ("crypto", 4)):
            yield name, np.zeros((4, 6, channels), np.float32)
        for name in ("hold", "depth"):
            yield name, np.zeros((4, 6), np.float32)

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shot file in a folder with spaces, whose traditional render is FakeCycles."""
    fake_cycles, fake_smoke = ModuleType("cycles"), ModuleType("smoke")
    fake_cycles.CyclesRenderer = FakeCycles  # type: ignore[attr-defined]
    fake_smoke.Smoke = Saved  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "falsework.render.traditional.cycles", fake_cycles)
    monkeypatch.setitem(sys.modules, "falsework.render.traditional.smoke", fake_smoke)
    for name in (
        "falsework.building.fragments.Fragments",
        "falsework.collapse.motion.Motion",
        "falsework.dust.field.Debris",
        f"{__name__}.Saved",
    ):
        monkeypatch.setattr(f"{name}.load", lambda folder: None, raising=False)
    monkeypatch.setattr(traditional_stages, "delivered_view", lambda folder, height: None)
    script = tmp_path / "drawing.py"
    places = {name: str(tmp_path / name) for name in ("pids", "fate")}
    script.write_text(DRAWING.format(exchange=str(in_blender("exchange").parent), **places))
    monkeypatch.setattr(process, "in_blender", lambda name: script)
    monkeypatch.setattr(pipeline, "find_blenders", lambda named: Blenders((fake_module(),)))
    real = traditional_stages.traditional_stages

    def stages(blenders: Blenders) -> dict[str, Stage | FrameStage]:
        render = real(blenders)["render"]
        assert isinstance(render, FrameStage)
        comp = fake_stages()["comp"]
        assert isinstance(comp, FrameStage)
        return fake_stages() | {
            "render": replace(render, code=CODE),
            "comp": replace(comp, open=open_layers_comp),
        }

    monkeypatch.setattr(pipeline, "traditional_stages", stages)
    (tmp_path / "fate").write_text("well")
    return write_shot(tmp_path / "my shots")


def run(path: Path, **options: Any) -> MakeResult:
    return make(path, pipeline="traditional", deliver=False, until="render", **options)


def test_frames_are_drawn_by_a_blender_that_ends_with_the_stage(shot: Path, tmp_path: Path) -> None:
    result = run(shot)
    folder = result.stage("render").folder
    assert len(list(folder.glob("*.layers"))) == 12
    third = read_layers(folder / "1003.layers")
    assert isinstance(third, Layers)
    assert (third.surface == 2).all()
    assert not list(folder.glob("scene*"))
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 1
    assert not Path(f"/proc/{pids[0]}").exists()
    assert json.loads((folder / "blender.json").read_bytes())["version"] == "9.9.9"
    assert run(shot).stage("render").reused


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        ("dies 2", r"died \(Segmentation fault\); its last words: \"Out of memory in BVH build\""),
        ("hangs 2", r"said nothing for 1 s and was ended; its last words: \"Rendering 1 / 64 samples\""),
        ("half 2", r"left frame 2\.raw with 100 of 5000 bytes"),
    ],
)
def test_a_run_goes_on_from_the_last_whole_frame(shot: Path, tmp_path: Path, fate: str, told: str) -> None:
    (tmp_path / "fate").write_text(fate)
    with pytest.raises(FalseworkError, match=told):
        run(shot)
    work = shot.parent / "work"
    whole = {path.name: path.stat().st_mtime_ns for path in work.glob("*/render/*/*.layers")}
    assert sorted(whole) == ["1001.layers", "1002.layers"]
    assert not list(work.rglob("scene*"))
    (tmp_path / "fate").write_text("well")
    again = run(shot)
    assert again.stage("render").frames_reused == 2
    for name, modified in whole.items():
        assert (again.stage("render").folder / name).stat().st_mtime_ns == modified
    for pid in (tmp_path / "pids").read_text().split():
        assert not Path(f"/proc/{pid}").exists()


def test_a_scene_that_a_killed_run_left_is_swept(shot: Path) -> None:
    folder = run(shot).stage("render").folder
    left = folder / "scene.part-1"
    left.mkdir()
    (left / "big.exr").write_bytes(b"x")
    run(shot)
    assert not left.exists()


def test_comp_works_beside_it_in_a_process_of_its_own(shot: Path, tmp_path: Path) -> None:
    result = make(shot, pipeline="traditional", deliver=False)
    frames = sorted(result.stage("comp").folder.glob("*.exr"))
    assert len(frames) == 12
    assert str(os.getpid()) not in {path.read_text().split()[1] for path in frames}
    assert frames[4].read_text().split()[0] == "4.0"
    for pid in (tmp_path / "pids").read_text().split():
        assert not Path(f"/proc/{pid}").exists()


def test_what_it_makes_has_folders_of_its_own(shot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Path] = []

    def hand_over(shot_: Any, out: Path, *arguments: Any, **options: Any) -> Any:
        handed.append(out)
        raise FalseworkError("far enough")

    monkeypatch.setattr(pipeline, "hand_over", hand_over)
    for options in ({}, {"preview": True}):
        with pytest.raises(FalseworkError, match="far enough"):
            make(shot, pipeline="traditional", until="render", **options)
    assert [path.name for path in handed] == ["tiny_traditional_render", "tiny_traditional_preview_render"]


def test_the_setup_environment_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "my data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.delenv("BLENDER", raising=False)
    made = finding.setup_folder() / "bin"
    made.mkdir(parents=True)
    (made / "python").symlink_to(sys.executable)
    with pytest.raises(FalseworkError, match=r"my data.*No module named 'bpy'"):
        finding.find_blenders()


# ---- what is delivered and put on record -------------------------------------------------------------------


def test_each_blender_is_on_record_with_what_it_made(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    out = tmp_path / "out" / "tiny_traditional"
    picture = np.full((4, 6, 3), 0.2, np.float32)
    (out / "exr").mkdir(parents=True)
    name = "exr/tiny.1001.exr"
    write_frame(out / name, {"beauty": picture}, frame=1001, fps=24, name="tiny", crypto_manifest={})
    plate = hashlib.sha256((tmp_path / "plate.png").read_bytes()).hexdigest()
    manifest = write_manifest(
        out / "manifest.json", out, [name], inputs={"plate.png": plate}, versions={}, opengl=None, seed=3,
        parameters={}, seconds={"comp": 1.0}, reused=[],
        blender={"collapse": "3.4.1", "dust": "3.4.1", "render": "5.0.1"},
    )  # fmt: skip
    assert manifest["blender"] == {"collapse": "3.4.1", "dust": "3.4.1", "render": "5.0.1"}
    desk = desk_of(path)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    cut = record_make(desk, out, preview=False, at=at, seconds=2.0)
    with desk.open_ledger() as ledger:
        steps = State.of(ledger.events()).made_by(cut.id)
    assert {(one.type, one.tool, one.version, one.parameters.get("stage")) for one in steps} == {
        ("make", "falsework", falsework.__version__, None),
        ("simulate", "Blender", "3.4.1", "collapse"),
        ("simulate", "Blender", "3.4.1", "dust"),
        ("render", "Blender", "5.0.1", "render"),
    }
    assert all(one.offline and one.used == steps[0].used for one in steps)
    # A simulation used no trained model; whether the render did (its denoiser is one), a person says.
    assert {one.type for one in steps if one.parameters.get("models") == []} == {"simulate"}
    assert len(steps[0].used) > 1  # the plate, and falsework's textures
    record_make(desk, out, preview=False, at=at, seconds=2.0)
    with desk.open_ledger() as ledger:
        assert len(State.of(ledger.events()).made_by(cut.id)) == 4


def test_a_run_without_blender_has_none_on_record(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    manifest = write_manifest(
        tmp_path / "m" / "manifest.json", tmp_path, [], inputs={}, versions={}, opengl=None, seed=3,
        parameters={}, seconds={}, reused=[], blender=traditional_stages.blender_notes({"dust": tmp_path}),
    )  # fmt: skip
    assert manifest["blender"] is None


def test_the_report_draws_mantaflows_curves_and_names_the_blenders(tmp_path: Path) -> None:
    curves = {"mass": np.array([0, 2, 5], np.float32), "emitted": np.array([0, 2, 6], np.float32)}
    folders = {}
    for stage, version in (("collapse", "3.4.1"), ("dust", "3.4.1"), ("render", "5.0.1")):
        folders[stage] = tmp_path / stage
        folders[stage].mkdir()
        (folders[stage] / "blender.json").write_text(json.dumps({"version": version}))
    Smoke(folders["dust"], "smoke.{index:04d}.vdb", (0, 0, 0), 0.5, (4, 4, 4), 3, 1.0, curves).save()
    assert report_data._dust_curves(folders["dust"])["mass"].tolist() == [0, 2, 5]
    assert report_data._blender(folders) == [("Blender", "3.4.1 (collapse, dust); 5.0.1 (render)")]
    assert report_data._blender({"dust": tmp_path}) == []
