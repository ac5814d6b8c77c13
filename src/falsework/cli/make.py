"""`falsework make SHOT.toml`: the whole shot."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from falsework.errors import FalseworkError

__all__ = ["STAGE_NAMES", "add", "add_render", "render_given", "whole_number"]

# In their order; known here so that --help need not load the stages themselves.
STAGE_NAMES = ("solve", "build", "fracture", "collapse", "dust", "render", "comp")
PIPELINES = ("falsework", "traditional")
# As `falsework.render.settings` has them.
SHADINGS = ("analytic", "learned")
DUST_DETAILS = ("plain", "learned")


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("make", parents=[shared], help="make a shot from its shot.toml")
    parser.add_argument("shot", type=Path, metavar="SHOT.toml")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="deliver here (default: out/NAME beside the shot)"
    )
    parser.add_argument(
        "--preview", action="store_true", help="480 lines high, every fourth frame, same simulation"
    )
    parser.add_argument(
        "--until", choices=STAGE_NAMES, metavar="STAGE", help="stop after " + ", ".join(STAGE_NAMES)
    )
    parser.add_argument("--seed", type=whole_number, metavar="N", help="instead of the shot's own")
    parser.add_argument(
        "--take", type=whole_number, metavar="K", help="the same fall and other fine dust: `falsework takes`"
    )
    add_render(parser)
    parser.add_argument(
        "--pipeline",
        choices=PIPELINES,
        default=PIPELINES[0],
        metavar="PIPELINE",
        help="falsework, or traditional: Blender's Bullet, Mantaflow and Cycles (default: falsework)",
    )
    parser.add_argument(
        "--blender", type=Path, metavar="PATH", help="the Blender of the traditional pipeline"
    )
    parser.add_argument("--by", default="", metavar="NAME", help="who has it made, for the record of rights")
    parser.set_defaults(run=run)


def add_render(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which networks draw, for all commands that draw."""
    parser.add_argument(
        "--shading", choices=SHADINGS, metavar="HOW", help="of surfaces and dust: " + " or ".join(SHADINGS)
    )
    parser.add_argument(
        "--dust", choices=DUST_DETAILS, metavar="HOW", help="the dust's fine structure: plain or learned"
    )


def render_given(given: argparse.Namespace) -> dict[str, Any]:
    """What the arguments say of the shot's [render]."""
    said = {"shading": given.shading, "dust_detail": given.dust, "take": getattr(given, "take", None)}
    return {name: value for name, value in said.items() if value is not None}


def run(given: argparse.Namespace) -> dict[str, Any]:
    if given.blender is not None and given.pipeline != "traditional":
        raise FalseworkError(
            "--blender is given, but falsework's own pipeline uses none", todo="Add --pipeline traditional."
        )
    if given.pipeline == "traditional" and render_given(given):
        raise FalseworkError(
            "--shading, --dust and --take are of falsework's own pipeline",
            todo="Leave them out, or --pipeline traditional.",
        )
    from falsework.cli.bars import Bars
    from falsework.shots.pipeline import make

    with Bars(quiet=given.quiet) as bars:
        result = make(
            given.shot,
            out=given.out,
            preview=given.preview,
            until=given.until,
            seed=given.seed,
            render=render_given(given),
            by=given.by,
            pipeline=given.pipeline,
            blender=given.blender,
            listener=bars,
        )
    if not given.quiet and not given.json:
        reused = [stage.name for stage in result.stages if stage.reused]
        print(f"{result.shot.name}: {len(result.frames)} frames in {result.seconds:.0f} s -> {result.out}")
        if reused:
            print(f"reused: {', '.join(reused)}", file=sys.stderr)
    if result.unrecorded and not given.quiet:
        print(f"not put on record: {result.unrecorded}", file=sys.stderr)
    return result.to_json()


def whole_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"must be 0 or a positive whole number below 2^63, not {text!r}")
    return int(text)
