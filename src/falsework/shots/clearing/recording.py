"""What a run puts on record: what it used, what it made, with which tool and settings."""

from __future__ import annotations

import csv
import hashlib
import json
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import falsework
from falsework.delivery.manifest import sha256
from falsework.errors import FalseworkError
from falsework.models.registry import models as models_at_hand
from falsework.rights.case import READING
from falsework.rights.events import kind_of
from falsework.rights.gate import person_named
from falsework.rights.records import Activity, Asset, Grant, Party, Record, asset_id, canonical, record_id
from falsework.rights.report_origin import AI_PIXELS
from falsework.rights.state import State
from falsework.shots.clearing.cut import MANIFEST, Cut, beside, cut_of
from falsework.shots.clearing.desk import Desk

__all__ = ["own_textures", "record_frames", "record_make", "record_script"]

TEXTURES = ("falsework.plate", "falsework.render")
SOURCES = "SOURCES.csv"
# What Blender does for the traditional pipeline, by stage: the types of its steps on record.
BY_BLENDER = {"collapse": "simulate", "dust": "simulate", "render": "render"}
MAKER = Party(id="party:falsework", type="organisation", name="the falsework contributors")
TEXTURE_SOURCE = Party(id="party:poly-haven", type="organisation", name="Poly Haven")


def record_make(desk: Desk, out: Path, *, preview: bool, at: datetime, seconds: float, by: str = "") -> Asset:
    """Put a finished run on record: what it used, the cut (a take, where it is a preview), how it was made.

    `out` is the folder delivered to, `seconds` what the run took until `at`, `by` the person who had it made.
    """
    manifest = json.loads((out / MANIFEST).read_bytes())
    return record_frames(
        desk, cut_of(out), manifest, beside(out), preview=preview, at=at, seconds=seconds, by=by
    )


def record_frames(
    desk: Desk,
    cut: Cut,
    manifest: Mapping[str, Any],
    others: Mapping[str, str],
    *,
    preview: bool,
    at: datetime,
    seconds: float,
    by: str = "",
) -> Asset:
    """`record_make` of frames that may lie anywhere: `manifest` says what one of a run does, `others` are the
    files that are delivered beside the frames, with the digest of each."""
    take = manifest["parameters"].get("render", {}).get("take", 0)
    made = Asset(
        id=cut.id,
        type="take" if preview else "cut",
        name=desk.shot.name,
        media_type="image/x-exr",
        path=_within(desk, cut.folder),
        parts=dict(cut.frames),
        facts={"temporary": True, "frames": len(cut.frames), **({"take": take} if take else {})},
    )
    inputs = [*_inputs(desk, manifest["inputs"])]
    textures = [*_textures()]
    with desk.open_ledger() as ledger:
        state = desk.declare(ledger, at)
    # What somebody revoked is not granted anew by the next run.
    textures = [one for one in textures if isinstance(one, Asset) or one.id not in state.grants]
    person = [person_named(state, desk.production, by, "operator")] if by.strip() else []
    scripts = [
        one for one in state.assets.values() if one.type == "script" and one.facts.get(_follows(desk)) is True
    ]
    reading = [*_reading(desk, state, person[0].id if person else "")]
    drawn_by = manifest.get("models") or ()
    networks = [*_networks(state, drawn_by, {one.id for one in inputs})]
    models = tuple(dict.fromkeys(asset_id(str(note["sha256"])) for note in drawn_by))
    used = [record.id for record in (*inputs, *textures, *scripts) if isinstance(record, Asset)]
    used += models
    used += [answer for step in reading if isinstance(step, Activity) for answer in step.generated]
    activity = Activity(
        id=record_id("activity", "make", made.id, *sorted(used), falsework.__version__),
        type="make",
        used=tuple(dict.fromkeys(used)),
        generated=(made.id,),
        agent=person[0].id if person else "",
        tool="falsework",
        version=falsework.__version__,
        models=models,
        parameters={
            "production": desk.production.name,
            "beside": dict(others),
            "shot": _as_recorded(desk, manifest["parameters"], manifest["inputs"]),
            "libraries": manifest["versions"],
            "opengl": manifest["opengl"] or {},
            "seconds": manifest["seconds"],
            "wall_seconds": round(seconds, 3),
            "brief": desk.shot.brief,
            **_by_networks(drawn_by, manifest.get("ai_pixels") or {}, cut),
        },
        seed=int(manifest["seed"]),
        offline=True,
        ended=at,
    )
    with desk.open_ledger() as ledger:
        steps = [activity, *_blender_steps(activity, manifest.get("blender") or {})]
        records = [MAKER, TEXTURE_SOURCE, *person, *inputs, *textures, *networks, *reading, made, *steps]
        ledger.append(records, at=at, retyped=desk.undeclared(state))
    return made


