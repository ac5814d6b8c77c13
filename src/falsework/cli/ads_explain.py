"""`falsework ads explain`, in a terminal: what a break asked, who was refused and why, and what fills it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from falsework.errors import shown

if TYPE_CHECKING:
    from rich.console import Console

    from falsework.ads.decision.engine import Decision
    from falsework.ads.decision.trace import Considered, Trace
    from falsework.ads.opportunity import Break, Slot

__all__ = ["query_in", "show"]

ADDRESS = re.compile(r"(?:https?://[^/?#]*)?/(?P<path>vast|pause)(?:\?(?P<query>[^#]*))?")
MICROS = 1_000_000


def query_in(text: str) -> tuple[str, str] | None:
    """("vast" or "pause", the query) of an address that a player asks; None for the name of a file."""
    found = ADDRESS.fullmatch(text)
    return (found["path"], found["query"] or "") if found else None


def show(decision: Decision, currency: str) -> None:
    """On standard output. Money in `currency` for a thousand impressions, time in seconds."""
    from rich.console import Console

    if decision.trace is None:
        return
    console = Console(highlight=False)
    _asked(console, decision.asked, decision.trace, currency)
    _refused(console, decision.trace)
    _considered(console, decision.trace, currency)
    _result(console, decision, currency)


def _asked(console: Console, asked: Break, trace: Trace, currency: str) -> None:
    slots = asked.slots or ((asked.each,) if asked.each else ())
    seconds = asked.duration or sum(slot.most for slot in slots)
    placement = asked.placement.name.lower().replace("_", " ")
    _line(console, f"Break {asked.id}: {seconds:g} s at most, {placement}")
    for slot in slots:
        conditions = _conditions(slot, currency)
        if conditions:
            _line(console, f"  slot {slot.id}: {'; '.join(conditions)}")
    blocked = [*asked.blocked_categories, *asked.blocked_domains, *asked.blocked_apps, *asked.blocked_seats]
    if blocked:
        _line(console, f"  blocked: {_products(asked.blocked_categories, blocked)}")
    beside = "; ".join(f"{name}: {', '.join(values)}" for name, values in trace.scene.items() if values)
    scene = asked.scene.scene or asked.scene.title or "a scene nobody described: the stricter rules hold"
    _line(console, f"Beside it: {scene}" + (f" ({beside})" if beside else ""))
    for note in trace.notes:
        _line(console, f"Note: {note}")
    if trace.permissions:
        who = "The viewer, a child" if asked.viewer.kids else "The viewer"
        table = _table("what", "may it be done", title=f"\n{who}")
        for what, verdict in trace.permissions.items():
            _row(table, what, verdict)
        console.print(table)


def _conditions(slot: Slot, currency: str) -> list[str]:
    """What a slot asks, where it asks anything."""
    asks = []
    if slot.lengths:
        asks.append(f"exactly {' or '.join(f'{length:g}' for length in slot.lengths)} s")
    elif slot.least:
        asks.append(f"{slot.least:g} to {slot.most:g} s")
    if slot.floor:
        asks.append(f"at least {_money(slot.floor, currency)}")
    if slot.floor_per_second:
        asks.append(f"at least {_money(slot.floor_per_second, currency)} for each second")
    if slot.mime_types:
        asks.append(" or ".join(slot.mime_types))
    if slot.secure:
        asks.append("https only")
    if slot.protocols:
        asks.append(f"protocols {', '.join(map(str, slot.protocols))}")
    if slot.least_rate or slot.most_rate:
        most = f"up to {slot.most_rate} kbit/s" if slot.most_rate else ""
        asks.append(f"from {slot.least_rate} {most or 'kbit/s'}" if slot.least_rate else most)
    return asks


def _products(ids: Sequence[str], blocked: Sequence[str]) -> str:
    from falsework.ads.taxonomy.taxonomies import products

    names = products().names
    told = [f"{one} ({names[one]})" if one in ids and one in names else one for one in blocked]
    return ", ".join(told[:12]) + (f" and {len(told) - 12} more" if len(told) > 12 else "")


def _refused(console: Console, trace: Trace) -> None:
    if not trace.rows:
        return
    _line(console, f"\nOf {trace.rows} creatives {trace.eligible} may be shown; the others are refused:")
    table = _table("line items", "because", "which")
    for one in trace.refused:
        more = one.count - len(one.line_items)
        names = ", ".join(one.line_items) + (f" and {more} more" if more > 0 else "")
        _row(table, str(one.count), one.why, names)
    if trace.refused:
        console.print(table)


def _considered(console: Console, trace: Trace, currency: str) -> None:
    if not trace.considered:
        return
    factors = [name for name in ("relevance", "response", "pacing") if name in trace.considered[0].parts]
    table = _table(
        "line item", "creative", "price", *(WORDS[name] for name in factors), "worth", "",
        title=f"\nConsidered, best first ({currency} for 1,000 impressions: {_formula(factors)})",
    )  # fmt: skip
    for each in trace.considered:
        parts = each.parts
        table.add_row(
            *map(
                _cell,
                (
                    each.line_item,
                    each.creative,
                    f"{parts['price'] / MICROS:.2f}",
                    *(f"{parts[name]:.3f}" for name in factors),
                    f"{each.worth / MICROS:.2f}",
                    _verdict(each),
                ),
            )
        )
    console.print(table)


WORDS: Mapping[str, str] = {"relevance": "fit", "response": "response", "pacing": "held back"}


def _formula(factors: Sequence[str]) -> str:
    fit = " x ".join(WORDS[name] for name in ("relevance", "response") if name in factors) or "1"
    return f"worth = price x ({fit} - held back)" if "pacing" in factors else f"worth = price x {fit}"


def _verdict(each: Considered) -> str:
    return "shown" if each.shown else each.why


def _result(console: Console, decision: Decision, currency: str) -> None:
    table = _table("from", "length", "line item", "creative", "price", "", title="\nThe break")
    for one in decision.chosen:
        creative = one.row.creative
        how = "the house's own" if one.house else "a partner's wrapper" if creative.wrapper else ""
        length = f"{creative.duration:g} s" if creative.duration else "a still"
        price = "nothing" if one.house else _money(one.row.line_item.price, currency)
        _row(table, f"{one.starts:g} s", length, one.row.line_item.id, creative.id, price, how)
    console.print(table)
    if decision.slate >= 1:
        _line(console, f"{decision.slate:g} s at its end stay with the player.")
    if decision.trace is not None and decision.trace.microseconds:
        _line(console, f"Decided in {decision.trace.microseconds / 1000:.1f} ms, this explanation included.")


def _money(micros: int, currency: str) -> str:
    if micros >= 1 << 61:
        return "a price in a currency that nobody gave a rate for (--rates), which nothing meets"
    return f"{micros / MICROS:.2f} {currency} for 1,000"


def _line(console: Console, text: str) -> None:
    from rich.markup import escape

    console.print(escape(shown(text)), soft_wrap=False)


def _cell(text: str) -> str:
    from rich.markup import escape

    return escape(shown(text))


def _row(table: Any, *cells: str) -> None:
    table.add_row(*map(_cell, cells))


def _table(*columns: str, title: str = "") -> Any:
    from rich.table import Table

    made = Table(
        title=title or None, title_justify="left", header_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
