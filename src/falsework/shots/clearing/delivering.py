"""From an approved cut to what leaves the house: frames, movie and stills, signed, with their clearance."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from falsework.rights.gate import Clearance, clearance, person_named
from falsework.rights.ledger import Anchor, Ledger, OvertakenError
from falsework.rights.manifest import Action, AiSystem, Ingredient, LedgerHead, ManifestInput
from falsework.rights.mark_reading import find_mark
from falsework.rights.prov import prov_json
from falsework.rights.records import Activity, Asset, Record, asset_id, canonical, record_id
from falsework.rights.signing import SIDECAR_SUFFIX, sign, sign_sequence
from falsework.rights.state import State
from falsework.rights.verification import verify
from falsework.rights.watermark import mark_picture, pointer_to
from falsework.shots.clearing.cut import Cut, beside, cut_of, missing_frame, spread, unreadable_frame
from falsework.shots.clearing.desk import Desk
from falsework.shots.clearing.judging import (
    case_of,
    check_ledger,
    findings_for_record,
    line_of,
    made_folder,
)
from falsework.shots.clearing.place import ANCHOR, alone, check_place, put_in_place
from falsework.shots.clearing.reporting import report_of
from falsework.shots.spec import Shot

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Delivered", "deliver"]

STILLS = 3
ATTEMPTS = 20  # to judge and record in one, while others write to the ledger
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
    by: str = "",
    progress: Progress = silent,
) -> Delivered:
    """Sign and hand over the cut, or raise the gate's refusal.

    Everything is made in a folder beside `out` (`deliveries/NAME` beside the shot) which takes its name when
    all of it is there and has been read back. An earlier delivery is replaced as a whole; a folder that holds
    anything else is refused. `by` is who hands it over, for the record.
    """
    # By the run's own list: the frames are read once, when they are copied, and the copies must be these.
    cut = cut_of(made_folder(desk, made))
    folder = (out if out is not None else desk.base / "deliveries" / desk.shot.name).resolve()
    with desk.open_ledger() as ledger:
        check_ledger(desk, ledger, folder / ANCHOR)
        case = case_of(desk, ledger, cut, at)
        check_place(folder, case.state, desk.digests)
        verdict = clearance(case)
        ledger.append(findings_for_record(desk, case, verdict), at=at)
    if verdict.blockers:
        raise verdict.refusal()
    notes: list[str] = []
    desk.stamp_roots()  # before the work: a path that is wrong shall not cost an hour
    credentials = _credentials(desk, at, notes)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".part-{folder.name}-", dir=folder.parent))
    try:
        with desk.open_ledger() as ledger:
            taken = _frames(cut, part)
            _beside(cut, case, part)
            pointer = pointer_to(cut.id.removeprefix("sha256:"))
            movie, stills = _pictures(desk.shot, taken, part, pointer, progress)
            words = _words(desk, case, verdict, ledger)
            files = _signed(desk, part, movie, stills, words, pointer, credentials, at, notes)
            marked = _read_back(part, files, taken, credentials, pointer)
            # Again, as everything stands now: somebody may have taken back a grant meanwhile.
            case = case_of(desk, ledger, cut, at, marked=marked)
            verdict = clearance(case)
            if not verdict.clear:
                raise verdict.refusal()
            anchor = _anchored(desk, ledger, at, notes)
            provenance = prov_json(line_of(case))
        write_text(part / "credits.txt", "\n".join((*verdict.credits, *_licence_lines(verdict))) + "\n")
        write_text(part / "provenance.prov.json", json.dumps(provenance, indent=1) + "\n")
        write_text(part / ANCHOR, json.dumps(anchor.to_json()) + "\n")
        report_of(desk, taken, at=at, out=part, marked=marked, say=notes.append)
        part.chmod(0o755)
        # Last of all, and before a rename that takes no time: what is on record as delivered is there. Where
        # the rename fails all the same, that goes on record too.
        with alone(folder.parent), desk.open_ledger() as ledger:
            check_place(folder, State.of(ledger.events()), desk.digests)
            asset, verdict = _on_record(desk, ledger, cut, part, verdict, marked, by, at)
            try:
                put_in_place(part, folder)
            except BaseException:  # nothing left: the record must not go on saying so
                stayed = asset.facts | {"marked": False, "left": False}
                ledger.append([asset.model_copy(update={"facts": stayed})], at=at)
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    progress(len(cut.frames), len(cut.frames))
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    return Delivered(folder, tuple(names), verdict, asset, credentials.name, credentials.test, tuple(notes))


def _credentials(desk: Desk, at: datetime, notes: list[str]) -> Credentials:
    """Who signs: the production's certificate, or a chain for trying out, made where there is none."""
    given = desk.production.credentials
    if given.certificate or given.key:
        chain, key, root = (
            desk.named(named, f"credentials.{what}") if (named := getattr(given, what)) else None
            for what in ("certificate", "key", "trust")
        )
        return load_credentials(chain=chain, key=key, root=root, passphrase=os.environ.get(PASSPHRASE))
    folder = desk.named("credentials", "credentials")
    with alone(desk.folder):  # of several deliveries at once, one makes it
        if not (folder / CHAIN).is_file():
            make_test_chain(folder, at=at)
    notes.append(
        "signed with a TEST chain: anybody can see that nobody vouches for it. "
        "For a release, give [credentials] in production.toml."
    )
    return load_credentials(folder)