def _blender_steps(make: Activity, versions: Mapping[str, str]) -> Iterator[Activity]:
    """The steps of a run that Blender took: on this machine, as falsework's own."""
    for stage, version in versions.items():
        # Bullet and Mantaflow hold no trained model; the denoiser of Cycles is one, so of a render a person
        # says what it used (generative_ai).
        said: dict[str, object] = {} if BY_BLENDER[stage] == "render" else {"models": []}
        yield Activity(
            id=record_id("activity", "blender", stage, version, make.id),
            type=BY_BLENDER[stage],
            used=make.used,
            generated=make.generated,
            agent=make.agent,
            tool="Blender",
            version=version,
            parameters={"production": make.parameters["production"], "stage": stage, **said},
            seed=make.seed,
            offline=True,
            ended=make.ended,
        )


def _within(desk: Desk, path: Path) -> str:
    """A path as the ledger keeps it: from the production's folder, a bare name where it lies outside."""
    try:
        return path.resolve().relative_to(desk.folder).as_posix()
    except ValueError:
        return path.name


def _as_recorded(desk: Desk, value: object, inputs: Mapping[str, str]) -> object:
    """A shot's settings with every file that they name as the ledger keeps its path."""
    if isinstance(value, dict):
        return {name: _as_recorded(desk, one, inputs) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_recorded(desk, one, inputs) for one in value]
    return _within(desk, desk.base / value) if isinstance(value, str) and value in inputs else value


def _inputs(desk: Desk, given: Mapping[str, str]) -> Iterator[Asset]:
    """The user's files, by what the shot uses them for."""
    shot = desk.shot
    pictures = {shot.plate.file: "plate", shot.plate.clean: "picture"}
    for name, digest in given.items():
        yield Asset(
            id=asset_id(digest),
            type=pictures.get(name, "matte"),  # type: ignore[arg-type]
            name=Path(name).name,
            media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            path=_within(desk, desk.base / name),
        )


def _reading(desk: Desk, state: State, by: str) -> Iterator[Asset | Activity]:
    """The brief, and who was sent it, where the shot's file says that a language model was.

    Who takes that out of the file later changes nothing for frames that are on record with it.
    """
    reader = desk.shot.brief_read_by
    if reader is None:
        return
    brief = Asset(
        id=asset_id(hashlib.sha256(desk.shot.brief.encode()).hexdigest()),
        type="document",
        name="brief",
        media_type="text/plain",
    )
    said = {"shot": desk.shot.name, "brief": brief.id, **reader.model_dump(mode="json")}
    answer = Asset(
        id=asset_id(hashlib.sha256(canonical(said)).hexdigest()),
        type="document",
        name=f"{reader.model}'s reading of the brief"[:500],
        media_type="application/json",
    )
    identity = record_id("activity", READING, answer.id)
    before = state.activities.get(identity)
    yield brief
    yield answer
    yield Activity(
        id=identity,
        type=READING,
        used=(brief.id,),
        generated=(answer.id,),
        agent=by or (before.agent if before is not None else ""),
        tool=reader.endpoint,
        version=reader.model,
        parameters={
            "endpoint": reader.endpoint,
            "model": reader.model,
            "prompt_sha256": reader.prompt_sha256,
            "answer_used": reader.used,
            "declared_in": "shot.toml",
        },
        # A server on this machine may pass on what it is given: that it does not is for a person to attest.
        offline=None if reader.on_this_machine else False,
        ended=reader.at,
    )


