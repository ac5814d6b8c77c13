"""What is around the fall: dust, debris, wind, light, and what the building is made of."""

from __future__ import annotations

from dataclasses import dataclass

from falsework.shots.brief_falls import FallRules
from falsework.shots.brief_scan import Clause, Item
from falsework.shots.brief_words import COLOURS

__all__ = ["AirRules"]

ADDED_FACTOR = {"tiny": 0.2, "little": 0.4, "half": 0.5, "double": 2.0, "much": 2.0, "huge": 4.0}
AMOUNTS: dict[str, tuple[str, dict[str, float]]] = {
    "dust": ("dust.amount", ADDED_FACTOR),
    "debris": (
        "dust.debris",
        {"tiny": 3000, "little": 10000, "half": 15000, "double": 60000, "much": 60000, "huge": 120000},
    ),
    "wind": ("dust.wind_speed", {"tiny": 1.0, "little": 2.0, "much": 8.0, "huge": 15.0}),
    "grain": (
        "comp.grain",
        {"tiny": 0.2, "little": 0.5, "half": 0.5, "double": 2.0, "much": 2.0, "huge": 3.0},
    ),
    "blur": (
        "render.shutter",
        {"tiny": 45.0, "little": 90.0, "half": 90.0, "double": 360.0, "much": 270.0, "huge": 360.0},
    ),
}
STRONGER = {"much": "huge", "little": "tiny"}
WEAKER = {"much": "little", "huge": "little"}
WIND = {"still": 0.0, "breeze": 2.0, "strong": 8.0, "gale": 15.0}


