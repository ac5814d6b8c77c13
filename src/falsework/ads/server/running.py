"""A server put together from what it is told, and served by granian: here, or by several workers."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from falsework.ads.campaigns.book import Book
from falsework.ads.campaigns.importing import campaigns_of
from falsework.ads.decision.engine import Decider
from falsework.ads.decision.relevance import ContextualMatch
from falsework.ads.decision.vectors import Encode
from falsework.ads.learning.response import read_model, score
from falsework.ads.measurement.beacons import LEAST_KEY, Signer
from falsework.ads.openrtb.opportunities import Terms
from falsework.ads.server.app import Application, Receive, Scope, Send, application
from falsework.ads.server.pacing import Paced
from falsework.ads.server.partners import Partners
from falsework.ads.server.scenes import Scenes
from falsework.ads.server.service import MOST_UNDER_WAY, Service
from falsework.ads.state.events import EventLog, KafkaLog, Segments
from falsework.ads.state.opening import open_state
from falsework.ads.taxonomy.suitability import Suitability
from falsework.errors import FalseworkError
from falsework.serving import check_address, serve_until_told

if TYPE_CHECKING:
    from granian.http import HTTP1Settings

__all__ = ["Encoder", "Settings", "build", "keys_of", "serve"]

# Makes what puts texts into vectors: each worker makes its own, from what it is sent.
Encoder = Callable[[], Encode]

HEADER_SECONDS = 5  # for a request's head to come in
LONGEST_HEAD = 64 * 1024  # bytes
REMOTE = ("valkey", "redis", "rediss", "valkeys", "unix")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`state`, `catalogue`: addresses, "" for no catalogue. `log`: a folder, or kafka://HOST:PORT/TOPIC, ""
    for none. `rates`: what a unit of other currencies is worth in the campaigns' own. `vendor`: the studio's
    id in the Global Vendor List. `model`: a response model's file, "" for none."""

    campaigns: str
    state: str
    key_file: str
    catalogue: str = ""
    host: str = "127.0.0.1"
    port: int = 8585
    public: str = ""
    log: str = ""
    suitability: str = ""
    rates: dict[str, float] = {}
    vendor: int | None = None
    explored: float = 0.02
    paced: bool = True
    model: str = ""

    @property
    def address(self) -> str:
        """What players know the server by."""
        return (self.public or f"http://{self.host}:{self.port}").rstrip("/")


def build(settings: Settings, encoder: Encoder | None = None, *, behind: bool = True) -> Service:
    """Everything one worker needs. Raises `FalseworkError` for what cannot be read or opened.

    `encoder` makes what puts texts into vectors, by which scenes and advertisements are matched; None for no
    match. `behind`: a scene is encoded behind the first break beside it, which is decided without.
    """
    from falsework.catalogue.database import Catalogue

    campaigns = campaigns_of(Path(settings.campaigns))
    currencies = sorted({campaign.currency for campaign in campaigns})
    if len(currencies) > 1:
        raise FalseworkError(
            f"has campaigns in {' and '.join(currencies)}",
            where=settings.campaigns,
            todo="A server decides in one currency: serve one file for each.",
        )
    book = Book(campaigns)
    signer = Signer(keys_of(Path(settings.key_file)), f"{settings.address}/beacon")
    rules = Suitability.load(Path(settings.suitability) if settings.suitability else None)
    response = score(read_model(Path(settings.model)), book) if settings.model else None
    match = ContextualMatch(book, encoder(), behind=behind) if encoder is not None else None
    state = open_state(settings.state)
    try:
        paced = Paced(book, state) if settings.paced else None
        decider = Decider(
            book,
            state,
            unsuitable=rules,
            relevance=match,
            response=response,
            price=paced,
            explored=settings.explored,
            seed=secrets.randbits(32),
            slate=f"{settings.address}/slate",
        )
        catalogue = Catalogue.open(settings.catalogue, create=False) if settings.catalogue else None
        scenes = Scenes(catalogue)
        scenes.preload()
    except BaseException:
        state.close()
        raise
    return Service(
        decider=decider,
        state=state,
        signer=signer,
        scenes=scenes,
        log=_log(settings.log),
        address=settings.address,
        terms=Terms(currency=currencies[0] if currencies else "EUR", rates=settings.rates),
        remote=settings.state.partition(":")[0].lower() in REMOTE,
        vendor=settings.vendor,
        paced=paced,
        match=match,
        partners=Partners(unsuitable=rules),
    )


