"""What serve's consumer commits: behind the last record of those acknowledged without one missing,
whatever offsets lie between, and whatever Faust drops of what it fetched. On a real broker:
tests/e2e/test_transactions.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from stream.serve.faust_app import faust_app
from upwell.settings import KafkaSettings, Settings

CLICKS = TP("clicks", 0)


@dataclass(eq=False)
class Given:
    """A record and its message as far as a consumer looks at them."""

    offset: int
    tp: TP = CLICKS
    topic: str = CLICKS.topic
    acked: bool = False


@dataclass
class Client:
    """Kafka's client on one partition that holds records at `offsets`."""

    offsets: Sequence[int]
    position: int = 0
    stored: int | None = None
    away: bool = False
    _closed: bool = False

    @property
    def _fetcher(self) -> Client:
        return self

    @property
    def _subscriptions(self) -> Client:
        return self

    @contextmanager
    def fetch_context(self) -> Iterator[None]:
        yield

    async def fetched_records(self, *_: Any, max_records: int, **__: Any) -> Any:
        found = [Given(one) for one in self.offsets if one >= self.position][:max_records]
        if found:
            self.position = found[-1].offset + 1
        return {CLICKS: found} if found else {}

    @property
    def subscription(self) -> Any:
        """A transaction has been open at the position for a while."""
        state = SimpleNamespace(highwater=9, position=1, timestamp=monotonic() * 1000)
        return SimpleNamespace(assignment=SimpleNamespace(active=True, state_value=lambda _: state))

    def assignment(self) -> set[TP]:
        return {CLICKS}

    async def committed(self, tp: TP) -> int | None:
        if self.away:
            raise ConnectionError
        return self.stored

    def seek(self, tp: TP, offset: int) -> None:
        self.position = offset

    async def seek_to_beginning(self, *tps: TP) -> None:
        self.position = 0


class Reader:
    """A consumer as Faust drives it, on a client."""

    def __init__(self, consumer: Any, client: Client) -> None:
        self.consumer, self.client = consumer, client
        consumer._thread._consumer = client

    async def fetch(self, number: int) -> list[Given]:
        """What comes is given to the app."""
        found = await self.consumer._thread._fetch_records(self.client, None, 1.0, number)
        for one in found.get(CLICKS, ()):
            await self.consumer.callback(one)
        return list(found.get(CLICKS, ()))

    def commit(self) -> int | None:
        new: int | None = self.consumer._new_offset(CLICKS)
        if new is not None and self.consumer._should_commit(CLICKS, new):
            self.client.stored = self.consumer._committed_offset[CLICKS] = new
        return new

    async def turn(self, acked: Sequence[int], number: int = 100) -> int | None:
        """Fetch, acknowledge these, commit."""
        for one in await self.fetch(number):
            if one.offset in acked:
                self.consumer.ack(one)
        return self.commit()


async def taken(message: Any) -> None:
    """Of the app, which takes all."""


