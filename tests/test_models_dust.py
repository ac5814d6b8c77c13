"""The dust network's cells, noise and inference."""

from pathlib import Path

import numpy as np
import pytest

from falsework.dust.field import DustField, DustFrame
from falsework.dust.fine import BRICK, FACTOR, HALF
from falsework.errors import FalseworkError
from falsework.models.dust_architecture import DustArchitecture
from falsework.models.dust_cells import (
    KEPT,
    SCALED,
    SPREAD,
    between_half_cells,
    calming,
    densities,
    features,
    fine_between,
    half_cells,
    interpolation,
    means,
    over_half_cells,
    roots,
    shuffled,
    unshuffled,
)
from falsework.models.noise import PERIOD, carried_noise, noise_tile

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from torch.nn.functional import conv3d  # noqa: E402

from falsework.models.dust import DustNetwork  # noqa: E402
from falsework.models.networks.dust import DustGenerator  # noqa: E402

VOXEL = 0.28


def still(
    shape: tuple[int, int, int], weight: tuple[float, float] = (1.0, 0.0), moved: float = 0.0
) -> DustFrame:
    """Dust in a ball, all of whose air came from `moved` metres along x."""
    at = np.stack(np.meshgrid(*[np.arange(n) + 0.5 for n in shape], indexing="ij"), axis=-1)
    inside = np.linalg.norm(at - np.asarray(shape) / 2, axis=-1) < 0.4 * min(shape)
    detail = np.zeros((2, *(n // 4 for n in shape), 3), np.float16)
    detail[..., 0] = moved
    return DustFrame(
        (4.0 * inside).astype(np.float16), detail, np.asarray(weight, np.float32), np.array([0, 1], np.int32)
    )


def field(folder: Path, shape: tuple[int, int, int]) -> DustField:
    return DustField(folder, (0.0, 0.0, 0.0), VOXEL, shape, 4, 1, {})


def noise_of(
    frame: DustFrame, size: int, seed: int = 1, corner: tuple[int, int, int] = (0, 0, 0)
) -> np.ndarray:
    corners = np.asarray([corner], np.int32)
    return carried_noise(frame, corners, size, voxel=VOXEL, coarse=4, seed=seed)[0]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[DustGenerator, Path]:
    architecture = DustArchitecture(width=16, looks=2)
    torch.manual_seed(3)
    generator = DustGenerator(architecture)
    path = tmp_path_factory.mktemp("weights") / "dust.safetensors"
    save_file(generator.state_dict(), path)
    return generator, path


def test_cells_go_back_and_forth() -> None:
    fine = np.random.default_rng(0).random((12, 16, 20), np.float32)
    assert np.array_equal(shuffled(unshuffled(fine)), fine)
    assert np.array_equal(unshuffled(fine)[5, 2, 3, 4], fine[5, 6, 9])


def test_between_cells_lies_what_is_linear() -> None:
    x, y, z = np.meshgrid(*[np.arange(n, dtype=np.float32) for n in (6, 7, 8)], indexing="ij")
    line = (2 * x - y + 3 * z + 5).astype(np.float32)
    between = fine_between(line)
    places = [(np.arange(FACTOR * (n - 2)) + 0.5) / FACTOR + 0.5 for n in (6, 7, 8)]
    a, b, c = np.meshgrid(*places, indexing="ij")
    assert np.allclose(between, 2 * a - b + 3 * c + 5, atol=1e-4)


@pytest.mark.parametrize("reach", [1, 2, 3, 4])
def test_half_cells_lie_between_cells(reach: int) -> None:
    margin = reach // 2 + 1
    cells = np.stack(np.meshgrid(*[np.arange(n + 2 * margin) - margin for n in (3, 4, 5)], indexing="ij"))
    halves = half_cells(cells.astype(np.float32), reach)
    for axis, n in enumerate((3, 4, 5)):
        assert halves.shape[axis + 1] == HALF * n + 2 * reach
        place = (np.arange(-reach, HALF * n + reach) + 0.5) / HALF - 0.5
        along = np.moveaxis(halves[axis], axis, 0).reshape(len(place), -1)
        assert np.allclose(along, place[:, None], atol=1e-5)


def test_the_answer_that_was_asked_for_gives_the_density_back() -> None:
    rng = np.random.default_rng(1)
    fine = rng.uniform(0.5, 1.5, (40, 40, 40)).astype(np.float32)
    coarse = means(fine)
    inner = fine[4:-4, 4:-4, 4:-4]
    answer = (unshuffled(roots(inner, fine_between(coarse))) - 1) / np.float32(SPREAD)
    out = np.empty((1, 32, 32, 32), np.float32)
    densities(answer[None], coarse[None], interpolation(), out)
    assert np.allclose(out[0], inner, rtol=1e-4)


@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0])
def test_a_cells_mean_stays_near_the_simulations(spread: float) -> None:
    """Whatever a network says, and however uneven the dust is."""
    rng = np.random.default_rng(2)
    coarse = (rng.random((2, 7, 9, 8)) ** 6 * 100 * (rng.random((2, 7, 9, 8)) > 0.4)).astype(np.float32)
    said = (spread * rng.standard_normal((2, 8, 10, 14, 12))).astype(np.float32)
    out = np.empty((2, 20, 28, 24), np.float32)
    densities(said, coarse, interpolation(), out)
    assert (out >= 0).all()
    for one, whole in zip(out, coarse, strict=True):
        own = whole[1:-1, 1:-1, 1:-1]
        assert (means(one) <= own * KEPT * 1.001).all()
        assert (means(one) >= own / KEPT * 0.999).all()


def test_what_is_missing_is_filled_up_and_makes_no_specks() -> None:
    """Where a network leaves dust in one fine cell alone, not all of its dust cell's comes there."""
    coarse = np.full((1, 3, 3, 3), 2.0, np.float32)
    said = np.full((4, 4, 4), -1 / SPREAD, np.float32)
    said[1, 2, 1] = 0.0
    out = np.empty((1, 4, 4, 4), np.float32)
    densities(unshuffled(said)[None], coarse, interpolation(), out)
    assert out.mean() == pytest.approx(2.0 / KEPT, rel=1e-4)
    assert out.max() <= 2.0 * (SCALED + 1 / KEPT)
    assert np.median(out) > 0.9 * out.mean()


def test_fine_cells_seen_from_half_cells_are_the_same() -> None:
    """Filters of fine cells, and what lies between half cells, as convolutions over half cells' channels."""
    rng = np.random.default_rng(4)
    fine = rng.standard_normal((16, 12, 20)).astype(np.float32)
    kernel = rng.standard_normal((3, 1, 5, 5, 5)).astype(np.float32)
    straight = conv3d(torch.from_numpy(fine)[None, None], torch.from_numpy(kernel))[0].numpy()
    cells = torch.from_numpy(over_half_cells(kernel).reshape(24, 8, 3, 3, 3))
    over = conv3d(torch.from_numpy(unshuffled(fine))[None], cells)[0].numpy()
    for one, other in zip(straight, over.reshape(3, 8, *over.shape[1:]), strict=True):
        assert np.allclose(one, shuffled(other), atol=1e-4)
    x, y, z = np.meshgrid(*[np.arange(n, dtype=np.float32) for n in (6, 7, 8)], indexing="ij")
    line = torch.from_numpy(2 * x - y + 3 * z)[None, None]
    between = shuffled(conv3d(line, torch.from_numpy(between_half_cells())[:, None])[0].numpy())
    x, y, z = np.meshgrid(*[(np.arange(HALF * (n - 2)) + 0.5) / HALF + 0.5 for n in (6, 7, 8)], indexing="ij")
    assert np.allclose(between, 2 * x - y + 3 * z, atol=1e-4)


def test_what_half_cells_cannot_hold_does_not_reach_them() -> None:
    """Of a wave of two fine cells nothing is left, of one of three little; one of sixteen is there."""
    at = np.arange(24, dtype=np.float32)
    for wave, left in ((2, 0.0), (3, 0.125), (16, 0.943)):
        fine = np.broadcast_to(np.cos(2 * np.pi * at / wave)[:, None, None], (24, 24, 24))
        calm = conv3d(torch.from_numpy(unshuffled(fine))[None], torch.from_numpy(calming()))[0, 0].numpy()
        there = np.cos(2 * np.pi * (HALF * np.arange(1, 11) + 0.5) / wave)
        assert np.allclose(calm, left * there[:, None, None], atol=1e-3)


def test_features_follow_from_the_cells_around() -> None:
    density = np.random.default_rng(3).random((20, 20, 20)).astype(np.float32)
    whole, part = features(density), features(density[4:16, 4:16, 4:16].copy())
    assert np.allclose(whole[:, 7:13, 7:13, 7:13], part[:, 3:9, 3:9, 3:9], atol=1e-5)


def test_noise_has_unit_variance_and_repeats() -> None:
    tile = noise_tile()
    assert tile[:PERIOD, :PERIOD, :PERIOD].std() == pytest.approx(1.0, abs=1e-3)
    assert np.array_equal(tile[-HALF:], tile[:HALF])
    for weight in ((1.0, 0.0), (0.5, 0.5), (0.2, 0.8)):
        assert noise_of(still((24, 24, 24), weight), 20).std() == pytest.approx(0.93, abs=0.08)


def test_noise_travels_with_the_air() -> None:
    """Air that came a dust cell's edge along x from where it was brings that cell's noise along."""
    rest, moved = noise_of(still((16, 16, 16)), 16), noise_of(still((16, 16, 16), moved=VOXEL), 14)
    assert np.allclose(moved[:, :14, :14, :14], rest[:, 2:, :14, :14], atol=0.02)


@pytest.mark.parametrize("cells", [1, 2, 3])
def test_structure_goes_on_with_its_noise(network: tuple[DustGenerator, Path], cells: int) -> None:
    """In even dust whose air has moved so many fine cells, all that is made has: wherever half cells lie."""
    generator, _ = network
    size = 16 + 2 * generator.architecture.reach
    told = features(np.full((20, 20, 20), 2.0, np.float32))[:, :1, :1, :1].repeat(size, 1)
    told = told.repeat(size, 2).repeat(size, 3)
    answers = []
    for moved in (0.0, cells * VOXEL / FACTOR):
        noise = noise_of(still((28, 28, 28), moved=moved), size)
        with torch.no_grad():
            answer = generator(torch.from_numpy(np.concatenate([noise, told])[None])).numpy()[0]
        answers.append(shuffled(answer))
    apart = answers[1][:-cells] - answers[0][cells:]
    assert apart.std() < 0.08 * answers[0].std()


def test_noise_of_a_cell_is_the_same_in_any_patch() -> None:
    frame = still((24, 24, 24), (0.4, 0.6), 0.7)
    assert np.array_equal(noise_of(frame, 21)[:, 9:, 9:, 9:], noise_of(frame, 12, corner=(9, 9, 9)))


def test_another_take_has_other_noise() -> None:
    one, two = (noise_of(still((16, 16, 16)), 12, seed) for seed in (1, 2))
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.2


def test_the_graph_says_what_the_network_does(network: tuple[DustGenerator, Path], tmp_path: Path) -> None:
    """Bricks put together are the whole volume done at once: no seams."""
    generator, path = network
    architecture = generator.architecture
    shape = (24, 16, 16)
    frame = still(shape)
    made = DustNetwork(path, architecture, exact=True).refine(field(tmp_path, shape), frame, seed=5)
    density = frame.density.astype(np.float32)
    reach = architecture.reach
    edge = HALF * 24 + 2 * reach
    noise = carried_noise(frame, np.full((1, 3), -reach, np.int32), edge, voxel=VOXEL, coarse=4, seed=5)
    told = half_cells(features(np.pad(density, architecture.reach_cells, mode="edge")), reach)
    x, y, z = told.shape[1:]
    with torch.no_grad():
        answer = generator(torch.from_numpy(np.concatenate([noise[0, :, :x, :y, :z], told])[None])).numpy()
    out = np.zeros((1, *(FACTOR * n for n in shape)), np.float32)
    densities(answer, np.pad(density, 1, mode="edge")[None], interpolation(), out)
    for brick in np.argwhere(made.index >= 0):
        x, y, z = FACTOR * BRICK * brick
        there = out[0, x : x + 32, y : y + 32, z : z + 32]
        assert np.allclose(made.density[made.index[tuple(brick)]], there, atol=0.01, rtol=2e-3)


def test_only_bricks_that_are_seen_are_made(network: tuple[DustGenerator, Path], tmp_path: Path) -> None:
    generator, path = network
    runner = DustNetwork(path, generator.architecture)
    shape = (32, 24, 20)
    frame = still(shape)
    whole = runner.refine(field(tmp_path, shape), frame, seed=5)
    seen = np.zeros(whole.index.shape, np.bool_)
    seen[1:3, 1, 1] = True
    part = runner.refine(field(tmp_path, shape), frame, seed=5, seen=seen)
    assert np.array_equal(part.index >= 0, seen & (whole.index >= 0))
    assert len(part.density) == (part.index >= 0).sum() > 0
    for brick in np.argwhere(part.index >= 0):
        # The same pixels, whatever is computed beside it.
        one, two = part.index[tuple(brick)], whole.index[tuple(brick)]
        assert np.array_equal(part.density[one], whole.density[two])


def test_bricks_far_apart_are_made_as_beside_one_another(
    network: tuple[DustGenerator, Path], tmp_path: Path
) -> None:
    generator, path = network
    runner = DustNetwork(path, generator.architecture)
    shape = (72, 16, 16)
    frame = still(shape)
    full = DustFrame(np.ones(shape, np.float16), frame.detail, frame.weight, frame.layer_seed)
    whole = runner.refine(field(tmp_path, shape), full, seed=5)
    seen = np.zeros(whole.index.shape, np.bool_)
    seen[[0, 4, 8], 1, 0] = True
    part = runner.refine(field(tmp_path, shape), full, seed=5, seen=seen)
    for brick in np.argwhere(seen):
        one, two = part.index[tuple(brick)], whole.index[tuple(brick)]
        assert np.array_equal(part.density[one], whole.density[two])


def test_one_seed_is_one_take(network: tuple[DustGenerator, Path], tmp_path: Path) -> None:
    generator, path = network
    runner = DustNetwork(path, generator.architecture)
    place, frame = field(tmp_path, (16, 16, 16)), still((16, 16, 16))
    one, same, other = (runner.refine(place, frame, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.density, same.density)
    assert not np.array_equal(one.density, other.density)


def test_a_network_of_another_version_is_refused_in_words(network: tuple[DustGenerator, Path]) -> None:
    _, path = network
    with pytest.raises(FalseworkError, match="a network of 3 features would be given"):
        DustNetwork(path, DustArchitecture(width=16, looks=2, features=3))
    said = DustArchitecture().to_json()
    assert DustArchitecture.from_json(said) == DustArchitecture()
    for other in ({"network": "dust", "channels": 32}, said | {"width": "wide"}, said | {"looks": None}):
        with pytest.raises(FalseworkError, match="not as this version has it"):
            DustArchitecture.from_json(other)


def test_no_dust_no_bricks(network: tuple[DustGenerator, Path], tmp_path: Path) -> None:
    generator, path = network
    frame = still((16, 16, 16))
    empty = DustFrame(0 * frame.density, frame.detail, frame.weight, frame.layer_seed)
    made = DustNetwork(path, generator.architecture).refine(field(tmp_path, (16, 16, 16)), empty, seed=1)
    assert (made.index == -1).all()
    assert made.density.shape == (0, 32, 32, 32)
