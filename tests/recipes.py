"""A small recipe for data sets, beside pictures of its own, to which a test may add."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["TINY", "one_more", "write_recipe"]

TINY = """
name = "tiny"
seed = 3
textures = "{shared}/textures"
skies = "{shared}/hdri"
sources = "{shared}/SOURCES.csv"

[picture]
size = [96, 80]
crop = 32

[shot]
frames = 9
moments = 2
crops = 2
fragments = [50, 60]

[buildings]
types = {{ terraced = 1 }}
storeys = [2, 2]
width = [8, 9]

[triggers]
strength = [0.1, 0.2]

[dust]
debris = 50

[targets]
samples = 8
"""


def write_recipe(shared: Path, folder: Path) -> Path:
    """TINY in a folder with links to the shared pictures."""
    for kind in ("textures", "hdri"):
        (folder / kind).mkdir()
        for picture in (shared / kind).iterdir():
            (folder / kind / picture.name).symlink_to(picture.resolve())
    shutil.copy(shared / "SOURCES.csv", folder)
    path = folder / "tiny.toml"
    path.write_text(TINY.format(shared=folder))
    return path


@contextmanager
def one_more(recipe: Path) -> Iterator[str]:
    """The name of a CC0 texture that lies in the recipe's folder, and is listed, for as long as this is
    open."""
    name, sources = "brick_wall_09_another.jpg", recipe.parent / "SOURCES.csv"
    before = sources.read_text()
    brick = recipe.parent / "textures" / "brick_wall_09_diff_1k.jpg"
    (recipe.parent / "textures" / name).write_bytes(brick.read_bytes() + b"other bytes")
    row = next(line for line in before.splitlines() if line.startswith(f"textures/{brick.name},"))
    sources.write_text(f"{before.rstrip()}\n{row.replace(brick.name, name, 1)}\n")
    try:
        yield name
    finally:
        (recipe.parent / "textures" / name).unlink()
        sources.write_text(before)
