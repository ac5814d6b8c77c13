"""A shot drawn with a network before the gate: what its card puts on record, what stays open, the audit."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import copies as bench
from falsework.cli.main import main
from falsework.delivery.layers_exr import write_frame
from falsework.delivery.manifest import sha256
from falsework.errors import FalseworkError
from falsework.media.arrays import write_arrays
from falsework.models import registry
from falsework.models.card import read_card, record_note, write_card
from falsework.models.registry import NOTES, Model, find, install, read_notes, write_notes
from falsework.render.layers import Layers
from falsework.rights import copies
from falsework.rights.case import Case
from falsework.rights.records import Asset, Grant, asset_id
from falsework.rights.report_lines import model_lines
from falsework.rights.report_origin import ai_pixels
from falsework.rights.samples import Fingerprint, Sample, read_sample
from falsework.shots.clearing import auditing
from falsework.shots.clearing.auditing import audit_shot
from falsework.shots.clearing.cut import cut_of
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import case_of, judge
from falsework.shots.clearing.recording import own_textures, record_make
from falsework.shots.handover import run_facts
from falsework.shots.layer_files import coverage, write_layers
from falsework.shots.spec import Shot
from shots_fakes import SHOT
from test_shots_clearing import AT, PRODUCTION, approved, shot_in
from trained import own_model

Picture = npt.NDArray[np.uint8]
WITH_MODELS = PRODUCTION.replace(
    "generative_ai = false", "generative_ai = true\nprominent = false\npublishes_model = false"
)
PLAIN = WITH_MODELS.replace('packs = ["netflix", "eu"]', "packs = []")
NOTICE = """
[[notices]]
by = "ada"
to = "the buyer"
sent = 2026-11-01
models = ["{model}"]
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return own_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    monkeypatch.setenv("FALSEWORK_MODELS", str(folder))
    monkeypatch.setattr(registry, "SHIPPED", tmp_path / "shipped")
    return folder


def drawn_with(folder: Path, model: Model, production: str) -> Path:
    """A finished shot whose render noted that it worked with this model; on record."""
    path = shot_in(folder, production)
    note(path, model)
    return path


def redrawn(path: Path, pictures: dict[int, Picture]) -> None:
    """Other frames than the shot has, as if they had been made so."""
    out = path.parent / "out" / "tiny"
    manifest = json.loads((out / "manifest.json").read_text())
    for frame, picture in pictures.items():
        name = f"exr/tiny.{frame}.exr"
        linear = np.asarray((picture / 255.0) ** 2.2, np.float32)
        write_frame(out / name, {"beauty": linear}, frame=frame, fps=24, name="tiny", crypto_manifest={})
        manifest["files"][name] = sha256(out / name)
    (out / "manifest.json").write_text(json.dumps(manifest))


def note(path: Path, model: Model, **more: object) -> None:
    out = path.parent / "out" / "tiny"
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(manifest | {"models": [model.note()], **more}))
    record_make(desk_of(path), out, preview=False, at=AT, seconds=2.0)


def case(path: Path) -> Case:
    desk = desk_of(path)
    with desk.open_ledger() as ledger:
        return case_of(desk, ledger, cut_of(path.parent / "out" / "tiny"), AT)


def bare(own: Path) -> Model:
    """A model without a card."""
    write_arrays(own / "bare.safetensors", {"a": np.zeros(3, np.float32)})
    return find("bare")


def test_what_a_stage_notes_of_its_models_is_read_again(packed: tuple[Path, Path], tmp_path: Path) -> None:
    model = install(packed[0])
    assert read_notes(tmp_path) == []
    write_notes(tmp_path, [model])
    assert read_notes(tmp_path) == [model.note()]
    assert model.note()["standing"] == "on record"


