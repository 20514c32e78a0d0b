"""Threads with two bounded queues in front of an encoder, so that callers from several threads
share one model.

Texts that a list waits for go before those of a catalogue (`in_bulk`). Both are cut into chunks, so
that a search waits for one chunk of a catalogue at most, however long that is. It knows nothing
about the model.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Protocol, runtime_checkable

import numpy as np

from encoders.batching import chunks
from upwell.errors import EncoderError
from upwell.ports import Encoder
from upwell.system.threads import start_thread
from upwell.values import Vector

__all__ = ["EncoderWorker", "Gently", "busy_seconds", "in_bulk"]

CHUNK = 128
TEXT_CHARACTERS = 1_024  # of a longer text: the model reads about so many of it
CHUNK_CHARACTERS = 2 * (
    TEXT_CHARACTERS + 1
)  # two of the longest texts, half of a batch of the model: what an urgent text waits at most
CAPACITY = 256  # chunks a lane
URGENT_IN_A_ROW = 4
CALL_SECONDS = 300.0
"""No call of a model takes so long on so few texts: a large one on one core needs seconds."""

Gently = Callable[[], bool] | None  # whether chunks in bulk go one by one; None: never


@dataclass(frozen=True, slots=True)
class _Chunk:
    texts: Sequence[str]
    cost: int
    result: Future[Vector] = field(default_factory=Future)


@runtime_checkable
class _Laned(Protocol):
    def in_bulk(self, gently: Gently = None) -> Encoder: ...


def in_bulk(encoder: Encoder, gently: Gently = None) -> Encoder:
    """The same for texts that nobody waits for, as `EncoderWorker.in_bulk` where it has a lane."""
    return encoder.in_bulk(gently) if isinstance(encoder, _Laned) else encoder


@runtime_checkable
class _Busy(Protocol):
    @property
    def busy_seconds(self) -> float: ...


def busy_seconds(encoder: Encoder) -> float:
    """How long the call that the encoder's thread is at has taken; 0 where it is idle, or where the
    encoder works on its callers' threads.
    """
    return encoder.busy_seconds if isinstance(encoder, _Busy) else 0.0


class EncoderWorker:
    """`encode` blocks the calling thread alone. When a lane is full, callers wait: a flood slows
    its producers down. They never wait for a thread that has ended, nor for a call that does not
    end.

    chunk: texts that go through the encoder in one call, fewer where they are long. capacity:
    chunks that may wait in each lane. call_seconds: a call that takes longer is stuck. threads:
    that call `encoder`, at the same time where there are several: each takes the next chunks by
    itself, so a core that something else needs slows down one of them and not all.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        chunk: int = CHUNK,
        capacity: int = CAPACITY,
        call_seconds: float = CALL_SECONDS,
        threads: int = 1,
    ) -> None:
        self._encoder = encoder
        self._chunk = chunk
        self._capacity = capacity
        self._call_seconds = call_seconds
        self._called: list[float | None] = [None] * threads
        self._urgent: deque[_Chunk] = deque()
        self._bulk: deque[_Chunk] = deque()
        self._urgent_taken = 0
        self._changed = threading.Condition()
        self._closed: str | None = None
        self._threads = [
            start_thread(f"encoder-{number}", partial(self._work, number), self._failed)
            for number in range(threads)
        ]

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def revision(self) -> str:
        return self._encoder.revision

    @property
    def busy_seconds(self) -> float:
        """How long the longest call that a thread is at has taken, 0 where all are idle."""
        now = time.monotonic()
        return max(0.0 if called is None else now - called for called in self._called)

    @property
    def tokens_read(self) -> int:
        """By the model, since the start; 0 where it has no tokens."""
        return int(getattr(self._encoder, "tokens_read", 0))

    def encode(self, texts: Sequence[str]) -> Vector:
        """As the encoder behind. Raises `EncoderError`, also when the worker was closed, its thread
        has ended, or the encoder is stuck.
        """
        return self._through(self._urgent, texts)

    def in_bulk(self, gently: Gently = None) -> Encoder:
        """The same, in the lane that lets `encode` go first; every `URGENT_IN_A_ROW` calls of the
        model it has a turn. gently: whether chunks of a call go one after the other.
        """
        return _Bulk(self, gently)

    def _through(self, lane: deque[_Chunk], texts: Sequence[str], gently: Gently = None) -> Vector:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        costs = [_cost(text) for text in texts]
        parts = list(chunks(costs, self._chunk, self._budget(costs)))
        cut = [
            _Chunk([texts[index] for index in part], sum(costs[index] for index in part))
            for part in parts
        ]
        try:
            for chunk in cut:
                self._put(lane, chunk)
                if gently is not None and gently():
                    self._result(chunk)
            for part, chunk in zip(parts, cut, strict=True):
                vectors[part] = self._result(chunk)
        except EncoderError:
            for chunk in cut:
                chunk.result.cancel()  # nobody waits for the rest
            raise
        return vectors

    def _budget(self, costs: Sequence[int]) -> int:
        """Of a chunk: so that each thread has as many of one call's as the others, about."""
        total, threads = sum(costs), len(self._threads)
        if threads == 1 or not total:
            return CHUNK_CHARACTERS
        rounds = -(-total // (threads * CHUNK_CHARACTERS))
        return min(CHUNK_CHARACTERS, total // (rounds * threads) + max(costs))

    def close(self) -> None:
        """End the threads after what they are at; what waits fails. May be called twice.

        Raises `EncoderError` where the encoder is stuck: its thread then ends with the process.
        """
        self._refuse("the encoder was closed")
        for thread in self._threads:
            while thread.is_alive():
                thread.join(self._call_seconds)
                self._raise_stuck()

    def _failed(self, exc: BaseException) -> None:
        self._refuse(f"the encoder's thread has ended: {type(exc).__name__}: {exc}")

    def _refuse(self, why: str) -> None:
        """Fail what waits, and all that comes later, with the first reason."""
        with self._changed:
            self._closed = self._closed or why
            waiting = (*self._urgent, *self._bulk)
            self._urgent.clear()
            self._bulk.clear()
            self._changed.notify_all()
        for chunk in waiting:
            if chunk.result.set_running_or_notify_cancel():
                chunk.result.set_exception(EncoderError(f"{why} while texts waited"))

    def _put(self, lane: deque[_Chunk], chunk: _Chunk) -> None:
        def has_room() -> bool:
            return self._closed is not None or len(lane) < self._capacity

        with self._changed:
            while not self._changed.wait_for(has_room, self._call_seconds):
                self._raise_stuck()
            if self._closed is not None:
                raise EncoderError(self._closed)
            lane.append(chunk)
            self._changed.notify_all()

    def _result(self, chunk: _Chunk) -> Vector:
        while True:
            try:
                return chunk.result.result(self._call_seconds)
            except TimeoutError:
                self._raise_stuck()
                if not self._alive() and not chunk.result.done():
                    raise EncoderError(self._closed or "the encoder's thread has ended") from None

    def _alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def _raise_stuck(self) -> None:
        if (seconds := self.busy_seconds) >= self._call_seconds:
            raise EncoderError(
                f"the encoder {self.revision} is stuck: a call has not ended for {seconds:.0f} s: "
                "look at its device (UPWELL_DEVICE) and start again"
            )

    def _take(self) -> list[_Chunk]:
        """What goes through the model next; empty when the worker was closed. Blocks."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._closed or self._urgent or self._bulk))
            if self._closed is not None:
                return []
            bulk_turn = not self._urgent or (self._bulk and self._urgent_taken >= URGENT_IN_A_ROW)
            lane = self._bulk if bulk_turn else self._urgent
            self._urgent_taken = 0 if bulk_turn else self._urgent_taken + 1
            taken = [lane.popleft()]
            while lane and self._fits(taken, lane[0]):
                taken.append(lane.popleft())
            self._changed.notify_all()
            return taken

    def _fits(self, taken: Sequence[_Chunk], more: _Chunk) -> bool:
        together = [*taken, more]
        return (
            sum(len(chunk.texts) for chunk in together) <= self._chunk
            and sum(chunk.cost for chunk in together) <= CHUNK_CHARACTERS
        )

    def _work(self, number: int) -> None:
        while taken := self._take():
            wanted = [chunk for chunk in taken if chunk.result.set_running_or_notify_cancel()]
            if wanted:
                self._encode(number, wanted)

    def _encode(self, number: int, wanted: Sequence[_Chunk]) -> None:
        self._called[number] = time.monotonic()
        try:
            vectors = self._encoder.encode([text for chunk in wanted for text in chunk.texts])
            ends = list(accumulate(len(chunk.texts) for chunk in wanted))
            parts = np.split(np.asarray(vectors), ends[:-1])
        except BaseException as exc:  # handed to the callers, whose threads it concerns
            for chunk in wanted:
                chunk.result.set_exception(_own_error(exc))
            return
        finally:
            self._called[number] = None
        for chunk, part in zip(wanted, parts, strict=True):
            chunk.result.set_result(part)


@dataclass(frozen=True, slots=True)
class _Bulk:
    worker: EncoderWorker
    gently: Gently

    @property
    def dimension(self) -> int:
        return self.worker.dimension

    @property
    def revision(self) -> str:
        return self.worker.revision

    def encode(self, texts: Sequence[str]) -> Vector:
        worker = self.worker
        return worker._through(worker._bulk, texts, self.gently)  # noqa: SLF001 (the same module)


def _cost(text: str) -> int:
    return min(len(text), TEXT_CHARACTERS) + 1


def _own_error(exc: BaseException) -> EncoderError:
    """One a caller: the same exception raised in several threads would mix their tracebacks."""
    error = EncoderError(
        str(exc)
        if isinstance(exc, EncoderError)
        else f"the encoder failed: {type(exc).__name__}: {exc}"
    )
    error.__cause__ = exc
    return error
