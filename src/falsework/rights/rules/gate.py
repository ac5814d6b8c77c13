"""What any delivery needs, whoever buys it: an origin and a grant for every part, and a person's approval."""

from __future__ import annotations

from dataclasses import replace

from falsework.rights.case import Case
from falsework.rights.rules.grounds import needed_uses
from falsework.rights.rules.rule import APPROVAL, REJECTED, Answer, failed, passed, rule, unknown

__all__ = ["RULES"]

OWN = "falsework's own gate"


@rule(
    "GATE-1",
    pack="gate",
    text="A named person approves exactly this cut; a changed pixel voids the approval.",
    source=OWN,
    grade="P",
    readers=("producer",),
    waivable=False,
)
def approval(case: Case) -> Answer:
    if case.rejections:
        who = ", ".join(case.state.parties[one.by].name for one in case.rejections)
        return failed(
            f"rejected by {who}: {case.rejections[0].why}",
            "Make it again, or have the same person approve it.",
            (one.id for one in case.rejections),
            missing=REJECTED,
        )
    if case.approvals:
        who = ", ".join(f"{case.state.parties[one.by].name} ({one.role})" for one in case.approvals)
        return passed(f"approved by {who}", (one.id for one in case.approvals))
    command = f'falsework approve {case.argument} --by "NAME" --role "ROLE" --reason "WHY"'
    remedy = f"A person looks at it and runs `{command}`."
    if case.outdated:
        last = case.outdated[-1]
        who = case.state.parties[last.by].name
        return unknown(
            f"{who} approved these frames under other terms ({case.since(last)})",
            f"Approve it again as it is now, with `{command}`; or set back what was changed.",
            (one.id for one in case.outdated),
            missing=APPROVAL,
        )
    if case.misdated:
        last = case.misdated[-1]
        who = case.state.parties[last.by].name if last.by in case.state.parties else last.by
        return unknown(
            f"{who} approved these frames, but {case.misdate(last)}",
            f"Approve it again, with `{command}`.",
            (one.id for one in case.misdated),
            missing=APPROVAL,
        )
    if case.voided:
        return unknown(
            "the approval on record is of other pixels, so it no longer holds",
            remedy,
            (one.id for one in case.voided),
            missing=APPROVAL,
        )
    return unknown("nobody has approved this cut", remedy, missing=APPROVAL)


@rule(
    "GATE-2",
    pack="gate",
    text="Everything in the cut has an origin on record.",
    source=OWN,
    grade="P",
    readers=("producer", "lawyer"),
)
def origin(case: Case) -> Answer:
    lost = case.lineage.unexplained
    if lost:
        names = ", ".join(f'"{case.name(one)}"' for one in lost[:3])
        remedy = f"Make the shot again with `falsework make {case.argument}`, which records every step."
        if any(step.tool.casefold() != "falsework" for one in lost for step in case.state.used_by(one)):
            remedy = (
                "Put it on record in production.toml: [[assets]] with files and type, and "
                "[[activities]] where another program made it."
            )
        return unknown(
            f"nothing on record made {names}" + (f" and {len(lost) - 3} more" if len(lost) > 3 else ""),
            remedy,
            lost,
        )
    count = len(case.lineage.assets)
    return passed(f"{count} parts, each with its origin", (one.id for one in case.activities))


@rule(
    "GATE-3",
    pack="gate",
    text="Every ingredient from outside has a grant that holds, for these uses, places and dates.",
    source=OWN,
    grade="P",
    readers=("lawyer",),
)
def grants(case: Case) -> Answer:
    until = case.production.until
    if until is not None and until < case.at.date():
        return failed(
            f"it may be shown until {until}, by production.toml, and that day is over",
            "Correct until in production.toml, if it will be shown longer; grants have to reach it.",
            (case.subject,),
        )
    failures: list[str] = []
    open_: list[str] = []
    evidence: list[str] = []
    bad: list[str] = []
    wanted: list[str] = []  # uses that the first of them needs
    step = ""  # what would satisfy the first of them
    for asset, needed in needed_uses(case).items():
        found = case.covered(asset, needed)
        evidence += found.evidence
        if found.outcome != "pass":
            step = step if bad else found.remedy or _made_elsewhere(case, asset)
            bad.append(asset)
            wanted = wanted or needed
            said = f'"{case.name(asset)}": {"; ".join(found.reasons)}'
            (failures if found.outcome == "fail" else open_).append(said)
    if failures or open_:
        clauses = (*failures, *open_)
        words = ". ".join(clauses[:4])
        rest = len(failures) + len(open_) - 4
        words += f". And {rest} more" if rest > 0 else ""
        first = case.state.assets.get(bad[0])
        named = (first and first.path) or bad[0]
        needs = ", ".join(f'"{use}"' for use in wanted)
        remedy = step or (
            f'Get a grant that covers it, and add it to production.toml: [[grants]] files = ["{named}"], '
            f"uses = [{needs}]; or replace the ingredient and make the shot again."
        )
        answer = (failed if failures else unknown)(words, remedy, (*bad, *evidence))
        return replace(answer, clauses=clauses)
    if not case.lineage.outside and not case.models:
        return unknown(
            "what it was made from is not on record",
            f"Make the shot again with `falsework make {case.argument}`.",
            (case.subject,),
        )
    return passed(f"{len(case.lineage.outside)} ingredients from outside, each granted", evidence)


def _made_elsewhere(case: Case, asset: str) -> str:
    """What to do about a picture from another program: whoever made it says so. "" for any other, and where
    somebody has granted something."""
    if not case.made_here(asset) or case.state.grants_for(asset):
        return ""
    record = case.state.assets.get(asset)
    named = (record and record.path) or asset
    return (
        f'It was made in another program, and who made it there grants it: [[grants]] files = ["{named}"], '
        'given_by = "PARTY", uses = ["any"], basis = "owner" ("we made it") in production.toml.'
    )


@rule(
    "GATE-4",
    pack="gate",
    text="What the ingredients' licences ask can all be met at once.",
    source=OWN,
    grade="P",
    readers=("lawyer",),
)
def obligations(case: Case) -> Answer:
    summary = case.obligations
    if summary.conflicts:
        first = summary.conflicts[0]
        words = ". ".join(dict.fromkeys(one.reason for one in summary.conflicts))
        return failed(words, first.remedy, (one for each in summary.conflicts for one in each.grants))
    if summary.unclear:
        return unknown(
            ". ".join(summary.unclear),
            "Add what is missing to the grant in production.toml.",
            summary.evidence,
        )
    asked = [f"pass it on under {summary.licence}"] if summary.licence else []
    asked += [f"print {len(summary.credits)} credit lines"] if summary.credits else []
    return passed("; ".join(asked) or "nothing is asked", summary.evidence or (case.subject,))


RULES = (approval, origin, grants, obligations)
