"""The camera from a picture's straight edges: known cameras, made scenes, pictures that say nothing."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from falsework.errors import FalseworkError
from falsework.media.images import read_picture
from falsework.plate.camera import Camera
from falsework.plate.facades import build_facades, check_quad, neighbour_planes
from falsework.plate.settings import FacadeSettings, NeighbourSettings
from falsework.plate.solve import solve_camera

KNOWN = ("lyon_corner_A_view1", "lyon_corner_A_view2", "lyon_corner_A_view3", "strasbourg_block")
LYON = (
    [[520, 152], [1146, -42], [1183, 1118], [436, 1073]],
    [[1146, -42], [1531, 292], [1609, 1053], [1183, 1118]],
)


def tilted_camera(pitch: float, roll: float, focal: float, size: tuple[int, int] = (1440, 960)) -> Camera:
    """A camera 2 m up, tilted by `pitch` and `roll` degrees."""
    p, r = np.radians(pitch), np.radians(roll)
    level = np.array([[1, 0, 0], [0, np.sin(p), -np.cos(p)], [0, np.cos(p), np.sin(p)]], dtype=np.float64)
    turn = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return Camera(
        size[0], size[1], focal, (size[0] / 2, size[1] / 2), turn @ level, np.array([0.0, 0.0, 2.0])
    )


def drawn_walls(camera: Camera, angles: tuple[float, float]) -> npt.NDArray[np.float32]:
    """Two walls with windows and string courses that meet 18 m away, at `angles` (degrees from +X)."""
    large = camera.resized(2 * camera.width, 2 * camera.height)  # drawn large, then averaged: smooth edges
    picture = np.full((large.height, large.width, 3), 0.5, np.float32)

    def fill(along: npt.NDArray[np.float64], left: float, low: float, right: float, high: float) -> None:
        box = [(left, low), (right, low), (right, high), (left, high)]
        pixels, depth = large.project(np.array([[0.0, 18.0, z] + x * along for x, z in box]))
        if np.all(depth > 1):
            shifted = np.round((pixels - 0.5) * 16).astype(np.int32)
            cv2.fillPoly(picture, [shifted.reshape(-1, 1, 2)], (0.1, 0.1, 0.1), cv2.LINE_8, 4)

    for angle in angles:
        along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
        for storey in range(5):
            fill(along, 0.2, 3.6 + 3.2 * storey, 15.8, 3.8 + 3.2 * storey)
            for bay in range(6):
                fill(along, 1.0 + 2.6 * bay, 1.0 + 3.2 * storey, 2.2 + 2.6 * bay, 2.9 + 3.2 * storey)
    return np.asarray(cv2.resize(picture, (camera.width, camera.height), interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("with_quads", [False, True])
def test_the_camera_of_lyon_is_found(with_quads: bool) -> None:
    """The example's plate was drawn from a panorama, so its camera is known."""
    picture = read_picture(Path(__file__).parents[1] / "examples" / "lyon_corner" / "plate.jpg", "sRGB")
    quads = [np.array(quad, dtype=np.float64) for quad in LYON] if with_quads else None
    solved = solve_camera(picture, quads=quads)
    assert solved.camera.focal == pytest.approx(1303.8, rel=0.02)
    assert np.degrees(solved.pitch) == pytest.approx(13.34, abs=0.5)
    assert np.degrees(solved.roll) == pytest.approx(0.28, abs=0.5)


@pytest.mark.parametrize("name", KNOWN[1:])
def test_known_cameras_are_found(shared: Path, name: str) -> None:
    truth = json.loads((shared / "plates" / "known_cameras.json").read_text())[name]
    solved = solve_camera(read_picture(shared / "plates" / f"{name}.jpg", "sRGB"))
    assert solved.camera.focal == pytest.approx(truth["fx_px"], rel=0.02)
    assert np.degrees(solved.pitch) == pytest.approx(truth["measured_pitch_up_deg"], abs=0.5)
    assert np.degrees(solved.roll) == pytest.approx(truth["measured_roll_deg"], abs=0.5)


@pytest.mark.parametrize(
    ("pitch", "roll", "focal", "angles"),
    [
        (12.0, 0.0, 980.0, (35.0, 145.0)),
        (15.0, 2.0, 1200.0, (20.0, 125.0)),
        (9.0, -1.5, 840.0, (50.0, 150.0)),
    ],
)
def test_drawn_corners_that_are_not_square(
    pitch: float, roll: float, focal: float, angles: tuple[float, float]
) -> None:
    camera = tilted_camera(pitch, roll, focal)
    solved = solve_camera(drawn_walls(camera, angles))
    assert solved.camera.focal == pytest.approx(focal, rel=0.02)
    assert np.degrees(solved.pitch) == pytest.approx(pitch, abs=0.5)
    assert np.degrees(solved.roll) == pytest.approx(roll, abs=0.5)


