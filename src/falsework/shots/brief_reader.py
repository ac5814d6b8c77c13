"""Who read a brief, where it was a language model at an endpoint: what shot.toml says of it."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from falsework.settings import Settings

__all__ = ["BriefReaderSettings", "host_of"]


def _host(text: str) -> str:
    # A whole URL could carry a user's name, a key or a token into the ledger and every report.
    if not text or any(
        letter.isspace() or not letter.isprintable() or letter in "@/?#\\=&" for letter in text
    ):
        raise ValueError("a host's name alone, without user, key, path or question mark")
    return text.lower()


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError("a time with its zone (2026-11-22T12:00:00Z)")
    return time


def _digest(text: str) -> str:
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ValueError("64 hexadecimal digits")
    return text


class BriefReaderSettings(Settings):
    """The language model outside that was sent the brief, as `falsework new` wrote it down: a declaration.

    endpoint       the host that was asked, and no more of its address
    at             when
    prompt_sha256  SHA-256 of the messages that were sent, as canonical JSON (`rights.records.canonical`)
    used           whether the settings come from its answer; false where the built-in grammar's were taken
    """

    endpoint: Annotated[str, Field(max_length=253), AfterValidator(_host)]
    model: Annotated[str, Field(min_length=1, max_length=200)]
    at: Annotated[datetime, AfterValidator(_aware)]
    prompt_sha256: Annotated[str, AfterValidator(_digest)]
    used: bool = True

    @property
    def on_this_machine(self) -> bool:
        """Whether the endpoint itself is on the machine; what that passes on is not known."""
        if self.endpoint == "localhost" or self.endpoint.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.endpoint).is_loopback
        except ValueError:
            return False


def host_of(url: str) -> str:
    """The host of an endpoint's address, "" where it has none: no user, no port, no path, no query."""
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""
