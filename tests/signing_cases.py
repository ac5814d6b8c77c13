"""Material for the tests of Content Credentials: certificates good and bad, small pictures, an authority."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from falsework.rights.certificates import Credentials
from falsework.rights.manifest import Ingredient, LedgerHead, ManifestInput
from falsework.rights.sequence import digest_of
from falsework.rights.signing import sign

NOW = datetime.now(UTC)
SUFFIXES = (".png", ".jpg", ".tif", ".mp4", ".mov")
PEM, PKCS8, OPEN = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
Key = ec.EllipticCurvePrivateKey


def noise(seed: int = 1, height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_picture(path: Path, seed: int = 1) -> Path:
    """A small picture or movie of noise, in the form its suffix says."""
    if path.suffix not in (".mp4", ".mov"):
        assert cv2.imwrite(str(path), noise(seed))
        return path
    with av.open(str(path), "w") as movie:
        stream = movie.add_stream("libx264", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for frame in range(4):
            picture = av.VideoFrame.from_ndarray(noise(seed + frame), format="rgb24")
            movie.mux(stream.encode(picture))
        movie.mux(stream.encode())
    return path


def write_sequence(folder: Path, frames: int = 4, size: int = 3000) -> list[Path]:
    """Files by the names of EXR frames; what is in them does not matter to a sidecar."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for frame in range(1001, 1001 + frames):
        paths.append(folder / f"shot.{frame}.exr")
        paths[-1].write_bytes(np.random.default_rng(frame).bytes(size))
    return paths


def ingredient(path: Path, **known: Any) -> Ingredient:
    return Ingredient(path.name, digest_of(path)[1], path=path, **known)


def manifest(*ingredients: Ingredient, **known: Any) -> ManifestInput:
    return ManifestInput(
        "corner_010", cut="1c" * 32, ledger=LedgerHead("ab" * 32, 12), ingredients=ingredients, **known
    )


def signed_forms(folder: Path, credentials: Credentials) -> Callable[[str], Path]:
    """Gives a signed file of each form, with an ingredient that is signed itself; made once each."""
    plate = sign(write_picture(folder / "p.png", 7), folder / "plate.png", manifest(), credentials, at=NOW)

    def make(suffix: str) -> Path:
        path = folder / f"signed{suffix}"
        if not path.exists():
            source = write_picture(folder / f"source{suffix}")
            sign(source, path, manifest(ingredient(plate.path)), credentials, at=NOW)
        return path

    return make


def issue(
    name: str,
    issuer: tuple[x509.Certificate, Key] | None = None,
    *,
    authority: bool = False,
    purposes: tuple[x509.ObjectIdentifier, ...] | None = (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    usage: bool = True,
    authority_key: bool = True,
    starts: datetime = NOW - timedelta(hours=1),
    ends: datetime = NOW + timedelta(days=30),
) -> tuple[x509.Certificate, Key]:
    """A certificate with whatever may be wrong with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, by_key = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
    draft = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if usage:
        flags = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        draft = draft.add_extension(
            x509.KeyUsage(
                digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **flags
            ),
            critical=True,
        )
    if purposes is not None and not authority:
        timestamps = ExtendedKeyUsageOID.TIME_STAMPING in purposes
        draft = draft.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=timestamps)
    if authority_key:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key())
        draft = draft.add_extension(identifier, critical=False)
    return draft.sign(by_key, hashes.SHA256()), key


def write_chain(folder: Path, signer: tuple[x509.Certificate, Key], *upper: x509.Certificate) -> Path:
    """A folder of credentials: the last of `upper` is the root."""
    folder.mkdir(parents=True)
    certificates = [signer[0], *upper[:-1]]
    (folder / "chain.pem").write_bytes(b"".join(each.public_bytes(PEM) for each in certificates))
    if upper:
        (folder / "root.pem").write_bytes(upper[-1].public_bytes(PEM))
    (folder / "key.pem").write_bytes(signer[1].private_bytes(PEM, PKCS8, OPEN))
    (folder / "key.pem").chmod(0o600)
    return folder


class Authority:
    """An RFC 3161 authority on this machine: `openssl ts` behind HTTP."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        root = issue("time root", authority=True)
        stamps = issue("time", root, purposes=(ExtendedKeyUsageOID.TIME_STAMPING,))
        write_chain(folder / "tsa", stamps, root[0])
        (folder / "serial").write_text("01")
        settings = folder / "openssl.cnf"
        settings.write_text(
            "[tsa]\ndefault_tsa = here\n[here]\n"
            f"serial = {folder}/serial\nsigner_cert = {folder}/tsa/chain.pem\n"
            f"certs = {folder}/tsa/chain.pem\n"
            f"signer_key = {folder}/tsa/key.pem\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\n"
            "digests = sha256, sha384, sha512\nordering = no\ntsa_name = no\ness_cert_id_alg = sha256\n"
        )
        self.root = (folder / "tsa" / "root.pem").read_text()
        question = folder / "question.tsq"

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
                answer = subprocess.run(
                    ["openssl", "ts", "-reply", "-config", str(settings), "-queryfile", str(question)],
                    capture_output=True,
                    check=True,
                ).stdout
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
