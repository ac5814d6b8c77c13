"""Making an environment with Blender's own Python module in it, for who has no Blender."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.render.traditional.blender import Blender, find_blenders, setup_folder
from falsework.render.traditional.process import last_words

__all__ = ["BPY", "set_up"]

BPY = "bpy==5.0.1"
PYTHON = (3, 11)  # the only one that this `bpy` is built for


def set_up(folder: Path | None = None, *, say: Callable[[str], None] = lambda words: None) -> Blender:
    """Make an environment in `folder` (`setup_folder()`) with `bpy`, and find out what it is able to do.

    `say` is told each step before it is taken. One that is there and works is left as it is. Raises
    FalseworkError where there is no Python 3.11 or pip does not succeed.
    """
    folder = (folder or setup_folder()).expanduser().absolute()
    program = folder / "bin" / "python"
    if program.exists():
        try:
            return find_blenders(program).found[0]
        except FalseworkError:
            say(f"What lies in {folder} does not work; it is made anew.")
    elif folder.exists() and not folder.is_dir():
        raise FalseworkError("is a file", where=folder, todo="Give a folder that is empty or new.")
    elif folder.exists() and any(folder.iterdir()):
        raise FalseworkError(
            "is a folder with something else in it", where=folder, todo="Give another with --folder."
        )
    python = _python()
    say(f"Making an environment in {folder} with {python}.")
    _run([python, "-m", "venv", "--clear", str(folder)], "the environment could not be made", folder)
    say(f"Installing {BPY} with pip: some 400 MB, a few minutes.")
    install = [str(program), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", BPY]
    _run(install, f"pip could not install {BPY}", folder)
    say("Asking it what it is able to do.")
    return find_blenders(program).found[0]


def _python() -> str:
    """A Python of the version that `bpy` wants."""
    wanted = ".".join(str(part) for part in PYTHON)
    for python in (sys.executable, shutil.which(f"python{wanted}"), shutil.which("python3")):
        if python:
            asked = [python, "-c", "import sys, venv; print(*sys.version_info[:2], sep='.')"]
            told = subprocess.run(asked, capture_output=True, text=True, check=False)
            if told.stdout.strip() == wanted:
                return python
    raise FalseworkError(
        f"{BPY} needs Python {wanted}, and there is none here with its `venv`",
        todo=f"Install Python {wanted} (as python{wanted} on PATH), or a whole Blender from "
        "https://www.blender.org/download/ and give it with --blender PATH.",
    )


def _run(command: list[str], fault: str, folder: Path) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        words = last_words(done.stdout.splitlines())
        raise FalseworkError(
            f'{fault}; the last words: "{words}"',
            where=folder,
            todo="Mend that and run again, or install a whole Blender from https://www.blender.org/download/.",
        )
