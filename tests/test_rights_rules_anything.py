"""Whatever the records say, every rule answers, and every answer rests on records that there are."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from falsework.rights.facts import IngredientFacts, ShotFacts
from falsework.rights.gate import clearance
from falsework.rights.records import KINDS
from rights_cases import AT, MARA, World

VALUES = st.one_of(st.booleans(), st.sampled_from(["", "true", "a line", 0, 1, 48, 2.5]))
TERMS = ["specific", "payment", "business_reason", "notice_hours", "estate", "represented", "transfer"]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World(
        commercial=draw(st.booleans()),
        licence=draw(st.sampled_from(["", "proprietary", "CC-BY-SA-4.0"])),
        territories=draw(st.sampled_from([["worldwide"], ["FR", "US"], ["EU"]])),
        releases=draw(st.sampled_from([[], ["2027-05-01"], ["2020-01-01"]])),
        protected=draw(st.sampled_from([{}, {"folder": "protected", "names": ["Tower"]}])),
    )
    if draw(st.booleans()):
        world.model(trained=draw(st.booleans()), offline=draw(st.sampled_from([True, False, None])))
    if draw(st.booleans()):
        world.replica()
    if draw(st.booleans()):
        world.render = world.change(world.render, prompt=draw(st.sampled_from([" ", "the Tower falls"])))
    assets = [*world.state().assets, "sha256:" + "0" * 64]
    subjects = ["film", "film/corner", "another film", world.cut]
    people = [MARA, "party:owner", "party:nobody"]
    for _ in range(draw(st.integers(0, 4))):
        facts = draw(st.dictionaries(st.sampled_from(list(ShotFacts.model_fields)), VALUES, max_size=8))
        world.decide(
            draw(st.sampled_from(["declaration", "approval", "rejection", "waiver", "review"])),
            draw(st.sampled_from(subjects)),
            by=draw(st.sampled_from(people)),
            about=draw(st.sampled_from(["", "", "NFX-2", "NFX-8", "GATE-3", "SAG-2"])),
            facts=facts,
            withdrawn=draw(st.booleans()),
        )
    for _ in range(draw(st.integers(0, 3))):
        facts = draw(st.dictionaries(st.sampled_from(list(IngredientFacts.model_fields)), VALUES, max_size=5))
        world.declare(draw(st.sampled_from(assets)), **facts)
    for _ in range(draw(st.integers(0, 3))):
        world.grant(
            *draw(st.lists(st.sampled_from(assets), max_size=2, unique=True)),
            type=draw(st.sampled_from(["licence", "consent", "approval"])),
            uses=draw(st.lists(st.sampled_from(["use", "adapt", "commercial", "train", "replica"]))),
            licence=draw(st.sampled_from(["", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC0-1.0", "nonsense"])),
            terms=draw(st.dictionaries(st.sampled_from([*TERMS, "tool"]), VALUES)),
            revoked=draw(st.sampled_from([None, AT])),
        )
    if draw(st.booleans()):
        world.copy_audit(draw(st.sampled_from(["pass", "fail", "unknown", "not applicable"])))
    return world


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.sampled_from([None, True, False]))
def test_every_answer_rests_on_records(world: World, marked: bool | None) -> None:
    case = world.case(marked=marked)
    judged = clearance(case)
    again = clearance(world.case(marked=marked))
    assert judged.to_json() == again.to_json()
    state: Any = case.state
    known = {key for kind in KINDS for key in _all(state, kind)} | {"sha256:" + "0" * 64}
    for finding in judged.findings:
        assert set(finding.evidence) <= known, finding
        if finding.outcome in ("pass", "not applicable"):
            assert finding.evidence, finding
        else:
            assert finding.remedy, finding
    waived = {one.finding.id for one in judged.waived}
    open_ = {one.id for one in judged.findings if one.outcome in ("fail", "unknown")} - waived
    blocking = {one for each in (*judged.blockers, *judged.pending) for one in each.findings}
    assert open_ == blocking | {one.id for one in judged.warnings}
    assert all(one.details["effect"] != "blocks" for one in judged.warnings)
    assert judged.clear == (not blocking)
    if judged.clear:
        assert judged.approvals


def _all(state: Any, kind: str) -> Any:
    names = {"party": "parties", "activity": "activities"}
    return getattr(state, names.get(kind, f"{kind}s"))
