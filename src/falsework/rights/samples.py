"""The pictures that frames are compared with: read within limits, hashed once, kept by their bytes' hash."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio

from falsework.errors import FalseworkError
from falsework.media.arrays import read_arrays, write_arrays
from falsework.rights.digests import Digests
from falsework.rights.keypoints import Features, features
from falsework.rights.pdq import SYMMETRIES, Hash, pdq

__all__ = ["VOTERS", "Fingerprint", "Group", "Index", "Known", "Sample", "read_sample", "samples_in"]

SMALLEST_SIDE = 32  # pixels
LARGEST_SIDE = 30_000
MOST_PIXELS = 200_000_000  # 600 MB once decoded; a header that promises more is not decoded
LARGEST_FILE = 2 * 1024**3  # bytes
MOST_FILES = 50_000
FORMATS = ("jpeg", "png", "tiff", "openexr", "webp", "bmp")
READABLE = "JPEG, PNG, TIFF, EXR, WebP or BMP"
# What may lie beside pictures without being one. Anything else is taken for a picture, so that a work in a
# format we cannot read is reported and not passed over.
BESIDE = frozenset({".txt", ".md", ".csv", ".json", ".toml", ".pdf", ".html"})

VOTERS = 128  # descriptors of each picture that the shortlist is made with
REMEMBERED = 200  # pictures whose points stay in memory where they can be read again
VERSION = "1"  # of what is kept on disk: to be raised with any change to hash, points or reduction

Picture = npt.NDArray[np.uint8]
Group = Literal["training", "protected", "input"]


@dataclass(frozen=True)
class Fingerprint:
    """What a picture is found again by: its hash, its points (or the first of them), and how many distinct
    points it has in all."""

    hash: Hash
    points: Features
    distinct: int

    @staticmethod
    def of(picture: Picture, most: int | None = None) -> Fingerprint:
        """Of a picture uint8 (H, W, 3), red first, with at most so many points."""
        points = features(picture)
        kept = Features(points.width, points.height, points.points[:most], points.descriptors[:most])
        return Fingerprint(pdq(picture), kept, points.distinct())


@dataclass(frozen=True)
class Sample:
    """A picture to compare frames with.

    name      for people
    asset_id  "sha256:" and the digest of the picture file's bytes
    group     "training": a model used was trained on it; "protected": the production named it;
              "input": the shot was made from it, under a grant (its plate)
    picture   uint8 (H, W, 3), red first, or the file, or what is kept of a picture that is not at hand
    held_in   asset id of the list of fingerprints that it was taken from, "" for a picture
    own       whether it was made by whoever trained on it, out of pictures that are compared as well: then
              too little detail to be found again leaves no work of anybody's unfound
    """

    name: str
    asset_id: str
    group: Group
    picture: Picture | Path | Fingerprint
    held_in: str = ""
    own: bool = False


@dataclass(frozen=True)
class Known:
    """What is kept of a sample: its hash, how many distinct points it has, and its first descriptors."""

    digest: str
    hash: Hash
    distinct: int
    voters: npt.NDArray[np.uint8]  # (at most VOTERS, 128)


class Index:
    """Hashes and points of samples, worked out once for the same bytes; kept in a folder if one is given."""

    def __init__(self, folder: Path | None = None, digests: Digests | None = None) -> None:
        self._folder = folder
        self._digests = digests or Digests()
        self._recent: OrderedDict[str, Features] = OrderedDict()
        self._fingerprints: dict[str, Features] = {}
        self.worked_out = 0  # pictures that were not found in the folder

    def know(self, sample: Sample) -> Known:
        """Read a sample; FalseworkError where it cannot be, or is no longer the file that was recorded."""
        if isinstance(sample.picture, Path):
            digest = self._digests.of(sample.picture)
            if sample.asset_id != f"sha256:{digest}":
                raise FalseworkError(
                    "is not the file that was recorded: its hash is another",
                    where=sample.picture,
                    todo="Put the recorded file back, or record this one anew.",
                )
        elif isinstance(sample.picture, Fingerprint):
            return self._given(sample.asset_id, sample.picture)
        else:
            digest = _picture_digest(sample.picture)
        kept = self._kept(digest)
        if kept is None:
            picture = (
                sample.picture if isinstance(sample.picture, np.ndarray) else read_sample(sample.picture)
            )
            points = features(picture)
            kept = pdq(picture), points, points.distinct()
            self.worked_out += 1
            self._keep(digest, *kept)
        hashed, points, distinct = kept
        self._remember(digest, points)
        return Known(digest, hashed, distinct, points.descriptors[:VOTERS].copy())

    def _given(self, asset_id: str, kept: Fingerprint) -> Known:
        """What came as a fingerprint: nothing is worked out, and nothing kept on disk."""
        digest = f"fingerprint {asset_id}"
        self._fingerprints[digest] = kept.points
        return Known(digest, kept.hash, kept.distinct, kept.points.descriptors[:VOTERS].copy())

    def features(self, known: Known) -> Features:
        """All the points of a sample that is known."""
        points = self._fingerprints.get(known.digest)
        if points is not None:
            return points
        points = self._recent.get(known.digest)
        if points is None:
            kept = self._kept(known.digest)
            if kept is None:
                raise FalseworkError(
                    "lost an entry while it was being used",
                    where=self._folder or "the copy audit's index",
                    todo="Run the audit again, and nothing else that clears this folder.",
                )
            points = kept[1]
        self._remember(known.digest, points)
        return points

    def _remember(self, digest: str, points: Features) -> None:
        self._recent[digest] = points
        self._recent.move_to_end(digest)
        if self._folder is not None and len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def _path(self, digest: str) -> Path | None:
        return self._folder / f"{digest}.v{VERSION}.safetensors" if self._folder else None

    def _keep(self, digest: str, hashed: Hash, points: Features, distinct: int) -> None:
        path = self._path(digest)
        if path is not None:
            write_arrays(
                path,
                {"bits": hashed.bits, "points": points.points, "descriptors": points.descriptors},
                quality=hashed.quality,
                distinct=distinct,
                width=points.width,
                height=points.height,
            )

    def _kept(self, digest: str) -> tuple[Hash, Features, int] | None:
        """What the folder holds of these bytes; None where it holds nothing or something damaged."""
        path = self._path(digest)
        if path is None or not path.is_file():
            return None
        try:
            arrays, values = read_arrays(path)
            bits, points, descriptors = (arrays[name] for name in ("bits", "points", "descriptors"))
            quality, distinct, width, height = (
                int(values[name]) for name in ("quality", "distinct", "width", "height")
            )
        except (FalseworkError, KeyError, TypeError, ValueError):
            return None
        sound = (
            bits.shape == (len(SYMMETRIES), 32)
            and points.shape == (len(points), 4)
            and descriptors.shape == (len(points), 128)
            and [str(each.dtype) for each in (bits, points, descriptors)] == ["uint8", "float32", "uint8"]
        )
        if not sound:
            return None
        return Hash(bits, quality), Features(width, height, points, descriptors), distinct


def samples_in(folder: Path, group: Group, digests: Digests | None = None) -> tuple[Sample, ...]:
    """Every picture in a folder and those within it, by name.

    Notes beside pictures (`BESIDE`) and hidden files are left out; nothing outside the folder is read: a link
    that leads out of it is refused.
    """
    if not folder.is_dir():
        raise FalseworkError(
            "there is no such folder",
            where=folder,
            todo="Check the path of the protected set or the samples.",
        )
    digests = digests or Digests()
    root, found = folder.resolve(), []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if any(part.startswith(".") for part in relative.parts) or path.suffix.lower() in BESIDE:
            continue
        if not _leads_to(path).is_relative_to(root):
            raise FalseworkError(
                "is a link that leads out of its folder or nowhere",
                where=path,
                todo="Put the picture itself there.",
            )
        if path.is_file():
            found.append(Sample(relative.as_posix(), f"sha256:{digests.of(path)}", group, path))
        if len(found) > MOST_FILES:
            raise FalseworkError(
                f"holds more than {MOST_FILES:,} files", where=folder, todo="Split it into several sets."
            )
    return tuple(found)


def _leads_to(path: Path) -> Path:
    """Where a path ends up; nowhere, for links that go round in circles."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):
        return Path()


