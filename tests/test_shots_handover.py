"""What is delivered: whole, complete, and nothing of an earlier run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from falsework.delivery.manifest import sha256
from falsework.shots import handover, report_data
from falsework.shots.pipeline import MakeResult, make
from falsework.shots.products import made_once
from falsework.shots.store import Store
from shots_fakes import SHOT, fake_stages, write_shot


@pytest.fixture(autouse=True)
def small_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Movie, scene and page as a few bytes: their own rooms' tests look at them."""

    def product(name: str, files: tuple[str, ...]) -> object:
        def made(
            shot: object, store: Store, _folders: object, keys: dict[str, str], *_: object, **__: object
        ) -> Path:
            folder, part = made_once(store, name, {"comp": keys.get("comp"), "solve": keys["solve"]})
            if part is not None:
                for file in files:
                    (part / file).write_text(f"{file} {keys}")
                store.finish(name, folder.name, part, {})
            return folder

        return made

    monkeypatch.setattr(handover, "make_scene", product("usd", ("motion.usd",)))
    monkeypatch.setattr(handover, "make_plate_pictures", product("plate", ("tiny_clean.exr",)))
    monkeypatch.setattr(handover, "make_review", product("review", ("review.mp4", "contact.png")))
    monkeypatch.setattr(report_data, "report_data", lambda *_, **__: None)
    monkeypatch.setattr("falsework.delivery.report.write_report", lambda path, _: path.write_text("page"))


def run(path: Path, **options: object) -> MakeResult:
    return make(path, stages=fake_stages(), **options)  # type: ignore[arg-type]


def delivered(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


SOLVED = {"solve.json", "plate/tiny_clean.exr", "manifest.json"}
ONCE = SOLVED | {"review.mp4", "motion.usd", "contact.png", "report.html"}


def test_everything_lies_beside_the_shot_and_in_the_manifest(tmp_path: Path) -> None:
    result = run(write_shot(tmp_path))
    out = tmp_path / "out" / "tiny"
    assert result.out == out.resolve()
    assert delivered(out) == ONCE | {f"exr/tiny.{frame}.exr" for frame in range(1001, 1013)}
    assert set(result.files) == {out.resolve() / name for name in delivered(out)}
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["files"] == {name: sha256(out / name) for name in delivered(out) - {"manifest.json"}}
    assert manifest["seed"] == 3
    assert manifest["reused"] == []
    assert {"solve", "collapse", "render", "comp", "deliver"} <= set(manifest["seconds"])
    assert manifest["parameters"]["collapse"]["start"] == 1003
    assert manifest["inputs"] == {"plate.png": sha256(tmp_path / "plate.png")}


def test_the_second_run_says_what_it_reused(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    run(path)
    run(path)
    manifest = json.loads((tmp_path / "out" / "tiny" / "manifest.json").read_text())
    assert manifest["reused"] == ["solve", "build", "fracture", "collapse", "dust", "render", "comp"]


def test_frames_of_an_earlier_range_are_gone_and_others_files_stay(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    run(path)
    out = tmp_path / "out" / "tiny"
    (out / "notes.txt").write_text("mine")
    (out / "exr" / "readme.txt").write_text("mine")
    (out / "exr" / "grade.1001.exr").write_text("mine")
    run(path)
    path.write_text(SHOT.replace("[1001, 1012]", "[1001, 1005]"))
    run(path)
    mine = {"notes.txt", "exr/readme.txt", "exr/grade.1001.exr"}
    assert delivered(out) == ONCE | mine | {f"exr/tiny.{frame}.exr" for frame in range(1001, 1006)}


def test_frames_of_a_stopped_delivery_are_gone_and_others_stay(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    run(path)
    out = tmp_path / "out" / "tiny"
    (out / "manifest.json").unlink()
    (out / "exr" / "grade.1001.exr").write_text("mine")
    run(path, until="solve", out=out)
    assert delivered(out) == SOLVED | {"exr/grade.1001.exr"}


def test_a_run_that_stops_early_leaves_the_whole_shot_alone(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    run(path)
    whole = tmp_path / "out" / "tiny"
    before = {name: sha256(whole / name) for name in delivered(whole)}
    path.write_text(SHOT.replace("seed = 3", "seed = 5"))
    result = run(path, until="collapse")
    assert result.out == (tmp_path / "out" / "tiny_collapse").resolve()
    assert delivered(result.out) == SOLVED | {"motion.usd"}
    assert {name: sha256(whole / name) for name in delivered(whole)} == before
    assert run(path, until="comp").out == whole.resolve()


def test_a_preview_has_a_folder_of_its_own(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    run(path)
    run(path, preview=True)
    assert {name for name in delivered(tmp_path / "out" / "tiny_preview") if name.startswith("exr/")} == {
        f"exr/tiny.{frame}.exr" for frame in (1001, 1005, 1009)
    }
    assert len(delivered(tmp_path / "out" / "tiny")) == 19


def test_until_delivers_what_there_is(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    run(path, until="solve", out=tmp_path / "a")
    assert delivered(tmp_path / "a") == SOLVED
    run(path, until="collapse", out=tmp_path / "a")
    assert delivered(tmp_path / "a") == SOLVED | {"motion.usd"}


def test_a_delivered_file_is_replaced_not_written_into(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    result = run(path)
    kept = result.stage("comp").folder / "1001.exr"
    before = kept.read_bytes()
    target = tmp_path / "out" / "tiny" / "exr" / "tiny.1001.exr"
    target.unlink()
    target.write_text("retouched")
    run(path)
    assert kept.read_bytes() == before
    assert target.read_bytes() == before


def test_a_frame_edited_in_place_is_made_again_and_other_takes_stay_clean(tmp_path: Path) -> None:
    """Where delivered frames are links an edit reaches the store; no later run may take it for its own."""
    path = write_shot(tmp_path)
    first = run(path)
    kept = first.stage("comp").folder / "1001.exr"
    before = kept.read_bytes()
    target = tmp_path / "out" / "tiny" / "exr" / "tiny.1001.exr"
    target.chmod(0o644)
    target.write_bytes(before + b" retouched")
    again = run(path)
    linked = kept.stat().st_nlink > 1
    assert again.stage("comp").frames_reused == (11 if linked else 12)
    assert kept.read_bytes() == target.read_bytes() == before
    assert all(stage.reused for stage in run(path).stages)


def test_what_is_not_shared_may_be_edited(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    result = run(path)
    (tmp_path / "out" / "tiny" / "solve.json").write_text("mine")
    assert (result.stage("solve").folder / "solve.json").read_text() != "mine"


def test_an_interrupted_delivery_leaves_no_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_shot(tmp_path)
    run(path)

    def fails(source: Path, target: Path, *, share: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(handover, "give", fails)
    path.write_text(SHOT.replace("seed = 3", "seed = 5"))
    with pytest.raises(KeyboardInterrupt):
        run(path)
    assert not (tmp_path / "out" / "tiny" / "manifest.json").exists()
