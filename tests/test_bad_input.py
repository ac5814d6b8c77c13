"""Bad input gets a sentence, not a stack trace: exit code 2, what is wrong, where, and what to do."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from falsework.cli import main as cli
from falsework.media.images import encode_jpeg, write_png
from falsework.plate.settings import FacadeSettings
from falsework.shots.store import Store
from test_plate_stage import street

CORNERS = re.compile(r"^corners = .*$", re.MULTILINE)


def shot_text(walls: list[FacadeSettings], plate: str = "plate.png") -> str:
    facades = "".join(
        f'\n[[facades]]\nname = "{wall.name}"\ncorners = {[list(corner) for corner in wall.corners]}\n'
        f"storeys = 5\nstorey_height = 3.2\nground_storey_height = 4.2\nbays = 6\n"
        for wall in walls
    )
    return (
        f'name = "bad"\nseed = 1\nfps = 12\nframes = [1001, 1004]\n\n'
        f'[plate]\nfile = "{plate}"\nsize = [360, 240]\n{facades}\n'
        "[fracture]\nfragments = 50\n\n[collapse]\nstart = 1002\n\n[dust]\ndebris = 20\n"
    )


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """A drawn street corner as PNG, and a shot of it that is sound."""
    folder = tmp_path_factory.mktemp("street")
    _, walls = street(folder)
    return (folder / "plate.png").read_bytes(), shot_text(walls)


@pytest.fixture
def shot(drawn: tuple[bytes, str], tmp_path: Path) -> Path:
    """The sound shot, to be spoilt."""
    picture, text = drawn
    (tmp_path / "plate.png").write_bytes(picture)
    path = tmp_path / "shot.toml"
    path.write_text(text)
    return path


def spoil(shot: Path, old: str, new: str) -> None:
    text = shot.read_text()
    assert old in text
    shot.write_text(text.replace(old, new, 1))


def check_sentence(code: int, said: str, *words: str) -> None:
    """One fault on stderr, with exit code 2: what, where, what to do."""
    assert code == 2, said
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if not re.match(r"^(\w+ +(finished before|[\d.]+ s))", line)]
    assert len(lines) == 1, said
    for word in words:
        assert word in lines[0], said
    # "where: what. What to do."
    assert re.match(r"^\S.*: .+\. [A-Z“`].+", lines[0]), said


def refused(capsys: pytest.CaptureFixture[str], shot: Path, *words: str, until: str = "solve") -> None:
    code = cli.main(["make", str(shot), "--until", until])
    said = capsys.readouterr()
    check_sentence(code, said.err, *words)
    assert said.out == ""


def in_a_process(
    shot: Path, *options: str, prepare: Callable[[], None] | None = None, **environment: str
) -> tuple[int, str]:
    """`falsework make` on its own: its exit code and what it said on stderr."""
    run = subprocess.run(
        [sys.executable, "-m", "falsework.cli.main", "make", str(shot), *options],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        preexec_fn=prepare,
    )
    return run.returncode, run.stderr


# ---- the shot file --------------------------------------------------------------------------------------


def test_a_shot_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, tmp_path / "absent.toml", "absent.toml", "there is no such file", "falsework new")


def test_a_folder_for_a_shot_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, tmp_path, str(tmp_path), "is a folder, not a shot", "falsework new")
    (tmp_path / "shot.toml").write_text("")
    refused(capsys, tmp_path, f"Give the file in it: {tmp_path / 'shot.toml'}")


def test_a_picture_for_a_shot_file(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, shot.with_name("plate.png"), "plate.png", "TOML file in UTF-8")


def test_no_toml(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shot.write_text("the corner folds, please\n")
    refused(capsys, shot, "shot.toml:1: is not valid TOML", "in the line `the corner folds, please`")
    shot.write_text('name = "corner"\nbrief = "unclosed\nseed = 1\n')
    refused(capsys, shot, "shot.toml:2:", "a text in quotes does not end on its line", "`brief = ")
    shot.write_text('name = "corner"\nseed = 1\nseed = 2\n')
    refused(capsys, shot, "shot.toml:3:", "a key that stands above already", "`seed = 2`")
    shot.write_text('name = "corner"\nframes = [1,\n')
    refused(capsys, shot, "shot.toml", "is not closed")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("storeys = 5", "storeys = 0", ["facades.0.storeys", "at least 1, not 0"]),
        ("start = 1002", "start = 1099", ["collapse.start", "after the last frame (1004)", "1001 to 1004"]),
        ("start = 1002", "start = 1002\nstrength = nan", ["collapse.strength", "a finite number"]),
        ("debris = 20", "amount = inf", ["dust.amount", "a finite number"]),
        ("seed = 1", "seed = nan", ["seed", "finite"]),
        ("fps = 12", "fps = -inf", ["fps", "finite"]),
        ("fragments = 50", "fragmants = 50", ['"fragmants" is not a key', 'Did you mean "fragments"?']),
        ("[collapse]", "[colapse]", ['"colapse" is not a key', 'Did you mean "collapse"?']),
    ],
)
def test_a_setting_that_cannot_be(
    shot: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: list[str]
) -> None:
    spoil(shot, old, new)
    refused(capsys, shot, "shot.toml:", *words)


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        ([[100, 100], [500, 100], [200, 200], [100, 500]], ["not convex"]),
        ([[100, 100], [500, 500], [500, 100], [100, 500]], ["crosses itself"]),
        ([[9000, 9000], [9500, 9000], [9500, 9600], [9000, 9600]], ["outside"]),
        ([[100, 100], [500, float("nan")], [500, 500], [100, 500]], ["facades.0.corners", "finite"]),
        ([[100, 100], [300, 100], [500, 100], [100, 500]], ["not convex"]),
    ],
)
def test_a_quad_that_is_no_wall(
    shot: Path, capsys: pytest.CaptureFixture[str], corners: list[list[float]], words: list[str]
) -> None:
    shot.write_text(CORNERS.sub(f"corners = {corners}", shot.read_text(), count=1))
    refused(capsys, shot, "facades", "corners", *words)


# ---- the plate ------------------------------------------------------------------------------------------


def grey_png(width: int, height: int) -> bytes:
    """A black PNG of any size in a few kilobytes, written by hand (libraries would hold it in memory)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(height * (width + 1)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def photo() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, (300, 400, 3)).astype(np.uint8)


