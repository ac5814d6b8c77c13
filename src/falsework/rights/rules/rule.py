"""A rule: one small function of a case, with its source, its grade, and what its answer means for a delivery.

Four answers, and no fifth: pass, fail, unknown, not applicable. "Not applicable" must rest on a record or on
a declared fact, named as evidence; where neither is there the answer is unknown, and unknown blocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from falsework.rights.case import Case, Told
from falsework.rights.facts import FILE_FACTS
from falsework.rights.records import Finding, Outcome, record_id

__all__ = [
    "APPROVAL",
    "BY_NAME",
    "REJECTED",
    "Answer",
    "Effect",
    "Grade",
    "Reader",
    "Rule",
    "declare",
    "failed",
    "not_applicable",
    "passed",
    "rule",
    "said_by",
    "together",
    "unknown",
]

Grade = Literal["P", "S", "R"]  # primary text read; secondary source; from memory, to be checked
Effect = Literal["blocks", "warns", "label"]  # "label": withholds the word "insurable" and nothing else
Reader = Literal["producer", "lawyer", "union"]

NAMES = re.compile(r'"[^"]*"|\d+')
BY_NAME = "name:"  # how `Answer.about` names what has no record
PERSONAL = frozenset({"replica", "model", "script", "protected"})  # what is somebody's, in whatever cut
MOST_WORDS = 4  # clauses in one answer; the evidence names the rest
APPROVAL = "approval"  # what several rules miss at once, and one `falsework approve` gives
REJECTED = "no rejection"  # likewise, where somebody has rejected it


@dataclass(frozen=True)
class Answer:
    """What a rule says of a case.

    remedy    the next step that would satisfy it; "" where it passes or does not apply
    missing   a name for what is missing, where several rules miss the same thing
    clauses   everything it says, where `words` are only the first of it
    about     what stands in the way, by record or by name; empty: all of the evidence
    """

    outcome: Outcome
    words: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    missing: str = ""
    clauses: tuple[str, ...] = ()
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule. `text` is our own short wording; `in_force` the day it begins, None for always."""

    id: str
    pack: str
    text: str
    source: str
    grade: Grade
    effect: Effect
    readers: tuple[Reader, ...]
    in_force: date | None
    waivable: bool
    judge: Callable[[Case], Answer]

    def finding(self, case: Case) -> Finding:
        """The rule's finding about the case; its id stays the same when it is judged anew."""
        if self.in_force is not None and case.in_force_on < self.in_force:
            answer = Answer(
                "not applicable",
                f"in force from {self.in_force}; {_reached(case)}",
                evidence=(case.subject,),
            )
        else:
            answer = self.judge(case)
        return Finding(
            id=record_id("finding", self.id, case.production.name, case.subject),
            rule=self.id,
            pack=self.pack,
            subject=case.subject,
            outcome=answer.outcome,
            words=answer.words,
            remedy=" ".join((answer.remedy, *_unsaid(case, answer), *_unseen(case, answer))).strip(),
            source=self.source,
            evidence=tuple(dict.fromkeys(answer.evidence)),
            details={
                "text": self.text,
                "grade": self.grade,
                "effect": self.effect,
                "readers": list(self.readers),
                "in_force": self.in_force.isoformat() if self.in_force else None,
                "waivable": self.waivable,
                "missing": answer.missing,
                **_clauses(case, answer),
            },
        )


def _clauses(case: Case, answer: Answer) -> dict[str, object]:
    """Digests of everything that stands in the way, for the decisions about it: `said` of all of it, `kinds`
    of each clause without its names and numbers, which are other ones in another cut, and of whom and what
    it concerns that is the same in every cut: a waiver for one performer is none for another."""
    if answer.outcome not in ("fail", "unknown"):
        return {}
    clauses = answer.clauses or (answer.words,)
    concerned = {each for one in answer.about or answer.evidence for each in _concerned(case, one)}
    kinds = {
        record_id("kind", one).removeprefix("kind:")
        for one in (*(NAMES.sub("", clause) for clause in clauses), *concerned)
    }
    return {"said": record_id("clauses", sorted(clauses)), "kinds": " ".join(sorted(kinds))}


def _concerned(case: Case, item: str) -> Iterator[str]:
    """Of something that a rule names: the people, models, tools and likenesses it is about."""
    state = case.state
    if item.startswith(BY_NAME):
        yield item
    elif item in state.activities:
        step = state.activities[item]
        yield f"tool:{step.tool.casefold()}"
        yield from step.models
    elif item in state.findings:
        found = state.findings[item]
        # A likeness is that of a picture; one that names none is that of its very words.
        yield from found.evidence or ([found.words] if found.outcome == "fail" else [])
    elif item in state.assets:
        facts = (case.asset_fact(item, name) for name in ("performer", "personal", "talent"))
        if state.assets[item].type in PERSONAL or any(fact.yes or fact.text for fact in facts):
            yield item


def _reached(case: Case) -> str:
    """Up to which day a law would have to be in force to count, as a clause."""
    if case.in_force_on == case.at.date():
        return f"this is judged as of {case.in_force_on}, and production.toml names no later day"
    return f"the last day that production.toml names is {case.in_force_on}"