def read_sample(path: Path) -> Picture:
    """A picture as uint8 (H, W, 3), red first, as a display shows it: for comparing, not for work.

    Integer files as they are coded; float files through the sRGB curve, cut at 0 and 1. Nothing is decoded
    before its header has been found to be within the limits.
    """
    if not path.is_file():
        raise FalseworkError(
            "there is no such picture", where=path, todo="Put it back or take it off the list."
        )
    if path.stat().st_size > LARGEST_FILE:
        raise FalseworkError(
            f"is larger than {LARGEST_FILE // 1024**3} GB", where=path, todo="Scale it down or crop it first."
        )
    file = oiio.ImageInput.open(str(path))
    if file is None:
        raise FalseworkError(
            f"cannot be read as a picture ({_complaint(path)})",
            where=path,
            todo=f"Export it again as {READABLE}.",
        )
    try:
        picture = _decoded(file, path)
    except (MemoryError, UnicodeDecodeError) as error:
        raise FalseworkError("is damaged or too large", where=path, todo="Export it anew.") from error
    finally:
        file.close()
    if _holds_more(path):
        raise FalseworkError(
            "holds more than one picture, and only one could be compared",
            where=path,
            todo="Export each of them as a file of its own.",
        )
    return picture


def _holds_more(path: Path) -> bool:
    """Whether a second picture follows: a page, a part, a frame. Asked of a reader of its own, since some do
    not find their way back to the first."""
    file = oiio.ImageInput.open(str(path))
    if file is None:
        return False
    try:
        found = bool(file.seek_subimage(1, 0))
        file.geterror()  # where there is none, that it said so
        return found
    finally:
        file.close()


