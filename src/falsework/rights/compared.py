"""What a cut has to be compared with, as a digest: an audit holds for the set it saw and for no other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from falsework.rights.records import Activity, Asset, Record, asset_id, canonical, record_id
from falsework.rights.state import State

__all__ = ["compared_digest", "protected_records", "protected_set"]


def compared_digest(samples: Iterable[tuple[str, str]]) -> str:
    """SHA-256 of samples as (group, asset id), whatever their order and however often they come."""
    return hashlib.sha256(canonical(sorted({f"{group} {one}" for group, one in samples}))).hexdigest()


def protected_records(production: str, folder: str, pictures: Mapping[str, str]) -> list[Record]:
    """The protected set as its pictures are now: a data set, and the step that collected it.

    The step keeps its id, so that the latest set replaces the earlier one. `folder` is as production.toml
    names it; `pictures` are digests by path.
    """
    parts = dict(pictures)
    collected = Asset(
        id=asset_id(hashlib.sha256(canonical(parts)).hexdigest()),
        type="dataset",
        name=f"protected set of {production}",
        path=folder,
        parts=parts,
    )
    step = Activity(id=_step(production), type="collect", generated=(collected.id,), offline=True)
    return [collected, step]


def protected_set(state: State, production: str) -> tuple[str, ...] | None:
    """The pictures of a production's protected set by asset id; None where none is on record."""
    step = state.activities.get(_step(production))
    if step is None:
        return None
    return tuple(
        asset_id(digest)
        for one in step.generated
        if one in state.assets
        for digest in state.assets[one].parts.values()
    )


def _step(production: str) -> str:
    return record_id(f"activity:{production}", "protected set")
