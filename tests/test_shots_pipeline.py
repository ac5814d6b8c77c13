"""The order of work: what is redone, what survives a kill, what is handed over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.shots.pipeline import MakeResult, make
from falsework.shots.store import Store
from shots_fakes import JOURNAL, PAUSE, SHOT, fake_stages, write_shot

ALL = ["solve", "build", "fracture", "collapse", "dust", "render", "comp"]


def run(path: Path, **options: object) -> MakeResult:
    return make(path, deliver=False, stages=fake_stages(), **options)  # type: ignore[arg-type]


def redone(path: Path, text: str, **options: object) -> list[str]:
    """The stages that run again after the shot's text has changed."""
    run(write_shot(path.parent))
    path.write_text(text)
    return [stage.name for stage in run(path, **options).stages if not stage.reused]


@pytest.mark.parametrize(
    ("old", "new", "stages"),
    [
        ('brief = "it falls"', 'brief = "something else"', []),
        ("[collapse]", "[render]\ndust_colour = [0.5, 0.4, 0.3]\n\n[collapse]", ["render", "comp"]),
        ("[collapse]", "[comp]\ngrain = 0.5\n\n[collapse]", ["comp"]),
        ("[collapse]", "[comp]\nslate = true\n\n[collapse]", []),
        ("[collapse]", "[dust]\namount = 2\n\n[collapse]", ["dust", "render", "comp"]),
        ("start = 1003", "start = 1004", ["collapse", "dust", "render", "comp"]),
        ("[collapse]", "[fracture]\nfragments = 500\n\n[collapse]", ALL[2:]),
        ("[collapse]", "[building]\ndepth = 9\n\n[collapse]", ALL[1:]),
        # The light is found in the plate, but nothing falls otherwise because of it.
        ("[collapse]", "[light]\nazimuth = 20\n\n[collapse]", ["solve", "render", "comp"]),
        ("storeys = 3", "storeys = 4", ALL),
        ("seed = 3", "seed = 4", ALL[1:]),
    ],
)
def test_only_what_depends_on_a_change_is_redone(
    tmp_path: Path, old: str, new: str, stages: list[str]
) -> None:
    assert old in SHOT
    assert redone(tmp_path / "shot.toml", SHOT.replace(old, new)) == stages


