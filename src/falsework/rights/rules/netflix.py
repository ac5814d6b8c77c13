"""Netflix: "Using generative AI in content production", guidance for its partners (read in the original)."""

from __future__ import annotations

from collections.abc import Iterator

from falsework.rights.case import Case
from falsework.rights.compared import compared_digest
from falsework.rights.records import Activity, record_id
from falsework.rights.rules.grounds import (
    agreement,
    no_models,
    no_replica,
    prompt_names,
    replicas,
    told_who_read,
    with_prompts,
)
from falsework.rights.rules.rule import (
    APPROVAL,
    Answer,
    declare,
    failed,
    not_applicable,
    passed,
    rule,
    said_by,
    together,
    unknown,
)

__all__ = ["RULES"]

GUIDANCE = "Netflix partner guidance on generative AI"


@rule(
    "NFX-1",
    pack="netflix",
    text="Every use of generative AI is declared to the buyer.",
    source=f"{GUIDANCE}, introduction",
    grade="P",
    readers=("producer",),
)
def declared_use(case: Case) -> Answer:
    read = told_who_read(case)
    return _declared_use(case) if read is None else together([_declared_use(case), read])


def _declared_use(case: Case) -> Answer:
    declared = case.fact("generative_ai")
    models = case.generative_models
    if declared.no and models:
        return failed(
            f'declared: no generative AI; but the model "{case.name(models[0])}" touched it',
            "Correct generative_ai in production.toml, and send the buyer a notice: [[notices]] with models.",
            (*declared.evidence, *models),
        )
    if not declared.yes and not declared.no:
        return declare(declared, meaning="whether generative AI was used, ingredients included")
    if declared.no:
        unclear = (*case.lineage.unexplained, *(one.id for one in with_prompts(case)))
        if unclear or not case.activities:
            return unknown(
                "declared: no generative AI; but the records have gaps, or a prompt without its model",
                f"Make the shot again with `falsework make {case.argument}`, which records every step.",
                (*declared.evidence, *unclear),
            )
        return passed("declared: no generative AI; the records agree", declared.evidence)
    notices = case.notices("NFX-1")
    told = {model for notice in notices for model in notice.saw}
    untold = [model for model in models if model not in told]
    evidence = (*declared.evidence, *(one.id for one in notices), *models)
    remedy = 'Send the notice and add it: [[notices]] by, to, sent = DATE, models = ["FILE or sha256:..."].'
    if untold:
        return failed(f'no dated notice names the model "{case.name(untold[0])}"', remedy, evidence)
    if not notices:
        return unknown("generative AI is declared, but no dated notice is on record", remedy, evidence)
    if not models:
        return unknown(
            "generative AI is declared, but no generative model is on record, so no notice can name it",
            'Put it on record in production.toml: [[assets]] type = "model", and the [[activities]] with '
            "models that used it; or correct generative_ai there.",
            evidence,
        )
    return passed(f"{len(models)} models, all in dated notices", evidence)


@rule(
    "NFX-2",
    pack="netflix",
    text="Nothing recreates somebody's identifiable work.",
    source=f"{GUIDANCE}, principle 1",
    grade="P",
    readers=("lawyer",),
)
def no_copies(case: Case) -> Answer:
    audits = case.findings("copy audit")
    if not audits:
        untouched = no_models(case)
        if untouched is not None and not case.production.protected.folder:
            return untouched
        return unknown(
            "no copy audit of this cut is on record",
            f"Run `falsework audit {case.argument}`.",
            (case.subject,),
        )
    parts = list(_compared(case))
    for audit in audits:
        # A review settles exactly these pixels, or exactly this finding, and nothing else.
        reviews = [
            one
            for one in case.reviews("NFX-2", audit.id)
            if one.type == "review"
            and one.subject in (case.subject, audit.id)
            and one.facts.get("of", said_by(audit)) == said_by(audit)
        ]
        evidence = (audit.id, *(one.id for one in reviews))
        look = (
            f"A named person looks at it: `falsework review {case.argument} {audit.id} "
            '--by "NAME" --role "ROLE" --reason "WHY"`.'
        )
        if audit.outcome == "pass":
            parts.append(passed("the copy audit found nothing", evidence))
        elif reviews and all(one.facts.get("resolved") is True for one in reviews):
            parts.append(passed("what the copy audit found was looked at and settled", evidence))
        elif audit.outcome == "fail" or any(one.facts.get("resolved") is False for one in reviews):
            parts.append(
                failed(
                    f"the copy audit found a likeness: {audit.words.rstrip('.')}",
                    f"{audit.remedy or 'Change the shot.'} {look}",
                    evidence,
                )
            )
        else:
            parts.append(
                unknown(
                    f"the copy audit leaves it to a person: {audit.words.rstrip('.')}",
                    f"{audit.remedy} {look}".strip(),
                    evidence,
                )
            )
    return together(parts)


