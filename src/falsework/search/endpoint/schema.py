"""A model of pydantic as a JSON schema in the strict dialect of structured outputs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

__all__ = ["strict_schema"]

# Strict modes know types, properties and references. Some know more of these, others refuse the whole request
# for one of them; all of it is checked again when the answer is read.
CHECKED_LATER = frozenset(
    {
        "default",
        "title",
        "examples",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    }
)


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema with every property required and no other allowed; what may be left out may be null."""
    schema = _strict(model.model_json_schema())
    assert isinstance(schema, dict)
    return schema


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _strict(value) for name, value in node.items() if name not in CHECKED_LATER}
    if "properties" in node:  # a property may be called as a keyword is
        kept["properties"] = {name: _strict(value) for name, value in node["properties"].items()}
        kept["required"] = list(kept["properties"])
        kept["additionalProperties"] = False
    return kept
