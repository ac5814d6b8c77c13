"""The loop that every network is trained in: steps, averages, checkpoints, curves.

A run is a folder:

    config.toml               network, its settings, what it learns from
    checkpoint.safetensors    weights, their moving average and Adam's moments at the last whole step
    curve.csv, curve.png      loss and validation measures over steps
    pictures/                 what the task drew of itself
    weights.safetensors       the moving average, written at the end
    run.json                  how it went: steps, seconds, machine, versions, measures, SHA-256 of
                              weights and config
    metrics.json              measures on the test split, written at the end; what a model's card says
    index.jsonl, …            what the task keeps of its data's description

A run that was stopped or killed goes on from its checkpoint; on one machine it ends with the very weights it
would have had, since every batch follows from seed and step alone (and from the data, which may have
grown meanwhile).
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import platform
import signal
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import tomli_w
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

import falsework
from falsework.delivery.manifest import sha256
from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file, write_bytes, write_text
from falsework.progress import Progress, silent
from falsework.shots.sources import source_hash
from falsework.training.settings import TrainSettings

__all__ = ["Task", "device_named", "read_run", "train"]

CHECKPOINT, WEIGHTS, CONFIG, CURVE, RUN, METRICS = (
    "checkpoint.safetensors",
    "weights.safetensors",
    "config.toml",
    "curve.csv",
    "run.json",
    "metrics.json",
)
# These may be other in a run that goes on; anything else would make it another run. The data may have grown.
MAY_CHANGE = ("steps", "cached", "checkpoint_minutes", "threads", "validated")
SMOOTH = 50  # steps that the loss in the curve is a mean of


class Task(Protocol):
    """One network's training."""

    name: str

    @property
    def network(self) -> torch.nn.Module: ...

    # What the run's record says of network and data: plain values. Of "samples" (counts, digests) it may say
    # another thing when a stopped run goes on.
    about: dict[str, Any]
    files: dict[str, bytes]  # kept beside the run's record: the data's index as it was

    def loss(self, step: int) -> torch.Tensor:
        """Of the batch of this step, which follows from the seed and `step` alone."""
        ...

    def validate(self) -> dict[str, float]:
        """Measures on the validation split, of the network as it is; none where there is no such split."""
        ...

    def pictures(self, folder: Path, step: int) -> None: ...

    def measure(self) -> list[dict[str, Any]]:
        """Measures on the test split as a model's card has them (`models.card.Metric`), of the finished
        network; none where there is no such split."""
        ...


def device_named(name: str) -> str:
    """Which of cpu and cuda is meant; "auto" takes CUDA where there is one. FalseworkError where it was asked
    for and there is none."""
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise FalseworkError(
            "PyTorch finds no CUDA device here",
            where="--device cuda",
            todo="Use --device cpu, or install a PyTorch built for CUDA.",
        )
    return "cuda" if found and name in ("cuda", "auto") else "cpu"


