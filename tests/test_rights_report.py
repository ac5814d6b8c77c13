"""The clearance report: what it says follows from the records, and what comes from outside does no harm."""

from __future__ import annotations

import json
import math
import re
import shlex
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

import copies as bench
from falsework.cli.main import main
from falsework.errors import FalseworkError
from falsework.media.images import encode_png, write_png
from falsework.rights.gate import waive
from falsework.rights.ledger import Ledger
from falsework.rights.records import Finding, Grant, Party
from falsework.rights.report import SCHEMA, LedgerSeen, Report, clearance_report
from falsework.rights.report_lines import decision_lines
from falsework.rights.report_markup import numbered
from falsework.rights.report_origin import ai_pixels
from falsework.rights.report_page import Pictures, report_page
from falsework.rights.rules.evaluate import ALL_RULES
from falsework.rights.state import Entry, State
from falsework.shots.clearing.auditing import audit_shot
from falsework.shots.clearing.delivering import deliver
from falsework.shots.clearing.desk import desk_of
from falsework.shots.clearing.judging import approve_shot
from falsework.shots.clearing.recording import record_make
from falsework.shots.clearing.reporting import PAGE, PAPER, VALUES, write_reports
from rights_cases import AT, MARA, World, hashed, obligations
from test_shots_clearing import PRODUCTION, shot_in

FRAMES = {f"exr/corner.{number}.exr": f"{number:064x}" for number in range(1001, 1005)}
SEEN = LedgerSeen("rights/ledger.db", 7, "ab" * 32)
HOSTILE = """</style><script>alert(1)</script><img src=http://x/ onerror="a">'&$shot"""
DOCUMENT = Path(__file__).parents[1] / "docs" / "clearance_report.md"


def report_of(world: World, **more: Any) -> Report:
    case = world.case(marked=more.pop("marked", None))
    return clearance_report(case, world.clearance(marked=case.marked), frames=FRAMES, ledger=SEEN, **more)


def answers(report: Report, reader: str) -> dict[str, str]:
    return {one.question: one.answer for one in report.questions if one.reader == reader}


