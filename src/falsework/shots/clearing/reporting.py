"""A shot's clearance report, from its ledger and its frames: HTML, PDF and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from falsework.errors import FalseworkError
from falsework.media.atomic import write_bytes, write_text
from falsework.rights.anchors import Anchor, read_anchors
from falsework.rights.case import Case
from falsework.rights.certificates import CHAIN, TEST_ORGANISATION, certificates_of
from falsework.rights.clock import contradicted
from falsework.rights.events import time_text
from falsework.rights.gate import clearance
from falsework.rights.ledger import Ledger
from falsework.rights.records import asset_id
from falsework.rights.report import LedgerSeen, Report, clearance_report
from falsework.rights.report_copies import MOST_PAIRS
from falsework.rights.report_origin import Match, Nearest
from falsework.rights.report_page import Pictures, report_page
from falsework.rights.samples import read_sample
from falsework.rights.state import State
from falsework.shots.clearing.cut import Cut, cut_in, spread
from falsework.shots.clearing.desk import Desk
from falsework.shots.clearing.judging import case_of, made_folder
from falsework.shots.clearing.viewing import viewed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Picture = npt.NDArray[np.uint8]

__all__ = ["PAGE", "PAPER", "VALUES", "report_of", "write_reports"]

PAGE, PAPER, VALUES = "clearance.html", "clearance.pdf", "clearance.json"
STRIP = 8  # frames shown


def write_reports(
    desk: Desk,
    *,
    at: datetime,
    made: Path | None = None,
    out: Path | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> tuple[Path, ...]:
    """Write the report on the shot as it lies there now, into `out` or beside its frames.

    A preview may be reported on too, and its report says what it is.
    """
    cut = cut_in(made_folder(desk, made))
    return report_of(desk, cut, at=at, out=out, say=say)


def report_of(
    desk: Desk,
    cut: Cut,
    *,
    at: datetime,
    out: Path | None = None,
    marked: bool | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> tuple[Path, ...]:
    """Write the report on a cut whose frames were hashed, into `out` or beside them.

    Every finding goes on record. `marked` is said of a delivery about to leave: whether its mark was read
    back. `say` hears a sentence where the PDF could not be made; the page and the JSON are written all the
    same.
    """
    with desk.open_ledger() as ledger:
        # Commands on the page start from the production's folder, which it names no other place for.
        case = replace(_case(desk, ledger, cut, at, marked), called=desk.called)
        ledger.append(clearance(case).findings, at=at)
        case = replace(case, state=State.of(ledger.events()))
        seen = _seen(desk, ledger, case.state)
    report = clearance_report(
        case, clearance(case), frames=cut.frames, ledger=seen, test_certificate=_test_certificate(desk)
    )
    page = report_page(report, _pictures(desk, cut, case, report))
    folder = out if out is not None else cut.folder
    write_text(folder / PAGE, page)
    write_text(folder / VALUES, json.dumps(report.to_json(), ensure_ascii=False, indent=1) + "\n")
    written = [folder / PAGE, folder / VALUES]
    try:
        from falsework.rights.report_pdf import report_pdf
    except (ImportError, OSError) as error:  # without the extra, or without the libraries it draws with
        say(_without_pdf(error))
    else:
        write_bytes(folder / PAPER, report_pdf(page))
        written.insert(1, folder / PAPER)
    return tuple(written)


def _case(desk: Desk, ledger: Ledger, cut: Cut, at: datetime, marked: bool | None) -> Case:
    """The case of these frames, a take's too."""
    state = desk.declare(ledger, at)
    asset = state.assets.get(cut.id)
    if asset is not None and asset.type == "take":
        return Case(state, desk.production, cut.id, at, called=str(desk.shot_path), display=desk.display)
    return case_of(desk, ledger, cut, at, marked=marked)


