"""Processes that work on one catalogue at once, or are killed at it. Run by tests as a program of its own:

catalogue_at_work.py write URL WRITER COUNT    puts COUNT titles in, one transaction each
catalogue_at_work.py read URL 0 COUNT          reads all of it until COUNT titles are there
catalogue_at_work.py import URL FILE CHUNK     imports a file, a dot for each chunk that is done
"""

from __future__ import annotations

import sys

from falsework.catalogue import importing
from falsework.catalogue.database import Catalogue
from falsework.catalogue.records import Credit, Title


def main() -> None:
    task, url, first, second = sys.argv[1:5]
    with Catalogue.open(url) as catalogue:
        if task == "write":
            write(catalogue, int(first), int(second))
        elif task == "read":
            read(catalogue, int(second))
        else:
            importing.CHUNK = int(second)
            importing.import_file(catalogue, first, progress=dot)


def dot(done: int, total: int) -> None:
    print(".", end="", flush=True)


def write(catalogue: Catalogue, writer: int, count: int) -> None:
    for number in range(count):
        credits = (Credit(f"Person {number % 7}"), Credit(f"Person {writer}-{number}"))
        title = Title(
            f"{writer}-{number}", f"Title {number}", genres=("Drama", f"Genre {number % 5}"), credits=credits
        )
        catalogue.upsert([title])


def read(catalogue: Catalogue, count: int) -> None:
    """Every look is at one moment: each title is whole, and there are never fewer than before."""
    before = 0
    while before < count:
        seen = list(catalogue.every())
        assert len(seen) >= before, "titles have gone"
        assert all(len(title.credits) == 2 and len(title.genres) == 2 for title in seen), (
            "a title is half there"
        )
        before = len(seen)


if __name__ == "__main__":
    main()
