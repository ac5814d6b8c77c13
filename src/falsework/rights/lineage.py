"""The ingredients of a signed file, and their ingredients, as far down as its credentials reach.

An ingredient's credentials are checked by whoever takes it in, and what was found is signed into the
delivery. A fault found then is not found again by checking the delivery alone: it has to be read from that
record, at every level.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from falsework.rights.manifest import DELIVERY
from falsework.rights.reading import Limits
from falsework.rights.statements import assertions_of, plain, rows, table
from falsework.rights.statuses import Fault, faults_of, vouched_for

__all__ = ["IngredientOutcome", "Lineage"]

BELOW = "further down"


@dataclass(frozen=True)
class IngredientOutcome:
    """An ingredient and what was known of it when it was taken in.

    state    "unsigned": it carried no credentials; "remote": they are kept on the network, and were not asked
             for; "intact"; "broken": see `faults`
    trusted  whether an anchor given here vouches for its signer; what its taker says of that does not count
    kind     what it is, by its taker's word: "texture", "plate"; "" where nothing is said
    """

    title: str
    relationship: str
    identifier: str
    state: Literal["unsigned", "remote", "intact", "broken"]
    signer: str = ""
    faults: tuple[Fault, ...] = ()
    ingredients: tuple[IngredientOutcome, ...] = ()
    trusted: bool = False
    kind: str = ""


@dataclass(frozen=True)
class Lineage:
    """The tree of ingredients, and all faults in it."""

    ingredients: tuple[IngredientOutcome, ...]
    faults: tuple[Fault, ...]

    @classmethod
    def of(cls, label: str, manifests: Mapping[str, Any], deltas: object, limits: Limits) -> Lineage:
        """Of the manifest of this label; `deltas` are what checking now found beyond what was on record."""
        walk = _Walk(manifests, deltas, limits)
        ingredients = walk.under(label, ())
        walk.unmet()
        faults = {(fault.code, fault.words): fault for fault in (*_all_faults(ingredients), *walk.further)}
        return cls(ingredients, tuple(faults.values()))


class _Walk:
    """Goes down the tree within limits on depth and number."""

    def __init__(self, manifests: Mapping[str, Any], deltas: object, limits: Limits) -> None:
        self._manifests, self._limits, self._count = manifests, limits, 0
        self._deltas: dict[str, list[object]] = {}
        self.further: list[Fault] = []
        for delta in rows(deltas):
            place = str(delta.get("ingredientAssertionURI", "")).removeprefix("self#jumbf=/c2pa/")
            self._deltas.setdefault(place, []).append(delta.get("validationDeltas"))

    def under(self, label: str, above: tuple[str, ...]) -> tuple[IngredientOutcome, ...]:
        ingredients = rows(table(self._manifests.get(label)).get("ingredients"))
        if label in above:
            self._stop("cycle", "an ingredient is made from itself")
            return ()
        if ingredients and len(above) >= self._limits.depth:
            self._stop("depth", "its ingredients reach deeper than is followed here")
            return ()
        outcomes = []
        for ingredient in ingredients:
            self._count += 1
            if self._count > self._limits.ingredients:
                self._stop("number", "it has more ingredients than are followed here")
                break
            outcomes.append(self._outcome(ingredient, label, above))
        return tuple(outcomes)

    def unmet(self) -> None:
        """What was found of ingredients that were not met on the way down."""
        for deltas in self._deltas.values():
            self.further += [fault for delta in deltas for fault in faults_of(delta, ingredient=BELOW)]

    def _outcome(
        self, ingredient: Mapping[str, Any], label: str, above: tuple[str, ...]
    ) -> IngredientOutcome:
        title = plain(ingredient.get("title")) or "an ingredient without a name"
        results = table(ingredient.get("validation_results"))
        records = [results.get("activeManifest"), ingredient.get("validation_status")]
        records += [inner.get("validationDeltas") for inner in rows(results.get("ingredientDeltas"))]
        now = self._deltas.pop(f"{label}/c2pa.assertions/{ingredient.get('label')}", [])
        records += now
        faults = [fault for record in records for fault in faults_of(record, ingredient=title)]
        below = str(ingredient.get("active_manifest") or "")
        lost = self._lost(label, ingredient)
        if lost == "unreadable":
            words = f"ingredient {title}: its credentials could not be read when it was taken in"
            faults.append(Fault("ingredient.unreadable", words, title))
        if below and below not in self._manifests:
            words = f"ingredient {title}: its credentials are missing"
            faults.append(Fault("ingredient.manifest.missing", words, title))
        signature = table(table(self._manifests.get(below)).get("signature_info"))
        distinct = tuple({fault.words: fault for fault in faults}.values())
        return IngredientOutcome(
            title,
            plain(ingredient.get("relationship")),
            plain(ingredient.get("instance_id")),
            "broken" if distinct else "intact" if below else "remote" if lost == "remote" else "unsigned",
            plain(signature.get("common_name") or signature.get("issuer")),
            distinct,
            self.under(below, (*above, label)) if below else (),
            trusted=bool(below) and _vouched_for(results.get("activeManifest"), now),
            kind=plain(ingredient.get("description")),
        )

    def _lost(self, label: str, ingredient: Mapping[str, Any]) -> str:
        """What the one who took it in says of credentials that are not kept here (`signing`): they could not
        be read, or are kept on the network; "" where nothing is said."""
        for delivery in assertions_of(table(self._manifests.get(label)), DELIVERY):
            for each in rows(delivery.get("ingredients")):
                if f"sha256:{each.get('sha256')}" == ingredient.get("instance_id"):
                    return plain(each.get("credentials"))
        return ""

    def _stop(self, kind: str, words: str) -> None:
        self.further.append(Fault(f"ingredient.{kind}", words, BELOW))


def _vouched_for(recorded: object, now: Iterable[object]) -> bool:
    """What checking found now is given as its differences from what was on record."""
    said = [found for found in map(vouched_for, now) if found is not None]
    return all(said) if said else vouched_for(recorded) is True


def _all_faults(ingredients: tuple[IngredientOutcome, ...]) -> Iterator[Fault]:
    for each in ingredients:
        yield from each.faults
        yield from _all_faults(each.ingredients)
