"""Data sets: the recipe, the split, what is drawn, shards that are whole, samples made again bit for bit."""

from __future__ import annotations

import csv
import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load

from falsework.cli.main import main
from falsework.datasets import rebuilding, work
from falsework.datasets.assets import find_assets
from falsework.datasets.croissant import describe
from falsework.datasets.draw import Drawn, building_seed, draw, split_of
from falsework.datasets.previews import PREVIEWS, write_previews
from falsework.datasets.provenance import records_of, training_samples
from falsework.datasets.rebuilding import rebuild
from falsework.datasets.samples import VOLUME, Sample
from falsework.datasets.settings import Recipe, load_recipe
from falsework.datasets.shards import (
    find_sample,
    read_index,
    read_sample,
    shard_path,
    write_index,
    write_shard,
)
from falsework.datasets.work import build
from falsework.errors import FalseworkError
from falsework.render.gbuffers import CHANNELS
from falsework.render.traditional.blender import find_blenders
from falsework.render.traditional.settings import TraditionalSettings
from falsework.rights.ledger import Ledger
from falsework.rights.records import Activity, Asset
from recipes import one_more, write_recipe


def plain(**more: object) -> Recipe:
    return Recipe.model_validate({"name": "r", "textures": "t", "skies": "s", "sources": "c", **more})


