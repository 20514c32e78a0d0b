"""A gateway beside a real engine on a real broker, as an app has it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from kafka import KafkaProducer

from gateway.app import application
from gateway.edge.auth import Gatekeeper
from gateway.engine import Gateway
from tests.faults.engine import Engine, harness_settings
from tests.faults.worker import DIMENSION
from tests.gateway.served import OPERATOR, InMemory, served, wait_until

__all__ = ["ITEMS", "Door", "opened"]

ITEMS = [
    {"topic": "items", "item_id": f"i{number}", "title": title, "categories": [category]}
    for number, (title, category) in enumerate(
        [(f"The red boat of harbour {n}", "boats") for n in range(12)]
        + [(f"A blue train to station {n}", "trains") for n in range(12)]
    )
]


@dataclass(frozen=True)
class Door:
    """What an app has of it."""

    address: str
    client: httpx.Client
    engine: Engine

    def post(self, *events: dict[str, Any]) -> list[str]:
        answer = self.client.post("/v1/events", json=list(events))
        assert answer.status_code == 202, answer.text
        found: list[str] = answer.json()["event_ids"]
        return found

    def produce(self, topic: str, value: bytes) -> None:
        """A record that nobody has looked at."""
        kafka = self.engine.settings.kafka
        with KafkaProducer(acks="all", **self.engine.client) as producer:
            producer.send(kafka.prefix + topic, value=value)

    def newest(self, user: str) -> dict[str, Any]:
        answer = self.client.get(f"/v1/users/{user}/list")
        return dict(answer.json()) if answer.status_code == 200 else {"trigger": None}

    def listed(self, user: str, trigger: str) -> dict[str, Any]:
        wait_until(lambda: self.newest(user)["trigger"] == trigger, f"the list for {trigger}", 90)
        return self.newest(user)


@contextmanager
def opened(kafka: str, folder: Path) -> Iterator[Door]:
    """A real engine with a catalogue, and a gateway on a socket that is ready."""
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    settings = harness_settings(kafka, prefix, folder)
    own = InMemory().settings
    failures: list[BaseException] = []
    gateways: list[Gateway] = []

    def make(loop: asyncio.AbstractEventLoop) -> Any:
        gateways.append(Gateway(replace(settings, gateway=own), DIMENSION, loop, failures.append))
        return application(gateways[0].parts, own, Gatekeeper(own))

    with ExitStack() as stack:
        engine = stack.enter_context(Engine(settings))
        address = stack.enter_context(served(make))
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        client = stack.enter_context(httpx.Client(base_url=address, headers=headers, timeout=100.0))
        gateways[0].warm_up()
        wait_until(lambda: client.get("/readyz").status_code == 200, "the gateway to be ready")
        one = Door(address, client, engine)
        one.post(*ITEMS)
        wait_until(
            lambda: len(client.get("/v1/newest?k=100").json()["items"]) == len(ITEMS),
            "the catalogue",
            120,
        )
        yield one
        gateways[0].close()
        assert failures == [], [repr(one) for one in failures]
