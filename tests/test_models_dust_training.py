"""Training of the dust network: data, scores, measures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from falsework.errors import FalseworkError
from falsework.media.arrays import write_arrays

torch = pytest.importorskip("torch")

from falsework.models.dust_architecture import DustArchitecture  # noqa: E402
from falsework.models.dust_cells import (  # noqa: E402
    KEPT,
    SPREAD,
    densities,
    fine_between,
    interpolation,
    shuffled,
    within,
)
from falsework.training import dust_measures, dust_standing  # noqa: E402
from falsework.training.dust import (  # noqa: E402
    DustTask,
    _kept,
    _Turn,
    changed,
    restlessness,
    structure_score,
    travel_score,
)
from falsework.training.dust_baselines import curled, interpolated  # noqa: E402
from falsework.training.dust_making import made  # noqa: E402
from falsework.training.dust_measures import (  # noqa: E402
    STATISTICS,
    frechet,
    log_spectral_distance,
    spectrum,
    statistics,
    travel_error,
)
from falsework.training.dust_samples import DustSamples, seen  # noqa: E402
from falsework.training.dust_standing import measured  # noqa: E402
from falsework.training.settings import TrainSettings  # noqa: E402

SMALL = DustArchitecture(width=8, looks=2)
VOXEL, FPS = 0.07, 24.0
SPEED = VOXEL * FPS  # one fine cell a frame


def lumps(seed: int, shift: int = 0, size: int = 32) -> np.ndarray:
    """Lumpy dust in a ball, `shift` cells further along x."""
    rng = np.random.default_rng(seed)
    k = np.sqrt(sum(axis**2 for axis in np.meshgrid(*[np.fft.fftfreq(size)] * 3, indexing="ij")))
    noise = np.fft.ifftn(np.fft.fftn(rng.standard_normal((size,) * 3)) * (k > 0) / (0.05 + k) ** 2).real
    at = np.stack(np.meshgrid(*[np.arange(size) - size / 2] * 3, indexing="ij"), axis=-1)
    ball = np.clip(size / 3 - np.linalg.norm(at, axis=-1), 0, 1)
    return np.roll(np.clip(2 + 2 * noise / noise.std(), 0, None) * ball, shift, axis=0).astype(np.float32)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return volumes(tmp_path_factory.mktemp("dust"))


def volumes(folder: Path, frames: int = 3, tested: float = 1.0) -> Path:
    """A set of one sequence a split; `tested`: the density of the test split's, over the others'."""
    rows: list[dict[str, Any]] = []
    for number, split in enumerate(("train", "validation", "test")):
        density = np.stack([lumps(number, t) for t in range(frames)]).repeat(2, axis=2)
        density *= tested if split == "test" else 1.0
        velocity = np.zeros((frames, 8, 16, 8, 3), np.float16)
        velocity[..., 0] = SPEED
        write_arrays(
            folder / f"{split}.safetensors",
            {
                "density": density.astype(np.float16),
                "velocity": velocity,
                "detail": np.zeros((frames, 2, 2, 4, 2, 3), np.float16),
                "weight": np.tile(np.array([0.3, 0.7], np.float32), (frames, 1)),
                "layer_seed": np.tile(np.array([0, 1], np.int32), (frames, 1)),
            },
        )
        rows.append(
            {"sample": split, "split": split, "simulation": number, "file": f"{split}.safetensors"}
            | {"voxel": VOXEL, "fps": FPS, "shape": [32, 64, 32]}
        )
    (folder / "index.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    about = {"name": "tiny", "kind": "volumes", "recipe": "0" * 64, "base": ".", "assets": []}
    (folder / "dataset.json").write_text(json.dumps(about))
    return folder


@pytest.fixture(scope="module")
def task(data: Path) -> DustTask:
    return DustTask(data, TrainSettings(batch=4, validated=1), architecture=SMALL)


def fine(seed: int, frames: int = 1) -> Any:
    return torch.from_numpy(np.stack([lumps(seed + n)[None] for n in range(frames)]))


def test_a_step_draws_the_same_batch_again(task: DustTask) -> None:
    one, same, other = (float(task.loss(step).detach()) for step in (3, 3, 4))
    assert one == same
    assert one != other


def test_a_few_steps_make_it_better(data: Path) -> None:
    task = DustTask(data, TrainSettings(batch=2), architecture=SMALL)
    adam = torch.optim.Adam(task.network.parameters(), 1e-2)
    losses = []
    for _ in range(40):
        loss = task.loss(0)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_scores_are_least_for_what_is_distributed_alike() -> None:
    """Draws of the truth's own distribution score better than its mean and than anything sharper."""
    share = torch.ones(1, 1, 8, 8, 8)
    draws = [torch.randn(3, 1, 1, 32, 32, 32, generator=torch.Generator().manual_seed(n)) for n in range(6)]

    def score(scale: float) -> float:
        return float(np.mean([float(structure_score(scale * a, scale * b, c, share)) for a, b, c in draws]))

    assert score(1.0) < min(score(0.0), score(0.5), score(1.5))


