"""Rows of a file, whatever its form: CSV, JSON lines (both also compressed by gzip) or Parquet.

What is wrong with one row is said of that row, and the next is read.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

from falsework.errors import FalseworkError

__all__ = ["Row", "Source", "open_source"]

Form = Literal["csv", "json lines", "parquet"]
FORMS: dict[str, Form] = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "json lines", ".ndjson": "json lines", ".json": "json lines",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
LONGEST_RECORD = 4 << 20  # characters of one row; a quotation mark that is never closed ends there
READ_AGAIN = 16 << 20  # characters that broken records may have read again, beside the file's own length
BLOCK = 1 << 20  # bytes that are read at a time
GUESSED_FROM = 200  # rows of JSON lines whose keys are taken for the columns
BATCH = 1_000  # rows of Parquet that are unpacked at a time
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row, by the number of the line it begins on (of Parquet: its own number), counted from 1: its
    `values` by column, or the `fault` that made it unreadable, as a clause."""

    line: int
    values: dict[str, Any]
    fault: str = ""


@dataclass(frozen=True)
class Source:
    """A file of rows.

    digest    SHA-256 of the file, hexadecimal
    lines     about how many lines it has, for the progress
    encoding  of its text; "" for Parquet
    columns   the names of its columns (of JSON lines: the keys of the first rows)
    """

    path: Path
    form: Form
    digest: str
    lines: int
    encoding: str
    columns: tuple[str, ...]

    def rows(self) -> Iterator[Row]:
        """Every row; FalseworkError where the file itself cannot be read any further."""
        return _rows(self.path, self.form, self.encoding)


def open_source(path: Path) -> Source:
    """Look into a file once: its form by its name, its digest, encoding and columns."""
    name = path.name.lower().removesuffix(".gz")
    form = FORMS.get(Path(name).suffix)
    if form is None or (form == "parquet" and path.name.lower().endswith(".gz")):
        raise FalseworkError(
            "has a name that does not say what it is",
            where=path,
            todo="Call it .csv, .tsv, .jsonl (each also with .gz) or .parquet.",
        )
    if not path.is_file():
        raise FalseworkError("there is no such file", where=path)
    try:
        digest = _digest(path)
        if form == "parquet":
            columns, lines = _parquet_columns(path)
            return Source(path, form, digest, lines, "", columns)
        encoding, lines = _survey(path)
        if form == "csv":
            columns = tuple(_header(path, encoding)[1])
        else:
            keys = (key for row in islice(_json_rows(path, encoding), GUESSED_FROM) for key in row.values)
            columns = tuple(dict.fromkeys(keys))
            if not columns:
                raise FalseworkError(
                    "holds no JSON objects, one to a line",
                    where=path,
                    todo="Write each title on a line of its own, without a list around them.",
                )
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error
    return Source(path, form, digest, lines, encoding, columns)


