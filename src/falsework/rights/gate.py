"""The gate: what stands between a cut and its delivery, and who let pass what."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from falsework.errors import FalseworkError
from falsework.faults import nearest
from falsework.rights.case import Case
from falsework.rights.obligations import ObligationSummary
from falsework.rights.production import Production, moment
from falsework.rights.records import Decision, Fact, Finding, Party, Record, record_id
from falsework.rights.rules.eu import SIGNING
from falsework.rights.rules.evaluate import evaluate, rule_named
from falsework.rights.rules.rule import said_by
from falsework.rights.state import State

__all__ = [
    "Blocker",
    "Clearance",
    "Waived",
    "approve",
    "clearance",
    "person_named",
    "reject",
    "review",
    "said",
    "waive",
    "withdraw",
]


LONGEST = 500  # characters of a name, a role or a reason
LARGER = (
    "Every delivery bears the mark: make it larger, with `size` under [plate] in the shot's file (left out: "
    "the plate's own size) or a larger plate, and run `falsework make` again."
)


@dataclass(frozen=True)
class Blocker:
    """One thing that is missing, whichever and however many rules miss it."""

    words: str
    remedy: str
    rules: tuple[str, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Waived:
    """A finding that would block, and the decision of a named person to deliver all the same."""

    finding: Finding
    decision: Decision


@dataclass(frozen=True)
class Clearance:
    """Whether a cut may be delivered, and why.

    findings    of every rule that counts here, passed ones too
    blockers    what is missing; none where the verdict is "clear"
    pending     what the delivery itself supplies: it signs, reads back, and asks again with `marked`
    warnings    findings that do not pass and do not block
    approvals   of exactly this cut under these terms; `voided` are those of other versions of it, or terms,
                or by a clock that was ahead
    insurable   whether the label may be used; None where the production has no insurer's pack
    credits     every line the delivery has to print, disclosure included
    """

    subject: str
    shot: str
    at: datetime
    findings: tuple[Finding, ...]
    blockers: tuple[Blocker, ...]
    pending: tuple[Blocker, ...]
    warnings: tuple[Finding, ...]
    waived: tuple[Waived, ...]
    approvals: tuple[Decision, ...]
    voided: tuple[Decision, ...]
    obligations: ObligationSummary
    insurable: bool | None
    credits: tuple[str, ...]

    @property
    def verdict(self) -> Literal["clear", "blocked"]:
        return "blocked" if self.blockers else "clear"

    @property
    def clear(self) -> bool:
        """Nothing is missing and nothing is pending: what was signed may go out."""
        return not self.blockers and not self.pending

    def refusal(self) -> FalseworkError:
        """The refusal as a sentence, with everything that is missing and what would satisfy it."""
        first, *others = self.blockers or self.pending
        todo = first.remedy
        if others:
            todo += "\nAlso missing:\n" + "\n".join(
                f"  {', '.join(one.rules)}: {one.words}. {one.remedy}" for one in others
            )
        return FalseworkError(
            f"cannot be delivered: {first.words} ({', '.join(first.rules)})", where=self.shot, todo=todo
        )

    def to_json(self) -> dict[str, Any]:
        def blockers(these: Iterable[Blocker]) -> list[dict[str, Any]]:
            return [
                {
                    "words": one.words,
                    "remedy": one.remedy,
                    "rules": list(one.rules),
                    "findings": list(one.findings),
                }
                for one in these
            ]

        asked = self.obligations
        return {
            "verdict": self.verdict,
            "subject": self.subject,
            "shot": self.shot,
            "at": self.at.isoformat(),
            "blockers": blockers(self.blockers),
            "pending": blockers(self.pending),
            "findings": [one.model_dump(mode="json") for one in self.findings],
            "warnings": [one.id for one in self.warnings],
            "waived": [{"finding": one.finding.id, "decision": one.decision.id} for one in self.waived],
            "approvals": [one.id for one in self.approvals],
            "voided": [one.id for one in self.voided],
            "insurable": self.insurable,
            "obligations": {
                "credits": list(asked.credits),
                "notices": list(asked.notices),
                "licence": asked.licence,
                "non_commercial": asked.non_commercial,
                "no_derivatives": asked.no_derivatives,
                "territories": list(asked.territories),
                "ends": asked.ends.isoformat() if asked.ends else None,
                "platform": list(asked.platform),
                "conflicts": [one.reason for one in asked.conflicts],
            },
            "credits": list(self.credits),
        }


def clearance(case: Case) -> Clearance:
    """Judge a cut by the rules of its production, with the waivers and approvals on record."""
    findings = evaluate(case)
    waived: list[Waived] = []
    blocking: list[Finding] = []
    warnings: list[Finding] = []
    for finding in findings:
        if finding.outcome in ("pass", "not applicable"):
            continue
        decision = _waiver(case, finding)
        if decision is not None:
            waived.append(Waived(finding, decision))
        elif finding.details["effect"] == "blocks":
            blocking.append(finding)
        else:
            warnings.append(finding)
    blockers, pending = _grouped(blocking)
    if case.too_small:  # no rule of anybody's, and yet nothing leaves without a mark
        blockers = (*blockers, Blocker(case.too_small, LARGER, ("mark",), ()))
    insurer = [one for one in findings if one.details["effect"] == "label"]
    disclosure = case.fact("disclosure").text
    return Clearance(
        subject=case.subject,
        shot=case.shot,
        at=case.at,
        findings=findings,
        blockers=blockers,
        pending=pending,
        warnings=tuple(warnings),
        waived=tuple(waived),
        approvals=case.approvals,
        voided=(*case.outdated, *case.misdated, *case.voided),
        obligations=case.obligations,
        # Nobody insures what may not go out.
        insurable=not blockers and all(one.outcome == "pass" for one in insurer) if insurer else None,
        credits=(*case.obligations.credits, *((disclosure,) if disclosure else ())),
    )


def _waiver(case: Case, finding: Finding) -> Decision | None:
    if not finding.details["waivable"]:
        return None
    waivers = (
        one
        for one in case.decisions
        if one.type == "waiver"
        and one.about == finding.rule
        # The finding's id tells one production's from another's about the same cut.
        and (one.subject != case.subject or not one.saw or finding.id in one.saw)
    )
    return next((one for one in waivers if _covers(one, finding, case.at)), None)


def _covers(waiver: Decision, finding: Finding, at: datetime) -> bool:
    """Whether a waiver is of what a finding says: word for word, or (one for a whole production) of that sort
    and no other, with the same outcome. It covers nothing that comes up later, and ends on its day."""
    until = str(waiver.facts.get("until", ""))
    if until and at >= _over(until):
        return False
    if "kinds" in waiver.facts:
        waived = str(waiver.facts["kinds"]).split()
        kinds = str(finding.details["kinds"]).split()
        return waiver.facts.get("outcome") == finding.outcome and set(kinds) <= set(waived)
    return waiver.facts.get("of") == said_by(finding)


def _over(day: str) -> datetime:
    """When a waiver's last day is over."""
    end = moment(date.fromisoformat(day), end=True)
    assert end is not None
    return end


