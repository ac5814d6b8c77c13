"""The six kinds of record a production's rights consist of.

Shaped after W3C PROV (a party is an agent, an asset an entity, an activity an activity); every record is an
immutable value with an `id`, and a later record of the same id replaces the earlier one in the present state
(`falsework.rights.state`), never in the ledger.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from falsework.settings import Settings

__all__ = [
    "KINDS",
    "Activity",
    "Asset",
    "Decision",
    "Fact",
    "Finding",
    "Grant",
    "Obligations",
    "Outcome",
    "Party",
    "Record",
    "asset_id",
    "canonical",
    "record_id",
]

Fact = str | bool | int | float
Outcome = Literal["pass", "fail", "unknown", "not applicable"]


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError("a time needs its zone (2026-11-22T12:00:00Z)")
    return time


Time = Annotated[datetime, AfterValidator(_aware)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=500)]
AssetId = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
# ISO 3166-1 alpha-2 codes, a union of states ("EU"), or "worldwide".
Territory = Annotated[str, Field(pattern=r"^([A-Z]{2}|worldwide)$")]


# What is no number must reach `canonical`, which refuses it, and not turn into null on the way.
NO_NULLS = ConfigDict(ser_json_inf_nan="constants")


class Party(Settings):
    """A person, an organisation or a union; `roles` are words of the trade ("VFX supervisor")."""

    id: Annotated[str, Field(pattern=r"^party:[a-z0-9._-]+$")]
    type: Literal["person", "organisation", "union"]
    name: Name
    roles: tuple[Name, ...] = ()
    member_of: tuple[str, ...] = ()  # parties


class Asset(Settings):
    """Something with a hash: `id` is "sha256:" and the digest of its bytes, or of a sequence's list of files.

    path     where it lay when it was recorded, relative to the production's folder; for people, never trusted
    parts    digest of each file of a sequence or delivery, by relative path
    facts    what is declared of it ("depicts_real_place": true); a fact not given is unknown
    """

    id: AssetId
    type: Literal[
        "plate", "picture", "texture", "environment", "matte", "model", "dataset", "sample", "intermediate",
        "take", "cut", "delivery", "script", "document", "replica", "protected",
    ]  # fmt: skip
    name: Name
    media_type: str = "application/octet-stream"
    path: str = ""
    creator: str = ""
    source: str = ""  # URL it came from
    parts: dict[str, Sha256] = Field(default_factory=dict)
    facts: dict[str, Fact] = Field(default_factory=dict)


class Activity(Settings):
    """What was done: from the assets `used` came the assets `generated`.

    agent     the named human who had it done (a party), or "" when nobody is on record
    models    those of the used assets that are trained models
    offline   True where no data left the machine, None where that is not known
    """

    model_config = NO_NULLS

    id: str
    type: Name  # "ingest", "solve", "render", "deliver", "training" ...
    used: tuple[AssetId, ...] = ()
    generated: tuple[AssetId, ...] = ()
    agent: str = ""
    tool: Name = "falsework"
    version: str = ""
    models: tuple[AssetId, ...] = ()
    parameters: dict[str, object] = Field(default_factory=dict)
    prompt: str = ""
    seed: int | None = None
    offline: bool | None = None
    started: Time | None = None
    ended: Time | None = None


class Obligations(Settings):
    """What a grant asks of whoever passes on the asset or something made from it."""

    attribution: str = ""  # the credit line, word for word
    share_alike: str = ""  # SPDX id of the licence that adaptations must carry
    non_commercial: bool = False
    no_derivatives: bool = False
    notice: str = ""


class Grant(Settings):
    """A licence, a consent or an approval: who gave it, for what, where, until when.

    assets     what it covers; empty covers nothing
    uses       "use", "adapt", "commercial", "train", "replica", "generate", "advertise", or "any"
    basis      "item": the item's own record says so; "platform": only a platform's general statement does;
               "contract": an agreement signed for this production; "owner": we made it. Never assumed:
               whoever records a grant says what it rests on
    files      digest of each file by the path that named it, as it was when the grant was declared
    changed    the same of files that are others now, or joined a pattern later: not covered until a person
               confirms them
    patterns   those of the paths that were patterns: a file that comes to match one later is not covered
    document   digest of the text that was agreed to
    revoked    when it was taken back
    terms      further facts of an agreement ("notice_hours": 48, "payment": "PO-12")
    """

    id: str
    type: Literal["licence", "consent", "approval"]
    given_by: str
    assets: tuple[AssetId, ...]
    uses: tuple[Name, ...] = ("use",)
    territory: tuple[Territory, ...] = ("worldwide",)
    starts: Time | None = None
    ends: Time | None = None
    licence: str = ""  # SPDX expression
    url: str = ""
    basis: Literal["item", "platform", "contract", "owner"]
    files: dict[str, Sha256] = Field(default_factory=dict)
    changed: dict[str, Sha256] = Field(default_factory=dict)
    patterns: tuple[str, ...] = ()
    document: Sha256 | Literal[""] = ""
    obligations: Obligations = Field(default_factory=Obligations)
    terms: dict[str, Fact] = Field(default_factory=dict)
    revoked: Time | None = None
    revoked_why: str = ""


class Finding(Settings):
    """What a rule or an audit says about a subject, with the ids of the records it rests on."""

    model_config = NO_NULLS

    id: str
    rule: str  # "NFX-4", "copy audit", ...
    pack: str = ""
    subject: str
    outcome: Outcome
    words: str
    remedy: str = ""
    source: str = ""
    evidence: tuple[str, ...] = ()
    details: dict[str, object] = Field(default_factory=dict)


class Decision(Settings):
    """A named human approved a cut, waived a rule, reviewed a finding, declared a fact or rejected a take.

    subject   the asset decided upon (its hash binds the decision to exact bytes), or a production's name for
              a declaration that concerns all of it
    about     the rule or fact ("NFX-4"); "" for an approval of the whole
    saw       assets and findings the person was shown
    files     of a declaration about files: digest of each by the path that named it, as it was when this was
              first said of it
    changed   the same of files that are others now: of those nothing is said until a person confirms it
    production  whose rules it was decided under; "" where its id or its subject tells
    terms     of an approval: what the production and the shot had set that decides what is asked and shown
              (`falsework.rights.terms`); it holds for these
    """

    id: str
    type: Literal["approval", "waiver", "review", "declaration", "rejection"]
    by: str
    role: Name
    subject: str
    about: str = ""
    saw: tuple[str, ...] = ()
    why: Name
    facts: dict[str, Fact] = Field(default_factory=dict)
    files: dict[str, Sha256] = Field(default_factory=dict)
    changed: dict[str, Sha256] = Field(default_factory=dict)
    production: str = ""
    terms: dict[str, str] = Field(default_factory=dict)
    withdrawn: bool = False


Record = Party | Asset | Activity | Grant | Finding | Decision
KINDS: dict[str, type[Record]] = {
    "party": Party,
    "asset": Asset,
    "activity": Activity,
    "grant": Grant,
    "finding": Finding,
    "decision": Decision,
}


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8: the same bytes for the same value (cf. RFC 8785)."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def asset_id(digest: str) -> str:
    """The id of an asset from its SHA-256 in hexadecimal."""
    return f"sha256:{digest}"


def record_id(kind: str, *parts: object) -> str:
    """A short id that follows from what it names, such as "grant:3f9c0a12b4d5e6f7"."""
    return f"{kind}:{hashlib.sha256(canonical(list(parts))).hexdigest()[:16]}"
