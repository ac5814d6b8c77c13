"""One document from one address over HTTP/1.1, with nothing of ours or of the viewer's in the request.

No redirects, no compression (what a few bytes unpack to is anybody's guess), no more bytes than are read of a
VAST document, and the connection goes to the very address that was found to be public.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from functools import cache
from urllib.parse import urlsplit

from falsework.ads.vast.addresses import Target
from falsework.ads.vast.markup import LARGEST
from falsework.ads.vast.wrapper import Fetched
from falsework.errors import FalseworkError

__all__ = ["fetch"]

LONGEST_HEAD = 16 * 1024  # bytes
LONGEST_LINE = 1_024  # of a chunk's head
ENDS = b"\r\n"


async def fetch(target: Target, seconds: float) -> Fetched:
    """Raises `FalseworkError` for what is no answer or a longer one, `TimeoutError`, `OSError`."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(
            target.address,
            target.port,
            ssl=_trusted() if target.scheme == "https" else None,
            server_hostname=target.host if target.scheme == "https" else None,
            limit=LONGEST_HEAD,
        )
        try:
            writer.write(_request(target))
            return await _answer(reader, target)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise _refused("answered with what is no HTTP", target) from error
        finally:
            writer.close()
            with suppress(OSError):
                writer.transport.abort()


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _request(target: Target) -> bytes:
    parts = urlsplit(target.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = f"[{target.host}]" if ":" in target.host else target.host
    port = "" if parts.port is None else f":{parts.port}"
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}{port}",
        "User-Agent: falsework",
        "Accept: application/xml, text/xml",
        "Accept-Encoding: identity",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode("ascii")


async def _answer(reader: asyncio.StreamReader, target: Target) -> Fetched:
    head = await reader.readuntil(ENDS + ENDS)
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise _refused("answered with what is no HTTP", target)
    status = int(rest[:3])
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
    }
    if status != 200:
        return Fetched(status=status, location=headers.get("location", ""))
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise _refused("answered with a packed document", target)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Fetched(status=status, body=await _chunks(reader, target))
    if "content-length" in headers:
        length = int(headers["content-length"])
        if not 0 <= length <= LARGEST:
            raise _too_long(target)
        return Fetched(status=status, body=await reader.readexactly(length))
    parts: list[bytes] = []
    while part := await reader.read(LONGEST_HEAD):
        parts.append(part)
        if sum(map(len, parts)) > LARGEST:
            raise _too_long(target)
    return Fetched(status=status, body=b"".join(parts))


async def _chunks(reader: asyncio.StreamReader, target: Target) -> bytes:
    body = bytearray()
    while True:
        line = await reader.readuntil(ENDS)
        length = int(line[:LONGEST_LINE].partition(b";")[0], 16)
        if not 0 <= length <= LARGEST - len(body):
            raise _too_long(target)
        if not length:
            return bytes(body)
        body += await reader.readexactly(length)
        if await reader.readexactly(2) != ENDS:
            raise ValueError("a chunk has another length than it says")


def _too_long(target: Target) -> FalseworkError:
    return _refused(f"answered with more than {LARGEST:,} bytes", target)


def _refused(what: str, target: Target) -> FalseworkError:
    return FalseworkError(
        f"{target.url[:200]} {what}", where="VAST wrapper", todo="Leave this partner's answer out."
    )