def _compared(case: Case) -> Iterator[Answer]:
    """What the audit on record did not compare the cut with and would have to."""
    record = (
        'Put them on record: [[assets]] files = [...], type = "sample", and [[activities]] '
        f'type = "training", used = [...], generated = [MODEL]; then run `falsework audit {case.argument}`.'
    )
    for model in case.all_models:
        samples = case.samples(model)
        name = f'"{case.name(model)}"'
        if not samples and not case.asset_fact(model, "generative").no:
            yield unknown(
                f"what {name} was trained on is not on record, so nothing was compared with it",
                record,
                (model,),
            )
        absent = [one for one in samples if one not in case.state.assets or not case.state.assets[one].path]
        if absent:
            yield unknown(
                f"{len(absent)} of {len(samples)} samples of {name} are not at hand to compare with",
                record,
                (model, *(one for one in absent if one in case.state.assets)),
            )
    whole = case.state.findings.get(record_id("finding", "copy audit", case.subject))
    present = case.compared_set
    if present is None or whole is None or whole.details.get("compared_digest") != compared_digest(present):
        yield unknown(
            "the copy audit on record compared it with other pictures than the samples and the protected set "
            "of today",
            f"Run `falsework audit {case.argument}` again.",
            (whole.id,) if whole is not None else (case.subject,),
        )


@rule(
    "NFX-3",
    pack="netflix",
    text="No tool stores, reuses or trains on what it is given; every step of a workflow complies.",
    source=f"{GUIDANCE}, principles 2 and 3",
    grade="P",
    readers=("producer", "lawyer"),
)
def tools(case: Case) -> Answer:
    steps = case.state.history(case.subject)
    if not steps:
        return unknown(
            "no step of the work is on record",
            f"Make the shot again with `falsework make {case.argument}`.",
            (case.subject,),
        )
    return together(_tool(case, step) for step in steps)


def _tool(case: Case, step: Activity) -> Answer:
    if step.offline is True:
        return passed("every step ran offline or under terms on record", (step.id,))
    known = case.tools(step)
    name = f'"{step.tool}"'
    remedy = (
        f"Register it in production.toml: [[tools]] name = {name}, with offline = true where nothing left "
        "the machine, or with terms = FILE and stores_inputs, reuses_inputs, trains_on_inputs."
    )
    if step.offline is False:  # what left the machine cannot be attested to have stayed there
        remedy = (
            f"It was sent something ({step.type}). Register it in production.toml: [[tools]] name = {name}, "
            "terms = FILE, and stores_inputs, reuses_inputs, trains_on_inputs = false as they say."
        )
    if not known:
        return unknown(f"the tool {name} is not registered", remedy, (step.id,))
    evidence = (step.id, *(one.id for one in known))
    uses = ("stores_inputs", "reuses_inputs", "trains_on_inputs")
    for terms in known:
        if any(terms.terms.get(use) is True for use in uses):
            said = " and ".join(use.replace("_", " ") for use in uses if terms.terms.get(use) is True)
            return failed(f"the tool {name} {said}", "Use another tool or other terms.", evidence)
    for terms in known:
        if terms.terms.get("offline") is True and step.offline is not False:
            return passed("every step ran offline or under terms on record", evidence)
        if terms.document and all(terms.terms.get(use) is False for use in uses):
            return passed("every step ran offline or under terms on record", evidence)
    return unknown(f"the terms of the tool {name} are not on record in full", remedy, evidence)


