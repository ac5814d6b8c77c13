"""Netflix: "Using generative AI in content production", guidance for its partners (read in the original)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

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
from falsework.rights.rules.inputs import training_and_inputs
from falsework.rights.rules.rule import (
    APPROVAL,
    BY_NAME,
    REJECTED,
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
        if case.fingerprints(model):
            continue  # all of them are in that list, or the audit says which are not
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
        if case.has_text(terms.document) and all(terms.terms.get(use) is False for use in uses):
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
    untouched = no_models(case)
    if untouched is not None and untouched.outcome == "not applicable":
        return _approved(case)
    # Whether a model touched it may still be open: what is asked of generated work is asked then, too.
    return together([_approved(case), _prominent(case)])


def _prominent(case: Case) -> Answer:
    """What is prominent needs a review that names this very cut: the next one is looked at anew."""
    prominent = case.fact("prominent")
    if prominent.no:
        return passed("not prominent, as declared", prominent.evidence)
    if not prominent.yes:
        return declare(prominent, meaning="whether what was generated is prominent")
    seen = [
        one
        for one in (*case.approvals, *case.reviews("NFX-4"))
        if one.subject == case.subject or one.facts.get("cut") == case.subject
    ]
    reviewed = [one for one in seen if one.facts.get("legal_review") is True]
    # A yes is of one cut; a no that names none is of all.
    at_large = [
        one
        for one in case.reviews("NFX-4")
        if not one.facts.get("cut") and one.subject != case.subject and one.facts.get("legal_review") is False
    ]
    refused = [*at_large, *(one for one in seen if one.facts.get("legal_review") is False)]
    human = [one for one in seen if str(one.facts.get("human_input", "")).strip()]
    add = (
        f'Add [[reviews]] about = "NFX-4", facts = {{ cut = "{case.subject}", legal_review = true, '
        'human_input = "..." }.'
    )
    if refused:
        return failed(
            f"it is prominent, and did not pass legal review: {refused[0].why.rstrip('.')}",
            f"Change the shot, and have that cut reviewed. {add}"
            + (" A review that names no cut is of all: take it out, or name its cut." if at_large else ""),
            (*prominent.evidence, *(one.id for one in refused)),
        )
    if reviewed and human:
        words = "prominent: human input and legal review are on record"
        return passed(words, (one.id for one in (*reviewed, *human)))
    return unknown(
        "it is prominent, and human input or legal review of this very cut is not on record",
        add,
        prominent.evidence,
    )


def _approved(case: Case) -> Answer:
    if case.rejections:
        return failed(
            f"rejected: {case.rejections[0].why.rstrip('.')}",
            "Make it again, or have the same person approve it.",
            (one.id for one in case.rejections),
            missing=REJECTED,
        )
    if case.approvals:
        return passed("approved, by hash", (one.id for one in case.approvals))
    command = f'falsework approve {case.argument} --by "NAME" --role "ROLE" --reason "WHY"'
    return unknown(
        "what is generated in this cut has not been approved",
        f"A person looks at it and runs `{command}`.",
        (one.id for one in (*case.misdated, *case.voided)),
        missing=APPROVAL,
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
        answer = failed(
            f'a prompt names "{named[0]}"',
            f"Generate it anew without that, or have a person judge it: {review}.",
            evidence,
        )
        return replace(answer, about=(*evidence, *(BY_NAME + name.casefold() for name in named)))
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
    declared_use, no_copies, tools, final_cut, training_and_inputs, key_visuals, replica_consent, real_events,
)  # fmt: skip
