"""Training of the learned order, and what it is worth on queries it did not see.

python -m falsework.search.ranking.train --catalogue titles.jsonl.gz --queries a.json b.json --out
model.json

learns from queries with known answers and writes the model with its card. The card's figures are
cross-validated: the queries are dealt into folds by the titles that answer them (`judged.folds`), both sets
of weights are learned from the other folds alone, and each fold is ranked by weights that never saw its
answers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from falsework.errors import FalseworkError
from falsework.media.atomic import write_text
from falsework.search.index.protocol import Conditions, Hit
from falsework.search.ranking.candidates import Gatherer
from falsework.search.ranking.features import features
from falsework.search.ranking.judged import JudgedQuery, digest, folds, read_queries
from falsework.search.ranking.learning import Choice, fit_weights
from falsework.search.ranking.model import Model
from falsework.search.ranking.named import Named, names_in
from falsework.search.ranking.request import Encodes, Request, read_request
from falsework.search.ranking.reranker import Reranker
from falsework.search.ranking.shelf import Asked
from falsework.search.understanding import Names, understand

if TYPE_CHECKING:
    from falsework.search.index.build import OpenIndex

__all__ = ["Examples", "Remembering", "cross_validated_models", "measures", "train"]

QUICK_PENALTY: Final = 3.0
BLEND_PENALTY: Final = 10.0
REJECTED: Final = 800  # well-known titles, drawn at random, that stand for those a query did not mean
FOLDS: Final = 5
SEEDS: Final = (0, 1)

Rows = npt.NDArray[np.int64]


class Remembering:
    """An index that is asked the same questions for each fold, and answers them once."""

    def __init__(self, index: Asked) -> None:
        self._index = index
        self._hits: dict[Any, list[Hit]] = {}

    def lexical(self, terms: Mapping[int, float], conditions: Conditions, limit: int) -> list[Hit]:
        asked = (tuple(terms.items()), conditions, limit)
        if asked not in self._hits:
            self._hits[asked] = self._index.lexical(terms, conditions, limit)
        return self._hits[asked]

    def dense(self, vector: npt.NDArray[np.float32], conditions: Conditions, limit: int) -> list[Hit]:
        asked = (vector.tobytes(), conditions, limit)
        if asked not in self._hits:
            self._hits[asked] = self._index.dense(vector, conditions, limit)
        return self._hits[asked]


@dataclass
class Examples:
    """Queries with known answers over one index: what training needs of them, read once."""

    queries: Sequence[JudgedQuery]
    requests: Sequence[Request]
    gatherer: Gatherer

    @classmethod
    def read(
        cls, queries: Sequence[JudgedQuery], gatherer: Gatherer, encoder: Encodes, names: Names
    ) -> Examples:
        """Read the queries' texts as the search does. Their answers are looked at only to learn from."""
        requests = [
            read_request(query.text, understand(query.text, names=names).query, gatherer.table, encoder)
            for query in queries
        ]
        return cls(queries, requests, gatherer)

    def __len__(self) -> int:
        return len(self.queries)

    def answers(self, at: int) -> Rows:
        """The rows that answer a query. A title the query itself names as liked is no answer."""
        rows = self.gatherer.table.rows_of(sorted(self.queries[at].relevant))
        return rows[(rows >= 0) & ~np.isin(rows, self.requests[at].liked)]


def train(examples: Examples, chosen: Sequence[int], *, seed: int, card: Mapping[str, Any]) -> Model:
    """Learn both sets of weights from the queries at `chosen`: first those by which the well-known titles are
    gone through, then, with the candidates they find, those of the order. How often titles are named is
    counted in the texts of the same queries; in its own query a named title is none to choose from."""
    draws = np.random.default_rng(seed)
    table, gatherer = examples.gatherer.table, examples.gatherer
    counts = names_in([examples.requests[at] for at in chosen], table)
    named = Named.of(counts, table)
    names: list[str] = []
    choices: list[Choice] = []
    for at in chosen:
        request = examples.requests[at]
        shelf, columns = gatherer.shelf(request, named=named)
        answers = np.isin(shelf.rows, examples.answers(at))
        some = draws.choice(len(answers), min(REJECTED, len(answers)), replace=False)
        kept = np.union1d(some, np.flatnonzero(answers))
        kept = kept[~np.isin(shelf.rows[kept], np.concatenate([request.liked, request.unliked]))]
        names = list(columns)
        choices.append(Choice(np.stack([columns[name][kept] for name in names], 1), answers[kept]))
    quick = dict(zip(names, fit_weights(choices, QUICK_PENALTY).tolist(), strict=True))
    choices = []
    for at in chosen:
        candidates = gatherer.gather(examples.requests[at], quick=quick, named=named)
        columns = features(examples.requests[at], candidates, table)
        names = list(columns)
        answers = np.isin(candidates.rows, examples.answers(at))
        choices.append(Choice(np.stack(list(columns.values()), 1), answers))
    blend = dict(zip(names, fit_weights(choices, BLEND_PENALTY).tolist(), strict=True))
    return Model(quick, blend, counts, dict(card))


