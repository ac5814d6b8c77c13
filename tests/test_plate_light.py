"""Light, grain and softness measured from pictures whose light, grain and softness are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.plate.grain import measure_grain, measure_softness
from falsework.plate.light import estimate_light, sun_vector
from falsework.plate.plate import Plate
from falsework.plate.settings import LightSettings
from plates import afternoon_light, synthetic_plate


@pytest.mark.parametrize("sigma", [0.002, 0.006, 0.015])
@pytest.mark.parametrize("level", [0.1, 0.18, 0.35])
def test_grain_is_measured_at_middle_grey(sigma: float, level: float) -> None:
    random = np.random.default_rng(5)
    picture = np.full((240, 360, 3), level, np.float32) + np.linspace(0, 0.02, 360, dtype=np.float32)[:, None]
    picture[:, 100:140] *= 1.4  # an edge, which is no grain
    noise = random.normal(0, 1, picture.shape) * sigma * np.sqrt(picture / 0.18) * np.array([1.0, 0.8, 1.6])
    measured = measure_grain((picture + noise).astype(np.float32))
    assert measured == pytest.approx(sigma * np.array([1.0, 0.8, 1.6]), rel=0.15)


def test_a_made_picture_has_no_grain() -> None:
    assert measure_grain(np.full((120, 120, 3), 0.2, np.float32)).max() < 1e-6


@pytest.mark.parametrize("blur", [0.7, 1.2, 2.0])
def test_softness_is_the_blur_of_edges(blur: float) -> None:
    picture = np.full((300, 400, 3), 0.08, np.float32)
    for number in range(5):
        cv2.rectangle(picture, (30 + 70 * number, 40), (70 + 70 * number, 260), (0.6, 0.6, 0.6), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), blur)
    assert measure_softness(picture) == pytest.approx(blur, abs=0.3)


def test_sun_vector_counts_from_the_view_clockwise() -> None:
    assert sun_vector(0.0, 0.0) == pytest.approx([0, 1, 0])
    assert sun_vector(np.pi / 2, 0.0) == pytest.approx([1, 0, 0])
    assert sun_vector(1.0, np.pi / 2) == pytest.approx([0, 0, 1])


def settled(plate: Plate, **values: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    light = estimate_light(plate.picture, plate.facades, plate.camera, LightSettings(**values))  # type: ignore[arg-type]
    return light.sun, light.sky, light.sun_direction


def test_settings_overrule_the_picture() -> None:
    plate = synthetic_plate()
    sun, sky, direction = settled(
        plate, azimuth=60, elevation=25, sun_sky_ratio=4.0, sun_colour=(1.0, 0.9, 0.8)
    )
    assert direction == pytest.approx(sun_vector(np.radians(60), np.radians(25)))
    weights = np.array([0.2722287168, 0.6740817658, 0.0536895174])
    assert (sun @ weights) / (sky @ weights) == pytest.approx(4.0, rel=1e-6)
    assert sun / sun[0] == pytest.approx([1.0, 0.9, 0.8])


def test_a_sunlit_wall_comes_out_with_a_walls_albedo() -> None:
    """Half of a plain wall in the shade: sun and sky must explain both halves with one plausible albedo."""
    plate = synthetic_plate(light=afternoon_light())
    wall = plate.facades[0]
    albedo, sun, sky = 0.45, np.array([3.0, 2.7, 2.3]), np.array([0.7, 0.8, 1.0])
    towards = afternoon_light().sun_direction
    lit = albedo / np.pi * (sun * (wall.normal @ towards) + 0.5 * sky)
    shaded = albedo / np.pi * 0.5 * sky
    picture = plate.picture.copy()
    box = np.array([wall.point(0, 9), wall.point(6, 9), wall.point(6, 4), wall.point(0, 4)])
    low = np.array([wall.point(0, 4), wall.point(6, 4), wall.point(6, 0), wall.point(0, 0)])
    for corners, colour in ((box, lit), (low, shaded)):
        pixels = np.round(plate.camera.project(corners)[0]).astype(np.int32).reshape(-1, 1, 2)
        cv2.fillPoly(picture, [pixels], tuple(float(c) for c in colour))
    flat = replace(plate, picture=picture)
    measured_sun, measured_sky, direction = settled(flat, azimuth=130, elevation=40)
    ambient = 0.5 * measured_sky
    found = lit / ((measured_sun * (wall.normal @ direction) + ambient) / np.pi)
    assert 0.3 < found.mean() < 0.6
    assert measured_sun.mean() / sun.mean() == pytest.approx(1.0, abs=0.35)


def test_the_sun_shines_on_the_walls_that_are_lit() -> None:
    plate = synthetic_plate()
    wall = plate.facades[0]
    picture = plate.picture.copy()
    # The upper half five times brighter than the lower: a shadow's edge runs across the wall.
    pixels = np.round(plate.camera.project(
        np.array([wall.point(0, 9), wall.point(6, 9), wall.point(6, 5), wall.point(0, 5)])
    )[0]).astype(np.int32)  # fmt: skip
    mask = cv2.fillPoly(np.zeros(picture.shape[:2], np.uint8), [pixels.reshape(-1, 1, 2)], 1) > 0
    picture[mask] *= 5.0
    _, _, direction = settled(replace(plate, picture=picture))
    assert wall.normal @ direction > 0.1


def test_the_shade_plane_holds_the_line_and_the_sun() -> None:
    plate = synthetic_plate()
    wall = plate.facades[0]
    ends = np.array([wall.point(0.5, 3.0), wall.point(5.5, 5.0)])
    line = plate.camera.project(ends)[0]
    light = estimate_light(
        plate.picture,
        plate.facades,
        plate.camera,
        LightSettings(azimuth=140, elevation=35, shade_line=tuple(tuple(p) for p in line.tolist())),  # type: ignore[arg-type]
    )
    assert ends @ light.shade[:3] + light.shade[3] == pytest.approx([0, 0], abs=1e-6)
    assert light.shade[:3] @ light.sun_direction == pytest.approx(0, abs=1e-9)
    assert wall.point(3.0, 8.0) @ light.shade[:3] + light.shade[3] > 0
    assert wall.point(3.0, 0.5) @ light.shade[:3] + light.shade[3] < 0


def test_a_shade_line_of_one_point_is_refused() -> None:
    plate = synthetic_plate()
    with pytest.raises(FalseworkError, match="shade line"):
        settled(plate, shade_line=((240.0, 160.0), (240.0, 160.0)))


def test_a_plate_comes_back_from_disk_and_smaller(tmp_path: Path) -> None:
    plate = replace(synthetic_plate(480, 320, pad_top=33), measures={"focal_35mm": 24.4})
    plate.save(tmp_path / "solve")
    back = Plate.load(tmp_path / "solve")
    for name in ("picture", "facade", "building", "clean", "occluder", "occluder_depth", "clean_depth"):
        assert np.array_equal(getattr(back, name), getattr(plate, name))
    assert back.original is back.picture
    assert back.lens == plate.lens
    assert back.measures == plate.measures
    assert np.array_equal(back.camera.rotation, plate.camera.rotation)
    assert back.facades[0].name == "front"
    small = back.resized(160)
    assert small.picture.shape == (160, 240, 3)
    assert small.original is small.picture
    assert small.pad_top == 17
    assert small.facade.shape == (177, 240, 3)
    # Both halves of the size are whole numbers here: each small pixel is the mean of four.
    mean = plate.picture.reshape(160, 2, 240, 2, 3).mean(axis=(1, 3))
    assert np.allclose(small.picture, mean, atol=1e-6)
    same = plate.facade[plate.pad_top :] == plate.picture
    kept = same.all(axis=2).reshape(160, 2, 240, 2).all(axis=(1, 3))
    assert np.array_equal(small.facade[small.pad_top :][kept], small.picture[kept])
    points = plate.facades[0].point(1.0, 2.0)[None]
    assert small.camera.project(points)[0] * 2 == pytest.approx(plate.camera.project(points)[0])
    assert back.resized(320) is back
    assert back.resized(107).picture.shape == (107, 160, 3)
