"""The distributed engine: the suite over the client's own store in memory, and over a real cluster where
FALSEWORK_TEST_QDRANT_URL gives one; what it says when the cluster is out of reach."""

from __future__ import annotations

import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest
from qdrant_client import QdrantClient

from falsework.errors import FalseworkError
from falsework.search.index import build as building
from falsework.search.index.cluster import API_KEY, Cluster, ClusterIndex
from search_builder import Digesting, Films
from search_index_suite import DIMENSIONS, ENTRIES, EVERY, MODEL, IndexSuite, vector_of

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect", "ignore:Local mode performs")


class ClusterSuite(IndexSuite):
    cluster: Cluster
    name: str

    def index(self, model=MODEL, dimensions=DIMENSIONS):
        return ClusterIndex.create(self.cluster, self.name, model=model, dimensions=dimensions)

    def reopened(self, model=MODEL, dimensions=DIMENSIONS):
        return ClusterIndex.open(self.cluster, self.name, model=model, dimensions=dimensions)

    def test_an_alias_moves_from_one_collection_to_the_next(self):
        """Whoever asks by the alias has the old titles until the switch, and the new ones after."""
        old, new, alias = (f"{self.name}-{part}" for part in ("old", "new", "alias"))
        try:
            for name, entries in ((old, ENTRIES[:2]), (new, ENTRIES)):
                index = ClusterIndex.create(self.cluster, name, model=MODEL, dimensions=DIMENSIONS)
                index.put(entries)
                index.settle(1)
                if name == old:
                    assert self.cluster.serving(alias) is None
                    self.cluster.switch(alias, old)
                else:
                    assert self.behind(alias).count() == 2
            self.cluster.switch(alias, new)
            assert self.cluster.serving(alias) == new
            assert self.behind(alias).count() == len(ENTRIES)
        finally:
            for name in (old, new):
                self.cluster.delete(name)

    def behind(self, alias: str) -> ClusterIndex:
        return ClusterIndex.open(self.cluster, alias, model=MODEL, dimensions=DIMENSIONS)

    def test_a_collection_that_is_not_there_is_said_to_be(self):
        with pytest.raises(FalseworkError, match="holds no index"):
            ClusterIndex.open(self.cluster, "nowhere", model=MODEL, dimensions=DIMENSIONS)


class TestClusterInMemory(ClusterSuite):
    @pytest.fixture(autouse=True)
    def _cluster(self):
        self.name = "titles"
        self.cluster = Cluster("", client=QdrantClient(":memory:"))


@pytest.mark.skipif(
    "FALSEWORK_TEST_QDRANT_URL" not in os.environ, reason="FALSEWORK_TEST_QDRANT_URL names no Qdrant server"
)
class TestCluster(ClusterSuite):
    @pytest.fixture(autouse=True)
    def _cluster(self):
        self.name = f"falsework-test-{uuid4().hex}"
        self.cluster = Cluster(os.environ["FALSEWORK_TEST_QDRANT_URL"])
        yield
        self.cluster.delete(self.name)
        self.cluster.close()


class Refusing(BaseHTTPRequestHandler):
    """A server that answers everything with its class's status, and gives back the key it was sent."""

    status = 403

    def do_GET(self):
        type(self).keys.append(self.headers.get("api-key", ""))
        body = f"no entry with {self.headers.get('api-key')}".encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing(request):
    handler = type("Handler", (Refusing,), {"status": request.param, "keys": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", handler
        server.shutdown()


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
@pytest.mark.parametrize("refusing", [401, 403, 500], indirect=True)
def test_a_refusal_is_told_without_the_key(refusing, monkeypatch):
    url, handler = refusing
    monkeypatch.setenv(API_KEY, "sesame-4711")
    cluster = Cluster(url)
    assert "sesame" not in repr(cluster)
    with pytest.raises(FalseworkError) as refused:
        ClusterIndex.open(cluster, "titles", model=MODEL, dimensions=DIMENSIONS)
    assert handler.keys == ["sesame-4711"]
    assert str(handler.status) in refused.value.sentence()
    assert (API_KEY in refused.value.sentence()) == (handler.status != 500)
    assert "sesame" not in refused.value.sentence()


def test_a_cluster_out_of_reach_is_a_sentence():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(FalseworkError, match="cannot be reached") as lost:
        ClusterIndex.open(Cluster(url), "titles", model=MODEL, dimensions=DIMENSIONS)
    assert "secret" not in lost.value.sentence()


def test_a_cluster_that_says_nothing_is_given_up_on(monkeypatch):
    monkeypatch.setattr("falsework.search.index.cluster.SECONDS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(FalseworkError, match="cannot be reached"):
            Cluster(f"http://127.0.0.1:{silent.getsockname()[1]}").collections()


class Counted(QdrantClient):
    """Clients over one store in memory that count how many are open; the store outlives each."""

    store = None
    open = 0

    def __init__(self, *_, **__):
        super().__init__(":memory:")
        Counted.store = self._client = Counted.store or self._client
        Counted.open += 1

    def close(self, *_, **__):
        Counted.open -= 1

    def __del__(self):
        """The library's closes what was left open, some time."""


def test_a_connection_that_an_index_opened_is_closed_with_it(tmp_path, monkeypatch):
    """As a server does that takes over one generation after the other."""
    monkeypatch.setattr("qdrant_client.QdrantClient", Counted)
    cluster = Cluster("http://nowhere.invalid")
    encoder = Digesting()
    for revision in (1, 2, 3):
        building.build(Films(revision, 5), tmp_path, encoder=encoder, cluster=cluster)
        with building.open_index(tmp_path, encoder=encoder) as opened:
            assert opened.manifest.revision == revision
            assert Counted.open == 2
        assert Counted.open == 1, "the cluster's that was given to the build"
    with pytest.raises(FalseworkError, match="was built with"):
        building.open_index(tmp_path, encoder=Digesting(name="digest@2"))
    assert Counted.open == 1
    with building.open_index(tmp_path, encoder=encoder, cluster=cluster):
        pass
    assert Counted.open == 1, "one that was given stays open"


def test_a_question_goes_unanswered_when_the_cluster_dies_in_between(monkeypatch):
    client = QdrantClient(":memory:")
    index = ClusterIndex.create(Cluster("", client=client), "titles", model=MODEL, dimensions=DIMENSIONS)
    index.put(ENTRIES)

    def dead(*_, **__):
        raise ConnectionResetError

    monkeypatch.setattr(client, "query_points", dead)
    with pytest.raises(FalseworkError, match="cannot be reached"):
        index.dense(vector_of(1), EVERY, 3)