def _decoded(file: oiio.ImageInput, path: Path) -> Picture:
    spec = file.spec()
    if file.format_name() not in FORMATS or spec.deep:
        raise FalseworkError(
            f"is a {file.format_name()} file, which is not supported",
            where=path,
            todo=f"Export it as {READABLE}.",
        )
    if (
        max(spec.width, spec.height) > LARGEST_SIDE
        or spec.width * spec.height * max(1, spec.depth) > MOST_PIXELS
    ):
        raise FalseworkError(
            f"is {spec.width}x{spec.height} pixels: more than {LARGEST_SIDE:,} a side or "
            f"{MOST_PIXELS // 1_000_000} million in all",
            where=path,
            todo="Scale it down or crop it first.",
        )
    if min(spec.width, spec.height) < SMALLEST_SIDE:
        raise FalseworkError(
            f"is {spec.width}x{spec.height} pixels: too small to be recognised again",
            where=path,
            todo=f"Use a picture of at least {SMALLEST_SIDE} pixels a side.",
        )
    names = list(spec.channelnames)
    if {"R", "G", "B"} <= set(names[:4]):
        channels = [names.index(name) for name in "RGB"]
    elif len(names) <= 2:
        channels = [0, 0, 0]
    else:
        raise FalseworkError(
            f"has no channels R, G and B (it has {', '.join(names[:8])})",
            where=path,
            todo="Export it as RGB.",
        )
    floats = str(spec.format) in ("half", "float", "double")
    kind = oiio.FLOAT if floats else oiio.UINT8
    pixels = file.read_image(0, 0, 0, min(len(names), 4), kind)
    # libjpeg's word on stray bytes between whole segments, which some cameras leave, is no fault
    said = file.geterror()
    if pixels is None or (said and "extraneous bytes" not in said):
        raise FalseworkError(
            "is damaged: its pixels cannot be decoded", where=path, todo="Copy it again or export it anew."
        )
    colour = np.ascontiguousarray(pixels.reshape(spec.height, spec.width, -1)[..., channels])
    return _display(colour) if floats else np.asarray(colour, np.uint8)


def _display(linear: npt.NDArray[np.float32]) -> Picture:
    """Scene-linear values as the sRGB curve shows them, 8 bits."""
    light = np.clip(np.nan_to_num(linear, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255.0 * curve).astype(np.uint8)


def _complaint(path: Path) -> str:
    """Why OpenImageIO did not open a file, in its words; what it has to say must be taken from it anyway."""
    try:
        said = oiio.geterror().strip().splitlines()
    except UnicodeDecodeError:  # bytes of the file itself
        said = []
    if path.stat().st_size == 0:
        return "it is empty"
    return said[0].replace(str(path), path.name)[:200].rstrip(".") if said else "it is damaged"


def _picture_digest(picture: Picture) -> str:
    digest = hashlib.sha256(repr((picture.shape, str(picture.dtype))).encode())
    digest.update(np.ascontiguousarray(picture).tobytes())
    return digest.hexdigest()
