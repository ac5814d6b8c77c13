"""The clearance report on the copy audit: what it found, and the nearest neighbours side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape

from falsework.rights.report import Report
from falsework.rights.report_markup import Picture, image, mark, outlined
from falsework.rights.report_origin import Match, Nearest

__all__ = ["MOST_PAIRS", "Pair", "copies_section"]

PAIR_WIDTH = 900  # pixels
MOST_PAIRS = 8
ABSENT = '<div class="absent">not at hand</div>'
KINDS = {"training": "training sample", "protected": "protected picture"}

Pair = tuple[Picture | None, Picture | None]  # a frame of ours, and the sample
Refs = Callable[[Iterable[str]], str]


def copies_section(
    report: Report, pairs: Mapping[str, Pair], nearest: Mapping[tuple[str, str], Pair], refs: Refs
) -> str:
    """The audit's words; what it found, by finding; then what came nearest without being found, by frame and
    sample."""
    if not report.audit:
        return (
            "<p>No copy audit of these frames is on record, so no neighbour can be shown beside them. Where "
            "a trained model touched them, or pictures are protected, <code>falsework audit</code> makes "
            "one.</p>"
        )
    parts = [f"<p>{mark(report.audit_outcome)} {escape(report.audit)}</p>"]
    parts += [_match(one, pairs.get(one.finding, (None, None)), refs) for one in report.matches[:MOST_PAIRS]]
    if len(report.matches) > MOST_PAIRS:
        parts.append(f"<p>{len(report.matches) - MOST_PAIRS} more are in clearance.json.</p>")
    parts.append(_neighbours(report, nearest))
    return "".join(parts)


def _match(one: Match, pair: Pair, refs: Refs) -> str:
    frame, sample = pair
    shown = ""
    if frame is not None or sample is not None:
        drawn = outlined(frame, one.outline) if frame is not None else None
        said = "; ".join((one.sample, *_figures(one.distance, one.symmetry, one.points)))
        shown = _side_by_side((drawn, sample), one.frame, one.sample, f"our frame {one.frame}", said)
    remedy = f" {escape(one.remedy)}" if one.remedy else ""
    return (
        f'<div class="match"><p>{mark(one.outcome)} {escape(one.words)}{remedy}'
        f"{refs((one.finding,))}</p>{shown}</div>"
    )


def _neighbours(report: Report, pictures: Mapping[tuple[str, str], Pair]) -> str:
    if report.compared == 0:
        return (
            "<p>There was nothing to compare with: no training sample and no protected picture could be "
            "read, so there is no neighbour to show.</p>"
        )
    if not report.nearest:
        if report.matches:
            return ""  # every sample that came near was found, and stands above
        return (
            "<p>The audit on record does not name the nearest neighbours. <code>falsework audit</code>, run "
            "again, does.</p>"
        )
    parts = [
        "<h3>Nearest neighbours</h3><p>Of all frames and samples these came nearest without being found: a "
        "PDQ distance of 128 is usual between strangers.</p>"
    ]
    for one in report.nearest:
        parts.append(_neighbour(one, pictures.get((one.frame, one.asset), (None, None))))
    return "".join(parts)


def _neighbour(one: Nearest, pair: Pair) -> str:
    what = f"{KINDS.get(one.group, 'sample')} {one.sample}"
    figures = "; ".join(_figures(one.distance, one.symmetry, one.points))
    own = f" It is the shot's own input {one.input}." if one.relation == "is" else ""
    words = f"Frame {one.frame} and the {what}: {figures}.{own}"
    frame, sample = pair
    if frame is None or sample is None:
        lost = " and ".join(
            name for name, picture in (("the frame", frame), ("the sample's file", sample)) if picture is None
        )
        verb = "is" if (frame is None) != (sample is None) else "are"
        return (
            f'<div class="match"><p>{escape(words)} They are not shown: {lost} {verb} not at hand as '
            "recorded.</p></div>"
        )
    shown = _side_by_side(pair, one.frame, one.sample, f"our frame {one.frame}", f"{one.sample}; {figures}")
    return f'<div class="match"><p>{escape(words)}</p>{shown}</div>'


def _side_by_side(pair: Pair, frame_name: str, sample_name: str, left_words: str, right_words: str) -> str:
    left, right = (
        image(picture, name, PAIR_WIDTH) if picture is not None else ABSENT
        for picture, name in zip(pair, (frame_name, sample_name), strict=True)
    )
    return (
        f'<div class="pair"><figure>{left}<figcaption>{escape(left_words)}</figcaption></figure>'
        f"<figure>{right}<figcaption>{escape(right_words)}</figcaption></figure></div>"
    )


def _figures(distance: int | None, symmetry: str, points: int | None) -> list[str]:
    figures = [f"PDQ {distance} of 256, {symmetry}"] if distance is not None else []
    return figures + ([f"{points} points agree"] if points is not None else [])
