"""European Union: Articles 50 and 53 of the AI Act, Article 4 of the copyright directive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from falsework.rights.case import Case, Told
from falsework.rights.rules.grounds import no_models, no_published_models
from falsework.rights.rules.rule import (
    Answer,
    declare,
    failed,
    not_applicable,
    passed,
    rule,
    together,
    unknown,
)

__all__ = ["RULES"]

SIGNING = "signing"  # what the delivery itself supplies


@rule(
    "EU-50.2",
    pack="eu",
    text="Synthetic output carries a mark that machines can read: signed metadata and a watermark.",
    source="Regulation (EU) 2024/1689, Article 50(2); code of practice on marking; that open "
    "source is not exempt: from memory (R)",
    grade="S",
    readers=("lawyer",),
    in_force=date(2026, 8, 2),
)
def marked(case: Case) -> Answer:
    # Every delivery is marked, with a trained model in it or not: nobody has to argue about what counts.
    if case.marked is True:
        return passed("the credential and the mark were read back from the delivery", (case.subject,))
    if case.marked is False:
        return failed(
            "the delivery carries no credential or no mark",
            f"Deliver it with `falsework deliver {case.argument}`; let nothing rewrite the files after.",
            (case.subject,),
        )
    return unknown(
        "nothing has been signed yet",
        f"`falsework deliver {case.argument}` signs and marks it, and reads both back.",
        (case.subject,),
        missing=SIGNING,
    )


@rule(
    "EU-50.4",
    pack="eu",
    text="What resembles existing people, places or events and could pass for real is disclosed; an "
    "evidently artistic work does so without hampering its enjoyment.",
    source="Regulation (EU) 2024/1689, Article 50(4)",
    grade="S",
    readers=("lawyer", "producer"),
    in_force=date(2026, 8, 2),
)
def deep_fakes(case: Case) -> Answer:
    shown = [case.fact(f"depicts_real_{what}") for what in ("place", "person", "event")]
    open_ = [told for told in shown if not told.yes and not told.no]
    yes = [told for told in shown if told.yes]
    # One yes says nothing of the others: each is declared.
    parts = [declare(*open_, meaning="whether it shows existing places, people or events")] if open_ else []
    if yes:
        parts.append(_disclosed(case, yes))
    return (
        together(parts)
        if parts
        else not_applicable(
            "no existing place, person or event, as declared",
            (item for told in shown for item in told.evidence),
        )
    )


def _disclosed(case: Case, yes: Sequence[Told]) -> Answer:
    artistic, credit = case.fact("evidently_artistic"), case.fact("disclosure")
    visible = case.fact("disclosure_visible")
    evidence = tuple(item for told in (*yes, artistic, credit, visible) for item in told.evidence)
    what = " and ".join(told.name.removeprefix("depicts_").replace("_", " ") for told in yes)
    if not artistic.yes and not artistic.no:
        return declare(artistic, meaning="whether the work is evidently artistic")
    if not credit.text:
        return unknown(
            f"it shows a {what}, and no words of disclosure are on record",
            'Have a named person declare disclosure = "THE CREDIT LINE" under [declared.facts] in '
            "production.toml.",
            evidence,
        )
    if artistic.no and not visible.yes:
        return failed(
            "not evidently artistic, and the disclosure is not seen when it is first shown",
            "Show it then, and declare disclosure_visible = true in production.toml.",
            evidence,
        )
    return passed(f'a {what}, disclosed: "{credit.text}"', evidence)


@rule(
    "EU-53",
    pack="eu",
    text="Who publishes a general-purpose model has a copyright policy and a summary of what trained it.",
    source="Regulation (EU) 2024/1689, Article 53(1)(c) and (d)",
    grade="S",
    readers=("lawyer",),
    in_force=date(2025, 8, 2),
)
def general_purpose(case: Case) -> Answer:
    private = no_published_models(case)
    if private is not None:
        return private
    parts = []
    for model in case.models:
        general = case.asset_fact(model, "general_purpose")
        if general.no:
            parts.append(
                not_applicable(f'"{case.name(model)}" has one purpose, as declared', general.evidence)
            )
            continue
        policy, summary = (
            case.asset_fact(model, "copyright_policy"),
            case.asset_fact(model, "training_summary"),
        )
        evidence = (model, *policy.evidence, *summary.evidence)
        none = [told for told in (policy, summary) if told.no]
        if none:
            what = " and no ".join(told.name.replace("_", " ") for told in none)
            parts.append(
                failed(
                    f'"{case.name(model)}" is made public with no {what}, as declared',
                    "Write and publish what is missing, or keep the model private; then correct its "
                    "[[ingredients]].",
                    evidence,
                )
            )
        elif policy.text and summary.text:
            parts.append(passed(f'"{case.name(model)}" has its policy and summary', evidence))
        else:
            parts.append(
                unknown(
                    f'"{case.name(model)}" is made public without a copyright policy and a training summary',
                    "Add both: [[ingredients]] files = [...], "
                    "facts = { copyright_policy = FILE, training_summary = FILE }.",
                    evidence,
                )
            )
    return together(parts)


@rule(
    "DSM-4",
    pack="eu",
    text="Nothing is mined whose owner reserved it in a form machines can read.",
    source="Directive (EU) 2019/790, Article 4(3); OLG Hamburg 5 U 104/24 (appeal pending)",
    grade="S",
    readers=("lawyer",),
    in_force=date(2021, 6, 7),
)
def mining(case: Case) -> Answer:
    untouched = no_models(case)
    if untouched is not None:
        return untouched
    parts = []
    for model in case.all_models:
        samples = case.samples(model)
        if not samples:
            scraped = case.asset_fact(model, "scraped")
            if scraped.no:
                words = f'nothing scraped trained "{case.name(model)}", as declared'
                parts.append(not_applicable(words, scraped.evidence))
            else:
                parts.append(
                    unknown(
                        f'nobody knows what "{case.name(model)}" was trained on',
                        "Record its training, or declare it: [[ingredients]] facts = { scraped = false }.",
                        (model,),
                    )
                )
        parts += [_mined(case, sample) for sample in samples]
    return together(parts)


def _mined(case: Case, sample: str) -> Answer:
    scraped, name = case.asset_fact(sample, "scraped"), f'"{case.name(sample)}"'
    granted = case.covered(sample, ["train"])
    if granted.outcome == "pass":
        return not_applicable("every sample has a grant for training", (sample, *granted.evidence))
    if scraped.no:
        return not_applicable(f"{name} was not scraped, as declared", (sample, *scraped.evidence))
    if not scraped.yes:
        return unknown(
            f"nobody has declared whether {name} was scraped",
            "Declare it: [[ingredients]] files = [...], facts = { scraped = false }.",
            (sample,),
        )
    reserved, snapshot = case.asset_fact(sample, "tdm_opt_out"), case.asset_fact(sample, "tdm_snapshot")
    evidence = (sample, *scraped.evidence, *reserved.evidence, *snapshot.evidence)
    if reserved.yes:
        return failed(f"the owner of {name} reserved it", "Train again without it.", evidence)
    if not snapshot.text:
        return failed(
            f"{name} was scraped, without a snapshot of what its site reserved",
            "Train again without it, or add the snapshot of that day: facts = { tdm_snapshot = FILE }.",
            evidence,
        )
    if not reserved.no:
        return unknown(
            f"what the snapshot for {name} says is not on record",
            "Read it and declare tdm_opt_out = true or false for the file.",
            evidence,
        )
    return passed("scraped where nothing was reserved, by snapshot", evidence)


RULES = (marked, deep_fakes, general_purpose, mining)
