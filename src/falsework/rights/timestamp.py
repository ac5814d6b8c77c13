"""RFC 3161 time-stamps: an authority outside signs that a statement existed at a time.

A token is the authority's whole response in DER, so that `openssl ts -verify -data STATEMENT -in TOKEN
-CAfile ROOTS` checks it without this software. Nothing is asked of an authority that the user did not name.
"""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from falsework.errors import FalseworkError

__all__ = ["Stamp", "read_stamp", "request_stamp", "trusted_roots", "verify_stamp"]

LARGEST = 1 << 20  # bytes of a response; they take some 5 kB
WAIT = 10.0  # seconds
GRANTED = 0  # RFC 3161, 2.4.2; "granted with modifications" is not what was asked for
DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
GO_ON = "Check the authority's address, or go on without a time-stamp."


@dataclass(frozen=True)
class Stamp:
    """What a checked token says: when, and who signed it (the subject of the authority's certificate)."""

    time: datetime
    authority: str


def request_stamp(statement: bytes, url: str, *, wait: float = WAIT, roots: bytes = b"") -> bytes:
    """The authority's token over `statement`; given up after `wait` seconds.

    The answer must be to this very request (digest, nonce); with `roots` (PEM) its signature is checked.
    """
    place = _public(url)
    request = TimestampRequestBuilder().data(statement).hash_algorithm(HashAlgorithm.SHA256)
    built = request.cert_request(cert_request=True).build()
    token = _posted(url, place, built.as_bytes(), wait)
    response = _decoded(token, place)
    if response.status != GRANTED:
        words = "; ".join(response.status_string).rstrip(".") or f"status {response.status}"
        raise FalseworkError(f"the time-stamp authority refused ({words})", where=place, todo=GO_ON)
    info = response.tst_info
    if info.nonce != built.nonce or info.message_imprint.message != built.message_imprint.message:
        raise FalseworkError(
            "the time-stamp authority's answer is to another request", where=place, todo=GO_ON
        )
    if roots:
        _verified(response, statement, roots, place)
    return token


def verify_stamp(token: bytes, statement: bytes, roots: bytes) -> Stamp:
    """Check that an authority below `roots` (PEM certificates) signed `statement`; says when and who."""
    return _verified(_granted(token), statement, roots, "time-stamp")


def read_stamp(token: bytes, statement: bytes) -> datetime:
    """When a token claims to be of. It is checked to be over `statement`; who signed it is not: anybody can
    set up an authority that says whatever they like."""
    info = _granted(token).tst_info
    imprint = info.message_imprint
    kind = DIGESTS.get(imprint.hash_algorithm.dotted_string)
    if kind is None or imprint.message != hashlib.new(kind, statement).digest():
        raise FalseworkError("the time-stamp is over something else", where="time-stamp")
    return info.gen_time.astimezone(UTC)


def _granted(token: bytes) -> TimeStampResponse:
    response = _decoded(token, "time-stamp")
    if response.status != GRANTED:
        raise FalseworkError("the time-stamp is a refusal of the authority, not a stamp")
    return response


def trusted_roots(roots: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM file; a FalseworkError where there are none."""
    try:
        return x509.load_pem_x509_certificates(roots)
    except ValueError as error:
        raise FalseworkError(
            "the authority's root certificates do not read as PEM",
            todo="Give a file with one or more BEGIN CERTIFICATE blocks.",
        ) from error


def _verified(response: TimeStampResponse, statement: bytes, roots: bytes, place: str) -> Stamp:
    trusted = trusted_roots(roots)
    try:
        VerifierBuilder(roots=trusted).build().verify_message(response, statement)
        sent = [x509.load_der_x509_certificate(one) for one in response.signed_data.certificates]
        (signer,) = response.signed_data.signer_infos
    except (VerificationError, ValueError) as error:
        raise FalseworkError(
            f"the time-stamp does not hold ({error})",
            where=place,
            todo="Either the statement was changed, or the authority is not the one whose roots were given.",
        ) from error
    known = {(one.issuer, one.serial_number): one for one in [*trusted, *sent]}
    who = known.get((signer.issuer, signer.serial_number))
    return Stamp(
        response.tst_info.gen_time.astimezone(UTC), who.subject.rfc4514_string() if who else "unknown"
    )


def _decoded(token: bytes, place: str) -> TimeStampResponse:
    if len(token) > LARGEST:
        raise FalseworkError("the time-stamp is too large to be one", where=place)
    try:
        response = decode_timestamp_response(token)
        if response.status == GRANTED:
            _ = response.tst_info  # is read only now, and may be missing or damaged
        return response
    except ValueError as error:
        raise FalseworkError("the time-stamp cannot be read", where=place, todo=GO_ON) from error


def _public(url: str) -> str:
    """The URL without a user or password, for messages; only http and https are let through."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urllib.parse.urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        raise FalseworkError(
            "the time-stamp authority's address is not one of the web",
            todo="Write it as https://HOST/PATH.",
        )
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


def _posted(url: str, place: str, body: bytes, wait: float) -> bytes:
    request = urllib.request.Request(
        url, data=body, headers={"Content-Type": "application/timestamp-query"}, method="POST"
    )
    until = time.monotonic() + wait
    received = bytearray()
    try:
        with urllib.request.urlopen(request, timeout=wait) as answer:
            # `timeout` is for each read alone: an authority that trickles is given up on here.
            while chunk := answer.read1(1 << 16):
                received += chunk
                if len(received) > LARGEST:
                    raise FalseworkError(
                        "the time-stamp authority's answer is too large", where=place, todo=GO_ON
                    )
                if time.monotonic() > until:
                    raise TimeoutError
    except urllib.error.HTTPError as error:
        raise FalseworkError(
            f"the time-stamp authority answered with HTTP status {error.code}", where=place, todo=GO_ON
        ) from error
    except TimeoutError as error:
        raise FalseworkError(
            f"the time-stamp authority did not answer within {wait:g} seconds", where=place, todo=GO_ON
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            reason = f"no answer within {wait:g} seconds"
        raise FalseworkError(
            f"the time-stamp authority cannot be reached ({reason})", where=place, todo=GO_ON
        ) from error
    return bytes(received)
