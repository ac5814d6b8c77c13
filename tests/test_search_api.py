"""Search over HTTP: what it answers, what it refuses, and how little it says of itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from falsework.catalogue.database import Catalogue
from falsework.catalogue.ratings import fit_for_children
from falsework.errors import FalseworkError
from falsework.search.api import MOST_BYTES, application, serve
from falsework.search.searcher import Searcher
from search_at_work import sample_folder, sample_searcher


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with sample_searcher() as searcher:
        yield TestClient(application(searcher), raise_server_exceptions=False)
        searcher.catalogue.close()


@pytest.fixture(scope="module")
def children(client: TestClient) -> Iterator[TestClient]:
    with sample_searcher() as searcher:
        yield TestClient(application(searcher, kids=True), raise_server_exceptions=False)
        searcher.catalogue.close()


def test_a_wish_is_answered_and_edited(client: TestClient) -> None:
    first = client.post("/search", json={"text": "a funny horror film", "limit": 4})
    assert first.status_code == 200
    answer = first.json()
    assert len(answer["results"]) == 4
    assert answer["answered_by"] == "offline rules"
    edited = client.post("/search", json={"text": "under 95 minutes", "previous": answer["turn"]}).json()
    assert edited["query"]["runtime"]["most"] == 95
    assert edited["query"]["moods"] == answer["query"]["moods"]
    others = client.post("/search", json={"text": "others", "previous": edited["turn"]}).json()
    assert not {one["id"] for one in others["results"]} & {one["id"] for one in edited["results"]}


def test_a_query_with_a_chip_taken_away_is_answered(client: TestClient) -> None:
    answer = client.post("/search", json={"text": "una comedia corta en español"}).json()
    query = {**answer["query"], "runtime": None}
    wider = client.post("/search", json={"query": query, "explain": True}).json()
    assert {chip["key"] for chip in wider["chips"]} == {chip["key"] for chip in answer["chips"]} - {"runtime"}
    assert all("parts" in result for result in wider["results"])


def test_a_title_is_told_whole(client: TestClient) -> None:
    told = client.get("/titles/the-lyon-corner-2026").json()
    assert told["title"] == "The Lyon Corner"
    assert told["scenes"][2]["events"] == ["building collapse"]
    assert len(client.get("/titles/breaking-bad-2008").json()["seasons"]) == 5


def test_health_and_description(client: TestClient) -> None:
    health = client.get("/health").json()
    assert health["ok"] is True
    assert health["titles"] > 400
    assert health["behind"] == 0
    described = client.get("/openapi.json").json()
    assert described["paths"].keys() >= {"/search", "/explain", "/titles/{id}", "/health"}
    body = described["components"]["schemas"]["Wish"]
    assert body["examples"]
    assert all("description" in part or "$ref" in json.dumps(part) for part in body["properties"].values()
               if part is not body["properties"]["limit"])  # fmt: skip
    for example in body["examples"]:
        assert client.post("/search", json=example).status_code == 200, example


def test_reasons_come_line_by_line(client: TestClient) -> None:
    body = {"ids": ["tremors-1990", "nowhere"], "query": {"moods": ["funny"]}, "wish": "something funny"}
    lines = [json.loads(line) for line in client.post("/explain", json=body).text.splitlines()]
    assert {line["id"] for line in lines[:-1]} == {"tremors-1990"}
    assert {"id": "tremors-1990", "field": "moods", "quote": "funny", "wish": "funny"} in lines
    assert lines[-1] == {"answered_by": "offline rules", "notes": []}


REFUSED = [
    ("/search", b"{", 400),
    ("/search", b"\xff\xfe", 400),
    ("/search", b"[]", 422),
    ("/search", b"{}", 422),
    ("/search", b'{"text": " "}', 422),
    ("/search", b'{"text": "a", "query": {}}', 422),
    ("/search", b'{"text": "a", "limit": 0}', 422),
    ("/search", b'{"text": "a", "limit": 1e9}', 422),
    ("/search", b'{"text": "a", "more": 1}', 422),
    ("/search", b'{"text": "a", "territory": "Germany"}', 422),
    ("/search", b'{"text": "a", "territory": "ZZ"}', 422),
    ("/search", b'{"query": {"years": {"least": 2000, "most": 1990}}}', 422),
    ("/search", b'{"query": {"moods": ["%s"]}}' % (b"x" * 300), 422),
    ("/search", b'{"text": "a", "previous": {"query": {}, "shown": [1]}}', 422),
    ("/explain", b'{"ids": [], "query": {}}', 422),
    ("/nowhere", b"{}", 404),
    ("/health", b"{}", 405),
    ("/search", b'{"text": "' + b"a" * MOST_BYTES + b'"}', 413),
]


@pytest.mark.parametrize(("path", "body", "status"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_answered_is_refused_in_words(
    client: TestClient, path: str, body: bytes, status: int
) -> None:
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error.keys() == {"what", "where", "todo"}
    assert error["what"]
    assert error["todo"]
    assert "Traceback" not in answer.text
    assert "site-packages" not in answer.text


def test_a_title_that_is_not_there_is_404(client: TestClient) -> None:
    for id_ in ("nowhere", "../../etc/passwd", "%00", "a/b/c", "'; DROP TABLE titles", "x" * 400):
        answer = client.get(f"/titles/{id_}")
        assert answer.status_code == 404
        assert answer.json()["error"]["todo"]


def test_a_fault_of_ours_says_nothing_of_the_inside(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from falsework.search.searcher import Searcher

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret /place")

    monkeypatch.setattr(Searcher, "search", broken)
    answer = client.post("/search", json={"text": "a comedy"})
    assert answer.status_code == 500
    assert "secret" not in answer.text

    def unreadable(*_: object, **__: object) -> None:
        raise FalseworkError("secret", where="/place")

    monkeypatch.setattr(Searcher, "search", unreadable)
    answer = client.post("/search", json={"text": "a comedy"})
    assert answer.status_code == 503
    assert "secret" not in answer.text
    assert "/place" not in answer.text


def test_a_newer_index_that_cannot_be_opened_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    shutil.copytree(sample_folder() / "index", folder)
    with (
        Catalogue.open(sample_folder() / "catalogue.db") as catalogue,
        Searcher.open(catalogue, folder) as searcher,
    ):
        client = TestClient(application(searcher), raise_server_exceptions=False)
        (folder / "current").write_text("000999\n")  # a generation that was swept away
        monkeypatch.setattr("falsework.search.index.generations.PATIENCE", 0.0)
        for _ in range(2):
            assert client.post("/search", json={"text": "a comedy"}).status_code == 200
        (folder / "current").unlink()
        assert client.post("/search", json={"text": "a comedy"}).status_code == 200


def test_a_childrens_server_is_for_children(children: TestClient) -> None:
    for body in (
        {"text": "horror for adults", "kids": False, "limit": 50},
        {"query": {"genres": ["Horror"], "kids": False}, "limit": 50},
    ):
        results = children.post("/search", json=body).json()["results"]
        assert results
        assert all(fit_for_children(one["rating"]) for one in results)
    assert children.get("/titles/carrie-1976").status_code == 404
    assert children.get("/titles/puffin-rock-2015").status_code == 200
    body = {"ids": ["carrie-1976"], "query": {}, "kids": False}
    assert len(children.post("/explain", json=body).text.splitlines()) == 1
    assert children.get("/health").json()["kids"] is True


def test_a_child_gets_no_record_that_is_not_for_one(client: TestClient) -> None:
    assert client.get("/titles/carrie-1976").status_code == 200
    assert client.get("/titles/carrie-1976?kids=true").status_code == 404


@settings(max_examples=40)
@given(st.text(max_size=300), st.booleans())
def test_any_text_is_answered(client: TestClient, text: str, kids: bool) -> None:
    body = json.dumps({"text": text, "kids": kids}).encode()
    answer = client.post("/search", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == (200 if text.strip() else 422)
    if kids and text.strip():
        assert all(fit_for_children(one["rating"]) for one in answer.json()["results"])


@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_any_bytes_are_answered_in_json(client: TestClient, body: bytes) -> None:
    answer = client.post("/search", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["what"]


def test_an_address_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with sample_searcher() as searcher, searcher.catalogue:
            with pytest.raises(FalseworkError, match="cannot be listened at"):
                serve(searcher, port=taken.getsockname()[1])
            with pytest.raises(FalseworkError, match="cannot be listened at"):
                serve(searcher, host="no such host", port=1)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_granian_serves_it_and_ends_when_told(told: signal.Signals) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = sample_folder()
    command = [
        sys.executable, "-m", "falsework.cli.main", "search", "serve", "--port", str(port), "--offline",
        "--catalogue", str(folder / "catalogue.db"), "--index", str(folder / "index"),
    ]  # fmt: skip
    server = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        # As a shell's `&` begins it: SIGTERM must not depend on SIGINT.
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_IGN if told == signal.SIGTERM else signal.default_int_handler
        ),
    )
    assert server.stderr is not None
    with server.stderr as words:
        try:
            said = words.readline()  # once it answers, however long that takes; nothing where it has ended
            assert said.startswith(f"ready: http://127.0.0.1:{port}; described at "), said + words.read()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
                assert json.load(answer)["ok"] is True
            server.send_signal(told)
            said = words.read()
            assert server.wait() == 130
        finally:
            server.kill()
            server.wait()
    assert "ERROR" not in said
    assert "Traceback" not in said
