"""Another program may die, hang, flood us or leave half a file: each is said, and nothing stays behind."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from blender_fakes import ended, fake_blender, fake_module
from falsework.errors import FalseworkError
from falsework.render.traditional import process
from falsework.render.traditional.blender import Blender
from falsework.render.traditional.process import Session, in_blender, last_words, run_job

ANSWER = '(folder / "answer.json").write_text(json.dumps({"script": script}))\n'


def fault_of(blender: Blender, folder: Path, **options: float) -> str:
    with pytest.raises(FalseworkError) as caught:
        run_job(blender, "probe", folder, **options)
    return caught.value.sentence()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a user who likes spaces, and other letters."""
    path = tmp_path / "my shots (été)" / "job"
    path.mkdir(parents=True)
    return path


def test_an_answer_comes_back_with_what_it_took(tmp_path: Path, folder: Path) -> None:
    heard: list[tuple[int, int]] = []
    body = """
print("Blender 9.9.9")
for n in range(3): print('falsework {"done": %d, "total": 3}' % (n + 1), flush=True)
end = time.process_time() + 0.2
while time.process_time() < end: pass
"""
    blender = fake_blender(tmp_path / "my programs", body + ANSWER)
    answer = run_job(blender, "probe", folder, progress=lambda done, total: heard.append((done, total)))
    assert answer == {"script": "probe"}
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert answer.usage["wall"] >= answer.usage["cpu"] >= 0.2
    assert json.loads((folder / "usage.json").read_bytes()) == answer.usage


def test_a_dying_blender_is_reported_with_its_last_words(tmp_path: Path, folder: Path) -> None:
    body = """
print("Fra:3 Mem:20M (Peak 30M)")
print("Mantaflow: cannot allocate grid", flush=True)
os.kill(os.getpid(), signal.SIGSEGV)
"""
    said = fault_of(fake_blender(tmp_path, body), folder)
    assert (
        'Blender 9.9.9 died (Segmentation fault); its last words: "Mantaflow: cannot allocate grid"' in said
    )
    assert "Fra:" not in said
    assert "Run again" in said
    assert str(tmp_path / "blender") in said


def test_a_traceback_is_told_by_its_last_line(tmp_path: Path, folder: Path) -> None:
    said = fault_of(fake_blender(tmp_path, "def f():\n    raise ValueError('no such cache')\nf()"), folder)
    assert 'ended with exit code 1; its last words: "ValueError: no such cache"' in said


def test_a_blender_that_hangs_is_ended_with_all_it_started(tmp_path: Path, folder: Path) -> None:
    body = """
child = subprocess.Popen(["sleep", "600"])
(folder / "pids").write_text(f"{os.getpid()} {child.pid}")
print("thinking", flush=True)
time.sleep(600)
"""
    began = time.monotonic()
    said = fault_of(fake_blender(tmp_path, body), folder, patience=1.0)
    assert time.monotonic() - began < 20
    assert 'said nothing for 1 s and was ended; its last words: "thinking"' in said
    assert all(ended(int(pid)) for pid in (folder / "pids").read_text().split())


def test_it_is_said_that_a_silent_one_is_waited_for_and_until_when(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SILENT", 0.2)
    with caplog.at_level("WARNING", logger="falsework"):
        fault_of(fake_blender(tmp_path, "time.sleep(600)"), folder, patience=1.5)
    told = [record.getMessage() for record in caplog.records]
    assert 2 <= len(told) <= 3  # each time of a silence twice as long
    assert re.search(
        r"^Blender 9\.9\.9 \(probe\) has said nothing for \d+ s\. It is waited for until \d\d:\d\d:\d\d",
        told[0],
    )
    caplog.clear()
    spoken = "for _ in range(6):\n    print('.', flush=True)\n    time.sleep(0.05)\n"
    monkeypatch.setattr(process, "SILENT", 2.0)
    run_job(fake_blender(tmp_path, spoken + ANSWER), "probe", folder, patience=5.0)
    assert not caplog.records


def test_one_that_speaks_now_and_then_is_waited_for(tmp_path: Path, folder: Path) -> None:
    body = "for _ in range(6):\n    print('.', flush=True)\n    time.sleep(0.3)\n"
    assert run_job(fake_blender(tmp_path, body + ANSWER), "probe", folder, patience=1.0)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ('{"frames": 3, "fi', "ended without a whole answer"),
        ("[1, 2]", "ended without a whole answer"),
        ('{"files": {"smoke 1.vdb": 5000}}', "left smoke 1.vdb with 4 of 5000 bytes"),
        ('{"files": {"gone.vdb": 10}}', "left gone.vdb with 0 of 10 bytes"),
    ],
)
def test_half_an_answer_is_none(tmp_path: Path, folder: Path, answer: str, told: str) -> None:
    body = f"""
(folder / "smoke 1.vdb").write_bytes(b"half")
(folder / "answer.json").write_text({answer!r})
print("disk full")
"""
    said = fault_of(fake_blender(tmp_path, body), folder)
    assert told in said
    assert 'last words: "disk full"' in said


