"""What `falsework ads serve` and `explain` decide by: campaigns, a catalogue, and what matches the two."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from falsework.errors import FalseworkError, shown

if TYPE_CHECKING:
    from falsework.ads.decision.vectors import Encode

__all__ = ["RELEVANCE", "SAMPLE", "Meaning", "Words", "campaigns_at", "catalogue_at", "encoder_for"]

SAMPLE = "sample"
RELEVANCE = ("meaning", "words", "off")


def campaigns_at(name: str) -> str:
    """A file's name; `SAMPLE` is the sample that ships, unless a file is called that."""
    if name != SAMPLE or Path(name).exists():
        return name
    from falsework.ads.campaigns.sample import campaigns_file

    return str(campaigns_file())


def catalogue_at(url: str) -> str:
    """A catalogue's address; `SAMPLE` is the sample that ships, put into the cache on its first use."""
    if url != SAMPLE or Path(url).exists():
        return url
    from falsework.catalogue.sample import edition, open_in

    folder = _cache_folder()
    open_in(folder).close()
    return str(folder / f"{SAMPLE}-{edition()}.db")


@dataclass(frozen=True)
class Meaning:
    """Makes search's encoder, which remembers in `file` what it encoded. Each worker makes its own."""

    file: Path

    def __call__(self) -> Encode:
        from falsework.ads.decision.vectors import Encoded
        from falsework.search.encoder import Encoder

        encoder = Encoder.load(threads=1)
        named = self.file.with_name(f"{self.file.name}-{encoder.name.rpartition('@')[2]}.npz")
        return Encoded(encoder.encode, named)


@dataclass(frozen=True)
class Words:
    """Matches by words that both sides use: no model, and no package but our own."""

    def __call__(self) -> Encode:
        from falsework.ads.decision.vectors import by_words

        return by_words


def encoder_for(given: argparse.Namespace) -> Callable[[], Encode] | None:
    """By `--relevance`; where that is not said, by meaning wherever there is a catalogue, and by words where
    the package for that is missing. Asked for by name, meaning without its package is refused."""
    if given.relevance == "off" or (given.relevance is None and not given.catalogue):
        return None
    if given.relevance == "words":
        return Words()
    try:
        import tokenizers  # noqa: F401
    except ImportError as error:
        missing = FalseworkError(
            "the package tokenizers is not installed, and scenes are matched by their words alone",
            where="--relevance",
            todo='Run `pip install "falsework[search]"`, or say --relevance words.',
        )
        if given.relevance == "meaning":
            raise missing from error
        print(shown(missing.sentence()), file=sys.stderr)
        return Words()
    return Meaning(_cache_folder() / "vectors")


def _cache_folder() -> Path:
    """Of what can be made again: in $XDG_CACHE_HOME, by default ~/.cache."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification has relative paths ignored.
    base = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    return base / "falsework" / "ads"
