"""`falsework brief "..."`: what a director's sentence is understood to say."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = ["add"]


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "brief", parents=[shared], help="show what settings a director's sentence gives"
    )
    parser.add_argument("sentence", metavar="SENTENCE", help="English or Spanish, in quotes")
    parser.add_argument(
        "--offline", action="store_true", help="the built-in grammar even where an endpoint is set"
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.shots.brief import read_brief
    from falsework.shots.brief_endpoint import read_brief_anywhere

    read = read_brief if given.offline else read_brief_anywhere
    understood = read(given.sentence)
    if not given.json:
        for key, finding in understood.settings.items():
            print(f"{key} = {json.dumps(finding.value, ensure_ascii=False)}  # {finding.words}")
        reader = understood.read_by
        if reader is not None:
            print(
                f"# The brief was sent to {reader.model} at {reader.endpoint}. Where these settings go "
                "into a shot.toml, this belongs there, too:"
            )
            said = (
                f"{key} = {value if key == 'at' else json.dumps(value, ensure_ascii=False)}"
                for key, value in reader.model_dump(mode="json").items()
            )
            print(f"brief_read_by = {{ {', '.join(said)} }}")
        for note in understood.notes:
            print(f"note: {note}")
        if understood.not_understood:
            print("not understood: " + "; ".join(understood.not_understood))
    return understood.to_json()
