"""The renderer whose light a network corrects, with networks that say what a test wants. Needs OpenGL."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from falsework.models.light_features import FIRST_PIECE
from falsework.render.gains import filled, spread
from falsework.render.gbuffers import MEASURED, GBufferRenderer
from falsework.render.layers import Layers
from falsework.render.learned import LearnedRenderer, pixels_apart
from falsework.render.renderer import Renderer
from falsework.render.settings import RenderSettings
from plates import afternoon_light, synthetic_plate
from scenes import brick_tower
from test_render_layers import dust_of, sliding, some_debris

FRAME = 4


class Says:
    """Stands for a trained network."""

    def __init__(self, on_surfaces: float, on_dust: float) -> None:
        self.on_surfaces, self.on_dust = on_surfaces, on_dust
        self.given: list[np.ndarray] = []

    def gains(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.given.append(features)
        shape = (*features.shape[1:], 3)
        return np.full(shape, self.on_surfaces, np.float32), np.full(shape, self.on_dust, np.float32)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    plate = synthetic_plate(240, 160, light=afternoon_light())
    fragments = brick_tower()
    which = np.flatnonzero(fragments.centre[:, 2] > 4.0)
    motion = sliding(fragments, which, (0.1, -0.6, -0.1))
    dust = dust_of(tmp_path_factory.mktemp("dust"), 3.0, (-6.0, 18.0, 0.0), (24, 8, 12))
    return plate, fragments, motion, some_debris(), dust, RenderSettings(samples=3, shutter=0)


def drawn(renderer: Renderer, frame: int = FRAME) -> Layers:
    with renderer:
        return renderer.frame(frame)


def learned(scene: tuple[Any, ...], says: Says) -> LearnedRenderer:
    return LearnedRenderer(*scene, seed=1, light=says)  # type: ignore[arg-type]


def test_surfaces_get_the_networks_gains_and_all_else_stays(scene: tuple[Any, ...]) -> None:
    ours, theirs = drawn(Renderer(*scene, seed=1)), drawn(learned(scene, Says(0.5, 1.0)))
    np.testing.assert_allclose(theirs.surface[..., :3], 0.5 * ours.surface[..., :3], rtol=2e-3, atol=1e-5)
    for name in ("surface", "dust", "dust_front"):
        np.testing.assert_array_equal(getattr(theirs, name)[..., 3], getattr(ours, name)[..., 3])
    for name in ("hold", "shadow", "depth", "normal", "motion", "albedo", "crypto"):
        np.testing.assert_array_equal(getattr(theirs, name), getattr(ours, name))


def test_dust_gets_the_networks_colour_and_keeps_its_shape(scene: tuple[Any, ...]) -> None:
    ours = drawn(Renderer(*scene, seed=1))
    dim, bright = (drawn(learned(scene, Says(1.0, gain))) for gain in (1.0, 1.5))
    there = ours.dust[..., 3] > 0.3
    assert there.sum() > 200
    np.testing.assert_allclose(bright.dust[there, :3], 1.5 * dim.dust[there, :3], rtol=5e-3)
    # What is brighter than its surroundings stays so.
    relief = ours.dust[there, :3] / dim.dust[there, :3]
    assert relief.std() / relief.mean() < 0.3


def test_before_anything_falls_the_network_is_not_asked(scene: tuple[Any, ...]) -> None:
    says = Says(0.1, 0.1)
    with learned(scene, says) as renderer:
        still = renderer.frame(0)
        assert not says.given
        renderer.frame(FRAME)
        assert len(says.given) == 1
    np.testing.assert_array_equal(still.hold, drawn(Renderer(*scene, seed=1), 0).hold)


def test_frames_are_the_same_in_any_order(scene: tuple[Any, ...]) -> None:
    with learned(scene, Says(0.7, 1.3)) as renderer:
        renderer.frame(FRAME + 1)
        later = renderer.frame(FRAME)
    first = drawn(learned(scene, Says(0.7, 1.3)))
    np.testing.assert_array_equal(later.surface, first.surface)
    np.testing.assert_array_equal(later.dust, first.dust)


def test_every_third_pixel_is_told_what_it_is_among_all(scene: tuple[Any, ...]) -> None:
    with GBufferRenderer(*scene, seed=1) as renderer:
        told, layers = renderer.told(FRAME)
    with GBufferRenderer(*scene, seed=1, every=3) as renderer:
        whole = renderer.frame(FRAME)
        few = renderer.tell(FRAME, {name: getattr(whole, name)[1::3, 1::3] for name in MEASURED})
    np.testing.assert_array_equal(whole.surface, layers.surface)
    for name, image in few.items():
        expected = told[name][1::3, 1::3].astype(np.float32)
        near = np.isclose(image.astype(np.float32), expected, rtol=0.02, atol=0.02)
        # What hides what within a metre is found between fewer pixels; clean walls' normals over longer ways.
        least = {"near": 0.6, "normal": 0.95}.get(name, 0.985)
        assert near.mean() > least, name
    assert (few["kind"] >= FIRST_PIECE).any()


def test_a_networks_pixels_are_as_large_as_those_it_learned_from() -> None:
    assert [pixels_apart(height) for height in (160, 480, 1080, 1280, 2160)] == [1, 1, 2, 3, 5]


def test_what_is_not_known_is_like_what_is_known_around() -> None:
    values = np.zeros((40, 56, 3), np.float32)
    values[:, :20], values[:, 20:] = 1.0, 3.0
    weight = np.zeros((40, 56), np.float32)
    weight[:, :8], weight[:, 48:] = 1.0, 1.0
    found = filled(values, weight)
    np.testing.assert_allclose(found[:, :8], 1.0)
    np.testing.assert_allclose(found[:, 48:], 3.0)
    assert (found[:, 12] < 1.5).all()
    assert (found[:, 44] > 2.5).all()
    assert np.isfinite(filled(values, np.zeros_like(weight))).all()


def test_gains_stop_at_edges() -> None:
    every, size = 3, 60
    guide = np.zeros((size, size, 5), np.float32)
    guide[..., 0] = np.where(np.arange(size) < 31, 20.0, 30.0)
    guide[..., 2] = -1.0
    here, wanted = guide[1::every, 1::every], np.ones((size, size), bool)
    wanted[0] = False
    gains = np.where(here[..., :1] < 25, 0.5, 2.0) * np.ones(3, np.float32)
    found = spread(gains.astype(np.float32), here, guide, wanted, every, flat=True)
    np.testing.assert_allclose(found[1:, :31], 0.5, rtol=0.01)
    np.testing.assert_allclose(found[1:, 31:], 2.0, rtol=0.01)
    assert (found[0] == 1).all(), "not wanted there"


def test_a_slope_of_gains_stays_one_over_many_pixels() -> None:
    every, size = 4, 64
    guide, wanted = np.full((size, size, 5), 10.0, np.float32), np.ones((size, size), bool)
    slope = np.linspace(0, 1, size, dtype=np.float32)[None, :, None] * np.ones((size, 1, 3), np.float32)
    found = spread(
        slope[1::every, 1::every].copy(), guide[1::every, 1::every], guide, wanted, every, flat=False
    )
    np.testing.assert_allclose(found[:, 6:-6], slope[:, 6:-6], atol=0.02)
