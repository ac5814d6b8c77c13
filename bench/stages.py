"""Seconds per stage and frame, and peak memory, of one shot made from nothing.

    python bench/stages.py examples/lyon_corner/shot.toml [--preview] [--cores 2] [--table FILE]

Each run works on a copy of the shot's folder, so that nothing finished before is reused. Numba's compiled
functions are warmed by a preview first (`--cold` leaves that out), as on any machine but on its first day.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


def resident(pid: int) -> int:
    """Bytes held by a process and all it started (proportional shares: shared pages count once)."""
    total = 0
    children = []
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total = int(line.split()[1]) * 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
    except (OSError, ValueError):
        return total
    return total + sum(resident(child) for child in children)


def make(shot: Path, out: Path, preview: bool, cores: int) -> tuple[dict, float, float]:
    """Run `falsework make` on its own; returns its JSON answer, wall-clock seconds, peak memory in GB."""
    command = [
        sys.executable,
        "-m",
        "falsework.cli.main",
        "make",
        str(shot),
        "--out",
        str(out),
        "--json",
        "--quiet",
    ]
    if preview:
        command.append("--preview")
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores]),
    )
    peak = 0

    def watch() -> None:
        nonlocal peak
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.5)

    watcher = threading.Thread(target=watch)
    watcher.start()
    answer, _ = process.communicate()
    watcher.join()
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise SystemExit(f"falsework make failed with exit code {process.returncode}: {answer}")
    return json.loads(answer), seconds, peak / 2**30


def table(name: str, manifest: dict, seconds: float, peak: float, frames: int) -> str:
    """One run as a Markdown table."""
    rows = [
        f"| {stage} | {spent:.1f} | {spent / frames:.2f} |" for stage, spent in manifest["seconds"].items()
    ]
    head = [f"### {name}: {frames} frames", "", "| stage | seconds | seconds a frame |", "|---|---|---|"]
    return "\n".join(
        [*head, *rows, f"| **all, wall clock** | **{seconds:.1f}** | **{seconds / frames:.2f}** |", ""]
    ) + (f"\nPeak memory {peak:.1f} GB.\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shot", type=Path)
    parser.add_argument("--preview", action="store_true")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--cold", action="store_true", help="do not warm the compiled functions first")
    parser.add_argument("--table", type=Path, help="write the Markdown table here as well")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.cold:
            warm = Path(folder) / "warm"
            shutil.copytree(arguments.shot.parent, warm, ignore=shutil.ignore_patterns("out", "work"))
            make(warm / arguments.shot.name, warm / "out", True, arguments.cores)
            shutil.rmtree(warm)
        fresh = Path(folder) / "fresh"
        shutil.copytree(arguments.shot.parent, fresh, ignore=shutil.ignore_patterns("out", "work"))
        out = fresh / "out"
        _, seconds, peak = make(fresh / arguments.shot.name, out, arguments.preview, arguments.cores)
        manifest = json.loads((out / "manifest.json").read_text())
        frames = sum(1 for path in manifest["files"] if path.endswith(".exr") and path.startswith("exr/"))
    name = manifest.get("name", arguments.shot.parent.name) + (" (preview)" if arguments.preview else "")
    text = table(name, manifest, seconds, peak, frames)
    text += f"\n{platform.machine()}, {arguments.cores} cores, no GPU, Python {platform.python_version()}.\n"
    print(text)
    if arguments.table:
        arguments.table.write_text(text)


if __name__ == "__main__":
    main()
