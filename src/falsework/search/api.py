"""Search over HTTP: `POST /search`, `POST /explain`, `GET /titles/{id}`, `GET /health`; described by OpenAPI.

Errors are JSON: {"error": {"what", "where", "todo"}}. Nobody is shown a traceback.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Request, Response
from fastapi import Query as Parameter
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

import falsework
from falsework.catalogue.codes import country_code
from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import Title
from falsework.errors import FalseworkError
from falsework.search.answer import OFFLINE, Turn
from falsework.search.query import LONGEST_TEXT, Query
from falsework.search.ranking.why import why
from falsework.search.searcher import MOST_RESULTS, Searcher
from falsework.serving import check_address, serve_until_told

__all__ = ["MOST_BYTES", "application", "serve"]

MOST_BYTES: Final = 256 * 1024  # of a request's body: a wish of 100 kB is read to its 2,000 characters
MOST_EXPLAINED: Final = 10
LONGEST_ID: Final = 500
PAUSE: Final = 60.0  # seconds until a newer index that could not be opened is tried again

_log = logging.getLogger("falsework.search.api")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def _country(code: str) -> str:
    known = country_code(code) if len(code) == 2 else None
    if known is None:
        raise ValueError(
            "that is no country's ISO 3166-1 code"
        )  # half a surrogate pair has no place in words
    return known


class Wish(BaseModel):
    """Either `text`, a sentence; or `query`, an answer's query with a chip's value taken away."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"text": "something scary but not too scary, maybe a little funny, under two hours"},
                {"text": "in Spanish", "previous": {"query": {"moods": ["funny"]}, "shown": []}},
                {"query": {"genres": ["Comedy"], "runtime": {"most": 90}}, "kids": True, "limit": 5},
            ]
        },
    )

    text: str = Field("", description=f"What the viewer said; {LONGEST_TEXT:,} characters of it are read.")
    query: Query | None = Field(None, description="Instead of `text`: a query to be answered as it is.")
    previous: Turn | None = Field(
        None, description="`turn` of the answer before, where `text` may be an edit of it (“shorter”)."
    )
    kids: bool = Field(False, description="Only what is rated, and rated for children.")
    limit: int = Field(10, ge=1, le=MOST_RESULTS)
    territory: Annotated[str, AfterValidator(_country)] | None = Field(
        None, description="ISO 3166-1, two letters: only what can be watched there now."
    )
    offline: bool = Field(False, description="Ask no model's endpoint.")
    explain: bool = Field(False, description="Add `parts`, what each score was made of.")


