"""The chain of those who sold a request on. IAB Tech Lab, "OpenRTB SupplyChain object", version 1.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from falsework.ads.openrtb.objects import SupplyChain

__all__ = ["chain_fault"]


def chain_fault(chain: SupplyChain | Any, at: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a chain, as (field, words); one from an `ext` is any JSON there is."""
    if not isinstance(chain, SupplyChain):
        try:
            chain = msgspec.convert(chain, SupplyChain)
        except msgspec.ValidationError as error:
            what, _, path = str(error).partition(" - at `$")
            yield at + path.rstrip("`"), what[:1].lower() + what[1:]
            return
    if chain.complete not in (None, 0, 1):
        yield f"{at}.complete", "is neither 0 nor 1"
    if not chain.nodes:
        yield f"{at}.nodes", "is missing or empty"
    for number, node in enumerate(chain.nodes or ()):
        for name in ("asi", "sid"):
            if not getattr(node, name):
                yield f"{at}.nodes[{number}].{name}", "is missing"
    if not chain.ver:
        yield f"{at}.ver", "is missing"
