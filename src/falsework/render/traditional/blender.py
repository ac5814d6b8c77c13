"""Which Blenders there are, and what each is able to do."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.render.traditional.process import in_blender, run_job, write_job

__all__ = ["ABILITIES", "OLDEST", "Blender", "Blenders", "find_blenders", "setup_folder"]

OLDEST = (3, 4)
# What is asked of a Blender, and what it is for.
ABILITIES = {
    "bullet": "simulate rigid bodies",
    "smoke": "bake smoke",
    "cycles": "render",
    "denoise": "denoise",
    "usd": "read USD",
}
PROBE_PATIENCE = 120.0  # seconds
HOW_TO_GET_ONE = (
    "run `falsework traditional setup`, or install Blender 3.4 or later (https://www.blender.org/download/) "
    "and give it with --blender PATH, in $BLENDER or on PATH"
)
# `bpy` of 4.2 and later fails at it without a screen.
HOW_TO_GET_SMOKE = (
    "install a whole Blender, 3.4 or later (https://www.blender.org/download/, or the system's own package), "
    "and give it with --blender PATH, in $BLENDER or on PATH"
)


@dataclass(frozen=True)
class Blender:
    """One Blender: a program, or a Python that can import `bpy` (`is_module`).

    version    "3.4.1";  abilities: of ABILITIES
    """

    program: Path
    is_module: bool
    version: str
    abilities: frozenset[str]

    def command(self, script: Path, folder: Path) -> list[str]:
        """The command that runs one of our scripts on a folder."""
        if self.is_module:
            return [str(self.program), str(script), str(folder)]
        start = [str(self.program), "-b", "--factory-startup", "--python-exit-code", "3"]
        return [*start, "--python", str(script), "--", str(folder)]


@dataclass(frozen=True)
class Blenders:
    """What was found, in the order of preference. One may bake and another render.

    failed  what was looked at and does not serve: (path, why)
    """

    found: tuple[Blender, ...]
    failed: tuple[tuple[Path, str], ...] = ()

    @property
    def simulate(self) -> Blender:
        """Who simulates rigid bodies."""
        return self.able("bullet")

    @property
    def smoke(self) -> Blender:
        """Who bakes smoke."""
        return self.able("smoke")

    @property
    def render(self) -> Blender:
        """Who renders: one that denoises, where there is one."""
        denoising = [one for one in self.found if {"cycles", "denoise"} <= one.abilities]
        return denoising[0] if denoising else self.able("cycles")

    def able(self, ability: str) -> Blender:
        """The first that has an ability. Raises FalseworkError with how to get one."""
        for blender in self.found:
            if ability in blender.abilities:
                return blender
        get = HOW_TO_GET_SMOKE if ability == "smoke" else HOW_TO_GET_ONE
        have = ", ".join(f"{one.version} at {one.program}" for one in self.found)
        none = f"no Blender here can {ABILITIES[ability]}" + (f" (found: {have})" if have else "")
        raise FalseworkError(f"{none}: {get}")


def setup_folder() -> Path:
    """Where `falsework traditional setup` makes its environment, unless it is told otherwise."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "falsework" / "blender"


def find_blenders(named: Path | None = None) -> Blenders:
    """The Blenders there are: the one `named`, $BLENDER's, the one on PATH, that of `traditional setup`.

    What each is able to do is found by having it do it, once: the user's cache folder remembers. Raises
    FalseworkError where none serves at all, or the one that the user named does not.
    """
    found: list[Blender] = []
    failed: list[tuple[Path, str]] = []
    for given, path in _candidates(named):
        try:
            blender = _known(path)
        except FalseworkError as error:
            if given:
                raise FalseworkError(
                    f"{given} names {path}, which is no Blender that can be used: {error.what}",
                    todo=f"Correct it, or {HOW_TO_GET_ONE}.",
                ) from error
            failed.append((path, error.what))
            continue
        if blender.program not in [one.program for one in found]:
            found.append(blender)
    if not found:
        seen = "".join(f"; {path} does not serve ({why})" for path, why in failed)
        raise FalseworkError(f"there is no usable Blender here{seen}: {HOW_TO_GET_ONE}")
    return Blenders(tuple(found), tuple(failed))