async def at_once(act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Instead of on the consumer's thread."""
    return await act(*args, **kwargs)


def on_consumer(act: Callable[[Any], Any]) -> Any:
    """Runs a function of a consumer on an event loop."""

    async def inside(folder: Path) -> Any:
        kafka = KafkaSettings(address="127.0.0.1:9")
        app: Any = faust_app(replace(Settings(), kafka=kafka, data=folder))
        app.topics._acking_topics.add(CLICKS.topic)
        found: Any = app.transport.create_consumer(
            taken, on_partitions_revoked=taken, on_partitions_assigned=taken
        )
        found._thread.call_thread = at_once
        try:
            return await act(found)
        finally:
            found._thread.thread_loop.close()

    with TemporaryDirectory() as folder:
        return asyncio.run(inside(Path(folder)))


@pytest.mark.parametrize(
    ("held", "acked", "expected"),
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
    held: list[int], acked: list[int], expected: int | None
) -> None:
    assert on_consumer(lambda consumer: Reader(consumer, Client(held)).turn(acked)) == expected


def test_commits_go_on_after_the_record_at_offset_0_and_after_what_is_read_again() -> None:
    async def act(consumer: Any) -> list[int | None]:
        reader = Reader(consumer, Client([0, 13, 14, 15, 30, 31]))
        commits = [await reader.turn([0], 1), await reader.turn([13], 3)]
        await consumer.perform_seek()
        commits.append(await reader.turn([15], 3))  # one is not acknowledged yet
        reader.client.seek(CLICKS, 14)  # as a new assignment does, before Faust seeks
        commits += [await reader.turn([14, 15], 2), await reader.turn([30, 31])]
        return commits

    assert on_consumer(act) == [1, 14, None, 16, 32]


def test_what_faust_fetched_and_dropped_is_never_committed_over() -> None:
    """Its flow stopped while it waited for records, and the seek back failed: it only says so."""

    async def act(consumer: Any) -> tuple[int | None, int | None]:
        reader = Reader(consumer, Client([0, 1, 2, 3], away=True))
        fetch = reader.client.fetched_records

        async def stopped_meanwhile(*args: Any, **kwargs: Any) -> Any:
            found = await fetch(*args, max_records=2)
            consumer.stop_flow()
            return found

        consumer._thread._consumer._max_poll_records = 2
        consumer.resume_flow()
        consumer._active_partitions = {CLICKS}
        setattr(reader.client, "fetched_records", stopped_meanwhile)  # noqa: B010
        assert [one async for one in consumer.getmany(1.0)] == []
        setattr(reader.client, "fetched_records", fetch)  # noqa: B010
        consumer.resume_flow()
        lost = await reader.turn([2, 3])
        reader.client.away = False
        await consumer.perform_seek()
        return lost, await reader.turn([0, 1, 2, 3])

    assert on_consumer(act) == (None, 4)


def test_where_nothing_was_committed_what_was_given_out_is_given_out_again() -> None:
    async def act(consumer: Any) -> tuple[list[int], list[int]]:
        reader = Reader(consumer, Client([3, 4, 5]))
        first = await reader.fetch(2)
        await consumer.perform_seek()
        return [one.offset for one in first], [one.offset for one in await reader.fetch(9)]

    assert on_consumer(act) == ([3, 4], [3, 4, 5])


def test_a_commit_that_arrives_after_the_seek_back_holds_up_nothing() -> None:
    async def act(consumer: Any) -> int | None:
        reader = Reader(consumer, Client([0, 1, 2]))
        for one in (await reader.fetch(3))[:2]:
            consumer.ack(one)
        late = consumer._new_offset(CLICKS)
        await consumer.perform_seek()
        consumer._committed_offset[CLICKS] = reader.client.stored = late
        return await reader.turn([0, 1, 2])  # of which two are acknowledged in vain

    assert on_consumer(act) == 3


def test_what_was_given_out_and_then_removed_holds_up_nothing_after_a_seek_back() -> None:
    async def act(consumer: Any) -> int | None:
        reader = Reader(consumer, Client([0, 1, 2]))
        await reader.fetch(2)
        reader.client.offsets = [2]
        await consumer.perform_seek()
        return await reader.turn([2])

    assert on_consumer(act) == 3


def test_a_transaction_that_stays_open_is_no_stream_that_stands_still(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def act(consumer: Any) -> None:
        Reader(consumer, Client([0]))
        consumer.app.monitor.stream_inbound_time[CLICKS] = monotonic() - 1_000
        consumer._thread.time_started = monotonic() - 1_000
        await consumer.verify_all_partitions_active()

    on_consumer(act)
    assert caplog.text == ""


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fetch"), st.integers(1, 4)),
        st.tuples(st.just("ack"), st.integers(0, 30)),
        st.tuples(st.just("commit"), st.none()),
        st.tuples(st.just("seek"), st.none()),
        st.tuples(st.just("remove"), st.integers(0, 3)),
    ),
    max_size=40,
)


@given(st.lists(st.integers(0, 60), unique=True, max_size=20).map(sorted), STEPS)
def test_no_commit_passes_a_record_that_was_not_acknowledged_and_all_can_be(
    offsets: list[int], steps: list[tuple[str, Any]]
) -> None:
    """Whatever is dropped, read again, worked off after a seek, or removed before it was read."""

    async def act(consumer: Any) -> None:
        reader = Reader(consumer, Client(offsets))
        client, fetched, worked = reader.client, list[Given](), set[int]()
        for step, number in steps:
            if step == "fetch":
                fetched += await reader.fetch(number)
            elif step == "ack" and fetched:
                one = fetched[number % len(fetched)]
                worked.add(one.offset)
                consumer.ack(one)
            elif step == "commit":
                reader.commit()
            elif step == "seek":
                await consumer.perform_seek()
            elif step == "remove":
                client.offsets = client.offsets[number:]
                worked |= set(offsets) - set(client.offsets)
            assert {one for one in offsets if one < (client.stored or 0)} <= worked
        await consumer.perform_seek()
        left = [one for one in client.offsets if one >= client.position]
        await reader.turn(left)
        assert client.stored == left[-1] + 1 if left else True

    on_consumer(act)


def test_only_serves_worker_reads_committed_and_is_no_transactional_app() -> None:
    async def act(consumer: Any) -> tuple[str, bool]:
        kafka_consumer = consumer._thread._create_worker_consumer(consumer.transport)
        await kafka_consumer.stop()
        return kafka_consumer._isolation_level, consumer.in_transaction

    assert on_consumer(act) == ("read_committed", False)
