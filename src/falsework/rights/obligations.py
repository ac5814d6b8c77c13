"""Obligations travel: whatever is made from an asset inherits what its grants ask.

Inheritance only ever adds. Training counts as making, so samples hand theirs on too. Two obligations
that cannot both be met are a conflict, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from falsework.rights.grants import lasts_until, places_reached
from falsework.rights.licences import carried, licence_of
from falsework.rights.production import Production
from falsework.rights.records import Grant, Obligations
from falsework.rights.state import State

__all__ = ["Conflict", "Inherited", "ObligationSummary", "asked_by", "inherited", "obligations"]

PROPRIETARY = "proprietary"


@dataclass(frozen=True)
class Inherited:
    """What one grant asks, for one asset in the line. `asked` includes what its licence asks by itself."""

    asset: str
    grant: Grant
    asked: Obligations


@dataclass(frozen=True)
class Conflict:
    """Two things asked that cannot both be met, with the grants they come from."""

    reason: str
    remedy: str
    grants: tuple[str, ...]


@dataclass(frozen=True)
class ObligationSummary:
    """What whoever passes the asset on has to keep to.

    credits         lines to print, word for word, each once; also of what lost its only grant
    licence         what it must be passed on under (SPDX), "" where nothing asks for one
    territories     where all grants reach; ("worldwide",) where none limits
    ends            when the first of the terms is over, None where none is
    platform        grants that rest on a platform's general statement, not on the item's own record
    unclear         what nobody can tell from the records, as sentences
    """

    held: tuple[Inherited, ...] = ()
    credits: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    licence: str = ""
    non_commercial: bool = False
    no_derivatives: bool = False
    territories: tuple[str, ...] = ("worldwide",)
    ends: datetime | None = None
    platform: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    unclear: tuple[str, ...] = ()
    evidence: tuple[str, ...] = field(default=())


def asked_by(grant: Grant) -> Obligations:
    """A grant's obligations with those that its licence brings by itself; a grant cannot drop those."""
    licence = licence_of(grant.licence)
    if licence is None:
        return grant.obligations
    said = grant.obligations
    return said.model_copy(
        update={
            "share_alike": said.share_alike or licence.share_alike,
            "non_commercial": said.non_commercial or licence.non_commercial,
            "no_derivatives": said.no_derivatives or licence.no_derivatives,
        }
    )


def inherited(state: State, asset: str, at: datetime) -> tuple[Inherited, ...]:
    """What an asset's own grants and those of everything it was made from ask; revoked grants ask nothing.

    For every asset made from another, this holds all that it holds for the other.
    """
    found: list[Inherited] = []
    for one in (asset, *state.ancestors(asset)):
        for grant in state.grants_for(one):
            if grant.revoked is None or grant.revoked > at:
                found.append(Inherited(one, grant, asked_by(grant)))
    return tuple(found)


def obligations(state: State, asset: str, production: Production, at: datetime) -> ObligationSummary:
    """The obligations on an asset that this production passes on, with what stands in their way."""
    held = inherited(state, asset, at)
    named = (*held, *_still_named(state, asset, held))
    binding = _binding(held)
    alike = sorted({one.asked.share_alike for one in binding if one.asked.share_alike})
    licence = carried(alike)
    ends = [end for one in held if (end := lasts_until(one.grant)) is not None]
    return ObligationSummary(
        held=held,
        credits=_each_once(one.asked.attribution for one in named),
        notices=_each_once(one.asked.notice for one in named),
        licence=licence or "",
        non_commercial=any(one.asked.non_commercial for one in binding),
        no_derivatives=any(one.asked.no_derivatives for one in binding),
        territories=_reach(binding),
        ends=min(ends) if ends else None,
        platform=_each_once(one.grant.id for one in held if one.grant.basis == "platform"),
        conflicts=tuple(_conflicts(state, asset, binding, production, licence)),
        unclear=_each_once(_unclear(state, held)),
        evidence=_each_once(one.grant.id for one in held),
    )


def _still_named(state: State, asset: str, held: Sequence[Inherited]) -> Iterator[Inherited]:
    """Revoked grants of assets that no other grant covers now: delivered under a waiver, such an asset is
    still in the picture, and whoever made it is still to be named."""
    covered = {one.asset for one in held}
    for one in (asset, *state.ancestors(asset)):
        if one not in covered:
            for grant in state.grants_for(one):
                yield Inherited(one, grant, asked_by(grant))


def _binding(held: Sequence[Inherited]) -> tuple[Inherited, ...]:
    """What must be kept to. Of two licences by one giver for one asset one may be chosen: one that asks for
    nothing but credit frees from the others, where it allows as much. Nobody can free from what somebody
    else asks: both may hold a part of the rights."""
    free: dict[str, list[Grant]] = {}
    for one in held:
        asked = one.asked
        if not (asked.share_alike or asked.non_commercial or asked.no_derivatives):
            free.setdefault(one.asset, []).append(one.grant)

    def freed(one: Inherited) -> bool:
        return any(
            other is not one.grant
            and other.given_by == one.grant.given_by
            and other.type == "licence" == one.grant.type
            and ("any" in other.uses or {*one.grant.uses, "adapt", "commercial"} <= set(other.uses))
            and all(places_reached(place, other.territory) for place in one.grant.territory)
            and lasts_until(other) is None
            and other.starts is None
            for other in free.get(one.asset, ())
        )

    return tuple(one for one in held if one.grant in free.get(one.asset, ()) or not freed(one))


