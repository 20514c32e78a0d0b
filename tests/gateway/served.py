"""An application of the gateway on a real socket, and one whose parts are in memory."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from starlette.types import ASGIApp

from gateway.app import application
from gateway.edge.auth import Gatekeeper
from gateway.edge.meter import Meter
from gateway.edge.refusals import Refused
from gateway.live import Hub
from gateway.parts import Parts
from gateway.ranks import Ranked
from gateway.review import Reviews
from gateway.run import Server, listening_socket, server_of
from gateway.topics.figures import Figures
from gateway.topics.letters import Letters
from gateway.topics.newest import NewestLists
from gateway.topics.send import Done, Parcel, Sender
from gateway.topics.versions import Versions
from gateway.topics.waiting import Waiting
from gateway.topics.words import Words
from gateway.users import Users, Worded
from learner.release.folder import LocalFolder
from stream.chain.overrides.ledger import Kept
from stream.ops.review.queue import Row
from upwell.errors import BrokerError
from upwell.recommendations import Entry
from upwell.secret import Secret
from upwell.settings import GatewaySettings
from upwell.values import CatalogueItem

__all__ = [
    "APP",
    "OPERATOR",
    "FakeOut",
    "FakeRanks",
    "InMemory",
    "a_list",
    "an_item",
    "ask",
    "served",
    "until",
    "wait_until",
]

APP, OPERATOR = "app-token-of-16-and-more", "operator-token-of-16-and-more"
DEADLINE_SECONDS = 30.0


class FakeOut:
    """Acknowledges at once, unless it is `held`: then what was handed over waits."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.held = False
        self.lost = False
        self.waiting: list[Callable[[], None]] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self.on_parcel: Callable[[Parcel, str], None] = lambda parcel, place: None
        """Called on the loop's thread, behind the acknowledgement."""

    def hand(self, parcel: Parcel, done: Done) -> None:
        self.parcels.append(parcel)
        place = f"{parcel.topic}-0-{len(self.parcels) - 1}"

        def told() -> None:
            done(None if self.lost else place)
            if self.loop is not None:
                self.loop.call_soon(self.on_parcel, parcel, place)

        def acknowledge() -> None:
            if self.loop is None:
                told()
            else:
                self.loop.call_soon_threadsafe(told)

        if self.held:
            self.waiting.append(acknowledge)
        else:
            acknowledge()

    def release(self) -> None:
        """Kafka is quick again."""
        self.held = False
        waiting, self.waiting = self.waiting, []
        for acknowledge in waiting:
            acknowledge()

    def close(self) -> None:
        self.release()


class FakeRanks:
    """Knows one item. its_governed: what operators said of items came to."""

    version = "7-abc"

    def __init__(self) -> None:
        self.its_governed: list[CatalogueItem] = []

    def item(self, item_id: str) -> CatalogueItem | None:
        return an_item() if item_id == "i1" else None

    def governed(self) -> Sequence[CatalogueItem]:
        return self.its_governed

    def similar(self, item_id: str, k: int) -> Ranked:
        if item_id != "i1":
            raise Refused(404, "unknown_item", "no item of this id was announced")
        return self.popular(k, None)

    def popular(self, k: int, category: str | None) -> Ranked:
        entry = Entry(item_id="i1", score=1.0, reasons=(), title=category or "One")
        return Ranked((entry,) * k, "7-abc")

    def newest(self, k: int, category: str | None) -> Ranked:
        return self.popular(k, category)

    def search(self, words: str, k: int) -> Ranked:
        return self.popular(k, words)


@dataclass
class InMemory:
    """A gateway without Kafka. Make it, and call its application, on one event loop."""

    settings: GatewaySettings = field(
        default_factory=lambda: GatewaySettings(
            app_token=Secret(APP), operator_token=Secret(OPERATOR)
        )
    )
    patience: float = DEADLINE_SECONDS
    out: Any = field(default_factory=FakeOut)
    folder: Path = Path("there-is-no-such-folder")
    warming: str | None = None
    shortcoming: str | None = None
    rows: Sequence[Row] = ()
    unreadable: str | None = None
    looks: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        own = self.settings
        self.newest, self.waiting = NewestLists(own.users), Waiting()
        self.sender = Sender(self.out, own.in_flight, self.patience)
        self.hub = Hub(own.streams)
        self.figures, self.letters = Figures(), Letters({}, "")
        self.ranks, self.words, self.meter = FakeRanks(), Words(), Meter()
        self.kept: dict[str, Kept] = {}
        self.reviews = Reviews(self.read_rows, self.stands, self.waiting, self.sender)
        self.versions = Versions(LocalFolder(self.folder), self.folder)
        self.parts = Parts(
            users=Users(self.newest, self.waiting, self.sender),
            items=self.ranks,
            hub=self.hub,
            worded=Worded(),
            figures=self.figures,
            letters=self.letters,
            words=self.words,
            reviews=self.reviews,
            versions=self.versions,
            meter=self.meter,
            warming=lambda: self.warming,
            shortcomings=lambda: [self.shortcoming] if self.shortcoming else [],
        )
        self.app = application(self.parts, own, Gatekeeper(own))

    def read_rows(self, hours: int, now_ms: int) -> Sequence[Row]:
        if self.unreadable is not None:
            raise BrokerError(self.unreadable)
        self.looks.append(hours)
        return self.rows

    def stands(self, override_ids: Sequence[str]) -> Mapping[str, Kept]:
        return {name: self.kept[name] for name in override_ids if name in self.kept}


def an_item(**more: Any) -> CatalogueItem:
    """The one that `FakeRanks` knows."""
    nothing = np.zeros(0, np.float32)
    return CatalogueItem(item_id="i1", ts=1, title="One", vector=nothing, revision="", **more)


def a_list(user_id: str, trigger: str = "t", name: str = "l1") -> bytes:
    """A list as serve publishes it, short."""
    return (
        f'{{"list_id":"{name}","user_id":"{user_id}","items":[],"model_version":"1-a",'
        f'"trigger":"{trigger}","covers":{{}},"ts":1,"latency_ms":1}}'
    ).encode()


def ask(
    gateway: InMemory, method: str, path: str, token: str | None = OPERATOR, **more: Any
) -> httpx.Response:
    """One call; on an event loop of its own."""

    async def run() -> httpx.Response:
        gateway.out.loop = asyncio.get_running_loop()
        transport = httpx.ASGITransport(gateway.app)
        headers = {**more.pop("headers", {})}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.request(method, path, headers=headers, **more)

    return asyncio.run(run())


async def until(condition: Callable[[], bool], what: str) -> None:
    """Return when it holds: what is waited for is on another thread, or another task."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.001)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """The same outside of an event loop."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


@contextmanager
def served(make: Callable[[asyncio.AbstractEventLoop], ASGIApp]) -> Iterator[str]:
    """The address of a server whose application was made on its event loop; ended in order."""
    started = threading.Event()
    servers: list[tuple[Server, asyncio.AbstractEventLoop]] = []

    with listening_socket("127.0.0.1", 0) as listening:

        async def run() -> None:
            loop = asyncio.get_running_loop()
            server = server_of(make(loop))
            servers.append((server, loop))
            started.set()
            await server.serve([listening])

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        assert started.wait(DEADLINE_SECONDS)
        [(server, _)] = servers
        host, port = listening.getsockname()
        try:
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()
