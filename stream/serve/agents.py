"""The two Faust agents, in the one shape that lost nothing: no Tables, `noack_take`,
acknowledgement after the publish.

A batch goes to its chain on a thread of its own, so that the event loop keeps fetching and
answering the broker. An unexpected exception ends the process before any acknowledgement; the
supervisor starts it again and the batch is delivered once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import faust

from stream.chain.publish import Outgoing
from stream.chain.records import Record
from stream.chain.wire import first_appended
from stream.serve.meter import Meter
from stream.serve.take import micro_batches
from stream.tracing.start import Stage
from upwell.errors import UpwellError
from upwell.events import Topic
from upwell.system.clock import now_ms
from upwell.system.threads import UNEXPECTED_EXIT, end_process

if TYPE_CHECKING:
    from stream.tracing.spans import Tracing

__all__ = ["ITEM_TOPICS", "USER_TOPICS", "Batching", "add_agent", "fail_stop", "now_ms", "send"]

USER_TOPICS = (
    Topic.CLICKS,
    Topic.REVIEWS,
    Topic.QUERIES,
    Topic.IMPRESSIONS,
    Topic.REQUESTS,
    Topic.CONTROLS,
    Topic.REROUTED,
)
ITEM_TOPICS = (Topic.ITEMS, Topic.CONTROLS, Topic.KNOWLEDGE)
SPARE_SECONDS = 0.02
MOST_SPARE_SECONDS = 0.25
"""Between two looks for something to do: twice as long after each that found nothing, up to this.
An idle process sleeps.
"""
REST_SECONDS = 0.02
"""Between two rounds of `more`, of which nobody waits for: users' batches find a free processor."""

Chain = Callable[[Sequence[Record], int], Iterable[Outgoing]]
"""A micro-batch and the time (UTC ms) to the records that it publishes; what it stores is stored
when it returns.
"""

log = logging.getLogger("upwell.serve")


class Batching:
    """events: at most so many a batch. seconds: how long the first one waits for more. meter: is
    told of each. tracing: follows some of them, None where none.
    """

    def __init__(
        self, events: int, seconds: float, meter: Meter, tracing: Tracing | None = None
    ) -> None:
        self.events = events
        self.seconds = seconds
        self.meter = meter
        self.tracing = tracing


def add_agent(
    app: faust.App,
    name: str,
    topics: Sequence[Topic],
    prefix: str,
    batching: Batching,
    chain: Chain,
    incarnations: Mapping[Topic, str],
    spare: Callable[[], bool] | None = None,
    more: Callable[[], Sequence[Outgoing]] | None = None,
) -> None:
    """Register an agent that feeds `chain` with micro-batches of `topics`, sends what it returns,
    then acknowledges.

    incarnations: of `topics`, as they are while this process runs. spare: is called again and
    again on the chain's thread while no batch waits, at once where it says that there was
    something to do. more: likewise, and what it returns is sent before the next batch is run.
    """
    clock, tracing = batching.meter.clock, batching.tracing
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
    channel = app.topic(
        *(prefix + topic for topic in topics),
        key_serializer="raw",
        value_serializer="raw",
        internal=True,
    )

    turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if more is not None else nullcontext()

    def run(records: Sequence[Record], stages: list[Stage] | None) -> list[Outgoing]:
        batching.meter.note(stages)
        return list(chain(records, now_ms()))

    async def consume(stream: Any) -> None:
        async for events in micro_batches(stream, batching.events, batching.seconds):
            records = [_record(event.message, prefix, incarnations) for event in events]
            began, stages, traced = clock(), None, None
            if tracing is not None:
                traced = tracing.begin(records, [one.message.headers for one in events], began)
                records, stages = traced.records, traced.stages
            async with turn:
                outgoing = await app.loop.run_in_executor(thread, run, records, stages)
                made = clock()
                await send(app, prefix, outgoing)
            sent = clock()
            seconds = (made - began, sent - made)
            batching.meter.published(name, len(records), seconds, now_ms(), outgoing)
            for event in events:
                await stream.ack(event)
            if traced is not None:
                traced.end((f"publish_{name}", made, sent), outgoing)

    async def guarded(stream: Any) -> None:
        await fail_stop(consume(stream))

    async def fill(work: Callable[[], Awaitable[bool]], rest: float) -> None:
        pause = SPARE_SECONDS
        while True:
            found = await work()
            pause = SPARE_SECONDS if found else min(2 * pause, MOST_SPARE_SECONDS)
            await asyncio.sleep(rest if found else pause)

    async def spared(work: Callable[[], bool]) -> bool:
        return await app.loop.run_in_executor(thread, work)

    async def made(work: Callable[[], Sequence[Outgoing]]) -> bool:
        async with turn:  # or an older entry of an item might go out behind a newer one
            outgoing = await app.loop.run_in_executor(thread, work)
            await send(app, prefix, outgoing)
        return bool(outgoing)

    app.agent(channel, name=name)(guarded)
    if spare is not None:
        app.task(lambda: fail_stop(fill(partial(spared, spare), 0.0)))
    if more is not None:
        app.task(lambda: fail_stop(fill(partial(made, more), REST_SECONDS)))


async def send(app: faust.App, prefix: str, outgoing: Iterable[Outgoing]) -> None:
    """Send all, then wait until every one is acknowledged by all replicas. Entries of the audit log
    go first: what follows from them never stands there without them.
    """
    waiting = list(outgoing)
    entries = [one for one in waiting if one.topic is Topic.AUDIT]
    if entries:
        await _send(app, prefix, entries)
    await _send(app, prefix, [one for one in waiting if one.topic is not Topic.AUDIT])


async def _send(app: faust.App, prefix: str, outgoing: Sequence[Outgoing]) -> None:
    producer = await app.maybe_start_producer()
    waiting = [
        await producer.send(
            prefix + one.topic,
            one.key,
            None if one.gone else one.value,
            one.partition,
            None,
            list(one.headers),
        )
        for one in outgoing
    ]
    await asyncio.gather(*waiting)


async def fail_stop(work: Awaitable[None]) -> None:
    """Await `work`; end the process at once when it fails, before anything is acknowledged."""
    try:
        await work
    except asyncio.CancelledError:
        raise
    except UpwellError as exc:
        end_process(f"serve: {exc}", exc.exit_code)
    except BaseException:
        log.exception("unexpected: the worker ends; the batch is not acknowledged and comes again")
        end_process("serve: unexpected exception (above)", UNEXPECTED_EXIT)


def _record(message: Any, prefix: str, incarnations: Mapping[Topic, str]) -> Record:
    topic = Topic(message.topic.removeprefix(prefix))
    return Record(
        topic,
        message.partition,
        message.offset,
        message.value,
        round(message.timestamp * 1000),
        message.key,
        incarnations.get(topic, ""),
        first_appended(dict(message.headers or ())),
    )
