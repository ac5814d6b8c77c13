"""Dust on fine cells: what the camera sees of it, how it is lit, where it meets the grid's; and takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from falsework.dust.field import DustField, DustFrame
from falsework.dust.fine import BRICK, FACTOR, FineDust
from falsework.plate.plate import Plate
from falsework.render import Renderer
from falsework.render import volume as volumes
from falsework.render.ambient import DENSEST
from falsework.render.fine_volume import (
    DEEPEST,
    DENSEST_SEEN,
    REACH,
    WIDE,
    FineVolume,
    Refine,
    _spread,
    _upsampled,
    seen_bricks,
)
from falsework.render.settings import RenderSettings
from plates import synthetic_plate
from scenes import brick_tower, street_camera
from test_render_layers import FRAMES, no_debris, standing

Float = npt.NDArray[np.float32]

WIDTH, HEIGHT = 240, 160
VOXEL = 0.5
SHAPE = (32, 16, 16)  # dust cells: 16 m wide, 8 m deep and high, before the tower
LOW = (-8.0, 14.0, 0.0)


@pytest.fixture(scope="module")
def plate() -> Plate:
    return synthetic_plate(WIDTH, HEIGHT)


def field_of(folder: Path, density: Float) -> DustField:
    """A field that has this density in every frame, and noise that lies still."""
    field = DustField(folder, LOW, VOXEL, SHAPE, 4, FRAMES, {})
    coarse = tuple(-(-n // 4) for n in SHAPE)
    for frame in range(FRAMES):
        field.save_frame(
            frame,
            DustFrame(
                density=density.astype(np.float16),
                detail=np.zeros((2, *coarse, 3), np.float16),
                weight=np.array([0.6, 0.4], np.float32),
                layer_seed=np.array([4, 7], np.int32),
            ),
        )
    return field


def puff(peak: float = 3.0) -> Float:
    """A soft ball, far from the grid's sides."""
    place = [(np.arange(n) + 0.5) * VOXEL for n in SHAPE]
    x, y, z = np.meshgrid(*place, indexing="ij")
    away = np.sqrt((x - 8.0) ** 2 + (y - 4.0) ** 2 + (z - 3.0) ** 2)
    return (peak * np.clip(2.4 - away, 0.0, 1.0)).astype(np.float32)


@pytest.fixture(scope="module")
def ball(tmp_path_factory: pytest.TempPathFactory) -> DustField:
    return field_of(tmp_path_factory.mktemp("ball"), puff())


