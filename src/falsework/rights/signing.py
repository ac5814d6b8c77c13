"""Content Credentials onto deliveries: movies and stills carry their own, a sequence gets a sidecar.

Sign last: whatever rewrites a signed file (`ffmpeg -c copy`, a media database) strips or breaks its
credentials.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import c2pa

from falsework.errors import FalseworkError
from falsework.media.atomic import whole_file, write_bytes
from falsework.rights import reading
from falsework.rights.certificates import Credentials
from falsework.rights.forms import MEDIA_TYPES, form_of_bytes, may_carry, media_type
from falsework.rights.manifest import (
    CREATED_LABELS,
    Ingredient,
    ManifestInput,
    definition,
    ingredient_definition,
)
from falsework.rights.sequence import canonical_list, digest_of, list_files
from falsework.rights.timestamp_relay import TimestampRelay
from falsework.rights.verification import interpret

__all__ = ["SIDECAR_SUFFIX", "SIGNED_SUFFIXES", "Signed", "sign", "sign_sequence"]

SIGNED_SUFFIXES = (".mp4", ".mov", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
SIDECAR_SUFFIX, LIST_SUFFIX = ".c2pa", ".sha256"
MOVING = {"video/mp4", "video/quicktime"}  # one form by two names; old ones begin without saying so
UNREADABLE, REMOTE = "unreadable", "remote"


@dataclass(frozen=True)
class Signed:
    """What was written.

    sha256     digest of the signed file, or of the sidecar
    manifest   the manifest's label (urn:c2pa:...); `store_sha256` the digest of all manifests in the file
    ingredient_faults  what is wrong with the ingredients' own credentials, as recorded in this delivery
    """

    path: Path
    sha256: str
    manifest: str
    store_sha256: str
    timestamped: bool
    ingredient_faults: tuple[str, ...] = ()


def sign(
    source: Path,
    destination: Path,
    manifest: ManifestInput,
    credentials: Credentials,
    *,
    at: datetime,
    timestamp_url: str | None = None,
    timestamp_seconds: float = 15.0,
) -> Signed:
    """Write a signed copy of a movie (MP4, MOV) or a still (PNG, JPEG, TIFF), and read it back.

    at             the time of signing (aware UTC), against which the certificate is checked
    timestamp_url  an RFC 3161 authority; where it gives no token a FalseworkError says why and nothing is
                   written, and the caller may sign without one; `timestamp_seconds` is how long it may take

    Raises FalseworkError for credentials that may not sign, an ingredient whose digest is not the recorded
    one, a source that is signed already or cannot be read. Nothing appears under `destination` then.
    """
    _known_form(source)
    if source.suffix.lower() != destination.suffix.lower():
        raise FalseworkError(f"a signed copy of {source.name} keeps its suffix", where=destination)
    form = MEDIA_TYPES[source.suffix.lower()]
    told = form_of_bytes(source)
    if told is not None and told != form and not {told, form} <= MOVING:
        raise FalseworkError(
            f"is named {source.suffix} and is {told}", where=source, todo="Give it the suffix of its form."
        )
    before = reading.look(source, isolated=False)
    if before["found"] in ("store", "remote"):
        raise FalseworkError(
            "is signed already, and signing it again would lose its credentials",
            where=source,
            todo="Sign the unsigned original; to build upon this file, name it as an ingredient.",
        )
    if before["found"] != "none" or (told is None and form not in MOVING):
        raise FalseworkError(
            f"cannot be read as {source.suffix[1:].upper()}", where=source, todo="Export it again."
        )
    relay = TimestampRelay(timestamp_url, seconds=timestamp_seconds) if timestamp_url else None
    with whole_file(destination) as part:
        with source.open("rb") as unsigned, part.open("w+b") as signed:
            store = _sign_stream(unsigned, signed, form, manifest, credentials, at, relay)
        with part.open("rb") as signed:
            faults, label = _read_back(signed, form, None, credentials, destination)
        _, digest = digest_of(part)
    return Signed(
        destination, digest, label, hashlib.sha256(store).hexdigest(), timestamp_url is not None, faults
    )


def sign_sequence(
    files: Path | Sequence[Path],
    sidecar: Path,
    manifest: ManifestInput,
    credentials: Credentials,
    *,
    at: datetime,
    timestamp_url: str | None = None,
    timestamp_seconds: float = 15.0,
) -> Signed:
    """Sign a sequence (EXR, or files of any form) as one collection, by a sidecar beside it.

    files    the folder (all EXR files in it) or the files; all must lie in the sidecar's folder or below
    sidecar  NAME.c2pa; NAME.sha256, the list of digests that its manifest binds, is written beside it
    """
    if sidecar.suffix != SIDECAR_SUFFIX:
        raise FalseworkError(f"a sidecar's name ends in {SIDECAR_SUFFIX}", where=sidecar)
    found = sorted(files.glob("*.exr")) if isinstance(files, Path) else list(files)
    if not found:
        raise FalseworkError(
            "holds no EXR files to sign", where=files if isinstance(files, Path) else sidecar
        )
    listed = list_files(found, sidecar.parent)
    bound = canonical_list(listed)
    told = {
        "algorithm": "sha256",
        "list": sidecar.with_suffix(LIST_SUFFIX).name,
        "files": [{"name": each.name, "size": each.size, "sha256": each.sha256} for each in listed],
    }
    relay = TimestampRelay(timestamp_url, seconds=timestamp_seconds) if timestamp_url else None
    store = _sign_stream(
        io.BytesIO(bound),
        None,
        reading.BOUND,
        manifest,
        credentials,
        at,
        relay,
        told,
    )
    faults, label = _read_back(io.BytesIO(bound), reading.BOUND, store, credentials, sidecar)
    write_bytes(sidecar.with_suffix(LIST_SUFFIX), bound)
    write_bytes(sidecar, store)
    digest = hashlib.sha256(store).hexdigest()
    return Signed(sidecar, digest, label, digest, timestamp_url is not None, faults)


def _sign_stream(
    source: BinaryIO,
    destination: BinaryIO | None,
    form: str,
    manifest: ManifestInput,
    credentials: Credentials,
    at: datetime,
    timestamp: TimestampRelay | None,
    sequence: dict[str, Any] | None = None,
) -> bytes:
    """Sign one stream; without a destination the manifest is not embedded. Returns the manifest store."""
    credentials.check(at)
    if sum(each.relationship == "parentOf" for each in manifest.distinct) > 1:
        raise FalseworkError(
            f"{manifest.title} has more than one parent",
            todo="One ingredient at most is parentOf; the others are componentOf or inputTo.",
        )
    found = _ingest(manifest.distinct)
    lost = {digest: what for digest, what in found.items() if what in (UNREADABLE, REMOTE)}
    words = definition(manifest, lost=lost, sequence=sequence)
    settings = reading.context(
        credentials.root,
        created_assertion_labels=list(CREATED_LABELS),
        # The standard lets these boxes be left out of the hash; nothing needs to write there after us.
        bmff_hash_exclude_free_and_skip_boxes=False,
    )
    try:
        with ExitStack() as stack:
            builder = stack.enter_context(c2pa.Builder(words, settings))
            for ingredient in manifest.distinct:
                _add(builder, ingredient, found.get(ingredient.sha256))
            if destination is None:
                builder.set_no_embed()
            stack.enter_context(timestamp or nullcontext())
            signer = c2pa.Signer.from_info(
                c2pa.C2paSignerInfo(
                    credentials.algorithm,
                    credentials.chain.encode(),
                    credentials.key(),
                    timestamp.url.encode() if timestamp else None,
                )
            )
            stack.enter_context(signer)
            return bytes(builder.sign(signer, form, source, destination or io.BytesIO()))
    except c2pa.C2paError as error:
        if timestamp is not None and (timestamp.fault or timestamp.asked):
            raise FalseworkError(
                f"the time-stamp authority gave no time-stamp: {timestamp.fault or 'its answer is no token'}",
                where=timestamp.name,
                todo="Try again later or name another authority. The delivery can be signed without one; "
                "its credentials then hold only while the signing certificate does.",
            ) from None
        raise FalseworkError(
            f"could not be signed ({_reason(error)})",
            where=manifest.title,
            todo="Check that the picture opens elsewhere, and the signing certificate with its authority.",
        ) from None


def _ingest(ingredients: Sequence[Ingredient]) -> dict[str, str]:
    """Each ingredient's digest compared with the record, and whether its own credentials can be read.

    Returns, by sha256, the form under which one with credentials is added, UNREADABLE or REMOTE. They come
    from outside, so a reading process with limits looks at them before the signing library does, and asks
    what `verify` would ask of the same file.
    """
    found: dict[str, str] = {}
    for ingredient in ingredients:
        if ingredient.path is None:
            continue
        _, digest = digest_of(ingredient.path)
        if digest != ingredient.sha256:
            raise FalseworkError(
                f"{ingredient.title} is not the file that is on record: its digest has changed",
                where=ingredient.path,
                todo="Put the recorded file back, or record this one and have it cleared again.",
            )
        if not may_carry(ingredient.path):
            continue
        said = reading.look(ingredient.path)
        what = said["found"]
        form = media_type(ingredient.path)
        if what == "store" and form is not None and form in c2pa.Builder.get_supported_mime_types():
            found[digest] = form
        elif what == "store" or (what == "broken" and said["remains"] == "own"):
            found[digest] = UNREADABLE
        elif what == "remote":
            found[digest] = REMOTE
    return found


def _add(builder: c2pa.Builder, ingredient: Ingredient, form: str | None) -> None:
    """Add an ingredient, with its own credentials where it carries any that can be read."""
    words = ingredient_definition(ingredient)
    if form not in (None, UNREADABLE, REMOTE) and ingredient.path is not None:
        with ingredient.path.open("rb") as stream:
            builder.add_ingredient(words, form, stream)
    else:
        builder.add_ingredient({**words, "format": ingredient.media_type}, reading.BOUND, io.BytesIO(b"\0"))


def _read_back(
    stream: BinaryIO, form: str, store: bytes | None, credentials: Credentials, where: Path
) -> tuple[tuple[str, ...], str]:
    """Validate what was just signed; the faults of ingredients and the manifest's label."""
    said = reading.read_stream(stream, form, store, anchors=credentials.root)
    outcome = interpret(said, where)
    wrong = [fault.words for fault in outcome.faults if not fault.ingredient]
    if said["found"] != "store" or wrong:
        raise FalseworkError(
            f"what was signed does not verify ({'; '.join(wrong) or said['words']})",
            where=where,
            todo="Nothing was written. Check the signing certificate with the authority that issued it.",
        )
    return tuple(fault.words for fault in outcome.faults if fault.ingredient), outcome.manifest


def _known_form(path: Path) -> None:
    if path.suffix.lower() not in SIGNED_SUFFIXES:
        raise FalseworkError(
            f"files of the form {path.suffix or 'of no suffix'} cannot carry Content Credentials",
            where=path,
            todo="Movies are signed as .mp4 or .mov, stills as .png, .jpg, .tif, EXR sequences by a sidecar.",
        )
    if not path.is_file():
        raise FalseworkError("is not there", where=path, todo="Check the path.")


def _reason(error: c2pa.C2paError) -> str:
    """The library's reason on one line, kept short."""
    return " ".join(str(error).split())[:300] or "no reason given"
