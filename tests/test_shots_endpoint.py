"""The endpoint's reading of a brief, against a server here that answers well, badly or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from falsework.shots.brief import read_brief
from falsework.shots.brief_endpoint import BRIEF_KEYS, answer_schema, read_brief_anywhere

BRIEF = "The tower topples and pale dust rolls to camera, like grandma's soufflé."


class Endpoint:
    """What the server answers, and what it was asked."""

    def __init__(self) -> None:
        self.answer: Any = ""
        self.status = 200
        self.pause = 0.0
        self.words = ""  # of an error
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "FALSEWORK_LLM_BASE_URL": self.url,
            "FALSEWORK_LLM_MODEL": "a-model",
            "FALSEWORK_LLM_API_KEY": "secret",
            "FALSEWORK_LLM_TIMEOUT": "5",
        } | more


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            time.sleep(state.pause)
            content = state.answer if isinstance(state.answer, str) else json.dumps(state.answer)
            message = {"role": "assistant", "content": content}
            body = {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "a-model",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            }
            if state.words:
                body = {"error": {"message": state.words}} if state.status != 200 else body
            data = json.dumps(body).encode()
            self.send_response(state.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield state
    server.shutdown()
    server.server_close()


def answer(**settings: tuple[Any, str]) -> dict[str, Any]:
    filled: dict[str, Any] = dict.fromkeys((key.replace(".", "__") for key in BRIEF_KEYS), None)
    for key, (value, words) in settings.items():
        filled[key] = {"value": value, "words": words}
    return {"settings": filled, "not_understood": ["like grandma's soufflé"]}


def test_a_good_answer_is_used(endpoint: Endpoint) -> None:
    endpoint.answer = answer(
        collapse__kind=("topple", "topples"),
        dust__reach=("camera", "rolls to  camera"),
        render__dust_colour=([0.6, 0.6, 0.5], "PALE"),
    )
    understood = read_brief_anywhere(BRIEF, endpoint.environment())
    assert understood.source == "a-model"
    assert {key: (finding.value, finding.words) for key, finding in understood.settings.items()} == {
        "collapse.kind": ("topple", "topples"),
        "render.dust_colour": ([0.6, 0.6, 0.5], "pale"),
        "dust.reach": ("camera", "rolls to camera"),
    }
    assert understood.not_understood == ("like grandma's soufflé",)
    asked = endpoint.asked[0]
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert asked["messages"][1]["content"] == BRIEF


def test_words_that_are_not_in_the_brief_are_dropped_with_their_setting(endpoint: Endpoint) -> None:
    endpoint.answer = answer(collapse__kind=("topple", "topples"), dust__amount=(3.0, "tons of dust"))
    understood = read_brief_anywhere(BRIEF, endpoint.environment())
    assert list(understood.settings) == ["collapse.kind"]
    assert "tons of dust" in understood.notes[0]


@pytest.mark.parametrize(
    "bad",
    [
        "I would be happy to help!",
        "",
        {"settings": {}},
        {"settings": {"collapse__kind": "topple"}, "not_understood": []},
        answer(collapse__kind=("explode", "topples")),
        answer(collapse__from_storey=(-2, "tower")),
        answer() | {"comment": "unasked"},
        '{"settings": {"dust__amount": {"value": NaN, "words": "dust"}}, "not_understood": []}',
    ],
    ids=["prose", "nothing", "incomplete", "no words", "unknown kind", "below ground", "more keys", "NaN"],
)
def test_an_answer_that_does_not_fit_falls_back_and_says_so(endpoint: Endpoint, bad: Any) -> None:
    endpoint.answer = bad
    understood = read_brief_anywhere(BRIEF, endpoint.environment())
    if bad == {"settings": {}}:  # nothing found is an answer
        assert understood.source == "a-model"
        assert not understood.settings
        return
    assert understood.source == "grammar"
    assert understood.settings == read_brief(BRIEF).settings
    assert "could not be used" in understood.notes[-1]


def test_an_error_of_the_server_falls_back(endpoint: Endpoint) -> None:
    endpoint.status = 500
    understood = read_brief_anywhere(BRIEF, endpoint.environment())
    assert understood.source == "grammar"
    assert "could not be used" in understood.notes[-1]
    assert len(endpoint.asked) == 1


def test_a_slow_server_is_not_waited_for(endpoint: Endpoint) -> None:
    endpoint.pause = 3.0
    understood = read_brief_anywhere(BRIEF, endpoint.environment(FALSEWORK_LLM_TIMEOUT="0.3"))
    assert understood.source == "grammar"
    assert "could not be used" in understood.notes[-1]


def test_no_server_at_all_falls_back(endpoint: Endpoint) -> None:
    gone = endpoint.environment(FALSEWORK_LLM_BASE_URL="http://127.0.0.1:1/v1")
    assert read_brief_anywhere(BRIEF, gone).source == "grammar"


def test_nothing_is_asked_where_nothing_is_configured(endpoint: Endpoint) -> None:
    assert read_brief_anywhere(BRIEF, {}) == read_brief(BRIEF)
    assert not endpoint.asked
    without_model = endpoint.environment(FALSEWORK_LLM_MODEL="")
    assert "FALSEWORK_LLM_MODEL is not set" in read_brief_anywhere(BRIEF, without_model).notes[-1]


def test_the_schema_is_strict_throughout() -> None:
    def check(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
            assert "default" not in node
            assert "prefixItems" not in node
            for value in node.values():
                check(value)
        elif isinstance(node, list):
            for value in node:
                check(value)

    schema = answer_schema()
    check(schema)
    assert len(schema["$defs"]["BriefSettings"]["properties"]) == len(BRIEF_KEYS)