def _seen(desk: Desk, ledger: Ledger, state: State) -> LedgerSeen:
    file = ledger.anchors_file
    anchors = read_anchors(file)[0] if file is not None and file.is_file() else []
    place = desk.ledger_place
    where = ledger.where
    if isinstance(place, Path):
        inside = place.resolve().is_relative_to(desk.folder.resolve())
        where = place.resolve().relative_to(desk.folder.resolve()).as_posix() if inside else place.name
    # A seal on another root than the ledger's own is none on this ledger, however well it is signed.
    others = ledger.strays(anchors)
    fits = [one for one in anchors if one not in others]
    strays = tuple(
        f"the anchor of {time_text(one.time)} is over {one.size:,} events that this ledger does not hold"
        for one in others
    )
    corrected = tuple(
        one.words(state.parties[one.by].name if one.by in state.parties else "") for one in state.corrections
    )
    seen = LedgerSeen(
        where, ledger.size, ledger.root().hex(), len(anchors), faults=strays, corrections=corrected
    )
    return _sealed(seen, fits, desk.stamp_roots(), state)


def _sealed(seen: LedgerSeen, anchors: Sequence[Anchor], roots: bytes, state: State) -> LedgerSeen:
    """With what the anchors' time-stamps come to."""
    try:
        from falsework.rights.seals import seals_of
    except ImportError:  # without the extra nothing can be checked, and nothing is taken on trust
        return replace(seen, unchecked=sum(bool(one.token) for one in anchors))
    seals = seals_of(anchors, roots)
    wrong = contradicted(state.corrections, ((one.size, one.time) for one in seals.held))
    sealed = ""
    if seals.held:
        last = max(seals.held, key=lambda one: (one.size, one.time))
        sealed = f"the first {last.size:,} events existed at {time_text(last.time)} ({last.authority})"
    return replace(
        seen,
        stamped=len(seals.held),
        unchecked=seals.unchecked,
        sealed=sealed,
        faults=(*seen.faults, *seals.faults, *(words for _, words in wrong)),
    )


def _test_certificate(desk: Desk) -> bool | None:
    """Whether a delivery would be signed with a chain for trying out; the key is not touched."""
    given = desk.production.credentials.certificate
    path = desk.named(given or f"credentials/{CHAIN}", "credentials.certificate")
    if not given and not path.is_file():
        return True  # one is made where there is none
    try:
        signer = certificates_of(path.read_bytes(), path)[0]
    except (OSError, FalseworkError):
        return None
    return any(
        name.value == TEST_ORGANISATION
        for whole in (signer.subject, signer.issuer)
        for name in whole.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    )


def _pictures(desk: Desk, cut: Cut, case: Case, report: Report) -> Pictures:
    strip = {name: viewed(desk.shot, cut.folder / name) for name in spread(cut, STRIP)}
    pairs = {
        one.finding: (_matched(desk, cut, one.frame), _sample(desk, case, one))
        for one in report.matches[:MOST_PAIRS]
        if one.asset
    }
    nearest = {
        (one.frame, one.asset): (_matched(desk, cut, one.frame), _sample(desk, case, one))
        for one in report.nearest
    }
    return Pictures(strip, pairs, nearest)


def _matched(desk: Desk, cut: Cut, frame: str) -> Picture | None:
    """The frame that the audit calls so: by its whole name, or by the number in it."""
    for name in cut.frames:
        path = Path(name)
        if frame and (frame in (name, path.name, path.stem) or path.stem.endswith(f".{frame}")):
            return viewed(desk.shot, cut.folder / name)
    return None


def _sample(desk: Desk, case: Case, match: Match | Nearest) -> Picture | None:
    """The sample beside it, if it lies where files may be read and is still the same file."""
    for reference in _places(desk, case, match):
        try:
            path = desk.named(reference, "protected.folder")
            if path.is_file() and asset_id(desk.digests.of(path)) == match.asset:
                return read_sample(path)
        except FalseworkError:
            continue
    return None


def _places(desk: Desk, case: Case, match: Match | Nearest) -> list[str]:
    """Where the sample may lie: as it is on record, or in the protected set by its name."""
    asset = case.state.assets.get(match.asset)
    places = [asset.path] if asset is not None and asset.path else []
    protected = desk.protected
    return [*places, *([str(protected / match.sample)] if protected and match.sample else [])]


def _without_pdf(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "no PDF was written: install WeasyPrint (68 or later) with `pip install 'falsework[rights]'`"
    return (
        f"no PDF was written: a library that WeasyPrint draws with is missing ({error}). "
        "Install Pango, or print clearance.html from a browser"
    )
