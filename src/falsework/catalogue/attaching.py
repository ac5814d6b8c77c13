"""A delivered shot attached to its title and scene, with what the ledger of rights says of exactly these
frames."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from falsework.catalogue.database import Catalogue
from falsework.catalogue.records import Clearance, Shot
from falsework.errors import FalseworkError
from falsework.media.images import read_exif
from falsework.rights.anchors import read_anchors
from falsework.rights.case import Case
from falsework.rights.gate import Clearance as Verdict
from falsework.rights.gate import clearance
from falsework.rights.ledger import Ledger
from falsework.rights.places import named_folders, named_place
from falsework.rights.production import FILE_NAME, Production, load_production
from falsework.rights.records import asset_id, canonical
from falsework.rights.state import State

__all__ = ["Delivery", "attach", "delivery_in"]

MANIFEST = (
    "manifest.json"  # of a folder that `falsework make` wrote; `falsework deliver` signs a list instead
)
ANCHOR = "ledger.anchor.jsonl"
LEDGER = "rights/ledger.db"
FRAME = re.compile(r"exr/[^/\\]+\.exr")
UPWARDS = 6  # folders above a delivery in which its production may lie


@dataclass(frozen=True)
class Delivery:
    """Frames as they lie in a folder: SHA-256 by path, each read and found to be what the folder's own list
    says."""

    folder: Path
    frames: dict[str, str]

    @property
    def cut(self) -> str:
        """Their id in the ledger: a changed pixel is another cut."""
        return asset_id(hashlib.sha256(canonical(self.frames)).hexdigest())

    @property
    def name(self) -> str:
        """The shot's name, as its frames bear it: street.1001.exr is of "street"."""
        first = Path(next(iter(self.frames))).stem
        return re.sub(r"[._]\d+$", "", first)


@dataclass(frozen=True)
class _Standing:
    """What the ledger says: see `falsework.catalogue.records.Shot`."""

    clearance: Clearance
    why: str
    record: str = ""
    approved_by: str = ""
    role: str = ""
    name: str = ""


def attach(
    catalogue: Catalogue,
    title_id: str,
    folder: Path,
    *,
    at: datetime,
    scene_id: str = "",
    ledger: str | Path | None = None,
) -> Shot:
    """Attach the shot in a folder that `falsework make` or `falsework deliver` wrote to a title, and to a
    scene of it.

    at      when this is (aware): the shot is judged as of then, or as of the ledger's last event if that is
            later
    ledger  its file or URL; by default that of the nearest production.toml above the folder, or
            rights/ledger.db

    A shot that is not cleared, or that no ledger knows, is attached as such. One of the same name replaces
    what was attached before. Nothing is written to the ledger. Raises FalseworkError where the folder holds
    no frames, or others than were made, and where there is no such title or scene.
    """
    delivery = delivery_in(folder)
    if catalogue.title(title_id) is None:
        raise FalseworkError(
            f'there is no title "{title_id}" in the catalogue',
            where=catalogue.where,
            todo="`falsework catalogue list` shows those there are.",
        )
    production, base = _production(delivery.folder)
    standing = _standing(delivery, production, _ledger(production, base, ledger), at)
    name = standing.name or delivery.name
    shot = Shot(
        id=f"{title_id}/{name}",
        title_id=title_id,
        name=name,
        cut=delivery.cut,
        judged=at,
        scene_id=scene_id,
        frames=len(delivery.frames),
        folder=str(delivery.folder),
        clearance=standing.clearance,
        why=standing.why,
        record=standing.record,
        approved_by=standing.approved_by,
        role=standing.role,
    )
    with catalogue.writing() as writer:
        writer.shot(shot)
    return shot


def delivery_in(folder: Path) -> Delivery:
    """The frames of a folder; FalseworkError where one is missing or is not what was made."""
    folder = folder.resolve()
    listed = _listed(folder)
    if not listed:
        raise FalseworkError(
            "holds no delivered shot",
            where=folder,
            todo="Name the folder that `falsework make` or `falsework deliver` wrote to.",
        )
    for name, digest in listed.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise FalseworkError(
                f"a frame cannot be read ({error.strerror or error})",
                where=folder / name,
                todo="Deliver it anew.",
            ) from error
        if found != digest:
            raise FalseworkError(
                "is not what was made: it has changed", where=folder / name, todo="Make it anew."
            )
    return Delivery(folder, dict(sorted(listed.items())))


