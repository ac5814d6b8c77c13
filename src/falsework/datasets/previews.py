"""Samples as pictures: one small PNG each, which people look at and the copy audit reads, and contact
sheets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from falsework.datasets.shards import SPLITS, read_sample
from falsework.media.atomic import write_text
from falsework.media.colour import to_8bit
from falsework.media.images import write_png
from falsework.render.gbuffers import KINDS

__all__ = ["PREVIEWS", "contact_sheet", "picture_of", "stale_previews", "write_previews"]

Array = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]

PREVIEWS, DRAWN_FROM = "previews", "drawn_from.json"
KIND_COLOURS = np.array(
    [[60, 110, 190], [90, 90, 90], [150, 150, 150], [200, 140, 90], [230, 220, 120], [240, 60, 60]], np.uint8
)
LABEL = 15  # pixels
ACROSS = 10  # pictures in a line of a sheet


def preview_path(folder: Path, row: dict[str, Any]) -> Path:
    return folder / PREVIEWS / str(row["split"]) / f"{row['sample']}.png"


def write_previews(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    """A picture of every sample that has none yet, or one of other bytes; pictures of samples that are no
    more are removed."""
    before = _drawn_from(folder)
    now: dict[str, str] = {}
    try:
        for row in rows:
            path, name = preview_path(folder, row), _name(row)
            if before.get(name) != row["sha256"] or not path.is_file():
                arrays, _ = read_sample(folder, row)
                write_png(path, to_8bit(picture_of(arrays, "a" if row["targets"] else "analytic")))
            now[name] = row["sha256"]
    finally:
        write_text(folder / PREVIEWS / DRAWN_FROM, json.dumps(now, indent=1, sort_keys=True) + "\n")
    kept = {preview_path(folder, row) for row in rows}
    for split in SPLITS:
        for path in (folder / PREVIEWS / split).glob("b*_f*_c*.png"):
            if path not in kept:
                path.unlink()


def stale_previews(folder: Path, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Names of samples whose pictures are missing, or of other bytes than the index lists."""
    drawn = _drawn_from(folder)
    return [
        row["sample"]
        for row in rows
        if drawn.get(_name(row)) != row["sha256"] or not preview_path(folder, row).is_file()
    ]


def _name(row: dict[str, Any]) -> str:
    return f"{row['split']}/{row['sample']}"


def _drawn_from(folder: Path) -> dict[str, str]:
    """Digests of the samples that the pictures were drawn from; of what is not known, one is drawn anew."""
    try:
        return dict(json.loads((folder / PREVIEWS / DRAWN_FROM).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def picture_of(arrays: dict[str, Array], layers: str) -> npt.NDArray[np.float32]:
    """What comp makes of a sample's layers ("analytic", "a", "b" or "mean" of the halves): (h, w, 3)
    ACEScg."""

    def layer(name: str) -> npt.NDArray[np.float32]:
        if layers == "mean":
            return np.asarray((arrays[f"a.{name}"].astype(np.float32) + arrays[f"b.{name}"]) / 2, np.float32)
        return np.asarray(arrays[f"{layers}.{name}"], np.float32)

    if f"{'a' if layers == 'mean' else layers}.shadow" not in arrays:
        arrays = arrays | dict.fromkeys(("a.shadow", "b.shadow"), arrays["analytic.shadow"])

    surface, shadow, dust = layer("surface"), layer("shadow"), layer("dust")
    shown = np.maximum(1 - surface[..., 3:], 0.0)
    # Where a piece is seen, the plate's colour is that piece's: its edges take a little of it.
    behind = surface[..., :3] + shadow * shown * arrays["plate"].astype(np.float32)
    return np.asarray((1 - dust[..., 3:]) * behind + dust[..., :3], np.float32)


def contact_sheet(samples: Sequence[tuple[str, dict[str, Array]]], *, edge: int = 160) -> Picture:
    """Samples one below the other: picture, G-buffers, light, dust; and the targets, where there are any."""
    rows = [_row(name, arrays, edge) for name, arrays in samples]
    wide = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, wide - row.shape[1]), (0, 0))) for row in rows]
    return np.ascontiguousarray(np.concatenate(padded))


