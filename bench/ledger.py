"""What the ledger costs: appending, verifying, reading and proving, as medians.

    python bench/ledger.py [--events 20000] [--rounds 5] [--url postgresql+psycopg://USER@HOST/EMPTY_DATABASE]

Wall-clock milliseconds and, in brackets, those of this process's own processor time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from falsework.rights.ledger import Ledger
from falsework.rights.prov import prov_json
from falsework.rights.records import Activity, Asset, Record, asset_id
from falsework.rights.state import State

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def steps(start: int, count: int) -> list[Record]:
    """What a pipeline writes: an asset and the activity that made it from the one before, in turn."""
    records: list[Record] = []
    for number in range(start, start + (count + 1) // 2):
        digest, before = asset_id(f"{number + 1:064x}"), asset_id(f"{number:064x}")
        records.append(
            Asset(id=digest, type="intermediate", name=f"step {number}", path=f"work/{number}.exr")
        )
        records.append(
            Activity(
                id=f"activity:{number:016x}",
                type="render",
                used=(before,),
                generated=(digest,),
                agent="party:anna",
                version="0.1.0",
                parameters={"samples": 16, "exposure": 0.25, "layers": ["beauty", "dust", "debris"]},
                seed=number,
                offline=True,
            )
        )
    return records[:count]


def measured(words: str, work: Callable[[], object], rounds: int, each: int = 1) -> None:
    walls, owns = [], []
    for _ in range(rounds):
        wall, own = time.perf_counter(), time.process_time()
        work()
        owns.append((time.process_time() - own) / each * 1e3)
        walls.append((time.perf_counter() - wall) / each * 1e3)
    print(f"{words:<44} {statistics.median(walls):9.3f} ms  ({statistics.median(owns):9.3f} ms)")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--url", help="a PostgreSQL database without a ledger (default: a file)")
    given = parser.parse_args()
    count, rounds = given.events, given.rounds
    with tempfile.TemporaryDirectory() as folder:
        where = given.url or str(Path(folder) / "ledger.sqlite")
        with Ledger.open(where) as ledger:
            records = steps(0, count)
            measured(f"append, {count} at once, each", lambda: ledger.append(records, at=AT), 1, count)
            fresh = iter([[one] for one in steps(count, 1000)])
            measured("append one more", lambda: ledger.append(next(fresh), at=AT), 1000)
            measured("append one that is there already", lambda: ledger.append(records[:1], at=AT), 200)
            measured(f"verify {ledger.size}", ledger.verify, rounds)
            measured("inclusion proof", lambda: ledger.inclusion(77), rounds)
            measured("consistency proof", lambda: ledger.consistency(777), rounds)
            measured("read all events", ledger.events, rounds)
            events = ledger.events()
            measured("state of all events", lambda: State.of(events), rounds)
            measured(
                "state of 1000 events, ancestors of the last",
                lambda: State.of(events[:1000]).ancestors(asset_id(f"{500:064x}")),
                rounds,
            )
            measured("PROV-JSON", lambda: prov_json(State.of(events)), rounds)

        def opened() -> None:
            with Ledger.open(where, create=False) as ledger:
                ledger.root()

        measured("open, and the root", opened, rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
