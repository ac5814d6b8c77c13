"""What the cells of other people's catalogues say: texts, lists, years, running times, dates.

Every function raises ValueError with a clause for people ("the year "soon" is no year") for what it cannot
read.
"""

from __future__ import annotations

import ast
import json
import math
import re
import unicodedata
from datetime import MAXYEAR, UTC, date, datetime, timedelta

__all__ = [
    "entries",
    "is_missing",
    "is_no_entry",
    "kind",
    "line",
    "minutes_or_seasons",
    "moment",
    "paragraphs",
    "popularity",
    "year",
]

FIRST_YEAR, LAST_YEAR = 1870, 2200
FOR_EVER = datetime(MAXYEAR, 12, 31, tzinfo=UTC)  # catalogues write "until 9999-12-31" for it
LONGEST_RUNTIME = 100 * 60  # minutes; nothing shown to an audience lasts longer than a few days
LONGEST_LIST = 200_000  # characters of a cell that holds a list
MISSING = frozenset({"", "\\n", "n/a", "na", "nan", "nat", "null", "none", "-", "unknown"})
# Overrides and isolates of direction: no part of a text, and able to turn a whole line around.
STEERING = re.compile("[‪-‮⁦-⁩]")
FILMS = frozenset({
    "film", "films", "movie", "movies", "feature", "feature film", "short", "short film", "tvmovie",
    "tv movie",
    "tvshort", "tvspecial", "tv special", "special", "video", "documentary", "película", "pelicula",
})  # fmt: skip
SERIES = frozenset({
    "series", "tv series", "tvseries", "tv show", "tv shows", "show", "tv", "miniseries", "mini series",
    "tvminiseries", "tv mini series", "limited series", "serie",
})  # fmt: skip

_HOURS = r"(?:(?P<hours>\d+(?:\.\d+)?)\s*(?:h|hr|hrs|hour|hours|horas?)\b\.?)"
_MINUTES = r"(?:(?P<minutes>\d+(?:\.\d+)?)\s*(?:'|m\b|mins?\b|minutes?\b|minutos?\b)\.?)"
_LASTING = re.compile(rf"{_HOURS}?[\s,]*(?:and\s+)?{_MINUTES}?", re.IGNORECASE)
_ISO_LASTING = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_SEASONS = re.compile(r"(\d{1,3})\s*(?:seasons?|temporadas?|staffeln?|saisons?)", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV|M\.?D|Ph\.?D|Esq)\.?", re.IGNORECASE)
_DATES = ("%d-%b-%y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%B %d, %Y", "%b %d, %Y", "%Y/%m/%d", "%Y.%m.%d")


def is_missing(value: object) -> bool:
    """Whether a cell says nothing: empty, or a word that stands for that ("N/A", "\\N", "nan")."""
    if isinstance(value, str):
        return value.strip().casefold() in MISSING
    return value is None or (isinstance(value, float) and math.isnan(value)) or value in ([], (), {})


def line(value: object, most: int, what: str) -> str:
    """A text of one line without control characters: a title, a name."""
    return " ".join(_text(value, most, what).split())


def paragraphs(value: object, most: int, what: str) -> str:
    """A text that may have lines, without control characters."""
    lines = _text(value, most, what).splitlines()
    return "\n".join(" ".join(one.split()) for one in lines).strip()


def _text(value: object, most: int, what: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"the {what} is no text")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of whole numbers with gaps comes as fractions from Parquet and pandas
    text = str(value)
    if len(text) > most:
        raise ValueError(f"the {what} has {len(text):,} characters, more than {most:,}")
    if text.isascii() and text.isprintable():
        return text  # most texts by far, and nothing to be done to them
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise ValueError(f"the {what} holds bytes that are no characters")
    text = STEERING.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n")))
    return "".join(" " if unicodedata.category(each) == "Cc" and each != "\n" else each for each in text)


def entries(value: object, split: str = "") -> list[object]:
    """The entries of a list: of a JSON list, or of a text with `split` between them.

    Without `split` it is the first of | ; , that comes up; a JSON or Python list written as text is read as
    such.
    """
    if isinstance(value, list | tuple):
        return [one for one in value if not is_no_entry(one)]
    if is_missing(value):
        return []
    if not isinstance(value, str):
        return [value]
    text = value.strip()
    if len(text) > LONGEST_LIST:
        raise ValueError(f"a list has {len(text):,} characters, more than {LONGEST_LIST:,}")
    if text.startswith("[") and text.endswith("]"):
        written = _written_list(text)
        if written is not None:
            return [one for one in written if not is_no_entry(one)]
    mark = split or next((one for one in "|;," if one in text), "")
    found: list[object] = []
    for part in text.split(mark) if mark else [text]:
        part = part.strip()
        if mark == "," and found and _SUFFIX.fullmatch(part):
            found[-1] = f"{found[-1]}, {part}"
        elif not is_no_entry(part):
            found.append(part)
    return found


