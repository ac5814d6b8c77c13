"""Rows of finished shots, kept while a bench is under way: if one fails, or all is stopped, none is lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from falsework.bench.rows import ShotStudy
from falsework.media.atomic import write_text

__all__ = ["Kept"]


class Kept:
    """The finished shots of one bench, in a file in `folder` that is whole after each of them.

    settings  all that decides what is measured: a bench with others has a file of its own, and finds nothing
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._settings = json.loads(json.dumps(settings))
        digest = hashlib.sha256(json.dumps(self._settings, sort_keys=True).encode()).hexdigest()
        self._path = folder / f"unfinished_{digest[:12]}.json"
        self._shots: dict[str, ShotStudy] = {}
        try:
            found = json.loads(self._path.read_bytes())
            if found["settings"] == self._settings:
                shots = [ShotStudy.from_json(one) for one in found["shots"]]
                self._shots = {one.name: one for one in shots}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # what is not there, or cannot be read, is measured again

    def get(self, name: str) -> ShotStudy | None:
        """A finished shot, if there is one."""
        return self._shots.get(name)

    def add(self, shot: ShotStudy) -> None:
        """Keep a shot; the file is whole when this returns."""
        self._shots[shot.name] = shot
        rows = [one.to_json() for one in self._shots.values()]
        text = json.dumps({"settings": self._settings, "shots": rows}, allow_nan=False)
        write_text(self._path, text + "\n")

    def clear(self) -> None:
        """All is done and written elsewhere: the next bench of these settings measures anew."""
        self._path.unlink(missing_ok=True)
