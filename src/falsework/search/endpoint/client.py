"""One request to an OpenAI-compatible endpoint: bounded in time, size, attempts and cost."""

from __future__ import annotations

import asyncio
import importlib
import random
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from falsework.search.endpoint.breaker import Breaker
from falsework.search.endpoint.errors import EndpointError
from falsework.search.endpoint.settings import EndpointSettings
from falsework.search.endpoint.spending import Estimate, Spending, tokens_in
from falsework.search.endpoint.wire import (
    Chunk,
    Completion,
    Embeddings,
    answer_of,
    check_finish,
    parsed,
    usage_of,
)

__all__ = ["Client", "Prompt", "outcome_of"]

FIRST_WAIT = 0.25  # seconds before the first retry; the second waits twice as long
GRACE = 1.0  # seconds over the deadline in which the loop must have noticed it
RETRIED = (408, 409, 429)
LATE = "did not answer in time"
T = TypeVar("T")


@dataclass(frozen=True)
class Prompt:
    """What a model is asked: instructions, the material as JSON text, the answer's schema in the strict
    dialect, and the most tokens it may answer with."""

    name: str
    instructions: str
    material: str
    schema: dict[str, Any]
    most_tokens: int

    def body(self, settings: EndpointSettings) -> dict[str, Any]:
        """The request's fields as the protocol names them."""
        body: dict[str, Any] = {
            "model": settings.model,
            "messages": [
                {"role": "system", "content": self.instructions},
                {"role": "user", "content": self.material},
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": self.name, "strict": True, "schema": self.schema},
            },
            settings.token_limit: self.most_tokens,
        }
        if settings.temperature != "model":
            body["temperature"] = settings.temperature
        return body

    def estimate(self) -> Estimate:
        text = "".join((self.instructions, self.material, str(self.schema)))
        return Estimate(tokens_in(text), self.most_tokens)


