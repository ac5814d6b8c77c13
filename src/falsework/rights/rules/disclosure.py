"""What warns and does not block: the Copyright Office on authorship, award and broadcaster disclosure."""

from __future__ import annotations

from falsework.rights.case import Case
from falsework.rights.rules.grounds import no_models
from falsework.rights.rules.rule import APPROVAL, Answer, declare, failed, passed, rule, unknown

__all__ = ["RULES"]


@rule(
    "USCO",
    pack="copyright",
    text="Prompts alone are no authorship: what people chose and changed is logged, so that the work can be "
    "protected. Copying for training is prima facie infringement.",
    source="US Copyright Office, Copyright and Artificial Intelligence, parts 2 and 3",
    grade="S",
    readers=("lawyer", "producer"),
    effect="warns",
)
def authorship(case: Case) -> Answer:
    untouched = no_models(case)
    if untouched is not None:
        return untouched
    log = case.fact("human_authorship")
    edits = [
        one
        for one in case.activities
        if one.type in ("edit", "paint", "comp") and not one.models and one.agent in case.state.parties
    ]
    if log.text or edits:
        return passed("human choices and edits are logged", (*log.evidence, *(one.id for one in edits)))
    if any(one.agent in case.state.parties for one in case.activities):
        return unknown(
            "named people worked on it, but what they chose and changed is not logged",
            'Keep the log, and declare human_authorship = "WHERE IT IS" in production.toml.',
            case.models,
        )
    return failed(
        "no human choice or edit is on record: what models made may be nobody's",
        'Keep a log of human edits, and declare human_authorship = "WHERE IT IS" in production.toml.',
        case.models,
    )


@rule(
    "AWD-1",
    pack="awards",
    text="Awards and broadcasters ask for disclosure on request, and for people in charge.",
    source="Academy (99th), Television Academy, BBC guidance",
    grade="S",
    readers=("producer",),
    effect="warns",
)
def awards(case: Case) -> Answer:
    used = case.fact("generative_ai")
    if not used.yes and not used.no:
        return declare(used, meaning="whether generative AI was used, ingredients included")
    if used.no and case.generative_models:
        return failed(
            "declared: no generative AI; the records name a model",
            "Correct generative_ai in production.toml before anything is disclosed.",
            (*used.evidence, *case.generative_models),
        )
    if not case.approvals:
        return unknown(
            "nobody is on record as in charge of this cut",
            f"An approval puts a name to it: `falsework approve {case.argument}`.",
            used.evidence,
            missing=APPROVAL,
        )
    return passed(
        "what was used is declared, and who is in charge",
        (*used.evidence, *(one.id for one in case.approvals)),
    )


RULES = (authorship, awards)