def test_what_the_air_carries_does_not_change() -> None:
    """A field that travels as the air does has no change to be scored; another has."""
    field = torch.from_numpy(np.stack([lumps(1)[None], lumps(1, 1)[None]]))
    still = torch.stack([field[0], field[0]])
    moved = torch.zeros(1, 3, 8, 8, 8)
    moved[:, 0] = 1.0
    share = torch.ones(2, 1, 8, 8, 8)
    with_air, against, nothing = (changed(one, moved) for one in (field, still, torch.zeros_like(field)))
    assert float(with_air.abs().mean()) < 0.2 * float(against.abs().mean())
    score = [float(travel_score(nothing, nothing, truth, share)) for truth in (with_air, against)]
    assert score[0] < 0.2 * score[1]


def test_training_keeps_means_as_inference_does() -> None:
    rng = np.random.default_rng(5)
    coarse = (0.2 + 5 * rng.random((1, 6, 6, 6)) ** 4).astype(np.float32)
    said = (3 * rng.standard_normal((1, 8, 8, 8, 8))).astype(np.float32)
    out = np.empty((1, 16, 16, 16), np.float32)
    densities(said, coarse, interpolation(), out)
    own = within(coarse[0, 1:-1, 1:-1, 1:-1])
    over = torch.from_numpy(fine_between(coarse[0]) / own)[None, None]
    root = torch.from_numpy(1 + SPREAD * shuffled(said[0])).clamp_min(0)[None, None]
    kept = _kept(root, over)[0, 0].numpy()
    assert np.allclose(own * over[0, 0].numpy() * kept**2, out[0], rtol=1e-3, atol=1e-4)


def test_a_network_that_says_nothing_has_a_way_back() -> None:
    """No slope without end, and some slope, where no root is left."""
    root = torch.full((1, 1, 8, 8, 8), -0.5, requires_grad=True)
    for between in (torch.ones(1, 1, 8, 8, 8), torch.zeros(1, 1, 8, 8, 8)):
        (slope,) = torch.autograd.grad(_kept(root, between).square().sum(), root)
        assert torch.isfinite(slope).all()


def test_only_changing_more_than_what_was_simulated_is_restless() -> None:
    truth = torch.randn(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(1))
    assert float(restlessness(0.5 * truth, truth, truth)) == 0
    assert float(restlessness(1.4 * truth, 1.2 * truth, truth)) == pytest.approx(0.3, abs=1e-5)
    assert np.isfinite(float(restlessness(truth, truth, torch.zeros_like(truth))))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_air_turns_with_the_dust(quarters: int, mirrored: bool) -> None:
    turn = _Turn(quarters, mirrored)
    field = torch.from_numpy(np.stack([turn(lumps(1))[None], turn(lumps(1, 1))[None]]))
    moved = np.zeros((3, 8, 8, 8), np.float32)
    moved[0] = 1.0
    with_air = changed(field, torch.from_numpy(turn.vectors(moved))[None])
    against = changed(field, torch.from_numpy(turn.vectors(-moved))[None])
    assert float(with_air.abs().mean()) < 0.2 * float(against.abs().mean())


def test_measures_know_what_is_near() -> None:
    one = lumps(1)
    blurred = interpolated(one.reshape(8, 4, 8, 4, 8, 4).mean((1, 3, 5)))
    reference = spectrum(one, 4 * VOXEL)
    assert log_spectral_distance(reference, reference) == 0
    other = log_spectral_distance(spectrum(lumps(2), 4 * VOXEL), reference)
    assert other < 0.5 * log_spectral_distance(spectrum(blurred, 4 * VOXEL), reference)
    volumes = [lumps(seed) for seed in range(40)]
    said = np.concatenate([statistics(v, 4 * VOXEL, v) for v in volumes])
    assert frechet(said, said) == pytest.approx(0, abs=1e-2)
    dull = np.concatenate([statistics(0.5 * v, 4 * VOXEL, v) for v in volumes])
    assert frechet(dull, said) > 1


