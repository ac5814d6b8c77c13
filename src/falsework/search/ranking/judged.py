"""Queries with known answers: JSON lists of `qid`, `query` and `rel`, the ids of the titles that answer
it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from falsework.errors import FalseworkError

__all__ = ["JudgedQuery", "digest", "folds", "read_queries"]


KEYS = ("qid", "query", "rel")


@dataclass(frozen=True)
class JudgedQuery:
    """`relevant` are ids as the catalogue has them, numbers written out."""

    id: str
    text: str
    relevant: frozenset[str]

    @property
    def digest(self) -> str:
        """What tells whether a model was trained on this query: its words, not its id."""
        return sha256(_bytes(" ".join(self.text.casefold().split()))).hexdigest()[:16]


def read_queries(path: Path) -> list[JudgedQuery]:
    """The queries of a file, in its order. FalseworkError, with the query's place and the key, where one is
    malformed."""
    try:
        listed = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise FalseworkError(
            f"is not a readable list of queries ({words})",
            where=path,
            todo="Give a JSON list of objects with qid, query and rel.",
        ) from error
    if not isinstance(listed, list) or not listed:
        raise FalseworkError(
            "holds no list of queries" if listed != [] else "holds an empty list of queries",
            where=path,
            todo="Give a JSON list of objects with qid, query and rel, at least one.",
        )
    queries = [_query(entry, place, path) for place, entry in enumerate(listed, 1)]
    seen: set[str] = set()
    for query in queries:
        if query.id in seen:
            raise FalseworkError(
                f"has two queries with the qid {query.id}", where=path, todo="Give each its own."
            )
        seen.add(query.id)
    return queries


def _query(entry: Any, place: int, path: Path) -> JudgedQuery:
    def wrong(what: str) -> FalseworkError:
        return FalseworkError(what, where=f"{path}, query {place}", todo="Mend it or leave it out.")

    if not isinstance(entry, dict):
        raise wrong("is no object with qid, query and rel")
    missing = [key for key in KEYS if key not in entry]
    if missing:
        raise wrong(f"has no {' and no '.join(missing)}")
    qid, text, relevant = (entry[key] for key in KEYS)
    if not _is_id(qid):
        raise wrong("its qid is neither a number nor a text")
    if not isinstance(text, str):
        raise wrong("its query is no text")
    if not isinstance(relevant, list) or not relevant:
        raise wrong("its rel is no list of ids" if not isinstance(relevant, list) else "its rel is empty")
    if not all(map(_is_id, relevant)):
        raise wrong("its rel holds something that is neither a number nor a text")
    return JudgedQuery(str(qid), text, frozenset(map(str, relevant)))


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and value != ""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # JSON's escapes can write half a pair


def digest(queries: Iterable[JudgedQuery]) -> str:
    """Of a set of queries, whatever their order."""
    return sha256("\n".join(sorted(query.digest for query in queries)).encode()).hexdigest()[:16]


def folds(queries: Sequence[JudgedQuery], number: int, seed: int) -> np.ndarray:
    """A fold, 0 to `number` - 1, for each query. Queries that share an answer, and so all that are joined
    by a chain of shared answers, are in the same fold: no title is learned from in one half and asked for
    in the other. The groups are dealt out evenly, in an order drawn from `seed`."""
    parent = list(range(len(queries)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[str, int] = {}
    for at, query in enumerate(queries):
        for title in query.relevant:
            parent[root(at)] = root(first.setdefault(title, at))
    groups = np.array([root(at) for at in range(len(queries))])
    distinct = np.unique(groups)
    dealt = np.random.default_rng(seed).permutation(len(distinct)) % number
    return np.asarray(dealt[np.searchsorted(distinct, groups)])
