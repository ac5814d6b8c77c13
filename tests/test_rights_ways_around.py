"""Ways around the gate: each of these once cleared what nobody had granted or said."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.rights.declarations import production_records
from falsework.rights.ledger import Ledger
from falsework.rights.production import read_production
from falsework.rights.records import Asset, asset_id
from falsework.rights.state import State
from rights_cases import AT, MARA, World, hashed


def declared(folder: Path, text: str, ledger: Ledger) -> State:
    """The state after `production.toml` with this text was read in this folder."""
    (folder / "production.toml").write_text(text)
    before = State.of(ledger.events())
    ledger.append(production_records(read_production(text), folder, before), at=AT)
    return State.of(ledger.events())


def file_in(folder: Path, name: str) -> str:
    (folder / name).write_bytes(name.encode())
    return asset_id(hashlib.sha256(name.encode()).hexdigest())


HEAD = 'name = "film"\n[[parties]]\nid = "mara"\nname = "Mara"\n[[parties]]\nid = "owner"\nname = "Owner"\n'


# What a file is


@pytest.mark.parametrize(
    "named",
    [
        '[[tools]]\nname = "Roto"\nvendor = "owner"\nattested_by = "mara"\nterms = "plate.png"\n',
        '[[ingredients]]\nfiles = ["other.png"]\nby = "mara"\nwhy = "seen"\n'
        'facts = { tdm_snapshot = "plate.png" }\n',
        '[[grants]]\nfiles = ["other.png"]\ngiven_by = "owner"\nuses = ["use"]\nbasis = "owner"\n'
        'document = "plate.png"\n',
    ],
)
def test_a_plate_named_as_a_document_stays_a_plate(tmp_path: Path, named: str) -> None:
    plate = file_in(tmp_path, "plate.png")
    file_in(tmp_path, "other.png")
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append([Asset(id=plate, type="plate", name="plate.png", path="plate.png")], at=AT)
        assert declared(tmp_path, HEAD + named, ledger).assets[plate].type == "plate"
        size = ledger.size
        declared(tmp_path, HEAD + named, ledger)
        assert ledger.size == size


def test_a_file_never_becomes_another_sort_of_file(tmp_path: Path) -> None:
    plate = Asset(id=hashed("p"), type="plate", name="plate.png")
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append([plate.model_copy(update={"type": "document"})], at=AT)
        ledger.append([plate], at=AT)  # from what asks for nothing to what needs a grant: any time
        ledger.append([plate.model_copy(update={"type": "matte"})], at=AT)  # needs the same
        for other in ("script", "document", "model", "replica", "cut"):
            with pytest.raises(FalseworkError, match="is on record as a matte"):
                ledger.append([plate.model_copy(update={"type": other})], at=AT)
            changed = plate.model_copy(update={"id": hashed("q")})
            with pytest.raises(FalseworkError, match="is on record as a"):
                ledger.append([changed, changed.model_copy(update={"type": other})], at=AT)
        ledger.append([Asset(id=hashed("r"), type="replica", name="double")], at=AT)
        with pytest.raises(FalseworkError, match="replica"):
            ledger.append([Asset(id=hashed("r"), type="picture", name="double")], at=AT)
        assert State.of(ledger.events()).assets[plate.id].type == "matte"


def test_a_document_in_the_picture_needs_a_grant() -> None:
    world = World()
    notes = world.asset("document", "notes.png")
    world.render = world.change(world.render, used=[world.plate, notes])
    assert world.outcome("GATE-3") == "unknown"
    world.owned(world.plate, notes)
    assert world.outcome("GATE-3") == "pass"


def test_a_brief_that_was_read_is_in_no_picture_unless_it_is() -> None:
    world = World()
    world.owned(world.plate)
    brief, answer = world.asset("document", "brief"), world.asset("document", "reading")
    world.step("brief", [brief], [answer], tool="api.example", offline=False)
    world.render = world.change(world.render, used=[world.plate, answer])
    assert world.outcome("GATE-3") == "pass"
    world.render = world.change(world.render, used=[world.plate, answer, brief])
    assert world.outcome("GATE-3") == "unknown"


def test_documents_that_trained_a_model_are_samples() -> None:
    world = World()
    model = world.asset("model", "weights")
    book = world.asset("document", "book.pdf")
    world.step("training", [book], [model])
    world.owned(world.plate)
    world.render = world.change(world.render, used=[world.plate, model], models=[model])
    assert world.case().samples(model) == (book,)
    assert world.outcome("NFX-5") == "unknown"


@pytest.mark.parametrize("type", ["intermediate", "take"])
def test_what_another_program_made_of_nothing_came_from_outside(type: str) -> None:
    world = World()
    world.owned(world.plate)
    found = world.asset(type, "painted")
    world.step("paint", [], [found], tool="Krita", agent=MARA)
    world.render = world.change(world.render, used=[world.plate, found])
    assert world.outcome("GATE-3") == "unknown"
    world.owned(found)
    assert world.outcome("GATE-3") == "pass"
