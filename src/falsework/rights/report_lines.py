"""Lines of the clearance report that are records told for people: models, grants, decisions, persons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from falsework.rights.case import Case, counts
from falsework.rights.facts import ShotFacts
from falsework.rights.gate import Clearance
from falsework.rights.grants import lapse
from falsework.rights.records import Decision, Fact, Grant
from falsework.rights.state import Entry

__all__ = [
    "DecisionLine",
    "Declared",
    "GrantLine",
    "Labour",
    "ModelLine",
    "Person",
    "decision_lines",
    "declared_facts",
    "grant_lines",
    "labour",
    "model_lines",
    "party_name",
    "people",
]


@dataclass(frozen=True)
class ModelLine:
    """A trained model and the samples on record for it: granted for training, refused, without any grant.
    They are what came from outside; `sets` are the data sets that were made of it, with how much is in each.

    generative   None where nobody declared whether it makes pictures, sound or words
    trained      whether its training is on record at all
    """

    id: str
    name: str
    generative: bool | None
    touched: bool
    trained: bool
    samples: int
    granted: int
    refused: int
    unknown: int
    without: tuple[str, ...]
    sets: tuple[str, ...] = ()


@dataclass(frozen=True)
class GrantLine:
    """A grant for something in the line. `lapse` says why it does not hold, "" where it does."""

    id: str
    type: str
    given_by: str
    assets: tuple[str, ...]
    names: tuple[str, ...]
    uses: tuple[str, ...]
    territory: tuple[str, ...]
    starts: str
    ends: str
    licence: str
    url: str
    basis: str
    document: str
    terms: dict[str, Fact]
    revoked: str
    lapse: str


# What else somebody may have decided who approves a cut.
ALSO = {"declaration": "declared facts", "waiver": "waived a rule", "review": "reviewed"}


@dataclass(frozen=True)
class DecisionLine:
    """An approval, waiver, rejection or review. `void` says why it does not count, "" where it does; `note`
    what a reader should know of who decided."""

    id: str
    type: str
    by: str
    role: str
    about: str
    scope: str
    why: str
    at: str
    void: str
    note: str = ""


@dataclass(frozen=True)
class Person:
    """A named human. `hours` None where nobody recorded any; `did` what the ledger says they did."""

    id: str
    name: str
    roles: tuple[str, ...]
    unions: tuple[str, ...]
    hours: float | None
    did: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """A fact and who declares it; `value` None where nobody does, or (`disputed`) people disagree."""

    name: str
    value: Fact | None
    by: tuple[str, ...]
    disputed: bool
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Labour:
    """Whose work changed, as declared; `by` "" where nobody declared anything."""

    by: str
    assisted: tuple[str, ...]
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    evidence: tuple[str, ...]


def model_lines(case: Case) -> tuple[ModelLine, ...]:
    """The models that touched the cut and those they were made from, with their samples counted."""
    lines = []
    for model in case.all_models:
        granted = refused = 0
        without: list[str] = []
        samples = case.samples(model)
        for sample in samples:
            match case.covered(sample, ["train"]).outcome:
                case "pass":
                    granted += 1
                case "fail":
                    refused += 1
                case _:
                    without.append(sample)
        told = case.asset_fact(model, "generative")
        lines.append(
            ModelLine(
                id=model,
                name=case.name(model),
                generative=told.value if isinstance(told.value, bool) else None,
                touched=model in case.models,
                trained=bool(samples),
                samples=len(samples),
                granted=granted,
                refused=refused,
                unknown=len(without),
                without=tuple(without),
                sets=tuple(_sets(case, model)),
            )
        )
    return tuple(lines)


def _sets(case: Case, model: str) -> Iterator[str]:
    """The data sets made here that a model learned from."""
    for one in case.state.ancestors(model):
        asset = case.state.assets.get(one)
        if asset is not None and asset.type == "dataset" and case.made_here(one):
            count = asset.facts.get("samples")
            yield f"{asset.name}: {count:,} samples" if isinstance(count, int) else asset.name


def grant_lines(case: Case) -> tuple[GrantLine, ...]:
    """The grants for anything in the line, training samples and tools included, those that lapsed first."""
    assets = dict.fromkeys((*case.lineage.assets, *case.all_models))
    for model in case.all_models:
        assets.update(dict.fromkeys(case.samples(model)))
    found: dict[str, Grant] = {}
    for asset in assets:
        found.update({grant.id: grant for grant in case.state.grants_for(asset)})
    for step in case.activities:
        found.update({grant.id: grant for grant in case.tools(step)})
    lines = [_grant_line(case, grant, assets) for grant in found.values()]
    return tuple(sorted(lines, key=lambda one: one.lapse == ""))


def _grant_line(case: Case, grant: Grant, line: dict[str, None]) -> GrantLine:
    covered = tuple(one for one in grant.assets if one in line)
    return GrantLine(
        id=grant.id,
        type=grant.type,
        given_by=party_name(case, grant.given_by),
        assets=covered,
        names=tuple(case.name(one) for one in covered),
        uses=grant.uses,
        territory=grant.territory,
        starts=grant.starts.isoformat() if grant.starts else "",
        ends=grant.ends.isoformat() if grant.ends else "",
        licence=grant.licence,
        url=grant.url,
        basis=grant.basis,
        document=grant.document,
        terms=dict(grant.terms),
        revoked=grant.revoked.isoformat() if grant.revoked else "",
        lapse=lapse(grant, case.at, case.days),
    )


def decision_lines(case: Case, verdict: Clearance) -> tuple[DecisionLine, ...]:
    """What people decided on this cut, its shot and its production, and on earlier versions of the cut.

    Declarations of facts stand apart (`Report.declared`).
    """
    holding = {one.decision.id for one in verdict.waived}
    lines = []
    for one in sorted(_decisions(case), key=partial(_place, case)):
        entry = case.state.entries.get(("decision", one.id))
        lines.append(
            DecisionLine(
                id=one.id,
                type=one.type,
                by=party_name(case, one.by),
                role=one.role,
                about=one.about,
                scope=_scope(case, one),
                why=one.why,
                at=_decided_at(one, entry),
                void=_void(case, one, holding),
                note=_note(case, one),
            )
        )
    order = {"rejection": 0, "approval": 1, "waiver": 2, "review": 3}
    return tuple(sorted(lines, key=lambda one: (bool(one.void), order.get(one.type, 4))))


def _place(case: Case, decision: Decision) -> int:
    """Where in the ledger it was decided: dates are those of clocks, and one may have been ahead."""
    entry = case.state.entries.get(("decision", decision.id))
    return entry.sequence if entry is not None else 0


def _note(case: Case, decision: Decision) -> str:
    """Where nobody vouches for the person, or the same person has had more than one say about the cut."""
    notes = []
    if decision.by not in {one.id for one in case.production.parties}:
        notes.append("not among the parties of production.toml; the name is as typed")
    if decision.type == "approval" and not decision.about:
        own = {one.type for one in case.decisions if one.by == decision.by and one.type in ALSO}
        if own:
            notes.append(f"the same person also {' and '.join(ALSO[one] for one in ALSO if one in own)}")
    return "; ".join(notes)


def _decided_at(decision: Decision, entry: Entry | None) -> str:
    """When a person decided it, given anew or not; of what was taken back, when it was first decided."""
    if entry is None:
        return ""
    return (entry.first if decision.withdrawn else entry.time).isoformat(timespec="seconds")


def _decisions(case: Case) -> Iterator[Decision]:
    state = case.state
    for one in state.decisions.values():
        if one.type == "declaration":
            continue
        other = state.assets.get(one.subject)
        version = other is not None and other.name == case.shot and other.type == case.asset.type
        if version or one.subject in case.scopes or one.subject in _matters(case):
            yield one


def _matters(case: Case) -> frozenset[str]:
    return frozenset(one.id for one in case.state.findings_on(case.subject))


def _scope(case: Case, decision: Decision) -> str:
    if decision.subject == case.subject:
        return "these frames"
    if decision.subject == case.production.name:
        return "the production"
    if decision.subject in case.scopes:
        return "the shot"
    if decision.subject in case.state.findings:
        return case.state.findings[decision.subject].rule
    return f"other frames ({decision.subject.removeprefix('sha256:')[:12]})"


def _void(case: Case, decision: Decision, holding: set[str]) -> str:
    if decision.withdrawn:
        return "withdrawn"
    if misdate := case.misdate(decision):
        return misdate
    if not counts(case.state, decision):
        return "not by a person on record"
    elsewhere = decision.subject not in case.scopes and decision.subject not in case.state.findings
    if elsewhere and decision.type != "rejection":
        return "it was given for other pixels, so it does not hold for these"
    if elsewhere:
        return "it concerns other pixels"
    if decision in case.outdated:
        return f"it was given under other terms ({case.since(decision)})"
    if decision.type == "waiver" and decision.id not in holding:
        return "not needed, or what it was given for has changed"
    return ""


def people(case: Case) -> tuple[Person, ...]:
    """The persons of the production and whoever else had a hand in this cut or decided about it."""
    state = case.state
    did: dict[str, list[str]] = {}
    for step in case.activities:
        did.setdefault(step.agent, []).append(f"ran the step {step.type}")
    for one in state.decisions.values():
        if not counts(state, one):
            continue
        if one.subject == case.subject and one.type in ("approval", "rejection") and not one.about:
            words = "approved these frames" if one.type == "approval" else "rejected these frames"
            did.setdefault(one.by, []).append(words)
        elif one.subject in case.scopes and one.type in ("waiver", "review"):
            words = f"{'waived' if one.type == 'waiver' else 'reviewed'} {one.about}"
            did.setdefault(one.by, []).append(words)
        elif one.subject in case.scopes and one.type == "declaration" and one.about in ("", "labour"):
            words = "declared whose work it was" if one.about else "declared facts"
            did.setdefault(one.by, []).append(words)
    for asset in dict.fromkeys((*case.lineage.assets, *case.all_models)):
        for grant in state.grants_for(asset):
            did.setdefault(grant.given_by, []).append(f"gave the {grant.type} for {case.name(asset)}")
    hours = {one.id: one.hours for one in case.production.parties if one.hours is not None}
    named = dict.fromkeys((*(one.id for one in case.production.parties), *did))
    return tuple(
        Person(
            id=party.id,
            name=party.name,
            roles=party.roles,
            unions=tuple(party_name(case, one) for one in party.member_of),
            hours=hours.get(party.id),
            did=tuple(dict.fromkeys(did.get(party.id, ()))),
        )
        for one in named
        if (party := state.parties.get(one)) is not None and party.type == "person"
    )


def party_name(case: Case, identity: str) -> str:
    party = case.state.parties.get(identity)
    return party.name if party is not None else identity


def labour(case: Case) -> Labour:
    said = [one for one in case.decisions if one.type == "declaration" and one.about == "labour"]
    if not said:
        return Labour("", (), (), (), ())

    def roles(word: str) -> tuple[str, ...]:
        text = str(said[-1].facts.get(f"roles {word}", ""))
        return tuple(each.strip() for each in text.split(",") if each.strip())

    return Labour(
        party_name(case, said[-1].by), roles("assisted"), roles("added"), roles("replaced"), (said[-1].id,)
    )


def declared_facts(case: Case) -> Iterator[Declared]:
    for name in ShotFacts.model_fields:
        told = case.fact(name)
        by = dict.fromkeys(_said_by(case, told.evidence))
        yield Declared(name, told.value, tuple(by), told.disputed, told.evidence)


def _said_by(case: Case, decisions: Iterable[str]) -> Iterator[str]:
    for one in decisions:
        decision = case.state.decisions.get(one)
        if decision is not None:
            yield party_name(case, decision.by)
