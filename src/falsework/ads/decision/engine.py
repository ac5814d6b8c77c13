"""From a break to what is shown in it: filtered, scored, put into the break, and never left empty."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book, Row
from falsework.ads.decision.filters import Filters, History, Open, Unsuitable
from falsework.ads.decision.house import House
from falsework.ads.decision.pods import MOST_IN_A_BREAK, SLACK, Placed, fill
from falsework.ads.decision.ranking import Ranking, hoped, largest, worth_of
from falsework.ads.decision.reasons import Reason
from falsework.ads.decision.trace import MOST_NAMED, Considered, Refused, Trace
from falsework.ads.decision.wallet import Wallet
from falsework.ads.opportunity import Activity, Break, Slot
from falsework.ads.state.protocol import State
from falsework.seeds import generator

__all__ = ["Chosen", "Decider", "Decision", "Score"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
RENEWED_AT_ONCE = 64  # leases, so that no break waits long for them
LEAST_LEFT = 5.0  # seconds at a break's end that are worth a house advertisement

# How much better than usual rows (n,) suit a break, 1.0 being usual.
Score = Callable[[Break, Rows], Floats]

NAMES = 256  # identities fetched at a time
FINALISTS = 64  # candidates that the slower score looks at
CANDIDATES = 32  # for a break, where there is no such score
EXPLORED = (
    0.02  # of breaks are filled in an order left to chance, so that another policy can be judged by the log
)


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """One advertisement in a break. `served` is its identity for every event that follows. `starts` seconds
    from the break's beginning, `cost` micros for this impression. `propensity`: how likely it was to lead the
    break, to be put there before all others; 0.0 for the others, of which that is not known. `candidates`:
    how many could have led it."""

    served: str
    row: Row
    slot: str
    starts: float
    cost: int
    propensity: float = 0.0
    candidates: int = 0
    house: bool = False


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """`slate`: seconds at the end of a break of given length that nothing fills."""

    id: str
    asked: Break
    chosen: tuple[Chosen, ...]
    slate: float = 0.0
    trace: Trace | None = None


class Decider:
    """Decides breaks for one worker. Not for several threads at once: a worker is one.

    unsuitable  names the product categories that may not stand beside a scene
    relevance   of rows to a break, over all that are eligible: must be quick
    response    a slower and better score, over the finalists only
    price       of each line item's budget, as pacing has it (line items,); None for no pacing
    explored    part of the breaks whose lead is drawn by lot
    slate       address that slates are under, where not even a house advertisement fits
    """

    def __init__(
        self,
        book: Book,
        state: State,
        *,
        unsuitable: Unsuitable,
        relevance: Score | None = None,
        response: Score | None = None,
        price: Callable[[], Floats] | None = None,
        explored: float = EXPLORED,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        slate: str = "",
    ) -> None:
        self.book = book
        self.filters = Filters(book, unsuitable, slack=SLACK)
        items = {row.line_item.id: row.line_item for row in book.rows}
        budgets = {name: item.budget for name, item in items.items()}
        prices = {name: item.price for name, item in items.items()}
        self.wallet = Wallet(state, budgets, prices)
        self.wallet.refresh(clock())
        self._state = state
        self._relevance, self._response, self._price = relevance, response, price
        self._explored = explored
        self._chance = generator(seed, "exploration")
        self._clock = clock
        self._house = House(book, slate)
        self._ranking = Ranking(book, hopeful=response is not None)
        self._names = _Names()

    def decide(self, asked: Break, beside: Sequence[Row] = ()) -> Decision:
        """`beside`: what stands in other parts of the same pod. Raises nothing for any break that could be
        read."""
        began = time.perf_counter()
        stream = self._state.history(asked.viewer.stream)
        counted = asked.viewer.permissions.allows(Activity.CAP_FREQUENCY) and not asked.viewer.kids
        viewer = self._state.history(asked.viewer.identifier) if counted and asked.viewer.identifier else {}
        masks = self.filters.masks(asked, stream, viewer)
        best, worth = self._best(asked, masks)
        rows = self.book.rows
        candidates = [rows[at] for at in best.tolist()]
        placed, chance = self._fill(asked, candidates, worth.tolist(), beside)
        chosen = [
            self._chosen(each, chance if each.candidate == 0 else 0.0, len(candidates)) for each in placed
        ]
        chosen = self._with_house(asked, stream, chosen)
        trace = None
        if asked.trace:
            refused = self.filters.refused(asked, stream, viewer)
            spent = (time.perf_counter() - began) * 1e6
            trace = self._trace(asked, self.filters.open(masks), refused, chosen, spent)
        return self._decision(asked, chosen, trace)

    def fallback(self, asked: Break) -> Decision:
        """House advertisements or slate alone, when there is no time left for anything else: asks nobody."""
        return self._decision(asked, self._with_house(asked, {}, []), None)

    def without(self, decision: Decision, failed: Collection[str], notes: Sequence[str]) -> Decision:
        """A decision with the house's own for some of what was chosen (`failed`, by `served`), which led
        nowhere and whose money is free again. `notes` say why, for the trace."""
        kept: list[Chosen] = []
        for one in decision.chosen:
            if one.served in failed:
                self.not_shown(one.served, one.row.line_item.id)
            elif not one.house:
                kept.append(one)
        found = self._with_house(decision.asked, {}, kept)
        trace = decision.trace
        if trace is not None:
            trace = msgspec.structs.replace(trace, notes=(*trace.notes, *notes))
        made = self._decision(decision.asked, _one_after_another(found), trace)
        return msgspec.structs.replace(made, id=decision.id)

    def refresh(self, now: float) -> None:
        """Between breaks, often: some of the leases that are due are renewed."""
        self.wallet.refresh(now, RENEWED_AT_ONCE)

    def shown(self, served: str, line_item: str) -> None:
        """An impression of it was recorded: what was promised for it is spent now."""
        if line_item in self.book.line_items:
            self.wallet.keep(served, line_item)

    def not_shown(self, served: str, line_item: str) -> None:
        """It will not be shown: its money is free again."""
        if line_item in self.book.line_items:
            self.wallet.take_back(served, line_item)

    def _best(self, asked: Break, masks: Sequence[Flags]) -> tuple[Rows, Floats]:
        """The finalists (n,), best first, as rows of the book, and what they are worth (n,). None of them is
        without money or worth nothing."""
        price = self._price() if self._price is not None else None
        fit: Floats | float = 1.0
        if self._relevance is None:
            most = CANDIDATES if self._response is None else FINALISTS
            best, worth = self._ranking.first(most, price, masks, self.wallet.available)
        else:
            found = self._funded(self.filters.open(masks))
            worth, parts = self._worth(asked, found)
            places = self._first(worth, found)
            best, worth, fit = found.rows[places], worth[places], parts["relevance"][places]
        if self._response is not None and len(best):
            held = price[self.book.item[best]] if price is not None else 0.0
            worth = worth_of(self.book.price[best], fit * self._response(asked, best), held)
            again = np.argsort(-worth, kind="stable")
            again = again[worth[again] > 0]
            best, worth = best[again], worth[again]
        return best, worth

    def _funded(self, found: Open) -> Open:
        has = self.wallet.available[found.items]
        return found if has.all() else Open(found.rows[has], found.items[has], found.prices[has])

    def _first(self, worth: Floats, found: Open) -> Rows:
        """Places of those that the response is asked of, best first, or of the best where there is none."""
        if self._response is not None:
            return largest(hoped(worth, found.prices), FINALISTS)
        places = largest(worth, CANDIDATES)
        return places[worth[places] > 0]

    def _worth(self, asked: Break, found: Open) -> tuple[Floats, dict[str, Floats]]:
        """What rows are worth while nothing is known of their response; and what that is made of."""
        parts = {"price": found.prices}
        if self._relevance is not None:
            parts["relevance"] = self._relevance(asked, found.rows)
        if self._price is not None:
            parts["pacing"] = self._price()[found.items]
        return worth_of(found.prices, parts.get("relevance", 1.0), parts.get("pacing", 0.0)), parts

    def _fill(
        self, asked: Break, rows: list[Row], worth: list[float], beside: Sequence[Row]
    ) -> tuple[tuple[Placed, ...], float]:
        """What fills the break, where candidate 0 is the one meant to lead it, and how likely that one was to
        be so.

        The lead is the best one, or in some breaks one drawn by lot, around which the rest is put as ever.
        """
        if not rows:
            return (), 0.0
        lead = int(self._chance.integers(len(rows))) if self._chance.random() < self._explored else 0
        if lead:
            rows = [rows[lead], *rows[:lead], *rows[lead + 1 :]]
            worth = [1.0 + sum(worth), *worth[:lead], *worth[lead + 1 :]]
        chance = self._explored / len(rows) + (1 - self._explored) * (lead == 0)
        return fill(asked, rows, worth, beside), chance

    def _chosen(self, placed: Placed, propensity: float, candidates: int) -> Chosen:
        row, served = placed.row, self._names.new()
        cost = self.wallet.promise(served, row.line_item.id, self._clock())
        return Chosen(
            served=served,
            row=row,
            slot=placed.slot,
            starts=placed.starts,
            cost=cost,
            propensity=propensity,
            candidates=candidates,
        )

    def _with_house(self, asked: Break, stream: History, chosen: list[Chosen]) -> list[Chosen]:
        """Paid advertisements and, for what stayed empty, house ones; slate where there is none."""
        taken = {each.slot: each for each in chosen}
        if asked.slots:
            wanted = [slot for slot in asked.slots if slot.id not in taken]
            if not wanted:
                return chosen
            unused = self._house.suitable(asked, stream)
            for slot in wanted:
                own = self._house.take(unused, slot, slot.most)
                taken[slot.id] = self._of_the_house(own or self._house.slate(asked, slot, slot.most), slot.id)
            return _one_after_another([taken[slot.id] for slot in asked.slots])
        ends = sum([each.row.creative.duration for each in chosen])
        left = asked.duration - ends
        each = asked.each or Slot(id=asked.id, most=asked.duration)
        room = (asked.most or MOST_IN_A_BREAK) - len(chosen)
        if room <= 0 or (chosen and left < LEAST_LEFT):
            return chosen
        unused = self._house.suitable(asked, stream)
        found = list(chosen)
        while room > 0 and left > SLACK:
            row = self._house.take(unused, each, left)
            if row is None:
                break
            found.append(self._of_the_house(row, f"{asked.id}-house-{len(found) + 1}"))
            left, room = left - row.creative.duration, room - 1
        if not found:
            found.append(self._of_the_house(self._house.slate(asked, each, left), f"{asked.id}-house-1"))
        return _one_after_another(found)

    def _of_the_house(self, row: Row, slot: str) -> Chosen:
        return Chosen(served=self._names.new(), row=row, slot=slot, starts=0.0, cost=0, house=True)

    def _decision(self, asked: Break, chosen: Sequence[Chosen], trace: Trace | None) -> Decision:
        ends = sum([each.row.creative.duration for each in chosen])
        return Decision(
            id=self._names.new(),
            asked=asked,
            chosen=tuple(chosen),
            slate=max(asked.duration - ends, 0.0),
            trace=trace,
        )

    def _trace(
        self,
        asked: Break,
        found: Open,
        refused: Sequence[tuple[Reason, Rows]],
        chosen: Sequence[Chosen],
        spent: float,
    ) -> Trace:
        told = [self._refused(reason, rows) for reason, rows in refused if len(rows)]
        funded = self.wallet.available[found.items]
        if not funded.all():
            told.append(self._refused(Reason.BUDGET, found.rows[~funded]))
        worth, parts = self._worth(asked, found)
        best = largest(hoped(worth, found.prices), FINALISTS)
        if self._response is not None and len(best):
            response = parts["response"] = np.ones(len(worth))
            response[best] = self._response(asked, found.rows[best])
            worth = worth_of(found.prices, parts.get("relevance", 1.0) * response, parts.get("pacing", 0.0))
            best = best[np.argsort(-worth[best], kind="stable")]
        shown = {(each.row.line_item.id, each.row.creative.id) for each in chosen}
        considered = []
        for at in best.tolist():
            row = self.book.rows[found.rows[at]]
            is_shown = (row.line_item.id, row.creative.id) in shown
            considered.append(
                Considered(
                    line_item=row.line_item.id,
                    creative=row.creative.id,
                    worth=float(worth[at]),
                    parts={name: float(values[at]) for name, values in parts.items()},
                    shown=is_shown,
                    why="" if is_shown else _why_not(row, float(worth[at]), bool(funded[at]), chosen),
                )
            )
        viewer, scene = asked.viewer, asked.scene
        return Trace(
            rows=len(self.book),
            eligible=len(found.rows),
            refused=tuple(told),
            considered=tuple(considered),
            permissions={
                activity.value: f"{verdict.value}: {viewer.permissions.reasons.get(activity, '')}"
                for activity, verdict in viewer.permissions.verdicts.items()
            },
            scene={"genres": scene.genres, "moods": scene.moods, "events": scene.events},
            microseconds=spent,
            notes=asked.notes,
        )

    def _refused(self, reason: Reason, rows: Rows) -> Refused:
        items = list(dict.fromkeys(self.book.rows[at].line_item.id for at in rows[: 4 * MOST_NAMED]))
        return Refused(
            reason=reason.name.lower(),
            why=reason.value,
            count=len(np.unique(self.book.item[rows])),
            line_items=tuple(items[:MOST_NAMED]),
        )


class _Names:
    """Identities from the system's own chance, fetched many at a time."""

    def __init__(self) -> None:
        self._left: list[str] = []

    def new(self) -> str:
        """Sixteen hexadecimal digits."""
        try:
            return self._left.pop()
        except IndexError:  # and no look before it: breaks fall back beside the thread of a remote state
            digits = secrets.token_hex(8 * NAMES)
            left = [digits[at : at + 16] for at in range(0, len(digits), 16)]
            name = left.pop()
            self._left = left
            return name


def _why_not(row: Row, worth: float, funded: bool, chosen: Sequence[Chosen]) -> str:
    if not funded:
        return Reason.BUDGET.value
    if worth <= 0:
        return Reason.PACING.value
    if not all(row.bears(each.row) for each in chosen):
        return Reason.SEPARATION.value
    return Reason.OUTBID.value


def _one_after_another(chosen: Sequence[Chosen]) -> list[Chosen]:
    found, ends = [], 0.0
    for each in chosen:
        found.append(msgspec.structs.replace(each, starts=ends))
        ends += each.row.creative.duration
    return found
