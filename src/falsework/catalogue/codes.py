"""Countries and languages by the names people write for them: ISO 3166-1 alpha-2 and ISO 639-1 codes.

The names are in `codes/countries.csv` and `codes/languages.csv` (code, name, also; `|` between other names).
Names of countries follow the time zone database's iso3166.tab (public domain); states that are no more keep
the code they had in ISO 3166-1 (SU, DD, YU, CS).
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from falsework.catalogue.vocabularies import folded

__all__ = ["country_code", "language_code"]


@cache
def country_code(name: str) -> str | None:
    """The ISO 3166-1 alpha-2 code, upper case, of a country's code or name in English or Spanish; None if
    unknown."""
    found = _codes("countries").get(folded(name))
    return found.upper() if found else None


@cache
def language_code(name: str) -> str | None:
    """The ISO 639-1 code, lower case, of a language's name, its ISO 639-1 or 639-2 code, or a tag such as
    "pt-BR"."""
    codes = _codes("languages")
    return codes.get(folded(name)) or codes.get(folded(name.replace("_", "-").split("-")[0]))


@cache
def _codes(table: str) -> dict[str, str]:
    """Every folded name and code to its code; a country's first claim counts."""
    codes: dict[str, str] = {}
    file = files("falsework.catalogue") / "codes" / f"{table}.csv"
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    for row in rows:
        codes[folded(row["code"])] = row["code"]
        codes.setdefault(folded(row["name"]), row["code"])
    for row in rows:
        for name in filter(None, row["also"].split("|")):
            codes.setdefault(folded(name), row["code"])
    return codes
