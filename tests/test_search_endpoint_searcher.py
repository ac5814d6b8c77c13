"""The endpoint within search: it may read and order, the offline answer is there already where it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from endpoint_server import FAULTS, FakeEndpoint, Request, fake_endpoint
from falsework.catalogue.database import Catalogue
from falsework.catalogue.records import Title
from falsework.errors import FalseworkError
from falsework.search.encoder import Encoder
from falsework.search.endpoint.endpoint import Endpoint
from falsework.search.index.build import build, open_index
from falsework.search.searcher import Searcher

FILMS = (
    Title("f-1", "The Quiet Harbour", year=1994, synopsis="A storm passes; a family laughs.", rating="G"),
    Title("f-2", "Nine Lanterns", year=2010, synopsis="Two children sail through a storm.", rating="TV-Y"),
    Title("f-3", "The Cellar Knife", year=2001, synopsis="A violent storm of horror.", rating="R"),
)
WISH = "a film about a storm"
READ = {"text": "a storm at sea", "years": {"least": 1990, "most": 2005}}


def answering(order: list[int]) -> Callable[[Request], str]:
    def say(request: Request) -> str:
        asked = request["response_format"]["json_schema"]["name"]
        return json.dumps({"order": order} if asked == "order" else READ)

    return say


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    folder = tmp_path_factory.mktemp("catalogue")
    with Catalogue.open(folder / "catalogue.db") as catalogue:
        catalogue.upsert(FILMS)
        build(catalogue, folder / "index", encoder=Encoder.load())
        yield catalogue


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with fake_endpoint() as server:
        server.say = answering([2, 1])
        yield server


@pytest.fixture
def searcher(catalogue: Catalogue, fake: FakeEndpoint, tmp_path: Path) -> Iterator[Searcher]:
    file = tmp_path / "endpoint.toml"
    file.write_text(f"folder = '{tmp_path}'\n[patience]\ntotal = 6\nretries = 0")
    endpoint = Endpoint.from_environment(fake.environment(FALSEWORK_LLM_SETTINGS=str(file)))
    assert endpoint is not None
    index = Path(catalogue.where).parent / "index"
    with endpoint, Searcher.open(catalogue, index, endpoint=endpoint) as searcher:
        yield searcher


def test_the_endpoint_reads_and_orders(searcher: Searcher) -> None:
    answer = searcher.search(WISH)
    assert answer.answered_by == "endpoint a-model"
    assert answer.query.text == "a storm at sea"
    ids = [result.title.id for result in answer.results]
    assert set(ids) == {"f-1", "f-3"}  # 2010 is outside the years it read
    assert answer.notes == ()
    scores = [result.score for result in answer.results]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("name", ["stalls", "500", "HTML", "refuses", "resets midway", "nests deeply"])
def test_where_it_fails_the_answer_is_the_offline_one(
    searcher: Searcher, fake: FakeEndpoint, name: str
) -> None:
    fake.fault = FAULTS[name]
    answer, offline = searcher.search(WISH), searcher.search(WISH, offline=True)
    assert answer.answered_by == "offline rules"
    assert answer.notes == (f"The endpoint {FAULTS[name].why}; this is the offline answer",)
    assert answer.results == offline.results
    assert answer.query == offline.query
    assert len(fake.asked) == 1  # whoever has not understood is not asked to rank


def test_an_order_that_fails_keeps_the_reading(searcher: Searcher, fake: FakeEndpoint) -> None:
    fake.say = answering([99])
    answer = searcher.search(WISH)
    assert answer.query.text == "a storm at sea"
    assert answer.answered_by == "endpoint a-model"
    assert answer.notes == ("The endpoint named none of the candidates; this is the offline answer",)


def test_offline_asks_nobody(searcher: Searcher, fake: FakeEndpoint) -> None:
    searcher.search(WISH, offline=True)
    searcher.search(" ")
    assert not fake.asked


def test_an_index_of_the_endpoints_vectors_is_refused_by_any_other_encoder(
    catalogue: Catalogue, fake: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    fake.embed = lambda text: [float(len(text)), 1.0, 0.0, 0.0]
    endpoint = Endpoint.from_environment(fake.environment(FALSEWORK_LLM_EMBEDDING_MODEL="vectors-1"))
    assert endpoint is not None
    with endpoint:
        encoder = endpoint.encoder()
        assert encoder is not None
        build(catalogue, tmp_path / "index", encoder=encoder)
        with open_index(tmp_path / "index", encoder=encoder) as opened:
            assert (opened.manifest.model, opened.manifest.dimensions) == ("vectors-1 at 127.0.0.1", 4)
    with pytest.raises(FalseworkError, match="vectors-1"):
        open_index(tmp_path / "index", encoder=Encoder.load())
