"""The delivery is enough to build the shot anew: plain arithmetic on the delivered files gives the beauty."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import OpenEXR
import pytest

from falsework.comp.composite import SURFACE_GRAIN, Compositor
from falsework.comp.plate_pictures import plate_pictures
from falsework.comp.settings import CompSettings
from falsework.delivery.layers_exr import write_frame
from falsework.delivery.plate_exr import write_plate_pictures
from falsework.plate.lens import Lens
from falsework.plate.plate import Plate
from falsework.render.layers import Layers
from plates import synthetic_plate

Image = npt.NDArray[np.float32]

HALF = 2.0**-11  # what rounding to half takes or gives, as a share
FISHEYE = Lens(
    "fisheye", (0.03,), 400.0, (160.0, 110.0), 320, 220,
    working_focal=400.0, working_centre=(240.0, 160.0), working_size=(480, 320),
)  # fmt: skip


def scene(lens: Lens | None) -> tuple[Plate, Layers]:
    """A tower in the midst of its fall, standing, moved and gone in parts; dust before and behind a pole."""
    plate = synthetic_plate(480, 320)
    height, width = plate.picture.shape[:2]
    random = np.random.default_rng(9)
    building = plate.building[plate.pad_top :]
    occluder = np.zeros((height, width), np.float32)
    occluder[:, 236:248] = np.array([0.1, 0.4, 0.8, *[1.0] * 6, 0.8, 0.4, 0.1], np.float32)
    picture = np.where(occluder[..., None] > 0, plate.picture * 0.4, plate.picture)
    facade = plate.facade.copy()
    facade[plate.pad_top :] = np.where(occluder[..., None] > 0, facade[plate.pad_top :], picture)
    clean = np.where((building > 0)[..., None], plate.clean, picture)
    plate = replace(plate, picture=picture, facade=facade, clean=clean, occluder=occluder, original=picture)
    if lens is not None:
        plate = replace(plate, lens=lens, original=lens.bend(picture))

    def cloud(low: int, high: int) -> Image:
        thick = np.zeros((height, width, 1), np.float32)
        thick[low:high] = random.uniform(0, 1, (high - low, width, 1))
        return np.concatenate([thick * random.uniform(0.2, 0.8, (height, width, 3)), thick], axis=-1).astype(
            "f4"
        )

    surface = np.zeros((height, width, 4), np.float32)
    surface[150:210, 200:300] = random.uniform(0, 1, (60, 100, 4))
    surface[..., :3] *= surface[..., 3:]
    hold = np.where(building > 0, 1.0 - surface[..., 3], 0.0).astype(np.float32)
    hold[:150] *= 0.0
    shadow = np.ones((height, width, 3), np.float32)
    shadow[180:260] = random.uniform(0.3, 1, (80, width, 3))
    front = cloud(200, 280)
    front[occluder == 0] = 0
    none = np.zeros((height, width, 6), np.float32)
    return plate, Layers(
        surface=surface,
        hold=hold,
        shadow=shadow,
        dust=cloud(190, 300),
        dust_front=front,
        depth=np.full((height, width), 20.0, np.float32),
        normal=none[..., :3],
        motion=none[..., :2],
        albedo=none[..., :3],
        crypto=none,
    )


def channels(path: Path) -> dict[str, Image]:
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {name: channel.pixels.astype(np.float32) for name, channel in file.channels().items()}


def layer(channels: dict[str, Image], prefix: str, letters: str) -> Image:
    return np.stack([channels[prefix + letter] for letter in letters], axis=-1)


def recomp(frame: dict[str, Image], still: dict[str, dict[str, Image]]) -> tuple[Image, Image]:
    """What the cookbook says, and how bright what it adds up is, for the error of rounding."""
    plate, facade, clean, grain = (
        layer(still[kind], "", "RGB") for kind in ("plate", "facade", "clean", "grain")
    )
    occluder = still["occluder"]["A"][..., None]
    surface, dust, front = (layer(frame, f"{name}.", "RGBA") for name in ("surface", "dust", "dust_front"))
    shadow, hold = layer(frame, "shadow.", "RGB"), frame["hold.A"][..., None]
    covered, dusty, before = surface[..., 3:], dust[..., 3:], front[..., 3:]

    ground = shadow * (hold * facade + np.maximum(1 - covered - hold, 0) * clean)
    behind = dust[..., :3] + (1 - dusty) * (surface[..., :3] + ground)
    out = (
        (1 - before) * (plate - (1 - occluder) * facade) + occluder * front[..., :3] + (1 - occluder) * behind
    )
    weight = (1 - occluder) * ((1 - dusty) * covered * SURFACE_GRAIN + dusty) + occluder * before
    noise = grain * np.sqrt(np.maximum(out, 0) / 0.18) * weight
    out = np.maximum(out + noise, np.minimum(out, 0))
    return out, plate + facade + clean + surface[..., :3] + dust[..., :3] + front[..., :3]


@pytest.mark.parametrize("lens", [None, FISHEYE], ids=["straight", "bent"])
@pytest.mark.parametrize(
    "settings", [CompSettings(), CompSettings(grain=0, softness=0)], ids=["finished", "bare"]
)
def test_the_delivered_files_give_the_beauty(
    tmp_path: Path, lens: Lens | None, settings: CompSettings
) -> None:
    plate, layers = scene(lens)
    plate = replace(plate, softness=0.8, grain=np.array([0.01, 0.008, 0.012]))
    finished = Compositor(plate, settings, seed=3).frame(layers)
    path = tmp_path / "a.1001.exr"
    aovs = {"beauty": finished.picture, "matte": finished.matte, **finished.aovs}
    write_frame(path, aovs, frame=1001, fps=24, name="a", crypto_manifest={})
    files = write_plate_pictures(tmp_path, plate_pictures(plate, settings, seed=3), name="a")

    delivered = channels(path)
    out, bright = recomp(delivered, {kind: channels(file) for kind, file in files.items()})
    beauty = layer(delivered, "", "RGB")
    assert np.abs(beauty - out).max() < 0.01
    assert np.all(np.abs(beauty - out) <= 4 * HALF * (bright + 0.01))
    assert 0.1 < (delivered["matte.A"] > 0).mean() < 0.9
    untouched = delivered["matte.A"] == 0
    assert np.array_equal(beauty[untouched], layer(channels(files["plate"]), "", "RGB")[untouched])


@pytest.mark.parametrize("lens", [None, FISHEYE], ids=["straight", "bent"])
def test_at_rest_all_of_it_holds(lens: Lens | None) -> None:
    """Before anything moves the matte is empty, also along the edges that a lens's filter softens."""
    plate, layers = scene(lens)
    still = replace(
        layers,
        surface=np.zeros_like(layers.surface),
        hold=(plate.building[plate.pad_top :] > 0).astype(np.float32),
        shadow=np.ones_like(layers.shadow),
        dust=np.zeros_like(layers.dust),
        dust_front=np.zeros_like(layers.dust),
    )
    frame = Compositor(plate, CompSettings(), seed=3).frame(still)
    assert not frame.matte.any()
    assert np.array_equal(frame.picture, plate.original)
    assert np.allclose(frame.aovs["hold"], 1.0, atol=1e-5)


def test_the_occluders_matte_opens_in_any_program(tmp_path: Path) -> None:
    plate, _ = scene(None)
    files = write_plate_pictures(tmp_path, plate_pictures(plate, CompSettings(), seed=3), name="a")
    assert [path.name for path in files.values()] == [
        "a_plate.exr", "a_clean.exr", "a_facade.exr", "a_occluder.exr", "a_grain.exr",
    ]  # fmt: skip
    matte = channels(files["occluder"])
    assert set(matte) == set("RGBA")
    assert all(np.array_equal(matte[letter], matte["A"]) for letter in "RGB")
    np.testing.assert_allclose(matte["A"], plate.occluder, atol=HALF)