@pytest.fixture
def uncarved(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The grid's density is what is made finer, as it is."""

    def lobes(density: Float, *given: object) -> None:
        out = given[-1]
        assert isinstance(out, np.ndarray)
        out[:] = density

    monkeypatch.setattr(volumes, "lobes", lobes)
    return


def nothing_finer(field: DustField, frame: DustFrame, seen: npt.NDArray[np.bool_]) -> FineDust:
    none = np.zeros((0, WIDE, WIDE, WIDE), np.float16)
    return FineDust(np.full(seen.shape, -1, np.int32), none)


def finer(change: Callable[[Float], Float] = lambda cells: cells, *, every: int = 1) -> Refine:
    """The grid's density, linear between its cells, on fine cells, and then `change`d: in every brick or in
    every second one, like a chessboard's."""

    def refine(field: DustField, frame: DustFrame, seen: npt.NDArray[np.bool_]) -> FineDust:
        density = frame.density.astype(np.float32)
        where = np.argwhere(np.indices(seen.shape).sum(0) % every == 0)
        index = np.full(seen.shape, -1, np.int32)
        bricks = np.empty((len(where), WIDE, WIDE, WIDE), np.float16)
        whole = np.empty((WIDE + 2,) * 3, np.float32)
        for number, (i, j, k) in enumerate(where):
            _upsampled(density, i, j, k, whole)
            bricks[number] = change(whole[1:-1, 1:-1, 1:-1])
            index[i, j, k] = number
        return FineDust(index, bricks)

    return refine


def drawn(
    plate: Plate, field: DustField, refine: Refine | None = None, frame: int = 1, **given_settings: object
) -> Float:
    """The dust layer (H, W, 4)."""
    tower = brick_tower()
    chosen = RenderSettings(samples=1, **given_settings)  # type: ignore[arg-type]
    with Renderer(
        plate, tower, standing(tower), no_debris(), field, chosen, seed=1, refine=refine
    ) as renderer:
        return renderer.frame(frame).dust


@pytest.mark.usefixtures("uncarved")
@pytest.mark.parametrize("every", [1, 2])
def test_fine_cells_that_hold_the_grids_density_look_as_the_grid(
    plate: Plate, ball: DustField, every: int
) -> None:
    """In all bricks, and in every second one: nobody sees where they meet."""
    grid = drawn(plate, ball, nothing_finer)
    fine = drawn(plate, ball, finer(every=every))
    assert grid[..., 3].max() > 0.9
    difference = np.abs(fine - grid)
    assert difference.mean() < 0.002
    assert np.quantile(difference, 0.999) < 0.06


@pytest.mark.usefixtures("uncarved")
def test_what_is_finer_than_a_cell_is_seen(plate: Plate, ball: DustField) -> None:
    """Sheets of half a cell with nothing between them: the same mass, and light comes through."""

    def sheets(cells: Float) -> Float:
        out = np.zeros_like(cells)
        out[::FACTOR] = FACTOR * cells.reshape(WIDE // FACTOR, FACTOR, WIDE, WIDE).mean(1)
        return out

    grid = drawn(plate, ball, nothing_finer)[..., 3]
    fine = drawn(plate, ball, finer(sheets))[..., 3]
    (column, row), *_ = plate.camera.project(np.array([[0.0, 18.0, 3.0]]))[0].astype(int)
    middle = np.s_[row - 6 : row + 6, column - 8 : column + 8]
    assert grid[middle].min() > 0.95
    # Across the sheets some pixels look between them; along a sheet all are alike.
    assert fine[middle].std(1).mean() > 4 * fine[middle].std(0).mean() + 0.01
    assert fine.sum() < grid.sum()


@pytest.mark.usefixtures("uncarved")
def test_a_lobe_is_lit_on_its_crown_and_dark_in_its_crease(plate: Plate, ball: DustField) -> None:
    """Ridges that run towards the camera: what looks up to the sky is paler than what lies between them."""
    place = (np.arange(WIDE) % (2 * FACTOR)) < FACTOR

    def ridges(cells: Float) -> Float:
        return cells * np.where(place, 1.9, 0.1).astype(np.float32)[:, None, None]

    # Lit by the sky alone, from above.
    fine = drawn(plate, ball, finer(ridges))
    colour = fine[..., :3].sum(-1) / np.maximum(fine[..., 3], 1e-3)
    solid = cv2.erode((fine[..., 3] > 0.98).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    flat = drawn(plate, ball, finer())
    plain = flat[..., :3].sum(-1) / np.maximum(flat[..., 3], 1e-3)
    assert solid.sum() > 200
    relief = (colour - cv2.GaussianBlur(colour, (0, 0), 6))[solid].std() / colour[solid].mean()
    before = (plain - cv2.GaussianBlur(plain, (0, 0), 6))[solid].std() / plain[solid].mean()
    assert relief > 1.5 * before


def test_the_same_pixels_in_whatever_order(plate: Plate, ball: DustField) -> None:
    tower = brick_tower()
    noise = np.random.default_rng(3).random((WIDE,) * 3, np.float32)
    layers = []
    for order in ((2, 1), (1,)):
        with Renderer(
            plate,
            tower,
            standing(tower),
            no_debris(),
            ball,
            RenderSettings(samples=1),
            seed=1,
            refine=finer(lambda cells: cells * 2 * noise),
        ) as renderer:
            layers.append([renderer.frame(index).dust for index in order][-1])
    assert layers[0].tobytes() == layers[1].tobytes()


def test_what_is_buried_or_out_of_the_picture_is_not_seen() -> None:
    camera = street_camera(WIDTH, HEIGHT)
    density = np.zeros((64, 64, 24), np.float32)
    density[:, 8:] = 20.0
    field = DustField(Path(), (-16.0, 2.0, 0.0), VOXEL, density.shape, 4, 1, {})
    seen = seen_bricks(density, field, camera, 0.6)
    assert seen[3:5, 1].any()
    assert not seen[:, 3:].any()  # behind four metres of it
    assert not seen[[0, -1], 1, 0].any()  # beside the picture
    assert not seen[:, 0].any()  # air


@settings(max_examples=15, deadline=None)
@given(shape=st.tuples(*[st.integers(1, 9)] * 3), seed=st.integers(0, 999))
def test_spread_is_the_largest_around(shape: tuple[int, int, int], seed: int) -> None:
    values = np.random.default_rng(seed).random(shape, np.float32)
    out = np.empty_like(values)
    _spread(values, out)
    assert np.array_equal(out, ndimage.maximum_filter(values, 3, mode="nearest"))


def swept(deviation: Float, way: npt.NDArray[np.float64], cell: float) -> Float:
    """Slab by slab over the whole grid: what `_lit` does brick by brick."""
    axis = int(np.abs(way).argmax())
    turned = np.moveaxis(deviation, axis, 0)
    turned = turned[::-1] if way[axis] > 0 else turned
    others = [other for other in range(3) if other != axis]
    span = cell / abs(way[axis])
    keep = np.exp(-span / REACH)
    out = np.zeros_like(turned)
    padded = np.zeros((turned.shape[1] + 2, turned.shape[2] + 2), np.float32)
    for slab, here in enumerate(turned):
        came = np.zeros_like(here)
        if slab:
            padded[1:-1, 1:-1] = out[slab - 1]
            for number, other in enumerate(others):
                slope = way[other] / abs(way[axis])
                moved = np.roll(padded, -int(np.sign(slope)), number)
                padded = (1 - abs(slope)) * padded + abs(slope) * moved
            came = padded[1:-1, 1:-1]
            padded = np.zeros_like(padded)
        out[slab] = keep * came + span * here
    out = out[::-1] if way[axis] > 0 else out
    return np.asarray(np.moveaxis(out, 0, axis), np.float32)


class Kept:
    """Stands for a texture: what was written to it."""

    def __init__(self, shape: tuple[int, int, int], *_: object, **__: object) -> None:
        self.size = shape
        self.filter: object = None
        self.written: npt.NDArray[np.uint8] | None = None

    def write(self, data: npt.NDArray[np.uint8], **_: object) -> None:
        self.written = np.array(data)


class Context:
    texture3d = Kept


@pytest.mark.parametrize(
    "way",
    [(0.2, -0.5, 0.8), (-0.9, 0.3, 0.2), (0.1, 0.95, -0.2), (0.57, 0.57, 0.59), (0.0, 0.0, 1.0)],
)
def test_light_through_bricks_is_light_through_the_whole(
    way: tuple[float, float, float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No brick's wall is to be seen in the shade, wherever the light comes from; nor in the density."""
    kept: list[Kept] = []

    def texture(context: object, shape: tuple[int, int, int], *_: object, **__: object) -> Kept:
        kept.append(Kept(shape))
        return kept[-1]

    monkeypatch.setattr("falsework.render.fine_volume.texture_3d", texture)
    monkeypatch.setattr("falsework.render.fine_volume.fill", lambda *_: None)
    monkeypatch.setattr("falsework.render.fine_volume.seen_bricks", lambda *_: np.ones((2, 2, 2), np.bool_))
    shape = (2 * BRICK,) * 3
    direction = np.array(way) / np.linalg.norm(way)
    random = np.random.default_rng(8)
    fine = (random.random([n * FACTOR for n in shape], np.float32) * 1.2).astype(np.float16)
    bricks = fine.reshape(2, WIDE, 2, WIDE, 2, WIDE).transpose(0, 2, 4, 1, 3, 5).reshape(8, WIDE, WIDE, WIDE)
    dust = FineDust(np.arange(8, dtype=np.int32).reshape(2, 2, 2), bricks)
    field = DustField(tmp_path, LOW, VOXEL, shape, 4, 1, {})
    density = np.full(shape, 0.6, np.float32)
    frame = DustFrame(density.astype(np.float16), np.zeros(0), np.zeros(2, np.float32), np.zeros(2, np.int32))  # type: ignore[arg-type]
    volume = FineVolume(
        Context(),  # type: ignore[arg-type]
        field,
        street_camera(),
        (direction, (0.0, 0.0, 1.0)),
        lambda *_: dust,
    )
    volume.load(frame, density, 0.6)
    atlas = kept[-1].written
    assert atlas is not None
    sigma = fine.astype(np.float32) * np.float32(0.6)
    plain = np.float32(0.36)
    thick = np.float32(DENSEST * FACTOR)
    deviation = sigma / (1 + sigma / thick) - plain / (1 + plain / thick)
    expected = swept(deviation, direction, VOXEL / FACTOR)
    step = 2 * DEEPEST / 254
    for number in range(8):
        part = atlas[: WIDE + 2, : WIDE + 2, number * (WIDE + 2) : (number + 1) * (WIDE + 2)].astype(
            np.float32
        )
        i, j, k = number // 4 * WIDE, number // 2 % 2 * WIDE, number % 2 * WIDE
        # With its border where that lies within.
        within = [slice(max(a - 1, 0), min(a + WIDE + 1, 2 * WIDE)) for a in (i, j, k)]
        slots = [slice(one.start - a + 1, one.stop - a + 1) for one, a in zip(within, (i, j, k), strict=True)]
        block = part[slots[2], slots[1], slots[0]].transpose(2, 1, 0, 3)
        grams = (block[..., 0] / 255) ** 2 * DENSEST_SEEN
        assert np.abs(grams - fine[tuple(within)]).max() < 0.08
        sun = (block[..., 1] / 254 - 0.5) * 2 * DEEPEST
        assert np.abs(sun - expected[tuple(within)]).max() <= 0.51 * step + 1e-4


def test_a_take_is_the_same_mass_in_other_lobes(plate: Plate, tmp_path: Path) -> None:
    """Same take, same pixels; another take, other pixels and the same silhouette, seen small."""
    x = np.linspace(0, 1, SHAPE[0])[:, None, None]
    z = np.linspace(0, 1, SHAPE[2])[None, None, :]
    # A bank of dust across the picture, as a street's front is.
    bank = 4.0 * np.clip((0.75 + 0.1 * np.sin(9 * x) - z) * 4, 0, 1) * np.ones(SHAPE, np.float32)
    bank[:, :4] = bank[:, 12:] = 0.0
    field = field_of(tmp_path, bank.astype(np.float32))
    layers = {take: drawn(plate, field, take=take) for take in (0, 1, 2)}
    assert drawn(plate, field, take=1).tobytes() == layers[1].tobytes()
    assert drawn(plate, field).tobytes() == layers[0].tobytes()
    areas = {}
    for take, layer in layers.items():
        small = cv2.resize(layer[..., 3], None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        areas[take] = int((small > 0.5).sum())
    assert areas[0] > 100
    for take in (1, 2):
        assert np.abs(layers[take] - layers[0]).mean() > 0.005
        assert areas[take] == pytest.approx(areas[0], rel=0.1)


def test_a_young_puff_is_there_in_every_take(plate: Plate, tmp_path: Path) -> None:
    """Puffs that are hardly larger than lobes are: none is there in one take and all but gone in another."""
    place = [(np.arange(n) + 0.5) * VOXEL for n in SHAPE]
    x, y, z = np.meshgrid(*place, indexing="ij")
    density = np.zeros(SHAPE, np.float32)
    for along, up in ((3.0, 2.2), (8.0, 3.0), (13.0, 2.2), (5.5, 5.2), (10.5, 5.2)):
        away = np.sqrt((x - along) ** 2 + (y - 4.0) ** 2 + (z - up) ** 2)
        density = np.maximum(density, (5.0 * np.clip(2.2 - away, 0, 1)).astype(np.float32))
    field = field_of(tmp_path, density)
    layers = [drawn(plate, field, take=take) for take in range(4)]
    small = [
        cv2.resize(layer[..., 3], None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) for layer in layers
    ]
    areas = [int((layer > 0.5).sum()) for layer in small]
    assert areas[0] > 100
    for layer, area in zip(layers[1:], areas[1:], strict=True):
        assert np.abs(layer - layers[0]).mean() > 0.005
        assert area == pytest.approx(areas[0], rel=0.05)
