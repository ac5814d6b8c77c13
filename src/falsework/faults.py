"""Faults of a settings file in words: which key, on which line, what is wrong, what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from falsework.errors import FalseworkError

__all__ = ["Fault", "key_lines", "nearest", "refuse", "setting_names", "toml_refusal", "validation_faults"]

MOST_SHOWN = 90  # characters of a line in a fault


@dataclass(frozen=True)
class Fault:
    """One thing wrong. `key` is dotted, list entries by number ("facades.0.corners")."""

    key: str
    what: str
    todo: str = ""

    def sentence(self) -> str:
        return f"{self.what}. {self.todo}".strip()

    def where(self, path: Path | str, lines: Mapping[str, int]) -> str:
        """File, line (of the key, or the nearest table above it) and key, as compilers write it."""
        parts = self.key.split(".")
        for length in range(len(parts), 0, -1):
            line = lines.get(".".join(parts[:length]))
            if line is not None:
                return f"{path}:{line}: {self.key}"
        return f"{path}: {self.key}"


_TABLE = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+(?:\s*\.\s*[A-Za-z0-9_\-]+)*)\s*=")


def key_lines(text: str) -> dict[str, int]:
    """Dotted key -> line number (from 1), for keys and tables as TOML writes them outside of values.

    tomllib keeps no positions. A key-like line inside a multi-line string could be taken for a key;
    the price is a wrong line number in a fault, so that no full parser is kept for it here.
    """
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _TABLE.match(line)
        if header:
            parts = [part.strip().strip("\"'") for part in header[2].split(".")]
            if header[1] == "[[":
                name = ".".join(parts)
                index = counts.get(name, 0)
                counts[name] = index + 1
                table = f"{name}.{index}"
                lines.setdefault(name, number)
            else:
                if parts[0] in counts:  # [plates.lens] below [[plates]] belongs to the last entry
                    parts.insert(1, str(counts[parts[0]] - 1))
                table = ".".join(parts)
            lines.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key:
            name = ".".join(part.strip() for part in key[1].split("."))
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def setting_names(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every dotted key of a model, tables included, list entries without their number."""
    names: list[str] = []
    for name, field in model.model_fields.items():
        names.append(prefix + name)
        inner = _inner_model(field.annotation)
        if inner is not None:
            names += setting_names(inner, f"{prefix}{name}.")
    return names


def nearest(word: str, names: Sequence[str]) -> str:
    """The most alike of the names, or "" where none is alike."""
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower().replace("-", "_"), list(lower), n=1, cutoff=0.6)
    return lower[close[0]] if close else ""


def refuse(faults: Sequence[Fault], lines: Mapping[str, int], path: Path | str) -> None:
    """Raise all faults as one error; the first is the headline, the others follow line by line."""
    if not faults:
        return
    first, *others = faults
    todo = first.todo
    if others:
        listed = "\n".join(f"  {fault.where(path, lines)}: {fault.sentence()}" for fault in others)
        more = "1 more fault" if len(others) == 1 else f"{len(others)} more faults"
        todo = f"{todo}\n{more}:\n{listed}".strip()
    raise FalseworkError(first.what, where=first.where(path, lines), todo=todo)


_AT = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$", re.DOTALL)


_PLAIN = (
    ("illegal character '\\n'", "a text in quotes does not end on its line"),
    ("cannot overwrite a value", "a key that stands above already"),
    ("cannot declare", "a table that stands above already"),
)


def toml_refusal(error: ValueError | RecursionError, text: str, path: Path | str) -> FalseworkError:
    """What tomllib could not read, with the line as it stands, so that nobody has to count lines."""
    found = _AT.match(str(error))
    what = found["what"] if found else str(error)
    what = what[:1].lower() + what[1:]
    for said, plain in _PLAIN:
        what = plain if what.startswith(said) else what
    if what.startswith("exceeds the limit"):
        return FalseworkError(
            "is not valid TOML: a number in it has too many digits", where=path, todo="Correct that number."
        )
    number = int(found["line"]) if found and found["line"] else 0
    lines = text.splitlines()
    shown = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    if not shown:
        return FalseworkError(
            f"is not valid TOML: {what}",
            where=path,
            todo="A text, a list or a table is not closed: close it.",
        )
    # What others wrote must not steer a terminal.
    shown = "".join(letter if letter.isprintable() else "?" for letter in shown)
    shown = shown if len(shown) <= MOST_SHOWN else shown[: MOST_SHOWN - 1] + "…"
    return FalseworkError(
        f"is not valid TOML: {what}, in the line `{shown}`",
        where=f"{path}:{number}",
        todo="Mend that line, or what is not closed above it: text in quotes, lists in [brackets].",
    )