def _frames(cut: Cut, part: Path) -> Cut:
    """Copies of the frames, which nobody else can change, and which are the cut: the copies are hashed, so
    that whatever happened to a frame before, and to its bytes on the way, shows."""
    (part / "exr").mkdir()
    for name, path in zip(cut.frames, cut.paths, strict=True):
        copy = part / "exr" / path.name
        try:
            shutil.copyfile(path, copy)
        except FileNotFoundError:
            raise missing_frame(path) from None
        except OSError as error:  # a folder in its place, a pipe
            raise unreadable_frame(path, error) from error
        if sha256(copy) != cut.frames[name]:
            raise FalseworkError(
                f"is not what was made: {name} has changed",
                where=cut.folder,
                todo="Run `falsework make` to make the shot anew; approvals of another cut do not hold.",
            )
    return Cut(part, cut.frames)


def _beside(cut: Cut, case: Case, part: Path) -> None:
    """What a compositor needs besides the frames: plates, camera and motion, as the run left them.

    What the run put on record counts, and not the list that lies beside them, which anybody can change.
    """
    known: dict[str, set[object]] = {}
    makes = [one for one in case.state.made_by(cut.id) if one.type == "make"]
    for step in makes:
        files = step.parameters.get("beside")
        for name, digest in files.items() if isinstance(files, dict) else ():
            known.setdefault(name, set()).add(digest)
    for name in beside(cut.folder):
        copy = part / name
        copy.parent.mkdir(exist_ok=True)
        try:
            shutil.copyfile(cut.folder / name, copy)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise FalseworkError(
                f"cannot be read ({error.strerror or error})",
                where=cut.folder / name,
                todo="Move it away and run `falsework make` again: it brings it back.",
            ) from error
        if sha256(copy) not in known.get(name, ()):
            raise FalseworkError(
                "is not what was made, or no run put it on record",
                where=cut.folder / name,
                todo="Run `falsework make` again, which makes what has changed and puts it on record.",
            )


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
    for name in spread(cut, STILLS):
        still = work / f"{Path(name).stem}.png"
        write_png(still, mark_picture(viewed(shot, cut.folder / name), pointer))
        stills.append(still)
    return movie, stills


