"""What operators do to topics, with nothing of Upwell's."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

__all__ = ["delete_topics", "set_topics", "wait_until_shown"]

DEADLINE_SECONDS = 60.0
TICK_SECONDS = 0.05


def delete_topics(client: Mapping[str, Any], names: Sequence[str]) -> None:
    """Returns when the broker does not show them any more."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    admin = KafkaAdminClient(**client)
    try:
        admin.delete_topics(list(names))
        while left := set(names) & set(admin.list_topics()):
            assert time.monotonic() < deadline, f"still there: {left}"
            time.sleep(TICK_SECONDS)
    finally:
        admin.close()


def set_topics(client: Mapping[str, Any], settings: Mapping[str, Mapping[str, str]]) -> None:
    """Returns when the broker shows them. `settings`: by the topic's whole name."""
    changes = [ConfigResource(ConfigResourceType.TOPIC, *one) for one in settings.items()]
    admin = KafkaAdminClient(**client)
    try:
        assert set(admin.alter_configs(changes)["topic"].values()) == {"OK"}
    finally:
        admin.close()
    wait_until_shown(client, settings)


def wait_until_shown(client: Mapping[str, Any], settings: Mapping[str, Mapping[str, str]]) -> None:
    """Kafka shows an altered setting a little late."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in settings]
    admin = KafkaAdminClient(**client)
    try:
        while not _shown(admin.describe_configs(asked, config_filter="all")["topic"], settings):
            assert time.monotonic() < deadline, f"not shown: {settings}"
            time.sleep(TICK_SECONDS)
    finally:
        admin.close()


def _shown(found: Mapping[str, Any], settings: Mapping[str, Mapping[str, str]]) -> bool:
    return all(
        found[name][key]["value"] == value
        for name, wanted in settings.items()
        for key, value in wanted.items()
    )
