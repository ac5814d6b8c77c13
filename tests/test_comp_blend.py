"""The comp's formula: identities that must hold for any picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.comp.blend import blend, blend_reference
from falsework.comp.grain import grain_pattern, regrain
from falsework.comp.slate import draw_slate

SIZE = (24, 32)


def scene(seed: int) -> dict[str, np.ndarray]:
    """A random plate with a building in its middle, an occluder across it, and layers that are at rest."""
    random = np.random.default_rng(seed)
    height, width = SIZE
    picture = random.uniform(0.0, 2.0, (height, width, 3)).astype(np.float32)
    occluder = np.zeros(SIZE, np.float32)
    occluder[:, 10:14] = [0.2, 0.9, 1.0, 0.4]
    facade, clean = picture.copy(), picture.copy()
    facade[occluder > 0] = random.uniform(0.0, 1.0, 3)
    clean[4:20, 4:28] = random.uniform(0.0, 1.0, 3)
    facade[:4] = picture[:4]
    hold = np.ones(SIZE, np.float32)
    return {
        "plate": picture,
        "facade": facade,
        "clean": clean,
        "occluder": occluder,
        "surface": np.zeros((*SIZE, 4), np.float32),
        "hold": hold,
        "shadow": np.ones((*SIZE, 3), np.float32),
        "dust": np.zeros((*SIZE, 4), np.float32),
        "dust_front": np.zeros((*SIZE, 4), np.float32),
    }


def disturbed(seed: int) -> dict[str, np.ndarray]:
    """The same with moving surfaces, shadows and dust."""
    layers = scene(seed)
    random = np.random.default_rng(seed + 1)
    alpha = random.uniform(0, 1, SIZE).astype(np.float32)
    layers["hold"] = layers["hold"] * (1 - alpha)
    layers["surface"] = np.concatenate(
        [random.uniform(0, 1, (*SIZE, 3)) * alpha[..., None], alpha[..., None]], -1
    )
    layers["surface"] = layers["surface"].astype(np.float32)
    layers["shadow"] = random.uniform(0.2, 1.1, (*SIZE, 3)).astype(np.float32)
    for name in ("dust", "dust_front"):
        thick = random.uniform(0, 1, (*SIZE, 1))
        layers[name] = np.concatenate([random.uniform(0, 1, (*SIZE, 3)) * thick, thick], -1).astype(
            np.float32
        )
    layers["dust_front"][layers["occluder"] == 0] = 0
    return layers


@pytest.mark.parametrize("formula", [blend, blend_reference])
@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_a_building_at_rest_is_the_plate(formula, seed: int) -> None:
    layers = scene(seed)
    picture, matte = formula(**layers)
    assert not matte.any()
    assert np.array_equal(picture, layers["plate"])


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_fast_path_is_the_formula(seed: int) -> None:
    layers = disturbed(seed)
    for fast, reference in zip(blend(**layers), blend_reference(**layers), strict=True):
        np.testing.assert_allclose(fast, reference, atol=2e-6)


def test_it_is_over_under_and_plus() -> None:
    """The same from the operations a compositor has: over, multiply, mix."""
    layers = disturbed(3)
    a, h = layers["occluder"][..., None], layers["hold"][..., None]

    def over(front: np.ndarray, back: np.ndarray) -> np.ndarray:
        return front[..., :3] + (1 - front[..., 3:]) * back

    share = h / np.maximum(1 - layers["surface"][..., 3:], 1e-9)  # of what the surface leaves open
    ground = share * layers["facade"] + (1 - share) * layers["clean"]
    behind = over(layers["dust"], over(layers["surface"], layers["shadow"] * ground))
    before = layers["plate"] - (1 - a) * layers["facade"]
    front = layers["dust_front"]
    out = (1 - front[..., 3:]) * before + a * front[..., :3] + (1 - a) * behind
    # `over` lets through what the surface leaves open, shadowed; there the formula is the same.
    picture, matte = blend(**layers)
    np.testing.assert_allclose(picture[matte > 0], out[matte > 0], atol=1e-5)


def test_an_opaque_occluder_keeps_its_pixels_when_the_building_is_gone() -> None:
    layers = scene(5)
    layers["hold"][4:20, 4:28] = 0.0
    picture, _ = blend(**layers)
    opaque = layers["occluder"] == 1.0
    np.testing.assert_allclose(picture[opaque], layers["plate"][opaque], atol=1e-6)
    gone = (layers["hold"] == 0) & (layers["occluder"] == 0)
    np.testing.assert_allclose(picture[gone], layers["clean"][gone], atol=1e-6)


def test_thick_dust_hides_the_occluder() -> None:
    layers = scene(6)
    layers["dust"][..., 3] = 1.0
    layers["dust"][..., :3] = 0.5
    layers["dust_front"][layers["occluder"] > 0] = [0.5, 0.5, 0.5, 1.0]
    picture, matte = blend(**layers)
    np.testing.assert_allclose(picture, 0.5, atol=1e-5)
    assert np.all(matte == 1.0)


def test_grain_has_the_measured_strength_and_stays_where_it_belongs() -> None:
    pattern = grain_pattern(200, 300, seed=1)
    grey = np.full((200, 300, 3), 0.18, np.float32)
    weight = np.zeros((200, 300), np.float32)
    weight[:, 150:] = 1.0
    sigma = np.array([0.01, 0.008, 0.012])
    grained = regrain(grey, weight, pattern * sigma.astype(np.float32))
    assert np.all(grained[:, :150] == grey[:, :150])
    np.testing.assert_allclose(grained[:, 150:].std(axis=(0, 1)), sigma, rtol=0.05)
    assert not np.array_equal(pattern, grain_pattern(200, 300, seed=2))


def test_a_slate_has_the_size_asked_for() -> None:
    card = draw_slate(640, 360, "lyon_corner", [("Frames", "1001-1096"), ("Seed", "7")])
    assert card.shape == (360, 640, 3)
    assert card.max() > 200
