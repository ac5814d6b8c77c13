"""Small pieces of the clearance report's page. Everything given as text is escaped here."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import cv2
import numpy as np
import numpy.typing as npt

from falsework.media.images import encode_jpeg

__all__ = [
    "SAID",
    "Picture",
    "anchor",
    "commands",
    "image",
    "mark",
    "numbered",
    "outlined",
    "quoted",
    "sentence",
    "shortened",
    "table",
    "value",
    "without_steering",
]

Picture = npt.NDArray[np.uint8]  # (H, W, 3), red first, as displayed

# Control characters but for line ends and tabs, and those that reorder or hide text.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
LONGEST = 420  # characters of a sentence on the page
SAID = {
    "fail": "failed",
    "unknown": "unknown",
    "waived": "waived",
    "pass": "passed",
    "not applicable": "not applicable",
}


def without_steering(page: str) -> str:
    """A page without what would turn its lines around or end it early for some readers, whoever wrote it."""
    return STEERING.sub("\ufffd", page)


def numbered(identities: Iterable[str], events: Mapping[str, int]) -> str:
    """Numbers of the events at which records stand, runs of them drawn together; ids where none does."""
    known = list(dict.fromkeys(identities))
    words = [
        _linked(first, last) for first, last in _runs(sorted({events[one] for one in known if one in events}))
    ]
    words += [f"<code>{escape(one[:19])}</code>" for one in known if one not in events][:3]
    return ", ".join(words)


def _linked(first: int, last: int) -> str:
    link = f'<a href="#e{first}">{first}</a>'
    return link if first == last else f"{link}–{last}"


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def mark(outcome: str) -> str:
    return f'<span class="mark {outcome.split()[0]}">{SAID.get(outcome, escape(outcome))}</span>'


def table(heads: str, rows: Sequence[str], whole: int) -> str:
    """A table under these column heads ("person, role"); a sentence where rows were left out."""
    if not rows:
        return ""
    cells = "".join(f"<th>{head}</th>" for head in heads.split(", "))
    rest = f"<p>{whole - len(rows):,} more are in clearance.json.</p>" if whole > len(rows) else ""
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>{rest}"


def shortened(words: str) -> str:
    """Words as text, cut after a clause where they run on for ever."""
    if len(words) <= LONGEST:
        return words
    kept = words[:LONGEST]
    clause = max(kept.rfind(". "), kept.rfind("; "))
    kept = kept[:clause] if clause > LONGEST // 2 else kept.rsplit(" ", 1)[0]
    return f"{kept} … (the rest is in clearance.json)"


def sentence(words: str) -> str:
    text = shortened(words[:1].upper() + words[1:])
    return text if text.rstrip("\"”’'").endswith((".", "!", "?", "…", "json)")) else text + "."


def commands(words: str) -> str:
    """A sentence with what stands in backticks as code."""
    parts = escape(words).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))


def value(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def anchor(rule: str) -> str:
    return "rule-" + "".join(letter if letter.isalnum() else "-" for letter in rule)


def quoted(where: str) -> str:
    plain = all(letter.isalnum() or letter in "/._-:@+" for letter in where)
    return where if plain else "'" + where.replace("'", "'\\''") + "'"


def outlined(picture: Picture, corners: Sequence[tuple[float, float]]) -> Picture:
    """The frame with the sample's corners joined, light on dark so that it shows on anything."""
    if len(corners) < 3:
        return picture
    drawn = np.ascontiguousarray(picture).copy()
    height, width = drawn.shape[:2]
    points = np.rint(np.array(corners) * (width, height)).astype(np.int32).reshape(-1, 1, 2)
    thick = max(width // 300, 2)
    for colour, across in (((20, 20, 20), 2 * thick), ((255, 214, 64), thick)):
        cv2.polylines(drawn, [points], True, colour, across, cv2.LINE_AA)
    return drawn


def image(picture: Picture, words: str, width: int) -> str:
    height, across = picture.shape[:2]
    if across > width:
        size = (width, max(round(height * width / across), 1))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    content = base64.b64encode(encode_jpeg(picture, quality=82)).decode("ascii")
    height, across = picture.shape[:2]
    return (
        f'<img width="{across}" height="{height}" alt="{escape(words)}" '
        f'src="data:image/jpeg;base64,{content}">'
    )
