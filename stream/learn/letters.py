"""Whose the letters on `dead_letters` are, and taking a user's away.

The topic is read once, at the first erasure, and followed from there: an erasure costs what came
since the one before. The index names users by pseudonym, as the letters do, and is kept in memory
alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from sys import intern
from typing import Any

import orjson
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from stream.broker.feeds import read_partition
from upwell.events import Topic
from upwell.system.offsets import beginnings_of

__all__ = ["LetterIndex", "remove_letters"]

SEND_TIMEOUT_S = 60


class LetterIndex:
    """The keys of all letters that name a user. A topic that was made anew is read anew."""

    def __init__(self, client: Mapping[str, Any], prefix: str) -> None:
        self._client = client
        self._partition = TopicPartition(prefix + Topic.DEAD_LETTERS, 0)
        self._topic_id: object = None
        self._next_offset = 0
        self._letters: dict[bytes, tuple[str, int]] = {}  # user, offset; in the order of offsets

    def of(self, users: Collection[str]) -> list[tuple[str, bytes]]:
        """The pseudonym and the key of each letter that is of one of `users`, as the topic stands
        now. Raises `KafkaError`, `BrokerError` where there is no such topic.
        """
        self._follow()
        return [(user, key) for key, (user, _) in self._letters.items() if user in users]

    def _follow(self) -> None:
        topic_id, start = self._stands()
        if topic_id != self._topic_id:
            self._topic_id, self._next_offset, self._letters = topic_id, 0, {}
        for record in read_partition(self._client, self._partition, self._next_offset):
            self._take(record)
        for key, (_, offset) in list(self._letters.items()):
            if offset >= start:
                break
            del self._letters[key]  # past the topic's retention

    def _take(self, record: Any) -> None:
        """Of each key the newest record counts."""
        self._next_offset = record.offset + 1
        if record.key is None:
            return
        self._letters.pop(record.key, None)
        user = None if record.value is None else orjson.loads(record.value).get("user")
        if user is not None:
            self._letters[record.key] = (intern(user), record.offset)

    def _stands(self) -> tuple[object, int]:
        """The topic's id, and its first offset that is still there."""
        with closing(KafkaAdminClient(**self._client)) as admin:
            described = admin.describe_topics([self._partition.topic])
        with closing(
            KafkaConsumer(isolation_level="read_committed", group_id=None, **self._client)
        ) as consumer:
            start = beginnings_of(consumer, [self._partition])[self._partition]
        return described[0].get("topic_id"), start


def remove_letters(
    producer: KafkaProducer, prefix: str, letters: Iterable[tuple[str, bytes]]
) -> Counter[str]:
    """Put a record without a value over each letter; how many of each user, once all replicas have
    them. Raises `KafkaError` where one was not delivered: then nothing may be confirmed.
    """
    topic = prefix + Topic.DEAD_LETTERS
    sent = [(user, producer.send(topic, key=key, value=None, partition=0)) for user, key in letters]
    for _, delivery in sent:
        delivery.get(timeout=SEND_TIMEOUT_S)
    return Counter(user for user, _ in sent)
