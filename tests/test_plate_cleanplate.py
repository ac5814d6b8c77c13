"""The clean plate: untouched away from the building, lit and deep as its set says inside."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from tests.scenes import street_camera

from falsework.plate.cleanplate import make_clean
from falsework.plate.facades import Neighbour
from falsework.plate.plate import Facade, Light
from falsework.plate.sky import fill_sky, find_sky
from falsework.plate.street_walls import show_street_walls

CAMERA = street_camera()
EAST, NORTH = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
HOUSE = Facade(
    name="front",
    origin=np.array([-6.0, 25.0, 0.0]),
    right=EAST,
    normal=-NORTH,
    width=12.0,
    height=12.0,
    levels=np.linspace(0.0, 12.0, 5),
    windows=np.zeros((0, 4)),
)
NEIGHBOURS = (
    Neighbour("left", np.array([-16.0, 25.0, 0.0]), EAST, -NORTH, 10.0, 11.0, "right", 9.0),
    Neighbour("right", np.array([6.0, 25.0, 0.0]), EAST, -NORTH, 10.0, 10.0, "left", 9.0),
)
SUN = np.array([-0.6, -0.5, 0.62])
LIGHT = Light(
    sun_direction=SUN / np.linalg.norm(SUN),
    sun=np.array([3.0, 2.8, 2.4]),
    sky=np.array([0.8, 0.9, 1.1]),
    bounce=np.array([0.1, 0.1, 0.1]),
    shade=np.zeros(4),
)


def street() -> tuple[np.ndarray, np.ndarray]:
    y = np.mgrid[0:320, 0:480][0]
    picture = np.stack([0.25 + 0.0004 * y, 0.45 + 0.0004 * y, 0.8 + 0.0003 * y], axis=2).astype(np.float32)
    picture[y > 245] = 0.15
    building = np.zeros((320, 480), np.float32)
    for left, right, height, tone in (
        (-16.0, -6.0, 11.0, 0.4),
        (6.0, 16.0, 10.0, 0.35),
        (-6.0, 6.0, 12.0, 0.5),
    ):
        corners = np.array(
            [[left, 25, 0], [right, 25, 0], [right, 25, height], [left, 25, height]], dtype=float
        )
        pixels, _ = CAMERA.project(corners)
        mask = np.zeros((320, 480), np.uint8)
        cv2.fillPoly(mask, [np.round(pixels).astype(np.int32)], 1)
        picture[mask > 0] = tone
        if left == -6.0:
            building = mask.astype(np.float32)
    return picture, building


def clean_of(light: Light = LIGHT, user: np.ndarray | None = None):
    picture, building = street()
    return make_clean(
        picture, building, np.zeros_like(building), CAMERA, (HOUSE,), NEIGHBOURS, light, user_clean=user
    )


def test_equal_to_the_plate_three_pixels_off_the_building() -> None:
    picture, building = street()
    clean, depth, _ = clean_of()
    far = cv2.dilate((building > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    assert np.array_equal(clean[far], picture[far])
    assert clean.dtype == depth.dtype == np.float32
    assert np.isfinite(clean).all()
    assert clean.min() >= 0.0
    # and the building itself is gone
    inner = cv2.erode((building > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert (np.abs(clean - picture)[inner].max(axis=1) > 0.01).mean() > 0.95


def test_depth_is_that_of_ground_walls_and_sky() -> None:
    _, depth, _ = clean_of()
    points = np.array([[0.0, 20.0, 0.0], [-11.0, 25.0, 5.0], [-6.0, 30.0, 4.0]])
    pixels, true = CAMERA.project(points)
    for (x, y), expected in zip(pixels, true, strict=True):
        assert abs(depth[int(y), int(x)] / expected - 1.0) < 0.03
    assert np.isinf(depth[2, 240])


def test_set_planes_face_the_street_and_the_gap() -> None:
    _, _, planes = clean_of()
    by_name = {plane.name: plane for plane in planes}
    faces = {
        name: np.cross(plane.u, plane.v) / np.linalg.norm(np.cross(plane.u, plane.v))
        for name, plane in by_name.items()
    }
    assert faces["left"] @ -NORTH > 0.99
    assert faces["left party wall"] @ EAST > 0.99
    assert faces["right party wall"] @ -EAST > 0.99
    for name in ("left party wall", "right party wall"):
        assert abs(np.linalg.norm(by_name[name].u) - 9.0) < 1e-9
    assert any(name.startswith("rear") for name in by_name)


def test_a_users_clean_plate_replaces_the_made_one() -> None:
    picture, building = street()
    own = np.full_like(picture, 0.123)
    clean, _, _ = clean_of(user=own)
    assert np.array_equal(clean[building > 0], own[building > 0])


def test_more_sun_makes_the_sunlit_party_wall_brighter_and_leaves_the_other() -> None:
    dim, _, _ = clean_of(replace(LIGHT, sun=0.2 * LIGHT.sun))
    bright, _, _ = clean_of()
    spots, _ = CAMERA.project(np.array([[6.0, 30.0, 8.5], [-6.0, 30.0, 8.5]]))
    change = [
        float((bright - dim)[int(y) - 3 : int(y) + 4, int(x) - 2 : int(x) + 3].mean()) for x, y in spots
    ]
    assert change[0] > 0.03
    assert abs(change[1]) < 0.01


def test_twice_is_the_same() -> None:
    first, second = clean_of(), clean_of()
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_the_sky_goes_on_without_a_seam() -> None:
    y, x = np.mgrid[0:240, 0:360].astype(np.float32)
    truth = np.stack([0.2 + 0.001 * y, 0.4 + 0.0008 * y + 0.0002 * x, 0.8 + 0.0003 * y], axis=2)
    truth = (truth * (1 + np.random.default_rng(1).normal(0, 0.01, truth.shape))).astype(np.float32)
    gone = np.zeros((240, 360), bool)
    gone[60:, 120:240] = True
    picture = truth.copy()
    picture[gone] = 0.1
    filled = fill_sky(picture, ~gone, gone)
    smooth = cv2.GaussianBlur(filled, (0, 0), 4.0)[gone] / cv2.GaussianBlur(truth, (0, 0), 4.0)[gone]
    assert np.abs(smooth - 1.0).max() < 0.04
    # its grain is the plate's, not a flat patch
    made, own = (image - cv2.GaussianBlur(image, (0, 0), 2.0) for image in (filled, truth))
    assert 0.6 < made[gone].std() / own[gone].std() < 1.5


def test_sky_is_found_above_the_roofs_only() -> None:
    picture, building = street()
    sky = find_sky(picture, CAMERA)
    assert sky[:20].mean() > 0.95
    assert not sky[250:].any()
    assert sky[building > 0].mean() < 0.05


def test_a_neighbours_wall_goes_on_behind_what_stood_before_it() -> None:
    picture, _building = street()
    right = NEIGHBOURS[1]
    pixels, _ = CAMERA.project(right.origin + np.array([[0.0, 0, 0], [3.0, 0, 0], [10.0, 0, 10.0]]))
    wall = np.zeros((320, 480), bool)
    wall[int(pixels[2, 1]) + 2 : int(pixels[0, 1]) - 2, int(pixels[0, 0]) + 2 : int(pixels[2, 0]) - 2] = True
    picture[wall] = 0.35 + 0.05 * np.sin(np.arange(480) / 3.0)[np.nonzero(wall)[1], None]
    porch = wall & (np.arange(480) < pixels[1, 0])
    canvas = picture.copy()
    canvas[porch] = 9.0
    hidden = picture.copy()
    hidden[porch] = 0.9  # the porch itself must not be taken for wall
    show_street_walls(canvas, hidden, porch, np.zeros((320, 480), np.float32), CAMERA, NEIGHBOURS)
    assert np.abs(canvas[porch] - 0.35).max() < 0.08
    assert canvas[porch].std() > 0.01
    assert np.array_equal(canvas[~porch], picture[~porch])
