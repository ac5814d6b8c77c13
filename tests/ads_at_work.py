"""A decision service at work on the sample campaigns and the sample catalogue, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from falsework.ads.campaigns.sample import campaigns_file
from falsework.ads.server.deadline import Deadline
from falsework.ads.server.running import Settings, build
from falsework.ads.server.service import Answer, Service

COLLAPSE = {"content": {"id": "the-lyon-corner-2026"}}
COLLAPSE_AT = 4746
GARDEN = {"content": {"id": "the-garden"}}  # where nothing happens


@contextmanager
def at_work(folder: Path, *, campaigns: Path | None = None, **changes: Any) -> Iterator[Service]:
    from falsework.catalogue.database import Catalogue
    from falsework.catalogue.records import Scene, Title
    from falsework.catalogue.sample import fill

    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "catalogue.db"
    if not database.exists():
        with Catalogue.open(database) as catalogue:
            fill(catalogue)
            with catalogue.writing() as writer:
                writer.titles([Title(id="the-garden", title="The Garden", genres=("Comedy",))])
                writer.scenes([Scene(id="the-garden/1", title_id="the-garden", number=1, starts=0.0)])
    settings = {
        "campaigns": str(campaigns or campaigns_file()),
        "state": str(folder / "state"),
        "key_file": str(folder / "keys"),
        "catalogue": str(database),
        "log": str(folder / "log"),
        "explored": 0.0,
    }
    service = build(Settings(**(settings | changes)))
    service.scenes.load("the-lyon-corner-2026")
    try:
        yield service
    finally:
        service.close()


def request(**changes: Any) -> dict[str, Any]:
    """A pod of 75 seconds in the collapse, asked for by a viewer in France who agreed to nothing."""
    video = {
        "mimes": ["video/mp4"],
        "podid": "pod",
        "poddur": 75,
        "maxseq": 4,
        "startdelay": COLLAPSE_AT,
        **changes.pop("video", {}),
    }
    told = {
        "id": "request-1",
        "imp": [{"id": "1", "video": video}],
        "app": COLLAPSE,
        "device": {"devicetype": 3, "geo": {"country": "FRA"}},
    }
    return told | changes


def ask(service: Service, told: dict[str, Any] | bytes, *, late: bool = False, trace: bool = False) -> Answer:
    body = told if isinstance(told, bytes) else msgspec.json.encode(told)
    deadline = Deadline(0.0) if late else Deadline.none()
    return asyncio.run(service.openrtb(body, deadline, trace=trace))


def bids(answer: Answer) -> list[dict[str, Any]]:
    told = msgspec.json.decode(answer.body)
    return [{**bid, "seat": seat["seat"]} for seat in told.get("seatbid", ()) for bid in seat["bid"]]
