"""All rules there are, and what those that a production is under say of a case."""

from __future__ import annotations

from falsework.rights.case import Case
from falsework.rights.records import Finding
from falsework.rights.rules import california, disclosure, eu, gate, guilds, insurance, netflix
from falsework.rights.rules.rule import Rule

__all__ = ["ALL_RULES", "evaluate", "rule_named", "rules_for"]

ALL_RULES: tuple[Rule, ...] = (
    *gate.RULES,
    *netflix.RULES,
    *guilds.RULES,
    *eu.RULES,
    *california.RULES,
    *disclosure.RULES,
    *insurance.RULES,
)
_BY_ID = {rule.id: rule for rule in ALL_RULES}
# Agreements of several guilds ask the same.
_ALSO_IN = {"GLD-2": frozenset({"wga", "sag-aftra", "dga"})}


def rule_named(name: str) -> Rule | None:
    return _BY_ID.get(name)


def rules_for(packs: frozenset[str]) -> tuple[Rule, ...]:
    """The rules of these packs, in the order of the packs' importance for a delivery: the gate's first."""
    return tuple(
        rule for rule in ALL_RULES if rule.pack in packs or _ALSO_IN.get(rule.id, frozenset()) & packs
    )


def evaluate(case: Case) -> tuple[Finding, ...]:
    """One finding for every rule of the production's packs; it looks at the records and at nothing else."""
    return tuple(rule.finding(case) for rule in rules_for(case.production.rule_packs))