class _Parsed(HTMLParser):
    """Elements, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("img", "meta", "!doctype"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def cleared() -> World:
    """A world in which everything is declared as it should be, but for the approval."""
    world = World(packs=["netflix", "eu"], guilds=[], territories=["FR"])
    world.declare(
        generative_ai=False, key_visual=True, depicts_performer=False, digital_replica=False,
        depicts_real_place=False, depicts_real_person=False, depicts_real_event=False,
        mistakable_for_real=False, displaces_union_work=False,
    )  # fmt: skip
    return world


# ---- AI pixels -------------------------------------------------------------------------------------------


def test_no_model_means_no_ai_pixel_and_names_the_steps() -> None:
    world = World()
    pixels = ai_pixels(world.case(), FRAMES)
    assert pixels.frames == dict.fromkeys(FRAMES, 0.0)
    assert set(pixels.evidence) == {world.render.id, world.comp.id}
    assert answers(report_of(world), "producer")["Is there AI in the pixels?"].startswith("None.")


def test_declared_ai_without_a_model_is_not_known() -> None:
    world = World()
    world.declare(generative_ai=True)
    assert set(ai_pixels(world.case(), FRAMES).frames.values()) == {None}


def test_a_prompt_or_a_gap_is_not_known() -> None:
    world = World()
    world.change(world.comp, prompt="more dust")
    assert set(ai_pixels(world.case(), FRAMES).frames.values()) == {None}
    world = World()
    world.change(world.render, generated=[])  # nothing made the render any more
    assert set(ai_pixels(world.case(), FRAMES).frames.values()) == {None}


def test_what_models_made_must_be_measured() -> None:
    world = World()
    world.model()
    assert set(ai_pixels(world.case(), FRAMES).frames.values()) == {None}
    shares = dict.fromkeys(FRAMES, 0.25)
    world.render = world.change(world.render, parameters={"ai_pixels": shares})
    assert ai_pixels(world.case(), FRAMES).frames == shares
    world.change(world.comp, models=world.render.models, parameters={"ai_pixels": dict.fromkeys(FRAMES, 0.9)})
    assert set(ai_pixels(world.case(), FRAMES).frames.values()) == {1.0}
    assert "AI 100%" in _Parsed(report_page(report_of(world), Pictures(strip()))).text


@pytest.mark.parametrize("share", [True, "0.5", -0.1, 1.1, None, [0.5], math.inf])
def test_a_share_that_is_none_is_not_known(share: object) -> None:
    world = World()
    world.model()
    world.change(world.render, parameters={"ai_pixels": dict.fromkeys(FRAMES, share)})
    assert set(ai_pixels(world.case(), FRAMES).frames.values()) == {None}


# ---- verdict, missing, rules -----------------------------------------------------------------------------


def test_the_verdict_follows_the_gate() -> None:
    world = cleared()
    report = report_of(world)
    assert report.verdict == "blocked"
    assert report.missing[0].words == "nobody has approved this cut"
    assert not report.missing[0].pending
    world.approve()
    assert report_of(world).verdict == "ready"
    assert report_of(world, marked=True).verdict == "delivered"
    assert report_of(world, marked=True).missing == ()
    page = _Parsed(report_page(report)).text
    assert "Not cleared" in page
    assert world.cut.removeprefix("sha256:") in page
    assert page.index("What is missing") < page.index("For the producer")


def test_a_take_is_never_cleared() -> None:
    world = cleared()
    world.approve()
    world.change(world.case().asset, type="take")
    report = report_of(world)
    assert report.verdict == "preview"
    page = _Parsed(report_page(report)).text
    assert "Preview, not for delivery" in page
    assert "Cleared" not in page


def test_every_rule_stands_under_each_of_its_readers() -> None:
    report = report_of(World())
    assert {one.rule for one in report.rules} == {one.id for one in ALL_RULES}
    page = report_page(report)
    parts = re.findall(r'<section class="rules"><h2>For the (\w+)</h2>(.*?)</section>', page, re.DOTALL)
    assert [name for name, _ in parts] == ["producer", "lawyer", "union"]
    for reader, part in parts:
        rows = re.findall(r'<th scope="row">([^<]+)</th>', part)
        assert sorted(rows) == sorted(one.rule for one in report.rules if reader in one.readers)
    assert len(re.findall(r'<tr id="rule-', page)) == len(report.rules)
    for one in report.rules:
        assert one.source
        assert one.grade in ("P", "S", "R")
        assert one.source.split(";")[0] in _Parsed(page).text


def test_what_blocks_comes_first() -> None:
    world = World()
    (grant,) = [one for one in world.records if isinstance(one, Grant)]
    world.change(grant, basis="platform")  # EO-1 fails, and blocks nothing
    report = report_of(world)
    assert {one.rule: one.outcome for one in report.rules}["EO-1"] == "fail"
    page = report_page(report)
    effects = {one.rule: (one.outcome, one.effect) for one in report.rules}
    for part in re.findall(r'<section class="rules">(.*?)</section>', page, re.DOTALL):
        blocks = [
            effects[rule][0] in ("fail", "unknown") and effects[rule][1] == "blocks"
            for rule in re.findall(r'<th scope="row">([^<]+)</th>', part)
        ]
        assert blocks == sorted(blocks, reverse=True)


def test_unknown_is_said_and_silence_is_listed() -> None:
    report = report_of(World())
    text = " ".join(report.not_established)
    for one in report.rules:
        assert (one.outcome != "unknown") or one.rule in text
    assert "digital replica" in text
    assert "no copy audit" in text
    assert "(R)" in text
    assert "not legal advice" in text
    assert "Netflix" not in text
    assert "Netflix" in " ".join(report_of(World(packs=[])).not_established)
    assert "test chain" in " ".join(report_of(World(), test_certificate=True).not_established)
    assert "test chain" not in " ".join(report_of(World(), test_certificate=False).not_established)


# ---- models, audit, grants, people, decisions ------------------------------------------------------------


def test_samples_are_counted() -> None:
    world = World()
    model = world.model(trained=True)
    more = [world.asset("sample", f"sample{number}.jpg") for number in range(5)]
    world.step("training", more, [model])
    world.grant(world.sample, more[0], uses=["train"])
    world.grant(more[1], uses=["use"])  # not for training
    (line,) = report_of(world).models
    assert (line.samples, line.granted, line.refused, line.unknown) == (6, 2, 1, 3)
    assert set(line.without) == set(more[2:])
    text = _Parsed(report_page(report_of(world))).text
    assert "6 samples: 2 granted, 1 refused, 3 unknown" in text
    assert "2 granted, 1 refused, 3 without a grant" in text


def test_neighbours_stand_side_by_side() -> None:
    world = World()
    sample = hashed("poster.jpg")
    worst = {
        "sample": "poster.jpg", "asset_id": sample, "distance": 12, "symmetry": "as it is", "points": 44,
        "outline": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]],
    }  # fmt: skip
    match = Finding(
        id="finding:match", rule="copy audit", subject=world.cut, outcome="fail",
        words="The protected picture 'poster.jpg' is found.", remedy="Remove it.", evidence=(sample,),
        details={"frames": ["1002"], "worst_frame": "1002", "worst": worst},
    )  # fmt: skip
    whole = Finding(
        id="finding:whole", rule="copy audit: all", subject=world.cut, outcome="fail", words="Copies.",
        details={"audited": AT.isoformat(), "matters": [match.id]},
    )  # fmt: skip
    world.add(match)
    world.add(whole)
    report = report_of(world)
    assert report.audit == "Copies."
    (line,) = report.matches
    assert (line.frame, line.distance, line.points, len(line.outline)) == ("1002", 12, 44, 4)
    picture = np.full((90, 160, 3), 128, np.uint8)
    page = report_page(report, Pictures(pairs={match.id: (picture, picture)}))
    assert page.count("<img") == 2
    assert "PDQ 12 of 256, as it is; 44 points agree" in page
    assert "not at hand" in report_page(report, Pictures(pairs={match.id: (picture, None)}))
    world.change(match, details={"worst": {"outline": [["a", 1]], "distance": True}, "frames": 3})
    assert report_of(world).matches[0].distance is None


def near(world: World, frame: str = "1002", **other: Any) -> dict[str, Any]:
    """A neighbour as the audit puts it on record; the audit's finding on the whole goes into the world."""
    one = {
        "frame": frame, "sample": "street.jpg", "asset_id": hashed("street.jpg"), "group": "training",
        "distance": 98, "symmetry": "as it is", "points": 7, "relation": "", "input": "",
    } | other  # fmt: skip
    whole = Finding(
        id="finding:whole", rule="copy audit", subject=world.cut, outcome="pass", words="No copy was found.",
        details={"audited": AT.isoformat(), "compared": {"training": 3, "protected": 0}, "nearest": [one]},
    )  # fmt: skip
    world.add(whole)
    return one


