"""Events on their way: bounded, and told apart by what became of each."""

from __future__ import annotations

import asyncio

import pytest
from kafka import TopicPartition

from gateway.edge.refusals import Refused
from gateway.topics.send import MOST_BYTES, KafkaOut, Parcel, Sender
from stream.broker.feeds import read_partition
from stream.broker.topics import ensure_topics
from tests.gateway.served import FakeOut, until
from upwell.events import Topic


def parcels(count: int, size: int = 10) -> list[Parcel]:
    return [Parcel(Topic.CLICKS, b"ann", b"x" * size)] * count


def test_each_event_has_the_place_that_kafka_gave_it() -> None:
    assert asyncio.run(Sender(FakeOut(), 10).send(parcels(3))) == [
        "clicks-0-0",
        "clicks-0-1",
        "clicks-0-2",
    ]


def test_nothing_is_a_batch_too() -> None:
    assert asyncio.run(Sender(FakeOut(), 10).send([])) == []


async def held(
    sender: Sender, out: FakeOut, count: int, size: int = 10
) -> asyncio.Task[list[str | None]]:
    out.held = True
    task = asyncio.create_task(sender.send(parcels(count, size)))
    await until(lambda: len(out.waiting) == count, "all to be handed over")
    return task


@pytest.mark.parametrize(("size", "more"), [(10, 3), (MOST_BYTES // 8, 1)])
def test_more_than_the_bound_is_refused_whole_and_nothing_of_it_is_sent(
    size: int, more: int
) -> None:
    async def run() -> None:
        out = FakeOut()
        sender = Sender(out, 10)
        first = await held(sender, out, 8, size)
        with pytest.raises(Refused) as caught:
            await sender.send(parcels(more, size))
        assert caught.value.status == 429
        assert caught.value.headers["Retry-After"] == "1"
        assert len(out.parcels) == 8 == sender.in_flight
        out.release()
        assert len(await first) == 8
        assert sender.in_flight == 0
        assert None not in await sender.send(parcels(more, size))

    asyncio.run(run())


def test_a_batch_above_the_bound_goes_when_nothing_else_does() -> None:
    assert len(asyncio.run(Sender(FakeOut(), 2).send(parcels(5)))) == 5


def test_what_is_not_acknowledged_in_time_is_none_and_counts_until_it_is_known() -> None:
    async def run() -> None:
        out = FakeOut()
        sender = Sender(out, 10, patience=0.01)
        out.held = True
        assert await sender.send(parcels(2)) == [None, None]
        assert sender.in_flight == 2
        out.release()
        await until(lambda: sender.in_flight == 0, "the late acknowledgement")

    asyncio.run(run())


def test_what_kafka_refuses_is_none_and_the_rest_is_told() -> None:
    class Picky(FakeOut):
        def hand(self, parcel, done):  # type: ignore[no-untyped-def]
            if len(self.parcels) == 1:
                self.parcels.append(parcel)
                raise ValueError("a client's own fault")
            super().hand(parcel, done)

    sender = Sender(Picky(), 10)
    assert asyncio.run(sender.send(parcels(3))) == ["clicks-0-0", None, "clicks-0-2"]
    assert sender.in_flight == 0


def test_a_record_has_its_trace_as_headers(kafka: str, prefix: str) -> None:
    client = {"bootstrap_servers": kafka}
    ensure_topics(prefix, 1, client)
    trace = (("traceparent", b"00-1-2-01"), ("tracestate", b"a=1"))
    sender = Sender(KafkaOut(client, prefix), 10)
    bare = Parcel(Topic.CLICKS, b"ann", b"2")
    asyncio.run(sender.send([Parcel(Topic.CLICKS, b"ann", b"1", trace), bare]))
    sender.close()
    stands = read_partition(client, TopicPartition(prefix + Topic.CLICKS, 0), 0)
    assert [tuple(one.headers) for one in stands] == [trace, ()]
