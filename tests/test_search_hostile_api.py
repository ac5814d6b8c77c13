"""Hostile wishes and synopses over HTTP: an answer or a refusal in words, whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from falsework.catalogue.ratings import fit_for_children
from falsework.catalogue.records import Title
from falsework.search.api import MOST_BYTES, application
from falsework.search.query import LONGEST_TEXT
from falsework.search.ranking.why import stored
from search_hostile import INVENTED, WISHES, holds_surrogates, hostile_searcher, lying_endpoint

Known = dict[str, Title]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[TestClient, Known]]:
    """A server that asks nobody, and what it may answer with."""
    with hostile_searcher() as searcher:
        known = {title.id: title for title in searcher.catalogue.every()}
        yield TestClient(application(searcher), raise_server_exceptions=False), known


@pytest.fixture(scope="module")
def deceived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Known]]:
    """A server for children whose model obeys whoever speaks to it."""
    with (
        lying_endpoint(tmp_path_factory.mktemp("liar")) as (endpoint, _),
        hostile_searcher(endpoint) as searcher,
    ):
        known = {title.id: title for title in searcher.catalogue.every()}
        yield TestClient(application(searcher, kids=True), raise_server_exceptions=False), known


def sent(client: TestClient, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, content=json.dumps(body), headers={"content-type": "application/json"})


def check(answer: Any, known: Known, *, kids: bool) -> None:
    """Only what is stored and fit is in an answer."""
    for result in answer["results"]:
        title = known[result["id"]]
        assert result["title"] == title.title
        assert not kids or fit_for_children(title.rating)
        for reason in result["why"]:
            assert any(reason["quote"] in words for words in stored(title, reason["field"]))
    for near in answer["nearest"]:
        assert not kids or fit_for_children(known[near["id"]].rating)
    assert answer["query"]["kids"] or not kids


def check_refusal(answer: Any, *statuses: int) -> None:
    assert answer.status_code in statuses
    assert answer.json()["error"]["what"]
    assert answer.json()["error"]["todo"]


def status_of(wish: str) -> int:
    """How a wish as the text of a request is answered."""
    if len(json.dumps({"text": wish})) > MOST_BYTES - 100:
        return 413
    return 200 if wish.strip() else 422


@pytest.mark.parametrize("name", WISHES)
def test_a_hostile_wish_over_http(served: tuple[TestClient, Known], name: str) -> None:
    client, known = served
    wish, status = WISHES[name], status_of(WISHES[name])
    answer = sent(client, "/search", {"text": wish, "kids": True, "explain": True})
    assert answer.status_code == status
    if status != 200:
        check_refusal(answer, status)
    else:
        check(answer.json(), known, kids=True)
        edited = sent(client, "/search", {"text": "shorter", "previous": answer.json()["turn"]})
        assert edited.status_code == 200
        check(edited.json(), known, kids=False)
    # The same words wherever else words may stand.
    query = {"text": wish, "titles": [wish], "like": [wish], "people": [wish], "genres": [wish]}
    found = sent(client, "/search", {"query": query, "kids": True})
    if found.status_code == 200:
        check(found.json(), known, kids=True)
    else:
        check_refusal(found, 413, 422)
    check_refusal(sent(client, "/search", {"text": "a film", "territory": wish}), 413, 422)
    one = client.get(f"/titles/{quote(wish[:400], errors='surrogatepass')}")
    if one.status_code != 200:  # nothing after the stroke, or dots, and it is another address
        check_refusal(one, 404)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, wish in WISHES.items() if status_of(wish) == 200])
def test_a_hostile_wish_over_http_before_a_model_that_obeys(
    deceived: tuple[TestClient, Known], name: str
) -> None:
    client, known = deceived
    wish = WISHES[name]
    answer = sent(client, "/search", {"text": wish, "kids": False})
    assert answer.status_code == 200
    check(answer.json(), known, kids=True)
    said = json.dumps([answer.json()[part] for part in ("chips", "notes", "not_in_catalogue")])
    assert not any(words in said and words not in wish for words in INVENTED)
    asked = {"ids": [*(one["id"] for one in answer.json()["results"][:4]), "f-2", "made-up-77"]}
    body = asked | {"query": answer.json()["query"], "wish": wish[:LONGEST_TEXT]}
    explained = sent(client, "/explain", body)
    if holds_surrogates(wish):
        check_refusal(explained, 422)
        return
    assert explained.status_code == 200
    *reasons, last = map(json.loads, explained.text.splitlines())
    for reason in reasons:
        assert fit_for_children(known[reason["id"]].rating)
        assert any(reason["quote"] in words for words in stored(known[reason["id"]], reason["field"]))
    assert last.keys() == {"answered_by", "notes"}


def test_ids_that_no_database_can_hold_are_nobodys(served: tuple[TestClient, Known]) -> None:
    client, known = served
    ids = [wish[:400] or "-" for wish in WISHES.values()]
    for id_ in ids:
        explained = sent(client, "/explain", {"ids": [id_], "query": {}})
        if holds_surrogates(id_):
            check_refusal(explained, 422)
        else:
            assert explained.status_code == 200
            assert json.loads(explained.text) == {"answered_by": "offline rules", "notes": []}
    for id_ in filter(holds_surrogates, ids):
        check_refusal(sent(client, "/search", {"text": "others", "previous": {"shown": [id_]}}), 422)
        check_refusal(sent(client, "/search", {"text": "others", "previous": {"passed": [id_]}}), 422)
    ids = [id_ for id_ in ids if not holds_surrogates(id_)]
    turn = {"query": {"text": "a storm"}, "shown": ids[:100], "passed": ids}
    for text in ("others", "more like the second", "shorter"):
        answer = sent(client, "/search", {"text": text, "previous": turn})
        assert answer.status_code == 200
        check(answer.json(), known, kids=False)