def test_neighbours_of_clear_frames_stand_side_by_side() -> None:
    world = World()
    one = near(world)
    report = report_of(world)
    assert (report.compared, report.nearest[0].distance, report.nearest[0].points) == (3, 98, 7)
    picture = np.full((90, 160, 3), 128, np.uint8)
    key = ("1002", one["asset_id"])
    page = report_page(report, Pictures(nearest={key: (picture, picture)}))
    assert page.count("<img") == 2
    assert "our frame 1002" in page
    assert "street.jpg; PDQ 98 of 256, as it is; 7 points agree" in page
    page = report_page(report, Pictures(nearest={key: (picture, None)}))
    assert page.count("<img") == 0
    assert "not shown: the sample's file is not at hand as recorded" in unescape(page)
    assert "own input" in unescape(report_page(report_of_own(world)))


def report_of_own(world: World) -> Report:
    near(world, relation="is", input="plate.jpg")
    return report_of(world)


def test_where_there_is_no_neighbour_a_sentence_says_why() -> None:
    world = World()
    assert "so no neighbour can be shown" in report_page(report_of(world))
    near(world)
    (whole,) = [one for one in world.records if isinstance(one, Finding)]
    world.change(whole, details={"audited": AT.isoformat(), "compared": {"training": 0, "protected": 0}})
    assert "There was nothing to compare with" in report_page(report_of(world))
    world.change(whole, details={"audited": AT.isoformat(), "compared": {"training": 3}})
    assert "does not name the nearest neighbours" in report_page(report_of(world))
    world.change(whole, details={"compared": "all", "nearest": ["a", {"distance": True, "frame": 3}]})
    assert [one.distance for one in report_of(world).nearest] == [None]


