"""What is measured, row by row, and what was sampled to get there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["Drawing", "FrameStudy", "ShotStudy", "Work"]


@dataclass(frozen=True)
class Work:
    """Seconds of one piece of work: by the clock, and of all processors."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Drawing:
    """One picture drawn and compared.

    samples    paths a pixel (Cycles), sub-frames (falsework)
    measured   the seconds as they were taken, of the crop
    frame      the seconds of the whole frame's changed region, extrapolated as `FrameStudy` says
    """

    renderer: Literal["falsework", "cycles"]
    samples: int
    denoised: bool
    measured: Work
    frame: Work
    flip: float
    psnr: float
    ssim: float
    temporal: float | None = None


@dataclass(frozen=True)
class FrameStudy:
    """One frame of one shot.

    crop          x0, y0, x1, y1 in the picture that was drawn
    region        pixels of the rectangle in which the frame differs from its plate
    size          width and height of the whole picture
    reference     samples a pixel of each of the two references
    noise_floor   FLIP between the two references: no error below it means anything
    fixed, scale  seconds of a frame with next to no pixels, and how many times the crop's own seconds the
                  region takes: a Cycles drawing of s seconds (of the crop) counts fixed + (s - fixed) * scale
    """

    frame: int
    size: tuple[int, int]
    crop: tuple[int, int, int, int]
    region: int
    reference: int
    noise_floor: float
    fixed: Work
    scale: float
    drawings: tuple[Drawing, ...]

    def of(self, renderer: str) -> tuple[Drawing, ...]:
        return tuple(drawing for drawing in self.drawings if drawing.renderer == renderer)


@dataclass(frozen=True)
class ShotStudy:
    """One shot: the frames studied and the seconds of everything around them.

    frames    frames of the shot in which something happens: the drawing is charged for each of them
    asked     the frames that were to be studied
    stages    by side, then by stage ("start", "simulation", "dust", "setup", "comp"): seconds of the whole
              shot; comp is the same work on both sides
    """

    name: str
    frames: int
    asked: tuple[int, ...]
    studies: tuple[FrameStudy, ...]
    stages: dict[str, dict[str, Work]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
