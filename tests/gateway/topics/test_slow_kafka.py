"""A real broker that stops in the middle: callers are told to come again, and what was told 202
stands there when it is back.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from kafka import TopicPartition

from gateway.topics.send import KafkaOut
from infra.kafka import KafkaBroker
from stream.broker.feeds import read_partition
from stream.broker.topics import ensure_topics
from tests.gateway.served import APP, InMemory
from upwell.events import Topic

PARTITIONS = 2
IN_FLIGHT = 40
CALLERS = 60


@contextmanager
def stopped(broker: KafkaBroker) -> Iterator[None]:
    """Its process neither answers nor ends."""
    children = Path(f"/proc/{broker.pid}/task/{broker.pid}/children").read_text().split()
    assert len(children) == 1
    os.kill(int(children[0]), signal.SIGSTOP)
    try:
        while not stands(int(children[0])):
            time.sleep(0.001)
        yield
    finally:
        os.kill(int(children[0]), signal.SIGCONT)


def stands(pid: int) -> bool:
    """Whether each of its threads has stopped: a signal is there before they have."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)


async def post(client: httpx.AsyncClient, number: int, answers: dict[int, int]) -> None:
    """One event, and what was answered."""
    click = {
        "topic": "clicks", "event_id": f"e{number}", "user_id": f"u{number % 7}",
        "item_id": "i1", "action": "click",
    }  # fmt: skip
    answer = await client.post("/v1/events", json=click)
    answers[number] = answer.status_code
    assert answer.status_code == 202 or "retry-after" in answer.headers


@asynccontextmanager
async def posting(
    options: dict[str, Any], prefix: str, patience: float
) -> AsyncIterator[tuple[InMemory, httpx.AsyncClient]]:
    """A gateway whose events go to the broker, and an app that calls it."""
    own = replace(InMemory().settings, in_flight=IN_FLIGHT)
    gateway = InMemory(own, patience=patience, out=KafkaOut(options, prefix))
    headers = {"Authorization": f"Bearer {APP}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(gateway.app), base_url="http://gateway", headers=headers
    ) as client:
        yield gateway, client
    await asyncio.to_thread(gateway.sender.close)


def standing(client: dict[str, Any], prefix: str) -> Counter[str]:
    """Event ids on the topic, and how often each."""
    return Counter(
        orjson.loads(record.value)["event_id"]
        for number in range(PARTITIONS)
        for record in read_partition(client, TopicPartition(prefix + Topic.CLICKS, number), 0)
    )


@pytest.mark.timeout(300)
def test_a_broker_that_stands_still_refuses_some_and_loses_nothing_that_was_told_202(
    tmp_path: Path, prefix: str
) -> None:
    async def run(broker: KafkaBroker, options: dict[str, Any]) -> dict[int, int]:
        answers: dict[int, int] = {}
        async with posting(options, prefix, patience=60.0) as (gateway, client):
            await post(client, 0, answers)
            assert answers == {0: 202}
            with stopped(broker):
                callers = [
                    asyncio.create_task(post(client, number, answers))
                    for number in range(1, CALLERS)
                ]
                while len(answers) < CALLERS - IN_FLIGHT:  # noqa: ASYNC110 (others' answers)
                    await asyncio.sleep(0.01)
                assert Counter(answers.values()) == {202: 1, 429: CALLERS - IN_FLIGHT - 1}
                assert gateway.sender.in_flight == IN_FLIGHT
            await asyncio.gather(*callers)
            assert gateway.sender.in_flight == 0
        return answers

    with KafkaBroker(tmp_path) as broker:
        options = {"bootstrap_servers": broker.address}
        ensure_topics(prefix, PARTITIONS, options)
        answers = asyncio.run(run(broker, options))
        told = {f"e{number}" for number, status in answers.items() if status == 202}
        assert len(told) == IN_FLIGHT + 1
        assert standing(options, prefix) == Counter(dict.fromkeys(told, 1))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("away", [False, True], ids=["slow", "away"])
def test_what_is_not_acknowledged_in_time_is_503_and_stands_once_it_is_told_202(
    tmp_path: Path, prefix: str, away: bool
) -> None:
    async def run(running: ExitStack) -> None:
        broker = running.enter_context(KafkaBroker(tmp_path))
        options = {"bootstrap_servers": broker.address}
        ensure_topics(prefix, PARTITIONS, options)
        answers: dict[int, int] = {}
        async with posting(options, prefix, patience=0.5) as (_, client):
            if away:
                running.close()
                await post(client, 1, answers)
                assert running.enter_context(KafkaBroker(tmp_path)).address == broker.address
            else:
                with stopped(broker):
                    await post(client, 1, answers)
            assert answers == {1: 503}
            while answers[1] != 202:  # as an app that is told to come again
                await post(client, 1, answers)
        assert standing(options, prefix)["e1"] >= 1

    with ExitStack() as running:
        asyncio.run(run(running))
