"""Values as XML and as the schema's simple types: nothing a campaign holds can break a document."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import quote

__all__ = ["LONGEST_DAY", "clock", "escaped", "web_address"]

LONGEST_DAY = 86_399_999  # milliseconds: xs:time ends before 24:00:00
KEPT = 32_768  # addresses and texts remembered; the same creatives are served again and again
LONGEST_ADDRESS = 8_192  # characters

# What XML 1.0 cannot carry even as a reference (section 2.2, production Char).
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/?#\[\]@:\\]+)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.IGNORECASE | re.DOTALL,
)
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?")
PATH_MARKS, QUERY_MARKS = "/:@!$&'()*+,;=-._~%", "/?:@!$&'()*+,;=-._~%"


@lru_cache(maxsize=KEPT)
def escaped(text: str) -> str:
    """Text for an element or a quoted attribute. Characters that XML does not have become U+FFFD."""
    text = NOT_XML.sub("\ufffd", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.replace("\t", "&#9;").replace("\n", "&#10;").replace("\r", "&#13;")


@lru_cache(maxsize=KEPT)
def web_address(url: str) -> str:
    """An address of http or https as a URI of RFC 3986, not yet escaped for XML; "" for anything else.

    The square brackets of VAST's macros are no characters of a URI and become %5B and %5D, which players
    replace all the same.
    """
    found = ADDRESS.fullmatch(url.strip()) if len(url) <= LONGEST_ADDRESS else None
    if found is None:
        return ""
    host = _host(found["host"])
    if not host:
        return ""
    if found["port"] and int(found["port"]) > 0xFFFF:
        return ""
    address = f"{found['scheme'].lower()}://{host}"
    address += f":{found['port']}" if found["port"] else ""
    address += _quoted(found["path"] or "", PATH_MARKS)
    address += f"?{_quoted(found['query'], QUERY_MARKS)}" if found["query"] is not None else ""
    return address + (f"#{_quoted(found['fragment'], QUERY_MARKS)}" if found["fragment"] is not None else "")


def clock(seconds: float) -> str:
    """HH:MM:SS, with milliseconds where there are any; as xs:time, so less than a day."""
    millis = min(max(round(seconds * 1000), 0), LONGEST_DAY)
    whole, millis = divmod(millis, 1000)
    told = f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{told}.{millis:03d}" if millis else told


def _host(host: str) -> str:
    """A name in ASCII, or an IPv6 address in its brackets; "" for what is neither."""
    try:
        if host.startswith("["):
            return f"[{IPv6Address(host[1:-1])}]"
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:  # a UnicodeError is one
        return ""
    return name if HOST.fullmatch(name) else ""


def _quoted(part: str, marks: str) -> str:
    return quote(STRAY_PERCENT.sub("%25", part), safe=marks, errors="replace")
