"""What a result comes from, as a hash: the code of its rooms and the libraries that they call.

What changes in a room is made anew, unasked; so is what a room makes with a library of another version: a new
OpenCV or Rapier may well give other pixels or another fall.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import metadata
from itertools import chain
from pathlib import Path

import falsework

__all__ = ["libraries", "source_hash", "source_modules"]

ROOT = Path(falsework.__file__).parent
NAME = falsework.__name__
# Imports wherever they stand, also within functions; `import_module` with a name put together is not seen.
IMPORTS = re.compile(
    rf"^[ \t]*from ({NAME}[\w.]*) import (\([^)]*\)|[^\n#]*)|^[ \t]*import ({NAME}[\w.]*)", re.M
)
# `from x.y import z` and `import x.y as z` of anything, alone on a line or before a bracket.
LIBRARIES = re.compile(
    r"^[ \t]*(?:from (\w+)[\w.]* import [\w(*]|import (\w+)[\w.]*(?: as \w+)?[ \t]*(?:#.*)?$)", re.M
)
# Distributions whose name is not that of what is imported; `packages_distributions` takes 0.2 s to find out.
CALLED = {"cv2": "opencv-python-headless", "pxr": "usd-core", "PyOpenColorIO": "opencolorio"}
# What only checks settings, shows words or asks a model for them: the settings themselves are in the key.
NO_PIXELS = frozenset({NAME, "pydantic", "rich", "openai", *sys.stdlib_module_names})
DATA = re.compile(rf"""files\(["']({NAME}[\w.]*)["']\)""")


@cache
def source_hash(modules: tuple[str, ...], alone: tuple[str, ...] = ()) -> str:
    """A hash of the source of `modules` and of all of falsework they import, near or far, with the files that
    lie in their packages for them (shaders, textures) and the versions of the libraries they call; of `alone`
    without what those import."""
    whole = hashlib.sha256()
    known = dict.fromkeys((*source_modules(modules), *alone))
    for module in sorted(known):
        whole.update(f"{module} {_read(module)[1]}\n".encode())
    packages = {package for module in known for package in DATA.findall(_read(module)[0])}
    for package in sorted(packages):
        for path, digest in _data(package):
            whole.update(f"{path} {digest}\n".encode())
    for library, version in libraries(known).items():
        whole.update(f"{library} {version}\n".encode())
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


def libraries(modules: Iterable[str]) -> dict[str, str]:
    """Versions of the libraries that these modules import themselves, by the name they are imported by."""
    named = {one for module in modules for pair in LIBRARIES.findall(_read(module)[0]) for one in pair if one}
    return {name: _version(name) for name in sorted(named - NO_PIXELS)}


@cache
def _version(library: str) -> str:
    """The installed version; "" of what is not installed, which the room itself will complain about."""
    for distribution in chain((CALLED.get(library, library),), _distributions(library)):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return ""


def _distributions(library: str) -> Iterator[str]:
    """Whoever else provides it (OpenCV comes in four distributions); looked up only where that is needed."""
    yield from metadata.packages_distributions().get(library, ())


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
