"""What a cut came from, for the clearance report: ingredients, steps, AI pixels, what the copy audit met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from falsework.rights.case import Case
from falsework.rights.copy_findings import RULE as AUDIT
from falsework.rights.records import Activity, Fact, Finding, Outcome
from falsework.rights.report_lines import party_name

__all__ = [
    "AI_PIXELS",
    "AiPixels",
    "Ingredient",
    "Match",
    "Nearest",
    "Step",
    "ai_pixels",
    "compared",
    "copy_audit",
    "ingredients",
    "matches",
    "nearest",
    "steps",
]

AI_PIXELS = "ai_pixels"  # of an activity's parameters: frame's name to share (0..1) of pixels a model made


@dataclass(frozen=True)
class AiPixels:
    """Share of each frame's pixels that a trained model made, 0..1; None where the records do not tell."""

    frames: dict[str, float | None]
    words: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Ingredient:
    """An asset in the cut's line: what made it, of what, and which grants name it.

    origin   "outside": brought in; "made": a step on record made it; "unexplained": neither is on record
    """

    id: str
    name: str
    type: str
    origin: Literal["outside", "made", "unexplained"]
    path: str
    creator: str
    source: str
    facts: dict[str, Fact]
    made_by: tuple[str, ...]
    made_of: tuple[str, ...]
    grants: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """An activity in the cut's line. `offline` None where nobody knows whether data left the machine; `note`
    says what a language model had to do with it."""

    id: str
    type: str
    tool: str
    version: str
    by: str
    used: tuple[str, ...]
    generated: tuple[str, ...]
    models: tuple[str, ...]
    prompt: str
    seed: int | None
    offline: bool | None
    ended: str
    terms: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Match:
    """Something the copy audit found or could not judge; figures of the gravest frame."""

    finding: str
    outcome: Outcome
    words: str
    remedy: str
    sample: str
    asset: str
    frame: str
    frames: tuple[str, ...]
    distance: int | None
    points: int | None
    symmetry: str
    outline: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Nearest:
    """A frame and a sample that came near each other without being found to be copies (`copy_findings`)."""

    frame: str
    sample: str
    asset: str
    group: str
    distance: int | None
    points: int | None
    symmetry: str
    relation: str
    input: str


def ai_pixels(case: Case, frames: Iterable[str]) -> AiPixels:
    """The share of AI pixels in each frame, as it follows from the records.

    0 follows only where no step that led to the cut used a trained model or was given a prompt, and nobody
    declares otherwise. Where models touched it, each step that used one has to say for each frame what it
    made, in its parameters: `ai_pixels = {frame: share}`. Steps add up, to 1 at most: never too little.
    """
    names = list(frames)
    open_ = dict[str, float | None].fromkeys(names)
    declared = case.fact("generative_ai")
    if not case.models:
        if declared.yes:
            words = "Not known: generative AI is declared, but no step on record names a model."
            return AiPixels(open_, words, declared.evidence)
        steps = case.without_models
        if not steps:
            words = "Not known: the records do not show every step, or hold a prompt without its model."
            return AiPixels(open_, words, (case.subject,))
        count = "the one step on record" if len(steps) == 1 else f"all {len(steps)} steps on record"
        words = f"Computed from the records: {count} that led here used no trained model and no prompt."
        if case.readings:
            words += " A language model was sent the brief; it made no pixel."
        return AiPixels(dict.fromkeys(names, 0.0), words, (*steps, *(one.id for one in case.readings)))
    touched = [step for step in case.activities if step.models or step.prompt.strip()]
    shares = {name: _shares(touched, name) for name in names}
    evidence = (*(step.id for step in touched), *case.models)
    if any(share is None for share in shares.values()):
        words = "Trained models touched it; the share is not known where the steps did not measure it."
    else:
        words = "As the steps that used trained models measured it, added up."
    return AiPixels(shares, words, evidence)


def _shares(steps: Iterable[Activity], frame: str) -> float | None:
    total = 0.0
    for step in steps:
        measured = step.parameters.get(AI_PIXELS)
        share = measured.get(frame) if isinstance(measured, Mapping) else None
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            return None
        total += share
    return min(total, 1.0)


