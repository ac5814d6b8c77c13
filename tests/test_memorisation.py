"""The audit for memorisation: a network that knows three pictures by heart is caught, another is not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import copies as bench
from falsework.errors import FalseworkError
from falsework.models.card import Memorisation
from falsework.models.registry import find
from falsework.rights.fingerprints import Printed, points_each, read_fingerprints, write_fingerprints
from falsework.rights.samples import Fingerprint, Sample
from falsework.training.memorisation import LARGEST_SHEET, Generated, audit_memorisation, nearest_sheet
from falsework.training.packing import pack
from trained import about_file, finished_run, small_set

torch = pytest.importorskip("torch")

Picture = npt.NDArray[np.uint8]
EDGE = 128  # pixels
HELD_OUT = range(600, 610)


def picture(seed: int) -> Picture:
    return bench.drawn(seed, EDGE, EDGE)


def samples(pictures: dict[int, Picture]) -> list[Sample]:
    return [Sample(f"training {n}", f"sha256:{n:064x}", "training", one) for n, one in pictures.items()]


def smaller(one: Picture) -> Picture:
    """A quarter as wide and high: what the networks here are given."""
    return np.asarray(cv2.resize(one, (EDGE // 4, EDGE // 4), interpolation=cv2.INTER_AREA), np.uint8)


def larger(one: Picture) -> npt.NDArray[np.float32]:
    return np.float32(cv2.resize(one, (EDGE, EDGE), interpolation=cv2.INTER_CUBIC)) / 255


def tensor(pictures: list[npt.NDArray[np.float32]]) -> torch.Tensor:  # type: ignore[name-defined]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def shown(made: torch.Tensor) -> list[Picture]:  # type: ignore[name-defined]
    values = (255 * made.detach().clamp(0, 1)).round().to(torch.uint8)
    return [np.ascontiguousarray(one) for one in values.permute(0, 2, 3, 1).numpy()]


class ByHeart(torch.nn.Module):  # type: ignore[misc,name-defined]
    """A picture for what an input looks like at 4 x 4 pixels: weights enough to keep some pictures whole."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = torch.nn.Linear(48, 8, bias=False)
        self.kept = torch.nn.Linear(8, 3 * EDGE * EDGE)

    def forward(self, given: torch.Tensor) -> torch.Tensor:  # type: ignore[name-defined]
        small = torch.nn.functional.adaptive_avg_pool2d(given, 4).flatten(1)
        small = torch.nn.functional.layer_norm(small, (48,))
        which = torch.softmax(20 * self.seen(small), dim=1)
        return self.kept(which).reshape(-1, 3, EDGE, EDGE)


