"""A shot's cut before its production's rules, and the decisions people take about it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from falsework.errors import FalseworkError
from falsework.media.images import read_exif
from falsework.rights.anchors import read_anchors
from falsework.rights.case import Case
from falsework.rights.gate import Clearance, approve, clearance, reject, review, waive, withdraw
from falsework.rights.impact import Impact, impact
from falsework.rights.ledger import Ledger
from falsework.rights.records import Activity, Decision, Finding, Record, asset_id
from falsework.rights.state import State
from falsework.rights.terms import changes
from falsework.shots.clearing.cut import MANIFEST, Cut, cut_in
from falsework.shots.clearing.desk import Desk
from falsework.shots.clearing.place import ANCHOR

__all__ = [
    "approve_shot",
    "case_of",
    "check_ledger",
    "delivered_with_mark",
    "findings_for_record",
    "impact_of",
    "judge",
    "line_of",
    "made_folder",
    "reject_shot",
    "review_finding",
    "stranger",
    "waive_rule",
    "withdraw_waiver",
]


def made_folder(desk: Desk, made: Path | None = None) -> Path:
    """Where the cut in question lies: `out/NAME` beside the shot unless another folder is given.

    Raises FalseworkError, with the command that makes one, where no cut was made to `out/NAME` yet.
    """
    if made is not None:
        return made
    folder = desk.base / "out" / desk.shot.name
    if not (folder / MANIFEST).is_file():
        command = f"falsework make {shlex.quote(str(desk.shot_path))}"
        if (folder.with_name(f"{folder.name}_preview") / MANIFEST).is_file():
            raise FalseworkError(
                "only a preview has been made yet, and previews are not cleared",
                where=desk.shot.name,
                todo=f"Make the full shot first: `{command}`.",
            )
        raise FalseworkError(
            "nothing has been made yet", where=desk.shot.name, todo=f"Make it first: `{command}`."
        )
    return folder


def check_ledger(desk: Desk, ledger: Ledger, *more: Path) -> None:
    """A ledger that was tampered with, or cut off behind one of its anchors, clears nothing, and nobody
    decides anything in it: its new anchor would bar the true one. Its anchors lie beside it, in the
    deliveries beside the shot, and in `more` files."""
    delivered = [*desk.base.glob(f"deliveries/*/{ANCHOR}"), *more]
    faults = ledger.verify([one for file in delivered for one in read_anchors(file)[0]])
    if faults:
        raise FalseworkError(
            f"the ledger is not as it was written: {faults[0].words}",
            where=ledger.where,
            todo="`falsework ledger verify` lists every fault (--against DELIVERY/ledger.anchor.jsonl). "
            "Bring back a copy that verifies; a delivery of another ledger, move away. Anchors of a copy "
            "that never was the ledger can be retired (docs/ledger.md).",
        )


def case_of(desk: Desk, ledger: Ledger, cut: Cut, at: datetime, *, marked: bool | None = None) -> Case:
    """The case of these very frames.

    Raises FalseworkError where no run on record made them: a changed pixel makes another cut.
    """
    state = desk.declare(ledger, at)
    if cut.id not in state.assets:
        others = [one for one in state.assets.values() if one.type == "cut" and one.name == desk.shot.name]
        changed = next(
            (
                name
                for one in reversed(others)
                for name, digest in cut.frames.items()
                if name in one.parts and one.parts[name] != digest
            ),
            "",
        )
        raise FalseworkError(
            f"is not what was made: {changed} has changed"
            if changed
            else "no run on record made these frames",
            where=cut.folder,
            todo="Run `falsework make` to make the shot anew; approvals of another cut do not hold for it.",
        )
    if state.assets[cut.id].type != "cut":
        raise FalseworkError(
            "is a preview, which is never delivered",
            where=cut.folder,
            todo="Run `falsework make` without --preview.",
        )
    _of_this_shot(desk, state, cut)
    if marked is None and delivered_with_mark(state, cut.id):
        marked = True
    called = str(desk.shot_path)
    # What has ended for an event on record does not hold again for a clock that stands behind it.
    at = max(at, state.latest) if state.latest is not None else at
    small = _too_small(cut)
    return Case(
        state, desk.production, cut.id, at, marked, called=called, display=desk.display, too_small=small
    )


def _too_small(cut: Cut) -> str:
    """Why a cut's pictures can hold no invisible mark, as a clause; "" where they can. Its frames have one
    size: the shot's."""
    from falsework.rights.watermark import SMALLEST  # with it come libraries that not every command needs

    try:
        first = read_exif(cut.paths[0])
    except FalseworkError:  # said where the frames are read
        return ""
    width, height = first["width"], first["height"]
    if min(width, height) >= SMALLEST:
        return ""
    return (
        f"its pictures are {width}x{height}, too small for the invisible mark, which needs {SMALLEST} pixels "
        "on the shorter side"
    )


