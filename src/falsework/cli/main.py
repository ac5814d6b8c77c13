"""`falsework`: arguments in, words out. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import falsework
from falsework.cli import (
    ads,
    bench,
    brief,
    catalogue,
    clean,
    clearing,
    credentials,
    dataset,
    ledger,
    make,
    models,
    new,
    search,
    stage,
    takes,
    traditional,
    train,
    verify,
)
from falsework.cli.output import write_out
from falsework.errors import FalseworkError, shown

__all__ = ["main"]

DONE, OUR_FAULT, YOURS_TO_MEND, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 2 to be mended, 1 our fault, 130 interrupted."""
    given = _parser().parse_args(arguments)
    logging.getLogger("falsework").setLevel(logging.ERROR if given.quiet else logging.WARNING)
    try:
        with _termination_as_interrupt():
            answer: dict[str, Any] = given.run(given)
    except FalseworkError as error:
        _say(
            given,
            {"what": error.what, "where": error.where, "todo": error.todo},
            error.sentence(),
            YOURS_TO_MEND,
        )
        return YOURS_TO_MEND
    except KeyboardInterrupt:
        words = "Stopped. What was finished is kept; run the same command to go on."
        _say(given, {"what": "interrupted", "where": "", "todo": words}, words, INTERRUPTED)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUR_FAULT
    except Exception as error:
        return _our_fault(given, error)
    if given.json:
        write_out(shown(json.dumps({"ok": True, **answer}, ensure_ascii=False)) + "\n")
    return int(answer.get("exit_code", DONE))


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """SIGTERM ends a command by the way of Ctrl-C: what it started ends with it, half-written files go."""

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: leaving must not be cut short
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # Python hears signals in its main thread alone
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="falsework",
        description="A plate and a sentence in, a finished building collapse out, with every layer.",
    )
    parser.add_argument("--version", action="version", version=f"falsework {falsework.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--quiet", action="store_true", help="say nothing but errors")
    shared.add_argument(
        "--json", action="store_true", help="one JSON object on stdout at the end, errors too"
    )
    shared.add_argument("--debug", action="store_true", help="show the traceback of a fault of ours")
    make.add(commands, shared)
    takes.add(commands, shared)
    stage.add(commands, shared)
    clean.add(commands, shared)
    new.add(commands, shared)
    brief.add(commands, shared)
    ledger.add(commands, shared)
    credentials.add(commands, shared)
    verify.add(commands, shared)
    clearing.add(commands, shared)
    traditional.add(commands, shared)
    dataset.add(commands, shared)
    models.add(commands, shared)
    train.add(commands, shared)
    catalogue.add(commands, shared)
    search.add(commands, shared)
    ads.add(commands, shared)
    bench.add(commands)
    return parser


def _say(given: argparse.Namespace, fault: dict[str, str], sentence: str, code: int) -> None:
    print(sentence, file=sys.stderr)
    if given.json:
        told = {"ok": False, "exit_code": code, "error": fault}
        write_out(shown(json.dumps(told, ensure_ascii=False)) + "\n")


def _our_fault(given: argparse.Namespace, error: Exception) -> int:
    """A short message; the traceback goes to a file, for the one who mends it."""
    if isinstance(error, MemoryError):
        words = (
            "This machine's memory was not enough. Finished work is kept; try a smaller `size` in [plate]."
        )
        _say(given, {"what": "out of memory", "where": "", "todo": words}, words, YOURS_TO_MEND)
        return YOURS_TO_MEND
    told = "".join(traceback.format_exception(error))
    if given.debug:
        print(told, file=sys.stderr)
    try:
        with tempfile.NamedTemporaryFile("w", prefix="falsework-", suffix=".txt", delete=False) as file:
            file.write(told)
        kept = f"The traceback is in {file.name}."
    except OSError:
        kept = "Run again with --debug to see the traceback."
    summary = str(error).strip().splitlines()
    short = f"{type(error).__name__}: {summary[-1]}" if summary else type(error).__name__
    words = f"A fault of ours, not yours: {short}. {kept} Finished work is kept."
    _say(given, {"what": short, "where": "", "todo": kept}, words, OUR_FAULT)
    return OUR_FAULT


if __name__ == "__main__":
    sys.exit(main())
