"""What is on screen beside a break, from the catalogue, kept in memory: a decision waits for no database
longer than its deadline."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from falsework.ads.opportunity import Scene
from falsework.catalogue import records
from falsework.catalogue.database import Catalogue

__all__ = ["BESIDE", "Scenes", "scene_beside"]

BESIDE = 30.0  # seconds before and after a break that it stands beside
MOST_TITLES, MOST_SCENES = 20_000, 50_000  # in memory
LOOKED_AGAIN = 5.0  # seconds until the catalogue is asked whether it changed


@dataclass(frozen=True)
class _Known:
    title: records.Title | None
    scenes: Sequence[records.Scene] = ()


class Scenes:
    """Titles and their scenes as they are asked for. A changed catalogue is seen within seconds."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catalogue")
        self._coming: dict[str, asyncio.Future[None]] = {}
        self._revision, self._looked = -1, 0.0
        self._beside: dict[tuple[str, str, float | None], Scene] = {}

    async def ready(self, title: str, seconds: float) -> bool:
        """Whether a title is in memory, waiting for it as long as given. What comes later is kept for the
        next one that asks."""
        if not title or self._catalogue is None or (title in self._known and not self._stale()):
            return True
        coming = self._coming.get(title)
        if coming is None:
            loop = asyncio.get_running_loop()
            coming = loop.run_in_executor(self._threads, self.load, title)
            self._coming[title] = coming
            coming.add_done_callback(lambda done: self._arrived(title, done))
        if title in self._known:
            return True  # as it was some seconds ago
        done, _ = await asyncio.wait([coming], timeout=seconds)
        return bool(done)

    def load(self, title: str) -> None:
        """Read a title, and forget everything read before the catalogue's last change."""
        if self._catalogue is None:
            return
        revision = self._catalogue.revision
        if revision != self._revision:
            self._known.clear()
            self._beside = {}
            self._revision = revision
        self._looked = time.monotonic()
        found = self._catalogue.title(title)
        self._known[title] = _Known(found, self._catalogue.scenes(title) if found else ())
        while len(self._known) > MOST_TITLES:
            self._known.popitem(last=False)

    def preload(self) -> None:
        """Read what there is room for, so that the first break of a film waits for nothing either."""
        if self._catalogue is None:
            return
        self.load("")
        for title, parts in islice(self._catalogue.whole(), MOST_TITLES):
            self._known[title.id] = _Known(title, parts.scenes)

    def scene(self, title: str, episode: str, second: float | None) -> Scene | None:
        """What is in memory; None for a title that is not, or that the catalogue does not have."""
        known = self._known.get(title)
        if known is None or known.title is None:
            return None
        key = (title, episode, second)
        found = self._beside.get(key)
        if found is None:
            if len(self._beside) >= MOST_SCENES:
                self._beside = {}
            found = self._beside[key] = scene_beside(known.title, known.scenes, episode, second)
        return found

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._catalogue is not None:
            self._catalogue.close()

    def _stale(self) -> bool:
        return time.monotonic() - self._looked > LOOKED_AGAIN

    def _arrived(self, title: str, done: asyncio.Future[None]) -> None:
        self._coming.pop(title, None)
        if not done.cancelled():
            done.exception()  # a catalogue that cannot be read: nothing is known, which is the stricter side


def scene_beside(
    title: records.Title, scenes: Sequence[records.Scene], episode: str, second: float | None
) -> Scene:
    """All scenes that end or begin within `BESIDE` seconds of a break are beside it: what happened just
    before a break is what its viewers still see."""
    ordered = sorted(
        (one for one in scenes if one.episode_id == episode and one.starts is not None),
        key=lambda one: one.starts or 0.0,
    )
    near: list[records.Scene] = []
    within = False
    for number, one in enumerate(ordered):
        following = ordered[number + 1].starts if number + 1 < len(ordered) else None
        ends = one.ends if one.ends is not None else following
        if second is None or one.starts is None:
            continue
        if one.starts <= second + BESIDE and (ends is None or ends >= second - BESIDE):
            near.append(one)
            within = within or (one.starts <= second and (ends is None or second <= ends))
    return Scene(
        title=title.id,
        scene=near[0].id if near else "",
        genres=title.genres,
        moods=tuple(dict.fromkeys((*title.moods, *(mood for one in near for mood in one.moods)))),
        events=tuple(dict.fromkeys(event for one in near for event in one.events)),
        text=" ".join(one.description for one in near) or title.synopsis,
        rating=title.rating,
        known=within,
    )
