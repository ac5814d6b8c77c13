"""The copy audit of a shot's cut: against what its models learned from, and what its production protects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from falsework.delivery.manifest import sha256
from falsework.errors import FalseworkError
from falsework.models.registry import models
from falsework.progress import Progress, silent
from falsework.rights.case import Case
from falsework.rights.copies import CopyAudit, audit
from falsework.rights.copy_findings import findings
from falsework.rights.fingerprints import read_fingerprints
from falsework.rights.records import Finding, asset_id
from falsework.rights.samples import Index, Sample, samples_in
from falsework.shots.clearing.cut import Cut, cut_in
from falsework.shots.clearing.desk import Desk
from falsework.shots.clearing.judging import case_of, check_ledger, made_folder
from falsework.shots.clearing.recording import own_textures
from falsework.shots.clearing.viewing import viewed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["audit_shot"]

SAMPLES = "rights/samples"  # what was worked out of them, from the production's folder


def audit_shot(
    desk: Desk, *, at: datetime, made: Path | None = None, progress: Progress = silent
) -> tuple[CopyAudit, tuple[Finding, ...]]:
    """Compare every frame of the cut with the training samples of the models used and the protected set; what
    is found goes on record. What was worked out of samples is kept beside the ledger."""
    cut = cut_in(made_folder(desk, made))
    with desk.open_ledger() as ledger:
        check_ledger(desk, ledger)
        case = case_of(desk, ledger, cut, at)
        against = (*_training(desk, case), *_protected(desk))
        if not against:
            raise FalseworkError(
                "there is nothing to compare with: no trained model touched it, and no picture is protected",
                where=desk.shot_path,
                todo="Nothing needs auditing. [protected] folder in production.toml protects pictures.",
            )
        result = audit(
            _frames(desk, cut),
            against,
            inputs=_inputs(desk, case),
            index=Index(desk.named(SAMPLES, "its samples"), desk.digests),
            progress=progress,
        )
        if cut_in(cut.folder).id != cut.id:
            raise FalseworkError(
                "the frames changed during the audit", where=cut.folder, todo="Run the audit again."
            )
        former = [one for one in case.state.findings.values() if one.subject == cut.id]
        found = findings(result, cut.id, at=at, former=former)
        ledger.append(found, at=at)
    return result, found


def _frames(desk: Desk, cut: Cut) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    for path in cut.paths:
        yield path.stem, viewed(desk.shot, path)


def _training(desk: Desk, case: Case) -> Iterator[Sample]:
    """The samples of every model that touched the cut: by the list of fingerprints that its training put on
    record, else by their files, as far as those are at hand."""
    for model in case.all_models:
        listed = case.fingerprints(model)
        if listed:
            yield from _fingerprints(case, model, listed)
            continue
        for one in case.samples(model):
            asset = case.state.assets.get(one)
            path = desk.inside(asset.path) if asset is not None else None
            # One that is not at hand is listed as unread: it cannot be told apart from a copy.
            name = asset.name if asset is not None else one
            yield Sample(name, one, "training", path or desk.folder / ".not-at-hand")


def _fingerprints(case: Case, model: str, listed: str) -> Iterator[Sample]:
    """What stands in for a model's training pictures, which do not ship with it."""
    for one in models():
        if asset_id(one.sha256) == model and one.learned.is_file():
            if asset_id(sha256(one.learned)) != listed:
                continue
            printed = read_fingerprints(one.learned)
            yield from printed.samples(listed)
            there = {asset_id(each.sha256) for each in printed.pictures}
            for sample in case.samples(model):
                asset = case.state.assets.get(sample)
                # A set that was made from nothing but its recipe is in the list picture by picture.
                if sample not in there and (asset is None or asset.type not in ("dataset", "document")):
                    name = asset.name if asset is not None else sample
                    yield Sample(name, sample, "training", one.learned.with_name(".not-at-hand"), listed)
            return
    raise FalseworkError(
        f'what the model "{case.name(model)}" learned from is not at hand as it is on record',
        where=case.shot,
        todo="Install the model again, with all its files (`falsework models install`), or the falsework "
        "that made the shot.",
    )


def _protected(desk: Desk) -> tuple[Sample, ...]:
    folder = desk.protected
    return samples_in(folder, "protected", desk.digests) if folder is not None else ()


def _inputs(desk: Desk, case: Case) -> tuple[Sample, ...]:
    """The pictures the shot was made from: they are in every frame, and are no copies. A network may have
    learned from the very textures that falsework draws rubble and side walls with."""
    found = [(asset, desk.inside(asset.path)) for asset in case.of_type("plate", "picture")]
    if case.all_models:
        own = own_textures()
        found += [(asset, own.get(asset.id)) for asset in case.of_type("texture")]
    return tuple(Sample(asset.name, asset.id, "input", path) for asset, path in found if path is not None)
