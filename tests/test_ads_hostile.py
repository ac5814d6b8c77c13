"""What nobody means well with: refused in a sentence, within the deadline, by a server that goes on."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ads_at_work import at_work, request
from falsework.ads.campaigns.sample import campaigns_file
from falsework.ads.server import app as at_app
from falsework.ads.server.running import Settings, serve

PLENTY = 60.0  # seconds, after which a test that hangs has failed


def _serve(settings: Settings) -> None:
    serve(settings)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(
        campaigns=str(campaigns_file()), state=str(folder / "state"), key_file=str(folder / "key"), port=port
    )
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(settings,))
    process.start()
    try:
        _wait_for(port)
        yield "127.0.0.1", port
        assert process.is_alive(), "the server did not survive its tests"
        assert _get(("127.0.0.1", port), "/health")[0] == 200
    finally:
        process.terminate()
        process.join(10)
        if process.is_alive():
            process.kill()


def _wait_for(port: int) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not come up")


def _get(address: tuple[str, int], path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    asked = urllib.request.Request(f"http://{address[0]}:{address[1]}{path}", data=body, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=PLENTY) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _raw(address: tuple[str, int], *parts: bytes) -> bytes:
    """What comes back for these parts before the server closes the connection, or its answer's head; b"" for
    a connection that is closed without a word. One that it leaves open ends the test."""
    found = b""
    with socket.create_connection(address, timeout=PLENTY) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            while chunk := connection.recv(65_536):
                found += chunk
                if b"\r\n\r\n" in found:
                    break
        except (ConnectionResetError, BrokenPipeError):
            pass
    return found


BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "request"),
    "no JSON": (b"\x00\x01\x02", "request"),
    "no UTF-8": (b'{"id":"\xff\xfe","imp":[]}', "request"),
    "an overlong UTF-8": (b'{"id":"\xc0\xaf","imp":[]}', "request"),
    "half a surrogate": (b'{"id":"\\ud800","imp":[]}', "request"),
    "deep lists": (b'{"id":"1","ext":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "request"),
    "deep and open": (b"[" * 200_000, "request"),
    "deep objects": (b'{"ext":' + b'{"a":' * 30_000 + b"1" + b"}" * 30_000 + b"}", "request"),
    "text that does not end": (b'{"id":"' + b'\\"[' * 60_000, "request"),
    "a number beyond numbers": (b'{"id":"1","imp":[{"id":"1","bidfloor":1e999}]}', "imp[0].bidfloor"),
    "a list as request": (b"[]", "request"),
    "many placements": (
        json.dumps(
            {"id": "1", "imp": [{"id": str(n), "video": {"mimes": ["a"]}} for n in range(1_000)]}
        ).encode(),
        "imp",
    ),
    "another type": (json.dumps(request(imp=[{"id": "1", "video": 7}])).encode(), "imp[0].video"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_request_gets_400_with_the_field(address: tuple[str, int], name: str) -> None:
    body, field = BODIES[name]
    status, answer = _get(address, "/openrtb2", body)
    assert status == 400, answer
    told = json.loads(answer)["error"]
    assert told["field"] == field
    assert told["what"]


def test_ten_megabytes_are_not_read(address: tuple[str, int]) -> None:
    found = _raw(
        address,
        b"POST /openrtb2 HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" + b"[" * 300_000,
    )
    assert found.startswith(b"HTTP/1.1 413") or not found


def test_ten_megabytes_in_chunks_are_cut_off(address: tuple[str, int]) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = b"POST /openrtb2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    found = _raw(address, head, *[chunk] * 160, b"0\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 413") or not found


def test_what_is_packed_is_not_unpacked(address: tuple[str, int]) -> None:
    status, _ = _get(address, "/openrtb2", b"\x1f\x8b\x08", **{"Content-Encoding": "gzip"})
    assert status == 415


def test_a_body_that_does_not_end_is_cut(address: tuple[str, int]) -> None:
    found = _raw(address, b"POST /openrtb2 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", b"{")
    assert found.startswith(b"HTTP/1.1 408")


def test_a_body_that_comes_in_drops_is_cut_whatever_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is for the whole of it: each further drop gives no more."""
    monkeypatch.setattr(at_app, "BODY_SECONDS", 0.05)
    drops = 0

    async def receive() -> dict[str, Any]:
        nonlocal drops
        drops += 1
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    with at_work(tmp_path) as service:
        scope = {"type": "http", "method": "POST", "path": "/openrtb2", "query_string": b"", "headers": []}
        asyncio.run(at_app.application(service)(scope, receive, send))
        assert service.counts.requests == 0, "nothing was read of it"
    assert sent[0]["status"] == 408
    assert 0 < drops < at_app.LONGEST_BODY
    assert json.loads(sent[1]["body"])["error"]["field"] == "request"