def _by_networks(
    drawn_by: Sequence[Mapping[str, str]], shares: Mapping[str, float], cut: Cut
) -> dict[str, object]:
    """What a run's step says of the networks that drew, and of how much of each frame they made."""
    if not drawn_by:
        return {}
    measured = {name: shares[name] for name in cut.frames if name in shares}
    return {"networks": [dict(one) for one in drawn_by], AI_PIXELS: measured}


def _networks(state: State, noted: Sequence[Mapping[str, str]], inputs: AbstractSet[str]) -> Iterator[Record]:
    """The networks that drew, each with what its card has to say of its training; one without a card, or that
    is not at hand any more, as a model that nobody knows anything of. So is one whose card says of a file of
    this production (`inputs`, asset ids) that it is something else."""
    at_hand = {one.sha256: one for one in models_at_hand()} if noted else {}
    for note in noted:
        model = at_hand.get(str(note["sha256"]))
        card = model.card if model is not None and model.standing == "on record" else None
        records = card.all_records() if card is not None else ()
        if records and not _contradicts(records, state, inputs):
            # A card adds to the ledger and changes nothing there: that is a person's, or was revoked.
            for record in records:
                if (kind_of(record), record.id) not in state.entries:
                    yield record
        elif asset_id(str(note["sha256"])) not in state.assets:
            yield Asset(
                id=asset_id(str(note["sha256"])),
                type="model",
                name=str(note["name"]),
                facts={"version": str(note.get("version", ""))},
            )


def _contradicts(records: Sequence[Record], state: State, inputs: AbstractSet[str]) -> bool:
    """Whether a card calls something by another name than the ledger does, or than this run uses it for: a
    plate that it calls a data set would be cleared as one."""
    for one in records:
        if isinstance(one, Asset):
            before = state.assets.get(one.id)
            if one.id in inputs or (before is not None and before.type != one.type):
                return True
    return False


def own_textures() -> dict[str, Path]:
    """The files of the textures that ship with falsework, by asset id."""
    found: dict[str, Path] = {}
    for room in TEXTURES:
        with as_file(files(room) / "textures") as folder:
            found |= {asset_id(sha256(path)): path for path in sorted(folder.glob("*.jpg"))}
    return found


def _textures() -> Iterator[Asset | Grant]:
    """The textures that ship with falsework, each with the licence on record for it."""
    for room in TEXTURES:
        folder = files(room) / "textures"
        for row in csv.DictReader((folder / SOURCES).read_text(encoding="utf-8").splitlines()):
            with as_file(folder / row["file"]) as path:
                identity = asset_id(sha256(path))
            yield Asset(
                id=identity,
                type="texture",
                name=row["file"],
                media_type="image/jpeg",
                creator=TEXTURE_SOURCE.id,
                source=_source(row),
            )
            yield Grant(
                id=record_id("grant", identity, row["licence"]),
                type="licence",
                given_by=TEXTURE_SOURCE.id,
                assets=(identity,),
                uses=("any",),
                licence=row["licence"],
                url="https://polyhaven.com/license",
                basis="platform",  # its licence page says so of all it has
            )


def _source(row: Mapping[str, str]) -> str:
    return row.get("source") or f"{row.get('made_from', '')} ({row.get('repo', '')})"


def record_script(desk: Desk, file: Path, authors: Sequence[str], *, at: datetime) -> Asset:
    """Put a script or scene's text on record with the people who wrote it; runs of the shot after it use it.

    The file is read for its digest alone: nothing here reads, keeps or changes its words.
    """
    names = [name.strip() for name in authors if name.strip()]
    if not names:
        raise FalseworkError("a script has authors", where=file, todo='Name them: --author "NAME".')
    if not file.is_file():
        raise FalseworkError("there is no such file", where=file, todo="Name the script's file.")
    identity = asset_id(sha256(file))
    with desk.open_ledger() as ledger:
        known = desk.declare(ledger, at).assets.get(identity)
    script = Asset(
        id=identity,
        type="script",
        name=file.name,
        media_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        path=_within(desk, file),
        creator="; ".join(names),
        facts={**(known.facts if known is not None else {}), _follows(desk): True},
    )
    with desk.open_ledger() as ledger:
        ledger.append([script], at=at)
    return script


def _follows(desk: Desk) -> str:
    """The fact of a script that this shot follows it; several may."""
    return f"shot {desk.shot.name}"
