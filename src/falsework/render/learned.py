"""The renderer whose light a network has corrected: gains on surfaces and dust, everything else as ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit, prange

from falsework.building.fragments import Fragments
from falsework.collapse.motion import Motion
from falsework.dust.field import Debris, DustField
from falsework.media.half import to_half, to_single
from falsework.models.light import LightNetwork
from falsework.models.light_features import (
    FIRST_PIECE,
    LightHere,
    dust_base,
    features,
    view_rays,
)
from falsework.plate.plate import Plate
from falsework.render.fine_volume import Refine
from falsework.render.gains import filled, spread
from falsework.render.gbuffers import MEASURED, GBufferRenderer
from falsework.render.settings import RenderSettings

__all__ = ["LearnedRenderer", "pixels_apart"]

Float = npt.NDArray[np.float32]
Half = npt.NDArray[np.float16]

LINES = 448  # of the pictures that the network has learned from
MOST = 8.0  # a gain on dust, either way
# Our own dust is brought to the network's colour in the mean over this many of the network's pixels around;
# what is finer than that, lobes' lit crowns and dark creases, stays ours.
AROUND = 12.0
FAR = 1e4  # metres: depth of the sky, to a filter


def pixels_apart(height: int) -> int:
    """How many pixels of a picture lie between those that the network is shown: its own pictures' scale."""
    return max(1, round(height / LINES))


class LearnedRenderer(GBufferRenderer):
    """Draws frames as `Renderer` does, with the light that a trained network says a path tracer would give.

    The network sees every few pixels of a large frame; its gains are brought to all of them along depths and
    normals. Frames in which nothing has happened are the plate's, with no network. relief: as for `Renderer`.
    """

    def __init__(
        self,
        plate: Plate,
        fragments: Fragments,
        motion: Motion,
        debris: Debris,
        dust: DustField,
        settings: RenderSettings,
        *,
        seed: int,
        light: LightNetwork,
        relief: float = 1.0,
        refine: Refine | None = None,
    ) -> None:
        super().__init__(
            plate,
            fragments,
            motion,
            debris,
            dust,
            settings,
            seed=seed,
            relief=relief,
            refine=refine,
            every=pixels_apart(plate.camera.height),
        )
        self._network = light
        self._here = LightHere.of(plate.light, self._albedo)
        rows, columns = np.arange(self._view.height), np.arange(self._view.width)
        self._rays = view_rays(self._view, rows.astype(np.float32) + 0.5, columns.astype(np.float32) + 0.5)

    def layers(self, index: int) -> Iterator[tuple[str, Float | Half]]:
        """As `Renderer.layers`; surfaces and dust come last, lit."""
        kept: dict[str, npt.NDArray[Any]] = {}
        lit: dict[str, Float | Half] = {}
        for name, image in super().layers(index):
            if name in MEASURED:
                kept[name] = image
            if name in ("surface", "dust", "dust_front"):
                lit[name] = image
            else:
                yield name, image
        if any(image[..., 3].any() for image in lit.values()):
            self._light_up(index, kept, lit)
        yield from lit.items()

    def _light_up(
        self, index: int, measured: dict[str, npt.NDArray[Any]], lit: dict[str, Float | Half]
    ) -> None:
        told = self.tell(
            index, {name: np.asarray(self._part(measured[name]), np.float32) for name in MEASURED}
        )
        surface = np.asarray(self._part(lit["surface"]), np.float32)
        given = features(told, surface, self._here, self._rays)
        on_surfaces, on_dust = self._network.gains(given)
        drawn = told["kind"] >= FIRST_PIECE
        on_surfaces = np.exp(filled(np.log(on_surfaces), drawn.astype(np.float32)))
        on_dust = np.exp(self._dust_gains(told, np.log(on_dust), lit["dust"]))
        if self._every > 1:
            guide = _guide(measured["depth"], measured["normal"], measured["albedo"])
            here = _guide(told["depth"], told["normal"], self._part(measured["albedo"]))
            solid = lit["surface"][..., 3] > 0
            dusty = (lit["dust"][..., 3] > 0) | (lit["dust_front"][..., 3] > 0)
            on_surfaces = spread(on_surfaces, here, guide, solid, self._every, flat=True)
            on_dust = spread(on_dust, here, guide, dusty, self._every, flat=False)
        lit["surface"] = _times(lit["surface"], on_surfaces)
        for name in ("dust", "dust_front"):
            lit[name] = _times(lit[name], on_dust)

    def _dust_gains(self, told: dict[str, npt.NDArray[Any]], logs: Float, dust: npt.NDArray[Any]) -> Float:
        """Logarithms of gains (h, w, 3) that bring our dust's colour to the network's, where there is any."""
        opacity = 1.0 - told["dust_through"].astype(np.float32)
        theirs = dust_base(told, self._here) * np.exp(logs) / np.maximum(opacity, 1e-3)[..., None]
        theirs = filled(np.log(np.maximum(theirs, 1e-6)), opacity)
        size = (self._view.width, self._view.height)
        ours = cv2.resize(np.asarray(to_single(dust)), size, interpolation=cv2.INTER_AREA)
        ours = cv2.GaussianBlur(ours, (0, 0), AROUND)
        colour = np.log(np.maximum(ours[..., :3], 1e-6) / np.maximum(ours[..., 3:], 1e-6))
        gains = filled(theirs - colour, np.minimum(ours[..., 3] * 50.0, 1.0))
        return np.asarray(np.clip(gains, -np.log(MOST), np.log(MOST)), np.float32)


def _guide(depth: npt.NDArray[Any], normal: npt.NDArray[Any], albedo: npt.NDArray[Any]) -> Float:
    guide = np.empty((*depth.shape, 5), np.float32)
    guide[..., 0] = np.where(np.isfinite(depth) & (depth > 0), depth, FAR)
    guide[..., 1:4] = normal
    guide[..., 4] = albedo.any(-1)
    return guide


def _times(layer: npt.NDArray[Any], gains: Float) -> Float | Half:
    """A layer (H, W, 4) with its light times `gains` (H, W, 3)."""
    rows = np.flatnonzero(layer[..., 3].any(axis=1))
    if not len(rows):
        return layer
    part = slice(rows[0], rows[-1] + 1)
    out = layer.copy()
    if out.dtype == np.float16:
        lit = to_single(out[part])
        _scale(lit, gains[part])
        out[part] = to_half(lit)
    else:
        _scale(out[part], gains[part])
    return out


@njit(cache=True, parallel=True)
def _scale(lit: Float, gains: Float) -> None:
    for y in prange(lit.shape[0]):
        for x in range(lit.shape[1]):
            for channel in range(3):
                lit[y, x, channel] *= gains[y, x, channel]
