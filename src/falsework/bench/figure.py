"""Error against time: the plot of a bench."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")  # a file is drawn, no window

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from falsework.bench.rows import FrameStudy, ShotStudy

__all__ = ["error_time_png"]

OURS, PLAIN, DENOISED, FLOOR = "#c2410c", "#64748b", "#1d4ed8", "#a3a3a3"


def error_time_png(shots: Sequence[ShotStudy]) -> bytes:
    """A PNG: for every shot's first studied frame, HDR-FLIP against the seconds of a whole frame, both
    logarithmic; the noise floor is where the two references differ from one another."""
    columns = min(3, max(len(shots), 1))
    rows = -(-len(shots) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4.6 * columns, 3.7 * rows), squeeze=False, layout="constrained"
    )
    for number, panel in enumerate(axes.flat):
        if number >= len(shots):
            panel.set_axis_off()
            continue
        _panel(panel, shots[number].name, shots[number].studies[0])
    axes.flat[0].legend(loc="lower left", fontsize=8, frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    plt.close(figure)
    return buffer.getvalue()


def _panel(panel: Axes, name: str, study: FrameStudy) -> None:
    for denoised, colour, label in ((False, PLAIN, "Cycles"), (True, DENOISED, "Cycles, denoised")):
        drawn = [one for one in study.of("cycles") if one.denoised is denoised and not one.adaptive]
        if drawn:
            panel.plot(
                [one.frame.wall for one in drawn],
                [one.flip for one in drawn],
                "o-",
                color=colour,
                markersize=4,
                label=label,
            )
            for one in (drawn[0], drawn[-1]):
                panel.annotate(
                    f"{one.samples}",
                    (one.frame.wall, one.flip),
                    textcoords="offset points",
                    xytext=(4, 5),
                    fontsize=7,
                    color=colour,
                )
    for one in study.of("falsework"):
        panel.plot([one.frame.wall], [one.flip], "D", color=OURS, markersize=7, label="falsework")
        panel.axhline(one.flip, color=OURS, linewidth=0.8, linestyle=":")
    panel.axhline(study.noise_floor, color=FLOOR, linewidth=0.8, linestyle="--", label="noise floor")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_title(f"{name}, frame {study.frame}", fontsize=9)
    panel.set_xlabel("seconds a frame", fontsize=8)
    panel.set_ylabel("HDR-FLIP", fontsize=8)
    panel.tick_params(labelsize=7, which="both")
    panel.grid(True, which="major", linewidth=0.3)
