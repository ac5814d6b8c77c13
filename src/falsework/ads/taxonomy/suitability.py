"""Which products may not stand beside a scene: by what happens in it, its moods, its genres and categories.

Rules are rows of a table that a producer can read and change: no airline follows a crash, and a house that
falls takes no builder and no insurer beside it. Where nothing is known of a scene, what could hurt stays
away.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Self

from falsework.ads.opportunity import Scene
from falsework.ads.taxonomy.taxonomies import products
from falsework.errors import FalseworkError

__all__ = ["SORTS", "Rule", "Suitability"]

SORTS = ("event", "mood", "genre", "content", "unknown")


@dataclass(frozen=True)
class Rule:
    """`products` are blocked with all below them wherever a scene has this event, mood, genre or category."""

    sort: str
    name: str
    products: frozenset[str]
    why: str


class Suitability:
    """Asked with a scene, answers the blocked product categories."""

    def __init__(self, rules: Mapping[tuple[str, str], Rule]) -> None:
        self._rules = dict(rules)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The table that ships, or a studio's own. Raises `FalseworkError` naming the line."""
        if path is None:
            text = files("falsework.ads.taxonomy").joinpath("suitability.csv").read_text(encoding="utf-8")
        else:
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise FalseworkError(
                    f"cannot be read ({error})", where=path, todo="Give a table of rules as CSV."
                ) from error
        where = path or "suitability.csv"
        rules = {}
        known = products().names
        for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
            sort, name = (row.get("sort") or "").strip(), (row.get("name") or "").strip()
            named = (row.get("products") or "").split()
            unknown = [one for one in named if one not in known]
            if sort not in SORTS or (not name and sort != "unknown"):
                raise FalseworkError(
                    f'has "{sort}" where one of {", ".join(SORTS)} with a name is needed',
                    where=f"{where}, line {number}",
                    todo="Mend the line.",
                )
            if unknown or not named:
                raise FalseworkError(
                    f"names {' '.join(unknown) or 'no product'}, which Ad Product Taxonomy 2.0 does not have",
                    where=f"{where}, line {number}",
                    todo="Use ids of that taxonomy.",
                )
            blocked = products().with_all_below(named)
            rules[sort, name.casefold()] = Rule(sort, name, blocked, (row.get("why") or "").strip())
        return cls(rules)

    def rules_for(self, scene: Scene) -> tuple[Rule, ...]:
        """The rules that hold beside a scene, in the order of what they look at."""
        if not scene.known:
            found = [self._rules.get(("unknown", ""))]
        else:
            found = []
        looked_at = (
            ("event", scene.events),
            ("mood", scene.moods),
            ("genre", scene.genres),
            ("content", scene.categories),
        )
        for sort, names in looked_at:
            found += [self._rules.get((sort, name.casefold())) for name in names]
        return tuple(rule for rule in found if rule is not None)

    def __call__(self, scene: Scene) -> frozenset[str]:
        return frozenset().union(*(rule.products for rule in self.rules_for(scene)))
