"""From an approved cut to what leaves the house: frames, movie and stills, signed, with their clearance."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import falsework
from falsework.delivery.manifest import sha256
from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.progress import Progress, silent
from falsework.rights.case import Case
from falsework.rights.certificates import CHAIN, Credentials, load_credentials, make_test_chain
from falsework.rights.gate import Clearance, clearance
from falsework.rights.ledger import Anchor, Ledger
from falsework.rights.manifest import Action, AiSystem, Ingredient, LedgerHead, ManifestInput
from falsework.rights.mark_reading import find_mark
from falsework.rights.prov import prov_json
from falsework.rights.records import Activity, Asset, asset_id, canonical, record_id
from falsework.rights.signing import SIDECAR_SUFFIX, sign, sign_sequence
from falsework.rights.state import State
from falsework.rights.verification import verify
from falsework.rights.watermark import mark_picture, pointer_to
from falsework.shots.clearing.cut import Cut, cut_in
from falsework.shots.clearing.desk import Desk
from falsework.shots.clearing.judging import case_of, made_folder
from falsework.shots.clearing.reporting import write_reports
from falsework.shots.shared_files import give
from falsework.shots.spec import Shot

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Delivered", "deliver"]

STILLS = 3
PASSPHRASE = "FALSEWORK_KEY_PASSPHRASE"  # in the environment, for a key that is locked with one
# How an ingredient is in the picture, in C2PA's words: what only steered the work is an input to it.
INPUTS = frozenset({"matte", "model", "dataset", "script", "document"})


@dataclass(frozen=True)
class Delivered:
    """What left: its folder, its files, the verdict it left under, and who signed."""

    folder: Path
    files: tuple[Path, ...]
    verdict: Clearance
    asset: Asset
    signer: str
    test: bool
    notes: tuple[str, ...]


def deliver(
    desk: Desk,
    *,
    at: datetime,
    made: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Delivered:
    """Sign and hand over the cut, or raise the gate's refusal.

    Everything is made in a folder beside `out` (`deliveries/NAME` beside the shot) which takes its name when
    all of it is there and has been read back. An earlier delivery is replaced as a whole.
    """
    cut = cut_in(made_folder(desk, made))
    folder = out if out is not None else desk.base / "deliveries" / desk.shot.name
    part = folder.with_name(f".part-{folder.name}")
    try:
        with desk.open_ledger() as ledger:
            case = case_of(desk, ledger, cut, at)
            verdict = clearance(case)
            ledger.append(verdict.findings, at=at)
            if verdict.blockers:
                raise verdict.refusal()
            credentials, notes = _credentials(desk, at)
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            _frames(cut, part)
            pointer = pointer_to(cut.id.removeprefix("sha256:"))
            movie, stills = _pictures(desk.shot, cut, part, pointer, progress)
            words = replace(_words(desk, case, verdict, ledger), watermark=pointer)
            files = _signed(desk, part, movie, stills, words, credentials, at)
            marked = _read_back(part, files, credentials, pointer)
            verdict = clearance(case_of(desk, ledger, cut, at, marked=marked))
            if not verdict.clear:
                raise verdict.refusal()
            asset = _on_record(desk, ledger, cut, part, files, verdict, at)
            anchor = _anchored(desk, ledger, at)
            provenance = prov_json(State.of(ledger.events()))
        write_text(part / "credits.txt", "\n".join((*verdict.credits, *_licence_lines(verdict))) + "\n")
        write_text(part / "provenance.prov.json", json.dumps(provenance, indent=1) + "\n")
        write_text(part / "ledger.anchor.jsonl", json.dumps(anchor.to_json()) + "\n")
        write_reports(desk, at=at, made=cut.folder, out=part, say=notes.append)
        _put_in_place(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    progress(len(cut.frames), len(cut.frames))
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    return Delivered(folder, tuple(names), verdict, asset, credentials.name, credentials.test, tuple(notes))


def _credentials(desk: Desk, at: datetime) -> tuple[Credentials, list[str]]:
    """Who signs: the production's certificate, or a chain for trying out, made where there is none."""
    given = desk.production.credentials
    if given.certificate or given.key:
        chain, key, root = (
            desk.folder / name if name else None for name in (given.certificate, given.key, given.trust)
        )
        return load_credentials(chain=chain, key=key, root=root, passphrase=os.environ.get(PASSPHRASE)), []
    folder = desk.folder / "credentials"
    if not (folder / CHAIN).is_file():
        make_test_chain(folder, at=at)
    return load_credentials(folder), [
        "signed with a TEST chain: anybody can see that nobody vouches for it. "
        "For a release, give [credentials] in production.toml."
    ]


