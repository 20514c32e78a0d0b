"""Micro-batches: what is there, at once, in its order, and never more than is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from stream.serve.take import micro_batches

SOON = 20.0


class Stream:
    """What a Faust stream does with its processors; the one on a real broker is in
    `tests.faults.faust_shapes`.
    """

    should_stop = False

    def __init__(self) -> None:
        self.enable_acks = True
        self.channel = self
        self.current_event: int | None = None
        self._processors: list[Callable[[int], Awaitable[int]]] = []
        self._queue: asyncio.Queue[int] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> int:
        return await self._queue.get()

    def add_processor(self, one: Callable[[int], Awaitable[int]]) -> None:
        self._processors.append(one)

    def _enable_passive(self, channel: Stream) -> None:
        self._tasks.append(asyncio.ensure_future(channel.drain()))

    async def drain(self) -> None:
        while True:
            self.current_event = await anext(self)
            for one in self._processors:
                await one(self.current_event)

    async def wait_for_stopped(self, event: asyncio.Event) -> None:
        await event.wait()

    async def wait(self, event: asyncio.Event) -> None:
        await event.wait()

    def put(self, *numbers: int) -> None:
        for number in numbers:
            self._queue.put_nowait(number)


class Fed:
    """A stream of numbers, and its batches as they are taken."""

    def __init__(self, most: int, seconds: float = 0.0) -> None:
        self.stream = Stream()
        self._batches: AsyncIterator[list[Any]] = micro_batches(self.stream, most, seconds)

    async def batch(self) -> list[int]:
        return await asyncio.wait_for(anext(self._batches), SOON)


async def gathered(fed: Fed, count: int) -> list[list[int]]:
    """Batches until so many events were taken."""
    found: list[list[int]] = []
    while sum(map(len, found)) < count:
        found.append(await fed.batch())
    return found


@pytest.mark.parametrize("most", [1, 3, 100])
def test_all_are_taken_in_their_order_and_no_batch_is_too_large(most: int) -> None:
    async def run() -> list[list[int]]:
        fed = Fed(most)
        fed.stream.put(*range(10))
        return await gathered(fed, 10)

    batches = asyncio.run(run())
    assert [one for batch in batches for one in batch] == list(range(10))
    assert max(map(len, batches)) <= most


def test_what_comes_while_a_batch_is_worked_on_is_the_next_one() -> None:
    async def run() -> list[list[int]]:
        fed = Fed(100)
        fed.stream.put(1)
        first = await fed.batch()
        fed.stream.put(2, 3, 4)
        for _ in range(50):  # the stream takes them in meanwhile
            await asyncio.sleep(0)
        return [first, await fed.batch()]

    assert asyncio.run(run()) == [[1], [2, 3, 4]]


def test_nothing_is_given_while_nothing_comes() -> None:
    async def run() -> list[int]:
        fed = Fed(100)
        waiting = asyncio.ensure_future(fed.batch())
        for _ in range(50):
            await asyncio.sleep(0)
        assert not waiting.done()
        fed.stream.put(7)
        return await waiting

    assert asyncio.run(run()) == [7]


def test_the_caller_acknowledges() -> None:
    async def run() -> tuple[bool, bool]:
        fed = Fed(100)
        before = fed.stream.enable_acks
        fed.stream.put(1)
        await fed.batch()
        return before, fed.stream.enable_acks

    assert asyncio.run(run()) == (True, False)