class Client:
    """Requests run on a loop in a thread of their own, so that whoever asks can work meanwhile, and so that a
    deadline cuts a connection wherever it stands: the client's own time-outs start again with every byte."""

    def __init__(self, settings: EndpointSettings, spending: Spending, breaker: Breaker) -> None:
        self._settings = settings
        self._spending = spending
        self._breaker = breaker
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._making = threading.Lock()
        self._openai: Any = None

    def prepare(self) -> Any:
        """openai's client, made the first time. Its import takes a second that no deadline is to pay for:
        whoever sets one calls this before. An EndpointError where the environment's proxy is none."""
        with self._making:
            if self._openai is None:
                self._openai = _openai_client(self._settings)
            return self._openai

    def answer(self, prompt: Prompt, deadline: float) -> Future[str]:
        """The answer's text, at the latest at `deadline` (of time.monotonic); the future's exception is an
        EndpointError. Whoever finds the text of use tells the breaker."""

        async def once(openai: Any) -> tuple[str, Any]:
            create = openai.chat.completions.with_streaming_response.create
            async with create(**prompt.body(self._settings)) as raw:
                _check_type(raw, "application/json")
                completion = parsed(await raw.read(), Completion, "a completion")
            return answer_of(completion), completion.usage

        return self._start(self._asked(once, prompt.estimate(), deadline, final=False))

    def stream(self, prompt: Prompt, deadline: float) -> Iterator[str]:
        """The answer's text piece by piece; an EndpointError where it does not come to its end."""
        pieces: SimpleQueue[str | None] = SimpleQueue()

        async def once(openai: Any) -> tuple[None, Any]:
            body = prompt.body(self._settings) | {"stream": True, "stream_options": {"include_usage": True}}
            async with openai.chat.completions.with_streaming_response.create(**body) as raw:
                _check_type(raw, "text/event-stream")
                return None, await _drain(await raw.parse(), pieces.put)

        async def whole() -> None:
            try:
                # Pieces that were handed on cannot be taken back: a stream that dies is not begun again.
                await self._asked(once, prompt.estimate(), deadline, retries=0)
            finally:
                pieces.put(None)

        running = self._start(whole())
        try:
            while (piece := _taken(pieces, deadline)) is not None:
                yield piece
            outcome_of(running, deadline)
        finally:
            running.cancel()

    def embed(self, texts: Sequence[str], deadline: float) -> Future[list[list[float]]]:
        """A vector for each text, in their order."""
        settings = self._settings
        body: dict[str, Any] = {"model": settings.embedding_model, "input": list(texts)}
        body["encoding_format"] = "float"  # the client's own choice is base64, which not every server knows
        if settings.embedding_dimensions is not None:
            body["dimensions"] = settings.embedding_dimensions

        async def once(openai: Any) -> tuple[list[list[float]], Any]:
            async with openai.embeddings.with_streaming_response.create(**body) as raw:
                _check_type(raw, "application/json")
                answer = parsed(await raw.read(), Embeddings, "embeddings")
            if sorted(each.index for each in answer.data) != list(range(len(texts))):
                raise EndpointError("sent other embeddings than were asked for")
            ordered = sorted(answer.data, key=lambda each: each.index)
            return [each.embedding for each in ordered], answer.usage

        estimate = Estimate(sum(map(tokens_in, texts)), embedding=True)
        return self._start(self._asked(once, estimate, deadline))

    def close(self) -> None:
        """Cut what is under way and end the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)

    def _start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="endpoint", daemon=True).start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _asked(
        self,
        once: Callable[[Any], Awaitable[tuple[T, Any]]],
        estimate: Estimate,
        deadline: float,
        *,
        retries: int | None = None,
        final: bool = True,
    ) -> T:
        """The outcome of `once`, tried again where that may help and there is time. `final`: nothing is left
        to be checked about it."""
        self._breaker.check()
        retries = self._settings.patience.retries if retries is None else retries
        try:
            for attempt in range(retries + 1):
                try:
                    outcome = await self._attempt(once, estimate, deadline)
                    if final:
                        self._breaker.answered()
                    return outcome
                except EndpointError as fault:
                    wait = fault.after if fault.after is not None else _backoff(attempt)
                    if not fault.again or attempt == retries or time.monotonic() + wait >= deadline:
                        raise
                    await asyncio.sleep(wait)
            raise AssertionError("the last attempt returns or raises")
        except EndpointError as fault:
            if fault.trips:
                self._breaker.failed()
            raise

    async def _attempt(
        self, once: Callable[[Any], Awaitable[tuple[T, Any]]], estimate: Estimate, deadline: float
    ) -> T:
        openai = self.prepare()
        if time.monotonic() >= deadline:  # what came before has taken all the time
            raise EndpointError(LATE, charge="nothing", trips=False)
        reserved = await asyncio.to_thread(self._spending.reserve, estimate)
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                outcome, usage = await once(openai)
        except Exception as error:  # a network has endless ways to fail, and none of them may stop the work
            fault = _as_fault(error)
            if fault.charge == "nothing":
                await asyncio.to_thread(reserved.release)
            else:
                await asyncio.to_thread(reserved.settle, usage_of(fault.usage))
            raise fault from None  # the chain's texts are the server's
        await asyncio.to_thread(reserved.settle, usage_of(usage))
        return outcome


def _openai_client(settings: EndpointSettings) -> Any:
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

    patience = settings.patience
    timeout = Timeout(patience.total, connect=min(patience.connect, patience.total))
    try:
        http = DefaultAsyncHttpxClient(
            timeout=timeout,
            follow_redirects=False,  # a wish goes to the host that was configured, and to no other
            event_hooks={"response": [_bound_to(patience.bytes)]},
        )
    except Exception:  # HTTP_PROXY and its kin may say anything; its words may hold a password
        raise EndpointError(
            "is behind a proxy that cannot be used (HTTP_PROXY and the like)", charge="nothing"
        ) from None
    client = AsyncOpenAI(
        base_url=settings.base_url,
        api_key=settings.api_key.get_secret_value() or "none",
        timeout=timeout,
        max_retries=0,  # its own retries know no deadline
        # A few bytes can be packed that unpack into gigabytes.
        default_headers={"Accept-Encoding": "identity"},
        http_client=http,
    )
    # They come from variables that were set for another service.
    client.organization = client.project = None
    return client


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """The thread's work: until the loop is stopped, and then the tidying up of what was under way."""
    try:
        loop.run_forever()
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def outcome_of(running: Future[T], deadline: float) -> T:
    """What a request led to; an EndpointError where it failed, at the latest shortly after the deadline."""
    try:
        return running.result(max(0.0, deadline - time.monotonic()) + GRACE)
    except EndpointError:
        raise
    except (TimeoutError, CancelledError):
        running.cancel()
        raise EndpointError(LATE) from None


