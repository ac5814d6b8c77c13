"""The renderer's layers against what can be worked out by hand. Needs OpenGL (Mesa's in software will do)."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris, DustField, DustFrame
from falsework.errors import FalseworkError
from falsework.plate.plate import Plate
from falsework.render import Renderer
from falsework.render.layers import Layers
from falsework.render.settings import RenderSettings
from plates import afternoon_light, synthetic_plate
from scenes import brick_tower

WIDTH, HEIGHT = 240, 160
FRAMES = 6


def standing(fragments: Fragments, frames: int = FRAMES) -> Motion:
    """A motion in which nothing moves."""
    count = len(fragments)
    rotation = np.zeros((frames, count, 4), np.float32)
    rotation[..., 3] = 1.0
    none, vectors = np.zeros(0, np.float32), np.zeros((0, 3), np.float32)
    return Motion(
        fps=24.0,
        position=np.repeat(fragments.centre[None], frames, axis=0),
        rotation=rotation,
        moved=np.zeros((frames, count), bool),
        bond_broken=np.full(len(fragments.bond), -1, np.int32),
        event_time=none,
        event_kind=none.astype(np.int32),
        event_position=vectors,
        event_velocity=vectors,
        event_normal=vectors,
        event_energy=none,
        event_fragment=none.astype(np.int32),
        curves={},
        checks={},
    )


def sliding(
    fragments: Fragments, which: np.ndarray, velocity: tuple[float, float, float], start: int = 2
) -> Motion:
    """Some fragments move on at a constant speed (m a frame) from frame `start`."""
    motion = standing(fragments)
    steps = np.maximum(np.arange(FRAMES) - start, 0)[:, None, None]
    motion.position[:, which] += (steps * np.asarray(velocity)).astype(np.float32)
    motion.moved[:, which] = steps[:, 0] > 0
    return motion


def no_debris(frames: int = FRAMES) -> Debris:
    whole = np.zeros(0, np.int32)
    return Debris(
        position=np.zeros((frames, 0, 3), np.float32),
        rotation=np.zeros((frames, 0, 4), np.float16),
        size=np.zeros(0, np.float32),
        shape=whole,
        material=whole,
        born=whole,
        source=whole,
    )


def some_debris(frames: int = FRAMES) -> Debris:
    random = np.random.default_rng(4)
    count = 200
    position = random.uniform([-4, 21, 0.2], [4, 24, 8], (frames, count, 3)).astype(np.float32)
    rotation = random.normal(size=(frames, count, 4))
    return Debris(
        position=position,
        rotation=(rotation / np.linalg.norm(rotation, axis=-1, keepdims=True)).astype(np.float16),
        size=np.full(count, 0.2, np.float32),
        shape=random.integers(0, 8, count).astype(np.int32),
        material=random.integers(0, 4, count).astype(np.int32),
        born=np.full(count, 2, np.int32),
        source=np.zeros(count, np.int32),
    )


def dust_of(
    folder: Path, density: float, low: tuple[float, float, float], shape: tuple[int, int, int]
) -> DustField:
    """A field of one density everywhere from frame 2 on, none before."""
    folder.mkdir(exist_ok=True)
    field = DustField(folder, low, 0.5, shape, 4, FRAMES, {})
    coarse = tuple(-(-n // 4) for n in shape)
    for frame in range(FRAMES):
        field.save_frame(
            frame,
            DustFrame(
                density=np.full(shape, density if frame >= 2 else 0.0, np.float16),
                detail=np.zeros((2, *coarse, 3), np.float16),
                weight=np.array([0.7, 0.3], np.float32),
                layer_seed=np.array([1, 2], np.int32),
            ),
        )
    return field


@pytest.fixture(scope="module")
def plate() -> Plate:
    return synthetic_plate(WIDTH, HEIGHT, pad_top=8)


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory) -> DustField:
    return dust_of(tmp_path_factory.mktemp("clear"), 0.0, (-10.0, 15.0, 0.0), (40, 40, 24))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> DustField:
    return dust_of(tmp_path_factory.mktemp("cloud"), 0.4, (-6.0, 20.0, 0.0), (24, 8, 12))


@pytest.fixture(scope="module")
def top() -> np.ndarray:
    return np.flatnonzero(brick_tower().centre[:, 2] > 7.5)


@pytest.fixture(scope="module")
def falling(plate: Plate, clear: DustField, top: np.ndarray) -> Iterator[tuple[Motion, list[Layers]]]:
    """The tower's top row slides towards the right and the camera."""
    fragments = brick_tower()
    motion = sliding(fragments, top, (0.5, -0.3, 0.0))
    with Renderer(plate, fragments, motion, no_debris(), clear, RenderSettings(), seed=1) as renderer:
        yield motion, [renderer.frame(index) for index in range(FRAMES)]


