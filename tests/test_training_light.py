"""Training of the light network on a data set made here, whose path tracer is a formula."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from falsework.cli.main import main  # noqa: E402
from falsework.datasets.samples import Sample  # noqa: E402
from falsework.datasets.shards import shard_path, write_index, write_shard  # noqa: E402
from falsework.errors import FalseworkError  # noqa: E402
from falsework.models.light import LightNetwork  # noqa: E402
from falsework.models.light_architecture import LightArchitecture  # noqa: E402
from falsework.training.light import (  # noqa: E402
    LightTask,
    analytic,
    analytic_errors,
    composed,
    constant_gains,
    flip,
    gained,
    traced,
)
from falsework.training.loop import train  # noqa: E402
from falsework.training.samples import LightSamples, light_sample  # noqa: E402
from falsework.training.settings import TrainSettings  # noqa: E402
from scenes import street_camera  # noqa: E402

EDGE = 48
SMALL = LightArchitecture(widths=(8, 12, 12))
# What the "path tracer" makes of our light: walls a little, insides much darker, dust paler.
WALLS, INSIDES, DUST = 0.9, 0.3, 2.5


def sample(number: int, split: str, *, noise: float = 0.3, level: float = 1.0) -> Sample:
    random = np.random.default_rng(number)
    y, x = np.mgrid[0:EDGE, 0:EDGE] / EDGE
    kind = np.where(y < 0.25, 0, np.where(x < 0.2, 1, np.where(x + 0.3 * np.sin(6 * y + number) < 0.6, 3, 4)))
    solid = (kind >= 3).astype(np.float32)
    shade = (0.3 + 0.7 * random.random((1, 1)) * (1 + np.sin(9 * x + number)) / 2).astype(np.float32)
    surface = np.repeat((solid * shade * level)[..., None], 4, axis=-1)
    surface[..., 3] = solid
    opacity = np.clip(1.6 * y - 0.8 + 0.1 * np.sin(7 * x + number), 0, 0.9).astype(np.float32)
    once = 0.3 * opacity
    light = {
        "sun_direction": [0.6, -0.5, 0.62],
        "sun": [3 * level] * 3,
        "sky": [level] * 3,
        "bounce": [0.3 * level] * 3,
    }
    dust_albedo = [0.8, 0.7, 0.6]
    base = (3 * once + (once + 0.04 * opacity))[..., None] * level
    base += 0.3 * level * 0.1 * opacity[..., None]
    base = base * np.sqrt(dust_albedo) / np.pi
    gain = np.where(kind == 3, WALLS, INSIDES)[..., None]

    def noisy(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        drawn = colour * random.gamma(1 / noise**2, noise**2, colour.shape[:2])[..., None]
        return np.concatenate([drawn, alpha[..., None]], axis=-1).astype(np.float16)

    ones = np.ones((EDGE, EDGE), np.float32)
    arrays: dict[str, Any] = {
        "kind": kind.astype(np.uint8),
        "depth": np.where(kind > 0, 25.0, np.inf).astype(np.float32),
        "normal": np.repeat(solid[..., None], 3, axis=-1) * [0, -1, 0],
        "albedo": np.repeat(0.4 * solid[..., None], 3, axis=-1),
        "coat": 0 * ones,
        "plate": np.full((EDGE, EDGE, 3), 0.4 * level),
        "rest_light": np.full((EDGE, EDGE, 3), level),
        "sun_seen": ones,
        "sun_through": ones,
        "sky_seen": np.ones((EDGE, EDGE, 6)),
        "near": ones,
        "dust_through": 1 - opacity,
        "dust_sun": once,
        "dust_sky": once,
        "dust_depth": 15 * ones,
        "analytic.surface": surface,
        "analytic.shadow": np.ones((EDGE, EDGE, 3)),
        "analytic.plain": np.concatenate([0.5 * base, opacity[..., None]], axis=-1),
    }
    arrays = {
        name: image if name in ("kind", "depth") else image.astype(np.float16)
        for name, image in arrays.items()
    }
    for half in "ab":
        arrays[f"{half}.surface"] = noisy(surface[..., :3] * gain, solid)
        arrays[f"{half}.dust"] = noisy(base * DUST, opacity)
    name = f"b{number:06d}_f1020_c0"
    record = {
        "sample": name,
        "split": split,
        "building": {"index": number, "seed": number},
        "frame": 1020,
        "crop": [0, 0, EDGE, EDGE],
        "camera": street_camera(EDGE, EDGE).to_json(),
        "light": light,
        "dust_albedo": dust_albedo,
        "made_by": {"code": "none"},
        "targets": {"by": "a formula"},
        "drawn": {
            "kind": "terraced",
            "building": {"material": "masonry"},
            "levels": [0, 3],
            "collapse": {"kind": "topple"},
            "sky": ["none"],
            "sun": [0, 30, 1],
            "dust": {"amount": 1},
        },
    }
    return Sample(name, arrays, record)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    about = {"name": "formula", "recipe": "0" * 64, "base": ".", "assets": []}
    (folder / "dataset.json").write_text(json.dumps(about))
    for number, split in enumerate(("train", "train", "train", "train", "validation", "test")):
        write_shard(shard_path(folder, split, number), [sample(number, split)])
    write_index(folder)
    return folder


def settings(**given: Any) -> TrainSettings:
    quick = {"steps": 120, "batch": 2, "patch": 32, "rate": 1e-2, "warm_up": 5, "validate_every": 60}
    return TrainSettings(**{**quick, "average": 0.9, **given})


def test_it_learns_what_the_path_tracer_does_and_beats_what_it_has_to(data: Path, tmp_path: Path) -> None:
    task = LightTask(data, settings(), architecture=SMALL)
    weights = train(task, settings(), tmp_path)
    record = json.loads((tmp_path / "run.json").read_text())
    measures = record["measures"]
    assert measures["flip_network"] < 0.7 * measures["flip_analytic"]
    assert measures["flip_network"] < measures["flip_constant"]
    (metric,) = json.loads((tmp_path / "metrics.json").read_text())
    assert metric["samples"] == 1
    assert metric["value"] < min(metric["baselines"].values())
    assert (tmp_path / "index.jsonl").read_bytes() == (data / "index.jsonl").read_bytes()
    assert list((tmp_path / "pictures").glob("*.png"))
    # And at work, on what it has never seen.
    made = sample(9, "test")
    prepared = light_sample(made.arrays, made.record)
    surfaces, dust = LightNetwork(weights, SMALL).gains(prepared.features.astype(np.float32))
    clear = prepared.through > 0.9
    assert np.median(surfaces[(prepared.kind == 4) & clear]) == pytest.approx(INSIDES, rel=0.15)
    assert np.median(surfaces[(prepared.kind == 3) & clear]) == pytest.approx(WALLS, rel=0.15)
    assert np.median(dust[prepared.through < 0.6]) == pytest.approx(DUST, rel=0.15)


def test_the_command_goes_on_where_it_was_stopped(data: Path, tmp_path: Path, capsys: Any) -> None:
    given = ["--data", str(data), "--out", str(tmp_path / "run"), "--device", "cpu", "--json"]
    file = tmp_path / "settings.toml"
    file.write_text("batch = 1\npatch = 16\nvalidate_every = 100\n")
    assert main(["train", "light", *given, "--settings", str(file), "--steps", "2"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["steps"] == 2
    assert set(answer["measures"]) == {"loss", "flip_analytic", "flip_constant", "flip_network"}
    assert main(["train", "light", *given, "--settings", str(file), "--steps", "3"]) == 0
    capsys.readouterr()
    assert main(["train", "light", *given, "--settings", str(file), "--steps", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 3, "what has been learned stays"
    assert main(["train", "light", *given, "--steps", "3"]) == 2, "other settings: another run"
    assert "another run" in capsys.readouterr().err


def test_a_patch_that_does_not_go_through_the_network_is_refused_in_words(data: Path) -> None:
    with pytest.raises(FalseworkError, match="patch = 36 is no multiple of 8"):
        LightTask(data, settings(patch=36))


def test_the_best_constant_gains_are_found_through_the_noise() -> None:
    made = sample(1, "train")
    flat = {**made.arrays}
    for half in "ab":
        colour = flat["analytic.surface"].astype(np.float32) * [0.5, 0.5, 0.5, 1]
        flat[f"{half}.surface"] = colour.astype(np.float16)
    gains = constant_gains([light_sample(flat, made.record)])
    np.testing.assert_allclose(gains[0], 0.5, rtol=0.02)
    np.testing.assert_allclose(gains[1], DUST, rtol=0.05)


def test_what_our_own_light_gets_wrong_is_said_by_kind() -> None:
    made = sample(1, "train", noise=0.05)
    found = analytic_errors([light_sample(made.arrays, made.record)])
    assert found["plate_pixels_in_sun"] == pytest.approx(WALLS, rel=0.05)
    assert found["inside_in_sun"] == pytest.approx(INSIDES, rel=0.05)
    assert found["dust_through_0.5_to_0.95"] == pytest.approx(2 * DUST, rel=0.05)


def test_exposure_is_no_matter() -> None:
    dim, bright = (light_sample(*_parts(sample(3, "train", level=level))) for level in (1.0, 8.0))
    np.testing.assert_allclose(bright.surface.astype(float), dim.surface.astype(float), rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(bright.dust.astype(float), dim.dust.astype(float), rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(bright.features.astype(float), dim.features.astype(float), atol=4e-3)


def test_fireflies_are_bounded_and_nothing_else_is() -> None:
    made = sample(2, "train", noise=0.1)
    plain = light_sample(made.arrays, made.record).traced_surface.astype(np.float32)
    arrays = {**made.arrays, "a.surface": made.arrays["a.surface"].copy()}
    arrays["a.surface"][30, 40, :3] = 5000
    found = light_sample(arrays, made.record).traced_surface.astype(np.float32)
    assert found[:3, 30, 40].max() < 20
    other = np.ones((EDGE, EDGE), bool)
    other[30, 40] = False
    np.testing.assert_array_equal(found[:, other], plain[:, other])


def test_the_picture_is_composed_as_comp_does_it() -> None:
    made = sample(4, "train", noise=0.01)
    prepared = light_sample(made.arrays, made.record)
    truth = composed(prepared, *traced(prepared))
    assert flip(truth, truth) == 0
    gains = np.where(prepared.kind == 3, WALLS, INSIDES)
    right = np.stack([np.repeat(gains[None], 3, 0), np.full((3, EDGE, EDGE), DUST)])
    assert flip(truth, composed(prepared, *gained(prepared, right))) < 0.1 * flip(
        truth, composed(prepared, *analytic(prepared))
    )


def test_a_set_without_targets_is_refused_in_words(tmp_path: Path) -> None:
    about = {"name": "formula", "recipe": "0" * 64, "base": ".", "assets": []}
    (tmp_path / "dataset.json").write_text(json.dumps(about))
    made = sample(0, "train")
    made.record["targets"] = None
    write_shard(shard_path(tmp_path, "train", 0), [made])
    write_index(tmp_path)
    with pytest.raises(FalseworkError, match="no samples with path-traced targets"):
        LightSamples(tmp_path, cached=3)


def _parts(made: Sample) -> tuple[dict[str, Any], dict[str, Any]]:
    return made.arrays, made.record
