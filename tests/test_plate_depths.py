"""Depth of upright rectangles against the camera's own geometry."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.plate.camera import Camera
from falsework.plate.depths import nearest_depth


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.9, 0.9), st.floats(8.0, 30.0), st.floats(-0.2, 0.2))
def test_rectangles_lie_where_rays_meet_them(turn: float, reach: float, pitch: float) -> None:
    rotation = np.array(
        [[1.0, 0.0, 0.0], [0.0, -np.sin(pitch), -np.cos(pitch)], [0.0, np.cos(pitch), -np.sin(pitch)]]
    )
    camera = Camera(90, 60, 80.0, (44.0, 31.0), rotation, np.array([0.0, 0.0, 1.7]))
    along = np.array([np.cos(turn), np.sin(turn), 0.0])
    origin = np.array([-4.0, reach, 0.0])
    depth = nearest_depth(
        camera, origin[None], along[None], np.array([[9.0, -0.1, 6.0]]), least=0.5, ground=False
    )
    grid = np.stack(np.meshgrid(np.arange(90) + 0.5, np.arange(60) + 0.5), axis=-1)
    points = camera.on_plane(grid, origin, np.cross(along, [0.0, 0.0, 1.0]))
    away = (points - camera.position) @ camera.rotation[2]
    across, up = (points - origin) @ along, points[..., 2]
    on = (across > 0.01) & (across < 8.99) & (up > -0.09) & (up < 5.99) & (away > 0.5)
    off = (across < -0.01) | (across > 9.01) | (up < -0.11) | (up > 6.01) | (away < 0.5)
    assert np.allclose(depth[on], away[on], rtol=1e-5)
    assert np.all(np.isinf(depth[off]))


def test_the_ground_is_nearer_than_a_wall_behind_its_horizon() -> None:
    rotation = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    camera = Camera(40, 40, 30.0, (20.0, 20.0), rotation, np.array([0.0, 0.0, 2.0]))
    nothing = np.zeros((0, 3))
    depth = nearest_depth(camera, nothing, nothing, nothing, least=0.5, ground=True)
    assert np.all(np.isinf(depth[:20]))
    assert np.allclose(depth[20:, 0], 2.0 * 30.0 / (np.arange(20) + 0.5), rtol=1e-5)
