"""The certificates and the key that deliveries are signed with, and a labelled chain for trying it out.

A signer's certificate must be what C2PA 2.4 (its section on X.509 certificates) asks for: valid at the time
of signing, not an authority, for digital signatures, with the extended usage emailProtection (or
documentSigning, or C2PA's own), and with an authority key identifier. It is checked here first, because the
library's own refusals name a code, not a remedy. Keys are held out of `repr`, and no message here or in
`signing` quotes a key file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from falsework.errors import FalseworkError

__all__ = [
    "CHAIN",
    "KEY",
    "ROOT",
    "TEST_ORGANISATION",
    "USAGES",
    "Credentials",
    "certificates_of",
    "load_credentials",
    "make_test_chain",
    "read_trust",
]

CHAIN, KEY, ROOT = "chain.pem", "key.pem", "root.pem"
# Shown by every reader of a file signed with such a chain, ours and others'.
TEST_ORGANISATION = "falsework TEST chain - not for release"
TEST_DAYS = 365

C2PA_CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
USAGES = (ExtendedKeyUsageOID.EMAIL_PROTECTION, DOCUMENT_SIGNING, C2PA_CLAIM_SIGNING)
MOST_BYTES = 1 << 20  # no PEM file of certificates or keys is larger than this

Extension = TypeVar("Extension", bound=x509.ExtensionType)
SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
OBTAIN = "Ask your certificate authority for a C2PA or S/MIME (emailProtection) signing certificate, "
TRY_OUT = "or make a chain for trying out with `falsework credentials init`."


@dataclass(frozen=True)
class Credentials:
    """Who signs.

    chain      PEM: the signer's certificate and those between it and the root
    root       PEM of the root, or "" where it is not at hand; never part of what is signed
    algorithm  C2PA's name: es256, es384, es512, ps256, ed25519
    name       the signer's common name; `organisation` its organisation
    starts, ends  when the signer's certificate is valid
    test       made by `make_test_chain`
    """

    chain: str = field(repr=False)
    root: str = field(repr=False)
    algorithm: str
    name: str
    organisation: str
    starts: datetime
    ends: datetime
    test: bool
    source: str
    # A function, and not the bytes: what writes fields out (asdict, pickle) has no key to write.
    _key: Callable[[], bytes] = field(repr=False, compare=False)

    def key(self) -> bytes:
        """The key as PKCS #8 PEM, for the signing library alone; never to be written or shown."""
        return self._key()

    def check(self, at: datetime) -> None:
        """Raise a sentence unless this certificate may sign at this time."""
        day = "%d %B %Y %H:%M UTC"
        if at > self.ends:
            raise FalseworkError(
                f"the signing certificate of {self.name} expired on {self.ends.strftime(day)}",
                where=self.source,
                todo="Renew it with the authority that issued it, " + TRY_OUT,
            )
        if at < self.starts:
            raise FalseworkError(
                f"the signing certificate of {self.name} is not valid before {self.starts.strftime(day)}",
                where=self.source,
                todo="Wait until then, or set this machine's clock right if it is slow.",
            )


def make_test_chain(folder: Path, *, at: datetime, name: str = "falsework TEST signer") -> Credentials:
    """Make a chain root → intermediate → signer for trying out, labelled as such in every certificate.

    Writes chain.pem, root.pem, key.pem (mode 0600) and a README into the folder, and never over anything:
    where one of them exists a FalseworkError says so. The root's and the intermediate's keys are used once
    and not kept, so that nobody can issue another certificate under a root that someone chose to trust.
    """
    taken = [path.name for path in (folder / CHAIN, folder / KEY, folder / ROOT) if path.exists()]
    if taken:
        raise FalseworkError(
            f"there are credentials here already ({', '.join(taken)}) and they are never overwritten",
            where=folder,
            todo="Choose another folder with --dir, or move these away first.",
        )
    root, root_key = _issue("falsework TEST root", at, authority=1)
    between, between_key = _issue("falsework TEST intermediate", at, authority=0, issuer=(root, root_key))
    signer, key = _issue(name, at, issuer=(between, between_key))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_new(folder / KEY, secret, 0o600)
        _write_new(folder / CHAIN, _pem(signer) + _pem(between), 0o644)
        _write_new(folder / ROOT, _pem(root), 0o644)
        if not (folder / ".gitignore").exists():
            _write_new(folder / ".gitignore", f"{KEY}\n".encode(), 0o644)
        readme = folder / "README.txt"
        if not readme.exists():
            _write_new(readme, TEST_README.encode(), 0o644)
    except OSError as error:
        raise FalseworkError(
            f"could not be written ({error.strerror or 'unknown reason'})",
            where=folder,
            todo="Choose a folder of your own with --dir.",
        ) from None
    return load_credentials(folder)


