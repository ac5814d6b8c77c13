"""Models with their cards: packed, listed, installed, refused; on record, unknown, altered; in a delivery."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from falsework.cli.main import main
from falsework.datasets.shards import read_index
from falsework.errors import FalseworkError
from falsework.media.arrays import write_arrays
from falsework.media.images import write_png
from falsework.models import registry
from falsework.models.card import Card, read_card, record_note, write_card
from falsework.models.origin import faults_of, rows_of, shared_groups, strays
from falsework.models.registry import SHIPPED, find, install, models
from falsework.rights.fingerprints import read_fingerprints
from falsework.rights.records import Grant, Party
from falsework.rights.samples import read_sample
from falsework.training.packing import pack
from trained import about_file, finished_run, own_model, small_set, write_index_of


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a model that was packed; its files lie beside."""
    return own_model(tmp_path_factory.mktemp("model"))[0]


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, and nothing shipped."""
    folder = tmp_path / "own models"
    monkeypatch.setenv("FALSEWORK_MODELS", str(folder))
    monkeypatch.setattr(registry, "SHIPPED", tmp_path / "shipped")
    return folder


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """A card with something else in it."""
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


# ---- what ships ------------------------------------------------------------------------------------------


SHIPPED_NAMES = sorted(path.stem for path in SHIPPED.glob("*.json"))


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_shipped_weights_are_those_of_their_cards_and_of_known_origin(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "SHIPPED", SHIPPED)
    model = find(name)
    assert model.shipped
    assert model.faults == ()
    assert model.standing == "on record"
    assert model.card is not None
    rows = rows_of(read_fingerprints(model.learned))
    assert [*strays(model.card, rows)] == [*shared_groups(rows)] == []
    assert {row["split"] for row in rows} >= {"train", "test"}
    assert model.card.memorisation is not None
    assert model.card.memorisation.outcome == "clear"
    assert model.card.metrics


def test_every_file_of_shipped_weights_has_a_card_and_they_stay_small() -> None:
    weights = [path for path in SHIPPED.glob("*.safetensors") if not path.name.endswith(registry.LEARNED)]
    assert {path.name.removesuffix(".safetensors") for path in weights} == set(SHIPPED_NAMES)
    assert sum(path.stat().st_size for path in weights) <= 40e6
    assert not [path for path in SHIPPED.glob("*") if path.suffix not in (".safetensors", ".json", ".jpg")]


def test_shipped_weights_that_are_gone_are_said_to_be(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "SHIPPED", registry.SHIPPED.parent / "gone")
    registry.SHIPPED.mkdir()
    shutil.copy(packed.with_suffix(".json"), registry.SHIPPED)
    with pytest.raises(FalseworkError, match="ships with falsework, are gone") as caught:
        find("tiny-light")
    assert caught.value.todo == "Install falsework again."


# ---- cards -----------------------------------------------------------------------------------------------


def test_a_packed_model_names_all_that_it_came_from(packed: Path) -> None:
    card = read_card(packed.with_suffix(".json"))
    (source,) = card.sources
    assert source.samples == {"train": 4, "validation": 2, "test": 2}
    assert source.groups == {"train": 2, "validation": 1, "test": 1}
    assert {one.file for one in source.pictures} == {"brick_wall.png", "plaster.png", "noon.hdr"}
    assert {one.licence for one in source.pictures} == {"CC0-1.0"}
    assert card.record in {record.id for record in card.all_records()}
    assert card.parameters == 16
    listed = read_fingerprints(packed.with_name("tiny-light.samples.safetensors"))
    assert len(listed.pictures) == 6 + 3
    assert {one.name for one in listed.pictures if not one.own} == {one.file for one in source.pictures}
    assert not any("test" in one.name for one in listed.pictures)


def test_the_same_run_packs_to_the_same_bytes(tmp_path: Path) -> None:
    data = small_set(tmp_path / "data")
    run, about = finished_run(tmp_path / "run", data), about_file(tmp_path)
    for out in ("one", "two"):
        pack(run, data, about, tmp_path / out)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_the_last_sheet_of_a_run_lies_beside_the_card(tmp_path: Path) -> None:
    data = small_set(tmp_path / "data")
    run = finished_run(tmp_path / "run", data)
    for step, grey in (("0000100", 40), ("0000200", 200)):
        (run / "pictures").mkdir(exist_ok=True)
        write_png(run / "pictures" / f"{step}.png", np.full((32, 96, 3), grey, np.uint8))
    model = pack(run, data, about_file(tmp_path), tmp_path / "out")
    assert model.card is not None
    (shown,) = model.card.pictures
    lies = tmp_path / "out" / f"tiny-light.{shown.file}"
    assert hashlib.sha256(lies.read_bytes()).hexdigest() == shown.sha256
    assert read_sample(lies).mean() == pytest.approx(200, abs=3)


@pytest.mark.parametrize(("validation", "held_out"), [(2, True), (0, False)])
def test_a_sheet_of_training_samples_is_not_called_held_out(
    tmp_path: Path, validation: int, held_out: bool
) -> None:
    data = small_set(tmp_path / "data")
    run = finished_run(tmp_path / "run", data)
    changed(run / "run.json", lambda notes: notes["about"]["samples"].update(validation_samples=validation))
    write_png(run / "pictures" / "0000100.png", np.full((32, 96, 3), 40, np.uint8))
    card = pack(run, data, about_file(tmp_path), tmp_path / "out").card
    assert card is not None
    assert ("held out" in card.pictures[0].words) is held_out


@pytest.mark.parametrize("file", ["weights.safetensors", "config.toml"])
def test_weights_that_the_run_did_not_end_with_are_not_packed(tmp_path: Path, file: str) -> None:
    data = small_set(tmp_path / "data")
    run, about = finished_run(tmp_path / "run", data), about_file(tmp_path)
    for name in ("weights", "config"):
        (path,) = run.glob(f"{name}.*")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        changed(run / "run.json", lambda notes, n=name, d=digest: notes.update({f"{n}_sha256": d}))  # type: ignore[misc]
    pack(run, data, about, tmp_path / "out")
    if file == "config.toml":
        (run / file).write_text("[train]\nsteps = 8\n")
    else:
        write_arrays(run / file, {"layer.weight": np.ones((3, 4), np.float32)})
    with pytest.raises(FalseworkError, match="not the file that this run ended with"):
        pack(run, data, about, tmp_path / "out")


def test_a_refused_pack_leaves_what_lay_there(tmp_path: Path) -> None:
    data = small_set(tmp_path / "data")
    run, about = finished_run(tmp_path / "run", data), about_file(tmp_path)
    write_png(run / "pictures" / "0000100.png", np.full((32, 96, 3), 40, np.uint8))
    out = tmp_path / "out"
    pack(run, data, about, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    write_png(run / "pictures" / "0000200.png", np.full((32, 96, 3), 200, np.uint8))
    said = about.read_text()
    about.write_text(said + 'licence = "Apache-2.0"\n')
    with pytest.raises(FalseworkError, match="asks for a credit line"):
        pack(run, data, about, out)
    about.write_text(said)
    rows = read_index(data)
    rows[-1]["building"] = 0
    write_index_of(data, rows)
    changed(
        run / "run.json",
        lambda notes: notes["about"]["samples"].update(
            index_sha256=hashlib.sha256((data / "index.jsonl").read_bytes()).hexdigest()
        ),
    )
    with pytest.raises(FalseworkError, match="more than one split"):
        pack(run, data, about, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_card_is_shown_as_a_page(packed: Path, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "install", str(packed)]) == 0
    capsys.readouterr()
    assert main(["models", "show", "tiny-light"]) == 0
    page = capsys.readouterr().out
    for title in ("Intended use", "Limits", "Training data", "Training", "Measures", "Memorisation"):
        assert f"\n## {title}" in page
    assert "| train | 4 | 2 |" in page
    assert "brick_wall.png | texture | CC0-1.0" in page
    assert main(["models", "show", "tiny-light", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["card"]["name"] == "tiny-light"
    assert main(["models", "show", "nobody"]) == 2
    assert "There are: tiny-light" in capsys.readouterr().err


# ---- origin ----------------------------------------------------------------------------------------------


def test_a_training_sample_without_origin_in_the_records_is_a_fault(tmp_path: Path) -> None:
    data = small_set(tmp_path / "data")
    rows = read_index(data)
    rows.append(rows[0] | {"sample": "b000009_f1000_c0", "shard": "train/b000009.tar"})
    write_index_of(data, rows)
    shutil.copy(
        data / "previews" / "train" / "b000000_f1000_c0.png",
        data / "previews" / "train" / "b000009_f1000_c0.png",
    )
    with pytest.raises(FalseworkError, match=r'1 samples have no origin on record \("b000009_f1000_c0"\)'):
        pack(finished_run(tmp_path / "run", data), data, about_file(tmp_path), tmp_path / "packed")
    assert not (tmp_path / "packed" / "tiny-light.safetensors").exists()


def test_a_picture_that_nobody_granted_for_training_is_a_fault(packed: Path, tmp_path: Path) -> None:
    card = read_card(packed.with_suffix(".json"))
    asset = f"sha256:{card.sources[0].pictures[0].sha256}"
    without = [one for one in card.all_records() if not (isinstance(one, Grant) and one.assets == (asset,))]
    other = card.model_copy(update={"records": tuple(map(record_note, without))})
    (fault,) = faults_of(other, packed.with_name("tiny-light.samples.safetensors"))
    assert "nobody has granted" in fault


@pytest.mark.parametrize("other", ["validation", "test"])
def test_splits_that_share_a_building_are_a_fault(tmp_path: Path, other: str) -> None:
    data = small_set(tmp_path / "data")
    rows = read_index(data)
    for row in rows:
        if row["split"] == other:
            row["building"] = 0
            break
    write_index_of(data, rows)
    with pytest.raises(FalseworkError, match=rf"more than one split \(0 in .*{other}"):
        pack(finished_run(tmp_path / "run", data), data, about_file(tmp_path), tmp_path / "packed")


def test_splits_that_share_a_simulation_are_a_fault() -> None:
    row = {"sample": "a", "split": "train", "group": "7", "data_set": "dust", "file": "f", "sha256": "0"}
    assert not [*shared_groups([row, row | {"group": "8", "split": "test"}])]  # type: ignore[list-item]
    (fault,) = shared_groups([row, row | {"split": "test"}])  # type: ignore[list-item]
    assert "7 in test and train" in fault


def test_a_set_that_has_grown_since_is_not_what_was_trained_on(tmp_path: Path) -> None:
    data = small_set(tmp_path / "data")
    run = finished_run(tmp_path / "run", data)
    shutil.copy(data / "index.jsonl", tmp_path / "then.jsonl")
    rows = read_index(data)
    write_index_of(data, [row for row in rows if row["split"] != "validation"])
    with pytest.raises(FalseworkError, match="is not as it was when this run learned from it"):
        pack(run, data, about_file(tmp_path), tmp_path / "packed")
    shutil.copy(tmp_path / "then.jsonl", run / "index.jsonl")
    with pytest.raises(FalseworkError, match="lacks 2 samples that this run learned from"):
        pack(run, data, about_file(tmp_path), tmp_path / "packed")
    rows += [rows[0] | {"sample": "later", "sha256": "1" * 64}]
    write_index_of(data, rows)
    shutil.copy(
        data / "previews" / "train" / "b000000_f1000_c0.png", data / "previews" / "train" / "later.png"
    )
    model = pack(run, data, about_file(tmp_path), tmp_path / "packed")
    assert model.card is not None
    assert model.card.sources[0].samples["train"] == 4


def test_a_card_brings_no_records_but_of_its_training(packed: Path, own: Path) -> None:
    install(packed)
    path = own / "tiny-light.json"
    before = path.read_text()
    ada = Party(id="party:ada", type="person", name="Ada")
    plate = f"sha256:{'a' * 64}"
    grant = {"id": "grant:x", "type": "licence", "given_by": "party:falsework", "basis": "owner"}
    a_set = f"sha256:{read_card(path).sources[0].sums}"
    approval = {"id": "decision:x", "type": "approval", "by": "party:ada", "role": "x", "subject": plate}
    for note in (
        record_note(ada),
        {"kind": "grant", **grant, "assets": [plate], "uses": ["any"]},
        {"kind": "decision", **approval, "why": "x"},
        {"kind": "activity", "id": "activity:x", "type": "make", "generated": [plate]},
        {"kind": "grant", **grant, "assets": [a_set], "uses": ["any"]},
        {"kind": "asset", "id": plate, "type": "cut", "name": "tiny"},
        {"kind": "asset", "id": plate, "type": "model", "name": "another"},
    ):
        path.write_text(before)
        changed(path, lambda values, note=note: values["records"].append(note))  # type: ignore[misc]
        model = find("tiny-light")
        assert model.standing == "unknown", note
        assert "not about its training" in model.faults[0], note


# ---- standing --------------------------------------------------------------------------------------------


def test_installed_with_its_card_it_is_on_record(packed: Path, own: Path) -> None:
    model = install(packed)
    assert (model.standing, model.shipped, model.faults) == ("on record", False, ())
    assert model.weights == own / "tiny-light.safetensors"
    assert [one.name for one in models()] == ["tiny-light"]
    assert find("tiny-light").sha256 == read_card(packed.with_suffix(".json")).sha256


def test_weights_unlike_their_cards_are_refused(packed: Path, own: Path) -> None:
    install(packed)
    path = own / "tiny-light.safetensors"
    write_arrays(path, {"layer.weight": np.ones((3, 4), np.float32)})
    with pytest.raises(FalseworkError, match="is not the file that its card describes: SHA-256"):
        find("tiny-light")
    (model,) = models()
    assert model.standing == "altered"
    with pytest.raises(FalseworkError, match="is of other weights"):
        install(path, packed.with_suffix(".json"), name="other")
    assert not (own / "other.safetensors").exists()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda own: (own / "tiny-light.json").unlink(), "it has no card"),
        (lambda own: (own / "tiny-light.json").write_text("{"), "its card is no model card"),
        (lambda own: (own / "tiny-light.samples.safetensors").unlink(), "is missing"),
        (lambda own: (own / "tiny-light.samples.safetensors").write_bytes(b"x"), "is not the one that"),
    ],
)
def test_without_card_or_list_it_is_unknown(
    packed: Path, own: Path, spoil: Callable[[Path], None], why: str
) -> None:
    install(packed)
    spoil(own)
    model = find("tiny-light")
    assert model.standing == "unknown"
    assert why in model.faults[0]


def test_what_is_no_model_is_not_installed(packed: Path, tmp_path: Path, own: Path) -> None:
    pickled = tmp_path / "model.pt"
    pickled.write_bytes(b"\x80\x04.")
    with pytest.raises(FalseworkError, match="no other kind of weights is loaded"):
        install(pickled)
    renamed = tmp_path / "model.safetensors"
    shutil.copy(pickled, renamed)
    with pytest.raises(FalseworkError, match="is no safetensors file"):
        install(renamed)
    with pytest.raises(FalseworkError, match="no name of a model"):
        install(packed, name="../light")
    with pytest.raises(FalseworkError, match="there is no such file"):
        install(tmp_path / "absent.safetensors")
    assert not own.exists()


def test_a_shipped_name_stays_what_shipped(packed: Path, own: Path, tmp_path: Path) -> None:
    shutil.copytree(packed.parent, tmp_path / "shipped")
    assert find("tiny-light").shipped
    with pytest.raises(FalseworkError, match="a model that came with falsework"):
        install(packed)
    own.mkdir()
    write_arrays(own / "tiny-light.safetensors", {"a": np.zeros(1, np.float32)})
    assert find("tiny-light").shipped
    assert install(packed, name="mine").standing == "on record"


def test_a_model_that_replaces_another_keeps_nothing_of_it(packed: Path, own: Path, tmp_path: Path) -> None:
    install(packed)
    bare = tmp_path / "bare" / "tiny-light.safetensors"
    write_arrays(bare, {"a": np.zeros(1, np.float32)})
    assert install(bare).standing == "unknown"
    assert sorted(path.name for path in own.iterdir()) == ["tiny-light.safetensors"]


def test_a_model_is_installed_from_where_it_lies(packed: Path, own: Path) -> None:
    """Nothing of it is lost, under its own name as under another."""
    model = install(packed)
    before = {path.name: path.read_bytes() for path in own.iterdir()}
    assert install(model.weights).standing == "on record"
    assert install(packed, own / "tiny-light.json").standing == "on record"
    assert {path.name: path.read_bytes() for path in own.iterdir()} == before
    assert install(model.weights, name="mine").standing == "on record"
    assert find("tiny-light").standing == "on record"


def test_what_cannot_be_copied_whole_replaces_nothing(
    packed: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(packed)
    before = {path.name: path.read_bytes() for path in own.iterdir()}
    bare = tmp_path / "bare" / "tiny-light.safetensors"
    write_arrays(bare, {"a": np.zeros(1, np.float32)})
    again = shutil.copytree(packed.parent, tmp_path / "again") / packed.name
    monkeypatch.setattr(registry.shutil, "copyfile", full)
    for other in (bare, again):
        with pytest.raises(FalseworkError, match="disk is full"):
            install(other)
        assert {path.name: path.read_bytes() for path in own.iterdir()} == before


def full(source: Path, target: Path) -> None:
    """Copies as far as the disk goes: not to a card."""
    if not source.name.endswith(".samples.safetensors"):
        raise OSError(errno.ENOSPC, "no space")
    Path(target).write_bytes(source.read_bytes())


def test_the_list_says_where_each_stands(packed: Path, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    assert "No models are at hand" in capsys.readouterr().out
    install(packed)
    write_arrays(own / "bare.safetensors", {"a": np.zeros(1, np.float32)})
    assert main(["models", "list", "--json"]) == 0
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)["models"]}
    assert {name: one["standing"] for name, one in told.items()} == {
        "bare": "unknown",
        "tiny-light": "on record",
    }
    assert told["tiny-light"]["record"].startswith("activity:")


def test_the_command_packs_a_run_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = small_set(tmp_path / "data")
    run, about = finished_run(tmp_path / "run", data), about_file(tmp_path)
    out = tmp_path / "packed"
    command = ["models", "pack", str(run), "--data", str(data), "--about", str(about), "--out", str(out)]
    assert main([*command, "--audit", "0", "--quiet"]) == 0
    assert sorted(path.suffixes for path in out.iterdir()) == [
        [".json"],
        [".safetensors"],
        [".samples", ".safetensors"],
    ]
    about.write_text(about.read_text() + 'licence = "Apache-2.0"\n')
    assert main([*command, "--audit", "0", "--quiet"]) == 2
    assert "asks for a credit line, and none is given" in capsys.readouterr().err
    about.write_text('name = "tiny"')
    assert main([*command, "--quiet"]) == 2
    assert "does not say what a card needs (version" in capsys.readouterr().err
    (run / "run.json").unlink()
    assert main([*command, "--quiet"]) == 2
    assert "does not say what a card needs" in capsys.readouterr().err


def test_a_credit_line_that_the_licence_asks_for_is_in_its_grant(tmp_path: Path) -> None:
    data = small_set(tmp_path / "data")
    about = about_file(tmp_path)
    about.write_text(about.read_text() + 'licence = "CC-BY-4.0"\ncredit = "Dust: the makers"\n')
    model = pack(finished_run(tmp_path / "run", data), data, about, tmp_path / "packed")
    assert model.card is not None
    grants = [one for one in model.card.all_records() if isinstance(one, Grant)]
    assert [one.obligations.attribution for one in grants if one.licence == "CC-BY-4.0"] == [
        "Dust: the makers"
    ]
    assert {one.uses for one in grants if one.licence == "CC0-1.0"} == {("train",)}


def test_a_card_survives_writing_and_reading(packed: Path, tmp_path: Path) -> None:
    card = read_card(packed.with_suffix(".json"))
    write_card(tmp_path / "card.json", card)
    assert read_card(tmp_path / "card.json") == card
    assert Card.model_validate(card.model_dump(mode="json")) == card
