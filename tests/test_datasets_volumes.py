"""Dust volumes: what is drawn, the air that carries it, crops, files that are whole, rights."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from falsework.cli.main import main
from falsework.datasets import volumes
from falsework.datasets.croissant import SUMS
from falsework.datasets.previews import stale_previews
from falsework.datasets.provenance import records_of, training_samples
from falsework.datasets.shards import read_index
from falsework.datasets.volume_settings import VolumeRecipe, load_volume_recipe
from falsework.datasets.volumes import build_volumes, rebuild_volume
from falsework.datasets.volumes_air import CoarseDetail, _add_spread, blocks_mean, eddies, simulate_volume
from falsework.datasets.volumes_croissant import describe_volumes
from falsework.datasets.volumes_crops import Sequence, choose_crops, sequences_of
from falsework.datasets.volumes_pictures import volume_picture
from falsework.datasets.volumes_scene import draw_scene, split_of_simulation
from falsework.dust.detail import Detail
from falsework.dust.domain import Domain
from falsework.dust.fine import FACTOR
from falsework.dust.settings import DustSettings
from falsework.dust.solver import Air
from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays
from falsework.rights.ledger import Ledger
from falsework.rights.records import Activity, Asset, Grant
from falsework.seeds import generator

ROOT = Path(__file__).parents[1]
TINY = """
name = "tiny"
seed = 5

[grid]
voxel = [0.08, 0.09]
edge = [64, 64]
height = [64, 64]

[run]
seconds = [0.5, 0.6]
fps = [24.0]
steps = 1

[sequences]
moments = 2
crops = 1
edges = [32, 64]

[sources]
main = { burst = 1.0, drift = 1.0 }
"""
COUNT = 3


def plain(**more: object) -> VolumeRecipe:
    return VolumeRecipe.model_validate({"name": "r", **more})


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="module")
def built(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("volumes") / "set"
    grown = build_volumes(recipe, out, count=COUNT)
    assert (grown.made, grown.simulations) == (COUNT, COUNT)
    assert grown.sequences == sum(grown.splits.values()) >= COUNT
    return out


# ---- what is drawn --------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), begin=st.integers(0, 1000))
def test_splits_have_their_shares_in_a_small_set_already(seed: int, begin: int) -> None:
    splits = [split_of_simulation(plain(seed=seed), begin + n) for n in range(40)]
    assert 30 <= splits.count("train") <= 34
    assert min(splits.count("validation"), splits.count("test")) >= 3


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), index=st.integers(0, 500))
def test_a_scene_is_drawn_the_same_and_keeps_within_the_recipe(seed: int, index: int) -> None:
    recipe = plain(seed=seed)
    scene, again = draw_scene(recipe, index), draw_scene(recipe, index)
    assert json.dumps(scene.parameters, allow_nan=False) == json.dumps(again.parameters)
    assert np.array_equal(scene.puffs.position, again.puffs.position)
    assert recipe.grid.voxel.low <= scene.domain.fine_voxel <= recipe.grid.voxel.high
    assert all(n % 16 == 0 and n <= recipe.grid.edge.high for n in scene.domain.fine_shape)
    assert (np.diff(scene.puffs.start) >= 0).all()
    for values in (scene.puffs.mass, scene.puffs.duration, scene.puffs.radius):
        assert (values > 0).all()
    assert (scene.puffs.air >= 0).all()
    assert len(scene.puffs.start) or scene.cloud is not None
    if len(scene.puffs.start):
        assert float(scene.puffs.start[0]) < recipe.run.seconds.high


def test_sources_differ_and_each_kind_comes_about() -> None:
    drawn = [draw_scene(plain(), index).parameters["sources"] for index in range(60)]
    assert {name for names in drawn for name in names} == {
        "front", "windows", "burst", "pieces", "slab", "drift"
    }  # fmt: skip


def test_what_falls_comes_to_rest_on_the_ground() -> None:
    recipe = plain(sources={"main": {"pieces": 1.0}, "joining": 0.0})
    pieces = draw_scene(recipe, 0).pieces
    last = pieces.at(1e3)
    assert (last[:, 2] > 0).all()
    assert (last[:, 2] < 1.0).all()
    assert np.array_equal(last, pieces.at(2e3))
    assert (pieces.speed(1e3) == 0).all()
    # Falling bodies: over a second in free fall the way is that of their velocity and of gravity.
    number = int(np.argmax(pieces.lands - pieces.begins))
    begins, time = pieces.begins[number], (pieces.lands - pieces.begins)[number] / 2
    way = pieces.at(begins + time)[number] - pieces.at(begins)[number]
    assert way[2] == pytest.approx(pieces.velocity[number, 2] * time - 9.81 / 2 * time**2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sequences": {"edges": [48]}}, "multiple of 32"),
        ({"sequences": {"edges": [256]}}, "fits into the grid"),
        ({"grid": {"voxel": [0.1, 0.05]}}, "smaller first"),
        ({"sources": {"main": {"front": 0.0}}}, "weights"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        plain(**given)


def test_a_wrong_recipe_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(TINY.replace("moments = 2", "moment = 2"))
    assert main(["dataset", "volumes", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "moment" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
    assert main(["dataset", "volumes", str(tmp_path / "no.toml"), "--out", str(tmp_path / "out")]) == 2
    assert "recipes/dust.toml" in capsys.readouterr().err


# ---- the air --------------------------------------------------------------------------------------------


def air_of(cells: int, voxel: float, fps: float) -> Air:
    solid = np.zeros((cells,) * 3, np.bool_)
    domain = Domain((0.0, 0.0, 0.0), voxel, (cells,) * 3)
    return Air(domain, solid, DustSettings(wind_speed=0), 0.0, fps, generator(1, "air"))


def test_displacements_are_those_of_a_simulation_on_wide_cells() -> None:
    """With dust everywhere both carry all cells; the mean over a frame's steps is what carries them."""
    air, steps = air_of(32, 0.1, 48.0), 2
    air.density[:] = 1.0
    mine, theirs = CoarseDetail(air, steps), Detail((8, 8, 8), 0.4, 24.0)
    rng = np.random.default_rng(0)
    whole = np.array([0, 8, 0, 8, 0, 8], np.int64)
    for _ in range(15):
        parts = [rng.normal(0, 2, air.velocity.shape).astype(np.float32) for _ in range(steps)]
        for part in parts:
            mine.advance(part, np.array([0, 32] * 3, np.int64))
        theirs.advance(blocks_mean((parts[0] + parts[1]) / np.float32(2), FACTOR), whole)
    handed, wanted = mine.arrays(None), theirs.arrays(whole)
    assert np.array_equal(handed["weight"], wanted["weight"])
    assert np.array_equal(handed["layer_seed"], wanted["layer_seed"])
    np.testing.assert_allclose(
        handed["detail"].astype(np.float32), wanted["detail"].astype(np.float32), atol=2e-3
    )
    assert handed["layer_seed"].max() > 1