def test_a_platforms_word_is_said_to_be_one() -> None:
    world = World()
    photo = world.asset("picture", "photo.jpg")
    world.change(world.render, used=[world.plate, photo])
    world.grant(
        photo, uses=["any"], basis="platform", licence="CC-BY-SA-4.0", ends=AT + timedelta(days=90),
        obligations=obligations(attribution="Photo: A & B"), territory=["FR"],
    )  # fmt: skip
    report = report_of(world)
    text = _Parsed(report_page(report)).text
    assert text.count("platform’s general statement") >= 1
    assert any("photo.jpg" in one and "platform" in one for one in report.not_established)
    assert (report.licence, report.credits, report.ends[:10]) == (
        "CC-BY-SA-4.0", ("Photo: A & B",), "2027-02-20",
    )  # fmt: skip
    assert "until 2027-02-20" in text
    assert "Photo: A & B" in text


def test_a_grant_that_lapsed_is_shown_with_the_reason() -> None:
    world = World()
    (grant,) = [one for one in world.records if isinstance(one, Grant)]
    world.change(grant, revoked=AT - timedelta(days=1), revoked_why="sold")
    report = report_of(world)
    assert "sold" in report.grants[0].lapse
    text = _Parsed(report_page(report)).text
    assert "does not hold: was revoked on 2026-11-21 (sold)" in text
    said = answers(report, "lawyer")["Is every ingredient granted?"]
    assert said == "No: 1 ingredient from outside; no grant holds for plate.jpg."


def test_what_is_waived_is_not_said_to_be_met() -> None:
    world = cleared()
    (grant,) = [one for one in world.records if isinstance(one, Grant)]
    world.change(grant, revoked=AT - timedelta(days=1))
    world.records += waive(world.case(), "GATE-3", by=MARA, role="lawyer", why="settled by letter")
    world.approve()
    report = report_of(world)
    assert report.verdict in ("ready", "delivered")
    assert "but for GATE-3, waived by Mara Example" in report.verdict_words
    assert "by waiver" in _Parsed(report_page(report)).text
    assert "GATE-3" in answers(report, "producer")["May it be delivered?"]


def test_a_decision_given_anew_bears_the_hour_of_its_words() -> None:
    world = cleared()
    approval = world.approve()
    renewed = approval.model_copy(update={"why": "seen again"})
    later = AT + timedelta(hours=2)
    entries = {("decision", approval.id): Entry(9, later, AT)}
    case = replace(
        world.case(), state=replace(world.case().state, decisions={approval.id: renewed}, entries=entries)
    )
    (line,) = decision_lines(case, world.clearance())
    assert (line.why, line.at) == ("seen again", later.isoformat(timespec="seconds"))