def test_an_earlier_runs_answer_is_not_taken_for_this_ones(tmp_path: Path, folder: Path) -> None:
    (folder / "answer.json").write_text("{}")
    assert "without a whole answer" in fault_of(fake_blender(tmp_path, ""), folder)


def test_a_flood_of_words_neither_fills_memory_nor_blocks(tmp_path: Path, folder: Path) -> None:
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    body = """
line = b"x" * 200 + b"\\n"
for _ in range(500): sys.stdout.buffer.write(line * 1000)  # 100 MB
sys.stdout.buffer.write(b"y" * 5_000_000 + b"\\n")
sys.stdout.buffer.write(b'falsework {not for us\\n\\xff\\x1b[31mthe \\x07end\\n')
sys.stdout.flush()
sys.exit(7)
"""
    said = fault_of(fake_blender(tmp_path, body), folder)
    assert "exit code 7" in said
    assert "the end" in said
    assert len(said) < 1500
    assert "\x1b" not in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kilobytes


def test_what_a_script_refuses_is_said_as_it_says_it(tmp_path: Path, folder: Path) -> None:
    body = """
print('falsework {"fault": {"what": "there is no CUDA device", "todo": "Set device to CPU."}}', flush=True)
sys.exit(4)
"""
    said = fault_of(fake_blender(tmp_path, body), folder)
    assert said == "Blender 9.9.9, probe: there is no CUDA device. Set device to CPU."


def test_a_program_that_is_none_is_refused(tmp_path: Path, folder: Path) -> None:
    blender = fake_blender(tmp_path, "")
    blender.program.write_bytes(b"\x7fELF no")
    assert "could not be started" in fault_of(blender, folder)


INTERRUPTED = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have work behind them ignore it
sys.path.insert(0, {tests!r})
from pathlib import Path
from blender_fakes import fake_blender
from falsework.render.traditional.process import Session, run_job
if __name__ == "__main__":
    folder = Path({folder!r})
    body = '''
child = subprocess.Popen(["sleep", "600"])
(folder / "pids").write_text(str(os.getpid()) + " " + str(child.pid) + "\\\\n")
time.sleep(600)
'''
    blender = fake_blender(folder, body)
    {work}
"""


@pytest.mark.parametrize(
    "work",
    [
        "run_job(blender, 'probe', folder)",
        "Session(blender, 'probe', folder).ask({'frame': 1})",
        "Session(blender, 'probe', folder).ask({'states': 'x' * 200_000})",  # more than a pipe holds
    ],
)
def test_an_interrupt_leaves_no_process_behind(tmp_path: Path, folder: Path, work: str) -> None:
    script = tmp_path / "run.py"
    script.write_text(INTERRUPTED.format(tests=str(Path(__file__).parent), folder=str(folder), work=work))
    ours = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE, start_new_session=True)
    pids = folder / "pids"
    limit = time.monotonic() + 60
    while not (pids.exists() and pids.read_text().endswith("\n")) and time.monotonic() < limit:
        time.sleep(0.02)
    time.sleep(0.1)
    ours.send_signal(signal.SIGINT)
    _, error = ours.communicate(timeout=30)
    assert b"KeyboardInterrupt" in error
    assert all(ended(int(pid)) for pid in pids.read_text().split())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends at the next thing it says")
def test_blender_dies_with_a_killed_falsework(tmp_path: Path, folder: Path) -> None:
    inside = tmp_path / "hang.py"
    inside.write_text(
        f"import sys, time, os\nsys.path.insert(0, {str(in_blender('exchange').parent)!r})\nimport exchange\n"
        "folder, _ = exchange.begin()\n(folder / 'pids').write_text(f'{os.getpid()}\\n')\ntime.sleep(600)\n"
    )
    ours = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "from pathlib import Path\nfrom blender_fakes import fake_module\n"
            "from falsework.render.traditional import process\n"
            f"process.in_blender = lambda name: Path({str(inside)!r})\n"
            f"process.run_job(fake_module(), 'hang', Path({str(folder)!r}))\n",
        ]
    )
    pids = folder / "pids"
    limit = time.monotonic() + 60
    while not (pids.exists() and pids.read_text().endswith("\n")) and time.monotonic() < limit:
        time.sleep(0.02)
    ours.kill()
    ours.wait()
    assert ended(int(pids.read_text()))


def test_last_words_are_no_machine_clutter() -> None:
    lines = b"""Blender 3.4.1
