"""`falsework credentials init`: certificates for trying out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add"]


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("credentials", help="certificates that deliveries are signed with")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    init = verbs.add_parser(
        "init", parents=[shared], help="make a chain for trying out, labelled TEST; nothing is overwritten"
    )
    init.add_argument(
        "--dir", type=Path, default=Path("credentials"), metavar="FOLDER", help="default: ./credentials"
    )
    init.set_defaults(run=run)


def run(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.rights.certificates import CHAIN, KEY, ROOT, make_test_chain

    made = make_test_chain(given.dir, at=datetime.now(UTC))
    if not given.quiet and not given.json:
        print(f"A TEST chain is in {given.dir}, valid until {made.ends:%d %B %Y}. Nobody vouches for it.")
        print(f"  {CHAIN}, {KEY}  sign with these; the key is yours alone to read")
        print(f"  {ROOT}             for `falsework verify FILE --trust {given.dir / ROOT}`")
        print("For a release, get a signing certificate from an authority (docs/credentials.md).")
    return {
        "folder": str(given.dir),
        "certificate": str(given.dir / CHAIN),
        "key": str(given.dir / KEY),
        "trust": str(given.dir / ROOT),
        "ends": made.ends.isoformat(),
        "test": True,
    }
