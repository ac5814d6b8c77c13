"""What a copy audit found, as records of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from falsework.rights.copies import (
    BLOCKING_DISTANCE,
    BLOCKING_POINTS,
    DOUBTFUL_DISTANCE,
    EXHAUSTIVE,
    GRAVITY,
    CopyAudit,
    Neighbour,
    Verdict,
)
from falsework.rights.records import Finding, Outcome, record_id

__all__ = ["LIMITS", "RULE", "SHORT", "findings", "limits_of"]

RULE = "copy audit"
LIMITS = "This finds copies, whole or in part; it does not judge style or legal similarity."

SHORT = (
    f"Of more than {EXHAUSTIVE} pictures, parts were looked for in a shortlist for each frame only, not in "
    "all of them."
)
NEAREST_SHOWN = 4
_GROUPS = {"training": "training sample", "protected": "protected picture", "input": "input"}


def limits_of(exhaustive: bool) -> str:
    """What an audit does not show."""
    return LIMITS if exhaustive else f"{LIMITS} {SHORT}"


def findings(
    audit: CopyAudit, subject: str, *, at: datetime, former: Iterable[Finding] = ()
) -> tuple[Finding, ...]:
    """What an audit says of a cut (`subject`, an asset's id), as records; the whole first.

    Each matter that a person can settle by a review is a finding of rule "copy audit": every sample that was
    found, the frames without detail, the samples that could not be read or have no detail. Copies fail; what
    a person must look at is unknown. The whole is a finding of the same rule where there is no such matter,
    else of rule "copy audit: all" and as grave as the gravest of them, so that settling each settles all. Ids
    follow from cut, matter and gravity. `former` are the findings of earlier audits of this cut: those that
    no longer hold are given again as passed.
    """
    if at.tzinfo is None:
        raise ValueError("a time needs its zone")
    matters = [*_matches(audit, subject), *_gaps(audit, subject)]
    whole = _whole(audit, subject, matters, at)
    present = {whole.id, *(matter.id for matter in matters)}
    gone = [
        each.model_copy(update={"outcome": "pass", "words": f"No longer so: {each.words}", "remedy": ""})
        for each in former
        if each.rule == RULE and each.subject == subject and each.id not in present and each.outcome != "pass"
    ]
    return whole, *matters, *gone


def _whole(audit: CopyAudit, subject: str, matters: Sequence[Finding], at: datetime) -> Finding:
    outcomes: dict[Verdict, Outcome] = {"clear": "pass", "block": "fail"}
    outcome = outcomes.get(audit.outcome, "unknown")
    count = ", ".join(
        f"{number:,} {_GROUPS[group]}{'' if number == 1 else 's'}" for group, number in audit.compared.items()
    )
    said = {
        "pass": "No copy was found",
        "fail": "Copies were found",
        "unknown": "No copy is established, but a person must look",
    }[outcome]
    remedy = "" if outcome == "pass" else "Settle each match, frame and sample that is listed."
    if not audit.frames:
        said, remedy = "No frame was audited", "Make the shot, and audit it."
    elif not sum(audit.compared.values()):
        said, remedy = "There was nothing to compare with", "Name the training samples or a protected set."
    return Finding(
        id=record_id("finding", RULE, subject),
        rule=f"{RULE}: all" if matters else RULE,
        subject=subject,
        outcome=outcome,
        words=f"{said}: {len(audit.frames):,} frames against {count}. {limits_of(audit.exhaustive)}"
        + _by_fingerprints(audit),
        remedy=remedy,
        evidence=tuple(dict.fromkeys(each for matter in matters for each in matter.evidence)),
        details={
            "audited": at.isoformat(),
            "limits": {
                "PDQ blocks at": BLOCKING_DISTANCE,
                "PDQ to a person at": DOUBTFUL_DISTANCE,
                "points block at": BLOCKING_POINTS,
            },
            "frames": len(audit.frames),
            "compared": dict(audit.compared),
            "compared_digest": audit.compared_digest,
            "every pair compared by points": audit.exhaustive,
            "compared by fingerprints": audit.printed,
            "own samples without detail": audit.own_featureless,
            "matters": [matter.id for matter in matters],
            "nearest": _nearest(audit),
        },
    )


def _by_fingerprints(audit: CopyAudit) -> str:
    """What an audit says of training pictures that were not at hand themselves."""
    if not audit.printed:
        return ""
    blank = audit.own_featureless
    own = f"; {blank:,} of them, made for the training, have too little detail to be found" if blank else ""
    return (
        f" {audit.printed:,} of the training samples were compared by their fingerprints (hash and strongest "
        f"points), as the pictures themselves do not ship with a model{own}."
    )


def _nearest(audit: CopyAudit) -> list[dict[str, object]]:
    """The samples that came nearest without being found, each in its nearest frame: the few of least PDQ
    distance, and the one of most agreeing points. Somebody who doubts "no copy was found" looks at these."""
    best: dict[tuple[str, str], tuple[str, Neighbour]] = {}
    found: set[tuple[str, str]] = set()
    for frame in audit.frames:
        for one in frame.neighbours:
            key = one.group, one.asset_id
            if one.outcome != "clear":
                found.add(key)
            elif key not in best or _apart(one) < _apart(best[key][1]):
                best[key] = frame.name, one
    order = sorted(
        (hit for key, hit in best.items() if key not in found),
        key=lambda hit: (*_apart(hit[1]), hit[1].sample),
    )
    shown = order[:NEAREST_SHOWN]
    rest = order[NEAREST_SHOWN:]
    if rest:
        agreeing = max(rest, key=lambda hit: hit[1].points or 0)
        if (agreeing[1].points or 0) > max(hit[1].points or 0 for hit in shown):
            shown[-1] = agreeing
    return [{"frame": name, **asdict(one)} for name, one in shown]


def _apart(neighbour: Neighbour) -> tuple[int, int]:
    return neighbour.distance, -(neighbour.points or 0)


def _matches(audit: CopyAudit, subject: str) -> list[Finding]:
    """One finding for each sample that was found, gravest and then most widespread first."""
    found: dict[tuple[str, str, str], list[tuple[str, Neighbour]]] = {}
    for frame in audit.frames:
        for one in frame.neighbours:
            if one.outcome != "clear":
                found.setdefault((one.group, one.asset_id, one.sample), []).append((frame.name, one))
    made = []
    for key, hits in found.items():
        frames = [name for name, _ in hits]
        where, worst = max(
            hits,
            key=lambda hit: (GRAVITY.index(hit[1].outcome), hit[1].points or 0, -hit[1].distance),
        )
        made.append((GRAVITY.index(worst.outcome), len(hits), _match(subject, key, frames, where, worst)))
    made.sort(key=lambda each: (-each[0], -each[1], each[2].id))
    return [finding for *_, finding in made]


def _match(
    subject: str, key: tuple[str, str, str], frames: list[str], worst_frame: str, worst: Neighbour
) -> Finding:
    kind = _GROUPS[worst.group]
    where = f"in {len(frames)} frame{'s' * (len(frames) > 1)} ({_listed(frames)})"
    figures = f"PDQ {worst.distance} of 256 ({worst.symmetry})"
    if worst.points is not None:
        figures += f", {worst.points} points agree{' mirrored' * worst.mirrored}"
    if worst.relation == "is":
        words = (
            f"The {kind} {worst.sample!r} is the shot's own input {worst.input!r} and is found {where}, as "
            f"it must be. It is both used and to be kept out."
        )
        remedy = "Take it off the protected set, or make the shot from another plate."
    else:
        certain = "is found" if worst.outcome == "block" else "may be found"
        words = f"The {kind} {worst.sample!r} {certain} {where}: {figures}."
        if worst.relation == "within":
            words += f" The shot's own input {worst.input!r} shows it too, and may have brought it in."
        remedy = "Remove it from the frames, or have a named person review it and record a decision."
    outcome: Outcome = "fail" if worst.outcome == "block" else "unknown"
    return Finding(
        id=record_id("finding", RULE, "match", subject, *key, outcome),
        rule=RULE,
        subject=subject,
        outcome=outcome,
        words=words,
        remedy=remedy,
        evidence=(worst.asset_id,),
        details={"frames": frames, "worst_frame": worst_frame, "worst": asdict(worst)},
    )


def _gaps(audit: CopyAudit, subject: str) -> list[Finding]:
    """What the audit could not judge."""
    gaps = []
    blind = [frame.name for frame in audit.frames if frame.featureless]
    if blind:
        words = f"{len(blind)} frame{'s have' if len(blind) > 1 else ' has'} too little detail to be judged: "
        gaps.append(("frames", words + _listed(blind) + ".", {"frames": blind}))
    if audit.unread or audit.featureless:
        said = [f"{one.sample!r} was not compared: {one.why}" for one in audit.unread[:20]]
        if len(audit.unread) > 20:
            said.append(f"So it is with {len(audit.unread) - 20} more.")
        if audit.featureless:
            blank = list(audit.featureless)
            have = "samples have" if len(blank) > 1 else "sample has"
            said.append(f"{len(blank)} {have} too little detail to be found again: {_listed(blank)}.")
        details: dict[str, list[str]] = {
            "unread": [one.sample for one in audit.unread],
            "featureless": list(audit.featureless),
        }
        gaps.append(("samples", " ".join(said), details))
    return [
        Finding(
            id=record_id("finding", RULE, what, subject, details),
            rule=RULE,
            subject=subject,
            outcome="unknown",
            words=words,
            remedy="Mend what can be read again; have a named person look at the rest and record a decision.",
            details=dict(details),
        )
        for what, words, details in gaps
    ]


def _listed(names: list[str]) -> str:
    """Up to four names; of more the first two and the last."""
    if len(names) <= 4:
        return ", ".join(names)
    return f"{names[0]}, {names[1]} … {names[-1]}"