def _row(name: str, arrays: dict[str, Array], edge: int) -> Picture:
    tiles: list[tuple[str, Picture]] = [(name[-18:], to_8bit(picture_of(arrays, "analytic")))]
    targets = "a.surface" in arrays
    if targets:
        tiles.append(("path traced", to_8bit(picture_of(arrays, "mean"))))
    depth = arrays["depth"].astype(np.float32)
    tiles += [
        ("kind", KIND_COLOURS[np.minimum(arrays["kind"], len(KINDS) - 1)]),
        ("depth", _grey(np.where(np.isfinite(depth), 8.0 / np.maximum(depth, 8.0), 0.0))),
        ("normal", _coded(0.5 + 0.5 * arrays["normal"].astype(np.float32))),
        ("albedo", _coded(arrays["albedo"], gamma=True)),
        ("plate", to_8bit(arrays["plate"].astype(np.float32))),
        ("sun seen", _grey(arrays["sun_seen"].astype(np.float32) * arrays["sun_through"])),
        ("sky seen", _coded(arrays["sky_seen"][..., [0, 1, 4]])),
        ("near", _grey(arrays["near"])),
        ("dust through", _grey(arrays["dust_through"])),
        ("dust sun", _grey(2 * arrays["dust_sun"].astype(np.float32), gamma=True)),
        ("dust sky", _grey(3 * arrays["dust_sky"].astype(np.float32), gamma=True)),
        ("our surface", to_8bit(arrays["analytic.surface"][..., :3].astype(np.float32))),
        ("our dust", to_8bit(arrays["analytic.dust"][..., :3].astype(np.float32))),
    ]
    if targets:
        mean = {
            what: (arrays[f"a.{what}"].astype(np.float32) + arrays[f"b.{what}"]) / 2
            for what in ("surface", "dust")
        }
        noise = np.abs(arrays["a.surface"][..., :3].astype(np.float32) - arrays["b.surface"][..., :3])
        tiles += [
            ("its surface", to_8bit(mean["surface"][..., :3])),
            ("its dust", to_8bit(mean["dust"][..., :3])),
            *(
                [("its shadow", _coded(0.85 * arrays["a.shadow"].astype(np.float32)))]
                if "a.shadow" in arrays
                else []
            ),
            ("halves apart x4", to_8bit(4 * noise)),
        ]
    shown = [_labelled(words, tile, edge) for words, tile in tiles]
    shown += [np.zeros_like(shown[0])] * (-len(shown) % ACROSS)
    lines = [np.concatenate(shown[n : n + ACROSS], axis=1) for n in range(0, len(shown), ACROSS)]
    return np.concatenate(lines)


def _coded(values: Array, *, gamma: bool = False) -> Picture:
    numbers = np.clip(np.nan_to_num(values.astype(np.float32)), 0, 1)
    return np.asarray(255 * (numbers ** (1 / 2.2) if gamma else numbers) + 0.5, np.uint8)


def _grey(values: Array, *, gamma: bool = False) -> Picture:
    return np.repeat(_coded(values, gamma=gamma)[..., None], 3, axis=-1)


def _labelled(words: str, tile: Picture, edge: int) -> Picture:
    shrinks = max(tile.shape[:2]) > edge
    small = cv2.resize(
        np.ascontiguousarray(tile),
        (edge, edge),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST,
    )
    label = np.zeros((LABEL, edge, 3), np.uint8)
    cv2.putText(label, words, (3, LABEL - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.34, (230, 230, 230), 1, cv2.LINE_AA)
    return np.concatenate([label, np.asarray(small, np.uint8)])
