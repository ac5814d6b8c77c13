"""What a response model may look at, as names ("genre=drama"). The same names are logged with an exposure and
asked for in a decision, so that a model is used on what it learned from.

All of them are about the scene, the moment and the advertisement. Only `personal` looks at a viewer, through
the permissions, and gives nothing without them; there is no other way to a segment here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from falsework.ads.opportunity import Activity, Break, Viewer

__all__ = ["contextual", "crossed", "of_advertisement", "personal"]

# What is crossed with the advertisement: which scene suits which product.
CROSSED = ("genre", "mood", "event", "daypart", "segment")
DAYPARTS = ("night", "morning", "afternoon", "evening")  # six hours each, in UTC


def contextual(asked: Break) -> tuple[str, ...]:
    """The scene beside the break, the placement, the kind of device, the part of the day. A device's kind and
    a country are in the request's own context; nothing finer is looked at."""
    scene, viewer = asked.scene, asked.viewer
    hour = time.gmtime(asked.at).tm_hour
    names = [f"placement={int(asked.placement)}", f"daypart={DAYPARTS[hour // 6]}"]
    names += [f"genre={one}" for one in scene.genres]
    names += [f"mood={one}" for one in scene.moods]
    names += [f"event={one}" for one in scene.events]
    if viewer.device:
        names.append(f"device={viewer.device}")
    if viewer.country:
        names.append(f"country={viewer.country}")
    return tuple(dict.fromkeys(names))


def personal(viewer: Viewer) -> tuple[str, ...]:
    """A viewer's segments, where choosing by behaviour is allowed and the profile is no child's; else ()."""
    if viewer.kids or not viewer.permissions.allows(Activity.PERSONALISE):
        return ()
    return tuple(dict.fromkeys(f"segment={one}" for one in viewer.segments))


def of_advertisement(
    line_item: str, creative: str, categories: Sequence[str], duration: float
) -> tuple[str, ...]:
    """What is known of an advertisement."""
    return (
        f"line_item={line_item}",
        f"creative={creative}",
        *(f"category={one}" for one in categories),
        f"length={5 * round(duration / 5)}",
    )


def crossed(around: Iterable[str], advertisement: Iterable[str]) -> list[str]:
    """Pairs of what is around a break and what is in it ("genre=drama&category=1002")."""
    outer = [name for name in around if name.partition("=")[0] in CROSSED]
    inner = [name for name in advertisement if name.partition("=")[0] in {"line_item", "category"}]
    return [f"{one}&{other}" for one in outer for other in inner]
