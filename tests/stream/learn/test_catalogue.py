"""What the learner hears of items and rules, from topics as they stand and as they go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kafka import KafkaProducer

from learner.training.learner import Learner
from stream.broker.topics import ensure_topics
from stream.chain.policy import Policy
from stream.chain.policy.policy import TermList
from stream.chain.policy.terms import Terms
from stream.chain.wire import encode_item, encode_rule
from stream.learn.catalogue import CatalogueFeed
from tests.faults.engine import wait_until
from upwell.client import client_options
from upwell.events import Topic
from upwell.knowledge import Rule
from upwell.settings import KafkaSettings, LearnerSettings
from upwell.values import CatalogueItem


@pytest.fixture
def client(kafka: str, prefix: str) -> dict[str, Any]:
    found = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 1, found)
    return found


def send(client: Mapping[str, Any], topic: str, key: str, value: bytes) -> None:
    with KafkaProducer(acks="all", **client) as producer:
        producer.send(topic, key=key.encode(), value=value).get(timeout=30)


def test_items_and_rules_that_stand_there_and_that_come_later(
    client: dict[str, Any], prefix: str
) -> None:
    learner = Learner(LearnerSettings(fused=False), 2, 1)
    item = CatalogueItem(
        item_id="i",
        ts=0,
        title="T",
        vector=np.ones(2, np.float32),
        revision="r",
        values=(("s", ("v",)),),
    )
    send(client, prefix + Topic.CATALOGUE, "i", encode_item(item))
    harmful = replace(item, item_id="j", title="A darn thing", values=())
    send(client, prefix + Topic.CATALOGUE, "j", encode_item(harmful))
    send(client, prefix + Topic.RULES, "a", encode_rule("a", Rule(rule_id="a", category="C")))
    policy = Policy([TermList("abuse", Terms(["darn"]))])
    feed = CatalogueFeed(client, prefix, policy)
    feed.start()
    try:
        feed.tell(learner)
        assert (learner.items, set(learner.rule_ids)) == (2, {"a"})
        catalogue = learner.ranking.catalogue
        assert catalogue.relations.rows_with("s", "v").tolist() == [catalogue.row("i")]
        assert [catalogue.allowed[catalogue.row(one)] for one in ("i", "j")] == [True, False]
        send(client, prefix + Topic.RULES, "a", encode_rule("a", None))

        def gone() -> bool:
            feed.tell(learner)
            return not learner.rule_ids

        wait_until(gone, "the rule is taken back")
    finally:
        feed.stop()
