"""Where finished stages are kept: `work/<shot>/<stage>/<key>/`, whole or not there at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text

__all__ = ["Store", "disk_faults", "settings_key"]

KEY_LENGTH = 20  # hexadecimal digits of the hash, enough to tell stages apart and still fit in a listing
DONE = "done.json"
RUNS = "runs.json"
MOST_RUNS = 50  # that are remembered
PART = ".part-"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST)


def settings_key(content: Mapping[str, Any]) -> str:
    """The name of a stage's folder: a hash of everything its result depends on."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


@contextlib.contextmanager
def disk_faults(where: Path) -> Iterator[None]:
    """Turn a full or locked disk, or a file in a folder's place, into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise FalseworkError(
                "the disk is full",
                where=error.filename or where,
                todo="Free some space and run again; finished work is kept.",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise FalseworkError(
                f"may not be written ({error.strerror})",
                where=error.filename or where,
                todo="Make the folder writable, or give another with --out.",
            ) from error
        if error.errno in IN_THE_WAY:
            raise FalseworkError(
                "a file stands where a folder has to be",
                where=error.filename or where,
                todo="Move it away, or give another folder with --out.",
            ) from error
        raise


class Store:
    """The finished stages of one shot under `root` (`work/<shot>`)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, stage: str, key: str) -> Path:
        return self.root / stage / key

    def done(self, stage: str, key: str) -> dict[str, Any] | None:
        """What was noted when the stage was finished, or None while it is not."""
        try:
            noted = json.loads((self.folder(stage, key) / DONE).read_bytes())
        except (OSError, ValueError):
            return None
        return noted if isinstance(noted, dict) else None

    def begin(self, stage: str, key: str) -> Path:
        """An empty folder to work in, of another name than the finished one."""
        part = self.root / stage / f"{key}{PART}{os.getpid()}"
        if part.exists():
            shutil.rmtree(part)
        part.mkdir(parents=True)
        return part

    def finish(self, stage: str, key: str, part: Path, noted: Mapping[str, Any]) -> Path:
        """Give a whole folder its name."""
        self.note(part, noted)
        folder = self.folder(stage, key)
        if folder.exists():  # without done.json: left by a version that did not finish
            shutil.rmtree(folder)
        part.rename(folder)
        return folder

    def open(self, stage: str, key: str) -> Path:
        """The final folder of a stage that keeps each finished frame."""
        folder = self.folder(stage, key)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @staticmethod
    def note(folder: Path, noted: Mapping[str, Any]) -> None:
        write_text(folder / DONE, json.dumps(noted, indent=1))

    def sweep(self) -> None:
        """Remove what killed runs left half done. Only for the holder of the lock."""
        for left in [*self.root.glob(f"*/*{PART}*"), *self.root.glob("*/*/*.part*")]:
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)

    def note_run(self, keys: Mapping[str, str]) -> None:
        """Remember what a run has used so far, by stage; what it contains, its own beginning too, goes."""
        used = dict(keys)
        if self._runs()[-1:] == [used]:
            return
        runs = [run for run in self._runs() if not run.items() <= used.items()]
        write_text(self.root / RUNS, json.dumps({"runs": [*runs[1 - MOST_RUNS :], used]}))

    def clean(self, keep: int) -> tuple[list[Path], int]:
        """Remove every result that none of the last `keep` runs used; returns the folders and their bytes.
        Only for the holder of the lock."""
        runs = self._runs()
        kept = {(stage, key) for run in runs[max(len(runs) - keep, 0) :] for stage, key in run.items()}
        removed: list[Path] = []
        size = 0
        for folder in sorted(self.root.glob("*/*")):
            if folder.is_dir() and (folder.parent.name, folder.name) not in kept:
                files = [path.stat() for path in folder.rglob("*") if path.is_file()]
                size += sum(file.st_size for file in files if file.st_nlink == 1)
                shutil.rmtree(folder)
                removed.append(folder)
        return removed, size

    def _runs(self) -> list[dict[str, str]]:
        try:
            return [dict(run) for run in json.loads((self.root / RUNS).read_bytes())["runs"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One run at a time. The system drops the lock when its holder dies, however it dies."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / "lock"
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise FalseworkError(
                    f"another run (process {holder}) is at work on this shot",
                    where=self.root,
                    todo="Wait for it, or end it and run again; finished work is kept.",
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)
