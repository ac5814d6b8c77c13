"""What Cycles is told, what is made of its answers; and, where there is a Blender, its layers themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.comp.composite import compose
from falsework.comp.settings import CompSettings
from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays
from falsework.media.exr import write_exr
from falsework.plate.plate import Plate
from falsework.render.cryptomatte import float_id, fragment_name
from falsework.render.layers import Layers
from falsework.render.settings import RenderSettings
from falsework.render.traditional.blender import Blender, find_blenders
from falsework.render.traditional.chip_files import ChipMeshes
from falsework.render.traditional.cycles import CyclesRenderer
from falsework.render.traditional.cycles_layers import read_passes, with_standing
from falsework.render.traditional.delight import HIGHEST, delight
from falsework.render.traditional.scene_files import (
    box_map,
    curtain_depth,
    hash3,
    light_job,
    single_scattering,
    write_curtain,
    write_scene,
)
from falsework.render.traditional.settings import TraditionalSettings
from falsework.render.traditional.smoke import smoke_of_field
from plates import synthetic_plate
from scenes import brick_tower, street_camera
from test_render_layers import dust_of, no_debris, sliding, some_debris

Drawn = tuple[CyclesRenderer, dict[int, Layers]]

WIDTH, HEIGHT = 120, 80
FALLING, LAST = 4, 5  # a frame in which the top has moved, and the shot's last


def test_hashes_are_those_of_the_shader() -> None:
    def stir(v: list[int]) -> list[int]:
        v = [(part * 1664525 + 1013904223) & 0xFFFFFFFF for part in v]
        for turn in range(2):
            v[0] = (v[0] + v[1] * v[2]) & 0xFFFFFFFF
            v[1] = (v[1] + v[2] * v[0]) & 0xFFFFFFFF
            v[2] = (v[2] + v[0] * v[1]) & 0xFFFFFFFF
            if turn == 0:
                v = [part ^ part >> 16 for part in v]
        return v

    for number in (0, 7, 1999):
        expected = [(part >> 8) / 16777216 for part in stir([number, 17, 3])]
        np.testing.assert_allclose(hash3(number, 17, 3)[0], expected, rtol=1e-6)


@given(st.floats(0.05, 0.95), st.floats(-0.5, 0.8))
def test_a_thick_cloud_of_such_grains_has_the_albedo_asked_for(albedo: float, forward: float) -> None:
    share = single_scattering([albedo], forward)[0]
    assert 0 < share < 1
    s = np.sqrt((1 - share) / (1 - forward * share))
    assert (1 - s) * (1 - 0.139 * s) / (1 + 1.17 * s) == pytest.approx(albedo, abs=1e-6)


def test_walls_lit_as_they_were_give_the_plate() -> None:
    random = np.random.default_rng(2)
    facade = random.uniform(0, 4, (6, 8, 3)).astype(np.float32)
    light = random.uniform(0, 6, (6, 8, 3)).astype(np.float32)
    light[0] = 0.0  # where the model knows of no light at all
    albedo, residue = delight(facade, light)
    assert albedo.min() >= 0
    assert albedo.max() <= HIGHEST
    assert residue.min() >= 0
    np.testing.assert_allclose(albedo * light / np.pi + residue, facade, rtol=1e-4, atol=1e-5)


def test_what_shades_the_place_stops_the_sun_where_the_plate_says() -> None:
    light = synthetic_plate(WIDTH, HEIGHT).light
    sun = light.sun_direction
    aside = np.cross(sun, [0.0, 0.0, 1.0])
    normal = np.cross(aside, sun) / np.linalg.norm(aside)
    light = replace(light, shade=np.array([*normal, -normal @ [0.0, 25.0, 4.0]]), shade_softness=1.0)
    corners = np.array(light_job(light, np.array([0.0, 25.0, 5.0]))["shade"])
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    for up, shaded in ((-3.0, True), (-0.6, True), (0.6, False), (3.0, False)):
        start = np.array([2.0, 24.0, 4.0]) + up * normal
        start -= (start @ normal + light.shade[3] - up) * normal
        share = np.linalg.solve(np.stack([across, down, -sun], axis=-1), start - corners[0])
        assert bool(np.all(share[:2] >= 0) and np.all(share[:2] <= 1) and share[2] > 0) == shaded


def test_meshes_are_the_fragments(tmp_path: Path) -> None:
    fragments = brick_tower()
    which = np.arange(3)
    write_scene(tmp_path / "scene", fragments, sliding(fragments, which, (0.0, 0.0, -0.2)))
    arrays, _ = read_arrays(tmp_path / "scene")
    for index in (0, 5, len(fragments) - 1):
        v = slice(*arrays["vertex_start"][index : index + 2])
        f = slice(*arrays["face_start"][index : index + 2])
        corners = (arrays["local"][v] + arrays["centre"][index])[arrays["corner"][f]]
        expected = fragments.vertices[fragments.faces[fragments.face_fragment == index]]
        np.testing.assert_allclose(corners, expected, atol=1e-5)
    assert arrays["moving"].tolist() == which.tolist()
    np.testing.assert_allclose(arrays["keys"][:, 2, -1] - arrays["keys"][:, 2, 0], -0.6, atol=1e-5)
    np.testing.assert_array_equal(arrays["keys"][:, 3], 1.0)


def test_flat_places_leave_out_the_normals_axis() -> None:
    places = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    for normal, kept in (((0, 0, 1), (0, 1)), ((0, -2, 1), (0, 2)), ((3, 1, 1), (1, 2))):
        np.testing.assert_array_equal(box_map(places, np.float32([normal])), places[..., list(kept)])


def test_chips_are_where_the_debris_is(tmp_path: Path) -> None:
    debris, camera = some_debris(), street_camera(WIDTH, HEIGHT)
    chips = ChipMeshes(debris, camera, 24.0)
    assert not chips.born(1)
    assert len(chips.shown(1)) == 0
    seen = chips.write(tmp_path / "chips", 3, 101)
    arrays, _ = read_arrays(tmp_path / "chips")
    middle = arrays["place"].reshape(len(seen), 8, 3).mean(1)
    assert np.abs(middle - debris.position[3, seen]).max() < debris.size.max()
    np.testing.assert_allclose(
        arrays["velocity"][::8], 24 * (debris.position[4] - debris.position[3])[seen], rtol=1e-4
    )
    assert arrays["number"][0] == 101


def test_cards_stand_before_the_occluders(tmp_path: Path) -> None:
    plate = synthetic_plate(WIDTH, HEIGHT)
    occluder = np.zeros((HEIGHT, WIDTH), np.float32)
    occluder[40:60, 30:40] = 1.0
    distance = np.where(occluder > 0, 9.0, np.inf).astype(np.float32)
    depth = curtain_depth(replace(plate, occluder=occluder, occluder_depth=distance))
    assert np.all(depth[occluder > 0] == 9.0)
    assert np.isinf(depth[0, 0])
    write_curtain(tmp_path / "curtain", plate.camera, depth)
    far = plate.camera.project(read_arrays(tmp_path / "curtain")[0]["place"])[1]
    assert set(np.round(far, 2)) == {0.06, 8.6}


def test_passes_are_read_by_name(tmp_path: Path) -> None:
    flat = {name: np.full((2, 3), number, np.float32) for number, name in enumerate("RGBA")}
    write_exr(
        tmp_path / "p.exr", {f"layer.Combined.{n}": p for n, p in flat.items()} | {"layer.Depth.Z": flat["A"]}
    )
    passes = read_passes(tmp_path / "p.exr")
    np.testing.assert_array_equal(passes["Combined"][0, 0], [0, 1, 2, 3])
    assert passes["Depth"].shape == (2, 3)


def test_what_stands_joins_the_cryptomatte() -> None:
    crypto = np.zeros((1, 4, 12), np.float32)
    crypto[0, 1, :2] = 5.0, 0.25
    crypto[0, 2, :2] = 7.0, 0.25
    crypto[0, 3] = np.stack([np.arange(1, 7), [0.3, 0.2, 0.2, 0.1, 0.1, 0.05]], axis=-1).ravel()
    ids = np.array([[7, 7, 7, 9]], np.float32)
    held = np.array([[0.0, 0.75, 0.5, 0.15]], np.float32)
    joined = with_standing(crypto, ids, held)
    np.testing.assert_array_equal(joined[0, 0], 0)
    np.testing.assert_array_equal(joined[0, 1, :6], [7, 0.75, 5, 0.25, 0, 0])
    np.testing.assert_array_equal(joined[0, 2, :4], [7, 0.75, 0, 0])
    np.testing.assert_array_equal(joined[0, 3, 0::2], [1, 2, 3, 9, 4, 5])
    assert crypto[0, 1, 0] == 5.0


# ---- with a Blender ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def blender() -> Blender:
    try:
        return find_blenders().render
    except FalseworkError as error:
        pytest.skip(f"needs a Blender with Cycles: {error}")


@pytest.fixture(scope="module")
def plate() -> Plate:
    return synthetic_plate(WIDTH, HEIGHT, pad_top=8)


@pytest.fixture(scope="module")
def drawn(blender: Blender, plate: Plate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    """A tower whose top slides down from frame 2 on, and a cloud before it."""
    fragments = brick_tower()
    top = np.flatnonzero(fragments.centre[:, 2] > 7.5)
    folder = tmp_path_factory.mktemp("cycles")
    field = dust_of(folder / "field", 0.4, (-6.0, 20.0, 0.0), (24, 8, 12))
    mass = np.array([0, 0, 1, 1, 1, 1], np.float32)
    field = replace(field, curves={"mass": mass, "emitted": mass})
    (folder / "smoke").mkdir()
    with CyclesRenderer(
        plate,
        fragments,
        sliding(fragments, top, (0.3, 0.0, -0.2)),
        no_debris(),
        smoke_of_field(field, folder / "smoke", range(6)),
        RenderSettings(),
        TraditionalSettings(samples=4, threads=1),
        seed=3,
        blender=blender,
        folder=folder / "job",
    ) as renderer:
        yield renderer, {index: renderer.frame(index, samples=4) for index in (0, FALLING)}


@pytest.mark.skipif(sys.platform == "darwin", reason="there is METAL")
def test_a_device_that_is_not_there_is_refused_in_the_callers_words(
    blender: Blender, plate: Plate, tmp_path: Path
) -> None:
    fragments = brick_tower()
    with pytest.raises(FalseworkError, match=r"METAL.*Give --device CPU\."):
        CyclesRenderer(
            plate,
            fragments,
            sliding(fragments, np.array([0]), (0.3, 0.0, -0.2)),
            no_debris(),
            None,
            RenderSettings(),
            TraditionalSettings(samples=4, threads=1, device="METAL"),
            seed=3,
            blender=blender,
            folder=tmp_path / "job",
            other_device="Give --device CPU.",
        )


def test_before_anything_falls_the_picture_is_the_plate(drawn: Drawn, plate: Plate) -> None:
    frame = compose(plate, drawn[1][0], CompSettings(grain=0.0), seed=1)
    np.testing.assert_allclose(frame.picture, plate.original, atol=1e-5)


def test_pieces_plate_and_clean_plate_share_a_pixel(drawn: Drawn) -> None:
    layers = drawn[1][FALLING]
    covered = layers.surface[..., 3] + layers.hold
    assert covered.max() < 1.01
    assert layers.surface[..., 3].max() == 1.0
    assert layers.hold.max() == 1.0
    for layer in (layers.surface, layers.dust, layers.shadow, layers.motion, layers.normal):
        assert np.isfinite(layer).all()
    top = fragment_name(int(np.flatnonzero(brick_tower().centre[:, 2] > 7.5)[0]))
    assert (layers.crypto[..., 0] == float_id(top)).any()
    stands = (layers.hold == 1) & (drawn[1][0].crypto[..., 1] == 1)
    assert stands.any()
    same = layers.crypto[stands][:, 0] == drawn[1][0].crypto[stands][:, 0]
    assert same.mean() > 0.95, "what stands is in the cryptomatte, too"


def test_depth_and_motion_are_the_cameras(drawn: Drawn, plate: Plate) -> None:
    layers = drawn[1][FALLING]
    moved = (layers.surface[..., 3] > 0.99) & (np.abs(layers.normal[..., 1] + 1) < 1e-3)
    rows, columns = np.nonzero(moved)
    pixels = np.stack([columns, rows], axis=-1) + 0.5
    place = plate.camera.position + plate.camera.rays(pixels) * layers.depth[moved][:, None]
    np.testing.assert_allclose(place[:, 1], 25.0, atol=0.01)
    there = plate.camera.project(place + np.array([0.3, 0.0, -0.2]))[0]
    np.testing.assert_allclose(layers.motion[moved], there - pixels, atol=0.01)


def test_dust_obeys_beer_and_lambert(drawn: Drawn, plate: Plate) -> None:
    dust = drawn[1][FALLING].dust
    row, column = 50, 60  # through 4 m of 0.4 g/m3, squarely but for the ray's own slope
    length = (
        4.0
        * np.linalg.norm(plate.camera.rays([[column + 0.5, row + 0.5]])[0])
        / plate.camera.rays([[column + 0.5, row + 0.5]])[0, 1]
    )
    sigma = 0.4 * 0.6 / (1 + 0.4 * 0.6 / 3.0)
    assert dust[row, column, 3] == pytest.approx(1 - np.exp(-sigma * length), abs=0.03)
    assert dust[row, column, :3].min() > 0


def test_a_crop_is_a_part_of_the_picture(drawn: Drawn) -> None:
    renderer, whole = drawn
    x0, y0, x1, y1 = renderer.crop = (41, 23, 70, 52)
    try:
        part = renderer.frame(FALLING, samples=2)
    finally:
        renderer.crop = None
    np.testing.assert_allclose(part.depth, whole[FALLING].depth[y0:y1, x0:x1], rtol=1e-4)
    np.testing.assert_allclose(part.normal, whole[FALLING].normal[y0:y1, x0:x1], atol=1e-3)
    assert set(renderer.usage) >= {"sync", "render", "read"}


def test_the_same_seed_gives_the_same_picture(drawn: Drawn) -> None:
    drawn[0].frame(FALLING, samples=4)
    again, twice = (drawn[0].frame(FALLING, samples=4) for _ in range(2))
    np.testing.assert_array_equal(again.surface, drawn[1][FALLING].surface)
    np.testing.assert_array_equal(again.shadow, twice.shadow)


def test_a_picture_owes_nothing_to_the_one_before(drawn: Drawn) -> None:
    """Blender 5.0.1 mixes up the passes of a picture of one sample, and dies, after a cryptomatte."""
    renderer = drawn[0]
    renderer.frame(FALLING, samples=2)

    def seen() -> dict[str, np.ndarray]:
        passes = renderer._draw("measure", 1, passes=("depth", "normal", "albedo"), blur=False)
        return passes | {f"lit {name}": part for name, part in renderer._draw("light", 1).items()}

    first = seen()
    for what, samples in (("surface", 2), ("measure", 1), ("surface", 1)):
        renderer._draw(what, samples)
        again = seen()
        for name, part in first.items():
            np.testing.assert_array_equal(again[name], part, err_msg=f"{name} after {what}")


def test_a_frame_that_is_not_there_gets_a_sentence(drawn: Drawn) -> None:
    with pytest.raises(FalseworkError, match="no frame 99"):
        drawn[0].frame(99)
