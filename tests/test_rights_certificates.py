"""Certificates: the chain for trying out, and why others may not sign."""

from __future__ import annotations

import json
import pickle
import stat
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from falsework.cli import main as cli
from falsework.errors import FalseworkError
from falsework.rights.certificates import TEST_ORGANISATION, load_credentials, make_test_chain, read_trust
from signing_cases import NOW, OPEN, PEM, PKCS8, issue, write_chain

ROOT = issue("root", authority=True)
BETWEEN = issue("between", ROOT, authority=True)


def test_the_test_chain_is_labelled_and_its_key_is_private(tmp_path: Path) -> None:
    made = make_test_chain(tmp_path / "credentials", at=NOW)
    assert made.test
    assert made.algorithm == "es256"
    names = {path.name for path in (tmp_path / "credentials").iterdir()}
    assert names == {"chain.pem", "root.pem", "key.pem", "README.txt", ".gitignore"}
    assert stat.S_IMODE((tmp_path / "credentials" / "key.pem").stat().st_mode) == 0o600
    certificates = x509.load_pem_x509_certificates(made.chain.encode() + made.root.encode())
    assert len(certificates) == 3
    for certificate in certificates:
        assert TEST_ORGANISATION in certificate.subject.rfc4514_string()
        assert "TEST" in certificate.subject.rfc4514_string()
    assert sum("PRIVATE" in path.read_text() for path in (tmp_path / "credentials").iterdir()) == 1


@pytest.mark.parametrize("name", ["chain.pem", "root.pem", "key.pem"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(FalseworkError, match="never overwritten"):
        make_test_chain(tmp_path, at=NOW)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_credentials_never_show_their_key(tmp_path: Path) -> None:
    made = make_test_chain(tmp_path / "credentials", at=NOW)
    secret = "".join((tmp_path / "credentials" / "key.pem").read_text().splitlines()[1:-1])
    assert secret not in repr(made).replace("\\n", "")
    assert "PRIVATE" not in repr(made) + str(made)
    assert "PRIVATE" not in repr(asdict(made)) + repr(vars(made))
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(made)
    assert made.key().startswith(b"-----BEGIN PRIVATE KEY")


def test_the_command_makes_a_chain_and_refuses_a_second(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    assert cli.main(["credentials", "init", "--dir", str(folder), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["trust"] == str(folder / "root.pem")
    assert "PRIVATE" not in said.out + said.err
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert cli.main(["credentials", "init", "--dir", str(folder)]) == 2
    assert "never overwritten" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)}, "it is for web servers"),
        ({"purposes": (ExtendedKeyUsageOID.CODE_SIGNING,)}, "it is for program code"),
        ({"purposes": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)}, "any purpose"),
        ({"purposes": None}, "no stated purpose"),
        ({"usage": False}, "digital signatures"),
        ({"authority_key": False}, "authority key identifier"),
        ({"authority": True}, "an authority's"),
    ],
)
def test_a_certificate_for_something_else_is_refused(tmp_path: Path, known: dict, words: str) -> None:
    folder = write_chain(tmp_path / "c", issue("mara", BETWEEN, **known), BETWEEN[0], ROOT[0])
    with pytest.raises(FalseworkError, match=words) as refused:
        load_credentials(folder)
    assert "credentials init" in refused.value.sentence()


def test_a_self_signed_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match="self-signed"):
        load_credentials(write_chain(tmp_path / "c", issue("mara")))


@pytest.mark.parametrize(
    ("starts", "ends", "words"),
    [(-20, -10, "expired on"), (10, 20, "is not valid before")],
)
def test_a_certificate_out_of_its_time_may_not_sign(
    tmp_path: Path, starts: int, ends: int, words: str
) -> None:
    signer = issue("mara", BETWEEN, starts=NOW + timedelta(days=starts), ends=NOW + timedelta(days=ends))
    credentials = load_credentials(write_chain(tmp_path / "c", signer, BETWEEN[0], ROOT[0]))
    with pytest.raises(FalseworkError, match=words):
        credentials.check(NOW)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    signer, other = issue("mara", BETWEEN), issue("tom", BETWEEN)
    with pytest.raises(FalseworkError, match="does not belong"):
        load_credentials(write_chain(tmp_path / "c", (signer[0], other[1]), BETWEEN[0], ROOT[0]))


def test_a_chain_out_of_order_is_refused(tmp_path: Path) -> None:
    folder = write_chain(tmp_path / "c", issue("mara", BETWEEN), ROOT[0], ROOT[0])
    with pytest.raises(FalseworkError, match="certificate 1 was not issued by certificate 2"):
        load_credentials(folder)


@pytest.mark.parametrize("content", [b"", b"SECRETSECRET", b"-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n"])
def test_a_broken_key_is_refused_without_quoting_it(tmp_path: Path, content: bytes) -> None:
    folder = write_chain(tmp_path / "c", issue("mara", BETWEEN), BETWEEN[0], ROOT[0])
    (folder / "key.pem").write_bytes(content)
    with pytest.raises(FalseworkError, match="no key that can be read") as refused:
        load_credentials(folder)
    assert "SECRET" not in refused.value.sentence()
    assert refused.value.__cause__ is None


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    folder = write_chain(tmp_path / "c", issue("mara", BETWEEN), BETWEEN[0], ROOT[0])
    (folder / "key.pem").chmod(0o644)
    with pytest.raises(FalseworkError, match="chmod 600"):
        load_credentials(folder)


def test_a_passphrase_is_asked_for_and_never_shown(tmp_path: Path) -> None:
    signer = issue("mara", BETWEEN)
    folder = write_chain(tmp_path / "c", signer, BETWEEN[0], ROOT[0])
    locked = serialization.BestAvailableEncryption(b"open sesame")
    (folder / "key.pem").write_bytes(signer[1].private_bytes(PEM, PKCS8, locked))
    with pytest.raises(FalseworkError, match="FALSEWORK_KEY_PASSPHRASE"):
        load_credentials(folder)
    with pytest.raises(FalseworkError, match="passphrase is wrong") as refused:
        load_credentials(folder, passphrase="open barley")
    assert "barley" not in refused.value.sentence()
    assert load_credentials(folder, passphrase="open sesame").name == "mara"


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP256K1()), rsa.generate_private_key(65537, 1024)],
    ids=["curve", "size"],
)
def test_keys_that_the_standard_does_not_allow_are_refused(
    tmp_path: Path, key: ec.EllipticCurvePrivateKey
) -> None:
    folder = write_chain(tmp_path / "c", issue("mara", BETWEEN), BETWEEN[0], ROOT[0])
    (folder / "key.pem").write_bytes(key.private_bytes(PEM, PKCS8, OPEN))
    with pytest.raises(FalseworkError, match="does not belong"):
        load_credentials(folder)
    from falsework.rights import certificates

    with pytest.raises(FalseworkError, match="size or curve"):
        certificates._algorithm(key, folder)


def test_every_algorithm_has_its_name() -> None:
    from falsework.rights.certificates import _algorithm

    where = Path("key.pem")
    assert _algorithm(ed25519.Ed25519PrivateKey.generate(), where) == "ed25519"
    assert _algorithm(ec.generate_private_key(ec.SECP384R1()), where) == "es384"
    assert _algorithm(rsa.generate_private_key(65537, 2048), where) == "ps256"


def test_a_file_without_certificates_is_no_anchor(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("hello")
    for path in (tmp_path / "root.pem", tmp_path):
        with pytest.raises(FalseworkError, match="holds no certificate"):
            read_trust(path)
    with pytest.raises(FalseworkError, match="is not there"):
        read_trust(tmp_path / "none.pem")
