"""`upwell top`'s eyes: the topic `metrics` followed, and a report a second of it until it is ended,
or one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from stream.broker.feeds import Broadcast
from stream.broker.incarnations import incarnations_of, require_topics
from stream.ops.top.figures import report
from stream.ops.top.history import History
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings
from upwell.system.clock import now_ms

__all__ = ["Look", "begun", "looking"]

LAST_RECORDS = 300
"""That are read of before, whatever the clocks say: half a minute of ten workers."""
ANSWER_SECONDS = 2.5
"""In which a worker that lives says something, once a second; one that is quiet so long is told
with the age of what was read of before.
"""
TICK_SECONDS = 0.05


class Look:
    """clock: seconds. Belongs to one thread."""

    def __init__(self, feed: Broadcast, clock: Callable[[], float] = time.monotonic) -> None:
        self._feed = feed
        self._clock = clock
        self._history = History()
        self._take(live=False)

    def report(self) -> dict[str, Any]:
        """How it is now. Raises `BrokerError`."""
        self._take(live=True)
        return report(self._history, self._clock(), now_ms())

    def first_report(self) -> dict[str, Any]:
        """Once each worker that was read of has been heard, or had the time to speak."""
        deadline = self._clock() + ANSWER_SECONDS
        while self._clock() < deadline and not self._all_heard():
            time.sleep(TICK_SECONDS)
            self._take(live=True)
        return self.report()

    def newest(self) -> dict[str, Mapping[str, Any]]:
        """Of each worker its last record."""
        return {name: one.last for name, one in self._history.workers(self._clock()).items()}

    def _all_heard(self) -> bool:
        workers = self._history.workers(self._clock())
        return bool(workers) and all(one.live for one in workers.values())

    def _take(self, live: bool) -> None:
        """What was read of before is as old as the broker's time stamp says; what comes in is
        new.
        """
        now, at_ms = self._clock(), now_ms()
        for record in self._feed.drain():
            age = 0.0 if live else max(at_ms - record.appended_ms, 0) / 1000.0
            self._history.take(record.value or b"", now - age, live)


def begun(kafka: KafkaSettings) -> bool:
    """Whether an engine has ever been on this broker and prefix. Raises `BrokerError`."""
    return bool(incarnations_of(client_options(kafka), kafka.prefix, [Topic.METRICS]))


@contextmanager
def looking(kafka: KafkaSettings) -> Iterator[Look]:
    """At the engine of this broker and prefix. Raises `BrokerError`, also where none was ever
    there.
    """
    client, topic = client_options(kafka), kafka.prefix + Topic.METRICS
    require_topics(client, kafka.prefix, [Topic.METRICS])
    feed = Broadcast(topic, client)
    feed.start(last=LAST_RECORDS)
    try:
        yield Look(feed)
    finally:
        feed.stop()
