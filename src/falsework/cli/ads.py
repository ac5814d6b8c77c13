"""`falsework ads`: advertising. Each topic has its file beside this one."""

from __future__ import annotations

import argparse
from typing import Any

from falsework.cli import ads_codecs, ads_measure, ads_serve, ads_stitch, ads_validate

__all__ = ["add"]

EXAMPLES = """\
examples:
  falsework ads decode tcf CQ…
  falsework ads decode scte35 /DAlAAAAAAAA… --json | falsework ads encode scte35 -
  falsework ads validate requests/ answer.xml
  falsework ads stitch film.m3u8 --ad spot.m3u8 --at 600 --out with_break.m3u8
"""


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "ads",
        help="advertising: decisions, and the industry's formats read, written and checked",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tasks = parser.add_subparsers(metavar="TASK", required=True)
    for topic in (ads_serve, ads_codecs, ads_validate, ads_stitch, ads_measure):
        topic.add(tasks, shared)
