"""State on a server: the suite of all engines against a real one, kills of it and of its writers, silence."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ads_state_suite import Open, StateSuite, event
from falsework.ads.state.opening import open_state as opened
from falsework.ads.state.valkey import PASSWORD, ValkeyState
from falsework.errors import FalseworkError
from test_ads_state_lmdb import check_books, start_writers, told_by

pytest.importorskip("redis", reason="the client for Valkey and Redis (extra `ads`) is not installed")


class Server:
    """A server of our own on a socket; what it wrote to its append-only file outlives a kill."""

    def __init__(self, program: str, folder: Path, *options: str) -> None:
        self.folder, self.address = folder, f"unix://{folder / 'socket'}"
        self._words = [
            program, "--port", "0", "--unixsocket", str(folder / "socket"), "--dir", str(folder),
            "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no", *options,
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "socket").unlink(missing_ok=True)
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            try:
                with socket.socket(socket.AF_UNIX) as line:
                    line.connect(str(self.folder / "socket"))
                    line.settimeout(5)
                    line.sendall(b"PING\r\n")
                    if line.recv(16)[:5] in {b"+PONG", b"-NOAU"}:
                        return
            except OSError:
                pass
            time.sleep(0.02)
        self.kill()
        pytest.skip("the server could not be started here")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def program() -> str:
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        pytest.skip("neither valkey-server nor redis-server is installed here")
    return found


@pytest.fixture
def server(program: str) -> Iterator[Server]:
    # The path of a socket may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="falsework-"))
    made = Server(program, folder)
    made.start()
    yield made
    made.kill()
    shutil.rmtree(folder, ignore_errors=True)


def patient(address: str) -> ValkeyState:
    """On a busy machine an answer may take longer than a decision would wait."""
    return ValkeyState(address, timeout=10.0)


class TestValkeyState(StateSuite):
    @pytest.fixture
    def open_state(self, server: Server) -> Open:
        return lambda: patient(server.address)


def test_writers_that_are_killed_lose_nothing_and_overspend_nothing(server: Server) -> None:
    rng = random.Random(6)
    firsts, paid, budget = [0, 0, 0], 0, 2_000
    address = f"{server.address}?socket_timeout=10"
    for _ in range(3):
        writers = start_writers(address, firsts, budget)
        for writer in writers:
            time.sleep(rng.uniform(0.02, 0.15))
            writer.send_signal(signal.SIGKILL)
        told = told_by(writers)
        state = patient(server.address)
        paid = check_books(state, firsts, told, paid)
        assert paid <= budget
        firsts = [first + len(each) + 1 for first, each in zip(firsts, told, strict=True)]
        state.close()
    assert sum(firsts) > 20


def test_a_server_that_is_killed_has_all_it_acknowledged(server: Server) -> None:
    writers = start_writers(f"{server.address}?socket_timeout=10", [0, 0], 1_000_000)
    time.sleep(0.5)
    server.kill()
    told = told_by(writers)  # they end with an error
    server.start()
    state = patient(server.address)
    check_books(state, [0, 0], told, 0)
    state.close()


def test_leases_taken_at_once_are_never_more_than_the_budget(server: Server) -> None:
    given: list[int] = []

    def take() -> None:
        state = patient(server.address)
        for _ in range(25):
            lease = state.lease("item", 7, budget=500, now=1000.0, seconds=100)
            given.append(lease.amount if lease is not None else 0)
        state.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(given) == 500


def test_everything_but_what_was_spent_has_an_end(server: Server) -> None:
    import redis

    state = patient(server.address)
    state.record([event("a", viewer="v")])
    state.lease("item", 7, budget=500, now=1000.0, seconds=100)
    client = redis.Redis.from_url(server.address)
    ends = {key: client.ttl(key) for key in client.keys("*")}
    assert len(ends) == 5
    assert all(key.startswith(b"{falsework}:") for key in ends)
    assert [key for key, seconds in ends.items() if seconds == -1] == [
        key for key in ends if key.startswith(b"{falsework}:spent:")
    ]
    client.close()
    state.close()


def test_a_password_is_taken_and_never_told(
    program: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="falsework-"))
    server = Server(program, folder, "--requirepass", "sesame-open")
    server.start()
    try:
        with pytest.raises(FalseworkError) as refused:
            ValkeyState(server.address, timeout=10)
        assert "password" in refused.value.sentence()
        with pytest.raises(FalseworkError) as refused:
            ValkeyState(server.address.replace("unix://", "unix://:sesame-shut@"), timeout=10)
        assert "sesame" not in refused.value.sentence() + caplog.text
        ValkeyState(server.address.replace("unix://", "unix://:sesame-open@"), timeout=10).close()
        monkeypatch.setenv(PASSWORD, "sesame-open")
        state = ValkeyState(server.address, timeout=10)
        assert state.record([event("a")]) == [True]
        state.close()
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def test_without_a_server_there_is_a_sentence_and_no_password(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for address in (f"valkey://user:secret@127.0.0.1:{port}/0", f"unix://:secret@{tmp_path}/none"):
        with pytest.raises(FalseworkError) as refused:
            opened(address)
        assert "does not answer" in refused.value.sentence()
        assert "secret" not in refused.value.sentence()
    for address in ("redis://host:port:secret/0", "redis://:secret@host:99999999/x"):
        with pytest.raises(FalseworkError) as refused:
            opened(address)
        assert "secret" not in refused.value.sentence().replace("port:secret", "")


def test_a_server_that_is_silent_is_not_waited_for() -> None:
    """One that takes the connection and never answers; a test of time only in that it ends at all."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(FalseworkError, match="does not answer"),
    ):
        opened(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")


def test_one_that_goes_away_is_told_and_comes_back(server: Server) -> None:
    state = patient(server.address)
    state.record([event("a")])
    server.kill()
    for call in (
        lambda: state.record([event("b")]),
        lambda: state.history("s"),
        lambda: state.lease("item", 1, budget=10, now=0.0, seconds=1),
        lambda: state.spent(["item"]),
        lambda: state.outstanding(["item"], 0.0),
    ):
        with pytest.raises(FalseworkError, match="does not answer"):
            call()
    server.start()
    assert state.record([event("a"), event("b")]) == [False, True]
    state.close()
