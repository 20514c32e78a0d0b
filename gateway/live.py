"""Live lists as server-sent events: who is connected, and what each is told.

A queue a client, and bounded: one that does not take its lists is dropped, nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from gateway.edge.refusals import Refused

__all__ = ["Hub", "LiveLists"]

MOST_WAITING = 16
HEARTBEAT_SECONDS = 15.0
log = logging.getLogger("upwell.gateway")
_HEADERS = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]


@dataclass(eq=False, slots=True)
class _Client:
    place: tuple[str, str | None]
    waiting: deque[bytes] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False
    task: asyncio.Task[None] | None = None


class Hub:
    """Clients by user and surface. All of it belongs to the event loop's thread. most:
    connections.
    """

    def __init__(self, most: int, waiting: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting = waiting
        self._clients: dict[tuple[str, str | None], list[_Client]] = {}
        self._open = 0
        self.dropped = 0
        """Clients that were too slow, since the start."""

    def __len__(self) -> int:
        return self._open

    def publish(self, user_id: str, value: bytes, surface: str | None = None) -> None:
        """A list came: all clients of the user on its surface are told."""
        for client in tuple(self._clients.get((user_id, surface), ())):
            if len(client.waiting) >= self._waiting:
                self._drop(client)
                continue
            client.waiting.append(value)
            client.news.set()

    def close(self) -> None:
        """End all streams in order: the process ends."""
        self._most = 0
        for clients in self._clients.values():
            for client in clients:
                client.over = True
                client.news.set()

    def enter(self, user_id: str, surface: str | None = None) -> _Client:
        """Raises `Refused` (503) where too many are connected."""
        if self._open >= self._most:
            raise Refused(
                503, "too_many_streams", "as many live lists are open as UPWELL_GATEWAY_STREAMS"
            )
        client = _Client((user_id, surface))
        self._clients.setdefault(client.place, []).append(client)
        self._open += 1
        return client

    def leave(self, client: _Client) -> None:
        """May be called again."""
        clients = self._clients.get(client.place, [])
        if client in clients:
            clients.remove(client)
            self._open -= 1
            if not clients:
                del self._clients[client.place]

    def _drop(self, client: _Client) -> None:
        self.dropped += 1
        log.info("a client of live lists does not take them, and is dropped")
        client.over = True
        client.news.set()
        self.leave(client)
        if client.task is not None:  # it hangs in a write that the other end does not take
            client.task.cancel()


class LiveLists:
    """An ASGI response: the newest list there is, then each as it comes, a comment between them so
    that a connection that is gone is noticed. say: what a list's JSON is made before it is told.
    """

    def __init__(
        self,
        hub: Hub,
        user_id: str,
        newest: bytes | None,
        say: Callable[[bytes], bytes],
        surface: str | None = None,
    ) -> None:
        self._hub = hub
        self._say = say
        self._client = hub.enter(user_id, surface)
        if newest is not None:
            self._client.waiting.append(newest)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the client goes, is too slow, or the process ends."""
        client = self._client
        client.task = asyncio.ensure_future(self._tell(send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({client.task, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(client)
            for task in (client.task, gone):
                task.cancel()
            await asyncio.gather(client.task, gone, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        async for part in self._parts():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _parts(self) -> AsyncIterator[bytes]:
        client = self._client
        yield b": upwell\n\n"
        while not client.over:
            client.news.clear()
            while client.waiting:
                yield _event(self._say(client.waiting.popleft()))
            try:
                await asyncio.wait_for(client.news.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": alive\n\n"


def _event(value: bytes) -> bytes:
    """orjson writes a list as one line."""
    return b"event: list\ndata: " + value + b"\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
