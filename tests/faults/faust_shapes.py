"""Two Faust workers that forward events one to one: the shape of Faust's own guide, and
`stream.serve.agents`. One event fails once in each.

The failure is one that would pass: a store that did not answer. Nothing of the chain is here: what
is lost is lost by the shape.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import faust

from stream.chain.publish import Outgoing
from stream.chain.records import Record
from stream.serve.agents import Batching, add_agent
from stream.serve.meter import USERS, Meter
from tests.faults.worker import warm_context
from upwell.events import Topic

__all__ = ["GUIDE", "OURS", "group", "start_shape"]

GUIDE = "guide"
OURS = "ours"
BATCH_EVENTS = 20
BATCH_SECONDS = 0.05


def group(shape: str, prefix: str) -> str:
    """The consumer group of a shape's worker."""
    return f"{prefix}{shape}"


def start_shape(
    shape: str, broker: str, prefix: str, failing: bytes, mark: Path
) -> ForkServerProcess:
    """A running worker that forwards `clicks` to `recommendations`; it fails at the event `failing`
    unless the file `mark` is there.
    """
    process = warm_context().Process(
        target=_work, args=(shape, broker, prefix, failing, mark), daemon=True
    )
    process.start()
    return process


def _work(shape: str, broker: str, prefix: str, failing: bytes, mark: Path) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    app = faust.App(
        group(shape, prefix),
        broker=f"kafka://{broker}",
        store="memory://",
        broker_commit_interval=0.5,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id="worker",
        producer_acks=-1,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )

    def fail_once(values: Sequence[bytes | None]) -> None:
        if failing in values and not mark.exists():
            mark.touch()
            raise ConnectionError("the store did not answer")

    (_guide if shape == GUIDE else _ours)(app, prefix, fail_once)
    sys.argv = ["faust"]
    faust.Worker(
        app, loglevel="CRITICAL", quiet=True, redirect_stdouts=False
    ).execute_from_commandline()


def _guide(
    app: faust.App, prefix: str, fail_once: Callable[[Sequence[bytes | None]], None]
) -> None:
    source = app.topic(prefix + Topic.CLICKS, key_serializer="raw", value_serializer="raw")
    out = app.topic(prefix + Topic.RECOMMENDATIONS, key_serializer="raw", value_serializer="raw")

    async def forward(stream: Any) -> None:
        async for values in stream.take(BATCH_EVENTS, within=BATCH_SECONDS):
            fail_once(values)
            for value in values:
                await (await out.send(key=value, value=value))

    app.agent(source, name="forward")(forward)


def _ours(app: faust.App, prefix: str, fail_once: Callable[[Sequence[bytes | None]], None]) -> None:
    def chain(records: Sequence[Record], at_ms: int) -> Iterator[Outgoing]:
        fail_once([record.value for record in records])
        return (
            Outgoing(Topic.RECOMMENDATIONS, record.value, record.value or b"") for record in records
        )

    batching = Batching(BATCH_EVENTS, BATCH_SECONDS, Meter())
    add_agent(app, USERS, [Topic.CLICKS], prefix, batching, chain, {})