def test_a_union_is_told_whose_rules_were_not_judged() -> None:
    said = answers(report_of(World(guilds=["wga"], packs=[])), "union")["Which guilds’ rules were judged?"]
    assert said == "Those of WGA. Not judged: SAG-AFTRA, SAG-AFTRA Interactive, DGA and IATSE."
    said = answers(report_of(World(guilds=[], packs=[])), "union")["Which guilds’ rules were judged?"]
    assert said.startswith("None: production.toml chooses no guild. Not judged: WGA, ")


def test_void_approvals_and_waivers_are_shown() -> None:
    world = cleared()
    other = world.asset("cut", "earlier", facts={})
    world.change(world.state().assets[other], name="corner")
    world.approve(other)
    world.records += waive(world.case(), "NFX-6", by=MARA, role="producer", why="agreed by phone")
    report = report_of(world)
    (old,) = [one for one in report.decisions if one.type == "approval"]
    assert "other pixels" in old.void
    assert {one.rule: one.waived for one in report.rules if one.waived}.keys() == {"NFX-6"}
    text = _Parsed(report_page(report)).text
    assert "void: it was given for other pixels" in text
    assert "Waived by Mara Example, producer: “agreed by phone”" in text
    world.change(world.approve(), withdrawn=True)
    assert "withdrawn" in {one.void for one in report_of(world).decisions}


def test_people_hours_and_roles() -> None:
    world = World(parties=[{"id": "mara", "name": "Mara Example", "hours": 6.5}])
    world.change(world.render, agent=MARA)
    world.approve()
    world.decide(
        "declaration", about="labour",
        facts={"roles assisted": "compositor", "roles added": "", "roles replaced": "matte painter"},
    )  # fmt: skip
    report = report_of(world)
    (mara,) = report.people
    assert mara.hours == 6.5
    assert {"approved these frames", "ran the step render"} <= set(mara.did)
    said = answers(report, "union")["Whose work changed?"]
    assert said == "Assisted: compositor; added: none; replaced: matte painter. Declared by Mara Example."
    bare = report_of(World())
    assert answers(bare, "union")["Whose work changed?"] == "Nobody has declared it."
    assert "Whose work was assisted, added or replaced." in bare.not_established


# ---- the page and the JSON -------------------------------------------------------------------------------


def strip() -> dict[str, Any]:
    return {name: np.full((54, 96, 3), 100, np.uint8) for name in FRAMES}


def harmless(page: str) -> _Parsed:
    """The page asks for nothing, runs nothing, and links only within itself."""
    seen = _Parsed(page)
    assert not {"script", "iframe", "link", "object", "embed", "form", "base"} & set(seen.elements)
    for name, value in seen.attributes:
        assert not name.startswith("on"), name
        assert name != "src" or value.startswith("data:image/jpeg;base64,")
        assert name != "href" or value.startswith("#")
    assert "url(" not in page
    assert "@import" not in page
    return seen


def hostile(text: str) -> World:
    """A world in which everything that may be text from outside is this text."""
    text = f"~{text}"  # no name of anything else here
    world = World(title=text)
    world.add(Party(id="party:x", type="person", name=text, roles=(text,)))
    photo = world.asset("picture", text, path=text, creator="party:x", source=text, facts={text: text})
    world.change(world.render, used=[world.plate, photo], tool=text, prompt=text, agent="party:x")
    world.grant(
        photo, given_by="party:x", licence=text, url=text, uses=[text], terms={text: text},
        obligations=obligations(attribution=text, notice=text),
    )  # fmt: skip
    world.change(world.case().asset, name=text)
    world.decide("approval", world.cut, by="party:x", role=text, why=text)
    world.decide("review", about=text, by="party:x", why=text)
    world.decide("waiver", about="NFX-6", by="party:x", role=text, why=text)
    world.declare(disclosure=text, human_authorship=text)
    world.copy_audit("fail", words=text)
    return world


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip() != ""))
def test_nothing_from_outside_breaks_the_page(text: str) -> None:
    plain = report_page(report_of(hostile("plain")), Pictures(strip()))
    seen = harmless(report_page(report_of(hostile(text)), Pictures(strip())))
    assert built(seen) == built(_Parsed(plain))


