"""Beacons: addresses a player calls when something happens to an advertisement. Signed, so that nobody makes
them up.

A beacon carries what is needed to count it, and nothing of the person: the stream's name, which
advertisement, of which line item, for how much. An HMAC-SHA256 over all of it guards it, each kind of event
with a signature of its own. The same beacon called twice is the same event; one called after its time is not
counted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import Final

import msgspec

from falsework.ads.state.protocol import Event
from falsework.errors import FalseworkError

__all__ = ["KINDS", "Beacon", "Signer"]

# VAST's names for what happens to an advertisement, as far as it is counted here; the three of its
# ViewableImpression begin small, as events do.
KINDS: Final = (
    "impression",
    "start",
    "firstQuartile",
    "midpoint",
    "thirdQuartile",
    "complete",
    "click",
    "mute",
    "unmute",
    "pause",
    "resume",
    "skip",
    "closeLinear",
    "creativeView",
    "acceptInvitation",
    "overlayViewDuration",
    "viewable",
    "notViewable",
    "viewUndetermined",
    "error",
    "win",  # of an auction, by the exchange's word
    "loss",
)
GOOD_FOR = 6 * 3600.0  # seconds after the decision
SIGNATURE = 16  # bytes of a signature
LONGEST = 2_048  # characters of a beacon's text
LEAST_KEY = 32  # bytes
BASE = re.compile(r"https?://[^\s<>\"'&?#]+")  # so that an address needs no more escaping than its "&"
AS_GIVEN = "Call the address as it was given."


class Beacon(msgspec.Struct, frozen=True, array_like=True):
    """What a beacon says. `issued` seconds since 1970; `cost` micros; `viewer` a keyed hash, "" where a
    person may not be counted."""

    stream: str
    served: str
    line_item: str
    issued: int
    cost: int = 0
    viewer: str = ""
    counters: tuple[str, ...] = ()

    def event(self, kind: str, at: float) -> Event:
        """The event that a call of it is. Only an impression costs."""
        return Event(
            stream=self.stream,
            served=self.served,
            kind=kind,
            line_item=self.line_item,
            at=at,
            cost=self.cost if kind == "impression" else 0,
            viewer=self.viewer,
            counters=self.counters,
        )


class Signer:
    """Signs beacons with `keys`, the first of them; reads what any of them signed, so that keys can be
    changed."""

    def __init__(self, keys: tuple[bytes, ...], base: str) -> None:
        """`base` is the address of the server's `/beacon`. Raises `FalseworkError` for a key that is too
        short, or a base that is no address of http or https."""
        if not keys or any(len(key) < LEAST_KEY for key in keys):
            raise FalseworkError(
                f"a key for beacons needs {LEAST_KEY} bytes",
                where="ads",
                todo="Make one with a random generator.",
            )
        if not BASE.fullmatch(base):
            raise FalseworkError(
                f'"{base}" is no address that beacons can be called at',
                where="ads",
                todo="Give one of http or https, without a query.",
            )
        self._keys, self._base = keys, base
        self._secret = ("", b"")  # of the advertisement signed last: there are twenty beacons of each
        self._encoder, self._decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Beacon)

    def packed(self, beacon: Beacon) -> str:
        """The part all kinds of event of one advertisement share."""
        return _text(self._encoder.encode(beacon))

    def url(self, packed: str, kind: str) -> str:
        if self._secret[0] is not packed:
            self._secret = (packed, _secret(self._keys[0], packed))
        return f"{self._base}/{kind}?b={packed}&s={_signature(self._secret[1], kind)}"

    def hashed(self, identifier: str) -> str:
        """An identifier as a viewer's name: it cannot be had back without the key."""
        digest = hmac.digest(self._keys[0], b"viewer\0" + identifier.encode(), hashlib.sha256)
        return _text(digest[:SIGNATURE])

    def read(self, kind: str, packed: str, signature: str, now: float) -> Beacon:
        """Raises `FalseworkError` for what was not signed here, or is past its time."""
        if kind not in KINDS or len(packed) > LONGEST or len(signature) > LONGEST:
            raise FalseworkError("is no beacon of ours", where="beacon", todo=AS_GIVEN)
        given = signature.encode()
        expected = [_signature(_secret(key, packed), kind).encode() for key in self._keys]
        if not any([hmac.compare_digest(one, given) for one in expected]):
            raise FalseworkError("was not signed here", where="beacon", todo=AS_GIVEN)
        beacon = self._decoder.decode(_bytes(packed))
        if not beacon.issued - 60 <= now <= beacon.issued + GOOD_FOR:
            raise FalseworkError("is past its time", where="beacon", todo="Events count for six hours.")
        return beacon


def _secret(key: bytes, packed: str) -> bytes:
    """What all signatures of one advertisement are made from: its HMAC, which nobody is shown."""
    return hmac.digest(key, packed.encode(), hashlib.sha256)


def _signature(secret: bytes, kind: str) -> str:
    """Of one kind of event: hexadecimal digits."""
    return hashlib.sha256(secret + kind.encode()).hexdigest()[: 2 * SIGNATURE]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise FalseworkError("is no base64url text", where="beacon", todo=AS_GIVEN) from error
