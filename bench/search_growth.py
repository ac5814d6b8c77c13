"""How the index grows: latency, memory, disk and build time at 34 thousand, 340 thousand and a million
titles; of the index alone, and of whole searches for a sentence.

    python bench/search_growth.py --catalogue ../shared/search/wiki_films.jsonl.gz --json growth.json

Titles beyond the catalogue's own are synthesised from it (synthesised_catalogue.py), with perturbed vectors:
encoding a million titles would take hours and change nothing measured here. How fast texts are encoded
is measured apart. Each build and each reader is a process of its own. In a whole search the titles that are
shown come from memory, not from a database.

What was built in --folder stays there: run again, it measures the readers alone.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from falsework.media.atomic import write_text
from falsework.search.encoder import Encoder
from falsework.search.index.build import build, open_index
from falsework.search.index.protocol import Conditions
from falsework.search.query import Span
from falsework.search.ranking.document import passages, sentences
from falsework.search.ranking.table import Table
from falsework.search.searcher import Searcher
from falsework.search.text import term_id, tokens
from synthesised_catalogue import Sample, Synthesised, sample_of

SIZES = (34_375, 343_750, 1_000_000)
QUESTIONS, WANTED, ROUNDS = 150, 100, 3
CHECKED = 20  # questions whose nearest titles are worked out exactly
CONDITIONS = Conditions(years=Span(least=1970, most=1999))
BUILT = "built.json"  # beside an index that is whole: what building it took
WISHES = (
    "a funny heist film with a twist",
    "something scary but not gory from the 90s",
    "movies like The Godfather",
    "a submarine crew mutiny",
    "romantic comedy set in Paris",
    "films with Tom Hanks about the war",
    "dark thriller under two hours",
    "a robot that falls in love",
    "animated film for the whole family",
    "courtroom drama with a good ending",
    "una comedia sobre una boda en un pueblo",
    "a western where the sheriff is afraid",
    "documentary about mountain climbers",
    "a boy befriends an alien",
    "spy film set in Berlin during the cold war",
    "musical from the 50s with dancing sailors",
    "something sad about a dog",
    "the one with the sled called rosebud",
    "black and white horror with a vampire",
    "a family moves into a haunted house",
)


@dataclass(frozen=True)
class Question:
    terms: dict[int, float]
    vector: np.ndarray


@dataclass(frozen=True)
class Size:
    """What was measured at one size: seconds, megabytes (1e6 bytes), milliseconds."""

    titles: int
    build_seconds: float
    build_processor_seconds: float
    build_peak_mb: float
    disk_mb: float
    of_it_kept_vectors_mb: float
    open_seconds: float
    resident_mb: float
    hybrid_p50: float
    hybrid_p95: float
    filtered_p50: float
    filtered_p95: float
    lexical_p50: float
    dense_p50: float
    recall: float
    filtered_recall: float
    search_p50: float
    search_p95: float
    search_processor_p50: float
    search_resident_mb: float


def built(sample: Sample, number: int, name: str, folder: Path) -> None:
    """Build, in a fresh process, and keep beside the index what it took: seconds, processor seconds, and
    megabytes of resident memory at its peak."""
    source = Synthesised(sample, number, name, sample.vectors.shape[1])
    began, worked = time.perf_counter(), time.process_time()
    build(source, folder, encoder=source, progress=_progress(number))
    took = {
        "build_seconds": time.perf_counter() - began,
        "build_processor_seconds": time.process_time() - worked,
        "build_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }
    write_text(folder / BUILT, json.dumps(took) + "\n")


def searched(sample: Sample, number: int, folder: Path) -> dict[str, float]:
    """Whole searches for one sentence each, from words to titles with reasons, in a fresh process."""
    encoder = Encoder.load()
    catalogue = Synthesised(sample, number, encoder.name, encoder.dimensions)
    before = _resident()
    seconds, processor = [], []
    with Searcher(catalogue, open_index(folder, encoder=encoder), encoder=encoder) as searcher:
        for turn in range(ROUNDS + 1):  # the first warms the pages
            for wish in WISHES:
                worked = time.process_time()
                took = _seconds(lambda wish=wish: searcher.search(wish))
                if turn:
                    seconds.append(took)
                    processor.append(time.process_time() - worked)
        resident = _resident() - before
    return {
        "search_p50": _percentile(seconds, 50),
        "search_p95": _percentile(seconds, 95),
        "search_processor_p50": _percentile(processor, 50),
        "search_resident_mb": resident,
    }


def asked(folder: Path, name: str, dimensions: int, questions: Sequence[Question]) -> dict[str, Any]:
    """What a reader in a fresh process measures."""
    before = _resident()
    began = time.perf_counter()
    encoder = Synthesised(Sample([], np.zeros((0, dimensions)), np.zeros(1)), 0, name, dimensions)
    with open_index(folder, encoder=encoder) as opened:
        opening = time.perf_counter() - began
        lexical, dense, filtered = [], [], []
        for turn in range(ROUNDS + 1):  # the first warms the pages
            for question in questions:
                one = _seconds(lambda q=question: opened.index.lexical(q.terms, Conditions(), WANTED))
                two = _seconds(lambda q=question: opened.index.dense(q.vector, Conditions(), WANTED))
                both = _seconds(
                    lambda q=question: (
                        opened.index.lexical(q.terms, CONDITIONS, WANTED),
                        opened.index.dense(q.vector, CONDITIONS, WANTED),
                    )
                )
                if turn:
                    lexical.append(one)
                    dense.append(two)
                    filtered.append(both)
        resident = _resident() - before  # before the exact check below, which reads every vector
        found, found_filtered = [], []
        years = opened.table.years
        every = np.ones(len(years), np.bool_)
        within = (years >= CONDITIONS.years.least) & (years <= CONDITIONS.years.most)
        for question in questions[:CHECKED]:
            for conditions, allowed, into in (
                (Conditions(), every, found),
                (CONDITIONS, within, found_filtered),
            ):
                hits = {hit.id for hit in opened.index.dense(question.vector, conditions, WANTED)}
                into.append(len(hits & _nearest(opened.table, question.vector, allowed)) / WANTED)
    hybrid = np.add(lexical, dense)
    return {
        "open_seconds": opening,
        "resident_mb": resident,
        "hybrid_p50": _percentile(hybrid, 50),
        "hybrid_p95": _percentile(hybrid, 95),
        "filtered_p50": _percentile(filtered, 50),
        "filtered_p95": _percentile(filtered, 95),
        "lexical_p50": _percentile(lexical, 50),
        "dense_p50": _percentile(dense, 50),
        "recall": float(np.mean(found)),
        "filtered_recall": float(np.mean(found_filtered)),
    }


def _nearest(table: Table, vector: np.ndarray, allowed: np.ndarray) -> set[str]:
    """The WANTED nearest of the `allowed` titles by the table's own vectors (8-bit: a few at the edge may
    differ)."""
    scores = np.concatenate(
        [
            table.whole_vectors(np.arange(at, min(at + 50_000, table.titles))) @ vector
            for at in range(0, table.titles, 50_000)
        ]
    )
    scores[~allowed] = -np.inf
    return set(table.ids_of(np.argpartition(-scores, WANTED)[:WANTED]))


def questions_of(sample: Sample, encoder: Encoder) -> list[Question]:
    """One sentence each, of synopses spread over the catalogue."""
    chosen = np.linspace(0, len(sample.titles) - 1, QUESTIONS).astype(int)
    texts = [(sentences(sample.titles[each].synopsis) or ["a film"])[-1] for each in chosen]
    vectors = encoder.encode(texts)
    return [
        Question({term_id(token): 1.0 for token in tokens(text)}, vector)
        for text, vector in zip(texts, vectors, strict=True)
    ]


def encoding_speed(sample: Sample, encoder: Encoder) -> dict[str, float]:
    """Texts encoded a second, by the clock and by the processor, over 200 titles of the whole catalogue."""
    chosen = sample.titles[:: max(1, len(sample.titles) // 200)]
    texts = [text for title in chosen for text in passages(title)]
    encoder.encode(texts[:64])
    began, worked = time.perf_counter(), time.process_time()
    encoder.encode(texts)
    return {
        "texts_a_second": len(texts) / (time.perf_counter() - began),
        "texts_a_processor_second": len(texts) / (time.process_time() - worked),
        "texts_a_title": len(texts) / len(chosen),
    }


def slopes(sizes: Sequence[Size]) -> dict[str, float]:
    """By how much each figure is multiplied when the titles are ten times as many: the slope of a straight
    line through the logarithms."""
    if len(sizes) < 2:
        return {}
    decades = [math.log10(size.titles) for size in sizes]
    names = (
        *("hybrid_p50", "hybrid_p95", "search_p50", "search_p95", "search_processor_p50"),
        *("resident_mb", "search_resident_mb", "disk_mb", "build_processor_seconds"),
    )
    return {
        name: 10 ** float(np.polyfit(decades, [math.log10(getattr(size, name)) for size in sizes], 1)[0])
        for name in names
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--catalogue", type=Path, required=True, help="JSON lines, plain or .gz")
    parser.add_argument("--titles", type=int, nargs="+", default=SIZES)
    parser.add_argument(
        "--vectors", type=Path, help="a folder of vectors that were encoded before, and are kept"
    )
    parser.add_argument("--folder", type=Path, help="where indexes are built, and stay (a temporary one)")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    given = parser.parse_args()
    encoder = Encoder.load()
    print(
        "Titles beyond the catalogue's are its own with words, names and years exchanged; their vectors are "
        "perturbed, not encoded. Build times are without encoding."
    )
    sizes: list[Size] = []
    with tempfile.TemporaryDirectory() as temporary:
        where = given.folder or Path(temporary)
        sample = sample_of(given.catalogue, given.vectors or where / "vectors", encoder)
        questions, speed = questions_of(sample, encoder), encoding_speed(sample, encoder)
        for number in given.titles:
            folder = where / str(number)
            if not (folder / BUILT).exists():
                _apart(built, sample, number, encoder.name, folder)
            took = json.loads((folder / BUILT).read_text())
            read = _apart(asked, folder, encoder.name, encoder.dimensions, questions)
            whole = _apart(searched, sample, number, folder)
            disk, kept = _megabytes(folder), _megabytes(folder / "vectors")
            sizes.append(
                Size(titles=number, disk_mb=disk, of_it_kept_vectors_mb=kept, **took, **read, **whole)
            )
    report = {"encoding": speed, "sizes": [asdict(size) for size in sizes], "ten_times": slopes(sizes)}
    _table(sizes, slopes(sizes))
    print("encoding: " + ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in speed.items()))
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n")


def _apart(task: Callable[..., Any], *given: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(task, *given).result()


def _table(sizes: Sequence[Size], ten_times: dict[str, float]) -> None:
    """A line a figure, a column a size, and what ten times the titles multiply it by."""
    for name in (each.name for each in fields(Size)):
        columns = "".join(f"{getattr(size, name):>14,.5g}" for size in sizes)
        factor = f"{ten_times[name]:>10.2f}" if name in ten_times else ""
        print(f"{name:>26}{columns}{factor}")


def _progress(number: int) -> Callable[[int, int], None]:
    return lambda done, _: print(
        f"\rbuilding {number}: {done}", end="" if done < number else "\n", flush=True
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _percentile(seconds: Sequence[float] | np.ndarray, percent: int) -> float:
    return float(np.percentile(seconds, percent)) * 1e3


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e6


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
