"""What a file's Content Credentials come to: who signed, whether that is trusted, what was changed since.

Works on any file from anyone. Stricter than the library's own verdict in two ways: an ingredient that was
broken when it was taken in is a failure here even where the delivery around it is intact and trusted, and a
file that holds the remains of credentials which cannot be read is invalid, not merely unsigned.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from falsework.errors import FalseworkError
from falsework.rights import reading
from falsework.rights.certificates import TEST_ORGANISATION
from falsework.rights.lineage import IngredientOutcome, Lineage
from falsework.rights.manifest import DELIVERY, LEDGER, SEQUENCE, WATERMARK_ALGORITHM
from falsework.rights.sequence import Listed, canonical_list, digest_of, parse_names, strangers
from falsework.rights.statements import (
    Statements,
    assertions_of,
    manifest_statements,
    plain,
    rows,
    table,
)
from falsework.rights.statuses import Fault, faults_of, notes_of

__all__ = [
    "EXIT_CODES",
    "IngredientOutcome",
    "SignerSeen",
    "State",
    "Verification",
    "interpret",
    "listed_by",
    "verify",
]

State = Literal["trusted", "valid", "invalid", "unsigned"]
EXIT_CODES: dict[State, int] = {"trusted": 0, "valid": 1, "invalid": 3, "unsigned": 4}
SIDECARS = "*.c2pa"
MOST_SIDECARS = 50
NOTHING_SAID = Statements()
DAMAGED = "it holds Content Credentials that are damaged beyond reading"


@dataclass(frozen=True)
class SignerSeen:
    """Who signed, as the certificate says; `test` where it is of a chain made for trying out."""

    name: str
    organisation: str
    issuer: str
    algorithm: str
    serial: str
    ends: str
    test: bool


@dataclass(frozen=True)
class Verification:
    """The whole outcome.

    state      trusted: intact, and the signer is vouched for by an anchor given; valid: intact, by a signer
               nobody here vouches for; invalid: see `faults`; unsigned: no credentials were found
    manifest   label of the manifest that counts
    signed_at  by the time-stamp authority's clock, "" where there is no time-stamp
    sidecar    where the credentials were found, if not in the file itself
    files      how many files of a sequence were checked, of how many
    unbound    parts of the file that its signature leaves out, as the standard has it
    """

    path: str
    state: State
    manifest: str = ""
    signer: SignerSeen | None = None
    signed_at: str = ""
    statements: Statements = NOTHING_SAID
    ingredients: tuple[IngredientOutcome, ...] = ()
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    ledger_root: str = ""
    ledger_size: int | None = None
    cut: str = ""
    watermark: str = ""
    sidecar: str = ""
    files_checked: int = 0
    files_listed: int = 0
    unbound: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.state]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "exit_code": self.exit_code}


def verify(
    path: Path,
    *,
    anchors: str = "",
    limits: reading.Limits = reading.DEFAULT_LIMITS,
    isolated: bool = True,
) -> Verification:
    """Check a movie, a still, a sequence's folder or sidecar, or one file of a sequence.

    Of a folder this checks the one sequence in it; `falsework.rights.folder` checks everything there is.

    anchors   PEM roots whose signers are trusted; none is built in
    isolated  read in a process of its own (see `reading.read`)

    Raises FalseworkError for what cannot be read or goes beyond the limits.
    """
    if path.is_dir():
        # A delivery as a whole: its sequence has the sidecar; its movie and stills are signed by themselves.
        found = sorted(path.glob(SIDECARS)) or sorted(path.glob(f"exr/{SIDECARS}"))
        if len(found) > 1:
            raise FalseworkError(
                f"holds {len(found)} sidecars", where=path, todo=f"Name one, such as {found[0]}."
            )
        if not found:
            note = "the folder holds no sidecar (.c2pa)"
            return Verification(str(path), "unsigned", notes=(note,))
        path = found[0]
    if path.suffix.lower() == ".c2pa":
        return _verify_sidecar(path, anchors, limits, isolated)
    said = reading.read(reading.Subject(path), anchors=anchors, limits=limits, isolated=isolated)
    if said["found"] in ("none", "unsupported"):
        beside = _sidecar_of(path, limits, isolated)
        if beside is not None:
            return _verify_sidecar(beside, anchors, limits, isolated, only=path)
        # A changed byte may hide the credentials, or the file's form, from the library. A file of another
        # form may well contain signed ones (an archive), so that is looked into no further.
        if reading.media_type(path) is not None and reading.holds_store(path):
            said["found"] = "broken"
    elif said["found"] == "broken" and not reading.holds_store(path):
        raise FalseworkError(
            f"cannot be read as {path.suffix[1:].upper() or 'a picture'} and holds no Content Credentials",
            where=path,
            todo="Nothing is known about it; treat it as unsigned.",
        )
    return interpret(said, path, limits=limits)


def interpret(
    said: reading.Reading, path: Path, *, limits: reading.Limits = reading.DEFAULT_LIMITS
) -> Verification:
    """The outcome for what the library says of a file."""
    if said["found"] == "remote":
        words = "its credentials are kept on the network, and are not fetched from there"
        return Verification(str(path), "unsigned", notes=(words,))
    if said["found"] in ("none", "unsupported"):
        return Verification(str(path), "unsigned")
    if said["found"] == "broken":
        return Verification(str(path), "invalid", faults=(Fault("damaged", DAMAGED),))
    store = said["store"]
    manifests = table(store.get("manifests"))
    label = str(store.get("active_manifest", ""))
    manifest = table(manifests.get(label))
    results = table(store.get("validation_results"))
    own = results.get("activeManifest")
    lineage = Lineage.of(label, manifests, results.get("ingredientDeltas"), limits)
    faults = [*faults_of(own), *lineage.faults]
    if said["state"] not in ("Trusted", "Valid") and not faults:
        faults.append(Fault("general.error", "the credentials do not hold"))
    state: State = "trusted" if said["state"] == "Trusted" else "valid"
    ledger = next(assertions_of(manifest, LEDGER), {})
    delivery = next(assertions_of(manifest, DELIVERY), {})
    size = ledger.get("size")
    return Verification(
        str(path),
        "invalid" if faults else state,
        plain(label),
        _signer(said, manifest),
        plain(table(manifest.get("signature_info")).get("time")),
        manifest_statements(manifest),
        lineage.ingredients,
        tuple(faults),
        notes_of(own),
        plain(ledger.get("root")),
        size if isinstance(size, int) else None,
        plain(delivery.get("cut")),
        _watermark(manifest),
        unbound=_unbound(said["bindings"]),
    )


def _verify_sidecar(
    sidecar: Path, anchors: str, limits: reading.Limits, isolated: bool, only: Path | None = None
) -> Verification:
    """A sidecar with its files: those of the list it binds, or the one file it was made for."""
    listed, wrong = _listed(sidecar, limits, isolated)
    folder = sidecar.parent
    if listed is None:
        subject = only or _neighbour(sidecar)
        if subject is None and wrong:
            return Verification(str(sidecar), "invalid", faults=wrong, sidecar=str(sidecar))
        if subject is None:
            raise FalseworkError(
                "is a sidecar, and the file that it belongs to is not beside it",
                where=sidecar,
                todo=f"Put them into one folder under one name ({sidecar.stem}.mov, {sidecar.name}).",
            )
        said = reading.read(
            reading.Subject(subject, sidecar), anchors=anchors, limits=limits, isolated=isolated
        )
        return replace(interpret(said, subject, limits=limits), sidecar=str(sidecar))
    bound = canonical_list(listed)
    said = reading.read(
        reading.Subject(sidecar, sidecar, bound), anchors=anchors, limits=limits, isolated=isolated
    )
    outcome = interpret(said, only or sidecar, limits=limits)
    wanted = listed
    faults: list[Fault] = []
    notes = list(outcome.notes)
    if only is not None:
        name = only.resolve().relative_to(folder.resolve()).as_posix()
        wanted = tuple(each for each in listed if each.name == name)
        notes.append(f"one file of a sequence of {len(listed)}; the others were not checked")
    else:
        faults += [
            Fault("sequence.stranger", f"{name} is not of the sequence that was signed")
            for name in strangers(listed, folder)
        ]
        faults += _list_faults(sidecar.with_suffix(".sha256"), bound)
    with ThreadPoolExecutor(max_workers=4) as pool:
        faults += [
            fault for found in pool.map(lambda each: _file_faults(folder, each), wanted) for fault in found
        ]
    missing = [each for each in wanted if not (folder / each.name).is_file()]
    faults += [
        Fault("sequence.renamed", f"{name} is {each.name} under another name")
        for each, name in _renamed(missing, folder)
    ]
    return replace(
        outcome,
        state="invalid" if faults else outcome.state,
        faults=(*outcome.faults, *faults),
        notes=tuple(notes),
        sidecar=str(sidecar),
        files_checked=len(wanted),
        files_listed=len(listed),
        unbound=(),
    )


def _listed(
    sidecar: Path, limits: reading.Limits, isolated: bool
) -> tuple[tuple[Listed, ...] | None, tuple[Fault, ...]]:
    """The list in a sidecar, None where it has none, and what is wrong with the sidecar by itself."""
    if sidecar.exists() and sidecar.stat().st_size > limits.answer_bytes:
        raise FalseworkError("is larger than sidecars are read here", where=sidecar)
    said = reading.read(reading.Subject(sidecar), limits=limits, isolated=isolated)
    if said["found"] != "store":
        return None, (Fault("damaged", DAMAGED),)
    # Without what it binds a sidecar cannot match it; everything else must hold.
    wrong = tuple(
        fault for fault in interpret(said, sidecar).faults if not fault.code.endswith("Hash.mismatch")
    )
    store = said["store"]
    manifest = table(table(store.get("manifests")).get(str(store.get("active_manifest"))))
    for data in assertions_of(manifest, SEQUENCE):
        return parse_names(data), wrong
    return None, wrong


def listed_by(
    sidecar: Path, *, limits: reading.Limits = reading.DEFAULT_LIMITS, isolated: bool = True
) -> tuple[Listed, ...]:
    """The files of the sequence that a sidecar claims; () of one for a single file, or of a damaged one."""
    return _listed(sidecar, limits, isolated)[0] or ()


def _renamed(missing: list[Listed], folder: Path) -> Iterator[tuple[Listed, str]]:
    """Missing files that lie in their folder under another name, with that name."""
    if not missing:
        return
    wanted = {(each.size, each.sha256): each for each in missing}
    sizes = {size for size, _ in wanted}
    for place in sorted({(folder / each.name).parent for each in missing}):
        for path in sorted(place.glob("*")) if place.is_dir() else ():
            if path.is_file() and not path.is_symlink() and path.stat().st_size in sizes:
                each = wanted.get(digest_of(path))
                if each is not None:
                    yield each, path.relative_to(folder).as_posix()


def _file_faults(folder: Path, listed: Listed) -> tuple[Fault, ...]:
    path = folder / listed.name
    if not path.is_file():
        return (Fault("sequence.missing", f"{listed.name} is missing"),)
    # The size first: a file that grew to fill the disk need not be read to know.
    if path.stat().st_size != listed.size or not hmac.compare_digest(digest_of(path)[1], listed.sha256):
        return (Fault("sequence.mismatch", f"{listed.name} was changed after it was signed"),)
    return ()


def _list_faults(path: Path, bound: bytes) -> list[Fault]:
    """The list of digests beside the sidecar, which other tools go by, must be the signed one where it is."""
    if path.is_file() and (path.stat().st_size != len(bound) or path.read_bytes() != bound):
        return [Fault("sequence.list", f"{path.name} is not the list that was signed")]
    return []


def _sidecar_of(path: Path, limits: reading.Limits, isolated: bool) -> Path | None:
    """The sidecar that a file goes with: of its own name, or one in its folder whose list has it."""
    for beside in (path.with_name(path.name + ".c2pa"), path.with_suffix(".c2pa")):
        if beside.is_file() and _lists(beside, path, limits, isolated, alone=True):
            return beside
    for folder in (path.parent, path.parent.parent):
        for beside in sorted(folder.glob(SIDECARS))[:MOST_SIDECARS]:
            if _lists(beside, path, limits, isolated, alone=False):
                return beside
    return None


def _lists(sidecar: Path, path: Path, limits: reading.Limits, isolated: bool, *, alone: bool) -> bool:
    try:
        listed, _ = _listed(sidecar, limits, isolated)
        if listed is None:
            return alone
        name = path.resolve().relative_to(sidecar.parent.resolve()).as_posix()
    except (FalseworkError, ValueError):
        return False
    return any(each.name == name for each in listed)


def _neighbour(sidecar: Path) -> Path | None:
    """The file a single sidecar belongs to: "x.mov" of "x.c2pa" or "x.mov.c2pa"."""
    if (exact := sidecar.with_suffix("")).is_file():
        return exact
    others = [
        each for each in sorted(sidecar.parent.glob("*")) if each.is_file() and each.stem == sidecar.stem
    ]
    return next((each for each in others if each != sidecar and each.suffix != ".sha256"), None)


def _signer(said: reading.Reading, manifest: Mapping[str, Any]) -> SignerSeen:
    info = table(manifest.get("signature_info"))
    certificate = table(said["certificate"].get("certificateInfo"))
    issuer, subject = table(certificate.get("issuer")), table(certificate.get("subject"))
    organisation = plain(subject.get("O") or info.get("issuer"))
    return SignerSeen(
        plain(info.get("common_name")) or organisation or "an unnamed signer",
        organisation,
        plain(issuer.get("CN") or issuer.get("O")),
        plain(info.get("alg")),
        plain(info.get("cert_serial_number")),
        plain(table(certificate.get("validity")).get("notAfter")),
        TEST_ORGANISATION in (organisation, issuer.get("O")),
    )


def _watermark(manifest: Mapping[str, Any]) -> str:
    """The pointer in the frames, in hexadecimal, where the manifest tells of one of our marks."""
    for data in assertions_of(manifest, "c2pa.soft-binding"):
        for block in rows(data.get("blocks")) if data.get("alg") == WATERMARK_ALGORITHM else ():
            try:
                return base64.b64decode(str(block.get("value")), validate=True).hex()
            except ValueError:
                return ""
    return ""


def _unbound(bindings: dict[str, Any]) -> tuple[str, ...]:
    """What the file's hash leaves out: byte ranges, or boxes of a movie."""
    parts: list[str] = []
    for data in bindings.values():
        for each in rows(table(data).get("exclusions"))[:100]:
            if "xpath" in each:
                parts.append(f"box {plain(each['xpath'])}")
            elif "start" in each:
                parts.append(f"{plain(each.get('length'))} bytes from byte {plain(each['start'])}")
    return tuple(parts)
