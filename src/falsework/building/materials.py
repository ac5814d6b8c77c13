"""What buildings are made of: densities, strengths, looks."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MATERIALS", "Material", "material_index"]


@dataclass(frozen=True)
class Material:
    """One building material.

    density       kg/m3
    compression, tension, shear   strength in N/m2 (Pa)
    friction      Coulomb coefficient
    texture       file name in `render/textures`, "" for a plain colour
    tile          metres one repeat of the texture covers
    albedo        linear ACEScg colour the texture is scaled to on average
    """

    name: str
    density: float
    compression: float
    tension: float
    shear: float
    friction: float
    texture: str
    tile: float
    albedo: tuple[float, float, float]


# Strengths: reinforced concrete 35/5.2 and masonry 10/0.2 N/mm2 as used by the Bullet Constraints Builder;
# shear of masonry after EN 1996-1-1 (initial shear strength 0.2 N/mm2 plus friction), of concrete after
# EN 1992-1-1. Densities after EN 1991-1-1, Annex A.
MATERIALS: tuple[Material, ...] = (
    Material("concrete", 2400.0, 35e6, 5.2e6, 4.0e6, 0.7, "concrete.jpg", 2.5, (0.36, 0.34, 0.31)),
    Material("brick", 1800.0, 10e6, 0.2e6, 0.35e6, 0.7, "brick.jpg", 1.6, (0.33, 0.20, 0.14)),
    Material("rubble_stone", 1800.0, 10e6, 0.2e6, 0.35e6, 0.7, "rubble_stone.jpg", 2.0, (0.36, 0.31, 0.25)),
    Material("plaster", 1300.0, 3e6, 0.15e6, 0.3e6, 0.6, "plaster.jpg", 2.0, (0.55, 0.51, 0.45)),
    Material("wallpaper", 1300.0, 3e6, 0.15e6, 0.3e6, 0.6, "plaster.jpg", 2.0, (0.42, 0.36, 0.27)),
    Material("timber", 600.0, 24e6, 14e6, 4e6, 0.5, "", 1.0, (0.20, 0.13, 0.08)),
    Material("roofing", 2000.0, 10e6, 1e6, 1e6, 0.6, "", 1.0, (0.14, 0.14, 0.15)),
    Material("glass", 2500.0, 1000e6, 40e6, 40e6, 0.3, "", 1.0, (0.10, 0.12, 0.12)),
    Material("steel", 7850.0, 250e6, 250e6, 140e6, 0.4, "rust.jpg", 0.6, (0.18, 0.09, 0.05)),
    Material("clutter", 300.0, 1e6, 0.5e6, 0.5e6, 0.6, "", 1.0, (0.12, 0.10, 0.09)),
)


def material_index(name: str) -> int:
    """Position of a material in `MATERIALS`; raises KeyError for an unknown name."""
    for index, material in enumerate(MATERIALS):
        if material.name == name:
            return index
    raise KeyError(name)
