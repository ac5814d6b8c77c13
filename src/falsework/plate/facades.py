"""From corner quads in the picture to walls in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Neighbour"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Neighbour:
    """The street wall of a house that stays, as a rectangle in the world.

    origin      (3,) bottom-left corner seen from the street, metres; z = 0
    right       (3,) unit vector along the wall, horizontal
    normal      (3,) unit vector out of the wall towards the street, horizontal
    width, height   metres
    party_wall  "left", "right" or "none": the end (seen from the street) where the falling building leaned
                against this house; the wall there runs from that end along -normal for `depth` metres
    depth       metres from the street wall to the back
    """

    name: str
    origin: Array
    right: Array
    normal: Array
    width: float
    height: float
    party_wall: str
    depth: float
