"""What form a file is of, by its bytes: names are given by whoever sends a file, and are often wrong."""

from __future__ import annotations

import mmap
import time
from pathlib import Path

import c2pa

__all__ = [
    "JUMBF_STORE",
    "MEDIA_TYPES",
    "form_of_bytes",
    "holds_store",
    "is_archive",
    "may_carry",
    "media_type",
    "store_is_its_own",
]

# What every C2PA manifest store begins with (C2PA 2.4, "JUMBF"; ISO 19566-5): "jumd" and its UUID.
JUMBF_STORE = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
ARCHIVE_STORE = b"META-INF/content_credential.c2pa"  # where an archive keeps its own (C2PA 2.4, "ZIP")

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jfif": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"GIF8", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"%PDF-", "application/pdf"),
    (b"\0\0\0\x0cJXL ", "image/jxl"),
)
CHUNKED = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/avi"}
BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
}
RAW = (".dng", ".arw", ".nef")  # TIFF by their bytes
ARCHIVE, DOCUMENT = b"PK\x03\x04", b"%PDF-"
ELSEWHERE = b"provenance"  # dcterms:provenance in XMP: where on the network the credentials are
HEAD = 16
WINDOW = 1 << 28  # bytes that are searched before the clock is looked at


def form_of_bytes(path: Path) -> str | None:
    """The library's name for the form that a file's first bytes tell of; None where they tell of none."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    for begins, form in SIGNATURES:
        if head.startswith(begins):
            return form
    if head.startswith(b"RIFF"):
        return CHUNKED.get(head[8:12])
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12], "video/mp4")
    return None


def media_type(path: Path) -> str | None:
    """The library's name for a file's form: by its bytes, or by its suffix; None where neither says."""
    suffix = path.suffix.lower()
    by_bytes = form_of_bytes(path) if path.is_file() else None
    if by_bytes is not None and not (suffix in RAW and by_bytes == "image/tiff"):
        return by_bytes
    if suffix in MEDIA_TYPES:
        return MEDIA_TYPES[suffix]
    return suffix[1:] if suffix[1:] in c2pa.Reader.get_supported_mime_types() else None


def is_archive(path: Path) -> bool:
    """Whether it may hold whole files of other forms, signed ones too (ZIP and what builds on it; PDF)."""
    with path.open("rb") as file:
        return file.read(HEAD).startswith((ARCHIVE, DOCUMENT))


def holds_store(path: Path, *, until: float | None = None) -> bool:
    """Whether a manifest store begins anywhere in a file, without parsing any of it.

    Forms that keep their credentials as text (SVG) are not recognised. TimeoutError where that is not known
    `until` then, by the monotonic clock.
    """
    return _holds(path, JUMBF_STORE, until)


def may_carry(path: Path) -> bool:
    """Whether it is worth asking the library: a manifest store begins in it, or it may name one elsewhere."""
    return holds_store(path) or _holds(path, ELSEWHERE)


def store_is_its_own(path: Path) -> bool:
    """Whether the manifest store in a file can be this file's, and not that of another file within it."""
    if is_archive(path):
        return _holds(path, ARCHIVE_STORE)
    return media_type(path) is not None


def _holds(path: Path, wanted: bytes, until: float | None = None) -> bool:
    with path.open("rb") as file:
        try:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file
            return False
        with content:
            for start in range(0, len(content), WINDOW):
                if until is not None and time.monotonic() > until:
                    raise TimeoutError
                if content.find(wanted, start, start + WINDOW + len(wanted)) >= 0:
                    return True
    return False