def _of_this_shot(desk: Desk, state: State, cut: Cut) -> None:
    """The shot's file is the one these frames were made from, and shows them as they were shown then."""
    made = state.assets[cut.id]
    if made.name != desk.shot.name:
        raise FalseworkError(
            f'holds the cut of "{made.name}", and this is the shot "{desk.shot.name}"',
            where=cut.folder,
            todo="Name the shot that it was made from, or make this one with `falsework make`.",
        )
    shown = [found for one in state.made_by(cut.id) if one.type == "make" and (found := _shown(one))]
    if shown and desk.display not in shown:
        raise FalseworkError(
            f"the shot's file has changed since it was made: {changes(shown[-1], desk.display)}",
            where=desk.shot_path,
            todo="Make it again with `falsework make` and have it approved; or set back what was changed.",
        )


def _shown(make: Activity) -> dict[str, str]:
    """How the frames of a run were shown to people; empty where that is not on record."""
    shot = make.parameters.get("shot")
    if not isinstance(shot, dict) or not isinstance(shot.get("plate"), dict) or "fps" not in shot:
        return {}
    return {"fps": f"{float(shot['fps']):.12g}", "colour_space": str(shot["plate"].get("colour_space"))}


def judge(desk: Desk, *, at: datetime, made: Path | None = None) -> Clearance:
    """The verdict on the shot as it lies there now; every finding goes on record."""
    cut = cut_in(made_folder(desk, made))
    with desk.open_ledger() as ledger:
        check_ledger(desk, ledger)
        case = case_of(desk, ledger, cut, at)
        verdict = clearance(case)
        ledger.append(findings_for_record(desk, case, verdict), at=at)
    return verdict


def findings_for_record(desk: Desk, case: Case, verdict: Clearance) -> tuple[Finding, ...]:
    """A verdict's findings as the ledger keeps them.

    The commands in them name the shot from the production's folder: how somebody typed its path, where they
    stood, is no part of the production, and would be another record each time.
    """
    if case.called == desk.called:
        return verdict.findings
    return clearance(replace(case, called=desk.called)).findings


def approve_shot(
    desk: Desk, *, by: str, role: str, why: str, at: datetime, made: Path | None = None
) -> tuple[Decision, Clearance]:
    """Record one person's approval of exactly these frames; returns it and what it leaves missing."""

    def act(case: Case) -> list[Record]:
        shown = [finding.id for finding in clearance(case).findings]
        return approve(case, by=by, role=role, why=why, saw=shown)

    return _decided(desk, act, at, made)


def waive_rule(
    desk: Desk, rule: str, *, by: str, role: str, why: str, at: datetime, everywhere: bool = False,
    until: date | None = None, made: Path | None = None,
) -> tuple[Decision, Clearance]:  # fmt: skip
    """Record one person's waiver of a rule, for this cut or everywhere in the production."""
    act = partial(waive, rule=rule, by=by, role=role, why=why, everywhere=everywhere, until=until)
    return _decided(desk, act, at, made)


