"""What broke and what struck, with the energy in it: the sources of dust and chips."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from falsework.collapse.motion import EVENT_BREAK, EVENT_IMPACT

__all__ = ["EventLog"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

# Energy to open a square metre of crack, J/m2: quasi-brittle mortar and concrete (fib Model Code 2010,
# 5.1.5.2: about 100-150 for concrete; brickwork joints lie lower).
FRACTURE_ENERGY = 80.0
LEAST_IMPACT = 400.0  # joules
LEAST_CLOSING = 0.7  # m/s
MOST_PER_CALL = 80  # impacts kept per read-out, the strongest


class EventLog:
    """Collects rows and hands them back in order of time."""

    def __init__(self) -> None:
        self._rows: list[tuple[Float, Int, Float, Float, Float, Float, Int]] = []

    def _add(
        self,
        time: float,
        kind: int,
        position: Float,
        velocity: Float,
        normal: Float,
        energy: Float,
        fragment: Int,
    ) -> None:
        count = len(position)
        if count:
            self._rows.append(
                (np.full(count, time), np.full(count, kind), position, velocity, normal, energy, fragment)
            )

    def breaks(
        self, time: float, position: Float, velocity: Float, normal: Float, area: Float,
        elastic: Float, fragment: Int,
    ) -> None:  # fmt: skip
        """Bonds of `area` (K,) m2 that let go of `elastic` (K,) joules of strain besides their fracture
        energy.
        """
        self._add(time, EVENT_BREAK, position, velocity, normal, area * FRACTURE_ENERGY + elastic, fragment)

    def impacts(
        self, time: float, position: Float, velocity: Float, normal: Float, impulse: Float,
        closing: Float, fragment: Int,
    ) -> None:  # fmt: skip
        """Contacts with `impulse` (K,) N s at `closing` (K,) m/s; weak ones are dropped.

        The work done on a contact that stops is half of impulse times closing speed.
        """
        energy = 0.5 * impulse * closing
        strong = np.flatnonzero((energy >= LEAST_IMPACT) & (closing >= LEAST_CLOSING))
        strong = strong[np.argsort(-energy[strong], kind="stable")][:MOST_PER_CALL]
        self._add(
            time,
            EVENT_IMPACT,
            position[strong],
            velocity[strong],
            normal[strong],
            energy[strong],
            fragment[strong],
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The event_* arrays of `Motion`."""
        names = ("time", "kind", "position", "velocity", "normal", "energy", "fragment")
        shapes = ((0,), (0,), (0, 3), (0, 3), (0, 3), (0,), (0,))
        columns = [
            np.concatenate([row[k] for row in self._rows]) if self._rows else np.zeros(shapes[k])
            for k in range(7)
        ]
        order = np.argsort(columns[0], kind="stable")
        whole = ("kind", "fragment")
        return {
            f"event_{name}": column[order].astype(np.int32 if name in whole else np.float32)
            for name, column in zip(names, columns, strict=True)
        }
