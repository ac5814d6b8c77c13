"""The whole circle: breaks served and logged, a model fitted to the log, and breaks served by the model."""

from __future__ import annotations

import asyncio
import html
import json
import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import numpy.typing as npt
import pytest

from falsework.ads.decision.engine import FINALISTS
from falsework.ads.opportunity import Break
from falsework.ads.server.deadline import Deadline
from falsework.ads.server.running import Settings, build
from falsework.ads.server.service import Service
from falsework.catalogue.database import Catalogue
from falsework.catalogue.records import Scene, Title
from falsework.cli.main import main

GENRES = ("Drama", "Comedy", "Thriller", "Documentary", "Animation")
ITEMS = 6
PRICE = 20_000_000  # micros for a thousand, the same for all
STARTS = 1_800_000_000.0
TAUGHT, JUDGED = 2_400, 500  # breaks
AD = re.compile(r'<Ad id="film-(\d+)"')
IMPRESSION = re.compile(r'<Impression id="falsework">([^<]+)<')
CLICK = re.compile(r"<ClickTracking[^>]*>([^<]+)<")


def truth(item: int, genre: int) -> float:
    """The probability of a click, which nobody but these viewers knows."""
    return 1 / (1 + math.exp(2.2 - 1.2 * math.cos(1.7 * item + 2.3 * genre)))


def campaigns(folder: Path, items: int) -> Path:
    told = []
    for number in range(items):
        creative = {
            "id": f"film-{number}",
            "duration": 15,
            "media": [[f"https://media.example/{number}.mp4", "video/mp4", 1280, 720, 3000]],
            "click_through": f"https://shop-{number}.example/",
        }
        item = {
            "id": f"item-{number}", "price": PRICE, "budget": 10**12, "goal": "fast", "categories": ["1028"],
            "creatives": [creative],
        }  # fmt: skip
        shop = f"shop-{number}"
        flight = {"starts": "2020-01-01", "ends": "2100-01-01"}
        told.append(
            {
                "id": f"campaign-{number}", "advertiser": shop, "domain": f"{shop}.example", "flight": flight,
                "line_items": [item],
            }
        )  # fmt: skip
    file = folder / f"campaigns-{items}.json"
    file.write_text(json.dumps(told))
    return file


class Studio:
    """Films of each genre, and viewers whose taste is `truth`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with Catalogue.open(folder / "catalogue.db") as catalogue, catalogue.writing() as writer:
            writer.titles([Title(id=name.lower(), title=name, genres=(name,)) for name in GENRES])
            calm = [
                Scene(id=f"{name}/1", title_id=name, number=1, starts=0.0, ends=7_200.0)
                for name in map(str.lower, GENRES)
            ]
            writer.scenes(calm)

    def service(self, name: str, *, items: int = ITEMS, **settings: Any) -> Service:
        given: dict[str, Any] = {
            "campaigns": str(campaigns(self.folder, items)),
            "state": str(self.folder / f"state-{name}"),
            "key_file": str(self.folder / "keys"),
            "catalogue": str(self.folder / "catalogue.db"),
            "log": str(self.folder / f"log-{name}"),
            "explored": 0.0,
        }
        return build(Settings(**(given | settings)))

    def watched(self, service: Service, breaks: int, seed: int) -> tuple[list[tuple[int, int]], int]:
        """Which item was shown beside which genre, and what all of it cost; viewers click as they do."""
        return asyncio.run(self._watch(service, breaks, np.random.default_rng(seed)))

    async def _watch(
        self, service: Service, breaks: int, chance: np.random.Generator
    ) -> tuple[list[tuple[int, int]], int]:
        now = STARTS
        service.clock = lambda: now
        shown = []
        for number in range(breaks):
            now += 60.0
            if number % 50 == 0:
                service._refresh()
            genre, luck = int(chance.integers(len(GENRES))), chance.random()
            query = f"duration=15&content={GENRES[genre].lower()}&at=600&country=FR&us_privacy=1YNN"
            text = (await service.player(query.encode(), Deadline.none())).body.decode()
            (item,) = map(int, AD.findall(text))
            await self._call(service, IMPRESSION, text)
            if luck < truth(item, genre):
                await self._call(service, CLICK, text)
            shown.append((item, genre))
        return shown, sum(service.state.spent(list(service.decider.book.line_items)).values())

    async def _call(self, service: Service, beacon: re.Pattern[str], text: str) -> None:
        (url,) = map(html.unescape, beacon.findall(text))
        parts = urlsplit(url)
        answer = await service.beacon(parts.path.rsplit("/", 1)[1], dict(parse_qsl(parts.query)))
        assert answer.status == 204


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """One whose breaks were led by lot, and logged."""
    made = Studio(tmp_path_factory.mktemp("studio"))
    service = made.service("taught", explored=1.0)
    service.decider._chance = np.random.default_rng(1)  # a server's own lot is another one at every start
    try:
        made.watched(service, TAUGHT, seed=1)
    finally:
        service.close()
    return made


@pytest.mark.parametrize("kind", ["logistic", "trees"])
def test_a_model_of_the_own_log_earns_more_clicks_for_the_same_money(studio: Studio, kind: str) -> None:
    if kind == "trees":
        pytest.importorskip("lightgbm")
    model = studio.folder / f"{kind}.json"
    log = studio.folder / "log-taught"
    assert main(["ads", "fit", str(log), "--out", str(model), "--model", kind, "--quiet"]) == 0
    clicks, spent = {}, {}
    for name, told in (("without", {}), ("with", {"model": str(model)})):
        service = studio.service(f"{kind}-{name}", **told)
        try:
            shown, spent[name] = studio.watched(service, JUDGED, seed=2)
            assert service.counts.faults == 0
        finally:
            service.close()
        clicks[name] = sum(truth(item, genre) for item, genre in shown)
    genres = [genre for _, genre in shown]
    by_lot = sum(np.mean([truth(item, genre) for item in range(ITEMS)]) for genre in genres)
    best = sum(max(truth(item, genre) for item in range(ITEMS)) for genre in genres)
    assert spent["with"] == spent["without"] == JUDGED * PRICE // 1000
    assert clicks["with"] > 1.3 * max(clicks["without"], by_lot)
    assert clicks["with"] > 0.85 * best
    print(
        f"{kind}: {clicks['without']:.1f} without, {by_lot:.1f} by lot, {clicks['with']:.1f} with, {best:.1f}"
    )


def test_the_model_is_asked_of_the_last_few_candidates_alone(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = studio.service("many", items=200)
    sizes: list[int] = []

    def response(asked: Break, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        sizes.append(len(rows))
        return np.ones(len(rows))

    monkeypatch.setattr(service.decider, "_response", response)
    try:
        studio.watched(service, 3, seed=3)
    finally:
        service.close()
    assert sizes == [FINALISTS] * 3


def test_a_file_that_is_no_model_is_refused_before_anything_is_served(
    studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "ads", "serve", str(campaigns(studio.folder, 2)), "--state", str(studio.folder / "unused"),
        "--key-file", str(studio.folder / "keys"), "--port", "0", "--model",
    ]  # fmt: skip
    (studio.folder / "none.json").write_text("{}")
    for name in ("none.json", "not-there.json"):
        assert main([*words, str(studio.folder / name)]) == 2
        assert name in capsys.readouterr().err
    assert not (studio.folder / "unused").exists()
