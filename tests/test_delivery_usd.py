"""motion.usd read back: poses, camera, meshes, and a disk that fills up."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.delivery.usd import write_usd
from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file
from falsework.plate.plate import SetPlane
from falsework.seeds import generator
from scenes import brick_tower, street_camera

FIRST = 1001


def tumbling(fragments: Fragments, frames: int = 12, still: int = 5) -> Motion:
    """Every second fragment falls and turns from frame `still` on and rests from frame 9 on."""
    count = len(fragments)
    draw = generator(3, "test", "tumbling")
    seconds = np.clip(np.arange(frames) - still, 0, 9 - still)[:, None] / 24.0
    falls = (np.arange(count) % 2).astype(bool)
    position = np.repeat(fragments.centre[None], frames, axis=0)
    position[..., 2] -= 4.9 * seconds**2 * falls
    axis = draw.normal(size=(count, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = 30.0 * seconds * falls
    rotation = np.concatenate([axis * np.sin(angle / 2)[..., None], np.cos(angle / 2)[..., None]], axis=2)
    nothing = np.zeros(0, np.float32)
    return Motion(
        fps=24.0,
        position=position.astype(np.float32),
        rotation=rotation.astype(np.float32),
        moved=(seconds > 0) & falls,
        bond_broken=np.full(len(fragments.bond), -1, np.int32),
        event_time=nothing,
        event_kind=np.zeros(0, np.int32),
        event_position=np.zeros((0, 3), np.float32),
        event_velocity=np.zeros((0, 3), np.float32),
        event_normal=np.zeros((0, 3), np.float32),
        event_energy=nothing,
        event_fragment=np.zeros(0, np.int32),
        curves={},
        checks={},
    )


@pytest.fixture(scope="module")
def fragments() -> Fragments:
    return brick_tower()


@pytest.fixture(scope="module")
def motion(fragments: Fragments) -> Motion:
    return tumbling(fragments)


@pytest.fixture(scope="module")
def written(fragments: Fragments, motion: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("usd") / "motion.usd"
    wall = SetPlane(
        "Neighbour left, party wall",
        np.array([-9.0, 20, 0]),
        np.array([0.0, 12, 0]),
        np.array([0.0, 0, 15]),
        0.5,
    )
    camera = replace(street_camera(), centre=(251.0, 148.5))
    write_usd(path, fragments, motion, camera, [wall], fps=24, first_frame=FIRST, name="tower")
    return path


@pytest.fixture
def stage(written: Path) -> Usd.Stage:
    return Usd.Stage.Open(str(written))


def test_stage_is_metric_z_up_and_counts_in_frames(stage: Usd.Stage, motion: Motion, written: Path) -> None:
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert stage.GetTimeCodesPerSecond() == 24.0
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (FIRST, FIRST + motion.frames - 1)
    assert stage.GetDefaultPrim().GetPath() == "/World"
    assert written.read_bytes().startswith(b"PXR-USDC")
    assert not list(written.parent.glob("*.part*"))


def test_fragments_follow_the_motion(stage: Usd.Stage, fragments: Fragments, motion: Motion) -> None:
    for frame in range(motion.frames):
        poses = UsdGeom.XformCache(FIRST + frame)
        for index in range(len(fragments)):
            prim = stage.GetPrimAtPath(f"/World/Fragments/fragment_{index:05d}/mesh")
            matrix = np.array(poses.GetLocalToWorldTransform(prim))
            x, y, z, w = (float(value) for value in motion.rotation[frame, index])
            expected = np.array(
                Gf.Matrix4d(
                    Gf.Rotation(Gf.Quatd(w, x, y, z)), Gf.Vec3d(*motion.position[frame, index].tolist())
                )
            )
            np.testing.assert_allclose(matrix, expected, atol=1e-4)


def test_nothing_moves_between_the_frames_of_rest(stage: Usd.Stage, fragments: Fragments) -> None:
    standing = UsdGeom.Xformable(stage.GetPrimAtPath("/World/Fragments/fragment_00000"))
    assert not standing.TransformMightBeTimeVarying()
    falling = UsdGeom.Xformable(stage.GetPrimAtPath("/World/Fragments/fragment_00001"))
    assert falling.GetTimeSamples() == [FIRST + frame for frame in range(5, 10)]
    rest = Gf.Vec3d(*fragments.centre[1].tolist())
    assert Gf.IsClose(falling.GetLocalTransformation(FIRST + 4.5).ExtractTranslation(), rest, 1e-6)


def test_meshes_are_the_fragments(stage: Usd.Stage, fragments: Fragments) -> None:
    poses = UsdGeom.XformCache(FIRST)
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/World/Fragments/fragment_00007/mesh"))
    points = np.array(mesh.GetPointsAttr().Get()) @ np.eye(3)
    world = points + np.array(poses.GetLocalToWorldTransform(mesh.GetPrim()).ExtractTranslation())
    corners = world[np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)]
    np.testing.assert_allclose(
        corners, fragments.vertices[fragments.faces[fragments.face_fragment == 7]], atol=1e-5
    )
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    assert volume == pytest.approx(fragments.volume[7], rel=1e-4)
    surface = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("surface")
    assert surface.GetInterpolation() == "uniform"
    assert list(surface.Get()) == fragments.face_surface[fragments.face_fragment == 7].tolist()


def test_camera_sees_a_point_at_the_same_pixel(stage: Usd.Stage) -> None:
    camera = replace(street_camera(), centre=(251.0, 148.5))
    frustum = UsdGeom.Camera(stage.GetPrimAtPath("/World/Camera")).GetCamera(FIRST).frustum
    matrix = np.array(frustum.ComputeViewMatrix()) @ np.array(frustum.ComputeProjectionMatrix())
    points = generator(1, "test", "camera").uniform([-6, 15, 0], [6, 60, 12], size=(40, 3))
    clip = np.concatenate([points, np.ones((40, 1))], axis=1) @ matrix
    unit = clip[:, :2] / clip[:, 3:]
    pixels = np.stack([(unit[:, 0] + 1) / 2 * camera.width, (1 - unit[:, 1]) / 2 * camera.height], axis=1)
    np.testing.assert_allclose(pixels, camera.project(points)[0], atol=1e-3)


def test_texture_coordinates_are_the_plates_projection(stage: Usd.Stage, fragments: Fragments) -> None:
    camera = replace(street_camera(), centre=(251.0, 148.5))
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/World/Fragments/fragment_00003/mesh"))
    texture = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").ComputeFlattened()
    points = np.array(mesh.GetPointsAttr().Get()) + fragments.centre[3]
    pixels = camera.project(points)[0]
    expected = np.stack([pixels[:, 0] / camera.width, 1 - pixels[:, 1] / camera.height], axis=1)
    np.testing.assert_allclose(np.array(texture), expected, atol=1e-5)


def test_set_planes_have_usable_names(stage: Usd.Stage) -> None:
    names = [prim.GetName() for prim in stage.GetPrimAtPath("/World/Set").GetChildren()]
    assert names == ["Neighbour_left__party_wall_0"]
    assert stage.GetPrimAtPath("/World/Ground").GetTypeName() == "Mesh"


def test_same_scene_same_bytes(written: Path, fragments: Fragments, motion: Motion, tmp_path: Path) -> None:
    for name in "ab":
        write_usd(
            tmp_path / f"{name}.usd", fragments, motion, street_camera(), [], fps=24, first_frame=1, name="x"
        )
    assert (tmp_path / "a.usd").read_bytes() == (tmp_path / "b.usd").read_bytes()


def test_full_disk_leaves_the_old_file(
    written: Path, fragments: Fragments, motion: Motion, tmp_path: Path
) -> None:
    path = tmp_path / "motion.usd"
    with whole_file(path) as part:
        part.write_bytes(b"earlier")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(FalseworkError, match=r"motion\.usd: could not be written"):
            write_usd(path, fragments, motion, street_camera(), [], fps=24, first_frame=1, name="x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"earlier"
    assert [file.name for file in tmp_path.iterdir()] == ["motion.usd"]


def test_layer_has_no_invalid_values(written: Path) -> None:
    layer = Sdf.Layer.FindOrOpen(str(written))
    bad: list[str] = []
    layer.Traverse(
        "/", lambda path: bad.append(str(path)) if "nan" in str(layer.GetObjectAtPath(path)) else None
    )
    assert not bad
