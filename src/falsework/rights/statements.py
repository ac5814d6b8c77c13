"""What a manifest says, as the library gives it: from outside, so any field may be missing or hostile."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ActionSeen",
    "Statements",
    "assertions_of",
    "manifest_statements",
    "plain",
    "rows",
    "table",
]

MOST_TEXT, MOST_ENTRIES = 500, 1000
# Left-to-right and right-to-left overrides could make a line read as something else on a terminal.
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


@dataclass(frozen=True)
class ActionSeen:
    action: str
    when: str = ""
    agent: str = ""
    source_type: str = ""
    description: str = ""
    ingredients: tuple[str, ...] = ()  # titles


@dataclass(frozen=True)
class Statements:
    """What the signer states of the file. Signed is not the same as true.

    mining   each use of "training and data mining" with "allowed", "notAllowed" or "constrained"
    ai       the trained models disclosed
    """

    title: str = ""
    generator: str = ""
    actions: tuple[ActionSeen, ...] = ()
    source_types: tuple[str, ...] = ()
    ai: tuple[str, ...] = ()
    mining: tuple[tuple[str, str], ...] = ()
    credits: tuple[str, ...] = ()
    licence: str = ""


def manifest_statements(manifest: Mapping[str, Any]) -> Statements:
    """The statements of one manifest as the library gives it."""
    actions = tuple(_actions(manifest))
    types = tuple(dict.fromkeys(each.source_type for each in actions if each.source_type))
    ai = [
        plain(data.get("modelName") or data.get("modelIdentifier") or "an unnamed model")
        for data in assertions_of(manifest, "c2pa.ai-disclosure")
    ]
    mining: dict[str, str] = {}
    for label in ("cawg.training-mining", "c2pa.training-mining"):
        for data in assertions_of(manifest, label):
            for use, terms in list(table(data.get("entries")).items())[:MOST_ENTRIES]:
                mining[plain(use).split(".")[-1]] = plain(table(terms).get("use"))
    rights: list[str] = []
    licence = ""
    for data in assertions_of(manifest, "cawg.metadata"):
        said = data.get("dc:rights")
        rights += [plain(each) for each in (said if isinstance(said, list) else [said]) if each][
            :MOST_ENTRIES
        ]
        licence = licence or plain(data.get("xmpRights:UsageTerms"))
    return Statements(
        plain(manifest.get("title")),
        _generator(manifest),
        actions,
        types,
        tuple(ai),
        tuple(mining.items()),
        tuple(rights),
        licence,
    )


def assertions_of(manifest: Mapping[str, Any], label: str) -> Iterator[Mapping[str, Any]]:
    """The data of every assertion of a label, whatever its version or number ("c2pa.actions.v2__1")."""
    for each in rows(manifest.get("assertions")):
        if not isinstance(each.get("data"), Mapping):
            continue
        name = str(each.get("label", "")).split("__")[0]
        if name == label or name.rpartition(".v")[0] == label:
            yield each["data"]


def table(value: object) -> Mapping[str, Any]:
    """The value if it is an object of JSON, an empty one otherwise."""
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> list[Mapping[str, Any]]:
    """The objects in an array of JSON; none where it is no array."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def plain(text: object) -> str:
    """Text from outside without control, formatting and private characters, no longer than a few lines."""
    if text is None:
        return ""
    kept = "".join(
        " " if each in "\n\t" else each
        for each in str(text)[: 2 * MOST_TEXT]
        if each in "\n\t" or unicodedata.category(each) not in HIDDEN
    )
    return kept if len(kept) <= MOST_TEXT else kept[:MOST_TEXT] + "…"


def _actions(manifest: Mapping[str, Any]) -> Iterator[ActionSeen]:
    titles = {
        f"self#jumbf=c2pa.assertions/{each.get('label')}": plain(each.get("title"))
        for each in rows(manifest.get("ingredients"))
    }
    for data in assertions_of(manifest, "c2pa.actions"):
        for each in rows(data.get("actions"))[:MOST_ENTRIES]:
            yield ActionSeen(
                plain(each.get("action")),
                plain(each.get("when")),
                _agent(each.get("softwareAgent")),
                plain(each.get("digitalSourceType")).rpartition("/")[2],
                plain(each.get("description")),
                _titles(each.get("parameters"), titles),
            )


def _titles(parameters: object, titles: Mapping[str, str]) -> tuple[str, ...]:
    """The ingredients an action names by their place in the credentials."""
    urls = [str(each.get("url")) for each in rows(table(parameters).get("ingredients"))]
    return tuple(titles[url] for url in urls if url in titles)


def _agent(agent: object) -> str:
    if isinstance(agent, Mapping):
        return f"{plain(agent.get('name'))} {plain(agent.get('version'))}".strip()
    return plain(agent)


def _generator(manifest: Mapping[str, Any]) -> str:
    found = manifest.get("claim_generator_info")
    if isinstance(found, list) and found:
        return _agent(found[0])
    return plain(manifest.get("claim_generator"))
