"""`falsework dataset build`: buildings one by one, each a whole shard; what is there already is kept."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.datasets.assets import Asset, Assets, find_assets
from falsework.datasets.draw import Drawn, building_seed, draw, split_of
from falsework.datasets.previews import write_previews
from falsework.datasets.settings import Recipe, load_recipe, read_recipe
from falsework.datasets.shards import shard_path, write_index, write_shard
from falsework.datasets.workers import in_processes, one_by_one
from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.progress import Progress, silent

if TYPE_CHECKING:
    from falsework.render.traditional.blender import Blender

__all__ = ["Built", "Plan", "build", "open_plan", "read_dataset", "redrawn", "staged_building"]

COPY, ABOUT, FAILED, WORK = "recipe.toml", "dataset.json", "failed.json", ".work"
MOST_IN_VAIN = 2  # buildings that fail before any is made
INDEXED = 10  # buildings between two looks at the index
Told = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a worker has to know.

    base      the folder that the recipe's paths start from
    pictures  that the set was begun with: all its buildings are drawn from these, whatever is added to the
              recipe's folders later
    """

    recipe: Recipe
    digest: str
    base: Path
    out: Path
    pictures: tuple[Asset, ...]
    blender: Blender | None = None
    device: str = "CPU"
    threads: int = 0


@dataclass(frozen=True)
class Built:
    """What a run made: buildings and samples in the set now, buildings made anew, and the seconds they took;
    samples by split; and which buildings failed, with why (a later run tries them again)."""

    buildings: int
    samples: int
    made: int
    seconds: float
    splits: dict[str, int] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)


