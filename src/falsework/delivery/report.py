"""The report: one page that says what was asked, what was made of it, and whether physics agreed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from falsework.delivery.plots import Plot, draw_plot
from falsework.media.atomic import write_text
from falsework.media.images import encode_jpeg

__all__ = ["ReportData", "StageTime", "collapse_plots", "write_report"]

LEAD_WIDTH = 1600  # pixels of the picture that opens the page
FRAME_WIDTH = 800


@dataclass(frozen=True)
class StageTime:
    """Wall-clock seconds of one stage in this run; `reused` where an earlier run's result was taken."""

    name: str
    seconds: float
    reused: bool = False


@dataclass(frozen=True)
class ReportData:
    """Everything the report shows, in plain fields.

    title        the shot's name
    brief        the director's sentence, "" for none
    understood   (words of the brief, the setting they became) pairs
    instead      what the shot has where it was changed by hand: a setting's text in `understood` to its value
    read_by      a sentence on who else read the brief, "" for the built-in grammar alone
    not_understood  words of the brief nothing was made of
    facts        (label, value) for the head: size, frames, rate, seed, version …
    frames       (label, uint8 (H, W, 3) display picture), at most eight are shown besides `lead`
    lead         the picture that opens the page, or None: the middle one of `frames`
    settings     by section of shot.toml: key to value, as text
    stages       in the order of work
    plots        see `collapse_plots`
    checks       as `Motion.checks`: name to {"passed", "value", "limit", "means"}
    camera       (label, value) of the camera's solve
    warnings     sentences
    versions     library to version
    run_seconds  wall clock of this run, where stages overlap; None: the sum of those not reused
    """

    title: str
    brief: str
    facts: Sequence[tuple[str, str]]
    frames: Sequence[tuple[str, npt.NDArray[np.uint8]]]
    settings: Mapping[str, Mapping[str, str]]
    stages: Sequence[StageTime]
    plots: Sequence[Plot]
    checks: Mapping[str, Mapping[str, Any]]
    camera: Sequence[tuple[str, str]]
    warnings: Sequence[str] = ()
    understood: Sequence[tuple[str, str]] = ()
    instead: Mapping[str, str] = field(default_factory=dict)
    read_by: str = ""
    not_understood: Sequence[str] = ()
    lead: npt.NDArray[np.uint8] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    run_seconds: float | None = None


def collapse_plots(
    curves: Mapping[str, npt.NDArray[np.floating]],
    dust: Mapping[str, npt.NDArray[np.floating]],
    *,
    fps: float,
    start: float,
) -> list[Plot]:
    """The four plots of every shot, from `Motion.curves` and `DustField.curves`.

    `start` is the moment the first support goes, in seconds from the first frame.
    """
    marks = {"first support goes": start}

    def plot(title: str, unit: str, source: Mapping[str, Any], names: Mapping[str, str]) -> Plot:
        series = {label: np.asarray(source[name]) for name, label in names.items() if name in source}
        count = max((len(values) for values in series.values()), default=0)
        return Plot(title, unit, np.arange(count) / fps, series, marks)

    plots = [
        plot("Height of the roof", "m", curves, {"roof_height": "roof"}),
        plot("Fragments awake", "", curves, {"awake": "awake"}),
        plot("Mass of dust", "kg", dust, {"mass": "in the air", "settled": "settled", "left": "blown away"}),
        plot(
            "Energy",
            "J",
            curves,
            {"potential": "potential", "kinetic": "kinetic", "dissipated": "dissipated"},
        ),
    ]
    return [plot for plot in plots if plot.series]


def write_report(path: Path, report: ReportData) -> None:
    """Write the page: one HTML file that needs nothing else, on screens light and dark and on paper.

    The same data give the same bytes; the file appears whole.
    """
    lead = report.lead
    if lead is None and report.frames:
        lead = report.frames[len(report.frames) // 2][1]
    page = _template().substitute(
        title=escape(report.title),
        brief=f"<blockquote>{escape(report.brief)}</blockquote>" if report.brief else "",
        facts=_pairs(report.facts, "facts"),
        lead=_picture(lead, report.title, LEAD_WIDTH, "lead") if lead is not None else "",
        warnings=_warnings(report.warnings),
        verdict=_verdict(report.checks),
        frames="".join(_frame(label, picture) for label, picture in report.frames[:8]),
        checks=_checks(report.checks),
        plots="".join(_plot(plot) for plot in report.plots),
        understood=_understood(report),
        stages=_stages(report.stages, report.run_seconds),
        camera=_pairs(report.camera, "pairs"),
        settings=_settings(report.settings),
        versions=escape(
            ", ".join(f"{name} {version}" for name, version in report.versions.items()) or "falsework"
        ),
    )
    write_text(path, page)


@lru_cache(maxsize=1)
def _template() -> Template:
    return Template(files("falsework.delivery").joinpath("report.html").read_text(encoding="utf-8"))


def _picture(picture: npt.NDArray[np.uint8], words: str, width: int, kind: str) -> str:
    height, across = picture.shape[:2]
    if across > width:
        picture = np.asarray(
            cv2.resize(picture, (width, round(height * width / across)), interpolation=cv2.INTER_AREA),
            np.uint8,
        )
    content = base64.b64encode(encode_jpeg(picture, quality=84)).decode("ascii")
    height, across = picture.shape[:2]
    size = f'width="{across}" height="{height}"'
    return f'<img class="{kind}" {size} alt="{escape(words)}" src="data:image/jpeg;base64,{content}">'


def _frame(label: str, picture: npt.NDArray[np.uint8]) -> str:
    shown = _picture(picture, label, FRAME_WIDTH, "frame")
    return f"<figure>{shown}<figcaption>{escape(label)}</figcaption></figure>"


def _pairs(pairs: Sequence[tuple[str, str]], kind: str) -> str:
    rows = "".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in pairs)
    return f'<dl class="{kind}">{rows}</dl>' if rows else ""


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f'<section class="warnings"><h2>Worth knowing</h2><ul>{items}</ul></section>'


