"""C2PA's validation status codes as faults and notes in words.

The codes are those of the specification 2.4 ("validation status codes"); one that is not known here is still
a fault, in the library's own words. That a signer is not known to the one who checks is no fault: trust is
decided apart from integrity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from falsework.rights.statements import plain

__all__ = ["BEYOND", "Fault", "codes_of", "faults_of", "notes_of", "vouched_for"]

TRUSTED, UNTRUSTED = "signingCredential.trusted", "signingCredential.untrusted"

WORDS = {
    "assertion.dataHash.mismatch": "the file was changed after it was signed",
    "assertion.bmffHash.mismatch": "the movie was changed after it was signed",
    "assertion.boxesHash.mismatch": "the file was changed after it was signed",
    "assertion.collectionHash.mismatch": "files of the collection were changed after it was signed",
    "assertion.hashedURI.mismatch": "a statement in the credentials was changed after they were signed",
    "assertion.missing": "a statement that was signed is missing from the credentials",
    "assertion.inaccessible": "a statement that was signed cannot be reached",
    "assertion.undeclared": "the credentials hold a statement that was not signed",
    "claim.missing": "the credentials hold no claim",
    "claim.multiple": "the credentials hold more than one claim",
    "claim.hardBindings.missing": "nothing binds the credentials to the file",
    "assertion.multipleHardBindings": "more than one hash claims to bind the credentials to the file",
    "claimSignature.missing": "the credentials are not signed",
    "claimSignature.mismatch": "the signature does not fit: the credentials were changed after signing",
    "claimSignature.outsideValidity": "it was signed when the signing certificate was not valid",
    "signingCredential.invalid": "the signing certificate is not fit for Content Credentials",
    "signingCredential.expired": "the signing certificate has expired, and no trusted time-stamp is older",
    "signingCredential.revoked": "the signing certificate was revoked by its authority",
    "signingCredential.ocsp.revoked": "the signing certificate was revoked by its authority",
    "timeStamp.mismatch": "the time-stamp is for something else",
    "timeStamp.outsideValidity": "the time-stamp lies outside its authority's validity",
    "algorithm.unsupported": "it uses a method of signing or hashing that is not accepted",
    "manifest.inaccessible": "the credentials cannot be reached",
    "manifest.multipleParents": "the credentials name more than one parent",
    "ingredient.manifest.missing": "an ingredient's credentials are missing",
    "ingredient.manifest.mismatch": "an ingredient's credentials were changed after this was signed",
    "ingredient.claimSignature.missing": "an ingredient's signature is missing",
    "ingredient.claimSignature.mismatch": "an ingredient's signature was changed after this was signed",
    "ingredient.hashedURI.mismatch": "an ingredient's record was changed after this was signed",
    "general.error": "the credentials cannot be checked",
}
# Signers may leave out more than the standard does; what of the file that is, `Verification.unbound` lists.
BEYOND = {
    "assertion.bmffHash.additionalExclusionsPresent": "the signer left parts of the movie unbound",
    "assertion.dataHash.additionalExclusionsPresent": "the signer left parts of the file unbound",
    "assertion.boxesHash.additionalExclusionsPresent": "the signer left parts of the file unbound",
}
NOTES = {
    **BEYOND,
    "timeStamp.untrusted": "the time-stamp comes from an authority that is not among the anchors given",
    "timeStamp.malformed": "there is a time-stamp that cannot be read",
    "timeStamp.outsideValidity": "the time-stamp lies outside its authority's validity",
    "timeStamp.mismatch": "there is a time-stamp, and it is for something else",
    "signingCredential.ocsp.inaccessible": "whether the signing certificate was revoked could not be asked",
}


@dataclass(frozen=True)
class Fault:
    """Something that makes the credentials invalid; `ingredient` names the one concerned, "" the file."""

    code: str
    words: str
    ingredient: str = ""


def faults_of(results: object, *, ingredient: str = "") -> tuple[Fault, ...]:
    """The failures of `validation_results` (one manifest's), or of an older reader's `validation_status`."""
    about = f"ingredient {ingredient}: " if ingredient else ""
    found: dict[tuple[str, str], Fault] = {}
    for code, explanation in _statuses(results, "failure"):
        if code == UNTRUSTED:
            continue
        words = WORDS.get(code) or f"{plain(explanation) or 'a check failed'} ({plain(code)})"
        found.setdefault((code, words), Fault(plain(code), about + words, ingredient))
    return tuple(found.values())


def notes_of(results: object) -> tuple[str, ...]:
    """What is worth knowing and makes nothing invalid."""
    return tuple(dict.fromkeys(NOTES[code] for code in codes_of(results) if code in NOTES))


def codes_of(results: object) -> frozenset[str]:
    """The codes of successes and of what is worth knowing: failures are faults."""
    return frozenset(code for kind in ("success", "informational") for code, _ in _statuses(results, kind))


def vouched_for(results: object) -> bool | None:
    """Whether an anchor vouches for the signer, as these results have it; None where they do not say."""
    if any(code == UNTRUSTED for code, _ in _statuses(results, "failure")):
        return False
    return True if TRUSTED in codes_of(results) else None


def _statuses(results: object, kind: str) -> Iterable[tuple[str, str]]:
    """(code, explanation) of one kind; whatever is not of that form is passed over."""
    if isinstance(results, list):  # validation_status of version 1: failures alone
        entries: object = results if kind == "failure" else []
    elif isinstance(results, Mapping):
        entries = results.get(kind, [])
    else:
        entries = []
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping):
            words: Mapping[str, Any] = entry
            yield str(words.get("code", "general.error")), str(words.get("explanation") or "")