def test_the_same_picture_gives_the_same_camera() -> None:
    picture = drawn_walls(tilted_camera(12.0, 0.0, 980.0), (35.0, 145.0))
    first, second = solve_camera(picture), solve_camera(picture)
    assert first.camera.focal == second.camera.focal
    assert np.array_equal(first.camera.rotation, second.camera.rotation)


@pytest.mark.parametrize("kind", ["blank", "noise", "disc"])
def test_a_picture_without_edges_is_refused(kind: str) -> None:
    picture = np.full((400, 600, 3), 0.3, np.float32)
    if kind == "noise":
        picture += np.random.default_rng(1).normal(0, 0.05, picture.shape).astype(np.float32)
    if kind == "disc":
        cv2.circle(picture, (300, 200), 120, (0.8, 0.8, 0.8), -1, cv2.LINE_AA)
    with pytest.raises(FalseworkError, match="could not be solved") as caught:
        solve_camera(picture, where="shot.toml [plate]")
    assert caught.value.where == "shot.toml [plate]"
    assert "focal_35mm" in caught.value.todo


def test_walls_that_share_a_corner_share_it_in_the_world() -> None:
    camera = tilted_camera(12.0, 1.0, 650.0)
    corner, left, right = np.array([0.5, 18.0]), np.array([-9.0, 24.0]), np.array([11.0, 27.0])
    height = 3.2 * 4 + 4.0

    def quad(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        world = np.array([[*a, height], [*b, height], [*b, 0.0], [*a, 0.0]])
        return camera.project(world)[0]

    quads = [quad(left, corner), quad(corner, right)]
    settings = [
        FacadeSettings(
            name=name, corners=[tuple(p) for p in q], storeys=5, storey_height=3.2, ground_storey_height=4.0
        )
        for name, q in zip(("a", "b"), quads, strict=True)
    ]
    at_origin = Camera(**{**camera.__dict__, "position": np.array([0.0, 0.0, 1.0])})
    walls = build_facades(quads, settings, at_origin, where="test")
    assert walls.reprojection_error < 0.01
    assert walls.camera.position == pytest.approx([0, 0, 2.0], abs=1e-3)
    first, second = walls.facades
    assert np.allclose(first.point(first.width, 0), second.point(0, 0), atol=1e-12)
    assert np.allclose(second.point(0, 0)[:2], corner, atol=1e-3)
    for wall in walls.facades:
        assert wall.levels[[0, 1, -1]] == pytest.approx([0, 4.0, height], abs=1e-3)
        assert wall.normal[2] == 0
        assert wall.normal @ wall.right == pytest.approx(0)
        assert wall.normal @ (camera.position - wall.point(wall.width / 2, 1)) > 0
    house = NeighbourSettings(
        name="next",
        corners=[tuple(p) for p in quad(right + 0.2, right + np.array([3.0, 8.0]))],
        party_wall="left",
    )
    (neighbour,) = neighbour_planes([np.array(house.corners)], [house], walls, where="test")
    assert np.allclose(neighbour.origin[:2], right, atol=1e-2)
    assert neighbour.height == pytest.approx(height, rel=0.05)


GOOD = [(100.0, 100.0), (300.0, 90.0), (310.0, 400.0), (95.0, 390.0)]


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        ([GOOD[0], GOOD[2], GOOD[1], GOOD[3]], "convex"),
        ([(100, 100), (300, 100), (150, 150), (100, 300)], "convex"),
        (GOOD[::-1], "anticlockwise"),
        (GOOD[1:] + GOOD[:1], "top-left"),
        ([(x + 2000, y) for x, y in GOOD], "outside"),
        ([(x - 250, y) for x, y in GOOD], "mostly outside"),
        ([(100, 100), (103, 100), (103, 300), (100, 300)], "shorter"),
        ([(100, 100), (300, 100), (300, 100), (100, 100)], "convex"),
    ],
)
def test_corners_that_are_no_wall_are_refused(corners: list[tuple[float, float]], words: str) -> None:
    with pytest.raises(FalseworkError, match=words) as caught:
        check_quad(corners, (640, 480), where="[[facades]] 1 corners")
    assert caught.value.where == "[[facades]] 1 corners"
    assert "top-left" in caught.value.todo


def test_corners_may_lie_a_little_outside() -> None:
    quad = check_quad([(-60.0, -40.0), (300.0, -50.0), (310.0, 400.0), (-70.0, 390.0)], (640, 480), where="x")
    assert quad.shape == (4, 2)


def test_a_wall_above_the_horizon_is_refused() -> None:
    camera = tilted_camera(0.0, 0.0, 650.0)
    quad = np.array([[300.0, 50.0], [600.0, 50.0], [600.0, 250.0], [300.0, 250.0]])
    wall = FacadeSettings(name="flying", corners=[tuple(p) for p in quad], storeys=2)
    with pytest.raises(FalseworkError, match="ground"):
        build_facades([quad], [wall], camera, where="[[facades]]")
