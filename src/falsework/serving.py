"""A Granian server in this process: it says when it answers, and ends when told to."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from falsework.errors import FalseworkError

__all__ = ["check_address", "serve_until_told"]

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def check_address(host: str, port: int) -> None:
    """A FalseworkError where the address is taken or is not this machine's."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except (OSError, UnicodeError) as error:
        raise FalseworkError(
            f"cannot be listened at ({getattr(error, 'strerror', None) or error})",
            where=f"{host}:{port}",
            todo="Choose another --port, or an address of this machine for --host.",
        ) from error


async def serve_until_told(
    server: Any, host: str, port: int, *, ready: Callable[[], None] | None = None
) -> None:
    """Serve with a `granian.server.embed.Server` at this address until SIGINT or SIGTERM, then raise
    KeyboardInterrupt. `ready` is called once `/health` is answered.

    A signal handler that raises does so wherever Python is, within a request too, where it would be taken
    for a fault of the application's: the server is told to stop instead, and its requests are finished.
    """
    told: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        told.append(number)
        server.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # A shell's `&` leaves SIGINT ignored: then it stays so. Windows has no such handlers, and they are
        # heard in the main thread alone.
        if signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, end, number)
    serving = asyncio.create_task(server.serve())
    answers = asyncio.create_task(_answers(host, port))
    await asyncio.wait({serving, answers}, return_when=asyncio.FIRST_COMPLETED)
    if answers.done() and ready is not None:
        ready()
    await serving
    answers.cancel()
    if told:
        raise KeyboardInterrupt


async def _answers(host: str, port: int) -> None:
    """Wait until a request is answered."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(HEALTH)
                if await reader.readline():
                    return
            finally:
                writer.close()
        await asyncio.sleep(0.02)
