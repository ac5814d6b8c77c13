"""What is measured, row by row, and what was sampled to get there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["Cost", "Drawing", "FrameStudy", "Look", "ShotStudy", "Work"]


@dataclass(frozen=True)
class Work:
    """Seconds of one piece of work: by the clock, and of all processors."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Drawing:
    """One picture drawn and compared.

    samples    paths a pixel (Cycles; the most, where `adaptive`), sub-frames (falsework)
    frame      seconds of the frame: measured for falsework and where `adaptive`, of `FrameStudy.cost` else
    psnr       None where the pictures are equal
    """

    renderer: Literal["falsework", "cycles"]
    samples: int
    denoised: bool
    adaptive: bool
    frame: Work
    flip: float
    psnr: float | None
    ssim: float
    temporal: float | None = None


@dataclass(frozen=True)
class Cost:
    """Seconds of a frame's changed region by Cycles: `fixed` and `sample` for each sample a pixel.

    drawn   what was measured to know it: samples a pixel and the seconds they took
    """

    fixed: Work
    sample: Work
    drawn: tuple[tuple[int, Work], ...]

    def of(self, samples: int) -> Work:
        return Work(self.fixed.wall + self.sample.wall * samples, self.fixed.cpu + self.sample.cpu * samples)


@dataclass(frozen=True)
class FrameStudy:
    """One frame of one shot.

    size          width and height of the whole picture
    crop          x0, y0, x1, y1 of the square in which pictures are compared
    region        the rectangle in which the frame differs from its plate, which Cycles is timed on
    reference     samples a pixel of each of the two references
    noise_floor   FLIP between the two references. They are compared with their mean, whose own error is some
                  half of it: no error below that means anything
    cost          of Cycles: without its denoiser, and with it where it is used
    """

    frame: int
    size: tuple[int, int]
    crop: tuple[int, int, int, int]
    region: tuple[int, int, int, int]
    reference: int
    noise_floor: float
    cost: tuple[Cost, ...]
    drawings: tuple[Drawing, ...]

    def of(self, renderer: str) -> tuple[Drawing, ...]:
        return tuple(drawing for drawing in self.drawings if drawing.renderer == renderer)


@dataclass(frozen=True)
class Look:
    """Who drew falsework's side.

    shading, dust_detail   as in the shot's [render]
    weights                SHA-256 of the networks' weights by their names in the registry; empty without any
    device                 what the networks run on
    """

    shading: str = "analytic"
    dust_detail: str = "plain"
    weights: dict[str, str] = field(default_factory=dict)
    device: str = "cpu"

    @property
    def words(self) -> str:
        """falsework, and which of its networks."""
        return ", ".join(["falsework", *(f"{name} network" for name in sorted(self.weights, reverse=True))])


@dataclass(frozen=True)
class ShotStudy:
    """One shot: the frames studied and the seconds of everything around them.

    frames    frames of the shot in which something happens: the drawing is charged for each of them
    asked     the frames that were to be studied
    stages    by side, then by stage ("simulation", "dust", "start", "setup", "comp"): seconds of the whole
              shot. start: of the renderer's program; setup: what it prepares once; comp: the same work on
              both sides
    look      who drew falsework's side
    """

    name: str
    frames: int
    asked: tuple[int, ...]
    studies: tuple[FrameStudy, ...]
    stages: dict[str, dict[str, Work]] = field(default_factory=dict)
    look: Look = field(default_factory=Look)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> ShotStudy:
        """What `to_json` gave, lists for tuples; KeyError or TypeError where it is something else."""
        stages = {
            side: {stage: Work(**work) for stage, work in works.items()}
            for side, works in given["stages"].items()
        }
        studies = tuple(_study(one) for one in given["studies"])
        look = Look(**given["look"])
        plain = {"asked": tuple(given["asked"]), "studies": studies, "stages": stages, "look": look}
        return cls(**(given | plain))


def _study(given: dict[str, Any]) -> FrameStudy:
    plain = {name: tuple(given[name]) for name in ("size", "crop", "region")}
    drawings = tuple(Drawing(**(one | {"frame": Work(**one["frame"])})) for one in given["drawings"])
    return FrameStudy(**(given | plain | {"cost": tuple(map(_cost, given["cost"])), "drawings": drawings}))


def _cost(given: dict[str, Any]) -> Cost:
    drawn = tuple((samples, Work(**work)) for samples, work in given["drawn"])
    return Cost(Work(**given["fixed"]), Work(**given["sample"]), drawn)