def test_a_model_without_record_is_unknown_and_blocks_delivery(
    tmp_path: Path, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = bare(own)
    path = drawn_with(tmp_path / "shot", model, PLAIN)
    approved(path)
    grant, training = judge(desk_of(path), at=AT).blockers
    assert (grant.rules, grant.words) == (("GATE-3",), '"bare": nobody\'s grant is on record')
    assert (training.rules, training.words) == (("DSM-4",), 'nobody knows what "bare" was trained on')
    assert main(["deliver", str(path), "--quiet"]) == 2
    assert '"bare"' in capsys.readouterr().err
    assert not (path.parent / "deliveries").exists()
    (line,) = model_lines(case(path))
    assert (line.name, line.trained, line.samples) == ("bare", False, 0)


def test_a_model_on_record_is_delivered_with_its_samples_counted(
    packed: tuple[Path, Path], tmp_path: Path, own: Path
) -> None:
    model = install(packed[0])
    path = drawn_with(tmp_path / "shot", model, PLAIN)
    (line,) = model_lines(case(path))
    assert (line.trained, line.samples, line.granted, line.unknown) == (True, 3, 3, 0)
    assert line.sets == ("small: 8 samples",)
    approved(path)
    assert main(["deliver", str(path), "--quiet"]) == 0
    report = json.loads((path.parent / "deliveries" / "tiny" / "clearance.json").read_text())
    assert [one["name"] for one in report["models"]] == ["tiny-light"]
    page = (path.parent / "deliveries" / "tiny" / "clearance.html").read_text()
    assert "small: 8 samples" in page
    # Of the same shot, made again, nothing is on record twice.
    with desk_of(path).open_ledger() as ledger:
        before = ledger.size
    record_make(desk_of(path), path.parent / "out" / "tiny", preview=False, at=AT, seconds=2.0)
    with desk_of(path).open_ledger() as ledger:
        assert ledger.size - before <= 1


def test_how_much_of_a_frame_a_network_made_is_told_frame_by_frame(
    packed: tuple[Path, Path], tmp_path: Path, own: Path
) -> None:
    path = shot_in(tmp_path / "shot", PLAIN)
    frames = [*cut_of(path.parent / "out" / "tiny").frames]
    shares = dict(zip(frames, (0.0, 0.25, 0.5, 0.75), strict=True))
    note(path, install(packed[0]), ai_pixels=shares | {"exr/other.1001.exr": 1.0})
    assert ai_pixels(case(path), frames).frames == shares


def test_layers_say_how_much_of_the_frame_they_cover(tmp_path: Path) -> None:
    def image(channels: int, value: float = 0.0) -> npt.NDArray[np.float32]:
        return np.full((8, 16, channels), value, np.float32)

    surface, dust = image(4), image(4, 0.5)
    surface[:4] = 1.0
    plain = {"hold": image(1)[..., 0], "shadow": image(3, 1.0), "depth": image(1, np.inf)[..., 0]}
    zeros = {"normal": image(3), "motion": image(2), "albedo": image(3), "crypto": image(4)}
    layers = Layers(surface=surface, dust=dust, dust_front=image(4), **plain, **zeros)
    write_layers(tmp_path / "1001.layers", layers)
    assert coverage(tmp_path / "1001.layers") == {"surface": 0.5, "dust": 0.5, "dust_front": 0.0}
    shot = Shot.model_validate(tomllib.loads(SHOT))
    note_ = {"name": "dust", "version": "1", "sha256": "0" * 64, "standing": "on record"}
    for names, share in ((["dust"], 0.5), (["light"], 1.0), (["light", "dust"], 1.0)):
        used = [note_ | {"name": name} for name in names]
        (tmp_path / NOTES).write_text(json.dumps(used))
        shading = "learned" if "light" in names else "analytic"
        lit = shot.model_copy(update={"render": shot.render.model_copy(update={"shading": shading})})
        facts = run_facts(lit, inputs={}, folders={"render": tmp_path}, seconds={}, reused=[])
        assert facts["models"] == used
        assert facts["ai_pixels"] == {"exr/tiny.1001.exr": share}
    (tmp_path / NOTES).unlink()
    assert run_facts(shot, inputs={}, folders={"render": tmp_path}, seconds={}, reused=[])["ai_pixels"] == {}


def test_a_card_changes_nothing_that_is_on_record(
    packed: tuple[Path, Path], tmp_path: Path, own: Path
) -> None:
    model = install(packed[0])
    path = drawn_with(tmp_path / "shot", model, PLAIN)
    desk = desk_of(path)
    state = case(path).state
    grant = next(one for one in state.grants.values() if one.uses == ("train",))
    with desk.open_ledger() as ledger:
        ledger.append([grant.model_copy(update={"revoked": AT, "revoked_why": "taken back"})], at=AT)
    note(path, model)
    assert case(path).state.grants[grant.id].revoked is not None
    (line,) = model_lines(case(path))
    assert line.refused >= 1
    assert any("GATE-3" in one.rules for one in judge(desk, at=AT).blockers)


def test_a_card_that_calls_the_plate_a_data_set_says_nothing(
    packed: tuple[Path, Path], tmp_path: Path, own: Path
) -> None:
    model = install(packed[0])
    ungranted = PLAIN[: PLAIN.index("[[grants]]")] + PLAIN[PLAIN.index("[[declared]]") :]
    path = shot_in(tmp_path / "shot", ungranted)
    card = read_card(own / "tiny-light.json")
    plate = Asset(id=asset_id(sha256(path.parent / "plate.png")), type="texture", name="old wall")
    terms = Grant(
        id="grant:wall", type="licence", given_by="party:falsework", assets=(plate.id,), uses=("train",),
        basis="owner",
    )  # fmt: skip
    records = (*card.records, record_note(plate), record_note(terms))
    write_card(own / "tiny-light.json", card.model_copy(update={"records": records}))
    assert find("tiny-light").standing == "on record"
    note(path, model)
    (line,) = model_lines(case(path))
    assert not line.trained
    assert case(path).state.assets[plate.id].type == "plate"
    assert any("plate.png" in one.words for one in judge(desk_of(path), at=AT).blockers)


def test_the_audit_compares_with_fingerprints_where_pictures_do_not_ship(
    packed: tuple[Path, Path], tmp_path: Path, own: Path
) -> None:
    model = install(packed[0])
    notice = NOTICE.format(model=asset_id(model.sha256))
    path = shot_in(tmp_path / "shot", WITH_MODELS.replace("[[declared]]", notice + "\n[[declared]]", 1))
    redrawn(path, {frame: bench.drawn(frame, 432, 288) for frame in range(1001, 1005)})
    note(path, model)
    words = [one.words for one in judge(desk_of(path), at=AT).blockers]
    assert any("no copy audit of this cut is on record" in one for one in words)
    result, (whole, *_) = audit_shot(desk_of(path), at=AT)
    assert result.compared["training"] == result.printed == 9
    assert "were compared by their fingerprints" in whole.words
    assert whole.outcome == "pass", whole.words
    approved(path)
    assert [one.words for one in judge(desk_of(path), at=AT).blockers] == []


def test_a_training_picture_in_a_frame_is_found_by_its_fingerprint(
    packed: tuple[Path, Path], tmp_path: Path, own: Path
) -> None:
    weights, data = packed
    path = shot_in(tmp_path / "shot", WITH_MODELS)
    frame = bench.drawn(70, 432, 288)
    frame[40:168, 100:292] = read_sample(data / "previews" / "train" / "b000001_f1000_c0.png")
    redrawn(path, {1002: frame})
    note(path, install(weights))
    result, found = audit_shot(desk_of(path), at=AT)
    assert result.outcome == "block"
    assert any("b000001_f1000_c0" in one.words and one.outcome == "fail" for one in found)


def test_a_texture_of_falseworks_own_that_was_learned_from_is_no_copy(
    packed: tuple[Path, Path], tmp_path: Path, own: Path
) -> None:
    """It is drawn with it, under the grant on record for it."""
    model = install(packed[0])
    path = shot_in(tmp_path / "shot", WITH_MODELS)
    texture = next(one for one in own_textures().values() if one.name == "brick.jpg")
    whole = read_sample(texture)
    size = (whole.shape[1] // 2, whole.shape[0] // 2)
    printed = Fingerprint.of(np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8))
    frame = bench.drawn(71, 432, 288)
    frame[20:276, 20:276] = cv2.resize(whole, (256, 256), interpolation=cv2.INTER_AREA)
    redrawn(path, {1002: frame})
    note(path, model)
    desk = desk_of(path)
    learned = Sample("brick of the training", f"sha256:{'b' * 64}", "training", printed, "list")
    inputs = auditing._inputs(desk, case(path))
    frames = [("1002", frame)]
    assert copies.audit(frames, [learned]).outcome == "block"
    assert copies.audit(frames, [learned], inputs=inputs).outcome == "clear"


def test_fingerprints_that_are_others_than_on_record_are_not_taken(
    packed: tuple[Path, Path], tmp_path: Path, own: Path
) -> None:
    model = install(packed[0])
    path = drawn_with(tmp_path / "shot", model, WITH_MODELS)
    model.learned.write_bytes(b"")
    with pytest.raises(FalseworkError, match="is not at hand as it is on record"):
        audit_shot(desk_of(path), at=AT)
