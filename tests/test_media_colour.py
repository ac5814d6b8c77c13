"""Colour: plates come back with the values they had, camera curves are the makers' own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.media.colour import (
    ALIASES,
    colour_space_name,
    display_space,
    from_working,
    to_8bit,
    to_working,
)
from falsework.seeds import generator


def encoded(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255


@pytest.mark.parametrize("space", ["sRGB", "Rec.709"])
def test_every_grey_and_many_colours_come_back_exactly(space: str) -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    colours = generator(5, "test", "colours").integers(0, 256, (200_000, 3), dtype=np.uint8)
    corners = np.array([[r, g, b] for r in (0, 1, 255) for g in (0, 1, 255) for b in (0, 1, 255)], np.uint8)
    for pixels in (greys, colours, corners):
        assert np.array_equal(to_8bit(to_working(encoded(pixels), space), space), pixels)


@given(st.lists(st.tuples(*[st.integers(0, 65535)] * 3), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_16_bit_srgb_comes_back_within_a_level_of_12_bits(values: list[tuple[int, int, int]]) -> None:
    pixels = np.array(values, np.float32) / 65535
    assert np.abs(from_working(to_working(pixels, "sRGB"), "sRGB") - pixels).max() < 1 / 4096


def test_srgb_curve_and_primaries_are_the_standards() -> None:
    white = to_working(np.ones((1, 3), np.float32), "sRGB")
    np.testing.assert_allclose(white, 1.0, atol=1e-4)
    grey = to_working(np.full((1, 3), 0.5, np.float32), "sRGB")
    np.testing.assert_allclose(grey, ((0.5 + 0.055) / 1.055) ** 2.4, rtol=1e-4)  # IEC 61966-2-1
    red = to_working(np.array([[1.0, 0, 0]], np.float32), "linear")
    np.testing.assert_allclose(red, [[0.6131, 0.0702, 0.0206]], atol=2e-4)  # Rec.709 to AP1, Bradford


@pytest.mark.parametrize(
    ("space", "code"),
    [
        ("LogC3", 0.391007),  # ARRI, ALEXA Log C Curve, EI 800: 18 % grey at 400/1023
        ("LogC4", 0.278394),  # ARRI LogC4 Logarithmic Color Space Specification: 18 % grey
        ("S-Log3", 420 / 1023),  # Sony, Technical Summary for S-Gamut3.Cine/S-Log3: 18 % grey
    ],
)
def test_camera_curves_put_middle_grey_where_their_makers_say(space: str, code: float) -> None:
    np.testing.assert_allclose(to_working(np.full((1, 3), code, np.float32), space), 0.18, rtol=2e-3)


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases_exist_whatever_their_case(alias: str) -> None:
    assert colour_space_name(alias.upper()) == ALIASES[alias]
    assert colour_space_name(ALIASES[alias]) == ALIASES[alias]
    linear = np.array([[0.2, 0.3, 0.4], [2.0, 1.5, 1.0]], np.float32)
    np.testing.assert_allclose(to_working(from_working(linear, alias), alias), linear, rtol=2e-3)


@pytest.mark.parametrize(
    ("wrong", "right"), [("LogC5", "LogC4"), ("SRBG", "sRGB"), ("s-log", "S-Log3"), ("alexa", "colour")]
)
def test_an_unknown_name_gets_the_nearest_ones(wrong: str, right: str) -> None:
    with pytest.raises(FalseworkError) as caught:
        to_working(np.zeros((1, 3), np.float32), wrong)
    assert right in caught.value.sentence()
    assert wrong in caught.value.sentence()


@pytest.mark.parametrize("nothing", ["", "   "])
def test_no_name_is_no_name(nothing: str) -> None:
    with pytest.raises(FalseworkError):
        colour_space_name(nothing)


def test_input_is_left_alone_and_shape_kept() -> None:
    pixels = np.full((4, 5, 3), 0.5, np.float32)
    kept = pixels.copy()
    assert to_working(pixels[:, ::2], "sRGB").shape == (4, 3, 3)
    assert to_working(pixels, "ACEScg") is not pixels
    assert np.array_equal(pixels, kept)
    assert from_working(np.zeros((0, 3), np.float32), "sRGB").shape == (0, 3)


def test_pictures_for_viewing_clip_and_survive_what_is_not_a_number() -> None:
    pixels = np.array([[9.0, 9.0, 9.0], [-1.0, -1.0, -1.0], [np.nan, 0.0, 0.0]], np.float32)
    shown = to_8bit(pixels)
    assert shown[0].tolist() == [255, 255, 255]
    assert shown[1].tolist() == [0, 0, 0]
    assert shown.dtype == np.uint8


def test_review_pictures_are_made_in_the_plates_space_where_a_screen_has_it() -> None:
    assert display_space("Rec.709") == ALIASES["Rec.709"]
    assert display_space("sRGB") == ALIASES["sRGB"]
    assert display_space("Rec.1886 Rec.709 - Display") == "Rec.1886 Rec.709 - Display"
    # The movie states Rec.709's primaries: wider ones are brought into them.
    for space in ("LogC3", "S-Log3", "ACEScg", "linear", "sRGB Encoded P3-D65", "Gamma 2.2 Encoded AdobeRGB"):
        assert display_space(space) == ALIASES["sRGB"]
