"""`falsework takes SHOT.toml`: the same fall with other fine dust, several times, to choose from."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from falsework.cli.make import add_render, render_given, whole_number

__all__ = ["add"]

COUNT, HEIGHT = 8, 360
RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?:x(\d{1,9}))?)?")


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "takes", parents=[shared], help="takes of a shot, small and side by side, to choose from"
    )
    parser.add_argument("shot", type=Path, metavar="SHOT.toml")
    parser.add_argument(
        "--count", type=whole_number, default=COUNT, metavar="N", help=f"how many (default: {COUNT})"
    )
    parser.add_argument(
        "--first", type=whole_number, default=0, metavar="K", help="the first one's number (default: 0)"
    )
    parser.add_argument(
        "--height", type=whole_number, default=HEIGHT, metavar="N", help=f"in lines (default: {HEIGHT})"
    )
    parser.add_argument(
        "--frames", type=_frames, metavar="LIST", help="1010,1020-1096x4 (default: every fourth)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="(default: out/takes beside the shot)")
    parser.add_argument("--seed", type=whole_number, metavar="N", help="instead of the shot's own")
    add_render(parser)
    parser.add_argument("--by", default="", metavar="NAME", help="who has it made, for the record of rights")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.cli.bars import Bars
    from falsework.shots.takes import make_takes

    with Bars(quiet=given.quiet) as bars:
        result = make_takes(
            given.shot,
            count=given.count,
            first=given.first,
            height=given.height,
            frames=given.frames,
            out=given.out,
            seed=given.seed,
            render=render_given(given),
            by=given.by,
            listener=bars,
        )
    if not given.quiet and not given.json:
        print(f"{result.shot.name}: {len(result.takes)} takes in {result.seconds:.0f} s -> {result.out}")
        for take in result.takes:
            print(f"take {take.number:<4} {take.movie.name:<14} {result.finish(take)}")
        print(f"{result.contact.name} shows frames {', '.join(map(str, result.on_sheet))}")
    unrecorded = next((take.unrecorded for take in result.takes if take.unrecorded), "")
    if unrecorded and not given.quiet:
        print(f"not put on record: {unrecorded}", file=sys.stderr)
    return {"out": str(result.out), **result.to_json()}


def _frames(text: str) -> list[int]:
    """Frame numbers and ranges with commas between: 1010,1020-1096x4."""
    found: list[int] = []
    for part in text.split(","):
        said = RANGE.fullmatch(part.strip())
        first, last, step = (int(said[1]), int(said[2] or said[1]), int(said[3] or 1)) if said else (1, 0, 0)
        if first > last or step < 1 or last - first > 1_000_000:
            raise argparse.ArgumentTypeError(
                f'"{part.strip()}" is no frame and no range of frames such as 1020-1096x4'
            )
        found += range(first, last + 1, step)
    return found
