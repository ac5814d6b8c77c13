"""A traditional run that goes on where Blender died, and what of it is delivered and put on record."""

from __future__ import annotations

import hashlib
import json
import os
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
from blender_fakes import fake_module, open_layers_comp
from falsework.delivery.layers_exr import write_frame
from falsework.delivery.manifest import write_manifest
from falsework.errors import FalseworkError
from falsework.render.layers import Layers
from falsework.render.traditional import process
from falsework.render.traditional.blender import Blender, Blenders
from falsework.render.traditional.process import Session, in_blender
from falsework.render.traditional.smoke import Smoke
from falsework.rights.state import State
from falsework.shots import pipeline, report_data, traditional_stages
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.recording import record_make
from falsework.shots.layer_files import read_layers
from falsework.shots.pipeline import MakeResult, make
from falsework.shots.stages import FrameStage, Stage
from shots_fakes import CODE, fake_stages, write_shot

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


class NoSmoke:
    """In the place of `Smoke`: nothing of it is read."""


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
    fake_smoke.Smoke = NoSmoke  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "falsework.render.traditional.cycles", fake_cycles)
    monkeypatch.setitem(sys.modules, "falsework.render.traditional.smoke", fake_smoke)
    for name in (
        "falsework.building.fragments.Fragments",
        "falsework.collapse.motion.Motion",
        "falsework.dust.field.Debris",
        f"{__name__}.NoSmoke",
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