Read prefs: /home/x/.config
Fra:12 Mem:190M (Peak 200M)
Error: Python: Traceback (most recent call last):
  File "/x/y.py", line 3, in <module>
    main(
    ^^^^
00:03.037  render           | Saved: '/x/y.exr'
00:03.040  render           | RuntimeError: cache is not writable
cache is not writable
cache is not writable
Blender quit""".splitlines()
    assert last_words(lines) == "RuntimeError: cache is not writable / cache is not writable"


# ---- kept alive for many requests ---------------------------------------------------------------------

SERVING = """
import sys, os, time
sys.path.insert(0, {exchange!r})
import exchange
from pathlib import Path
def handler(request):
    print("Fra:1 Mem:3M", end="")  # a line that Blender has only begun
    exchange.say(1, 2)
    if request.get("die"):
        print("out of luck", flush=True)
        os.abort()
    if request.get("sleep"):
        time.sleep(600)
    if request.get("refuse"):
        exchange.refuse("no such frame", "Ask for another.")
    made = Path(sys.argv[-1]) / "frame 1.exr"
    made.write_bytes(b"picture")
    answer = {{"frame": request["frame"], "files": [made]}}
    return answer
exchange.serve(handler)
"""


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Session]:
    script = tmp_path / "serving.py"
    script.write_text(SERVING.format(exchange=str(in_blender("exchange").parent)))
    monkeypatch.setattr(process, "in_blender", lambda name: script)
    return lambda folder, **options: Session(fake_module(), "serving", folder, **options)


def test_a_session_answers_many_requests(serving: Callable[..., Session], folder: Path) -> None:
    heard: list[tuple[int, int]] = []
    with serving(folder) as session:
        pid = session._child._process.pid
        for frame in range(3):
            answer = session.ask({"frame": frame}, progress=lambda done, total: heard.append((done, total)))
            assert answer == {"frame": frame, "files": {"frame 1.exr": 7}}
        assert session.usage["wall"] > 0
    assert heard == [(1, 2)] * 3
    assert ended(pid)
    assert session.usage["cpu"] > 0
    with pytest.raises(FalseworkError, match="has been ended"):
        session.ask({"frame": 4})


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"die": True}, r"died \(Aborted\); its last words: .*out of luck"),
        ({"sleep": True}, "said nothing for 1 s and was ended"),
        ({"refuse": True}, r"no such frame\. Ask for another\."),
        ({}, "KeyError: 'frame'"),
    ],
)
def test_a_session_that_fails_says_so_and_is_over(
    serving: Callable[..., Session], folder: Path, request_: dict[str, bool], told: str
) -> None:
    session = serving(folder, patience=1.0)
    pid = session._child._process.pid
    with pytest.raises(FalseworkError, match=told):
        session.ask(request_)
    assert ended(pid)
    with pytest.raises(FalseworkError):
        session.ask({"frame": 1})


def test_a_request_that_is_never_read_is_given_up(tmp_path: Path, folder: Path) -> None:
    body = '(folder / "pid").write_text(str(os.getpid()))\nprint("thinking", flush=True)\ntime.sleep(600)\n'
    session = Session(fake_blender(tmp_path, body), "probe", folder, patience=1.0)
    with pytest.raises(FalseworkError, match=r'took in nothing for 1 s and was ended; .*"thinking"'):
        session.ask({"states": "x" * 200_000})
    assert ended(int((folder / "pid").read_text()))


def test_a_request_that_is_read_slowly_arrives_whole(tmp_path: Path, folder: Path) -> None:
    body = """
read = b""
while not read.endswith(b"\\n"):
    time.sleep(0.2)
    read += os.read(0, 50_000)
print("falsework", json.dumps({"answer": {"length": len(json.loads(read)["states"])}}), flush=True)
sys.stdin.read()
"""
    with Session(fake_blender(tmp_path, body), "probe", folder, patience=1.0) as session:
        assert session.ask({"states": "x" * 400_000}) == {"length": 400_000}


def test_a_program_that_dies_with_half_a_request_is_reported(tmp_path: Path, folder: Path) -> None:
    body = 'os.read(0, 1000)\nprint("out of luck", flush=True)\nos.abort()\n'
    session = Session(fake_blender(tmp_path, body), "probe", folder)
    with pytest.raises(FalseworkError, match=r'died \(Aborted\); its last words: "out of luck"'):
        session.ask({"states": "x" * 200_000})


def test_a_forgotten_session_is_ended(serving: Callable[..., Session], folder: Path) -> None:
    session = serving(folder)
    pid = session._child._process.pid
    del session
    assert ended(pid)