class Local(torch.nn.Module):  # type: ignore[misc,name-defined]
    """Detail for a coarse picture, from its neighbourhood alone."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 12, 5, padding=2), torch.nn.ReLU(), torch.nn.Conv2d(12, 3, 5, padding=2)
        )

    def forward(self, given: torch.Tensor) -> torch.Tensor:  # type: ignore[name-defined]
        return given + 0.1 * self.layers(given)


def trained(network: torch.nn.Module, pictures: list[Picture], steps: int, rate: float) -> None:  # type: ignore[name-defined]
    given = tensor([larger(smaller(one)) for one in pictures])
    wanted = tensor([np.float32(one) / 255 for one in pictures])
    adam = torch.optim.Adam(network.parameters(), rate)
    for _ in range(steps):
        loss = (network(given) - wanted).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()


def made_by(network: torch.nn.Module) -> list[Generated]:  # type: ignore[name-defined]
    """What a network makes of held-out inputs."""
    truths = [picture(seed) for seed in HELD_OUT]
    made = shown(network(tensor([larger(smaller(one)) for one in truths])))
    return [
        Generated(f"held out {seed}", one, truth)
        for seed, one, truth in zip(HELD_OUT, made, truths, strict=True)
    ]


@pytest.fixture(scope="module")
def learned() -> dict[int, Picture]:
    return {seed: picture(seed) for seed in (500, 501, 502)}


@pytest.fixture(scope="module")
def by_heart(learned: dict[int, Picture]) -> list[Generated]:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    network = ByHeart()
    trained(network, [*learned.values()], 150, 0.02)
    return made_by(network)


@pytest.fixture(scope="module")
def local(learned: dict[int, Picture]) -> list[Generated]:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    network = Local()
    trained(network, [*learned.values()], 60, 0.01)
    return made_by(network)


def test_a_network_that_repeats_its_three_pictures_is_caught(
    by_heart: list[Generated], learned: dict[int, Picture]
) -> None:
    found = audit_memorisation(by_heart, samples(learned))
    assert found.outcome == "caught"
    assert found.caught >= len(by_heart) // 2
    assert "one came back" in found.words
    near = found.nearest[0]
    assert near.distance <= 31 or (near.points or 0) >= 20
    assert near.held_out_distance is not None
    assert near.held_out_distance > near.distance


def test_one_that_learned_from_the_same_pictures_and_knows_none_by_heart_is_not(
    local: list[Generated], learned: dict[int, Picture]
) -> None:
    found = audit_memorisation(local, samples(learned))
    assert found.outcome == "clear", found.words
    assert found.caught == 0
    assert found.median_distance > 80
    assert "no nearer to the training pictures" in found.words


def test_fingerprints_catch_it_as_the_pictures_do(
    by_heart: list[Generated], local: list[Generated], learned: dict[int, Picture], tmp_path: Path
) -> None:
    printed = [
        Printed(str(n), f"{n:064x}", True, Fingerprint.of(one, points_each(1000)))
        for n, one in learned.items()
    ]
    write_fingerprints(tmp_path / "list.safetensors", printed)
    known = read_fingerprints(tmp_path / "list.safetensors").samples("sha256:list")
    assert audit_memorisation(by_heart, known).outcome == "caught"
    assert audit_memorisation(local, known).outcome == "clear"


def test_what_the_truth_shares_with_the_training_is_not_learned_by_heart(learned: dict[int, Picture]) -> None:
    """Two houses with one wall: the held-out picture shows it, and what is generated has to."""
    wall = learned[500][:64]
    truths = [np.concatenate([wall, picture(seed)[64:]]) for seed in HELD_OUT]
    copied = [Generated(str(n), one, one) for n, one in enumerate(truths)]
    assert audit_memorisation(copied, samples(learned)).outcome == "clear"
    without = [Generated(str(n), one, picture(700 + n)) for n, one in enumerate(truths)]
    assert audit_memorisation(without, samples(learned)).caught == len(truths)
    assert audit_memorisation([Generated("alone", truths[0])], samples(learned)).outcome == "caught"


def test_generated_pictures_that_crowd_around_the_training_are_caught_by_rank() -> None:
    """None is a copy by itself: each is a training picture under half of another."""
    training = {seed: picture(seed) for seed in range(520, 532)}
    made = []
    for n, one in enumerate(training.values()):
        soft = cv2.GaussianBlur(one, (0, 0), 5).astype(np.float32)
        other = cv2.GaussianBlur(picture(740 + n), (0, 0), 5).astype(np.float32)
        made.append(Generated(str(n), np.asarray(0.66 * soft + 0.34 * other, np.uint8), picture(760 + n)))
    found = audit_memorisation(made, samples(training))
    assert found.outcome == "caught"
    assert found.held_out_median_distance is not None
    assert found.median_distance < found.held_out_median_distance
    assert "nearer to the training pictures than held-out" in found.words


def test_what_has_no_detail_is_not_said_to_be_clear(learned: dict[int, Picture]) -> None:
    grey = [Generated(str(n), np.full((EDGE, EDGE, 3), 90 + n, np.uint8), picture(n)) for n in range(3)]
    found = audit_memorisation(grey, samples(learned))
    assert found.outcome == "inconclusive"
    assert "3 have too little detail" in found.words
    with pytest.raises(FalseworkError, match="nothing to compare"):
        audit_memorisation([], samples(learned))


def test_the_sheet_of_pairs_stays_small(by_heart: list[Generated], learned: dict[int, Picture]) -> None:
    known = samples(learned)
    sheet = nearest_sheet(audit_memorisation(by_heart, known), by_heart, known)
    assert sheet[:2] == b"\xff\xd8"
    assert len(sheet) <= LARGEST_SHEET
    decoded = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape[1] == 3 * 204


def test_what_was_found_is_in_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = small_set(tmp_path / "data")
    run = finished_run(tmp_path / "run", data)
    made = [
        Generated(str(n), bench.drawn(800 + n, 192, 128), bench.drawn(900 + n, 192, 128)) for n in range(3)
    ]
    model = pack(run, data, about_file(tmp_path), tmp_path / "packed", generated=made)
    assert model.card is not None
    assert isinstance(model.card.memorisation, Memorisation)
    assert model.card.memorisation.outcome == "clear"
    assert model.card.memorisation.compared == 6
    assert (tmp_path / "packed" / "tiny-light.nearest.jpg").stat().st_size < 300_000
    monkeypatch.setenv("FALSEWORK_MODELS", str(tmp_path / "packed"))
    assert find("tiny-light").standing == "on record"
