"""What passes between falsework and the scripts inside Blender, and that neither imports the other."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import falsework
from falsework.media.arrays import read_arrays, write_arrays
from falsework.render.traditional.process import in_blender, write_job

PACKAGE = Path(falsework.__file__).parent


def exchange() -> object:
    sys.path.insert(0, str(in_blender("exchange").parent))
    try:
        import exchange as module
    finally:
        sys.path.pop(0)
    return module


def test_arrays_go_both_ways(tmp_path: Path) -> None:
    inside = exchange()
    arrays = {
        "flags": np.array([True, False, True]),
        "points": np.arange(12, dtype=np.float32).reshape(4, 3),
        "mass": np.array([1.5, 2.5]),
        "index": np.array([[1], [-2]], np.int32),
        "none": np.zeros((0, 3), np.float32),
    }
    write_arrays(tmp_path / "out.safetensors", arrays, fps=24.0, name="é")
    flat, values = inside.read_flat(tmp_path / "out.safetensors")
    assert values == {"fps": 24.0, "name": "é"}
    for name, (shape, content) in flat.items():
        assert shape == arrays[name].shape
        assert list(content) == arrays[name].ravel().tolist()
    whole, _ = inside.read_arrays(tmp_path / "out.safetensors")
    inside.write_arrays(tmp_path / "back.safetensors", whole, fps=24.0)
    back, values = read_arrays(tmp_path / "back.safetensors")
    assert values == {"fps": 24.0}
    for name, one in arrays.items():
        assert back[name].dtype == one.dtype
        np.testing.assert_array_equal(back[name], one)
    kept = {name: pair for name, pair in flat.items() if name != "flags"}
    inside.write_flat(tmp_path / "flat.safetensors", kept, frames=3)
    back, values = read_arrays(tmp_path / "flat.safetensors")
    assert values == {"frames": 3}
    for name in kept:
        assert back[name].dtype == arrays[name].dtype
        np.testing.assert_array_equal(back[name], arrays[name])


def test_a_jobs_arrays_cut_short_are_noticed_inside(tmp_path: Path) -> None:
    write_arrays(tmp_path / "out.safetensors", {"points": np.zeros((100, 3))})
    data = (tmp_path / "out.safetensors").read_bytes()
    (tmp_path / "out.safetensors").write_bytes(data[:-100])
    with pytest.raises(ValueError, match="cut short"):
        exchange().read_flat(tmp_path / "out.safetensors")


def test_a_job_is_written_whole(tmp_path: Path) -> None:
    write_job(tmp_path, {"frames": 3, "name": "é"})
    assert json.loads((tmp_path / "job.json").read_bytes()) == {"frames": 3, "name": "é"}
    with pytest.raises(ValueError):
        write_job(tmp_path, {"size": float("nan")})


# ---- neither imports the other ---------------------------------------------------------------------------


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if (
                called in ("import_module", "__import__")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                names.add(str(node.args[0].value).split(".")[0])
    return names


INSIDE = {"bpy", "mathutils", "bmesh", "_cycles", "bpy_extras", "gpu", "openvdb"}


def test_falsework_never_imports_bpy() -> None:
    ours = [path for path in PACKAGE.rglob("*.py") if "in_blender" not in path.parts]
    assert len(ours) > 100
    assert {path: _imported(path) & INSIDE for path in ours if _imported(path) & INSIDE} == {}


def test_what_runs_inside_blender_imports_nothing_of_ours() -> None:
    inside = sorted(in_blender("exchange").parent.glob("*.py"))
    neighbours = {path.stem for path in inside}
    assert {"exchange", "probe"} <= neighbours
    for path in inside:
        strange = _imported(path) - INSIDE - neighbours - {"numpy"} - set(sys.stdlib_module_names)
        assert not strange, path
    assert not (inside[0].parent / "__init__.py").exists()


@pytest.mark.parametrize("fps", [24.0, 25.0, 30000 / 1001, 24000 / 1001, 23.976, 6.0, 12.5, 1.5])
def test_a_frame_rate_in_blenders_two_numbers(fps: float) -> None:
    scene = SimpleNamespace(render=SimpleNamespace())
    exchange().set_frame_rate(scene, fps)
    assert isinstance(scene.render.fps, int)
    assert scene.render.fps / scene.render.fps_base == pytest.approx(fps, rel=1e-12)


def test_the_frame_rate_is_set_in_one_place() -> None:
    """Bodies, smoke and pictures have the shot's very rate; a rounded one moves all that has a speed."""
    for path in in_blender("exchange").parent.glob("*.py"):
        text = path.read_text()
        sets = path.stem in ("bullet", "mantaflow", "cycles_session")
        assert ("set_frame_rate(scene, job[" in text) == sets, path
        assert path.stem == "exchange" or not re.search(r"\.fps(_base)?\b[^=\n]*=[^=]", text), path
