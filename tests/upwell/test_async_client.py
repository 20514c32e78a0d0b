"""The client of apps on asyncio, on a real broker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from inspect import Parameter, signature
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.future import Future

from stream.broker.topics import ensure_topics
from tests.upwell.test_client import a_list, arrived, publish
from upwell.async_client import AsyncUpwellClient
from upwell.client import UpwellClient, client_options
from upwell.codec import recommendations_value
from upwell.errors import BrokerError, InvalidEventError
from upwell.events import Topic
from upwell.recommendations import Recommendations
from upwell.settings import KafkaSettings

FIRST = 20.0


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    found = KafkaSettings(address=kafka, prefix=prefix, partitions=4)
    ensure_topics(prefix, 4, client_options(found))
    return found


def run(settings: KafkaSettings, use: Callable[[AsyncUpwellClient], Awaitable[None]]) -> None:
    """`use` of a client, which leaves no thread behind."""

    async def main() -> None:
        async with AsyncUpwellClient(settings.address or "", settings) as client:
            await use(client)

    before = set(threading.enumerate())
    asyncio.run(main())
    for thread in set(threading.enumerate()) - before:
        thread.join(30)  # each ends by itself
        assert not thread.is_alive(), thread.name


def say(settings: KafkaSettings, user: str, *triggers: str) -> None:
    lists = [(user.encode(), recommendations_value(a_list(user, one))) for one in triggers]
    publish(settings, Topic.RECOMMENDATIONS, *lists)


def test_it_has_every_method_of_the_plain_client_with_its_arguments() -> None:
    names = {name for name in dir(UpwellClient) if not name.startswith("_")}
    assert {name for name in dir(AsyncUpwellClient) if not name.startswith("_")} == names

    def given(method: Any) -> list[tuple[str, Any]]:
        kept = (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD, Parameter.POSITIONAL_OR_KEYWORD)
        found = signature(method).parameters.values()
        return [(one.name, one.default) for one in found if one.kind in kept]

    for name in (*names, "__init__"):
        assert given(getattr(AsyncUpwellClient, name)) == given(getattr(UpwellClient, name)), name


def test_a_type_checker_sees_the_arguments(settings: KafkaSettings) -> None:
    """mypy refuses an `ignore` that nothing needs."""

    async def use(client: AsyncUpwellClient) -> None:
        with pytest.raises(TypeError):
            await client.click("ann")  # type: ignore[call-arg]
        with pytest.raises(InvalidEventError):
            await client.query("ann", 7)  # type: ignore[arg-type]
        shown: Recommendations
        async for shown in await client.lists("ann", timeout=0.1):
            pytest.fail(f"{shown} was not published")

    run(settings, use)


def test_events_arrive_in_the_order_in_which_they_were_awaited(settings: KafkaSettings) -> None:
    sent = []

    async def use(client: AsyncUpwellClient) -> None:
        sent.extend([await client.click("ann", f"i{n}") for n in range(20)])

    run(settings, use)
    assert arrived(settings, Topic.CLICKS, 20) == [("ann", one) for one in sent]


def test_lists_published_after_the_call_are_not_missed(settings: KafkaSettings) -> None:
    async def use(client: AsyncUpwellClient) -> None:
        await asyncio.to_thread(say, settings, "ann", "old")
        lists = await client.lists("ann", timeout=FIRST)
        await asyncio.to_thread(say, settings, "ann", "new", "newer")
        assert [(await anext(lists)).trigger for _ in range(2)] == ["new", "newer"]
        await lists.aclose()
        assert [one async for one in lists] == []
        old = await client.lists("ann", timeout=0.5, from_beginning=True)
        assert [one.trigger async for one in old] == ["old", "new", "newer"]

    run(settings, use)


def test_a_list_comes_to_the_next_who_asks_where_the_one_before_gave_up(
    settings: KafkaSettings,
) -> None:
    async def use(client: AsyncUpwellClient) -> None:
        lists = await client.lists("ann")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(lists), 0.2)
        waiting = asyncio.create_task(anext(lists))
        await asyncio.to_thread(say, settings, "ann", "late")
        assert (await asyncio.wait_for(waiting, FIRST)).trigger == "late"

    run(settings, use)


def test_the_loop_goes_on_while_a_call_waits(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> None:
        began.set()
        assert go.wait(60)

    async def use(client: AsyncUpwellClient) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(KafkaProducer, "flush", slow)
            flushing = asyncio.create_task(client.flush())
            assert await asyncio.to_thread(began.wait, 60)
            await client.click("ann", "i1")  # another call is not held up by it
            go.set()  # by the loop itself, which a call that blocks it would never let come here
            await flushing

    run(settings, use)
    assert len(arrived(settings, Topic.CLICKS, 1)) == 1


def test_who_stops_waiting_is_free_at_once_and_the_thread_is_called_back(
    settings: KafkaSettings,
) -> None:
    async def use(client: AsyncUpwellClient) -> None:
        for waiting in (client.forget("ann", "op", "asked"), client.request_list("ann")):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(waiting, 1.0)

    run(settings, use)  # `forget` would read for a minute


def test_a_client_that_closes_ends_who_reads(settings: KafkaSettings) -> None:
    async def use(client: AsyncUpwellClient) -> None:
        endless = await client.lists()
        reading = asyncio.create_task(read(endless))
        await asyncio.to_thread(say, settings, "ann", "one")
        await asyncio.wait_for(came.wait(), FIRST)
        await client.close()
        await reading
        with pytest.raises(BrokerError, match="is not open"):
            await client.click("ann", "i1")

    async def read(lists: Any) -> None:
        async for _ in lists:
            came.set()

    came = asyncio.Event()
    run(settings, use)


def test_an_undelivered_event_is_told_at_the_end(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> Future:
        return Future().failure(OSError("disk full"))

    async def use(client: AsyncUpwellClient) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(KafkaProducer, "send", lost)
            await client.click("ann", "i1")

    with pytest.raises(BrokerError, match="disk full"):
        run(settings, use)


def test_one_that_cannot_be_opened_says_why_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())

    async def main() -> None:
        async with AsyncUpwellClient("nonsense"):
            pytest.fail("there is no such broker")

    with pytest.raises(BrokerError, match="no Kafka broker answers"):
        asyncio.run(main())
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
        assert not thread.is_alive()
