"""The topics of version 1: what each is for, how it is kept, and how they are made on a broker.

All topics keyed by user or item have the same number of partitions, so that one worker owns the
same numbers of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import AuthorizationError, KafkaError, TopicAlreadyExistsError

from stream.broker.topic_settings import Needs, set_needed, shortcomings
from upwell.connection import check_login, refusal
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.partition import partition_of

__all__ = [
    "KEPT_AN_HOUR",
    "TOPICS",
    "TopicSpec",
    "check_topics",
    "ensure_topics",
    "no_broker",
    "partition_of",
    "partitioner",
]

HOUR_MS = 3_600_000
MAX_MODEL_BYTES = 32 << 20
MAX_DERIVED_BYTES = 4 << 20
"""Of what is made from an event: in a dead letter its bytes are written in base64, a catalogue
entry carries its vector.
"""
MAX_REPLICAS = 3
KEPT_AN_HOUR = {"retention.ms": str(HOUR_MS), "segment.ms": str(HOUR_MS // 6)}
"""Only a closed segment can be deleted, and by itself Kafka closes one after a week."""
MAX_LIST_BYTES = 1_000_000
"""Of what Upwell writes elsewhere: less than Kafka's default."""
EVENTS = (
    Topic.CLICKS,
    Topic.REVIEWS,
    Topic.QUERIES,
    Topic.IMPRESSIONS,
    Topic.REQUESTS,
    Topic.CONTROLS,
)
"""Of users, which may be sent on by `rerouted`: what waits there waits as long."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """single: one partition, whatever the settings say. config: Kafka's own names of topic
    settings.
    """

    topic: StrEnum
    single: bool = False
    config: Mapping[str, str] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """All that is set on the topic.

        Times are the broker's: freshness and retention do not hang on apps' clocks.
        """
        return {"message.timestamp.type": "LogAppendTime", **(self.config or {})}


TOPICS = (
    TopicSpec(Topic.ITEMS),
    TopicSpec(Topic.CLICKS),
    TopicSpec(Topic.REVIEWS),
    TopicSpec(Topic.QUERIES),
    TopicSpec(Topic.IMPRESSIONS),
    TopicSpec(Topic.REQUESTS),
    TopicSpec(Topic.CONTROLS),
    TopicSpec(Topic.KNOWLEDGE),
    TopicSpec(Topic.REROUTED, config={"max.message.bytes": str(MAX_DERIVED_BYTES)}),
    TopicSpec(
        Topic.CATALOGUE,
        config={"cleanup.policy": "compact", "max.message.bytes": str(MAX_DERIVED_BYTES)},
    ),
    TopicSpec(Topic.RECOMMENDATIONS),
    TopicSpec(Topic.CONFIRMATIONS),
    TopicSpec(
        Topic.DEAD_LETTERS,
        single=True,
        config={"cleanup.policy": "compact,delete", "max.message.bytes": str(MAX_DERIVED_BYTES)},
    ),
    TopicSpec(Topic.EXAMPLES, config={"max.message.bytes": str(MAX_MODEL_BYTES)}),
    TopicSpec(
        Topic.MODELS,
        single=True,
        config={"retention.ms": "-1", "max.message.bytes": str(MAX_MODEL_BYTES)},
    ),
    TopicSpec(Topic.METRICS, single=True, config=KEPT_AN_HOUR),
    TopicSpec(Topic.KEYS, single=True, config={"retention.ms": "-1"}),
    TopicSpec(Topic.ENCODERS, single=True, config={"retention.ms": "-1"}),
    TopicSpec(Topic.OVERRIDES, config={"cleanup.policy": "compact"}),
    TopicSpec(Topic.AUDIT, config={"retention.ms": "-1"}),
    TopicSpec(Topic.RULES, single=True, config={"cleanup.policy": "compact"}),
    TopicSpec(Topic.ERASURES, single=True, config={"cleanup.policy": "compact"}),
    TopicSpec(Topic.QUARANTINE, single=True, config={"cleanup.policy": "compact"}),
)


def partitioner(partitions: int) -> Callable[[bytes], int]:
    """`partition_of` on topics of so many partitions."""
    return partial(partition_of, partitions=partitions)


def ensure_topics(
    prefix: str,
    partitions: int,
    client_options: Mapping[str, Any],
    specs: Sequence[TopicSpec] = TOPICS,
) -> None:
    """Make of `specs` what is missing; check what is there, and set what Upwell needs of it.

    Raises `BrokerError` when no broker answers, when it refuses, or when a topic has other
    partitions.
    """
    check_login(client_options)
    try:
        admin = KafkaAdminClient(**client_options)
    except KafkaError as exc:
        raise no_broker(client_options, exc) from exc
    except (OSError, ValueError) as exc:  # an address that is none
        raise BrokerError(f"Kafka's settings cannot be used: {exc}; look at UPWELL_KAFKA") from exc
    try:
        existing = set(admin.list_topics())
        _check(admin, prefix, partitions, existing, specs)
        missing = [spec for spec in specs if prefix + spec.topic not in existing]
        if missing:
            _make(admin, missing, prefix, partitions)
            _check(admin, prefix, partitions, {prefix + spec.topic for spec in missing}, specs)
        set_needed(admin, {prefix + spec.topic: _needs(spec, prefix) for spec in specs})
    except KafkaError as exc:
        refused = BrokerError(
            f"topics {prefix}*: the broker refused: {exc}; may this client create topics?"
        )
        raise refusal(client_options) or refused from exc
    finally:
        admin.close()


def check_topics(prefix: str, partitions: int, client_options: Mapping[str, Any]) -> int:
    """How many of the topics are there, each as Upwell needs it; changes nothing. Raises
    `BrokerError` that names what is not, or may not be seen.
    """
    try:
        admin = KafkaAdminClient(**client_options)
        try:
            existing = set(admin.list_topics())
            there = [spec for spec in TOPICS if prefix + spec.topic in existing]
            _check(admin, prefix, partitions, existing, TOPICS)
            needs = {prefix + spec.topic: _needs(spec, prefix) for spec in there}
            found = shortcomings(admin, needs)
        finally:
            admin.close()
    except KafkaError as exc:
        raise no_broker(client_options, exc) from exc
    if found:
        raise BrokerError("; ".join(found))
    return len(there)


def _make(
    admin: KafkaAdminClient, missing: Sequence[TopicSpec], prefix: str, partitions: int
) -> None:
    """Returns when the broker shows them all, whoever made them."""
    replicas = min(MAX_REPLICAS, len(admin.describe_cluster()["brokers"]))
    # another worker may make them at the same time
    with suppress(TopicAlreadyExistsError):
        admin.create_topics([_new_topic(spec, prefix, partitions, replicas) for spec in missing])
    admin.wait_for_topics([prefix + spec.topic for spec in missing])


def no_broker(client_options: Mapping[str, Any], exc: BaseException) -> BrokerError:
    """The one line for a broker that does not answer, or does not let us in."""
    if isinstance(exc, AuthorizationError):
        return BrokerError(f"the broker refuses: {exc}; docs/security.md lists the rights")
    if (why := refusal(client_options)) is not None:
        return why
    servers = client_options["bootstrap_servers"]
    address = servers if isinstance(servers, str) else ",".join(servers)
    return BrokerError(
        f"no Kafka broker answers at {address} ({type(exc).__name__}): start it, or set "
        "UPWELL_KAFKA to its host:port"
    )


def _new_topic(spec: TopicSpec, prefix: str, partitions: int, replicas: int) -> NewTopic:
    return NewTopic(
        prefix + spec.topic,
        num_partitions=1 if spec.single else partitions,
        replication_factor=replicas,
        topic_configs=spec.settings,
    )


def _check(
    admin: KafkaAdminClient,
    prefix: str,
    partitions: int,
    existing: set[str],
    specs: Sequence[TopicSpec],
) -> None:
    names = {
        prefix + spec.topic: 1 if spec.single else partitions
        for spec in specs
        if prefix + spec.topic in existing
    }
    for described in admin.describe_topics(list(names)) if names else ():
        found = len(described["partitions"])
        if found != names[described["name"]]:
            raise BrokerError(
                f"topic {described['name']} has {found} partitions, not "
                f"{names[described['name']]}: "
                "set UPWELL_PARTITIONS to what it has, or use another UPWELL_PREFIX"
            )


def _needs(spec: TopicSpec, prefix: str) -> Needs:
    """Without these Upwell loses something; how long the rest is kept is up to the operator."""
    settings = {
        "cleanup.policy": "delete",
        "max.message.bytes": str(MAX_LIST_BYTES),
        **spec.settings,
    }
    least = {"max.message.bytes": int(settings["max.message.bytes"])}
    if spec.config is not None and spec.config.get("retention.ms") == "-1":
        least |= {"retention.ms": -1, "retention.bytes": -1}
    return Needs(
        exact={key: settings[key] for key in ("message.timestamp.type", "cleanup.policy")},
        least=least,
        as_long_as=tuple(prefix + topic for topic in EVENTS)
        if spec.topic is Topic.REROUTED
        else (),
    )
