"""Beacons: addresses a player calls when something happens to an advertisement. Signed, so that nobody makes
them up.

A beacon carries what is needed to count it, and nothing of the person: the stream's name, which
advertisement, of which line item, for how much. Each kind of event has a signature of its own over all of it,
a part of what SHAKE256 makes of a key and the beacon: one hash for an advertisement's twenty beacons (and no
HMAC, which a sponge does not need; NIST SP 800-185). The same beacon called twice is the same event; one
called after its time is not counted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Mapping
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
SIGNATURE = 15  # bytes of a signature; as many as are twenty characters
HASH = 16  # bytes of a viewer's name
LONGEST = 2_048  # characters of a beacon's text
LEAST_KEY = 32  # bytes
WEB = bytes.maketrans(b"+/", b"-_")  # base64url
BLOCK = 136  # bytes that SHAKE256 takes in at a time
EACH = struct.Struct(f"{4 * SIGNATURE // 3}s" * len(KINDS))
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
        self.base = base
        self._secrets = [_secret(key, b"beacon") for key in keys]
        self._naming = _secret(keys[0], b"viewer")
        self._encoder, self._decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Beacon)

    def packed(self, beacon: Beacon) -> str:
        """The part all kinds of event of one advertisement share."""
        return _text(self._encoder.encode(beacon)).decode()

    def signatures(self, packed: str) -> Mapping[str, bytes]:
        """By the kind of event, as text."""
        return _signatures(self._secrets[0], packed)

    def url(self, packed: str, kind: str) -> str:
        return f"{self.base}/{kind}?b={packed}&s={self.signatures(packed)[kind].decode()}"

    def hashed(self, identifier: str) -> str:
        """An identifier as a viewer's name: it cannot be had back without the key."""
        made = hashlib.shake_256(self._naming + identifier.encode())
        return _text(made.digest(HASH)).decode()

    def read(self, kind: str, packed: str, signature: str, now: float) -> Beacon:
        """Raises `FalseworkError` for what was not signed here, or is past its time."""
        if kind not in KINDS or len(packed) > LONGEST or len(signature) > LONGEST:
            raise FalseworkError("is no beacon of ours", where="beacon", todo=AS_GIVEN)
        given = signature.encode()
        expected = [_signatures(secret, packed)[kind] for secret in self._secrets]
        if not any([hmac.compare_digest(one, given) for one in expected]):
            raise FalseworkError("was not signed here", where="beacon", todo=AS_GIVEN)
        beacon = self._decoder.decode(_bytes(packed))
        if not beacon.issued - 60 <= now <= beacon.issued + GOOD_FOR:
            raise FalseworkError("is past its time", where="beacon", todo="Events count for six hours.")
        return beacon


def _secret(key: bytes, purpose: bytes) -> bytes:
    """A block of SHAKE256, so that nothing after it is ever taken for a part of it."""
    return hashlib.sha256(purpose + b"\0" + key).digest().ljust(BLOCK, b"\0")


def _signatures(secret: bytes, packed: str) -> dict[str, bytes]:
    made = hashlib.shake_256(secret + packed.encode()).digest(SIGNATURE * len(KINDS))
    return dict(zip(KINDS, EACH.unpack(_text(made)), strict=True))


def _text(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False).translate(WEB, b"=")


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise FalseworkError("is no base64url text", where="beacon", todo=AS_GIVEN) from error
