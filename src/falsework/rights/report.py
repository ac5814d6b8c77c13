"""The clearance report's content: what a producer, a lawyer and a union representative may ask of a cut.

Plain values only, gathered from the case and the gate's verdict; `report_page` shows them, `Report.to_json`
hands them to other programs (docs/clearance_report.md). Nothing here is decided: what the gate did not say,
and what no record says, stands under `not_established`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from falsework.rights.case import Case
from falsework.rights.gate import Blocker, Clearance
from falsework.rights.records import Decision, Outcome
from falsework.rights.report_lines import (
    DecisionLine,
    Declared,
    GrantLine,
    Labour,
    ModelLine,
    Person,
    decision_lines,
    declared_facts,
    grant_lines,
    labour,
    model_lines,
    party_name,
    people,
)
from falsework.rights.report_origin import (
    AiPixels,
    Ingredient,
    Match,
    Nearest,
    Step,
    ai_pixels,
    compared,
    copy_audit,
    ingredients,
    matches,
    nearest,
    steps,
)
from falsework.rights.report_words import not_established, questions, spoken

__all__ = [
    "SCHEMA",
    "Delivery",
    "LedgerSeen",
    "Missing",
    "Question",
    "Reference",
    "Report",
    "RuleLine",
    "clearance_report",
]

SCHEMA = "falsework clearance report 1"

Verdict = Literal["preview", "blocked", "ready", "delivered"]


@dataclass(frozen=True)
class LedgerSeen:
    """The ledger when the report was written.

    where     as a command names it from the production's folder; root in hexadecimal
    anchors   how many lie beside it
    stamped   how many of them the production's time-stamp authority sealed, as its certificate proves
    unchecked how many more bear a token of an authority that nobody here can check
    sealed    what the latest seal that holds says, as a sentence without its stop; "" for none
    faults    a sentence for each token or anchor that does not hold
    corrections  a sentence for each time that a clock which had been ahead was set right
    """

    where: str
    size: int
    root: str
    anchors: int = 0
    stamped: int = 0
    unchecked: int = 0
    sealed: str = ""
    faults: tuple[str, ...] = ()
    corrections: tuple[str, ...] = ()


@dataclass(frozen=True)
class Missing:
    """What stands in the way, and what would satisfy it; `pending` where delivering itself supplies it."""

    words: str
    remedy: str
    rules: tuple[str, ...]
    pending: bool


@dataclass(frozen=True)
class RuleLine:
    """A rule and what it says here. `waived` is the id of the decision that lets it pass, "" for none."""

    rule: str
    pack: str
    readers: tuple[str, ...]
    outcome: Outcome
    waived: str
    effect: str
    text: str
    words: str
    remedy: str
    source: str
    grade: str
    in_force: str
    finding: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Delivery:
    id: str
    at: str
    by: str
    files: int


@dataclass(frozen=True)
class Question:
    """One question of one reader and its answer in a sentence."""

    reader: str
    question: str
    answer: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A record that the report names. `event` is its number in the ledger, None without a ledger."""

    id: str
    kind: str
    words: str
    event: int | None
    time: str


