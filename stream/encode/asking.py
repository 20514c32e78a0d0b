"""An encoder that computes nothing: it asks encode workers, and blocks its caller until they have
answered, however long that takes.

A vector follows from its text and its encoder alone, so an answer that comes twice, late or to a
question that was asked again does no harm. It knows nothing about Kafka.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stream.encode.topics import EncodeTopic
from stream.encode.wire import Answer, Asked
from upwell.errors import BrokerError, EncoderError
from upwell.ports import Encoder
from upwell.system.outage import Outage
from upwell.values import Vector

__all__ = ["AGAIN_SECONDS", "QUIET_SECONDS", "AskingEncoder", "Post"]

QUIET_SECONDS = 10.0
"""Without any answer, until it is said that nobody answers."""
AGAIN_SECONDS = 120.0
"""Until what has no answer is asked for again: retention may have removed it unread."""
TICK_SECONDS = 0.5

log = logging.getLogger("upwell.encode")


class Post(Protocol):
    """The way to the encode workers. `send` is called by the threads that wait, and does not wait
    for answers: those are handed over by a thread of the post. Raises `BrokerError`.

    failure: what ended that thread, None while it reads.
    """

    @property
    def failure(self) -> BaseException | None: ...

    def send(self, topic: EncodeTopic, asked: Sequence[Asked]) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A call that waits. since: seconds of the clock."""

    topic: EncodeTopic
    texts: int
    since: float


class AskingEncoder:
    """name: the encoder's revision without precision, which is that of whoever answers. encoder:
    what of it decides vectors. to: the partition of `vectors` that `post` reads. clock: seconds.

    Safe to call from several threads. Close it at the end: whoever waits then gets `EncoderError`.
    """

    def __init__(
        self,
        name: str,
        encoder: str,
        dimension: int,
        to: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._encoder = encoder
        self._dimension = dimension
        self._to = to
        self._clock = clock
        self._post: Post | None = None
        self._changed = threading.Condition()
        self._wanted: Counter[bytes] = Counter()
        self._found: dict[bytes, Vector] = {}
        self._waiting: list[_Waiting] = []
        self._heard = clock()
        self._refused: EncoderError | None = None
        self._outage = Outage(log, "whoever runs `upwell run --roles encode`", clock)

    def connect(self, post: Post) -> None:
        """By `post` from here on; it calls `take`."""
        self._post = post

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def revision(self) -> str:
        return self._name + "apart"

    @property
    def waits(self) -> dict[EncodeTopic, float]:
        """For how many seconds now the longest call of each lane has waited; empty where none
        does.
        """
        with self._changed:
            now = self._clock()
            return {one.topic: now - one.since for one in reversed(self._waiting)}

    def encode(self, texts: Sequence[str]) -> Vector:
        """(n, dimension) float32 of unit length. Raises `EncoderError` where it was closed or an
        answer is of another encoder, `BrokerError`.
        """
        return self._through(EncodeTopic.TEXTS, texts)

    def in_bulk(self, gently: Callable[[], bool] | None = None) -> Encoder:
        """The same for texts that give way to those of `encode`. They are encoded elsewhere, so at
        full speed.
        """
        return _Bulk(self)

    def take(self, answers: Iterable[Answer]) -> None:
        """Those that somebody waits for. On the post's thread."""
        with self._changed:
            self._heard = self._clock()
            for one in answers:
                if one.key in self._wanted:
                    self._refused = self._refused or self._wrong(one)
                    self._found[one.key] = one.vector
            self._changed.notify_all()

    def close(self) -> None:
        """May be called twice."""
        with self._changed:
            self._refused = self._refused or EncoderError("the encoder was closed")
            self._changed.notify_all()
        if self._post is not None:
            self._post.close()

    def _through(self, topic: EncodeTopic, texts: Sequence[str]) -> Vector:
        if not texts:
            return np.zeros((0, self._dimension), dtype=np.float32)
        each = [Asked(text, self._encoder, self._to) for text in texts]
        asked = {one.key: one for one in each}
        waiting = _Waiting(topic, len(asked), self._clock())
        with self._changed:
            self._wanted.update(asked.keys())
            self._waiting.append(waiting)
        try:
            self._wait(topic, asked)
            with self._changed:
                found = {key: self._found[key] for key in asked}
            return np.stack([found[one.key] for one in each])  # (n, d)
        finally:
            self._forget(waiting, asked)

    def _wait(self, topic: EncodeTopic, asked: Mapping[bytes, Asked]) -> None:
        assert self._post is not None, "not connected"
        self._post.send(topic, list(asked.values()))
        began = sent = self._clock()
        while missing := self._missing(asked):
            now = self._clock()
            if (failure := self._post.failure) is not None:
                raise BrokerError(
                    f"topic vectors: reading stopped: {type(failure).__name__}: {failure}; start "
                    "again"
                ) from failure
            if now - max(began, self._heard) >= QUIET_SECONDS:
                self._say_quiet()
            if now - sent >= AGAIN_SECONDS:
                self._post.send(topic, [asked[key] for key in missing])
                sent = now
        with self._changed:
            self._outage.over()

    def _missing(self, asked: Mapping[bytes, Asked]) -> list[bytes]:
        """What has no answer, after a moment in which it may come. Raises `EncoderError`."""

        def left() -> list[bytes]:
            return [key for key in asked if key not in self._found]

        with self._changed:
            self._changed.wait_for(lambda: self._refused is not None or not left(), TICK_SECONDS)
            if self._refused is not None:
                raise EncoderError(str(self._refused)) from self._refused
            return left()

    def _say_quiet(self) -> None:
        with self._changed:
            count = sum(one.texts for one in self._waiting)
            self._outage.lasts(f"{count} texts need a vector of {self._encoder}")

    def _forget(self, waiting: _Waiting, asked: Mapping[bytes, Asked]) -> None:
        with self._changed:
            self._waiting.remove(waiting)
            self._wanted.subtract(asked.keys())
            for key in asked:
                if self._wanted[key] <= 0:
                    del self._wanted[key]
                    self._found.pop(key, None)

    def _wrong(self, answer: Answer) -> EncoderError | None:
        if answer.encoder != self._encoder:
            return EncoderError(
                f"an encode worker answered with a vector of {answer.encoder}, and {self._encoder} "
                "was asked for: set UPWELL_ENCODER alike for all workers of the prefix"
            )
        if answer.vector.shape != (self._dimension,):
            return EncoderError(
                f"an encode worker answered with {len(answer.vector)} numbers, and "
                f"{self._encoder} has {self._dimension}: is its folder whole on that machine?"
            )
        return None


@dataclass(frozen=True, slots=True)
class _Bulk:
    asking: AskingEncoder

    @property
    def dimension(self) -> int:
        return self.asking.dimension

    @property
    def revision(self) -> str:
        return self.asking.revision

    def encode(self, texts: Sequence[str]) -> Vector:
        return self.asking._through(EncodeTopic.ITEM_TEXTS, texts)  # noqa: SLF001 (the same module)