@dataclass
class AirRules(FallRules):
    """Rules about dust, air and light; sides and headings mean the same as for the building."""

    def _light(self, clause: Clause, number: int) -> None:
        for item in clause.items:
            if item.value in ("low", "high") and item.meaning in ("day", "sunlight") and not item.negated:
                self._set("light.elevation", 10.0 if item.value == "low" else 65.0, item)
            elif item.meaning == "sunlight":
                ratio = {"none": 0.1, "soft": 0.8, "hard": 5.0}[item.value]
                self._set("light.sun_sky_ratio", ratio, item)
            elif item.meaning == "sun" and not item.negated:
                self._set("light.azimuth", 0.0 if item.value == "against" else 180.0, item)

    def _wind(self, clause: Clause, number: int) -> None:
        for item in clause.items:
            if item.meaning == "air":
                self._set("dust.wind_speed", 0.0 if item.negated else WIND[item.value], item, quiet=True)
                item.meaning, item.value = "topic", "wind"
                self._sides(clause, number)

    def _reach(self, clause: Clause, number: int) -> None:
        dust = self._about_dust(clause, number)
        if dust is None:
            return
        for item in clause.items:
            if item.meaning == "reach":
                self._set("dust.reach", "local", item)
        goals = [
            item for item in clause.items if item.meaning == "topic" and item.value in ("camera", "street")
        ]
        moves = [item for item in clause.items if item.meaning == "spread"]
        goals = [
            goal
            for goal in goals
            if goal.value == "street" or moves or self._before(clause, goal, "to", "away") is not None
        ]
        if not goals:
            return
        if any(topic.topic == "wind" for topic in clause.topics()):
            return
        farthest = next((goal for goal in goals if goal.value == "camera"), goals[-1])
        told = [*moves, farthest]
        away = self._before(clause, farthest, "away")
        refused = farthest.negated or away is not None
        if farthest.negated and not moves:
            return
        if refused:
            value = "street" if farthest.value == "camera" else "local"
            told += [away] if away is not None else []
            told = [item for item in clause.items if item.meaning == "negation"][:1] + told
        else:
            value = farthest.value
        self._set("dust.reach", value, *told)

    def _about_dust(self, clause: Clause, number: int) -> Item | None:
        """The dust this clause speaks of (its own word, or the last clause's where it names no topic)."""
        for item in clause.topics():
            if item.topic == "dust":
                return item
        if not clause.topics():
            for earlier in reversed(self.clauses[:number]):
                if earlier.topics():
                    last = earlier.topics()[-1]
                    return last if last.topic == "dust" else None
        return None

    def _amounts(self, clause: Clause, number: int) -> None:
        for item in clause.items:
            if item.meaning not in ("amount", "colour", "opaque", "sheer") or not self._free(item):
                continue
            about = self._topic(clause, number, item)
            if about not in AMOUNTS and not clause.topics():
                about = self._next_topic(number)  # "thick, pale dust"
            if item.meaning == "colour":
                if about == "dust" and not item.negated:
                    told = self._with_noun(clause, item)
                    self._set("render.dust_colour", list(COLOURS[item.value]), *told)
            elif item.meaning in ("opaque", "sheer"):
                if about == "dust" and not item.negated:
                    density = 2.0 if item.meaning == "opaque" else 0.5
                    self._set("render.dust_density", density, *self._with_noun(clause, item))
            elif about in AMOUNTS:
                key, values = AMOUNTS[about]
                intense = self._before(clause, item, "very")
                level = STRONGER.get(item.value, item.value) if intense is not None else item.value
                level = WEAKER.get(level, level) if item.negated else level
                if level in values and not (item.negated and level == item.value):
                    value = values[level]
                    told = self._with_noun(clause, item) + ([] if intense is None else [intense])
                    before = self.settings.get(key)
                    same_way = before is not None and (before.value > 1) == (value > 1)
                    self._set(key, value, *told, quiet=same_way)

    def _absent(self, clause: Clause, number: int) -> None:
        """ "No dust", "sin viento": what is named after a negation is not there."""
        amounts = any(item.meaning == "amount" and item.negated for item in clause.items)
        reach = any(item.meaning in ("reach", "spread") for item in clause.items)
        keys = {"dust": "dust.amount", "debris": "dust.debris", "wind": "dust.wind_speed"}
        keys |= {"grain": "comp.grain", "blur": "render.shutter"}
        for item in clause.topics():
            no = next(
                (
                    other
                    for other in reversed(clause.items)
                    if other.meaning == "negation" and other.last < item.first
                ),
                None,
            )
            if item.topic == "slate":
                self._set("comp.slate", not item.negated, item)
            elif item.topic == "wind" and not item.negated and item.meaning == "topic":
                if "dust.wind_speed" not in self.settings:
                    self._set("dust.wind_speed", 4.0, item)
            elif item.topic in keys and item.negated and no is not None and not amounts:
                if item.topic == "dust" and reach:
                    continue
                self._set(keys[item.topic], 0 if item.topic == "debris" else 0.0, no, item)

    def _matter(self, clause: Clause, number: int) -> None:
        for item in clause.items:
            if item.negated or not self._free(item):
                continue
            if item.meaning == "material":
                if self._followed_by(clause, item) == "dust":  # brick dust, polvo de ladrillo
                    colour = {"masonry": "red", "concrete": "grey"}.get(item.value)
                    if colour:
                        self._set("render.dust_colour", list(COLOURS[colour]), item)
                elif self._topic(clause, number, item) in ("building", ""):
                    self._set("building.material", item.value, item)
            elif item.meaning == "roofing" and any(other.value == "roof" for other in clause.items):
                self._set("building.roof", item.value, item)
                self._take(*[other for other in clause.items if other.value == "roof"])
            elif item.meaning == "roofing" and item.value == "mansard":
                self._set("building.roof", item.value, item)
            elif item.meaning == "strength" and self._topic(clause, number, item) in ("building", ""):
                self._set("collapse.strength", 0.5 if item.value == "weak" else 2.0, item)
            elif item.meaning == "size":
                self._set("fracture.size_exponent", 1.6 if item.value == "large" else 3.0, item)

    def _followed_by(self, clause: Clause, item: Item) -> str:
        place = clause.items.index(item)
        near = (
            clause.items[place + 1 : place + 2]
            if self.language == "en"
            else clause.items[max(0, place - 2) : place]
        )
        return next((other.topic for other in near if other.topic == "dust"), "")