def test_eddies_are_free_of_divergence_and_as_strong_as_a_shots_where_they_are_as_wide() -> None:
    tile = eddies(np.random.default_rng(3), 48, widest=32.0, narrowest=4.0)[0].astype(np.float64)
    spectrum = [np.fft.fftn(tile[..., axis]) for axis in range(3)]
    k = np.stack(np.meshgrid(*[np.fft.fftfreq(48)] * 3, indexing="ij"))
    along = sum(k[axis] * spectrum[axis] for axis in range(3))
    length = np.sqrt((k**2).sum(axis=0))
    energy = sum(np.abs(part) ** 2 for part in spectrum)
    assert np.abs(along).max() < 1e-4 * np.sqrt(energy.max())
    assert (energy[length > 1 / 4 + 1e-6] < 1e-9 * energy.max()).all()
    wide = float(energy[length <= FACTOR / 32].sum()) / 48**6
    assert wide == pytest.approx(1.0, rel=0.02)


def test_fresh_dust_keeps_its_mass_and_stays_out_of_walls() -> None:
    air = air_of(16, 0.2, 24.0)
    air.solid[:, :, 8:] = True
    fresh = np.zeros(air.density.shape, np.float32)
    fresh[10, 10, 15], fresh[3, 4, 2] = 5.0, 1.0
    _add_spread(air, fresh)
    assert float(air.density.sum()) == pytest.approx(6.0, rel=1e-5)
    assert not air.density[:, :, 16:].any()
    assert not fresh.any()


def test_dust_moves_with_the_velocity_that_is_kept() -> None:
    """A frame carried by its coarse velocity is nearer to the next than it is as it was."""
    from scipy.ndimage import map_coordinates

    recipe = plain(
        **{
            "grid": {"voxel": [0.08, 0.09], "edge": [64, 64], "height": [64, 64]},
            "sources": {"main": {"drift": 1.0}, "joining": 0.0},
            "run": {"seconds": [0.5, 0.5], "fps": [24.0]},
        }
    )
    scene = draw_scene(recipe, 0)
    frames = list(simulate_volume(replace(scene, frames=8), 2))
    before, after = (frames[n].frame.density.astype(np.float32) for n in (5, 6))
    velocity = frames[6].velocity.astype(np.float32).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    cells = np.stack(np.meshgrid(*(np.arange(n) for n in before.shape), indexing="ij")).astype(np.float32)
    back = cells - np.moveaxis(velocity, -1, 0) / np.float32(scene.fps * scene.domain.fine_voxel)
    moved = map_coordinates(before, back, order=1, mode="nearest")
    assert np.abs(moved - after).sum() < 0.75 * np.abs(before - after).sum()