def _words(desk: Desk, case: Case, verdict: Clearance, ledger: Ledger) -> ManifestInput:
    """What the delivery's manifests say."""
    state = case.state
    ingredients, systems = [], []
    for one in case.lineage.assets:
        asset = state.assets.get(one)
        # What was written about the shot (its brief, who read it) is in no picture, and not for the public.
        if asset is None or one == case.subject or asset.type == "document":
            continue
        ingredients.append(_ingredient(desk, case, asset))
    for model in case.models:
        asset = state.assets.get(model)
        version = str(asset.facts.get("version", "")) if asset else ""
        worked = _ended((one for one in case.activities if model in one.models), case.at)
        systems.append(AiSystem(asset.name if asset else model, version, identifier=model, when=worked))
        if asset is not None:
            ingredients.append(_ingredient(desk, case, asset))
    if not systems and case.fact("generative_ai").yes:
        systems.append(AiSystem("a generative model that is declared and not on record", ""))
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
        made=_ended((one for one in case.activities if case.subject in one.generated), case.at),
    )


def _ended(steps: Iterable[Activity], at: datetime) -> datetime | None:
    """When the last of these steps was done, where the ledger says; a clock that was ahead says nothing."""
    return max((one.ended for one in steps if one.ended is not None and one.ended <= at), default=None)


def _ingredient(desk: Desk, case: Case, asset: Asset) -> Ingredient:
    path = desk.inside(asset.path)
    known = path is not None and asset_id(desk.digests.of(path)) == asset.id
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
    desk: Desk, part: Path, movie: Path, stills: Sequence[Path], words: ManifestInput, pointer: bytes,
    credentials: Credentials, at: datetime, notes: list[str],
) -> list[Path]:  # fmt: skip
    """Sign movie and stills, which bear the mark, and the sequence, which does not."""
    stamp = desk.production.timestamp
    files = []
    for source in (movie, *stills):
        target = part / ("stills" if source.suffix == ".png" else "") / source.name
        target.parent.mkdir(exist_ok=True)
        said = replace(words, watermark=pointer)
        signing = partial(sign, source, target, said, credentials, at=at, timestamp_seconds=stamp.seconds)
        _stamped(desk, signing, notes)
        files.append(target)
    shutil.rmtree(part / ".unsigned")
    sidecar = part / "exr" / f"{desk.shot.name}{SIDECAR_SUFFIX}"
    seconds = stamp.seconds
    signing = partial(
        sign_sequence, part / "exr", sidecar, words, credentials, at=at, timestamp_seconds=seconds
    )
    _stamped(desk, signing, notes)
    return [*files, sidecar]


def _stamped(desk: Desk, signing: Callable[..., object], notes: list[str]) -> None:
    """Sign with a time-stamp where an authority is configured; without one, saying so, where it does not
    answer and the production does not insist."""
    stamp = desk.production.timestamp
    try:
        signing(timestamp_url=stamp.url or None)
    except FalseworkError as error:
        if not stamp.url or stamp.required:
            raise
        signing(timestamp_url=None)
        _say_once(notes, f"without a time-stamp: {error.what}")


def _anchored(desk: Desk, ledger: Ledger, at: datetime, notes: list[str]) -> Anchor:
    """The ledger's root, noted beside it, under the authority's seal where there is one."""
    stamp = desk.production.timestamp
    if stamp.url:
        from falsework.rights.timestamp import request_stamp

        ask = partial(request_stamp, url=stamp.url, wait=stamp.seconds, roots=desk.stamp_roots())
        try:
            return ledger.anchor(at=at, stamp=ask)
        except FalseworkError as error:
            if stamp.required:
                raise
            _say_once(notes, f"the ledger's root is without a time-stamp: {error.what}")
    return ledger.anchor(at=at)


def _say_once(notes: list[str], sentence: str) -> None:
    if sentence not in notes:
        notes.append(sentence)


