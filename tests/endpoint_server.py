"""A server on 127.0.0.1 that speaks OpenAI's protocol (chat completions, streams, embeddings), with faults.

What a model "says" is a function of the request. What goes wrong is a `Fault` of FAULTS by name: adding one
is adding an entry, and every test that runs over FAULTS meets it.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Request = dict[str, Any]
Say = Callable[[Request], str]
JSON = "application/json"
EVENTS = "text/event-stream"
TRICKLE = 0.02  # seconds between the bytes of a server that trickles
OVERSIZED = 5_000_000  # bytes: more than is read by default
PIECE = 7  # characters in a chunk of a stream: they end in the middle of words and escapes


def usage(request: Request, said: str) -> dict[str, int]:
    prompt, completion = len(json.dumps(request)) // 4, max(1, len(said) // 4)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def completion(
    request: Request, said: str | None, *, finish: str = "stop", refusal: str | None = None, **more: Any
) -> dict[str, Any]:
    """A whole answer as the protocol has it."""
    message = {"role": "assistant", "content": said, "refusal": refusal}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": usage(request, said or ""),
    }
    return body | more


def chunk(request: Request, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": request.get("model", ""),
        "choices": [choice],
    }


def events(request: Request, said: str, *, finish: str = "stop") -> list[dict[str, Any]]:
    """The chunks of a streamed answer: the role, the pieces, the end, the usage where it was asked for."""
    pieces = [said[at : at + PIECE] for at in range(0, len(said), PIECE)]
    found = [chunk(request, {"role": "assistant", "content": ""})]
    found += [chunk(request, {"content": piece}) for piece in pieces]
    found.append(chunk(request, {}, finish))
    if (request.get("stream_options") or {}).get("include_usage"):
        found.append(chunk(request, {}) | {"choices": [], "usage": usage(request, said)})
    return found


def embeddings(request: Request, vectors: list[list[float]]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    used = {"prompt_tokens": len(vectors), "total_tokens": len(vectors)}
    return {"object": "list", "data": data, "model": request.get("model", ""), "usage": used}


def sse(event: Any) -> bytes:
    return f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()


class Exchange:
    """One request and the means to answer it, well or badly."""

    def __init__(self, handler: BaseHTTPRequestHandler, request: Request, say: Say) -> None:
        self._handler = handler
        self.request = request
        self.say = say

    @property
    def streams(self) -> bool:
        return bool(self.request.get("stream"))

    def send(self, body: bytes, status: int = 200, kind: str = JSON, **headers: str) -> None:
        self.head(status, kind, content_length=str(len(body)), **headers)
        self.write(body)

    def head(self, status: int = 200, kind: str = JSON, **headers: str) -> None:
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.send_header("Connection", "close")
        self._handler.end_headers()

    def write(self, piece: bytes) -> None:
        self._handler.wfile.write(piece)
        self._handler.wfile.flush()

    def fail(self, status: int, **headers: str) -> None:
        error = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}
        self.send(json.dumps(error).encode(), status, **headers)

    def answer(self, said: str | None = None, **changes: Any) -> None:
        """A faithful answer in the way it was asked for, but for `changes`."""
        said = self.say(self.request) if said is None else said
        if self.streams:
            finish = changes.get("finish", "stop")
            self.stream([*map(sse, events(self.request, said, finish=finish)), sse("[DONE]")])
        else:
            self.send(json.dumps(completion(self.request, said, **changes)).encode())

    def stream(self, pieces: list[bytes]) -> None:
        self.head(kind=EVENTS)
        for piece in pieces:
            self.write(piece)

    def half_a_stream(self) -> list[bytes]:
        found = [sse(event) for event in events(self.request, self.say(self.request))]
        return found[: len(found) // 2]

    def reset(self) -> None:
        """End the connection as a crashed process does: with a reset."""
        linger = struct.pack("ii", 1, 0)
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._handler.connection.close()


@dataclass(frozen=True)
class Fault:
    """What a server does instead of answering. `times`: how often, before it answers well (None: always).
    `why`: what the note about it says."""

    act: Callable[[Exchange], None]
    why: str
    times: int | None = None
    streamed: bool | None = None  # only in streams, only out of them, or (None) in both


def _stall(exchange: Exchange) -> None:
    time.sleep(20)


def _trickle(exchange: Exchange) -> None:
    exchange.head(content_length="100000")
    for _ in range(1_000):
        exchange.write(b" ")
        time.sleep(TRICKLE)


def _trickle_the_head(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(1_000):
        exchange.write(b"x")
        time.sleep(TRICKLE)


def _reset_midway(exchange: Exchange) -> None:
    body = json.dumps(completion(exchange.request, exchange.say(exchange.request))).encode()
    exchange.head(content_length=str(len(body)))
    exchange.write(body[: len(body) // 2])
    exchange.reset()


def _oversized(exchange: Exchange) -> None:
    exchange.send(b'{"choices": "' + b"a" * OVERSIZED + b'"}')


def _oversized_error(exchange: Exchange) -> None:
    exchange.send(b"a" * OVERSIZED, 400)


def _endless_event(exchange: Exchange) -> None:
    exchange.head(kind=EVENTS)
    exchange.write(b"data: ")
    for _ in range(OVERSIZED // 10_000):
        exchange.write(b"a" * 10_000)


def _packed(exchange: Exchange) -> None:
    exchange.send(gzip.compress(b" " * OVERSIZED), content_encoding="gzip")


def _dying_stream(exchange: Exchange) -> None:
    exchange.stream(exchange.half_a_stream())
    exchange.reset()


def _ending_stream(exchange: Exchange) -> None:
    exchange.stream(exchange.half_a_stream())


def _done_too_early(exchange: Exchange) -> None:
    exchange.stream([*exchange.half_a_stream(), sse("[DONE]")])


def _stalling_stream(exchange: Exchange) -> None:
    exchange.stream(exchange.half_a_stream())
    time.sleep(20)


def _error_event(exchange: Exchange) -> None:
    exchange.stream([*exchange.half_a_stream(), sse({"error": {"message": "overloaded", "code": 500}})])


def _broken_event(exchange: Exchange) -> None:
    exchange.stream([*exchange.half_a_stream(), sse('{"choices": [{"delta":')])


def _list_event(exchange: Exchange) -> None:
    exchange.stream([*exchange.half_a_stream(), sse("[1, 2]")])


def _status(code: int, **headers: str) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.fail(code, **headers)


def _body(body: bytes, kind: str = JSON) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.send(body, kind=kind)


def _says(said: str, **changes: Any) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.answer(said, **changes)


def _tomorrow(exchange: Exchange) -> None:
    exchange.fail(429, retry_after=formatdate(time.time() + 86_400, usegmt=True))


HTML = b"<!doctype html><title>Sign in</title><script>alert(1)</script>"
DEEP = "[" * 100_000

FAULTS: dict[str, Fault] = {
    # It is late or gone.
    "stalls": Fault(_stall, "did not answer in time"),
    "trickles its body": Fault(_trickle, "did not answer in time", streamed=False),
    "trickles its head": Fault(_trickle_the_head, "did not answer in time"),
    "resets at once": Fault(Exchange.reset, "broke off the connection"),
    "resets midway": Fault(_reset_midway, "broke off the connection", streamed=False),
    # It fails by its status.
    "408": Fault(_status(408), "failed (HTTP 408)"),
    "409": Fault(_status(409), "failed (HTTP 409)"),
    "429": Fault(_status(429), "is busy, or its quota is used up (HTTP 429)"),
    "429 until tomorrow": Fault(_tomorrow, "is busy, or its quota is used up (HTTP 429)"),
    "429 for an hour": Fault(_status(429, retry_after="3600"), "is busy, or its quota is used up (HTTP 429)"),
    "429 for ever": Fault(_status(429, retry_after="inf"), "is busy, or its quota is used up (HTTP 429)"),
    "429 for nonsense": Fault(
        _status(429, retry_after="soon"), "is busy, or its quota is used up (HTTP 429)"
    ),
    "500": Fault(_status(500), "failed (HTTP 500)"),
    "503": Fault(_status(503, retry_after="0"), "failed (HTTP 503)"),
    "400": Fault(_status(400), "failed (HTTP 400)"),
    "401": Fault(_status(401), "does not take the key (HTTP 401)"),
    "404": Fault(_status(404), "does not know the model or the address (HTTP 404)"),
    "302": Fault(
        _status(302, location="http://127.0.0.1:1/v1"), "points elsewhere, which is not followed (HTTP 302)"
    ),
    "307": Fault(_status(307, location="/v1/other"), "points elsewhere, which is not followed (HTTP 307)"),
    # Its body is not the protocol's.
    "oversized": Fault(_oversized, "sent more than is read of an answer", streamed=False),
    "oversized error": Fault(_oversized_error, "sent more than is read of an answer"),
    "packed": Fault(_packed, "sent a packed answer, which was not asked for"),
    "HTML": Fault(
        _body(HTML, "text/html; charset=utf-8"), "sent another kind of content than the protocol's"
    ),
    "HTML called JSON": Fault(_body(HTML), "sent broken JSON as a completion", streamed=False),
    "no type": Fault(_body(b"{}", ""), "sent another kind of content than the protocol's"),
    "empty body": Fault(_body(b""), "sent broken JSON as a completion", streamed=False),
    "half of JSON": Fault(_body(b'{"choices": [{"mess'), "sent broken JSON as a completion", streamed=False),
    "not UTF-8": Fault(_body(b'{"choices": "\xff\xfe"}'), "sent broken JSON as a completion", streamed=False),
    "deep JSON": Fault(_body(DEEP.encode()), "sent broken JSON as a completion", streamed=False),
    "a number": Fault(_body(b"17"), "sent a completion in the wrong form", streamed=False),
    "no choices": Fault(_body(b'{"choices": []}'), "sent a completion in the wrong form", streamed=False),
    "null choices": Fault(_body(b'{"choices": null}'), "sent a completion in the wrong form", streamed=False),
    # Its answer is not one.
    "refuses": Fault(_says("", refusal="I cannot help with that."), "refused", streamed=False),
    "filters": Fault(_says("", finish="content_filter"), "refused"),
    "truncates": Fault(_says('{"text": "a fil', finish="length"), "was cut off before its answer was whole"),
    "says nothing": Fault(_says(""), "sent an empty answer", streamed=False),
    "says blanks": Fault(_says("  \n\t "), "sent an empty answer", streamed=False),
    "chats": Fault(_says("I would be happy to help!"), "sent broken JSON as its answer"),
    "fences": Fault(_says("```json\n{}\n```"), "sent broken JSON as its answer"),
    "nests deeply": Fault(_says(DEEP), "sent broken JSON as its answer"),
    "says NaN": Fault(_says('{"years": NaN}'), "sent broken JSON as its answer"),
    "says another form": Fault(_says('{"films": ["Titanic 9"]}'), "sent its answer in the wrong form"),
    "says a list": Fault(_says('["Titanic 9"]'), "sent its answer in the wrong form"),
    # Its stream breaks.
    "a stream dies": Fault(_dying_stream, "broke off the connection", streamed=True),
    "a stream ends": Fault(_ending_stream, "broke off its answer", streamed=True),
    "a stream is done too early": Fault(_done_too_early, "broke off its answer", streamed=True),
    "a stream stalls": Fault(_stalling_stream, "did not answer in time", streamed=True),
    "a stream tells of an error": Fault(_error_event, "reported an error within its answer", streamed=True),
    "a stream's event is broken": Fault(_broken_event, "sent what the protocol does not know", streamed=True),
    "a stream's event is a list": Fault(_list_event, "sent what the protocol does not know", streamed=True),
    "a stream's event never ends": Fault(
        _endless_event, "sent more than is read of an answer", streamed=True
    ),
}


@dataclass
class FakeEndpoint:
    """The server's state: what it says, what goes wrong, what it was asked and with which headers."""

    url: str = ""
    say: Say = lambda request: "{}"
    embed: Callable[[str], list[float]] = lambda text: [1.0, 0.0]
    fault: Fault | None = None
    asked: list[Request] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "FALSEWORK_LLM_BASE_URL": self.url,
            "FALSEWORK_LLM_MODEL": "a-model",
            "FALSEWORK_LLM_API_KEY": "sk-a-secret-key",
        } | more

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        request = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        self.asked.append(request)
        self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        exchange = Exchange(handler, request, self.say)
        fault = self.fault
        if fault is not None and (fault.times is None or len(self.asked) <= fault.times):
            fault.act(exchange)
        elif handler.path.endswith("/embeddings"):
            vectors = [self.embed(text) for text in request["input"]]
            exchange.send(json.dumps(embeddings(request, vectors)).encode())
        else:
            exchange.answer()


@contextmanager
def fake_endpoint() -> Iterator[FakeEndpoint]:
    """A server of its own, gone with the block."""
    state = FakeEndpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            with suppress(OSError):  # whoever asked may have gone
                state.handle(self)
            self.close_connection = True

        def log_message(self, *_: Any) -> None: ...

        def finish(self) -> None:
            with suppress(OSError, ValueError):  # reset on purpose
                super().finish()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