# ---- crops ----------------------------------------------------------------------------------------------


def test_crops_hold_dust_and_lie_apart() -> None:
    density = np.zeros((96, 96, 64), np.float16)
    density[:30, :30, :30] = 2.0
    density[66:, 66:, :30] = 2.0
    wanted = plain(sequences={"edges": [32], "dusty": 0.3, "crops": 2}).sequences
    for seed in range(5):
        chosen = choose_crops(density, wanted, np.random.default_rng(seed))
        assert len(chosen) == 2
        for corner, shape in chosen:
            part = density[tuple(slice(a, a + n) for a, n in zip(corner, shape, strict=True))]
            assert shape == (32, 32, 32)
            assert (part > 0).mean() > 0.25
    assert choose_crops(np.zeros_like(density), wanted, np.random.default_rng(0)) == []


def test_a_sequence_is_whole_and_of_one_shape(built: Path) -> None:
    for row in read_index(built):
        arrays, record = read_arrays(built / row["file"])
        x, y, z = row["shape"]
        assert arrays["density"].shape == (3, x, y, z)
        assert arrays["velocity"].shape == (3, x // 4, y // 4, z // 4, 3)
        assert arrays["detail"].shape == (3, 2, x // 16, y // 16, z // 16, 3)
        assert {arrays[name].dtype for name in ("density", "velocity", "detail")} == {np.dtype(np.float16)}
        assert arrays["solid"].shape == (x // 4, y // 4, z // 4)
        np.testing.assert_allclose(arrays["weight"].sum(axis=1), 1.0, atol=1e-6)
        assert arrays["layer_seed"].shape == (3, 2)
        for name in ("density", "velocity", "detail"):
            assert np.isfinite(arrays[name].astype(np.float32)).all()
        assert (arrays["density"] >= 0).all()
        assert (arrays["density"] > 0).any()
        assert record["voxel"] == row["voxel"]
        assert record["drawn"]["seed"] == row["seed"]
        assert all(n % 32 == 0 for n in (x, y, z))


# ---- the set --------------------------------------------------------------------------------------------


def test_no_simulation_is_in_two_splits_and_every_sequence_has_its_picture(built: Path) -> None:
    rows = read_index(built)
    of = {}
    for row in rows:
        assert of.setdefault(row["simulation"], row["split"]) == row["split"]
        assert row["file"].startswith(row["split"] + "/")
    assert not stale_previews(built, rows)
    assert len(training_samples(built)) == sum(row["split"] != "test" for row in rows)


def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(
    recipe: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, count = volumes.sequences_of, 0

    def stops(of: VolumeRecipe, index: int) -> Any:
        nonlocal count
        for sequence in made(of, index):
            count += 1
            if index == 1:
                yield replace(sequence, name=f"v{index:06d}_f9999_c0")
                raise KeyboardInterrupt
            yield sequence

    out = tmp_path / "set"
    monkeypatch.setattr(volumes, "sequences_of", stops)
    with pytest.raises(KeyboardInterrupt):
        build_volumes(recipe, out, count=COUNT)
    assert {row["simulation"] for row in read_index(out)} == {0}
    monkeypatch.undo()
    assert build_volumes(recipe, out, count=COUNT).made == COUNT - 1
    for path in sorted(built.rglob("v*.safetensors")):
        assert (out / path.relative_to(built)).read_bytes() == path.read_bytes()
    assert not list(out.rglob("*f9999*"))
    assert (out / "index.jsonl").read_bytes() == (built / "index.jsonl").read_bytes()
    # One that is gone is made anew, and nothing else.
    row = read_index(out)[-1]
    (out / row["file"]).unlink()
    assert build_volumes(recipe, out, count=COUNT).made == 1
    assert (out / row["file"]).read_bytes() == (built / row["file"]).read_bytes()
    assert build_volumes(recipe, out, count=COUNT).made == 0


def test_another_set_is_left_alone(recipe: Path, built: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(recipe.read_text().replace("seed = 5", "seed = 6"))
    with pytest.raises(FalseworkError, match="another recipe"):
        build_volumes(other, built, count=1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(FalseworkError, match="no data set"):
        build_volumes(other, tmp_path / "mine", count=1)


def test_a_sequence_is_made_again_bit_for_bit(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = read_index(built)[-1]["sample"]
    same, other, why = rebuild_volume(built, name)
    assert len(same) == 6
    assert (other, why) == ((), ())
    assert main(["dataset", "rebuild", str(built), name]) == 0
    assert "bit for bit" in capsys.readouterr().out


def test_the_command_shows_the_set(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = read_index(built)[0]["sample"]
    sheet = tmp_path / "sheet.png"
    assert main(["dataset", "show", str(built), name, "--sheet", str(sheet)]) == 0
    said = capsys.readouterr().out
    assert name in said
    assert sheet.is_file()
    assert main(["dataset", "show", str(built), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["splits"]


def test_the_set_goes_on_record_as_made_here_from_its_recipe_alone(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    assert main(["dataset", "describe", str(built), "--ledger", str(ledger)]) == 0
    capsys.readouterr()
    records = records_of(built)
    made = next(one for one in records if isinstance(one, Asset) and one.type == "dataset")
    recipe = next(one for one in records if isinstance(one, Asset) and one.type == "document")
    step = next(one for one in records if isinstance(one, Activity))
    grant = next(one for one in records if isinstance(one, Grant))
    assert (step.used, step.generated, step.models) == ((recipe.id,), (made.id,), ())
    assert set(made.parts) == {"recipe.toml", "index.jsonl", *(row["file"] for row in read_index(built))}
    assert recipe.id == f"sha256:{made.parts['recipe.toml']}"
    assert grant.basis == "owner"
    assert set(grant.assets) == {made.id, recipe.id}
    assert (built / SUMS).is_file()
    with Ledger.open(ledger) as book:
        size = book.size
    assert main(["dataset", "describe", str(built), "--ledger", str(ledger)]) == 0
    with Ledger.open(ledger) as book:
        assert book.size == size
    capsys.readouterr()


def test_croissant_says_what_is_there_and_its_record_sets_load(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROISSANT_CACHE", str(tmp_path))
    croissant = pytest.importorskip("mlcroissant", reason="needs the extra `datasets`")
    described = croissant.Dataset(str(describe_volumes(built)))
    assert not described.metadata.issues.errors
    assert not described.metadata.issues.warnings
    loaded = list(described.records("samples"))
    assert [one["samples/sample"].decode() for one in loaded] == [row["sample"] for row in read_index(built)]


def test_a_damaged_set_is_not_described(built: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "set"
    shutil.copytree(built, folder)
    path = folder / read_index(folder)[0]["file"]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(FalseworkError, match="not the sequence"):
        describe_volumes(folder)
    (folder / "recipe.toml").write_text(TINY + "\n# mine\n")
    with pytest.raises(FalseworkError, match="not the recipe"):
        describe_volumes(folder)


def test_dust_is_seen_against_an_empty_picture() -> None:
    empty = volume_picture(np.zeros((32, 32, 64), np.float16), 0.1)
    density = np.zeros((32, 32, 64), np.float16)
    density[8:24, 8:24, 8:40] = 5.0
    dusty = volume_picture(density, 0.1)
    assert empty.shape == dusty.shape
    assert (empty[:, : empty.shape[1] // 2] == empty[0, 0]).all()
    assert dusty[:, dusty.shape[1] // 2 :].max() >= 240
    assert dusty.astype(int).sum() > empty.astype(int).sum()


def test_the_document_names_every_key_and_every_array(built: Path) -> None:
    text = (ROOT / "docs/datasets.md").read_text(encoding="utf-8")
    part = text[text.index("## Dust volumes") :]
    part = part[: part.index("\n## ", 4)]
    keys = set(VolumeRecipe.model_fields)
    for name, field in VolumeRecipe.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys |= {f"{name}.{key}" for key in kind.model_fields}
            keys.discard(name)
    said = set(re.findall(r"`\.?([a-z_.]+)`", part))
    for key in keys:
        assert key in said or key.rpartition(".")[2] in said, key
    for name in read_arrays(built / read_index(built)[0]["file"])[0]:
        assert name in said, name


def test_the_recipe_beside_the_code_is_one() -> None:
    recipe, _ = load_volume_recipe(ROOT / "recipes" / "dust.toml")
    low, high = recipe.grid.voxel.low * FACTOR, recipe.grid.voxel.high * FACTOR
    assert 0.2 <= low < high <= 0.35  # what a shot's dust cells are
    assert isinstance(next(iter(sequences_of(plain(**_small()), 0)), None), Sequence)


def _small() -> dict[str, Any]:
    return {
        "grid": {"voxel": [0.08, 0.09], "edge": [64, 64], "height": [64, 64]},
        "run": {"seconds": [0.3, 0.3], "fps": [24.0], "steps": 1},
        "sequences": {"moments": 1, "crops": 1, "edges": [64], "dusty": 0.0},
        "sources": {"main": {"drift": 1.0}},
    }