def _frames(cut: Cut, part: Path) -> None:
    (part / "exr").mkdir()
    for path in cut.paths:
        give(path, part / "exr" / path.name, share=True)


def _pictures(
    shot: Shot, cut: Cut, part: Path, pointer: bytes, progress: Progress
) -> tuple[Path, list[Path]]:
    """The movie without burn-in and some stills, with the invisible mark and unsigned, from the delivered
    frames themselves (which bear no mark: they are what was approved)."""
    from falsework.media.images import write_png
    from falsework.media.movie import write_movie
    from falsework.shots.clearing.viewing import viewed

    work = part / ".unsigned"
    work.mkdir()

    def pictures() -> Iterator[npt.NDArray[np.uint8]]:
        for number, path in enumerate(cut.paths):
            progress(number, len(cut.paths))
            yield mark_picture(viewed(shot, path), pointer)

    first = viewed(shot, cut.paths[0])
    movie = work / f"{shot.name}.mp4"
    write_movie(movie, pictures(), shot.fps, (first.shape[1], first.shape[0]))
    stills = []
    for path in _spread(cut.paths, STILLS):
        still = work / f"{path.stem}.png"
        write_png(still, mark_picture(viewed(shot, path), pointer))
        stills.append(still)
    return movie, stills


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """Some of the frames, evenly over the shot, the last among them."""
    steps = range(1, count + 1)
    return list(dict.fromkeys(paths[(len(paths) - 1) * step // count] for step in steps))


def _words(desk: Desk, case: Case, verdict: Clearance, ledger: Ledger) -> ManifestInput:
    """What the delivery's manifests say."""
    state = case.state
    ingredients, systems = [], []
    for one in case.lineage.assets:
        asset = state.assets.get(one)
        if asset is None or one == case.subject:
            continue
        ingredients.append(_ingredient(desk, case, asset))
    for model in case.models:
        asset = state.assets.get(model)
        systems.append(AiSystem(asset.name if asset else model, "", identifier=model))
        if asset is not None:
            ingredients.append(_ingredient(desk, case, asset))
    return ManifestInput(
        title=desk.production.title or desk.shot.name,
        cut=case.subject,
        ledger=LedgerHead(ledger.root().hex(), ledger.size),
        ingredients=tuple(ingredients),
        ai_systems=tuple(systems),
        actions=(Action("c2pa.published", when=case.at, description="delivered after clearance"),),
        credits=verdict.credits,
        licence=verdict.obligations.licence,
        approvals=tuple(one.id for one in verdict.approvals),
    )


def _ingredient(desk: Desk, case: Case, asset: Asset) -> Ingredient:
    path = desk.folder / asset.path if asset.path else None
    known = path is not None and path.is_file() and asset_id(sha256(path)) == asset.id
    licences = [
        grant.licence for grant in case.state.grants_for(asset.id) if grant.licence and not grant.revoked
    ]
    return Ingredient(
        title=asset.name,
        sha256=asset.id.removeprefix("sha256:"),
        relationship="inputTo" if asset.type in INPUTS else "componentOf",
        role=asset.type,
        path=path if known else None,
        media_type=asset.media_type,
        licence=licences[0] if licences else "",
    )


def _signed(
    desk: Desk, part: Path, movie: Path, stills: Sequence[Path], words: ManifestInput,
    credentials: Credentials, at: datetime,
) -> list[Path]:  # fmt: skip
    stamp = desk.production.timestamp
    files = []
    for source in (movie, *stills):
        target = part / ("stills" if source.suffix == ".png" else "") / source.name
        target.parent.mkdir(exist_ok=True)
        _stamped(
            desk,
            partial(sign, source, target, words, credentials, at=at, timestamp_seconds=stamp.seconds),
        )
        files.append(target)
    shutil.rmtree(part / ".unsigned")
    sidecar = part / "exr" / f"{desk.shot.name}.c2pa"
    _stamped(
        desk,
        partial(
            sign_sequence, part / "exr", sidecar, words, credentials, at=at, timestamp_seconds=stamp.seconds
        ),
    )
    return [*files, sidecar]


def _stamped(desk: Desk, signing: Callable[..., object]) -> None:
    """Sign with a time-stamp where an authority is configured; without one where it does not answer and the
    production does not insist."""
    stamp = desk.production.timestamp
    try:
        signing(timestamp_url=stamp.url or None)
    except FalseworkError:
        if not stamp.url or stamp.required:
            raise
        signing(timestamp_url=None)


def _anchored(desk: Desk, ledger: Ledger, at: datetime) -> Anchor:
    """The ledger's root, noted beside it, under the authority's seal where there is one."""
    stamp = desk.production.timestamp
    if stamp.url:
        from falsework.rights.timestamp import request_stamp

        try:
            return ledger.anchor(at=at, stamp=lambda said: request_stamp(said, stamp.url, wait=stamp.seconds))
        except FalseworkError:
            if stamp.required:
                raise
    return ledger.anchor(at=at)


def _read_back(part: Path, files: Sequence[Path], credentials: Credentials, pointer: bytes) -> bool:
    """Whether the invisible mark is found again in every picture; the gate judges by that.

    Raises FalseworkError where a signed file does not read back as intact.
    """
    marked = True
    for path in files:
        seen = verify(path, anchors=credentials.root)
        if seen.state not in ("trusted", "valid"):
            faults = "; ".join(fault.words for fault in seen.faults) or seen.state
            raise FalseworkError(
                f"does not read back as it was signed ({faults})",
                where=path.relative_to(part),
                todo="Deliver again; if it happens twice, the disk or the library is at fault.",
            )
        if path.suffix != SIDECAR_SUFFIX:
            found = find_mark(path)
            marked &= found is not None and found.pointer == pointer
    return marked


def _on_record(
    desk: Desk, ledger: Ledger, cut: Cut, part: Path, files: Sequence[Path], verdict: Clearance, at: datetime
) -> Asset:
    """The delivery as an asset made from the cut, and the verdict it left under."""
    parts = dict(cut.frames) | {path.relative_to(part).as_posix(): sha256(path) for path in files}
    asset = Asset(
        id=asset_id(hashlib.sha256(canonical(parts)).hexdigest()),
        type="delivery",
        name=desk.shot.name,
        parts=parts,
        facts={"temporary": False, "files": len(parts)},
    )
    approval = verdict.approvals[-1]
    activity = Activity(
        id=record_id("activity", "deliver", asset.id),
        type="deliver",
        used=(cut.id,),
        generated=(asset.id,),
        agent=approval.by,
        tool="falsework",
        version=falsework.__version__,
        parameters={"approval": approval.id},
        offline=not desk.production.timestamp.url,
        ended=at,
    )
    ledger.append([*verdict.findings, asset, activity], at=at)
    return asset


def _licence_lines(verdict: Clearance) -> tuple[str, ...]:
    asked = verdict.obligations
    lines = [f"Passed on under {asked.licence}."] if asked.licence else []
    return (*lines, *asked.notices)


def _put_in_place(part: Path, folder: Path) -> None:
    """The finished folder takes its name; an earlier one is moved aside first, so that none is ever half."""
    old = folder.with_name(f".old-{folder.name}")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    os.rename(part, folder)
    shutil.rmtree(old, ignore_errors=True)
