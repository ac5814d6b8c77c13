"""What several rules ask first: did a model touch it, is there a replica, what does a consent say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from falsework.rights.case import Case
from falsework.rights.records import Activity, Asset, Fact, Grant
from falsework.rights.rules.rule import Answer, declare, failed, not_applicable, passed, unknown

__all__ = [
    "Term",
    "agreement",
    "needed_uses",
    "no_models",
    "no_published_models",
    "no_replica",
    "prompt_names",
    "replicas",
    "told_who_read",
    "with_prompts",
]


def no_models(case: Case) -> Answer | None:
    """The answer where no trained model touched the cut, or where that is not clear; None where one did."""
    if case.models:
        return None
    declared = case.fact("generative_ai")
    if declared.yes:
        return unknown(
            "generative AI is declared, but no activity on record names a model",
            'Put the model and the step that used it on record: [[assets]] type = "model" and [[activities]] '
            "with models, in production.toml; or correct generative_ai there.",
            declared.evidence,
        )
    steps = case.without_models
    if steps:
        read = (one.id for one in case.readings)
        also = "; a language model read the brief and made no picture" if case.readings else ""
        words = f"no trained model touched it: no step on record used one{also}"
        if case.vouched_steps:
            words += "; of steps that do not say so, as declared"
            return not_applicable(words, (*steps, *read, *declared.evidence))
        return not_applicable(words, (*steps, *read))
    silent = case.silent_steps
    if silent and not case.lineage.unexplained and not with_prompts(case):
        by_word = "; or declare generative_ai = false under [declared.facts]"
        return unknown(
            f'nobody says whether the step "{silent[0].type}" in "{silent[0].tool}" used a trained model',
            "Say so in its [[activities]]: models = [] where it used none, its files under models, or "
            f'hosted_models = ["NAME VERSION"]{by_word if silent[0].offline is True else ""}.',
            (one.id for one in silent),
        )
    return unknown(
        "whether a model touched it does not follow from the records",
        f"Make the shot again with `falsework make {case.argument}`, which records every step and its model.",
        case.lineage.unexplained or tuple(one.id for one in with_prompts(case)) or (case.subject,),
    )


def told_who_read(case: Case) -> Answer | None:
    """Whether the buyer was told of the language models that read the brief; None where none did.

    `generative_ai` is declared of what is seen; a reading stands beside it. One whose answer was not used had
    no part in the work.
    """
    readings = [one for one in case.readings if one.parameters.get("answer_used") is not False]
    if not readings:
        return None
    notices = case.notices("NFX-1")
    told = {asset for notice in notices for asset in notice.saw}
    evidence = (*(one.id for one in readings), *(one.id for one in notices))
    for step in readings:
        model = f'the language model "{step.version}" at {step.tool}'
        if not told.intersection(step.generated):
            return failed(
                f"{model} read the brief, and no dated notice names it",
                "Send the notice and add it: [[notices]] by, to, sent = DATE, "
                f"models = {json.dumps(step.generated)}.",
                evidence,
            )
    return passed("the language model that read the brief is in a dated notice", evidence)


def no_published_models(case: Case) -> Answer | None:
    """The answer where no model that touched the cut is made public, or that is not clear; None otherwise."""
    untouched = no_models(case)
    if untouched is not None:
        return untouched
    published = case.fact("publishes_model")
    if published.no:
        return not_applicable("no model is made public, as declared", published.evidence)
    if not published.yes:
        return declare(published, meaning="whether a model is made public")
    return None


def needed_uses(case: Case) -> dict[str, list[str]]:
    """What has to be granted for which uses: all from outside, models, and what those were trained on."""
    uses = ["adapt", *(["commercial"] if case.production.commercial else [])]
    models = [one for one in case.all_models if not case.made_here(one)]
    samples = {sample for model in case.all_models for sample in case.samples(model)}
    found = {}
    for asset in dict.fromkeys((*case.lineage.outside, *models, *sorted(samples))):
        record = case.state.assets.get(asset)
        needed = uses
        if record is not None and record.type in ("model", "script"):
            needed = ["use", *uses[1:]]
        elif record is not None and record.type == "replica":
            needed = ["replica"]
        if asset in samples:
            needed = ["train", *(needed if asset in case.lineage.outside else ())]
        found[asset] = needed
    return found


def with_prompts(case: Case) -> tuple[Activity, ...]:
    return tuple(one for one in case.activities if one.prompt.strip())


def replicas(case: Case) -> tuple[Asset, ...]:
    """Digital replicas in the cut: recorded as such, models of one talent, and what models learnt from."""
    talents = (
        case.state.assets[one]
        for one in case.models
        if one in case.state.assets and case.asset_fact(one, "talent").yes
    )
    learnt = (
        case.state.assets[one]
        for model in case.all_models
        for one in case.state.ancestors(model)
        if one in case.state.assets and case.state.assets[one].type == "replica"
    )
    found = (*case.of_type("replica"), *talents, *learnt)
    return tuple({one.id: one for one in found}.values())


def no_replica(case: Case) -> Answer | None:
    """The answer where the cut holds no replica, or where that is not clear; None where it holds one."""
    if replicas(case):
        return None
    declared, seen = case.fact("digital_replica"), case.fact("depicts_performer")
    if declared.yes:
        return unknown(
            "a digital replica is declared, but none is on record",
            'Put it on record in production.toml: [[assets]] type = "replica", the [[activities]] that '
            "used it, and the performer's consent as [[grants]].",
            declared.evidence,
        )
    if declared.no:
        return not_applicable("no digital replica, as declared", declared.evidence)
    if seen.no:
        return not_applicable("no performer can be recognised, as declared", seen.evidence)
    return declare(declared, meaning="whether a performer is recreated or altered digitally")


@dataclass(frozen=True)
class Term:
    """Something an agreement must say: its name in `Grant.terms`, when it is met, and words for it."""

    name: str
    words: str
    meets: Callable[[Fact], bool] = lambda value: value is True

    @staticmethod
    def text(name: str, words: str) -> Term:
        return Term(name, words, lambda value: isinstance(value, str) and bool(value.strip()))

    @staticmethod
    def hours(name: str, words: str, least: float) -> Term:
        return Term(
            name,
            words,
            lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value >= least,
        )


def agreement(
    case: Case,
    asset: str,
    uses: Sequence[str],
    terms: Sequence[Term] = (),
    *,
    types: Sequence[Literal["licence", "consent", "approval"]] = ("consent",),
    document: bool = False,
) -> Answer:
    """Whether an agreement of these types covers the asset for these uses and says all of the terms.

    document   the text that was agreed to must be on record, by its hash as a file that lay here
    """
    name, word = f'"{case.name(asset)}"', types[0]
    found = case.covered(asset, uses, types=types)

    def absent(grant: Grant) -> list[str]:
        missing = [term.words for term in terms if term.name not in grant.terms]
        unwritten = document and not case.has_text(grant.document)
        return missing + (["the text that was agreed to"] if unwritten else [])

    def wrong(grant: Grant) -> list[str]:
        given = [term for term in terms if term.name in grant.terms]
        return [term.words for term in given if not term.meets(grant.terms[term.name])]

    listed = ", ".join(f'"{use}"' for use in uses)
    wanted = "".join(f", {term.name} = ..." for term in terms).removeprefix(", ")
    remedy = (
        f'Add it to production.toml: [[grants]] type = "{word}", files = [...], uses = [{listed}]'
        + (", document = FILE" if document else "")
        + (f", terms = {{ {wanted} }}." if wanted else ".")
    )
    if found.outcome == "unknown":
        said = "; ".join(found.reasons) if found.evidence else f"no {word} for {name} is on record"
        others = [one for one in case.state.grants_for(asset) if one.type in types]
        if not found.evidence and others:  # all that there is are consents that nobody could give
            by = ", ".join(dict.fromkeys(one.given_by.removeprefix("party:") for one in others))
            said = f"the {word} for {name} by {by} is not by its performer, nor by who speaks for one"
            remedy += (
                " Its giver is the performer, or has terms = { represented = true } or { estate = true }; "
                "who owns or made what is in the picture needs the agreed text besides: document = FILE."
            )
            if not case.performer(asset):
                said = f"nobody has declared whose likeness {name} is, so no {word} counts"
                remedy = 'Declare it: [[ingredients]] files = [...], facts = { performer = "PARTY" }.'
        return unknown(said, found.remedy or remedy, (asset, *found.evidence))
    if found.outcome == "fail":
        return failed(f"{name}: {'; '.join(found.reasons)}", remedy, (asset, *found.evidence))
    # The terms have to stand in what covers it: not in a consent to something else, or for elsewhere.
    full = case.covered(asset, uses, types=types, only=lambda grant: not absent(grant) and not wrong(grant))
    if full.outcome == "pass":
        givers = " and ".join(dict.fromkeys(one.given_by.removeprefix("party:") for one in full.holding))
        return passed(f"{word} for {name} by {givers}", (asset, *(one.id for one in full.holding)))
    answers = []
    for grant in found.holding:
        if not {*uses, "any"} & set(grant.uses):
            continue
        if wrong(grant):
            said = f"the {word} for {name} does not give {' and '.join(wrong(grant))}"
            answers.append(failed(said, remedy, (asset, grant.id)))
        elif absent(grant):
            said = f"the {word} for {name} does not say {' and '.join(absent(grant))}"
            answers.append(unknown(said, remedy, (asset, grant.id)))
    # One open question is closer to an answer than one answered badly.
    return next((answer for answer in answers if answer.outcome == "unknown"), answers[0])


# Words with which prompts borrow from somebody's work.
_BORROWED = re.compile(
    r"\b(in the (?:style|manner|vein) of|inspired by|after the (?:film|painting|photograph)|à la|"
    r"as (?:painted|shot|directed|photographed|drawn) by|look of the (?:film|movie|series))\b[^.,;]*",
    re.IGNORECASE,
)


def prompt_names(case: Case, prompt: str) -> tuple[str, ...]:
    """What a prompt borrows: names the production protects or employs, and phrases such as "in the style of".

    It knows no other names; a person's review covers those.
    """
    names = [*case.production.protected.names]
    names += [party.name for party in case.state.parties.values() if party.type == "person"]
    for asset in case.state.assets.values():
        if asset.type in ("protected", "replica"):
            names += [asset.name, asset.creator]
    found = [
        name
        for name in names
        if name.strip() and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", prompt, re.IGNORECASE)
    ]
    found += [match.group(0).strip() for match in _BORROWED.finditer(prompt)]
    return tuple(dict.fromkeys(found))
