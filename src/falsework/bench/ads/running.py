"""A decision server in a process of its own, and requests at growing rates from this one."""

from __future__ import annotations

import multiprocessing
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from falsework.ads.server.running import Settings, serve
from falsework.bench.ads import traffic
from falsework.bench.ads.load import Measured, measure
from falsework.catalogue.database import Catalogue
from falsework.errors import FalseworkError

__all__ = ["Row", "run"]

HOST = "127.0.0.1"
DIFFERENT = 20_000  # requests, which come again after that
WARM_RATE, WARM_SECONDS = 300.0, 3.0
COMES_UP = 300.0  # seconds that a server may take to read its campaigns
PAUSE = 1.0  # seconds between two rates


@dataclass(frozen=True)
class Row:
    """`processor`: the server's processor time for one decision, µs. `resident`: the most memory it held,
    bytes. `generator`: this process's processor time for one, µs."""

    line_items: int
    measured: Measured
    processor: float
    generator: float
    resident: int


def run(line_items: int, rates: Sequence[float], seconds: float, *, workers: int = 1) -> Iterator[Row]:
    """A row for each rate. The server logs its exposures and keeps its state as it would at work."""
    bodies = traffic.requests(DIFFERENT)
    with _server(line_items, workers) as (port, processes):
        measure(HOST, port, bodies, WARM_RATE, WARM_SECONDS)
        for rate in rates:
            time.sleep(PAUSE)
            before, own = _processor(processes), time.process_time()
            measured = measure(HOST, port, bodies, rate, seconds)
            count = max(measured.requests, 1)
            yield Row(
                line_items=line_items,
                measured=measured,
                processor=(_processor(processes) - before) / count * 1e6,
                generator=(time.process_time() - own) / count * 1e6,
                resident=sum(map(_resident, processes)),
            )


@contextmanager
def _server(line_items: int, workers: int) -> Iterator[tuple[int, list[int]]]:
    """Its port and processes."""
    with tempfile.TemporaryDirectory(prefix="falsework-bench-") as name:
        folder = Path(name)
        (folder / "campaigns.json").write_bytes(msgspec.json.encode(traffic.campaigns(line_items)))
        with Catalogue.open(folder / "catalogue.db") as catalogue, catalogue.writing() as writer:
            known = traffic.catalogue()
            writer.titles([title for title, _ in known])
            writer.scenes([scene for _, scenes in known for scene in scenes])
        settings = Settings(
            campaigns=str(folder / "campaigns.json"),
            state=f"lmdb:{folder / 'state'}" if workers > 1 else str(folder / "state"),
            key_file=str(folder / "keys"),
            catalogue=str(folder / "catalogue.db"),
            log=str(folder / "log"),
            port=_free_port(),
        )
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(settings, workers))
        process.start()
        try:
            _wait_for(settings.port, process)
            yield settings.port, _with_children(process.pid or 0)
        finally:
            process.terminate()
            process.join(15)
            if process.is_alive():
                process.kill()
                process.join()


def _serve(settings: Settings, workers: int) -> None:
    """Until the bench ends it."""
    with suppress(KeyboardInterrupt):
        serve(settings, workers=workers)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, process: multiprocessing.process.BaseProcess) -> None:
    ends = time.monotonic() + COMES_UP
    while time.monotonic() < ends and process.is_alive():
        try:
            with socket.create_connection((HOST, port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise FalseworkError("the server does not come up", where="bench", todo="Try fewer --line-items.")


def _with_children(process: int) -> list[int]:
    """A process and those it started."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(one for child in found for one in _with_children(int(child)))]


def _processor(processes: Sequence[int]) -> float:
    """Seconds of processor time so far."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
