"""A way to encode workers that needs no broker: what is sent is answered by `replies`, on a thread,
as often and as late as a test wants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from encoders.hashing import HashingEncoder
from stream.encode.asking import AskingEncoder
from stream.encode.lane import replies
from stream.encode.topics import EncodeTopic
from stream.encode.wire import Answer, Asked
from upwell.errors import SettingsError
from upwell.ports import Encoder

__all__ = ["HeldPost", "MemoryPost", "One", "asking", "record"]

ENCODER = HashingEncoder(16)
NAME = "hashing@16/words/"
VECTORS = "16/words"
NOW_MS = 1_700_000_000_000


class One:
    """The only model of a worker."""

    def __init__(self, encoder: Encoder = ENCODER, vectors: str = VECTORS) -> None:
        self._encoder, self._vectors = encoder, vectors

    def of(self, vectors: str) -> Encoder:
        if vectors != self._vectors:
            raise SettingsError(f"asked for {vectors}, and this is {self._vectors}")
        return self._encoder


def record(one: Asked, age_ms: int = 0, **other: Any) -> Any:
    """As kafka-python gives it."""
    told = {"topic": "texts", "offset": 7, "value": one.value, "headers": list(one.headers)}
    return SimpleNamespace(**{**told, "timestamp": NOW_MS - age_ms, **other})


class HeldPost:
    """Keeps what is asked; a test answers."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self.sent: list[tuple[EncodeTopic, list[Asked]]] = []
        self.closed = 0

    def send(self, topic: EncodeTopic, asked: Sequence[Asked]) -> None:
        self.sent.append((topic, list(asked)))

    def close(self) -> None:
        self.closed += 1

    def answers(self) -> list[Answer]:
        """To all that was asked until now, over the wire."""
        asked = [record(one) for _, batch in self.sent for one in batch]
        found = replies(asked, One(), False, Counter(), NOW_MS)
        wired = [one.answer for one in found]
        return [Answer.read(one.key, one.value, dict(one.headers)) for one in wired]


class MemoryPost(HeldPost):
    """Answers by itself. take: is given what comes."""

    def __init__(self, take: Callable[[Sequence[Answer]], None]) -> None:
        super().__init__()
        self._take = take
        self._worker = ThreadPoolExecutor(1)

    def send(self, topic: EncodeTopic, asked: Sequence[Asked]) -> None:
        def answer() -> None:
            found = replies([record(one) for one in asked], One(), False, Counter(), NOW_MS)
            wired = [one.answer for one in found]
            self._take([Answer.read(one.key, one.value, dict(one.headers)) for one in wired])

        self._worker.submit(answer)

    def close(self) -> None:
        self._worker.shutdown()


def asking(clock: Callable[[], float] | None = None, to: int = 3) -> AskingEncoder:
    """Not connected yet."""
    more = {} if clock is None else {"clock": clock}
    return AskingEncoder(NAME, VECTORS, ENCODER.dimension, to, **more)
