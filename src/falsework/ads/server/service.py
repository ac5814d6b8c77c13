"""From a request's bytes to an answer's: what the server does, whatever carries it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from falsework.ads.consent.activities import Signals, permissions
from falsework.ads.decision.engine import Chosen, Decider, Decision
from falsework.ads.decision.relevance import ContextualMatch
from falsework.ads.measurement.beacons import Signer
from falsework.ads.measurement.exposure import Happened
from falsework.ads.openrtb.objects import BidRequest
from falsework.ads.openrtb.opportunities import Terms, breaks, place_in
from falsework.ads.openrtb.response import NoBid, answer
from falsework.ads.openrtb.scrubbing import scrub
from falsework.ads.openrtb.signals import signals, stream_of
from falsework.ads.openrtb.validation import read
from falsework.ads.opportunity import Break, Permissions, Placement
from falsework.ads.server.deadline import LONGEST, Deadline
from falsework.ads.server.forms import AS_VAST, Form
from falsework.ads.server.journal import Journal
from falsework.ads.server.notes import in_header, refused_in_words, untold
from falsework.ads.server.pacing import Paced
from falsework.ads.server.partners import Partners, to_follow
from falsework.ads.server.queries import notes_of, parameters, request_of, seconds_of
from falsework.ads.server.scenes import Scenes
from falsework.ads.state.events import EventLog
from falsework.ads.state.protocol import State
from falsework.ads.vast.vmap import AdBreak, vmap
from falsework.errors import FalseworkError

__all__ = ["Answer", "Counts", "Service"]

JSON, XML = b"application/json", b"application/xml"
MOST_TRACES = 1_000  # kept for whoever asks for one afterwards
MOST_BREAKS = 100  # of one programme
MOST_PERMISSIONS = 8_192  # consent strings come again: their date counts days, and many choose alike
LEAST_TIME = 0.002  # seconds that a decision needs; with less left the house's own is shown
MOST_UNDER_WAY = 256  # requests at a time; those beyond get the house's own at once
SCENES_SHARE = 0.6  # of the time left that a title may take to come from the catalogue
BETWEEN = 0.02  # seconds between two renewals of leases
LOGGED_EVERY = 0.5  # seconds; what a kill takes of the exposures
BEACON_WAITS = 1.0  # seconds for a state that is another machine's
LOGGER = logging.getLogger("falsework.ads")
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    kind: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass
class Counts:
    """Since this worker began. `house`: breaks with nothing paid in them; `late`: past their deadline;
    `unfilled`: with nothing at all, which must not be."""

    requests: int = 0
    refused: int = 0
    breaks: int = 0
    house: int = 0
    late: int = 0
    unfilled: int = 0
    beacons: int = 0
    duplicates: int = 0
    faults: int = 0


@dataclass
class Service:
    """One worker's. `address` is what players know this server by. `remote`: the state is another machine's,
    and nothing waits for it longer than the deadline. `partners` follow wrappers; None: nobody does.
    `vendor`: the studio's id in the Global Vendor List.
    """

    decider: Decider
    state: State
    signer: Signer
    scenes: Scenes
    log: EventLog | None
    address: str
    terms: Terms = field(default_factory=Terms)
    remote: bool = False
    vendor: int | None = None
    paced: Paced | None = None
    match: ContextualMatch | None = None
    partners: Partners | None = None
    clock: Callable[[], float] = time.time
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self._permissions: OrderedDict[tuple[Signals, int], Permissions] = OrderedDict()
        self._traces: OrderedDict[str, bytes] = OrderedDict()
        self._under_way = 0
        self._behind = 0.0  # seconds that a request may have waited before this worker saw it
        self._journal = Journal(self.log)
        self._state_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state")

    async def openrtb(self, body: bytes, deadline: Deadline, *, trace: bool = False) -> Answer:
        """`POST /openrtb2`."""
        self.counts.requests += 1
        try:
            request = read(body)
        except FalseworkError as error:
            self.counts.refused += 1
            return refusal(400, error)
        deadline.shortened(request.tmax)
        trace = trace or bool(request.ext and request.ext.get("trace"))
        try:
            decisions = await self._decided(request, deadline, trace)
            return Answer(
                200,
                answer(str(request.id), decisions, signer=self.signer, currency=self.terms.currency),
            )
        except Exception as error:
            self.fault(error)
            return Answer(200, msgspec.json.encode({"id": request.id, "nbr": NoBid.TECHNICAL_ERROR}))

    async def explain(self, body: bytes) -> list[Decision]:
        """The decisions for a request, traced, however long that takes. Raises `FalseworkError` for a request
        that is refused."""
        return await self._decided(read(body), Deadline.none(), True)

    async def explain_player(self, query: bytes, pause: bool) -> list[Decision]:
        """The same for a player's query, which is never an error: what is refused is among the notes."""
        placement = Placement.PAUSE if pause else Placement.INSTREAM
        deadline, notes = Deadline.none(), tuple[str, ...]()
        try:
            told = parameters(query)
            notes = notes_of(told)
            request = request_of(told, placement)
        except FalseworkError as error:
            request = request_of({}, placement)
            deadline, notes = Deadline(0.0), (*notes, refused_in_words(error))
        return await self._decided(request, deadline, True, notes)

    async def player(
        self,
        query: bytes,
        deadline: Deadline,
        placement: Placement = Placement.INSTREAM,
        form: Form = AS_VAST,
    ) -> Answer:
        """`GET /vast`, `/pause` and, in another `form`, `/assets`: never an error."""
        self.counts.requests += 1
        headers: tuple[tuple[bytes, bytes], ...] = ()
        notes: tuple[str, ...] = ()
        trace = False
        try:
            told = parameters(query)
            trace = told.get("trace") == "1"
            given = form.read(told)
            if given is None:
                return Answer(200, form.nothing, form.kind)
            notes = notes_of(told)
            request = request_of(given, placement)
        except FalseworkError as error:
            self.counts.refused += 1
            headers = ((b"x-falsework-refused", _header(error)),)
            request = request_of(form.read({}) or {}, placement)
            notes = (*notes, refused_in_words(error))
            deadline = Deadline(0.0)  # nothing is known of who asks: nothing but the house's own
        if notes:
            LOGGER.warning("a player's request: %s", "; ".join(notes))
            headers += ((b"x-falsework-notes", in_header(notes)),)
        try:
            (decision, *_) = await self._decided(request, deadline, trace, notes)
            body, not_shown = form.write(decision, self.signer)
            if not_shown:
                with suppress(TimeoutError):  # then it is free when its promise has run out
                    await self._with_state(lambda: self._free(not_shown), max(deadline.left(), LEAST_TIME))
            if len(not_shown) == len(decision.chosen):
                self.counts.house += not all(each.house for each in decision.chosen)  # and was not before
                decision = self.decider.fallback(decision.asked)
                self._journal.add(decision)
                body, _ = form.write(decision, self.signer)
            return Answer(200, body, form.kind, headers)
        except Exception as error:
            self.fault(error)
            return Answer(200, form.nothing, form.kind, headers)

    def vmap(self, query: bytes) -> Answer:
        """`GET /vmap?breaks=start,600,end`: where the breaks are; each is decided when the player comes to
        it."""
        self.counts.requests += 1
        headers: tuple[tuple[bytes, bytes], ...] = ()
        found: list[AdBreak] = []
        try:
            given = parameters(query)
            asked = {name: value for name, value in given.items() if name not in ("breaks", "at", "stream")}
            stream = given.get("stream") or secrets.token_hex(8)
            for number, place in enumerate(given.get("breaks", "start").split(",")[:MOST_BREAKS], 1):
                at: float | str = place if place in ("start", "end") else seconds_of(place)
                second = {"start": {"at": "0"}, "end": {}}.get(place, {"at": place})
                address = f"{self.address}/vast?{urlencode({**asked, **second, 'stream': stream})}"
                found.append(AdBreak(id=f"break-{number}", at=at, address=address))
        except FalseworkError as error:
            self.counts.refused += 1
            headers = ((b"x-falsework-refused", _header(error)),)
            found = [AdBreak(id="break-1", at="start", address=f"{self.address}/vast")]
        return Answer(200, vmap(found), XML, headers)

    async def beacon(self, kind: str, given: Mapping[str, str]) -> Answer:
        """`GET /beacon/<kind>`: acknowledged when it is durable."""
        now = self.clock()
        try:
            said = self.signer.read(kind, given.get("b", ""), given.get("s", ""), now)
        except FalseworkError as error:
            self.counts.refused += 1
            return refusal(403, error)
        if kind == "loss":
            await self._with_state(lambda: self.decider.not_shown(said.served, said.line_item), BEACON_WAITS)
            return Answer(204)
        event = said.event(kind, now)

        def record() -> bool:
            fresh = self.state.record([event])[0]
            # Here, and not when it was waited for: what is counted is logged, though its player was told to
            # ask again.
            self._journal.add(Happened(event=event, fresh=fresh))
            if kind == "impression":
                self.decider.shown(said.served, said.line_item)
            return fresh

        try:
            fresh = await self._with_state(record, BEACON_WAITS)
        except (TimeoutError, OSError, FalseworkError) as error:
            self.fault(error)
            return Answer(503)
        self.counts.beacons += 1
        self.counts.duplicates += not fresh
        return Answer(204)

    def trace(self, decision: str) -> Answer:
        """`GET /trace/<decision>`: one of the last that were asked for with a trace."""
        found = self._traces.get(decision)
        if found is None:
            return refusal(404, FalseworkError("is no decision that was traced", where="decision"))
        return Answer(200, found)

    def health(self) -> Answer:
        """`GET /health`. Money in micros: what leases may be overspent by at most."""
        outstanding = self.decider.wallet.leased()
        return Answer(
            200,
            msgspec.json.encode(
                {
                    "ok": True,
                    "campaigns": len(self.decider.book.campaigns),
                    "line_items": len(self.decider.book.line_items),
                    "leased": outstanding,
                    "counts": vars(self.counts),
                }
            ),
        )

    async def run(self) -> None:
        """Between breaks: leases renewed, the log written. Ends when it is cancelled."""
        written = time.monotonic()
        writing: asyncio.Future[None] | None = None  # waits for a disk or a broker, and leases do not for it
        while True:
            slept = time.perf_counter()
            await asyncio.sleep(BETWEEN)
            self._behind = max(time.perf_counter() - slept - BETWEEN, 0.0)
            try:
                await self._with_state(self._refresh, BEACON_WAITS)
                self._journal.encode()
                if (writing is None or writing.done()) and time.monotonic() - written > LOGGED_EVERY:
                    written = time.monotonic()
                    writing = asyncio.get_running_loop().run_in_executor(None, self._journal.write)
                    writing.add_done_callback(self._written)
            except Exception as error:
                self.fault(error)

    def _written(self, writing: asyncio.Future[None]) -> None:
        error = None if writing.cancelled() else writing.exception()
        if error is not None:
            self.fault(error)

    def close(self) -> None:
        self._state_thread.shutdown(wait=True)  # what it still records is to be in the log
        try:
            self._journal.close()
        except FalseworkError as error:
            self.fault(error)
        if self.match is not None:
            self.match.close()
        self.decider.wallet.close()
        self.scenes.close()
        self.state.close()

    def _free(self, not_shown: Sequence[Chosen]) -> None:
        for each in not_shown:
            self.decider.not_shown(each.served, each.row.line_item.id)

    def _refresh(self) -> None:
        now = self.clock()
        self.decider.refresh(now)
        if self.paced is not None:
            self.paced.update(now)

    async def _decided(
        self, request: BidRequest, deadline: Deadline, trace: bool, notes: Sequence[str] = ()
    ) -> list[Decision]:
        now = self.clock()
        said = signals(request, year=time.gmtime(now).tm_year)
        allowed = self._allowed(said, now)
        kids = said.kids or said.coppa
        stream = stream_of(request)
        request = scrub(request, allowed, kids=kids)
        await self.scenes.ready(place_in(request)[0], deadline.left() * SCENES_SHARE)
        asked = breaks(
            request,
            allowed,
            self.scenes.scene,
            at=now,
            stream=stream,
            hashed=self.signer.hashed,
            kids=kids,
            terms=self.terms,
            notes=notes,
            trace=trace,
        )
        self._under_way += 1
        try:
            in_time = self._under_way <= MOST_UNDER_WAY and deadline.left() > LEAST_TIME + self._behind
            decisions = await self._in_time(asked, deadline) if in_time else None
        finally:
            self._under_way -= 1
        late = decisions is None
        if decisions is None:
            decisions = [untold(self.decider.fallback(one)) for one in asked]
        decisions = [await self._followed(one, deadline) for one in decisions]
        for decision in decisions:
            self._note(decision, late)
        return decisions

    async def _followed(self, decision: Decision, deadline: Deadline) -> Decision:
        """With partners' wrappers followed where the player cannot; the house's own where that fails."""
        if self.partners is None or not to_follow(decision):
            return decision
        followed = await self.partners.follow(decision, min(deadline.left(), LONGEST) - LEAST_TIME)
        decision = msgspec.structs.replace(decision, chosen=followed.chosen)
        if not followed.failed:
            return decision
        LOGGER.warning("%d wrappers of partners led nowhere", len(followed.failed))
        try:
            return await self._with_state(
                lambda: self.decider.without(decision, followed.failed, followed.notes),
                max(deadline.left(), LEAST_TIME),
            )
        except TimeoutError:
            return self.decider.fallback(decision.asked)

    async def _in_time(self, asked: Sequence[Break], deadline: Deadline) -> list[Decision] | None:
        """None where the deadline passed first, or something went wrong."""
        try:
            return await self._with_state(lambda: self._decide(asked, deadline), deadline.left())
        except TimeoutError:
            return None
        except Exception as error:
            self.fault(error)
            return None

    def _decide(self, asked: Sequence[Break], deadline: Deadline) -> list[Decision]:
        found: list[Decision] = []
        for one in asked:
            if deadline.left() <= LEAST_TIME and found:
                found.append(self.decider.fallback(one))
                continue
            beside = [
                each.row for other in found if one.pod and other.asked.pod == one.pod for each in other.chosen
            ]
            found.append(self.decider.decide(one, beside))
        return found

    async def _with_state(self, work: Callable[[], T], seconds: float) -> T:
        """A state in this machine's memory is asked at once; another machine's from a thread of its own,
        which is all that ever touches it."""
        if not self.remote:
            return work()
        loop = asyncio.get_running_loop()
        return await asyncio.wait_for(loop.run_in_executor(self._state_thread, work), seconds)

    def _allowed(self, said: Signals, now: float) -> Permissions:
        key = (said, int(now // 3600))
        found = self._permissions.get(key)
        if found is None:
            found = permissions(said, now=datetime.fromtimestamp(now, UTC), vendor=self.vendor)
            self._permissions[key] = found
            if len(self._permissions) > MOST_PERMISSIONS:
                self._permissions.popitem(last=False)
        return found

    def _note(self, decision: Decision, late: bool) -> None:
        counts = self.counts
        counts.breaks += 1
        counts.late += late
        counts.unfilled += not decision.chosen
        counts.house += all(each.house for each in decision.chosen)
        self._journal.add(decision)
        if decision.trace is not None:
            self._traces[decision.id] = msgspec.json.encode(decision.trace)
            if len(self._traces) > MOST_TRACES:
                self._traces.popitem(last=False)

    def fault(self, error: BaseException) -> None:
        """Where it happened and what kind it is. Its words may hold what a request held, and stay out."""
        self.counts.faults += 1
        place = error.__traceback__ or sys.exc_info()[2]
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
        LOGGER.error("%s at %s", type(error).__name__, where)


def refusal(status: int, error: FalseworkError) -> Answer:
    """A refusal names the field, and what is wrong with it."""
    told = {"error": {"field": error.where, "what": error.what, "todo": error.todo}}
    return Answer(status, msgspec.json.encode(told))


def _header(error: FalseworkError) -> bytes:
    return error.where.encode("ascii", "replace")[:64]
