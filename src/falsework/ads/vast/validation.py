"""Whether a VAST document has what its version requires; what is wrong first is named by its place.

What a player needs is asked for: elements and attributes that the specifications of 2.0 to 4.2 require. The
order of elements is not, for players do not mind it (`vast_4.2.xsd` does).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from falsework.ads.vast.markup import Element, read_markup
from falsework.ads.vast.partner import VERSION
from falsework.ads.vast.text import web_address
from falsework.errors import FalseworkError

__all__ = ["check"]

Version = tuple[int, int]
Fault = tuple[str, str]  # place, what is wrong there

ALWAYS: Version = (2, 0)
TIME = re.compile(r"\d{2}:[0-5]\d:[0-5]\d(\.\d{1,3})?")
INTEGER = re.compile(r"-?\d+")
DELIVERY = re.compile("progressive|streaming")
PRICING = re.compile("(?i:cpm|cpc|cpe|cpv)")
CURRENCY = re.compile("[A-Za-z]{3}")
ANYTHING = re.compile(r"(?s:.+)")
PERCENT_OR_TIME = re.compile(r"\d{2}:[0-5]\d:[0-5]\d(\.\d{3})?|1?\d?\d(\.\d+)?%")


@dataclass(frozen=True)
class Rule:
    """`children` that must be there, by the version that first asked for them; `attributes` that must, and
    what they may hold; `text` what the element must hold; `address`: one of http or https."""

    children: Mapping[str, Version] = field(default_factory=dict)
    attributes: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    text: re.Pattern[str] | None = None
    address: bool = False


ADDRESS = Rule(address=True)
SIZE = {"width": INTEGER, "height": INTEGER}
RULES: Mapping[str, Rule] = {
    "InLine": Rule(
        {
            "AdSystem": ALWAYS,
            "AdTitle": ALWAYS,
            "Impression": ALWAYS,
            "Creatives": ALWAYS,
            "AdServingId": (4, 1),
        }
    ),
    "Wrapper": Rule({"AdSystem": ALWAYS, "Impression": ALWAYS, "VASTAdTagURI": ALWAYS}),
    "Wrapper/VASTAdTagURI": ADDRESS,
    "InLine/Creatives": Rule({"Creative": ALWAYS}),
    "InLine/Creatives/Creative": Rule({"UniversalAdId": (4, 0)}),
    "InLine/Creatives/Creative/UniversalAdId": Rule(attributes={"idRegistry": ANYTHING}),
    "InLine/Creatives/Creative/Linear": Rule({"Duration": ALWAYS, "MediaFiles": ALWAYS}),
    "InLine/Creatives/Creative/Linear/Duration": Rule(text=TIME),
    "InLine/Creatives/Creative/Linear/MediaFiles": Rule({"MediaFile": ALWAYS}),
    "InLine/Creatives/Creative/Linear/MediaFiles/MediaFile": Rule(
        attributes={"delivery": DELIVERY, "type": ANYTHING, **SIZE}, address=True
    ),
    "InLine/Creatives/Creative/NonLinearAds/NonLinear": Rule(attributes=SIZE),
    "InLine/Creatives/Creative/NonLinearAds/NonLinear/StaticResource": Rule(
        attributes={"creativeType": ANYTHING}, address=True
    ),
    "InLine/Category": Rule(attributes={"authority": ANYTHING}),
    "InLine/Pricing": Rule(attributes={"model": PRICING, "currency": CURRENCY}),
    "Wrapper/Pricing": Rule(attributes={"model": PRICING, "currency": CURRENCY}),
}
EMPTY = Rule()


def check(body: bytes) -> None:
    """Raises `FalseworkError` whose `where` is the place ("VAST.Ad[0].InLine.Creatives.Creative[1]")."""
    root = read_markup(body, where="VAST")
    for place, what in _faults(root):
        raise FalseworkError(what, where=place, todo="Send it as VAST 2.0 to 4.2 has it.")


def _faults(root: Element) -> Iterator[Fault]:
    if root.name != "VAST":
        yield root.name[:40], "is the root, and VAST should be"
        return
    told = root.attributes.get("version", "")
    if not VERSION.fullmatch(told):
        yield "VAST.version", f'is "{told[:20]}", and 2.0 to 4.2 are read' if told else "is missing"
        return
    major, _, minor = told.partition(".")
    version = int(major), int(minor.partition(".")[0] or 0)
    for number, ad in enumerate(root.every("Ad")):
        place = f"VAST.Ad[{number}]"
        contents = [one for one in ad.children if one.name in ("InLine", "Wrapper")]
        if len(contents) != 1:
            yield place, f"holds {len(contents)} of InLine and Wrapper, and exactly one is needed"
        for content in contents:
            yield from _element(content, content.name, f"{place}.{content.name}", version)


def _element(element: Element, path: str, place: str, version: Version) -> Iterator[Fault]:
    rule = RULES.get(path, EMPTY)
    names = [one.name for one in element.children]
    for name, since in rule.children.items():
        if version >= since and name not in names:
            yield f"{place}.{name}", "is missing"
    for name, form in rule.attributes.items():
        value = element.attributes.get(name, "")
        if not form.fullmatch(value):
            yield f"{place}.{name}", f'is "{value[:60]}"' if value else "is missing"
    if rule.text is not None and not rule.text.fullmatch(element.text):
        yield place, f'is "{element.text[:60]}"' if element.text else "is empty"
    if rule.address and not web_address(element.text):
        yield place, f'is "{element.text[:60]}", no address of http or https'
    if element.name == "Tracking":
        yield from _tracking(element, place)
    counts: dict[str, int] = {}
    for one in element.children:
        number = counts.setdefault(one.name, 0)
        counts[one.name] += 1
        several = names.count(one.name) > 1 or one.name in ("Creative", "MediaFile", "NonLinear", "Tracking")
        child = f"{place}.{one.name}[{number}]" if several else f"{place}.{one.name}"
        yield from _element(one, f"{path}/{one.name}", child, version)


def _tracking(element: Element, place: str) -> Iterator[Fault]:
    event = element.attributes.get("event", "")
    if not event:
        yield f"{place}.event", "is missing"
    elif event == "progress" and not PERCENT_OR_TIME.fullmatch(element.attributes.get("offset", "")):
        yield f"{place}.offset", "is missing from a progress event, or no time"
