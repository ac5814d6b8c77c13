"""What the collapse hands on: where every fragment is at every frame, and what broke and struck."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.media.arrays import read_arrays, write_arrays

__all__ = ["EVENT_BREAK", "EVENT_IMPACT", "Motion"]

EVENT_BREAK = 0
EVENT_IMPACT = 1

Float = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """Rigid motion of N fragments over T frames, world frame, SI units. Frame 0 is the shot's first.

    fps            frames per second
    position       (T, N, 3) centre of mass, metres
    rotation       (T, N, 4) unit quaternion x, y, z, w, rest pose is (0, 0, 0, 1)
    moved          (T, N) True from the first frame in which a fragment has left its rest pose
                   (False: exactly at rest pose)
    bond_broken    (B,) frame at which a bond broke, -1 never
    event_time     (E,) seconds after frame 0, ascending
    event_kind     (E,) EVENT_BREAK or EVENT_IMPACT
    event_position (E, 3);  event_velocity (E, 3) m/s;  event_normal (E, 3)
    event_energy   (E,) joules
    event_fragment (E,) the (lighter) fragment concerned
    curves         by name, each (T,): "roof_height" m, "awake" fragments, "kinetic" J, "potential" J
                   (relative to rest), "dissipated" J, "bonds" left
    checks         by name: {"passed": bool, "value": float, "limit": str, "means": str}
    """

    fps: float
    position: Float
    rotation: Float
    moved: npt.NDArray[np.bool_]
    bond_broken: npt.NDArray[np.int32]
    event_time: Float
    event_kind: npt.NDArray[np.int32]
    event_position: Float
    event_velocity: Float
    event_normal: Float
    event_energy: Float
    event_fragment: npt.NDArray[np.int32]
    curves: dict[str, Float]
    checks: dict[str, dict[str, Any]]

    @property
    def frames(self) -> int:
        return len(self.position)

    def save(self, folder: Path) -> None:
        arrays = {
            f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("fps", "curves", "checks")
        }
        arrays |= {f"curve.{name}": curve for name, curve in self.curves.items()}
        write_arrays(folder / "motion.safetensors", arrays, fps=self.fps, checks=self.checks)

    @classmethod
    def load(cls, folder: Path) -> Motion:
        arrays, values = read_arrays(folder / "motion.safetensors")
        curves = {name[6:]: arrays.pop(name) for name in list(arrays) if name.startswith("curve.")}
        return cls(fps=values["fps"], checks=values["checks"], curves=curves, **arrays)
