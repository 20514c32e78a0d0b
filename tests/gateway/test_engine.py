"""What each record that Upwell publishes changes, on a real broker, without an engine: what serve
and learn would say is said here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from gateway.app import application
from gateway.edge.auth import Gatekeeper
from gateway.engine import Gateway
from stream.broker.topics import ensure_topics
from stream.metrics.metric import leaves
from stream.metrics.registry import METRICS
from tests.e2e.watched.test_metrics import untold
from tests.gateway.served import APP, OPERATOR, InMemory, a_list, served, wait_until
from tests.learner.training.small import DIMENSION
from upwell.codec import confirmation_value, dead_letter_value
from upwell.events import Topic
from upwell.recommendations import Confirmation, DeadLetter
from upwell.settings import KafkaSettings, LearnerSettings, Settings
from upwell.system.clock import now_ms

PARTITIONS = 4


class Surroundings:
    """A gateway on a broker whose topics are there, and what an engine would say."""

    def __init__(self, kafka: str, prefix: str, folder: Path) -> None:
        self.client = {"bootstrap_servers": kafka}
        self.prefix = prefix
        self.settings = Settings(
            kafka=KafkaSettings(address=kafka, prefix=prefix, partitions=PARTITIONS),
            learner=LearnerSettings(fused=False),
            gateway=InMemory().settings,
            data=folder,
        )
        ensure_topics(prefix, PARTITIONS, self.client)
        self._producer = KafkaProducer(acks="all", **self.client)
        self.failures: list[BaseException] = []
        self.gateway: Gateway

    def make(self, loop: asyncio.AbstractEventLoop) -> Any:
        self.gateway = Gateway(self.settings, DIMENSION, loop, self.failures.append)
        own = self.settings.gateway
        return application(self.gateway.parts, own, Gatekeeper(own))

    def say(self, topic: Topic, key: str, value: bytes) -> None:
        self._producer.send(self.prefix + topic, key=key.encode(), value=value).get(30)

    def answer(self, topic: Topic, how: Callable[[dict[str, Any], str], None]) -> None:
        """Wait for the first record of a topic, as serve would, and say something to it."""
        consumer = KafkaConsumer(
            group_id=None, auto_offset_reset="earliest", isolation_level="read_committed",
            **self.client,
        )  # fmt: skip
        consumer.assign([TopicPartition(self.prefix + topic, n) for n in range(PARTITIONS)])
        found: list[Any] = []

        def read() -> bool:
            for records in consumer.poll(timeout_ms=100).values():
                found.extend(records)
            return bool(found)

        wait_until(read, f"a record of {topic}")
        consumer.close()
        how(orjson.loads(found[0].value), f"{topic}-{found[0].partition}-{found[0].offset}")

    def close(self) -> None:
        self._producer.close()


@pytest.fixture
def around(kafka: str, prefix: str, tmp_path: Path) -> Iterator[Surroundings]:
    one = Surroundings(kafka, prefix, tmp_path)
    yield one
    one.close()


@pytest.fixture
def client(around: Surroundings) -> Iterator[httpx.Client]:
    """Of a gateway that is warm."""
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    with (
        served(around.make) as address,
        httpx.Client(base_url=address, headers=headers, timeout=60.0) as one,
    ):
        assert one.get("/readyz").status_code == 503
        assert one.get("/healthz").status_code == 200
        around.gateway.warm_up()
        wait_until(lambda: one.get("/readyz").status_code == 200, "the gateway to be ready")
        yield one
        around.gateway.close()
    assert around.failures == []


def test_a_list_that_was_there_before_is_there(around: Surroundings) -> None:
    around.say(Topic.RECOMMENDATIONS, "ann", a_list("ann", name="old"))
    around.say(Topic.RECOMMENDATIONS, "ann", a_list("ann", name="before"))
    around.say(Topic.RECOMMENDATIONS, "bob", a_list("bob"))
    forget = {
        "event_id": "f1", "ts": now_ms(), "kind": "forget_user", "user_id": "bob",
        "by": "x", "why": "y",
    }  # fmt: skip
    around.say(Topic.CONTROLS, "bob", orjson.dumps(forget))
    headers = {"Authorization": f"Bearer {APP}"}
    with served(around.make) as address, httpx.Client(base_url=address, headers=headers) as client:
        around.gateway.warm_up()
        wait_until(lambda: client.get("/readyz").status_code == 200, "the gateway to be ready")
        assert client.get("/v1/users/ann/list").json()["list_id"] == "before"
        assert client.get("/v1/users/bob/list").status_code == 404
        around.gateway.close()


def test_lists_events_and_words_go_through_a_real_broker(
    around: Surroundings, client: httpx.Client
) -> None:
    click = {"topic": "clicks", "user_id": "ann", "item_id": "i1", "action": "click"}
    posted = client.post("/v1/events", json=click)
    assert posted.status_code == 202
    sent: list[dict[str, Any]] = []
    around.answer(Topic.CLICKS, lambda value, place: sent.append(value))
    assert posted.json()["event_ids"] == [sent[0]["event_id"]]

    def now() -> str | None:
        found = client.get("/v1/users/ann/list")
        return found.json()["list_id"] if found.status_code == 200 else None

    for name in ("one", "two"):
        around.say(Topic.RECOMMENDATIONS, "ann", a_list("ann", name=name))
        wait_until(lambda name=name: now() == name, "the list")  # type: ignore[misc]
    merge = {"kind": "merge_user", "user_id": "ann", "from_user": "guest", "by": "x", "why": "y"}
    assert client.post("/v1/events", json={"topic": "controls", **merge}).status_code == 202
    assert client.delete("/v1/users/ann?timeout=0").status_code == 202
    wait_until(lambda: now() is None, "the forgotten to be gone")


def test_a_request_is_answered_by_its_list(around: Surroundings, client: httpx.Client) -> None:
    def listed(value: dict[str, Any], place: str) -> None:
        around.say(Topic.RECOMMENDATIONS, "ann", a_list("ann", "of something else"))
        around.say(Topic.RECOMMENDATIONS, "ann", a_list("ann", value["request_id"]))

    answer = asking(client, around, Topic.REQUESTS, listed, "POST", "/v1/users/ann/lists")
    assert answer.status_code == 200
    assert answer.json()["trigger"] != "of something else"


def test_what_only_serve_refuses_is_an_answer(around: Surroundings, client: httpx.Client) -> None:
    def refused(value: dict[str, Any], place: str) -> None:
        topic, partition, offset = place.split("-")
        letter = DeadLetter(
            reason="bad_time", detail="the app's clock", topic=topic, partition=int(partition),
            offset=int(offset), raw=b"", ts=1,
        )  # fmt: skip
        around.say(Topic.DEAD_LETTERS, place, dead_letter_value(letter))

    answer = asking(client, around, Topic.REQUESTS, refused, "POST", "/v1/users/ann/lists")
    assert answer.status_code == 422
    assert (answer.json()["reason"], answer.json()["detail"]) == ("bad_time", "the app's clock")


def test_forgetting_ends_with_its_confirmation(around: Surroundings, client: httpx.Client) -> None:
    def confirmed(value: dict[str, Any], place: str) -> None:
        told = Confirmation(
            user_id="ann", event_id=value["event_id"], removed={"state": 1}, remains=("x",), ts=1
        )
        other = replace(told, event_id="of another request")
        around.say(Topic.CONFIRMATIONS, "ann", confirmation_value(other))
        around.say(Topic.CONFIRMATIONS, "ann", confirmation_value(told))

    answer = asking(client, around, Topic.CONTROLS, confirmed, "DELETE", "/v1/users/ann")
    assert answer.status_code == 200
    assert (answer.json()["removed"], answer.json()["remains"]) == ({"state": 1}, ["x"])


def test_operators_words_are_remembered(around: Surroundings, client: httpx.Client) -> None:
    for number, kind in enumerate(("pin_item", "ban_item")):
        said = {
            "event_id": f"c{number}", "ts": now_ms(), "kind": kind, "item_id": "i1",
            "by": "ann", "why": "a season",
        }  # fmt: skip
        around.say(Topic.CONTROLS, "i1", orjson.dumps(said))
    words = around.gateway.parts.words
    wait_until(lambda: len(words.of("i1")) == 2, "the words")
    assert [(one.kind, one.by, one.why) for one in words.of("i1")] == [
        ("pin_item", "ann", "a season"),
        ("ban_item", "ann", "a season"),
    ]


def test_its_record_is_what_the_registry_names(around: Surroundings, client: httpx.Client) -> None:
    around.say(Topic.RECOMMENDATIONS, "ann", a_list("ann"))
    wait_until(lambda: client.get("/v1/users/ann/list").status_code == 200, "the list")
    record = orjson.loads(orjson.dumps(around.gateway.record()))
    own = [one for one in METRICS if "gateway" in one.roles]
    assert [one.full_name for one in own if not [*leaves(record, one.path)]] == []
    assert untold(record) == set()
    assert record["requests"]["newestList"]["200"] == 1
    assert record["lists"] == 1
    assert b"ann" not in orjson.dumps(record)


def asking(
    client: httpx.Client,
    around: Surroundings,
    topic: Topic,
    how: Callable[[dict[str, Any], str], None],
    method: str,
    path: str,
) -> httpx.Response:
    """A call that waits for an answer, which is given meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.request, method, f"{path}?timeout=60")
        around.answer(topic, how)
        return asked.result()