@dataclass(frozen=True)
class Report:
    """The whole of it; docs/clearance_report.md explains every key of its JSON."""

    schema: str
    verdict: Verdict
    verdict_words: str
    subject: str
    shot: str
    production: str
    title: str
    written: str
    territories: tuple[str, ...]
    releases: tuple[str, ...]
    until: str
    commercial: bool
    packs: tuple[str, ...]
    insurable: bool | None
    missing: tuple[Missing, ...]
    frames: dict[str, str]
    ai_pixels: AiPixels
    questions: tuple[Question, ...]
    rules: tuple[RuleLine, ...]
    ingredients: tuple[Ingredient, ...]
    steps: tuple[Step, ...]
    models: tuple[ModelLine, ...]
    audit: str
    audit_outcome: Outcome | Literal[""]
    compared: int | None
    matches: tuple[Match, ...]
    nearest: tuple[Nearest, ...]
    people: tuple[Person, ...]
    labour: Labour
    grants: tuple[GrantLine, ...]
    credits: tuple[str, ...]
    notices: tuple[str, ...]
    licence: str
    non_commercial: bool
    no_derivatives: bool
    reach: tuple[str, ...]
    ends: str
    conflicts: tuple[str, ...]
    decisions: tuple[DecisionLine, ...]
    declared: tuple[Declared, ...]
    deliveries: tuple[Delivery, ...]
    not_established: tuple[str, ...]
    ledger: LedgerSeen
    records: tuple[Reference, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def clearance_report(
    case: Case,
    verdict: Clearance,
    *,
    frames: Mapping[str, str],
    ledger: LedgerSeen,
    test_certificate: bool | None = None,
) -> Report:
    """The report on a cut (or a take, which says so and never clears).

    frames             SHA-256 of each frame by name
    test_certificate   whether a delivery is or would be signed with a chain for trying out; None: unknown
    """
    asked = verdict.obligations
    audit = copy_audit(case)
    content = _Content(case, verdict)
    state = content.verdict_word()
    report = Report(
        schema=SCHEMA,
        verdict=state,
        verdict_words=content.verdict_words(state),
        subject=case.subject,
        shot=case.shot,
        production=case.production.name,
        title=case.production.title,
        written=case.at.isoformat(),
        territories=case.production.territories,
        releases=tuple(day.isoformat() for day in case.production.releases),
        until=case.production.until.isoformat() if case.production.until else "",
        commercial=case.production.commercial,
        packs=tuple(sorted(case.production.rule_packs)),
        insurable=verdict.insurable,
        missing=(*_missing(verdict.blockers, False), *_missing(verdict.pending, True)),
        frames=dict(frames),
        ai_pixels=ai_pixels(case, frames),
        rules=content.rules(),
        ingredients=ingredients(case),
        steps=steps(case),
        models=model_lines(case),
        audit=audit.words if audit else "",
        audit_outcome=audit.outcome if audit else "",
        compared=compared(case),
        matches=tuple(matches(case)),
        nearest=tuple(nearest(case)),
        people=people(case),
        labour=labour(case),
        grants=grant_lines(case),
        credits=verdict.credits,
        notices=asked.notices,
        licence=asked.licence or case.production.licence,
        non_commercial=asked.non_commercial,
        no_derivatives=asked.no_derivatives,
        reach=asked.territories,
        ends=asked.ends.isoformat() if asked.ends else "",
        conflicts=tuple(dict.fromkeys(one.reason for one in asked.conflicts)),
        decisions=decision_lines(case, verdict),
        declared=tuple(declared_facts(case)),
        deliveries=content.deliveries,
        ledger=ledger,
        questions=(),
        not_established=(),
        records=(),
    )
    report = replace(report, questions=tuple(Question(*one) for one in questions(case, report)))
    report = replace(report, not_established=tuple(not_established(case, report, test_certificate)))
    return replace(report, records=tuple(_references(case, report)))


@dataclass(frozen=True)
class _Content:
    """What is read from the case and the verdict together."""

    case: Case
    verdict: Clearance

    def verdict_word(self) -> Verdict:
        if self.case.asset.type != "cut":
            return "preview"
        if self.verdict.blockers:
            return "blocked"
        return "ready" if self.verdict.pending else "delivered"

    def verdict_words(self, state: Verdict) -> str:
        count = len(self.verdict.blockers)
        things = "one thing is missing" if count == 1 else f"{count} things are missing"
        gone = f" It was delivered on {self.deliveries[-1].at[:10]}." if self.deliveries else ""
        match state:
            case "preview":
                return (
                    "This is a preview, recorded as a take. It is never delivered, whatever the rules say; a "
                    "full run makes the cut that can be." + (f" For a cut, {things}." if count else "")
                )
            case "blocked":
                return f"It may not be delivered: {things}.{gone}"
            case "ready":
                return (
                    f"Nothing is missing{self._let_pass()}. Delivering it signs and marks the files, reads "
                    "both back, and asks every rule again."
                )
            case "delivered":
                return f"Every rule that applies is met{self._let_pass()}.{gone}"

    def _let_pass(self) -> str:
        """Which rules are waived, and by whom: a waiver is not to be taken for a rule that is met."""
        said: dict[str, list[str]] = {}
        for one in self.verdict.waived:
            if one.finding.details["effect"] != "label":
                said.setdefault(party_name(self.case, one.decision.by), []).append(one.finding.rule)
        waivers = "; ".join(f"{spoken(rules)}, waived by {name}" for name, rules in said.items())
        return f", but for {waivers}" if waivers else ""

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Deliveries of this cut on record, in the order of the ledger."""
        state = self.case.state
        found: list[tuple[int, Delivery]] = []
        for one in state.descendants(self.case.subject):
            asset = state.assets.get(one)
            if asset is not None and asset.type == "delivery" and asset.facts.get("left") is not False:
                step = next(iter(state.made_by(one)), None)
                by = party_name(self.case, step.agent) if step is not None else ""
                at = step.ended.isoformat() if step is not None and step.ended else ""
                entry = state.entries.get(("asset", one))
                place = entry.sequence if entry is not None else 0
                found.append((place, Delivery(one, at, by, len(asset.parts))))
        return tuple(delivery for _, delivery in sorted(found, key=lambda each: each[0]))

    def rules(self) -> tuple[RuleLine, ...]:
        waived = {one.finding.id: one.decision.id for one in self.verdict.waived}
        lines = []
        for one in self.verdict.findings:
            told = one.details
            readers = told["readers"]
            lines.append(
                RuleLine(
                    rule=one.rule,
                    pack=one.pack,
                    readers=tuple(str(each) for each in readers) if isinstance(readers, list) else (),
                    outcome=one.outcome,
                    waived=waived.get(one.id, ""),
                    effect=str(told["effect"]),
                    text=str(told["text"]),
                    words=one.words,
                    remedy=one.remedy,
                    source=one.source,
                    grade=str(told["grade"]),
                    in_force=str(told["in_force"] or ""),
                    finding=one.id,
                    evidence=one.evidence,
                )
            )
        return tuple(lines)


def _missing(these: Iterable[Blocker], pending: bool) -> tuple[Missing, ...]:
    return tuple(Missing(one.words, one.remedy, one.rules, pending) for one in these)


class _Named(Protocol):
    @property
    def id(self) -> str: ...


def _references(case: Case, report: Report) -> Iterator[Reference]:
    """Every record that the report rests on, by its number in the ledger, what has none last."""
    named: dict[str, None] = {case.subject: None}
    rests = [one.evidence for one in report.rules]
    rests += [one.evidence for one in report.questions]
    rests += [one.evidence for one in report.declared]
    rests += [report.ai_pixels.evidence, report.labour.evidence]
    for each in rests:
        named.update(dict.fromkeys(each))
    findings = (*(one.finding for one in report.rules), *(one.finding for one in report.matches))
    lines: tuple[_Named, ...] = (
        *report.ingredients, *report.steps, *report.models, *report.grants, *report.decisions,
        *report.people, *report.deliveries,
    )  # fmt: skip
    named.update(dict.fromkeys((*findings, *(one.id for one in lines))))
    found = [_reference(case, one) for one in named]
    yield from sorted(found, key=lambda one: (one.event is None, one.event or 0, one.id))


def _reference(case: Case, identity: str) -> Reference:
    state = case.state
    kind, words = "", ""
    if identity in state.assets:
        asset = state.assets[identity]
        kind, words = "asset", f"{asset.type} {asset.name}"
    elif identity in state.activities:
        step = state.activities[identity]
        kind, words = "activity", f"{step.type}, {step.tool} {step.version}".strip()
    elif identity in state.grants:
        grant = state.grants[identity]
        what = f"terms of {grant.terms['tool']}" if "tool" in grant.terms else grant.licence or grant.type
        kind, words = "grant", f"{what}, given by {party_name(case, grant.given_by)}"
    elif identity in state.findings:
        finding = state.findings[identity]
        kind, words = "finding", f"{finding.rule}: {finding.outcome}"
    elif identity in state.decisions:
        decision = state.decisions[identity]
        kind, words = "decision", _decision_words(case, decision)
    elif identity in state.parties:
        kind, words = "party", state.parties[identity].name
    else:
        return Reference(identity, "", "not on record by itself", None, "")
    entry = state.entries.get((kind, identity))
    if entry is None:
        return Reference(identity, kind, words, None, "")
    return Reference(identity, kind, words, entry.sequence, _instant(entry.time))


def _decision_words(case: Case, decision: Decision) -> str:
    about = f" on {decision.about}" if decision.about else ""
    return f"{decision.type}{about} by {party_name(case, decision.by)}"


def _instant(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