def validation_faults(
    error: ValidationError,
    values: Mapping[str, Any],
    model: type[BaseModel],
    document: str = "docs/shot.md",
) -> list[Fault]:
    """Pydantic's errors as sentences, one a key, unknown keys first (they explain what is missing).

    `document` is where the keys are explained.
    """
    unknown: list[Fault] = []
    others: dict[str, list[Any]] = {}
    for item in error.errors():
        location = _location(item["loc"], values)
        if item["type"] == "extra_forbidden":
            unknown.append(_unknown_key([str(part) for part in item["loc"]], model))
        else:
            others.setdefault(location, []).append(item)
    return unknown + [_fault(key, items, document) for key, items in others.items()]


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The settings model inside an annotation such as list[FacadeSettings]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _inner_model(part)
        if found is not None:
            return found
    return None


def _location(location: Sequence[int | str], values: Any) -> str:
    """Dotted key without the names pydantic adds for the branches of a union."""
    parts: list[str] = []
    here = values
    for part in location:
        if isinstance(here, Mapping):
            parts.append(str(part))
            here = here.get(str(part))
        elif isinstance(here, list) and isinstance(part, int):
            parts.append(str(part))
            here = here[part] if part < len(here) else None
        else:
            break
    return ".".join(parts)


def _unknown_key(parts: list[str], model: type[BaseModel]) -> Fault:
    here: type[BaseModel] | None = model
    for part in parts[:-1]:
        if here is not None and part in here.model_fields:
            here = _inner_model(here.model_fields[part].annotation)
    names = list(here.model_fields) if here is not None else []
    word = parts[-1]
    table = next((part for part in reversed(parts[:-1]) if not part.isdigit()), "")
    place = f" of [{table}]" if table else ""
    guess = nearest(word, names)
    if guess:
        return Fault(".".join(parts), f'"{word}" is not a key{place}', f'Did you mean "{guess}"?')
    elsewhere = [name for name in setting_names(model) if name.split(".")[-1] == word]
    if elsewhere:
        return Fault(".".join(parts), f'"{word}" is not a key{place}', f'Did you mean "{elsewhere[0]}"?')
    return Fault(".".join(parts), f'"{word}" is not a key{place}', f"The keys are: {', '.join(names)}.")


_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def _fault(key: str, items: list[Any], document: str) -> Fault:
    """One sentence from the errors of one key; the branches of a union become "or"."""
    wanted = list(dict.fromkeys(_wanted(item) for item in items))
    first = items[0]
    if first["type"] == "missing":
        return Fault(key, f'"{key.split(".")[-1]}" is missing', f"Add it; {document} says what it means.")
    given = first["input"]
    shown = repr(given) if not isinstance(given, str) else f'"{given}"'
    if len(shown) > 80:
        shown = shown[:77] + "..."
    choices = (first.get("ctx") or {}).get("expected", "")
    guess = nearest(given, re.findall(r"'([^']+)'", choices)) if isinstance(given, str) else ""
    todo = f'Did you mean "{guess}"?' if guess else f"Correct it; {document} says what it means."
    return Fault(key, f"must be {' or '.join(wanted)}, not {shown}", todo)


def _wanted(item: Any) -> str:
    kind, context = item["type"], item.get("ctx") or {}
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{words} {context[bound]}"
    if kind == "value_error":  # a validator of our own: its words say what is wanted
        return str(context["error"])
    if kind == "literal_error":
        return str(context["expected"]).replace("'", '"')
    if kind == "finite_number":
        return "a finite number"
    if kind.startswith("int"):
        return "a whole number"
    if kind.startswith("float"):
        return "a number"
    if kind.startswith("bool"):
        return "true or false"
    if kind.startswith("string_pattern"):
        return "letters, digits, _ and - (it names files)"
    if kind.startswith("string"):
        return "a text"
    if kind.startswith("datetime"):
        return "a time with its zone (2026-11-22T12:00:00Z)"
    if kind.startswith("date"):
        return "a date (2026-11-22)"
    if kind in ("tuple_type", "list_type"):
        return "a list"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "a table"
    if kind == "too_short":
        return f"at least {context.get('min_length')} long"
    if kind == "too_long":
        return f"at most {context.get('max_length')} long"
    return str(item["msg"])
