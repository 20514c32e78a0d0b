"""Plays a log into the topics: as fast as the broker takes it, at a steady rate, or at a multiple
of its own pace.

A bad line is reported and counted, never sent; what the values say is not looked at, that is the
stream's task.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from kafka import KafkaProducer
from kafka.errors import KafkaError

from stream.replay.log import BadLine, LogRecord
from upwell.errors import BrokerError
from upwell.events import Topic

__all__ = ["Pace", "Player"]

LINGER_MS = 5
FLUSH_SECONDS = 60
LONGEST_SLEEP_S = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """rate: events a second. speed: a multiple of the log's own time. Both None: as fast as it
    goes.
    """

    rate: float | None = None
    speed: float | None = None


class Player:
    """Sends log records.

    `sent`, `bad` count; `on_bad` is told each bad line; `tick` is called between records, often.
    """

    def __init__(
        self,
        client_options: Mapping[str, Any],
        prefix: str,
        on_bad: Callable[[BadLine], None],
        tick: Callable[[], None],
    ) -> None:
        self._prefix = prefix
        self._on_bad = on_bad
        self._tick = tick
        self._producer = KafkaProducer(acks="all", linger_ms=LINGER_MS, **client_options)
        self._failure: BaseException | None = None
        self.sent = 0
        self.bad = 0

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.close()

    def play(self, lines: Iterable[LogRecord | BadLine], pace: Pace) -> None:
        """Send all of `lines`; returns when the broker has them. Raises `BrokerError` when it does
        not take them.
        """
        try:
            for record in self._good(lines, pace):
                sent = self._producer.send(
                    self._prefix + record.topic, key=record.key, value=record.value
                )
                sent.add_errback(self._failed)
                self.sent += 1
                if self._failure is not None:
                    break
                self._tick()
            self._producer.flush(timeout=FLUSH_SECONDS)
        except KafkaError as exc:
            self._failed(exc)
        if self._failure is not None:
            raise BrokerError(
                f"replay: the broker did not take all records: {self._failure}; is it up "
                "and its disk not full?"
            )

    def _good(self, lines: Iterable[LogRecord | BadLine], pace: Pace) -> Iterator[LogRecord]:
        clock = _Clock(pace, self._tick)
        for line in lines:
            if isinstance(line, BadLine):
                self.bad += 1
                self._on_bad(line)
            else:
                clock.wait_for(line)
                yield line

    def _failed(self, exc: BaseException) -> None:
        self._failure = exc


class _Clock:
    """When each record is due."""

    def __init__(self, pace: Pace, tick: Callable[[], None]) -> None:
        self._pace = pace
        self._tick = tick
        self._started: float | None = None
        self._first_ts: int | None = None
        self._count = 0

    def wait_for(self, record: LogRecord) -> None:
        now = time.monotonic()
        self._started = self._started or now
        due = self._started
        if self._pace.rate is not None:
            due += self._count / self._pace.rate
        elif (
            self._pace.speed is not None
            and (ts := _ts(record)) is not None
            and record.topic != Topic.ITEMS
        ):
            self._first_ts = self._first_ts if self._first_ts is not None else ts
            due += (ts - self._first_ts) / 1000 / self._pace.speed
        self._count += 1
        while (left := due - time.monotonic()) > 0:
            time.sleep(min(left, LONGEST_SLEEP_S))
            self._tick()


def _ts(record: LogRecord) -> int | None:
    value = orjson.loads(record.value)
    ts = value.get("ts") if isinstance(value, dict) else None
    return ts if isinstance(ts, int) else None
