"""Shared fixtures."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from falsework.catalogue.database import Catalogue

# On a machine that is busy with something else, drawing an example takes as long as it takes.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "bench"))  # the laws of a finished shot

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test material beside the checkout; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the test material beside the checkout (../shared) is absent")
    return SHARED


@pytest.fixture
def database(postgres: str) -> str:
    """The URL of a PostgreSQL server with nothing in it."""
    import psycopg

    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def catalogue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a catalogue may be begun, in either database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("database"))
    return str(tmp_path / "catalogue.db")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue in a file."""
    from falsework.catalogue.database import Catalogue

    with Catalogue.open(tmp_path / "catalogue.db") as opened:
        yield opened


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: an index is a hundred files that are made durable."""
    place = Path("/dev/shm")
    if not os.access(place, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="falsework-", dir=place) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, on a socket in a temporary folder."""
    pytest.importorskip("psycopg", reason="the driver for PostgreSQL (extra `rights`) is not installed")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(programs[-1]) if programs else None)
    if found is None:
        pytest.skip("PostgreSQL's server is not installed here")
    programs_folder = Path(found).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="falsework-pg-"))
    who: dict[str, object] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        os.chown(folder, 65534, 65534)
        who = {"user": 65534, "group": 65534, "extra_groups": []}

    def run(*words: str) -> None:
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, cwd=folder, stdin=subprocess.DEVNULL, **who
        )  # type: ignore[call-overload]
        if done.returncode:
            pytest.skip(f"PostgreSQL could not be started: {done.stderr.strip()[-300:]}")

    data = folder / "data"
    control = str(programs_folder / "pg_ctl")
    try:
        run(found, "--auth=trust", "--username=falsework", "--no-sync", "--encoding=UTF8", "-D", str(data))
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run(control, "-w", "-D", str(data), "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://falsework:sesame@/postgres?host={folder}"
        finally:
            subprocess.run(
                [control, "-w", "-D", str(data), "-m", "immediate", "stop"],
                capture_output=True, check=False, cwd=folder, **who,
            )  # type: ignore[call-overload]  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
