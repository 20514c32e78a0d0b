"""Load on an HTTP server of this machine: connections that stay open, a request each at a time.

As fast as answers come (closed loop), or each when it is due (open loop): then an answer's latency
runs from the due time, whenever it was sent. It knows nothing about what is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import cycle
from typing import cast

import uvloop

__all__ = ["closed_loop", "open_loop", "request_bytes"]

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


def request_bytes(path: str, token: str) -> bytes:
    """A GET."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def closed_loop(
    port: int, requests: Sequence[bytes], connections: int, seconds: float
) -> tuple[float, list[float]]:
    """Answers a second, and the latency of each in ms."""
    return uvloop.run(_closed(port, requests, connections, seconds))


def open_loop(
    port: int, requests: Sequence[bytes], connections: int, due: Sequence[float]
) -> list[float]:
    """The latency of each request in ms. due: seconds from the start."""
    return uvloop.run(_open(port, requests, connections, due))


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._whole = 0
        self._answer: asyncio.Future[None]
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    async def ask(self, request: bytes) -> None:
        """Returns with the whole answer. Raises `RuntimeError` for any but 200."""
        self._held.clear()
        self._whole = 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._answer

    def data_received(self, data: bytes) -> None:
        self._held += data
        if not self._whole and (end := self._held.find(_END)) >= 0:
            if not self._held.startswith(b"HTTP/1.1 200"):
                self._answer.set_exception(RuntimeError(bytes(self._held[:200]).decode()))
                return
            at = self._held.lower().index(_LENGTH) + len(_LENGTH)
            size = int(self._held[at : self._held.index(b"\r", at)])
            self._whole = end + len(_END) + size
        if self._whole and len(self._held) >= self._whole:
            self._answer.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        if not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    def close(self) -> None:
        self._transport.close()


async def _connected(port: int, count: int) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(_Connection, "127.0.0.1", port))[1] for _ in range(count)]


async def _closed(
    port: int, requests: Sequence[bytes], connections: int, seconds: float
) -> tuple[float, list[float]]:
    opened, wanted = await _connected(port, connections), cycle(requests)
    found: list[float] = []
    began = time.perf_counter()
    ends = began + seconds

    async def one(connection: _Connection) -> None:
        while (sent := time.perf_counter()) < ends:
            await connection.ask(next(wanted))
            found.append(1000 * (time.perf_counter() - sent))

    await _all(one, opened)
    return len(found) / (time.perf_counter() - began), found


async def _open(
    port: int, requests: Sequence[bytes], connections: int, due: Sequence[float]
) -> list[float]:
    opened, wanted = await _connected(port, connections), cycle(requests)
    found: list[float] = []
    began = time.perf_counter()
    waiting: Iterator[float] = iter(due)

    async def one(connection: _Connection) -> None:
        for at in waiting:
            # uvloop wakes up to a millisecond early; no event says that it is time
            while (left := began + at - time.perf_counter()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(left)
            await connection.ask(next(wanted))
            found.append(1000 * (time.perf_counter() - began - at))

    await _all(one, opened)
    return found


async def _all(
    one: Callable[[_Connection], Coroutine[None, None, None]], opened: Sequence[_Connection]
) -> None:
    """Each connection's requests; in the end all are closed. Raises what one raises."""
    try:
        await asyncio.gather(*map(one, opened))
    finally:
        for connection in opened:
            connection.close()
        await asyncio.gather(*(connection.gone.wait() for connection in opened))
