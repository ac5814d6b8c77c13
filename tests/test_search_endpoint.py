"""The endpoint's client against a server here: what is asked, what is believed, and every way to go wrong."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from endpoint_server import FAULTS, FakeEndpoint, Fault, Request, fake_endpoint
from falsework.catalogue.records import Credit, Title
from falsework.search.endpoint import client
from falsework.search.endpoint.endpoint import Endpoint
from falsework.search.endpoint.explaining import Claim
from falsework.search.query import Query, Span
from falsework.search.understanding.names import Names

FILMS = (
    Title(
        "a-1",
        "The Haunted Pier",
        year=1988,
        synopsis="A lighthouse keeper hears voices. It is not scary at all, but very funny. He stays.",
        genres=("Horror", "Comedy"),
        credits=(Credit("Ana Torrent", "cast", "Marta"),),
        rating="PG",
        runtime=95,
        popularity=3.0,
    ),
    Title("b-2", "Winter Ledger", year=2004, synopsis="An accountant crosses the ice.", runtime=140),
    Title("c-3", "Paper Moons", year=1999, synopsis="Two sisters fold the sky.", genres=("Drama",)),
)
NAMES = Names.of_titles(FILMS)
WISH = "something scary but funny, like The Haunted Pier, under two hours, not Titanic 9"
QUERY = Query(text="scary but funny", genres=("Horror",), runtime=Span(most=120))
ANSWERS: dict[str, dict[str, Any]] = {  # what a good model says, by the name of the schema it is held to
    "query": {"text": "scary but funny", "genres": ["Horror"], "runtime": {"least": None, "most": 120}},
    "order": {"order": [3, 1, 2]},
    "claims": {"claims": [{"title": 1, "field": "genres", "quote": "Horror", "wish": "scary"}]},
}


def well(request: Request) -> str:
    return json.dumps(ANSWERS[request["response_format"]["json_schema"]["name"]])


@pytest.fixture(scope="module")
def server() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as server:
        yield server


@pytest.fixture
def fake(server: FakeEndpoint) -> FakeEndpoint:
    server.say, server.fault = well, None
    server.asked.clear()
    server.headers.clear()
    return server


Open = Callable[..., Endpoint]


@pytest.fixture
def configured(fake: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens an endpoint with the given settings over those of the tests."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)
    opened: list[Endpoint] = []

    def configure(settings: str = "", **environment: str) -> Endpoint:
        file = tmp_path / "endpoint.toml"
        file.write_text(f"folder = '{tmp_path}'\n{settings}")
        given = fake.environment(FALSEWORK_LLM_SETTINGS=str(file), **environment)
        endpoint = Endpoint.from_environment(given)
        assert endpoint is not None
        opened.append(endpoint)
        return endpoint

    yield configure
    for endpoint in opened:
        endpoint.close()


def understood(endpoint: Endpoint, wish: str = WISH, **more: Any) -> tuple[Query | None, tuple[str, ...]]:
    heard = endpoint.understand(wish, names=NAMES, **more).heard()
    return heard.value, heard.notes


def test_a_good_answer_is_used(configured: Open, fake: FakeEndpoint) -> None:
    endpoint = configured()
    assert understood(endpoint) == (QUERY, ())
    assert endpoint.rerank(QUERY, FILMS).heard().value == ("c-3", "a-1", "b-2")
    assert list(endpoint.explain(QUERY, FILMS, wish=WISH)) == [Claim("a-1", "genres", "Horror", "scary")]
    assert [request["model"] for request in fake.asked] == ["a-model"] * 3
    assert {headers["authorization"] for headers in fake.headers} == {"Bearer sk-a-secret-key"}


def test_the_request_is_strict_and_carries_only_the_near_vocabulary(
    configured: Open, fake: FakeEndpoint
) -> None:
    understood(configured())
    (request,) = fake.asked
    shape = request["response_format"]["json_schema"]
    assert shape["strict"] is True
    assert shape["schema"]["required"] == list(Query.model_fields)
    material = json.loads(request["messages"][1]["content"])
    assert material["wish"] == WISH
    assert {"Comedy", "Horror"} & set(material["vocabulary"]["genres"])
    assert len(material["vocabulary"]["genres"]) == 12
    assert request["temperature"] == 0
    assert request["max_completion_tokens"] > 0


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.streamed is not True])
def test_whatever_goes_wrong_the_offline_answer_stands_and_says_why(
    configured: Open, fake: FakeEndpoint, name: str
) -> None:
    fake.fault = FAULTS[name]
    endpoint = configured("[patience]\nconnect = 0.5\ntotal = 0.8\nretries = 0")
    query, notes = understood(endpoint)
    assert query is None
    assert notes == (f"The endpoint {FAULTS[name].why}; this is the offline answer",)
    assert endpoint.rerank(QUERY, FILMS).heard().value is None


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.streamed is not False])
def test_an_explanation_that_goes_wrong_keeps_what_held_so_far(
    configured: Open, fake: FakeEndpoint, name: str
) -> None:
    fake.fault = FAULTS[name]
    claims = [{"title": 1, "field": "genres", "quote": "Horror", "wish": ""} for _ in range(10)]
    fake.say = lambda request: json.dumps({"claims": claims})
    endpoint = configured("[patience]\nconnect = 0.5\ntotal = 0.8")
    explanation = endpoint.explain(QUERY, FILMS, wish=WISH)
    heard = list(explanation)
    assert heard in ([], [Claim("a-1", "genres", "Horror")])
    assert heard or "a stream" not in name or "never ends" in name
    assert len(explanation.notes) == 1
    assert explanation.notes[0].startswith("The endpoint ")


RETRIED = ("resets at once", "resets midway", "408", "409", "429", "500", "503")
NOT_RETRIED = ("400", "401", "404", "302", "oversized", "HTML", "chats", "refuses", "429 for an hour")


@pytest.mark.parametrize("name", RETRIED)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_two_retries(configured: Open, fake: FakeEndpoint, name: str, times: int) -> None:
    fake.fault = Fault(FAULTS[name].act, "", times=times)
    query, _ = understood(configured())
    assert (query == QUERY) == (times <= 2)
    assert len(fake.asked) == min(times + 1, 3)


@pytest.mark.parametrize("name", NOT_RETRIED)
def test_what_will_not_get_better_is_not_tried_again(configured: Open, fake: FakeEndpoint, name: str) -> None:
    fake.fault = FAULTS[name]
    assert understood(configured())[0] is None
    assert len(fake.asked) == 1


def test_retry_after_is_waited_for_within_the_deadline(configured: Open, fake: FakeEndpoint) -> None:
    fake.fault = Fault(lambda exchange: exchange.fail(429, retry_after="0.7"), "", times=1)
    began = time.monotonic()
    assert understood(configured())[0] == QUERY
    assert time.monotonic() - began >= 0.7  # a lower bound holds on any machine


def test_nobody_there(configured: Open) -> None:
    _, notes = understood(configured(FALSEWORK_LLM_BASE_URL="http://127.0.0.1:1/v1"))
    assert notes == ("The endpoint could not be reached; this is the offline answer",)


@pytest.mark.parametrize("proxy", ["::bad", "gopher://user:secret@127.0.0.1"])
def test_a_proxy_that_is_none_is_said(configured: Open, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    query, (note,) = understood(configured("[patience]\nretries = 0"))
    assert query is None
    assert note.startswith("The endpoint ")
    assert "secret" not in note


def test_no_deadline_pays_for_making_the_client(
    configured: Open, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = client._openai_client

    def slowly(*given: Any) -> Any:
        time.sleep(2.1)
        return make(*given)

    monkeypatch.setattr(client, "_openai_client", slowly)
    assert understood(configured(FALSEWORK_LLM_TIMEOUT="2")) == (QUERY, ())


def test_offline_work_is_done_while_the_endpoint_thinks(configured: Open, fake: FakeEndpoint) -> None:
    working: list[str] = []

    def say(request: Request) -> str:
        for _ in range(500):
            if working:
                return well(request)
            time.sleep(0.01)
        return "nobody worked meanwhile"

    fake.say = say
    asked = configured().understand(WISH, names=NAMES)
    working.append("the offline answer")
    assert asked.heard().value == QUERY


def test_the_same_wish_is_asked_once(configured: Open, fake: FakeEndpoint) -> None:
    endpoint = configured()
    understood(endpoint)
    heard = configured().understand(f"  {WISH.upper()}\n", names=NAMES).heard()  # another process, later
    assert heard.kept
    assert heard.value == QUERY
    assert len(fake.asked) == 1
    understood(configured(FALSEWORK_LLM_MODEL="another-model"))
    understood(endpoint, previous=Query(text="before"))
    understood(endpoint, kids=True)
    assert len(fake.asked) == 4


def test_a_useless_answer_is_not_kept(configured: Open, fake: FakeEndpoint) -> None:
    fake.say = lambda request: '{"films": []}'
    endpoint = configured()
    understood(endpoint)
    fake.say = well
    assert understood(endpoint) == (QUERY, ())


def test_after_failures_in_a_row_the_endpoint_is_left_alone(configured: Open, fake: FakeEndpoint) -> None:
    fake.say = lambda request: "I would be happy to help!"
    endpoint = configured("[patience]\nfailures = 2\nrest = 0.5")
    for wish in ("one film", "two films"):
        understood(endpoint, wish)
    _, notes = understood(endpoint, "three films")
    assert notes == (
        "The endpoint is left alone for a while after failing repeatedly; this is the offline answer",
    )
    assert len(fake.asked) == 2
    fake.say = well
    time.sleep(0.6)
    assert understood(endpoint, "four films")[0] == QUERY
    assert understood(endpoint, "five films")[0] == QUERY


def test_the_key_is_in_nothing_that_is_shown_or_kept(
    configured: Open, fake: FakeEndpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    for name in ("401", "500", "HTML", "resets at once"):
        fake.fault = FAULTS[name]
        endpoint = configured("[patience]\nretries = 0", FALSEWORK_LLM_TIMEOUT="2")
        shown += understood(endpoint)[1]
        shown += [repr(endpoint.__dict__), repr(endpoint._settings), str(endpoint._settings.model_dump())]
    fake.fault = None
    understood(configured())
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("*.sqlite*"))
    assert b"SQLite" in kept
    assert "sk-a-secret-key" not in "".join(shown) + caplog.text + kept.decode("latin-1")


def test_variables_of_another_service_are_not_sent(
    configured: Open, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/other-service")
    assert understood(configured(FALSEWORK_LLM_API_KEY=""))[0] == QUERY
    assert "other-service" not in str(fake.headers)
