"""`falsework traditional setup|check`: a Blender for the traditional pipeline, and what those here can do."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from falsework.render.traditional.blender import Blender

__all__ = ["add"]

ROLES = {"bullet": "collapse", "smoke": "dust", "cycles": "render"}
YOURS_TO_MEND = 2


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("traditional", help="Blender for `make --pipeline traditional`")
    steps = parser.add_subparsers(metavar="STEP", required=True)
    setup = steps.add_parser("setup", parents=[shared], help="make an environment with Blender's module")
    setup.add_argument(
        "--folder", type=Path, metavar="DIR", help="make it here (default: the user's data folder)"
    )
    setup.set_defaults(run=_setup)
    check = steps.add_parser("check", parents=[shared], help="which Blenders there are, and who does what")
    check.add_argument("--blender", type=Path, metavar="PATH", help="one that is not on PATH")
    check.set_defaults(run=_check)


def _setup(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.render.traditional.blender import HOW_TO_GET_SMOKE, find_blenders
    from falsework.render.traditional.setup import set_up

    def say(words: str) -> None:
        if not given.quiet:
            print(words, file=sys.stderr)

    made = set_up(given.folder, say=say)
    cannot = ""
    if "smoke" not in made.abilities:
        baking = [one for one in find_blenders(made.program).found if "smoke" in one.abilities]
        cannot = "It cannot bake smoke without a screen: " + (
            f"{baking[0].version} at {baking[0].program} will." if baking else f"{HOW_TO_GET_SMOKE}."
        )
    if not given.quiet and not given.json:
        print(f"Blender {made.version} at {made.program}: {_can(made)}.")
        if cannot:
            print(cannot)
        if given.folder is not None:
            print(f"It lies outside the usual place: give it with --blender {given.folder}, or in $BLENDER.")
    return {**_noted(made), "cannot": cannot}


def _check(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.errors import FalseworkError
    from falsework.render.traditional.blender import HOW_TO_GET_ONE, find_blenders

    blenders = find_blenders(given.blender)
    roles: dict[str, Blender | None] = {}
    missing: list[str] = []
    for ability, stage in ROLES.items():
        try:
            roles[stage] = blenders.render if stage == "render" else blenders.able(ability)
        except FalseworkError as error:
            roles[stage] = None
            missing.append(f"{stage}: {error.sentence()}")
    drawing = roles["render"]
    if drawing is not None and "denoise" not in drawing.abilities:  # as `make` refuses it
        roles["render"] = None
        missing.append(
            f"render: nobody ({drawing.version} at {drawing.program} draws, but does not denoise; set "
            "`denoise = false` under [traditional] in the shot file and more `samples`, or run `falsework "
            "traditional setup`, which makes one that does)"
        )
    if not given.quiet and not given.json:
        for one in blenders.found:
            print(f"{one.version:<8} {one.program}  ({_can(one)})")
        for path, why in blenders.failed:
            print(f"{'-':<8} {path}  (does not serve: {why})")
        if blenders.failed:
            print(f"{'':<8} To have another: {HOW_TO_GET_ONE}.")
        for stage, worker in roles.items():
            print(f"{stage:<8} {f'{worker.version} at {worker.program}' if worker else 'nobody'}")
        for words in missing:
            print(words, file=sys.stderr)
    return {
        "found": [_noted(one) for one in blenders.found],
        "failed": [{"program": str(path), "why": why} for path, why in blenders.failed],
        "stages": {stage: str(worker.program) if worker else None for stage, worker in roles.items()},
        "missing": missing,
        "exit_code": YOURS_TO_MEND if missing else 0,
    }


def _can(blender: Blender) -> str:
    from falsework.render.traditional.blender import ABILITIES

    able = [words for ability, words in ABILITIES.items() if ability in blender.abilities]
    return f"can {', '.join(able)}" if able else "can do nothing that is needed"


def _noted(blender: Blender) -> dict[str, Any]:
    return {
        "program": str(blender.program),
        "version": blender.version,
        "abilities": sorted(blender.abilities),
    }