@pytest.fixture(scope="module")
def recipe(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recipe(shared, tmp_path_factory.mktemp("recipe"))


@pytest.fixture
def another_picture(recipe: Path) -> Iterator[str]:
    with one_more(recipe) as name:
        yield name


@pytest.fixture(scope="module")
def built(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("set") / "tiny"
    build(recipe, out, count=2)
    return out


# ---- drawing --------------------------------------------------------------------------------------------


@given(st.integers(0, 2**40), st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=30)
def test_a_set_that_grows_moves_no_building(seed: int, fewer: int, more: int) -> None:
    recipe = plain(seed=seed)

    def splits(count: int) -> dict[int, str]:
        return {n: split_of(recipe, building_seed(recipe, n)) for n in range(count)}

    few, many = splits(min(fewer, more)), splits(max(fewer, more))
    assert all(many[building] == split for building, split in few.items())


def test_the_splits_have_about_their_shares() -> None:
    recipe = plain(split={"validation": 0.2, "test": 0.1})
    splits = [split_of(recipe, building_seed(recipe, n)) for n in range(3000)]
    assert abs(splits.count("validation") / 3000 - 0.2) < 0.03
    assert abs(splits.count("test") / 3000 - 0.1) < 0.03


def test_a_building_is_drawn_the_same_whatever_else_is_drawn() -> None:
    recipe = plain()
    textures, skies = ["beige_wall_001", "brick_wall_09", "Concrete07", "Facade005", "asphalt_04"], ["a", "b"]
    alone = draw(recipe, 7, textures, skies)
    for other in range(7):
        draw(recipe, other, textures, skies)
    assert draw(recipe, 7, textures, skies) == alone
    assert len({draw(recipe, n, textures, skies).seed for n in range(50)}) == 50


def test_what_is_drawn_varies_and_keeps_within_the_recipe() -> None:
    recipe = plain(buildings={"storeys": [3, 5], "materials": {"masonry": 1, "concrete": 1}})
    drawn = [draw(recipe, n, ["beige_wall_001", "Concrete07"], ["sky"]) for n in range(60)]
    assert {len(one.levels) - 1 for one in drawn} == {3, 4, 5}
    assert {one.building.material for one in drawn} == {"masonry", "concrete"}
    assert {one.kind for one in drawn} == {"terraced", "corner", "detached"}
    assert any(one.sun[2] == 0 for one in drawn)
    assert any(one.sun[2] > 1 for one in drawn)


# ---- building -------------------------------------------------------------------------------------------


def test_samples_are_whole_and_of_one_size(built: Path) -> None:
    rows = read_index(built)
    assert rows
    for row in rows:
        arrays, record = read_sample(built, row)
        for name, (channels, _) in CHANNELS.items():
            assert arrays[name].shape == ((32, 32) if channels == 1 else (32, 32, channels)), name
        assert arrays["volume"].shape == VOLUME
        assert np.isfinite(arrays["albedo"]).all()
        assert np.isfinite(arrays["plate"]).all()
        assert (arrays["dust_through"] <= 1).all()
        assert (arrays["sun_seen"] >= 0).all()
        assert record["split"] == row["split"]
        assert record["targets"] is None
        assert all(asset["licence"] == "CC0-1.0" for asset in record["assets"])
        assert {Path(a["file"]).stem for a in record["assets"]} >= {
            record["drawn"]["facing"],
            record["drawn"]["ground"],
        }


def test_a_shard_is_a_plain_tar_of_pairs(built: Path) -> None:
    row = read_index(built)[0]
    with tarfile.open(built / row["shard"]) as tar:
        names = tar.getnames()
        assert names[0::2] == [name.replace(".json", ".safetensors") for name in names[1::2]]
        content = tar.extractfile(names[0])
        assert content is not None
        assert set(CHANNELS) <= set(load(content.read()))


def test_no_building_is_in_two_splits(built: Path) -> None:
    where: dict[int, set[str]] = {}
    for row in read_index(built):
        where.setdefault(row["building"], set()).add(row["split"])
        assert row["shard"].startswith(row["split"] + "/")
    assert all(len(splits) == 1 for splits in where.values())


def test_a_sample_is_made_again_bit_for_bit(built: Path) -> None:
    row = read_index(built)[-1]
    made = rebuild(built, row["sample"])
    assert set(CHANNELS) <= set(made.same)
    assert made.other == ()
    assert made.why == ()


def test_a_sample_is_made_again_from_its_record_whatever_was_added_since(
    built: Path, another_picture: str
) -> None:
    row = read_index(built)[0]
    made = rebuild(built, row["sample"])
    assert made.other == ()
    assert made.why == ()


def test_what_was_drawn_is_read_from_the_record(built: Path) -> None:
    record = read_sample(built, read_index(built)[0])[1]
    drawn = Drawn.from_json(record["drawn"])
    assert json.loads(json.dumps(drawn.to_json())) == record["drawn"]
    assert drawn == work.redrawn(work.open_plan(built), record["building"]["index"])
    with pytest.raises(FalseworkError, match="does not say what was drawn"):
        Drawn.from_json({name: value for name, value in record["drawn"].items() if name != "walls"})


def test_a_picture_that_is_gone_or_another_stops_a_rebuild(built: Path, recipe: Path) -> None:
    row = read_index(built)[0]
    used = read_sample(built, row)[1]["drawn"]["ground"]
    picture = next((recipe.parent / "textures").glob(f"{used}*"))
    target = picture.readlink()
    picture.unlink()
    try:
        with pytest.raises(FalseworkError, match=f"gone.*{used}"):
            rebuild(built, row["sample"])
        picture.write_bytes(target.read_bytes() + b"retouched")
        with pytest.raises(FalseworkError, match=f"not the recorded ones.*{used}"):
            rebuild(built, row["sample"])
    finally:
        picture.unlink(missing_ok=True)
        picture.symlink_to(target)


def test_a_shard_made_anew_has_its_own_line_and_picture(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(built, folder)
    rows = read_index(folder)
    shard, others = rows[0]["shard"], [row for row in rows if row["shard"] != rows[0]["shard"]]
    again = []
    for row in rows:
        if row["shard"] == shard:
            arrays, record = read_sample(folder, row)
            arrays["plate"] = np.zeros_like(arrays["plate"])
            again.append(Sample(row["sample"], arrays, record))
    picture = folder / PREVIEWS / rows[0]["split"] / f"{rows[0]['sample']}.png"
    before = picture.read_bytes()
    (folder / shard).unlink()
    write_shard(folder / shard, again)

    now = write_index(folder)
    assert [row["sample"] for row in now] == [row["sample"] for row in rows]
    for row in now:
        read_sample(folder, row)
    with pytest.raises(FalseworkError, match="of other samples"):
        training_samples(folder)
    write_previews(folder, now)
    assert picture.read_bytes() != before
    training_samples(folder)

    (folder / shard).unlink()
    write_previews(folder, write_index(folder))
    assert {path.stem for path in (folder / PREVIEWS).rglob("*.png")} == {row["sample"] for row in others}


def test_targets_have_as_many_bounces_as_a_shot() -> None:
    shot = TraditionalSettings()
    assert plain().targets.volume_bounces == shot.volume_bounces
    assert plain().targets.bounces == shot.bounces


def test_a_shard_that_was_touched_is_noticed(built: Path) -> None:
    row = dict(read_index(built)[0])
    with pytest.raises(FalseworkError, match="its bytes are not those of the index"):
        read_sample(built, row | {"sha256": "0" * 64})


def test_a_killed_run_leaves_whole_shards_and_goes_on(
    recipe: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = work.make_shard
    asked: list[int] = []

    def dies(plan: work.Plan, index: int) -> None:
        asked.append(index)
        if len(asked) == 2:
            raise KeyboardInterrupt
        made(plan, index)

    out = tmp_path / "set"
    monkeypatch.setattr(work, "make_shard", dies)
    with pytest.raises(KeyboardInterrupt):
        build(recipe, out, count=2)
    assert {row["building"] for row in read_index(out)} == {0}
    (out / "train" / "b000001.tar.part").write_bytes(b"half a shard")
    again = build(recipe, out, count=2)
    assert asked == [0, 1, 1]
    assert again.made == 1
    for index in range(2):  # the same bytes as in one go
        split = split_of(load_recipe(recipe)[0], building_seed(load_recipe(recipe)[0], index))
        assert shard_path(out, split, index).read_bytes() == shard_path(built, split, index).read_bytes()
    assert not (out / work.WORK).exists()


def test_the_set_of_another_recipe_is_left_alone(recipe: Path, built: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(recipe.read_text().replace("seed = 3", "seed = 4"))
    with pytest.raises(FalseworkError, match="another recipe"):
        build(other, built, count=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(FalseworkError, match="no data set"):
        build(recipe, tmp_path / "mine", count=1)


@pytest.mark.slow
def test_cycles_gives_targets_of_the_same_pieces(recipe: Path, tmp_path: Path) -> None:
    try:
        blender = find_blenders().render
    except FalseworkError as error:
        pytest.skip(f"no Blender: {error}")
    build(recipe, tmp_path / "set", count=1, blender=blender)
    rows = read_index(tmp_path / "set")
    assert rows
    for row in rows:
        arrays, record = read_sample(tmp_path / "set", row)
        assert record["targets"]["samples_each"] == 4
        assert record["targets"]["volume_bounces"] == 12
        assert record["targets"]["light_at_rest"]["shared_by_the_halves"]
        assert len(set(record["targets"]["seeds"].values())) == 2
        for half in "ab":
            ours, its = arrays["analytic.surface"][..., 3], arrays[f"{half}.surface"][..., 3]
            moved = arrays["kind"] == 3
            assert np.abs(ours.astype(float) - its)[moved].sum() <= 0.1 * moved.sum()
        if its.any():  # a crop may show nothing that has moved
            assert not np.array_equal(arrays["a.surface"], arrays["b.surface"])
        assert rebuild(tmp_path / "set", row["sample"]).other == ()


# ---- rights ---------------------------------------------------------------------------------------------


def test_only_cc0_pictures_are_taken(recipe: Path, shared: Path, tmp_path: Path) -> None:
    textures = tmp_path / "textures"
    textures.mkdir()
    name = "asphalt_04_diff_1k.jpg"
    (textures / name).write_bytes((shared / "textures" / name).read_bytes())
    values = load_recipe(recipe)[0].model_copy(update={"textures": str(textures), "sources": "sources.csv"})

    def listed(licence: str | None) -> None:
        with (tmp_path / "sources.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["file", "repo", "path", "commit", "licence", "licence_source"])
            if licence is not None:
                table.writerow([f"textures/{name}", "a/b", "c", "d", licence, "said so"])
            for sky in (shared / "hdri").iterdir():
                table.writerow([f"hdri/{sky.name}", "a/b", "c", "d", "CC0-1.0", "said so"])

    listed("CC0-1.0")
    assert len(find_assets(values, tmp_path).textures) == 1
    listed("CC-BY-4.0")
    with pytest.raises(FalseworkError, match=r"CC-BY-4\.0"):
        find_assets(values, tmp_path)
    listed(None)
    with pytest.raises(FalseworkError, match="not in the list of sources"):
        find_assets(values, tmp_path)


def test_the_set_and_its_sources_go_on_record(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = records_of(built)
    made = next(one for one in records if isinstance(one, Asset) and one.type == "dataset")
    step = next(one for one in records if isinstance(one, Activity))
    assert step.generated == (made.id,)
    assert len(step.used) == len(find_assets(*_recipe_of(built)).records)
    assert set(made.parts) >= {row["shard"] for row in read_index(built)}
    ledger = tmp_path / "ledger.sqlite"
    assert main(["dataset", "describe", str(built), "--ledger", str(ledger)]) == 0
    with Ledger.open(ledger) as book:
        size = book.size
        assert size > len(step.used)
    assert main(["dataset", "describe", str(built), "--ledger", str(ledger)]) == 0
    with Ledger.open(ledger) as book:
        assert book.size == size
    capsys.readouterr()


def _recipe_of(built: Path) -> tuple[Recipe, Path]:
    plan = work.open_plan(built)
    return plan.recipe, plan.base


def test_the_copy_audit_can_read_what_is_trained_on(built: Path) -> None:
    found = training_samples(built)
    kept = [row for row in read_index(built) if row["split"] != "test"]
    assert len(found) == len(kept)
    assert all(one.group == "training" for one in found)
    assert {path.stem for path in (built / PREVIEWS).rglob("*.png")} == {
        row["sample"] for row in read_index(built)
    }


def test_croissant_says_what_is_there_and_its_record_sets_load(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CROISSANT_CACHE", str(tmp_path))
    croissant = pytest.importorskip("mlcroissant", reason="needs the extra `datasets`")
    assert main(["dataset", "describe", str(built)]) == 0
    capsys.readouterr()
    described = croissant.Dataset(str(built / "croissant.json"))
    assert not described.metadata.issues.errors
    assert not described.metadata.issues.warnings
    rows = read_index(built)
    loaded = list(described.records("samples"))
    assert [one["samples/sample"].decode() for one in loaded] == [row["sample"] for row in rows]
    assert [one["samples/offset"] for one in loaded] == [row["offset"] for row in rows]
    assert len(list(described.records("splits"))) == 3
    about = json.loads((built / "dataset.json").read_text())
    assert len(list(described.records("assets"))) == len(about["assets"])
    written = json.loads((built / "croissant.json").read_text())
    for key in (
        "dataCollection",
        "dataBiases",
        "personalSensitiveInformation",
        "dataLimitations",
        "dataUseCases",
    ):
        assert written[f"rai:{key}"]


def test_croissant_says_of_the_set_what_is_so(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(built, folder)

    def described() -> dict[str, Any]:
        return dict(json.loads(describe(folder).read_text(encoding="utf-8")))

    written = described()
    assets = json.loads((folder / "dataset.json").read_text())["assets"]
    skies = sum(asset["kind"] == "sky" for asset in assets)
    assert f"{len(assets) - skies} textures and {skies} skies" in " ".join(written["rai:dataBiases"])
    assert "2 to 2 storeys" in " ".join(written["rai:dataBiases"])  # as the recipe says
    assert "splits share" in " ".join(written["rai:dataLimitations"])
    assert not any("not " in words.lower() for words in written["rai:dataUseCases"])
    assert set(written["rai:dataCollectionType"]) <= {"Others", "Software Collection", "Experiments"}
    assert written["version"] == "1.2.0"
    assert written["datePublished"] == datetime.now(UTC).date().isoformat()

    path = folder / "croissant.json"
    path.write_text(path.read_text().replace(written["datePublished"], "2020-02-02"))
    assert described()["datePublished"] == "2020-02-02"  # the same files
    (folder / read_index(folder)[0]["shard"]).unlink()
    write_index(folder)
    fewer = described()
    assert fewer["version"] == "1.1.0"
    assert fewer["datePublished"] == written["datePublished"]


# ---- the command ----------------------------------------------------------------------------------------


def test_the_command_shows_rebuilds_and_draws_a_sheet(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    assert main(["dataset", "show", str(built), "--sheet", str(sheet)]) == 0
    assert sheet.stat().st_size > 1000
    said = capsys.readouterr().out
    assert "CC0-1.0" in said
    assert f"-> {sheet} (" in said
    assert read_index(built)[0]["sample"] in said


def test_what_is_not_there_is_a_sentence(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare.toml"
    bare.write_text('name = "x"\ntextures = "t"\nskies = "s"\nsources = "c.csv"\n')
    (tmp_path / "c.csv").write_text("file,licence\n")
    for arguments in (
        ["build", str(tmp_path / "none.toml"), "--out", str(tmp_path / "o"), "--no-targets"],
        ["build", str(bare), "--out", str(tmp_path / "o"), "--no-targets"],
        ["build", str(bare), "--out", str(tmp_path / "o"), "--blender", str(tmp_path / "blender")],
        ["show", str(tmp_path)],
        ["show", str(built), "b999999_f1001_c0"],
        ["rebuild", str(built), "b999999_f1001_c0"],
        ["describe", str(tmp_path)],
    ):
        assert main(["dataset", *arguments]) == 2, arguments
        said = capsys.readouterr().err
        assert said.strip()
        assert "Traceback" not in said
    assert find_sample(built, read_index(built)[0]["sample"])


def test_a_set_that_lies_elsewhere_or_is_none_is_told_without_the_systems_numbers(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = built / "index.jsonl"
    moved = shutil.copytree(built, tmp_path / "elsewhere" / "moved")

    def relative(folder: Path, base: Path | None) -> work.Plan:  # TINY has whole paths, a user's has not
        plan = work.open_plan(folder, base)
        return replace(plan, recipe=plan.recipe.model_copy(update={"sources": "SOURCES.csv"}))

    monkeypatch.setattr(rebuilding, "open_plan", relative)
    sample = read_index(built)[0]["sample"]
    for arguments, told in (
        (["show", str(index)], "is a file, and a data set is a folder"),
        (["rebuild", str(index), sample], "is a file, and a data set is a folder"),
        (["rebuild", str(moved), sample], "with --base DIR"),
    ):
        assert main(["dataset", *arguments]) == 2
        said = capsys.readouterr().err
        assert told in said
        assert "Errno" not in said
    (moved / read_index(moved)[0]["shard"]).unlink()
    assert main(["dataset", "rebuild", str(moved), sample]) == 2
    said = capsys.readouterr().err
    assert "is not there" in said
    assert "Errno" not in said


def test_a_set_without_a_sample_says_so(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("recipe.toml", "dataset.json"):
        shutil.copy(built / name, tmp_path)
    assert main(["dataset", "show", str(tmp_path)]) == 0
    assert "no samples yet" in capsys.readouterr().out
