"""`falsework clean SHOT.toml`: free what the last runs did not use."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add"]

KEEP = 3


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "clean", parents=[shared], help="remove finished work that the last runs did not use"
    )
    parser.add_argument("shot", type=Path, metavar="SHOT.toml")
    parser.add_argument(
        "--keep", type=_count, default=KEEP, metavar="N", help=f"runs whose results stay (default: {KEEP})"
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.shots.spec import load_shot
    from falsework.shots.store import Store, disk_faults

    shot = load_shot(given.shot)
    root = given.shot.resolve().parent / "work" / shot.name
    removed: list[Path] = []
    size = 0
    if root.is_dir():
        store = Store(root)
        with disk_faults(root), store.lock():
            store.sweep()
            removed, size = store.clean(given.keep)
    if not given.quiet and not given.json:
        print(f"{shot.name}: {len(removed)} results removed, {size / 1e9:.1f} GB free")
    return {"name": shot.name, "removed": [str(folder) for folder in removed], "bytes": size}


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"must be 0 or a positive whole number, not {text!r}")
    return int(text)