def _read_back(
    part: Path, files: Sequence[Path], taken: Cut, credentials: Credentials, pointer: bytes
) -> bool:
    """Whether the invisible mark is found again in every picture; the gate judges by that.

    Raises FalseworkError where a signed file does not read back as intact, or the sequence's list is not
    that of the frames that were cleared.
    """
    marked = True
    for path in files:
        seen = verify(path, anchors=credentials.root)
        broken = sorted({fault.ingredient for fault in seen.faults if fault.ingredient})
        if broken:
            raise FalseworkError(
                f"the credentials of {broken[0]}, which it is made from, are broken",
                where=path.relative_to(part),
                todo="Get that file anew from its source, and make the shot again.",
            )
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
    listed = (part / "exr" / f"{files[-1].stem}.sha256").read_text().split()[0::2]
    if sorted(listed) != sorted(taken.frames.values()):
        raise FalseworkError("what was signed is not what was cleared", where=part, todo="Deliver again.")
    return marked


def _on_record(
    desk: Desk,
    ledger: Ledger,
    cut: Cut,
    part: Path,
    verdict: Clearance,
    marked: bool,
    by: str,
    at: datetime,
) -> tuple[Asset, Clearance]:
    """The delivery as an asset made from the cut, with every file's digest, and the rules it left under.

    Between the verdict and its record nobody can have rejected the cut or taken anything back: it is judged
    once more, by a ledger that nobody wrote to until the delivery stands in it. Others may be writing, so
    this is tried some times.
    """
    frames = cut.frames
    others = (path for path in part.rglob("*") if path.is_file() and f"exr/{path.name}" not in frames)
    parts = dict(frames) | {path.relative_to(part).as_posix(): sha256(path) for path in others}
    asset = Asset(
        id=asset_id(hashlib.sha256(canonical(parts)).hexdigest()),
        type="delivery",
        name=desk.shot.name,
        parts=parts,
        facts={"temporary": False, "files": len(parts), "marked": marked},
    )
    said = _said_of(verdict)
    for _ in range(ATTEMPTS):
        case = case_of(desk, ledger, cut, at, marked=marked)
        verdict = clearance(case)
        if not verdict.clear:
            raise verdict.refusal()
        if _said_of(verdict) != said:
            raise FalseworkError(
                "what is to be printed or who approved has changed while it was made",
                where=desk.shot.name,
                todo="Deliver again.",
            )
        with contextlib.suppress(OvertakenError):
            records = _delivery(desk, case, asset, verdict, by, at)
            ledger.append(records, at=at, after=case.state.size)
            return asset, verdict
    raise FalseworkError(
        "the ledger is being written to all the time", where=ledger.where, todo="Deliver again."
    )


def _said_of(verdict: Clearance) -> tuple[object, ...]:
    """What the files of a delivery say of its clearance."""
    waived = tuple(one.decision.id for one in verdict.waived)
    return verdict.credits, verdict.obligations.licence, verdict.approvals, waived


def _delivery(
    desk: Desk, case: Case, asset: Asset, verdict: Clearance, by: str, at: datetime
) -> list[Record]:
    """What goes on record of a delivery."""
    production, state = desk.production, case.state
    person = [person_named(state, production, by, "deliverer")] if by.strip() else []
    activity = Activity(
        id=record_id("activity", "deliver", asset.id),
        type="deliver",
        used=(case.subject,),
        generated=(asset.id,),
        agent=person[0].id if person else "",
        tool="falsework",
        version=falsework.__version__,
        parameters={
            "approvals": [one.id for one in verdict.approvals],
            "production": production.name,
            "packs": sorted(production.rule_packs),
            "territories": list(production.territories),
            "releases": [day.isoformat() for day in production.releases],
            "commercial": production.commercial,
        },
        offline=not production.timestamp.url,
        ended=at,
    )
    return [*person, *findings_for_record(desk, case, verdict), asset, activity]


def _licence_lines(verdict: Clearance) -> tuple[str, ...]:
    asked = verdict.obligations
    lines = [f"Passed on under {asked.licence}."] if asked.licence else []
    return (*lines, *asked.notices)
