"""`falsework dataset build|volumes|show|rebuild|describe`: data sets for the project's own networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.errors import FalseworkError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from falsework.render.traditional.blender import Blender

__all__ = ["add"]

DEVICES = ("CPU", "CUDA", "OPTIX", "HIP", "METAL", "ONEAPI")
YOURS_TO_MEND = 2
MOST = 1_000_000
SHOWN = 8  # samples on a contact sheet
SHOWN_VOLUMES = 24


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("dataset", help="make training data: shots drawn from a recipe, path-traced")
    steps = parser.add_subparsers(metavar="STEP", required=True)

    build = steps.add_parser(
        "build", parents=[shared], help="make buildings of a recipe, a shard each; goes on"
    )
    build.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    build.add_argument("--out", type=Path, required=True, metavar="DIR", help="the data set's folder")
    build.add_argument(
        "--count", type=_count, default=10, metavar="N",
        help="buildings in the set; each gives moments x crops samples (default: 10)",
    )  # fmt: skip
    build.add_argument("--workers", type=_count, default=1, metavar="N", help="processes (default: 1)")
    build.add_argument("--no-targets", action="store_true", help="G-buffers only: needs no Blender")
    build.add_argument(
        "--device", choices=DEVICES, default="CPU", metavar="DEVICE",
        help=f"what Cycles runs on: {', '.join(DEVICES)} (default: CPU)",
    )  # fmt: skip
    build.add_argument("--blender", type=Path, metavar="PATH", help="the Blender that draws the targets")
    build.set_defaults(run=_build)

    volumes = steps.add_parser(
        "volumes", parents=[shared], help="make dust volumes of a recipe, finer than a shot's; goes on"
    )
    volumes.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    volumes.add_argument("--out", type=Path, required=True, metavar="DIR", help="the data set's folder")
    volumes.add_argument(
        "--count", type=_count, default=10, metavar="N",
        help="simulations in the set; each gives up to moments x crops sequences (default: 10)",
    )  # fmt: skip
    volumes.set_defaults(run=_volumes)

    show = steps.add_parser("show", parents=[shared], help="what is in a data set; a contact sheet")
    show.add_argument("dataset", type=Path, metavar="DATASET")
    show.add_argument("samples", nargs="*", metavar="SAMPLE", help="those on the sheet (default: some)")
    show.add_argument("--sheet", type=Path, metavar="FILE.png", help="write a contact sheet")
    show.set_defaults(run=_show)

    rebuild = steps.add_parser(
        "rebuild", parents=[shared], help="make a sample again, compare it bit for bit"
    )
    rebuild.add_argument("dataset", type=Path, metavar="DATASET")
    rebuild.add_argument("sample", metavar="SAMPLE")
    rebuild.add_argument(
        "--base", type=Path, metavar="DIR", help="where the recipe's paths start, if the set was moved"
    )
    rebuild.set_defaults(run=_rebuild)

    describe = steps.add_parser(
        "describe", parents=[shared], help="write its Croissant description and rights"
    )
    describe.add_argument("dataset", type=Path, metavar="DATASET")
    describe.add_argument("--ledger", metavar="LEDGER", help="put the set and its sources on record here")
    describe.set_defaults(run=_describe)


def _build(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.cli.bars import Bars
    from falsework.datasets.settings import load_recipe

    recipe, _ = load_recipe(given.recipe)
    blender = None if given.no_targets else _renderer(given.blender)

    from falsework.datasets.work import build

    def say(words: str) -> None:
        if not given.quiet:
            print(words, file=sys.stderr)

    with Bars(quiet=given.quiet) as bars:

        def progress(done: int, total: int) -> None:
            bars.progress("buildings", done, total)

        built = build(
            given.recipe,
            given.out,
            count=given.count,
            workers=given.workers,
            blender=blender,
            device=given.device,
            progress=progress,
            say=say,
        )
    if not given.quiet and not given.json:
        parts = ", ".join(f"{count} {split}" for split, count in built.splits.items())
        print(
            f"{recipe.name}: {built.samples} samples of {built.buildings} buildings ({parts or 'none'}) "
            f"-> {given.out}; {built.made} buildings made in {built.seconds:.0f} s"
        )
        if built.failed:
            print(f"{len(built.failed)} failed; run again to try them once more.", file=sys.stderr)
    return {
        "out": str(given.out),
        "buildings": built.buildings,
        "samples": built.samples,
        "made": built.made,
        "seconds": built.seconds,
        "splits": built.splits,
        "failed": built.failed,
        "exit_code": YOURS_TO_MEND if built.failed else 0,
    }


def _volumes(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.cli.bars import Bars
    from falsework.datasets.volumes import build_volumes

    def say(words: str) -> None:
        if not given.quiet:
            print(words, file=sys.stderr)

    with Bars(quiet=given.quiet) as bars:

        def progress(done: int, total: int) -> None:
            bars.progress("simulations", done, total)

        grown = build_volumes(given.recipe, given.out, count=given.count, progress=progress, say=say)
    if not given.quiet and not given.json:
        parts = ", ".join(f"{count} {split}" for split, count in grown.splits.items())
        print(
            f"{grown.sequences} sequences of {grown.simulations} simulations ({parts or 'none'}) "
            f"-> {given.out}; {grown.made} simulations made in {grown.seconds:.0f} s"
        )
    return {
        "out": str(given.out),
        "simulations": grown.simulations,
        "samples": grown.sequences,
        "made": grown.made,
        "seconds": grown.seconds,
        "splits": grown.splits,
    }


def _renderer(named: Path | None) -> Blender:
    from falsework.render.traditional.blender import find_blenders

    try:
        return find_blenders(named).render
    except FalseworkError as error:
        raise FalseworkError(
            error.what,
            where=error.where,
            todo=f"{error.todo} Or leave the targets out: --no-targets.".strip(),
        ) from error


def _show(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.datasets.shards import INDEX, find_sample, read_index
    from falsework.datasets.volumes import is_volumes
    from falsework.datasets.work import read_dataset

    about = read_dataset(given.dataset)
    # A run that was killed before it had made any has written none.
    rows = read_index(given.dataset) if (given.dataset / INDEX).exists() else []
    chosen = [find_sample(given.dataset, name) for name in given.samples]
    return (_show_volumes if is_volumes(about) else _show_shots)(given, about, rows, chosen)


def _show_shots(
    given: argparse.Namespace, about: dict[str, Any], rows: list[dict[str, Any]], chosen: list[dict[str, Any]]
) -> dict[str, Any]:
    def draw(some: list[dict[str, Any]]) -> npt.NDArray[np.uint8]:
        from falsework.datasets.previews import contact_sheet
        from falsework.datasets.shards import read_sample

        return contact_sheet([(row["sample"], read_sample(given.dataset, row)[0]) for row in some])

    splits = _by_split(rows, "building")
    some = chosen or _some_of(rows, SHOWN)
    sheet = _write_sheet(given, some, draw, parts="samples", todo="Build some first.")
    if not given.quiet and not given.json:
        print(f"{about['name']}: {'with' if about.get('targets') else 'without'} path-traced targets")
        _print_splits(splits, "buildings", "samples")
        if not rows:
            print(
                "  no samples yet: none of its buildings is done. `falsework dataset build` goes on with it."
            )
        for asset in about.get("assets", []):
            print(f"  {asset['kind']:<8} {asset['file']} ({asset['licence']}, {asset['sha256'][:12]})")
        for row in chosen:
            print(
                f"  {row['sample']}: {row['shard']}, {row['type']} of {row['storeys']} storeys, "
                f"{row['trigger']}"
            )
        if sheet:
            print(f"-> {given.sheet} ({', '.join(sheet)})")
    return {
        "name": about["name"],
        "targets": about.get("targets"),
        "splits": splits,
        "samples": chosen,
        "sheet": sheet,
    }


def _show_volumes(
    given: argparse.Namespace, about: dict[str, Any], rows: list[dict[str, Any]], chosen: list[dict[str, Any]]
) -> dict[str, Any]:
    def draw(some: list[dict[str, Any]]) -> npt.NDArray[np.uint8]:
        from falsework.datasets.volumes_pictures import sheet_of

        return sheet_of(given.dataset, some)

    splits = _by_split(rows, "simulation")
    some = chosen or _some_of(rows, SHOWN_VOLUMES)
    sheet = _write_sheet(given, some, draw, parts="sequences", todo="Make some first.")
    if not given.quiet and not given.json:
        print(f"{about['name']}: dust volumes")
        _print_splits(splits, "simulations", "sequences")
        if not rows:
            print("  no sequences yet: none of its simulations is done.")
        for row in chosen:
            edges = " x ".join(str(n) for n in row["shape"])
            print(
                f"  {row['sample']}: {row['file']}, {edges} cells of {row['voxel']:.3f} m, {row['sources']}"
            )
        if sheet:
            print(f"-> {given.sheet} ({', '.join(sheet)})")
    return {"name": about["name"], "splits": splits, "samples": chosen, "sheet": sheet}


def _by_split(rows: list[dict[str, Any]], whole: str) -> dict[str, dict[str, int]]:
    """How much is in each split; `whole`: what is in one split only, "building" or "simulation"."""
    splits: dict[str, dict[str, int]] = {}
    for split in dict.fromkeys(row["split"] for row in rows):
        of = [row for row in rows if row["split"] == split]
        splits[split] = {
            f"{whole}s": len({row[whole] for row in of}),
            "samples": len(of),
            "bytes": sum(row["bytes"] for row in of),
        }
    return splits


def _print_splits(splits: dict[str, dict[str, int]], wholes: str, parts: str) -> None:
    for split, has in splits.items():
        counts = f"{has[wholes]:>5} {wholes} {has['samples']:>6} {parts}"
        print(f"  {split:<11}{counts} {has['bytes'] / 1e6:>9.1f} MB")


def _some_of(rows: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Up to `most` of them, from the beginning on and evenly far apart."""
    return rows[:: max(1, len(rows) // most)][:most]


def _write_sheet(
    given: argparse.Namespace,
    some: list[dict[str, Any]],
    draw: Callable[[list[dict[str, Any]]], npt.NDArray[np.uint8]],
    *,
    parts: str,
    todo: str,
) -> list[str]:
    """Write the contact sheet, where one is wanted; names of those on it. Raises FalseworkError where
    `some` is empty, with what those would be called (`parts`) and how to get them (`todo`)."""
    if given.sheet is None:
        return []
    from falsework.media.images import write_png

    if given.sheet.suffix.lower() != ".png":
        raise FalseworkError("is no name of a PNG", where=given.sheet, todo="End it with .png.")
    if not some:
        raise FalseworkError(f"holds no {parts} yet", where=given.dataset, todo=todo)
    write_png(given.sheet, draw(some))
    return [row["sample"] for row in some]


def _rebuild(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.datasets.rebuilding import rebuild
    from falsework.datasets.volumes import is_volumes, rebuild_volume
    from falsework.datasets.work import read_dataset

    if is_volumes(read_dataset(given.dataset)):
        same, other, why = rebuild_volume(given.dataset, given.sample)
        all_of_them = "of its arrays"
    else:
        made = rebuild(given.dataset, given.sample, base=given.base)
        same, other, why = made.same, made.other, made.why
        all_of_them = "arrays of its G-buffers"
    if not given.quiet and not given.json:
        if not other:
            print(f"{given.sample}: all {len(same)} {all_of_them} are the same, bit for bit.")
        else:
            print(f"{given.sample}: {len(other)} arrays are others now: {', '.join(other)}.")
        for words in why:
            print(f"  {words}", file=sys.stderr)
    return {
        "sample": given.sample,
        "same": same,
        "other": other,
        "why": why,
        "exit_code": YOURS_TO_MEND if other else 0,
    }


def _describe(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.datasets.croissant import describe
    from falsework.datasets.provenance import put_on_record, records_of
    from falsework.datasets.volumes import is_volumes
    from falsework.datasets.volumes_croissant import describe_volumes
    from falsework.datasets.work import read_dataset

    volumes = is_volumes(read_dataset(given.dataset))
    path = (describe_volumes if volumes else describe)(given.dataset)
    records = records_of(given.dataset)
    added = put_on_record(given.ledger, records) if given.ledger else 0
    if not given.quiet and not given.json:
        print(f"{path}: Croissant description")
        if given.ledger:
            print(f"{given.ledger}: {added} of {len(records)} records were new")
    return {"croissant": str(path), "records": len(records), "added": added}


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MOST}, not {text!r}")
    return int(text)
