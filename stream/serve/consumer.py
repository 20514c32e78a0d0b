"""Faust's consumer, made fit for transactions and for records that are gone: it is given what was
committed only, and acknowledges over offsets that hold no record.

Faust itself reads what was aborted too. Between two records that are not neighbours it writes down
each offset as acknowledged, however many millions lie there, and none after the record at offset 0:
there its commits stand still. Whatever it drops between fetch and agent, as it does around a
rebalance, is such a gap to it, and lost; here it was given out and is never committed over.

Its producer is idempotent: a worker that stood still within a write, and goes on when its
partitions are another's, writes nothing a second time. Else its list would come after the other's
newer one.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

import aiokafka
import faust
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    Consumer,
    Producer,
    Transport,
)
from faust.types import TP
from faust.types.tuples import ack_lock

__all__ = ["ServeApp"]


class _Thread(AIOKafkaConsumerThread):
    """Remembers which offsets were given out and are not committed, in their order.

    given: written here, on the consumer's thread, where a fetch and a seek move the position;
    shortened by commits on the app's. Both under `ack_lock`.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.given: defaultdict[TP, deque[int]] = defaultdict(deque)

    def _create_worker_consumer(self, transport: Transport) -> aiokafka.AIOKafkaConsumer:
        # Faust asks this of its own transactions alone, and only here does it look at it
        held = self.consumer.in_transaction
        self.consumer.in_transaction = True
        try:
            return super()._create_worker_consumer(transport)
        finally:
            self.consumer.in_transaction = held

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 -- the name that Faust passes
        max_records: int | None = None,
    ) -> Mapping[TP, list[Any]]:
        """Nothing is awaited between the fetch and the note."""
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        with ack_lock:
            for tp, fetched in records.items():
                given = self.given[tp]
                while given and given[-1] >= fetched[0].offset:  # read again after a rebalance
                    given.pop()
                given.extend(record.offset for record in fetched)
        return records

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Also to the beginning where nothing was committed, where Faust stays where it is."""
        found: Mapping[TP, int] = await self.call_thread(self._seek_back)
        return found

    async def _seek_back(self) -> Mapping[TP, int | None]:
        """What was given out and not committed is given out again. Nothing is awaited between the
        seeks and the forgetting.
        """
        consumer = self._ensure_consumer()
        committed = {tp: await consumer.committed(tp) for tp in consumer.assignment()}
        begin = [tp for tp, offset in committed.items() if offset is None]
        with ack_lock:
            for tp, offset in committed.items():
                if offset is not None:
                    consumer.seek(tp, offset)
                self.given[tp].clear()
        if begin:
            await consumer.seek_to_beginning(*begin)
        return committed


class _Consumer(Consumer):
    """Commits by what was given out, instead of by gaps."""

    _thread: _Thread

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing that was given out lies there."""

    async def verify_all_partitions_active(self) -> None:
        """Faust holds what stands behind an open transaction for a stream that stands still, and
        says so every second. `stream.serve.watchdog` counts what can be given out.
        """

    def _new_offset(self, tp: TP) -> int | None:
        """Behind the last of the records that are acknowledged without one missing."""
        before, new = self._committed_offset[tp] or 0, None
        with ack_lock:
            given, acked = self._thread.given[tp], self._acked_index[tp]
            while given and (given[0] in acked or given[0] < before):
                new = given.popleft() + 1
                acked.discard(new - 1)
            self._acked[tp] = list(acked)
        return new


class _Producer(Producer):
    def _settings_default(self) -> Mapping[str, Any]:
        return {**super()._settings_default(), "enable_idempotence": True}


class _Transport(Transport):
    Consumer = _Consumer
    Producer = _Producer


class ServeApp(faust.App):
    """An app whose workers read so."""

    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)
