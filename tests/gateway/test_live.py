"""Live lists, on a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import httpx
import pytest

from gateway import live
from gateway.edge.refusals import Refused
from gateway.live import MOST_WAITING, Hub
from tests.gateway.served import APP, InMemory, a_list, ask, served, wait_until

HEADERS = {"Authorization": f"Bearer {APP}"}


class Live:
    """A served gateway, and what the event loop's thread is told."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self.gateway: InMemory
        self._loop: asyncio.AbstractEventLoop

    def make(self, loop: asyncio.AbstractEventLoop) -> Any:
        base = InMemory().settings
        self.gateway, self._loop = InMemory(replace(base, **self._settings)), loop
        return self.gateway.app

    def tell(self, what: Callable[[], object]) -> None:
        """Returns when the loop's thread has done it."""

        async def done() -> None:
            what()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(30)

    def telling(self) -> int:
        """Clients that something is written to, or that wait for it."""
        names: list[str] = []
        self.tell(
            lambda: names.extend(repr(one.get_coro()) for one in asyncio.all_tasks(self._loop))
        )
        return sum("LiveLists._tell" in name for name in names)

    def publish(self, user_id: str, name: str, surface: str | None = None) -> None:
        self.tell(lambda: self.gateway.hub.publish(user_id, a_list(user_id, name=name), surface))


def lines(told: Iterator[str], count: int) -> list[str]:
    """So many that say something, or fewer at the end."""
    return list(islice((line for line in told if line), count))


def test_the_newest_comes_first_then_each_as_it_is_made() -> None:
    one = Live()
    with served(one.make) as address, httpx.Client(base_url=address, headers=HEADERS) as client:
        one.tell(lambda: one.gateway.newest.put("ann", 1, a_list("ann", name="held")))
        with client.stream("GET", "/v1/users/ann/events") as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            one.publish("bob", "of another")
            one.publish("ann", "next")
            told = lines(stream.iter_lines(), 5)
        assert told[1::2] == ["event: list"] * 2
        assert told[2] == "data: " + a_list("ann", name="held").decode()
        assert told[4] == "data: " + a_list("ann", name="next").decode()
        wait_until(lambda: len(one.gateway.hub) == 0, "the client that went to be noticed")


def test_those_of_one_surface_are_told_alone() -> None:
    one = Live()
    path = "/v1/users/ann/events?surface=kids"
    with served(one.make) as address, httpx.Client(base_url=address, headers=HEADERS) as client:
        one.tell(lambda: one.gateway.newest.put("ann", 1, a_list("ann", name="nowhere")))
        with client.stream("GET", path) as stream:
            one.publish("ann", "nowhere, later")
            one.publish("ann", "on kids", "kids")
            told = lines(stream.iter_lines(), 3)
        assert "on kids" in told[2]
        wait_until(lambda: len(one.gateway.hub) == 0, "the client that went to be noticed")


def test_a_connection_that_says_nothing_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.01)
    one = Live()
    with (
        served(one.make) as address,
        httpx.stream("GET", f"{address}/v1/users/ann/events", headers=HEADERS) as stream,
    ):
        assert lines(stream.iter_lines(), 3) == [": upwell", ": alive", ": alive"]


def test_who_does_not_take_their_lists_is_dropped_and_holds_up_nobody() -> None:
    one = Live()
    large = a_list("ann").replace(b'"items":[]', b'"items":["' + b"x" * 500_000 + b'"]')
    with served(one.make) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        with (
            socket.create_connection((host, int(port))) as slow,
            httpx.stream("GET", f"{address}/v1/users/ann/events", headers=HEADERS) as quick,
        ):
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            slow.sendall(
                b"GET /v1/users/ann/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                + APP.encode()
                + b"\r\n\r\n"
            )
            wait_until(lambda: len(one.gateway.hub) == 2, "both to be connected")
            taken = quick.iter_lines()
            sent = 0
            while one.gateway.hub.dropped == 0:
                assert sent < 10 * MOST_WAITING
                one.tell(lambda: one.gateway.hub.publish("ann", large))
                sent += 1
                while not next(taken).startswith("data: "):
                    pass
            wait_until(lambda: one.telling() == 1, "the slow one not to be written to any more")
            assert len(one.gateway.hub) == 1
            one.publish("ann", "after")
            while "after" not in next(taken):
                pass


def test_who_asks_for_the_head_alone_is_not_held() -> None:
    answer = ask(InMemory(), "HEAD", "/v1/users/ann/events", APP)
    assert (answer.status_code, answer.content) == (200, b"")


def test_no_more_are_let_in_than_the_setting_says() -> None:
    one = Live(streams=1)
    with served(one.make) as address:
        with httpx.stream("GET", f"{address}/v1/users/ann/events", headers=HEADERS) as stream:
            told = stream.iter_lines()
            lines(told, 1)
            refused = httpx.get(f"{address}/v1/users/ann/events", headers=HEADERS)
            assert refused.status_code == 503
            assert refused.json()["reason"] == "too_many_streams"
            one.publish("ann", "still there")
            assert "still there" in lines(told, 2)[1]
        wait_until(lambda: len(one.gateway.hub) == 0, "the first to be gone")
        with httpx.stream("GET", f"{address}/v1/users/ann/events", headers=HEADERS) as stream:
            assert stream.status_code == 200


def test_the_end_of_the_process_ends_streams_in_order() -> None:
    one = Live()
    with (
        served(one.make) as address,
        httpx.stream("GET", f"{address}/v1/users/ann/events", headers=HEADERS) as stream,
    ):
        told = stream.iter_lines()
        assert lines(told, 1) == [": upwell"]
        one.tell(one.gateway.hub.close)
        assert lines(told, 99) == []
        again = httpx.get(f"{address}/v1/users/ann/events", headers=HEADERS)
        assert again.status_code == 503


def test_the_hub_holds_no_client_that_left() -> None:
    async def run() -> None:
        hub = Hub(2)
        clients = [hub.enter("ann"), hub.enter("bob")]
        with pytest.raises(Refused):
            hub.enter("eve")
        for client in (*clients, *clients):
            hub.leave(client)
        assert (len(hub), hub._clients) == (0, {})

    asyncio.run(run())