PLATES: list[tuple[str, Callable[[], bytes], list[str]]] = [
    ("empty.jpg", lambda: b"", ["the file is empty"]),
    ("words.jpg", lambda: b"this is not a picture\n" * 40, ["cannot be read as a picture"]),
    ("torn.jpg", lambda: encode_jpeg(photo())[:20_000], ["is damaged", "export it anew"]),
    ("phone.webp", lambda: cv2.imencode(".webp", photo())[1].tobytes(), ["JPEG, PNG, TIFF, EXR or DPX"]),
    ("old.gif", lambda: b"GIF89a" + bytes(200), ["JPEG, PNG, TIFF, EXR or DPX"]),
    (
        "phone.heic",
        lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400),
        ["JPEG, PNG, TIFF, EXR or DPX"],
    ),
    ("clip.mp4", lambda: b"\0\0\0\x20ftypisom" + bytes(500), ["cannot be read as a picture"]),
    ("dot.png", lambda: grey_png(1, 1), ["1x1 pixels", "too small"]),
    ("wide.png", lambda: grey_png(30_000, 64), ["30000x64 pixels", "more than 20,000", "Scale it down"]),
    ("huge.png", lambda: grey_png(30_000, 30_000), ["30000x30000 pixels", "more than 20,000"]),
]


@pytest.mark.parametrize(("name", "content", "words"), PLATES, ids=[name for name, _, _ in PLATES])
def test_a_plate_that_cannot_be_used(
    shot: Path, capsys: pytest.CaptureFixture[str], name: str, content: Callable[[], bytes], words: list[str]
) -> None:
    shot.with_name(name).write_bytes(content())
    spoil(shot, "plate.png", name)
    refused(capsys, shot, name, *words)


