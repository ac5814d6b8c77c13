"""A time-stamp authority asked with a time limit.

The signing library asks the authority itself and waits as long as it takes: an authority that accepts the
connection and says nothing would hang the delivery for ever. So the library is given an address on this
machine, and this relay passes its one question on, with limits on time and size.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from falsework.errors import FalseworkError

__all__ = ["TimestampRelay"]

MOST_QUESTION, MOST_ANSWER = 64 << 10, 1 << 20
QUESTION, ANSWER = "application/timestamp-query", "application/timestamp-reply"
HERE = "127.0.0.1"


class TimestampRelay:
    """A context manager; `url` is what the library asks.

    asked   whether the question reached the authority; fault: why no answer came back, "" where one did
    """

    def __init__(self, authority: str, *, seconds: float = 15.0) -> None:
        parts = urlsplit(authority)
        # What errors name it by: no user, password or query, which may be secrets.
        self.name = f"{parts.scheme}://{parts.hostname}{parts.path}"
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise FalseworkError(
                "a time-stamp authority's address begins with http:// or https:// and the machine's name",
                where=self.name,
            )
        self._authority, self._seconds = authority, seconds
        self.fault, self.asked = "", False
        self._server: ThreadingHTTPServer | None = None
        self._unproxied: dict[str, str | None] = {}

    @property
    def url(self) -> str:
        assert self._server is not None, "the address is known within the context"
        return f"http://{HERE}:{self._server.server_address[1]}/"

    def __enter__(self) -> TimestampRelay:
        # The library would ask even this machine through a proxy where one is set.
        for name in ("NO_PROXY", "no_proxy"):
            self._unproxied[name] = os.environ.get(name)
            os.environ[name] = ",".join(filter(None, (os.environ.get(name), HERE)))
        relay = self

        class Passing(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer = relay._ask(self.rfile.read(min(_length(self), MOST_QUESTION)))
                self.send_response(200 if answer else 502)
                self.send_header("Content-Type", ANSWER)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((HERE, 0), Passing)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        for name, before in self._unproxied.items():
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before

    def _ask(self, question: bytes) -> bytes:
        """The authority's answer, or b"" with the reason in `fault`."""
        request = urllib.request.Request(
            self._authority, data=question, headers={"Content-Type": QUESTION, "Accept": ANSWER}
        )
        self.asked = True
        end = time.monotonic() + self._seconds
        try:
            with urllib.request.urlopen(request, timeout=self._seconds) as response:
                parts: list[bytes] = []
                while part := response.read1(64 << 10):
                    parts.append(part)
                    if time.monotonic() > end:
                        raise TimeoutError
                    if sum(map(len, parts)) > MOST_ANSWER:
                        self.fault = "its answer is far too long"
                        return b""
                return b"".join(parts)
        except TimeoutError:
            self.fault = f"it did not answer within {self._seconds:.0f} seconds"
        except urllib.error.HTTPError as error:
            self.fault = f"it answers with HTTP error {error.code}"
        except urllib.error.URLError as error:
            slow = isinstance(error.reason, TimeoutError)
            reason = getattr(error.reason, "strerror", None) or str(error.reason)
            self.fault = f"it did not answer within {self._seconds:.0f} seconds" if slow else reason.lower()
        except (OSError, ValueError) as error:
            self.fault = f"the connection failed ({type(error).__name__})"
        return b""


def _length(request: BaseHTTPRequestHandler) -> int:
    try:
        return max(int(request.headers.get("Content-Length", "0")), 0)
    except ValueError:
        return 0
