"""`falsework models list|show|install|pack`: the trained networks at hand, and what they came from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from falsework.models.registry import Model

__all__ = ["add"]

MOST = 100_000


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("models", help="the trained networks: list, show a card, install, pack")
    steps = parser.add_subparsers(metavar="STEP", required=True)

    listing = steps.add_parser("list", parents=[shared], help="the networks at hand and their standing")
    listing.set_defaults(run=_list)

    show = steps.add_parser("show", parents=[shared], help="a network's card, as Markdown")
    show.add_argument("name", metavar="NAME")
    show.set_defaults(run=_show)

    install = steps.add_parser("install", parents=[shared], help="copy a network into your own folder")
    install.add_argument("weights", type=Path, metavar="FILE.safetensors")
    install.add_argument(
        "--card", type=Path, metavar="FILE.json", help="its card (default: that beside the weights)"
    )
    install.add_argument(
        "--name", default="", metavar="NAME", help="what to call it (default: the file's name)"
    )
    install.set_defaults(run=_install)

    pack = steps.add_parser(
        "pack", parents=[shared], help="a finished training run as weights, card and fingerprints"
    )
    pack.add_argument("training", type=Path, metavar="RUN", help="the folder that `falsework train` wrote")
    pack.add_argument("--data", type=Path, required=True, metavar="DATASET", help="what it was trained on")
    pack.add_argument("--about", type=Path, required=True, metavar="ABOUT.toml", help="what people say of it")
    pack.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")
    pack.add_argument(
        "--base", type=Path, metavar="DIR", help="where the recipe's paths start, if the set was moved"
    )
    pack.add_argument(
        "--audit", type=_count, default=64, metavar="N",
        help="pictures generated from the test split for the memorisation audit, 0 for none (default: 64)",
    )  # fmt: skip
    pack.set_defaults(run=_pack)


def _list(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.models.registry import models, own_folder

    found = models()
    if not given.quiet and not given.json:
        for one in found:
            print(_line(one))
        if not found:
            print(
                f"No models are at hand. Your own lie in {own_folder()}; `falsework models install` adds one."
            )
    return {"models": [_told(one) for one in found], "folder": str(own_folder())}


def _line(model: Model) -> str:
    card = model.card
    said = f"{card.task}, {card.version}, {card.parameters:,} parameters" if card is not None else "no card"
    whose = "shipped" if model.shipped else "yours"
    why = f": {model.faults[0]}" if model.faults else ""
    return f"{model.name}  {said}  {whose}  {model.sha256[:12]}  {model.standing}{why}"


def _told(model: Model) -> dict[str, Any]:
    return {
        **model.note(),
        "task": model.card.task if model.card is not None else "",
        "shipped": model.shipped,
        "weights": str(model.weights),
        "faults": list(model.faults),
        "record": model.card.record if model.card is not None else "",
    }


def _show(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.cli.output import write_out
    from falsework.errors import FalseworkError, shown
    from falsework.models.markdown import card_page
    from falsework.models.registry import models

    model = next((one for one in models() if one.name == given.name), None)
    if model is None:
        known = ", ".join(one.name for one in models())
        raise FalseworkError(
            f'there is no model "{given.name}"',
            todo=f"There are: {known}." if known else "`falsework models install FILE` adds one.",
        )
    if not given.quiet and not given.json:
        write_out(shown(card_page(model)))
    card = model.card.model_dump(mode="json") if model.card is not None else None
    return {**_told(model), "card": card}


def _install(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.models.registry import install

    model = install(given.weights, given.card, name=given.name)
    if not given.quiet and not given.json:
        print(f"{_line(model)}\n-> {model.weights}")
        if model.standing == "unknown":
            print(
                "What it learned from is not on record: shots made with it are not delivered before a named "
                "person has put that on record (docs/models.md)."
            )
    return _told(model)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {MOST}, not {text!r}")
    return int(text)


def _pack(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.cli.bars import Bars
    from falsework.training.packing import pack

    with Bars(quiet=given.quiet) as bars:

        def progress(done: int, total: int) -> None:
            bars.progress("pictures", done, total)

        model = pack(
            given.training, given.data, given.about, given.out,
            base=given.base, audited=given.audit, progress=progress,
        )  # fmt: skip
    if not given.quiet and not given.json:
        print(f"{_line(model)}\n-> {model.weights.parent}")
    return _told(model)