def test_a_plate_that_is_not_there(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(shot, "plate.png", "absent.jpg")
    refused(capsys, shot, "shot.toml", "plate.file", "absent.jpg", "not there")


def test_a_matte_that_is_not_there(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with shot.open("a") as file:
        file.write('\n[[occluders]]\nname = "cars"\nfile = "cars.png"\n')
    refused(capsys, shot, "shot.toml", "occluders.0.file", "cars.png", "not there")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('building_matte = "black.png"', ["[plate] building_matte", "nothing of the building"]),
        ('building_matte = "small.png"', ["[plate] building_matte", "100x100 pixels, the plate 1440x960"]),
        ('clean = "small.png"', ["[plate] clean", "100x100 pixels, the plate 1440x960"]),
        ("crop = [1000, 500, 1440, 960]", ["[plate] crop", "does not lie inside the 1440x960 picture"]),
        ("focal_35mm = 1000", ["corners", "ground"]),
        (
            'focal_35mm = 28\nlens = { model = "brown", coefficients = [-9.0, 3.0] }',
            ["[plate.lens] coefficients", "fold the picture over itself"],
        ),
        ('lens = { model = "brown", coefficients = [-0.1] }', ["[plate] focal_35mm", "not known"]),
        ('lens = { model = "fisheye" }', ["plate.lens.coefficients", "not 0"]),
    ],
)
def test_plate_settings_that_do_not_fit_the_plate(
    shot: Path, capsys: pytest.CaptureFixture[str], line: str, words: list[str]
) -> None:
    write_png(shot.with_name("black.png"), np.zeros((960, 1440), np.uint8))
    write_png(shot.with_name("small.png"), np.zeros((100, 100), np.uint8))
    spoil(shot, "size = [360, 240]", line)
    refused(capsys, shot, *words)


def test_an_unknown_colour_space(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(shot, 'file = "plate.png"', 'file = "plate.png"\ncolour_space = "LogC33"')
    refused(capsys, shot, "colour_space", "LogC33", "LogC3")


@pytest.mark.parametrize("kind", ["black", "flat", "noise"])
def test_a_picture_that_settles_no_camera(shot: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """Nothing to go by: no edges, and walls drawn square on, which no vanishing point follows from."""
    pictures = {
        "black": np.zeros((600, 900, 3), np.uint8),
        "flat": np.full((600, 900, 3), 128, np.uint8),
        "noise": np.random.default_rng(1).integers(0, 255, (600, 900, 3)).astype(np.uint8),
    }
    write_png(shot.with_name("plate.png"), pictures[kind])
    square = [[100, 100], [400, 100], [400, 500], [100, 500]]
    beside = [[400, 100], [800, 100], [800, 500], [400, 500]]
    text = CORNERS.sub(f"corners = {square}", shot.read_text(), count=1)
    at = text.rindex("corners")
    shot.write_text(text[:at] + CORNERS.sub(f"corners = {beside}", text[at:], count=1))
    refused(capsys, shot, "[plate]", "focal_35mm")


# ---- odd, but sound -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("frames = [1001, 1004]", "frames = [1002, 1002]"),
        ("fps = 12", "fps = 120"),
        ("debris = 20", "amount = 0"),
    ],
    ids=["one frame", "120 frames a second", "no dust"],
)
def test_odd_shots_are_made(shot: Path, old: str, new: str) -> None:
    spoil(shot, old, new)
    assert cli.main(["make", str(shot), "--quiet"]) == 0


# ---- the machine ----------------------------------------------------------------------------------------


def finished(shot: Path) -> dict[str, int]:
    """Everything in whole stages and every frame, by name: when it was written."""
    work = shot.parent / "work" / "bad"
    return {
        str(path.relative_to(work)): path.stat().st_mtime_ns
        for path in work.glob("*/*/*")
        if ".part" not in str(path) and path.name not in ("done.json", "seconds.json", "opengl.json")
    }