def keys_of(file: Path) -> tuple[bytes, ...]:
    """One key a line as hexadecimal digits, the first of which signs. A file that is not there is made, for
    its owner alone."""
    try:
        with suppress(FileExistsError):
            made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w") as written:
                written.write(secrets.token_hex(LEAST_KEY) + "\n")
        keys = tuple(bytes.fromhex(line) for line in file.read_text(encoding="ascii").split())
    except (OSError, ValueError) as error:
        raise FalseworkError(
            f"is no file of keys ({type(error).__name__})",
            where=file,
            todo=f"Put a key on each line, {2 * LEAST_KEY} hexadecimal digits; or name a new file.",
        ) from error
    return keys


def _log(address: str) -> EventLog | None:
    if not address:
        return None
    if address.startswith("kafka://"):
        servers, _, topic = address.removeprefix("kafka://").partition("/")
        if not servers or not topic:
            raise FalseworkError("names no topic", where=address, todo="Give kafka://HOST:PORT/TOPIC.")
        return KafkaLog(servers, topic)
    return Segments(Path(address))


def serve(
    settings: Settings,
    *,
    workers: int = 1,
    encoder: Encoder | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Answer until interrupted. `ready` is called once requests are answered; with several workers, when they
    are begun. A `FalseworkError` where the address is taken, or where several workers would share a state
    that is one process's."""
    check_address(settings.host, settings.port)
    logging.getLogger("falsework.ads").setLevel(logging.ERROR)
    if workers == 1:
        asyncio.run(_serve_here(settings, encoder, ready))
        return
    if ":" not in settings.state:
        raise FalseworkError(
            "is a state for one process",
            where=settings.state,
            todo=f"Give --state lmdb:{settings.state} for several workers, or redis://HOST:PORT/0.",
        )
    if ready is not None:
        ready()
    _serve_by_workers(settings, workers, encoder)


async def _serve_here(settings: Settings, encoder: Encoder | None, ready: Callable[[], None] | None) -> None:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    service = build(settings, encoder)
    _settle()
    server = Server(
        application(service),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_level=LogLevels.error,
        backpressure=2 * MOST_UNDER_WAY,
        http1_settings=_http1(),
    )
    between = asyncio.create_task(service.run())
    try:
        await serve_until_told(server, settings.host, settings.port, ready=ready)
    finally:
        between.cancel()
        service.close()


def _serve_by_workers(settings: Settings, workers: int, encoder: Encoder | None) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    if encoder is not None:
        # Once for all workers, and in a process of its own: they are forked from this one.
        once = multiprocessing.get_context("spawn").Process(target=_encode, args=(settings, encoder))
        once.start()
        once.join()
    Granian(
        "falsework",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=workers,
        websockets=False,
        log_level=LogLevels.error,
        backpressure=2 * MOST_UNDER_WAY,
        http1_settings=_http1(),
        respawn_failed_workers=True,
    ).serve(target_loader=partial(_of_a_worker, settings, encoder), wrap_loader=False)


def _settle() -> None:
    """What a worker begins with stays to its end: nobody need look through it for garbage, which takes longer
    than a deadline where campaigns are many."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _encode(settings: Settings, encoder: Encoder) -> None:
    """What the campaigns say, so that it is among what the encoder remembers."""
    ContextualMatch(Book(campaigns_of(Path(settings.campaigns))), encoder())


def _of_a_worker(settings: Settings, encoder: Encoder | None) -> Application:
    """The service begins with its worker's event loop, and ends with it."""
    service = build(settings, encoder)
    _settle()
    inner = application(service)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await inner(scope, receive, send)
            return
        await receive()
        between = asyncio.create_task(service.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        between.cancel()
        service.close()
        await send({"type": "lifespan.shutdown.complete"})

    return app


def _http1() -> HTTP1Settings:
    from granian.http import HTTP1Settings

    return HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=LONGEST_HEAD)
