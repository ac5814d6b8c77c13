"""What a delivery says about itself, and how that becomes a C2PA manifest definition.

Plain values in, plain JSON out: nothing here reads a file or knows the signing library. Labels and fields
follow the C2PA specification 2.4 (actions, ingredients, AI disclosure, soft binding) and CAWG (training and
data mining, metadata); what has no standard place goes into assertions of our own under `org.falsework`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import falsework

__all__ = [
    "CREATED_LABELS",
    "DELIVERY",
    "LEDGER",
    "SEQUENCE",
    "SOURCE_TYPES",
    "WATERMARK_ALGORITHM",
    "Action",
    "AiSystem",
    "Ingredient",
    "LedgerHead",
    "ManifestInput",
    "definition",
    "ingredient_definition",
]

LEDGER, DELIVERY, SEQUENCE = "org.falsework.ledger", "org.falsework.delivery", "org.falsework.sequence"
WATERMARK_ALGORITHM = "org.falsework.dwt-dct-svd.1"
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"

# Statements the signer makes, as against ones it gathered from elsewhere (C2PA 2.4, "claims").
CREATED_LABELS = (
    "c2pa.actions",
    "c2pa.ingredient",
    "c2pa.ai-disclosure",
    "c2pa.soft-binding",
    "cawg.training-mining",
    "cawg.metadata",
    LEDGER,
    DELIVERY,
    SEQUENCE,
)
MINING = ("cawg.ai_training", "cawg.ai_generative_training", "cawg.ai_inference", "cawg.data_mining")

Relationship = Literal["parentOf", "componentOf", "inputTo"]
CLOSER: tuple[Relationship, ...] = ("parentOf", "componentOf", "inputTo")


NOTHING_LOST: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Ingredient:
    """Something the delivery was made from.

    sha256        digest of the file in hexadecimal (of a sequence, the digest its asset goes by)
    relationship  parentOf: the delivery is a changed version of it (at most one); componentOf: it is in the
                  picture (plate, texture); inputTo: it was used and is not itself in the picture (a model)
    path          where it lies, for its own credentials to be checked and kept; None where it is not at hand
    role          the kind of asset: "plate", "texture", "model" ...
    credit        the credit line it asks for, word for word
    """

    title: str
    sha256: str
    relationship: Relationship = "componentOf"
    role: str = "plate"
    path: Path | None = None
    media_type: str = "application/octet-stream"
    credit: str = ""
    licence: str = ""


@dataclass(frozen=True)
class AiSystem:
    """A trained model that touched pixels.

    identifier  what fixes the exact weights: their digest ("sha256:...") or a version's URL
    oversight   what people did, in C2PA's words for it: "prompt_guided", "human_validated" ...
    when        when its work on the picture was done, where that is on record
    """

    name: str
    version: str
    identifier: str = ""
    oversight: str = ""
    when: datetime | None = None


@dataclass(frozen=True)
class Action:
    """A further step, in C2PA's vocabulary ("c2pa.adjustedColor"); `ingredients` are their sha256."""

    action: str
    when: datetime | None = None
    description: str = ""
    agent: str = "falsework"
    agent_version: str = ""
    source_type: str = ""
    ingredients: tuple[str, ...] = ()


@dataclass(frozen=True)
class LedgerHead:
    """The ledger's Merkle root (hexadecimal) and number of events when the delivery was signed."""

    root: str
    size: int


@dataclass(frozen=True)
class ManifestInput:
    """All that a delivery's manifest says.

    cut              digest of the cut that was approved
    ai_systems       the trained models that touched pixels; empty where none did
    mining_allowed   whether others may train on it or mine it; not allowed unless said
    watermark        pointer written into the frames (`watermark.py`), b"" where there is none
    made             when the picture was made, where that is on record; the time of signing is not that
    """

    title: str
    cut: str
    ledger: LedgerHead
    ingredients: tuple[Ingredient, ...] = ()
    ai_systems: tuple[AiSystem, ...] = ()
    actions: tuple[Action, ...] = ()
    credits: tuple[str, ...] = ()
    licence: str = ""
    mining_allowed: bool = False
    watermark: bytes = b""
    approvals: tuple[str, ...] = field(default=())  # ids of the decisions it rests on
    made: datetime | None = None

    @property
    def distinct(self) -> tuple[Ingredient, ...]:
        """The ingredients, each file once: in the closest of its relationships, where it comes first."""
        closest: dict[str, Ingredient] = {}
        for each in self.ingredients:
            known = closest.get(each.sha256)
            if known is None or CLOSER.index(each.relationship) < CLOSER.index(known.relationship):
                closest[each.sha256] = each
        return tuple(closest.values())

    @property
    def source_type(self) -> str:
        """IPTC's digital source type: with trained models, composite without them, or wholly computed."""
        if self.ai_systems:
            return SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
        shown = [each for each in self.distinct if each.relationship != "inputTo"]
        return SOURCE_TYPES + ("compositeSynthetic" if shown else "algorithmicMedia")