class Questioned(BaseModel):
    """Titles whose reasons are asked for, and the query they answered."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Annotated[str, Field(max_length=LONGEST_ID)]] = Field(min_length=1, max_length=MOST_EXPLAINED)
    query: Query
    wish: str = Field("", max_length=LONGEST_TEXT, description="What the viewer said.")
    kids: bool = False


class _Fault(BaseModel):
    what: str = Field(description="The fault.")
    where: str = Field(description="Where in the request it is.")
    todo: str = Field(description="What to do about it.")


class _Refusal(BaseModel):
    error: _Fault


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": _Refusal, "description": "The body is no JSON."},
    413: {"model": _Refusal, "description": f"The body is larger than {MOST_BYTES // 1024} KiB."},
    422: {"model": _Refusal, "description": "A value is not as described."},
}


class _Current:
    """The searcher on the newest index: a build that ends while the server runs is taken over. One that
    cannot be opened (another falsework's, or swept away) is logged, and the index at hand goes on."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._before: Searcher | None = None
        self._not_before = 0.0  # when to look for a newer index again
        self._lock = threading.Lock()

    def searcher(self) -> Searcher:
        with self._lock:
            if time.monotonic() < self._not_before:
                return self._searcher
            try:
                renewed = self._searcher.renewed()
            except FalseworkError as error:
                _log.error("%s", error.sentence())
                self._not_before = time.monotonic() + PAUSE
                return self._searcher
            if renewed is not self._searcher:
                # Requests may still be at work with the last one; nobody is with the one before it.
                if self._before is not None:
                    self._before.opened.close()
                self._before, self._searcher = self._searcher, renewed
            return self._searcher


def application(searcher: Searcher, *, kids: bool = False, offline: bool = False) -> FastAPI:
    """The API as an ASGI application. With `kids` it is for children's profiles, whatever a request says."""
    current = _Current(searcher)
    app = FastAPI(
        title="falsework search",
        version=falsework.__version__,
        summary="What to watch, in a viewer's own words; only titles of the catalogue are answered.",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(_Limited)
    _answer_errors(app)

    @app.post("/search", responses=ERRORS, summary="Answer a wish")
    def search(wish: Wish) -> dict[str, Any]:
        """Results, best first, each with why it is there in words of the catalogue; the wish as it was
        understood, with its chips; what is not in the catalogue; and who answered."""
        if (wish.query is None) == (not wish.text.strip()):
            raise _Refused(422, "either text or query is needed", "body", "Send one of them.")
        said: dict[str, Any] = {
            "kids": kids or wish.kids,
            "limit": wish.limit,
            "territory": wish.territory,
        }
        if wish.query is not None:
            answer = current.searcher().find(wish.query, **said)
        else:
            answer = current.searcher().search(
                wish.text, previous=wish.previous, offline=offline or wish.offline, **said
            )
        return answer.to_json(explain=wish.explain)

    @app.post("/explain", responses={**ERRORS, 200: {"content": {"application/x-ndjson": {}}}},
              response_class=StreamingResponse, summary="Say why, as it is found out")  # fmt: skip
    def explain(asked: Questioned) -> StreamingResponse:
        """One JSON object a line: `id`, `field`, `quote` (words of that field) and `wish`; the last line says
        who answered."""
        using = current.searcher()
        found = using.catalogue.titles(list(dict.fromkeys(asked.ids)))
        children = kids or asked.kids or asked.query.kids
        titles = [title for title in found.values() if not children or fit_for_children(title.rating)]
        lines = _reasons(using, asked, titles, offline=offline)
        return StreamingResponse(
            (json.dumps(line, ensure_ascii=False) + "\n" for line in lines), media_type="application/x-ndjson"
        )

    @app.get("/titles/{id:path}", responses={404: {"model": _Refusal}}, summary="All of one title")
    def title(
        id: Annotated[str, Path(max_length=LONGEST_ID)],
        children: Annotated[bool, Parameter(alias="kids", description="For a children's profile.")] = False,
    ) -> dict[str, Any]:
        """The record, with its seasons and scenes. What is not for a child is not there for one."""
        catalogue = current.searcher().catalogue
        found = catalogue.title(id)
        if found is None or ((kids or children) and not fit_for_children(found.rating)):
            raise _Refused(
                404, "no title has this id", f"titles/{id}", "Take an id from an answer's results."
            )
        told: dict[str, Any] = jsonable_encoder(asdict(found))
        told["seasons"] = [asdict(each) for each in catalogue.seasons(id)]
        told["scenes"] = [asdict(each) for each in catalogue.scenes(id)]
        return told

    @app.get("/health", summary="Whether it answers, and from what")
    def health() -> dict[str, Any]:
        using = current.searcher()
        manifest = using.opened.manifest
        return {
            "ok": True,
            "version": falsework.__version__,
            "titles": manifest.titles,
            "model": manifest.model,
            "behind": using.catalogue.revision - manifest.revision,
            "endpoint": None if offline or using.endpoint is None else using.endpoint.model,
            "kids": kids,
        }

    return app


def serve(
    searcher: Searcher,
    *,
    host: str = "127.0.0.1",
    port: int = 8484,
    kids: bool = False,
    offline: bool = False,
    ready: Callable[[], None] | None = None,
) -> None:
    """Answer until interrupted. `ready` is called once requests are answered. A FalseworkError where the
    address is taken or is not this machine's."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    check_address(host, port)
    server = Server(
        application(searcher, kids=kids, offline=offline),
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_level=LogLevels.error,
    )
    asyncio.run(serve_until_told(server, host, port, ready=ready))


def _reasons(
    using: Searcher, asked: Questioned, titles: list[Title], *, offline: bool
) -> Iterator[dict[str, Any]]:
    """The endpoint's claims as they arrive; then the rules' reasons for titles that have none."""
    explained: set[str] = set()
    notes: tuple[str, ...] = ()
    explanation = None if offline else using.explain(asked.query, titles, asked.wish)
    if explanation is not None:
        for claim in explanation:
            explained.add(claim.id)
            yield asdict(claim)
        notes = explanation.notes
    for each in titles:
        if each.id not in explained:
            yield from ({"id": each.id, **asdict(reason)} for reason in why(each, asked.query))
    by = f"endpoint {using.endpoint.model}" if explained and using.endpoint is not None else OFFLINE
    yield {"answered_by": by, "notes": list(notes)}


# --- errors


class _Refused(Exception):  # noqa: N818  (what a client asked is refused; nothing went wrong)
    def __init__(self, status: int, what: str, where: str, todo: str) -> None:
        super().__init__(what)
        self.answer = _error(status, what, where, todo)


def _error(status: int, what: str, where: str = "", todo: str = "") -> JSONResponse:
    words = {"what": what, "where": where, "todo": todo}
    # What was asked may be repeated in them, and half a surrogate pair is no UTF-8.
    plain = {name: text.encode("utf-8", "replace").decode("utf-8") for name, text in words.items()}
    return JSONResponse({"error": plain}, status_code=status)


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "json_invalid":
            return _error(400, "the body is no JSON", where, "Send a JSON object, as UTF-8.")
        return _error(422, str(first["msg"]), where, "See /openapi.json for what is accepted.")

    @app.exception_handler(_Refused)
    def refused(request: Request, error: _Refused) -> Response:
        return error.answer

    @app.exception_handler(HTTPException)
    def unknown(request: Request, error: HTTPException) -> Response:
        todo = "See /openapi.json for what there is."
        return _error(error.status_code, str(error.detail), request.url.path, todo)

    @app.exception_handler(FalseworkError)
    def mendable(request: Request, error: FalseworkError) -> Response:
        # What and where are the server's own matters: paths and addresses are for its log.
        _log.error("%s", error.sentence())
        return _error(503, "search is out of order", "server", "Its log says why. Try again later.")

    @app.exception_handler(Exception)
    def ours(request: Request, error: Exception) -> Response:
        return _error(500, "a fault of ours, not yours", "server", "Its log says more. Try again later.")


class _Limited:
    """Reads a request's body before anything else does, and refuses one that is too large."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client has gone
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MOST_BYTES:
                todo = f"Send at most {MOST_BYTES // 1024} KiB."
                await _error(413, "the request is too large", "body", todo)(scope, receive, send)
                return
        read = False

        async def again() -> Message:
            nonlocal read
            if read:
                return await receive()
            read = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, again, send)
