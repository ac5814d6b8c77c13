"""Is search as good in Spanish as in English? `python bench/search_spanish.py --catalogue FILE`.

Two measures through the encoder alone, each for the glossary's English, for the raw Spanish beside it (the
floor), and for the English twin a speaker wrote:

- wishes: the share of the first ten results that the Spanish wish and its English twin have in common;
- known items: recall at 10 and mean reciprocal rank of the film a sentence describes.

The sentences stand in `search_spanish_wishes.csv` and `search_spanish_known.csv`, written before the tuning.
Results of the half called "test" were not looked at while the glossary grew, but one author wrote sentences
and glossary, and some wording of both halves is in it: the figures flatter it, and sentences by others are
the better test.
With `--database FILE --index FOLDER`
(`falsework catalogue import` and `falsework search` make them) the whole search is asked as well, in both
languages as they were typed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from falsework.catalogue.database import Catalogue
from falsework.search.encoder import Encoder
from falsework.search.searcher import Searcher
from falsework.search.understanding.spanish import to_english

HERE = Path(__file__).parent
FIRST = 10  # results that are compared
DEEPEST = 1_000  # ranks looked at for the reciprocal rank

Float = npt.NDArray[np.float32]
Row = dict[str, str]
Ranking = Callable[[Sequence[str]], list[list[str]]]  # sentences to films ("Jaws (1975)"), best first


def films(catalogue: Path) -> list[dict[str, object]]:
    data = catalogue.read_bytes()
    lines = gzip.decompress(data) if catalogue.suffix == ".gz" else data
    return [json.loads(line) for line in lines.splitlines()]


def vectors_of(catalogue: list[dict[str, object]], encoder: Encoder, kept: Path | None) -> Float:
    """One vector a film (title, year, text), from the file `kept` if there is one of that length."""
    if kept is not None and kept.exists():
        found: Float = np.load(kept)
        if len(found) == len(catalogue):
            return found
    texts = [f"{film['title']} ({film['year']}). {film['extract']}" for film in catalogue]
    found = encoder.encode(texts).astype(np.float32)
    if kept is not None:
        np.save(kept, found)
    return found


def by_encoder(encoder: Encoder, vectors: Float, names: Sequence[str]) -> Ranking:
    def rank(sentences: Sequence[str]) -> list[list[str]]:
        scores = encoder.encode(list(sentences)) @ vectors.T
        best = np.argpartition(-scores, DEEPEST, axis=1)[:, :DEEPEST]
        ordered = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1), 1)
        return [[names[film] for film in row] for row in ordered]

    return rank


def by_searcher(searcher: Searcher) -> Ranking:
    def rank(sentences: Sequence[str]) -> list[list[str]]:
        answers = [searcher.search(sentence, limit=FIRST, offline=True) for sentence in sentences]
        return [
            [f"{result.title.title} ({result.title.year})" for result in answer.results] for answer in answers
        ]

    return rank


def read(name: str, half: str) -> list[Row]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if half in ("both", row["half"])]


def shared(one: list[str], other: list[str]) -> float:
    return len(set(one[:FIRST]) & set(other[:FIRST])) / FIRST


def wishes(rank: Ranking, half: str, *, glossary: bool) -> None:
    """`glossary`: translate first, and print raw Spanish beside it; else the ranking reads Spanish."""
    rows = read("search_spanish_wishes.csv", half)
    english = rank([row["english"] for row in rows])
    asked = {"typed": rank([row["spanish"] for row in rows])}
    if glossary:
        asked["glossary"] = rank([to_english(row["spanish"]).text for row in rows])
    heads = "".join(f"{name:>10}" for name in asked)
    print(f"\n{'wishes: share of ten results shared with English':50}{heads}")
    groups = {"headline": [row["headline"] == "yes" for row in rows]}
    groups |= {name: [row["half"] == name for row in rows] for name in ("tuning", "test")}
    groups["all"] = [True] * len(rows)
    for name, chosen in groups.items():
        places = [place for place, yes in enumerate(chosen) if yes]
        if places:
            shares = [
                float(np.mean([shared(found[place], english[place]) for place in places]))
                for found in asked.values()
            ]
            print(f"  {name + f' ({len(places)})':48}" + "".join(f"{share:10.3f}" for share in shares))


def known_items(rank: Ranking, half: str, *, glossary: bool) -> None:
    rows = read("search_spanish_known.csv", half)
    asked = {
        "English twin": [row["english"] for row in rows],
        "Spanish, typed": [row["spanish"] for row in rows],
    }
    if glossary:
        asked["Spanish, glossary"] = [to_english(row["spanish"]).text for row in rows]
    answers = [f"{row['title']} ({row['year']})" for row in rows]
    print(f"\n{'known items':34}  recall@10  MRR")
    for name, sentences in asked.items():
        rankings = rank(sentences)
        for group in ("tuning", "test", "all"):
            places = [place for place, row in enumerate(rows) if group in ("all", row["half"])]
            if not places:
                continue
            ranks = [
                rankings[place].index(answers[place]) + 1 if answers[place] in rankings[place] else 0
                for place in places
            ]
            recall = float(np.mean([0 < each <= FIRST for each in ranks]))
            reciprocal = float(np.mean([1 / each if each else 0.0 for each in ranks]))
            print(f"  {name + f', {group} ({len(places)})':32}  {recall:9.3f}  {reciprocal:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--catalogue", type=Path, required=True, help="JSON lines: title, year, extract")
    parser.add_argument("--half", choices=("tuning", "test", "both"), default="both")
    parser.add_argument("--vectors", type=Path, help="keep the films' vectors in this .npy file")
    parser.add_argument("--database", type=Path, help="the same catalogue, imported")
    parser.add_argument("--index", type=Path, help="its index")
    arguments = parser.parse_args()
    catalogue = films(arguments.catalogue)
    encoder = Encoder.load()
    names = [f"{film['title']} ({film['year']})" for film in catalogue]
    rank = by_encoder(encoder, vectors_of(catalogue, encoder, arguments.vectors), names)
    print("the encoder alone")
    wishes(rank, arguments.half, glossary=True)
    known_items(rank, arguments.half, glossary=True)
    if arguments.database is None or arguments.index is None:
        return
    print("\nthe whole search")
    with Catalogue.open(arguments.database) as stored, Searcher.open(stored, arguments.index) as searcher:
        wishes(by_searcher(searcher), arguments.half, glossary=False)
        known_items(by_searcher(searcher), arguments.half, glossary=False)


if __name__ == "__main__":
    main()
