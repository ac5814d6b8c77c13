"""More requests than can be decided: each gets the house's own by its deadline, and waits for no other."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ads_at_work import at_work, bids, request
from falsework.ads.campaigns.sample import campaigns_file
from falsework.ads.decision.engine import Decider, Decision
from falsework.ads.server import service as at_service
from falsework.ads.server.deadline import Deadline
from falsework.ads.server.running import Settings, serve
from falsework.ads.server.service import Service

BODY = msgspec.json.encode(request())
PATIENCE = 60.0  # seconds, after which a test that hangs has failed


def only_the_house(answer: Any) -> bool:
    found = bids(answer)
    return bool(found) and {bid["seat"] for bid in found} == {"house"}


def counted(service: Service) -> list[str]:
    """The breaks that the decider was asked for, as they come."""
    asked: list[str] = []
    decide = service.decider.decide

    def watched(one: Any, beside: Any = ()) -> Decision:
        asked.append(one.id)
        return decide(one, beside)

    service.decider.decide = watched  # type: ignore[method-assign]
    return asked


def test_a_state_that_is_stuck_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are answered while it is still stuck; those beyond what may be under way never wait for it."""
    monkeypatch.setattr(at_service, "MOST_UNDER_WAY", 4)
    # Long enough for all to come while the first ones wait, however busy the machine is.
    monkeypatch.setattr("falsework.ads.server.deadline.LONGEST", 2.0)
    goes_on = threading.Event()
    with at_work(tmp_path) as service:
        service.remote = True
        waited = 0
        with_state = service._with_state

        async def watched(work: Any, seconds: float) -> Any:
            nonlocal waited
            waited += 1
            return await with_state(work, seconds)

        def stuck(_: str) -> Any:
            assert goes_on.wait(PATIENCE)
            return {}

        monkeypatch.setattr(service, "_with_state", watched)
        monkeypatch.setattr(service.state, "history", stuck)

        async def all_at_once() -> list[Any]:
            return await asyncio.gather(*(service.openrtb(BODY, Deadline(2.0)) for _ in range(20)))

        try:
            answers = asyncio.run(all_at_once())
            assert not goes_on.is_set()
        finally:
            goes_on.set()
        assert waited == 4
        assert all(map(only_the_house, answers))
        assert (service.counts.late, service.counts.unfilled, service.counts.faults) == (20, 0, 0)


def test_who_waited_unseen_in_a_busy_worker_is_not_decided_for(tmp_path: Path) -> None:
    """What a request waited before this worker saw it counts: the loop's own lag says how long that was."""
    with at_work(tmp_path) as service:
        asked = counted(service)

        async def busy() -> tuple[Any, Any]:
            between = asyncio.create_task(service.run())
            while not service._behind:  # until it has looked once
                await asyncio.sleep(0.005)
            time.sleep(0.2)  # something that holds the loop for four deadlines
            while service._behind < 0.1:
                await asyncio.sleep(0)
            late = await service.openrtb(BODY, Deadline())
            decided = len(asked)
            while True:  # it recovers by itself
                await asyncio.sleep(0.02)
                well = await service.openrtb(BODY, Deadline())
                if not only_the_house(well):
                    break
            between.cancel()
            assert decided == 0
            return late, well

        late, _ = asyncio.run(asyncio.wait_for(busy(), PATIENCE))
        assert only_the_house(late)
        assert asked


def test_a_deadline_that_passes_within_a_request_leaves_the_rest_to_the_house(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two breaks in one request, and time for one."""
    now = 100.0
    monkeypatch.setattr("falsework.ads.server.deadline.time.perf_counter", lambda: now)
    imps = [
        {"id": name, "video": {"mimes": ["video/mp4"], "podid": name, "poddur": 30, "startdelay": 4746}}
        for name in ("first", "second")
    ]
    with at_work(tmp_path) as service:
        decide = service.decider.decide

        def slow(one: Any, beside: Any = ()) -> Decision:
            nonlocal now
            now += 0.044  # of the 45 ms there are
            return decide(one, beside)

        service.decider.decide = slow  # type: ignore[method-assign]
        body = msgspec.json.encode(request(imp=imps))
        found = bids(asyncio.run(service.openrtb(body, Deadline())))
        seats = {name: {bid["seat"] for bid in found if bid["impid"] == name} for name in ("first", "second")}
        assert "house" not in seats["first"]
        assert seats["second"] == {"house"}
        assert service.counts.unfilled == 0


def _serve_slowly(settings: Settings) -> None:
    decide = Decider.decide

    def slow(self: Decider, *words: Any) -> Decision:
        time.sleep(0.03)  # so that two breaks take longer than one may wait
        return decide(self, *words)

    Decider.decide = slow  # type: ignore[method-assign]
    serve(settings)


@pytest.fixture
def slow_server(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(
        campaigns=str(campaigns_file()),
        state=str(tmp_path / "state"),
        key_file=str(tmp_path / "key"),
        port=port,
    )
    process = multiprocessing.get_context("spawn").Process(target=_serve_slowly, args=(settings,))
    process.start()
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert process.is_alive()
            assert time.monotonic() < ends, "the server does not come up"
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.join(10)
    process.kill()


def test_under_more_than_it_can_decide_a_server_fills_every_break(slow_server: str) -> None:
    def ask(number: int) -> tuple[int, bytes]:
        address = f"{slow_server}/vast?duration=30&stream=viewing-{number}"
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return answer.status, answer.read()

    def counts() -> dict[str, int]:
        with urllib.request.urlopen(f"{slow_server}/health", timeout=PATIENCE) as answer:
            return dict(json.loads(answer.read())["counts"])

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(320)))
    assert {status for status, _ in answers} == {200}
    assert all(b"<Ad " in text for _, text in answers)
    told = counts()
    assert told["breaks"] == 320
    assert told["unfilled"] == told["faults"] == 0
    assert told["late"] > 0, "no more was asked than it could decide"
    assert told["house"] >= told["late"]
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        before = counts()["house"]
        ask(0)
        if counts()["house"] == before:
            return  # a paid advertisement again, once it is quiet
    raise AssertionError("it does not recover")
