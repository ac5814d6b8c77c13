"""The state of the rights as W3C PROV-JSON, so that other tools can read it.

Assets, grants and findings are entities, activities and decisions are activities, parties are agents. Ids
become names with the prefix `fw`, percent-encoded where they need it. Sources: W3C PROV-JSON (member
submission, 24 April 2013) and PROV-DM (recommendation, 30 April 2013).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from urllib.parse import quote

from falsework.rights.events import time_text
from falsework.rights.records import Activity, Decision, Fact, Finding, Grant, canonical
from falsework.rights.state import State

__all__ = ["NAMESPACE", "prov_json"]

NAMESPACE = "urn:falsework:"
THINGS = ("agent", "activity", "entity")
AGENT_TYPES = {"person": "prov:Person", "organisation": "prov:Organization", "union": "prov:Organization"}


def prov_json(state: State) -> dict[str, Any]:
    """The PROV-JSON document of a state; the same state gives the same document."""
    writer = _Writer()
    for party in state.parties.values():
        kind = AGENT_TYPES[party.type]
        writer.thing("agent", party.id, kind, name=party.name, type=party.type, roles=party.roles)
        for union in party.member_of:
            writer.relation("actedOnBehalfOf", delegate=party.id, responsible=union)
    for asset in state.assets.values():
        writer.thing(
            "entity", asset.id, f"fw:{asset.type}",
            name=asset.name, media_type=asset.media_type, path=asset.path, source=asset.source,
            parts=asset.parts, facts=asset.facts,
        )  # fmt: skip
        if asset.creator:
            writer.relation("wasAttributedTo", entity=asset.id, agent=asset.creator)
    for activity in state.activities.values():
        writer.activity(activity)
    for grant in state.grants.values():
        writer.grant(grant)
    for finding in state.findings.values():
        writer.finding(finding)
    for decision in state.decisions.values():
        writer.decision(decision, state.entry(decision).time)
    return writer.document()


class _Writer:
    """Gathers things and relations; a relation to what has no record of its own makes a bare one of it."""

    def __init__(self) -> None:
        self._sections: dict[str, dict[str, Any]] = defaultdict(dict)
        self._named: dict[str, set[str]] = defaultdict(set)

    def document(self) -> dict[str, Any]:
        known = {name for section in THINGS for name in self._sections.get(section, ())}
        for section, names in self._named.items():
            self._sections[section] |= {name: {} for name in sorted(names - known)}
        return {"prefix": {"fw": NAMESPACE}, **{key: self._sections[key] for key in sorted(self._sections)}}

    def thing(self, section: str, identity: str, kind: str, **attributes: object) -> str:
        name = _name(identity)
        said = {f"fw:{key}": _value(value) for key, value in attributes.items() if value not in ("", (), {})}
        self._sections[section][name] = {"prov:type": _qualified(kind), **said}
        return name

    def relation(self, kind: str, **ends: str) -> None:
        named = {f"prov:{role}": _name(identity) for role, identity in ends.items()}
        for role, name in named.items():
            self._named[_section(role)].add(name)
        self._relate(kind, named)

    def activity(self, one: Activity) -> None:
        name = self.thing(
            "activity", one.id, f"fw:{one.type}" if one.type.isidentifier() else "fw:activity",
            type=one.type, tool=one.tool, version=one.version, parameters=one.parameters,
            prompt=one.prompt, models=one.models,
        )  # fmt: skip
        written = self._sections["activity"][name]
        for key, fact in (("fw:seed", one.seed), ("fw:offline", one.offline)):
            if fact is not None:
                written[key] = fact
        for key, time in (("prov:startTime", one.started), ("prov:endTime", one.ended)):
            if time is not None:
                written[key] = time_text(time)
        for asset in one.used:
            self.relation("used", activity=one.id, entity=asset)
        for asset in one.generated:
            self.relation("wasGeneratedBy", entity=asset, activity=one.id)
        if one.agent:
            self.relation("wasAssociatedWith", activity=one.id, agent=one.agent)

    def grant(self, one: Grant) -> None:
        name = self.thing(
            "entity", one.id, f"fw:{one.type}",
            uses=one.uses, territory=one.territory, licence=one.licence, url=one.url, basis=one.basis,
            document=one.document, terms=one.terms, revoked_why=one.revoked_why,
            obligations={key: said for key, said in one.obligations.model_dump().items() if said},
        )  # fmt: skip
        for key, time in (("starts", one.starts), ("ends", one.ends), ("revoked", one.revoked)):
            if time is not None:
                self._sections["entity"][name][f"fw:{key}"] = time_text(time)
        self.relation("wasAttributedTo", entity=one.id, agent=one.given_by)
        for asset in one.assets:
            # A licence is no part of what it covers, yet bears upon it: PROV's most general relation.
            self.relation("wasInfluencedBy", influencee=asset, influencer=one.id)

    def finding(self, one: Finding) -> None:
        self.thing(
            "entity", one.id, "fw:finding",
            rule=one.rule, pack=one.pack, outcome=one.outcome, words=one.words, remedy=one.remedy,
            source=one.source, details=one.details,
        )  # fmt: skip
        for about in dict.fromkeys((one.subject, *one.evidence)):
            self.relation("wasInfluencedBy", influencee=one.id, influencer=about)

    def decision(self, one: Decision, time: datetime) -> None:
        name = self.thing(
            "activity", one.id, f"fw:{one.type}",
            role=one.role, about=one.about, why=one.why, facts=one.facts, withdrawn=one.withdrawn,
        )  # fmt: skip
        for key in ("prov:startTime", "prov:endTime"):
            self._sections["activity"][name][key] = time_text(time)
        self.relation("wasAssociatedWith", activity=one.id, agent=one.by)
        for seen in dict.fromkeys((one.subject, *one.saw)):
            self.relation("used", activity=one.id, entity=seen)

    def _relate(self, kind: str, ends: dict[str, str]) -> None:
        section = self._sections[kind]
        section[f"_:{kind}{len(section) + 1}"] = ends


def _section(role: str) -> str:
    """Where the thing at the end of a relation belongs, should it have no record."""
    if role in ("prov:agent", "prov:delegate", "prov:responsible"):
        return "agent"
    return "activity" if role == "prov:activity" else "entity"


def _name(identity: str) -> str:
    """An id as a qualified name: letters, digits and -._ stand for themselves, all else as %XX."""
    return f"fw:{quote(identity, safe='')}"


def _qualified(kind: str) -> dict[str, str]:
    return {"$": kind, "type": "prov:QUALIFIED_NAME"}


def _value(value: object) -> Any:
    """An attribute as PROV-JSON writes it: plain values and lists of text as such, tables as JSON text."""
    if isinstance(value, Fact):
        return value
    if isinstance(value, tuple) and all(isinstance(one, str) for one in value):
        return list(value)
    return canonical(value).decode()
