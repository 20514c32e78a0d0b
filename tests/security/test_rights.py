"""A client with few rights, on a Kafka that refuses all that is not granted: what it may not see or
set is named.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)
from kafka.admin import ACLResourcePatternType as PatternType

from stream.broker.topics import check_topics, ensure_topics
from tests.faults.harness import wait_until
from tests.security.secured import USER, SecuredKafka
from tests.topics import set_topics
from upwell.client import client_options
from upwell.errors import BrokerError
from upwell.events import Topic

AUTHORIZER = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with SecuredKafka(tmp_path_factory.mktemp("guarded"), AUTHORIZER) as broker:
        yield broker


def grant(broker: SecuredKafka, prefix: str, *operations: ACLOperation) -> None:
    pattern = ResourcePattern(ResourceType.TOPIC, prefix, PatternType.PREFIXED)
    admin = KafkaAdminClient(**client_options(broker.plain(prefix)))
    try:
        admin.create_acls(
            [ACL(f"User:{USER}", "*", one, ACLPermissionType.ALLOW, pattern) for one in operations]
        )
        # the controller has them; the broker that is asked next takes them over a little later
        wait_until(lambda: len(granted(admin, pattern)) == len(operations), "the rights", 30)
    finally:
        admin.close()


def granted(admin: KafkaAdminClient, pattern: ResourcePattern) -> list[ACL]:
    """As the broker has them."""
    every = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, pattern)
    found, _ = admin.describe_acls(every)
    return list(found)


def test_topics_that_are_missing_and_may_not_be_made_are_named(
    guarded: SecuredKafka, prefix: str
) -> None:
    with pytest.raises(BrokerError, match=f"topics {prefix}.*may this client create topics"):
        ensure_topics(prefix, 1, client_options(guarded.login(prefix)))


def test_what_may_not_be_set_is_named_with_the_command_that_sets_it(
    guarded: SecuredKafka, prefix: str
) -> None:
    ensure_topics(prefix, 1, client_options(guarded.plain(prefix)))
    grant(guarded, prefix, ACLOperation.READ, ACLOperation.WRITE, ACLOperation.DESCRIBE_CONFIGS)
    ensure_topics(prefix, 1, client_options(guarded.login(prefix)))  # all is as it must be
    wrong = {prefix + Topic.CLICKS: {"cleanup.policy": "compact"}}
    set_topics(client_options(guarded.plain(prefix)), wrong)
    with pytest.raises(BrokerError, match=f"{prefix}clicks: cleanup.policy is compact, Upwell"):
        check_topics(prefix, 1, client_options(guarded.login(prefix)))
    with pytest.raises(
        BrokerError,
        match=f"topic {prefix}clicks is not set .* AlterConfigs .* cleanup.policy=delete",
    ):
        ensure_topics(prefix, 1, client_options(guarded.login(prefix)))


def test_settings_that_may_not_be_seen_are_said(
    guarded: SecuredKafka, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    ensure_topics(prefix, 1, client_options(guarded.plain(prefix)))
    grant(guarded, prefix, ACLOperation.READ, ACLOperation.WRITE)
    with caplog.at_level(logging.WARNING):
        ensure_topics(prefix, 1, client_options(guarded.login(prefix)))
    assert f"topic {prefix}clicks: this client may not see its settings" in caplog.text
    with pytest.raises(BrokerError, match=f"topic {prefix}clicks: this client may not see"):
        check_topics(prefix, 1, client_options(guarded.login(prefix)))