def _taken(pieces: SimpleQueue[str | None], deadline: float) -> str | None:
    with suppress(Empty):
        return pieces.get(timeout=max(0.0, deadline - time.monotonic()) + GRACE)
    raise EndpointError(LATE)


async def _drain(stream: Any, put: Callable[[str], None]) -> Any:
    """Hand on a stream's pieces; its usage. An EndpointError where it ends before the model has."""
    usage, reason = None, None
    async for event in stream:
        chunk = parsed(event.to_json(), Chunk, "a chunk")
        usage = chunk.usage or usage
        for choice in chunk.choices[:1]:
            check_finish(choice.finish_reason, choice.delta.refusal, usage)
            reason = choice.finish_reason or reason
            if choice.delta.content:
                put(choice.delta.content)
    if reason is None:
        raise EndpointError("broke off its answer", usage=usage)
    return usage


def _check_type(raw: Any, expected: str) -> None:
    given = raw.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != expected:
        raise EndpointError("sent another kind of content than the protocol's")


def _bound_to(most: int) -> Callable[[Any], Awaitable[None]]:
    """A hook that lets no more than `most` bytes of any body be read, an error's too."""

    async def bound(response: Any) -> None:
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise EndpointError("sent a packed answer, which was not asked for")
        body = response.stream
        # The client's library for HTTP is httpx in its older versions and httpx2 in its newer ones.
        library = importlib.import_module(type(body).__module__.partition(".")[0])

        class Bounded(library.AsyncByteStream):  # type: ignore[misc, name-defined]
            async def __aiter__(self) -> AsyncIterator[bytes]:
                read = 0
                async for piece in body:
                    read += len(piece)
                    if read > most:
                        raise EndpointError("sent more than is read of an answer")
                    yield piece

            async def aclose(self) -> None:
                await body.aclose()

        response.stream = Bounded()

    return bound


def _backoff(attempt: int) -> float:
    return float(FIRST_WAIT * 2**attempt * random.uniform(0.75, 1.25))


def _as_fault(error: Exception) -> EndpointError:
    """Any failure of a request as a few words of our own."""
    import openai

    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, EndpointError):  # older clients wrap what a hook raises
            return cause
    # By name: the client's own library for HTTP is another in its older versions.
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    if isinstance(error, openai.APIStatusError):
        return _status_fault(error.status_code, error.response.headers)
    if names & {"ConnectError", "ConnectTimeout"}:
        return EndpointError("could not be reached", again=True, charge="nothing")
    if names & {"TimeoutException", "TimeoutError"}:
        return EndpointError(LATE, again=True)
    if names & {"TransportError", "APIConnectionError"}:
        return EndpointError("broke off the connection", again=True)
    if isinstance(error, openai.APIError):
        return EndpointError("reported an error within its answer")
    return EndpointError(f"sent what the protocol does not know ({type(error).__name__})")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _status_fault(status: int, headers: Any) -> EndpointError:
    again = status in RETRIED or status >= 500
    if again and headers.get("x-should-retry") == "false":
        again = False
    words = {
        401: "does not take the key",
        403: "does not take the key",
        404: "does not know the model or the address",
        429: "is busy, or its quota is used up",
    }
    redirected = 300 <= status < 400
    why = "points elsewhere, which is not followed" if redirected else words.get(status, "failed")
    return EndpointError(f"{why} (HTTP {status})", again=again, after=_retry_after(headers), charge="nothing")


def _retry_after(headers: Any) -> float | None:
    """Seconds to be left alone for, as RFC 9110 writes them: a number, or a date."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return seconds if 0 <= seconds < float("inf") else None
