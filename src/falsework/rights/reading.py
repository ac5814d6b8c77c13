"""Reading Content Credentials from files that anyone may have made, within limits.

The library that reads them is given outside files in a process of its own, with a bound on time and memory,
and with the network off: a manifest can name a URL to fetch more from, and checking a file must tell nobody
that it is being checked. `falsework.rights.verification` turns what comes back into words.
"""

from __future__ import annotations

import base64
import io
import json
import mmap
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypedDict, cast

import c2pa
from cryptography.x509.oid import ExtendedKeyUsageOID

from falsework.errors import FalseworkError
from falsework.rights.certificates import USAGES

__all__ = [
    "BOUND",
    "DEFAULT_LIMITS",
    "JUMBF_STORE",
    "Limits",
    "Reading",
    "Subject",
    "confine",
    "context",
    "holds_store",
    "media_type",
    "read",
    "read_stream",
]

# What every C2PA manifest store begins with (C2PA 2.4, "JUMBF"; ISO 19566-5): "jumd" and its UUID.
JUMBF_STORE = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"

BOUND = "application/octet-stream"  # what a sidecar over any bytes calls their form
# What certificates may be for: signing content, time-stamps, and telling whether one was revoked.
SIGNERS_AND_THEIR_WITNESSES = (
    *(usage.dotted_string for usage in USAGES),
    ExtendedKeyUsageOID.TIME_STAMPING.dotted_string,
    ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string,
)

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


@dataclass(frozen=True)
class Limits:
    """What a file from outside may ask of this machine.

    file_bytes   larger files are not read; answer_bytes: as JSON, of all manifests together
    seconds      plus one for every `bytes_a_second` of the file
    memory       of the reading process, in bytes; large files are streamed, so this does not grow with them
    depth, ingredients  of the tree of ingredients that is walked
    """

    file_bytes: int = 1 << 40
    answer_bytes: int = 64 << 20
    seconds: float = 30.0
    bytes_a_second: float = 20e6
    memory: int = 6 << 30
    depth: int = 32
    ingredients: int = 5000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Subject:
    """What to read: a file; or a file and its sidecar; or the bytes that a sidecar binds."""

    path: Path
    sidecar: Path | None = None
    bound: bytes | None = None


class Reading(TypedDict):
    """What the library says.

    found   "none" no credentials; "unsupported" not a form it knows; "broken" credentials or a file that it
            cannot read (`words`); "remote" credentials kept on the network, which are not fetched
    """

    found: Literal["store", "none", "unsupported", "broken", "remote"]
    words: str
    state: str
    store: dict[str, Any]
    certificate: dict[str, Any]
    bindings: dict[str, Any]


def media_type(path: Path) -> str | None:
    """The library's name for a file's form, from its suffix; None for it to look at the bytes."""
    suffix = path.suffix.lower()
    if suffix in MEDIA_TYPES:
        return MEDIA_TYPES[suffix]
    return suffix[1:] if suffix[1:] in c2pa.Reader.get_supported_mime_types() else None


def context(anchors: str = "", **builder: Any) -> c2pa.Context:
    """Settings: no network, no thumbnails, no actions of the library's own, trust in these roots (PEM)."""
    quiet = {"enabled": False}
    settings: dict[str, Any] = {
        "version": 1,
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
        "builder": {
            "thumbnail": quiet,
            "actions": {
                "auto_created_action": quiet,
                "auto_opened_action": quiet,
                "auto_placed_action": quiet,
            },
            **builder,
        },
    }
    trust = {"trust_config": "\n".join(SIGNERS_AND_THEIR_WITNESSES)}
    settings["trust"] = trust | ({"user_anchors": anchors} if anchors else {})
    return c2pa.Context(c2pa.Settings.from_dict(settings))


