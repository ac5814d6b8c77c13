"""Whether networks say the same on PyTorch's devices as in the graph on the processor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from falsework.dust.field import DustField, DustFrame
from falsework.dust.fine import FineDust
from falsework.errors import FalseworkError
from falsework.models.dust_architecture import DustArchitecture
from falsework.models.light_architecture import LightArchitecture

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from falsework.models.dust import DustNetwork  # noqa: E402
from falsework.models.graph import Weights  # noqa: E402
from falsework.models.light import LightNetwork  # noqa: E402
from falsework.models.networks.dust import DustGenerator  # noqa: E402
from falsework.models.networks.light import LightUNet  # noqa: E402
from falsework.models.torch_runner import TorchRunner  # noqa: E402

LIGHT = LightArchitecture(widths=(6, 8, 10))
DUST = DustArchitecture(width=16, looks=2)
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA device here"),
    ),
]


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "light.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        network = LightUNet(LIGHT)
        for last in network.leave:
            torch.nn.init.normal_(last.weight, std=0.5)
    save_file(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def dust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "dust.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        save_file(DustGenerator(DUST).state_dict(), path)
    return path


def refined(network: DustNetwork, seen: np.ndarray | None = None) -> FineDust:
    """Two lots of bricks of uneven dust in air that has moved."""
    shape = (24, 24, 24)
    rng = np.random.default_rng(0)
    density = (4.0 * rng.random(shape)).astype(np.float16)
    detail = rng.uniform(-0.3, 0.3, (2, 6, 6, 6, 3)).astype(np.float16)
    frame = DustFrame(density, detail, np.array([0.6, 0.4], np.float32), np.array([0, 1], np.int32))
    return network.refine(DustField(Path(), (0.0, 0.0, 0.0), 0.28, shape, 4, 1, {}), frame, seed=5, seen=seen)


@pytest.mark.parametrize("where", DEVICES)
def test_light_is_what_the_graph_says(light: Path, where: str) -> None:
    given = np.random.default_rng(0).normal(size=(LIGHT.features, 33, 47)).astype(np.float32)
    graph = LightNetwork(light, LIGHT, exact=True).gains(given)
    network = LightNetwork(light, LIGHT, exact=True, device=where)
    for ours, theirs in zip(network.gains(given), graph, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    halves = LightNetwork(light, LIGHT, device=where)
    for ours, theirs, again in zip(halves.gains(given), graph, halves.gains(given), strict=True):
        assert np.abs(np.log(ours / theirs)).mean() < 0.03
        assert np.array_equal(ours, again)


@pytest.mark.parametrize("where", DEVICES)
def test_dust_is_what_the_graph_says(dust: Path, where: str) -> None:
    graph = refined(DustNetwork(dust, DUST, exact=True))
    made = refined(DustNetwork(dust, DUST, exact=True, device=where))
    assert len(made.density) == 27
    assert np.array_equal(made.index, graph.index)
    np.testing.assert_allclose(made.density, graph.density, atol=0.01, rtol=2e-3)
    network = DustNetwork(dust, DUST, device=where)
    halves, again = refined(network), refined(network)
    assert np.array_equal(halves.density, again.density)
    apart = halves.density.astype(np.float32) - graph.density.astype(np.float32)
    assert np.abs(apart).mean() < 0.002 * graph.density.mean(dtype=np.float32)


@pytest.mark.parametrize("where", DEVICES)
def test_a_brick_is_the_same_whatever_goes_with_it(dust: Path, where: str) -> None:
    network = DustNetwork(dust, DUST, device=where)
    whole = refined(network)
    seen = np.zeros(whole.index.shape, np.bool_)
    seen[1:, 1, 2] = True
    part = refined(network, seen)
    for brick in np.argwhere(seen):
        one, two = part.index[tuple(brick)], whole.index[tuple(brick)]
        assert np.array_equal(part.density[one], whole.density[two])


@pytest.mark.parametrize("before", ["none", "tf32"])
def test_a_run_repeats_itself_and_leaves_pytorch_as_it_was(tmp_path: Path, before: str) -> None:
    cudnn, found = torch.backends.cudnn, []

    def flags() -> tuple[bool, bool, str]:
        return cudnn.deterministic, cudnn.benchmark, cudnn.conv.fp32_precision

    class Twice(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found.append((flags(), torch.is_grad_enabled()))
            return 2 * x

    save_file({"none": torch.zeros(1)}, tmp_path / "none.safetensors")
    runner = TorchRunner(Twice(), Weights(tmp_path / "none.safetensors"), "cpu")
    own = flags()
    try:
        cudnn.benchmark, cudnn.conv.fp32_precision = True, before
        was = flags()
        assert runner(np.ones((1, 2), np.float32)).tolist() == [[2.0, 2.0]]
        assert found == [((True, False, "ieee"), False)]
        assert flags() == was
    finally:
        cudnn.deterministic, cudnn.benchmark, cudnn.conv.fp32_precision = own


def test_weights_of_another_network_are_refused_in_words(dust: Path) -> None:
    with pytest.raises(FalseworkError, match="another network"):
        LightNetwork(dust, LIGHT, device="cpu")