def train(
    task: Task,
    settings: TrainSettings,
    folder: Path,
    *,
    device: str = "cpu",
    progress: Progress = silent,
) -> Path:
    """Train to `settings.steps`, from the folder's checkpoint if it has one. Returns the weights' path.

    Raises KeyboardInterrupt after a checkpoint when the process is told to end, FalseworkError where the
    folder holds another run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    _same_run(task, settings, folder)
    network = task.network.to(device)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    parameters = [value for value in network.parameters() if value.requires_grad]
    adam = torch.optim.Adam(parameters, lr=settings.rate, weight_decay=settings.weight_decay)
    step, seconds = _resume(folder / CHECKPOINT, network, average, adam, device)
    rows = _read_curve(folder / CURVE, step)
    if step < settings.steps:
        for name in (RUN, METRICS):  # of an earlier end, which this run goes past
            (folder / name).unlink(missing_ok=True)
    began = saved = time.monotonic()
    losses: list[float] = []
    precise = nullcontext() if device == "cpu" else torch.autocast(device, torch.bfloat16)

    def keep() -> None:
        # The curve first: rows beyond the checkpoint are passed over, lost ones would not come back.
        _write_curve(folder, rows, task.name)
        _checkpoint(folder / CHECKPOINT, network, average, adam, step, seconds + time.monotonic() - began)

    def look() -> None:
        with _weights(network, average), torch.no_grad():
            measures = task.validate()
            task.pictures(folder / "pictures", step)
        mean = sum(losses) / len(losses) if losses else math.nan
        rows.append(
            {"step": step, "seconds": round(seconds + time.monotonic() - began, 1), "loss": mean, **measures}
        )

    network.train()
    progress(step, settings.steps)
    with _told_to_end() as ending:
        while step < settings.steps:
            for group in adam.param_groups:
                group["lr"] = _rate(settings, step)
            with precise:
                loss = task.loss(step)
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
            if not bool(torch.isfinite(norm)):
                raise FalseworkError(
                    f"the loss of step {step} is no number any more",
                    where=folder,
                    todo="Give a smaller `rate` and a new --out.",
                )
            adam.step()
            # At first the average would be the beginning's for long.
            kept = min(settings.average, (step + 1) / (step + 10))
            with torch.no_grad():
                for name, value in network.state_dict().items():
                    average[name].lerp_(value, 1 - kept)
            step += 1
            losses = [*losses[1 - SMOOTH :], float(loss.detach())]
            progress(step, settings.steps)
            if step % settings.validate_every == 0 or step == settings.steps:
                look()
            due = time.monotonic() - saved > 60 * settings.checkpoint_minutes
            if due or ending.is_set() or step == settings.steps:
                keep()
                saved = time.monotonic()
            if ending.is_set():
                raise KeyboardInterrupt
    path = folder / WEIGHTS
    with whole_file(path) as part:
        save_file({name: value.cpu().contiguous() for name, value in average.items()}, part)
    with _weights(network, average), torch.no_grad():
        metrics = task.measure()
    if metrics:
        write_text(folder / METRICS, json.dumps(metrics, indent=2) + "\n")
    for name, content in task.files.items():
        write_bytes(folder / name, content)
    _write_run(task, settings, folder, device, step, seconds + time.monotonic() - began, rows)
    return path


def read_run(folder: Path) -> dict[str, Any]:
    """The record of a finished run. FalseworkError where it is not finished."""
    try:
        record: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FalseworkError(
            f"holds no finished training run ({error})",
            where=folder,
            todo="Run `falsework train` to its end.",
        ) from None
    return record


def _rate(settings: TrainSettings, step: int) -> float:
    if step < settings.warm_up:
        return settings.rate * (step + 1) / settings.warm_up
    share = (step - settings.warm_up) / max(settings.steps - settings.warm_up, 1)
    falls = 0.5 + 0.5 * math.cos(math.pi * min(share, 1.0))
    return settings.rate * (settings.last_rate + (1 - settings.last_rate) * falls)


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event instead of tearing a step apart; a second one ends at once."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # Python hears signals in its main thread alone
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def told(*_: object) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    for number in before:
        signal.signal(number, told)
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


@contextmanager
def _weights(network: torch.nn.Module, other: Mapping[str, torch.Tensor]) -> Iterator[None]:
    """The network with other weights for a while, and not in training."""
    own = {name: value.detach().clone() for name, value in network.state_dict().items()}
    network.load_state_dict(other)
    network.eval()
    try:
        yield
    finally:
        network.load_state_dict(own)
        network.train()


# ---- checkpoints -----------------------------------------------------------------------------------------


def _checkpoint(
    path: Path,
    network: torch.nn.Module,
    average: Mapping[str, torch.Tensor],
    adam: torch.optim.Adam,
    step: int,
    seconds: float,
) -> None:
    arrays = {f"network.{name}": value for name, value in network.state_dict().items()}
    arrays |= {f"average.{name}": value for name, value in average.items()}
    for number, state in adam.state_dict()["state"].items():
        arrays |= {f"adam.{number}.{name}": value for name, value in state.items()}
    with whole_file(path) as part:
        save_file(
            {name: value.detach().cpu().contiguous().clone() for name, value in arrays.items()},
            part,
            metadata={"step": str(step), "seconds": f"{seconds:.1f}"},
        )


def _resume(
    path: Path,
    network: torch.nn.Module,
    average: dict[str, torch.Tensor],
    adam: torch.optim.Adam,
    device: str,
) -> tuple[int, float]:
    """Take over a checkpoint; the steps done and the seconds they took, (0, 0) where there is none."""
    if not path.exists():
        return 0, 0.0
    parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "average": {}, "adam": {}}
    try:
        with safe_open(path, framework="pt", device=device) as file:
            about = file.metadata()
            for name in file.keys():  # noqa: SIM118
                kind, rest = name.split(".", 1)
                parts[kind][rest] = file.get_tensor(name)
        network.load_state_dict(parts["network"])
        average.update(parts["average"])
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in parts["adam"].items():
            number, field = name.split(".", 1)
            state.setdefault(int(number), {})[field] = value.cpu() if field == "step" else value
        adam.load_state_dict({"state": state, "param_groups": adam.state_dict()["param_groups"]})
        return int(about["step"]), float(about["seconds"])
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise FalseworkError(
            f"is no checkpoint of this run ({error})",
            where=path,
            todo="Delete it to begin anew, or choose another --out.",
        ) from error


def _same_run(task: Task, settings: TrainSettings, folder: Path) -> None:
    """Write the run's config, or compare it with the one that is there."""
    path = folder / CONFIG
    config = {"task": task.name, "train": settings.model_dump(mode="json"), "about": _plain(task.about)}
    text = tomli_w.dumps(config)
    if path.exists() and (folder / CHECKPOINT).exists():
        before = _comparable(path.read_text(encoding="utf-8"))
        if before != _comparable(text):
            raise FalseworkError(
                "another run lies here: its network, data or settings are others",
                where=path,
                todo=f"Choose another --out. Only {', '.join(MAY_CHANGE)} may change in a run that goes on.",
            )
    write_text(path, text)