@rule(
    "NFX-4",
    pack="netflix",
    text="What is generated in the final cut is flagged and approved, even in the background; what is "
    "prominent needs human input and legal review.",
    source=f"{GUIDANCE}, principle 4 and final output",
    grade="P",
    readers=("producer", "lawyer"),
)
def final_cut(case: Case) -> Answer:
    parts = [_approved(case)]
    if case.models:
        prominent = case.fact("prominent")
        if prominent.yes:
            seen = (*case.approvals, *case.reviews("NFX-4"))
            reviewed = [one for one in seen if one.facts.get("legal_review") is True]
            human = [one for one in seen if str(one.facts.get("human_input", "")).strip()]
            if reviewed and human:
                words = "prominent: human input and legal review are on record"
                parts.append(passed(words, (one.id for one in (*reviewed, *human))))
            else:
                parts.append(
                    unknown(
                        "it is prominent, and human input or legal review is not on record",
                        'Add [[reviews]] about = "NFX-4", '
                        'facts = { legal_review = true, human_input = "..." }.',
                        prominent.evidence,
                    )
                )
        elif not prominent.no:
            parts.append(declare(prominent, meaning="whether what was generated is prominent"))
    return together(parts)


def _approved(case: Case) -> Answer:
    if case.approvals:
        return passed("approved, by hash", (one.id for one in case.approvals))
    command = f'falsework approve {case.argument} --by "NAME" --role "ROLE" --reason "WHY"'
    return unknown(
        "what is generated in this cut has not been approved",
        f"A person looks at it and runs `{command}`.",
        (one.id for one in case.voided),
        missing=APPROVAL,
    )


@rule(
    "NFX-5",
    pack="netflix",
    text="No training on material of others without leave; proprietary or personal inputs need "
    "approval outside enterprise tools.",
    source=f"{GUIDANCE}, section 1 and matrix",
    grade="P",
    readers=("lawyer",),
)
def training(case: Case) -> Answer:
    untouched = no_models(case)
    if untouched is not None:
        return together([untouched, *_inputs(case)])
    return together([*(_trained(case, model) for model in case.all_models), *_inputs(case)])


def _trained(case: Case, model: str) -> Answer:
    samples = case.samples(model)
    if not samples:
        # A model from elsewhere: its provider must have agreed that its samples were licensed.
        found = case.covered(model, ["use"])
        licensed = [
            one
            for one in found.holding
            if one.terms.get("trained_on_licensed") is True and one.document and one.basis != "platform"
        ]
        if licensed:
            words = f'"{case.name(model)}": licensed training, by agreement'
            return passed(words, (model, *(one.id for one in licensed)))
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


def _inputs(case: Case) -> Iterator[Answer]:
    """What models were given that is personal or somebody's secret."""
    for step in case.activities:
        if not (step.models or step in case.readings) or step.offline is True:
            continue
        private = [
            one
            for one in step.used
            if case.asset_fact(one, "personal").yes or case.asset_fact(one, "proprietary").yes
        ]
        enterprise = any(terms.terms.get("enterprise") is True for terms in case.tools(step))
        if private and not enterprise and not case.reviews("NFX-5"):
            yield unknown(
                f'"{case.name(private[0])}" is personal or proprietary and was given to "{step.tool}"',
                'Have it approved and add [[reviews]] about = "NFX-5", or use an enterprise tool.',
                (step.id, *private),
            )


@rule(
    "NFX-6",
    pack="netflix",
    text="Key visuals, characters and settings need approval; prompts name no works or people.",
    source=f"{GUIDANCE}, section 2 and matrix",
    grade="P",
    readers=("producer", "lawyer"),
)
def key_visuals(case: Case) -> Answer:
    key, prompts = case.fact("key_visual"), with_prompts(case)
    if not key.yes and not key.no:
        return declare(key, meaning="whether it shows a key visual, character or setting")
    if key.no and not prompts:
        return not_applicable("no key visual, as declared, and no prompt on record", key.evidence)
    parts = [_approved(case)] if key.yes else []
    if prompts:
        parts.append(_prompts_read(case, prompts))
    return together(parts)


