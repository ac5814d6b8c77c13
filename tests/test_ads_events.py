"""The log of events: whole records, whatever kills the writer; and Parquet in which nothing is twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ads_state_suite import NOW, event
from falsework.ads.measurement.compaction import compact
from falsework.ads.measurement.exposure import Exposure, Happened, read_record
from falsework.ads.measurement.reports import delivery
from falsework.ads.state.events import CLOSED, OPEN, KafkaLog, Segments, frames, segments_of
from falsework.errors import FalseworkError

WRITER = """
import sys
from pathlib import Path
from ads_state_suite import event
from falsework.ads.measurement.exposure import Happened
from falsework.ads.state.events import Segments
log, number = Segments(Path(sys.argv[1]), most_bytes=2_000), int(sys.argv[2])
while True:
    log.append([Happened(event=event(f"{number}-{part}")) for part in range(3)])
    print(number, flush=True)
    number += 1
"""


def happened(number: int, at: float = NOW) -> Happened:
    return Happened(event=event(str(number), at=at))


def numbers(folder: Path) -> list[str]:
    found = []
    for path in segments_of(folder):
        for frame in frames(path):
            record = read_record(frame)
            assert isinstance(record, Happened)
            found.append(record.event.served)
    return found


def test_it_is_read_while_it_is_written_and_rotates_by_size(tmp_path: Path) -> None:
    log = Segments(tmp_path, most_bytes=500)
    for number in range(30):
        log.append([happened(number)])
        assert sorted(numbers(tmp_path), key=int) == [str(one) for one in range(number + 1)]
    assert len(list(tmp_path.glob(f"*{CLOSED}"))) > 3
    assert len(list(tmp_path.glob(f"*{OPEN}"))) == 1
    assert all(path.stat().st_size <= 500 for path in tmp_path.iterdir())
    log.close()
    assert not list(tmp_path.glob(f"*{OPEN}"))


def test_it_rotates_by_time(tmp_path: Path) -> None:
    now = [NOW]
    log = Segments(tmp_path, most_seconds=60, clock=lambda: now[0])
    log.append([happened(0)])
    now[0] += 61
    log.append([happened(1)])
    assert len(list(tmp_path.glob(f"*{CLOSED}"))) == 1
    log.close()


def test_a_writer_that_lives_keeps_its_segment_and_a_dead_ones_is_closed(tmp_path: Path) -> None:
    first = Segments(tmp_path)
    first.append([happened(0)])
    second = Segments(tmp_path)
    second.append([happened(1)])
    assert len(list(tmp_path.glob(f"*{OPEN}"))) == 2
    first.close()
    second.close()
    left = tmp_path / f"20260101T000000Z-dead{OPEN}"
    whole = next(tmp_path.glob(f"*{CLOSED}")).read_bytes()
    left.write_bytes(whole + whole[:-3])
    Segments(tmp_path).close()
    assert left.with_suffix(CLOSED).read_bytes() == whole


def test_many_that_begin_and_end_at_once_take_nothing_from_each_other(tmp_path: Path) -> None:
    def live(who: int) -> None:
        for life in range(30):
            log = Segments(tmp_path)
            log.append([happened(100 * who + life)])
            log.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(live, range(4)))
    assert sorted(map(int, numbers(tmp_path))) == [100 * who + life for who in range(4) for life in range(30)]
    assert {path.suffix for path in tmp_path.iterdir()} == {CLOSED}


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    done = -1
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(done + 2)],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(0.05)
        writer.send_signal(signal.SIGKILL)
        told = [int(line) for line in [first, *writer.stdout] if line.endswith("\n")]
        writer.wait()
        there = numbers(tmp_path)
        assert len(there) == len(set(there))
        assert {f"{number}-{part}" for number in told for part in range(3)} <= set(there)
        done = told[-1]


def test_a_damaged_segment_is_refused_by_name_and_stays(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    log.append([happened(number) for number in range(5)])
    log.close()
    (path,) = tmp_path.glob(f"*{CLOSED}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for call in (compact, delivery):
        with pytest.raises(FalseworkError, match="damaged from byte") as refused:
            call(tmp_path)
        assert path.name in refused.value.where
    assert path.exists()


def test_days_become_folders_and_a_kill_between_leaves_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    day = 86_400.0
    log = Segments(tmp_path)
    shown = [
        Exposure(at=NOW + n * day, decision="d", served=str(n), campaign="c", advertiser="a",
                 line_item="item", creative="x", cost=5)
        for n in range(3)
    ]  # fmt: skip
    log.append([*shown, *(happened(n, NOW + n * day) for n in range(3)), happened(0)])
    log.close()
    before = delivery(tmp_path, ["day"])
    assert [row["impressions"] for row in before] == [1, 1, 1]

    def killed(_: Path, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            compact(tmp_path)
    assert delivery(tmp_path, ["day"]) == before
    assert compact(tmp_path) == 1
    assert delivery(tmp_path, ["day"]) == before
    assert not segments_of(tmp_path)
    assert sorted(path.name for path in (tmp_path / "parquet" / "events").iterdir()) == [
        f"day={row['day']}" for row in before
    ]
    assert compact(tmp_path) == 0


def test_a_full_disk_is_told_and_nothing_is_half_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Segments(tmp_path)
    log.append([happened(0)])
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: write(file, data[:7]))
        with pytest.raises(FalseworkError, match="no room"):
            log.append([happened(1)])
    log.append([happened(2)])
    log.close()
    assert numbers(tmp_path) == ["0", "2"]


def test_a_broker_that_does_not_answer_is_told() -> None:
    pytest.importorskip("confluent_kafka", reason="the client for Kafka is not installed")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    log = KafkaLog(f"127.0.0.1:{port}", "events", waits=0.3)
    with pytest.raises(FalseworkError, match="took no records"):
        log.append([happened(0)])
