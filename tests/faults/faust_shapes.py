"""Two Faust workers that forward events one to one: the obvious shape, with a Table, and the shape of `stream.agents`.

Nothing of Upwell's chain is in them, so that what is lost is lost by the shape.
"""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing.context import ForkServerProcess
from typing import Any

import faust

__all__ = ["PARTITIONS", "group", "start_shape"]

PARTITIONS = 4


def group(shape: str, prefix: str) -> str:
    """The consumer group of a shape's worker."""
    return f"{prefix}{shape}"


def start_shape(shape: str, broker: str, prefix: str) -> ForkServerProcess:
    """A running worker that forwards `<prefix>in` to `<prefix>out`; `shape`: `table` or `own-acks`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.warm"])
    process = context.Process(target=_work, args=(shape, broker, prefix), daemon=True)
    process.start()
    return process


def _work(shape: str, broker: str, prefix: str) -> None:
    app = faust.App(
        group(shape, prefix),
        broker=f"kafka://{broker}",
        store="memory://",
        broker_commit_interval=0.5,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id="worker",
        producer_acks=-1,
        stream_wait_empty=False,
        topic_disable_leader=True,
        topic_partitions=PARTITIONS,
        web_enabled=False,
    )
    source = app.topic(f"{prefix}in", key_serializer="raw", value_serializer="raw", internal=True)
    (_with_table if shape == "table" else _with_own_acks)(app, source, f"{prefix}out")
    sys.argv = ["faust"]
    faust.Worker(app, loglevel="ERROR", quiet=True, redirect_stdouts=False).execute_from_commandline()


def _with_table(app: faust.App, source: Any, out: str) -> None:
    counts = app.Table("counts", default=int, partitions=PARTITIONS)

    async def forward(stream: Any) -> None:
        async for event in stream.events():
            counts[event.key] += 1
            await app.send(out, key=event.key, value=event.value, key_serializer="raw", value_serializer="raw")

    app.agent(source, name="forward")(forward)


def _with_own_acks(app: faust.App, source: Any, out: str) -> None:
    async def forward(stream: Any) -> None:
        producer = await app.maybe_start_producer()
        async for events in stream.noack_take(256, within=0.005):
            waiting = [await producer.send(out, event.key, event.value, None, None, None) for event in events]
            for sent in waiting:
                await sent
            for event in events:
                await stream.ack(event)

    app.agent(source, name="forward")(forward)