def _prompts_read(case: Case, prompts: tuple[Activity, ...]) -> Answer:
    # The review names the prompts by their digest: it covers no prompt that was written later.
    digest = record_id("prompts", sorted(step.prompt for step in prompts))
    reviews = [one for one in case.reviews("NFX-6") if one.facts.get("prompts") == digest]
    evidence = (*(step.id for step in prompts), *(one.id for one in reviews))
    if reviews:
        return passed("the prompts were read by a person", evidence)
    review = f'[[reviews]] about = "NFX-6", facts = {{ prompts = "{digest}" }}'
    named = [name for step in prompts for name in prompt_names(case, step.prompt)]
    if named:
        return failed(
            f'a prompt names "{named[0]}"',
            f"Generate it anew without that, or have a person judge it: {review}.",
            evidence,
        )
    return unknown(
        "no person has read the prompts for names of works and people",
        f"Read them, and add {review}.",
        evidence,
    )


@rule(
    "NFX-7",
    pack="netflix",
    text="A replica has its performer's consent, unless it does as scripted, what is unsafe for humans, or "
    "cannot be recognised; a talent's model serves this production only.",
    source=f"{GUIDANCE}, section 3",
    grade="P",
    readers=("union", "lawyer"),
)
def replica_consent(case: Case) -> Answer:
    none = no_replica(case)
    if none is not None:
        return none
    parts = []
    for one in replicas(case):
        home = case.asset_fact(one.id, "production")
        if home.text and home.text != case.production.name:
            parts.append(
                failed(
                    f'"{one.name}" was made for "{home.text}" and may serve that only',
                    "Have one made for this production, with the performer's consent.",
                    (one.id, *home.evidence),
                )
            )
            continue
        if not home.text:
            parts.append(
                unknown(
                    f'nobody has declared which production "{one.name}" was made for',
                    "Declare it: [[ingredients]] files = [...], facts = { production = ... }.",
                    (one.id,),
                )
            )
        exempt = [
            told
            for name in ("as_scripted", "unsafe_for_humans", "unrecognisable")
            if (told := case.asset_fact(one.id, name)).yes
        ]
        if exempt:
            words = f'"{one.name}" needs no further consent: {exempt[0].name.replace("_", " ")}'
            parts.append(passed(words, (one.id, *exempt[0].evidence)))
        else:
            parts.append(agreement(case, one.id, ["replica"]))
    return together(parts)


@rule(
    "NFX-8",
    pack="netflix",
    text="It cannot be mistaken for a real event, and displaces no union work without approval.",
    source=f"{GUIDANCE}, section 4",
    grade="P",
    readers=("producer", "union"),
)
def real_events(case: Case) -> Answer:
    mistakable, displaces = case.fact("mistakable_for_real"), case.fact("displaces_union_work")
    parts = []
    for told, review, meaning, yes, no in (
        (
            mistakable,
            "editorial",
            "whether it could be mistaken for a real event",
            "it could be mistaken for a real event",
            "it cannot be mistaken for a real event",
        ),
        (
            displaces,
            "labour",
            "whether it displaces union work",
            "it displaces union work",
            "it displaces no union work",
        ),
    ):
        signed = [one for one in case.reviews("NFX-8") if one.facts.get(review) is True]
        if told.no:
            parts.append(passed(f"declared: {no}", told.evidence))
        elif told.yes and signed:
            evidence = (*told.evidence, *(one.id for one in signed))
            parts.append(passed(f"{yes}, with {review} sign-off", evidence))
        elif told.yes:
            parts.append(
                failed(
                    f"declared: {yes}; and there is no {review} sign-off",
                    f'Get the sign-off and add [[reviews]] about = "NFX-8", facts = {{ {review} = true }}.',
                    told.evidence,
                )
            )
        else:
            parts.append(declare(told, meaning=meaning))
    return together(parts)


RULES = (
    declared_use, no_copies, tools, final_cut, training, key_visuals, replica_consent, real_events,
)  # fmt: skip