def test_travel_is_measured_along_the_air() -> None:
    velocity = np.zeros((2, 8, 8, 8, 3), np.float16)
    velocity[..., 0] = SPEED
    with_air = travel_error([lumps(1), lumps(1, 1)], velocity, FPS, 4 * VOXEL)
    against = travel_error([lumps(1), lumps(1, -1)], velocity, FPS, 4 * VOXEL)
    assert with_air < 0.02
    assert against > 10 * with_air


def test_curl_noise_stirs_near_the_cell(data: Path) -> None:
    sequence = DustSamples(data).sequence("train", 0)
    stirred = curled(sequence, 0, 1.5, seed=1)
    assert stirred.std() > interpolated(sequence.density[0]).std()
    means = stirred.reshape(8, 4, 16, 4, 8, 4).mean((1, 3, 5))
    there = sequence.density[0] > 0.1
    assert np.allclose(means[there], sequence.density[0][there], rtol=1.001 * (KEPT - 1))


def test_what_is_buried_counts_little() -> None:
    density = np.zeros((20, 20, 20), np.float32)
    density[4:16, 4:16, 4:16] = 20.0
    weight = seen(density, 0.28)
    assert weight[10, 10, 10] < 0.1 * weight[4, 10, 10]
    assert weight[0, 0, 0] == 0


def test_a_card_gets_three_measures_beside_two_baselines(
    task: DustTask, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = DustSamples(data)
    # One small volume holds too few blocks for a distance of how their statistics spread.
    assert [row["name"] for row in measured(task.network, samples)] == ["spectrum", "travel"]
    monkeypatch.setattr(dust_measures, "BLOCK", 16)
    samples.rows["test"] = [*samples.rows["train"], *samples.rows["validation"], *samples.rows["test"]]
    rows = measured(task.network, samples)
    assert [row["name"] for row in rows] == ["spectrum", "frechet", "travel"]
    assert all(len(row["baselines"]) == 2 and row["samples"] == 3 for row in rows)


def test_a_test_split_without_dust_is_measured_as_far_as_it_goes(task: DustTask, tmp_path: Path) -> None:
    rows = measured(task.network, DustSamples(volumes(tmp_path, tested=0.0)))
    assert [row["name"] for row in rows] == ["spectrum"]
    nothing = np.zeros((32, 32, 32), np.float32)
    some = np.concatenate([statistics(v, 4 * VOXEL, v) for v in (lumps(1), nothing, lumps(2))])
    assert some.shape == (2, STATISTICS)
    assert frechet(some, some) is None


def test_a_sequence_that_was_not_measured_is_not_counted(
    task: DustTask, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = DustSamples(data)
    samples.rows["test"] = 3 * samples.rows["test"]
    monkeypatch.setattr(dust_standing, "MOST", 2)
    rows = measured(task.network, samples)
    assert {row["samples"] for row in rows} == {2}
    (travel,) = (row for row in rows if row["name"] == "travel")
    assert "1 is the simulated dust's own; less means softer or stiller than that" in travel["words"]


def test_sequences_of_one_frame_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="sequences of one frame"):
        DustTask(volumes(tmp_path, frames=1), TrainSettings(), architecture=SMALL)


def test_a_volume_of_any_shape_is_made(task: DustTask, data: Path) -> None:
    sequence = DustSamples(data).sequence("test", 0)
    volume = made(task.network, sequence, 1, seed=1)
    assert volume.shape == (32, 64, 32)
    mean = volume.reshape(8, 4, 16, 4, 8, 4).mean((1, 3, 5))
    assert np.allclose(mean, sequence.density[1], rtol=1.001 * (KEPT - 1), atol=1e-4)


def test_what_is_no_set_of_volumes_is_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="no data set"):
        DustSamples(tmp_path)
    (tmp_path / "dataset.json").write_bytes((data / "dataset.json").read_bytes())
    (tmp_path / "index.jsonl").write_text('{"sample": "b", "split": "train", "building": 1}\n')
    with pytest.raises(FalseworkError, match="no set of dust volumes"):
        DustSamples(tmp_path)
