"""State in memory with its log: the suite of all engines, and kills at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ads_state_suite import Open, StateSuite, event
from falsework.ads.state.embedded import EmbeddedState
from falsework.errors import FalseworkError

WRITER = """
import sys
from pathlib import Path
from ads_state_suite import event
from falsework.ads.state.embedded import EmbeddedState
state = EmbeddedState(Path(sys.argv[1]), most_log=20_000)
number = int(sys.argv[2])
while True:
    fresh = state.record([event(str(number)), event(str(number)), event(str(number - 1))])
    assert fresh[:2] == [True, False], fresh
    print(number, flush=True)
    number += 1
"""


class TestEmbeddedState(StateSuite):
    @pytest.fixture
    def open_state(self, tmp_path: Path) -> Open:
        return lambda: EmbeddedState(tmp_path / "state")


def test_one_process_at_a_time(tmp_path: Path) -> None:
    state = EmbeddedState(tmp_path)
    with pytest.raises(FalseworkError, match="another process"):
        EmbeddedState(tmp_path)
    state.close()
    EmbeddedState(tmp_path).close()


def test_a_log_cut_short_loses_only_what_was_not_acknowledged(tmp_path: Path) -> None:
    state = EmbeddedState(tmp_path)
    for number in range(10):
        state.record([event(str(number))])
    state.close()
    (log,) = tmp_path.glob("log.*")
    whole = log.read_bytes()
    for cut in (1, 3, 9, len(whole) // 20):
        log.write_bytes(whole[:-cut])
        state = EmbeddedState(tmp_path)
        assert state.spent(["item"])["item"] == 45
        assert state.record([event("9"), event("8")]) == [True, False]
        state.close()
        log.write_bytes(whole)


def test_written_whole_it_is_the_same(tmp_path: Path) -> None:
    state = EmbeddedState(tmp_path)
    state.record([event("a", viewer="v"), event("b")])
    state.write_whole()
    state.record([event("c")])
    state.close()
    assert len(list(tmp_path.glob("log.*"))) == 1
    state = EmbeddedState(tmp_path)
    assert state.spent(["item"])["item"] == 15
    assert state.record([event("a")]) == [False]
    assert len(state.history("s")["campaign:7"]) == 3
    state.close()


def test_a_damaged_whole_is_refused(tmp_path: Path) -> None:
    state = EmbeddedState(tmp_path)
    state.record([event("a")])
    state.write_whole()
    state.close()
    data = bytearray((tmp_path / "state").read_bytes())
    data[-1] ^= 1
    (tmp_path / "state").write_bytes(data)
    with pytest.raises(FalseworkError, match="damaged"):
        EmbeddedState(tmp_path)


def test_killed_again_and_again_it_counts_to_the_last_acknowledged_event(tmp_path: Path) -> None:
    """Each life goes on where the last one's acknowledged events end; logs are short, so that kills also fall
    into the writing of the whole state."""
    rng, acknowledged = random.Random(3), -1
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "state"), str(acknowledged + 2)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert writer.stdout is not None
        first = writer.stdout.readline()
        assert first
        time.sleep(rng.uniform(0.01, 0.25))
        writer.send_signal(signal.SIGKILL)
        told = [int(line) for line in [first, *writer.stdout.read().split("\n")] if line.strip()]
        writer.wait()
        acknowledged = told[-1]
        state = EmbeddedState(tmp_path / "state")
        counted = {number for number in range(acknowledged + 1) if not state.record([event(str(number))])[0]}
        skipped = set(range(acknowledged + 1)) - counted
        assert not skipped & set(told)
        state.close()
        acknowledged += 1