def _candidates(named: Path | None) -> Iterator[tuple[str, Path]]:
    """(how the user named it, "" where he did not; path)."""
    if named is not None:
        yield "--blender", named
    if os.environ.get("BLENDER"):
        yield "$BLENDER", Path(os.environ["BLENDER"])
    on_path = shutil.which("blender")
    if on_path:
        yield "", Path(on_path)
    made = setup_folder() / "bin" / "python"
    if made.exists():
        yield "", made


def _known(path: Path) -> Blender:
    """What is at `path`, from memory or by asking it."""
    program, is_module = _program(path.expanduser())
    print_of_it = _fingerprint(program, is_module)
    memory = _memory()
    remembered = _remembered(memory).get(str(program), {})
    if remembered.get("fingerprint") != print_of_it:
        remembered = {"fingerprint": print_of_it, **_probe(program, is_module)}
        _remember(memory, str(program), remembered)
    return Blender(program, is_module, str(remembered["version"]), frozenset(remembered["abilities"]))


def _program(path: Path) -> tuple[Path, bool]:
    """The program a path means: Blender itself or its folder; a Python, or an environment, with `bpy`."""
    inside = ("bin/python", "blender", "Contents/MacOS/Blender")
    if path.is_dir():
        program = next((path / name for name in inside if (path / name).is_file()), None)
        if program is None:
            raise FalseworkError("that is a folder, and there is no Blender in it", where=path)
        path = program
    else:
        path = Path(shutil.which(path) or path)
    path = path.absolute()  # a link to Python is left one: it stands in the environment that has `bpy`
    if not path.is_file():
        raise FalseworkError("there is no such program", where=path)
    if not os.access(path, os.X_OK):
        raise FalseworkError("may not be executed", where=path)
    return path, path.name.lower().startswith("python")


def _probe(program: Path, is_module: bool) -> dict[str, Any]:
    blender = Blender(program, is_module, "", frozenset())
    with tempfile.TemporaryDirectory(prefix="falsework-") as name:
        folder = Path(name)
        write_job(folder, {"smoke": False})
        answer = run_job(blender, "probe", folder, patience=PROBE_PATIENCE)
        version, abilities = str(answer["version"]), set(answer["abilities"])
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            raise FalseworkError(
                f"it is Blender {version}, and {'.'.join(map(str, OLDEST))} is the oldest that serves",
                where=program,
            )
        write_job(folder, {"smoke": True})
        try:  # apart, for some die of it
            if run_job(blender, "probe", folder, patience=PROBE_PATIENCE)["smoke"]:
                abilities.add("smoke")
        except FalseworkError:
            pass
    return {"version": version, "abilities": sorted(abilities)}


def _fingerprint(program: Path, is_module: bool) -> list[Any]:
    """Changes when another Blender comes to stand at the path, or another question is asked."""
    about = [program]
    if is_module:
        about += sorted(program.parent.parent.glob("lib/python*/site-packages"))
    stats = [path.stat() for path in about]
    question = hashlib.sha256(in_blender("probe").read_bytes()).hexdigest()[:16]
    return [
        question,
        *([str(path), one.st_mtime_ns, one.st_size] for path, one in zip(about, stats, strict=True)),
    ]


def _memory() -> Path:
    if sys.platform == "darwin":
        home = Path.home() / "Library" / "Caches"
    else:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "falsework" / "blenders.json"


def _remembered(memory: Path) -> dict[str, dict[str, Any]]:
    try:
        known = json.loads(memory.read_bytes())
        return {str(path): dict(note) for path, note in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _remember(memory: Path, path: str, note: dict[str, Any]) -> None:
    with contextlib.suppress(FalseworkError):  # it is asked again next time
        write_text(memory, json.dumps(_remembered(memory) | {path: note}, indent=1))