def _unsaid(case: Case, answer: Answer) -> list[str]:
    """What to do besides where something was declared, but of the file that lay there before."""
    if answer.outcome not in ("fail", "unknown"):
        return []
    return [
        f'"{path}" has changed since something was declared of it: if that is true of this file too, say so '
        f'in production.toml: files = ["{path}", "{one}"] (models = [...] of a notice).'
        for one in dict.fromkeys(answer.evidence)
        if (path := case.unsaid.get(one))
    ][:MOST_WORDS]


def _unseen(case: Case, answer: Answer) -> list[str]:
    """What to do besides where a document is named as evidence and nobody has it."""
    if answer.outcome not in ("fail", "unknown"):
        return []
    state = case.state
    named: dict[str, None] = {}
    for one in dict.fromkeys(answer.evidence):
        grants = [state.grants[one]] if one in state.grants else state.grants_for(one)
        decisions = [state.decisions[one]] if one in state.decisions else state.decisions_on(one)
        named.update(dict.fromkeys(grant.document for grant in grants))
        said = (decision.facts.get(name) for decision in decisions for name in FILE_FACTS)
        named.update(dict.fromkeys(digest for digest in said if isinstance(digest, str)))
    return [
        f"The document sha256:{digest[:12]}… is named by its hash, and no such file ever lay here: put it "
        "into the production's folder and name it by its path."
        for digest in named
        if digest and not case.has_text(digest)
    ][:MOST_WORDS]


def said_by(finding: Finding) -> str:
    """What a finding says, as a short id: decisions about it hold for exactly this."""
    # The words name the first few faults, the clauses all of them.
    whole = [said] if (said := finding.details.get("said")) else []
    return record_id("said", finding.rule, finding.outcome, finding.words, sorted(finding.evidence), *whole)


def rule(
    id: str,
    *,
    pack: str,
    text: str,
    source: str,
    grade: Grade,
    readers: tuple[Reader, ...],
    effect: Effect = "blocks",
    in_force: date | None = None,
    waivable: bool = True,
) -> Callable[[Callable[[Case], Answer]], Rule]:
    """Make a function of a case into the rule it states."""

    def made(judge: Callable[[Case], Answer]) -> Rule:
        return Rule(id, pack, text, source, grade, effect, readers, in_force, waivable, judge)

    return made


def passed(words: str, evidence: Iterable[str]) -> Answer:
    return Answer("pass", words, evidence=tuple(evidence))


def failed(words: str, remedy: str, evidence: Iterable[str] = (), missing: str = "") -> Answer:
    return Answer("fail", words, remedy, tuple(evidence), missing)


def unknown(words: str, remedy: str, evidence: Iterable[str] = (), missing: str = "") -> Answer:
    return Answer("unknown", words, remedy, tuple(evidence), missing)


def not_applicable(words: str, evidence: Iterable[str]) -> Answer:
    """Something on record shows that the rule does not concern this cut."""
    grounds = tuple(evidence)
    if not grounds:
        raise ValueError("'not applicable' must rest on a record or a declared fact")
    return Answer("not applicable", words, evidence=grounds)


def declare(*told: Told, meaning: str) -> Answer:
    """The answer where facts are needed that nobody declared, or that people declare differently.

    `meaning` says what the facts are about ("whether a performer can be recognised").
    """
    open_facts = [one for one in told if one.value is None] or list(told)
    disputed = [one for one in open_facts if one.disputed]
    keys = " and ".join(f"{one.name} = true or false" for one in open_facts)
    words = f"people on record disagree {meaning}" if disputed else f"nobody has declared {meaning}"
    remedy = (
        "Settle it, and correct one of the [[declared]] tables of production.toml."
        if disputed
        else f"A named person declares {keys} under [declared.facts] in production.toml."
    )
    evidence = [item for one in open_facts for item in one.evidence]
    return unknown(words, remedy, evidence, missing=" ".join(one.name for one in open_facts))


def together(answers: Iterable[Answer]) -> Answer:
    """Parts of one rule as one answer: the worst outcome, with the words of the parts that share it."""
    parts = list(answers)
    for outcome in ("fail", "unknown", "pass", "not applicable"):
        these = [part for part in parts if part.outcome == outcome]
        if these:
            words = list(dict.fromkeys(part.words for part in these))
            remedies = list(dict.fromkeys(part.remedy for part in these if part.remedy))
            rest = f"; and {len(words) - MOST_WORDS} more" if len(words) > MOST_WORDS else ""
            return Answer(
                outcome,
                "; ".join(words[:MOST_WORDS]) + rest,
                " ".join(remedies[:MOST_WORDS]),
                tuple(dict.fromkeys(item for part in parts for item in part.evidence)),
                # Several things missing are not one thing missing.
                these[0].missing if len({part.missing for part in these}) == 1 else "",
                tuple(
                    f"{part.outcome}: {clause}"
                    for part in parts
                    if part.outcome in ("fail", "unknown")
                    for clause in part.clauses or (part.words,)
                ),
                tuple(
                    dict.fromkeys(
                        item
                        for part in parts
                        if part.outcome in ("fail", "unknown")
                        for item in part.about or part.evidence
                    )
                ),
            )
    raise ValueError("a rule needs at least one part")
