"""Volumes as OpenVDB files: what others read from them is what was written, where it should lie."""

from __future__ import annotations

import json
import math
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from falsework.errors import FalseworkError
from falsework.media.vdb import write_vdb
from falsework.render.traditional.blender import Blender, find_blenders

SHAPES = st.tuples(*[st.integers(1, 20)] * 3)  # `tinyvdb` 0.9 lists the voxels of 64 leaves at most
# Nor does it read half floats below 2**-14 right (half of what they are; Blender does: see below).
VALUES = st.one_of(st.just(0.0), st.floats(-1e4, 1e4, width=16).filter(lambda x: not 0 < abs(x) < 2**-14))
CORNERS = st.tuples(*[st.floats(-1e3, 1e3)] * 3)


def read_back(path: Path, shape: tuple[int, ...]) -> tuple[npt.NDArray[Any], dict[str, Any], dict[str, Any]]:
    """The first grid as a whole array, its transform and its metadata, as `tinyvdb` understands them."""
    tinyvdb = pytest.importorskip("tinyvdb", reason="tinyvdb, which reads what was written, is absent")
    array = np.zeros(shape, np.float32)
    with tinyvdb.open(str(path)) as file:
        file.read_grids()
        grid = file.grid(0)
        held = grid.to_sparse()
        place = np.frombuffer(held["coords"], np.int32).reshape(-1, 3)
        array[tuple(place.T)] = np.frombuffer(held["values"], np.float32)
        return array, grid.transform, {"type": grid.type_name, **grid.metadata}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), half=st.booleans(), origin=CORNERS, voxel=st.floats(1e-3, 10))
def test_reads_back_as_written(
    data: st.DataObject, half: bool, origin: tuple[float, float, float], voxel: float, tmp_path: Path
) -> None:
    kind = np.float16 if half else np.float32
    array = data.draw(arrays.arrays(kind, SHAPES, elements=VALUES))
    write_vdb(tmp_path / "one.vdb", {"density": array}, origin, voxel)
    back, transform, metadata = read_back(tmp_path / "one.vdb", array.shape)
    assert np.array_equal(back, array)
    assert transform["voxel_size"] == pytest.approx((voxel,) * 3)
    # The transform is that of the voxels' centres.
    assert transform["translation"] == pytest.approx([corner + voxel / 2 for corner in origin])
    assert metadata["class"] == "fog volume"
    assert metadata["name"] == "density"
    assert metadata["is_saved_as_half_float"] == half
    assert metadata["file_voxel_count"] == np.count_nonzero(array)
    if array.any():
        place = np.argwhere(array)
        assert metadata["file_bbox_min"] == tuple(place.min(axis=0))
        assert metadata["file_bbox_max"] == tuple(place.max(axis=0))


@pytest.mark.parametrize("shape", [(1, 1, 1), (8, 8, 8), (9, 1, 17), (0, 4, 4), (300, 2, 2)])
def test_an_empty_box_is_a_file_too(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    write_vdb(tmp_path / "none.vdb", {"density": np.zeros(shape, np.float32)}, (0, 0, 0), 0.1)
    back, _, metadata = read_back(tmp_path / "none.vdb", shape)
    assert not back.any()
    assert metadata["file_voxel_count"] == 0
    assert "file_bbox_min" not in metadata


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.tuples(*[st.integers(0, 59)] * 3), value=st.floats(0.5, 10, width=16))
def test_a_single_voxel_stays_where_it_is(place: tuple[int, int, int], value: float, tmp_path: Path) -> None:
    array = np.zeros((60, 60, 60), np.float16)
    array[place] = value
    write_vdb(tmp_path / "one.vdb", {"density": array}, (0, 0, 0), 1.0)
    back, _, _ = read_back(tmp_path / "one.vdb", array.shape)
    assert np.array_equal(back, array)
    # One leaf is some kilobytes of nodes over it, however large the box.
    assert (tmp_path / "one.vdb").stat().st_size < 12_000


def test_several_grids_of_one_box(tmp_path: Path) -> None:
    tinyvdb = pytest.importorskip("tinyvdb", reason="tinyvdb, which reads what was written, is absent")
    grids = {"density": np.ones((9, 9, 9), np.float16), "heat": np.full((9, 9, 9), 2, np.int32)}
    write_vdb(tmp_path / "two.vdb", grids, (0, 0, 0), 1.0)
    with tinyvdb.open(str(tmp_path / "two.vdb")) as file:
        file.read_grids()
        assert [file.grid(n).name for n in range(file.grid_count)] == ["density", "heat"]
        for number, value in enumerate((1.0, 2.0)):
            held = np.frombuffer(file.grid(number).to_sparse()["values"], np.float32)
            assert len(held) == 729
            assert (held == value).all()


def test_same_volume_same_bytes_and_no_other(tmp_path: Path) -> None:
    array = np.random.default_rng(1).random((30, 9, 9)).astype(np.float32)
    for name in ("a", "b"):
        write_vdb(tmp_path / name, {"density": array}, (0, 0, 0), 1.0)
    array[0, 0, 0] += 1
    write_vdb(tmp_path / "c", {"density": array}, (0, 0, 0), 1.0)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    named = slice(21, 21 + 36)  # the file's own identity, by which programs remember what they have read
    assert a == b
    assert a[named] != c[named]
    assert struct.unpack_from("<q", a) == (0x56444220,)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_no_program_could_draw_is_refused(tmp_path: Path, wrong: float) -> None:
    array = np.ones((4, 4, 4), np.float32)
    array[1, 2, 3] = wrong
    with pytest.raises(ValueError, match="not finite"):
        write_vdb(tmp_path / "one.vdb", {"density": array}, (0, 0, 0), 1.0)
    with pytest.raises(ValueError, match="three axes"):
        write_vdb(tmp_path / "one.vdb", {"density": array[0]}, (0, 0, 0), 1.0)
    assert not (tmp_path / "one.vdb").exists()


