"""Processes that append at once, or are killed at it. Run by tests as a program of its own, since it forks:

    ledger_at_work.py kill LEDGER ROUNDS SEED      a child appends batches and gets SIGKILL, again and again
    ledger_at_work.py race LEDGER CHILDREN COUNT   children append COUNT records each, one by one, all at once
    ledger_at_work.py fill LEDGER BYTES 0          appends until the disk gives out, at files of BYTES

Prints a line of JSON for each round.
"""

from __future__ import annotations

import json
import os
import random
import resource
import select
import signal
import sys
import time
import traceback

from falsework.errors import FalseworkError
from falsework.rights.ledger import Ledger
from falsework.rights.records import Record
from ledgers import AT, people

BATCH = 40


def main() -> None:
    task, where, first, second = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if task == "kill":
        kill(where, first, random.Random(second))
    elif task == "race":
        race(where, first, second)
    else:
        fill(where, first)


def kill(where: str, rounds: int, chance: random.Random) -> None:
    for number in range(rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            appending(where, number, writing)
        os.close(writing)
        if number % 3:
            select.select(
                [reading], [], [], 30
            )  # it is at work; else it may still be opening, or beginning it
        time.sleep(chance.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading, "rb") as said:
            finished = said.read().count(b".")
        with Ledger.open(where) as ledger:
            faults, size = [fault.words for fault in ledger.verify()], ledger.size
        print(json.dumps({"finished": finished, "size": size, "faults": faults}), flush=True)


def appending(where: str, number: int, writing: int) -> None:
    """Append batches without end; one dot for each that is in the ledger."""
    try:
        with Ledger.open(where) as ledger:
            batch = 0
            while True:
                records: list[Record] = people(BATCH, start=number * 1_000_000 + batch * BATCH)
                ledger.append(records, at=AT)
                os.write(writing, b".")
                batch += 1
    finally:
        os._exit(1)


def fill(where: str, limit: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    finished, words = 0, ""
    try:
        with Ledger.open(where) as ledger:
            while True:
                ledger.append(people(BATCH, start=finished), at=AT)
                finished += BATCH
    except FalseworkError as error:
        words = error.sentence()
    print(json.dumps({"finished": finished, "words": words}))


def race(where: str, children: int, count: int) -> None:
    pids = []
    for child in range(children):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                # Each opens (and the first of them begins) the ledger by itself.
                with Ledger.open(where) as ledger:
                    for record in people(count, start=child * count):
                        ledger.append([record], at=AT)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        pids.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    print(json.dumps({"codes": codes}))


if __name__ == "__main__":
    main()
