"""Why an advertisement was not shown. Filters run in this order, and the first one that refuses is the
reason."""

from __future__ import annotations

import enum

__all__ = ["Reason"]


class Reason(enum.Enum):
    """In words for whoever books campaigns."""

    NOT_RUNNING = "its campaign has not begun, or is over"
    COUNTRY = "its campaign is for other countries or regions"
    DEVICE = "it is for other kinds of device"
    PLACEMENT = "it is for other placements, or a film where a still goes, or the other way round"
    LANGUAGE = "it is for another language"
    GENRE = "its campaign chose other genres, or none of this title's"
    ATTRIBUTE = "the request blocks a creative attribute that it has (battr)"
    MEDIA = "none of its files is of a type that the player takes (mimes)"
    BITRATE = "none of its files says a bit rate that the player asked for (minbitrate, maxbitrate)"
    SIZE = "its picture is larger than the player (w, h)"
    API = "it is a script, and the player lists no interface for one (api)"
    PROTOCOL = "the player takes no version of VAST that it can be sent in (protocols)"
    SECURE = "it loads something over plain http, and the request asks for https (secure)"
    DURATION = "its length fits no slot (minduration, maxduration, rqddurs, what is left of the break)"
    CONSENT = "it sends data to others, or sends the player to them, and the viewer has not agreed to that"
    KIDS = "a child watches, and it is not on the list for children or leads to a third party"
    SUITABILITY = "its product does not suit the scene"
    CATEGORY = "the request blocks its product category, or allows others only (bcat, acat)"
    ADVERTISER = "the request blocks its advertiser's domain (badv)"
    APP = "the request blocks the application it advertises (bapp)"
    SEAT = "the request does not deal with its advertiser (wseat, bseat)"
    FLOOR = "its price is below what the slot asks (bidfloor, mincpmpersec, durfloors)"
    CAP = "the viewer, or this stream, has been shown it as often as its caps allow"
    BUDGET = "its budget is spent, or all of it is leased"
    PACING = "it has spent more by now than its plan says, and waits"
    SEPARATION = "it may not stand in one break with another that is shown (advertiser, category, competitor)"
    OUTBID = "others are worth more in this break, and filled it"
