"""The loop that networks are trained in: the same weights however often it was stopped."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

from falsework.errors import FalseworkError  # noqa: E402
from falsework.seeds import generator  # noqa: E402
from falsework.training import loop  # noqa: E402
from falsework.training.loop import device_named, read_run, train  # noqa: E402
from falsework.training.settings import TrainSettings, load_settings  # noqa: E402

STEPS = 12


class Line:
    """A straight line through noisy points."""

    name = "line"

    def __init__(self, seed: int = 1, *, stop_at: int = -1, wrong_at: int = -1, width: int = 1) -> None:
        self.seed, self.stop_at, self.wrong_at = seed, stop_at, wrong_at
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.network = torch.nn.Linear(1, width)
        self.about: dict[str, Any] = {"width": width, "samples": {"train": 3}}
        self.files = {"index.jsonl": b"{}\n"}
        self.looked: list[float] = []

    def loss(self, step: int) -> torch.Tensor:
        if step == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        random = generator(self.seed, "line", step)
        x = torch.from_numpy(random.normal(size=(8, 1))).float()
        wrong = (self.network(x) - (3 * x - 1)).square().mean()
        return wrong * (float("nan") if step == self.wrong_at else 1.0)

    def validate(self) -> dict[str, float]:
        self.looked.append(float(self.network.weight[0, 0]))
        return {"slope": self.looked[-1]}

    def measure(self) -> list[dict[str, Any]]:
        return [{"name": "slope", "value": float(self.network.weight[0, 0])}]

    def pictures(self, folder: Path, step: int) -> None:
        folder.mkdir(exist_ok=True)
        (folder / f"{step}.txt").write_text(str(step))


def settings(**given: Any) -> TrainSettings:
    return TrainSettings(**{"steps": STEPS, "rate": 0.1, "warm_up": 2, "validate_every": 5, **given})


def test_a_run_learns_and_leaves_its_record(tmp_path: Path) -> None:
    line = Line()
    weights = train(line, settings(steps=300), tmp_path)
    assert float(load_file(weights)["weight"][0, 0]) == pytest.approx(3, abs=0.1)
    assert line.looked[-1] == pytest.approx(float(load_file(weights)["weight"][0, 0]))  # of the average
    record = read_run(tmp_path)
    assert record["steps"] == 300
    assert record["measures"]["slope"] == pytest.approx(3, abs=0.1)
    assert (tmp_path / "index.jsonl").read_bytes() == b"{}\n"
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics[0]["value"] == pytest.approx(line.looked[-1])
    assert (tmp_path / "curve.png").read_bytes()[1:4] == b"PNG"
    assert len((tmp_path / "curve.csv").read_text().splitlines()) == 61
    assert not list(tmp_path.glob("*.pt")), "no pickles"


def test_a_run_that_was_stopped_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = load_file(train(Line(), settings(), tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        train(Line(stop_at=4), settings(), tmp_path / "stopped")
    assert not (tmp_path / "stopped" / "weights.safetensors").exists()
    again = load_file(train(Line(), settings(), tmp_path / "stopped"))
    for name, value in whole.items():
        assert torch.equal(again[name], value)
    curve = (tmp_path / "stopped" / "curve.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in curve[1:]] == ["5", "10", "12"]


def test_a_run_that_was_killed_does_again_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    whole = load_file(train(Line(), settings(), tmp_path / "whole"))
    killed = tmp_path / "killed"
    with pytest.raises(FalseworkError):  # as good as a kill: nothing is written at the end
        train(Line(wrong_at=7), settings(checkpoint_minutes=0), killed)
    again = load_file(train(Line(), settings(), killed))
    assert all(torch.equal(again[name], value) for name, value in whole.items())


def test_longer_training_goes_on_and_another_run_is_refused(tmp_path: Path) -> None:
    train(Line(), settings(), tmp_path)
    train(Line(), settings(steps=STEPS + 3), tmp_path)
    record = read_run(tmp_path)
    assert record["steps"] == STEPS + 3
    for name, file in (("weights_sha256", "weights.safetensors"), ("config_sha256", "config.toml")):
        assert record[name] == hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()
    with pytest.raises(FalseworkError, match="another run"):
        train(Line(), settings(steps=STEPS + 3, rate=0.05), tmp_path)
    with pytest.raises(FalseworkError, match="another run"):
        train(Line(width=2), settings(steps=STEPS + 3), tmp_path)


def test_a_run_that_goes_past_its_end_is_not_finished_meanwhile(tmp_path: Path) -> None:
    train(Line(), settings(), tmp_path)
    with pytest.raises(FalseworkError):
        train(Line(wrong_at=STEPS + 1), settings(steps=STEPS + 3), tmp_path)
    assert not (tmp_path / "metrics.json").exists()
    with pytest.raises(FalseworkError, match="no finished training run"):
        read_run(tmp_path)


@pytest.mark.parametrize("part", ["_checkpoint", "_write_curve"])
def test_a_kill_between_curve_and_checkpoint_loses_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    train(Line(), settings(), tmp_path)

    def killed(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(loop, part, killed)
        with pytest.raises(MemoryError):
            train(Line(), settings(steps=STEPS + 4), tmp_path)
    train(Line(), settings(steps=STEPS + 4), tmp_path)
    curve = (tmp_path / "curve.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in curve[1:]] == ["5", "10", "12", "15", "16"]


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    train(Line(), settings(), tmp_path)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"half a file")
    with pytest.raises(FalseworkError, match="no checkpoint"):
        train(Line(), settings(steps=STEPS + 1), tmp_path)


def test_a_loss_that_is_no_number_stops_the_run_in_words(tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="step 3 is no number"):
        train(Line(wrong_at=3), settings(), tmp_path)


def test_an_unfinished_run_has_no_record(tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="no finished training run"):
        read_run(tmp_path)


def test_settings_are_read_and_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("steps = 50\nrate = 0.01\n")
    assert load_settings(file, steps=70, seed=None).model_dump()["steps"] == 70
    assert load_settings(None).steps == TrainSettings().steps
    file.write_text("rte = 0.01\n")
    with pytest.raises(FalseworkError, match="rate"):
        load_settings(file)
    with pytest.raises(FalseworkError):
        load_settings(tmp_path / "none.toml")


def test_cuda_is_refused_where_there_is_none() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    assert device_named("auto") == "cpu"
    with pytest.raises(FalseworkError, match="CUDA"):
        device_named("cuda")