def test_a_standing_building_is_the_plate(falling: tuple[Motion, list[Layers]], plate: Plate) -> None:
    for layers in falling[1][:2]:
        assert (layers.hold[plate.building[plate.pad_top :] > 0] == 1).all()
        assert not layers.surface.any()
        assert not layers.dust.any()
        assert (layers.shadow == 1).all()
        assert not layers.motion.any()


def test_a_clean_plate_wider_than_the_matte_waits_for_the_fall(plate: Plate, clear: DustField) -> None:
    """The clean plate is painted beyond the building's edge, so that no rim stays when it has fallen."""
    building = plate.building[plate.pad_top :] > 0
    rim = (cv2.dilate(building.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0) & ~building
    wide = replace(plate, clean=np.where(rim[..., None], np.float32(0.9), plate.clean))
    tower = brick_tower()
    motion = sliding(tower, np.arange(len(tower)), (0.0, 0.0, -4.0))
    renderer = Renderer(wide, tower, motion, no_debris(), clear, RenderSettings(samples=2), seed=1)
    before, after = renderer.frame(0), renderer.frame(FRAMES - 1)
    renderer.close()
    assert (before.hold[rim] == 1).all()
    assert (after.hold[rim] == 0).all()


def test_what_nothing_touches_still_holds_exactly(falling: tuple[Motion, list[Layers]], plate: Plate) -> None:
    """The lower storeys stand while the top slides away: no pinhole, no softened edge within them."""
    layers = falling[1][-1]
    pixels, _ = plate.camera.project(np.array([[-2.9, 25.0, 6.5], [2.9, 25.0, 0.2]]))
    (left, upper), (right, lower) = pixels.astype(int)
    inside = np.s_[upper + 2 : lower - 1, left + 1 : right]
    assert (layers.hold[inside] == 1).all()
    assert not layers.surface[inside].any()


def test_surfaces_and_plate_never_cover_more_than_all(falling: tuple[Motion, list[Layers]]) -> None:
    for layers in falling[1]:
        total = layers.surface[..., 3] + layers.hold
        assert total.max() <= 1 + 1e-6
        assert layers.surface.min() >= 0
        for field in fields(layers):
            if field.name != "depth":
                assert not np.isnan(getattr(layers, field.name)).any() or field.name == "crypto"


def test_moved_facade_keeps_the_plates_pixels(plate: Plate, clear: DustField, top: np.ndarray) -> None:
    """A fragment that has moved by a hair shows the same picture, not a softened one."""
    fragments = brick_tower()
    motion = sliding(fragments, top, (1e-5, 0.0, 0.0))
    with Renderer(plate, fragments, motion, no_debris(), clear, RenderSettings(), seed=1) as renderer:
        layers = renderer.frame(4)
    covered = layers.surface[..., 3] == 1
    assert covered.sum() > 50
    shown = layers.surface[..., :3] + layers.hold[..., None] * plate.facade[plate.pad_top :]
    error = np.abs(shown - plate.picture)[covered]
    assert np.median(error) < 2e-3
    assert np.quantile(error, 0.95) < 0.02


def test_motion_vectors_are_the_cameras(falling: tuple[Motion, list[Layers]], plate: Plate) -> None:
    motion, frames = falling
    layers = frames[3]
    rows, columns = np.nonzero((layers.surface[..., 3] == 1) & np.isfinite(layers.depth))
    pixels = np.stack([columns, rows], axis=-1) + 0.5
    place = plate.camera.position + plate.camera.rays(pixels) * layers.depth[rows, columns][:, None]
    step = motion.position[4] - motion.position[3]
    expected = plate.camera.project(place + step[np.abs(step).sum(1).argmax()])[0] - pixels
    assert layers.motion[rows, columns] == pytest.approx(expected, abs=0.02)


def test_depth_and_normal_of_a_moved_face(falling: tuple[Motion, list[Layers]], plate: Plate) -> None:
    layers = falling[1][4]
    face = np.array([[0.0 + 2 * 0.5, 25.0 - 2 * 0.3, 8.2]])
    (pixel,), (depth,) = plate.camera.project(face)
    column, row = pixel.astype(int)
    assert layers.depth[row, column] == pytest.approx(depth, rel=0.01)
    assert layers.normal[row, column] == pytest.approx([0, -1, 0], abs=1e-3)


def test_crypto_names_what_is_seen(
    falling: tuple[Motion, list[Layers]], plate: Plate, top: np.ndarray
) -> None:
    from falsework.render.cryptomatte import float_id, fragment_name

    fragments = brick_tower()
    front = top[np.argmin(fragments.centre[top, 1] + np.abs(fragments.centre[top, 0] - 0.75))]
    place = falling[0].position[4, front] - [0, 0.75, 0]
    (pixel,), _ = plate.camera.project(place[None])
    column, row = pixel.astype(int)
    crypto = falling[1][4].crypto[row, column]
    assert crypto[0] == float_id(fragment_name(int(front)))
    assert crypto[1] == 1.0


def test_lambert_on_a_face_in_the_open(clear: DustField) -> None:
    """A tower in the open under nothing but a sun at 45 degrees: radiance is albedo * sun * cos(45) / pi."""
    light = replace(
        afternoon_light(),
        sun_direction=np.array([0.0, -np.sqrt(0.5), np.sqrt(0.5)]),
        sky=np.zeros(3),
        bounce=np.zeros(3),
    )
    plate = replace(synthetic_plate(WIDTH, HEIGHT, light=light), set_planes=())
    fragments = brick_tower()
    # No plate pixels: every face is concrete, unbroken.
    surface = np.full_like(fragments.face_surface, 1)
    fragments = replace(fragments, face_surface=surface, face_broken=np.zeros_like(fragments.face_broken))
    motion = sliding(fragments, np.arange(len(fragments)), (0.0, 0.0, 1e-4))
    with Renderer(plate, fragments, motion, no_debris(), clear, RenderSettings(), seed=1) as renderer:
        layers = renderer.frame(3)
    pixels, _ = plate.camera.project(np.array([[-2.5, 25.0, 8.5], [2.5, 25.0, 1.0]]))
    (left, upper), (right, lower) = pixels.astype(int)
    shown = layers.surface[upper:lower, left:right, :3]
    albedo = layers.albedo[upper:lower, left:right]
    expected = albedo * light.sun * np.sqrt(0.5) / np.pi
    ratio = shown.mean((0, 1)) / expected.mean((0, 1))
    assert ratio == pytest.approx(1.0, abs=0.12)


def test_shadow_of_a_block_lands_where_the_sun_says(clear: DustField) -> None:
    """One cube carried into the open: the ground opposite the sun keeps its share of sky, the rest all."""
    light = afternoon_light()
    plate = synthetic_plate(480, 320, light=light)
    fragments = brick_tower()
    block = int(np.argmax(fragments.centre @ np.array([-1.0, -1.0, 2.0])))
    target = np.array([-8.0, 24.0, 3.0])
    motion = standing(fragments)
    motion.position[2:, block] = target
    motion.moved[2:, block] = True
    with Renderer(plate, fragments, motion, no_debris(), clear, RenderSettings(), seed=1) as renderer:
        layers = renderer.frame(4)
    foot = target - light.sun_direction * target[2] / light.sun_direction[2]
    beside = foot + np.array([0.0, -6.0, 0.0])
    pixels, _ = plate.camera.project(np.stack([foot, beside]))
    (column, row), (other_column, other_row) = pixels.astype(int)
    sun = light.sun * light.sun_direction[2]
    expected = (light.sky + 0.06 * light.bounce) / (sun + light.sky + 0.06 * light.bounce)
    assert layers.shadow[row, column] == pytest.approx(expected, abs=0.08)
    assert layers.shadow[other_row, other_column] == pytest.approx(1.0, abs=0.03)


def test_two_renderers_agree_bit_for_bit(plate: Plate, cloud: DustField, top: np.ndarray) -> None:
    fragments = brick_tower()
    motion = sliding(fragments, top, (0.4, -0.4, -0.2))
    results = []
    for order in ((4, 3), (3,)):
        with Renderer(
            plate, fragments, motion, some_debris(), cloud, RenderSettings(samples=3), seed=5
        ) as renderer:
            results.append([renderer.frame(index) for index in order][-1])
    for field in fields(results[0]):
        one, two = (np.ascontiguousarray(getattr(result, field.name)) for result in results)
        assert one.tobytes() == two.tobytes(), field.name


def test_uniform_dust_obeys_beer_and_lambert(plate: Plate, cloud: DustField) -> None:
    from falsework.render.volume import EXTINCTION

    fragments = brick_tower()
    with Renderer(
        plate, fragments, standing(fragments), no_debris(), cloud, RenderSettings(), seed=1
    ) as renderer:
        renderer._volume.relief = 0.0
        layers = renderer.frame(3)
    # Through the 4 m deep slab between camera and tower, where the ray neither meets its top nor the ground.
    (pixel,), _ = plate.camera.project(np.array([[0.0, 24.0, 3.0]]))
    column, row = pixel.astype(int)
    ray = plate.camera.rays(np.array([column + 0.5, row + 0.5]))
    length = 4.0 * np.linalg.norm(ray) / ray[1]
    # Away from the slab's first and last half voxel, where the stored samples end, the density is 0.4 g/m3.
    opacity = 1 - np.exp(-0.4 * EXTINCTION * length)
    assert layers.dust[row, column, 3] == pytest.approx(opacity, abs=0.03)


def test_dust_meets_a_wall_without_a_line(cloud: DustField) -> None:
    """Opacity changes across the tower's edge no faster than dust does by itself."""
    plate = synthetic_plate(480, 320)
    fragments = brick_tower()
    with Renderer(
        plate, fragments, standing(fragments), no_debris(), cloud, RenderSettings(), seed=1
    ) as renderer:
        layers = renderer.frame(3)
    (corner,), _ = plate.camera.project(np.array([[3.0, 25.0, 3.0]]))
    column, row = corner.astype(int)
    across = layers.dust[row - 10 : row + 10, column - 12 : column + 12, 3].mean(0)
    assert np.abs(np.diff(across)).max() < 0.06


def test_dust_before_an_occluder_is_part_of_all_dust(plate: Plate, cloud: DustField) -> None:
    occluder, depth = np.zeros((HEIGHT, WIDTH), np.float32), np.full((HEIGHT, WIDTH), np.inf, np.float32)
    occluder[:, 110:130], depth[:, 110:130] = 1.0, 22.0
    pole = replace(plate, occluder=occluder, occluder_depth=depth)
    fragments = brick_tower()
    with Renderer(
        pole, fragments, standing(fragments), no_debris(), cloud, RenderSettings(), seed=1
    ) as renderer:
        layers = renderer.frame(3)
    assert not layers.dust_front[:, :106].any()
    behind = layers.dust[:, 112:128, 3]
    before = layers.dust_front[:, 112:128, 3]
    assert (before <= behind + 2e-3).all()
    assert before.max() > 0.05


def test_a_closed_renderer_gives_its_memory_back(plate: Plate, clear: DustField) -> None:
    """Comp of a large picture begins in the same machine once it is drawn."""
    large = synthetic_plate(3200, 2000)
    fragments = brick_tower()

    def held() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    renderer = Renderer(
        large, fragments, standing(fragments), no_debris(), clear, RenderSettings(samples=1), seed=1
    )
    drawn = held()
    renderer.close()
    renderer.close()
    pixels = large.camera.width * large.camera.height
    assert drawn - held() > 50 * pixels


def test_a_frame_that_is_not_there_gets_a_sentence(plate: Plate, clear: DustField) -> None:
    fragments = brick_tower()
    with (
        Renderer(
            plate, fragments, standing(fragments), no_debris(), clear, RenderSettings(), seed=1
        ) as renderer,
        pytest.raises(FalseworkError, match="no frame 99"),
    ):
        renderer.frame(99)
