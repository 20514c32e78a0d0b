"""Which of the topics that ever had a name is the one that stands there now.

A topic that was deleted and made again, or a data folder on another cluster, is told apart by the
id that Kafka gives each topic. Offsets that were kept for another incarnation mean nothing.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.group import rewind
from stream.broker.topics import no_broker
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.system.files import write_whole
from upwell.system.offsets import beginnings_of

__all__ = [
    "Incarnations",
    "begin_made_anew",
    "incarnations_of",
    "made_anew_since",
    "require_topics",
]

DIGITS = 8
FILE = "topics.json"
NO_ID = "0" * 32

Named = TypeVar("Named", bound=StrEnum)

log = logging.getLogger("upwell.topics")


def incarnations_of(
    client: Mapping[str, Any], prefix: str, topics: Collection[Named]
) -> dict[Named, str]:
    """The first digits of each topic's id; empty where the broker has no ids (before Kafka 2.8).

    Topics that do not exist are left out. Raises `BrokerError`.
    """
    try:
        admin = KafkaAdminClient(**client)
        try:
            described = admin.describe_topics([prefix + topic for topic in topics])
        finally:
            admin.close()
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
    found = {one["name"]: one.get("topic_id") for one in described if one["error_code"] == 0}
    return {topic: _digits(found[prefix + topic]) for topic in topics if prefix + topic in found}


def require_topics(client: Mapping[str, Any], prefix: str, topics: Collection[Topic]) -> None:
    """Raises `BrokerError` where none of them is there: no engine has been on this prefix."""
    if not incarnations_of(client, prefix, topics):
        servers = client["bootstrap_servers"]
        address = servers if isinstance(servers, str) else ",".join(servers)
        raise BrokerError(
            f"there are no topics {prefix}* at {address}: no engine has been there; start one with "
            "`upwell run`, or set UPWELL_PREFIX to that of the one that runs"
        )


def _digits(topic_id: str | None) -> str:
    parsed = uuid.UUID(topic_id or NO_ID)
    return parsed.hex[:DIGITS] if parsed.int else ""


class Incarnations:
    """Of `topics` as they were when this was made. Raises `BrokerError`."""

    def __init__(self, client: Mapping[str, Any], prefix: str, topics: Collection[StrEnum]) -> None:
        self._client = dict(client)
        self._prefix = prefix
        self.ids: dict[Any, str] = incarnations_of(client, prefix, topics)
        if missing := [prefix + topic for topic in topics if topic not in self.ids]:
            raise BrokerError(
                f"topics {', '.join(missing)} do not exist: `upwell run` makes them at its start"
            )

    def changed(self) -> str | None:
        """Why this process must begin anew, None where nothing is another. A topic that is gone is
        said, and waited for. Raises `BrokerError`.
        """
        now = incarnations_of(self._client, self._prefix, tuple(self.ids))
        for topic in self.ids:
            if topic not in now:
                log.warning(
                    "topic %s%s is gone: make it again, or `upwell run` makes it at its start",
                    self._prefix,
                    topic,
                )
        other = [
            f"topic {self._prefix}{topic} was made anew ({self.ids[topic]} is {now[topic]} now)"
            for topic in now
            if now[topic] != self.ids[topic]
        ]
        return "; ".join(other) or None


_MADE_OF = {Topic.CATALOGUE: Topic.ITEMS, Topic.RULES: Topic.KNOWLEDGE}


def begin_made_anew(
    client: Mapping[str, Any], prefix: str, ids: Mapping[Topic, str], folder: Path
) -> None:
    """Before a serve worker joins its group: topics that are others than at the last start on this
    data folder are read from their beginning, whatever a worker has still committed for them. So
    is `items` where `catalogue` is another, and `knowledge` where `rules` is: what it had is told
    on it once more.

    ids: of all input topics, `catalogue` and `rules`, now. Raises `BrokerError`.
    """
    made_anew = made_anew_since(prefix, ids, folder)
    if made_anew:
        log.warning(
            "made anew since the last start: %s; read from their beginning (of catalogue, items; "
            "of rules, knowledge: what retention has removed must be sent again)",
            ", ".join(prefix + topic for topic in made_anew),
        )
        again = {_MADE_OF.get(topic, topic) for topic in made_anew}
        rewind(client, prefix, _beginnings(client, [prefix + topic for topic in again]))
    folder.mkdir(parents=True, exist_ok=True)
    known = _known(folder / FILE) | {prefix + topic: one for topic, one in ids.items()}
    write_whole(folder / FILE, json.dumps(known).encode())


def made_anew_since(prefix: str, ids: Mapping[Topic, str], folder: Path) -> list[Topic]:
    """Which topics are others, by their `ids` now, than at serve's last start on this folder."""
    known = _known(folder / FILE)
    return [topic for topic in ids if known.get(prefix + topic, ids[topic]) != ids[topic]]


def _known(file: Path) -> dict[str, str]:
    try:
        return dict(json.loads(file.read_text()))
    except FileNotFoundError:
        return {}


def _beginnings(client: Mapping[str, Any], names: Collection[str]) -> dict[TopicPartition, int]:
    consumer = KafkaConsumer(isolation_level="read_committed", group_id=None, **client)
    try:
        partitions = [
            TopicPartition(name, number)
            for name in names
            for number in sorted(consumer.partitions_for_topic(name) or ())
        ]
        beginnings: dict[TopicPartition, int] = beginnings_of(consumer, partitions)
        return beginnings
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
    finally:
        consumer.close()
