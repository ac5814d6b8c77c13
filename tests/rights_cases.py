"""A small production to judge: a plate, a render of it, a cut, and people who say things."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Any

from falsework.rights.case import Case
from falsework.rights.compared import compared_digest
from falsework.rights.facts import FILE_FACTS
from falsework.rights.gate import Clearance, clearance
from falsework.rights.production import Production
from falsework.rights.records import (
    Activity,
    Asset,
    Decision,
    Finding,
    Grant,
    Obligations,
    Party,
    Record,
    asset_id,
    record_id,
)
from falsework.rights.rules.evaluate import rule_named
from falsework.rights.state import State
from falsework.rights.terms import terms_of

__all__ = ["ACTOR", "AT", "MARA", "World", "state_of"]

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
MARA = "party:mara"
ACTOR = "party:noa"
ALL = {"packs": ["netflix", "eu", "california", "copyright", "awards", "insurance"]}
GUILDS = {"guilds": ["wga", "sag-aftra", "interactive", "dga", "iatse"]}


def hashed(name: str) -> str:
    return asset_id(hashlib.sha256(name.encode()).hexdigest())


def state_of(records: list[Record]) -> State:
    """The state after these records, without a ledger."""
    found: dict[type, dict[str, Any]] = {
        kind: {} for kind in (Party, Asset, Activity, Grant, Finding, Decision)
    }
    for record in records:
        found[type(record)][record.id] = record
    return State(*found.values())


class World:
    """Records, as they would come from the ledger; `cut` is what is judged.

    plate ─► render ─► cut, every step offline, the plate owned; one person, and one organisation.
    """

    def __init__(self, **production: Any) -> None:
        self.production = Production.model_validate(
            {"name": "film", "territories": ["worldwide"], **ALL, **GUILDS, **production}
        )
        self.records: list[Record] = []
        self.count = 0
        self.add(Party(id=MARA, type="person", name="Mara Example", roles=("producer",)))
        self.add(Party(id="party:owner", type="organisation", name="Owner"))
        self.plate = self.asset("plate", "plate.jpg")
        self.owned(self.plate)
        self.drawn = self.asset("intermediate", "render")
        self.cut = self.asset("cut", "corner")
        self.render = self.step("render", [self.plate], [self.drawn])
        self.comp = self.step("comp", [self.drawn], [self.cut])

    def add(self, record: Record) -> Any:
        """A record, and the documents that it names, as files that lay in the production's folder."""
        self.records.append(record)
        digests = [record.document] if isinstance(record, Grant) else []
        if isinstance(record, Asset | Decision):
            digests += [str(record.facts.get(name, "")) for name in FILE_FACTS]
        for digest in (one for one in digests if len(one) == 64):
            self.records.append(Asset(id=asset_id(digest), type="document", name="text", path="text.pdf"))
        return record

    def without_texts(self) -> None:
        """As if every document had been named by its hash alone."""
        self.records = [
            one for one in self.records if not (isinstance(one, Asset) and one.type == "document")
        ]

    def asset(self, type: str, name: str, **more: Any) -> str:
        one = Asset.model_validate(
            {
                "id": hashed(name),
                "type": type,
                "name": name,
                "path": name if type in ("plate", "sample") else "",
                **more,
            }
        )
        return str(self.add(one).id)

    def step(self, type: str, used: list[str], made: list[str], **more: Any) -> Activity:
        self.count += 1
        values = {"id": f"activity:{self.count}", "type": type, "used": used, "generated": made}
        one: Activity = self.add(Activity.model_validate({"offline": True, **values, **more}))
        return one

    def change(self, record: Any, **values: Any) -> Any:
        """A later record of the same id."""
        return self.add(type(record).model_validate(record.model_dump() | values))

    def grant(self, *assets: str, **more: Any) -> Grant:
        self.count += 1
        values = {"id": f"grant:{self.count}", "type": "licence", "given_by": "party:owner", "assets": assets}
        one: Grant = self.add(Grant.model_validate({"uses": ["use"], "basis": "item", **values, **more}))
        return one

    def owned(self, *assets: str) -> Grant:
        return self.grant(*assets, uses=["any"], basis="owner")

    def consent(
        self, *assets: str, uses: tuple[str, ...] = ("replica",), given_by: str = ACTOR, **terms: Any
    ) -> Grant:
        if not any(isinstance(one, Party) and one.id == ACTOR for one in self.records):
            self.add(Party(id=ACTOR, type="person", name="Noa Beispiel", roles=("performer",)))
        for one in assets:
            self.declare(one, performer=ACTOR)
        return self.grant(
            *assets,
            type="consent",
            given_by=given_by,
            uses=uses,
            basis="contract",
            terms=terms,
            document="a" * 64,
        )

    def tool(self, name: str, *, document: str = "b" * 64, **terms: Any) -> Grant:
        return self.grant(uses=["tool"], terms={"tool": name, "version": "", **terms}, document=document)

    def decide(self, type: str, subject: str = "film", *, by: str = MARA, **more: Any) -> Decision:
        self.count += 1
        values = {
            "id": f"decision:{self.count}",
            "type": type,
            "by": by,
            "role": "producer",
            "subject": subject,
        }
        one: Decision = self.add(Decision.model_validate({"why": "as agreed", **values, **more}))
        return one

    def declare(self, subject: str = "film", **facts: Any) -> Decision:
        return self.decide("declaration", subject, facts=facts)

    def review(self, about: str, subject: str = "film", **facts: Any) -> Decision:
        return self.decide("review", subject, about=about, facts=facts)

    def notice(self, about: str, *models: str, sent: str = "2026-10-01", to: str = "them") -> Decision:
        return self.decide(
            "declaration", about=about, saw=models, facts={"notice_sent": sent, "notice_to": to}
        )

    def approve(self, subject: str = "", **facts: Any) -> Decision:
        return self.decide("approval", subject or self.cut, facts=facts, terms=terms_of(self.production))

    def model(self, *, trained: bool = False, offline: bool | None = None, **facts: Any) -> str:
        """A trained model that touches the cut; with `trained`, one made here from one granted sample."""
        one = self.asset("model", "weights.safetensors", facts=facts)
        self.render = self.change(
            self.render, used=[self.plate, one], models=[one], offline=offline, agent=MARA, tool="Painter"
        )
        if trained:
            self.sample = self.asset("sample", "sample.jpg")
            self.step("training", [self.sample], [one])
        else:
            self.owned(one)
        return one

    def replica(self, **facts: Any) -> str:
        one = self.asset("replica", "double", facts=facts)
        self.render = self.change(self.render, used=[self.plate, one])
        return one

    def copy_audit(self, outcome: str, words: str = "sample 3 at PDQ 12") -> Finding:
        one: Finding = self.add(
            Finding(
                id=record_id("finding", "copy audit", self.cut),
                rule="copy audit",
                subject=self.cut,
                outcome=outcome,  # type: ignore[arg-type]
                words=words,
                details={"compared_digest": compared_digest(self.case().compared_set or ())},
            )
        )
        return one

    def state(self) -> State:
        return state_of(self.records)

    def case(self, *, at: datetime = AT, marked: bool | None = None) -> Case:
        return Case(self.state(), self.production, self.cut, at, marked)

    def judge(self, rule: str, **case: Any) -> Finding:
        """What one rule says; any finding must name its evidence or its remedy."""
        found = rule_named(rule)
        assert found is not None
        finding = found.finding(self.case(**case))
        if finding.outcome in ("fail", "unknown"):
            assert finding.remedy, finding
        else:
            assert finding.evidence, finding
            assert not finding.remedy, finding
        assert finding.words
        assert not finding.words.endswith("."), finding.words
        return finding

    def outcome(self, rule: str, **case: Any) -> str:
        return self.judge(rule, **case).outcome

    def clearance(self, **case: Any) -> Clearance:
        return clearance(self.case(**case))


def obligations(**values: Any) -> Obligations:
    return Obligations.model_validate(values)


TODAY = date(2026, 11, 22)
