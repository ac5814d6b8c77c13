"""The traditional pipeline's stages: their keys, who does what, and what each is given."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from falsework.errors import FalseworkError
from falsework.render.traditional.blender import ABILITIES, Blender, Blenders
from falsework.render.traditional.settings import TraditionalSettings
from falsework.shots import stages, traditional_stages
from falsework.shots.spec import read_shot
from falsework.shots.stages import STAGES, Job
from falsework.shots.store import settings_key
from shots_fakes import SHOT

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
        traditional_stages.scripts_digest.cache_clear()
        before = keys()
        (inside / f"{name}.py").write_text(f"new {name}")
        traditional_stages.scripts_digest.cache_clear()
        assert [stage for stage, key in keys().items() if key != before[stage]] == redone
    monkeypatch.undo()
    traditional_stages.scripts_digest.cache_clear()


def test_the_stages_can_be_sent_to_another_process() -> None:
    stages = traditional_stages.traditional_stages(ABLE)
    for name in ("render", "comp"):
        again = pickle.loads(pickle.dumps(stages[name]))
        assert again.settings(read_shot(SHOT)) == stages[name].settings(read_shot(SHOT))


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
    for module in (stages, traditional_stages):
        monkeypatch.setattr(module, "delivered_view", lambda folder, height: Saved("plate", journal))

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