def load_credentials(
    folder: Path | None = None,
    *,
    chain: Path | None = None,
    key: Path | None = None,
    root: Path | None = None,
    passphrase: str | None = None,
) -> Credentials:
    """Read and check a signer's certificates and key: from a folder as `make_test_chain` makes, or each.

    Everything that does not depend on the time is checked here; `Credentials.check` does the rest.
    """
    if folder is not None:
        chain, key = chain or folder / CHAIN, key or folder / KEY
        root = root or (folder / ROOT if (folder / ROOT).exists() else None)
    if chain is None or key is None:
        raise FalseworkError("signing needs a certificate chain and its key", todo="Name both, " + TRY_OUT)
    certificates = certificates_of(_read(chain), chain)
    signing_key = _load_key(key, passphrase)
    signer = certificates[0]
    _check_usage(signer, chain)
    if signer.public_key() != signing_key.public_key():
        raise FalseworkError(
            f"the key does not belong to the first certificate in {chain.name}",
            where=key,
            todo="Put the signer's own certificate first, and name the key it was requested with.",
        )
    _check_chain(certificates, chain)
    organisation = _name(signer.subject, NameOID.ORGANIZATION_NAME)
    secret = signing_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Credentials(
        chain=b"".join(_pem(each) for each in certificates if not _is_root(each)).decode(),
        root=b"".join(_pem(each) for each in certificates_of(_read(root), root)).decode() if root else "",
        algorithm=_algorithm(signing_key, key),
        name=_name(signer.subject, NameOID.COMMON_NAME) or organisation or "an unnamed signer",
        organisation=organisation,
        starts=signer.not_valid_before_utc,
        ends=signer.not_valid_after_utc,
        test=TEST_ORGANISATION in (organisation, _name(signer.issuer, NameOID.ORGANIZATION_NAME)),
        source=chain.name,
        _key=lambda: secret,
    )


def read_trust(path: Path) -> str:
    """The PEM certificates of a file of roots, or of a credentials folder's root.pem, checked to be such."""
    if path.is_dir():
        path = path / ROOT
    return b"".join(_pem(each) for each in certificates_of(_read(path), path)).decode()


def certificates_of(content: bytes, path: Path) -> list[x509.Certificate]:
    """The certificates in a PEM file, at least one."""
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        found = []
    if not found:
        raise FalseworkError(
            "holds no certificate that can be read",
            where=path,
            todo="It should be a PEM file: -----BEGIN CERTIFICATE----- and what follows.",
        )
    return found


