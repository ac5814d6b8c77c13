"""Seconds of simulation and dust, by both pipelines, each stage in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w

from falsework.bench.meter import Meter
from falsework.bench.rows import Work
from falsework.errors import FalseworkError
from falsework.media.atomic import write_text

__all__ = ["SIDES", "prepared", "simulate", "warm"]

WARM_SEED = 1_000_003
GRACE = 10.0  # seconds in which a run ends by itself once it is told to

# What `falsework make` is told, by side.
SIDES: dict[str, list[str]] = {"falsework": [], "traditional": ["--pipeline", "traditional"]}


def prepared(shot: Path) -> dict[str, Path]:
    """Solve, building and fragments, which both sides share and neither is charged for: folders by stage."""
    return _folders(_make(shot, "fracture", []))


def warm(shot: Path) -> None:
    """Have falsework compile what it compiles once an installation: the same fall from another seed, which
    nobody's seconds are taken of."""
    values = tomllib.loads(shot.read_text(encoding="utf-8"))
    values["seed"] += WARM_SEED
    other = shot.with_name(f"{shot.stem}_warm.toml")
    write_text(other, tomli_w.dumps(values))
    _make(other, "dust", [])


def simulate(shot: Path, side: str, blender: Path | None) -> tuple[dict[str, Work], dict[str, Path]]:
    """Seconds of "simulation" and "dust" of a shot whose fragments are made, and the folders by stage.

    Each is one run of `falsework make`, its start included, timed by the same meter on both sides.
    Raises FalseworkError where an earlier run had finished them.
    """
    options = list(SIDES[side])
    if side == "traditional" and blender is not None:
        options += ["--blender", str(blender)]
    spent = {}
    folders: dict[str, Path] = {}
    for name, stage in (("simulation", "collapse"), ("dust", "dust")):
        with Meter() as meter:
            answer = _make(shot, stage, options)
        if stage in answer["reused"]:
            raise FalseworkError(
                f"{stage} of {shot.stem} was finished before, so its seconds cannot be taken",
                where="bench",
                todo="Run the bench again.",
            )
        spent[name] = Work(round(meter.wall, 3), round(meter.cpu, 3))
        folders = _folders(answer)
    return spent, folders


def _folders(answer: dict[str, Any]) -> dict[str, Path]:
    return {name: Path(stage["folder"]) for name, stage in answer["stages"].items()}


def _make(shot: Path, until: str, options: Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "falsework", "make", str(shot), "--until", until, "--quiet", "--json"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        try:
            said, errors = run.communicate()
        except BaseException:  # it has a Blender of its own to end
            run.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(GRACE)
            run.kill()
            raise
    try:
        answer: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        answer = {"ok": False, "error": {"what": errors.strip()[-400:] or f"exit code {run.returncode}"}}
    if not answer.get("ok"):
        error = answer["error"]
        raise FalseworkError(
            f"{until} failed: {error['what']}", where=error.get("where") or shot, todo=error.get("todo", "")
        )
    return answer
