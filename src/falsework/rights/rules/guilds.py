"""The guilds' and unions' agreements: WGA, SAG-AFTRA, the Interactive Media Agreement, DGA, IATSE.

All from secondary sources; a production under one of them has its business affairs read the original.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from falsework.rights.case import Case
from falsework.rights.records import Activity, Decision
from falsework.rights.rules.grounds import Term, agreement, no_models, no_replica, replicas, with_prompts
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


@rule(
    "WGA-1",
    pack="wga",
    text="A model is no writer: what it wrote is not literary material, is disclosed, and nobody is made to "
    "use it.",
    source="WGA Minimum Basic Agreement, Article 72",
    grade="S",
    readers=("union", "producer"),
    in_force=date(2023, 9, 25),
)
def writers(case: Case) -> Answer:
    scripts = case.of_type("script")
    written, used = case.fact("ai_written_script"), case.fact("literary_material")
    for script in scripts:
        # What it was written from counts, too: a draft by a model that a person typed anew.
        steps = [
            one for one in case.state.history(script.id) if one.models or one.prompt or _fed_model(case, one)
        ]
        if steps:
            return failed(
                f'a model wrote or changed "{script.name}"',
                "Use the text as its authors wrote it.",
                (script.id, *(one.id for one in steps)),
            )
    if written.yes:
        return failed(
            "declared: a model wrote or rewrote the script",
            "Have the writers write it; correct ai_written_script in production.toml.",
            written.evidence,
        )
    if not scripts and used.no:
        return not_applicable("no literary material is used, as declared", used.evidence)
    if not written.no:
        return declare(written, meaning="whether a model wrote any of the script")
    nameless = [script for script in scripts if not script.creator.strip()]
    if nameless:
        return unknown(
            f'the authors of "{nameless[0].name}" are not on record',
            "Name them where the script is recorded.",
            [script.id for script in nameless],
        )
    parts = [
        passed("written by people, as declared", (*written.evidence, *(script.id for script in scripts)))
    ]
    for name, good, meaning in (
        ("ai_material_disclosed", True, "whether AI material that writers were given was disclosed to them"),
        ("writers_made_to_use_ai", False, "whether a writer was made to use AI"),
    ):
        told = case.fact(name)
        if told.value is good:
            parts.append(passed("disclosed, and nobody made to use it, as declared", told.evidence))
        elif told.yes or told.no:
            parts.append(
                failed(
                    f"declared: {name} = {str(told.value).lower()}",
                    "Settle it with the writers and their guild, then correct production.toml.",
                    told.evidence,
                )
            )
        else:
            parts.append(declare(told, meaning=meaning))
    return together(parts)


def _fed_model(case: Case, step: Activity) -> bool:
    used = (case.state.assets.get(one) for one in step.used)
    return any(asset is not None and asset.type == "model" for asset in used)


@rule(
    "GLD-2",
    pack="wga",
    text="Who licenses covered material to train commercial AI gives the guild notice and bargains.",
    source="WGA 2026; SAG-AFTRA 2026, section 39.L; DGA",
    grade="S",
    readers=("union", "lawyer"),
)
def training_notice(case: Case) -> Answer:
    licensed = case.fact("covered_material_for_training")
    exported = [
        activity
        for activity in case.state.activities.values()
        if activity.type in ("training", "export for training")
        and any(case.asset_fact(one, "covered").yes for one in activity.used)
    ]
    if not licensed.yes and not exported:
        if licensed.no:
            return not_applicable("no covered material goes into training, as declared", licensed.evidence)
        return declare(licensed, meaning="whether covered material is licensed to train commercial AI")
    notices = case.notices("GLD-2")
    evidence = (*licensed.evidence, *(one.id for one in exported), *(one.id for one in notices))
    untold = [
        name
        for guild, name in _NOTIFIED.items()
        if guild in case.production.guilds and not _told(notices, name)
    ]
    bargained = [one for one in case.reviews("GLD-2") if "bargained" in one.facts]
    evidence = (*evidence, *(one.id for one in bargained))
    if not untold and any(one.facts["bargained"] is not True for one in bargained):
        return failed(
            "covered material goes into training, and was not bargained over",
            'Bargain, then correct [[reviews]] about = "GLD-2", facts = { bargained = true }.',
            evidence,
        )
    if not untold and not bargained:
        return unknown(
            "each guild was given notice, and that it was bargained over is not on record",
            'Add [[reviews]] about = "GLD-2", facts = { bargained = true }.',
            evidence,
        )
    if not untold:
        return passed("each guild was given notice, and terms were bargained", evidence)
    return failed(
        f"covered material goes into training, and no notice to {' and '.join(untold)} is on record",
        f'Give notice and add it: [[notices]] about = "GLD-2", to = "{untold[0]}", sent = DATE.',
        evidence,
    )


# Guilds that are told of training, by pack, as a notice's `to` has to name them.
_NOTIFIED = {"wga": "WGA", "sag-aftra": "SAG-AFTRA", "dga": "DGA"}


def _told(notices: Sequence[Decision], guild: str) -> bool:
    """Whether one of the notices went to this guild: its name stands in `to`, as a word."""
    name = re.compile(rf"(?<![\w-]){re.escape(guild)}(?![\w-])", re.IGNORECASE)
    return any(name.search(str(one.facts.get("notice_to", ""))) for one in notices)


_CLEAR = (
    Term("specific", "a clear and specific description of the use"),
    Term.text("business_reason", "the business reason"),
    Term.text("payment", "a payment reference"),
)
_CONSPICUOUS = Term("conspicuous", "that the consent is clear and conspicuous")
_SCAN = Term.hours("notice_hours", "48 hours' notice of the scan", 48)


def _performers(case: Case, uses: Sequence[str], *more: Term) -> Answer:
    """Consent, payment and no strike, for every replica."""
    strike = case.fact("strike")
    parts = []
    if strike.yes:
        parts.append(
            failed(
                "performers are on strike: replicas rest",
                "Wait for its end, then correct strike in production.toml.",
                strike.evidence,
            )
        )
    elif not strike.no:
        parts.append(declare(strike, meaning="whether performers are on strike"))
    for one in replicas(case):
        scanned = case.asset_fact(one.id, "scanned")
        terms = (*_CLEAR, *more, *(() if scanned.no else (_SCAN,)))
        parts.append(agreement(case, one.id, uses, terms))
    return together(parts)


@rule(
    "SAG-1",
    pack="sag-aftra",
    text="A replica needs clear, conspicuous and specific consent, 48 hours' notice of scans, a business "
    "reason and pay, and rests in strikes.",
    source="SAG-AFTRA TV/Theatrical 2023; 2026, section 39",
    grade="S",
    readers=("union", "lawyer"),
    in_force=date(2023, 11, 9),
)
def performers(case: Case) -> Answer:
    return no_replica(case) or _performers(case, ["replica"], _CONSPICUOUS)


@rule(
    "SAG-2",
    pack="sag-aftra",
    text="A synthetic performer in a human part needs notice to the union, and bargaining.",
    source="SAG-AFTRA 2026, section 39.K",
    grade="S",
    readers=("union",),
)
def synthetic_performers(case: Case) -> Answer:
    declared = case.fact("synthetic_performer")
    generated = [one for one in case.lineage.assets if case.asset_fact(one, "generated_human").yes]
    if not generated and declared.no:
        return not_applicable("no generated human plays a part, as declared", declared.evidence)
    if not declared.yes and not declared.no:
        return declare(declared, meaning="whether a generated human plays a part")
    if declared.no:  # a generated human who plays no part (a figure in the distance), as a person declared
        return passed("generated humans play no part, as declared", (*declared.evidence, *generated))
    notices = [one for one in case.notices("SAG-2") if _told([one], "SAG-AFTRA")]
    bargained = [one for one in case.reviews("SAG-2") if one.facts.get("bargained") is True]
    evidence = (*declared.evidence, *(one.id for one in (*notices, *bargained)))
    if notices and bargained:
        return passed("notice was given and terms were bargained", evidence)
    return failed(
        "a synthetic performer, without notice and bargaining on record",
        'Add [[notices]] about = "SAG-2", to = "SAG-AFTRA" and [[reviews]] about = "SAG-2", '
        "facts = { bargained = true }.",
        evidence,
    )


@rule(
    "SAG-3",
    pack="sag-aftra",
    text="Access to replicas is limited and logged; whoever receives one takes over the duties.",
    source="SAG-AFTRA 2026, sections 39.H and 39.I",
    grade="S",
    readers=("union",),
)
def replica_access(case: Case) -> Answer:
    none = no_replica(case)
    if none is not None:
        return none
    parts = []
    for one in replicas(case):
        nameless = [step for step in case.state.used_by(one.id) if step.agent not in case.state.parties]
        log = case.asset_fact(one.id, "access_log")
        moved = [step for step in case.state.used_by(one.id) if step.type in ("export", "transfer")]
        if nameless:
            parts.append(
                failed(
                    f'"{one.name}" was used by nobody named, in the step "{nameless[0].type}"',
                    "Run it again as a named person, who is in [[parties]].",
                    (one.id, *(step.id for step in nameless)),
                )
            )
        elif not log.text:
            parts.append(
                unknown(
                    f'who could reach "{one.name}" is not on record',
                    "Add the log: [[ingredients]] files = [...], facts = { access_log = FILE }.",
                    (one.id,),
                )
            )
        elif moved:
            parts.append(
                agreement(
                    case, one.id, ["replica"], (Term("transfer", "that the receiver takes over the duties"),)
                )
            )
        else:
            parts.append(passed(f'access to "{one.name}" is logged', (one.id, *log.evidence)))
    return together(parts)


@rule(
    "IMA-1",
    pack="interactive",
    text="Interactive use needs its own informed consent each time, and rests in strikes.",
    source="SAG-AFTRA Interactive Media Agreement 2025",
    grade="S",
    readers=("union", "lawyer"),
    in_force=date(2025, 7, 9),
)
def interactive(case: Case) -> Answer:
    reused = case.fact("interactive")
    if reused.no:
        return not_applicable("no interactive use, as declared", reused.evidence)
    if not reused.yes:
        return declare(reused, meaning="whether it is used in an interactive work")
    return no_replica(case) or _performers(case, ["interactive"])


@rule(
    "DGA-1",
    pack="dga",
    text="AI is disclosed when the director is hired, and the director is consulted.",
    source="DGA Basic Agreement",
    grade="S",
    readers=("union", "producer"),
    in_force=date(2023, 7, 1),
)
def director(case: Case) -> Answer:
    untouched = no_models(case)
    if untouched is not None:
        return untouched
    parts = []
    for name, meaning in (
        ("director_consulted", "whether the director was consulted"),
        ("ai_disclosed_at_hiring", "whether AI was disclosed at hiring"),
    ):
        told = case.fact(name)
        if told.yes:
            parts.append(passed("disclosed and consulted, as declared", told.evidence))
        elif told.no:
            parts.append(
                failed(
                    f"declared: {name} = false",
                    f"Do it, then declare {name} = true in production.toml.",
                    told.evidence,
                )
            )
        else:
            parts.append(declare(told, meaning=meaning))
    return together(parts)


@rule(
    "IAT-1",
    pack="iatse",
    text="No prompt displaces crew; the crew is told and consulted; a named person runs every model; scans "
    "have their own consent.",
    source="IATSE Basic Agreement 2024; Animation Guild 2024",
    grade="S",
    readers=("union", "producer"),
    in_force=date(2024, 8, 1),
)
def crew(case: Case) -> Answer:
    untouched = no_models(case)
    if untouched is not None:
        return untouched
    parts = []
    runs = {step.id: step for step in (*(one for one in case.activities if one.models), *with_prompts(case))}
    for step in runs.values():
        person = case.state.parties.get(step.agent)
        if person is None or person.type != "person":
            parts.append(
                failed(
                    f'no named person ran the model in the step "{step.type}"',
                    "Run it again as a named person, who is in [[parties]].",
                    (step.id,),
                )
            )
    notified, displaced = case.fact("crew_notified"), case.fact("prompts_displace_crew")
    consulted = case.fact("crew_consulted")
    for told, good, meaning in (
        (notified, notified.yes, "whether the crew was told"),
        (consulted, consulted.yes, "whether the crew was consulted"),
        (displaced, displaced.no, "whether prompts displace crew"),
    ):
        if good:
            parts.append(passed("named operators, crew told, nobody displaced", told.evidence))
        elif told.yes or told.no:
            parts.append(
                failed(
                    f"declared: {told.name} = {str(told.value).lower()}",
                    "Settle it with the crew's union, then correct production.toml.",
                    told.evidence,
                )
            )
        else:
            parts.append(declare(told, meaning=meaning))
    for one in replicas(case):
        if not case.asset_fact(one.id, "scanned").no:
            parts.append(agreement(case, one.id, ["scan"]))
    return together(parts)


RULES = (
    writers, training_notice, performers, synthetic_performers, replica_access, interactive, director, crew,
)  # fmt: skip
