"""How much of its tests and of its training the learner has time for, by how many examples wait.

Counts take every example: they are cheap, and lists are by them at once.
"""

from __future__ import annotations

import time
from functools import partial

from kafka import KafkaConsumer

from stream.broker.away import Patience

__all__ = ["LEAST_SHARE", "TIMELY", "Pace"]

TIMELY = 1_000
"""Examples that may wait before the share falls: a second or two of a busy stream."""
LEAST_SHARE = 0.1
REST_SECONDS = 0.1
"""Between two polls of a learner that is not behind: one example costs nearly as much as twenty
that are learned together.
"""
_SMOOTH = 0.25  # weight of the newest poll in the examples a record


class Pace:
    """waiting: about how many examples wait. patience: with a broker that is away, which a consumer
    asks where it stands after each new connection.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self.waiting = 0
        self._patience = patience or Patience("learn")
        self._per_record = 1.0
        self._some = False

    def look(self, consumer: KafkaConsumer, records: int, examples: int) -> float:
        """After a poll that brought so many records with so many examples: the share of tests and
        training steps that there is time for, 1 while at most `TIMELY` examples wait.
        """
        if records:
            self._per_record += _SMOOTH * (examples / records - self._per_record)
        behind = self._patience.call(partial(_behind, consumer))
        self.waiting = round(behind * self._per_record)
        self._some = records > 0
        return max(LEAST_SHARE, min(1.0, TIMELY / max(1, self.waiting)))

    def rest(self) -> None:
        """Before the next poll: lets some more come together where the last one brought all."""
        if self._some and not self.waiting:
            time.sleep(REST_SECONDS)


def _behind(consumer: KafkaConsumer) -> int:
    return sum(
        max(0, (consumer.highwater(one) or 0) - consumer.position(one))
        for one in consumer.assignment()
    )
