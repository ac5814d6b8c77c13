"""Vectors from the endpoint: in order, of one length, within the protocol's limits, or a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from endpoint_server import FAULTS, FakeEndpoint, Fault, embeddings, fake_endpoint
from falsework.errors import FalseworkError
from falsework.search.endpoint.embedding import EndpointEncoder
from falsework.search.endpoint.endpoint import Endpoint


@pytest.fixture(scope="module")
def server() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as server:
        yield server


@pytest.fixture
def fake(server: FakeEndpoint) -> FakeEndpoint:
    server.fault = None
    server.embed = lambda text: [3.0 * len(text), 4.0 * len(text), 0.0]
    server.asked.clear()
    return server


@pytest.fixture
def endpoint(fake: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    file = tmp_path / "endpoint.toml"
    file.write_text(f"folder = '{tmp_path}'\nembedding_model = 'vectors-1'\n[patience]\nretries = 0")
    endpoint = Endpoint.from_environment(fake.environment(FALSEWORK_LLM_SETTINGS=str(file)))
    assert endpoint is not None
    yield endpoint
    endpoint.close()


def encoder_of(endpoint: Endpoint) -> EndpointEncoder:
    encoder = endpoint.encoder()
    assert encoder is not None
    return encoder


def test_vectors_are_of_unit_length(endpoint: Endpoint) -> None:
    encoder = encoder_of(endpoint)
    assert (encoder.name, encoder.dimensions) == ("vectors-1 at 127.0.0.1", 3)
    vectors = encoder.encode(["one", "", "\ud800", "x" * 100_000])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[0.6, 0.8, 0.0]] * 4, atol=1e-6)
    assert encoder.encode([]).shape == (0, 3)


def test_many_texts_go_in_several_requests(endpoint: Endpoint, fake: FakeEndpoint) -> None:
    encoder = encoder_of(endpoint)
    fake.asked.clear()
    texts = [f"{at}" * 50 for at in range(3_000)]
    assert encoder.encode(texts).shape == (3_000, 3)
    sizes = [len(request["input"]) for request in fake.asked]
    assert sum(sizes) == 3_000
    assert max(sizes) <= 2_048
    assert [text for request in fake.asked for text in request["input"]] == texts
    assert all(sum(map(len, request["input"])) / 3 <= 24_000 for request in fake.asked)


def test_the_servers_order_does_not_matter(endpoint: Endpoint, fake: FakeEndpoint) -> None:
    encoder = encoder_of(endpoint)

    def shuffled(exchange: Any) -> None:
        body = embeddings(exchange.request, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        body["data"].reverse()
        exchange.send(json.dumps(body).encode())

    fake.fault = Fault(shuffled, "")
    np.testing.assert_array_equal(encoder.encode(["a", "b"]), [[1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        ([[1.0, 0.0, 0.0]], "other embeddings"),
        ([[1.0, 0.0, 0.0]] * 3, "other embeddings"),
        ([[1.0, 0.0], [0.0, 1.0]], "2 dimensions where 3 were expected"),
        ([[1.0, 0.0, 0.0], [1.0, 0.0]], "different lengths"),
        ([[], []], "different lengths"),
        ([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], "without a direction"),
        ([[1e308, 1e308, 1e308], [1.0, 0.0, 0.0]], "without a direction"),
        ([["a", "b", "c"], [1.0, 0.0, 0.0]], "wrong form"),
    ],
)
def test_vectors_that_are_none_are_a_sentence(
    endpoint: Endpoint, fake: FakeEndpoint, vectors: list[list[Any]], words: str
) -> None:
    encoder = encoder_of(endpoint)
    fake.fault = Fault(lambda exchange: exchange.send(json.dumps(embeddings({}, vectors)).encode()), "")
    with pytest.raises(FalseworkError, match=words) as caught:
        encoder.encode(["a", "b"])
    assert "FALSEWORK_LLM_EMBEDDING_MODEL" in caught.value.sentence()


@pytest.mark.parametrize("name", ["500", "401", "HTML", "oversized", "resets midway", "half of JSON"])
def test_an_endpoint_that_fails_is_a_sentence(endpoint: Endpoint, fake: FakeEndpoint, name: str) -> None:
    encoder = encoder_of(endpoint)
    fake.fault = FAULTS[name]
    with pytest.raises(FalseworkError, match="the endpoint "):
        encoder.encode(["a"])


def test_none_where_none_is_configured(fake: FakeEndpoint) -> None:
    endpoint = Endpoint.from_environment(fake.environment())
    assert endpoint is not None
    assert endpoint.encoder() is None