def is_no_entry(value: object) -> bool:
    """Within a list little is missing: NA is Namibia's code, and None a band."""
    return is_missing(value) and (
        not isinstance(value, str) or value.strip().casefold() in ("", "\\n", "n/a")
    )


def _written_list(text: str) -> list[object] | None:
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(found, list):
            return found
    return None


def year(value: object) -> int | None:
    """A year from 1870 on: 1999, "1999", "1999-05-01", "(1999)", "1999–2003" (the first)."""
    if is_missing(value):
        return None
    found = (
        re.match(r"\(?\s*(\d{4})(?:\.0+)?(?!\d)", str(value).strip()) if not isinstance(value, bool) else None
    )
    number = int(found[1]) if found else 0
    if not FIRST_YEAR <= number <= LAST_YEAR:
        raise ValueError(f'the year "{str(value)[:40]}" is no year')
    return number


def kind(value: object) -> str | None:
    """ "film" or "series" by the words catalogues have for them; None where nothing is said."""
    if is_missing(value):
        return None
    words = str(value).strip().casefold().replace("-", " ").replace("_", " ")
    if words in FILMS:
        return "film"
    if words in SERIES:
        return "series"
    raise ValueError(f'the kind "{str(value)[:40]}" is neither a film nor a series')


def minutes_or_seasons(value: object) -> tuple[int | None, int | None]:
    """A running time in minutes, or how many seasons a series has: 90, "90 min", "1h 30m", "1:30:00",
    "PT1H30M", "2 Seasons". Nothing and 0 are unknown."""
    if is_missing(value):
        return None, None
    text = str(value).strip()
    if seasons := _SEASONS.fullmatch(text):
        return None, int(seasons[1]) or None
    minutes = _minutes(text) if not isinstance(value, bool) else None
    if minutes is None or not 0 <= minutes <= LONGEST_RUNTIME:
        raise ValueError(f'the running time "{text[:40]}" is none')
    return (max(round(minutes), 1) if minutes else None), None


def _minutes(text: str) -> float | None:
    if re.fullmatch(r"\d{1,6}(?:\.\d+)?", text):
        return float(text)
    if (iso := _ISO_LASTING.fullmatch(text)) and text.upper() != "PT":
        hours, minutes, seconds = (int(one or 0) for one in iso.groups())
        return hours * 60 + minutes + seconds / 60
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1]) * 60 + int(clock[2]) + int(clock[3] or 0) / 60
    found = _LASTING.fullmatch(text)
    if found and (found["hours"] or found["minutes"]):
        return float(found["hours"] or 0) * 60 + float(found["minutes"] or 0)
    return None


def popularity(value: object) -> float | None:
    """A number from 0 on; None where nothing is said."""
    if is_missing(value):
        return None
    try:
        number = float(str(value).replace(",", "")) if not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f'the popularity "{str(value)[:40]}" is no number from 0 on')
    return number


def moment(value: object, form: str = "", *, end: bool = False) -> datetime | None:
    """A moment in UTC from a date, or a date with a time: by ISO 8601, as "25-Sep-21", "September 25, 2021",
    or as `form` says (`datetime.strptime`). A day without a time begins at midnight; as an `end` it is over
    with the day."""
    if is_missing(value):
        return None
    read = _moment(value, form)
    try:
        if isinstance(read, datetime):
            return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
        day = datetime(read.year, read.month, read.day, tzinfo=UTC)
        return day + timedelta(days=1) if end else day
    except OverflowError as error:
        if read.year == MAXYEAR:
            return FOR_EVER
        raise ValueError(f'the date "{str(value)[:40]}" is before all calendars') from error


def _moment(value: object, form: str) -> datetime | date:
    if isinstance(value, date):  # datetime, too
        return value
    text = str(value).strip()
    if not form:
        for read in (date.fromisoformat, datetime.fromisoformat):
            try:
                return read(text)
            except ValueError:
                continue
    for one in (form,) if form else _DATES:
        try:
            found = datetime.strptime(text, one)
        except ValueError:
            continue
        return found if "%H" in one else found.date()
    raise ValueError(
        f'the date "{text[:40]}" cannot be read; `dates` in the mapping says how such dates are written'
    )
