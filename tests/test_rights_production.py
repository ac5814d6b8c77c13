"""`production.toml`: what it may say, every fault a sentence, and the records that come of it."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falsework.errors import FalseworkError
from falsework.rights.case import Case
from falsework.rights.declarations import production_records, withdrawals
from falsework.rights.digests import Digests
from falsework.rights.facts import FILE_FACTS, IngredientFacts, ShotFacts
from falsework.rights.gate import approve, clearance
from falsework.rights.places import named_folders, named_place
from falsework.rights.production import Production, load_production, moment, read_production
from falsework.rights.records import Activity, Asset, Decision, Grant, Party, asset_id
from falsework.rights.rules.evaluate import evaluate
from rights_cases import AT, hashed, state_of

TEXT = """\
name = "film"
packs = ["netflix"]
guilds = ["dga"]
territories = ["FR", "CH"]
releases = [2027-03-01]

[[parties]]
id = "mara"
name = "Mara Example"
roles = ["producer", "reader"]
hours = 12

[[parties]]
id = "owner"
type = "organisation"
name = "Owner"

[[grants]]
files = ["plate.jpg"]
given_by = "owner"
licence = "cc-by-sa-4.0"
basis = "item"
starts = 2026-01-01
ends = 2027-12-31

[grants.obligations]
attribution = "Photograph: Owner"

[[grants]]
type = "consent"
files = ["double.bin"]
given_by = "mara"
uses = ["replica"]
basis = "contract"
document = "consent.txt"
terms = { specific = true, notice_hours = 48 }

[[tools]]
name = "Roto"
vendor = "owner"
attested_by = "mara"
offline = true

[[declared]]
by = "mara"
why = "looked at it"

[declared.facts]
depicts_performer = false

[[declared]]
by = "mara"
why = "looked at this one"
shot = "corner"

[declared.facts]
depicts_performer = true
disclosure = "It stands."

[[ingredients]]
files = ["samples/*.jpg"]
by = "mara"
why = "taken with a camera"

[ingredients.facts]
scraped = true
tdm_snapshot = "robots.txt"

[[notices]]
by = "mara"
to = "the buyer"
sent = 2026-10-01
models = ["double.bin"]

[[reviews]]
about = "NFX-8"
by = "mara"
why = "shown to the legal department"
facts = { editorial = true }

