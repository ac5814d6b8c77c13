"""Takes: what they share, where they differ, what a run of them leaves behind and goes on from."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from falsework.cli import main as cli
from falsework.cli.takes import _frames
from falsework.errors import FalseworkError
from falsework.media.images import write_png
from falsework.rights.state import State
from falsework.shots import takes
from falsework.shots.clearing.desk import desk_of
from falsework.shots.pipeline import make
from falsework.shots.stages import FrameStage, Job, Stage
from falsework.shots.takes import Takes, make_takes
from shots_fakes import FAULT, JOURNAL, fake_stages, open_comp, write_shot

HEIGHT, WIDTH = 96, 144


def open_comp_with_pictures(job: Job) -> Callable[[int], None]:
    make_frame = open_comp(job)

    def made(frame: int) -> None:
        grey = np.full((HEIGHT, WIDTH, 3), 20 + 25 * job.shot.render.take, np.uint8)
        write_png(job.frame_path(frame, ".png"), grey)
        make_frame(frame)
        with job.frame_path(frame, ".exr").open("a") as file:
            file.write(f"take {job.shot.render.take}")

    return made


def stages() -> dict[str, Stage | FrameStage]:
    fakes = fake_stages()
    comp = fakes["comp"]
    assert isinstance(comp, FrameStage)
    fakes["comp"] = replace(comp, open=open_comp_with_pictures)
    return fakes


def run(path: Path, **options: object) -> Takes:
    """Three takes of one frame each, which needs no second process."""
    options = {"stages": stages(), "count": 3, "frames": [1005], **options}
    return make_takes(path, **options)  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Counter[str]]:
    """What was made since the last look."""
    place = tmp_path / "journal"
    place.touch()
    monkeypatch.setenv(JOURNAL, str(place))

    def look() -> Counter[str]:
        lines = Counter(place.read_text().splitlines())
        place.write_text("")
        return lines

    return look


def test_everything_before_the_drawing_is_made_once(
    tmp_path: Path, journal: Callable[[], Counter[str]]
) -> None:
    path = write_shot(tmp_path / "shot")
    found = run(path, count=2, frames=None)
    made = journal()
    assert found.frames == (1001, 1005, 1009)
    assert {name: made[name] for name in ("solve", "build", "fracture", "collapse", "dust")} == dict.fromkeys(
        ("solve", "build", "fracture", "collapse", "dust"), 1
    )
    assert made["render 1005"] == made["comp 1005"] == 2
    make(path, deliver=False, stages=fake_stages(), preview=True)
    assert not {"solve", "dust"} & set(journal())


def test_a_second_run_makes_nothing_and_a_larger_one_only_what_is_new(
    tmp_path: Path, journal: Callable[[], Counter[str]]
) -> None:
    path = write_shot(tmp_path / "shot")
    first = run(path)
    before = [take.movie.read_bytes() for take in first.takes]
    journal()
    again = run(path)
    assert not journal()
    assert all(take.reused for take in again.takes)
    assert [take.movie.read_bytes() for take in again.takes] == before
    run(path, count=4)
    assert journal()["render 1005"] == 1


def test_what_a_run_leaves(tmp_path: Path) -> None:
    found = run(write_shot(tmp_path), frames=[1005, 1009])
    assert found.out == tmp_path / "out" / "takes"
    names = {path.name for path in found.out.iterdir()}
    assert names == {"contact.png", "takes.json", "take_0.mp4", "take_1.mp4", "take_2.mp4"}
    sheet = cv2.imread(str(found.contact))
    assert sheet is not None
    row = (sheet.shape[0] - 56) // 3
    greys = [int(sheet[56 + row * number + HEIGHT // 2, 16 + WIDTH // 2, 0]) for number in range(3)]
    assert greys == [20, 45, 70]  # a row for each take
    with av.open(str(found.takes[0].movie)) as movie:
        stream = movie.streams.video[0]
        assert stream.frames == 2
        # The shot's own speed: every fourth of 24 frames a second.
        assert stream.average_rate == 6
    told = json.loads((found.out / "takes.json").read_text())
    assert [take["take"] for take in told["takes"]] == [0, 1, 2]
    assert told["contact_frames"] == list(found.on_sheet)
    assert told["takes"][2]["finish"] == f"falsework make {tmp_path / 'shot.toml'} --take 2"


def test_what_finishes_a_take_draws_it_as_it_was(tmp_path: Path, journal: Callable[[], Counter[str]]) -> None:
    path = write_shot(tmp_path / "shot")
    found = run(path, seed=9)
    assert found.finish(found.takes[1]).endswith("--take 1 --seed 9")
    journal()
    whole = make(path, deliver=False, stages=fake_stages(), seed=9, render={"take": 1}, preview=True)
    assert [stage.name for stage in whole.stages if not stage.reused] == ["render", "comp"]
    assert whole.shot.render.take == 1


def test_stopped_in_the_midst_it_goes_on_from_there(
    tmp_path: Path, journal: Callable[[], Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shot(tmp_path / "shot")
    monkeypatch.setenv(FAULT, "render 1009")
    with pytest.raises(FalseworkError, match="told to fail"):
        run(path, count=2, frames=[1005, 1009])
    monkeypatch.delenv(FAULT)
    journal()
    found = run(path, count=2, frames=[1005, 1009])
    made = journal()
    assert not {"solve", "dust"} & set(made)
    assert made["render 1005"] == 1  # the first take's was there
    assert made["render 1009"] == 2
    assert len(found.takes) == 2


def test_every_take_is_on_record_as_temporary(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    found = run(path)
    with desk_of(path).open_ledger() as ledger:
        state = State.of(ledger.events())
    assert len({take.id for take in found.takes}) == 3
    for take in found.takes:
        asset = state.assets[take.id]
        assert (asset.type, asset.facts["temporary"], asset.facts.get("take", 0)) == (
            "take",
            True,
            take.number,
        )
        (step,) = state.made_by(take.id)
        shot = step.parameters["shot"]
        assert isinstance(shot, dict)
        assert step.type == "make"
        assert shot["render"]["take"] == take.number


def test_a_production_has_its_takes_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []

    def told(path: Path, frames: object, fps: float, size: object, *, comment: str = "") -> None:
        words.append(comment)
        path.write_bytes(b"movie")

    monkeypatch.setattr("falsework.media.movie.write_movie", told)
    path = write_shot(tmp_path)
    run(path, count=1)
    (tmp_path / "production.toml").write_text('name = "small"\n')
    run(path, count=1)
    assert ["NOT CLEARED" in said for said in words] == [False, True]


@pytest.mark.parametrize(
    ("options", "where"),
    [({"count": 0}, "--count"), ({"count": 99}, "--count"), ({"height": 3}, "--height"),
     ({"frames": [1001, 2000]}, "--frames"), ({"frames": []}, "--frames")],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_any_work(
    tmp_path: Path, options: dict[str, object], where: str
) -> None:
    with pytest.raises(FalseworkError) as refused:
        run(write_shot(tmp_path), **options)
    assert refused.value.where == where
    assert not (tmp_path / "work").exists()


def test_a_network_that_is_not_at_hand_is_missed_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FALSEWORK_MODELS", str(tmp_path / "none"))
    monkeypatch.setattr("falsework.models.registry.SHIPPED", tmp_path / "none")
    path = write_shot(tmp_path)
    for render in ({"shading": "learned"}, {"dust_detail": "learned"}):
        with pytest.raises(FalseworkError, match="there is no model"):
            run(path, render=render)
        with pytest.raises(FalseworkError, match="there is no model"):
            make(path, stages=stages(), render=render)
    assert not (tmp_path / "work").exists()


def test_the_command_says_what_finishes_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make_takes
    monkeypatch.setattr(takes, "make_takes", lambda shot, **options: real(shot, **options, stages=stages()))
    path = str(write_shot(tmp_path))
    assert cli.main(["takes", path, "--count", "2", "--frames", "1012"]) == 0
    said = capsys.readouterr()
    assert f"falsework make {path} --take 1" in said.out
    assert "take 1" in said.err
    assert "1012" in (tmp_path / "out" / "takes" / "takes.json").read_text()
    assert cli.main(["takes", path, "--count", "2", "--frames", "1012", "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert len(told["takes"]) == 2


@pytest.mark.parametrize(
    ("text", "frames"), [("1012", [1012]), ("1001-1005x2, 1012", [1001, 1003, 1005, 1012])]
)
def test_frames_as_they_are_written(text: str, frames: list[int]) -> None:
    assert _frames(text) == frames


@pytest.mark.parametrize("text", ["", "1009-1001", "1001-1009x0", "-3", "all", "1001-", "1-999999999"])
def test_what_is_no_frames_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        _frames(text)
