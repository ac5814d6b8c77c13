"""A data set on disk: one tar a building, as WebDataset and PyTorch people read them, and an index of lines.

recipe.toml         what it was drawn from
dataset.json        name, digests, assets
index.jsonl         one line a sample: where it lies, and what it shows
train/b000012.tar   NAME.safetensors and NAME.json (its record), one after the other
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from falsework.datasets.samples import Sample
from falsework.datasets.settings import Split
from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file, write_text

__all__ = [
    "INDEX",
    "SPLITS",
    "find_sample",
    "read_index",
    "read_sample",
    "shard_path",
    "write_index",
    "write_shard",
]

INDEX = "index.jsonl"
SPLITS: tuple[str, ...] = get_args(Split)
ARRAYS, RECORD = ".safetensors", ".json"


def shard_path(folder: Path, split: str, building: int) -> Path:
    return folder / split / f"b{building:06d}.tar"


def write_shard(path: Path, samples: Iterable[Sample]) -> int:
    """Write a building's samples; the file appears whole, and the same samples give the same bytes.
    Returns how many there were."""
    count = 0
    with whole_file(path) as part, tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
        for sample in samples:
            _add(tar, sample.name + ARRAYS, save(dict(sorted(sample.arrays.items()))))
            _add(tar, sample.name + RECORD, _json(sample.record))
            count += 1
    return count


def _json(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, sort_keys=True, allow_nan=False) + "\n").encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size = len(content)
    tar.addfile(about, io.BytesIO(content))


def _rows(folder: Path, path: Path, whole: str) -> Iterator[dict[str, Any]]:
    """The index's lines for one shard, whose digest is `whole`."""
    shard = path.relative_to(folder).as_posix()
    try:
        with tarfile.open(path, "r:") as tar:
            placed: dict[str, tuple[int, int, str]] = {}
            for member in tar:
                file = tar.extractfile(member)
                content = file.read() if file is not None else b""
                stem = Path(member.name).stem
                if member.name.endswith(ARRAYS):
                    placed[stem] = member.offset_data, member.size, hashlib.sha256(content).hexdigest()
                    continue
                record = json.loads(content)
                offset, size, digest = placed[stem]
                drawn = record["drawn"]
                yield {
                    "sample": record["sample"],
                    "split": record["split"],
                    "building": record["building"]["index"],
                    "frame": record["frame"],
                    "shard": shard,
                    "offset": offset,
                    "bytes": size,
                    "sha256": digest,
                    "shard_sha256": whole,
                    "targets": record["targets"] is not None,
                    "type": drawn["kind"],
                    "material": drawn["building"]["material"],
                    "storeys": len(drawn["levels"]) - 1,
                    "trigger": drawn["collapse"]["kind"],
                    "sky": drawn["sky"][0],
                    "overcast": drawn["sun"][2] == 0,
                    "sun_azimuth": drawn["sun"][0],
                    "sun_elevation": drawn["sun"][1],
                    "dust_amount": drawn["dust"]["amount"],
                    "seed": str(record["building"]["seed"]),  # more than a float holds
                    "code": record["made_by"]["code"],
                }
    except (tarfile.TarError, ValueError, KeyError, EOFError) as error:
        raise FalseworkError(
            f"is a damaged shard ({error})",
            where=path,
            todo="Delete it and build again: only it is made anew.",
        ) from error


def write_index(folder: Path) -> list[dict[str, Any]]:
    """Read all shards and write the index anew; lines of shards that it lists with these very bytes are taken
    from it."""
    known: dict[tuple[str, str], list[dict[str, Any]]] = {}
    if (folder / INDEX).is_file():
        for row in read_index(folder):
            known.setdefault((row["shard"], row.get("shard_sha256", "")), []).append(row)
    rows: list[dict[str, Any]] = []
    for split in SPLITS:
        for path in sorted((folder / split).glob("b*.tar")):
            shard, digest = path.relative_to(folder).as_posix(), _digest(path)
            rows += known.get((shard, digest)) or _rows(folder, path, digest)
    write_text(folder / INDEX, "".join(json.dumps(row) + "\n" for row in rows))
    return rows


def _digest(path: Path) -> str:
    """Of a file's bytes; read once by a run, as long as it is the same file to the file system."""
    about = path.stat()
    return _file_digest(path.resolve(), about.st_ino, about.st_size, about.st_mtime_ns)


@cache
def _file_digest(path: Path, *_: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_index(folder: Path) -> list[dict[str, Any]]:
    path = folder / INDEX
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except NotADirectoryError:
        raise FalseworkError(
            "is a file, and a data set is a folder", where=folder, todo=f"Give the folder with {INDEX}."
        ) from None
    except FileNotFoundError:
        raise FalseworkError(
            "there is no data set here",
            where=folder,
            todo="Build one: `falsework dataset build RECIPE --out DIR`.",
        ) from None
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise FalseworkError(
            f"is no readable index ({why})",
            where=path,
            todo="Delete it and build again: it is written anew.",
        ) from error


def find_sample(folder: Path, name: str) -> dict[str, Any]:
    """The index's line of a sample; FalseworkError where there is none of that name."""
    rows = read_index(folder)
    for row in rows:
        if row["sample"] == name:
            return row
    some = ", ".join(row["sample"] for row in rows[:3])
    raise FalseworkError(
        f'holds no sample "{name}"',
        where=folder,
        todo=f"Its samples are called {some} …" if some else "It is empty.",
    )


def read_sample(
    folder: Path, row: dict[str, Any]
) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, Any]]:
    """Arrays and record of a sample, by its line of the index; FalseworkError where it is not what was
    written."""
    path = folder / row["shard"]
    try:
        with path.open("rb") as file:
            file.seek(row["offset"])
            content = file.read(row["bytes"])
        if hashlib.sha256(content).hexdigest() != row["sha256"]:
            raise ValueError("its bytes are not those of the index")
        with tarfile.open(path, "r:") as tar:
            note = tar.extractfile(row["sample"] + RECORD)
            record = json.loads(note.read()) if note is not None else {}
        return load(content), record
    except FileNotFoundError:
        raise FalseworkError(
            f"the shard of {row['sample']} is not there",
            where=path,
            todo="Put it back, or build again: only it is made anew.",
        ) from None
    except (OSError, ValueError, KeyError, tarfile.TarError, SafetensorError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise FalseworkError(
            f"the sample {row['sample']} cannot be read ({why})",
            where=path,
            todo="Delete this shard and build again: only it is made anew.",
        ) from error