[labour]
by = "mara"
assisted = ["compositor"]
"""

FAULTS = [
    ('guilds = ["dga"]', 'guild = ["dga"]', ['"guild" is not a key', 'Did you mean "guilds"?'], 3),
    ('packs = ["netflix"]', 'packs = ["netflicks"]', ["packs", 'Did you mean "netflix"?'], 2),
    ('territories = ["FR", "CH"]', 'territories = ["France"]', ["territories"], 4),
    ('territories = ["FR", "CH"]', "territories = []", ["territories", "at least 1 long"], 4),
    ("releases = [2027-03-01]", 'releases = ["soon"]', ["a date (2026-11-22)"], 5),
    ("releases = [2027-03-01]", "releases = [2027-03-01]\nuntil = 2027-01-01", ["before a release"], 6),
    ('id = "owner"', 'id = "The Owner"', ["a short name of small letters"], 14),
    ('id = "owner"', 'id = "mara"', ['two parties are called "party:mara"'], 14),
    ('given_by = "owner"', 'given_by = "ownr"', ['nobody is called "party:ownr"', '"owner"?'], 20),
    ('given_by = "owner"', 'given_by = "zzz"', ["Add [[parties]]"], 20),
    ('licence = "cc-by-sa-4.0"', 'licence = "House-1"', ['licence "House-1" is not one we know'], 18),
    ('licence = "cc-by-sa-4.0"', "", ["no licence is named, so what it allows must be said"], 18),
    ("hours = 12", 'member_of = ["guild"]', ['nobody is called "party:guild"'], 11),
    ("ends = 2027-12-31", "ends = 2025-12-31", ["the term ends before it starts"], 24),
    ("ends = 2027-12-31", "ends = 2027-12-31T12:00:00", ["a time with its zone"], 24),
    ('attested_by = "mara"', 'attested_by = "owner"', ['"party:owner" is no person'], 41),
    ("depicts_performer = false", "depicts_performers = false", ['Did you mean "depicts_performer"?'], 49),
    ("depicts_performer = false", "", ["declares nothing"], 48),
    ("scraped = true", 'scraped = "maybe"', ["true or false"], 66),
    ("hours = 12", "hours = -1", ["at least 0"], 11),
    ('name = "film"', "name = [", ["not valid TOML"], None),
    ('why = "looked at it"', 'why = ""', ["why"], 46),
    ('basis = "item"', "", ["grants", "basis"], 18),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "production.toml").write_text(TEXT)
    (tmp_path / "samples").mkdir()
    for name in (
        "plate.jpg", "double.bin", "consent.txt", "robots.txt", "samples/1.jpg", "samples/2.jpg",
    ):  # fmt: skip
        (tmp_path / name).write_text(name)
    return tmp_path


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def of_type(records: list[Any], kind: type) -> list[Any]:
    return [one for one in records if isinstance(one, kind)]


@pytest.mark.parametrize(("old", "new", "words", "line"), FAULTS)
def test_faults_are_sentences(old: str, new: str, words: list[str], line: int | None) -> None:
    assert old in TEXT
    with pytest.raises(FalseworkError) as error:
        read_production(TEXT.replace(old, new, 1), "film/production.toml")
    said = str(error.value)
    for word in words:
        assert word in said, said
    if line is not None:
        assert f"production.toml:{line}" in said or f"production.toml:{line - 1}" in said, said
    assert "docs/shot.md" not in said
    assert "Traceback" not in said


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(FalseworkError, match=r"docs/production\.md"):
        load_production(tmp_path)
    (tmp_path / "production.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FalseworkError, match="UTF-8"):
        load_production(tmp_path)
    (tmp_path / "production.toml").write_bytes(b"#" * 5_000_000)
    with pytest.raises(FalseworkError, match="larger than 4 MB"):
        load_production(tmp_path)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        assert read_production(text).name
    except FalseworkError:
        return


def test_the_records(folder: Path) -> None:
    production = load_production(folder)
    records = production_records(production, folder)
    assert records == production_records(production, folder / ".")
    assert len({one.id for one in records}) == len(records)
    assert [party.id for party in of_type(records, Party)] == ["party:mara", "party:owner"]
    plate, consent, tool = of_type(records, Grant)
    assert plate.assets == (asset_id(digest("plate.jpg")),)
    assert plate.licence == "CC-BY-SA-4.0"
    assert plate.uses == ("use", "adapt", "commercial")  # as the licence allows
    assert plate.starts == datetime(2026, 1, 1, tzinfo=UTC)
    assert plate.ends == datetime(2028, 1, 1, tzinfo=UTC)  # its last day counts
    assert consent.document == digest("consent.txt")
    assert consent.terms == {"specific": True, "notice_hours": 48}
    assert (tool.assets, tool.uses, tool.terms["tool"], tool.terms["offline"]) == (
        (),
        ("tool",),
        "Roto",
        True,
    )
    assert {asset.name for asset in of_type(records, Asset)} == {"consent.txt", "robots.txt"}
    decisions = of_type(records, Decision)
    assert [(one.type, one.subject) for one in decisions] == [
        ("declaration", "film"),
        ("declaration", "film/corner"),
        ("declaration", asset_id(digest("samples/1.jpg"))),
        ("declaration", asset_id(digest("samples/2.jpg"))),
        ("declaration", "film"),
        ("review", "film"),
        ("declaration", "film"),
    ]
    assert decisions[2].facts == {"scraped": True, "tdm_snapshot": digest("robots.txt")}
    assert decisions[4].saw == (asset_id(digest("double.bin")),)
    assert decisions[4].facts == {"notice_to": "the buyer", "notice_sent": "2026-10-01"}
    assert decisions[6].facts["hours party:mara"] == 12
    assert all(one.role == "producer" for one in decisions)


def test_facts_of_a_shot_go_before_those_of_all(folder: Path) -> None:
    production = load_production(folder)
    records = production_records(production, folder)
    for name, seen in (("corner", True), ("square", False)):
        cut = Asset(id=hashed(name), type="cut", name=name)
        case = Case(state_of([*records, cut]), production, cut.id, AT)
        assert case.fact("depicts_performer").value is seen


def test_what_is_edited_replaces_and_what_is_taken_out_is_withdrawn(folder: Path) -> None:
    production = load_production(folder)
    before = production_records(production, folder)
    edited = TEXT.replace("ends = 2027-12-31", "ends = 2027-06-30").replace("= true\ndis", "= false\ndis")
    after = production_records(read_production(edited), folder)
    assert [one.id for one in before] == [one.id for one in after]
    assert before != after
    start, end = TEXT.index("[[grants]]\ntype"), TEXT.index("[[tools]]")
    shorter = (TEXT[:start] + TEXT[end:]).split("[[reviews]]")[0]
    fewer = read_production(shorter)
    records = production_records(fewer, folder)
    back = withdrawals(fewer, records, state_of(before), AT)
    assert {type(one) for one in back} == {Grant, Decision}
    assert [one.revoked for one in of_type(back, Grant)] == [AT]
    assert all(one.withdrawn for one in of_type(back, Decision))
    state = state_of([*before, *records, *back])
    assert not withdrawals(fewer, records, state, AT)
    # Put back, it holds again.
    assert all(one.revoked is None for one in of_type(production_records(production, folder), Grant))


def test_two_grants_alike_stay_two(folder: Path) -> None:
    start, end = TEXT.index("[[grants]]\nfiles"), TEXT.index("[[grants]]\ntype")
    twice = TEXT[:end] + TEXT[start:end].replace("2027-12-31", "2029-12-31") + TEXT[end:]
    grants = of_type(production_records(read_production(twice), folder), Grant)
    assert len({one.id for one in grants}) == 4


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("../outside.jpg", "leads out of the production's folder"),
        ("/etc/hostname", "leads out of the production's folder"),
        ("nothing.jpg", 'there is no file "nothing.jpg"'),
        ("nothing/*.jpg", 'there is no file "nothing/*.jpg"'),
        ("samples", 'there is no file "samples"'),
        ("link.jpg", "is a link that leads out"),
    ],
)
def test_files_are_read_inside_the_folder_only(folder: Path, file: str, words: str) -> None:
    outside = folder.parent / f"{folder.name}-outside.jpg"
    outside.write_text("secret")
    os.symlink(outside, folder / "link.jpg")
    production = read_production(TEXT.replace('files = ["plate.jpg"]', f'files = ["{file}"]'))
    with pytest.raises(FalseworkError) as error:
        production_records(production, folder)
    assert words in str(error.value)


def test_a_hash_needs_no_file(folder: Path) -> None:
    identity = "sha256:" + "0" * 64
    production = read_production(TEXT.replace('files = ["plate.jpg"]', f'files = ["{identity}"]'))
    assert of_type(production_records(production, folder), Grant)[0].assets == (identity,)


def test_another_file_under_the_same_path_does_not_inherit_the_grant(folder: Path) -> None:
    production = load_production(folder)
    before = production_records(production, folder)
    old, new = asset_id(digest("plate.jpg")), asset_id(digest("another picture"))
    (folder / "plate.jpg").write_text("another picture")
    records = production_records(production, folder, state_of(before))
    cut = hashed("cut")
    made = [
        Asset(id=new, type="plate", name="plate.jpg"),
        Asset(id=cut, type="cut", name="corner"),
        Activity(id="a", type="comp", used=(new,), generated=(cut,), offline=True),
    ]

    def judged(records: list[Any], production: Production) -> Any:
        found = evaluate(Case(state_of([*before, *records, *made]), production, cut, AT))
        return next(one for one in found if one.rule == "GATE-3")

    finding = judged(records, production)
    assert finding.outcome == "unknown"
    assert "is not the file that its grant was declared for" in finding.words
    assert f'files = ["plate.jpg", "{new}"]' in finding.remedy
    # It stays so however often it is declared, and when other files join the grant.
    assert production_records(production, folder, state_of([*before, *records])) == records
    more = read_production(TEXT.replace('["plate.jpg"]', '["plate.jpg", "robots.txt"]'))
    assert judged(production_records(more, folder, state_of([*before, *records])), more).outcome == "unknown"
    # What was made of the file that was granted stays granted.
    grant = next(one for one in of_type(records, Grant) if one.licence)
    assert grant.assets == (old,)
    # A person confirms the change by its hash.
    confirmed = read_production(TEXT.replace('["plate.jpg"]', f'["plate.jpg", "{new}"]'))
    after = production_records(confirmed, folder, state_of([*before, *records]))
    assert judged(after, confirmed).outcome == "pass"


def test_what_is_declared_of_a_file_is_not_said_of_another(folder: Path) -> None:
    table = 'files = ["plate.jpg"]\nby = "mara"\nwhy = "asked"\nfacts = { personal = false }\n'
    text = f"{TEXT}\n[[ingredients]]\n{table}"
    production = read_production(text)
    before = production_records(production, folder)
    (folder / "plate.jpg").write_text("another picture")
    after = production_records(production, folder, state_of(before))
    subjects = {one.subject for one in of_type(after, Decision)}
    assert asset_id(digest("another picture")) not in subjects


def test_what_is_declared_of_a_file_without_a_grant_is_not_said_of_the_next_one(stepped: Path) -> None:
    """A model that was trained here needs no grant: what is said of it must not pass to other weights."""
    table = '[[ingredients]]\nfiles = ["weights.bin"]\nby = "mara"\nwhy = "ours"\nfacts.generative = false\n'
    production = read_production(TEXT + STEPS + table)
    before = production_records(production, stepped)
    old, new = asset_id(digest("weights.bin")), asset_id(digest("other weights"))
    plate = asset_id(digest("plate.jpg"))
    assert case_of(before, production, plate).asset_fact(old, "generative").no
    (stepped / "weights.bin").write_text("other weights")
    after = production_records(production, stepped, state_of(before))
    case = case_of([*before, *after], production, plate)
    assert case.asset_fact(new, "generative").value is None
    assert case.asset_fact(old, "generative").no
    assert case.unsaid == {new: "weights.bin"}
    assert production_records(production, stepped, state_of([*before, *after])) == after
    # Taken out and put back, it is still said of the first; another person's word is for the file as it is.
    gone = read_production(TEXT + STEPS)
    back = withdrawals(gone, production_records(gone, stepped, state_of(after)), state_of(after), AT)
    again = production_records(production, stepped, state_of([*after, *back]))
    assert {one.subject for one in of_type(again, Decision) if one.files} >= {old}
    assert new not in {one.subject for one in of_type(again, Decision)}
    confirmed = read_production(TEXT + STEPS + table.replace('["weights.bin"]', f'["weights.bin", "{new}"]'))
    records = production_records(confirmed, stepped, state_of([*before, *after]))
    back = withdrawals(confirmed, records, state_of([*before, *after]), AT)
    case = case_of([*before, *after, *records, *back], confirmed, plate)
    assert case.asset_fact(new, "generative").no
    assert not case.unsaid


def test_a_notice_does_not_tell_of_a_model_that_came_later(folder: Path) -> None:
    production = load_production(folder)
    before = production_records(production, folder)
    (folder / "double.bin").write_text("another model")
    after = production_records(production, folder, state_of(before))
    (notice,) = [one for one in of_type(after, Decision) if one.about == "NFX-1"]
    assert notice.saw == (asset_id(digest("double.bin")),)
    assert notice.changed == {"double.bin": digest("another model")}


@pytest.mark.parametrize("way", ["..", "absolute", "link", "link within"])
def test_a_protected_set_outside_is_refused(folder: Path, way: str) -> None:
    outside = folder.parent / f"{folder.name}-outside"
    outside.mkdir()
    (outside / "work.png").write_text("work")
    named = {"..": f"../{outside.name}", "absolute": str(outside), "link": "set", "link within": "a/set"}[way]
    (folder / "a").mkdir()
    if way.startswith("link"):
        (folder / named).symlink_to(outside)
    production = read_production(f'{TEXT}\n[protected]\nfolder = "{named}"\n')
    with pytest.raises(FalseworkError) as error:
        production_records(production, folder)
    assert "leads out of the production's folder" in str(error.value)
    assert "FALSEWORK_OUTSIDE" in error.value.todo
    # Whoever runs the command may name the folder; on record is its name and no path of the machine.
    place = named_place(folder, named, "protected.folder", (outside.resolve(),))
    records = production_records(production, folder, protected=place)
    (kept,) = [one for one in of_type(records, Asset) if one.type == "dataset"]
    assert kept.path == outside.name
    assert kept.parts == {"work.png": digest("work")}


def test_folders_outside_are_named_from_the_root(tmp_path: Path) -> None:
    assert named_folders({}) == ()
    assert named_folders({"FALSEWORK_OUTSIDE": f"{tmp_path}{os.pathsep}"}) == (tmp_path.resolve(),)
    with pytest.raises(FalseworkError, match="does not start from the root"):
        named_folders({"FALSEWORK_OUTSIDE": "shelf"})
    with pytest.raises(FalseworkError, match="leads out"):  # a folder that only begins with the same letters
        named_place(tmp_path / "film", "../films/x", "ledger", ((tmp_path / "film2").resolve(),))
    with pytest.raises(FalseworkError, match="leads nowhere"):
        named_place(tmp_path, "a\0b", "ledger")


def test_a_digest_is_read_once_and_again_after_any_change(tmp_path: Path) -> None:
    path, digests = tmp_path / "a.bin", Digests()
    path.write_text("one")
    stat = path.stat()
    assert digests.of(path) == digests.of(path) == digest("one")
    assert digests.read == 1
    path.write_text("two")  # as long, and with the time set back
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert digests.of(path) == digest("two")
    (tmp_path / "b.bin").write_text("six")
    os.utime(tmp_path / "b.bin", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (tmp_path / "b.bin").replace(path)
    assert digests.of(path) == digest("six")
    path.unlink()
    with pytest.raises(FalseworkError, match="cannot be read"):
        digests.of(path)


def test_what_another_production_was_granted_or_told_does_not_hold_here(folder: Path) -> None:
    """Two productions in one ledger; or one that was renamed, its grants taken out after."""
    lent = TEXT.replace("[labour]", '[[ingredients]]\nfiles = ["plate.jpg"]\nby = "mara"\nwhy = "asked"\n'
                        "facts = { personal = false }\n\n[labour]")  # fmt: skip
    theirs = production_records(read_production(lent), folder)
    start, end = TEXT.index("[[grants]]"), TEXT.index("[[declared]]")
    ours = read_production((TEXT[:start] + TEXT[end:]).replace('name = "film"', 'name = "other_film"', 1))
    records = production_records(ours, folder)
    plate, cut = asset_id(digest("plate.jpg")), hashed("cut")
    made = [
        Asset(id=plate, type="plate", name="plate.jpg"),
        Asset(id=cut, type="cut", name="corner"),
        Activity(id="a", type="comp", used=(plate,), generated=(cut,), tool="Roto"),
    ]
    own = Case(state_of([*theirs, *made]), read_production(lent), cut, AT)
    case = Case(state_of([*theirs, *records, *made]), ours, cut, AT)
    step = case.state.activities["a"]
    for one, outcome, tools, told in ((own, "pass", 1, False), (case, "unknown", 0, None)):
        assert one.covered(plate, ["adapt"]).outcome == outcome
        assert len(one.tools(step)) == tools
        assert one.asset_fact(plate, "personal").value is told
        assert bool(one.obligations.licence) is (outcome == "pass")
    found = {one.rule: one.outcome for one in evaluate(case)}
    assert found["GATE-3"] == found["NFX-3"] == "unknown"


STEPS = """
[[assets]]
files = ["samples/*.jpg"]
type = "sample"

