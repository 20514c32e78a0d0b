"""Whoever waits for what the engine says: the list that answers a request, the letter that refuses
it, the confirmation that a user was forgotten.

It knows nothing about Kafka. All of it belongs to the event loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from upwell.codec import parse_dead_letter
from upwell.errors import InvalidEventError
from upwell.recommendations import DeadLetter
from upwell.system.lru import Lru

__all__ = ["Waiting"]

Answer = bytes | DeadLetter
LETTERS = 10_000
"""That are remembered: a letter may be read before its request's place is known."""


class Waiting:
    """One waiter a name: a request's, or that of a request to forget."""

    def __init__(self) -> None:
        self._lists: dict[str, dict[str, asyncio.Future[Answer]]] = {}
        self._places: dict[str, asyncio.Future[Answer]] = {}
        self._place_of: dict[asyncio.Future[Answer], str] = {}
        self._letters: Lru[str, DeadLetter] = Lru(LETTERS)

    @contextmanager
    def expect(self, user_id: str, name: str) -> Iterator[asyncio.Future[Answer]]:
        """name: `trigger` of the list, or `event_id` of the confirmation. Waited for from now on,
        until the end of the block.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._lists.setdefault(user_id, {})[name] = future
        try:
            yield future
        finally:
            waiters = self._lists[user_id]
            del waiters[name]
            if not waiters:
                del self._lists[user_id]
            if (place := self._place_of.pop(future, None)) is not None:
                del self._places[place]

    def stands_at(self, place: str, future: asyncio.Future[Answer]) -> None:
        """What is waited for was asked by the record at `topic-partition-offset`: a letter about it
        is an answer.
        """
        self._places[place] = future
        self._place_of[future] = place
        if (letter := self._letters.get(place)) is not None:
            _tell(future, letter)

    def answered(self, user_id: str, value: bytes) -> None:
        """A list or a confirmation of the user came."""
        waiters = self._lists.get(user_id)
        if not waiters:
            return
        try:
            known = orjson.loads(value)
            name = known.get("trigger") or known.get("event_id")
            future = waiters.get(name)
        except (ValueError, AttributeError, TypeError):  # of who else writes to the topic
            return
        if future is not None:
            _tell(future, value)

    def refused(self, value: bytes) -> None:
        """A dead letter came."""
        try:
            letter = parse_dead_letter(value)
        except InvalidEventError:  # of another version: nobody waits for it here
            return
        if letter.replayed_at is None:
            self._letters[letter.place] = letter
            if (future := self._places.get(letter.place)) is not None:
                _tell(future, letter)


def _tell(future: asyncio.Future[Answer], answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)
