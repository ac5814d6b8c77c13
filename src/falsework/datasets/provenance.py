"""A data set's records of rights: its pictures with their licences, the set by its hash, and how it was
made."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import falsework
from falsework.datasets.assets import FREE
from falsework.datasets.croissant import write_sums
from falsework.datasets.previews import PREVIEWS, stale_previews
from falsework.datasets.shards import read_index
from falsework.datasets.volumes import is_volumes
from falsework.datasets.work import COPY, read_dataset
from falsework.errors import FalseworkError
from falsework.rights.ledger import Ledger
from falsework.rights.licences import licence_of
from falsework.rights.records import Activity, Asset, Grant, Party, Record, asset_id, record_id
from falsework.rights.samples import Sample, samples_in

__all__ = ["put_on_record", "records_of", "training_samples"]

MAKER = Party(id="party:falsework", type="organisation", name="the falsework contributors")
MEDIA = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".hdr": "image/vnd.radiance",
    ".exr": "image/x-exr",
}
KINDS = {"texture": "texture", "sky": "environment"}


def records_of(folder: Path) -> list[Record]:
    """Everything the ledger has to know of a data set, in the order it came about."""
    about, rows = read_dataset(folder), read_index(folder)
    if is_volumes(about):
        return _records_of_volumes(folder, about, rows)
    sums, digest = write_sums(folder)
    records: list[Record] = [MAKER]
    used = []
    for note in about["assets"]:
        asset, party, grant = _asset(note)
        records += [party, asset, grant]
        used.append(asset.id)
    made = Asset(
        id=asset_id(digest),
        type="dataset",
        name=about["name"],
        media_type="application/x-tar",
        path=folder.name,
        creator=MAKER.id,
        parts=sums,
        facts={"samples": len(rows), "buildings": len({row["building"] for row in rows}), "synthetic": True},
    )
    records.append(made)
    records.append(
        Grant(
            id=record_id("grant", "dataset", made.id),
            type="licence",
            given_by=MAKER.id,
            assets=(made.id,),
            uses=("use", "adapt", "commercial", "train"),
            licence=FREE,
            basis="owner",
        )
    )
    records.append(
        Activity(
            id=record_id("activity", "dataset build", made.id),
            type="dataset build",
            used=tuple(dict.fromkeys(used)),
            generated=(made.id,),
            version=falsework.__version__,
            parameters={"recipe": about["recipe"], "targets": bool(about.get("targets")), "models": []},
            offline=True,
        )
    )
    return records


def _records_of_volumes(folder: Path, about: dict[str, Any], rows: list[dict[str, Any]]) -> list[Record]:
    """Of a set of dust volumes: nothing from outside went into it, this program made it from its recipe."""
    sums, digest = write_sums(folder)
    recipe = Asset(
        id=asset_id(about["recipe"]),
        type="document",
        name=f"recipe of {about['name']}",
        media_type="application/toml",
        path=f"{folder.name}/{COPY}",
        creator=MAKER.id,
    )
    simulations = {row["simulation"] for row in rows}
    made = Asset(
        id=asset_id(digest),
        type="dataset",
        name=about["name"],
        media_type="application/octet-stream",
        path=folder.name,
        creator=MAKER.id,
        parts=sums,
        facts={"samples": len(rows), "simulations": len(simulations), "synthetic": True},
    )
    grant = Grant(
        id=record_id("grant", "dataset", made.id),
        type="licence",
        given_by=MAKER.id,
        assets=(made.id, recipe.id),
        uses=("use", "adapt", "commercial", "train"),
        licence=FREE,
        basis="owner",
    )
    activity = Activity(
        id=record_id("activity", "dataset volumes", made.id),
        type="dataset build",
        used=(recipe.id,),
        generated=(made.id,),
        version=falsework.__version__,
        parameters={
            "recipe": about["recipe"],
            "models": [],
            "inputs": [],
            "origin": "made by this program from this recipe",
            "code": sorted({row["code"] for row in rows}),
        },
        offline=True,
    )
    return [MAKER, recipe, made, grant, activity]


def _asset(note: dict[str, Any]) -> tuple[Asset, Party, Grant]:
    where = re.sub(r"^https://github\.com/([^/]+/[^/]+)/.*", r"\1", note["source"]) or note["file"]
    slug = re.sub(r"[^a-z0-9._-]+", "-", where.lower())
    party = Party(
        id=f"party:{slug}", type="organisation", name=f"{where}, which passes on {note['licence']} works"
    )
    asset = Asset.model_validate(
        {
            "id": asset_id(note["sha256"]),
            "type": KINDS[note["kind"]],
            "name": note["file"],
            "media_type": MEDIA.get(Path(note["file"]).suffix.lower(), "application/octet-stream"),
            "path": note["file"],
            "source": note["source"],
            "facts": {"licence_evidence": note["evidence"]},
        }
    )
    licence = licence_of(note["licence"])
    uses = (*(licence.uses if licence is not None else ("use",)), "train")
    grant = Grant(
        id=record_id("grant", "licence", asset.id, note["licence"]),
        type="licence",
        given_by=party.id,
        assets=(asset.id,),
        uses=uses,
        licence=note["licence"],
        url=note["source"],
        basis="item",
    )
    return asset, party, grant


def put_on_record(ledger: str, records: list[Record]) -> int:
    """Append what the ledger does not have yet; returns how many records that were."""
    with Ledger.open(ledger) as book:
        return len(book.append(records, at=datetime.now(UTC)))


def training_samples(folder: Path) -> tuple[Sample, ...]:
    """The set's samples as pictures that the copy audit compares with: all that are not kept for the test.
    FalseworkError where the pictures are not of these samples: an audit of others would say nothing."""
    read_dataset(folder)
    stale = stale_previews(folder, [row for row in read_index(folder) if row["split"] != "test"])
    if stale:
        raise FalseworkError(
            f"{len(stale)} pictures are missing or of other samples, {stale[0]} the first",
            where=folder / PREVIEWS,
            todo="Build again into this folder: they are drawn anew.",
        )
    return tuple(
        sample
        for split in ("train", "validation")
        if (folder / PREVIEWS / split).is_dir()
        for sample in samples_in(folder / PREVIEWS / split, "training")
    )