def _conflicts(
    state: State,
    asset: str,
    held: Sequence[Inherited],
    production: Production,
    licence: str | None,
) -> Iterator[Conflict]:
    def name(one: Inherited) -> str:
        known = state.assets.get(one.asset)
        return f'"{known.name}"' if known is not None else one.asset[:19]

    for one in held:
        if one.asked.non_commercial and production.commercial:
            yield Conflict(
                f"{name(one)} may not be used commercially, and {production.name} is a commercial production",
                f"Replace {name(one)}, or get a commercial licence for it and add it as [[grants]].",
                (one.grant.id,),
            )
        if one.asked.no_derivatives and one.asset != asset:
            yield Conflict(
                f"{name(one)} may not be changed, and this was made from it",
                f"Replace {name(one)}, or get leave to adapt it and add that as [[grants]].",
                (one.grant.id,),
            )
    alike = [one for one in held if one.asked.share_alike]
    if not alike:
        return
    if licence is None:
        asked = " and ".join(f"{name(one)} as {one.asked.share_alike}" for one in alike)
        yield Conflict(
            f"no one licence satisfies both share-alikes: it must be passed on, after {asked}",
            "Replace one of them, or get another licence for it and add it as [[grants]].",
            tuple(one.grant.id for one in alike),
        )
        return
    grants = tuple(one.grant.id for one in alike)
    source = name(alike[0])
    if production.licence and carried((licence, production.licence)) != production.licence:
        yield Conflict(
            f'{source} must be passed on under {licence}, but production.toml says licence = "'
            f'{production.licence}"',
            f'Set licence = "{licence}" (or leave it out), or replace {source}.',
            grants,
        )
    for one in held:
        if one.grant.type == "licence" and one.grant.uses != ("tool",) and not one.asked.share_alike:
            why = _not_passed_on(one, licence)
            if why:
                yield Conflict(
                    f"{source} must be passed on under {licence}, but {name(one)} {why}",
                    f'Replace one of them, or have the grant of {name(one)} allow the use "sublicense".',
                    (*grants, one.grant.id),
                )


def _not_passed_on(one: Inherited, licence: str) -> str:
    """Why what one grant covers cannot go out under a share-alike licence; "" where it can."""
    grant, asked = one.grant, one.asked
    if asked.non_commercial and "-NC" not in licence:
        return "may not be used commercially, which that licence lets everyone do"
    if grant.territory != ("worldwide",) and "worldwide" not in grant.territory:
        return f"is licensed for {', '.join(grant.territory)} only"
    end = lasts_until(grant)
    if end is not None:
        return f"is licensed only until {end:%Y-%m-%d}"
    known = licence_of(grant.licence)
    if known is not None or grant.basis == "owner" or {"any", "sublicense"} & set(grant.uses):
        return ""
    return "is licensed to this production only, which cannot license it to others"


def _unclear(state: State, held: Sequence[Inherited]) -> Iterator[str]:
    """What a licence asks that the records do not say."""
    for one in held:
        grant = one.grant
        if grant.type != "licence" or not grant.licence:
            continue
        known = licence_of(grant.licence)
        asset = state.assets.get(one.asset)
        name = f'"{asset.name}"' if asset is not None else one.asset[:19]
        # "LicenseRef-" is how SPDX names a text that only its parties know: the grant says what it asks.
        own = grant.basis in ("contract", "owner") and grant.licence.lower().startswith("licenseref-")
        if known is None and not own and one.asked == Obligations():
            yield (
                f'{name} is under "{grant.licence}"; what that asks is not known here: '
                "say it in [grants.obligations]; or, where you agreed on a text of your own that asks for "
                'nothing, leave licence out or call it "LicenseRef-NAME"'
            )
        elif known is not None and known.attribution and not (one.asked.attribution or one.asked.notice):
            yield (
                f"{name} is under {known.id}, which asks for a credit line, and none is given: "
                "add attribution to [grants.obligations]"
            )


def _reach(held: Sequence[Inherited]) -> tuple[str, ...]:
    """Where all grants reach together; () where they do not meet."""
    reach: tuple[str, ...] = ("worldwide",)
    by_asset: dict[str, set[str]] = {}
    for one in held:
        by_asset.setdefault(one.asset, set()).update(one.grant.territory)
    for granted in by_asset.values():
        inside = [place for place in reach if places_reached(place, granted)]
        inside += [place for place in sorted(granted) if places_reached(place, reach)]
        reach = tuple(dict.fromkeys(inside))
    return reach


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
