"""RFC 3161 against an authority of our own: `openssl ts`, served on the loopback."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.rights.ledger import Ledger
from ledgers import AT, people

timestamp = pytest.importorskip(
    "falsework.rights.timestamp", reason="rfc3161-client (extra `rights`) is not installed"
)

STATEMENT = b'{"root":"00","size":3}'
CONFIG = """
[tsa]
default_tsa = stamps
[stamps]
serial = {folder}/serial
crypto_device = builtin
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
signer_digest = sha256
accuracy = secs:1
ordering = yes
ess_cert_id_chain = no
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True)
class Authority:
    """The folder of a certificate authority and a time-stamp authority below it."""

    folder: Path

    @property
    def roots(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    def openssl(self, *words: str) -> None:
        done = subprocess.run(
            ["openssl", *words], capture_output=True, text=True, check=False, cwd=self.folder
        )
        assert done.returncode == 0, done.stderr

    def reply(self, query: bytes, name: str = "query") -> bytes:
        (self.folder / f"{name}.tsq").write_bytes(query)
        self.openssl(
            "ts", "-reply", "-config", "openssl.cnf", "-queryfile", f"{name}.tsq", "-inkey", "signer.key",
            "-signer", "signer.pem", "-out", f"{name}.tsr",
        )  # fmt: skip
        return (self.folder / f"{name}.tsr").read_bytes()


def an_authority(folder: Path) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here")
    (folder / "openssl.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    authority = Authority(folder)
    for name, common_name in (("root", "Test root"), ("signer", "Test time-stamps")):
        issuer = ["-CA", "root.pem", "-CAkey", "root.key"] if name == "signer" else []
        authority.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-config", "openssl.cnf", "-extensions", name, "-subj", f"/CN={common_name}",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", *issuer,
        )  # fmt: skip
    return authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return an_authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def served(answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            with suppress(OSError):  # the asker has given up
                answer(self, query)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa"
    finally:
        server.shutdown()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/timestamp-reply")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_stamp_is_had_and_holds(authority: Authority) -> None:
    with served(lambda handler, query: send(handler, authority.reply(query))) as url:
        token = timestamp.request_stamp(STATEMENT, url, roots=authority.roots)
    stamp = timestamp.verify_stamp(token, STATEMENT, authority.roots)
    assert abs(stamp.time - datetime.now(UTC)) < timedelta(minutes=5)
    assert stamp.authority == "CN=Test time-stamps"
    with pytest.raises(FalseworkError, match="does not hold"):
        timestamp.verify_stamp(token, STATEMENT + b" ", authority.roots)


def test_openssl_alone_checks_it(authority: Authority) -> None:
    with served(lambda handler, query: send(handler, authority.reply(query))) as url:
        token = timestamp.request_stamp(STATEMENT, url)
    (authority.folder / "statement").write_bytes(STATEMENT)
    (authority.folder / "token.tsr").write_bytes(token)
    authority.openssl("ts", "-verify", "-data", "statement", "-in", "token.tsr", "-CAfile", "root.pem")


def test_any_flipped_byte_of_what_is_signed_is_found(authority: Authority) -> None:
    """None of them leaves a stamp that holds and says something else."""
    with served(lambda handler, query: send(handler, authority.reply(query))) as url:
        token = timestamp.request_stamp(STATEMENT, url)
    good = timestamp.verify_stamp(token, STATEMENT, authority.roots)
    for place in range(0, len(token), 7):
        flipped = bytearray(token)
        flipped[place] ^= 0x10
        try:
            assert timestamp.verify_stamp(bytes(flipped), STATEMENT, authority.roots) == good
        except FalseworkError:
            continue


def test_other_roots_do_not_do(authority: Authority, tmp_path: Path) -> None:
    other = an_authority(tmp_path)
    with served(lambda handler, query: send(handler, authority.reply(query))) as url:
        with pytest.raises(FalseworkError, match="does not hold"):
            timestamp.request_stamp(STATEMENT, url, roots=other.roots)
        with pytest.raises(FalseworkError, match="PEM"):
            timestamp.request_stamp(STATEMENT, url, roots=b"no certificate")


def test_an_answer_to_another_request_is_refused(authority: Authority) -> None:
    replies: list[bytes] = []

    def replay(handler: BaseHTTPRequestHandler, query: bytes) -> None:
        if not replies:
            replies.append(authority.reply(query, "replayed"))
        send(handler, replies[0])

    with served(replay) as url:
        timestamp.request_stamp(STATEMENT, url)
        with pytest.raises(FalseworkError, match="another request"):
            timestamp.request_stamp(STATEMENT, url)


def test_a_refusal_is_told(authority: Authority) -> None:
    with (
        served(lambda handler, query: send(handler, authority.reply(b"no request", "bad"))) as url,
        pytest.raises(FalseworkError, match="refused"),
    ):
        timestamp.request_stamp(STATEMENT, url)


def trickle(handler: BaseHTTPRequestHandler, query: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"0")
        handler.wfile.flush()
        time.sleep(0.05)


def too_much(handler: BaseHTTPRequestHandler, query: bytes) -> None:
    send(handler, bytes(3 << 20))


def cut_short(handler: BaseHTTPRequestHandler, query: bytes) -> None:
    handler.wfile.write(b"nonsense")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda handler, query: send(handler, b"", 503), "HTTP status 503"),
        (lambda handler, query: send(handler, b"<html>sign in</html>"), "cannot be read"),
        (lambda handler, query: send(handler, b""), "cannot be read"),
        (lambda handler, query: send(handler, bytes.fromhex("30053003020100")), "cannot be read"),
        (lambda handler, query: send(handler, bytes.fromhex("30053003020102")), "refused"),
        (lambda handler, query: time.sleep(1), "did not answer|no answer"),
        (trickle, "did not answer"),
        (too_much, "too large"),
        (cut_short, "cannot be reached"),
    ],
    ids=[
        "503",
        "a web page",
        "nothing",
        "granted nothing",
        "refused",
        "silence",
        "a trickle",
        "a flood",
        "nonsense",
    ],
)
def test_a_bad_authority_gets_a_sentence(
    answer: Callable[[BaseHTTPRequestHandler, bytes], None], words: str
) -> None:
    with served(answer) as url, pytest.raises(FalseworkError, match=words) as caught:
        timestamp.request_stamp(STATEMENT, url, wait=0.4)
    assert "go on without" in caught.value.sentence()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://anna:sesame@127.0.0.1:1/tsa"])
