"""`falsework bench shot` and `falsework bench search`: falsework beside what is usual, measured."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.cli.linear_algebra import one_thread
from falsework.cli.make import add_render, render_given
from falsework.errors import FalseworkError

if TYPE_CHECKING:
    from falsework.bench.study import Bench
    from falsework.progress import Progress

__all__ = ["add"]

EXAMPLE = Path("examples/lyon_corner/shot.toml")
YOURS_TO_MEND = 2
LOWEST, HIGHEST = 128, 4320  # pixels
WAYS = 5  # to fall: as many as `falsework.bench.shots.FALLS`, known here so that --help need not load it


def add(commands: Any) -> None:
    parser = commands.add_parser("bench", help="falsework beside what users would take instead, measured")
    what = parser.add_subparsers(metavar="WHAT", required=True)
    shot = what.add_parser("shot", help="whole shots, against Bullet, Mantaflow and Cycles")
    shot.add_argument(
        "shots",
        type=Path,
        nargs="*",
        metavar="SHOT.toml",
        help=f"falls as it is, as a pancake, toppling, imploding, from the left (default: {EXAMPLE})",
    )
    shot.add_argument(
        "--quick", action="store_true", help="small shots and few samples: ten minutes on two cores"
    )
    shot.add_argument(
        "--out",
        type=Path,
        default=Path("bench_out"),
        metavar="DIR",
        help="the page, the plot and the rows, and those of an unfinished bench (default: bench_out)",
    )
    shot.add_argument(
        "--json", dest="json_file", type=Path, metavar="FILE", help="every row and the headline, here too"
    )
    shot.add_argument(
        "--height", type=_height, metavar="N", help="of the pictures, in pixels, instead of 1080 (quick: 240)"
    )
    shot.add_argument(
        "--falls",
        type=int,
        choices=range(1, WAYS + 1),
        default=WAYS,
        metavar="N",
        help=f"the first N of the {WAYS} ways to fall (default: all)",
    )
    add_render(shot)
    shot.add_argument("--blender", type=Path, metavar="PATH", help="one that is not on PATH")
    shot.add_argument("--rates", type=Path, metavar="FILE", help="a rate card of your own, for the money")
    shot.add_argument("--quiet", action="store_true", help="say nothing but errors")
    shot.add_argument("--debug", action="store_true", help="show the traceback of a fault of ours")
    # `--json` names a file here: nothing is printed for programs.
    shot.set_defaults(run=_shot, json=False)
    _add_search(what)


def _add_search(what: Any) -> None:
    search = what.add_parser(
        "search", help="search over any catalogue, against BM25, MiniLM and their fusion"
    )
    search.add_argument(
        "--catalogue", type=Path, required=True, metavar="FILE", help="titles: JSON lines, CSV or Parquet"
    )
    search.add_argument(
        "--queries",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="JSON lists of qid, query and rel, the ids of the titles that answer it",
    )
    search.add_argument("--json", dest="json_file", type=Path, metavar="FILE", help="all figures, here too")
    search.add_argument(
        "--index",
        type=Path,
        metavar="DIR",
        help="keep the index here, and use what is there (default: a temporary one)",
    )
    search.add_argument(
        "--folds",
        type=_folds,
        default=5,
        metavar="N",
        help="of the cross-validation, where queries are those the order was learned from (default: 5)",
    )
    search.add_argument("--quiet", action="store_true", help="say nothing but errors")
    search.add_argument("--debug", action="store_true", help="show the traceback of a fault of ours")
    search.set_defaults(run=_search, json=False)


def _shot(given: argparse.Namespace) -> dict[str, Any]:
    try:
        from falsework.bench.page import write_bench
        from falsework.bench.study import bench_shots
    except ModuleNotFoundError as error:
        raise FalseworkError(
            f"the bench needs a package that is not installed ({error.name})",
            where="bench",
            todo='Install it: pip install "falsework[bench]".',
        ) from None
    from falsework.bench.rates import load_rates
    from falsework.cli.bars import Bars

    rates = load_rates(given.rates)
    shots = given.shots or [EXAMPLE]
    with Bars(quiet=given.quiet) as bars:

        def listener(shot: str, step: str) -> Progress:
            return lambda done, total: bars.progress(f"{shot}: {step}", done, total)

        with tempfile.TemporaryDirectory(prefix="falsework-bench-") as folder:
            bench = bench_shots(
                shots,
                folder=Path(folder),
                out=given.out,
                quick=given.quick,
                blender=given.blender,
                height=given.height,
                falls=given.falls,
                render=render_given(given),
                listener=listener,
            )
    written = write_bench(bench, rates, given.out, given.json_file)
    if not given.quiet:
        _say(bench, written)
    return {"exit_code": YOURS_TO_MEND if bench.failed else 0}


def _say(bench: Bench, written: Sequence[Path]) -> None:
    from rich.console import Console
    from rich.table import Table

    from falsework.bench.page import (
        DENOISED_HEAD,
        denoised_rows,
        drawing_rows,
        headline_words,
        ratio_rows,
    )

    console = Console(highlight=False)
    drawn = Table("shot", "frame", "renderer", "samples", "denoised", "s a frame", "FLIP", box=None)
    for shot in bench.shots:
        for row in drawing_rows(shot):
            drawn.add_row(*row[:6], row[7])
    console.print(drawn)
    denoised = Table(*DENOISED_HEAD, title="Ours beside Cycles' cheapest denoised drawing", box=None)
    for shot in bench.shots:
        for row in denoised_rows(shot):
            denoised.add_row(*row)
    console.print(denoised)
    ratios = Table("shot", "a frame", "whole shot", "", title="Blender's time / falsework's", box=None)
    for row in ratio_rows(bench):
        ratios.add_row(*row)
    console.print(ratios)
    console.print(headline_words(bench))
    for line in bench.sampling:
        console.print(f"- {line}")
    console.print(f"-> {', '.join(str(path) for path in written)}")


def _search(given: argparse.Namespace) -> dict[str, Any]:
    one_thread()
    try:
        from falsework.bench.search.running import bench_search
    except ModuleNotFoundError as error:
        raise FalseworkError(
            f"the bench needs a package that is not installed ({error.name})",
            where="bench",
            todo='Install it: pip install "falsework[search]".',
        ) from None
    import json

    from falsework.cli.bars import Bars
    from falsework.media.atomic import write_text

    with Bars(quiet=given.quiet) as bars:
        bench = bench_search(
            given.catalogue, given.queries, index=given.index, number=given.folds, listener=bars
        )
    if given.json_file is not None:
        write_text(given.json_file, json.dumps(bench.to_json(), indent=1, ensure_ascii=False) + "\n")
    if not given.quiet:
        from rich.console import Console
        from rich.table import Table

        from falsework.bench.search.table import HEAD, figures, remarks

        console = Console(highlight=False)
        table = Table(*HEAD, box=None)
        for row in figures(bench):
            table.add_row(*row)
        console.print(table)
        for remark in remarks(bench):
            console.print(remark)
    return {"exit_code": 0}


def _folds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 2 <= int(text) <= 20):
        raise argparse.ArgumentTypeError(f"must be from 2 to 20, not {text!r}")
    return int(text)


def _height(text: str) -> int:
    if not (text.isascii() and text.isdigit() and LOWEST <= int(text) <= HIGHEST):
        raise argparse.ArgumentTypeError(f"must be from {LOWEST} to {HIGHEST} pixels, not {text!r}")
    return int(text)
