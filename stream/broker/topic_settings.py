"""What Upwell relies on of each topic's settings, whoever made the topic: checked at every start,
set where this client may, else named with what an admin must do.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from upwell.errors import BrokerError

__all__ = ["Needs", "set_needed", "shortcomings"]

FOREVER = -1

log = logging.getLogger("upwell.topics")


@dataclass(frozen=True, slots=True)
class Needs:
    """exact: settings by value. least: by the least number, where -1 is without a limit.
    as_long_as: topics whose `retention.ms` is the least for this one.
    """

    exact: Mapping[str, str]
    least: Mapping[str, int]
    as_long_as: tuple[str, ...] = ()

    def short(
        self, held: Mapping[str, str], others: Mapping[str, Mapping[str, str]]
    ) -> dict[str, str]:
        """Of the settings `held` those that fall short, with what is needed. others: of every
        topic.
        """
        least = dict(self.least)
        kept = [int(others[name]["retention.ms"]) for name in self.as_long_as if others.get(name)]
        if kept:
            least["retention.ms"] = FOREVER if FOREVER in kept else max(kept)
        wrong = {
            key: value
            for key, value in self.exact.items()
            if _policies(held[key]) != _policies(value)
        }
        return wrong | {
            key: str(value) for key, value in least.items() if _falls_short(int(held[key]), value)
        }


def set_needed(admin: KafkaAdminClient, needs: Mapping[str, Needs]) -> None:
    """Of these topics, which are there. Raises `BrokerError` where something falls short and this
    client may not set it. Logged are topics whose settings it may not see, and on which older
    brokers acknowledge no write.
    """
    held = _held(admin, list(needs))
    for said in [_UNSEEN.format(name) for name in _unseen(held)] + _short_of_replicas(admin, held):
        log.warning("%s", said)
    changes = {name: needs[name].short(found, held) for name, found in held.items() if found}
    changes = {name: short for name, short in changes.items() if short}
    if changes:
        asked = [ConfigResource(ConfigResourceType.TOPIC, *one) for one in changes.items()]
        answers = admin.alter_configs(asked).get("topic", {})
        refused = {name: short for name, short in changes.items() if answers.get(name) != "OK"}
        if refused:
            raise BrokerError("; ".join(_refused(*one) for one in refused.items()))


def shortcomings(admin: KafkaAdminClient, needs: Mapping[str, Needs]) -> list[str]:
    """What a start would set or say of these topics, which are there; changes nothing."""
    held = _held(admin, list(needs))
    wrong = [
        f"topic {name}: {key} is {found[key]}, Upwell needs {value}"
        for name, found in held.items()
        if found
        for key, value in needs[name].short(found, held).items()
    ]
    return [_UNSEEN.format(name) for name in _unseen(held)] + wrong


_UNSEEN = (
    "topic {}: this client may not see its settings, so they are not checked: grant it "
    "DescribeConfigs on the topic (docs/security.md)"
)


def _unseen(held: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Kafka's client returns a denial as no settings at all."""
    return [name for name, found in held.items() if not found]


def _held(admin: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = admin.describe_configs(asked, config_filter="all").get("topic", {}) if asked else {}
    return {name: {key: one["value"] for key, one in found.get(name, {}).items()} for name in names}


def _refused(name: str, short: Mapping[str, str]) -> str:
    wanted = ",".join(
        f"{key}=[{value}]" if "," in value else f"{key}={value}" for key, value in short.items()
    )
    return (
        f"topic {name} is not set as Upwell needs it, and this client may not set it: grant it "
        "AlterConfigs on the topic, or have an admin run kafka-configs --alter --entity-type "
        f"topics --entity-name {name} --add-config {wanted}"
    )


def _short_of_replicas(admin: KafkaAdminClient, held: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Kafka 4 asks for no more replicas in sync than a topic has; older brokers do."""
    found = []
    for described in admin.describe_topics(list(held)) if held else ():
        name = described["name"]
        needed = int(held[name].get("min.insync.replicas", 0))
        replicas = min((len(one["replica_nodes"]) for one in described["partitions"]), default=0)
        if needed > replicas:
            found.append(
                f"topic {name} has {replicas} replicas and min.insync.replicas {needed}: Kafka 4 "
                f"takes it as {replicas}, a broker that does not acknowledges no write "
                "(NOT_ENOUGH_REPLICAS); there set it lower, or give the topic more replicas"
            )
    return found


def _policies(value: str) -> set[str]:
    return set(value.split(","))


def _falls_short(held: int, least: int) -> bool:
    return held != FOREVER and (least == FOREVER or held < least)
