"""Builds: what they find, what an update encodes, and that no kill, rival or reader ever breaks an index."""

from __future__ import annotations

import gc
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from falsework.catalogue.records import Title
from falsework.errors import FalseworkError
from falsework.search.index.build import build, open_index
from falsework.search.index.cluster import Cluster
from falsework.search.index.generations import IN_USE, current
from falsework.search.index.protocol import Conditions
from falsework.search.query import Span
from falsework.search.ranking.document import passages
from falsework.search.text import term_id, tokens
from search_builder import Digesting, Films

EVERY = Conditions()
BUILDER = Path(__file__).with_name("search_builder.py")


@pytest.fixture
def folder(memory: Path) -> Path:
    return memory / "index"


def generations(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name != "vectors")


def whole(folder: Path, films: Films) -> None:
    """The current generation holds exactly these films, in the index and in the table, each to be found."""
    encoder = Digesting()
    with open_index(folder, encoder=encoder) as opened:
        assert (opened.manifest.revision, opened.manifest.catalogue) == (films.revision, films.identity)
        assert opened.manifest.titles == opened.index.count() == opened.table.titles == films.number
        titles = list(films.every())
        for title in titles[:: max(1, len(titles) // 5)]:
            best = opened.index.dense(encoder.vector(passages(title)[0]), EVERY, 1)
            assert best[0].id == title.id
            assert best[0].score == pytest.approx(1, abs=1e-3)
            number = {term_id(token): 1.0 for token in tokens(title.title.split()[1])}
            assert title.id in {hit.id for hit in opened.index.lexical(number, EVERY, 50)}
        assert opened.table.rows_of([title.id for title in titles]).tolist() == list(range(len(titles)))


def test_opening_writes_nothing_and_finds_the_names(folder):
    built = build(Films(3, 5), folder, encoder=Digesting())
    before = {path: path.stat().st_mtime_ns for path in built.generation.rglob("*") if path.is_file()}
    title = next(Films(3, 5).every())
    with open_index(folder, encoder=Digesting()) as opened:
        assert opened.names.title(title.title).id == title.id
        after = {path: path.stat().st_mtime_ns for path in built.generation.rglob("*") if path.is_file()}
    assert {path.name for path in after} - {path.name for path in before} <= {IN_USE}
    assert all(after[path] == time for path, time in before.items() if path.name == "names.safetensors")
    assert "names.safetensors" in {path.name for path in before}


@pytest.mark.filterwarnings("error::ResourceWarning", "error::pytest.PytestUnraisableExceptionWarning")
def test_a_build_leaves_no_file_open(folder):
    build(Films(3, 5), folder, encoder=Digesting())
    gc.collect()


def test_a_build_holds_every_title_in_index_and_table(folder):
    said: list[tuple[int, int]] = []
    built = build(Films(3, 40), folder, encoder=Digesting(), progress=lambda *each: said.append(each))
    assert built.manifest.titles == 40
    assert said[-1] == (40, 40)
    whole(folder, Films(3, 40))
    with open_index(folder, encoder=Digesting()) as opened:
        assert opened.index.count(Conditions(years=Span(most=1909))) == 10
        assert not opened.superseded


def test_an_empty_catalogue_has_an_index(folder):
    build(Films(1, 0), folder, encoder=Digesting())
    with open_index(folder, encoder=Digesting()) as opened:
        assert opened.index.count() == opened.table.titles == 0
        assert opened.index.dense(Digesting().vector("x"), EVERY, 3) == []


def test_an_update_encodes_what_changed_and_nothing_else(folder):
    first = build(Films(1, 40), folder, encoder=Digesting())
    assert first.encoded == 40
    again = build(Films(2, 40), folder, encoder=Digesting())
    assert again.encoded == 0
    changed = Films(3, 42, changed=frozenset({5, 7}))
    encoder = Digesting()
    assert build(changed, folder, encoder=encoder).encoded == encoder.asked == 4
    whole(folder, changed)


def test_a_build_from_kept_vectors_is_the_build_from_none(folder, tmp_path):
    build(Films(1, 30), folder, encoder=Digesting())
    build(Films(1, 30), folder, encoder=Digesting())
    build(Films(1, 30), tmp_path / "fresh", encoder=Digesting())
    sought = Digesting().vector("storm")
    answers = []
    for each in (folder, tmp_path / "fresh"):
        with open_index(each, encoder=Digesting()) as opened:
            vectors = opened.table.whole_vectors(np.arange(30))
            answers.append((opened.index.dense(sought, EVERY, 30), vectors.tolist()))
    assert answers[0] == answers[1]


def test_another_model_is_refused_and_encodes_anew(folder):
    build(Films(1, 10), folder, encoder=Digesting())
    with pytest.raises(FalseworkError, match="was built with"):
        open_index(folder, encoder=Digesting(name="digest@2"))
    assert build(Films(1, 10), folder, encoder=Digesting(name="digest@2")).encoded == 10
    assert [path.name for path in (folder / "vectors").iterdir()] == ["digest-2"]
    with pytest.raises(FalseworkError, match="was built with"):
        open_index(folder, encoder=Digesting())


def test_damaged_vectors_are_encoded_again(folder):
    build(Films(1, 10), folder, encoder=Digesting())
    (kept,) = (folder / "vectors").rglob("*.safetensors")
    kept.write_bytes(kept.read_bytes()[:200])
    assert build(Films(1, 10), folder, encoder=Digesting()).encoded == 10
    whole(folder, Films(1, 10))


def test_where_nothing_was_built_there_is_a_sentence(folder, monkeypatch):
    with pytest.raises(FalseworkError, match="holds no index"):
        open_index(folder, encoder=Digesting())
    build(Films(1, 3), folder, encoder=Digesting())
    shutil.rmtree(folder / str(current(folder)))
    monkeypatch.setattr("falsework.search.index.generations.PATIENCE", 0.1)
    with pytest.raises(FalseworkError, match="not there"):
        open_index(folder, encoder=Digesting())


def test_a_reader_keeps_what_it_opened_until_it_closes(folder):
    build(Films(1, 20), folder, encoder=Digesting())
    with open_index(folder, encoder=Digesting()) as old:
        before = old.index.dense(Digesting().vector("x"), EVERY, 20)
        for revision in (2, 3):
            build(Films(revision, 5), folder, encoder=Digesting())
        assert old.superseded
        assert old.index.dense(Digesting().vector("x"), EVERY, 20) == before
        assert old.table.titles == 20
        assert generations(folder) == ["000001", "000003"]  # the second was open nowhere
        whole(folder, Films(3, 5))
    build(Films(4, 5), folder, encoder=Digesting())
    assert generations(folder) == ["000004"]


def test_a_failing_encoder_leaves_the_old_index_and_what_was_encoded(folder, monkeypatch):
    monkeypatch.setattr("falsework.search.index.build.AT_ONCE", 8)
    build(Films(1, 5), folder, encoder=Digesting())

    class Failing(Digesting):
        def encode(self, texts):
            if self.asked > 15:
                raise MemoryError
            return super().encode(texts)

    with pytest.raises(MemoryError):
        build(Films(2, 40), folder, encoder=Failing())
    whole(folder, Films(1, 5))
    assert build(Films(2, 40), folder, encoder=Digesting()).encoded == 40 - 5 - 19


def run(folder: Path, revision: int, titles: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(BUILDER), str(folder), str(revision), str(titles)]
    builder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert builder.stdout is not None
    assert builder.stdout.readline() == "begun\n"
    return builder


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_at_any_moment_never_break_an_index_and_lose_nothing(folder, kills: int):
    """A reader is open all the while; after each kill the old index is whole, or the new one is."""
    random = np.random.default_rng(6)
    build(Films(1, 64), folder, encoder=Digesting())
    number, revision, at_work = 64, 1, 0.0
    with open_index(folder, encoder=Digesting()) as reader:
        before = reader.index.dense(Digesting().vector("x"), EVERY, 64)
        began = time.monotonic()
        builder = run(folder, 2, 65)
        assert builder.wait() == 0, builder.stderr.read()
        at_work, revision, number = time.monotonic() - began, 2, 65
        for kill in range(kills):
            builder = run(folder, revision + 1, number + 30)
            time.sleep(at_work * random.uniform(0, 1.2))
            builder.send_signal(signal.SIGKILL)
            builder.wait()
            if _revision(folder) == revision + 1:
                revision, number = revision + 1, number + 30
            whole(folder, Films(revision, number))
            assert reader.index.dense(Digesting().vector("x"), EVERY, 64) == before, kill
        parts = [name for name in generations(folder) if name.endswith(".part")]
        assert len(parts) <= 1  # each build clears what the last one left
    last = build(Films(99, number + 30), folder, encoder=Digesting())
    assert last.encoded <= 30
    whole(folder, Films(99, number + 30))
    assert len(generations(folder)) == 1


def _revision(folder: Path) -> int:
    with open_index(folder, encoder=Digesting()) as opened:
        return opened.manifest.revision


def test_killed_in_the_middle_a_build_goes_on_where_it_was(folder):
    builder = run(folder, 1, 2_000)
    kept = 0
    while kept < 3:
        kept = len(list(folder.glob("vectors/*/*.safetensors")))
        assert builder.poll() is None
        time.sleep(0.005)
    builder.kill()
    builder.wait()
    with pytest.raises(FalseworkError, match="holds no index"):
        open_index(folder, encoder=Digesting())
    encoder = Digesting()
    assert build(Films(1, 2_000), folder, encoder=encoder).encoded == encoder.asked <= 2_000 - 3 * 16
    whole(folder, Films(1, 2_000))


def test_of_two_builders_one_is_told_to_wait(folder):
    builder = run(folder, 1, 2_000)
    while not list(folder.glob("*.part/index/manifest.json")):
        assert builder.poll() is None
        time.sleep(0.005)
    with pytest.raises(FalseworkError, match=f"process {builder.pid}"):
        build(Films(2, 10), folder, encoder=Digesting())
    assert builder.wait() == 0
    whole(folder, Films(1, 2_000))
    build(Films(2, 10), folder, encoder=Digesting())


def test_two_writers_take_turns_and_readers_see_whole_indexes_only(folder):
    """Two processes build over and over; a reader that opens again and again always finds a whole index."""
    build(Films(1, 50), folder, encoder=Digesting())
    writers = [run(folder, revision, 50 * revision) for revision in (2, 3)]
    finished, opened = 0, 0
    until = time.monotonic() + 20
    while finished < 6 and time.monotonic() < until:
        for place, writer in enumerate(writers):
            if writer.poll() is not None:
                assert writer.returncode == 0 or "another build" in writer.stderr.read()
                finished += writer.returncode == 0
                revision = 2 + place
                writers[place] = run(folder, revision, 50 * revision)
        with open_index(folder, encoder=Digesting()) as reader:
            revision = reader.manifest.revision
            assert reader.index.count() == reader.table.titles == 50 * revision
            assert len(reader.index.dense(Digesting().vector("x"), EVERY, 200)) == 50 * revision
            opened += 1
    for writer in writers:
        writer.kill()
        writer.wait()
    assert finished >= 2
    assert opened > finished
    whole(folder, Films(*((r := _revision(folder)), 50 * r)))


def test_a_generation_goes_only_when_its_lock_is_free(folder):
    import fcntl

    build(Films(1, 3), folder, encoder=Digesting())
    with (folder / "000001" / IN_USE).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        build(Films(2, 3), folder, encoder=Digesting())
        assert generations(folder) == ["000001", "000002"]
    build(Films(3, 3), folder, encoder=Digesting())
    assert generations(folder) == ["000003"]


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect")
def test_a_build_into_a_cluster_switches_its_alias_and_deletes_what_is_superseded(folder):
    cluster = Cluster("", client=QdrantClient(":memory:"))
    for revision in (1, 2):
        build(Films(revision, 10 * revision), folder, encoder=Digesting(), cluster=cluster)
        with open_index(folder, encoder=Digesting(), cluster=cluster) as opened:
            assert opened.manifest.revision == revision
            assert opened.index.count() == opened.table.titles == 10 * revision
        assert len(cluster.collections()) == 1
        assert cluster.serving("falsework") == cluster.collections()[0]


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect")
def test_a_build_into_a_cluster_that_fails_leaves_the_old_one(folder, monkeypatch):
    client = QdrantClient(":memory:")
    cluster = Cluster("", client=client)
    build(Films(1, 10), folder, encoder=Digesting(), cluster=cluster)

    def dying(*given, **named):
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(client, "upsert", dying)
        with pytest.raises(FalseworkError, match="cannot be reached"):
            build(Films(2, 20), folder, encoder=Digesting(), cluster=cluster)
    with open_index(folder, encoder=Digesting(), cluster=cluster) as opened:
        assert opened.index.count() == 10
    build(Films(3, 20), folder, encoder=Digesting(), cluster=cluster)
    assert len(cluster.collections()) == 1  # the one the failed build began is deleted too


def test_real_films_are_found_by_what_they_are_about(folder, shared):
    import gzip
    import json

    from falsework.search.encoder import Encoder

    with gzip.open(shared / "search" / "wiki_films.jsonl.gz") as lines:
        rows = [json.loads(line) for number, line in enumerate(lines) if number % 400 == 0]
    titles = [Title(str(row["id"]), row["title"], year=row["year"], synopsis=row["extract"]) for row in rows]

    class Sample:
        revision, identity = 1, "sample"

        def count(self):
            return len(titles)

        def every(self):
            return iter(titles)

    encoder = Encoder.load(threads=1)
    build(Sample(), folder, encoder=encoder)
    with open_index(folder, encoder=encoder) as opened:
        for title in titles[::9]:
            sought = replace(title, title="", year=None).synopsis.split(". ")[0]
            hits = opened.index.dense(encoder.encode([sought])[0], EVERY, 5)
            assert title.id in {hit.id for hit in hits}, sought
