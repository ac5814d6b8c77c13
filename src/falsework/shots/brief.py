"""A director's sentence becomes settings: each with the words it came from, nothing invented.

A grammar over the field's words (`brief_words`), English and Spanish. What a word belongs to is decided by
its clause and the nearest topic (building, dust, debris, wind, light); a clause without a topic goes on with
the last one. Words that stay without a meaning are listed.

Floors: "third floor", "tercer piso", "tercera planta" are the third above the ground floor, as in Europe and
on the Río de la Plata (`from_storey = 3`); "third storey" counts the ground floor as the first (2).
Where the brief contradicts itself the first statement stays, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from falsework.shots.brief_scan import Clause, Item, Token, guess_language, scan, tokens_of
from falsework.shots.brief_words import COLOURS, LANGUAGES

__all__ = ["Finding", "Interpretation", "read_brief"]

FIRST_FRAME, FPS = 1001, 24.0  # a shot's defaults, for "after two seconds"
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
SIDE_DEGREES = {"left": 270.0, "right": 90.0, "front": 180.0, "back": 0.0}
# Parts of a house: "the left wall" is a side, "the left house" is not.
WALLS = ("wall", "walls", "facade", "pared", "paredes", "muro", "muros", "fachada")
PACE_SECONDS = {"slow": 2.4, "fast": 0.4, "sudden": 0.1}


@dataclass(frozen=True)
class Finding:
    """A setting's value, the brief's words it came from and where they stand (start, end)."""

    value: Any
    words: str
    span: tuple[int, int]


@dataclass(frozen=True)
class Interpretation:
    """What a brief is understood to say. `settings` by dotted key of `Shot`; "facades.storeys" means every
    facade's. `source` is "grammar" or the name of the model that was asked."""

    brief: str
    language: str
    settings: dict[str, Finding]
    not_understood: tuple[str, ...]
    notes: tuple[str, ...]
    source: str = "grammar"

    def to_json(self) -> dict[str, Any]:
        return {
            "brief": self.brief,
            "language": self.language,
            "source": self.source,
            "settings": {
                key: {"value": finding.value, "words": finding.words}
                for key, finding in self.settings.items()
            },
            "not_understood": list(self.not_understood),
            "notes": list(self.notes),
        }


def read_brief(brief: str) -> Interpretation:
    """Understand a brief by the grammar, offline. The same words give the same settings."""
    tokens = tokens_of(brief)
    language = guess_language(tokens)
    reader = _Reader(brief, tokens, scan(tokens, language), language)
    reader.read()
    return Interpretation(
        brief=brief,
        language=language,
        settings=dict(sorted(reader.settings.items(), key=lambda entry: entry[1].span)),
        not_understood=tuple(reader.left_over()),
        notes=tuple(reader.notes),
    )