def test_a_head_that_does_not_end_is_cut(address: tuple[str, int]) -> None:
    found = _raw(address, b"GET /vast HTTP/1.1\r\nHost: x\r\n")
    assert not found or found[9:10] == b"4"


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(10_000)),
        b"X: " + b"y" * 1_000_000 + b"\r\n",
        b"X: " + b"y" * 50_000 + b"\r\n",
        b"Content-Length: 7\r\nContent-Length: 9\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
    ],
)
def test_bombs_of_headers_are_refused(address: tuple[str, int], headers: bytes) -> None:
    found = _raw(address, b"POST /openrtb2 HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n{}")
    assert not found or found[9:10] == b"4"


@pytest.mark.parametrize(
    "query",
    [
        "duration=abc",
        "duration=1e400",
        "duration=-5",
        "duration=" + "9" * 5_000,
        "plcmt=999",
        "%ff%fe=%00",
        "rqddurs=1,x",
        "&".join(f"a{number}=1" for number in range(1_000)),
        "gdpr_consent=" + "A" * 10_000,
        "bidfloor=nan",
        "at=inf",
        "content=%00&at=1",
    ],
)
def test_a_player_gets_vast_whatever_it_asks(address: tuple[str, int], query: str) -> None:
    for path in ("/vast", "/pause"):
        status, answer = _get(address, f"{path}?{query}")
        assert status == 200
        assert answer.startswith(b"<?xml")
        assert b"<Ad " in answer


def test_unknown_paths_and_methods_are_refused(address: tuple[str, int]) -> None:
    for path in (
        "/",
        "/vast/../health",
        "/beacon",
        "/beacon/impression",
        "/trace/x",
        "/slate/../../etc/passwd",
    ):
        assert _get(address, path)[0] in (400, 403, 404)
    assert _get(address, "/vast", b"{}")[0] == 405
    assert _get(address, "/openrtb2")[0] == 405


def test_a_forged_beacon_counts_nothing(address: tuple[str, int]) -> None:
    before = json.loads(_get(address, "/health")[1])["counts"]["beacons"]
    for query in ("b=AAAA&s=BBBB", "b=&s=", "b=" + "A" * 5_000 + "&s=0", "b=%C3%A9&s=%C3%A9"):
        assert _get(address, f"/beacon/impression?{query}")[0] in (400, 403)
    assert json.loads(_get(address, "/health")[1])["counts"]["beacons"] == before


def test_those_who_behave_are_answered_beside_those_who_do_not(address: tuple[str, int]) -> None:
    held: list[socket.socket] = []
    try:
        for _ in range(100):
            one = socket.create_connection(address, timeout=PLENTY)
            one.sendall(b"POST /openrtb2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
            held.append(one)

        def good(_: int) -> tuple[int, bytes]:
            return _get(address, "/openrtb2", json.dumps(request()).encode())

        with ThreadPoolExecutor(8) as pool:
            for status, answer in pool.map(good, range(40)):
                assert status == 200
                told: dict[str, Any] = json.loads(answer)
                assert told["seatbid"]
    finally:
        for one in held:
            one.close()


def test_files_of_the_server_are_its_owners_alone(tmp_path: Path) -> None:
    from falsework.ads.server.running import keys_of

    assert keys_of(tmp_path / "key") == keys_of(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