[[assets]]
files = ["weights.bin"]
type = "model"
name = "our weights"

[[assets]]
files = ["double.bin"]
type = "replica"

[[assets]]
files = ["photo.jpg"]
type = "picture"

[[activities]]
type = "training"
by = "mara"
tool = "Trainer"
used = ["samples/*.jpg"]
generated = ["weights.bin"]
offline = true

[[activities]]
type = "paint"
by = "mara"
tool = "Painter"
offline = true
used = ["photo.jpg", "double.bin"]
models = ["weights.bin"]
generated = ["plate.jpg"]
prompt = "no cables"
done = 2026-10-01
"""


@pytest.fixture
def stepped(folder: Path) -> Path:
    for name in ("weights.bin", "photo.jpg"):
        (folder / name).write_text(name)
    return folder


def case_of(records: list[Any], production: Production, plate: str) -> Case:
    cut = hashed("cut")
    made = [
        Asset(id=plate, type="plate", name="plate.jpg", path="plate.jpg"),
        Asset(id=cut, type="cut", name="corner"),
        Activity(id="a", type="make", used=(plate,), generated=(cut,), offline=True),
    ]
    return Case(state_of([*records, *made]), production, cut, AT)


def test_steps_in_other_programs_are_on_record(stepped: Path) -> None:
    production = read_production(TEXT + STEPS)
    records = production_records(production, stepped)
    case = case_of(records, production, asset_id(digest("plate.jpg")))
    weights, double = asset_id(digest("weights.bin")), asset_id(digest("double.bin"))
    assert case.models == (weights,)
    assert case.name(weights) == "our weights"
    assert set(case.samples(weights)) == {asset_id(digest(f"samples/{one}.jpg")) for one in (1, 2)}
    assert [one.id for one in case.of_type("replica")] == [double]
    assert not case.lineage.unexplained
    assert {step.agent for step in case.activities if step.id != "a"} == {"party:mara"}
    assert case.state.assets[double].path == "double.bin"
    # So that what the rules ask for can be given: a grant for the samples satisfies NFX-5.
    asked = {one.rule: one for one in evaluate(case)}
    assert asked["NFX-5"].outcome == "unknown"
    granted = (
        '[[grants]]\nfiles = ["samples/*.jpg"]\ngiven_by = "owner"\nuses = ["train"]\nbasis = "contract"\n'
    )
    more = read_production(TEXT.replace("[[tools]]", granted + "[[tools]]") + STEPS)
    case = case_of(production_records(more, stepped), more, asset_id(digest("plate.jpg")))
    assert {one.rule: one.outcome for one in evaluate(case)}["NFX-5"] == "pass"


def test_another_file_in_a_steps_place_was_not_used_or_made_by_it(stepped: Path) -> None:
    production = read_production(TEXT + STEPS)
    before = production_records(production, stepped)
    old = asset_id(digest("plate.jpg"))
    for name in ("plate.jpg", "weights.bin"):
        (stepped / name).write_text(f"another {name}")
    state = state_of(before)
    after = production_records(production, stepped, state)
    assert [one for one in after if isinstance(one, Activity)] == [
        one for one in before if isinstance(one, Activity)
    ]
    assert case_of([*before, *after], production, old).models == (asset_id(digest("weights.bin")),)
    new = asset_id(digest("another plate.jpg"))
    found = {one.rule: one for one in evaluate(case_of([*before, *after], production, new))}
    assert found["GATE-3"].outcome == "unknown"
    # Declared anew by its hash, it is another step; the former plate keeps what it was made from.
    again = read_production(
        TEXT + STEPS.replace('generated = ["plate.jpg"]', f'generated = ["plate.jpg", "{new}"]')
    )
    records = production_records(again, stepped, state)
    back = withdrawals(again, records, state_of([*before, *after]), AT)
    assert not [one for one in back if isinstance(one, Activity)]
    now = [*before, *records, *back]
    assert case_of(now, again, new).models == (asset_id(digest("another weights.bin")),)
    assert case_of(now, again, old).models == (asset_id(digest("weights.bin")),)


def test_a_step_that_is_taken_out_no_longer_counts(stepped: Path) -> None:
    production, fewer = read_production(TEXT + STEPS), read_production(TEXT)
    before = production_records(production, stepped)
    records = production_records(fewer, stepped, state_of(before))
    back = withdrawals(fewer, records, state_of(before), AT)
    state = state_of([*before, *records, *back])
    assert not state.made_by(asset_id(digest("plate.jpg")))
    assert not withdrawals(fewer, records, state, AT)
    put_back = production_records(production, stepped, state)
    assert [one for one in put_back if isinstance(one, Activity)] == [
        one for one in before if isinstance(one, Activity)
    ]


def test_what_a_run_recorded_stays_as_it_recorded_it(stepped: Path) -> None:
    production = read_production(TEXT + STEPS)
    photo = asset_id(digest("photo.jpg"))
    run = Activity(id="a", type="make", used=(photo,), generated=(hashed("cut"),))
    records = production_records(production, stepped, state_of([run]))
    assert photo not in {one.id for one in records}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('type = "training"', 'type = "make"', "falsework records its own steps"),
        ('tool = "Painter"', 'tool = "Falsework"', "falsework records its own steps"),
        ('used = ["samples/*.jpg"]', 'used = ["weights.bin"]', '"weights.bin" is both used and made'),
        ('generated = ["weights.bin"]', "generated = []", "generated"),
        ('type = "model"', 'type = "cut"', "type"),
        ('files = ["samples/*.jpg"]', 'name = "x"\nfiles = ["photo.jpg", "b"]', "names several files"),
        ('by = "mara"', 'by = "owner"', "is no person"),
        ('prompt = "no cables"', 'prompts = "no cables"', 'Did you mean "prompt"?'),
    ],
)
def test_faults_of_steps_are_sentences(old: str, new: str, words: str) -> None:
    with pytest.raises(FalseworkError) as error:
        read_production(TEXT + STEPS.replace(old, new, 1))
    assert words in str(error.value)


def test_days_begin_and_end_in_utc() -> None:
    assert moment(date(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert moment(date(2026, 1, 1), end=True) == datetime(2026, 1, 2, tzinfo=UTC)
    exact = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert moment(exact, end=True) == exact
    assert moment(None) is None


def test_from_the_file_to_a_clearance(folder: Path) -> None:
    """The whole way: a production file, a cut, an approval, and a licence that lapses after it."""
    production = read_production(TEXT.replace('packs = ["netflix"]', "packs = []").replace('"FR", ', ""))
    production = production.model_copy(update={"guilds": ()})
    records: list[Any] = production_records(production, folder)
    plate, cut = asset_id(digest("plate.jpg")), hashed("cut")
    records += [
        Asset(id=plate, type="plate", name="plate.jpg"),
        Asset(id=cut, type="cut", name="corner"),
        Activity(id="a", type="comp", used=(plate,), generated=(cut,), offline=True),
    ]
    case = Case(state_of(records), production, cut, AT)
    records += approve(case, by="mara", role="producer", why="yes")
    assert clearance(Case(state_of(records), production, cut, AT)).clear
    late = datetime(2028, 1, 1, tzinfo=UTC)
    lapsed = clearance(Case(state_of(records), production, cut, late))
    assert [one.rules for one in lapsed.blockers] == [("GATE-3",)]
    assert "ended on 2027-12-31" in lapsed.blockers[0].words


def test_facts_are_all_optional() -> None:
    assert ShotFacts().model_dump(exclude_none=True) == {}
    assert IngredientFacts().model_dump(exclude_none=True) == {}
    assert set(FILE_FACTS) <= set(IngredientFacts.model_fields)


def test_every_fact_is_one_that_a_rule_asks_for() -> None:
    """A key that nothing reads would be a promise that nothing keeps."""
    rules = Path(__file__).parents[1] / "src" / "falsework" / "rights"
    text = "\n".join(
        path.read_text() for path in [*rules.glob("rules/*.py"), rules / "case.py", rules / "gate.py"]
    )
    for name in [*ShotFacts.model_fields, *IngredientFacts.model_fields]:
        written = name.removeprefix("depicts_real_") if name.startswith("depicts_real_") else name
        assert f'"{written}"' in text, name


def test_the_production_is_light_to_validate() -> None:
    assert Production(name="film").rule_packs == {"gate", "eu", "california", "copyright"}