def _issue(
    name: str,
    at: datetime,
    *,
    authority: int | None = None,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """One certificate; `authority` is the number of authorities that may follow, None for a signer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, TEST_ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    by, by_key = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
    is_authority = authority is not None
    usage = x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    draft = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(minutes=5))  # clocks differ a little
        .not_valid_after(at + timedelta(days=TEST_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=authority), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False
        )
    )
    if not is_authority:
        draft = draft.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
    return draft.sign(by_key, hashes.SHA256()), key


def _check_usage(signer: x509.Certificate, where: Path) -> None:
    """What C2PA asks of a signer's certificate, as sentences."""

    def refuse(what: str) -> FalseworkError:
        return FalseworkError(
            f"this certificate may not sign Content Credentials: {what}", where=where, todo=OBTAIN + TRY_OUT
        )

    basic = _extension(signer, x509.BasicConstraints)
    if basic is not None and basic.ca:
        raise refuse("it is an authority's, made to issue certificates")
    if signer.issuer == signer.subject:
        raise refuse("it is self-signed, so nobody vouches for it")
    usage = _extension(signer, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        raise refuse("its key usage does not include digital signatures")
    extended = _extension(signer, x509.ExtendedKeyUsage)
    purposes = list(extended) if extended is not None else []
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in purposes:
        raise refuse("it is for any purpose, which the standard forbids")
    if not any(purpose in USAGES for purpose in purposes):
        known = {
            ExtendedKeyUsageOID.SERVER_AUTH: "web servers",
            ExtendedKeyUsageOID.CLIENT_AUTH: "clients of web servers",
            ExtendedKeyUsageOID.CODE_SIGNING: "program code",
            ExtendedKeyUsageOID.TIME_STAMPING: "time-stamps",
        }
        purpose_words = [known.get(purpose, purpose.dotted_string) for purpose in purposes]
        raise refuse(f"it is for {' and '.join(purpose_words) if purpose_words else 'no stated purpose'}")
    if _extension(signer, x509.AuthorityKeyIdentifier) is None:
        raise refuse("it does not name its authority's key (authority key identifier)")


def _extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _check_chain(certificates: list[x509.Certificate], where: Path) -> None:
    """Each certificate must be issued by the next."""
    for number, (lower, upper) in enumerate(pairwise(certificates), start=1):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature):
            raise FalseworkError(
                f"certificate {number} was not issued by certificate {number + 1}",
                where=where,
                todo="The signer's certificate comes first, then the one that issued it, and so on up.",
            ) from None


def _load_key(path: Path, passphrase: str | None) -> SigningKey:
    content = _read(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise FalseworkError(
            "other users of this machine can read this key",
            where=path,
            todo=f"Run `chmod 600 {path.name}`, and have the certificate replaced if others had access.",
        )
    # The library's own messages are kept out of ours: they may quote what they could not read.
    try:
        key = serialization.load_pem_private_key(content, passphrase.encode() if passphrase else None)
    except TypeError:
        if passphrase:
            return _load_key(path, None)
        raise FalseworkError(
            "this key is protected by a passphrase",
            where=path,
            todo="Put the passphrase into the environment variable FALSEWORK_KEY_PASSPHRASE.",
        ) from None
    except Exception:
        what = (
            "the passphrase is wrong, or the key is damaged"
            if passphrase
            else "this is no key that can be read"
        )
        raise FalseworkError(
            what, where=path, todo="It should be a PEM file: -----BEGIN PRIVATE KEY----- and what follows."
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise FalseworkError("this kind of key cannot sign Content Credentials", where=path, todo=_KINDS)
    return key


_KINDS = "Use an elliptic-curve key (P-256, P-384, P-521), Ed25519, or RSA of at least 2048 bits."


def _algorithm(key: SigningKey, where: Path) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "ps256"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        curves = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
        if key.curve.name in curves:
            return curves[key.curve.name]
    raise FalseworkError("this key is of a size or curve that C2PA does not allow", where=where, todo=_KINDS)


def _read(path: Path) -> bytes:
    try:
        # A pipe would be waited for, and a device has no end.
        if path.exists() and not path.is_file():
            raise FalseworkError("is no file", where=path, todo="Name a PEM file.")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise FalseworkError("is far too large for a file of certificates or keys", where=path)
        return content
    except OSError as error:
        reason = "is not there" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise FalseworkError(reason, where=path, todo="Check the path, " + TRY_OUT) from None


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Create a file that must not exist yet, with its mode from the first moment."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _is_root(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject


def _name(name: x509.Name, kind: ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(kind)
    return str(found[0].value) if found else ""


TEST_README = f"""TEST credentials, made by `falsework credentials init`.

Nobody but you vouches for them. Every certificate says "{TEST_ORGANISATION}". What is signed
with them reads "valid, not trusted" everywhere, except where someone names root.pem as an anchor of trust:

    falsework verify FILE --trust root.pem

{CHAIN}  the signer's certificate and the intermediate one
{ROOT}   the root; its key and the intermediate's were not kept
{KEY}    the signer's private key: keep it to yourself, and out of version control
"""
