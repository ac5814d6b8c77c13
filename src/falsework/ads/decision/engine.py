"""From a break to what is shown in it: filtered, scored, put into the break, and never left empty."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from falsework.ads.campaigns.book import Book, Row
from falsework.ads.decision.filters import Eligible, Filters, History, Unsuitable
from falsework.ads.decision.pods import SLACK, Candidate, Placed, fill
from falsework.ads.decision.reasons import Reason
from falsework.ads.decision.trace import MOST_NAMED, Considered, Refused, Trace
from falsework.ads.decision.wallet import Wallet
from falsework.ads.opportunity import Activity, Break
from falsework.ads.state.protocol import State
from falsework.seeds import generator

__all__ = ["Chosen", "Decider", "Decision", "Score"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

# How much better than usual rows (n,) suit a break, 1.0 being usual.
Score = Callable[[Break, Rows], Floats]

FINALISTS = 64  # candidates that the slower score looks at
EXPLORED = (
    0.02  # of breaks are filled in an order left to chance, so that another policy can be judged by the log
)


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """One advertisement in a break. `served` is its identity for every event that follows. `starts` seconds
    from the break's beginning, `cost` micros for this impression. `propensity`: how likely it was to stand
    first in the break; 0.0 for the others, of which that is not known."""

    served: str
    row: Row
    slot: str
    starts: float
    cost: int
    propensity: float = 0.0
    house: bool = False


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """`slate`: seconds at the break's end that nothing fills, not even a house advertisement."""

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
        self._house = np.flatnonzero(book.house)

    def decide(self, asked: Break) -> Decision:
        """Raises nothing for any break that could be read."""
        began = time.perf_counter()
        stream = self._state.history(asked.viewer.stream)
        counted = asked.viewer.permissions.allows(Activity.CAP_FREQUENCY) and not asked.viewer.kids
        viewer = self._state.history(asked.viewer.identifier) if counted and asked.viewer.identifier else {}
        eligible = self.filters.eligible(asked, stream, viewer)
        rows = eligible.rows
        funded = self.wallet.available[self.book.item[rows]]
        worth, parts = self._worth(asked, rows)
        best = np.flatnonzero(funded & (worth > 0))
        if len(best) > FINALISTS:
            best = best[np.argpartition(-worth[best], FINALISTS)[:FINALISTS]]
        if self._response is not None and len(best):
            answer = self._response(asked, rows[best])
            worth[best] *= answer
            parts["response"] = np.ones(len(rows))
            parts["response"][best] = answer
        ordered = best[np.argsort(-worth[best], kind="stable")]
        candidates = [Candidate(int(rows[at]), self.book.rows[rows[at]], float(worth[at])) for at in ordered]
        placed, lead, chance = self._fill(asked, candidates)
        chosen = [self._chosen(each, chance if each.candidate.number == lead else 0.0) for each in placed]
        chosen += self._house_for(asked, stream, chosen)
        ends = max((each.starts + each.row.creative.duration for each in chosen), default=0.0)
        length = asked.duration or sum(slot.most for slot in asked.slots)
        trace = None
        if asked.trace:
            spent = (time.perf_counter() - began) * 1e6
            trace = self._trace(asked, eligible, funded, worth, parts, chosen, spent)
        return Decision(
            id=secrets.token_hex(8),
            asked=asked,
            chosen=tuple(sorted(chosen, key=lambda each: each.starts)),
            slate=max(length - ends, 0.0),
            trace=trace,
        )

    def _worth(self, asked: Break, rows: Rows) -> tuple[Floats, dict[str, Floats]]:
        """Price times how well a row suits, less what its budget is worth elsewhere: `price * (fit -
        dual)`."""
        parts = {"price": self.book.price[rows].astype(np.float64)}
        fit = np.ones(len(rows))
        if self._relevance is not None:
            fit = parts["relevance"] = self._relevance(asked, rows)
        dual = np.zeros(len(rows))
        if self._price is not None:
            dual = parts["pacing"] = self._price()[self.book.item[rows]]
        return np.maximum(parts["price"], 1.0) * (fit - dual), parts

    def _fill(self, asked: Break, candidates: Sequence[Candidate]) -> tuple[tuple[Placed, ...], int, float]:
        """What fills the break, which row leads it, and how likely that one was to lead.

        The lead is the best one, or in some breaks one drawn by lot, around which the rest is put as ever.
        """
        if not candidates:
            return (), -1, 0.0
        best = max(candidates, key=lambda one: one.worth)
        lead = best
        if self._chance.random() < self._explored:
            lead = candidates[int(self._chance.integers(len(candidates)))]
        if lead is best:
            placed = fill(asked, candidates)
        else:
            above = 1.0 + sum(one.worth for one in candidates)
            rest = [one for one in candidates if one is not lead]
            placed = fill(asked, [Candidate(lead.number, lead.row, above), *rest])
        chance = self._explored / len(candidates) + (1 - self._explored) * (lead is best)
        return placed, lead.number, chance

    def _chosen(self, placed: Placed, propensity: float) -> Chosen:
        row, served = placed.candidate.row, secrets.token_hex(8)
        self.wallet.promise(served, row.line_item.id, self._clock())
        cost = self.wallet.cost(row.line_item.id)
        return Chosen(
            served=served,
            row=row,
            slot=placed.slot,
            starts=placed.starts,
            cost=cost,
            propensity=propensity,
        )

    def _house_for(self, asked: Break, stream: History, chosen: Sequence[Chosen]) -> list[Chosen]:
        """House advertisements for what stayed empty, those first that the stream has seen least."""
        filled = {each.slot for each in chosen}
        rows = [self.book.rows[at] for at in self._suitable_house(asked)]
        rows.sort(key=lambda row: len(stream.get(row.counters[0], ())))
        found: list[Chosen] = []
        ends = max((each.starts + each.row.creative.duration for each in chosen), default=0.0)
        if asked.slots:
            empty = [(slot.id, slot.least, slot.most) for slot in asked.slots if slot.id not in filled]
        else:
            empty = [(f"{asked.id}-house", 0.0, asked.duration - ends)] if not chosen or rows else []
        for name, least, most in empty:
            row = next((one for one in rows if least - SLACK <= one.creative.duration <= most + SLACK), None)
            if row is None:
                continue
            rows = [one for one in rows if one is not row] or rows
            found.append(
                Chosen(served=secrets.token_hex(8), row=row, slot=name, starts=ends, cost=0, house=True)
            )
            ends += row.creative.duration
        return found

    def _suitable_house(self, asked: Break) -> Rows:
        book, house = self.book, self._house
        running = (book.starts[house] <= asked.at) & (asked.at < book.ends[house])
        if asked.viewer.kids:
            running &= book.child_safe[house]
        return house[running]

    def _trace(
        self,
        asked: Break,
        eligible: Eligible,
        funded: npt.NDArray[np.bool_],
        worth: Floats,
        parts: dict[str, Floats],
        chosen: Sequence[Chosen],
        spent: float,
    ) -> Trace:
        refused = [self._refused(reason, rows) for reason, rows in eligible.refused if len(rows)]
        if not funded.all():
            refused.append(self._refused(Reason.BUDGET, eligible.rows[~funded]))
        shown = {(each.row.line_item.id, each.row.creative.id) for each in chosen}
        considered = []
        for at in np.argsort(-worth, kind="stable")[:FINALISTS]:
            row = self.book.rows[eligible.rows[at]]
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
            eligible=len(eligible.rows),
            refused=tuple(refused),
            considered=tuple(considered),
            permissions={
                activity.value: f"{verdict.value}: {viewer.permissions.reasons.get(activity, '')}"
                for activity, verdict in viewer.permissions.verdicts.items()
            },
            scene={"genres": scene.genres, "moods": scene.moods, "events": scene.events},
            microseconds=spent,
        )

    def _refused(self, reason: Reason, rows: Rows) -> Refused:
        items = list(dict.fromkeys(self.book.rows[at].line_item.id for at in rows[: 4 * MOST_NAMED]))
        return Refused(
            reason=reason.name.lower(),
            why=reason.value,
            count=len(np.unique(self.book.item[rows])),
            line_items=tuple(items[:MOST_NAMED]),
        )


def _why_not(row: Row, worth: float, funded: bool, chosen: Sequence[Chosen]) -> str:
    if not funded:
        return Reason.BUDGET.value
    if worth <= 0:
        return Reason.PACING.value
    if any(not row.avoids.isdisjoint(each.row.occupies) for each in chosen):
        return Reason.SEPARATION.value
    return Reason.OUTBID.value