def _rows(path: Path, form: Form, encoding: str) -> Iterator[Row]:
    try:
        if form == "parquet":
            yield from _parquet_rows(path)
        elif form == "csv":
            yield from _csv_rows(path, encoding)
        else:
            yield from _json_rows(path, encoding)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> FalseworkError:
    words = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return FalseworkError(
        f"cannot be read ({words})", where=path, todo="Get the file anew; what was imported of it is kept."
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- text ------------------------------------------------------------------------------------------------


def _bytes(path: Path) -> IO[bytes]:
    if not path.name.lower().endswith(".gz"):
        return path.open("rb")
    packed: Any = gzip.GzipFile(path)  # which has all of a file's methods, and not its type
    return packed  # type: ignore[no-any-return]


def _text(path: Path, encoding: str) -> IO[str]:
    """The file's text; bytes that are no characters become lone surrogates, which refuse their row later."""
    return io.TextIOWrapper(_bytes(path), encoding=encoding, errors="surrogateescape", newline="")


def _survey(path: Path) -> tuple[str, int]:
    """The encoding of a text file and about how many lines it has.

    Without a byte order mark it is UTF-8, unless more of the lines with other characters than ASCII are not
    UTF-8 than are: then it is Windows-1252, which spreadsheets write. A few damaged lines in UTF-8 do not
    make it another.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, valid, first = 0, True, b""
    with _bytes(path) as file:
        while block := file.read(BLOCK):
            first = first or block[:4]
            lines += block.count(b"\n")
            if valid:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    valid = False
    for mark, encoding in BYTE_ORDER_MARKS:
        if first.startswith(mark):
            return encoding, lines
    return "utf-8" if valid or _mostly_utf8(path) else "cp1252", lines


def _mostly_utf8(path: Path) -> bool:
    good = bad = 0
    with _bytes(path) as file:
        while line := file.readline(BLOCK):
            if not line.isascii():
                try:
                    line.decode()
                    good += 1
                except UnicodeDecodeError:
                    bad += 1
    return good >= bad


class _Lines:
    """The lines of a text one by one, with the number of the last one; some may be given back."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._returned: list[str] = []
        self._allowance = READ_AGAIN  # characters that may yet be given back
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        while True:
            if self._returned:
                line = self._returned.pop()
            else:
                line = self._file.readline(LONGEST_RECORD)
                self._allowance += len(line)
            if not line:
                return
            self.number += 1
            yield line

    def give_back(self, lines: list[str]) -> bool:
        """Whether these last lines were taken back, to be read again. No file has that done with each of its
        lines: the time would grow with its square."""
        size = sum(map(len, lines))
        if size > self._allowance:
            return False
        self._allowance -= size
        self._returned.extend(reversed(lines))
        self.number -= len(lines)
        return True

    def skip_rest(self, line: str) -> None:
        """Go to the end of a line of which only the beginning was read."""
        while line and not line.endswith(("\n", "\r")):
            line = self._file.readline(LONGEST_RECORD)


# ---- CSV -------------------------------------------------------------------------------------------------


def _header(path: Path, encoding: str) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns."""
    with _text(path, encoding) as file:
        first = file.readline(LONGEST_RECORD)
    delimiter = max(",;\t|", key=first.count)
    try:
        names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    except csv.Error as error:
        raise FalseworkError(f"its first line is no header ({error})", where=path) from error
    named = [name for name in names if name]
    if not named or any("\0" in name for name in named):
        raise FalseworkError(
            "its first line is no header", where=path, todo="Give each column its name in the first line."
        )
    twice, times = Counter(named).most_common(1)[0]
    if times > 1:
        raise FalseworkError(f'two columns are called "{twice}"', where=path, todo="Call one something else.")
    return delimiter, names


def _csv_rows(path: Path, encoding: str) -> Iterator[Row]:
    delimiter, names = _header(path, encoding)
    csv.field_size_limit(max(csv.field_size_limit(), 2 * LONGEST_RECORD))
    with _text(path, encoding) as file:
        lines = _Lines(file)
        next(iter(lines), None)
        for line, fields, fault in _records(lines, delimiter):
            if fault:
                yield Row(line, {}, fault)
            elif fields and len(fields) != len(names):
                yield Row(line, {}, f"it has {len(fields)} fields where the header has {len(names)}")
            elif any(fields):
                yield Row(line, {name: value for name, value in zip(names, fields, strict=True) if name})


class _EndlessError(Exception):
    """A record goes on for longer than any does."""


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Records with the line they begin on. After a broken one (a quotation mark that is not closed) reading
    goes on at the line after its first, so that it takes no others with it; where a file has had many that
    were long, at the line after its last."""
    taken: list[str] = []

    def feed() -> Iterator[str]:
        size = 0
        for line in lines:
            size = len(line) if not taken else size + len(line)
            taken.append(line)
            if size >= LONGEST_RECORD:
                raise _EndlessError
            yield line

    while True:
        reader = csv.reader(feed(), delimiter=delimiter, strict=True)
        try:
            for fields in reader:
                yield lines.number - len(taken) + 1, fields, ""
                taken.clear()
            return
        except (csv.Error, _EndlessError) as error:
            begins, ends, fault = lines.number - len(taken) + 1, lines.number, _csv_fault(error)
            if len(taken) == 1:
                lines.skip_rest(taken[0])
            if not lines.give_back(taken[1:]):
                fault += f"; after so many rows like it, all up to line {ends:,} are left out with it"
            taken.clear()
            yield begins, [], fault


def _csv_fault(error: Exception) -> str:
    if isinstance(error, _EndlessError):
        return f"it is longer than {LONGEST_RECORD:,} characters, or a quotation mark is never closed"
    if "unexpected end of data" in str(error):
        return "a quotation mark is never closed"
    return f"a quotation mark stands where none may, or is not closed ({error})"


# ---- JSON lines ------------------------------------------------------------------------------------------


def _json_rows(path: Path, encoding: str) -> Iterator[Row]:
    with _text(path, encoding) as file:
        lines = _Lines(file)
        for line in lines:
            if len(line) >= LONGEST_RECORD:
                lines.skip_rest(line)
                yield Row(lines.number, {}, f"it is longer than {LONGEST_RECORD:,} characters")
            elif line.strip():
                yield _json_row(lines.number, line)


def _json_row(number: int, line: str) -> Row:
    try:
        values = json.loads(line)
    except RecursionError:
        return Row(number, {}, "it is nested too deeply")
    except ValueError as error:
        hint = "; a list over the whole file is not JSON lines" if line.strip() in ("[", "]") else ""
        return Row(number, {}, f"it is no JSON ({str(error).split(':')[0]}{hint})")
    if not isinstance(values, dict):
        return Row(number, {}, "it is no JSON object")
    return Row(number, values)


# ---- Parquet ---------------------------------------------------------------------------------------------


def _parquet(path: Path) -> Any:
    try:
        from pyarrow.lib import ArrowException
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError as error:
        raise FalseworkError(
            "the library that reads Parquet (pyarrow) is missing",
            where=path,
            todo='Install it with `pip install "falsework[search]"`.',
        ) from error
    try:
        return ParquetFile(path)
    except ArrowException as error:
        raise FalseworkError("is no Parquet file", where=path, todo="Export it anew.") from error


def _parquet_columns(path: Path) -> tuple[tuple[str, ...], int]:
    with _parquet(path) as file:
        return tuple(file.schema_arrow.names), file.metadata.num_rows


def _parquet_rows(path: Path) -> Iterator[Row]:
    with _parquet(path) as file:
        from pyarrow.lib import ArrowException

        number = 0
        try:
            for batch in file.iter_batches(batch_size=BATCH):
                yield from _unpacked(batch, number)
                number += batch.num_rows
        except (ArrowException, ValueError) as error:
            raise _unreadable(path, error) from error


def _unpacked(batch: Any, before: int) -> Iterator[Row]:
    """The rows of a batch that comes after `before` rows. A value that is none in Python (a date in the year
    38,000) refuses its row alone."""
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):
        for number in range(1, batch.num_rows + 1):
            try:
                yield Row(before + number, batch.slice(number - 1, 1).to_pylist()[0])
            except (ValueError, OverflowError) as error:
                yield Row(before + number, {}, f"a value in it cannot be read ({error})")
        return
    for number, values in enumerate(rows, before + 1):
        yield Row(number, values)
