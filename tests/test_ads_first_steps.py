"""The first steps of docs/ads.md, as they stand there: each command works, and shows what the page says."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "ads.md"
PORT = "8585"
UNSUITABLE = ("brickline", "hardhat", "evergrove", "skylark")

pytest.importorskip("granian", reason="the extra `ads` is not installed")


def blocks() -> list[str]:
    """The page's commands before its addresses, a block for each place where they are run."""
    (section,) = re.findall(r"^## First steps\n(.*?)^## ", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    found = re.findall(r"(?:^    .*\n)+", section, re.M)
    return [re.sub(r"^    ", "", one, flags=re.M) for one in found]


class Terminal:
    """A fresh machine's: an empty folder and an empty home, `falsework` among the commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        command = folder / "bin" / "falsework"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m falsework.cli.main "$@"\n')
        command.chmod(0o755)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("FALSEWORK", "XDG"))
        }
        self.environment = {**kept, "HOME": str(folder), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])

    def here(self, command: str) -> str:
        served = command.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{self.port}")
        return served + f" --port {self.port}" if "ads serve" in served else served

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-euc", self.here(command)], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["bash", "-euc", f"exec {self.here(command)}"], cwd=self.folder, env=self.environment,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed here")
    return Terminal(tmp_path)


def test_each_command_works_and_shows_what_is_said(terminal: Terminal) -> None:
    first, second, third = blocks()
    install, bring, serve = first.splitlines()
    assert install == 'pip install "falsework[ads,search]"'
    assert "0 refused" in terminal.run(bring)
    server = terminal.start(serve)
    try:
        ends = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", int(terminal.port)), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None
                assert time.monotonic() < ends, "the server does not come up"
                time.sleep(0.1)
        vast, request, openrtb, health = re.findall(r"^(?:curl|echo)(?:.|\n(?= ))*", second, re.M)
        seen = terminal.run(vast)
        assert "undertone" in seen
        terminal.run(request)
        answer = json.loads(terminal.run(openrtb))
        trace = answer["ext"]["trace"]["1"]
        refused = {one["reason"]: one["line_items"] for one in trace["refused"]}
        assert {one.partition("-")[0] for one in refused["suitability"]} == set(UNSUITABLE)
        for text in (seen, json.dumps(answer["seatbid"])):
            assert not [one for one in UNSUITABLE if one in text]
        (impression, *_) = re.findall(r'<Impression id="falsework">([^<]+)<', seen)
        with urllib.request.urlopen(impression.replace("&amp;", "&")) as called:
            assert called.status == 204
        counts = json.loads(terminal.run(health))["counts"]
        assert (counts["requests"], counts["beacons"], counts["faults"]) == (2, 1, 0)
    finally:
        server.terminate()
        server.wait(60)
    assert "undertone-plan" in terminal.run(third)
    pytest.importorskip("duckdb")
    assert "undertone" in terminal.run("falsework ads report log")


def test_the_sample_has_a_name_everywhere(terminal: Terminal) -> None:
    """Unless there is a file called that."""
    request = next(one for one in re.findall(r"^echo(?:.|\n(?= ))*", blocks()[1], re.M))
    terminal.run(request)
    told = terminal.run("falsework ads explain request.json --campaigns sample --relevance off --json")
    assert json.loads(told)["breaks"][0]["shown"]
    (terminal.folder / "sample").write_text("[]")
    assert "0 campaigns" in terminal.run("falsework ads campaigns import sample")
