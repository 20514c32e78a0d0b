"""Faust's consumer, made fit for transactions and for records that are gone: it is given what was
committed only, and acknowledges over offsets that hold no record.

Faust itself reads what was aborted too. Between two records that are not neighbours it writes down
each offset as acknowledged, however many millions lie there, and none after the record at offset 0:
there its commits stand still.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

import aiokafka
import faust
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, Message
from faust.types.tuples import ack_lock

__all__ = ["ServeApp"]


class _Thread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Transport) -> aiokafka.AIOKafkaConsumer:
        # Faust asks this of its own transactions alone, and only here does it look at it
        held = self.consumer.in_transaction
        self.consumer.in_transaction = True
        try:
            return super()._create_worker_consumer(transport)
        finally:
            self.consumer.in_transaction = held


class _Consumer(Consumer):
    """Remembers, instead of gaps, which records were given out, in their order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._given: defaultdict[TP, deque[int]] = defaultdict(deque)
        super().__init__(*args, **kwargs)
        self._give, self.callback = self.callback, self._note

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _note(self, message: Message) -> None:
        given = self._given[message.tp]
        while given and given[-1] >= message.offset:  # read again after a rebalance
            given.pop()
        given.append(message.offset)
        await self._give(message)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing that was given out lies there."""

    def _new_offset(self, tp: TP) -> int | None:
        """Behind the last of the records that are acknowledged without one missing."""
        given, before = self._given[tp], self._committed_offset[tp] or 0
        new = None
        with ack_lock:
            acked = self._acked_index[tp]
            while given and (given[0] in acked or given[0] < before):
                new = given.popleft() + 1
                acked.discard(new - 1)
            self._acked[tp] = list(acked)
        return new

    async def perform_seek(self) -> None:
        """What was given out and not acknowledged is given out again."""
        self._given.clear()
        await super().perform_seek()


class _Transport(Transport):
    Consumer = _Consumer


class ServeApp(faust.App):
    """An app whose workers read so."""

    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)
