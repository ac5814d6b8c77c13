"""`falsework approve`, `waive`, `deliver` and `rights`: who let what pass, and what may leave."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from falsework.rights.gate import Clearance, Waived
    from falsework.rights.records import Decision
    from falsework.shots.clearing.desk import Desk

__all__ = ["add"]


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    person = argparse.ArgumentParser(add_help=False)
    person.add_argument("--by", required=True, metavar="NAME", help="the person, by name or id")
    person.add_argument("--role", required=True, help='what they are here, such as "VFX supervisor"')
    person.add_argument("--reason", required=True, help="why, in their words")
    cut = argparse.ArgumentParser(add_help=False)
    cut.add_argument("shot", type=Path, metavar="SHOT.toml")
    cut.add_argument("--made", type=Path, metavar="DIR", help="where it was made to (default: out/NAME)")

    approve = commands.add_parser(
        "approve", parents=[shared, cut, person], help="a named person approves exactly these frames"
    )
    approve.set_defaults(run=_approve)

    reject = commands.add_parser(
        "reject", parents=[shared, cut, person], help="a named person rejects exactly these frames"
    )
    reject.set_defaults(run=_reject)

    review = commands.add_parser(
        "review", parents=[shared, cut, person], help="a named person has looked at what the copy audit found"
    )
    review.add_argument("finding", metavar="FINDING", help="its id, or the beginning of it")
    review.add_argument("--hold", action="store_true", help="it is a copy, or may be: the cut is held up")
    review.set_defaults(run=_review)

    waive = commands.add_parser(
        "waive", parents=[shared, cut, person], help="a named person lets a rule pass, and says why"
    )
    waive.add_argument("rule", metavar="RULE", help="such as NFX-6")
    waive.add_argument(
        "--everywhere", action="store_true", help="for the whole production, not this cut alone"
    )
    waive.add_argument(
        "--until", type=_day, metavar="DATE", help="its last day, such as 2027-03-31; --everywhere needs one"
    )
    waive.add_argument("--withdraw", action="store_true", help="take the waiver back")
    waive.set_defaults(run=_waive)

    audit = commands.add_parser(
        "audit",
        parents=[shared, cut],
        help="compare every frame with training samples and protected pictures",
    )
    audit.set_defaults(run=_audit)

    deliver = commands.add_parser(
        "deliver", parents=[shared, cut], help="sign and hand over, if every rule is met or waived"
    )
    deliver.add_argument(
        "--out", type=Path, metavar="DIR", help="deliver here (default: deliveries/NAME beside the shot)"
    )
    deliver.add_argument("--by", default="", metavar="NAME", help="who hands it over, for the record")
    deliver.set_defaults(run=_deliver)

    rights = commands.add_parser("rights", help="where a shot stands, and what hangs on an ingredient")
    tasks = rights.add_subparsers(metavar="TASK", required=True)
    status = tasks.add_parser("status", parents=[shared, cut], help="what is missing, rule by rule")
    status.add_argument("--all", action="store_true", help="rules that are met, too")
    status.set_defaults(run=_status)
    report = tasks.add_parser("report", parents=[shared, cut], help="write the clearance report")
    report.add_argument("--out", type=Path, metavar="DIR", help="default: out/NAME")
    report.set_defaults(run=_report)
    script = tasks.add_parser(
        "script", parents=[shared], help="put a script or scene's text on record with its authors"
    )
    script.add_argument("file", type=Path, metavar="FILE")
    script.add_argument("--author", action="append", default=[], metavar="NAME", help="once for each")
    script.add_argument("--shot", type=Path, default=Path("shot.toml"), metavar="SHOT.toml")
    script.set_defaults(run=_script)
    impact = tasks.add_parser("impact", parents=[shared], help="everything made from an asset")
    impact.add_argument("asset", metavar="ASSET", help="a file, an id (sha256:...) or a grant's id")
    impact.add_argument(
        "--shot", type=Path, metavar="SHOT.toml", help="default: shot.toml beside the file, or here"
    )
    impact.set_defaults(run=_impact)


def _approve(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.shots.clearing.judging import approve_shot

    return _decided(
        given,
        approve_shot,
        lambda decision, cut, name: f"approved by {name} ({decision.role}), bound to cut {cut}",
    )


def _reject(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.shots.clearing.judging import reject_shot

    return _decided(
        given,
        reject_shot,
        lambda decision, cut, name: (
            f"rejected by {name} ({decision.role}), cut {cut}\n"
            f"It is not delivered until {name} approves it, or it is made anew."
        ),
        standing=False,
    )


def _review(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.shots.clearing.judging import review_finding

    return _decided(
        given,
        partial(review_finding, finding=given.finding, resolved=not given.hold),
        lambda decision, _, name: f"{given.finding} reviewed by {name} ({decision.role})",
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is no date such as 2027-03-31') from None


def _waive(given: argparse.Namespace) -> dict[str, Any]:
    from falsework.shots.clearing.judging import waive_rule, withdraw_waiver

    if given.withdraw:
        return _decided(
            given,
            partial(withdraw_waiver, rule=given.rule, everywhere=given.everywhere),
            lambda decision, cut, name: (
                f"the waiver of {given.rule} taken back by {name} ({decision.role}), "
                + ("for the whole production" if given.everywhere else f"for cut {cut}")
            ),
        )
    to = f" until {given.until}" if given.until else ""
    return _decided(
        given,
        partial(waive_rule, rule=given.rule, everywhere=given.everywhere, until=given.until),
        lambda decision, cut, name: (
            f"{given.rule} waived by {name} ({decision.role}), "
            + (
                f"for what it misses now, in the whole production{to}"
                if given.everywhere
                else f"for cut {cut} and what the rule says of it now{to}"
            )
        ),
    )


def _decided(
    given: argparse.Namespace,
    decide: Callable[..., tuple[Decision, Clearance]],
    words: Callable[[Decision, str, str], str],
    *,
    standing: bool = True,
) -> dict[str, Any]:
    """Let a person decide, and say so: `words` of the decision, the cut's short id and the person's name,
    then (where asked, `standing`) what is missing after it."""
    from datetime import UTC, datetime

    from falsework.shots.clearing.desk import desk_of

    desk = desk_of(given.shot)
    decision, verdict = decide(
        desk, by=given.by, role=given.role, why=given.reason, at=datetime.now(UTC), made=given.made
    )
    if not given.quiet and not given.json:
        print(f"{verdict.shot}: {words(decision, verdict.subject[7:19], _name(desk, decision.by, given.by))}")
        _say_stranger(desk, decision.by, given.by)
        if standing:
            _say(desk, verdict, everything=False)
    return {"decision": decision.id, "clearance": verdict.to_json()}


def _audit(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.cli.bars import Bars
    from falsework.shots.clearing.auditing import audit_shot
    from falsework.shots.clearing.desk import desk_of

    with Bars(quiet=given.quiet or given.json) as bars:
        result, found = audit_shot(
            desk_of(given.shot), at=datetime.now(UTC), made=given.made,
            progress=lambda count, total: bars.progress("audit", count, total),
        )  # fmt: skip
    if not given.quiet and not given.json:
        for finding in found:
            print(f"{finding.outcome:<8} {finding.words}")
            if finding.remedy and finding.outcome != "pass":
                print(f"         {finding.remedy}")
    return {"outcome": result.outcome, "findings": [one.model_dump(mode="json") for one in found]}


def _deliver(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.cli.bars import Bars
    from falsework.shots.clearing.delivering import deliver
    from falsework.shots.clearing.desk import desk_of

    with Bars(quiet=given.quiet or given.json) as bars:
        done = deliver(
            desk_of(given.shot), at=datetime.now(UTC), made=given.made, out=given.out, by=given.by,
            progress=lambda count, total: bars.progress("deliver", count, total),
        )  # fmt: skip
    if not given.quiet and not given.json:
        print(f"{done.verdict.shot}: delivered to {done.folder}, signed by {done.signer}")
        for line in done.verdict.credits:
            print(f"  credit: {line}")
        if done.verdict.obligations.licence:
            print(f"  licence: {done.verdict.obligations.licence}")
        for note in done.notes:
            print(f"note: {note}", file=sys.stderr)
    return {
        "folder": str(done.folder),
        "files": [str(path) for path in done.files],
        "signer": done.signer,
        "test_certificate": done.test,
        "asset": done.asset.id,
        "clearance": done.verdict.to_json(),
    }


def _status(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.shots.clearing.desk import desk_of
    from falsework.shots.clearing.judging import judge

    desk = desk_of(given.shot)
    verdict = judge(desk, at=datetime.now(UTC), made=given.made)
    if not given.quiet and not given.json:
        word = (
            "not cleared" if verdict.blockers else "cleared, by waiver" if _let_pass(verdict) else "cleared"
        )
        print(f"{verdict.shot}, cut {verdict.subject[7:19]}: {word}")
        _say(desk, verdict, everything=given.all)
    return verdict.to_json()


def _report(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.shots.clearing.desk import desk_of
    from falsework.shots.clearing.reporting import write_reports

    notes: list[str] = []
    files = write_reports(
        desk_of(given.shot), at=datetime.now(UTC), made=given.made, out=given.out, say=notes.append
    )
    if not given.quiet and not given.json:
        for path in files:
            print(path)
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
    return {"files": [str(path) for path in files], "notes": notes}


def _impact(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.shots.clearing.desk import desk_of
    from falsework.shots.clearing.judging import impact_of

    beside = Path(given.asset).parent / "shot.toml"
    shot = given.shot or (beside if Path(given.asset).is_file() and beside.is_file() else Path("shot.toml"))
    found = impact_of(desk_of(shot), given.asset, at=datetime.now(UTC))
    if not given.quiet and not given.json:
        for grant, why in found.lapsed:
            print(f"{grant} does not hold: it {why}")
        if not found.affected:
            print("Nothing on record was made from it.")
        for one in found.affected:
            kinds = [decision.type for decision in one.approvals]
            decided = "".join(
                f", {kinds.count(kind)} {kind}{'s' if kinds.count(kind) > 1 else ''}"
                for kind in sorted(set(kinds))
            )
            print(f"  {one.asset.type:<12} {one.asset.name}  {one.asset.id[7:19]}{decided}")
        if found.reopened:
            needed = "have to be cleared again"
            if not found.lapsed:
                needed = f"would {needed} if it changed or its grant were taken back"
            print(f"{len(found.reopened)} of these {needed}.")
    return found.to_json()


def _script(given: argparse.Namespace) -> dict[str, Any]:
    from datetime import UTC, datetime

    from falsework.shots.clearing.desk import desk_of
    from falsework.shots.clearing.recording import record_script

    script = record_script(desk_of(given.shot), given.file, given.author, at=datetime.now(UTC))
    if not given.quiet and not given.json:
        print(f"{script.name}: on record, by {script.creator}")
    return script.model_dump(mode="json")


def _say_stranger(desk: Desk, party: str, name: str) -> None:
    from falsework.shots.clearing.judging import stranger

    if stranger(desk, party):
        print(
            f"note: {name} is not among the [[parties]] of production.toml; the name is on record as typed, "
            "and nobody has vouched for it",
            file=sys.stderr,
        )


def _name(desk: Desk, party: str, otherwise: str) -> str:
    """A party as production.toml writes it, or as it was typed where that does not know it."""
    return next((one.name for one in desk.production.parties if one.id == party), otherwise)


def _let_pass(verdict: Clearance) -> list[Waived]:
    """Waivers that let a cut leave; one of a mere label changes nothing of that."""
    return [one for one in verdict.waived if one.finding.details["effect"] != "label"]


def _say(desk: Desk, verdict: Clearance, *, everything: bool) -> None:
    """The verdict on the terminal: what is missing first, what was let pass, then (if asked) every rule."""
    if verdict.blockers:
        print("Missing:")
        for one in verdict.blockers:
            print(f"  {', '.join(one.rules)}: {one.words}. {one.remedy}")
    else:
        command = f"falsework deliver {shlex.quote(str(desk.shot_path))}"
        print(f"Nothing is missing: `{command}` signs it and hands it over.")
    for let in verdict.waived:
        by = _name(desk, let.decision.by, let.decision.by.removeprefix("party:"))
        print(f'  waived {let.finding.rule} by {by} ({let.decision.role}), "{let.decision.why}":')
        print(f"    {let.finding.words}")
    for finding in verdict.warnings:
        print(f"  warning {finding.rule}, which holds nothing up: {finding.words}. {finding.remedy}".rstrip())
    if everything:
        waived = {one.finding.id for one in verdict.waived}
        supplied = {one for each in verdict.pending for one in each.findings}
        for finding in verdict.findings:
            outcome = "waived" if finding.id in waived else finding.outcome
            later = "; delivering supplies it" if finding.id in supplied else ""
            print(f"  {outcome:<14} {finding.rule:<8} {finding.words}{later}")
