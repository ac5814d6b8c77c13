"""Whether grants hold: when, where, and for what use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from falsework.rights.records import Grant, Outcome
from falsework.rights.territories import EU_LAW, EU_STATES

__all__ = ["Coverage", "coverage", "lapse", "last_day", "lasts_until", "places_reached"]


@dataclass(frozen=True)
class Coverage:
    """What grants come to for one asset.

    outcome   "pass": every use and place is covered; "fail": what there is does not do; "unknown": nothing is
              on record
    holding   the grants that hold
    reasons   why the others do not, and what nobody granted, as clauses
    remedy    what a person would say in production.toml so that these very grants count; "" where that is not
              all that is missing
    """

    outcome: Outcome
    holding: tuple[Grant, ...]
    reasons: tuple[str, ...]
    evidence: tuple[str, ...]
    remedy: str = ""


def lapse(grant: Grant, at: datetime, days: Sequence[date] = ()) -> str:
    """Why a grant does not hold at `at` or on one of the `days` after it, as a clause; "" where it does."""
    if grant.revoked is not None and grant.revoked <= at:
        why = f" ({grant.revoked_why})" if grant.revoked_why else ""
        return f"was revoked on {grant.revoked:%Y-%m-%d}{why}"
    if grant.starts is not None and grant.starts > at:
        return f"begins only on {grant.starts:%Y-%m-%d}"
    if grant.ends is not None and grant.ends <= at:
        return f"ended on {last_day(grant.ends)}"
    end = lasts_until(grant)
    for day in days:
        # The whole of that day must be covered.
        if end is not None and end < datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1):
            word = "is revoked from" if end == grant.revoked else "ends on"
            return f"{word} {last_day(end)}, before it is needed on {day:%Y-%m-%d}"
    return ""


def lasts_until(grant: Grant) -> datetime | None:
    """When it ends by its term or by revocation; None where it has no end."""
    ends = [time for time in (grant.ends, grant.revoked) if time is not None]
    return min(ends) if ends else None


def coverage(
    grants: Iterable[Grant],
    *,
    uses: Sequence[str],
    places: Sequence[str],
    at: datetime,
    days: Sequence[date] = (),
) -> Coverage:
    """Whether the grants together allow all the uses in all the places, at `at` and on the `days`.

    In one place one giver has to allow them all: leave to adapt from one and commercial use from another do
    not add up, since each may hold a part of the rights.
    """
    known = tuple(grants)
    reasons: list[str] = []
    holding: list[Grant] = []
    for grant in known:
        why = lapse(grant, at, days)
        if why:
            reasons.append(f"{_called(grant)} {why}")
        else:
            holding.append(grant)
    evidence = tuple(grant.id for grant in known)
    if not known:
        return Coverage("unknown", (), ("nobody's grant is on record",), evidence)
    missing: list[str] = []
    for use in uses:
        allowing = [grant for grant in holding if use in grant.uses or "any" in grant.uses]
        if not allowing:
            if holding:
                missing.append(f'no grant that holds allows the use "{use}"')
            continue
        for place in places:
            if not places_reached(place, [where for grant in allowing for where in grant.territory]):
                missing.append(f'no grant allows the use "{use}" in the territory "{place}"')
    if holding and not missing:
        missing += _not_of_one(holding, uses, places)
    if holding and not missing:
        return Coverage("pass", tuple(holding), tuple(reasons), evidence)
    return Coverage("fail", tuple(holding), (*reasons, *missing), evidence)


def _not_of_one(grants: Sequence[Grant], uses: Sequence[str], places: Sequence[str]) -> Iterator[str]:
    """Places in which no one giver allows all the uses, though several do together, as clauses."""
    givers = {grant.given_by: [one for one in grants if one.given_by == grant.given_by] for grant in grants}
    if len(givers) < 2 or len(uses) < 2:
        return

    def allows(given: Sequence[Grant], place: str) -> bool:
        return all(
            places_reached(
                place, [there for one in given if {use, "any"} & set(one.uses) for there in one.territory]
            )
            for use in uses
        )

    listed = " and ".join(f'"{use}"' for use in uses)
    for place in places:
        parts = sorted(EU_STATES) if place == "EU" else [place]
        if not all(any(allows(given, part) for given in givers.values()) for part in parts):
            yield f'nobody alone allows the uses {listed} in the territory "{place}"'


def places_reached(place: str, granted: Iterable[str]) -> bool:
    """Whether a territory lies within the ones granted."""
    reach = set(granted)
    if "worldwide" in reach or place in reach:
        return True
    if place == "EU":
        return reach >= EU_STATES
    return place in EU_LAW and "EU" in reach


def _called(grant: Grant) -> str:
    name = grant.licence or grant.type
    return f"the {name} of {grant.given_by.removeprefix('party:')}"


def last_day(end: datetime) -> str:
    """A term that ends at midnight was good for the day before."""
    return f"{end.astimezone(UTC) - timedelta(microseconds=1):%Y-%m-%d}"