def test_a_dead_authority_gets_a_sentence_without_its_password(url: str) -> None:
    with pytest.raises(FalseworkError, match="cannot be reached") as caught:
        timestamp.request_stamp(STATEMENT, url, wait=2)
    assert "sesame" not in caught.value.sentence()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/", "tsa.example", "https://", "http://[/"])
def test_only_addresses_of_the_web(url: str) -> None:
    with pytest.raises(FalseworkError, match="https://HOST"):
        timestamp.request_stamp(STATEMENT, url)


def test_an_anchor_is_sealed(authority: Authority, tmp_path: Path) -> None:
    with (
        served(lambda handler, query: send(handler, authority.reply(query))) as url,
        Ledger.open(tmp_path / "l") as ledger,
    ):
        ledger.append(people(5), at=AT)
        anchor = ledger.anchor(
            at=AT, stamp=lambda statement: timestamp.request_stamp(statement, url, roots=authority.roots)
        )
        assert timestamp.verify_stamp(anchor.token, anchor.statement(), authority.roots).time
        assert ledger.verify() == []
    # Without an answer there is no anchor, and the ledger is as it was.
    with Ledger.open(tmp_path / "l") as ledger:
        before = ledger.anchors_file.read_bytes() if ledger.anchors_file else b""
        with pytest.raises(FalseworkError, match="cannot be reached"):
            ledger.anchor(at=AT, stamp=lambda one: timestamp.request_stamp(one, "http://127.0.0.1:1", wait=1))
        assert ledger.anchors_file is not None
        assert ledger.anchors_file.read_bytes() == before
        assert ledger.verify() == []