def test_a_changed_plate_is_solved_again(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    run(path)
    (tmp_path / "plate.png").write_bytes(b"another picture")
    again = run(path)
    assert "solve" in [stage.name for stage in again.stages if not stage.reused]


def test_a_second_run_makes_nothing(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    first, second = run(path), run(path)
    assert not any(stage.reused for stage in first.stages)
    assert all(stage.reused for stage in second.stages)
    assert [stage.key for stage in first.stages] == [stage.key for stage in second.stages]


def test_a_preview_shares_everything_before_the_drawing(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    run(path)
    preview = run(path, preview=True)
    assert [stage.name for stage in preview.stages if not stage.reused] == ["render", "comp"]
    assert preview.frames == (1001, 1005, 1009)
    assert all(stage.reused for stage in run(path).stages)


def test_a_seed_given_to_the_run_is_the_shots_seed(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    given = run(path, seed=4)
    path.write_text(SHOT.replace("seed = 3", "seed = 4"))
    assert [stage.key for stage in run(path).stages] == [stage.key for stage in given.stages]


def test_until_stops_there(tmp_path: Path) -> None:
    result = run(write_shot(tmp_path), until="collapse")
    assert [stage.name for stage in result.stages] == ALL[:4]


def test_a_lost_frame_is_made_again_and_no_other(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    first = run(path)
    (first.stage("comp").folder / "1005.exr").unlink()
    again = run(path)
    assert [stage.name for stage in again.stages if not stage.reused] == ["comp"]
    assert again.stage("comp").frames_reused == 11


RUN = """
import sys
sys.path.insert(0, {tests!r})
from shots_fakes import fake_stages
from falsework.shots.pipeline import make
if __name__ == "__main__":
    make({shot!r}, deliver=False, stages=fake_stages())
"""


def start(path: Path, pause: float, journal: Path) -> subprocess.Popen[bytes]:
    script = path.parent / "run.py"
    script.write_text(RUN.format(tests=str(Path(__file__).parent), shot=str(path)))
    environment = os.environ | {PAUSE: str(pause), JOURNAL: str(journal)}
    return subprocess.Popen([sys.executable, str(script)], env=environment, stderr=subprocess.PIPE)


@pytest.mark.parametrize("made", [2, 6, 11, 18])
def test_killed_at_any_moment_it_goes_on_and_redoes_nothing_finished(tmp_path: Path, made: int) -> None:
    path, journal = write_shot(tmp_path), tmp_path / "journal"
    process = start(path, 0.03, journal)
    while process.poll() is None and (not journal.exists() or len(journal.read_text().splitlines()) < made):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.3)  # the follower's last frame
    finished = {
        str(file.relative_to(tmp_path)): (file.stat().st_mtime_ns, file.read_bytes())
        for file in (tmp_path / "work").rglob("*")
        if file.is_file()
        and ".part" not in str(file)
        and file.name not in ("lock", "runs.json", "done.json", "seconds.json")
    }
    assert all(data != b"half" for _, data in finished.values())

    process = start(path, 0, journal)
    assert process.wait() == 0, process.stderr and process.stderr.read()
    for name, (modified, data) in finished.items():
        file = tmp_path / name
        assert (file.stat().st_mtime_ns, file.read_bytes()) == (modified, data)
    # A thing in hand when the process died is made twice at most, everything else once.
    counts = Counter(journal.read_text().splitlines())
    assert all(count <= 2 for count in counts.values())
    assert sum(count - 1 for count in counts.values()) <= 2
    assert not list((tmp_path / "work").rglob("*.part*"))
    reference = tmp_path / "reference"
    whole = run(write_shot(reference))
    for stage in whole.stages:
        for file in stage.folder.iterdir():
            if file.name not in ("done.json", "seconds.json"):
                twin = tmp_path / "work" / stage.folder.relative_to(reference / "work") / file.name
                assert twin.read_bytes() == file.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the follower ends after the frame in hand")
def test_the_follower_dies_with_the_run_in_the_midst_of_a_frame(tmp_path: Path) -> None:
    """The next run may begin at once: a frame the dead one finished late would meet its half-written twin."""
    path, journal = write_shot(tmp_path), tmp_path / "journal"
    process = start(path, 0.8, journal)
    while process.poll() is None and not (journal.exists() and "render 1001" in journal.read_text()):
        time.sleep(0.005)
    comp = tmp_path / "work" / "tiny" / "comp"
    while process.poll() is None and not list(comp.glob("*/*.part")):
        time.sleep(0.005)
    process.kill()
    process.wait()
    time.sleep(1.2)  # the frame in hand would be finished by now
    assert list(comp.glob("*/*.part"))
    assert not list(comp.glob("*/*.exr"))


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "work" / "tiny")
    path = write_shot(tmp_path)
    with store.lock(), pytest.raises(FalseworkError, match="another run"):
        run(path)
    run(path)  # the lock is gone with its holder


def test_a_missing_plate_is_named_with_its_key(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    (tmp_path / "plate.png").unlink()
    with pytest.raises(FalseworkError, match=r"plate\.file names plate\.png, which is not there"):
        run(path)


def test_a_fault_in_the_follower_reaches_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_shot(tmp_path)
    result = run(path)
    for stage in ("render", "comp"):
        for file in result.stage(stage).folder.glob("1*"):
            file.unlink()
    monkeypatch.setenv("FALSEWORK_FAKE_FAULT", "comp 1004")
    with pytest.raises(FalseworkError, match="the fake was told to fail"):
        run(path)
    monkeypatch.delenv("FALSEWORK_FAKE_FAULT")
    again = run(path)
    assert again.stage("comp").frames_reused == 3


def test_the_follower_may_be_done_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last layers are lost but not the pictures made of them, comp has nothing left to wait for."""
    path = write_shot(tmp_path)
    first = run(path)
    for frame in (1002, 1003):
        (first.stage("comp").folder / f"{frame}.exr").unlink()
    for frame in range(1008, 1013):
        (first.stage("render").folder / f"{frame}.layers").unlink()
    monkeypatch.setenv(PAUSE, "0.5")
    again = run(path)
    assert again.stage("render").frames_reused == 7
    assert again.stage("comp").frames_reused == 10


def test_a_large_picture_is_drawn_before_it_is_comped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "journal"
    monkeypatch.setenv(JOURNAL, str(journal))
    monkeypatch.setattr("falsework.shots.pipeline.LARGE_PICTURE", 1000)  # the fake solve's is 64x48
    result = run(write_shot(tmp_path))
    frames = [line.split()[0] for line in journal.read_text().splitlines() if " " in line]
    drawn = frames.count("render")
    assert drawn >= 2
    assert frames == ["render"] * drawn + ["comp"] * drawn
    assert [stage.name for stage in result.stages].count("render") == 1