def read(
    subject: Subject, *, anchors: str = "", limits: Limits = DEFAULT_LIMITS, isolated: bool = True
) -> Reading:
    """Read and validate. `isolated=False` stays in this process: for files of our own making.

    Raises a FalseworkError where the file cannot be opened or goes beyond the limits.
    """
    size = 0
    for path in (subject.sidecar, subject.path if subject.bound is None else None):
        size += _size(path) if path is not None else 0
    if size > limits.file_bytes:
        raise FalseworkError(
            f"is larger than is read here ({size / 1e9:.0f} GB)",
            where=subject.path,
            todo="Check a part of it.",
        )
    if not isolated:
        return _read_here(subject, anchors)
    request = {
        "path": str(subject.path),
        "sidecar": str(subject.sidecar) if subject.sidecar else None,
        "bound": base64.b64encode(subject.bound).decode() if subject.bound is not None else None,
        "anchors": anchors,
        "memory": limits.memory,
    }
    seconds = limits.seconds + size / limits.bytes_a_second
    try:
        said = subprocess.run(
            [sys.executable, "-P", "-m", "falsework.rights.reading"],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FalseworkError(
            f"its Content Credentials could not be read within {seconds:.0f} seconds",
            where=subject.path,
            todo="Nothing is known about it; treat it as unsigned.",
        ) from None
    if said.returncode != 0 or len(said.stdout) > limits.answer_bytes:
        why = "ask for more memory than is allowed, or are built to crash a reader"
        if len(said.stdout) > limits.answer_bytes:
            why = f"are larger than is read here ({len(said.stdout) / 1e6:.0f} MB)"
        raise FalseworkError(
            f"its Content Credentials {why}",
            where=subject.path,
            todo="Nothing is known about it; treat it as unsigned.",
        )
    return cast(Reading, json.loads(said.stdout))


def read_stream(
    stream: BinaryIO, form: str | None, manifest: bytes | None = None, *, anchors: str = ""
) -> Reading:
    """The library's view of a stream, in this process; `manifest` is a sidecar's content."""
    try:
        with c2pa.Reader(form, stream, manifest, context=context(anchors)) as reader:
            store = json.loads(reader.json())
            return _answer(
                "store",
                state=str(reader.get_validation_state()),
                store=store,
                certificate=_certificate(json.loads(reader.crjson()), store.get("active_manifest")),
                bindings=_bindings(json.loads(reader.detailed_json())),
            )
    except c2pa.C2paError.ManifestNotFound:
        return _answer("none")
    except c2pa.C2paError.RemoteManifest:
        return _answer("remote")
    except c2pa.C2paError.NotSupported as error:
        return _answer("unsupported", words=str(error))
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        return _answer("broken", words=str(error)[:500])


def holds_store(path: Path) -> bool:
    """Whether a manifest store begins anywhere in a file: quick, and without parsing any of it.

    Forms that keep their credentials as text (SVG) are not recognised.
    """
    with path.open("rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return content.find(JUMBF_STORE) >= 0
        except ValueError:  # an empty file
            return False


def _read_here(subject: Subject, anchors: str) -> Reading:
    try:
        manifest = subject.sidecar.read_bytes() if subject.sidecar is not None else None
        form = media_type(subject.path)
        if manifest is not None and (form is None or subject.bound is not None):
            form = BOUND
        if subject.bound is not None:
            return read_stream(io.BytesIO(subject.bound), form, manifest, anchors=anchors)
        with subject.path.open("rb") as stream:
            return read_stream(stream, form, manifest, anchors=anchors)
    except OSError as error:
        raise FalseworkError(f"cannot be read ({error.strerror})", where=subject.path) from None


def _answer(found: Literal["store", "none", "unsupported", "broken", "remote"], **known: Any) -> Reading:
    empty: dict[str, Any] = {"words": "", "state": "", "store": {}, "certificate": {}, "bindings": {}}
    return cast(Reading, {"found": found, **empty, **known})


def _certificate(compact: dict[str, Any], active: str | None) -> dict[str, Any]:
    for manifest in compact.get("manifests", []):
        if manifest.get("label") == active and isinstance(manifest.get("signature"), dict):
            return cast(dict[str, Any], manifest["signature"])
    return {}


def _bindings(detailed: dict[str, Any]) -> dict[str, Any]:
    """The hash assertions of the active manifest: what binds it to the file, and what they leave out."""
    manifest = detailed.get("manifests", {}).get(detailed.get("active_manifest"), {})
    assertions = manifest.get("assertion_store", {})
    return {label: data for label, data in assertions.items() if label.startswith("c2pa.hash.")}


def _size(path: Path) -> int:
    try:
        if not path.is_file():
            raise FalseworkError(
                "is not there" if not path.exists() else "is no file", where=path, todo="Check the path."
            )
        return path.stat().st_size
    except OSError as error:
        raise FalseworkError(f"cannot be read ({error.strerror})", where=path) from None


def confine(memory: int) -> None:
    """This process: no more memory than this, and no core dumps of somebody's file."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """The reading process: a request on stdin, a Reading as JSON on stdout."""
    request = json.load(sys.stdin.buffer)
    confine(request["memory"])
    subject = Subject(
        Path(request["path"]),
        Path(request["sidecar"]) if request["sidecar"] else None,
        base64.b64decode(request["bound"]) if request["bound"] is not None else None,
    )
    sys.stdout.write(json.dumps(_read_here(subject, request["anchors"])))


if __name__ == "__main__":
    main()