def test_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "one.vdb"
    write_vdb(target, {"density": np.ones((4, 4, 4), np.float32)}, (0, 0, 0), 1.0)
    before = target.read_bytes()

    def full(path: Path, data: bytes) -> int:
        path.open("wb").write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FalseworkError, match="disk is full"):
        write_vdb(target, {"density": np.full((4, 4, 4), 2, np.float32)}, (0, 0, 0), 1.0)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


# ---- as Blender reads it ----------------------------------------------------------------------------------

SAMPLING = """
import json, sys
import bpy
import numpy as np
from pathlib import Path

folder = Path(sys.argv[-1])
job = json.loads((folder / "job.json").read_text())
answers = []
for one in job:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    volume = bpy.data.volumes.new("volume")
    volume.filepath = one["file"]
    assert volume.grids.load(), volume.grids.error_message
    holder = bpy.data.objects.new("volume", volume)
    mesh = bpy.data.meshes.new("points")
    mesh.from_pydata(one["points"], [], [])
    points = bpy.data.objects.new("points", mesh)
    for made in (holder, points):
        bpy.context.scene.collection.objects.link(made)
    tree = bpy.data.node_groups.new("sample", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    into, out, info, grid, sample, store = (
        tree.nodes.new(kind)
        for kind in (
            "NodeGroupInput", "NodeGroupOutput", "GeometryNodeObjectInfo", "GeometryNodeGetNamedGrid",
            "GeometryNodeSampleGrid", "GeometryNodeStoreNamedAttribute",
        )
    )
    info.inputs["Object"].default_value = holder
    grid.inputs["Name"].default_value = "density"
    store.inputs["Name"].default_value = "value"
    link = tree.links.new
    link(info.outputs["Geometry"], grid.inputs[0])
    link(grid.outputs["Grid"], sample.inputs["Grid"])
    link(into.outputs[0], store.inputs["Geometry"])
    link(sample.outputs[0], store.inputs["Value"])
    link(store.outputs[0], out.inputs[0])
    points.modifiers.new("sample", "NODES").node_group = tree
    evaluated = points.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    value = np.zeros(len(one["points"]), np.float32)
    evaluated.attributes["value"].data.foreach_get("value", value)
    kinds = [(grid.name, grid.data_type) for grid in volume.grids]
    answers.append({"value": value.tolist(), "grids": kinds})
(folder / "answer.json").write_text(json.dumps(answers))
"""


def sampling_blender() -> Blender:
    """A Blender that gives a volume's values at points, which those from 5.0 on do."""
    try:
        found = find_blenders().found
    except FalseworkError:
        found = ()
    able = [one for one in found if int(one.version.split(".")[0]) >= 5]
    if not able:
        pytest.skip("no Blender from 5.0 on here ($BLENDER, PATH or `falsework traditional setup`)")
    return able[0]


def test_blender_finds_every_voxel_where_it_belongs(tmp_path: Path) -> None:
    """Lopsided boxes, so that a mirrored or exchanged axis and half a voxel's shift would show."""
    blender = sampling_blender()
    rng = np.random.default_rng(5)
    boxes = [
        (np.float16, (140, 20, 31), (-3.0, 2.0, -1.0), 0.25, 0.5),
        (np.float32, (7, 133, 5), (100.0, -250.5, 3.25), 1.5, 0.9),
        (np.float16, (4100, 2, 3), (0.0, 0.0, 0.0), 0.1, 0.3),
        (np.float32, (12, 9, 10), (0.5, 0.5, 0.5), 0.5, 0.0),
        (np.float16, (5, 6, 7), (0.0, 0.0, 0.0), 1.0, 0.8),
    ]
    written, job = [], []
    for number, (kind, shape, origin, voxel, share) in enumerate(boxes):
        array = (rng.uniform(0.1, 1.0, shape) * (rng.random(shape) < share)).astype(kind)
        if number == len(boxes) - 1:
            array *= np.float16(2**-15)  # as thin as half floats get
        path = tmp_path / f"{number}.vdb"
        write_vdb(path, {"density": array}, origin, voxel)
        points = np.asarray(origin) + (np.argwhere(np.ones(shape)) + 0.5) * voxel
        written.append(array)
        job.append({"file": str(path), "points": points.tolist()})
    (tmp_path / "job.json").write_text(json.dumps(job))
    (tmp_path / "sample.py").write_text(SAMPLING)
    command = blender.command(tmp_path / "sample.py", tmp_path)
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    for array, answer in zip(written, json.loads((tmp_path / "answer.json").read_text()), strict=True):
        seen = np.array(answer["value"], np.float32).reshape(array.shape)
        assert answer["grids"] == [["density", "FLOAT"]]
        # Sampled between voxels' centres that are rounded in single precision: not to the last digit.
        assert np.abs(seen - array).max() <= 5e-3 * float(array.max())
        assert seen.sum() == pytest.approx(float(array.sum(dtype=np.float64)), rel=1e-4)
