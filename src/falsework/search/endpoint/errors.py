"""Why an endpoint's answer is not used."""

from __future__ import annotations

from typing import Any, Literal

__all__ = ["Charge", "EndpointError"]

Charge = Literal["nothing", "perhaps"]


class EndpointError(Exception):
    """The offline answer stands, because of `why`: words of our own, fit to follow "the endpoint ".

    A server's or a client's own words may carry keys, addresses or somebody's instructions, so they enter no
    error. `again` says whether another attempt may help, `after` the seconds the server asked to be left
    alone. `charge`: "perhaps" where the model may have worked (and will be paid) without our hearing of it.
    `trips` says whether it counts towards leaving the endpoint alone for a while. `usage` is what the server
    says was used, unchecked.
    """

    def __init__(
        self,
        why: str,
        *,
        again: bool = False,
        after: float | None = None,
        charge: Charge = "perhaps",
        trips: bool = True,
        usage: Any = None,
    ) -> None:
        super().__init__(why)
        self.why = why
        self.again = again
        self.after = after
        self.charge = charge
        self.trips = trips
        self.usage = usage
