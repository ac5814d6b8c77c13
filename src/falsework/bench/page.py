"""A bench as a page, as a table in a terminal, and as files."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from falsework.bench.figure import error_time_png
from falsework.bench.headline import beside_denoised, shot_ratio, whole_seconds
from falsework.bench.rates import Rates
from falsework.bench.rows import Drawing, ShotStudy, Work
from falsework.bench.study import Bench
from falsework.media.atomic import write_bytes, write_text

__all__ = [
    "DENOISED_HEAD",
    "SIDES",
    "denoised_rows",
    "drawing_rows",
    "headline_words",
    "ratio_rows",
    "stage_rows",
    "write_bench",
]

SIDES = ("falsework", "traditional")
BOUNDS = {
    "": "",
    "at most": "At the fewest samples measured Cycles is already nearer its reference than falsework is: it "
    "may need less time than that for falsework's error, so the ratio is the most that can be claimed.",
    "mixed": "Some of the ratios are the most that can be claimed, some the least: see the table.",
    "at least": "At the most samples measured Cycles is not yet as near its reference as falsework is: the "
    "ratio is the least that can be claimed.",
}
DENOISED_HEAD = (
    "shot",
    "frame",
    "ours, s",
    "FLIP",
    "samples",
    "s",
    "FLIP",
    "ratio",
    "at equal FLIP",
)
ORDER = ("simulation", "dust", "start", "setup", "comp")


def headline_words(bench: Bench) -> str:
    """The headline in a sentence, or why there is none."""
    head = bench.headline
    if head is None:
        failed = "; ".join(f"{name} ({why.rstrip('.')})" for name, why in bench.failed.items())
        return (
            f"No headline: of {len(bench.shots) + len(bench.failed)} shots {len(bench.failed)} failed: "
            f"{failed}. The others are kept: run the same bench again, and it makes only what is missing."
        )
    bound = f" ({head.bound})" if head.bound else ""
    low, high = head.shot_spread
    f_low, f_high = head.frame_spread
    number = len(head.per_shot)
    of_shots = "one shot" if number == 1 else f"median of {number} shots"
    return (
        f"At equal HDR-FLIP a whole shot takes Blender {head.shot:.1f}{bound} times as long as falsework "
        f"({of_shots}, {low:.1f} to {high:.1f}); a frame's drawing alone "
        f"{head.frame:.1f}{bound} times ({f_low:.1f} to {f_high:.1f})."
    )


def ratio_rows(bench: Bench) -> list[tuple[str, ...]]:
    """Shot, ratio of a frame's drawing, ratio of the whole shot, bound; a shot that failed is named."""
    rows = []
    for one in bench.shots:
        frame, shot, bound = shot_ratio(one)
        rows.append((one.name, f"{frame:.2f}", f"{shot:.2f}", bound or "equal"))
    return [*rows, *((name, "", "", "failed") for name in bench.failed)]


def denoised_rows(shot: ShotStudy) -> list[tuple[str, ...]]:
    """Every studied frame beside Cycles with its denoiser, in the columns of DENOISED_HEAD: the cheapest of
    its drawings whatever its error, how many times as long as ours it takes, and so at equal error."""
    rows: list[tuple[str, ...]] = []
    for one in beside_denoised(shot):
        ours, cheapest = one.ours, one.cheapest
        rows.append(
            (
                shot.name,
                str(one.frame),
                f"{ours.frame.wall:.2f}",
                f"{ours.flip:.4f}",
                _samples(cheapest),
                f"{cheapest.frame.wall:.2f}",
                f"{cheapest.flip:.4f}",
                f"{one.at_any_error:.2f}",
                f"{one.equal.bound} {one.at_equal_error:.2f}".strip(),
            )
        )
    return rows


def stage_rows(shot: ShotStudy) -> list[tuple[str, ...]]:
    """Stage, then wall and processor seconds of either side, for the whole shot but for the drawing."""
    rows = []
    for stage in ORDER:
        works = [shot.stages.get(side, {}).get(stage) for side in SIDES]
        if any(works):
            rows.append((stage, *(part for work in works for part in _seconds(work))))
    return rows