def cross_validated_models(
    examples: Examples, *, number: int, seed: int
) -> Iterator[tuple[Model, npt.NDArray[np.int64]]]:
    """For each fold, a model that was learned from the other folds, and the places of the fold's queries."""
    dealt = folds(examples.queries, number, seed)
    for fold in range(number):
        yield (
            train(examples, np.flatnonzero(dealt != fold).tolist(), seed=seed, card={}),
            np.flatnonzero(dealt == fold),
        )


def cross_validated(examples: Examples, *, number: int, seed: int) -> list[list[str]]:
    """For each query, ids as ranked by the model that did not see its fold."""
    ranked: list[list[str]] = [[] for _ in range(len(examples))]
    for model, places in cross_validated_models(examples, number=number, seed=seed):
        named = Named.of(model.named, examples.gatherer.table)
        for at in places.tolist():
            request = examples.requests[at]
            candidates = examples.gatherer.gather(request, quick=model.quick, named=named)
            best = Reranker(model).rank(request, candidates, examples.gatherer.table, explained=0)
            ranked[at] = [each.id for each in best]
    return ranked


def measures(queries: Sequence[JudgedQuery], ranked: Sequence[Sequence[str]]) -> dict[str, float]:
    """recall@10, MRR and nDCG@10, means over all queries; one without results counts as zero."""
    try:
        import ir_measures
        from ir_measures import RR, R, nDCG
    except ImportError as error:
        raise FalseworkError(
            "the package ir_measures is not installed",
            where="search",
            todo='Run `pip install "falsework[search]"`.',
        ) from error
    qrels = {query.id: dict.fromkeys(query.relevant, 1) for query in queries}
    run = {
        query.id: {id: float(-place) for place, id in enumerate(ids)}
        for query, ids in zip(queries, ranked, strict=True)
    }
    found = ir_measures.calc_aggregate([R @ 10, RR, nDCG @ 10], qrels, run)
    return {"recall@10": found[R @ 10], "MRR": found[RR], "nDCG@10": found[nDCG @ 10]}


@contextmanager
def indexed(catalogue: Path, folder: Path | None, encoder: Any) -> Iterator[OpenIndex]:
    """An index over the titles of a file, in `folder` if one is given, for as long as the block lasts."""
    from falsework.catalogue.database import Catalogue
    from falsework.catalogue.importing import import_file
    from falsework.search.index.build import build, open_index

    with tempfile.TemporaryDirectory(prefix="falsework-train-") as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        with Catalogue.open(place / "catalogue.db") as opened:
            import_file(opened, catalogue)
            build(opened, place / "index", encoder=encoder)
        with open_index(place / "index", encoder=encoder) as index:
            yield index


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Learn the order of search results from judged queries.")
    parser.add_argument("--catalogue", type=Path, required=True, metavar="FILE")
    parser.add_argument("--queries", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--index", type=Path, metavar="DIR", help="keep catalogue and index here")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    try:
        model = _trained(given)
        write_text(given.out, model.dumps())
    except FalseworkError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _trained(given: argparse.Namespace) -> Model:
    from falsework.search.encoder import Encoder

    files = {path.stem: read_queries(path) for path in given.queries}
    encoder = Encoder.load()
    with indexed(given.catalogue, given.index, encoder) as opened:
        return learned(files, opened, encoder, seed=given.seed)


def learned(
    files: Mapping[str, Sequence[JudgedQuery]], opened: OpenIndex, encoder: Encodes, *, seed: int
) -> Model:
    """A model of all queries of all files, and in its card what such models are worth on queries that they
    were not learned from."""
    queries = [
        JudgedQuery(f"{name} {query.id}", query.text, query.relevant)
        for name, listed in files.items()
        for query in listed
    ]
    gatherer = Gatherer(Remembering(opened.index), opened.table, {})
    examples = Examples.read(queries, gatherer, encoder, opened.names)
    by_seed = {each: cross_validated(examples, number=FOLDS, seed=each) for each in SEEDS}
    card = {
        "made": datetime.now(UTC).strftime("%Y-%m-%d"),
        "encoder": getattr(encoder, "name", ""),
        "learned by": "conditional logit with a ridge penalty on standardised columns, L-BFGS",
        "seed": seed,
        "penalties": {"quick": QUICK_PENALTY, "blend": BLEND_PENALTY},
        "folds": FOLDS,
        "fold seeds": list(SEEDS),
        "queries": {
            name: {"number": len(listed), "digest": digest(listed)} for name, listed in files.items()
        },
        "cross-validated": {name: _spread(name, queries, by_seed) for name in files},
        "query digests": sorted(query.digest for query in queries),
    }
    return train(examples, range(len(examples)), seed=seed, card=card)


def _spread(
    name: str, queries: Sequence[JudgedQuery], by_seed: Mapping[int, Sequence[Sequence[str]]]
) -> dict[str, dict[str, float]]:
    """Each measure's mean over the seeds of the folds, and its standard deviation between them."""
    places = [at for at, query in enumerate(queries) if query.id.startswith(f"{name} ")]
    found = [
        measures([queries[at] for at in places], [ranked[at] for at in places]) for ranked in by_seed.values()
    ]
    return {
        measure: {
            "mean": round(float(np.mean([each[measure] for each in found])), 4),
            "deviation": round(float(np.std([each[measure] for each in found])), 4),
        }
        for measure in found[0]
    }


if __name__ == "__main__":
    sys.exit(main())
