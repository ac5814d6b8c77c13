"""`falsework dataset build`: buildings one by one, each a whole shard; what is there already is kept."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.datasets.assets import Assets, find_assets
from falsework.datasets.draw import Drawn, building_seed, draw, split_of
from falsework.datasets.previews import write_previews
from falsework.datasets.settings import Recipe, load_recipe, read_recipe
from falsework.datasets.shards import shard_path, write_index, write_shard
from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.progress import Progress, silent

if TYPE_CHECKING:
    from falsework.render.traditional.blender import Blender

__all__ = ["Built", "Plan", "build", "drawn_building", "open_plan", "read_dataset", "staged_building"]

COPY, ABOUT, WORK = "recipe.toml", "dataset.json", ".work"
MOST_IN_VAIN = 2  # buildings that fail before any is made
INDEXED = 10  # buildings between two looks at the index
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
Told = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a worker has to know. `base` is the folder that the recipe's paths start from."""

    recipe: Recipe
    digest: str
    base: Path
    out: Path
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
        if isinstance(about, dict) and {"name", "recipe", "base"} <= about.keys():
            return about
        raise ValueError("it lacks what it must say")
    except FileNotFoundError:
        raise FalseworkError(
            "there is no data set here",
            where=folder,
            todo="Build one: `falsework dataset build RECIPE --out DIR`.",
        ) from None
    except (OSError, ValueError) as error:
        raise FalseworkError(
            f"is not readable ({error})",
            where=folder / ABOUT,
            todo="Build again into this folder: it is mended.",
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
    return Plan(read_recipe(text, path), digest, start, folder)


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
    assets = find_assets(recipe, base)
    cores = os.cpu_count() or 1
    plan = Plan(
        recipe,
        _digest(text),
        base,
        out,
        blender,
        device,
        threads=max(1, cores // workers) if workers > 1 else 0,
    )
    _settle(plan, text, assets)
    shutil.rmtree(out / WORK, ignore_errors=True)
    missing = [index for index in range(count) if not _shard(plan, index).is_file()]
    failed: dict[int, str] = {}
    began = time.perf_counter()
    done = count - len(missing)
    progress(done, count)
    try:
        for number, (index, fault) in enumerate(_made(plan, missing, workers), 1):
            progress(done + number, count)
            if fault is not None:
                failed[index] = fault.sentence()
                if len(failed) == number == min(MOST_IN_VAIN, len(missing)):
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
        rows = write_index(out)
        write_previews(out, rows)
    splits: dict[str, int] = {}
    for row in rows:
        splits[row["split"]] = splits.get(row["split"], 0) + 1
    buildings = len({row["building"] for row in rows})
    seconds = time.perf_counter() - began
    return Built(buildings, len(rows), len(missing) - len(failed), seconds, splits, failed)


def _hours(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _settle(plan: Plan, text: str, assets: Assets) -> None:
    """Begin the set's folder, or make sure that it is of this very recipe, with the same pictures."""
    about = {
        "name": plan.recipe.name,
        "recipe": plan.digest,
        "base": Path(os.path.relpath(plan.base, plan.out.resolve())).as_posix(),
        "targets": plan.blender is not None,
        "assets": [asset.to_json() for asset in assets.records],
    }
    if (plan.out / ABOUT).is_file():
        before = read_dataset(plan.out)
        for key, what in (
            ("recipe", "another recipe"),
            ("targets", "samples with targets" if before.get("targets") else "samples without targets"),
            ("assets", "other textures or skies"),
        ):
            if before.get(key) != about[key]:
                raise FalseworkError(
                    f"holds a data set of {what}",
                    where=plan.out,
                    todo="Build into another folder, or give what this one was built with.",
                )
    elif plan.out.exists() and (not plan.out.is_dir() or any(plan.out.iterdir())):
        raise FalseworkError(
            "is there already and is no data set", where=plan.out, todo="Give a folder that is empty or new."
        )
    write_text(plan.out / COPY, text)
    write_text(plan.out / ABOUT, json.dumps(about, indent=1) + "\n")


def _shard(plan: Plan, index: int) -> Path:
    return shard_path(plan.out, split_of(plan.recipe, building_seed(plan.recipe, index)), index)


def _made(plan: Plan, missing: list[int], workers: int) -> Iterator[tuple[int, FalseworkError | None]]:
    """Make shards, and give the number of each as it is done, or why it could not be."""
    if workers == 1 or len(missing) < 2:
        for index in missing:
            yield index, _fault(partial(make_shard, plan, index))
        return
    # Processes of their own from the start: OpenGL and Numba do not live through a fork.
    context = multiprocessing.get_context("spawn")
    waiting = iter(missing)
    with ProcessPoolExecutor(min(workers, len(missing)), context, initializer=_end_with_parent) as pool:
        running: dict[Future[None], int] = {}

        def start() -> None:
            for index in waiting:
                running[pool.submit(make_shard, plan, index)] = index
                return

        for _ in range(workers):
            start()
        try:
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    index = running.pop(future)
                    fault = _fault(future.result)
                    start()
                    yield index, fault
        except BrokenProcessPool:
            raise FalseworkError(
                "a worker was killed, perhaps for want of memory",
                where="dataset build",
                todo="Run again with fewer --workers; finished buildings are kept.",
            ) from None
        finally:
            for future in running:
                future.cancel()


def _fault(work: Callable[[], object]) -> FalseworkError | None:
    """Do some work; what went wrong with it."""
    try:
        work()
    except FalseworkError as error:
        return error
    return None


def _end_with_parent() -> None:
    """A worker of a run that was killed must not go on writing beside the next one (Linux only)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def drawn_building(plan: Plan, index: int) -> tuple[Drawn, Assets]:
    """What is decided of building `index`, and the pictures that there are."""
    from falsework.datasets.staging import by_name

    assets = find_assets(plan.recipe, plan.base)
    return draw(plan.recipe, index, list(by_name(assets.textures)), list(by_name(assets.skies))), assets


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
