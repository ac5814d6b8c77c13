"""What the plate stage hands on: pictures, camera, facades, light, set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from falsework.plate.camera import Camera
from falsework.plate.lens import Lens

__all__ = ["Facade", "Light", "Plate", "SetPlane"]

Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Facade:
    """One planar wall of the building that the plate shows, as a rectangle in the world.

    origin     (3,) bottom-left corner seen from the street, metres
    right      (3,) unit vector along the wall, horizontal
    normal     (3,) unit vector out of the wall, horizontal
    width, height  metres; height from the ground to the cornice (the quad's top)
    storeys    number of storeys between ground and cornice, each `height / storeys` metres unless
               `levels` says otherwise
    levels     (storeys + 1,) heights of the floors in metres, 0 first, `height` last
    windows    (W, 4) openings in the wall's plane: left, bottom, right, top in metres from `origin`
    """

    name: str
    origin: npt.NDArray[np.float64]
    right: npt.NDArray[np.float64]
    normal: npt.NDArray[np.float64]
    width: float
    height: float
    levels: npt.NDArray[np.float64]
    windows: npt.NDArray[np.float64]

    @property
    def storeys(self) -> int:
        return len(self.levels) - 1

    def point(self, across: float, up: float, inward: float = 0.0) -> npt.NDArray[np.float64]:
        """World position of a point given in the wall's own frame (metres)."""
        return np.asarray(self.origin + across * self.right + np.array([0.0, 0.0, up]) - inward * self.normal)


@dataclass(frozen=True)
class Light:
    """Sun and sky of the plate, in the plate's own exposure (scene-linear ACEScg).

    sun_direction   (3,) unit vector from the scene towards the sun, world
    sun             (3,) irradiance a surface facing the sun receives from it
    sky             (3,) irradiance a horizontal surface receives from the open sky
    bounce          (3,) irradiance a downward-facing surface receives from the ground
    shade           (4,) plane (a, b, c, d): points with a*x + b*y + c*z + d < 0 are in the shade of what
                    stands outside the picture; the plane contains the sun's direction. All zero: none
    shade_softness  metres over which that shadow's edge fades

    A Lambertian surface of albedo A lit by irradiance E has radiance A * E / pi.
    """

    sun_direction: npt.NDArray[np.float64]
    sun: npt.NDArray[np.float64]
    sky: npt.NDArray[np.float64]
    bounce: npt.NDArray[np.float64]
    shade: npt.NDArray[np.float64]
    shade_softness: float = 1.0


@dataclass(frozen=True)
class SetPlane:
    """A standing surface of the set, for shadows and for dust to flow around: a rectangle in the world.

    origin (3,), u (3,), v (3,): corners are origin, origin + u, origin + u + v, origin + v (metres).
    thickness: metres of solid behind it (away from its normal u x v), for the dust's obstacles.
    """

    name: str
    origin: npt.NDArray[np.float64]
    u: npt.NDArray[np.float64]
    v: npt.NDArray[np.float64]
    thickness: float


@dataclass(frozen=True)
class Plate:
    """A solved plate. All pictures are float32, scene-linear ACEScg, (height, width, channels), of the
    working (undistorted) camera, rows from the top.

    picture    (H, W, 3) the plate itself
    facade     (H + pad_top, W, 3) the building without what stands before it, for projection; row `pad_top`
               is the plate's row 0, what lies above it is completed from the facade's own storeys.
               Equal to `picture` wherever nothing stands before the building, and beside the building; behind
               the rims of what stands beside it, the picture carried in from around
    building   (H + pad_top, W) 1 where `facade` shows the building that falls, 0 elsewhere (sky, neighbours);
               soft at its edges
    pad_top    rows
    clean      (H, W, 3) the place without the building; equal to `picture` away from it
    occluder   (H, W) opacity of what stands before the building, 0..1
    occluder_depth  (H, W) its depth along the optical axis in metres, infinite where there is none
    clean_depth     (H, W) depth of the clean plate's surfaces in metres, infinite for sky
    facades    the walls of the building that falls, left to right
    set_planes standing surfaces (neighbours, what the fall reveals)
    light      sun and sky
    grain      (3,) standard deviation of the plate's grain at middle grey (0.18), linear, per channel
    softness   standard deviation in pixels of the plate's blur (0: pixel-sharp)
    lens       distortion between the original file and the working picture
    original   (H0, W0, 3) the untouched plate in delivery resolution; `picture` itself where there is no
               distortion
    measures   what the solve found, for the report, by name: focal_35mm (mm, for 36 across the picture),
               pitch_up and roll (degrees), reprojection_error (pixels) and others
    """

    picture: Image
    facade: Image
    building: Image
    pad_top: int
    clean: Image
    occluder: Image
    occluder_depth: Image
    clean_depth: Image
    camera: Camera
    facades: tuple[Facade, ...]
    set_planes: tuple[SetPlane, ...]
    light: Light
    grain: npt.NDArray[np.float64]
    softness: float
    lens: Lens
    original: Image
    measures: Mapping[str, float] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the plate into `folder`, made if absent."""
        from falsework.plate.files import save_plate

        save_plate(self, folder)

    @classmethod
    def load(cls, folder: Path) -> Plate:
        """The plate that `save` wrote."""
        from falsework.plate.files import load_plate

        return load_plate(folder)

    def resized(self, height: int) -> Plate:
        """The same plate delivered at `height` rows (itself where that is not smaller)."""
        from falsework.plate.files import resized_plate

        return resized_plate(self, height)
