"""A log of exposures with a known truth, for tests and for trying things out: no data that can be had has
what viewers of connected television did, so this is shown for what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import special

from falsework.ads.measurement.exposure import Exposure, Happened
from falsework.ads.state.events import Segments
from falsework.ads.state.protocol import Event
from falsework.seeds import generator

__all__ = ["DURATIONS", "GENRES", "ITEMS", "LED", "true_rate", "write_log"]

GENRES = ("drama", "comedy", "thriller", "documentary", "animation")
ITEMS = ("shoes", "coffee", "bank", "travel", "games", "books", "bikes", "tea")
DURATIONS = (15.0, 20.0, 30.0)
EXPLORED = 0.3
BATCH = 500
LED = 0.9  # of decisions the impression follows


def true_rate(item: int, genre: int, evening: bool) -> float:
    """The probability of a click on an impression."""
    suits = 0.9 * np.cos(1.7 * item + 2.3 * genre)
    return float(special.expit(-3.2 + 0.25 * item / len(ITEMS) + suits + 0.4 * evening))


def write_log(folder: Path, *, count: int, seed: int, starts: float = 1_790_000_000.0) -> None:
    """`count` decisions over ten days: of all items, one by a fixed preference or, in `EXPLORED` of them, by
    lot, with its propensity; quartiles, clicks, and one in fifty beacons twice."""
    rng = generator(seed, "synthetic log")
    log = Segments(folder, clock=lambda: starts)
    waiting: list[Exposure | Happened] = []
    for number in range(count):
        at = starts + number * 10 * 86_400 / count
        genre, evening = int(rng.integers(len(GENRES))), bool(at % 86_400 >= 64_800)
        best = genre % len(ITEMS)
        item = int(rng.integers(len(ITEMS))) if rng.random() < EXPLORED else best
        chance = EXPLORED / len(ITEMS) + (1 - EXPLORED) * (item == best)
        served, stream, duration = f"{seed}-{number}", f"stream{number // 4}", DURATIONS[item % 3]
        waiting.append(
            Exposure(
                at=at, decision=f"d{number}", served=served, campaign=f"campaign {ITEMS[item]}",
                advertiser=f"{ITEMS[item]}.example", line_item=ITEMS[item], creative=f"{ITEMS[item]} 1",
                duration=duration, cost=20_000, propensity=chance, candidates=len(ITEMS), stream=stream,
                viewer=f"v{number // 8}" if number % 16 < 8 else "",
                context=(f"genre={GENRES[genre]}", f"daypart={'evening' if evening else 'morning'}"),
            )
        )  # fmt: skip
        if rng.random() < LED:
            clicked = rng.random() < true_rate(item, genre, evening)
            waiting += _events(waiting[-1], duration, bool(clicked), rng)
        if len(waiting) > BATCH:
            log.append(waiting)
            waiting = []
    log.append(waiting)
    log.close()


def _events(
    shown: Exposure | Happened, duration: float, clicked: bool, rng: np.random.Generator
) -> list[Exposure | Happened]:
    assert isinstance(shown, Exposure)
    through = int(min(rng.geometric(0.12), 5))
    kinds = ["impression", "start", "firstQuartile", "midpoint", "thirdQuartile", "complete"][: through + 1]
    moments = [0.0, 0.0, duration / 4, duration / 2, 3 * duration / 4, duration]
    happened = [_event(shown, kind, shown.at + after) for kind, after in zip(kinds, moments, strict=False)]
    if clicked:
        happened.append(_event(shown, "click", shown.at + moments[len(kinds) - 1]))
    if rng.random() < 0.02:
        happened.append(Happened(event=happened[0].event, fresh=False))
    return list(happened)


def _event(shown: Exposure, kind: str, at: float) -> Happened:
    return Happened(
        event=Event(
            stream=shown.stream,
            served=shown.served,
            kind=kind,
            line_item=shown.line_item,
            at=at,
            cost=shown.cost if kind == "impression" else 0,
            viewer=shown.viewer,
        )
    )
