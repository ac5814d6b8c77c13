"""The pages on rules and on the production file say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from falsework.faults import setting_names
from falsework.rights.production import Production
from falsework.rights.rules.evaluate import ALL_RULES

DOCS = Path(__file__).parents[1] / "docs"


def rows(document: str) -> list[list[str]]:
    """Cells of the tables' rows, without their heads."""
    lines = [line for line in (DOCS / document).read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_rule_has_its_row() -> None:
    found = {row[0]: row for row in rows("rules.md") if re.match(r"[A-Z]+-|USCO", row[0])}
    assert list(found) == [rule.id for rule in ALL_RULES]
    for rule in ALL_RULES:
        day = rule.in_force.isoformat() if rule.in_force else "always"
        row = [rule.id, rule.text, rule.source, rule.grade, day, ", ".join(rule.readers), rule.effect]
        assert found[rule.id] == row


def test_every_key_has_its_row() -> None:
    found = {row[0].strip("`"): row for row in rows("production.md") if row[0].startswith("`")}
    assert set(found) == set(setting_names(Production))
    for name, row in found.items():
        assert row[1] == _default(name), name


def _default(key: str) -> str:
    """A setting's default as TOML writes it, in the words of the page."""
    model: Any = Production
    *tables, name = key.split(".")
    for table in tables:
        model = _inner(model.model_fields[table].annotation)
    field = model.model_fields[name]
    value = field.default_factory() if field.default_factory else field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel):
        return "as below"
    return "left out" if value is None else f"`{json.dumps(value)}`"


def _inner(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    parts = getattr(annotation, "__args__", ())
    return next((found for part in parts if (found := _inner(part)) is not None), None)