def built(seen: _Parsed) -> list[str]:
    """A page's elements, without the code that a pair of backticks in a remedy becomes."""
    return [one for one in seen.elements if one != "code"]


def test_markup_from_outside_is_shown_as_text() -> None:
    page = report_page(report_of(hostile(HOSTILE)), Pictures(strip()))
    seen = harmless(page)
    assert seen.text.count("<script>alert(1)</script>") > 10
    assert len(seen.elements) == len(
        _Parsed(report_page(report_of(hostile("plain")), Pictures(strip()))).elements
    )


def test_the_page_is_the_same_again() -> None:
    pages = {report_page(report_of(World()), Pictures(strip())) for _ in range(2)}
    assert len(pages) == 1


def test_links_lead_somewhere(tmp_path: Path) -> None:
    world = World()
    world.model(trained=True)
    report = on_ledger(world, tmp_path)
    seen = _Parsed(report_page(report))
    places = {value for name, value in seen.attributes if name == "id"}
    assert {value[1:] for name, value in seen.attributes if name == "href"} <= places


def on_ledger(world: World, folder: Path) -> Report:
    with Ledger.open(folder / "ledger.db") as ledger:
        ledger.append(world.records, at=AT)
        ledger.append(world.clearance().findings, at=AT)
        state = State.of(ledger.events())
        seen = LedgerSeen("ledger.db", ledger.size, ledger.root().hex())
    case = world.case()
    case = type(case)(state, world.production, world.cut, AT)
    return clearance_report(case, world.clearance(), frames=FRAMES, ledger=seen)


def test_numbers_of_events_are_drawn_together() -> None:
    events = {"a": 3, "b": 4, "c": 5, "d": 7, "e": 9, "f": 10}
    words = re.sub(r"<[^>]+>", "", numbered([*"facdbe", "sha256:" + "0" * 64], events))
    assert words == "3–5, 7, 9–10, sha256:000000000000"
    assert numbered([], events) == ""


def test_every_record_named_is_an_event_of_the_ledger(tmp_path: Path) -> None:
    world = World()
    world.model(trained=True)
    world.approve()
    report = on_ledger(world, tmp_path)
    known = {one.id: one.event for one in report.records}
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        events = ledger.events()
    for one in report.records:
        assert one.event is not None, one
        assert events[one.event].id == one.id
    for rule in report.rules:
        assert set(rule.evidence) <= known.keys()
        assert rule.finding in known


def test_a_rule_that_was_written_from_memory_says_so_where_it_stands() -> None:
    report = report_of(World())
    # None of the rules is one now: the first is taken for one.
    first = replace(report.rules[0], grade="R")
    page = " ".join(_Parsed(report_page(replace(report, rules=(first, *report.rules[1:])))).text.split())
    assert f"{first.source} R from memory, to be checked" in page
    assert page.count("R from memory, to be checked") == 1


def test_the_json_is_the_report_and_is_documented() -> None:
    world = World()
    world.model(trained=True)
    world.approve()
    report = report_of(world)
    values = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert values["schema"] == SCHEMA
    assert TypeAdapter(Report).validate_python(values) == report
    document = DOCUMENT.read_text(encoding="utf-8")
    assert SCHEMA in document
    described = set(re.findall(r"^\| `([a-z_]+)`", document, re.MULTILINE))
    assert described == set(values)


def test_many_assets_stay_one_page() -> None:
    world = World()
    world.grant(world.plate, obligations=obligations(non_commercial=True), licence="CC-BY-NC-4.0")
    parts = [world.asset("texture", f"texture{number}.jpg") for number in range(500)]
    world.owned(*parts)
    world.change(world.render, used=[world.plate, *parts])
    page = report_page(report_of(world))
    assert len(page) < 400_000
    assert "more are in clearance.json" in page


