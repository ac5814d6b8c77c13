"""The addresses of one advertisement's events: signed beacons of our own."""

from __future__ import annotations

from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.measurement.beacons import Beacon, Signer
from falsework.ads.opportunity import Activity
from falsework.ads.vast.stencil import BEACON, SERVED, mark

__all__ = ["Tracking", "beacon", "served_values"]

VIEWABILITY = (
    ("Viewable", "viewable"),
    ("NotViewable", "notViewable"),
    ("ViewUndetermined", "viewUndetermined"),
)


def beacon(decision: Decision, chosen: Chosen) -> Beacon:
    """What the events of one advertisement carry. The viewer is in it only where a person may be counted."""
    viewer = decision.asked.viewer
    counted = viewer.permissions.allows(Activity.CAP_FREQUENCY) and not viewer.kids
    return Beacon(
        stream=viewer.stream,
        served=chosen.served,
        line_item=chosen.row.line_item.id,
        issued=int(decision.asked.at),
        cost=chosen.cost,
        viewer=viewer.identifier if counted else "",
        counters=chosen.row.counters,
    )


def served_values(decision: Decision, chosen: Chosen, signer: Signer) -> dict[str, bytes]:
    """What the marks of an advertisement's text stand for, this time."""
    packed = signer.packed(beacon(decision, chosen))
    return {**signer.signatures(packed), BEACON: packed.encode(), SERVED: chosen.served.encode()}


class Tracking:
    """Beacons' addresses for an advertisement, escaped for XML, with marks where they change from one time it
    is served to the next."""

    def __init__(self, base: str) -> None:
        self._base = base

    def __call__(self, kind: str) -> str:
        return f"{self._base}/{kind}?b={mark(BEACON)}&amp;s={mark(kind)}"

    def viewability(self) -> str:
        """VAST's `ViewableImpression`, for players that measure it."""
        urls = "".join([f"<{name}>{self(kind)}</{name}>" for name, kind in VIEWABILITY])
        return f"<ViewableImpression>{urls}</ViewableImpression>"

    def events(self, kinds: tuple[str, ...]) -> str:
        """`Tracking` elements."""
        return "".join([f'<Tracking event="{kind}">{self(kind)}</Tracking>' for kind in kinds])
