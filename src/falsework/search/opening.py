"""Where catalogues' indexes lie, and a searcher for a catalogue with everything it needs built first."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from falsework.catalogue.database import Catalogue, default_url
from falsework.catalogue.engine import VARIABLE
from falsework.catalogue.sample import SAMPLE, open_in
from falsework.search.encoder import Encoder
from falsework.search.index.build import OpenIndex, build, open_index
from falsework.search.index.generations import current
from falsework.search.index.protocol import Manifest, UnreadableIndexError
from falsework.search.searcher import Searcher

if TYPE_CHECKING:
    from falsework.search.endpoint.endpoint import Endpoint

__all__ = [
    "SAMPLE",
    "build_index",
    "cache_folder",
    "index_folder",
    "of_another",
    "open_catalogue",
    "open_searcher",
]

Progress = Callable[[int, int], None]


def cache_folder() -> Path:
    """Falsework's folder of what can be made again: in $XDG_CACHE_HOME, by default ~/.cache."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification has relative paths ignored.
    base = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    return base / "falsework" / "search"


def index_folder(catalogue: Catalogue) -> Path:
    """Where the index of a catalogue lies when nothing else is said."""
    where = catalogue.where
    if "://" not in where:  # as it was given: from another folder the same words name another file
        where = str(Path(where).resolve())
    digest = hashlib.blake2b(where.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return cache_folder() / digest


def open_catalogue(url: str | Path | None = None) -> Catalogue:
    """The catalogue at a path or URL; without one the user's own, or else the sample that ships.

    `SAMPLE` as the URL is the sample in any case.
    """
    if url is not None and str(url) != SAMPLE:
        return Catalogue.open(url, create=False)
    own = default_url()
    if url is None and (os.environ.get(VARIABLE, "").strip() or Path(own).is_file()):
        return Catalogue.open(own, create=False)
    return open_in(cache_folder())


def open_searcher(
    catalogue: Catalogue,
    folder: Path | None = None,
    *,
    endpoint: Endpoint | None = None,
    building: Callable[[int], None] | None = None,
    progress: Progress | None = None,
) -> Searcher:
    """Search over a catalogue with the index in `folder`, which is built first where there is none.

    Without `folder` it is the catalogue's index in the cache, which is ours: it is also built first where
    this version cannot read what is there, or where that is another catalogue's. An index in a folder that
    was named is left as it is; UnreadableIndexError then says what to run. `building` is called with the
    number of titles before a build, `progress` while it lasts.
    """
    encoder = Encoder.load()
    own = folder is None
    folder = index_folder(catalogue) if folder is None else folder
    opened = _opened(catalogue, folder, encoder, own=own)
    if opened is None:
        if building is not None:
            building(catalogue.count())
        build(catalogue, folder, encoder=encoder, progress=progress)
        opened = open_index(folder, encoder=encoder)
    return Searcher(catalogue, opened, encoder=encoder, endpoint=endpoint)


def build_index(
    catalogue: Catalogue, folder: Path | None = None, *, progress: Progress | None = None
) -> Path:
    """Build a catalogue's index anew; whoever searches meanwhile has the one before. Returns its folder."""
    folder = index_folder(catalogue) if folder is None else folder
    build(catalogue, folder, encoder=Encoder.load(), progress=progress)
    return folder


def of_another(catalogue: Catalogue, manifest: Manifest) -> bool:
    """Whether an index is not of this catalogue, or of a later state than it is in (its file was replaced, or
    brought back from a copy)."""
    if manifest.catalogue and manifest.catalogue != catalogue.identity:
        return True
    behind = catalogue.revision - manifest.revision
    return behind < 0 or (behind == 0 and catalogue.count() != manifest.titles)


def _opened(catalogue: Catalogue, folder: Path, encoder: Encoder, *, own: bool) -> OpenIndex | None:
    """The index that is there; None where there is none, and where our own has to be built again."""
    try:
        if not folder.is_dir() or current(folder) is None:
            return None
        opened = open_index(folder, encoder=encoder)
    except UnreadableIndexError as error:
        if own:
            return None
        todo = f"falsework search --rebuild --catalogue {quote(catalogue.where)} --index {quote(str(folder))}"
        raise UnreadableIndexError(
            error.what, where=error.where, todo=f"Build it again, while the old one serves: `{todo}`."
        ) from error
    if own and of_another(catalogue, opened.manifest):
        opened.close()
        return None
    return opened
