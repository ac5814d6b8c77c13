"""Occluders: mattes from files, lines and boxes, and where they stand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scenes import street_camera

from falsework.errors import FalseworkError
from falsework.media.images import read_matte
from falsework.plate.interpolation import bridge
from falsework.plate.lines import line_opacity
from falsework.plate.occluders import facade_depth, make_occluders
from falsework.plate.plate import Facade
from falsework.plate.settings import OccluderSettings

CAMERA = street_camera()
WALL = Facade(
    name="front",
    origin=np.array([-10.0, 25.0, 0.0]),
    right=np.array([1.0, 0.0, 0.0]),
    normal=np.array([0.0, -1.0, 0.0]),
    width=20.0,
    height=15.0,
    levels=np.linspace(0.0, 15.0, 6),
    windows=np.zeros((0, 4)),
)


def same(points: np.ndarray) -> np.ndarray:
    return points


def wall_picture() -> np.ndarray:
    y, x = np.mgrid[0:320, 0:480]
    tone = 0.3 + 0.05 * np.sin(x / 31.0) + 0.04 * np.cos(y / 23.0)
    return np.stack([tone, 0.9 * tone, 0.8 * tone], axis=2).astype(np.float32)


def make(
    picture: np.ndarray, *entries: OccluderSettings, base: Path = Path(".")
) -> tuple[np.ndarray, np.ndarray]:
    def matte(file: str, where: str) -> np.ndarray:
        return read_matte(base / file)

    return make_occluders(picture, list(entries), same, CAMERA, (WALL,), matte)


def test_a_cable_is_found_where_it_is_though_drawn_beside() -> None:
    truth = np.zeros((320 * 4, 480 * 4), np.uint8)
    cv2.line(truth, (0, 480), (1919, 640), 255, 8)
    alpha = cv2.GaussianBlur(cv2.resize(truth, (480, 320), interpolation=cv2.INTER_AREA) / 255.0, (0, 0), 0.6)
    picture = (wall_picture() * (1 - alpha[..., None]) + 0.02 * alpha[..., None]).astype(np.float32)
    found = line_opacity(picture, np.array([[2.0, 122.0], [240.0, 142.0], [477.0, 161.0]]), 2.5)
    inner = np.s_[:, 10:470]
    assert np.abs(found[inner] - alpha[inner]).max() < 0.25
    assert abs(found[inner].sum() / alpha[inner].sum() - 1.0) < 0.2
    behind = bridge(picture, found > 0)
    assert np.abs(behind - wall_picture())[inner].max() < 0.02
    own = picture - (1 - found[..., None]) * behind
    assert own.min() > -0.03


def test_an_unused_plate_has_no_occluder() -> None:
    opacity, depth = make(wall_picture())
    assert not opacity.any()
    assert np.isinf(depth).all()


def test_a_box_with_strokes_takes_the_object_and_not_the_wall() -> None:
    picture = wall_picture()
    body = np.zeros((320, 480), np.uint8)
    cv2.ellipse(body, (200, 250), (22, 36), 0, 0, 360, 1, -1)
    picture[body > 0] = [0.02, 0.10, 0.03]
    entry = OccluderSettings(
        name="bush", box=(165, 200, 70, 100), keep=[[(200, 230), (200, 270)]], drop=[[(170, 205), (230, 205)]]
    )
    opacity, depth = make(picture, entry)
    assert np.abs(opacity - body).mean() < 0.002
    assert (opacity[cv2.erode(body, np.ones((7, 7), np.uint8)) > 0] == 1.0).all()
    assert np.isfinite(depth[opacity > 0]).all()
    again, _ = make(picture, entry)
    assert np.array_equal(opacity, again)


@settings(max_examples=10, deadline=None)
@given(st.floats(9.0, 22.0), st.floats(-2.0, 2.0))
def test_what_stands_on_the_ground_stands_where_its_foot_is(
    tmp_path_factory, metres: float, across: float
) -> None:
    folder = tmp_path_factory.mktemp("matte")
    ends, _ = CAMERA.project(np.array([[across, metres, 0.0], [across, metres, 2.0]]))
    matte = np.zeros((320, 480), np.uint8)
    cv2.line(matte, tuple(np.round(ends[0]).astype(int)), tuple(np.round(ends[1]).astype(int)), 255, 3)
    cv2.imwrite(str(folder / "post.png"), matte)
    _, depth = make(wall_picture(), OccluderSettings(name="post", file="post.png"), base=folder)
    true_depth = CAMERA.project(np.array([[across, metres, 0.0]]))[1][0]
    assert abs(np.median(depth[np.isfinite(depth)]) / true_depth - 1.0) < 0.12


def test_a_line_hangs_before_the_wall_unless_its_depth_is_given() -> None:
    line = [(20.0, 120.0), (460.0, 130.0)]
    opacity, depth = make(wall_picture(), OccluderSettings(name="cable", line=line, line_width=12))
    wall = facade_depth(CAMERA, (WALL,))
    over = (opacity > 0.5) & np.isfinite(wall)
    assert (depth[over] < 1.01 * wall[over]).all()
    assert np.median(depth[over] / wall[over]) < 0.97
    assert (depth[over] > 0.8 * wall[over]).all()
    _, depth = make(wall_picture(), OccluderSettings(name="cable", line=line, line_width=12, depth=7.5))
    assert np.median(depth[opacity > 0.5]) == 7.5


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (OccluderSettings(name="nothing"), "nothing says where"),
        (OccluderSettings(name="lost", file="missing.png"), "no such picture"),
        (OccluderSettings(name="point", line=[(1.0, 1.0)]), "two points"),
        (OccluderSettings(name="outside", box=(900, 900, 10, 10)), "outside the plate"),
    ],
)
def test_faults_are_said_in_a_sentence(entry: OccluderSettings, words: str) -> None:
    with pytest.raises(FalseworkError, match=words):
        make(wall_picture(), entry)
