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
    hold = np.zeros(SIZE, np.float32)
    hold[4:20, 4:28] = 1.0
    return {
        "picture": picture,
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
    gain, add, matte = formula(**scene(seed))
    assert not matte.any()
    assert np.all(gain == 1.0)
    assert not add.any()


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_fast_path_is_the_formula(seed: int) -> None:
    layers = disturbed(seed)
    for fast, reference in zip(blend(**layers), blend_reference(**layers), strict=True):
        np.testing.assert_allclose(fast, reference, atol=2e-6)


def test_gain_and_add_are_the_documented_formula() -> None:
    layers = disturbed(3)
    a = layers["occluder"][..., None]
    surface, dust, front = layers["surface"], layers["dust"], layers["dust_front"]
    standing = surface[..., 3:] + layers["hold"][..., None]
    facade = np.where(layers["hold"][..., None] > 0, layers["facade"], layers["picture"])
    behind = surface[..., :3] + layers["shadow"] * (
        layers["hold"][..., None] * facade + (1 - standing) * layers["clean"]
    )
    out = (1 - front[..., 3:]) * (layers["picture"] - (1 - a) * layers["facade"]) + a * front[..., :3]
    out = out + (1 - a) * ((1 - dust[..., 3:]) * behind + dust[..., :3])
    gain, add, _ = blend(**layers)
    np.testing.assert_allclose(layers["picture"] * gain + add, out, atol=1e-5)


def test_an_opaque_occluder_keeps_its_pixels_when_the_building_is_gone() -> None:
    layers = scene(5)
    layers["hold"][:] = 0.0
    gain, add, _ = blend(**layers)
    out = layers["picture"] * gain + add
    opaque = layers["occluder"] == 1.0
    np.testing.assert_allclose(out[opaque], layers["picture"][opaque], atol=1e-6)
    away = np.all(layers["clean"] == layers["picture"], axis=-1) & (layers["occluder"] == 0)
    assert np.all(out[away] == layers["picture"][away])


def test_thick_dust_hides_the_occluder() -> None:
    layers = scene(6)
    layers["dust"][..., 3] = 1.0
    layers["dust"][..., :3] = 0.5
    layers["dust_front"][layers["occluder"] > 0] = [0.5, 0.5, 0.5, 1.0]
    gain, add, matte = blend(**layers)
    np.testing.assert_allclose(layers["picture"] * gain + add, 0.5, atol=1e-5)
    assert np.all(matte == 1.0)


def test_grain_has_the_measured_strength_and_stays_where_it_belongs() -> None:
    pattern = grain_pattern(200, 300, seed=1)
    grey = np.full((200, 300, 3), 0.18, np.float32)
    weight = np.zeros((200, 300), np.float32)
    weight[:, 150:] = 1.0
    sigma = np.array([0.01, 0.008, 0.012])
    grained = regrain(grey, weight, sigma, pattern)
    assert np.all(grained[:, :150] == grey[:, :150])
    np.testing.assert_allclose(grained[:, 150:].std(axis=(0, 1)), sigma, rtol=0.05)
    assert not np.array_equal(pattern, grain_pattern(200, 300, seed=2))


def test_a_slate_has_the_size_asked_for() -> None:
    card = draw_slate(640, 360, "lyon_corner", [("Frames", "1001-1096"), ("Seed", "7")])
    assert card.shape == (360, 640, 3)
    assert card.max() > 200
