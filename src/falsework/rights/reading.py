"""Reading Content Credentials from files that anyone may have made, within limits.

The library that reads them is given outside files in a process of its own, with a bound on time and memory,
and with the network off: a manifest can name a URL to fetch more from, and checking a file must tell nobody
that it is being checked. `falsework.rights.verification` turns what comes back into words.
"""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypedDict, cast

import c2pa
from cryptography.x509.oid import ExtendedKeyUsageOID

from falsework.errors import FalseworkError
from falsework.rights.certificates import USAGES
from falsework.rights.forms import holds_store, media_type, store_is_its_own

__all__ = [
    "BOUND",
    "DEFAULT_LIMITS",
    "Limits",
    "Reading",
    "Subject",
    "answer_of",
    "confine",
    "context",
    "look",
    "read",
    "read_stream",
]

TOO_LARGE = 3  # how a reading process ends whose answer would be
BOUND = "application/octet-stream"  # what a sidecar over any bytes calls their form
# What certificates may be for: signing content, time-stamps, and telling whether one was revoked.
SIGNERS_AND_THEIR_WITNESSES = (
    *(usage.dotted_string for usage in USAGES),
    ExtendedKeyUsageOID.TIME_STAMPING.dotted_string,
    ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string,
)


@dataclass(frozen=True)
class Limits:
    """What a file from outside may ask of this machine.

    file_bytes   larger files are not read; answer_bytes: as JSON, of all manifests together
    seconds      plus one for every `bytes_a_second` of the file, and never more than `longest`
    memory       of the reading process, in bytes; large files are streamed, so this does not grow with them
    depth, ingredients  of the tree of ingredients that is walked
    until        when it must all be over, by the monotonic clock; None for each reading by itself
    """

    file_bytes: int = 1 << 38
    answer_bytes: int = 64 << 20
    seconds: float = 30.0
    bytes_a_second: float = 20e6
    longest: float = 3600.0
    memory: int = 6 << 30
    depth: int = 32
    ingredients: int = 5000
    until: float | None = None

    def for_size(self, size: int) -> float:
        """Seconds that reading so many bytes may take now."""
        most = min(self.seconds + size / self.bytes_a_second, self.longest)
        return most if self.until is None else max(0.0, min(most, self.until - time.monotonic()))

    def begun(self, size: int) -> Limits:
        """The same with an end, twice what one reading may take: for work that may need many."""
        if self.until is not None:
            return self
        return replace(self, until=time.monotonic() + 2 * self.for_size(size))

    def lengthened(self, size: int) -> Limits:
        """The same with its end moved on by what reading so many bytes besides may take."""
        if self.until is None:
            return self
        return replace(self, until=self.until + min(size / self.bytes_a_second, self.longest))


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Subject:
    """What to read: a file; or a file and its sidecar; or the bytes that a sidecar binds."""

    path: Path
    sidecar: Path | None = None
    bound: bytes | None = None


class Reading(TypedDict):
    """What the library says.

    remains where none was read: whether a manifest store begins in the file, that can be its "own" or is one
            of a file "within" it
    found   "none" no credentials; "unsupported" not a form it knows; "broken" credentials or a file that it
            cannot read (`words`); "remote" credentials kept on the network, which are not fetched
    """

    found: Literal["store", "none", "unsupported", "broken", "remote"]
    words: str
    state: str
    store: dict[str, Any]
    certificate: dict[str, Any]
    bindings: dict[str, Any]
    remains: Literal["", "own", "within"]


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
    }
    seconds = limits.for_size(size)
    words = "Nothing is known about it; treat it as unsigned."
    try:
        said = answer_of("falsework.rights.reading", request, limits, seconds)
    except TimeoutError:
        raise FalseworkError(
            f"its Content Credentials could not be read within {seconds:.0f} seconds",
            where=subject.path,
            todo=words,
        ) from None
    except OverflowError:
        raise FalseworkError(
            f"its Content Credentials are larger than is read here ({limits.answer_bytes / 1e6:.0f} MB)",
            where=subject.path,
            todo=words,
        ) from None
    if said is None:
        raise FalseworkError(
            "its Content Credentials ask for more memory than is allowed, or are built to crash a reader",
            where=subject.path,
            todo=words,
        )
    return cast(Reading, json.loads(said))


def look(path: Path, *, anchors: str = "", limits: Limits = DEFAULT_LIMITS, isolated: bool = True) -> Reading:
    """Read a file by itself, where "none" means none: with the remains of credentials it is "broken".

    A changed byte may hide the credentials, or the file's form, from the library. Both a file that is checked
    and an ingredient that is taken in are asked this way.
    """
    said = read(Subject(path), anchors=anchors, limits=limits, isolated=isolated)
    if said["found"] in ("none", "unsupported") and said["remains"] == "own":
        said["found"] = "broken"
    return said


def answer_of(module: str, request: dict[str, Any], limits: Limits, seconds: float) -> bytes | None:
    """What a process of its own answers to a request, None where it failed.

    Raises TimeoutError, and OverflowError for an answer beyond the limits: it goes into a file, which the
    process itself cannot make larger than that.
    """
    asked = {**request, "memory": limits.memory, "answer_bytes": limits.answer_bytes}
    with tempfile.TemporaryFile() as answer:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", module],
                input=json.dumps(asked).encode(),
                stdout=answer,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        if done.returncode == TOO_LARGE or os.fstat(answer.fileno()).st_size > limits.answer_bytes:
            raise OverflowError
        if done.returncode != 0:
            return None
        answer.seek(0)
        return answer.read()


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
        # The library has a type for this error, and raises its base with the name in front.
        if isinstance(error, c2pa.C2paError) and str(error).startswith(("Remote:", "RemoteManifest:")):
            return _answer("remote")
        return _answer("broken", words=str(error)[:500])


def _read_here(subject: Subject, anchors: str) -> Reading:
    try:
        manifest = subject.sidecar.read_bytes() if subject.sidecar is not None else None
        form = media_type(subject.path)
        if manifest is not None and (form is None or subject.bound is not None):
            form = BOUND
        if subject.bound is not None:
            return read_stream(io.BytesIO(subject.bound), form, manifest, anchors=anchors)
        with subject.path.open("rb") as stream:
            said = read_stream(stream, form, manifest, anchors=anchors)
        if manifest is None and said["found"] not in ("store", "remote") and holds_store(subject.path):
            said["remains"] = "own" if store_is_its_own(subject.path) else "within"
        return said
    except OSError as error:
        raise FalseworkError(f"cannot be read ({error.strerror})", where=subject.path) from None


def _answer(found: Literal["store", "none", "unsupported", "broken", "remote"], **known: Any) -> Reading:
    empty: dict[str, Any] = {"words": "", "state": "", "store": {}, "certificate": {}, "bindings": {}}
    empty["remains"] = ""
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


def confine(memory: int, written: int) -> None:
    """This process: no more memory than this, no larger file, and no core dumps of somebody's file."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (written + 1, written + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """The reading process: a request on stdin, a Reading as JSON on stdout."""
    request = json.load(sys.stdin.buffer)
    confine(request["memory"], request["answer_bytes"])
    subject = Subject(
        Path(request["path"]),
        Path(request["sidecar"]) if request["sidecar"] else None,
        base64.b64decode(request["bound"]) if request["bound"] is not None else None,
    )
    said = json.dumps(_read_here(subject, request["anchors"]))
    if len(said) > request["answer_bytes"]:
        sys.exit(TOO_LARGE)
    sys.stdout.write(said)


if __name__ == "__main__":
    main()
