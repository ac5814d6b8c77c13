"""`falsework new DIR --plate PHOTO --brief "..."`: a commented shot to begin with."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add"]


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "new", parents=[shared], help="begin a shot: DIR/shot.toml from a photo and a brief"
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--plate", type=Path, required=True, metavar="PHOTO")
    parser.add_argument("--brief", default="", help="a director's sentence, English or Spanish")
    parser.add_argument(
        "--offline", action="store_true", help="the built-in grammar even where an endpoint is set"
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.shots.brief import read_brief
    from falsework.shots.brief_endpoint import read_brief_anywhere
    from falsework.shots.starter import start_shot

    understood = (read_brief if given.offline else read_brief_anywhere)(given.brief)
    path = start_shot(given.folder, given.plate, understood)
    if not given.quiet and not given.json:
        print(f"{path} is written. Correct the facade's corners in it, then: falsework make {path} --preview")
        for note in understood.notes:
            print(f"note: {note}")
        if understood.not_understood:
            print("not understood: " + "; ".join(understood.not_understood))
    return {"shot": str(path), "brief": understood.to_json()}
