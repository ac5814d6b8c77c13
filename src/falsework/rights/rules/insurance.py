"""Errors-and-omissions insurance: it decides about one word on the report, "insurable"."""

from __future__ import annotations

from collections.abc import Iterable

from falsework.rights.case import Case
from falsework.rights.rules.grounds import needed_uses
from falsework.rights.rules.rule import Answer, declare, failed, passed, rule, together, unknown

__all__ = ["RULES"]

MOST_NAMED = 5  # assets in a sentence


@rule(
    "EO-1",
    pack="insurance",
    text="Clean title to every part, registered tools, and answers to the insurer that are true: they are "
    "warranties.",
    source="errors-and-omissions clearance procedures",
    grade="S",
    readers=("lawyer", "producer"),
    effect="label",
)
def clean_title(case: Case) -> Answer:
    return together([_title(case), _register(case), _answers(case)])


def _title(case: Case) -> Answer:
    if case.lineage.unexplained:
        return unknown("parts of it have no origin on record", "See GATE-2.", case.lineage.unexplained)
    evidence: list[str] = []
    parts: list[Answer] = []
    platform: dict[str, tuple[str, ...]] = {}
    for asset, uses in needed_uses(case).items():
        found = case.covered(asset, uses)
        evidence += found.evidence
        if found.outcome != "pass":
            answer = unknown if found.outcome == "unknown" else failed
            parts.append(
                answer(
                    f'the title to "{case.name(asset)}" is not clean: {"; ".join(found.reasons)}',
                    "Get a grant that holds, and add it as [[grants]].",
                    (asset, *found.evidence),
                )
            )
        elif case.covered(asset, uses, platforms=False).outcome != "pass":
            platform[asset] = found.evidence
    if platform:
        said = "the grant for {} rests" if len(platform) == 1 else "the grants for {} rest"
        parts.append(
            failed(
                f"{said.format(_named(case, platform))} on a platform's general statement, not on the item's "
                "own record",
                "Find the item's own record and set basis = \"item\" in its [[grants]]; or get its owner's "
                'word and set basis = "contract".',
                (one for asset, grants in platform.items() for one in (asset, *grants)),
            )
        )
    if parts:
        return together(parts)
    return passed("clean title to every part", evidence or (case.subject,))


def _named(case: Case, assets: Iterable[str]) -> str:
    """Assets by name, those a production brought itself before the textures that any shot may share."""

    def shared(asset: str) -> bool:
        record = case.state.assets.get(asset)
        return record is not None and record.type == "texture"

    names = [f'"{case.name(asset)}"' for asset in sorted(assets, key=shared)]
    if len(names) > MOST_NAMED:
        names[MOST_NAMED - 1 :] = [f"{len(names) - MOST_NAMED + 1} more"]
    *some, last = names
    return f"{', '.join(some)} and {last}" if some else last


def _register(case: Case) -> Answer:
    steps = case.state.history(case.subject)
    for step in steps:
        terms = case.tools(step)
        if step.models and not any(one.terms.get("indemnity") is True for one in terms):
            return unknown(
                f'no indemnity by the maker of "{step.tool}" is on record',
                "Add indemnity = true to its [[tools]] table, where the terms give one.",
                (step.id, *(one.id for one in terms)),
            )
        if step.offline is not True and not terms:
            return unknown(
                f'the tool "{step.tool}" is not registered',
                "Add it as [[tools]] in production.toml.",
                (step.id,),
            )
    return passed("every tool is registered", (step.id for step in steps))


def _answers(case: Case) -> Answer:
    checked = case.fact("insurer_answers_checked")
    if checked.yes:
        return passed("the insurer's questions were answered from this ledger, as declared", checked.evidence)
    if checked.no:
        return failed(
            "declared: the answers to the insurer were not compared with this ledger",
            "Compare them, then declare insurer_answers_checked = true.",
            checked.evidence,
        )
    return declare(checked, meaning="whether the answers to the insurer were compared with this ledger")


RULES = (clean_title,)
