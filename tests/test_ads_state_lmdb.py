"""State that several processes have open together: the suite of all engines, expiry, and kills of writers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ads_state_suite import NOW, Open, StateSuite, event
from falsework.ads.state.opening import open_state as opened
from falsework.ads.state.protocol import State
from falsework.errors import FalseworkError

pytest.importorskip("lmdb", reason="LMDB (extra `ads`) is not installed")

# Writes its own events and those that all writers have in common, and spends only what it has leased.
WRITER = """
import sys, time
from ads_state_suite import event
from falsework.ads.state.opening import open_state
state, who, number, budget = open_state(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
left, lease = 0, None
print("open", flush=True)
while True:
    if left < 5:
        if lease is not None:
            state.give_back(lease)
        lease = state.lease("item", 40, budget=budget, now=time.time(), seconds=3600)
        left = lease.amount if lease is not None else 0
    cost = 5 if left >= 5 else 0
    left -= cost
    fresh = state.record([event(f"{who}-{number}", cost=cost), event(f"{who}-{number}", cost=cost),
                          event(f"common-{number % 50}", cost=0, stream="t")])
    assert fresh[:2] == [True, False], fresh
    print(number, cost, flush=True)
    number += 1
"""


def start_writers(address: str, firsts: list[int], budget: int) -> list[subprocess.Popen[str]]:
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, address, f"writer{who}", str(first), str(budget)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for who, first in enumerate(firsts)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
    return writers


def told_by(writers: list[subprocess.Popen[str]]) -> list[list[tuple[int, int]]]:
    """What each writer had acknowledged, after its end; a last line cut short tells nothing."""
    told = []
    for writer in writers:
        assert writer.stdout is not None
        lines = [line.split() for line in writer.stdout.read().splitlines(keepends=True) if line[-1] == "\n"]
        told.append([(int(number), int(cost)) for number, cost in lines])
        writer.wait()
    return told


def check_books(state: State, firsts: list[int], told: list[list[tuple[int, int]]], paid: int) -> int:
    """Exact to the last acknowledged event: what was told is there, and of what was not told at most one
    event for each writer. Gives what has been paid now."""
    for who, (first, acknowledged) in enumerate(zip(firsts, told, strict=True)):
        numbers = [number for number, _ in acknowledged]
        assert numbers == list(range(first, first + len(numbers)))
        paid += sum(cost for _, cost in acknowledged)
        assert not any(state.record([event(f"writer{who}-{number}", cost=0) for number in numbers]))
    spent = state.spent(["item"])["item"]
    assert paid <= spent <= paid + 5 * len(firsts)
    return spent


class TestLmdbState(StateSuite):
    @pytest.fixture
    def open_state(self, tmp_path: Path) -> Open:
        return lambda: opened(f"lmdb:{tmp_path / 'state'}")


def test_writers_that_are_killed_lose_nothing_and_overspend_nothing(tmp_path: Path) -> None:
    address, rng = f"lmdb:{tmp_path / 'state'}", random.Random(5)
    firsts, paid, budget = [0, 0, 0], 0, 2_000
    for life in range(4):
        writers = start_writers(address, firsts, budget)
        for writer in writers:
            time.sleep(rng.uniform(0.02, 0.15))
            writer.send_signal(signal.SIGKILL)
        told = told_by(writers)
        state = opened(address)
        paid = check_books(state, firsts, told, paid)
        outstanding = state.outstanding(["item"], time.time())["item"]
        assert paid <= budget
        assert paid + outstanding <= budget + 40 * len(firsts) * (life + 1)
        # The one in flight may have been written or not: the next life begins after it.
        firsts = [first + len(each) + 1 for first, each in zip(firsts, told, strict=True)]
        assert len(state.history("t")["campaign:7"]) <= 50
        state.close()
    assert sum(firsts) > 50


def test_identities_and_histories_are_forgotten_when_nobody_can_ask(tmp_path: Path) -> None:
    state = opened(f"lmdb:{tmp_path}")
    for number in range(100):
        state.record([event(str(number), stream=f"s{number}", viewer="v", at=NOW + number)])
    assert state.record([event("99", stream="s99", viewer="v", at=NOW + 3600)]) == [False]
    later = NOW + 40 * 86_400
    for number in range(8):
        state.record([event(f"later{number}", stream="t", viewer="v", at=later + number)])
    assert all(not state.history(f"s{number}") for number in range(99))
    assert [at - later for at in state.history("v")["campaign:7"]] == list(range(8))
    assert state.record([event("5", stream="s5", at=later)]) == [True]
    assert state.spent(["item"])["item"] == 5 * 109
    state.close()


def test_two_open_ones_see_each_other(tmp_path: Path) -> None:
    """In another process, as one process opens a folder once."""
    address = f"lmdb:{tmp_path}"
    writers = start_writers(address, [0], 100)
    state = opened(address)
    ends = time.monotonic() + 20
    while state.spent(["item"])["item"] < 100 and time.monotonic() < ends:
        time.sleep(0.01)
    assert state.spent(["item"])["item"] == 100
    writers[0].kill()
    told_by(writers)
    state.close()


def test_what_is_no_folder_for_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FalseworkError, match="cannot be opened"):
        opened(f"lmdb:{tmp_path / 'file'}")
    (tmp_path / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(FalseworkError, match="cannot be opened"):
        opened(f"lmdb:{tmp_path}")


@pytest.mark.parametrize("address", ["http://x", "lmdb:", "lmdb:a?sync=maybe", "lmdb:a?x=1", "mysql:x"])
def test_what_names_no_engine_is_refused(address: str) -> None:
    with pytest.raises(FalseworkError):
        opened(address)


def test_a_folder_is_the_embedded_engine(tmp_path: Path) -> None:
    state = opened(str(tmp_path / "plain"))
    assert state.record([event("a")]) == [True]
    state.close()
    assert list((tmp_path / "plain").glob("log.*"))
