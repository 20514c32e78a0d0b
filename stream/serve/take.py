"""Micro-batches of a Faust stream: what has come when the worker is free for it, at once.

Faust's own `noack_take` looks every so often, also while nothing comes, and takes nothing in while
a batch is worked on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["micro_batches"]


async def micro_batches(stream: Any, most: int, seconds: float) -> AsyncIterator[list[Any]]:
    """Events of `stream`, at most `most` at a time, that have to be acknowledged by the caller.

    seconds: how long the first one of a batch waits for more; 0 for what is there.
    """
    waiting: list[Any] = []
    arrived, room = asyncio.Event(), asyncio.Event()

    async def take_in(value: Any) -> Any:
        waiting.append(stream.current_event)
        arrived.set()
        if len(waiting) >= most:
            room.clear()
            await stream.wait(room)
        return value

    acknowledges = stream.enable_acks
    stream.enable_acks = False
    stream.add_processor(take_in)
    stream._enable_passive(aiter(stream.channel))  # noqa: SLF001 -- as `noack_take` does
    try:
        while not stream.should_stop:
            await stream.wait_for_stopped(arrived)
            if seconds and len(waiting) < most:
                await asyncio.sleep(seconds)
            events = waiting[:]
            waiting.clear()
            arrived.clear()
            room.set()
            if events:
                yield events
    finally:
        stream.enable_acks = acknowledges
        stream._processors.remove(take_in)  # noqa: SLF001
