"""The folder a bench keeps its catalogue and index in, which remembers what file they were made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text

__all__ = ["CATALOGUE", "INDEX", "PLAIN", "place_for"]

CATALOGUE, INDEX, PLAIN = "catalogue.db", "index", "plain vectors"
MADE_OF = "bench.json"  # the digest of the file that the catalogue was imported from


@contextmanager
def place_for(file: Path, folder: Path | None) -> Iterator[Path]:
    """A folder for the bench of a catalogue's file: `folder`, or one that goes afterwards.

    What another file left in `folder` is cleared away, but for the vectors of its texts: rows of two
    catalogues would answer together. FalseworkError where a catalogue lies there that no bench has made.
    """
    if folder is None:
        with TemporaryDirectory(prefix="falsework-bench-") as temporary:
            yield Path(temporary)
        return
    digest = _digest(file)
    if (folder / CATALOGUE).exists() and _made_of(folder) != digest:
        if not (folder / MADE_OF).is_file():
            raise FalseworkError(
                f"holds a {CATALOGUE} that no bench has made",
                where=folder,
                todo="Name another folder with --index, or leave it out.",
            )
        # The file before its log, which is nothing to a file that is not there.
        for path in sorted(folder.glob(f"{CATALOGUE}*")):
            path.unlink()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / MADE_OF, json.dumps({"file": str(file.resolve()), "sha256": digest}) + "\n")
    except OSError as error:
        raise FalseworkError(
            f"cannot be written to ({error.strerror or error})",
            where=folder,
            todo="Name another folder with --index, or leave it out.",
        ) from error
    yield folder


def _made_of(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / MADE_OF).read_bytes())["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise FalseworkError(f"cannot be read ({error.strerror or error})", where=file) from error
