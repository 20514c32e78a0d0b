"""docs/security.md's list of rights, run: those suffice, and one that is missing is named."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.admin import ACLResourcePatternType as PatternType

from stream.broker.engines import agree_on_key, refuse_second
from stream.broker.group import rewind
from stream.broker.incarnations import Incarnations
from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from stream.encode.lane import Lane
from stream.encode.posting import KafkaPost
from stream.encode.topics import ENCODE_TOPICS, EncodeTopic
from stream.learn.lock import LearnerLock
from stream.ops.round_trip import round_trip
from stream.replay.log import LogRecord
from stream.replay.player import Pace, Player
from tests.faults.engine import wait_until
from tests.security.secured import USER, SecuredKafka
from tests.security.test_rights import AUTHORIZER
from tests.stream.encode.posts import One, asking
from upwell.client import UpwellClient, client_options
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.settings import Settings

Right = tuple[ResourceType, str, ACLOperation]
EVENTS = (
    "items",
    "clicks",
    "reviews",
    "queries",
    "impressions",
    "requests",
    "controls",
    "knowledge",
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with SecuredKafka(tmp_path_factory.mktemp("guarded"), AUTHORIZER) as broker:
        yield broker


def workers_rights(prefix: str) -> list[Right]:
    """Of a serve and a learn process on topics that an admin has made, as docs/security.md says."""
    topics = (ACLOperation.READ, ACLOperation.WRITE, ACLOperation.DESCRIBE_CONFIGS)
    return [
        *((ResourceType.TOPIC, f"{prefix}*", one) for one in topics),
        (ResourceType.TOPIC, f"{prefix}models", ACLOperation.DELETE),
        (ResourceType.GROUP, f"{prefix}serve", ACLOperation.READ),
        (ResourceType.GROUP, f"{prefix}learn", ACLOperation.READ),
        (ResourceType.CLUSTER, "kafka-cluster", ACLOperation.DESCRIBE),
    ]


def apps_rights(prefix: str) -> list[Right]:
    """Of an app: it writes events, and reads lists and confirmations."""
    return [
        *((ResourceType.TOPIC, prefix + one, ACLOperation.WRITE) for one in EVENTS),
        *(
            (ResourceType.TOPIC, prefix + one, ACLOperation.READ)
            for one in ("recommendations", "confirmations")
        ),
    ]


def grant(broker: SecuredKafka, prefix: str, rights: list[Right]) -> None:
    """These and no others; a name that ends with `*` is the start of names."""
    asked = []
    for kind, name, operation in rights:
        start = PatternType.PREFIXED if name.endswith("*") else PatternType.LITERAL
        pattern = ResourcePattern(kind, name.rstrip("*"), start)
        asked.append(ACL(f"User:{USER}", "*", operation, ACLPermissionType.ALLOW, pattern))
    admin = KafkaAdminClient(**client_options(broker.plain(prefix)))
    try:
        admin.create_acls(asked)
        mine = ACLFilter(
            f"User:{USER}",
            None,
            ACLOperation.ANY,
            ACLPermissionType.ANY,
            ResourcePatternFilter(ResourceType.ANY, None, PatternType.ANY),
        )
        wait_until(lambda: set(asked) <= set(admin.describe_acls(mine)[0]), "the rights")
    finally:
        admin.close()


def at_work(settings: Settings) -> None:
    """What serve and learn ask of the broker, and what a replay does."""
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    ensure_topics(prefix, 1, client)
    incarnations = Incarnations(client, prefix, tuple(Topic))
    assert incarnations.changed() is None
    refuse_second(client, settings, "own")
    agree_on_key(client, prefix, "aaaa", "own")
    rewind(client, prefix, {})
    with Lag(client, prefix) as lag:
        lag.backlog(set())
    lock = LearnerLock(client, prefix, "own")
    try:
        lock.take()
        lock.confirm()
    finally:
        lock.release()
    admin = KafkaAdminClient(**client)
    try:
        admin.delete_records({TopicPartition(prefix + Topic.MODELS, 0): 0})
    finally:
        admin.close()
    with Player(client, prefix, lambda _: None, lambda: None) as player:
        player.play([LogRecord(0, Topic.CLICKS, b"ann", b"{}")], Pace())


def prepared(broker: SecuredKafka, prefix: str, folder: Path) -> Settings:
    ensure_topics(prefix, 1, client_options(broker.plain(prefix)))
    return replace(Settings(kafka=broker.login(prefix)), data=folder)


def test_the_documented_rights_are_enough_for_the_workers(
    guarded: SecuredKafka, prefix: str, tmp_path: Path
) -> None:
    settings = prepared(guarded, prefix, tmp_path)
    grant(guarded, prefix, workers_rights(prefix))
    at_work(settings)
    assert round_trip(client_options(settings.kafka), prefix).startswith("not tried")


def test_the_documented_rights_are_enough_for_an_app(guarded: SecuredKafka, prefix: str) -> None:
    ensure_topics(prefix, 1, client_options(guarded.plain(prefix)))
    grant(guarded, prefix, apps_rights(prefix))
    login = guarded.login(prefix)
    with UpwellClient(login.address or "", login) as app:
        app.lists("ann", timeout=0.1)
        app.query("ann", "robots")
        app.flush()
    with Lag(client_options(guarded.plain(prefix)), prefix) as lag:
        assert sum(lag.ends([Topic.QUERIES]).values()) == 1


def test_the_documented_rights_are_enough_for_encode_workers_and_who_asks_them(
    guarded: SecuredKafka, prefix: str
) -> None:
    plain = client_options(guarded.plain(prefix))
    ensure_topics(prefix, 1, plain, ENCODE_TOPICS)
    groups = [f"{prefix}encode_texts", f"{prefix}encode_item_texts"]
    rights = [(ResourceType.GROUP, one, ACLOperation.READ) for one in groups]
    grant(guarded, prefix, [*workers_rights(prefix), *rights])
    client = client_options(guarded.login(prefix))
    ensure_topics(prefix, 1, client, ENCODE_TOPICS)
    with closing(asking(to=0)) as encoder:
        encoder.connect(KafkaPost(client, prefix, 0, encoder.take))
        for topic, lane in (
            (EncodeTopic.TEXTS, encoder),
            (EncodeTopic.ITEM_TEXTS, encoder.in_bulk()),
        ):
            answers = Lane(topic, One(), client, prefix)
            with ThreadPoolExecutor(1) as pool:
                running = pool.submit(answers.run)
                assert lane.encode(["a", "b"]).shape == (2, encoder.dimension)
                answers.stop()
                running.result(60)


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (f"{ResourceType.GROUP.name} learn", "group .*learn"),
        (f"{ResourceType.GROUP.name} serve", "refuses: .*serve.*docs/security.md"),
    ],
)
def test_a_right_that_is_missing_is_named(
    guarded: SecuredKafka, prefix: str, tmp_path: Path, missing: str, named: str
) -> None:
    settings = prepared(guarded, prefix, tmp_path)
    kind, name = missing.split()
    rights = [
        one for one in workers_rights(prefix) if (one[0].name, one[1]) != (kind, prefix + name)
    ]
    assert len(rights) == len(workers_rights(prefix)) - 1
    grant(guarded, prefix, rights)
    with pytest.raises(BrokerError, match=named):
        at_work(settings)