def _grouped(findings: Sequence[Finding]) -> tuple[tuple[Blocker, ...], tuple[Blocker, ...]]:
    """Findings that miss the same thing as one blocker; apart from them what the delivery itself supplies."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(str(finding.details["missing"]) or finding.id, []).append(finding)
    blockers = {
        missing: Blocker(
            words=these[0].words,
            remedy=these[0].remedy,
            rules=tuple(one.rule for one in these),
            findings=tuple(one.id for one in these),
        )
        for missing, these in groups.items()
    }
    pending = blockers.pop(SIGNING, None)
    return tuple(blockers.values()), (pending,) if pending else ()


# ---- decisions -----------------------------------------------------------------------------------------


def approve(
    case: Case,
    *,
    by: str,
    role: str,
    why: str,
    saw: Sequence[str] = (),
    facts: dict[str, Fact] | None = None,
) -> list[Record]:
    """The records of one person's approval of exactly this cut; it takes back a rejection of theirs.

    It is bound to the cut's bytes and to the terms of the production and the display as they are now.

    by      a party's id, or a person's name; a name that is not on record becomes a party
    saw     what the person was shown besides the cut (assets, findings)
    facts   more that was settled with it ("legal_review": True, "human_input": "...")
    """
    person = person_named(case.state, case.production, by, role)
    rejected = [one.model_copy(update={"withdrawn": True}) for one in case.rejections if one.by == person.id]
    decision = Decision(
        id=record_id("decision", "approval", case.production.name, case.subject, person.id),
        type="approval",
        production=case.production.name,
        by=person.id,
        role=said(role, "role"),
        subject=case.subject,
        saw=tuple(dict.fromkeys((case.subject, *saw))),
        why=said(why, "reason"),
        facts=facts or {},
        terms=case.terms,
    )
    return [person, *rejected, decision]


def waive(
    case: Case,
    rule: str,
    *,
    by: str,
    role: str,
    why: str,
    everywhere: bool = False,
    until: date | None = None,
) -> list[Record]:
    """The records of one person's waiver of a rule for this cut, or `everywhere` in the production.

    A waiver for a cut covers what the rule says of it now: should it come to say something else (another
    grant is revoked), it blocks again. One for the production covers what is missing now in any of its cuts,
    and nothing that turns out to be worse, to the end of its last day, `until`. Raises FalseworkError for a
    rule that there is not, that is met, or that nobody can waive.
    """
    findings = {finding.rule: finding for finding in evaluate(case)}
    finding = findings.get(rule)
    if finding is None:
        guess = nearest(rule, list(findings))
        known = rule_named(rule) is not None
        raise FalseworkError(
            f'"{rule}" is not a rule of this production' if known else f'there is no rule "{rule}"',
            where=case.shot,
            todo=f'Did you mean "{guess}"?' if guess else f"Its rules are: {', '.join(findings)}.",
        )
    if not finding.details["waivable"]:
        raise FalseworkError(f"{rule} cannot be waived", where=case.shot, todo=finding.remedy)
    if finding.outcome in ("pass", "not applicable"):
        raise FalseworkError(
            f"{rule} needs no waiver: {finding.words}", where=case.shot, todo="There is nothing to do."
        )
    if everywhere and finding.pack == "gate":
        raise FalseworkError(
            f"{rule} cannot be waived for a whole production",
            where=case.shot,
            todo="Waive it for this cut, where it must be.",
        )
    if everywhere and until is None:
        raise FalseworkError(
            "a waiver for a whole production has a last day", where=case.shot, todo="Give it: --until DATE."
        )
    if until is not None and _over(until.isoformat()) <= case.at:
        raise FalseworkError(f"{until} is over", where=case.shot, todo="Give a day to come with --until.")
    person = person_named(case.state, case.production, by, role)
    subject = case.production.name if everywhere else case.subject
    of: dict[str, Fact] = {"of": said_by(finding)}
    if everywhere:
        of = {"outcome": finding.outcome, "kinds": str(finding.details["kinds"])}
    decision = Decision(
        id=record_id("decision", "waiver", case.production.name, subject, rule, person.id),
        type="waiver",
        production=case.production.name,
        by=person.id,
        role=said(role, "role"),
        subject=subject,
        about=rule,
        saw=(finding.id,),
        why=said(why, "reason"),
        facts={**of, **({"until": until.isoformat()} if until is not None else {})},
    )
    return [person, decision]


def withdraw(
    case: Case, rule: str, *, by: str, role: str, why: str, everywhere: bool = False
) -> list[Record]:
    """The records of a person taking back who waived a rule for this cut, or `everywhere`. Any person may:
    it only makes the rule hold again."""
    waivers = [one for one in case.decisions if one.type == "waiver"]
    subject = case.production.name if everywhere else case.subject
    these = [one for one in waivers if one.about == rule and one.subject == subject]
    if not these:
        other = any(one.about == rule for one in waivers)
        named = ", ".join(dict.fromkeys(one.about for one in waivers)) or "nothing"
        raise FalseworkError(
            f"{rule} is not waived for {'the whole production' if everywhere else 'this cut'}",
            where=case.shot,
            todo=(
                f"It is waived for {'this cut: leave out' if everywhere else 'the whole production: give'} "
                "--everywhere."
                if other
                else f"Waived here: {named}."
            ),
        )
    person = person_named(case.state, case.production, by, role)
    decision = Decision(
        id=record_id("decision", "withdrawal", case.production.name, subject, rule, person.id),
        type="review",
        production=case.production.name,
        by=person.id,
        role=said(role, "role"),
        subject=subject,
        about=f"waiver of {rule}",
        saw=tuple(one.id for one in these),
        why=said(why, "reason"),
        facts={"withdrawn": True},
    )
    return [person, *(one.model_copy(update={"withdrawn": True}) for one in these), decision]


def review(
    case: Case, finding_id: str, *, by: str, role: str, why: str, resolved: bool = True
) -> list[Record]:
    """The records of one person's review of what the copy audit found in this cut.

    finding_id  of one matter, whole or its beginning; the audit as a whole is settled by its matters
    resolved    whether the person, having looked, lets it stand; False holds it up
    """
    finding = _matter(case, finding_id)
    person = person_named(case.state, case.production, by, role)
    decision = Decision(
        id=record_id("decision", "review", case.production.name, finding.id, person.id),
        type="review",
        production=case.production.name,
        by=person.id,
        role=said(role, "role"),
        subject=finding.id,
        about="NFX-2",
        saw=(case.subject, finding.id, *finding.evidence),
        why=said(why, "reason"),
        facts={"resolved": resolved, "of": said_by(finding)},
    )
    return [person, decision]


def _matter(case: Case, finding_id: str) -> Finding:
    """The one open matter of this cut's copy audit that an id, or its beginning, means."""
    matters = [one for one in case.findings("copy audit") if one.outcome in ("fail", "unknown")]
    open_ = ", ".join(one.id for one in matters)
    todo = f"Open here: {open_}." if open_ else "There is nothing to review."
    wanted = finding_id.strip().removeprefix("finding:")
    found = [one for one in matters if wanted and one.id.removeprefix("finding:").startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise FalseworkError(f'"{finding_id}" can be several findings', where=case.shot, todo=todo)
    known = case.state.findings.get(f"finding:{wanted}")
    if known is None or known.subject != case.subject:
        said = f'no finding of the copy audit of this cut is called "{finding_id}"'
    elif known.rule == "copy audit":
        said = f"{known.id} needs no review: {known.words.rstrip('.')}"
    elif known.rule == "copy audit: all":
        said = f"{known.id} is the audit as a whole, which is settled matter by matter"
    else:
        said = f"{known.id} is a finding of {known.rule}: only what the copy audit found is reviewed"
    raise FalseworkError(said, where=case.shot, todo=todo)


def reject(case: Case, *, by: str, role: str, why: str) -> list[Record]:
    """The records of one person's rejection of exactly this cut; it takes back an approval of theirs."""
    person = person_named(case.state, case.production, by, role)
    approved = [one.model_copy(update={"withdrawn": True}) for one in case.approvals if one.by == person.id]
    decision = Decision(
        id=record_id("decision", "rejection", case.production.name, case.subject, person.id),
        type="rejection",
        production=case.production.name,
        by=person.id,
        role=said(role, "role"),
        subject=case.subject,
        saw=(case.subject,),
        why=said(why, "reason"),
    )
    return [person, *approved, decision]


def said(text: str, what: str) -> str:
    """What a person typed for --`what`; FalseworkError where it is nothing, too much, or no text."""
    typed = text.strip()
    if not typed:
        raise FalseworkError(f"--{what} is empty", todo=f'Say it: --{what} "...".')
    if len(typed) > LONGEST:
        raise FalseworkError(
            f"--{what} has {len(typed)} characters", todo=f"At most {LONGEST}: put the rest into a document."
        )
    try:
        typed.encode()
    except UnicodeEncodeError:
        raise FalseworkError(f"--{what} is no text in UTF-8", todo="Type it anew.") from None
    return typed


def person_named(state: State, production: Production | None, by: str, role: str) -> Party:
    """The person an id or a name means, among those of the production and those on record."""
    name = said(by, "by")
    known = {party.id: party for party in state.parties.values()}
    for one in production.parties if production is not None else ():
        known[one.id] = Party(
            id=one.id, type=one.type, name=one.name, roles=one.roles, member_of=one.member_of
        )
    found = [party for party in known.values() if name in (party.id, party.id.removeprefix("party:"))]
    found = found or [party for party in known.values() if party.name.casefold() == name.casefold()]
    if len(found) > 1:
        ids = ", ".join(party.id for party in found)
        raise FalseworkError(f'"{name}" can be several people', todo=f"Give one of the ids: {ids}.")
    if found:
        if found[0].type != "person":
            raise FalseworkError(
                f'"{name}" is {"a union" if found[0].type == "union" else "an organisation"}',
                todo="Only a named person can decide: give a person's name.",
            )
        return found[0]
    if name.startswith("party:"):
        raise FalseworkError(
            f'nobody is on record as "{name}"', todo="Give the person's name, or add them as [[parties]]."
        )
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", ".", plain).strip(".")
    identity = f"party:{slug}" if slug else record_id("party", name)
    if identity in known:
        identity = f"{identity}-{record_id('name', name).removeprefix('name:')}"
    return Party(id=identity, type="person", name=name, roles=(said(role, "role"),))
