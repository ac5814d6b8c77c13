"""Ways around the gate: each of these once cleared what nobody had granted or said."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from falsework.errors import FalseworkError
from falsework.rights.declarations import production_records, withdrawals
from falsework.rights.ledger import Ledger
from falsework.rights.production import read_production
from falsework.rights.records import Asset, Decision, Party, asset_id
from falsework.rights.state import State
from falsework.rights.territories import EU_STATES
from rights_cases import ACTOR, AT, MARA, World, hashed


def declared(folder: Path, text: str, ledger: Ledger) -> State:
    """The state after `production.toml` with this text was read in this folder."""
    (folder / "production.toml").write_text(text)
    before = State.of(ledger.events())
    production = read_production(text)
    records = production_records(production, folder, before)
    ledger.append([*records, *withdrawals(production, records, before, AT)], at=AT)
    return State.of(ledger.events())


def file_in(folder: Path, name: str) -> str:
    (folder / name).write_bytes(name.encode())
    return asset_id(hashlib.sha256(name.encode()).hexdigest())


HEAD = 'name = "film"\n[[parties]]\nid = "mara"\nname = "Mara"\n[[parties]]\nid = "owner"\nname = "Owner"\n'


# What a document is


def test_a_hash_of_what_nobody_has_is_no_document() -> None:
    """Each of these passes by a document whose file lay here, and not by a hash alone."""
    cases: list[tuple[str, World]] = []
    world = World()
    world.change(world.render, offline=None, tool="Roto")
    uses = dict.fromkeys(("stores_inputs", "reuses_inputs", "trains_on_inputs"), False)
    world.tool("Roto", document="0" * 64, **uses)
    cases.append(("NFX-3", world))
    world = World()
    model = world.model(offline=True)
    world.grant(model, basis="contract", terms={"trained_on_licensed": True}, document="0" * 64)
    cases.append(("NFX-5", world))
    world = World()
    double = world.replica(production="film")
    world.declare(double, deceased=False)
    world.consent(double, specific=True)
    cases.append(("CA-1", world))
    for rule, world in cases:
        assert world.outcome(rule) == "pass", rule
        world.without_texts()
        found = world.judge(rule)
        assert found.outcome == "unknown", rule
        assert "no such file ever lay here: put it into the production's folder" in found.remedy


def test_a_snapshot_that_nobody_has_is_none() -> None:
    world = World()
    world.model(trained=True)
    world.declare(world.sample, scraped=True, tdm_snapshot="0" * 64, tdm_opt_out=False)
    assert world.outcome("DSM-4") == "pass"
    world.without_texts()
    assert world.outcome("DSM-4") == "fail"


def test_a_document_named_by_its_path_stays_on_record_when_the_file_is_gone(tmp_path: Path) -> None:
    file_in(tmp_path, "other.png")
    text = file_in(tmp_path, "terms.txt")
    grant = '[[grants]]\nfiles = ["other.png"]\ngiven_by = "owner"\nuses = ["use"]\nbasis = "owner"\n'
    grant += 'document = "%s"\n'
    with Ledger.open(tmp_path / "l") as ledger:
        for named in ("sha256:" + "0" * 64, text):  # nobody has seen either yet
            state = declared(tmp_path, HEAD + grant % named, ledger)
            assert named not in state.assets
        assert declared(tmp_path, HEAD + grant % "terms.txt", ledger).assets[text].path == "terms.txt"
        (tmp_path / "terms.txt").unlink()
        assert declared(tmp_path, HEAD + grant % text, ledger).assets[text].path == "terms.txt"


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


@pytest.mark.parametrize(
    ("type", "tool"), [("intermediate", "Krita"), ("take", "Krita"), ("cut", "falsework")]
)
def test_what_was_made_of_nothing_came_from_outside(type: str, tool: str) -> None:
    world = World()
    world.owned(world.plate)
    found = world.asset(type, "painted")
    world.step("paint", [], [found], tool=tool, agent=MARA)
    world.render = world.change(world.render, used=[world.plate, found])
    assert world.outcome("GATE-3") == "unknown"
    world.owned(found)
    assert world.outcome("GATE-3") == "pass"


@pytest.mark.parametrize("type", ["plate", "picture", "matte"])
def test_a_picture_that_a_run_took_in_is_not_cleared_by_what_it_is_said_to_be_painted_from(type: str) -> None:
    world = World()
    texture, found = world.asset("texture", "brick"), world.asset(type, "found")
    world.owned(world.plate, texture)
    world.render = world.change(world.render, used=[world.plate, texture, found])
    world.step("paint", [texture], [found], tool="Krita", agent=MARA, parameters={"models": []})
    finding = world.judge("GATE-3")
    assert (finding.outcome, found in finding.evidence) == ("unknown", True)
    assert 'basis = "owner"' in finding.remedy
    world.owned(found)
    assert world.outcome("GATE-3") == "pass"


def test_what_a_picture_was_painted_from_still_needs_its_grant() -> None:
    world = World()
    photo = world.asset("picture", "photo.jpg")
    world.step("paint", [photo], [world.plate], tool="Krita", agent=MARA, parameters={"models": []})
    assert world.outcome("GATE-3") == "unknown"
    world.owned(photo)
    assert world.outcome("GATE-3") == "pass"


# What was agreed


def test_a_consents_terms_stand_in_the_consent_that_covers() -> None:
    said = {"specific": True, "conspicuous": True, "business_reason": "double", "payment": "PO-1"}
    world = World()
    double = world.replica(scanned=False)
    world.declare(strike=False)
    world.consent(double)
    world.consent(double, uses=("scan",), **said)
    assert world.outcome("SAG-1") == "unknown"
    world.consent(double, **said)
    assert world.outcome("SAG-1") == "pass"


def test_terms_for_one_country_do_not_reach_another() -> None:
    world = World(territories=["US"])
    double = world.replica(deceased=False)
    consent = world.consent(double)
    elsewhere = world.consent(double, specific=True)
    world.change(elsewhere, territory=["FR"])
    assert world.outcome("CA-1") == "unknown"
    world.change(consent, terms={"specific": True})
    assert world.outcome("CA-1") == "pass"


def test_a_makers_word_about_another_use_says_nothing_of_this_one() -> None:
    world = World()
    model = world.asset("model", "bought")
    world.render = world.change(world.render, used=[world.plate, model], models=[model])
    word = world.grant(
        model, uses=["evaluate"], basis="contract", document="a" * 64, terms={"trained_on_licensed": True}
    )
    assert world.outcome("NFX-5") == "unknown"
    world.change(word, uses=["use"], territory=["FR"])
    assert world.outcome("NFX-5") == "unknown"
    world.change(word, uses=["use"])
    assert world.outcome("NFX-5") == "pass"


@pytest.mark.parametrize(
    ("given_by", "basis", "terms", "outcome"),
    [
        ("party:owner", "contract", {}, "unknown"),
        ("party:owner", "owner", {"represented": True}, "unknown"),
        (MARA, "owner", {}, "unknown"),
        (MARA, "platform", {}, "unknown"),
        ("party:nobody", "contract", {}, "unknown"),
        (MARA, "contract", {}, "unknown"),  # a person, and another one
        (MARA, "contract", {"represented": True}, "unknown"),
        (ACTOR, "contract", {}, "pass"),
        ("party:owner", "contract", {"represented": True}, "unknown"),  # the production itself
        ("party:owner", "item", {"estate": True}, "unknown"),
        ("party:scanner", "contract", {"represented": True}, "unknown"),  # who made the replica
        ("party:agency", "contract", {}, "unknown"),
        ("party:agency", "contract", {"represented": True}, "pass"),
        ("party:agency", "contract", {"estate": True}, "pass"),
    ],
)
def test_a_replicas_consent_is_its_performers(
    given_by: str, basis: str, terms: dict[str, bool], outcome: str
) -> None:
    world = World()
    double = world.replica(production="film")
    world.change(world.state().assets[double], creator="Scanning house")
    world.add(Party(id=ACTOR, type="person", name="Noa Beispiel"))
    world.add(Party(id="party:agency", type="organisation", name="Agency"))
    world.add(Party(id="party:scanner", type="organisation", name="Scanning house"))
    said = world.declare(double, performer="noa")
    consent = world.grant(
        double, type="consent", uses=["replica"], given_by=given_by, basis=basis, terms=terms
    )
    assert world.outcome("NFX-7") == outcome
    assert world.outcome("GATE-3") == outcome
    # The text that was agreed to makes up for who brings it; nothing does for whose likeness it is.
    speaks = bool(terms) and given_by != MARA and basis != "owner"
    world.change(consent, document="a" * 64)
    assert world.outcome("NFX-7") == ("pass" if speaks else outcome)
    world.change(said, withdrawn=True)
    assert world.outcome("NFX-7") == world.outcome("GATE-3") == "unknown"


def test_a_consent_counts_where_it_is_known_whose_likeness_it_is() -> None:
    world = World()
    double = world.replica(production="film")
    world.grant(double, type="consent", uses=["replica"], given_by=MARA, basis="contract")
    finding = world.judge("NFX-7")
    assert (finding.outcome, "whose likeness" in finding.words) == ("unknown", True)
    assert "performer = " in finding.remedy
    world.declare(double, performer=MARA)  # who produces it plays in it
    assert world.outcome("NFX-7") == "pass"
    text = HEAD + '[[ingredients]]\nfiles = ["a"]\nby = "mara"\nwhy = "x"\nfacts = { performer = "noa" }\n'
    with pytest.raises(FalseworkError, match='nobody is called "party:noa"'):
        read_production(text)


def test_a_model_that_learnt_from_a_replica_is_one() -> None:
    world = World()
    scan = world.asset("replica", "scan of Noa")
    model = world.asset("model", "weights")
    world.step("training", [scan], [model])
    world.render = world.change(world.render, used=[world.plate, model], models=[model])
    world.declare(digital_replica=False, depicts_performer=False)
    for rule in ("SAG-1", "NFX-7", "CA-1", "SAG-3"):
        assert world.outcome(rule) != "not applicable", rule


def test_a_persons_consent_is_no_licence_for_a_picture() -> None:
    world = World()
    world.owned(world.plate)
    picture = world.asset("picture", "found.jpg")
    world.render = world.change(world.render, used=[world.plate, picture])
    world.consent(picture, uses=("any",))
    finding = world.judge("GATE-3")
    assert (finding.outcome, "(consent)" in finding.words) == ("unknown", True)


def test_one_giver_allows_all_that_is_done_in_a_place() -> None:
    world = World(territories=["EU"])
    world.owned(world.plate)
    picture = world.asset("picture", "found.jpg")
    world.render = world.change(world.render, used=[world.plate, picture])
    one = world.grant(picture, uses=["adapt"], basis="contract")
    other = world.grant(picture, uses=["commercial"], basis="contract", given_by=MARA)
    finding = world.judge("GATE-3")
    assert finding.outcome == "fail"
    assert "nobody alone" in finding.words
    whole, states = ["adapt", "commercial"], sorted(EU_STATES)
    world.change(one, uses=whole, territory=states[:9])
    world.change(other, uses=whole, territory=states[9:])
    assert world.outcome("GATE-3") == "pass"


# How long it is shown


def test_a_law_to_come_counts_where_it_is_shown_until_then() -> None:
    before = datetime(2026, 7, 1, tzinfo=UTC)
    assert World().outcome("EU-50.2", at=before) == "not applicable"
    assert "names no later day" in World().judge("EU-50.2", at=before).words
    assert World(until="2026-07-30").outcome("EU-50.2", at=before) == "not applicable"
    assert World(until="2030-01-01").outcome("EU-50.2", at=before) == "unknown"


def test_what_may_no_longer_be_shown_does_not_leave() -> None:
    world = World(until="2026-11-21")
    world.owned(world.plate)
    assert world.outcome("GATE-3") == "fail"
    world = World(until="2026-11-22")
    world.owned(world.plate)
    assert world.outcome("GATE-3") == "pass"


# Models


def test_a_hosted_model_is_on_record_by_name_and_can_be_granted(tmp_path: Path) -> None:
    plate, photo = file_in(tmp_path, "plate.png"), file_in(tmp_path, "photo.jpg")
    step = (
        '[[activities]]\ntype = "generate"\nby = "mara"\ntool = "Cloud"\nused = ["photo.jpg"]\n'
        'generated = ["plate.png"]\n'
    )
    with Ledger.open(tmp_path / "l") as ledger:
        (silent,) = declared(tmp_path, HEAD + step, ledger).made_by(plate)
        assert "models" not in silent.parameters
        (none,) = declared(tmp_path, HEAD + step + "models = []\n", ledger).made_by(plate)
        assert none.parameters["models"] == []
        text = HEAD + step + 'hosted_models = ["Gen 4, 2026-03"]\n'
        hosted = next(one for one in declared(tmp_path, text, ledger).made_by(plate) if one.models)
        (model,) = hosted.models
        assert set(hosted.used) == {photo, model}
        state = declared(
            tmp_path,
            text
            + f'[[grants]]\nfiles = ["{model}"]\ngiven_by = "owner"\nuses = ["any"]\nbasis = "contract"\n',
            ledger,
        )
        assert (state.assets[model].type, state.assets[model].name) == ("model", "Gen 4, 2026-03")
        assert state.grants_for(model)


# Tables of production.toml


def test_a_pattern_covers_the_files_that_were_there(tmp_path: Path) -> None:
    plate = file_in(tmp_path, "plate.png")
    grant = '[[grants]]\nfiles = ["*.png"{}]\ngiven_by = "owner"\nuses = ["any"]\nbasis = "contract"\n'
    said = '[[ingredients]]\nfiles = ["*.png"]\nby = "mara"\nwhy = "seen"\nfacts = {{ scraped = false }}\n'
    text = HEAD + grant + said
    with Ledger.open(tmp_path / "l") as ledger:
        assert declared(tmp_path, text.format(""), ledger).grants_for(plate)
        late = file_in(tmp_path, "dropped_in.png")
        state = declared(tmp_path, text.format(""), ledger)
        (one,) = state.grants.values()
        assert (state.grants_for(late), one.changed) == ((), {"dropped_in.png": late[7:]})
        assert state.grants_for(plate)
        assert not state.decisions_on(late)
        # Putting the table back after it was out for a while confirms nothing, and another order neither.
        declared(tmp_path, HEAD, ledger)
        assert not declared(tmp_path, text.format(""), ledger).grants_for(late)
        assert not declared(tmp_path, text.format(', "plate.png"'), ledger).grants_for(late)
        assert declared(tmp_path, text.format(', "dropped_in.png"'), ledger).grants_for(late)
        (tmp_path / "plate.png").rename(tmp_path / "renamed.png")
        assert declared(tmp_path, text.format(', "dropped_in.png"'), ledger).grants_for(plate)


def test_a_file_that_joined_a_pattern_is_named_with_what_to_write() -> None:
    world = World()
    late = world.asset("picture", "late.jpg")
    world.render = world.change(world.render, used=[world.plate, late])
    world.change(world.owned(), files={"a.jpg": "a" * 64}, changed={"late.jpg": late[7:]})
    finding = world.judge("GATE-3")
    assert finding.outcome == "unknown"
    assert "was not there when a grant was declared" in finding.words
    assert 'files = [..., "late.jpg"]' in finding.remedy


def test_tables_by_one_person_stand_beside_each_other(tmp_path: Path) -> None:
    plate = file_in(tmp_path, "plate.png")
    ingredient = '[[ingredients]]\nfiles = ["plate.png"]\nby = "mara"\nwhy = "seen"\nfacts = {{ {} }}\n'
    review = '[[reviews]]\nabout = "NFX-8"\nby = "mara"\nwhy = "ok"\nfacts = {{ {} = true }}\n'
    tool = '[[tools]]\nname = "Roto"\nvendor = "owner"\nattested_by = "mara"\nstores_inputs = {}\n'
    step = (
        '[[activities]]\ntype = "paint"\nby = "mara"\ntool = "Roto"\ngenerated = ["plate.png"]\n'
        'prompt = "{}"\n'
    )
    text = (
        HEAD
        + ingredient.format("personal = true")
        + ingredient.format("scraped = false")
        + review.format("editorial")
        + review.format("labour")
        + tool.format("true")
        + tool.format("false")
        + step.format("take the cables out")
        + step.format("")
    )
    with Ledger.open(tmp_path / "l") as ledger:
        state = declared(tmp_path, text, ledger)
        facts = [one.facts for one in state.decisions_on(plate)]
        assert facts == [{"personal": True}, {"scraped": False}]
        reviews = [one.facts for one in state.decisions.values() if one.type == "review"]
        assert reviews == [{"editorial": True}, {"labour": True}]
        assert [one.terms["stores_inputs"] for one in state.grants.values()] == [True, False]
        assert [one.prompt for one in state.made_by(plate)] == ["take the cables out", ""]
        size = ledger.size
        declared(tmp_path, text, ledger)
        assert ledger.size == size
        # One that is taken out is withdrawn; the other stays.
        last = production_records(
            read_production(HEAD + ingredient.format("personal = true")), tmp_path, state
        )
        assert [one.facts for one in last if isinstance(one, Decision)] == [{"personal": True}]


def test_a_file_is_one_thing_in_all_tables(tmp_path: Path) -> None:
    file_in(tmp_path, "plate.png")
    asset = '[[assets]]\nfiles = ["plate.png"]\ntype = "{}"\n'
    twice = read_production(HEAD + asset.format("picture") + asset.format("model"))
    with pytest.raises(FalseworkError, match="is a picture in one table, a model in another"):
        production_records(twice, tmp_path)
    with Ledger.open(tmp_path / "l") as ledger:
        text = HEAD + asset.format("picture") * 2
        declared(tmp_path, text, ledger)
        size = ledger.size
        declared(tmp_path, text, ledger)
        assert ledger.size == size


@pytest.mark.parametrize(
    ("place", "packs"),
    [
        ("EL", {"eu"}),
        ("GP", {"eu"}),
        ("AX", {"eu"}),
        ("RE", {"eu"}),
        ("UK", set()),
        ("JP", set()),
        ("PR", {"copyright"}),
        ("US", {"copyright", "california"}),
    ],
)
def test_a_territory_brings_its_law_however_it_is_called(place: str, packs: set[str]) -> None:
    read = read_production(f'name = "film"\nterritories = ["{place}"]\n')
    assert read.rule_packs == {"gate", *packs}
    assert read.territories == ({"EL": "GR", "UK": "GB"}.get(place, place),)


@pytest.mark.parametrize("place", ["XX", "ZZ", "fr", "FRA", "", "SU"])
def test_no_such_territory(place: str) -> None:
    with pytest.raises(FalseworkError, match="territories"):
        read_production(f'name = "film"\nterritories = ["{place}"]\n')
    with pytest.raises(FalseworkError, match="territory"):
        read_production(
            HEAD + '[[grants]]\nfiles = ["a"]\ngiven_by = "owner"\nuses = ["any"]\nbasis = "owner"\n'
            f'territory = ["{place}"]\n'
        )


def test_a_grant_for_the_union_reaches_its_outermost_regions() -> None:
    world = World(territories=["GP", "FI"])
    picture = world.asset("picture", "found.jpg")
    world.render = world.change(world.render, used=[world.plate, picture])
    grant = world.grant(picture, uses=["any"], basis="owner", territory=["EU"])
    assert world.outcome("GATE-3") == "pass"
    world.change(grant, territory=["FR", "FI"])
    assert world.outcome("GATE-3") == "fail"
