"""Small files of rows for tests of the catalogue, and what became of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from falsework.catalogue.importing import Imported


def file_of(folder: Path, content: str | bytes, name: str = "titles.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines_of(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def refusals(done: Imported) -> dict[int, str]:
    return {one.line: one.reason for one in done.refused}