@pytest.fixture(scope="module")
def whole(drawn: tuple[bytes, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sound shot with every stage finished and nothing delivered."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "plate.png").write_bytes(drawn[0])
    path = folder / "shot.toml"
    path.write_text(drawn[1])
    assert cli.main(["comp", str(path), "--quiet"]) == 0
    return folder


def finished_but(whole: Path, folder: Path, *stages: str) -> Path:
    """A copy of the finished shot in which some stages are still to be made; the shot file."""
    shutil.copytree(whole, folder, ignore=shutil.ignore_patterns(*stages))
    return folder / "shot.toml"


def limit_files(size: int) -> Callable[[], None]:
    """For a new process: files may not grow beyond `size` bytes, wherever the writer is."""

    def prepare() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that the write fails instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return prepare


@pytest.mark.parametrize(("stage", "size"), [("dust", 100_000), ("render", 10_000), ("comp", 200_000)])
def test_files_that_may_not_grow(whole: Path, tmp_path: Path, stage: str, size: int) -> None:
    """The writers differ: safetensors, Python, OpenEXR. `size` is between the small files and those."""
    shot = finished_but(whole, tmp_path / "shot", stage)
    before = finished(shot)
    code, said = in_a_process(shot, prepare=limit_files(size))
    check_sentence(code, said, stage, "could not be written", "ulimit", "finished work is kept")
    after = finished(shot)
    assert all(after[name] == written for name, written in before.items())
    assert not list(shot.parent.rglob("*.part"))


NO_ROOM = """
import errno, os, sys
from falsework.cli import main as cli

replace = os.replace

def full(source, target):
    if str(target).endswith(sys.argv[2]):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
    replace(source, target)

os.replace = full
if __name__ == "__main__":
    sys.exit(cli.main(["make", sys.argv[1]]))
"""


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("solve.json", ["solve"]),
        ("plate.safetensors", ["solve"]),
        ("motion.safetensors", ["collapse"]),
        ("dust.0001.safetensors", ["dust"]),
        ("1002.layers", ["render", "comp"]),
        ("1002.exr", ["comp"]),
        ("motion.usd", []),
        ("review.mp4", []),
        ("contact.png", []),
        ("report.html", []),
        ("manifest.json", []),
    ],
)
def test_a_full_disk(whole: Path, tmp_path: Path, kind: str, missing: list[str]) -> None:
    """A disk with no room for one file: its last step fails as the system's would, in whatever process."""
    shot = finished_but(whole, tmp_path / "shot", *missing)
    before = finished(shot)
    script = tmp_path / "full.py"
    script.write_text(NO_ROOM)
    run = subprocess.run([sys.executable, str(script), str(shot), kind], capture_output=True, text=True)
    check_sentence(run.returncode, run.stderr, kind, "disk is full", "finished work is kept")
    after = finished(shot)
    assert all(after[name] == written for name, written in before.items())
    assert not (shot.parent / "out" / "bad" / "manifest.json").exists()


def test_no_opengl(whole: Path, tmp_path: Path) -> None:
    """A machine without an OpenGL driver: libEGL finds no vendor."""
    shot = finished_but(whole, tmp_path / "shot", "render", "comp")
    before = finished(shot)
    nothing = str(tmp_path / "nothing")
    code, said = in_a_process(
        shot,
        __EGL_VENDOR_LIBRARY_DIRS=nothing,
        __EGL_VENDOR_LIBRARY_FILENAMES=nothing,
        LIBGL_DRIVERS_PATH=nothing,
    )
    check_sentence(code, said, "render", "OpenGL", "apt-get install libegl1 libgl1-mesa-dri")
    assert finished(shot) == before


def test_a_file_where_a_folder_should_be(
    shot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "work").write_text("in the way")
    refused(capsys, shot, "work")


def test_an_out_folder_that_cannot_be(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shot = finished_but(whole, tmp_path / "shot")
    (tmp_path / "out").write_text("in the way")
    code = cli.main(["make", str(shot), "--out", str(tmp_path / "out")])
    check_sentence(code, capsys.readouterr().err, str(tmp_path / "out"), "--out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shot.parent.chmod(0o555)
    try:
        refused(capsys, shot, "may not be written", "--out")
    finally:
        shot.parent.chmod(0o755)


def test_two_runs_at_once(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store(shot.parent / "work" / "bad").lock():
        refused(capsys, shot, "another run", f"process {os.getpid()}", "Wait for it")


def test_json_tells_the_same(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(shot, "storeys = 5", "storeys = 0")
    assert cli.main(["make", str(shot), "--json", "--quiet"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["exit_code"] == 2
    assert set(answer["error"]) == {"what", "where", "todo"}
    assert all(answer["error"].values())