@dataclass
class _Reader:
    """One pass over the clauses; every rule takes the items it understands."""

    brief: str
    tokens: list[Token]
    clauses: list[Clause]
    language: str
    settings: dict[str, Finding] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    kinds: list[tuple[str, bool, Item]] = field(default_factory=list)  # kind, strong, item
    paces: list[tuple[str, str, list[Item]]] = field(default_factory=list)  # phase, pace, items
    duration: tuple[float, list[Item]] | None = None

    fps: float = FPS

    def read(self) -> None:
        for clause in self.clauses:
            for item in clause.items:
                if item.meaning == "quantity" and item.value == "fps" and 1 <= item.number <= 240:
                    self.fps = item.number
        rules: tuple[Callable[[Clause, int], None], ...] = (
            self._known,
            self._quantities,
            self._kinds,
            self._floors,
            self._sides,
            self._light,
            self._wind,
            self._reach,
            self._amounts,
            self._absent,
            self._paces,
            self._matter,
        )
        for number, clause in enumerate(self.clauses):
            for rule in rules:
                rule(clause, number)
        self._kind()
        self._timing()

    # -- what all rules use -------------------------------------------------------------------

    def _take(self, *items: Item) -> None:
        for item in items:
            self.used.update(range(item.first, item.last + 1))

    def _free(self, item: Item) -> bool:
        return item.first not in self.used

    def _words(self, items: list[Item]) -> tuple[str, tuple[int, int]]:
        span = (
            self.tokens[min(item.first for item in items)].start,
            self.tokens[max(item.last for item in items)].end,
        )
        return self.brief[span[0] : span[1]], span

    def _set(self, key: str, value: Any, *items: Item, quiet: bool = False) -> None:
        """Set a key from items; the first statement stays."""
        self._take(*items)
        words, span = self._words(list(items))
        before = self.settings.get(key)
        if before is None:
            self.settings[key] = Finding(value, words, span)
        elif before.value != value and not quiet:
            self.notes.append(f"“{words}” contradicts “{before.words}”; {key} keeps the first")

    def _topic(self, clause: Clause, number: int, item: Item) -> str:
        """What an item belongs to: the nearest topic of its clause, else what the brief was about. Adjectives
        do not reach back into another sentence."""
        nearest = self._nearest(clause, item)
        if nearest is not None:
            return nearest.topic
        adjective = item.meaning in ("amount", "colour", "opaque", "sheer")
        for earlier in reversed(self.clauses[:number]):
            if adjective and earlier.sentence != clause.sentence:
                break
            if earlier.topics():
                return earlier.topics()[-1].topic
        return ""

    def _nearest(self, clause: Clause, item: Item) -> Item | None:
        ahead = LANGUAGES[self.language].adjective_first
        return min(clause.topics(), key=lambda topic: self._distance(topic, item, ahead), default=None)

    def _with_noun(self, clause: Clause, item: Item) -> list[Item]:
        """An adjective and the noun it stands beside."""
        noun = self._nearest(clause, item)
        near = noun is not None and noun.meaning == "topic" and abs(noun.first - item.first) <= 4
        return [item, noun] if near and noun is not None else [item]

    def _next_topic(self, number: int) -> str:
        for later in self.clauses[number + 1 : number + 2]:
            if later.topics():
                return later.topics()[0].topic
        return ""

    @staticmethod
    def _distance(topic: Item, item: Item, ahead: bool) -> float:
        if topic.first > item.last:
            return topic.first - item.last - (0.5 if ahead else 0.0)
        return item.first - topic.last - (0.0 if ahead else 0.5)

    @staticmethod
    def _before(clause: Clause, item: Item, *meanings: str) -> Item | None:
        """The item of one of these meanings right before `item` (articles and small words apart)."""
        place = clause.items.index(item)
        for earlier in reversed(clause.items[max(0, place - 2) : place]):
            if earlier.meaning in meanings:
                return earlier
            if earlier.meaning not in ("link", "behind", "very"):
                return None
        return None

    # -- rules, clause by clause --------------------------------------------------------------

    def _known(self, clause: Clause, number: int) -> None:
        """What needs no remark: names of things, joining words."""
        for item in clause.items:
            quiet = item.meaning in (
                "link",
                "fall",
                "from",
                "from_of",
                "to",
                "then",
                "negation",
                "very",
                "spread",
                "across",
            )
            if quiet or (
                item.meaning == "topic"
                and item.value in ("building", "dust", "debris", "wind", "street", "camera")
            ):
                self._take(item)
        if any(topic.topic for topic in clause.topics()):
            for item in clause.items:
                if item.meaning in ("in", "within", "after", "long") and self.tokens[item.first].text in (
                    LANGUAGES[self.language].small
                    | {"sobre", "despues", "take", "taking", "shot", "plano", "durante"}
                ):
                    self._take(item)

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
                words = LANGUAGES[self.language].articles
                if item.number >= 2 and self.tokens[item.first].text not in words:
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
                        f"“{words}”: set collapse.from_storey to the number of storeys less one; the brief does "
                        "not say how many there are"
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
            pace = ("very " if intense is not None and item.value != "sudden" else "") + item.value
            phase, told = (
                ("first", [first, item]) if first else ("then", [then, item]) if then else ("whole", [item])
            )
            told = [part for part in (*told, intense) if part is not None]
            self._take(*[part for part in told if part is not None])
            self.paces.append((phase, pace, [part for part in told if part is not None]))
        for item in clause.items:
            if item.meaning == "first":
                self._take(item)

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

    # -- what the whole brief decides ---------------------------------------------------------

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

    def left_over(self) -> Iterator[str]:
        """Words nobody understood, neighbours together, in the brief's own spelling."""
        small = LANGUAGES[self.language].small | LANGUAGES[self.language].articles
        run: list[int] = []
        for place, token in enumerate([*self.tokens, Token(".", 0, 0)]):
            word = token.text[0].isalnum()
            if word and place not in self.used and token.text not in small:
                run.append(place)
            elif run and (not word or place in self.used):
                yield self.brief[self.tokens[run[0]].start : self.tokens[run[-1]].end]
                run = []
