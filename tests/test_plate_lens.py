"""The lens both ways: point maps, pictures, covering, the fisheye found from straight edges."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.media.images import read_exif, read_picture
from falsework.plate.fisheye import fisheye_focal
from falsework.plate.framing import framing
from falsework.plate.lens import Lens
from falsework.plate.settings import LensSettings, PlateSettings
from test_plate_solve import drawn_walls, tilted_camera

LENSES = [
    Lens("brown", (-0.12, 0.02, 0.001, -0.0007, 0.0), 900.0, (640.0, 360.0), 1280, 720),
    Lens("brown", (0.08, -0.01), 1100.0, (600.0, 380.0), 1280, 720),
    Lens("fisheye", (), 620.0, (640.0, 500.0), 1280, 720),
    Lens("fisheye", (0.03, -0.008, 0.001, 0.0), 700.0, (640.0, 360.0), 1280, 720),
]


def grid(width: int, height: int, step: int = 40) -> npt.NDArray[np.float64]:
    return np.stack(
        np.meshgrid(np.arange(0, width + 1, step), np.arange(0, height + 1, step)), axis=-1
    ).astype(float)


@pytest.mark.parametrize("lens", LENSES)
def test_there_and_back_is_a_twentieth_of_a_pixel_at_most(lens: Lens) -> None:
    lens = lens.covering(most_pixels=4e6)
    pixels = grid(lens.width, lens.height)
    back = lens.to_delivered(lens.to_working(pixels))
    assert np.abs(back - pixels).max() < 0.01


@given(k=st.floats(-0.05, 0.05), x=st.floats(0, 1280), y=st.floats(0, 720), focal=st.floats(600, 2000))
@settings(max_examples=50, deadline=None)
def test_any_mild_fisheye_there_and_back(k: float, x: float, y: float, focal: float) -> None:
    lens = Lens("fisheye", (k,), focal, (640.0, 360.0), 1280, 720).covering(most_pixels=4e6)
    assert np.abs(lens.to_delivered(lens.to_working([[x, y]])) - [[x, y]]).max() < 0.01


def test_brown_and_fisheye_are_opencvs() -> None:
    plane = np.random.default_rng(3).uniform(-0.6, 0.6, (50, 2))
    brown, fish = LENSES[0], LENSES[3]
    matrix = np.array([[brown.focal, 0, 640.0], [0, brown.focal, 360.0], [0, 0, 1]])
    points = np.column_stack([plane, np.ones(50)])
    known = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, np.array(brown.coefficients))[0][:, 0]
    assert np.allclose(brown.distort(plane), known, atol=1e-6)
    angle = np.arctan(np.hypot(*plane.T))
    k1, k2, k3, k4 = fish.coefficients
    bent = angle * (1 + k1 * angle**2 + k2 * angle**4 + k3 * angle**6 + k4 * angle**8)
    expected = plane / np.hypot(*plane.T)[:, None] * bent[:, None] * fish.focal + np.array(fish.centre)
    assert np.allclose(fish.distort(plane), expected, atol=1e-9)


@pytest.mark.parametrize("lens", LENSES)
def test_the_working_picture_covers_every_delivered_pixel(lens: Lens) -> None:
    lens = lens.covering(most_pixels=1e6)
    width, height = lens.size
    reached = lens.to_working(grid(lens.width, lens.height, 20))
    assert reached.min() >= 1.0
    assert (reached <= np.array([width, height]) - 1.0).all()
    assert width * height < 1.1e6


@pytest.mark.parametrize("lens", LENSES)
def test_a_straightened_picture_bends_back(lens: Lens) -> None:
    lens = lens.covering(most_pixels=4e6)
    rows, columns = np.mgrid[0 : lens.height, 0 : lens.width]
    smooth = (
        np.stack([np.sin(columns / 40), np.cos(rows / 35), np.sin((rows + columns) / 60)], -1) * 0.3 + 0.5
    )
    smooth = smooth.astype(np.float32)
    back = lens.bend(lens.straighten(smooth))
    assert back.shape == smooth.shape
    assert np.abs(back - smooth)[4:-4, 4:-4].max() < 0.004


def test_without_a_lens_the_array_itself_comes_back() -> None:
    lens = Lens("none", (), 900.0, (640.0, 360.0), 1280, 720)
    picture = np.zeros((720, 1280, 3), np.float32)
    assert lens.bend(picture) is picture
    assert lens.bend_motion(picture[..., :2]).base is picture
    assert lens.size == (1280, 720)
    assert np.array_equal(lens.to_working([[3.0, 4.0]]), [[3.0, 4.0]])


@pytest.mark.parametrize("lens", LENSES)
def test_a_bent_motion_leads_where_the_point_is_seen_next(lens: Lens) -> None:
    lens = lens.covering(most_pixels=1e6)
    width, height = lens.size
    motion = np.zeros((height, width, 2), np.float32)
    motion[:, : width // 2] = 30.0, -18.0
    bent = lens.bend_motion(motion)
    assert bent.shape == (lens.height, lens.width, 2)
    assert not bent[:, -100:].any()
    for x, y in ((40, 30), (200, 600), (400, 350)):
        here = np.array([x + 0.5, y + 0.5])
        assert np.allclose(lens.to_working(here + bent[y, x]) - lens.to_working(here), (30, -18), atol=0.02)


def test_a_smaller_lens_maps_the_same_places() -> None:
    lens = LENSES[2].covering(most_pixels=3e6)
    small = lens.resized(640, 360)
    pixels = grid(1280, 720)
    assert np.allclose(small.to_working(pixels / 2), lens.to_working(pixels) / 2, atol=1e-6)
    assert Lens.from_json(small.to_json()) == small


@pytest.mark.parametrize("focal", [760.0, 900.0])
def test_a_fisheye_is_found_from_straight_edges(focal: float) -> None:
    straight = drawn_walls(tilted_camera(6.0, 0.5, 760.0, (1800, 1350)), (28.0, 150.0))
    lens = Lens("fisheye", (), focal, (720.0, 540.0), 1440, 1080)
    pixels = lens.undistort(grid(1440, 1080, 1)[:-1, :-1] + 0.5) * 760.0 + np.array([900.0, 675.0]) - 0.5
    bent = cv2.remap(
        straight, pixels[..., 0].astype(np.float32), pixels[..., 1].astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    found, spread = fisheye_focal(np.round(bent[..., 0] * 255).astype(np.uint8), 800.0)
    assert found == pytest.approx(focal, rel=0.03)
    assert spread < 0.1


def test_the_action_camera_of_la_rochelle() -> None:
    """GoPro HERO9, 3.0 mm, 1.19 micrometre pixels: 2520 pixels. Long straight things of the place, clicked in
    the file, must be straight in the working picture."""
    path = Path(__file__).parents[1] / "examples" / "la_rochelle" / "plate.jpg"
    picture = read_picture(path, "sRGB")
    chosen = PlateSettings(file=path.name, crop=(520, 150, 4224, 2376), size=(3840, 2160))
    frame = framing(picture, chosen, read_exif(path), where="[plate]")
    assert frame.lens.model == "fisheye"
    assert frame.lens.focal / frame.scale[0] == pytest.approx(2520, rel=0.03)
    assert frame.delivered(picture).shape == (2160, 3840, 3)


def test_what_cannot_be_framed_is_refused() -> None:
    picture = np.zeros((300, 400, 3), np.float32)

    def refused(words: str, key: str, **values: object) -> None:
        with pytest.raises(FalseworkError, match=words) as caught:
            framing(picture, PlateSettings(file="x", **values), {}, where="[plate]")  # type: ignore[arg-type]
        assert key in caught.value.where
        assert caught.value.todo

    refused("inside", "crop", crop=(100, 0, 400, 300))
    refused("scaled up", "size", size=(800, 600))
    refused("squeezed", "size", size=(400, 200))
    refused("too small", "size", size=(40, 30))
    refused("focal length", "focal_35mm", lens=LensSettings(model="brown", coefficients=[-0.1]))
    refused("fisheye", "lens", lens=LensSettings(model="fisheye"))
