"""California's laws on replicas and on training data."""

from __future__ import annotations

from datetime import date

from falsework.rights.case import Case
from falsework.rights.rules.grounds import Term, agreement, no_published_models, no_replica, replicas
from falsework.rights.rules.rule import Answer, failed, not_applicable, passed, rule, together, unknown

__all__ = ["RULES"]

_SPECIFIC = Term("specific", "a reasonably specific description of the use")
_ADVISED = Term("represented", "that a lawyer or a union negotiated it for the performer")
_ESTATE = Term("estate", "that it is given for the estate")


@rule(
    "CA-1",
    pack="california",
    text="A replica clause is void if it is vague and neither a lawyer nor a union negotiated it; the dead "
    "are protected through their estates.",
    source="California AB 2602 (Labor Code 927) and AB 1836 (Civil Code 3344.1); that a "
    "clause is void only where it is both: from memory (R)",
    grade="S",
    readers=("lawyer", "union"),
    in_force=date(2025, 1, 1),
)
def replica_clauses(case: Case) -> Answer:
    none = no_replica(case)
    if none is not None:
        return none
    parts = []
    for one in replicas(case):
        dead = case.asset_fact(one.id, "deceased")
        if not dead.yes and not dead.no:
            parts.append(
                unknown(
                    f'nobody has declared whether the person of "{one.name}" is alive',
                    "Declare it: [[ingredients]] files = [...], facts = { deceased = false }.",
                    (one.id,),
                )
            )
            continue
        if dead.yes:
            parts.append(agreement(case, one.id, ["replica"], (_ESTATE,), document=True))
        else:
            parts.append(_clause(case, one.id))
    return together(parts)


def _clause(case: Case, replica: str) -> Answer:
    """A clause is void only if it is vague and the performer was not represented: either will do."""
    answers = [
        agreement(case, replica, ["replica"], (term,), document=True) for term in (_SPECIFIC, _ADVISED)
    ]
    # The better of the two; both fail where both are denied, or where no consent holds.
    return min(answers, key=lambda answer: ("pass", "unknown", "fail").index(answer.outcome))


@rule(
    "CA-2",
    pack="california",
    text="Who makes a model public sums up its data sets; film and television are exempt from the provenance "
    "duties of SB 942.",
    source="California AB 2013 (Civil Code 3110) and SB 942",
    grade="S",
    readers=("lawyer",),
    in_force=date(2026, 1, 1),
)
def data_summary(case: Case) -> Answer:
    private = no_published_models(case)
    if private is not None:
        return private
    parts = []
    for model in case.generative_models:
        summary = case.asset_fact(model, "training_summary")
        if summary.no:
            parts.append(
                failed(
                    f'"{case.name(model)}" is made public with no summary of its data, as declared',
                    "Write and publish one, or keep the model private; then correct its [[ingredients]].",
                    (model, *summary.evidence),
                )
            )
        elif summary.text:
            parts.append(passed(f'"{case.name(model)}" has its summary', (model, *summary.evidence)))
        else:
            parts.append(
                unknown(
                    f'"{case.name(model)}" is made public without a summary of its data',
                    "Write it, and add it: [[ingredients]] files = [...], "
                    "facts = { training_summary = FILE }.",
                    (model,),
                )
            )
    if not parts:
        return not_applicable("no generative model, as declared", case.models)
    return together(parts)


RULES = (replica_clauses, data_summary)
