"""Running a script inside Blender, as a program of its own, and hearing how it goes.

What can go wrong with another program is dealt with here once: it may die, hang, print without end, leave
half a file, or outlive us. Each becomes a sentence with its last words, and nothing of it stays behind.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import logging
import os
import queue
import re
import select
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self
from weakref import finalize

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.progress import Progress, silent

if TYPE_CHECKING:
    from falsework.render.traditional.blender import Blender

__all__ = ["PATIENCE", "Answer", "Session", "in_blender", "run_job", "write_job"]

PATIENCE = 900.0  # seconds without a word before it counts as hung
SILENT = 60.0  # seconds without a word, as a large picture may take, after which its waiting is told
GRACE = 10.0  # seconds to end by itself once it is asked to
LOOK = 0.2  # seconds between looks whether it is still there
MARK = b"falsework {"  # how a line meant for us begins
LONGEST = 1 << 20  # bytes of one line that are kept
REMEMBERED = 40  # lines of what it printed
LAST_WORDS = 4  # lines of them shown
WIDEST = 200  # characters of such a line
# What Blender says in any case, and where in which file something happened: nothing a person could use.
CLUTTER = re.compile(
    r"Fra:|Blender \d|Blender quit|Read prefs|Saved session|Color management|found bundled python|"
    r"(Error: )?(Python: )?Traceback \(most|File \"|~*\^+~*$|The above exception|During handling|Saved:|"
    r"Time: |Error: script failed|Error raised in |Writing: |Warning: region type"
)
SAID = logging.getLogger("falsework.blender")  # what a person who waits wants to know; stderr unless set up
OURS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP")  # our Python's affair, not Blender's


class Answer(dict[str, Any]):
    """What a script answered. `usage`: "wall" and "cpu" seconds of the whole program, its start included."""

    usage: dict[str, float]

    def __init__(self, values: Mapping[str, Any], usage: Mapping[str, float]) -> None:
        super().__init__(values)
        self.usage = dict(usage)


def in_blender(script: str) -> Path:
    """The file of a script that runs inside Blender."""
    path = (
        Path(str(importlib.resources.files("falsework.render.traditional"))) / "in_blender" / f"{script}.py"
    )
    if not path.is_file():
        raise FalseworkError(
            "is not there as a file",
            where=path,
            todo="Install falsework unpacked (`pip install`, not from within a zip).",
        )
    return path


def write_job(folder: Path, job: Mapping[str, Any]) -> None:
    """Write job.json, which `exchange.begin` reads; arrays go beside it with `media.arrays.write_arrays`."""
    write_text(folder / "job.json", json.dumps(job, indent=1, allow_nan=False) + "\n")


def run_job(
    blender: Blender, script: str, folder: Path, *, progress: Progress = silent, patience: float = PATIENCE
) -> Answer:
    """Run in_blender/SCRIPT.py once on `folder` and return what it left in answer.json.

    Raises FalseworkError where it exits with an error, dies, says nothing for `patience` seconds, or leaves
    no whole answer; it has ended then, and so has what it started.
    """
    folder = folder.absolute()
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    child = _Child(blender, script, folder)
    try:
        child.hear(progress, patience, answers=False)
    finally:
        child.end(0.0)
    try:
        values = json.loads(answer.read_bytes())
        assert isinstance(values, dict)
    except (OSError, ValueError, AssertionError):
        raise child.fault("ended without a whole answer") from None
    child.check_files(values)
    write_text(folder / "usage.json", json.dumps(child.usage()))
    return Answer(values, child.usage())


class Session:
    """A script in Blender kept alive for many requests; a context manager.

    `folder` is its argument, as for `run_job`. After any error it has ended, and takes no more requests.
    """

    def __init__(self, blender: Blender, script: str, folder: Path, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._child = _Child(blender, script, folder.absolute())
        finalize(self, self._child.end, 0.0)  # whoever forgets to close it leaves no Blender behind

    @property
    def usage(self) -> dict[str, float]:
        """Seconds of the program so far: "wall", and "cpu" of all its threads, user and system."""
        return self._child.usage()

    def ask(self, request: Mapping[str, Any], *, progress: Progress = silent) -> dict[str, Any]:
        """One request, one answer. Raises FalseworkError as `run_job` does."""
        try:
            self._child.write(json.dumps(dict(request), allow_nan=False), self._patience)
            answer = self._child.hear(progress, self._patience, answers=True)
            self._child.check_files(answer)
            return answer
        except BaseException:
            self._child.end(0.0)
            raise

    def close(self) -> None:
        """Let it end; it is ended if it does not."""
        self._child.end(GRACE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.end(GRACE if kind is None else 0.0)


class _Child:
    """The program and the thread that listens to it.

    The thread starts it, too: Linux ends a child that asked for it when the thread that started it ends, and
    this one lives exactly as long as the program has something to say.
    """

    def __init__(self, blender: Blender, script: str, folder: Path) -> None:
        self._blender, self._script, self._folder = blender, script, folder
        self._command = blender.command(in_blender(script), folder)
        self._messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()  # None: it has ended
        self._words: deque[bytes] = deque(maxlen=REMEMBERED)
        self._heard = time.monotonic()
        self._told = SILENT  # the silence at which it is next said that it is waited for
        self._began = time.perf_counter()
        self._usage: dict[str, float] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._refused: OSError | None = None
        self._ended = False
        self._lock = threading.Lock()  # between ending it and noticing that it has ended
        started = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(started,), daemon=True, name=script)
        self._thread.start()
        started.wait()
        if self._refused is not None:
            raise FalseworkError(
                f"could not be started ({self._refused.strerror or self._refused})",
                where=blender.program,
                todo="Give another Blender with --blender, or mend this one.",
            ) from self._refused

    # ---- what the caller asks -------------------------------------------------------------------------

    def write(self, line: str, patience: float) -> None:
        """Hand it a line. A pipe holds 64 KiB: a longer one is taken only as fast as the program reads."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        if process.stdin.closed:
            raise FalseworkError(f"{self._name()} has been ended", where=f"traditional {self._script}")
        descriptor = process.stdin.fileno()
        data = memoryview(line.encode() + b"\n")
        self._heard = time.monotonic()
        try:
            while data and not self._ended:
                if select.select([], [descriptor], [], LOOK)[1]:
                    with contextlib.suppress(BlockingIOError):
                        data = data[os.write(descriptor, data) :]
                        self._heard = time.monotonic()
                elif time.monotonic() - self._heard > patience:
                    self.end(0.0)
                    raise self.fault(f"took in nothing for {patience:g} s and was ended")
                self._tell_of_silence(patience)
        except OSError:
            pass  # it has died: `hear` says how

    def hear(self, progress: Progress, patience: float, *, answers: bool) -> dict[str, Any]:
        """Pass on progress until the program answers (with `answers`) or has ended well."""
        self._heard = time.monotonic()
        while True:
            left = self._heard + min(patience, self._told) - time.monotonic()
            try:
                message = self._messages.get(timeout=max(left, 0.0))
            except queue.Empty:
                if time.monotonic() - self._heard < patience:
                    self._tell_of_silence(patience)
                    continue  # it prints something, if nothing for us, or may yet
                self.end(0.0)
                raise self.fault(f"said nothing for {patience:g} s and was ended") from None
            if message is None:
                self._thread.join()
                assert self._process is not None
                code = self._process.returncode
                if code or answers:
                    raise self.fault(_ending(code))
                return {}
            if "fault" in message:
                fault = message["fault"]
                raise FalseworkError(
                    str(fault.get("what", "failed")),
                    where=f"{self._name()}, {self._script}",
                    todo=str(fault.get("todo", "")),
                )
            if "answer" in message and answers:
                return dict(message["answer"])
            if "done" in message:
                progress(int(message["done"]), int(message["total"]))

    def _tell_of_silence(self, patience: float) -> None:
        """Say that it is waited for, and until when. Each time only of a silence twice as long as the last
        that was told of: some are silent for a minute in every frame."""
        silent = time.monotonic() - self._heard
        if self._told <= silent < patience:
            self._told = 2 * silent
            until = datetime.now() + timedelta(seconds=patience - silent)
            SAID.warning(
                "%s (%s) has said nothing for %.0f s. It is waited for until %s, then it is ended.",
                self._name(), self._script, silent, until.strftime("%H:%M:%S"),
            )  # fmt: skip

    def end(self, grace: float) -> None:
        """End it: by closing its input and waiting `grace` seconds, then by force, with all it started."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        try:
            if grace:
                with contextlib.suppress(OSError):
                    process.stdin.close()
                self._thread.join(grace)
        finally:
            with self._lock:
                if not self._ended:
                    _kill_group(process.pid)
            with contextlib.suppress(OSError):
                process.stdin.close()
            self._thread.join()

    def usage(self) -> dict[str, float]:
        if self._usage is not None:
            return self._usage
        assert self._process is not None
        wall = time.perf_counter() - self._began
        return {"wall": round(wall, 3), "cpu": round(_cpu_seconds(self._process.pid), 3)}

    def fault(self, how: str) -> FalseworkError:
        words = last_words(self._words)
        said = f'; its last words: "{words}"' if words else " and had said nothing"
        return FalseworkError(
            f"{self._name()} {how}{said}",
            where=f"traditional {self._script}",
            todo=f"Run again: finished frames are kept; if it happens again, give another Blender than "
            f"{self._blender.program} with --blender.",
        )

    def check_files(self, answer: Mapping[str, Any]) -> None:
        """Whether the files that an answer names are there and whole."""
        for name, size in dict(answer.get("files", {})).items():
            path = self._folder / name
            found = path.stat().st_size if path.is_file() else 0
            if found != size:
                raise self.fault(f"left {name} with {found} of {size} bytes")

    def _name(self) -> str:
        return f"Blender {self._blender.version}".strip()

    # ---- the listening thread -------------------------------------------------------------------------

    def _listen(self, started: threading.Event) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        environment |= {"FALSEWORK_PROCESS": str(os.getpid()), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            process = subprocess.Popen(
                self._command,
                bufsize=0,  # nothing of ours waits to be written when it is ended
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=environment,
                start_new_session=True,  # a group of its own: ended as a whole, and by us alone
            )
        except OSError as error:
            self._refused = error
            started.set()
            return
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdin.fileno(), False)  # our end of it alone
        self._process = process
        started.set()
        try:
            self._read(process.stdout, process.pid)
        finally:
            with self._lock:
                # Those it started may live on and hold its output: they go while the group's name is ours.
                _kill_group(process.pid)
                _, status, spent = os.wait4(process.pid, 0)
                self._ended = True
            process.returncode = os.waitstatus_to_exitcode(status)
            self._usage = {
                "wall": round(time.perf_counter() - self._began, 3),
                "cpu": round(spent.ru_utime + spent.ru_stime, 3),
            }
            process.stdout.close()
            self._messages.put(None)

    def _read(self, output: IO[bytes], pid: int) -> None:
        """Until the output ends, or the program has ended and nothing more comes."""
        descriptor = output.fileno()
        pending = b""
        while True:
            if not select.select([descriptor], [], [], LOOK)[0]:
                if _has_ended(pid):
                    break
                continue
            data = os.read(descriptor, 1 << 16)
            if not data:
                break
            self._heard = time.monotonic()
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                self._line(line)
            if len(pending) > LONGEST:
                pending = pending[:LONGEST]
        if pending:
            self._line(pending)
        _await_end(pid)

    def _line(self, line: bytes) -> None:
        if line.startswith(MARK):
            try:
                message = dict(json.loads(line[len(MARK) - 1 :]))
                if "alive" not in message:
                    self._messages.put(message)
                return
            except ValueError:
                pass
        if line.strip():
            self._words.append(line[: 4 * WIDEST])


def last_words(lines: deque[bytes] | list[bytes]) -> str:
    """The last that a program said, as one line for a person: without what it says in any case."""
    kept: list[str] = []
    indented = False
    for line in lines:
        text = line.decode(errors="replace")
        text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|^\d\d:\d\d\.\d+ +\S+ +\| ", "", text)  # colours; hour, part
        text = "".join(one for one in text if one.isprintable() or one == " ")
        if CLUTTER.match(text.strip()):
            indented = text.strip().startswith("File ")
            continue
        if indented and text.startswith("    "):  # the line of code that a traceback shows
            continue
        indented = False
        words = " ".join(text.split())
        if words and words not in kept[-1:]:
            kept.append(words if len(words) <= WIDEST else words[: WIDEST - 1] + "…")
    return " / ".join(kept[-LAST_WORDS:])


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}" if code else "ended unasked"
    if -code == signal.SIGKILL:
        return "was killed from outside (often: memory ran out)"
    return f"died ({signal.strsignal(-code) or f'signal {-code}'})"


def _kill_group(leader: int) -> None:
    """End all processes of the group that `leader` began; it must not have been waited for yet."""
    # macOS says the latter of a group of the dead.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _await_end(pid: int) -> None:
    """Until the program ends; its output is closed already, so that will not be long."""
    limit = time.monotonic() + GRACE
    while not _has_ended(pid) and time.monotonic() < limit:
        time.sleep(0.005)


def _cpu_seconds(pid: int) -> float:
    """Processor seconds of a living program, 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return 0.0
