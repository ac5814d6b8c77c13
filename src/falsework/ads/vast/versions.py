"""Older versions of VAST, for players that list what they read (`protocols`).

A document is written as VAST 4.2 and then loses what an older version does not have. What a player needs
(files, length, clicks, the beacons of impression, start, quartiles and end) is in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["NEWEST", "protocol_of", "version_for", "written_as"]

NEWEST = "4.2"
# AdCOM 1.0, List: Creative Subtypes - Audio/Video, the newest first: version, InLine, Wrapper. A player of
# VAST 4.3, which has no schema of its own, reads 4.2.
PROTOCOLS = (("4.2", 13, 14), ("4.2", 15, 16), ("4.1", 11, 12), ("4.0", 7, 8), ("3.0", 3, 6), ("2.0", 2, 5))
NAMESPACE = ' xmlns="http://www.iab.com/VAST"'
# By the version that first had them: elements, events, and attributes of what stays.
ELEMENTS = {
    "4.1": ("AdServingId", "BlockedAdCategories", "Expires"),
    "4.0": ("Category", "UniversalAdId", "ViewableImpression"),
    "3.0": ("Advertiser", "Pricing"),
}
EVENTS = {"4.0": ("overlayViewDuration",), "3.0": ("closeLinear", "skip")}
ATTRIBUTES = {
    "3.0": ("skipoffset", "followAdditionalWrappers", "allowMultipleAds", "fallbackOnNoAd"),
}
REGISTERED = re.compile(r'(<UniversalAdId idRegistry="[^"]*")>([^<]*)<')


def version_for(protocols: Collection[int]) -> str:
    """The newest that a player lists; 4.2 where it lists none, and for one that lists nothing we can write:
    only the house's own is sent there."""
    return next(
        (version for version, *numbers in PROTOCOLS if not set(numbers).isdisjoint(protocols)), NEWEST
    )


def protocol_of(version: str, *, wrapper: bool) -> int:
    """AdCOM's number."""
    return next(number[wrapper] for name, *number in PROTOCOLS if name == version)


def written_as(version: str, text: str) -> str:
    """A document of ours, or a part of one, in an older version."""
    if version == NEWEST:
        return text
    text = text.replace(f'version="{NEWEST}"', f'version="{version}"', 1)
    if version < "4.0":
        text = text.replace(NAMESPACE, "", 1)
    for since, names in ELEMENTS.items():
        if version < since:
            text = re.sub(rf"<({'|'.join(names)})[ >].*?</\1>", "", text, flags=re.DOTALL)
    for since, names in EVENTS.items():
        if version < since:
            text = re.sub(rf'<Tracking event="({"|".join(names)})">[^<]*</Tracking>', "", text)
    for since, names in ATTRIBUTES.items():
        if version < since:
            text = re.sub(rf' ({"|".join(names)})="[^"]*"', "", text)
    if version == "4.0":
        # Only this one has the id in an attribute as well.
        text = REGISTERED.sub(r'\1 idValue="\2">\2<', text)
    return text
