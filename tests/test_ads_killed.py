"""The server killed under load, through its own doors: what it answered for is counted, and once."""

from __future__ import annotations

import base64
import html
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from falsework.ads.measurement.beacons import Beacon
from falsework.ads.state.opening import open_state
from falsework.ads.state.protocol import State

pytest.importorskip("granian", reason="the extra `ads` is not installed")

IMPRESSION = re.compile(r'<Impression id="falsework">([^<]+)<')
COMPLETE = re.compile(r'<Tracking event="complete">([^<]+)<')
PAID_ITEMS, COST, IMPRESSIONS = 6, 20_000, 90  # micros; how many impressions a budget is for
CLIENTS = 6
ENOUGH = 400  # beacons answered for, at which the server is killed


def campaigns(folder: Path) -> Path:
    """Line items with small budgets and a cap in each stream, and a house advertisement."""
    told = []
    for number in range(PAID_ITEMS):
        creative = {
            "id": f"film-{number}",
            "duration": 15,
            "media": [[f"https://media.example/{number}.mp4", "video/mp4", 1280, 720, 3000]],
        }
        item = {
            "id": f"item-{number}",
            "price": COST * 1000,
            "budget": COST * IMPRESSIONS,
            "goal": "fast",
            "categories": ["1028"],
            "caps": [{"count": 3}],
            "creatives": [creative],
        }
        told.append(campaign(f"paid-{number}", item))
    media = [["https://media.example/house.mp4", "video/mp4", 1280, 720, 3000]]
    own = {"id": "own", "house": True, "creatives": [{"id": "own", "duration": 15, "media": media}]}
    told.append(campaign("studio", own))
    file = folder / "campaigns.json"
    file.write_text(json.dumps({"campaigns": told}))
    return file


def campaign(name: str, item: dict[str, object]) -> dict[str, object]:
    flight = {"starts": "2020-01-01", "ends": "2100-01-01"}
    return {
        "id": name, "advertiser": name, "domain": f"{name}.example", "flight": flight, "line_items": [item],
    }  # fmt: skip


class Running:
    """`falsework ads serve` in a process group of its own."""

    def __init__(self, folder: Path, state: str, workers: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        words = [
            "ads", "serve", str(campaigns(folder)), "--state", state, "--key-file", str(folder / "keys"),
            "--log", str(folder / "log"), "--port", str(self.port), "--workers", str(workers), "--quiet",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "falsework.cli.main", *words],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        ends = time.monotonic() + 120
        while time.monotonic() < ends and self.process.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                if self.get("/health")[0] == 200:
                    return
            time.sleep(0.05)
        self.kill()
        raise AssertionError("the server does not come up")

    def get(self, address: str, line: http.client.HTTPConnection | None = None) -> tuple[int, str]:
        parts = urlsplit(address)
        own = line or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            own.request("GET", f"{parts.path}?{parts.query}")
            answer = own.getresponse()
            return answer.status, answer.read().decode()
        finally:
            if line is None:
                own.close()

    def kill(self) -> None:
        """All of its processes at once, in the middle of what they do."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.kill()


class Load:
    """Viewers who watch breaks, and players who call beacons, some of them twice: until nobody answers."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.asked: set[str] = set()  # beacons that were sent
        self.answered: set[str] = set()  # and answered for
        self.duplicates = 0
        self._lock = threading.Lock()
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._watch, args=(one,)) for one in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        assert self._enough.wait(120), f"{len(self.answered)} beacons were answered"

    def end(self) -> None:
        for thread in self._threads:
            thread.join()

    def _watch(self, who: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        number = 0
        with suppress(OSError, http.client.HTTPException):
            while True:
                number += 1
                stream = f"viewing-{who}-{number // 4}"
                status, text = self.server.get(f"/vast?duration=45&stream={stream}", line)
                assert status == 200
                for found in (*IMPRESSION.findall(text), *COMPLETE.findall(text)):
                    url = html.unescape(found)
                    for _ in range(2 if number % 3 == 0 else 1):
                        self._call(url, line)

    def _call(self, url: str, line: http.client.HTTPConnection) -> None:
        with self._lock:
            self.asked.add(url)
        status, _ = self.server.get(url, line)
        assert status == 204
        with self._lock:
            self.duplicates += url in self.answered
            self.answered.add(url)
            if len(self.answered) >= ENOUGH:
                self._enough.set()


def impressions(urls: set[str]) -> list[Beacon]:
    """What they say, without their signature; the house's own cost nothing and are counted too."""
    found = []
    for url in urls:
        parts = urlsplit(url)
        if parts.path == "/beacon/impression":
            (packed,) = parse_qs(parts.query)["b"]
            raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
            found.append(msgspec.msgpack.decode(raw, type=Beacon))
    return found


def money(told: list[Beacon]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in told:
        found[one.line_item] += one.cost
    return +found


def check_counters(state: State, told: list[Beacon]) -> None:
    """Each stream's history has each impression, and nothing else."""
    expected: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in told:
        expected[one.stream].update(one.counters)
    for stream, counters in expected.items():
        history = state.history(stream)
        assert {name: len(times) for name, times in history.items() if len(times)} == dict(counters)


@contextmanager
def opened(address: str) -> Iterator[State]:
    state = open_state(address)
    try:
        yield state
    finally:
        state.close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        pytest.skip("neither valkey-server nor redis-server is installed here")
    from test_ads_state_valkey import Server

    folder = Path(tempfile.mkdtemp(prefix="falsework-"))  # the path of a socket may have 107 characters
    server = Server(program, folder)
    server.start()
    yield server.address
    server.kill()
    shutil.rmtree(folder)


def test_killed_alone(tmp_path: Path) -> None:
    check(tmp_path, str(tmp_path / "state"), workers=1)


def test_two_workers_killed_over_a_state_they_share(tmp_path: Path) -> None:
    pytest.importorskip("lmdb")
    check(tmp_path, f"lmdb:{tmp_path / 'state'}", workers=2)


def test_killed_while_the_state_is_another_servers(tmp_path: Path, redis: str) -> None:
    check(tmp_path, redis, workers=1)


def check(folder: Path, address: str, *, workers: int) -> None:
    server = Running(folder, address, workers)
    try:
        load = Load(server)
        load.wait()
    finally:
        server.kill()
    load.end()
    assert load.duplicates > 0
    unknown = load.asked - load.answered  # sent, and killed before the answer came
    names = [f"item-{number}" for number in range(PAID_ITEMS)]
    with opened(address) as state:
        spent = state.spent(names)
    least, most = money(impressions(load.answered)), money(impressions(load.asked))
    for name in names:
        assert least[name] <= spent[name] <= most[name], "what was answered for, and at most what was asked"
    assert sum(spent.values()) > 0

    server = Running(folder, address, workers)
    try:
        again = sorted(load.answered)[::2]
        for url in [*again, *again, *unknown, *unknown]:
            assert server.get(url)[0] == 204
        if workers == 1:
            counts = json.loads(server.get("/health")[1])["counts"]
            assert counts["beacons"] == 2 * (len(again) + len(unknown))
            assert counts["duplicates"] >= 2 * len(again) + len(unknown)
    finally:
        server.stop()
    told = impressions(load.asked)
    with opened(address) as state:
        assert +Counter(state.spent(names)) == money(told)
        check_counters(state, told)
        outstanding = state.outstanding(names, time.time())  # of those that were killed
    for name in names:
        assert money(told)[name] <= COST * IMPRESSIONS + outstanding[name]