def read_dataset(folder: Path) -> dict[str, Any]:
    """What `dataset.json` says of the set; FalseworkError where there is none."""
    try:
        about = json.loads((folder / ABOUT).read_bytes())
        if isinstance(about, dict) and {"name", "recipe", "base", "assets"} <= about.keys():
            [Asset(**asset) for asset in about["assets"]]
            return about
        raise ValueError("it lacks what it must say")
    except FileNotFoundError:
        raise FalseworkError(
            "there is no data set here",
            where=folder,
            todo="Build one: `falsework dataset build RECIPE --out DIR`.",
        ) from None
    except NotADirectoryError:
        raise FalseworkError(
            "is a file, and a data set is a folder", where=folder, todo=f"Give the folder with {ABOUT}."
        ) from None
    except (OSError, ValueError, TypeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise FalseworkError(
            f"is not readable ({why})",
            where=folder / ABOUT,
            todo="Put it back from a copy of the set, or build into another folder.",
        ) from error


def open_plan(folder: Path, base: Path | None = None) -> Plan:
    """The plan of a data set that exists, to make some of it again. `base`: where its recipe's paths
    start, if the set lies elsewhere than where it was built."""
    about = read_dataset(folder)
    path = folder / COPY
    text = load_recipe(path)[1]
    digest = _digest(text)
    if digest != about["recipe"]:
        raise FalseworkError(
            "is not the recipe that the set was built from",
            where=path,
            todo="Put the recipe's own text back.",
        )
    start = base if base is not None else Path(os.path.normpath(folder / about["base"]))
    return Plan(read_recipe(text, path), digest, start, folder, _pictures(about))


def _pictures(about: dict[str, Any]) -> tuple[Asset, ...]:
    return tuple(Asset(**asset) for asset in about["assets"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def build(
    recipe_path: Path,
    out: Path,
    *,
    count: int,
    workers: int = 1,
    blender: Blender | None = None,
    device: str = "CPU",
    progress: Progress = silent,
    say: Told = lambda words: None,
) -> Built:
    """Make the first `count` buildings of a recipe as shards in `out`; those there already are not made
    again.

    Without a Blender the samples have no targets. Stopped at any moment, a later call goes on with the first
    building whose shard is not whole.
    """
    recipe, text = load_recipe(recipe_path)
    base = recipe_path.resolve().parent
    digest = _digest(text)
    before = _begun(out, digest, targets=blender is not None)
    assets = find_assets(recipe, base, only=before)
    if assets.passed_over:
        say(f"not in this set, which was begun without: {', '.join(assets.passed_over)}")
    cores = os.cpu_count() or 1
    plan = Plan(
        recipe,
        digest,
        base,
        out,
        assets.records,
        blender,
        device,
        threads=max(1, cores // workers) if workers > 1 else 0,
    )
    _settle(plan, text)
    shutil.rmtree(out / WORK, ignore_errors=True)
    known = _known_failures(out)
    # Those that failed come last: a few bad buildings must not use up the night again and again.
    missing = sorted(
        (index for index in range(count) if not _shard(plan, index).is_file()),
        key=lambda index: (index in known, index),
    )
    hopeful = sum(index not in known for index in missing)
    failed: dict[int, FalseworkError] = {}
    began = time.perf_counter()
    done = count - len(missing)
    progress(done, count)
    try:
        with closing(_made(plan, missing, workers)) as outcomes:
            for number, (index, fault) in enumerate(outcomes, 1):
                progress(done + number, count)
                if fault is not None:
                    failed[index] = fault
                    if index not in known and len(failed) == number == min(MOST_IN_VAIN, hopeful):
                        failed.clear()
                        raise fault  # it is not the building
                    say(f"building {index} failed: {fault.sentence()}")
                    continue
                if number % INDEXED == 1:  # so that a set can be looked at while it grows
                    write_previews(out, write_index(out))
                spent = (time.perf_counter() - began) / number
                left = len(missing) - number
                if number in (1, 3, 10, 30, 100, 300) and left:
                    say(
                        f"building {index} is done; {left} more take about {_hours(spent * left)} "
                        f"({spent:.0f} s each on {workers} {'worker' if workers == 1 else 'workers'})"
                    )
    finally:
        shutil.rmtree(out / WORK, ignore_errors=True)
        _note_failures(plan, known, failed)
        rows = write_index(out)
        write_previews(out, rows)
    splits: dict[str, int] = {}
    for row in rows:
        splits[row["split"]] = splits.get(row["split"], 0) + 1
    buildings = len({row["building"] for row in rows})
    seconds = time.perf_counter() - began
    words = {index: fault.sentence() for index, fault in sorted(failed.items())}
    return Built(buildings, len(rows), len(missing) - len(failed), seconds, splits, words)


def _hours(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _begun(out: Path, digest: str, *, targets: bool) -> tuple[Asset, ...] | None:
    """The pictures that the set in this folder was begun with, None where it is a new one; FalseworkError
    where something else is there."""
    if (out / ABOUT).is_file():
        before = read_dataset(out)
        for same, what in (
            (before["recipe"] == digest, "of another recipe"),
            (bool(before.get("targets")) == targets, f"with{'out' if targets else ''} targets"),
        ):
            if not same:
                raise FalseworkError(
                    f"holds a data set {what}",
                    where=out,
                    todo="Build into another folder, or give what this one was built with.",
                )
        return _pictures(before)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FalseworkError(
            "is there already and is no data set", where=out, todo="Give a folder that is empty or new."
        )
    return None


def _settle(plan: Plan, text: str) -> None:
    """Write what the set's folder begins with."""
    about = {
        "name": plan.recipe.name,
        "recipe": plan.digest,
        "base": Path(os.path.relpath(plan.base, plan.out.resolve())).as_posix(),
        "targets": plan.blender is not None,
        "assets": [asset.to_json() for asset in plan.pictures],
    }
    write_text(plan.out / COPY, text)
    write_text(plan.out / ABOUT, json.dumps(about, indent=1) + "\n")


def _shard(plan: Plan, index: int) -> Path:
    return shard_path(plan.out, split_of(plan.recipe, building_seed(plan.recipe, index)), index)


def _known_failures(out: Path) -> dict[int, list[str]]:
    """Buildings that no run could make so far, each with its sentence and, if nobody foresaw it, where in
    the code it came about. What cannot be read is forgotten: it decides an order only."""
    try:
        return {int(index): list(words) for index, words in json.loads((out / FAILED).read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _note_failures(plan: Plan, known: dict[int, list[str]], failed: dict[int, FalseworkError]) -> None:
    now = known | {
        index: [fault.sentence(), *getattr(fault, "__notes__", ())] for index, fault in failed.items()
    }
    left = {str(index): now[index] for index in sorted(now) if not _shard(plan, index).is_file()}
    if left:
        write_text(plan.out / FAILED, json.dumps(left, indent=1) + "\n")
    else:
        (plan.out / FAILED).unlink(missing_ok=True)


def _made(
    plan: Plan, missing: list[int], workers: int
) -> Generator[tuple[int, FalseworkError | None], None, None]:
    """Make shards, and give the number of each as it is done, or why it could not be."""
    make = partial(make_shard, plan)
    if workers == 1 or len(missing) < 2:
        yield from one_by_one(make, missing)
    else:
        yield from in_processes(make, missing, workers)


def drawn_building(plan: Plan, index: int) -> tuple[Drawn, Assets]:
    """What is decided of building `index`, and the pictures that there are."""
    assets = find_assets(plan.recipe, plan.base, only=plan.pictures)
    return redrawn(plan, index), assets


def redrawn(plan: Plan, index: int) -> Drawn:
    """What the recipe gives for building `index` with the pictures that the set was begun with."""
    names: dict[str, dict[str, None]] = {"texture": {}, "sky": {}}
    for asset in sorted(plan.pictures, key=lambda asset: asset.file):
        names.setdefault(asset.kind, {})[Path(asset.file).stem] = None
    return draw(plan.recipe, index, list(names["texture"]), list(names["sky"]))


@contextmanager
def staged_building(plan: Plan, drawn: Drawn, assets: Assets) -> Iterator[tuple[Any, Path]]:
    """The building's staged shot and its scratch folder, which is removed at the end."""
    from falsework.datasets.staging import stage

    folder = plan.out / WORK / f"b{drawn.index:06d}.{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield stage(plan.recipe, drawn, assets, folder), folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_shard(plan: Plan, index: int) -> None:
    """One building from its number to its shard."""
    from falsework.datasets.choosing import choose_frames
    from falsework.datasets.samples import samples_of

    drawn, assets = drawn_building(plan, index)
    with staged_building(plan, drawn, assets) as (staged, folder):
        frames = choose_frames(staged.motion, plan.recipe.shot.moments, drawn.seed)
        if plan.blender is None or not frames:
            write_shard(_shard(plan, index), samples_of(plan.recipe, plan.digest, staged, assets))
            return
        from falsework.datasets.targets import PathTraced

        with PathTraced(
            staged,
            plan.recipe,
            frames,
            blender=plan.blender,
            folder=folder,
            device=plan.device,
            threads=plan.threads,
        ) as targets:
            write_shard(
                _shard(plan, index), samples_of(plan.recipe, plan.digest, staged, assets, targets=targets)
            )
