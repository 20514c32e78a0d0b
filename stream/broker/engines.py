"""Who else works on these topics: engines on other data folders, told apart before a serve worker
does anything. What is found is refused by name, with what to set (docs/decisions/0021).

It knows nothing about Faust. The learner's lock is `stream.learn.lock`.
"""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.feeds import read_partition
from stream.broker.incarnations import incarnations_of
from stream.broker.topics import no_broker
from upwell.errors import BrokerError, SettingsError
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.files import write_first
from upwell.system.offsets import beginnings_of, ends_of

__all__ = ["agree_on_key", "check_key", "engine_name", "first_key", "known_name", "refuse_second"]

FILE = "engine"
LAST = 1_000
"""Records of `metrics`, where each worker has one a second."""
LISTEN_SECONDS = 10.0
"""A session: a worker that says nothing for so long is not a member of the group any more."""
POLL_MS = 200
SEND_TIMEOUT_S = 30.0


def engine_name(data: Path) -> str:
    """The engine that keeps its data in this folder on this machine: the same after a restart,
    another for a copy of the folder elsewhere. Fit for Kafka's `group.instance.id`.
    """
    path = data / FILE
    try:
        if not path.exists():
            write_first(path, uuid.uuid4().hex[:12].encode())
        own = path.read_text()
    except OSError as exc:
        raise SettingsError(
            f"{path} cannot be kept: {exc.strerror}; set UPWELL_DATA to another folder"
        ) from exc
    return _on_this_host(own)


def known_name(data: Path) -> str:
    """The same, empty where no engine has run on this folder; it makes none."""
    try:
        return _on_this_host((data / FILE).read_text())
    except FileNotFoundError:
        return ""


def _on_this_host(own: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9._-]', '-', socket.gethostname())[:64]}-{own}"


def first_key(client: Mapping[str, Any], prefix: str) -> dict[str, str] | None:
    """Which key the pseudonyms on these topics are made with: `key`, its fingerprint, and `engine`,
    who said it first; None where nobody has. Raises `BrokerError`.
    """
    try:
        if not incarnations_of(client, prefix, [Topic.KEYS]):
            return None
        for record in read_partition(client, TopicPartition(prefix + Topic.KEYS, 0), 0):
            return dict(orjson.loads(record.value))
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
    return None


def agree_on_key(client: Mapping[str, Any], prefix: str, fingerprint: str, engine: str) -> None:
    """The first key that is said on `keys` is everybody's: the broker puts them in order.

    Raises `SettingsError` for another one, `BrokerError`.
    """
    if first_key(client, prefix) is None:
        _say(client, prefix, {"key": fingerprint, "engine": engine})
    first = first_key(client, prefix)
    if first is None:
        raise BrokerError(f"topic {prefix}{Topic.KEYS} does not keep what is written to it")
    check_key(first, fingerprint, prefix)


def check_key(first: Mapping[str, str], fingerprint: str, prefix: str) -> None:
    """first: of `first_key`. Raises `SettingsError` where the key is another."""
    if first["key"] != fingerprint:
        raise SettingsError(
            f"the pseudonyms on {prefix}* are made with another key ({first['key']}, of the engine "
            f"{first['engine']}) than this one's ({fingerprint}): set UPWELL_KEY to that engine's, "
            "or copy the file `key` of its UPWELL_DATA; for an engine apart set another "
            f"UPWELL_PREFIX; where the key is lost, delete the topic {prefix}{Topic.KEYS}: all "
            "users are new then"
        )


def refuse_second(client: Mapping[str, Any], settings: Settings, engine: str) -> None:
    """Before a serve worker joins: raises `SettingsError` where another engine's worker has its
    name, or serves with a store that only one of them sees. One that was lately there is listened
    for, `LISTEN_SECONDS` at most: it may have died. Raises `BrokerError`.
    """
    own = settings.stream.instance

    def in_the_way(said: Mapping[str, Any]) -> bool:
        if said["role"] != "serve" or said.get("engine", engine) == engine:
            return False  # also an older version's, which does not say whose it is
        apart = {settings.store.kind, said["store"]} != {"server"}
        return bool(said["instance"] == own or apart)

    if (other := _heard(client, settings.kafka.prefix, in_the_way)) is None:
        return
    who = f"another engine ({other['engine']}) serves {settings.kafka.prefix}*"
    if other["instance"] == own:
        why = f"its worker is called {own} too: set UPWELL_INSTANCE to another name here"
    else:
        why = "one of the two keeps users where the other cannot see them"
    raise SettingsError(
        f"{who}, and {why}; a second machine that helps needs an UPWELL_INSTANCE of its own, the "
        "same UPWELL_KEY, UPWELL_MODELS, UPWELL_STORE=server and UPWELL_QDRANT_URL, and runs "
        "`upwell run --roles serve` or `--roles serve,learn` (docs/scaling.md); an engine apart "
        "needs another UPWELL_PREFIX"
    )


def _heard(
    client: Mapping[str, Any], prefix: str, in_the_way: Callable[[Mapping[str, Any]], bool]
) -> Mapping[str, Any] | None:
    """A worker in the way that speaks now, after what it said last."""
    partition = TopicPartition(prefix + Topic.METRICS, 0)
    try:
        consumer = KafkaConsumer(
            isolation_level="read_committed", group_id=None, enable_auto_commit=False, **client
        )
        try:
            consumer.assign([partition])
            end = ends_of(consumer, [partition])[partition]
            first = beginnings_of(consumer, [partition])[partition]
            consumer.seek(partition, max(first, end - LAST))
            newest: dict[str, Mapping[str, Any]] = {}
            while consumer.position(partition) < end:
                newest |= {one["instance"]: one for one in _polled(consumer)}
            if not any(in_the_way(one) and not one["leaves"] for one in newest.values()):
                return None
            deadline = monotonic() + LISTEN_SECONDS
            while monotonic() < deadline:
                for one in _polled(consumer):
                    if in_the_way(one) and not one["leaves"]:
                        return one
        finally:
            consumer.close()
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
    return None


def _polled(consumer: KafkaConsumer) -> Iterable[Mapping[str, Any]]:
    for records in consumer.poll(timeout_ms=POLL_MS).values():
        yield from (orjson.loads(record.value) for record in records if record.value)


def _say(client: Mapping[str, Any], prefix: str, value: Mapping[str, str]) -> None:
    try:
        with KafkaProducer(acks="all", **client) as producer:
            sent = producer.send(prefix + Topic.KEYS, value=orjson.dumps(value), partition=0)
            sent.get(timeout=SEND_TIMEOUT_S)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