def ingredients(case: Case) -> tuple[Ingredient, ...]:
    """The cut, everything it was made from (training aside), and its models."""
    lines = []
    outside, lost = set(case.lineage.outside), set(case.lineage.unexplained)
    for one in dict.fromkeys((*case.lineage.assets, *case.all_models)):
        asset = case.state.assets.get(one)
        makers = case.state.made_by(one)
        fed = dict.fromkeys(used for step in makers for used in step.used if used != one)
        origin: Literal["outside", "made", "unexplained"] = "made"
        if one in lost or asset is None:
            origin = "unexplained"
        elif one in outside or not fed:
            origin = "outside"
        lines.append(
            Ingredient(
                id=one,
                name=case.name(one),
                type=asset.type if asset else "",
                origin=origin,
                path=asset.path if asset else "",
                creator=party_name(case, asset.creator) if asset else "",
                source=asset.source if asset else "",
                facts=dict(asset.facts) if asset else {},
                made_by=tuple(step.id for step in makers),
                made_of=tuple(fed),
                grants=tuple(grant.id for grant in case.state.grants_for(one)),
            )
        )
    return tuple(lines)


def steps(case: Case) -> tuple[Step, ...]:
    return tuple(
        Step(
            id=one.id,
            type=one.type,
            tool=one.tool,
            version=one.version,
            by=party_name(case, one.agent),
            used=one.used,
            generated=one.generated,
            models=one.models,
            prompt=one.prompt,
            seed=one.seed,
            offline=one.offline,
            ended=one.ended.isoformat() if one.ended else "",
            terms=tuple(grant.id for grant in case.tools(one)),
            note=_read(one) if one in case.readings else "",
        )
        for one in case.activities
    )


def _read(step: Activity) -> str:
    """Who was sent the brief, from the record of a reading."""
    became = "and its answer was not used: the built-in grammar's settings were"
    if step.parameters.get("answer_used") is not False:
        became = "and made the first settings of it"
    return (
        f"the language model “{step.version}” was sent the brief at {step.tool}, {became} "
        f"(SHA-256 of what was sent: {str(step.parameters.get('prompt_sha256', ''))[:16]}…); as declared in "
        "the shot's file"
    )


def copy_audit(case: Case) -> Finding | None:
    """The copy audit's finding on the whole, the latest where there are several."""
    found = [*case.findings(AUDIT), *case.findings(f"{AUDIT}: all")]
    whole = [one for one in found if "audited" in one.details]
    return max(whole, key=lambda one: str(one.details["audited"]), default=found[-1] if found else None)


def compared(case: Case) -> int | None:
    """With how many samples the frames were compared; None where no audit on record says."""
    whole = copy_audit(case)
    groups = whole.details.get("compared") if whole is not None else None
    if not isinstance(groups, Mapping):
        return None
    return sum(number for each in groups.values() if (number := _whole(each)) is not None)


def nearest(case: Case) -> Iterator[Nearest]:
    """The samples that came nearest, as the audit put them on record."""
    whole = copy_audit(case)
    told = whole.details.get("nearest") if whole is not None else None
    for one in told if isinstance(told, list | tuple) else ():
        if isinstance(one, Mapping):
            yield Nearest(
                frame=str(one.get("frame", "")),
                sample=str(one.get("sample", "")),
                asset=str(one.get("asset_id", "")),
                group=str(one.get("group", "")),
                distance=_whole(one.get("distance")),
                points=_whole(one.get("points")),
                symmetry=str(one.get("symmetry", "")),
                relation=str(one.get("relation", "")),
                input=str(one.get("input", "")),
            )


def matches(case: Case) -> Iterator[Match]:
    """What the copy audit found or could not judge, one by one, gravest first."""
    whole = copy_audit(case)
    found = [one for one in case.findings(AUDIT) if whole is None or one.id != whole.id]
    for one in sorted(found, key=lambda each: (each.outcome != "fail", each.outcome == "pass")):
        worst, frames = one.details.get("worst"), one.details.get("frames")
        told: Mapping[str, Any] = worst if isinstance(worst, Mapping) else {}
        names = tuple(str(each) for each in frames) if isinstance(frames, list | tuple) else ()
        yield Match(
            finding=one.id,
            outcome=one.outcome,
            words=one.words,
            remedy=one.remedy,
            sample=str(told.get("sample", "")),
            asset=str(told.get("asset_id", "")),
            frame=str(one.details.get("worst_frame", "")),
            frames=names,
            distance=_whole(told.get("distance")),
            points=_whole(told.get("points")),
            symmetry=str(told.get("symmetry", "")),
            outline=_outline(told.get("outline")),
        )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _outline(value: object) -> tuple[tuple[float, float], ...]:
    """Corners as fractions of width and height; () where they are not that."""
    corners = []
    for one in value if isinstance(value, list | tuple) else ():
        if not (isinstance(one, list | tuple) and len(one) == 2):
            return ()
        if not all(isinstance(each, int | float) and abs(each) < 100 for each in one):
            return ()
        corners.append((float(one[0]), float(one[1])))
    return tuple(corners)
