"""`UpwellClient` for apps on asyncio: the same methods, awaited.

async with AsyncUpwellClient("127.0.0.1:9092") as upwell:
    lists = await upwell.lists("ann", timeout=5)
    await upwell.click("ann", "item-7")
    async for recommendations in lists:
        print(recommendations.items)

Each call runs the plain client's method on a thread, so that the loop goes on; a thread a call in
progress, kept for the next one and ended with the client. Who stops waiting, by a cancellation or a
time-out, is free at once: a thread that reads for them is called back, what was being sent is sent.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from upwell.client import UpwellClient
from upwell.errors import BrokerError
from upwell.settings import KafkaSettings
from upwell.system.threads import given_up

__all__ = ["AsyncUpwellClient", "Published"]

MOST_THREADS = 1_000
"""Calls in progress at a time; each `async for` that waits is one."""

P = ParamSpec("P")
T = TypeVar("T")

_END = object()


class _Threads:
    """Runs calls, each of which can be called back by an event of its own. ended: no more of
    them.
    """

    def __init__(self) -> None:
        self.ended = False
        self._pool = ThreadPoolExecutor(MOST_THREADS, "upwell-client")
        self._running: dict[Future[Any], threading.Event] = {}

    def run(self, gone: threading.Event, work: Callable[[], T]) -> Future[T]:
        """gone: set where nobody waits any more for what `work` reads."""

        def call() -> T:
            given_up.set(gone.is_set)
            return work()

        found = self._pool.submit(copy_context().run, call)
        self._running[found] = gone
        found.add_done_callback(lambda done: self._running.pop(done, None))
        return found

    async def settle(self) -> None:
        """Calls all back, and returns when none runs."""
        self.ended = True
        running = dict(self._running)
        for gone in running.values():
            gone.set()
        ends = [asyncio.wrap_future(one) for one in running]
        await asyncio.gather(*ends, return_exceptions=True)

    def end(self) -> None:
        """Each thread ends with the call that it is at."""
        self.ended = True
        self._pool.shutdown(wait=False)


def _awaitable(running: Future[T]) -> asyncio.Future[T]:
    """That may be left alone: the call goes on, and whoever asks again has what it came to."""
    found = asyncio.wrap_future(running)
    found.add_done_callback(lambda one: one.cancelled() or one.exception())  # nobody need ask
    return asyncio.shield(found)


class Published(AsyncIterator[T], Generic[T]):
    """What is published, from the call that made this on; it ends with its client.

    Of an `anext` that was cancelled nothing is lost: the next one has it.
    """

    def __init__(self, threads: _Threads, records: Iterator[T]) -> None:
        self._threads = threads
        self._records = records
        self._gone = threading.Event()
        self._one_by_one = asyncio.Lock()
        self._next: Future[Any] | None = None

    async def __anext__(self) -> T:
        async with self._one_by_one:
            found = await self._step()
        if found is _END:
            raise StopAsyncIteration
        return cast(T, found)

    async def aclose(self) -> None:
        """Stop reading. Who waits for the next one hears that there is none."""
        self._gone.set()
        async with self._one_by_one:
            while await self._step() is not _END:
                """What was fetched already is let go."""

    async def _step(self) -> object:
        if self._next is None:
            if self._threads.ended:
                return _END
            self._next = self._threads.run(self._gone, partial(next, self._records, _END))
        running = self._next
        try:
            return await _awaitable(running)
        finally:
            if running.done():
                self._next = None

    def __del__(self) -> None:
        self._gone.set()


def _awaited(
    method: Callable[Concatenate[UpwellClient, P], T],
) -> Callable[Concatenate[AsyncUpwellClient, P], Coroutine[Any, Any, T]]:
    """`method`, to be awaited."""

    @wraps(method)
    async def call(self: AsyncUpwellClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._call(partial(method, self._opened, *args, **kwargs))

    return call


def _published(
    method: Callable[Concatenate[UpwellClient, P], Iterator[T]],
) -> Callable[Concatenate[AsyncUpwellClient, P], Coroutine[Any, Any, Published[T]]]:
    """`method`, to be awaited: what is published after that is not missed."""

    @wraps(method)
    async def call(self: AsyncUpwellClient, /, *args: P.args, **kwargs: P.kwargs) -> Published[T]:
        records = await self._call(partial(method, self._opened, *args, **kwargs))
        return Published(self._threads, records)

    return call


def _close(opened: Future[UpwellClient]) -> None:
    """One that opens all the same, though nobody waits for it any more."""
    if not opened.cancelled() and opened.exception() is None:
        opened.result().close()


class AsyncUpwellClient:
    """Arguments, methods and errors are those of `UpwellClient`; `async with` opens it, and
    delivers what waits before it closes. Calls that are awaited one after the other keep their
    order.
    """

    def __init__(
        self, address: str, settings: KafkaSettings | None = None, *, trace: bool = False
    ) -> None:
        self._open = partial(UpwellClient, address, settings, trace=trace)
        self._client: UpwellClient | None = None

    async def __aenter__(self) -> AsyncUpwellClient:
        self._threads = _Threads()
        opening = self._threads.run(threading.Event(), self._open)
        try:
            self._client = await asyncio.wrap_future(opening)
        except BaseException:
            opening.add_done_callback(_close)
            self._threads.end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await self._threads.settle()
            await self._call(partial(client.__exit__, kind, value, trace))
        finally:
            self._threads.end()

    async def close(self) -> None:
        """Deliver what waits, then close; the end of `async with` does it.

        Raises `BrokerError` where something was not delivered.
        """
        await self.__aexit__(None, None, None)

    send = _awaited(UpwellClient.send)
    flush = _awaited(UpwellClient.flush)
    click = _awaited(UpwellClient.click)
    review = _awaited(UpwellClient.review)
    query = _awaited(UpwellClient.query)
    item = _awaited(UpwellClient.item)
    impression = _awaited(UpwellClient.impression)
    request = _awaited(UpwellClient.request)
    control = _awaited(UpwellClient.control)
    merge = _awaited(UpwellClient.merge)
    triple = _awaited(UpwellClient.triple)
    rule = _awaited(UpwellClient.rule)
    forget = _awaited(UpwellClient.forget)
    request_list = _awaited(UpwellClient.request_list)
    lists = _published(UpwellClient.lists)
    confirmations = _published(UpwellClient.confirmations)
    dead_letters = _published(UpwellClient.dead_letters)

    @property
    def _opened(self) -> UpwellClient:
        if self._client is None:
            raise BrokerError("the client is not open: use it within `async with`")
        return self._client

    async def _call(self, work: Callable[[], T]) -> T:
        gone = threading.Event()
        running = self._threads.run(gone, work)
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            gone.set()
            raise
