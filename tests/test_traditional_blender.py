"""With a Blender that is really there: it is found, speaks as the scripts expect, and makes a small shot.

Where there is none these tests skip; what may go wrong with one is tested without, in
test_traditional_process.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays, write_arrays
from falsework.render.traditional import process
from falsework.render.traditional.blender import Blender, Blenders, find_blenders
from falsework.render.traditional.process import Session, in_blender, run_job, write_job
from falsework.shots.layer_files import read_layers
from falsework.shots.pipeline import make
from test_shot_end_to_end import shrunk

HEAD = """
import sys
sys.path.insert(0, {exchange!r})
import bpy
import exchange
"""
COPIES = """
folder, job = exchange.begin()
scene = exchange.clear_scene()
assert not scene.objects
flat, values = exchange.read_flat(folder / "given.safetensors")
shape, points = flat["points"]
mesh = bpy.data.meshes.new("points")
mesh.vertices.add(shape[0])
mesh.vertices.foreach_set("co", points)
mesh.vertices.foreach_get("co", points)
exchange.write_flat(folder / "back.safetensors", {"points": (shape, points)}, **values)
exchange.say(1, 1)
exchange.finish({"name": job["name"]}, files=[folder / "back.safetensors"])
"""
FAILS = """
exchange.begin()
bpy.data.objects["no such object"]
"""
SERVES = """
def handle(request):
    scene = exchange.clear_scene()
    scene.frame_set(request["frame"])
    return {"frame": scene.frame_current}
exchange.serve(handle)
"""


@pytest.fixture(scope="module")
def blenders() -> Blenders:
    try:
        return find_blenders()
    except FalseworkError as error:
        pytest.skip(error.sentence())


@pytest.fixture
def each(blenders: Blenders) -> tuple[Blender, ...]:
    return blenders.found


def script(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    path = folder / "my script.py"
    path.write_text(HEAD.format(exchange=str(in_blender("exchange").parent)) + body)
    monkeypatch.setattr(process, "in_blender", lambda name: path)


def test_arrays_and_words_go_both_ways(
    each: tuple[Blender, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, tmp_path, COPIES)
    points = np.arange(12, dtype=np.float32).reshape(4, 3)
    for number, blender in enumerate(each):
        folder = tmp_path / f"my job {number}"
        folder.mkdir()
        write_job(folder, {"name": "été"})
        write_arrays(folder / "given.safetensors", {"points": points}, fps=24.0)
        heard: list[tuple[int, int]] = []
        answer = run_job(blender, "copies", folder, progress=lambda done, total: heard.append((done, total)))  # noqa: B023
        assert answer["name"] == "été"
        assert heard == [(1, 1)]
        assert answer.usage["cpu"] > 0
        back, values = read_arrays(folder / "back.safetensors")
        np.testing.assert_array_equal(back["points"], points)
        assert values == {"fps": 24.0}


def test_an_error_inside_is_told_by_its_last_line(
    each: tuple[Blender, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, tmp_path, FAILS)
    for blender in each:
        with pytest.raises(FalseworkError) as caught:
            run_job(blender, "fails", tmp_path)
        said = caught.value.sentence()
        assert "no such object" in said
        assert "Traceback" not in said
        assert 'File "' not in said


def test_one_is_kept_alive_for_many_requests(
    each: tuple[Blender, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, tmp_path, SERVES)
    for blender in each:
        with Session(blender, "serves", tmp_path) as session:
            assert [session.ask({"frame": frame})["frame"] for frame in (7, 3)] == [7, 3]


RATES = """
def rate(request):
    scene = exchange.clear_scene()
    exchange.set_frame_rate(scene, request["fps"])
    return {"fps": scene.render.fps / scene.render.fps_base}
exchange.serve(rate)
"""


def test_a_rate_that_is_no_whole_number_stays_what_it_is(
    each: tuple[Blender, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, tmp_path, RATES)
    for blender in each:
        with Session(blender, "rates", tmp_path) as session:
            for fps in (23.976, 24000 / 1001, 12.5, 24.0):
                assert session.ask({"fps": fps})["fps"] == pytest.approx(fps, rel=1e-6)


@pytest.mark.slow
def test_a_small_shot_is_made_and_delivered(blenders: Blenders, tmp_path: Path) -> None:
    """The Lyon corner in three small noisy frames: whole layers, and a delivery as falsework's own."""
    path = shrunk("lyon_corner", tmp_path / "my shots", "[240, 160]")
    text = path.read_text().replace("frames = [1001, 1015]", "frames = [1001, 1009]")
    path.write_text(text + "\n[traditional]\nsamples = 1\ndenoise = false\nsmoke_resolution = 32\n")
    if not all(
        any(able in one.abilities for one in blenders.found) for able in ("bullet", "smoke", "cycles")
    ):
        pytest.skip("no Blender here bakes smoke")
    result = make(path, pipeline="traditional", preview=True)
    assert result.out == path.parent / "out" / f"{result.shot.name}_traditional_preview"
    assert result.cut, result.unrecorded
    manifest = json.loads((result.out / "manifest.json").read_bytes())
    assert set(manifest["blender"]) == {"collapse", "dust", "render"}
    for name in ("review.mp4", "contact.png", "motion.usd", "exr/lyon_corner.1009.exr"):
        assert name in manifest["files"]
    assert "Mass of dust" in (result.out / "report.html").read_text()
    assert re.search(r"Blender</dt><dd>\d", (result.out / "report.html").read_text())
    first, last = (read_layers(result.stage("render").folder / f"{frame}.layers") for frame in (1001, 1009))
    assert (first.surface == 0).all()  # nothing has fallen: the picture is the plate
    assert (first.shadow == 1).all()
    assert last.surface[..., 3].max() > 0.9
    for image in vars(last).values():
        assert not np.isnan(image).any() or image is last.crypto
    again = make(path, pipeline="traditional", preview=True)
    assert all(stage.reused for stage in again.stages)
    own = make(path, preview=True, until="fracture", deliver=False)
    assert all(stage.reused for stage in own.stages)
