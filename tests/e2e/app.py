"""An app that has nothing of Upwell's: librdkafka's producer and consumer, and JSON by hand."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import Consumer, Producer

from upwell.events import Topic

__all__ = ["App"]

DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.1
MURMUR2 = {"partitioner": "murmur2_random"}
ANOTHER = {"partitioner": "consistent_random"}
"""librdkafka's own default, which puts a user elsewhere than Java's clients do."""


class App:
    """codec, partitioner: of the producer. Reads lists and dead letters from now on."""

    def __init__(self, kafka: str, prefix: str, codec: str = "none", **producer: str) -> None:
        self._prefix = prefix
        self._producer = Producer(
            {"bootstrap.servers": kafka, "compression.type": codec, **(producer or MURMUR2)}
        )
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka,
                "group.id": uuid.uuid4().hex,
                "auto.offset.reset": "earliest",
            }
        )
        self._consumer.subscribe([prefix + Topic.RECOMMENDATIONS, prefix + Topic.DEAD_LETTERS])
        self.lists: dict[str, dict[str, Any]] = {}
        self.letters: list[dict[str, Any]] = []

    def close(self) -> None:
        self._consumer.close()

    # ---- what it says

    def send(self, topic: Topic, key: str, value: dict[str, Any] | None) -> str:
        """The event's id; a `ts` of now and an id are added where they are not given."""
        if value is None:
            self._produce(topic, key, None)
            return ""
        whole = {"ts": now_ms(), "event_id": uuid.uuid4().hex} | value
        self._produce(topic, key, json.dumps(whole).encode())
        return str(whole["event_id"])

    def item(self, item_id: str, **fields: Any) -> None:
        self.send(Topic.ITEMS, item_id, {"item_id": item_id, **fields})

    def click(self, user: str, item_id: str, action: str = "click", **fields: Any) -> str:
        value = {"user_id": user, "item_id": item_id, "action": action, **fields}
        return self.send(Topic.CLICKS, user, value)

    def review(self, user: str, item_id: str, **fields: Any) -> str:
        return self.send(Topic.REVIEWS, user, {"user_id": user, "item_id": item_id, **fields})

    # ---- what it gets

    def search(self, user: str, text: str) -> dict[str, Any]:
        """The list that answers the words."""
        return self.listed(self.send(Topic.QUERIES, user, {"user_id": user, "text": text}))

    def ask(self, user: str, **fields: Any) -> dict[str, Any]:
        """The list that answers a request."""
        name = uuid.uuid4().hex
        value = {"user_id": user, "request_id": name, **fields}
        self.send(Topic.REQUESTS, user, value)
        return self.listed(name)

    def listed(self, trigger: str) -> dict[str, Any]:
        """The list that an event or request brought."""
        self.wait(lambda: trigger in self.lists, f"the list for {trigger}")
        return self.lists[trigger]

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Reads on until it holds."""
        assert self._producer.flush(30) == 0
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.letters}"
            self._read()

    def _read(self) -> None:
        message = self._consumer.poll(POLL_SECONDS)
        if message is None:
            return
        assert message.error() is None, message.error()
        value = message.value()
        if value is not None:
            found = json.loads(value)
            if str(message.topic()).endswith(Topic.DEAD_LETTERS):
                self.letters.append(found)
            else:
                self.lists[found["trigger"]] = found

    def _produce(self, topic: Topic, key: str, value: bytes | None) -> None:
        self._producer.produce(self._prefix + topic, value, key=key.encode())


def ids(one: dict[str, Any]) -> Sequence[str]:
    """Of the items of a list, best first."""
    return [entry["item_id"] for entry in one["items"]]


def now_ms() -> int:
    return int(time.time() * 1000)
