"""What serve's consumer commits: behind the last record of those acknowledged without one missing,
whatever offsets lie between. On a real broker: tests/e2e/test_transactions.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from stream.serve.faust_app import faust_app
from upwell.settings import KafkaSettings, Settings

CLICKS = TP("clicks", 0)


@dataclass(eq=False)
class Given:
    """A message as far as a consumer looks at it."""

    offset: int
    tp: TP = CLICKS
    topic: str = CLICKS.topic
    acked: bool = False


async def taken(message: Any) -> None:
    """Of the app, which takes all."""


@pytest.fixture
def on_consumer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a function of a consumer on an event loop."""
    kafka = KafkaSettings(address="127.0.0.1:9")

    def run(act: Callable[[Any], Any]) -> Any:
        async def inside() -> Any:
            app = faust_app(replace(Settings(), kafka=kafka, data=tmp_path))
            monkeypatch.setattr(app.topics, "acks_enabled_for", lambda topic: True)
            found: Any = app.transport.create_consumer(
                taken, on_partitions_revoked=taken, on_partitions_assigned=taken
            )
            try:
                return await act(found)
            finally:
                found._thread.thread_loop.close()

        return asyncio.run(inside())

    return run


async def committed(consumer: Any, given: Sequence[int], acked: Sequence[int]) -> int | None:
    """After so many offsets were given out and these of them acknowledged."""
    messages = {offset: Given(offset) for offset in given}
    for offset, message in messages.items():
        await consumer.callback(message)
        read = consumer._read_offset[CLICKS]
        if read is not None and offset - read > 1:
            await consumer._add_gap(CLICKS, read + 1, offset)
        consumer._read_offset[CLICKS] = offset
    for offset in acked:
        consumer.ack(messages[offset])
    new: int | None = consumer._new_offset(CLICKS)
    if new is not None:
        consumer._committed_offset[CLICKS] = new
    return new


@pytest.mark.parametrize(
    ("given", "acked", "expected"),
    [
        ([0, 1, 2], [0, 1], 2),
        ([0, 13], [0, 13], 14),
        ([5, 6, 7], [5, 7], 6),
        ([5, 7, 20], [7, 20], None),
        ([5, 10**15], [5, 10**15], 10**15 + 1),
        ([], [], None),
    ],
)
def test_what_is_acknowledged_without_one_missing_is_committed(
    on_consumer: Callable[..., Any],
    given: list[int],
    acked: list[int],
    expected: int | None,
) -> None:
    assert on_consumer(lambda consumer: committed(consumer, given, acked)) == expected


def test_commits_go_on_after_the_record_at_offset_0_and_after_what_is_read_again(
    on_consumer: Callable[..., Any],
) -> None:
    async def act(consumer: Any) -> list[int | None]:
        return [
            await committed(consumer, [0], [0]),
            await committed(consumer, [13, 14, 15], [13]),
            await committed(consumer, [14, 15, 30], [15]),  # read again: one was not acknowledged
            await committed(consumer, [14, 15, 30], [14, 15]),
            await committed(consumer, [31], [31]),
        ]

    assert on_consumer(act) == [1, 14, None, 16, None]


def test_only_serves_worker_reads_committed_and_is_no_transactional_app(
    on_consumer: Callable[..., Any],
) -> None:
    async def act(consumer: Any) -> tuple[str, bool]:
        kafka_consumer = consumer._thread._create_worker_consumer(consumer.transport)
        await kafka_consumer.stop()
        return kafka_consumer._isolation_level, consumer.in_transaction

    assert on_consumer(act) == ("read_committed", False)