# ---- writing ---------------------------------------------------------------------------------------------


def test_the_reports_of_a_shot(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    said: list[str] = []
    files = write_reports(desk_of(path), at=AT, say=said.append)
    out = tmp_path / "out" / "tiny"
    assert {one.name for one in files} == {PAGE, VALUES} | ({PAPER} if not said else set())
    values = json.loads((out / VALUES).read_text())
    assert values["verdict"] == "blocked"
    assert [one["pending"] for one in values["missing"]].count(False) == 1
    page = (out / PAGE).read_text()
    seen = harmless(page)
    assert seen.elements.count("img") == 4
    assert "AI 0%" in seen.text
    assert str(tmp_path) not in page
    with desk_of(path).open_ledger() as ledger:
        assert values["ledger"]["root"] == ledger.root().hex()
        assert values["ledger"]["size"] == ledger.size
        assert ledger.verify() == []
    approve_shot(desk_of(path), by="ada", role="VFX supervisor", why="seen", at=AT)
    elsewhere = tmp_path / "elsewhere"
    write_reports(desk_of(path), at=AT, out=elsewhere)
    assert json.loads((elsewhere / VALUES).read_text())["verdict"] == "ready"


def test_the_report_shows_what_an_audited_shot_came_nearest_to(tmp_path: Path) -> None:
    (tmp_path / "protected").mkdir()
    painting = tmp_path / "protected" / "painting.png"
    write_png(painting, bench.drawn(13, 480, 320))
    path = shot_in(tmp_path, PRODUCTION + '\n[protected]\nfolder = "protected"\n')
    audit_shot(desk_of(path), at=AT)
    files = {one.name: one for one in write_reports(desk_of(path), at=AT)}
    values = json.loads(files[VALUES].read_text())
    (one,) = values["nearest"]
    assert (one["sample"], one["group"]) == ("painting.png", "protected")
    assert one["distance"] > 80
    assert one["points"] < 20
    assert harmless(files[PAGE].read_text()).elements.count("img") == 4 + 2
    if PAPER in files:
        # The frame stands in the strip too, and the PDF holds the same picture once.
        assert files[PAPER].read_bytes().count(b"/Subtype /Image") == 4 + 1
    painting.unlink()
    write_reports(desk_of(path), at=AT)
    page = unescape(files[PAGE].read_text())
    assert page.count("<img") == 4
    assert "the sample's file is not at hand" in page


def test_a_preview_is_reported_as_one(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    out = tmp_path / "out" / "tiny"
    record_make(desk_of(path), out, preview=True, at=AT, seconds=1.0)
    write_reports(desk_of(path), at=AT)
    assert json.loads((out / VALUES).read_text())["verdict"] == "preview"


def test_changed_frames_get_no_report(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    frame = tmp_path / "out" / "tiny" / "exr" / "tiny.1002.exr"
    frame.write_bytes(frame.read_bytes() + b"x")
    with pytest.raises(FalseworkError, match="is not what was made"):
        write_reports(desk_of(path), at=AT)


def test_without_weasyprint_the_rest_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shot_in(tmp_path)
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.delitem(sys.modules, "falsework.rights.report_pdf", raising=False)
    said: list[str] = []
    files = write_reports(desk_of(path), at=AT, say=said.append)
    assert [one.name for one in files] == [PAGE, VALUES]
    assert "pip install 'falsework[rights]'" in said[0]


def _needs_weasyprint() -> None:
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:  # the package, or the libraries it draws with
        pytest.skip(f"WeasyPrint cannot be used here: {error}")


def test_the_pdf_is_the_page_and_the_same_again() -> None:
    _needs_weasyprint()
    from falsework.rights.report_pdf import report_pdf

    world = cleared()
    page = report_page(report_of(world), Pictures(strip()))
    first = report_pdf(page)
    assert first.startswith(b"%PDF-")
    assert report_pdf(page) == first


def test_the_pdf_fetches_nothing(tmp_path: Path) -> None:
    _needs_weasyprint()
    import weasyprint

    from falsework.rights.report_pdf import report_pdf

    asked: list[str] = []

    class Counting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(encode_png(np.zeros((4, 4, 3), np.uint8)))

        def log_message(self, format: str, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    local = tmp_path / "local.png"
    local.write_bytes(encode_png(np.full((64, 64, 3), 200, np.uint8)))
    bare = report_pdf("<p>shown</p>")
    page = (
        f'<link rel="stylesheet" href="{url}/a.css"><style>p {{ background: url({url}/b.png) }}</style>'
        f'<p>shown<img src="{url}/c.png"><img src="{local.as_uri()}"></p>'
    )
    told = report_pdf(page)
    # The server is there to be asked: without our guard the same page makes the renderer ask.
    weasyprint.HTML(string=page).write_pdf()
    server.shutdown()
    unguarded, asked[:] = list(asked), []
    assert set(unguarded) == {"/a.css", "/b.png", "/c.png"}
    assert len(unguarded) == 3
    assert b"/Image" not in told
    assert abs(len(told) - len(bare)) < 400


def test_no_name_turns_the_page_around() -> None:
    world = cleared()
    page = report_page(replace(report_of(world), shot="a\u202egnp\x00\x1b[2J"))
    assert not set(page) & set("\u202e\x00\x1b")
    assert "a\ufffdgnp" in page


def test_reports_are_dated_by_the_one_who_asks() -> None:
    world = World()
    at = datetime(2027, 1, 5, 8, tzinfo=UTC)
    report = clearance_report(world.case(at=at), world.clearance(at=at), frames=FRAMES, ledger=SEEN)
    assert report.written == at.isoformat()


def test_a_delivered_cut_says_so(tmp_path: Path) -> None:
    path = shot_in(tmp_path)
    approve_shot(desk_of(path), by="ada", role="VFX supervisor", why="seen", at=AT)
    deliver(desk_of(path), at=AT, by="ada")
    write_reports(desk_of(path), at=AT)
    values = json.loads((tmp_path / "out" / "tiny" / VALUES).read_text())
    assert (values["verdict"], values["missing"]) == ("delivered", [])
    (delivery,) = values["deliveries"]
    assert delivery["by"] == "Ada Example"
    assert values["ledger"]["anchors"] == 2  # of the approval, of the delivery
    page = _Parsed((tmp_path / "out" / "tiny" / PAGE).read_text()).text
    assert "It was delivered on 2026-11-22." in page
    assert "test chain" in page


def test_the_command_on_the_page_checks_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shot_in(tmp_path)
    write_reports(desk_of(path), at=AT)
    out = tmp_path / "out" / "tiny"
    root = json.loads((out / VALUES).read_text())["ledger"]["root"]
    commands = re.findall(r"<pre>falsework (.*?)</pre>", (out / PAGE).read_text())
    approve_shot(desk_of(path), by="ada", role="VFX supervisor", why="seen", at=AT)  # it has grown since
    monkeypatch.chdir(tmp_path)
    assert len(commands) == 2
    for command in commands:
        assert main(shlex.split(unescape(command))) == 0
    assert root in capsys.readouterr().out


def test_the_command_writes_the_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shot_in(tmp_path)
    assert main(["rights", "report", str(path), "--out", str(tmp_path / "reports")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert {Path(line).name for line in said} >= {PAGE, VALUES}
    assert all(Path(line).is_file() for line in said)


def test_what_a_licence_does_not_clear_is_said() -> None:
    world = cleared()
    said = " ".join(report_of(world).not_established)
    assert "neither architecture (French freedom of panorama" in said
    assert "identities are not proved" in said
    assert "training opt-out" not in said
    grant = world.state().grants_for(world.plate)[0]
    world.change(grant, licence="CC-BY-SA-4.0")
    assert "further restriction" in " ".join(report_of(world).not_established)
