"""The exposure log: what was decided, how likely it was, and what was known when; and what then happened.

From it a change is judged before it ships (`estimators.py`), reports are made (`reports.py`) and response
models learn (`falsework.ads.learning`). Nothing is in it that a person did not permit: `stream` and `viewer`
are empty where measuring or counting is denied, `personal` wherever choosing by behaviour is.
"""

from __future__ import annotations

import msgspec

from falsework.ads.decision.engine import Decision
from falsework.ads.learning.features import contextual, personal
from falsework.ads.opportunity import Activity
from falsework.ads.state.protocol import Event

__all__ = ["Exposure", "Happened", "exposures", "read_record"]


class Exposure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="exposure"):
    """One advertisement that a decision put into a break.

    `at` seconds since 1970, UTC; `starts` and `duration` seconds; `cost` micros that its impression will
    cost. `propensity`: how likely it was to stand first among `candidates`; 0.0 where that is not known.
    `context` and `personal`: names of features, see `falsework.ads.learning.features`.
    """

    at: float
    decision: str
    served: str
    campaign: str
    advertiser: str
    line_item: str
    creative: str
    slot: str = ""
    starts: float = 0.0
    duration: float = 0.0
    cost: int = 0
    house: bool = False
    propensity: float = 0.0
    candidates: int = 0
    categories: tuple[str, ...] = ()
    stream: str = ""
    viewer: str = ""
    context: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()


class Happened(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="event"):
    """An event as it came in; `fresh`: False for a duplicate, which counts nothing."""

    event: Event
    fresh: bool = True


_DECODER: msgspec.msgpack.Decoder[Exposure | Happened] = msgspec.msgpack.Decoder(Exposure | Happened)


def read_record(frame: bytes) -> Exposure | Happened:
    """A record of the log. Raises `msgspec.DecodeError` for anything else."""
    return _DECODER.decode(frame)


def exposures(decision: Decision) -> list[Exposure]:
    """What a decision adds to the log. A viewer is in it as the hashed name that the break carries, and only
    where it may be counted."""
    asked = decision.asked
    viewer = asked.viewer
    measured = viewer.permissions.allows(Activity.MEASURE)
    counted = viewer.permissions.allows(Activity.CAP_FREQUENCY) and not viewer.kids
    around, about = contextual(asked), personal(viewer)
    return [
        Exposure(
            at=asked.at,
            decision=decision.id,
            served=each.served,
            campaign=each.row.campaign.id,
            advertiser=each.row.campaign.domain,
            line_item=each.row.line_item.id,
            creative=each.row.creative.id,
            slot=each.slot,
            starts=each.starts,
            duration=each.row.creative.duration,
            cost=each.cost,
            house=each.house,
            propensity=each.propensity,
            candidates=each.candidates,
            categories=each.row.line_item.categories,
            stream=viewer.stream if measured else "",
            viewer=viewer.identifier if counted else "",
            context=around,
            personal=about,
        )
        for each in decision.chosen
    ]
