"""The addresses of one advertisement's events: signed beacons of our own."""

from __future__ import annotations

from falsework.ads.decision.engine import Chosen, Decision
from falsework.ads.measurement.beacons import Beacon, Signer
from falsework.ads.opportunity import Activity

__all__ = ["Tracking", "beacon"]

VIEWABILITY = (
    ("Viewable", "viewable"),
    ("NotViewable", "notViewable"),
    ("ViewUndetermined", "viewUndetermined"),
)


def beacon(decision: Decision, chosen: Chosen, signer: Signer) -> Beacon:
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


class Tracking:
    """Beacons' addresses for one advertisement, escaped for XML."""

    def __init__(self, decision: Decision, chosen: Chosen, signer: Signer) -> None:
        self._signer = signer
        self._packed = signer.packed(beacon(decision, chosen, signer))

    def __call__(self, kind: str) -> str:
        return self._signer.url(self._packed, kind).replace("&", "&amp;")  # nothing else in it needs escaping

    def viewability(self) -> str:
        """VAST's `ViewableImpression`, for players that measure it."""
        urls = "".join([f"<{name}>{self(kind)}</{name}>" for name, kind in VIEWABILITY])
        return f"<ViewableImpression>{urls}</ViewableImpression>"

    def events(self, kinds: tuple[str, ...]) -> str:
        """`Tracking` elements."""
        return "".join([f'<Tracking event="{kind}">{self(kind)}</Tracking>' for kind in kinds])
