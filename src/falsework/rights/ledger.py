"""The ledger: every record as an event, appended and never changed.

In a SQLite file by default, in PostgreSQL by URL. Two tables: the events (sequence, payload, digest), and
one row that says where they end. Reading checks what it reads; what was tampered with is named by `verify`.
"""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sql

from falsework.errors import FalseworkError
from falsework.rights import merkle
from falsework.rights.anchors import Anchor, add_anchor, anchors_beside, read_anchors
from falsework.rights.clock import Correction, correction, ledger_clock
from falsework.rights.database import FORMAT, Database, file_database, url_database
from falsework.rights.events import BACKWARDS, BEFORE_ALL, Event, kind_of, time_text
from falsework.rights.records import Asset, Decision, Party, Record, canonical
from falsework.rights.tampering import Fault, Head, Link, check, in_order, links_of, read_row

__all__ = ["Anchor", "Fault", "Inclusion", "Ledger", "OvertakenError"]

AT_ONCE = 500  # rows asked for by number in one question
# Sorts of picture, and what is made of pictures: all of them need leave to be adapted.
PICTURES = frozenset({
    "plate", "picture", "texture", "environment", "matte", "dataset", "sample", "intermediate",
})  # fmt: skip
READ_HEAD = "SELECT size, root, last FROM ledger_head WHERE format = :format"
READ_EVENTS = "SELECT sequence, payload, digest FROM ledger_events"


class OvertakenError(FalseworkError):
    """Somebody else has written to the ledger since it was read."""


@dataclass(frozen=True)
class Inclusion:
    """Proof that an event is in the ledger of `size` events with this root."""

    sequence: int
    size: int
    leaf: bytes
    proof: tuple[bytes, ...]
    root: bytes

    def holds(self) -> bool:
        return merkle.verify_inclusion(self.leaf, self.sequence, self.size, self.proof, self.root)


