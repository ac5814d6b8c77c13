"""How it falls: way, floor, side, direction, pace and times."""

from __future__ import annotations

from dataclasses import dataclass

from falsework.shots.brief_reading import FIRST_FRAME, Reading
from falsework.shots.brief_scan import Clause, Item
from falsework.shots.brief_words import LANGUAGES

__all__ = ["FallRules"]

SIDE_DEGREES = {"left": 270.0, "right": 90.0, "front": 180.0, "back": 0.0}
# Parts of a house: "the left wall" is a side, "the left house" is not.
WALLS = ("wall", "walls", "facade", "pared", "paredes", "muro", "muros", "fachada")
PACE_SECONDS = {"slow": 2.4, "fast": 0.4, "sudden": 0.1}


@dataclass
class FallRules(Reading):
    """Rules about the building and its fall."""

    def _quantities(self, clause: Clause, number: int) -> None:
        for place, item in enumerate(clause.items):
            before = clause.items[place - 1] if place else None
            after = clause.items[place + 1] if place + 1 < len(clause.items) else None
            if item.meaning == "mark":
                if item.value == "seed":
                    self._set("seed", int(item.number), item)
                elif item.value == "frame" or (before and before.meaning in ("from", "after", "to")):
                    frame = item.number if item.value == "frame" else FIRST_FRAME + item.number * self.fps
                    self._set("collapse.start", round(frame), item)
                continue
            if item.meaning != "quantity":
                continue
            if item.value == "fragments":
                if 50 <= item.number <= 20000:
                    self._set("fracture.fragments", int(item.number), item)
            elif item.value == "fps":
                self._set("fps", item.number, item)
            elif item.value in ("ms", "kmh"):
                if self._topic(clause, number, item) == "wind":
                    speed = item.number if item.value == "ms" else item.number / 3.6
                    self._set("dust.wind_speed", round(speed, 2), item)
            else:
                self._time(item, before, after)

    def _time(self, item: Item, before: Item | None, after: Item | None) -> None:
        """Seconds or frames: before the collapse, of the collapse, or of the whole shot."""
        frames = round(item.number * self.fps) if item.value == "second" else round(item.number)
        if after is not None and after.meaning in ("long",):
            self._set("frames", [FIRST_FRAME, FIRST_FRAME + frames - 1], item, after)
        elif before is not None and before.meaning == "long":
            self._set("frames", [FIRST_FRAME, FIRST_FRAME + frames - 1], before, item)
        elif before is not None and before.meaning == "after":
            self._set("collapse.start", FIRST_FRAME + frames, before, item)
        elif after is not None and after.meaning == "in":
            self._set("collapse.start", FIRST_FRAME + frames, item, after)
        elif before is not None and before.meaning in ("in", "within", "to"):
            self._take(before, item)
            if self.duration is None:
                self.duration = (frames / self.fps, [before, item])

    def _kinds(self, clause: Clause, number: int) -> None:
        for item in clause.items:
            if item.meaning in ("kind", "kind_weak"):
                if self._subject(clause, item) == "dust":
                    continue  # "dust folds over itself" is no way for a building to fall
                self._take(item)
                if not item.negated:
                    self.kinds.append((item.value, item.meaning == "kind", item))

    def _subject(self, clause: Clause, item: Item) -> str:
        """The thing named before a verb, where one is."""
        named = [t.value for t in clause.items if t.meaning == "topic" and t.topic and t.last < item.first]
        return named[-1] if named else ""

    def _floors(self, clause: Clause, number: int) -> None:
        for item in clause.items:
            if item.meaning == "storeys":
                articles = LANGUAGES[self.language].articles
                if item.number >= 2 and self.tokens[item.first].text not in articles:
                    self._set("facades.storeys", int(item.number), item)
                continue
            counted = item.meaning == "floor" and item.value
            if (
                not counted
                and item.meaning not in ("ground", "top")
                and (item.meaning, item.value)
                not in (
                    ("topic", "base"),
                    ("topic", "top"),
                )
            ):
                continue
            about = self._topic(clause, number, item)
            if about not in ("building", "") or item.negated:
                if about == "dust" and item.value in ("base", "top"):
                    self._take(item)
                continue
            source = self._before(clause, item, "from", "from_of", "to")
            told = [source, item] if source is not None and source.meaning == "from" else [item]
            if item.meaning == "floor":
                storey = int(item.number) - (1 if item.value == "storey" else 0)
                self._set("collapse.from_storey", max(storey, 0), *told)
            elif source is not None and source.meaning == "to" and item.meaning == "topic":
                self._take(item)  # "from top to bottom": where it ends
            elif item.meaning == "ground" or (item.value == "base" and (source or self._gives(clause, item))):
                self._set("collapse.from_storey", 0, *told)
            elif item.meaning == "top" or (item.value == "top" and source is not None):
                storeys = self._storeys()
                if storeys:
                    self._set("collapse.from_storey", storeys - 1, *told)
                else:
                    self._take(item)
                    words, _ = self._words(told)
                    self.notes.append(
                        f"“{words}”: set collapse.from_storey to the number of storeys less one; the brief "
                        "does not say how many there are"
                    )

    @staticmethod
    def _gives(clause: Clause, item: Item) -> bool:
        """Whether something is said to fall right after it is named ("the base fails")."""
        place = clause.items.index(item)
        return any(other.meaning in ("kind", "fall") for other in clause.items[place + 1 : place + 2])

    def _storeys(self) -> int:
        for clause in self.clauses:
            for item in clause.items:
                if item.meaning == "storeys" and item.number >= 2:
                    return int(item.number)
        return 0

    def _sides(self, clause: Clause, number: int) -> None:
        """Where it begins ("from the left"), or where it goes ("to the left", "towards camera")."""
        for item in clause.items:
            camera = item.meaning == "topic" and item.value == "camera"
            if item.meaning == "heading" and self._topic(clause, number, item) in ("building", ""):
                self._heads(float(item.value), clause, item)
            if (item.meaning != "side" and not camera) or not (camera or self._free(item)):
                continue
            if not camera and self._locates(clause, item):
                self._take(item)
                continue
            about = self._topic(clause, number, item)
            goes = self._before(clause, item, "to", "away", "from", "from_of", "behind")
            heading = goes is not None and goes.meaning in ("to", "away")
            if item.negated:
                self._take(item)
                continue
            if about == "building" or about == "":
                if camera:
                    if heading and goes is not None:
                        self._heads(180.0 if goes.meaning == "to" else 0.0, clause, goes, item)
                elif (
                    heading
                    and goes is not None
                    and item.value in SIDE_DEGREES
                    and not self._swept(clause, item)
                ):
                    self._heads(SIDE_DEGREES[item.value], clause, goes, item)
                elif not self._swept(clause, item):
                    told = [goes, item] if goes is not None and goes.meaning == "from" else [item]
                    self._set("collapse.side", item.value, *told)
                else:
                    self._take(item)
            elif about == "wind" and (camera or item.value in SIDE_DEGREES):
                degrees = 180.0 if camera else SIDE_DEGREES[item.value]
                if goes is not None and goes.meaning in ("from", "from_of", "behind", "away"):
                    degrees = (degrees + 180.0) % 360.0
                if goes is None:  # "blowing left"
                    goes = self._before(clause, item, "topic", "air")
                if goes is not None:
                    self._set("dust.wind_direction", degrees, goes, item)
            elif about == "light" and item.value in ("left", "right"):
                told = [goes, item] if goes is not None else [item]
                self._set("light.azimuth", -90.0 if item.value == "left" else 90.0, *told)

    def _locates(self, clause: Clause, item: Item) -> bool:
        """Whether a side only says which house is meant ("the corner house", "la casa de la esquina")."""
        place = clause.items.index(item)
        if self.language == "en":
            near, gap = clause.items[place + 1 : place + 2], 1
        else:
            near, gap = clause.items[max(0, place - 2) : place], 3
            near = near[:1] if len(near) == 2 and near[1].meaning == "from_of" else []
        return any(
            other.meaning == "topic"
            and other.value == "building"
            and self.tokens[other.first].text not in WALLS
            and abs(other.first - item.last) <= gap
            for other in near
        )

    def _swept(self, clause: Clause, item: Item) -> bool:
        """Whether this is the far end of "from left to right"."""
        place = clause.items.index(item)
        before = [other for other in clause.items[max(0, place - 3) : place] if other.meaning != "link"]
        return len(before) >= 2 and before[-1].meaning == "to" and before[-2].meaning == "side"

    def _heads(self, degrees: float, clause: Clause, *items: Item) -> None:
        ways = {kind for kind, strong, _ in self.kinds if strong}
        falls = [item for item in clause.items if item.meaning == "fall" and not item.negated]
        if ways - {"topple"}:
            words, _ = self._words(list(items))
            self._take(*items)
            self.notes.append(f"“{words}”: only a building that topples has a direction; left out")
            return
        self._set("collapse.direction", degrees, *items)
        if falls and not ways:
            self.kinds.append(("topple", True, Item("kind", "topple", falls[0].first, items[-1].last)))

    def _paces(self, clause: Clause, number: int) -> None:
        for item in clause.items:
            if item.meaning != "pace":
                continue
            about = self._topic(clause, number, item)
            if about not in ("building", "") and self._next_topic(number) != "building":
                continue
            if item.negated:
                self.notes.append(f"“{self._words([item])[0]}” is negated; the timing stays")
                self._take(item)
                continue
            first = next((other for other in clause.items if other.meaning == "first"), None)
            then = next(
                (other for other in clause.items if other.meaning == "then" and other.last < item.first), None
            )
            intense = self._before(clause, item, "very")
            pace = ("very " if intense is not None and item.value in ("slow", "fast") else "") + item.value
            phase, told = (
                ("first", [first, item]) if first else ("then", [then, item]) if then else ("whole", [item])
            )
            told = [part for part in (*told, intense) if part is not None]
            self._take(*[part for part in told if part is not None])
            self.paces.append((phase, pace, [part for part in told if part is not None]))
        for item in clause.items:
            if item.meaning == "first":
                self._take(item)

    def _kind(self) -> None:
        """The way it falls: a strong word over a weak one, the first over the others."""
        strong = [(kind, item) for kind, sure, item in self.kinds if sure]
        weak = [(kind, item) for kind, sure, item in self.kinds if not sure]
        for kind, item in strong or weak:
            self._set("collapse.kind", kind, item)
            text = " ".join(token.text for token in self.tokens[item.first : item.last + 1])
            if kind == "topple" and self.settings["collapse.kind"].value == "topple":
                for degrees, marks in (
                    (180.0, ("forward", "delante", "bruces")),
                    (0.0, ("backward", "atras")),
                ):
                    if any(mark in text for mark in marks):
                        self._set("collapse.direction", degrees, item)

    def _timing(self) -> None:
        """Pairs (fraction across the building, seconds) from words of pace and a duration."""
        parts = [item for _, _, items in self.paces for item in items]
        if self.duration is not None:
            parts += self.duration[1]
        if not parts:
            return
        phases: dict[str, str] = {}
        for phase, pace, _ in self.paces:
            phases.setdefault(phase, pace)
        whole, first, then = (phases.get(name, "") for name in ("whole", "first", "then"))
        changes = next((pace for _, pace, _ in self.paces if pace in ("faster", "slower")), "")
        if not (first or whole or changes):  # "resists, then falls suddenly": that is how it falls
            whole, then = then, ""
        elif not first and (then or changes):
            first = whole if whole != changes else ""
        slow_first = "slow" in first if first and first != changes else "slow" not in (changes or then)
        if first or then or changes:
            total = self.duration[0] if self.duration else 2.0
            pairs = [[0.0, 0.0], [0.3, 0.7 * total] if slow_first else [0.7, 0.25 * total], [1.0, total]]
        else:
            spans = PACE_SECONDS | {"very slow": 4.0, "very fast": 0.2}
            total = self.duration[0] if self.duration else spans[whole]
            pairs = [[0.0, 0.0], [1.0, total]]
        told = self.paces[0][2] if self.paces else parts
        if total > 30:
            words, _ = self._words(parts)
            self.notes.append(f"“{words}”: a collapse of more than 30 seconds is not made; the timing stays")
            return
        self._set("collapse.timing", [[round(a, 3), round(b, 3)] for a, b in pairs], *told)
