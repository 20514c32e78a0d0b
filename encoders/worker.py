"""One thread with a bounded queue in front of an encoder, so that callers from several threads share one model.

A big request is cut into chunks; a small one is let in between two of them, so that a search never waits for a whole catalogue.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from upwell.errors import EncoderError
from upwell.ports import Encoder
from upwell.values import Vector

__all__ = ["EncoderWorker"]

CHUNK = 32
QUEUE_CHUNKS = 256


@dataclass(frozen=True, slots=True)
class _Chunk:
    texts: Sequence[str]
    result: Future[Vector]


class EncoderWorker:
    """`encode` blocks the calling thread alone. When the queue is full, callers wait: a flood slows its producers down."""

    def __init__(self, encoder: Encoder, *, chunk: int = CHUNK, capacity: int = QUEUE_CHUNKS) -> None:
        self._encoder = encoder
        self._chunk = chunk
        self._capacity = capacity
        self._urgent: deque[_Chunk] = deque()
        self._bulk: deque[_Chunk] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="encoder", daemon=True)
        self._thread.start()

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def revision(self) -> str:
        return self._encoder.revision

    def encode(self, texts: Sequence[str]) -> Vector:
        """As the encoder behind. Raises `EncoderError`, also when the worker was closed."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        chunks = [_Chunk(texts[start : start + self._chunk], Future()) for start in range(0, len(texts), self._chunk)]
        lane = self._urgent if len(chunks) == 1 else self._bulk
        for chunk in chunks:
            self._put(lane, chunk)
        return np.concatenate([chunk.result.result() for chunk in chunks])

    def close(self) -> None:
        """End the thread; what waits fails."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        for chunk in (*self._urgent, *self._bulk):
            chunk.result.set_exception(EncoderError("the encoder was closed while texts waited"))

    def _put(self, lane: deque[_Chunk], chunk: _Chunk) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._urgent) + len(self._bulk) < self._capacity)
            if self._closed:
                raise EncoderError("the encoder was closed")
            lane.append(chunk)
            self._changed.notify_all()

    def _take(self) -> _Chunk | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._urgent or self._bulk)
            if self._closed:
                return None
            chunk = (self._urgent or self._bulk).popleft()
            self._changed.notify_all()
            return chunk

    def _work(self) -> None:
        while (chunk := self._take()) is not None:
            try:
                chunk.result.set_result(self._encoder.encode(chunk.texts))
            except Exception as exc:  # handed to the caller, whose thread it concerns
                chunk.result.set_exception(exc)
