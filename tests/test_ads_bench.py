"""The bench of the decision server counts what was answered, and with what."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from falsework.bench.ads.load import measure
from falsework.bench.ads.running import run
from falsework.errors import FalseworkError

PAID = b'{"id":"1","seatbid":[{"bid":[{"id":"a","impid":"1","price":12.5,"adm":"' + b"x" * 5_000 + b'"}]}]}'
HOUSE = b'{"id":"1","seatbid":[{"bid":[{"id":"a","impid":"1","price":0.0,"adm":"x"}]}]}'
NOTHING = b'{"id":"1","nbr":0}'
BODY = b'{"id":"1"}'


def said(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """A server that gives each connection these answers in turn, in pieces; b"" closes it."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            number = 0
            while self.request.recv(65_536):
                answer = answers[number % len(answers)]
                number += 1
                if not answer:
                    return
                for at in range(0, len(answer), 100):
                    self.request.sendall(answer[at : at + 100])

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "unfilled", "house"),
    [
        (said(200, PAID), 0, 0),
        (said(200, HOUSE), 0, 20),
        (said(200, NOTHING), 20, 0),
        (said(503, PAID), 20, 0),
    ],
)
def test_each_answer_counts_as_what_it_is(answer: bytes, unfilled: int, house: int) -> None:
    with answering(answer) as port:
        found = measure("127.0.0.1", port, [BODY], 200.0, 0.1)
    assert (found.requests, found.unfilled, found.house) == (20, unfilled, house)
    assert 0 < found.p50 <= found.p95 <= found.p99 <= found.most
    assert found.reached == pytest.approx(20 / found.seconds)


def test_what_is_never_answered_is_unfilled() -> None:
    with answering(said(200, PAID), b"") as port:
        found = measure("127.0.0.1", port, [BODY], 1_000.0, 0.1)
    assert found.requests == 100
    assert 0 < found.unfilled < 100


def test_nobody_there_is_said() -> None:
    with answering() as port:
        pass
    with pytest.raises(FalseworkError, match="nobody answers"):
        measure("127.0.0.1", port, [BODY], 10.0, 0.1)


def test_a_server_of_its_own_is_measured(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("granian")
    (row,) = run(40, [40.0], 0.5)
    assert row.line_items == 40
    assert (row.measured.requests, row.measured.unfilled) == (20, 0)
    assert row.resident > 2**20
    assert "Traceback" not in capfd.readouterr().err
