"""The whole solve on a drawn street, and what it says of pictures and settings it cannot use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.media.images import write_png
from falsework.plate.camera import Camera
from falsework.plate.plate import Plate
from falsework.plate.settings import (
    FacadeSettings,
    LightSettings,
    NeighbourSettings,
    OccluderSettings,
    PlateSettings,
)
from falsework.plate.stage import make_plate
from test_plate_solve import drawn_walls, tilted_camera

HEIGHT = 17.0


def street(folder: Path) -> tuple[Camera, list[FacadeSettings]]:
    """A drawn corner with a sky and a ground in `folder`/plate.png, its camera and its two walls."""
    camera = tilted_camera(10.0, 0.5, 900.0)
    angles = (30.0, 140.0)
    picture = drawn_walls(camera, angles)
    corner = np.array([0.0, 18.0, 0.0])
    ends = [corner + 15.8 * np.array([np.cos(np.radians(a)), np.sin(np.radians(a)), 0]) for a in angles]
    rows, columns = np.mgrid[0 : camera.height, 0 : camera.width]
    rays = camera.rays(np.stack([columns, rows], axis=-1) + 0.5)
    walls = np.zeros(rows.shape, bool)
    settings = []
    for name, left, right in (("left", ends[1], corner), ("right", corner, ends[0])):
        along = (right - left) / np.linalg.norm(right - left)
        normal = np.array([along[1], -along[0], 0.0])
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = (left - camera.position) @ normal / (rays @ normal)
            point = camera.position + rays * depth[..., None]
            across = (point - left) @ along
        walls |= (depth > 0) & (across > 0) & (across < 15.8) & (point[..., 2] > 0) & (point[..., 2] < HEIGHT)
        up = np.array([0.0, 0.0, HEIGHT])
        corners = camera.project(np.array([left + up, right + up, right, left]))[0]
        settings.append(
            FacadeSettings(
                name=name,
                corners=tuple((float(x), float(y)) for x, y in corners),  # type: ignore[arg-type]
                storeys=5,
                storey_height=3.2,
                ground_storey_height=HEIGHT - 4 * 3.2,
                bays=6,
            )
        )
    sky = ~walls & (rays[..., 2] > 0)
    picture[sky] = (0.25, 0.4, 0.7)
    picture[~walls & ~sky] = (0.12, 0.12, 0.11)
    write_png(folder / "plate.png", np.round(np.clip(picture, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8))
    return camera, settings


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Camera, Plate]:
    folder = tmp_path_factory.mktemp("street")
    camera, walls = street(folder)
    steps: list[tuple[int, int]] = []
    plate = make_plate(
        PlateSettings(file="plate.png", colour_space="sRGB"),
        walls[::-1],
        [],
        [],
        LightSettings(),
        base=folder,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(n, steps[-1][1]) for n in range(1, steps[-1][1] + 1)]
    return camera, plate


def test_camera_and_scale_are_the_drawn_ones(solved: tuple[Camera, Plate]) -> None:
    camera, plate = solved
    assert plate.camera.focal == pytest.approx(camera.focal, rel=0.02)
    assert plate.camera.position[2] == pytest.approx(2.0, abs=0.1)
    assert plate.measures["pitch_up"] == pytest.approx(10.0, abs=0.4)
    assert plate.measures["roll"] == pytest.approx(0.5, abs=0.3)
    assert plate.measures["reprojection_error"] < 3.0
    assert [wall.name for wall in plate.facades] == ["left", "right"]
    assert plate.facades[0].width == pytest.approx(15.8, rel=0.03)


def test_windows_are_where_they_were_drawn(solved: tuple[Camera, Plate]) -> None:
    _, plate = solved
    right = plate.facades[1]
    assert right.windows.shape == (30, 4)
    # Drawn at 1.0 + 2.6 n to 2.2 + 2.6 n metres across. The ground storey is not held to it.
    upper = right.windows[6:]
    middle = np.sort((upper[:, 0] + upper[:, 2]) / 2).reshape(6, 4).mean(axis=1)
    assert middle == pytest.approx(1.6 + 2.6 * np.arange(6), abs=0.3)


def test_pictures_fit_together(solved: tuple[Camera, Plate]) -> None:
    _, plate = solved
    rows, columns = plate.picture.shape[:2]
    assert plate.original is plate.picture
    assert plate.facade.shape == (rows + plate.pad_top, columns, 3)
    assert plate.building.shape == (rows + plate.pad_top, columns)
    assert plate.clean.shape == (rows, columns, 3)
    for picture in (plate.picture, plate.facade, plate.clean, plate.building, plate.occluder):
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
    away = plate.building[plate.pad_top :] == 0
    assert np.array_equal(plate.facade[plate.pad_top :][away], plate.picture[away])


def test_the_plate_stays_whole_through_disk(solved: tuple[Camera, Plate], tmp_path: Path) -> None:
    _, plate = solved
    plate.save(tmp_path)
    back = Plate.load(tmp_path)
    assert np.array_equal(back.original, plate.original)
    assert [wall.name for wall in back.facades] == ["left", "right"]
    assert np.array_equal(back.light.sun, plate.light.sun)


def test_bad_input_gets_a_sentence(tmp_path: Path) -> None:
    _, walls = street(tmp_path)
    good = PlateSettings(file="plate.png", colour_space="sRGB")

    def refused(
        words: str, plate: PlateSettings = good, facades: list[FacadeSettings] = walls, **more: object
    ) -> None:
        with pytest.raises(FalseworkError, match=words) as caught:
            make_plate(  # type: ignore[arg-type]
                plate,
                facades,
                more.get("neighbours", []),
                more.get("occluders", []),
                LightSettings(),
                base=tmp_path,
            )
        assert caught.value.where
        assert caught.value.todo

    refused(".", plate=good.model_copy(update={"file": "absent.png"}))
    (tmp_path / "torn.png").write_bytes((tmp_path / "plate.png").read_bytes()[:2000])
    refused(".", plate=good.model_copy(update={"file": "torn.png"}))
    write_png(tmp_path / "dot.png", np.zeros((1, 1, 3), np.uint8))
    refused(".", plate=good.model_copy(update={"file": "dot.png"}))
    refused("no facade", facades=[])
    corners = walls[0].corners
    crossed = walls[0].model_copy(update={"corners": (corners[0], corners[2], corners[1], corners[3])})
    refused("convex", facades=[crossed])
    far = walls[0].model_copy(update={"corners": tuple((x - 650, y) for x, y in corners)})
    refused("outside", facades=[far])
    write_png(tmp_path / "small.png", np.zeros((100, 100, 3), np.uint8))
    refused("100x100", plate=good.model_copy(update={"building_matte": "small.png"}))
    refused("100x100", occluders=[OccluderSettings(name="post", file="small.png")])
    refused("no such picture", occluders=[OccluderSettings(name="post", file="absent.png")])
    house = NeighbourSettings(name="gone", corners=tuple((x + 5000, y) for x, y in corners))  # type: ignore[arg-type]
    refused("outside", neighbours=[house])
