"""Which addresses outside may be asked at all: those of the public internet, looked up once and then kept to.

A name is resolved, every address it has is looked at, and the connection goes to the address that was looked
at: a second look-up might give another one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import msgspec

from falsework.ads.vast.text import web_address
from falsework.errors import FalseworkError

__all__ = ["Resolve", "Target", "is_public", "resolve", "target"]

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

PORTS = {"http": 80, "https": 443}
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
# Clouds' own services at addresses that count as public, here or by some version of Python's tables.
SERVICES = tuple(map(ipaddress.IPv4Network, ("168.63.129.16/32", "192.0.0.0/24")))


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes: connect to `address` and `port`, and ask for `url` of `host`."""

    url: str
    scheme: str
    host: str
    port: int
    address: str


def is_public(text: str) -> bool:
    """Neither private, loopback, link-local, shared, multicast nor reserved, in any clothes: IPv4 within
    IPv6 is judged as IPv4."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = _within(address)
        if inner is not None:
            address = inner
        elif address in LOCAL_NAT64 or address.is_site_local:
            return False
    if address.is_multicast or address.is_reserved or any(address in one for one in SERVICES):
        return False
    return address.is_global


def _within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in NAT64 or int(address) >> 32 == 0:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(str(one[4][0]) for one in found)


async def target(
    url: str, *, resolve: Resolve = resolve, permitted: Callable[[str], bool] = is_public
) -> Target:
    """Raises `FalseworkError` for what is no http or https, and for a name that has even one address which is
    not permitted."""
    address = web_address(url)
    parts = urlsplit(address)
    host = parts.hostname or ""
    if not address or not host:
        raise _refused("is no address of http or https", url)
    port = parts.port or PORTS[parts.scheme]
    try:
        found = await resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise _refused(f'has a host, "{host}", that cannot be found', url) from error
    if not found:
        raise _refused(f'has a host, "{host}", that cannot be found', url)
    for one in found:
        if not permitted(one):
            raise _refused(f'has a host, "{host}", at {one}, which is not on the public internet', url)
    return Target(url=address, scheme=parts.scheme, host=host, port=port, address=found[0])


def _refused(what: str, url: str) -> FalseworkError:
    return FalseworkError(
        f"{url[:200]} {what}", where="VAST wrapper", todo="Leave this partner's answer out."
    )
