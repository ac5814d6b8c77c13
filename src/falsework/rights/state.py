"""The present state of a production's rights: what the ledger's events come to.

A later record of the same kind and id replaces the earlier one. The graph of what was made from what
follows from the activities: whatever one used is a parent of whatever it generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from falsework.rights.clock import Correction, corrections
from falsework.rights.events import Event, kind_of
from falsework.rights.records import Activity, Asset, Decision, Finding, Grant, Party, Record

__all__ = ["Entry", "State"]

LETS_PASS = ("approval", "waiver", "review")

T = TypeVar("T", Activity, Grant, Decision, Finding)


@dataclass(frozen=True)
class Entry:
    """Where a record's present form stands in the ledger; when that and its first form were written.

    corrected   the correction of a clock that came after it and lies before its date, the earliest of them:
                its date is of a future that was none
    """

    sequence: int
    time: datetime
    first: datetime
    corrected: Correction | None = None


@dataclass(frozen=True)
class State:
    """Records by their id, in the order in which each id first came up.

    entries   by (kind, id): where in the ledger each record stands
    size      number of events this is the state after
    latest    when the last of them was written
    corrections  of a clock that had stood ahead

    What a later event says goes before what an earlier one said, whatever their dates. What was taken back in
    a future that was none stays taken back: a grant revoked then ends with the correction at the latest, and
    a rejection withdrawn then stands again.
    """

    parties: Mapping[str, Party] = field(default_factory=dict)
    assets: Mapping[str, Asset] = field(default_factory=dict)
    activities: Mapping[str, Activity] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    findings: Mapping[str, Finding] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    entries: Mapping[tuple[str, str], Entry] = field(default_factory=dict)
    size: int = 0
    latest: datetime | None = None
    corrections: tuple[Correction, ...] = ()

    @classmethod
    def of(cls, events: Iterable[Event]) -> State:
        """The state after these events (all of a ledger, or its beginning)."""
        latest: dict[tuple[str, str], Event] = {}
        entries: dict[tuple[str, str], Entry] = {}
        size, time = 0, None
        events = list(events)
        for event in events:
            key = (event.kind, event.id)
            latest[key] = event
            before = entries.get(key)
            entries[key] = Entry(event.sequence, event.time, before.first if before else event.time)
            size, time = event.sequence + 1, event.time
        found = corrections(events)
        for one in found:
            for key, entry in entries.items():
                earlier = entry.corrected is None or one.now < entry.corrected.now
                if one.undoes(entry.sequence, entry.time) and earlier:
                    entries[key] = replace(entry, corrected=one)
        parties: dict[str, Party] = {}
        assets: dict[str, Asset] = {}
        activities: dict[str, Activity] = {}
        grants: dict[str, Grant] = {}
        findings: dict[str, Finding] = {}
        decisions: dict[str, Decision] = {}
        for (kind, identity), event in latest.items():
            match _as_corrected(event.record(), entries[kind, identity].corrected):
                case Party() as party:
                    parties[identity] = party
                case Asset() as asset:
                    assets[identity] = asset
                case Activity() as activity:
                    activities[identity] = activity
                case Grant() as grant:
                    grants[identity] = grant
                case Finding() as finding:
                    findings[identity] = finding
                case Decision() as decision:
                    decisions[identity] = decision
        return cls(parties, assets, activities, grants, findings, decisions, entries, size, time, found)

    def entry(self, record: Record) -> Entry:
        """Where the record with this kind and id stands; KeyError where there is none."""
        return self.entries[kind_of(record), record.id]

    def misdated(self, decision: Decision) -> Correction | None:
        """The correction after which a decision has to be taken again: it let something pass, at a date that
        has not come. What holds a cut up stands, whatever its date."""
        if decision.type not in LETS_PASS or decision.facts.get("resolved") is False:
            return None
        entry = self.entries.get(("decision", decision.id))
        return entry.corrected if entry is not None else None

    def ancestors(self, asset: str) -> tuple[str, ...]:
        """Ids of everything the asset was made from, nearest first, without itself.

        An id need not be among `assets`: an activity may have used what nobody recorded.
        """
        return _reached(asset, self._parents)

    def descendants(self, asset: str) -> tuple[str, ...]:
        """Ids of everything made from the asset, nearest first, without itself."""
        return _reached(asset, self._children)

    def made_by(self, asset: str) -> tuple[Activity, ...]:
        """The activities that generated the asset."""
        return self._makers.get(asset, ())

    def used_by(self, asset: str) -> tuple[Activity, ...]:
        """The activities that used the asset."""
        return self._users.get(asset, ())

    def history(self, asset: str) -> tuple[Activity, ...]:
        """The activities that made the asset and everything it was made from, nearest first."""
        found: dict[str, Activity] = {}
        for one in (asset, *self.ancestors(asset)):
            for activity in self.made_by(one):
                found.setdefault(activity.id, activity)
        return tuple(found.values())

    def grants_for(self, asset: str) -> tuple[Grant, ...]:
        """The grants that name the asset, revoked and lapsed ones too."""
        return self._grants.get(asset, ())

    def decisions_on(self, subject: str) -> tuple[Decision, ...]:
        """The decisions upon an asset (or a production's name), withdrawn ones too."""
        return self._decisions.get(subject, ())

    def findings_on(self, subject: str) -> tuple[Finding, ...]:
        """The findings about a subject."""
        return self._findings.get(subject, ())

    @cached_property
    def _makers(self) -> dict[str, tuple[Activity, ...]]:
        return _gathered((made, one) for one in self.activities.values() for made in one.generated)

    @cached_property
    def _users(self) -> dict[str, tuple[Activity, ...]]:
        return _gathered((used, one) for one in self.activities.values() for used in one.used)

    @cached_property
    def _parents(self) -> dict[str, tuple[str, ...]]:
        return {
            asset: tuple(dict.fromkeys(used for one in makers for used in one.used))
            for asset, makers in self._makers.items()
        }

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        return {
            asset: tuple(dict.fromkeys(made for one in users for made in one.generated))
            for asset, users in self._users.items()
        }

    @cached_property
    def _grants(self) -> dict[str, tuple[Grant, ...]]:
        return _gathered((asset, grant) for grant in self.grants.values() for asset in grant.assets)

    @cached_property
    def _decisions(self) -> dict[str, tuple[Decision, ...]]:
        return _gathered((one.subject, one) for one in self.decisions.values())

    @cached_property
    def _findings(self) -> dict[str, tuple[Finding, ...]]:
        return _gathered((one.subject, one) for one in self.findings.values())


def _as_corrected(record: Record, correction: Correction | None) -> Record:
    """A record as it counts after the correction of the clock that dated it."""
    match record:
        case Grant(revoked=datetime() as revoked) if correction is not None:
            return record.model_copy(update={"revoked": min(revoked, correction.now)})
        case Decision(type="rejection", withdrawn=True) if correction is not None:
            return record.model_copy(update={"withdrawn": False})
    return record


def _gathered(pairs: Iterable[tuple[str, T]]) -> dict[str, tuple[T, ...]]:
    """The records of each key, each once, in the order in which they came."""
    found: dict[str, dict[str, T]] = {}
    for key, record in pairs:
        found.setdefault(key, {})[record.id] = record
    return {key: tuple(records.values()) for key, records in found.items()}


def _reached(start: str, steps: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Everything that can be reached from `start`, breadth first, each once; a cycle does no harm."""
    seen = {start: None}
    front = [start]
    while front:
        front = [there for here in front for there in steps.get(here, ()) if there not in seen]
        front = list(dict.fromkeys(front))
        seen.update(dict.fromkeys(front))
    del seen[start]
    return tuple(seen)
