"""What hangs on an asset or a grant, and has to be cleared again where that changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from falsework.errors import FalseworkError
from falsework.rights.case import counts, production_named_by
from falsework.rights.grants import lapse
from falsework.rights.records import Asset, Decision
from falsework.rights.state import State

__all__ = ["Affected", "Impact", "impact"]


@dataclass(frozen=True)
class Affected:
    """Something made from what changed, with the approvals of it that have to be given anew."""

    asset: Asset
    approvals: tuple[Decision, ...]


@dataclass(frozen=True)
class Impact:
    """What hangs on an asset or a grant.

    lapsed    grants for it that do not hold, each with the reason, as (grant id, clause)
    affected  everything made from it, nearest first, itself (where it is a cut or a delivery) included
    reopened  of those, what goes out or was approved: cuts, takes and deliveries
    """

    assets: tuple[str, ...]
    lapsed: tuple[tuple[str, str], ...]
    affected: tuple[Affected, ...]

    @property
    def reopened(self) -> tuple[Affected, ...]:
        return tuple(
            one for one in self.affected if one.asset.type in ("take", "cut", "delivery") or one.approvals
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "assets": list(self.assets),
            "lapsed": [{"grant": grant, "why": why} for grant, why in self.lapsed],
            "affected": [
                {
                    "id": one.asset.id,
                    "type": one.asset.type,
                    "name": one.asset.name,
                    "path": one.asset.path,
                    "approvals": [decision.id for decision in one.approvals],
                }
                for one in self.affected
            ],
            "reopened": [one.asset.id for one in self.reopened],
        }


def impact(state: State, subject: str, at: datetime, production: str = "") -> Impact:
    """What must be cleared again if an asset changes or its grants lapse; `subject` is an asset or a grant.

    An asset may also be named by its path, its name, or the beginning of its hash (8 digits at least). Of its
    grants those count that are `production`'s ("" for all) or no single production's: one ledger may serve
    several, and what another agreed to clears nothing here. Whatever was made from the asset is listed, of
    other productions too: a changed asset concerns them as well. A grant that another production's file
    brought in concerns what that production made.
    """
    grant = state.grants.get(subject)
    assets = grant.assets if grant is not None else _assets(state, subject)
    theirs = production_named_by(subject) if grant is not None else ""
    home = theirs or production
    lapsed = [
        (one.id, why)
        for asset in assets
        for one in state.grants_for(asset)
        if not home or production_named_by(one.id) in ("", home)
        if (why := lapse(one, at))
    ]
    affected: dict[str, Affected] = {}
    for asset in assets:
        for made in (asset, *state.descendants(asset)):
            record = state.assets.get(made)
            if record is None or (made == asset and record.type not in ("take", "cut", "delivery")):
                continue
            if theirs and not _may_be_of(state, made, theirs):
                continue
            approvals = tuple(
                one
                for one in state.decisions_on(made)
                if one.type in ("approval", "waiver") and counts(state, one)
            )
            affected.setdefault(made, Affected(record, approvals))
    return Impact(tuple(assets), tuple(dict.fromkeys(lapsed)), tuple(affected.values()))


def _may_be_of(state: State, asset: str, production: str) -> bool:
    """Whether a production made an asset, as far as the steps that made it name theirs."""
    named = [one.parameters.get("production") for one in state.made_by(asset)]
    return not named or any(one in (None, "", production) for one in named)


def _assets(state: State, name: str) -> tuple[str, ...]:
    """The assets a person means; by a path, every version that lay there."""
    if name in state.assets or state.used_by(name):
        return (name,)
    found = tuple(one.id for one in state.assets.values() if one.path and one.path == name)
    if found:
        return found
    digits = name.removeprefix("sha256:").lower()
    if re.fullmatch(r"[0-9a-f]{8,64}", digits):
        found = tuple(one for one in state.assets if one.startswith(f"sha256:{digits}"))
    found = found or tuple(one.id for one in state.assets.values() if one.name == name)
    if found:
        return found
    raise FalseworkError(
        f'nothing is on record as "{name}"',
        todo="Give a file, its name as recorded, its hash, or a grant's id: `falsework ledger show LEDGER` "
        "lists them.",
    )