def withdraw_waiver(
    desk: Desk, rule: str, *, by: str, role: str, why: str, at: datetime, everywhere: bool = False,
    made: Path | None = None,
) -> tuple[Decision, Clearance]:  # fmt: skip
    """Record that a person takes back the waivers of a rule, for this cut or everywhere."""
    act = partial(withdraw, rule=rule, by=by, role=role, why=why, everywhere=everywhere)
    return _decided(desk, act, at, made)


def review_finding(
    desk: Desk, finding: str, *, by: str, role: str, why: str, at: datetime, resolved: bool = True,
    made: Path | None = None,
) -> tuple[Decision, Clearance]:  # fmt: skip
    """Record one person's review of what the copy audit found; `resolved` False holds the cut up."""
    act = partial(review, finding_id=finding, by=by, role=role, why=why, resolved=resolved)
    return _decided(desk, act, at, made)


def reject_shot(
    desk: Desk, *, by: str, role: str, why: str, at: datetime, made: Path | None = None
) -> tuple[Decision, Clearance]:
    """Record one person's rejection of exactly these frames."""
    return _decided(desk, partial(reject, by=by, role=role, why=why), at, made)


def _decided(
    desk: Desk, act: Callable[[Case], list[Record]], at: datetime, made: Path | None
) -> tuple[Decision, Clearance]:
    """Put on record what a person does about the cut as it lies there now; the verdict after it.

    `act` gives the records, the decision last.
    """
    cut = cut_in(made_folder(desk, made))
    with desk.open_ledger() as ledger:
        check_ledger(desk, ledger)
        records = act(case_of(desk, ledger, cut, at))
        ledger.append(records, at=at)
        ledger.anchor(at=at)  # or a copy of the ledger from before would do as if nobody had decided
        verdict = clearance(case_of(desk, ledger, cut, at))
    decision = records[-1]
    assert isinstance(decision, Decision)
    return decision, verdict


def stranger(desk: Desk, party: str) -> bool:
    """Whether a decider is not among the people production.toml names: nobody vouched for the name."""
    return party not in {one.id for one in desk.production.parties}


def impact_of(desk: Desk, subject: str, *, at: datetime) -> Impact:
    """What hangs on an asset (a file, an id) or a grant of this production."""
    path = Path(subject)
    with suppress(OSError, ValueError):  # what can be no file's name may be a grant's, or is said to be none
        subject = asset_id(desk.digests.of(path.resolve())) if path.is_file() else subject
    with desk.open_ledger() as ledger:
        return impact(desk.declare(ledger, at), subject, at, desk.production.name)


def delivered_with_mark(state: State, cut: str) -> bool:
    """Whether a delivery of this cut is on record whose credential and mark were read back."""
    made = (state.assets.get(one) for one in state.descendants(cut))
    return any(one is not None and one.type == "delivery" and one.facts.get("marked") is True for one in made)


def line_of(case: Case) -> State:
    """The part of a case's state that is about its cut: what it was made from, under which grants and
    decisions, by whom. Other shots of the production are nobody's business who receives this one."""
    state = case.state
    assets = {case.subject, *state.ancestors(case.subject)}
    scopes = {case.production.name, case.production.scope(case.shot)}
    activities = {one.id: one for one in state.history(case.subject)}
    grants = {one.id: one for asset in assets for one in state.grants_for(asset)}
    findings = {one.id: one for one in state.findings.values() if one.subject == case.subject}
    decisions = {
        one.id: one for one in state.decisions.values() if one.subject in assets or one.subject in scopes
    }
    named = {one.given_by for one in grants.values()} | {one.by for one in decisions.values()}
    named |= {one.agent for one in activities.values()}
    named |= {state.assets[one].creator for one in assets if one in state.assets}
    kept: dict[str, Mapping[str, Record]] = {
        "parties": {one: state.parties[one] for one in state.parties if one in named},
        "assets": {one: state.assets[one] for one in state.assets if one in assets},
        "activities": activities,
        "grants": grants,
        "findings": findings,
        "decisions": decisions,
    }
    return replace(state, **kept)  # type: ignore[arg-type]