def _listed(folder: Path) -> dict[str, str]:
    """Frame by path with its digest, from the run's manifest or the list of a signed sequence."""
    manifest = folder / MANIFEST
    lists = sorted(folder.glob("exr/*.sha256"))
    try:
        if manifest.is_file():
            files = json.loads(manifest.read_bytes())["files"]
            return {name: str(digest) for name, digest in files.items() if FRAME.fullmatch(name)}
        words = [line.split(maxsplit=1) for one in lists for line in one.read_text("utf-8").splitlines()]
        return {f"exr/{name.lstrip('*')}": digest for digest, name in words if FRAME.fullmatch(f"exr/{name}")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FalseworkError(
            f"its list of frames cannot be read ({type(error).__name__})",
            where=folder,
            todo="Deliver it anew.",
        ) from error


def _production(folder: Path) -> tuple[Production | None, Path | None]:
    """The production a folder lies in, and where its rights are kept, as far as they can be found above
    it."""
    for base in (folder, *list(folder.parents)[:UPWARDS]):
        if (base / FILE_NAME).is_file():
            return load_production(base), base
        if (base / LEDGER).is_file():
            return None, base
    return None, None


def _ledger(production: Production | None, base: Path | None, given: str | Path | None) -> str | Path | None:
    if given is not None:
        return given
    if base is None:
        return None
    named = production.ledger if production is not None else ""
    if "://" in named:
        return named
    place = named_place(base, named or LEDGER, "ledger", named_folders())
    return place if place.is_file() else None


def _standing(
    delivery: Delivery, production: Production | None, ledger: str | Path | None, at: datetime
) -> _Standing:
    if ledger is None:
        return _Standing("not on record", "no ledger of rights lies above its folder")
    anchors = read_anchors(delivery.folder / ANCHOR)[0]
    with Ledger.open(ledger, create=False) as opened:
        faults = opened.verify(anchors)
        if faults:
            return _Standing("not on record", f"the ledger is not as it was written: {faults[0].words}")
        state = State.of(opened.events())
    cut = state.assets.get(delivery.cut)
    if cut is None:
        return _Standing("not on record", "no run in the ledger made exactly these frames")
    if cut.type != "cut":
        return _Standing("not cleared", "it is a preview, which is never delivered", name=cut.name)
    verdict = _verdict(delivery, production or Production(name=cut.name), state, at)
    approval = verdict.approvals[0] if verdict.approvals else None
    if approval is None or verdict.blockers:
        why = verdict.blockers[0].words if verdict.blockers else "nobody has approved exactly these frames"
        clearance_: Clearance = "not cleared"
    else:
        delivered = any(one.type == "deliver" for one in state.used_by(cut.id))
        why = "approved, and signed at its delivery" if delivered else "approved, and not yet delivered"
        clearance_ = "cleared"
    if approval is None:
        return _Standing(clearance_, why, name=cut.name)
    person = state.parties.get(approval.by)
    by = person.name if person is not None else approval.by
    return _Standing(clearance_, why, approval.id, by, approval.role, cut.name)


def _verdict(delivery: Delivery, production: Production, state: State, at: datetime) -> Verdict:
    """The gate's verdict on these frames, asked as `falsework rights status` asks it."""
    cut = delivery.cut
    made = (state.assets.get(one) for one in state.descendants(cut))
    marked = any(
        one is not None and one.type == "delivery" and one.facts.get("marked") is True for one in made
    )
    return clearance(
        Case(
            state,
            production,
            cut,
            max(at, state.latest) if state.latest is not None else at,
            True if marked else None,
            display=_display(state, cut),
            too_small=_too_small(delivery),
        )
    )


def _display(state: State, cut: str) -> dict[str, str]:
    """How the frames are shown to people: as the run that made them had it or, where that is not on record,
    as it was when they were approved last."""
    for one in reversed(state.made_by(cut)):
        match one.parameters.get("shot"):
            case {"fps": float(fps) | int(fps), "plate": {"colour_space": str(space)}}:
                return {"fps": f"{fps:.12g}", "colour_space": space}
    approvals = [one for one in state.decisions_on(cut) if one.type == "approval" and not one.withdrawn]
    terms = approvals[-1].terms if approvals else {}
    return {name: terms[name] for name in ("fps", "colour_space") if name in terms}


def _too_small(delivery: Delivery) -> str:
    """Why its pictures can hold no invisible mark, as a clause; "" where they can."""
    from falsework.rights.watermark import SMALLEST  # with it come libraries that not every command needs

    size = read_exif(delivery.folder / next(iter(delivery.frames)))
    if min(size["width"], size["height"]) >= SMALLEST:
        return ""
    return f"its pictures are {size['width']}x{size['height']}, too small for the invisible mark"
