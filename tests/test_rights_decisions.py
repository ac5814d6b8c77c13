"""What a decision is bound to: terms, production, what was said of a rule, a last day; and taking it back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from falsework.errors import FalseworkError
from falsework.rights.gate import approve, reject, waive, withdraw
from falsework.rights.records import Activity, Party
from rights_cases import AT, MARA, World

DAY = date(2027, 3, 31)
PERSON = {"by": MARA, "role": "producer", "why": "agreed"}


def waived(world: World, at: datetime = AT) -> list[str]:
    return [one.finding.rule for one in world.clearance(at=at).waived]


def pictures(count: int) -> World:
    """A cut with so many pictures that were granted for another country only."""
    world = World()
    found = [world.asset("picture", f"p{number}") for number in range(count)]
    world.render = world.change(world.render, used=[world.plate, *found])
    world.grants = [world.grant(one, uses=["use"], basis="contract", territory=["US"]) for one in found]  # type: ignore[attr-defined]
    return world


# Approvals


@pytest.mark.parametrize(
    "changed",
    [
        {"packs": []},
        {"guilds": []},
        {"territories": ["JP"]},
        {"commercial": False},
        {"releases": ["2027-05-01"]},
        {"until": "2027-05-01"},
        {"licence": "CC-BY-4.0"},
    ],
)
def test_an_approval_holds_for_the_terms_it_was_given_under(changed: dict[str, object]) -> None:
    world = World()
    world.records += approve(world.case(), **PERSON)
    assert world.outcome("GATE-1") == "pass"
    other = World(**changed)
    other.records = world.records
    found = other.judge("GATE-1")
    assert found.outcome == "unknown"
    assert f"{next(iter(changed))} from " in found.words
    assert "Approve it again" in found.remedy
    other.records = [*world.records, *approve(other.case(), **PERSON)]
    assert other.outcome("GATE-1") == "pass"


def test_an_approval_is_of_frames_shown_at_that_rate() -> None:
    from dataclasses import replace

    world = World()
    case = replace(world.case(), display={"fps": "24"})
    world.records += approve(case, **PERSON)
    assert replace(world.case(), display={"fps": "24"}).approvals
    again = replace(world.case(), display={"fps": "12"})
    assert not again.approvals
    assert "fps from 24 to 12" in again.since(again.outdated[0])


def test_what_one_production_decided_clears_nothing_in_another() -> None:
    trailer, film = World(name="trailer", packs=[], guilds=[]), World(packs=[], guilds=[])
    film.records += approve(trailer.case(), **PERSON)
    assert film.outcome("GATE-1") == "unknown"
    film.records += reject(trailer.case(), **PERSON)
    assert film.outcome("GATE-1") == "fail"  # who holds a cut up holds it up for all


def test_what_one_productions_file_says_was_made_of_what_is_not_so_in_another() -> None:
    world = World()
    drawn, sketch = world.asset("texture", "granted"), world.asset("picture", "sketch")
    world.owned(drawn)
    world.step("paint", [sketch], [world.plate], tool="Krita", agent=MARA)
    assert world.outcome("GATE-3") == "unknown"
    said = {"type": "paint", "used": (drawn,), "generated": (sketch,), "agent": MARA, "tool": "Krita"}
    world.add(Activity(id="activity:other:0123456789abcdef", **said))
    assert world.outcome("GATE-3") == "unknown"
    world.add(Activity(id="activity:film:0123456789abcdef", **said, parameters={"models": []}))
    assert world.outcome("GATE-3") == "pass"


# Waivers


def test_a_waiver_covers_the_sixth_picture_as_it_was_said() -> None:
    world = pictures(6)
    world.records += waive(world.case(), "GATE-3", **PERSON)
    assert waived(world) == ["GATE-3"]
    for grant in world.grants:  # type: ignore[attr-defined]
        world.change(grant, revoked=AT - timedelta(days=20), revoked_why="stolen")
        assert waived(world) == []
        world.change(grant)
        assert waived(world) == ["GATE-3"]


def test_a_waiver_everywhere_of_what_nobody_said_is_none_of_what_somebody_says() -> None:
    world = World()
    world.records += waive(world.case(), "NFX-8", **PERSON, everywhere=True, until=DAY)
    assert waived(world) == ["NFX-8"]
    world.declare(displaces_union_work=True)
    assert world.outcome("NFX-8") == "fail"
    assert waived(world) == []


def test_a_waiver_everywhere_for_one_performer_is_none_for_another() -> None:
    world = World()
    world.replica(scanned=False)
    world.declare(strike=False)
    world.records += waive(world.case(), "SAG-1", **PERSON, everywhere=True, until=DAY)
    assert "SAG-1" in waived(world)
    other = world.asset("replica", "scan of somebody else")
    world.declare(other, scanned=False)
    world.render = world.change(world.render, used=[*world.render.used, other])
    assert "SAG-1" not in waived(world)


def test_a_waiver_everywhere_for_one_model_is_none_for_another() -> None:
    world = World()
    model = world.model(offline=True)
    world.records += waive(world.case(), "NFX-5", **PERSON, everywhere=True, until=DAY)
    # A model of which all is known stands in nobody's way.
    known = world.asset("model", "ours")
    sample = world.asset("sample", "sample.jpg")
    world.owned(sample)
    world.step("training", [sample], [known])
    world.render = world.change(world.render, used=[world.plate, model, known], models=[model, known])
    assert "NFX-5" in waived(world)
    other = world.asset("model", "scraped weights")
    world.render = world.change(world.render, used=[*world.render.used, other], models=[model, known, other])
    assert "NFX-5" not in waived(world)


def test_a_waiver_everywhere_for_one_likeness_is_none_for_another() -> None:
    world = World()
    world.model()
    audit = world.copy_audit("fail", 'frame "a.1001.exr" holds a copy of "poster.jpg" (distance 12)')
    world.records += waive(world.case(), "NFX-2", **PERSON, everywhere=True, until=DAY)
    assert "NFX-2" in waived(world)
    later = world.change(audit, words='frame "b.1100.exr" holds a copy of "painting.jpg" (distance 2)')
    assert "NFX-2" not in waived(world)
    world.change(later, words=audit.words, evidence=[world.plate])
    assert "NFX-2" not in waived(world)


def test_a_waiver_everywhere_for_one_tool_or_name_is_none_for_another() -> None:
    world = World()
    world.declare(key_visual=False)
    model = world.model(offline=False)
    step = world.change(world.render, prompt="a street in the style of Monet")
    for rule in ("NFX-3", "NFX-6"):
        world.records += waive(world.case(), rule, **PERSON, everywhere=True, until=DAY)
    assert {"NFX-3", "NFX-6"} <= set(waived(world))
    world.change(step, prompt="a street in the style of Hopper", models=[model])
    assert "NFX-6" not in waived(world)
    world.change(step, tool="Another cloud")
    assert "NFX-3" not in waived(world)


def test_a_waiver_everywhere_ends() -> None:
    world = World()
    with pytest.raises(FalseworkError, match="has a last day") as refused:
        waive(world.case(), "NFX-8", **PERSON, everywhere=True)
    assert "--until" in refused.value.todo
    with pytest.raises(FalseworkError, match="is over"):
        waive(world.case(), "NFX-8", **PERSON, everywhere=True, until=date(2026, 11, 21))
    world.records += waive(world.case(), "NFX-8", **PERSON, everywhere=True, until=DAY)
    assert waived(world, datetime(2027, 3, 31, 23, tzinfo=UTC)) == ["NFX-8"]
    assert waived(world, datetime(2027, 4, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize("everywhere", [False, True])
def test_anybody_takes_a_waiver_back(everywhere: bool) -> None:
    world = World()
    world.add(Party(id="party:noa", type="person", name="Noa"))
    until = DAY if everywhere else None
    world.records += waive(world.case(), "NFX-8", **PERSON, everywhere=everywhere, until=until)
    with pytest.raises(FalseworkError, match="is not waived") as refused:
        withdraw(world.case(), "NFX-8", **PERSON, everywhere=not everywhere)
    assert "--everywhere" in refused.value.todo
    taken = {"by": "Noa", "role": "lawyer", "why": "the letter never came"}
    world.records += withdraw(world.case(), "NFX-8", **taken, everywhere=everywhere)
    assert waived(world) == []
    assert world.records[-1].by == "party:noa"
    assert world.outcome("NFX-8") == "unknown"
    with pytest.raises(FalseworkError, match="Waived here: nothing"):
        withdraw(world.case(), "NFX-8", **taken, everywhere=everywhere)
    world.records += waive(world.case(), "NFX-8", **PERSON, everywhere=everywhere, until=until)
    assert waived(world) == ["NFX-8"]


@pytest.mark.parametrize("word", ["by", "role", "why"])
@pytest.mark.parametrize(("text", "said"), [("x" * 501, "501 characters"), ("a\udcff", "no text in UTF-8")])
def test_what_people_type_is_refused_in_a_sentence(word: str, text: str, said: str) -> None:
    with pytest.raises(FalseworkError, match=said):
        approve(World().case(), **{**PERSON, word: text})


# What the report says of who decided


def test_the_report_says_who_is_a_stranger_and_who_decided_everything() -> None:
    from falsework.rights.report_lines import decision_lines

    world = World()
    world.declare(key_visual=True)
    world.records += approve(world.case(), **PERSON)
    world.records += approve(world.case(), by="N. Obody", role="Head of Legal", why="fine")
    lines = {one.by: one.note for one in decision_lines(world.case(), world.clearance())}
    assert "not among the parties of production.toml; the name is as typed" in lines["N. Obody"]
    assert "the same person also declared facts" in lines["Mara Example"]
    other = World(packs=[])
    other.records = world.records
    voids = {one.by: one.void for one in decision_lines(other.case(), other.clearance())}
    assert "packs from " in voids["Mara Example"]
