"""Why an advertisement was not shown. Filters run in this order, and the first one that refuses is the
reason."""

from __future__ import annotations

import enum

__all__ = ["Reason"]


class Reason(enum.Enum):
    NOT_RUNNING = "its campaign does not run now"
    COUNTRY = "its campaign is for other countries or regions"
    DEVICE = "it is for other devices"
    PLACEMENT = "it is for other placements"
    LANGUAGE = "it is for another language"
    GENRE = "its campaign chose other titles"
    MEDIA = "its files or its form do not fit the slot"
    DURATION = "its length fits no slot"
    CONSENT = "what it loads needs a consent that was not given"
    KIDS = "it is not on the list for children"
    SUITABILITY = "its product does not suit the scene"
    BLOCKED = "the request blocks its category or advertiser"
    FLOOR = "its price is below the floor"
    CAP = "the viewer or the stream has seen it as often as it may be shown"
    BUDGET = "its budget is spent or leased"
    PACING = "its spend is ahead of its plan"
    SEPARATION = "it may not stand beside another one in the break"
    OUTBID = "others suit the break better"
