"""Which engine of state an address means."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl

from falsework.ads.state.protocol import State
from falsework.errors import FalseworkError

__all__ = ["open_state"]

SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
SAYS_YES = {"yes": True, "no": False}


def open_state(url: str) -> State:
    """Open what `url` names:

    FOLDER          embedded, for one process: memory and a log
    lmdb:FOLDER     for several processes of one machine; `lmdb:FOLDER?sync=yes` waits for the disk
    valkey://HOST   for several machines, as redis://, valkeys:// and rediss:// (TLS), unix://SOCKET

    Raises `FalseworkError` for anything else, and for what cannot be opened.
    """
    found = SCHEME.match(url)
    if found is None:
        from falsework.ads.state.embedded import EmbeddedState

        return EmbeddedState(Path(url))
    scheme = found[1].lower()
    if scheme == "lmdb":
        from falsework.ads.state.lmdb_engine import LmdbState

        folder, _, query = url[found.end() :].partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        sync = SAYS_YES.get(options.pop("sync", "no"))
        if not folder or options or sync is None:
            raise FalseworkError(
                "is no state that can be opened", where=url, todo="Give lmdb:FOLDER or lmdb:FOLDER?sync=yes."
            )
        return LmdbState(Path(folder), sync=sync)
    from falsework.ads.state.valkey import SCHEMES, ValkeyState

    if scheme in SCHEMES:
        return ValkeyState(url)
    raise FalseworkError(
        f'"{scheme}:" names no engine of state',
        where="state",
        todo="Give a folder, lmdb:FOLDER, valkey://HOST:PORT/0 or redis://HOST:PORT/0.",
    )
