"""Small line plots as SVG that takes its colours from the page it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np
import numpy.typing as npt

__all__ = ["Plot", "draw_plot"]

WIDTH, HEIGHT = 520.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 26.0, 24.0

# Prefixes for large values, so that axes read 0, 20, 40 MJ.
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Plot:
    """One plot over time.

    title     what is shown
    unit      of the values, "" for a count; J, kg and W get a prefix by themselves
    seconds   (T,) time from the shot's first frame
    series    by name, each (T,); NaN leaves a gap
    marks     moments worth a line: name to seconds
    """

    title: str
    unit: str
    seconds: npt.NDArray[np.floating]
    series: Mapping[str, npt.NDArray[np.floating]]
    marks: Mapping[str, float] = field(default_factory=dict)


def draw_plot(plot: Plot) -> str:
    """The plot as an <svg>; lines have the classes line-0, line-1 …, for the page's style to colour."""
    seconds = np.asarray(plot.seconds, dtype=np.float64)
    series = {name: np.asarray(values, dtype=np.float64) for name, values in plot.series.items()}
    every = np.concatenate([*series.values(), [0.0]]) if series else np.zeros(1)
    every = every[np.isfinite(every)]
    factor, unit = _prefix(plot.unit, float(np.abs(every).max(initial=0.0)))
    low, high = float(every.min(initial=0.0)) / factor, float(every.max(initial=0.0)) / factor
    if high - low < 1e-9:  # nothing to see: an axis from 0 to 1
        low, high = 0.0, 1.0
    levels = _ticks(low, high)
    low, high = min(low, levels[0]), max(high, levels[-1])
    begin, end = (float(seconds[0]), float(seconds[-1])) if len(seconds) else (0.0, 1.0)
    if end <= begin:
        end = begin + 1.0

    def across(value: float) -> float:
        return LEFT + (value - begin) / (end - begin) * (WIDTH - LEFT - RIGHT)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escape(plot.title)} over time">'
    ]
    for level in levels:
        y = up(level)
        parts.append(f'<line class="rule" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8:g}" y="{y + 4:.1f}" text-anchor="end">{_figure(level)}</text>')
    for moment in _ticks(begin, end):
        if begin <= moment <= end:
            words = f"{moment:g} s" if moment else "0"
            parts.append(
                f'<text x="{across(moment):.1f}" y="{HEIGHT - 7:g}" text-anchor="middle">{words}</text>'
            )
    if unit:
        parts.append(f'<text x="{LEFT - 8:g}" y="{TOP - 13:g}" text-anchor="end">{escape(unit)}</text>')
    for name, moment in plot.marks.items():
        if begin <= moment <= end:
            x = across(moment)
            parts.append(
                f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8:g}" y2="{HEIGHT - BOTTOM:g}"/>'
            )
            parts.append(f'<text x="{x:.1f}" y="{TOP - 13:g}">{escape(name)}</text>')
    for index, values in enumerate(series.values()):
        for run in _runs(values / factor):
            points = " ".join(f"{across(seconds[i]):.1f},{up(values[i] / factor):.1f}" for i in run)
            parts.append(f'<polyline class="line line-{index}" points="{points}"/>')
    parts.append("</svg>")
    return "".join(parts)


def _prefix(unit: str, largest: float) -> tuple[float, str]:
    if unit in ("J", "W"):
        for factor, letter in PREFIXES:
            if largest >= factor:
                return factor, letter + unit
    if unit == "kg" and largest >= 1e4:
        return 1e3, "tonnes"
    return 1.0, unit


def _ticks(low: float, high: float) -> list[float]:
    """Round values from at or below `low` to at or above `high`, about five of them."""
    rough = (high - low) / 4
    size = 10.0 ** np.floor(np.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * 0.999)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return [float(f"{number * step:.10g}") for number in np.arange(first, last + 1)]


def _figure(value: float) -> str:
    """12,500 and −40, as printed."""
    return f"{value:,.10g}".replace("-", "−")


def _runs(values: npt.NDArray[np.float64]) -> list[npt.NDArray[np.int64]]:
    """Indices of each unbroken stretch of finite values."""
    finite = np.flatnonzero(np.isfinite(values))
    return [run for run in np.split(finite, np.flatnonzero(np.diff(finite) > 1) + 1) if len(run)]