class Ledger:
    """An open ledger; use it in a `with` block. Threads may share one, processes each open their own."""

    def __init__(self, database: Database, anchors: Path | None) -> None:
        self.where = database.where  # for people: a path, or a URL without its password
        self.anchors_file = anchors
        self._database = database
        self._guard = threading.RLock()
        # What of the ledger this process has read and checked.
        self._leaves: list[bytes] = []
        self._peaks = merkle.Peaks()
        self._present: dict[tuple[str, str], int] = {}  # (kind, id) -> sequence of its present form
        self._unsynced = False
        self._last: datetime | None = None  # when the last event was written
        self._corrections: list[Correction] = []

    @classmethod
    def open(cls, where: str | Path, *, create: bool = True, anchors: Path | None = None) -> Ledger:
        """The ledger in a file, or in the database of a URL such as postgresql+psycopg://user@host/name.

        With `create` it is begun where there is none, otherwise that is an error and nothing is written. None
        is begun where anchors tell of one that was there: it would hide that the other is gone.
        `anchors` is the file of its anchors; beside a file it needs no naming.
        """
        if isinstance(where, str) and "://" in where:
            database = url_database(where)
            begun = False  # whether there is one shows only when it is asked
        else:
            path = Path(where)
            anchors = anchors or anchors_beside(path)
            begun = create and not (_is_there(path) and path.stat().st_size)
            if begun:
                _nothing_anchored(anchors, str(path))
            database = file_database(path, create=create)
        ledger = cls(database, anchors)
        try:
            database.prepare(create=create)
            if create and not begun and anchors is not None and not ledger.size:
                _nothing_anchored(anchors, database.where)
        except BaseException:
            database.close()
            raise
        return ledger

    def close(self) -> None:
        try:
            if self._unsynced:
                self.sync()
        finally:
            self._database.close()

    def sync(self) -> None:
        """See to it that what was appended outlasts a power cut; `close` and `anchor` do so too.

        A commit alone outlasts the end of its process, by SIGKILL too. To flush every single one to the disk
        would cost milliseconds each.
        """
        self._database.flush()
        self._unsynced = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        with suppress(FalseworkError):  # a second failure must not hide the first
            self.close()

    # Writing

    def append(
        self,
        records: Sequence[Record],
        *,
        at: datetime,
        after: int | None = None,
        retyped: Container[str] = (),
    ) -> list[Event]:
        """Write records in one transaction, all or none, and return their events.

        A record that is identical to the present one of its kind and id is not written again, unless a clock
        that dated it was corrected since. With `after`
        nothing is written, and `OvertakenError` raised, where the ledger has another size by now: what was
        concluded from that many events may no longer follow. An event is never dated before the one that it
        comes after; FalseworkError where the clock stands more than BACKWARDS behind that. An asset
        stays what it was recorded as, but for those whose ids are `retyped`: the caller knows that nothing
        hangs on them.
        """
        if at.tzinfo is None:
            raise ValueError("the time of an event needs its zone")
        with self._guard, self._database.transaction(writing=True) as connection:
            head = self._head(connection, lock=True)
            self._catch_up(connection, head)
            if after is not None and head.size != after:
                raise OvertakenError(
                    "something was put on record meanwhile", where=self.where, todo="Run the command again."
                )
            at = self._not_before_the_last(at)
            events = list(self._news(connection, records, at, retyped))
            self._write(connection, events)
        self._written(events)
        return events

    def correct_clock(self, person: Party, *, role: str, why: str, at: datetime) -> Decision:
        """Put on record that a named person says the clock is right at `at` and stood ahead when the last
        event was dated: the one event that may be dated before the one it comes after.

        FalseworkError where the last event is not more than BACKWARDS ahead: then nothing needs correcting.
        """
        with self._guard, self._database.transaction(writing=True) as connection:
            head = self._head(connection, lock=True)
            self._catch_up(connection, head)
            if self._last is None or self._last - at <= BACKWARDS:
                last = f"the last event is of {time_text(self._last)}" if self._last else "there is no event"
                raise FalseworkError(
                    f"the clock was not ahead: {last}, and it is {time_text(at)} now",
                    where=self.where,
                    todo="There is nothing to correct: what is written next is dated after the last event.",
                )
            if person.type != "person":
                raise FalseworkError(f'"{person.name}" is no person', todo="Only a named person can decide.")
            decision = ledger_clock(self._last, at, len(self._leaves), by=person.id, role=role, why=why)
            # The decision first: no other event may step back.
            events = list(self._news(connection, [decision, person], at, ()))
            self._write(connection, events)
        self._written(events)
        return decision

    def _write(self, connection: sql.Connection, events: Sequence[Event]) -> None:
        if not events:
            return
        peaks = self._peaks.copy()
        for event in events:
            peaks.add(event.digest)
        connection.execute(
            sql.text(
                "INSERT INTO ledger_events (sequence, payload, digest) VALUES (:sequence, :payload, :digest)"
            ),
            [{"sequence": e.sequence, "payload": e.payload, "digest": e.digest} for e in events],
        )
        connection.execute(
            sql.text("UPDATE ledger_head SET size = :size, root = :root, last = :last"),
            {"size": peaks.size, "root": peaks.root(), "last": events[-1].digest},
        )

    def _written(self, events: Sequence[Event]) -> None:
        """Remember what was committed."""
        with self._guard:
            self._unsynced |= bool(events)
            for event in events:
                if event.sequence == len(self._leaves):  # else another thread has caught up meanwhile
                    self._remember(event)

    def _not_before_the_last(self, at: datetime) -> datetime:
        """The time of the next event: who worked for a while began before others wrote, and is dated after
        them; a clock that was set back would revive what has ended."""
        if self._last is None or at >= self._last:
            return at
        if self._last - at > BACKWARDS:
            raise FalseworkError(
                f"the last event is of {time_text(self._last)}, and it is {time_text(at)} now, by this clock",
                where=self.where,
                todo="Set the clock right. If this one is right and the other was ahead, a named person puts "
                f"that on record: `falsework ledger clock {shlex.quote(self.where)} --by NAME --role ROLE "
                "--reason WHY`. Or bring back a copy from before it, and retire the anchors that were "
                "written since (docs/ledger.md).",
            )
        return self._last

    def strays(self, anchors: Sequence[Anchor]) -> tuple[Anchor, ...]:
        """Those of the anchors that are not of this ledger as it is: it is shorter, or was other then."""
        with self._guard:
            self._refresh()
            peaks, roots = merkle.Peaks(), {0: merkle.EMPTY_ROOT}
            sizes = {anchor.size for anchor in anchors}
            for leaf in self._leaves:
                peaks.add(leaf)
                if peaks.size in sizes:
                    roots[peaks.size] = peaks.root()
            return tuple(one for one in anchors if roots.get(one.size) != one.root)

    def anchor(self, *, at: datetime, stamp: Callable[[bytes], bytes] | None = None) -> Anchor:
        """Write the present root beside the ledger. `stamp` asks a time-stamp authority to seal the
        anchor's statement (`falsework.rights.timestamp`)."""
        if self.anchors_file is None:
            raise FalseworkError(
                "has no file for its anchors", where=self.where, todo="Name one with --anchors FILE."
            )
        with self._guard:
            self._refresh()
            self.sync()  # or a power cut would make the anchor tell of events that are gone
            anchor = Anchor(len(self._leaves), self._peaks.root(), at.astimezone(UTC))
        if stamp is not None:
            anchor = Anchor(anchor.size, anchor.root, anchor.time, stamp(anchor.statement()))
        add_anchor(self.anchors_file, anchor)
        return anchor

    # Reading

    @property
    def size(self) -> int:
        """Number of events."""
        with self._database.transaction() as connection:
            return self._head(connection).size

    def events(self, start: int = 0) -> list[Event]:
        """The events from number `start` on, checked against their digests and their chain."""
        with self._guard, self._database.transaction() as connection:
            head = self._head(connection)
            self._catch_up(connection, head, stop=start)
            events: list[Event] = []
            for row in self._rows(connection, start, head.size):
                event = self._checked(row, start + len(events))
                if event.sequence == len(self._leaves):
                    self._remember(event)
                events.append(event)
            self._at_end(head)
            return events

    def root(self, size: int | None = None) -> bytes:
        """The tree's root over all events, or over the first `size`."""
        with self._guard:
            self._refresh()
            if size is None:
                return self._peaks.root()
            return merkle.root(self._leaves[: self._within(size)])

    def inclusion(self, sequence: int) -> Inclusion:
        """The proof that event `sequence` is in the ledger as it is now."""
        with self._guard:
            self._refresh()
            if not 0 <= sequence < len(self._leaves):
                raise FalseworkError(
                    f"there is no event {sequence}; they go from 0 to {len(self._leaves) - 1}",
                    where=self.where,
                )
            proof = merkle.inclusion_proof(self._leaves, sequence)
            size, leaf = len(self._leaves), self._leaves[sequence]
            return Inclusion(sequence, size, leaf, proof, self._peaks.root())

    def consistency(self, old_size: int) -> tuple[bytes, ...]:
        """The proof that the ledger of `old_size` events is the beginning of this one."""
        with self._guard:
            self._refresh()
            return merkle.consistency_proof(self._leaves, self._within(old_size))

    def verify(self, anchors: Sequence[Anchor] = ()) -> list[Fault]:
        """Everything wrong with the ledger, in the order of the events; empty where nothing is.

        It is held against the anchors beside it and against those given (from a delivery, for instance).
        """
        # Before the events are read: an anchor that comes meanwhile may be of later ones.
        known, broken = read_anchors(self.anchors_file) if self.anchors_file is not None else ([], [])
        faults: list[Fault] = []
        links: list[Link] = []
        head: Head | None = None
        try:
            with self._database.transaction() as connection:
                try:
                    head = self._read_head(connection)
                except ValueError as error:
                    faults.append(Fault("head", None, f"the head was edited: {error}"))
                rows = connection.execute(sql.text(f"{READ_EVENTS} ORDER BY sequence"))
                for link in links_of(_plain(rows)):
                    links.append(link)
                faults += self._database.own_faults(connection)
        except FalseworkError as error:
            at = len(links)
            faults.append(
                Fault("unreadable", at, f"event {at} and what follows cannot be read: {error.what}")
            )
            return in_order([*faults, *check(links, None)])
        for line in broken:
            faults.append(Fault("anchor", None, f"line {line} of {self.anchors_file} is no anchor"))
        return in_order([*faults, *check(links, head, [*known, *anchors])])

    # Within

    def _read_head(self, connection: sql.Connection, *, lock: bool = False) -> Head:
        question = READ_HEAD + (self._database.locking if lock else "")
        row = connection.execute(sql.text(question), {"format": FORMAT}).first()
        if row is None:
            raise ValueError("it is missing")
        return Head.read(*row)

    def _head(self, connection: sql.Connection, *, lock: bool = False) -> Head:
        try:
            return self._read_head(connection, lock=lock)
        except ValueError as error:
            raise self._damaged(f"the head was edited: {error}") from error

    def _rows(self, connection: sql.Connection, start: int, stop: int) -> Iterator[tuple[Any, Any, Any]]:
        question = f"{READ_EVENTS} WHERE sequence >= :start AND sequence < :stop ORDER BY sequence"
        return _plain(connection.execute(sql.text(question), {"start": start, "stop": stop}))

    def _refresh(self) -> None:
        with self._database.transaction() as connection:
            self._catch_up(connection, self._head(connection))

    def _catch_up(self, connection: sql.Connection, head: Head, *, stop: int | None = None) -> None:
        """Read and check what was appended since the last look, by this process or another; all of it, or
        the events before `stop`."""
        if head.size < len(self._leaves):
            raise self._damaged(f"it had {len(self._leaves)} events and has {head.size} now")
        for row in self._rows(connection, len(self._leaves), head.size if stop is None else stop):
            self._remember(self._checked(row, len(self._leaves)))
        if stop is None:
            self._at_end(head)

    def _at_end(self, head: Head) -> None:
        if len(self._leaves) != head.size:
            raise self._damaged(f"the end was cut off: event {len(self._leaves)} is missing")
        if self._peaks.root() != head.root or head.last != (self._leaves[-1] if self._leaves else BEFORE_ALL):
            raise self._damaged("the head, or the last event, was edited: they do not fit each other")

    def _checked(self, row: tuple[Any, Any, Any], number: int) -> Event:
        try:
            event = read_row(row)
        except ValueError as error:
            raise self._damaged(f"event {number} was edited: {error}") from error
        previous = self._leaves[number - 1] if number else BEFORE_ALL
        if row[0] != number or event.sequence != number or event.previous != previous:
            raise self._damaged(f"event {number} is not the one that was written there")
        if number < len(self._leaves) and event.digest != self._leaves[number]:
            raise self._damaged(f"event {number} was edited while the ledger was open")
        return event

    def _remember(self, event: Event) -> None:
        self._leaves.append(event.digest)
        self._peaks.add(event.digest)
        self._present[event.kind, event.id] = event.sequence
        if (found := correction(event, self._last)) is not None:
            self._corrections.append(found)
        self._last = event.time

    def _news(
        self, connection: sql.Connection, records: Sequence[Record], at: datetime, retyped: Container[str]
    ) -> Iterator[Event]:
        """Events for those of the records that say something new."""
        known = [self._present.get((kind_of(record), record.id)) for record in records]
        written = self._events_at(connection, sorted({number for number in known if number is not None}))
        present = {
            (kind_of(record), record.id): canonical(written[number].body)
            for record, number in zip(records, known, strict=True)
            if number is not None
        }
        # Said again after the clock that dated it was corrected, it is said at the right date.
        misdated = {
            (event.kind, event.id)
            for event in written.values()
            if any(one.undoes(event.sequence, event.time) for one in self._corrections)
        }
        sequence = len(self._leaves)
        previous = self._leaves[-1] if self._leaves else BEFORE_ALL
        for record in records:
            event = Event.of(record, sequence=sequence, at=at, previous=previous)
            body = canonical(event.body)
            before = present.get((event.kind, event.id))
            if before == body and (event.kind, event.id) not in misdated:
                continue
            misdated.discard((event.kind, event.id))
            if before is not None and isinstance(record, Asset) and record.id not in retyped:
                self._same_sort(record, str(json.loads(before)["type"]))
            present[event.kind, event.id] = body
            sequence, previous = sequence + 1, event.digest
            yield event

    def _same_sort(self, asset: Asset, before: str) -> None:
        """What a file is decides what has to be granted for it: no later record makes it something else.

        A document asks for nothing yet, so it may become anything; pictures of all sorts ask for the same,
        and a take that is made in full is a cut.
        """
        sorts = {before, asset.type}
        if before in (asset.type, "document") or sorts <= PICTURES or sorts <= {"take", "cut"}:
            return
        raise FalseworkError(
            f'"{asset.name}" is on record as a {before}, and cannot be put on record as a {asset.type}',
            where=self.where,
            todo=f"Name the right file; or, if this is the file, leave it what it is ({before}). What only "
            "production.toml calls so, and nothing was made with, may be corrected or taken out there.",
        )

    def _events_at(self, connection: sql.Connection, numbers: Sequence[int]) -> dict[int, Event]:
        """Events by their numbers."""
        question = sql.text(f"{READ_EVENTS} WHERE sequence IN :numbers").bindparams(
            sql.bindparam("numbers", expanding=True)
        )
        events: dict[int, Event] = {}
        for start in range(0, len(numbers), AT_ONCE):
            some = list(numbers[start : start + AT_ONCE])
            for row in _plain(connection.execute(question, {"numbers": some})):
                event = self._checked(row, row[0])
                events[event.sequence] = event
        return events

    def _within(self, size: int) -> int:
        if not 0 <= size <= len(self._leaves):
            raise FalseworkError(f"has {len(self._leaves)} events, not {size}", where=self.where)
        return size

    def _damaged(self, what: str) -> FalseworkError:
        return FalseworkError(
            what,
            where=self.where,
            todo="`falsework ledger verify` lists all that is damaged; bring the ledger back from a copy.",
        )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError) as error:
        raise FalseworkError(f"no ledger can have this name ({error})", where=str(path)[:200]) from error


def _nothing_anchored(anchors: Path, where: str) -> None:
    """No anchor beside tells of a ledger that is not there any more."""
    size = max((one.size for one in read_anchors(anchors)[0]), default=0)
    if size:
        raise FalseworkError(
            f"the ledger is gone: it had {size} events, by the anchors beside it",
            where=where,
            todo=f"Bring it back from a copy. To begin anew, move {anchors.name} away, and keep it.",
        )


def _plain(rows: Iterable[Any]) -> Iterator[tuple[Any, Any, Any]]:
    yield from rows
