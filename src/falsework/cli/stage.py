"""`falsework solve|build|fracture|collapse|dust|render|comp SHOT.toml`: work up to one stage, and stop."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from falsework.cli.make import STAGE_NAMES

__all__ = ["add"]

WORDS = {
    "solve": "camera, light, occluders and clean plate from the picture",
    "build": "the building from its facades",
    "fracture": "the building in pieces",
    "collapse": "the motion of the pieces",
    "dust": "debris and dust",
    "render": "the layers of every frame",
    "comp": "the finished frames",
}


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    for name in STAGE_NAMES:
        parser = commands.add_parser(name, parents=[shared], help=WORDS[name])
        parser.add_argument("shot", type=Path, metavar="SHOT.toml")
        parser.add_argument("--preview", action="store_true", help="480 lines high, every fourth frame")
        parser.set_defaults(run=partial(run, name))


def run(name: str, given: argparse.Namespace) -> dict[str, Any]:
    from falsework.cli.bars import Bars
    from falsework.shots.pipeline import make

    with Bars(quiet=given.quiet) as bars:
        result = make(given.shot, preview=given.preview, until=name, deliver=False, listener=bars)
    stage = result.stage(name)
    if not given.quiet and not given.json:
        print(f"{name}: {'finished before' if stage.reused else f'{stage.seconds:.1f} s'} -> {stage.folder}")
        if name == "solve":
            _say_fit(stage.folder)
    return result.to_json()


def _say_fit(folder: Path) -> None:
    """How well the walls fit the corners that were given: the first thing to know of a solve."""
    from falsework.shots.solve_fit import fit_words

    print(fit_words(folder))
