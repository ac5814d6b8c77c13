"""What a file's Content Credentials come to: who signed, whether that is trusted, what was changed since.

Works on any file from anyone. Stricter than the library's own verdict in two ways: an ingredient that was
broken when it was taken in is a failure here even where the delivery around it is intact and trusted, and a
file that holds the remains of credentials which cannot be read is invalid, not merely unsigned.
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from falsework.errors import FalseworkError
from falsework.rights import reading
from falsework.rights.certificates import TEST_ORGANISATION
from falsework.rights.forms import MEDIA_TYPES, form_of_bytes, media_type
from falsework.rights.lineage import IngredientOutcome, Lineage
from falsework.rights.manifest import DELIVERY, LEDGER, SEQUENCE, WATERMARK_ALGORITHM
from falsework.rights.movie_boxes import added_boxes
from falsework.rights.sequence import Added, Listed, added_files, canonical_list, digest_of, parse_names
from falsework.rights.statements import (
    Statements,
    assertions_of,
    manifest_statements,
    plain,
    rows,
    table,
)
from falsework.rights.statuses import BEYOND, Fault, codes_of, faults_of, notes_of

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
SIDECAR, SIDECARS = ".c2pa", "*.c2pa"
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
    unbound    parts of the file that its signature leaves out; `beyond` whether more than the standard leaves
    stamped    whose clock `signed_at` is: "trusted", an anchor given here vouches for the authority;
               "untrusted", anybody may have stamped it; "" where there is no time-stamp
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
    beyond: bool = False
    stamped: Literal["", "trusted", "untrusted"] = ""

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
    # One end for all of it: a folder may hold many sidecars, and each takes a reader.
    limits = limits.begun(path.stat().st_size if path.is_file() else 0)
    if path.suffix.lower() == ".c2pa":
        return _verify_sidecar(path, anchors, limits, isolated)
    said = reading.look(path, anchors=anchors, limits=limits, isolated=isolated)
    if said["found"] in ("none", "unsupported") or (said["found"] == "broken" and said["remains"] != "own"):
        beside, damaged = _sidecar_of(path, limits, isolated)
        if beside is not None:
            return _verify_sidecar(beside, anchors, limits, isolated, only=path)
        if said["found"] == "broken" or _misnamed(path):
            form = path.suffix[1:].upper() or "a picture"
            raise FalseworkError(
                f"cannot be read as {plain(form)} and holds no Content Credentials",
                where=path,
                todo="Nothing is known about it; treat it as unsigned.",
            )
        notes = [f"a damaged sidecar lies beside it: {plain(each.name)}" for each in damaged]
        if said["remains"] == "within":
            notes.append("a file within it carries Content Credentials of its own, which were not checked")
        return Verification(str(path), "unsigned", notes=tuple(notes))
    return _without_additions(interpret(said, path, limits=limits), path)


def _without_additions(outcome: Verification, path: Path) -> Verification:
    """Of a signed movie, what was added where its hash does not look makes it invalid too."""
    if not outcome.manifest or not (media_type(path) or "").startswith(("video/", "audio/mp4", "image/hei")):
        return outcome
    added = added_boxes(path)
    return replace(
        outcome,
        state="invalid" if added.faults else outcome.state,
        faults=(*outcome.faults, *added.faults),
        notes=(*outcome.notes, *added.notes),
    )


def _misnamed(path: Path) -> bool:
    """Whether a file is named as a form that can be told by its first bytes, and they do not tell of it."""
    named = MEDIA_TYPES.get(path.suffix.lower(), "")
    return named.startswith("image/") and path.stat().st_size > 0 and form_of_bytes(path) is None


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
        beyond=any(code in BEYOND for code in codes_of(own)),
        stamped=_stamped(table(manifest.get("signature_info")).get("time"), codes_of(own)),
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
        outcome = _without_additions(interpret(said, subject, limits=limits), subject)
        return replace(outcome, sidecar=str(sidecar))
    bound = canonical_list(listed)
    said = reading.read(
        reading.Subject(sidecar, sidecar, bound), anchors=anchors, limits=limits, isolated=isolated
    )
    outcome = interpret(said, only or sidecar, limits=limits)
    wanted = listed
    faults: list[Fault] = []
    notes, added = list(outcome.notes), Added()
    if only is not None:
        name = only.resolve().relative_to(folder.resolve()).as_posix()
        wanted = tuple(each for each in listed if each.name == name)
        notes.append(f"one file of a sequence of {len(listed)}; the others were not checked")
    else:
        added = added_files(listed, folder)
        if added.takes:
            more = f" and {len(added.takes) - 1:,} more" if len(added.takes) > 1 else ""
            notes.append(f"beside it lies another take that it does not list: {plain(added.takes[0])}{more}")
        faults += _list_faults(sidecar.with_suffix(".sha256"), bound)
    # The end was set by the sidecar's size; what it lists may be much more.
    until = limits.lengthened(sum(each.size for each in wanted if _as_large(folder, each))).until
    with ThreadPoolExecutor(max_workers=4) as pool:
        hashed = pool.map(lambda each: _file_faults(folder, each, until), wanted)
        faults += [fault for found in hashed for fault in found]
    missing = [each for each in wanted if not (folder / each.name).is_file()]
    renamed = {name: each for each, name in _renamed(missing, folder, until)}
    faults += [
        Fault("sequence.renamed", f"{plain(name)} is {plain(each.name)} under another name")
        for name, each in renamed.items()
    ]
    faults += [
        Fault("sequence.stranger", f"{plain(name)} is not of the sequence that was signed")
        for name in added.strangers
        if name not in renamed
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


def _renamed(missing: list[Listed], folder: Path, until: float | None) -> Iterator[tuple[Listed, str]]:
    """Missing files that lie in their folder under another name, with that name."""
    if not missing:
        return
    wanted = {(each.size, each.sha256): each for each in missing}
    sizes = {size for size, _ in wanted}
    for place in sorted({(folder / each.name).parent for each in missing}):
        for path in sorted(place.glob("*")) if place.is_dir() else ():
            if path.is_file() and not path.is_symlink() and path.stat().st_size in sizes:
                each = wanted.get(digest_of(path, until))
                if each is not None:
                    yield each, path.relative_to(folder).as_posix()


def _as_large(folder: Path, listed: Listed) -> bool:
    """Whether a listed file is there in its size: no other is read."""
    path = folder / listed.name
    return path.is_file() and path.stat().st_size == listed.size


def _file_faults(folder: Path, listed: Listed, until: float | None) -> tuple[Fault, ...]:
    path = folder / listed.name
    if not path.is_file():
        return (Fault("sequence.missing", f"{plain(listed.name)} is missing"),)
    # The size first: a file that grew to fill the disk need not be read to know.
    if not _as_large(folder, listed) or not hmac.compare_digest(digest_of(path, until)[1], listed.sha256):
        return (Fault("sequence.mismatch", f"{plain(listed.name)} was changed after it was signed"),)
    return ()


def _list_faults(path: Path, bound: bytes) -> list[Fault]:
    """The list of digests beside the sidecar, which other tools go by, must be the signed one where it is."""
    if path.is_file() and (path.stat().st_size != len(bound) or path.read_bytes() != bound):
        return [Fault("sequence.list", f"{plain(path.name)} is not the list that was signed")]
    return []


def _sidecar_of(path: Path, limits: reading.Limits, isolated: bool) -> tuple[Path | None, tuple[Path, ...]]:
    """The sidecar that a file goes with: of its own name, or one in its folder whose list has it.

    And those there that cannot be read: one of them may have been its own.
    """
    own = (path.with_name(path.name + SIDECAR), path.with_suffix(SIDECAR))
    near, above = (
        sorted(folder.glob(SIDECARS))[:MOST_SIDECARS] for folder in (path.parent, path.parent.parent)
    )
    damaged = []
    for beside in dict.fromkeys((*(each for each in own if each.is_file()), *near, *above)):
        if limits.until is not None and time.monotonic() > limits.until:
            raise FalseworkError(
                "its sidecar could not be found in time", where=path, todo="Name the sidecar itself (.c2pa)."
            )
        try:
            listed, wrong = _listed(beside, limits, isolated)
        except FalseworkError:
            damaged.append(beside)
            continue
        if listed is None and beside in own:
            return beside, ()
        if listed is None and any(each.code == "damaged" for each in wrong):
            damaged.append(beside)
        elif listed is not None and _name_below(path, beside.parent) in {each.name for each in listed}:
            return beside, ()
    return None, tuple(damaged)


def _name_below(path: Path, folder: Path) -> str | None:
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return None


def _neighbour(sidecar: Path) -> Path | None:
    """The file a single sidecar belongs to: "x.mov" of "x.c2pa" or "x.mov.c2pa"."""
    if (exact := sidecar.with_suffix("")).is_file():
        return exact
    others = [
        each
        for each in sorted(sidecar.parent.glob("*"))
        if each.is_file() and each.stem == sidecar.stem and each.suffix not in (SIDECAR, ".sha256")
    ]
    if len(others) > 1:
        some = ", ".join(plain(each.name) for each in others[:4])
        raise FalseworkError(
            f"may belong to any of {len(others)} files ({some})",
            where=sidecar,
            todo="Name the file itself, or put the two into a folder of their own.",
        )
    return others[0] if others else None


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


def _stamped(said: object, codes: frozenset[str]) -> Literal["", "trusted", "untrusted"]:
    if not said:
        return ""
    return "trusted" if "timeStamp.trusted" in codes else "untrusted"


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
