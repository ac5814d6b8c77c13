"""The code a result comes from, as a hash: what changes in a room is made anew, unasked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import falsework

__all__ = ["source_hash", "source_modules"]

ROOT = Path(falsework.__file__).parent
NAME = falsework.__name__
# Imports wherever they stand, also within functions; `import_module` with a name put together is not seen.
IMPORTS = re.compile(
    rf"^[ \t]*from ({NAME}[\w.]*) import (\([^)]*\)|[^\n#]*)|^[ \t]*import ({NAME}[\w.]*)", re.M
)
DATA = re.compile(rf"""files\(["']({NAME}[\w.]*)["']\)""")


@cache
def source_hash(modules: tuple[str, ...], alone: tuple[str, ...] = ()) -> str:
    """A hash of the source of `modules` and of all of falsework they import, near or far, with the files that
    lie in their packages for them (shaders, textures); of `alone` without what those import."""
    whole = hashlib.sha256()
    known = dict.fromkeys((*source_modules(modules), *alone))
    for module in sorted(known):
        whole.update(f"{module} {_read(module)[1]}\n".encode())
    packages = {package for module in known for package in DATA.findall(_read(module)[0])}
    for package in sorted(packages):
        for path, digest in _data(package):
            whole.update(f"{path} {digest}\n".encode())
    return whole.hexdigest()[:20]


def source_modules(modules: Sequence[str]) -> set[str]:
    """`modules` and all modules of falsework that they import, directly or through others."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imports(module)
    return found


@cache
def _imports(module: str) -> tuple[str, ...]:
    named: list[str] = []
    for package, names, plain in IMPORTS.findall(_read(module)[0]):
        if plain:
            named.append(plain)
            continue
        members = [f"{package}.{name}" for name in re.findall(r"(\w+)(?: as \w+)?", names)]
        submodules = [member for member in members if _path(member) is not None]
        named += submodules or [package]
    return tuple(name for name in named if _path(name) is not None)


def _path(module: str) -> Path | None:
    place = ROOT.joinpath(*module.split(".")[1:])
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _read(module: str) -> tuple[str, str]:
    """A module's text and its hash."""
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(f"no source of {module}")
    content = path.read_bytes()
    return content.decode(), hashlib.sha256(content).hexdigest()


@cache
def _data(package: str) -> tuple[tuple[str, str], ...]:
    """Path and hash of what lies in a package beside its Python."""

    def files() -> Iterator[Path]:
        for path in sorted(ROOT.joinpath(*package.split(".")[1:]).rglob("*")):
            if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts:
                yield path

    return tuple(
        (path.relative_to(ROOT).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files()
    )