def write_bench(bench: Bench, rates: Rates, folder: Path, json_file: Path | None) -> tuple[Path, ...]:
    """bench.html, error_time.png and bench.json in `folder` (and `json_file`); each appears whole."""
    folder.mkdir(parents=True, exist_ok=True)
    plot = error_time_png(bench.shots)
    text = json.dumps(bench.to_json(rates), indent=1) + "\n"
    written = [folder / "error_time.png", folder / "bench.html", folder / "bench.json"]
    write_bytes(written[0], plot)
    write_text(written[1], _page(bench, rates, plot))
    write_text(written[2], text)
    if json_file is not None:
        write_text(json_file, text)
        written.append(json_file)
    return tuple(written)


def _page(bench: Bench, rates: Rates, plot: bytes) -> str:
    template = Template((files("falsework.bench") / "page.html").read_text("utf-8"))
    return template.substitute(
        lead=escape(headline_words(bench)),
        bound=escape(BOUNDS[bench.headline.bound] if bench.headline else ""),
        sampling="".join(f"<li>{escape(line)}</li>" for line in bench.sampling),
        plot=base64.b64encode(plot).decode(),
        ratios=_table(("shot", "a frame", "whole shot", ""), ratio_rows(bench)),
        denoised=_table(DENOISED_HEAD, [row for shot in bench.shots for row in denoised_rows(shot)]),
        stages="".join(
            f"<p>{escape(shot.name)}</p>"
            + _table(("", "falsework, s", "cpu s", "Blender, s", "cpu s"), stage_rows(shot))
            for shot in bench.shots
        ),
        rows=_table(
            (
                "shot",
                "frame",
                "renderer",
                "samples",
                "denoised",
                "s a frame",
                "cpu s",
                "FLIP",
                "PSNR",
                "SSIM",
                "in time",
            ),
            [row for shot in bench.shots for row in drawing_rows(shot)],
        ),
        money=_money(bench, rates),
        made=escape(
            f"{bench.look.words} on {bench.machine}; Blender: "
            + ", ".join(f"{part} {version}" for part, version in bench.blenders.items())
        ),
    )


def drawing_rows(shot: ShotStudy) -> Iterable[tuple[str, ...]]:
    """Every drawing of a shot: shot, frame, renderer (falsework with its networks), samples, denoised, wall
    and processor seconds of a frame, FLIP, PSNR, SSIM, error in time."""
    for study in shot.studies:
        for one in study.drawings:
            renderer = shot.look.words if one.renderer == "falsework" else one.renderer
            yield (shot.name, str(study.frame), renderer, *_drawing(one))


def _samples(one: Drawing) -> str:
    return f"{one.samples}{' adaptive' if one.adaptive else ''}"


def _drawing(one: Drawing) -> tuple[str, ...]:
    return (
        _samples(one),
        "yes" if one.denoised else "",
        f"{one.frame.wall:.2f}",
        f"{one.frame.cpu:.2f}",
        f"{one.flip:.4f}",
        "" if one.psnr is None else f"{one.psnr:.1f}",
        f"{one.ssim:.3f}",
        "" if one.temporal is None else f"{one.temporal:.4f}",
    )


def _money(bench: Bench, rates: Rates) -> str:
    machine, person = rates.machine, rates.person
    rows = []
    for shot in bench.shots:
        ours, theirs = whole_seconds(shot)
        rows.append((shot.name, *(f"{seconds / 3600 * machine.per_hour:.4f}" for seconds in (ours, theirs))))
    hours = [(side, f"{getattr(person.hours, side).total:g}") for side in SIDES]
    return (
        f"<p>The machine's time, from a rate card: {machine.per_hour:g} {escape(rates.currency)} an hour for "
        f"{escape(machine.name)} ({escape(machine.source)}).</p>"
        + _table(("shot", f"falsework, {rates.currency}", f"Blender, {rates.currency}"), rows)
        + "<p>People's hours are a scenario, not measured: assumptions to be changed with "
        f"<code>--rates</code> ({person.per_hour:g} {escape(rates.currency)} an hour: "
        f"{escape(person.source)}). They are added to nothing above.</p>"
        + _table(("", "hours assumed"), hours)
    )


def _seconds(work: Work | None) -> tuple[str, str]:
    return (f"{work.wall:.1f}", f"{work.cpu:.1f}") if work is not None else ("", "")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr{' class=ours' if any(cell.partition(',')[0] == 'falsework' for cell in row) else ''}>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
