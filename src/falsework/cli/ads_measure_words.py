"""The words of `falsework ads replay|fit|report|evaluate`: tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsework.errors import shown

if TYPE_CHECKING:
    from falsework.ads.learning.fit import Judged
    from falsework.ads.learning.response import ResponseModel
    from falsework.ads.measurement.estimators import Estimate
    from falsework.ads.replay.episodes import Outcome

__all__ = ["print_estimates", "print_fit", "print_replay", "print_report"]

MICROS = 1_000_000
PIPED_WIDTH = 200  # nobody reads a file or a pipe by its width


def print_replay(
    ran: dict[str, tuple[float | None, Outcome]], best: Outcome, budget: float, horizon: int
) -> None:
    rows = []
    for name, parameter, won in [*((n, p, w) for n, (p, w) in ran.items()), ("in hindsight", None, best)]:
        rows.append([
            name, "" if parameter is None else f"{parameter:.6g}", str(won.auctions), str(won.wins),
            str(won.clicks), f"{won.predicted:.2f}", f"{won.cost:.6g}",
            f"{won.cost / won.clicks:.6g}" if won.clicks else "–", f"{won.spent:.1%}",
        ])  # fmt: skip
    head = [
        "strategy",
        "parameter",
        "auctions",
        "wins",
        "clicks",
        "predicted",
        "cost",
        "a click",
        "of budget",
    ]
    _table(head, rows, title=f"A budget of {budget:.6g} for every {horizon} auctions")
    _say("In hindsight: the most predicted clicks that the budgets buy when every price and rate is known.")


def print_fit(out: Path, model: ResponseModel, judged: Judged) -> None:
    whose = "viewers' segments among them" if model.uses_personal else "none of a viewer"
    _say(f"{out}: {len(model.weights)} features of {model.rows} impressions, {whose}")
    _table(
        ["on the last 15 % of the log", "model", "base rate"],
        [
            ["log-loss", f"{judged.log_loss:.5f}", f"{judged.base_log_loss:.5f}"],
            ["area under the curve", f"{judged.auc:.4f}", "0.5000"],
            ["calibration error", f"{judged.calibration_error:.5f}", f"{judged.base_calibration_error:.5f}"],
        ],
        title=f"{judged.rows} impressions, {judged.responses} with “{model.event}”",
    )
    if judged.log_loss >= judged.base_log_loss:
        _say("It is no better than saying the base rate every time: do not use it yet.")


def print_report(
    by: Sequence[str], rows: list[dict[str, Any]], counts: dict[str, Any], people: dict[str, Any]
) -> None:
    keys = [name.replace("-", "_") for name in by]
    _table(
        [*(name.replace("-", " ") for name in by), "decided", "shown", "25 %", "50 %", "75 %", "whole",
         "of started", "clicks", "of shown", "cost", "viewable, told", "viewable, from events"],
        [
            [
                *(str(row[key]) for key in keys), str(row["decisions"]), str(row["impressions"]),
                str(row["first_quartile"]), str(row["midpoint"]), str(row["third_quartile"]),
                str(row["complete"]), _share(row["completion_rate"]), str(row["clicks"]),
                _share(row["click_rate"]), f"{row['cost_micros'] / MICROS:.2f}", _share(row["viewable_told"]),
                _share(row["viewable_from_events"]),
            ]
            for row in rows
        ],
        title="Delivered",
    )  # fmt: skip
    _table(
        ["counts against each other", ""],
        [
            ["decisions without an impression", f"{_share(counts['lost'])} of {counts['decisions']}"],
            ["impressions without a decision", str(counts["impressions_without_decision"])],
            ["impressions that never started", str(counts["impressions_without_start"])],
            ["starts without an impression", str(counts["starts_without_impression"])],
            ["duplicates, counted once", f"{counts['duplicates']} of {counts['beacons']}"],
            ["agreed; paid", f"{counts['agreed_micros'] / MICROS:.2f}; {counts['cost_micros'] / MICROS:.2f}"],
        ],
        title="\nDiscrepancies",
    )
    if counts["suspicious"]:
        _say("These counts are further apart than is usual (1–3 %; above 10 % it costs money).")
    if people["viewers"]:
        _say(f"Reach: {people['viewers']} viewers, {people['frequency']:.2f} impressions each, of the "
             f"{people['counted_share']:.1%} of impressions whose viewers may be counted.")  # fmt: skip
    else:
        _say("Reach: of no impression may the viewer be counted.")
    _say("Viewable from events: it ran for two seconds on end. No pixels were measured.")


def print_estimates(policy: str, found: Sequence[Estimate], own: Estimate | None) -> None:
    rows = []
    for one in [*found, *([own] if own is not None else [])]:
        interval = "refused" if one.low is None or one.high is None else f"{one.low:.5f} to {one.high:.5f}"
        value = "–" if one.value is None else f"{one.value:.5f}"
        rows.append([one.method, value, interval, f"{one.effective_sample:.1f}", str(one.decisions)])
    _table(
        ["estimate", "value", f"{found[0].level:.0%} interval", "effective sample", "decisions"],
        rows,
        title=f"The policy “{policy}”, for each decision",
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, title: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", header_style="bold", box=None, padding=(0, 2, 0, 0))
    for place, name in enumerate(head):
        drawn.add_column(escape(name), justify="left" if place == 0 else "right", overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(shown(cell)) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(drawn)


def _say(words: str) -> None:
    print(shown(words))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
