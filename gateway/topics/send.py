"""Events on their way to Kafka: handed to a producer, and waited for until all replicas have them.

No more are on their way at once than the bound says: where Kafka is slow, callers are told to come
again instead of being held.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from kafka import KafkaProducer
from kafka.errors import KafkaError

from gateway.edge.refusals import Refused
from stream.broker.topics import no_broker
from upwell.connection import check_advertised, check_login
from upwell.events import Topic
from upwell.system.trace_context import Headers

__all__ = ["ACK_SECONDS", "KafkaOut", "Out", "Parcel", "Sender"]

ACK_SECONDS = 10.0
"""That a caller waits for the acknowledgement."""
MOST_BYTES = 24 << 20
"""On their way at once: a producer with more than its own 32 MiB would block."""

Done = Callable[[str | None], object]

log = logging.getLogger("upwell.gateway")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One record to send. topic: without prefix. trace: that it goes on with, as its headers."""

    topic: Topic
    key: bytes
    value: bytes
    trace: Headers = ()


class Out(Protocol):
    """Where records go. Called by one thread, which it may hold up; `done` is called once a record,
    from any thread, with `topic-partition-offset` of the acknowledged one or None for one that was
    not.
    """

    def hand(self, parcel: Parcel, done: Done) -> None: ...

    def close(self) -> None: ...


class KafkaOut:
    """A producer that waits for all replicas. Raises `BrokerError` where none can be had."""

    def __init__(self, client: Mapping[str, Any], prefix: str) -> None:
        check_login(client)
        check_advertised(client, bear_some=True)
        self._prefix = prefix
        try:
            self._producer = KafkaProducer(acks="all", **client)
        except (KafkaError, OSError, ValueError) as exc:
            raise no_broker(client, exc) from exc

    def hand(self, parcel: Parcel, done: Done) -> None:
        try:
            sent = self._producer.send(
                self._prefix + parcel.topic,
                key=parcel.key,
                value=parcel.value,
                headers=list(parcel.trace),
            )
        except KafkaError:  # not taken at all: the broker is not known, or its topic is not
            done(None)
            return
        sent.add_callback(lambda at: done(f"{parcel.topic}-{at.partition}-{at.offset}"))
        sent.add_errback(lambda _: done(None))

    def close(self) -> None:
        self._producer.close(timeout=ACK_SECONDS)


class Sender:
    """in_flight: events on their way at most. All its methods belong to the event loop's thread.

    patience: seconds that `send` waits for acknowledgements.
    """

    def __init__(self, out: Out, in_flight: int, patience: float = ACK_SECONDS) -> None:
        self._out = out
        self._most = in_flight
        self._patience = patience
        self._events = 0
        self._bytes = 0
        self._thread = ThreadPoolExecutor(1, "kafka-out")

    @property
    def in_flight(self) -> int:
        """Events handed over and neither acknowledged nor given up."""
        return self._events

    @property
    def in_flight_bytes(self) -> int:
        """Of their values."""
        return self._bytes

    async def send(self, parcels: Sequence[Parcel]) -> list[str | None]:
        """The place of each once all replicas have it, None where that did not come to be known in
        time: it may stand there all the same.

        Raises `Refused` (429), with nothing sent, where too much is on its way.
        """
        size = sum(len(one.value) for one in parcels)
        if self._events and (
            self._events + len(parcels) > self._most or self._bytes + size > MOST_BYTES
        ):
            raise Refused(
                429,
                "busy",
                f"{self._events:,} events wait for Kafka's acknowledgement: nothing of this "
                "request was sent, send it again",
            )
        self._events += len(parcels)
        self._bytes += size
        loop = asyncio.get_running_loop()
        places: list[str | None] = [None] * len(parcels)
        whole: asyncio.Future[None] = loop.create_future()
        left = len(parcels)

        def settle(number: int, place: str | None) -> None:
            nonlocal left
            places[number] = place
            left -= 1
            self._events -= 1
            self._bytes -= len(parcels[number].value)
            if not left and not whole.done():
                whole.set_result(None)

        def hand() -> None:
            for number, parcel in enumerate(parcels):

                def done(place: str | None, number: int = number) -> None:
                    loop.call_soon_threadsafe(settle, number, place)

                try:
                    self._out.hand(parcel, done)
                except Exception:
                    log.exception("an event was not handed over")
                    done(None)

        if parcels:
            self._thread.submit(hand)
            await asyncio.wait({whole}, timeout=self._patience)
        return list(places)

    def close(self) -> None:
        """Deliver what waits."""
        self._thread.shutdown()
        self._out.close()
