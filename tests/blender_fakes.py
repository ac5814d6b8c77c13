"""Blenders that are small Python scripts: what another program may do to us, without one."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from falsework.render.traditional import process
from falsework.render.traditional.blender import ABILITIES, Blender
from falsework.shots.layer_files import read_layers
from falsework.shots.stages import Job

__all__ = ["ended", "fake_blender", "fake_module", "open_layers_comp", "signs_of_life"]

HEAD = """#!{python}
import json, os, signal, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[-1])
script = Path(sys.argv[sys.argv.index("--python") + 1]).stem
"""


def fake_blender(folder: Path, body: str, *, name: str = "blender") -> Blender:
    """A program in `folder` that does `body`; it knows `folder` and `script`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(HEAD.format(python=sys.executable) + body)
    program.chmod(0o755)
    return Blender(program, False, "9.9.9", frozenset(ABILITIES))


def fake_module() -> Blender:
    """This Python in the place of one with `bpy`: it runs scripts that import none."""
    return Blender(Path(sys.executable), True, "9.9.9", frozenset(ABILITIES))


def ended(pid: int) -> bool:
    """Whether a process is gone, or only waits to be counted."""
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def signs_of_life(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What scripts inside a Blender that is really there say from now on, every breath of theirs told."""
    inside = folder / "in_blender"
    shutil.copytree(process.in_blender("exchange").parent, inside)
    exchange = inside / "exchange.py"
    exchange.write_text(exchange.read_text().replace("BREATH = 5.0", "BREATH = 0.0"))
    said: list[bytes] = []
    heard = process._Child._line

    def line(child: process._Child, words: bytes) -> None:
        if words.startswith(process.MARK):
            said.append(words)
        heard(child, words)

    monkeypatch.setattr(process, "in_blender", lambda name: inside / f"{name}.py")
    monkeypatch.setattr(process._Child, "_line", line)
    return said


def open_layers_comp(job: Job) -> Callable[[int], None]:
    """A comp that reads real layers and writes down what it saw and which process it is."""

    def make(frame: int) -> None:
        layers = read_layers(job.folders["render"] / f"{frame:04d}.layers")
        part = job.frame_path(frame, ".exr.part")
        part.write_text(f"{layers.surface[0, 0, 0]} {os.getpid()}")
        part.replace(job.frame_path(frame, ".exr"))

    return make
