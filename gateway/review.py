"""The queue of items that wait for a person, as HTTP calls ask for it, and a decision on its way to
the record. It knows nothing about HTTP but how a refusal is called.

To read the queue is to read topics: it is done for one caller at a time, on another thread, and
what was found is held for a while; what was decided meanwhile is looked up anew each time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool

from gateway.edge.refusals import Refused
from gateway.topics.send import Parcel, Sender
from gateway.topics.waiting import Waiting
from stream.chain.overrides.ledger import Kept
from stream.ops.review.desk import Said, control_of
from stream.ops.review.queue import Row, override_id_of, with_decisions
from stream.ops.review.told import kept_of
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.recommendations import DeadLetter
from upwell.schema import event_value, key_of, parse_event
from upwell.system.lru import Lru

__all__ = ["HELD_SECONDS", "Looked", "Reviews"]

HELD_SECONDS = 30.0
MOST_OF_TIME = 0.05
"""Of the time is spent with reading at most: where it takes long, what was read is held longer."""
SPANS = 4
"""Of hours, whose queues are held."""
LOOK_SECONDS = 0.1

Read = Callable[[int, int], Sequence[Row]]
Ask = Callable[[Sequence[str]], Mapping[str, Kept]]


@dataclass(frozen=True, slots=True)
class Looked:
    """The queue as it was read. at: UTC ms."""

    at: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    looked: Looked
    until: float


class Reviews:
    """read: the rows of so many hours until then (UTC ms); blocks, raises `BrokerError`. ask: what
    stands of override_ids; from any thread. All methods belong to the event loop's thread.
    """

    def __init__(
        self,
        read: Read,
        ask: Ask,
        waiting: Waiting,
        sender: Sender,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._ask = ask
        self._waiting = waiting
        self._sender = sender
        self._clock = clock
        self._held: Lru[int, _Held] = Lru(SPANS)
        self._reading = asyncio.Lock()

    async def look(self, hours: int, now_ms: int) -> Looked:
        """The queue of so many hours, the strongest reasons first, with what was decided by now.
        Raises `Refused` (503) where it cannot be read.
        """
        async with self._reading:
            held = self._held.get(hours)
            if held is None or self._clock() >= held.until:
                held = await self._read_now(hours, now_ms)
        looked = held.looked
        kept = await self._kept([override_id_of(one.item_id) for one in looked.rows])
        return replace(looked, rows=tuple(with_decisions(looked.rows, kept.get, now_ms)))

    async def standing(self, item_id: str) -> Kept | None:
        """What stands of the decision on an item."""
        name = override_id_of(item_id)
        return (await self._kept([name])).get(name)

    async def decide(self, said: Said, now_ms: int, patience: float) -> tuple[int, Any]:
        """Status and answer: 200 with what stands once a worker has ruled, 202 where none has in
        time: the decision is on `controls` all the same.

        Raises `InvalidEventError`, and `Refused` where serve refused it (422) or Kafka did not
        acknowledge it (503).
        """
        value = event_value(control_of(said, now_ms))
        event = parse_event(Topic.CONTROLS, value, now_ms=now_ms)
        name, until = str(value["event_id"]), self._clock() + patience
        with self._waiting.expect("", name) as refused:
            parcel = Parcel(Topic.CONTROLS, key_of(event).encode(), orjson.dumps(value))
            [place] = await self._sender.send([parcel])
            if place is None:
                raise Refused(
                    503,
                    "not_acknowledged",
                    "Kafka did not acknowledge the decision in time; it may stand there all the "
                    "same: look at the queue before you send it again",
                    {"event_id": name},
                )
            self._waiting.stands_at(place, refused)
            while True:
                kept = await self.standing(said.item_id)
                if kept is not None and name in _named(kept):
                    return 200, kept_of(kept)
                left = until - self._clock()
                await asyncio.wait({refused}, timeout=max(0.0, min(left, LOOK_SECONDS)))
                if refused.done():
                    raise _refusal(refused.result())
                if left <= 0:
                    break
        detail = (
            f"nobody ruled on it within {patience:g} s: it stands on `controls`, and is ruled on "
            "once a serve worker runs; `upwell audit show` says what came of it"
        )
        return 202, {"event_id": name, "detail": detail}

    async def _kept(self, override_ids: Sequence[str]) -> Mapping[str, Kept]:
        return await run_in_threadpool(self._ask, override_ids)

    async def _read_now(self, hours: int, now_ms: int) -> _Held:
        began = self._clock()
        try:
            rows = await run_in_threadpool(self._read, hours, now_ms)
        except BrokerError as exc:
            raise Refused(503, "not_read", str(exc)) from exc
        ended = self._clock()
        until = ended + max(HELD_SECONDS, (ended - began) / MOST_OF_TIME)
        held = self._held[hours] = _Held(Looked(now_ms, tuple(rows)), until)
        return held


def _named(kept: Kept) -> set[str]:
    return {one.event_id for one in (kept.standing, kept.waiting) if one is not None}


def _refusal(letter: bytes | DeadLetter) -> Refused:
    assert isinstance(letter, DeadLetter)  # nobody is answered with bytes under the empty user
    return Refused(422, letter.reason, letter.detail, {"dead_letter": letter.place})
