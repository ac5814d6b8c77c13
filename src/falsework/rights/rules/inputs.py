"""Netflix, NFX-5: what trained the models, and what they were given."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from falsework.rights.case import Case
from falsework.rights.records import Activity, Grant
from falsework.rights.rules.grounds import no_models
from falsework.rights.rules.rule import Answer, failed, passed, rule, together, unknown

__all__ = ["training_and_inputs"]


@rule(
    "NFX-5",
    pack="netflix",
    text="No training on material of others without leave; proprietary or personal inputs need "
    "approval outside enterprise tools.",
    source="Netflix partner guidance on generative AI, section 1 and matrix",
    grade="P",
    readers=("lawyer",),
)
def training_and_inputs(case: Case) -> Answer:
    untouched = no_models(case)
    if untouched is not None:
        return together([untouched, *_inputs(case)])
    return together([*(_trained(case, model) for model in case.all_models), *_inputs(case)])


def _trained(case: Case, model: str) -> Answer:
    samples = case.samples(model)
    if not samples:
        # A model from elsewhere: its provider must have agreed that its samples were licensed.
        # His word counts in an agreement that itself covers the use.
        found = case.covered(model, ["use"])
        licensed = case.covered(model, ["use"], platforms=False, only=partial(_licensed_training, case))
        if licensed.outcome == "pass":
            words = f'"{case.name(model)}": licensed training, by agreement'
            return passed(words, (model, *licensed.evidence))
        if any(one.terms.get("trained_on_licensed") is False for one in found.holding):
            return failed(
                f'"{case.name(model)}" was trained on material of others without leave',
                "Use another model.",
                (model, *found.evidence),
            )
        return unknown(
            f'nobody knows what "{case.name(model)}" was trained on',
            'Put its training on record: [[assets]] type = "sample" and [[activities]] '
            'type = "training"; or its maker\'s word in writing: [[grants]] with document = FILE, '
            "terms = { trained_on_licensed = true }.",
            (model, *found.evidence),
        )
    remedy = 'Get grants with uses = ["train"] for them, or train again without them.'
    lapsed, open_, evidence = [], [], [model]
    for sample in samples:
        found = case.covered(sample, ["train"])
        evidence += [sample, *found.evidence]
        if found.outcome == "fail":
            lapsed.append(f'"{case.name(sample)}": {"; ".join(found.reasons)}')
        elif found.outcome == "unknown" or sample not in case.state.assets:
            open_.append(case.name(sample))
            remedy = found.remedy or remedy
    name = f'"{case.name(model)}"'
    if lapsed:
        return failed(
            f"{len(lapsed)} of {len(samples)} samples of {name} may not be trained on ({lapsed[0]})",
            remedy,
            evidence,
        )
    if open_:
        return unknown(
            f'{len(open_)} of {len(samples)} samples of {name} have no grant that counts ("{open_[0]}")',
            remedy,
            evidence,
        )
    return passed(f"all {len(samples)} samples of {name} are granted for training", evidence)


def _licensed_training(case: Case, grant: Grant) -> bool:
    return grant.terms.get("trained_on_licensed") is True and case.has_text(grant.document)


def _inputs(case: Case) -> Iterator[Answer]:
    """What models were given outside that is personal or somebody's secret, or may be."""
    for step in case.activities:
        if not (step.models or step in case.readings) or step.offline is True:
            continue
        enterprise = any(terms.terms.get("enterprise") is True for terms in case.tools(step))
        if not enterprise and not case.reviews("NFX-5"):
            yield from _given(case, step)


def _given(case: Case, step: Activity) -> Iterator[Answer]:
    approval = 'have it approved and add [[reviews]] about = "NFX-5", or use an enterprise tool.'
    for one in step.used:
        if one in step.models:
            continue
        told = case.asset_fact(one, "personal"), case.asset_fact(one, "proprietary")
        name, evidence = f'"{case.name(one)}"', (step.id, one, *told[0].evidence, *told[1].evidence)
        if any(fact.yes for fact in told):
            yield unknown(
                f'{name} is personal or proprietary and was given to "{step.tool}"',
                approval[0].upper() + approval[1:],
                evidence,
            )
        elif not all(fact.no for fact in told):
            record = case.state.assets.get(one)
            yield unknown(
                f'nobody has declared whether {name}, which was given to "{step.tool}", is personal or '
                "proprietary",
                f'Declare it: [[ingredients]] files = ["{(record and record.path) or one}"], '
                f"facts = {{ personal = false, proprietary = false }}; or {approval}",
                evidence,
            )