def definition(
    given: ManifestInput,
    *,
    lost: Mapping[str, str] = NOTHING_LOST,
    sequence: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The manifest definition for the signing library.

    lost      digests of ingredients whose credentials are "unreadable", or "remote" and not asked for: it is
              said of them, since the library would pass them over as if they carried none
    sequence  the list of files a sidecar binds
    """
    delivery: dict[str, Any] = {"cut": given.cut, "source_type": given.source_type}
    if given.approvals:
        delivery["approvals"] = list(given.approvals)
    if given.ingredients:
        delivery["ingredients"] = [
            {
                "title": each.title,
                "sha256": each.sha256,
                "role": each.role,
                "relationship": each.relationship,
                **({"credit": each.credit} if each.credit else {}),
                **({"licence": each.licence} if each.licence else {}),
                **({"credentials": lost[each.sha256]} if each.sha256 in lost else {}),
            }
            for each in given.distinct
        ]
    use = "allowed" if given.mining_allowed else "notAllowed"
    assertions: list[dict[str, Any]] = [
        {"label": "c2pa.actions.v2", "data": {"actions": _actions(given), "allActionsIncluded": False}},
        {"label": "cawg.training-mining", "data": {"entries": {entry: {"use": use} for entry in MINING}}},
        {"label": LEDGER, "data": {"root": given.ledger.root, "size": given.ledger.size}},
        {"label": DELIVERY, "data": delivery},
    ]
    assertions += [
        {"label": "c2pa.ai-disclosure", "data": _disclosure(system)} for system in given.ai_systems
    ]
    if given.watermark:
        assertions.append({"label": "c2pa.soft-binding", "data": _soft_binding(given.watermark)})
    if given.credits or given.licence:
        assertions.append({"label": "cawg.metadata", "kind": "Json", "data": _metadata(given)})
    if sequence is not None:
        assertions.append({"label": SEQUENCE, "data": sequence})
    return {
        "claim_generator_info": [{"name": "falsework", "version": falsework.__version__}],
        "title": given.title,
        "assertions": assertions,
    }


def ingredient_definition(ingredient: Ingredient) -> dict[str, Any]:
    """An ingredient's part of the definition; its label is what actions name it by."""
    words: dict[str, Any] = {
        "title": ingredient.title,
        "relationship": ingredient.relationship,
        "label": _label(ingredient.sha256),
        "instance_id": _label(ingredient.sha256),
        "description": ingredient.role,
    }
    if ingredient.role == "model":
        words["data_types"] = [{"type": "c2pa.types.model"}]
    elif ingredient.role in ("dataset", "sample"):
        words["data_types"] = [{"type": "c2pa.types.dataset"}]
    return words


def _label(sha256: str) -> str:
    return f"sha256:{sha256}"


def _actions(given: ManifestInput) -> list[dict[str, Any]]:
    """Created or opened first, then what was placed, what trained models did, the mark, the rest.

    A first action is required (C2PA 2.4, "actions"): opened where the delivery is a version of one parent,
    created otherwise. An action says when it was done only where that is known. The mark comes before the
    steps of the delivery itself, since what is published is marked.
    """
    ours = {"name": "falsework", "version": falsework.__version__}
    parents = [each for each in given.distinct if each.relationship == "parentOf"]
    placed = [each for each in given.distinct if each.relationship == "componentOf"]
    used = [each for each in given.distinct if each.relationship == "inputTo"]
    made = {**_when(given.made), "softwareAgent": ours, "digitalSourceType": given.source_type}
    actions: list[dict[str, Any]] = []
    if parents:
        actions.append({"action": "c2pa.opened", "softwareAgent": ours, **_with(parents)})
        if not given.ai_systems:
            actions.append({"action": "c2pa.edited", **made})
    else:
        actions.append({"action": "c2pa.created", **made, **_with(used)})
    actions += [{"action": "c2pa.placed", **_when(given.made), **_with([each])} for each in placed]
    for system in given.ai_systems:
        models = [each for each in used if _label(each.sha256) == system.identifier]
        actions.append(
            {
                "action": "c2pa.edited",
                **_when(system.when),
                "softwareAgent": {"name": system.name, "version": system.version},
                "digitalSourceType": given.source_type,
                **_with(models),
            }
        )
    if given.watermark:
        # "Bound": the soft-binding assertion of this manifest says what the mark is.
        actions.append({"action": "c2pa.watermarked.bound", "softwareAgent": ours})
    for step in given.actions:
        agent = {"name": step.agent}
        if step.agent_version:
            agent["version"] = step.agent_version
        words: dict[str, Any] = {"action": step.action, "softwareAgent": agent, **_when(step.when)}
        if step.description:
            words["description"] = step.description
        if step.source_type:
            words["digitalSourceType"] = step.source_type
        if step.ingredients:
            words["parameters"] = {"ingredientIds": [_label(each) for each in step.ingredients]}
        actions.append(words)
    return actions


def _when(moment: datetime | None) -> dict[str, str]:
    return {} if moment is None else {"when": moment.isoformat(timespec="seconds")}


def _with(ingredients: list[Ingredient]) -> dict[str, Any]:
    if not ingredients:
        return {}
    return {"parameters": {"ingredientIds": [_label(each.sha256) for each in ingredients]}}


def _disclosure(system: AiSystem) -> dict[str, Any]:
    words: dict[str, Any] = {
        "modelType": "c2pa.types.model",
        "modelName": f"{system.name} {system.version}".strip(),
    }
    if system.identifier:
        words["modelIdentifier"] = system.identifier
    if system.oversight:
        words["contentProfile"] = {"humanOversightLevel": system.oversight}
    return words


def _soft_binding(pointer: bytes) -> dict[str, Any]:
    return {
        "alg": WATERMARK_ALGORITHM,
        "blocks": [{"scope": {}, "value": base64.b64encode(pointer).decode()}],
    }


def _metadata(given: ManifestInput) -> dict[str, Any]:
    words: dict[str, Any] = {
        "@context": {
            "dc": "http://purl.org/dc/elements/1.1/",
            "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
        },
        "dc:title": given.title,
    }
    if given.credits:
        words["dc:rights"] = list(given.credits)
    if given.licence:
        words["xmpRights:UsageTerms"] = given.licence
    return words
