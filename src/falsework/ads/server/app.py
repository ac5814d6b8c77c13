"""The server's addresses as an ASGI application, and what it takes from whom.

POST /openrtb2          OpenRTB 2.6 in and out (?trace=1)
GET  /vast, /pause      a break, or a still for a pause, as VAST 4.2
GET  /vmap              the breaks of a programme as VMAP
GET  /assets            a break as the list of assets of an HLS interstitial
GET  /beacon/<kind>     something happened to an advertisement
GET  /trace/<decision>  why
GET  /slate/<file>      what is shown where there is nothing else
GET  /health
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from falsework.ads.openrtb.validation import LONGEST_BODY
from falsework.ads.opportunity import Placement
from falsework.ads.server.deadline import Deadline
from falsework.ads.server.forms import AS_ASSETS
from falsework.ads.server.queries import LONGEST_QUERY, parameters
from falsework.ads.server.service import Answer, Service, refusal
from falsework.ads.server.slate import slate_file
from falsework.errors import FalseworkError

__all__ = ["Application", "Receive", "Scope", "Send", "application"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_SECONDS = 1.0  # for a body to come in
MOST_HEADERS, LONGEST_HEADERS = 100, 32_768  # how many, and bytes of them together
ALLOWED = (
    (b"access-control-allow-origin", b"*"),
    (b"cache-control", b"no-store"),
)


class _RefusedError(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def application(service: Service) -> Application:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await _answered(service, scope, receive)
        except _RefusedError as refused:
            answer = refused.answer
        except Exception as error:
            service.fault(error)
            answer = Answer(503)
        headers = [(b"content-type", answer.kind), (b"content-length", b"%d" % len(answer.body))]
        headers += ALLOWED
        headers += answer.headers
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    return app


async def _answered(service: Service, scope: Scope, receive: Receive) -> Answer:
    path, method = scope["path"], scope["method"]
    deadline = Deadline()
    if path == "/openrtb2":
        if method != "POST":
            return _wrong_method(b"POST")
        _check_headers(scope)
        body = await _body(scope, receive)
        return await service.openrtb(body, Deadline(), trace=b"trace=1" in scope["query_string"].split(b"&"))
    if method not in ("GET", "HEAD"):
        return _wrong_method(b"GET, HEAD")
    query = scope["query_string"]
    if path == "/vast":
        return await service.player(query, deadline)
    if path == "/vmap":
        return service.vmap(query)
    if path == "/pause":
        return await service.player(query, deadline, Placement.PAUSE)
    if path == "/assets":
        return await service.player(query, deadline, form=AS_ASSETS)
    first, _, rest = path[1:].partition("/")
    if first == "beacon":
        try:
            return await service.beacon(rest, parameters(query[: LONGEST_QUERY + 1]))
        except FalseworkError as error:
            return refusal(400, error)
    if first == "trace":
        return service.trace(rest)
    if first == "slate":
        return await slate_file(rest)
    if path == "/health":
        return service.health()
    return refusal(404, FalseworkError("is no address of this server", where="path"))


def _check_headers(scope: Scope) -> None:
    headers = scope["headers"]
    if (
        len(headers) > MOST_HEADERS
        or sum(len(name) + len(value) for name, value in headers) > LONGEST_HEADERS
    ):
        raise _RefusedError(refusal(431, FalseworkError("are too many or too long", where="headers")))


async def _body(scope: Scope, receive: Receive) -> bytes:
    """Read as it comes, and no further than is allowed."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or len(value) > 9 or int(value) > LONGEST_BODY):
            raise _RefusedError(_too_long())
        if name == b"content-encoding" and value.lower() != b"identity":
            # What a few bytes unpack to is anybody's guess.
            raise _RefusedError(
                refusal(415, FalseworkError("is packed, and is read plain only", where="request"))
            )
    try:
        async with asyncio.timeout(BODY_SECONDS):
            message = await receive()
            if not message.get("more_body"):
                body = bytes(message.get("body", b""))
                if len(body) > LONGEST_BODY:
                    raise _RefusedError(_too_long())
                return body
            parts, length = [], 0
            while True:
                if message["type"] == "http.disconnect":
                    raise _RefusedError(Answer(400))
                part = message.get("body", b"")
                length += len(part)
                if length > LONGEST_BODY:
                    raise _RefusedError(_too_long())
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
                message = await receive()
    except TimeoutError:
        late = FalseworkError(f"did not come in within {BODY_SECONDS:g} s", where="request")
        raise _RefusedError(refusal(408, late)) from None


def _too_long() -> Answer:
    return refusal(413, FalseworkError(f"is longer than {LONGEST_BODY} bytes", where="request"))


def _wrong_method(allowed: bytes) -> Answer:
    answer = refusal(405, FalseworkError(f"needs {allowed.decode()}", where="method"))
    return Answer(answer.status, answer.body, answer.kind, ((b"allow", allowed),))
