"""`falsework train light|dust`: train a network from a data set made here."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.errors import FalseworkError

if TYPE_CHECKING:
    from falsework.training.loop import Task
    from falsework.training.settings import TrainSettings

__all__ = ["add"]

NETWORKS = {
    "light": "what a path tracer makes of our light (data: falsework dataset build)",
    "dust": "fine structure of coarse dust (data: falsework dataset volumes)",
}
MOST = 10**8


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("train", help="train one of falsework's networks on data made here")
    networks = parser.add_subparsers(metavar="NETWORK", required=True)
    for name, words in NETWORKS.items():
        one = networks.add_parser(name, parents=[shared], help=words)
        one.add_argument("--data", type=Path, required=True, metavar="DIR", help="the data set's folder")
        one.add_argument(
            "--out", type=Path, required=True, metavar="DIR",
            help="the run's folder; one that was stopped goes on",
        )  # fmt: skip
        one.add_argument(
            "--settings", type=Path, metavar="FILE.toml", help="rate, batch and others (docs/models.md)"
        )
        one.add_argument("--steps", type=_count, metavar="N", help="instead of the settings'")
        one.add_argument("--seed", type=_whole, metavar="N", help="instead of the settings'")
        one.add_argument("--threads", type=_count, metavar="N", help="processor threads (default: PyTorch's)")
        one.add_argument(
            "--device", choices=("auto", "cpu", "cuda"), default="auto",
            help="what to train on (default: CUDA where there is one)",
        )  # fmt: skip
        one.set_defaults(run=_train, network=name)


def _train(given: argparse.Namespace) -> dict[str, Any]:
    if importlib.util.find_spec("torch") is None:
        raise FalseworkError(
            "training needs PyTorch, which is not installed",
            where="train",
            todo="Install it: pip install 'falsework[train]'",
        )
    from falsework.training.settings import load_settings

    settings = load_settings(given.settings, steps=given.steps, seed=given.seed, threads=given.threads)

    from falsework.cli.bars import Bars
    from falsework.training.loop import device_named, read_run, train

    device = device_named(given.device)
    task = _task(given.network, given.data, settings, device)
    with Bars(quiet=given.quiet) as bars:

        def progress(done: int, total: int) -> None:
            bars.progress(given.network, done, total)

        weights = train(task, settings, given.out, device=device, progress=progress)
    record = read_run(given.out)
    # A run that had gone further than it was asked to go stays there.
    steps, measures = record["steps"], record["measures"]
    if not given.quiet and not given.json:
        for name, value in measures.items():
            print(f"{name:<24} {value:.4f}")
        print(f"{weights}: weights after {steps} steps; curve.png and pictures/ beside them")
    return {"weights": str(weights), "steps": steps, "device": device, "measures": measures}


def _task(name: str, data: Path, settings: TrainSettings, device: str) -> Task:
    if name == "light":
        from falsework.training.light import LightTask

        return LightTask(data, settings, device=device)
    from falsework.training.dust import DustTask

    return DustTask(data, settings, device=device)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MOST}, not {text!r}")
    return int(text)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 2**53):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0, not {text!r}")
    return int(text)