def _verdict(checks: Mapping[str, Mapping[str, Any]]) -> str:
    """One sentence on all checks together."""
    if not checks:
        return ""
    failed = [_words(name) for name, check in checks.items() if not check["passed"]]
    open_ = [_words(name) for name, check in checks.items() if not check.get("judged", True)]
    if not failed and open_:
        words = f"{len(checks) - len(open_)} of {len(checks)} physics checks passed"
        return f'<p class="verdict pass">{words}; not judged yet: {escape(", ".join(open_))}.</p>'
    if not failed:
        return f'<p class="verdict pass">All {len(checks)} physics checks passed.</p>'
    count = f"{len(failed)} of {len(checks)} physics checks failed"
    return f'<p class="verdict fail">{count}: {escape(", ".join(failed))}.</p>'


def _checks(checks: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, check in checks.items():
        kind, word = ("pass", "passed") if check["passed"] else ("fail", "failed")
        word = word if check.get("judged", True) else "not judged"
        rows.append(
            f'<tr><td><span class="{kind}">{word}</span></td>'
            f"<th scope=row>{escape(_words(name))}<small>{escape(str(check.get('means', '')))}</small></th>"
            f'<td class="figure">{_figure(check.get("value"))}</td>'
            f"<td>{escape(str(check.get('limit', '')))}</td></tr>"
        )
    head = "<thead><tr><th>result</th><th>check</th><th class=figure>measured</th><th>limit</th></tr></thead>"
    return (
        f'<table class="checks">{head}<tbody>{"".join(rows)}</tbody></table>'
        if rows
        else "<p>No checks were run.</p>"
    )


def _plot(plot: Plot) -> str:
    names = list(plot.series)
    key = ""
    if len(names) > 1:
        key = " ".join(
            f'<span class="key key-{index}">{escape(name)}</span>' for index, name in enumerate(names)
        )
    return f"<figure><figcaption><b>{escape(plot.title)}</b> {key}</figcaption>{draw_plot(plot)}</figure>"


def _understood(report: ReportData) -> str:
    rows = "".join(
        f"<tr><th scope=row>“{escape(words)}”</th>"
        f"<td><code>{escape(setting)}</code>{_instead(report.instead.get(setting))}</td></tr>"
        for words, setting in report.understood
    )
    table = f'<table class="understood"><tbody>{rows}</tbody></table>' if rows else ""
    if report.not_understood:
        words = ", ".join(f"“{escape(words)}”" for words in report.not_understood)
        table += f"<p>Not understood, so left alone: {words}.</p>"
    if report.read_by:
        table = f"<p>{escape(report.read_by)}</p>{table}"
    return f"<section><h2>What the brief became</h2>{table}</section>" if table else ""


def _instead(value: str | None) -> str:
    return f"<small>the shot was made with {escape(value)} instead</small>" if value is not None else ""


def _stages(stages: Sequence[StageTime], run: float | None) -> str:
    longest = max((stage.seconds for stage in stages), default=0.0) or 1.0
    rows = []
    for stage in stages:
        share = 100.0 * stage.seconds / longest
        said = "reused" if stage.reused else _seconds(stage.seconds)
        rows.append(
            f'<tr class="{"reused" if stage.reused else "made"}"><th scope=row>{escape(stage.name)}</th>'
            f'<td class="figure">{said}</td><td class="bar"><i style="width:{share:.1f}%"></i></td></tr>'
        )
    total = sum(stage.seconds for stage in stages if not stage.reused) if run is None else run
    foot = f'<tr><th scope=row>this run</th><td class="figure">{_seconds(total)}</td><td></td></tr>'
    return f'<table class="stages"><tbody>{"".join(rows)}</tbody><tfoot>{foot}</tfoot></table>'


def _settings(settings: Mapping[str, Mapping[str, str]]) -> str:
    sections = []
    for section, values in settings.items():
        rows = "".join(
            f"<tr><th scope=row><code>{escape(key)}</code></th><td>{escape(value)}</td></tr>"
            for key, value in values.items()
        )
        sections.append(f"<div><h3>[{escape(section)}]</h3><table><tbody>{rows}</tbody></table></div>")
    return "".join(sections)


def _seconds(seconds: float) -> str:
    if seconds >= 60:
        return f"{int(seconds + 0.5) // 60} min {int(seconds + 0.5) % 60:02d} s"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _figure(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return escape(str(value))
    return escape(f"{float(value):.4g}".replace("-", "−"))


def _words(name: str) -> str:
    return name.replace("_", " ")