def _comparable(text: str) -> dict[str, Any]:
    values = tomllib.loads(text)
    for name in MAY_CHANGE:
        values.get("train", {}).pop(name, None)
    values.get("about", {}).pop("samples", None)
    return values


def _plain(value: Any) -> Any:
    """As TOML can hold it: no None, tuples as lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


# ---- curve and record ------------------------------------------------------------------------------------


def _read_curve(path: Path, step: int) -> list[dict[str, float]]:
    """Its rows up to `step`: what a killed run did after its checkpoint is done again."""
    if not path.exists() or step == 0:
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    return [row | {"step": int(row["step"])} for row in rows if row["step"] <= step]


def _write_curve(folder: Path, rows: list[dict[str, float]], name: str) -> None:
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, names, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(folder / CURVE, text.getvalue())
    shown = [name for name in names if name not in ("step", "seconds")]
    figure, panels = plt.subplots(len(shown), 1, figsize=(7, 1.8 * len(shown)), sharex=True, squeeze=False)
    for panel, measure in zip(panels[:, 0], shown, strict=True):
        panel.plot([row["step"] for row in rows], [row.get(measure, math.nan) for row in rows], lw=1.2)
        panel.set_ylabel(measure, fontsize=7)
        panel.grid(alpha=0.3)
    panels[0, 0].set_title(name)
    panels[-1, 0].set_xlabel("step")
    figure.tight_layout()
    with whole_file(folder / "curve.png") as part:
        figure.savefig(part, dpi=110, format="png")
    plt.close(figure)


def _write_run(
    task: Task,
    settings: TrainSettings,
    folder: Path,
    device: str,
    step: int,
    seconds: float,
    rows: list[dict[str, float]],
) -> None:
    machine = torch.cuda.get_device_name() if device == "cuda" else _processor()
    record = {
        "task": task.name,
        "steps": step,
        "seconds": round(seconds, 1),
        "machine": machine,
        "seed": settings.seed,
        "weights_sha256": sha256(folder / WEIGHTS),
        "config_sha256": sha256(folder / CONFIG),
        "settings": settings.model_dump(mode="json"),
        "parameters": sum(value.numel() for value in task.network.parameters()),
        "falsework": falsework.__version__,
        "code": source_hash((type(task).__module__,)),
        "torch": torch.__version__,
        "about": task.about,
        "measures": {name: value for name, value in rows[-1].items() if name not in ("step", "seconds")}
        if rows
        else {},
    }
    write_text(folder / RUN, json.dumps(record, indent=2) + "\n")


def _processor() -> str:
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores"
