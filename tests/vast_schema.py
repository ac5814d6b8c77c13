"""What `vast_4.2.xsd` demands of the documents written here, as a table; or the IAB's own file, where one is.

FALSEWORK_VAST_XSD names a copy of the schema (InteractiveAdvertisingBureau/vast on GitHub); lxml holds
documents against it then. Without one the table below does: for each element its children in their order with
how often each may be, its attributes with what they may hold, and the type of its text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from xml.etree import ElementTree

__all__ = ["faults"]

NAMESPACE = "{http://www.iab.com/VAST}"
TIME = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
OFFSET = r"(\d{2}:[0-5]\d:[0-5]\d(\.\d\d\d)?|1?\d?\d(\.?\d)*%)"
# RFC 3986 with an authority; what libxml2 takes for xs:anyURI is a little more.
URI = r"(about:blank|https?://[A-Za-z0-9._~\-\[\]:]+(/[^\s?#\[\]]*)?(\?[^\s#\[\]]*)?(#[^\s\[\]]*)?)"
STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
INTEGER, TEXT, DECIMAL, TRUTH = r"-?\d+", r"(?s:.*)", r"-?\d+(\.\d+)?", "true|false"
EVENTS = (
    "mute|unmute|pause|resume|rewind|skip|playerExpand|playerCollapse|loaded|start|firstQuartile|midpoint"
    "|thirdQuartile|complete|progress|closeLinear|creativeView|acceptInvitation|adExpand|adCollapse|minimize"
    "|close|overlayViewDuration|otherAdInteraction"
)


class Rule(NamedTuple):
    """`children`: names in order, with "?" at most one, "*" any, "+" at least one. `attributes`: pattern by
    name, with "!" where it is required. `text`: what the element holds itself."""

    children: tuple[str, ...] = ()
    attributes: Mapping[str, str] = MappingProxyType({})
    text: str | None = None


BASE = ("AdSystem", "Error*", "Extensions?", "Impression+", "Pricing?", "ViewableImpression?")
AUTHORITY = {"authority!": URI}
RULES = {
    "VAST": Rule(("Ad*", "Error*"), {"version!": TEXT}),
    "Ad": Rule(("InLine?", "Wrapper?"), {"id": TEXT, "sequence": INTEGER}),
    "InLine": Rule(
        (
            *BASE,
            "AdServingId",
            "AdTitle",
            "AdVerifications?",
            "Advertiser?",
            "Category*",
            "Creatives",
            "Description?",
            "Expires?",
            "Survey?",
        )
    ),
    "Wrapper": Rule(
        (*BASE, "AdVerifications?", "BlockedAdCategories*", "Creatives?", "VASTAdTagURI"),
        {"followAdditionalWrappers": TRUTH, "allowMultipleAds": TRUTH, "fallbackOnNoAd": TRUTH},
    ),
    "AdSystem": Rule((), {"version": TEXT}, TEXT),
    "Error": Rule((), {}, URI),
    "Impression": Rule((), {"id": TEXT}, URI),
    "Pricing": Rule((), {"model!": "CPC|CPM|CPE|CPV|cpc|cpm|cpe|cpv", "currency!": "[a-zA-Z]{3}"}, DECIMAL),
    "ViewableImpression": Rule(("Viewable*", "NotViewable*", "ViewUndetermined*"), {"id": TEXT}),
    "Viewable": Rule((), {}, URI),
    "NotViewable": Rule((), {}, URI),
    "ViewUndetermined": Rule((), {}, URI),
    "AdServingId": Rule((), {}, TEXT),
    "AdTitle": Rule((), {}, TEXT),
    "Advertiser": Rule((), {}, TEXT),
    "Category": Rule((), AUTHORITY, TEXT),
    "BlockedAdCategories": Rule((), AUTHORITY, TEXT),
    "Expires": Rule((), {}, INTEGER),
    "VASTAdTagURI": Rule((), {}, URI),
    "Creatives": Rule(("Creative+",)),
    # Of an InLine; a Wrapper's has no UniversalAdId.
    "Creative": Rule(
        ("CompanionAds?", "CreativeExtensions?", "Linear?", "NonLinearAds?", "UniversalAdId?"),
        {"sequence": INTEGER, "id": TEXT, "adId": TEXT, "apiFramework": TEXT},
    ),
    "UniversalAdId": Rule((), {"idRegistry!": TEXT}, TEXT),
    "Linear": Rule(
        ("Icons?", "TrackingEvents?", "AdParameters?", "Duration?", "MediaFiles?", "VideoClicks?"),
        {"skipoffset": OFFSET},
    ),
    "TrackingEvents": Rule(("Tracking*",)),
    "Tracking": Rule((), {"event!": EVENTS, "offset": OFFSET}, URI),
    "Duration": Rule((), {}, TIME),
    "MediaFiles": Rule(("ClosedCaptionFiles?", "MediaFile+", "Mezzanine*", "InteractiveCreativeFile*")),
    "MediaFile": Rule(
        (),
        {
            "delivery!": "streaming|progressive",
            "type!": TEXT,
            "width!": INTEGER,
            "height!": INTEGER,
            "bitrate": INTEGER,
        },
        URI,
    ),
    "VideoClicks": Rule(("ClickTracking*", "CustomClick*", "ClickThrough?")),
    "ClickTracking": Rule((), {"id": TEXT}, URI),
    "ClickThrough": Rule((), {"id": TEXT}, URI),
    "NonLinearAds": Rule(("TrackingEvents?", "NonLinear*")),
    "NonLinear": Rule(
        (
            "HTMLResource*",
            "IFrameResource*",
            "StaticResource*",
            "AdParameters?",
            "NonLinearClickThrough?",
            "NonLinearClickTracking*",
        ),
        {
            "width!": INTEGER,
            "height!": INTEGER,
            "scalable": TRUTH,
            "maintainAspectRatio": TRUTH,
            "minSuggestedDuration": TIME,
        },
    ),
    "StaticResource": Rule((), {"creativeType!": TEXT}, URI),
    "NonLinearClickThrough": Rule((), {}, URI),
    "NonLinearClickTracking": Rule((), {"id": TEXT}, URI),
}


def faults(document: bytes) -> list[str]:
    """What is not as the schema has it; empty where all is."""
    schema = os.environ.get("FALSEWORK_VAST_XSD", "")
    if schema and Path(schema).is_file():
        from lxml import etree

        held = etree.XMLSchema(etree.parse(schema))
        held.validate(etree.fromstring(document))
        return [str(entry) for entry in held.error_log]
    root = ElementTree.fromstring(document)
    found = [] if root.tag == f"{NAMESPACE}VAST" else [f"the root is {root.tag}"]
    return found + _faults(root, "")


def _faults(element: ElementTree.Element, inside: str) -> list[str]:
    name = element.tag.removeprefix(NAMESPACE)
    rule = RULES.get(name)
    if rule is None:
        return [f"{inside}/{element.tag} is not known"]
    at = f"{inside}/{name}"
    found = _attribute_faults(element, rule, at)
    text = element.text or ""
    if rule.text is None and text.strip():
        found.append(f"{at} holds text")
    if rule.text is not None and not re.fullmatch(rule.text, text):
        found.append(f"{at} holds {text!r}")
    if rule.text == URI and STRAY.search(text):
        found.append(f"{at} holds a percent sign that stands for nothing: {text!r}")
    names = [one.tag.removeprefix(NAMESPACE) for one in element]
    pattern = "".join(
        f"(?:{child.rstrip('?*+')},){child[-1] if child[-1] in '?*+' else ''}" for child in rule.children
    )
    if not re.fullmatch(pattern, "".join(f"{one}," for one in names)):
        found.append(f"{at} has {names}, and should have {rule.children}")
    if at.endswith("/InLine/Creatives/Creative"):
        if "UniversalAdId" not in names:
            found.append(f"{at} has no UniversalAdId")
        linear = element.find(f"{NAMESPACE}Linear")
        if linear is not None and (
            linear.find(f"{NAMESPACE}Duration") is None or linear.find(f"{NAMESPACE}MediaFiles") is None
        ):
            found.append(f"{at}/Linear has no Duration or no MediaFiles")
    for one in element:
        found += _faults(one, at)
    return found


def _attribute_faults(element: ElementTree.Element, rule: Rule, at: str) -> list[str]:
    allowed = {name.rstrip("!"): pattern for name, pattern in rule.attributes.items()}
    found = [
        f"{at} has no {name[:-1]}"
        for name in rule.attributes
        if name[-1] == "!" and name[:-1] not in element.attrib
    ]
    for name, value in element.attrib.items():
        if name not in allowed:
            found.append(f"{at} has {name}")
        elif not re.fullmatch(allowed[name], value):
            found.append(f"{at}.{name} is {value!r}")
    return found
