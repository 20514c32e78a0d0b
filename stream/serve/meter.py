"""What a serve worker measures of its own work: batches, stages, freshness, dead letters by reason;
and the ports of the chains with a watch on them.

To observe costs about a microsecond, and a batch is observed a dozen times, so it is never off. It
knows nothing of who reads the figures.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from store import Store
from stream.chain.publish import TRIGGER_APPENDED, Outgoing
from stream.chain.validate import REASONS
from stream.metrics.histogram import EVENTS, SECONDS, Histogram
from stream.tracing.start import Stage
from upwell.ports import Encoder, Pictures, Ranker, RankRequest
from upwell.recommendations import DeadLetter, Entry
from upwell.values import CatalogueItem, SeenPicture, UserState, Vector

__all__ = [
    "ITEMS",
    "STAGES",
    "USERS",
    "Meter",
    "TimedEncoder",
    "TimedPictures",
    "TimedRanker",
    "TimedStore",
]

USERS, ITEMS = "users", "items"
"""The chains."""
STAGES = (
    *("encode", "encode_items", "read_users", "write_users", "read_items", "write_items"),
    *("rank", "publish_users", "publish_items", "pictures"),
)

_Found = TypeVar("_Found")


class _Here(threading.local):
    """Of one thread."""

    noted: list[Stage] | None = None


class Meter:
    """dead_letters: by reason, since the start; each reason is there from the beginning, so that
    the first one is seen as one more. clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.dead_letters: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self._freshness = Histogram(SECONDS)
        self._batches = {chain: Histogram(EVENTS) for chain in (USERS, ITEMS)}
        self._seconds = {chain: Histogram(SECONDS) for chain in (USERS, ITEMS)}
        self._stages = {stage: Histogram(SECONDS) for stage in STAGES}
        self._here = _Here()

    def note(self, into: list[Stage] | None) -> None:
        """The stages that this thread passes from here on stand in `into` too."""
        self._here.noted = into

    def timed(self, stage: str, work: Callable[[], _Found]) -> _Found:
        """What `work` returns, on the watch of one of `STAGES`."""
        began = self.clock()
        found = work()
        ended = self.clock()
        self._stages[stage].observe(ended - began)
        if (noted := self._here.noted) is not None:
            noted.append((stage, began, ended))
        return found

    def refused(self, letters: Iterable[DeadLetter]) -> None:
        """Counts them by reason."""
        self.dead_letters.update(letter.reason for letter in letters)

    def published(
        self,
        chain: str,
        events: int,
        seconds: tuple[float, float],
        at_ms: int,
        sent: Sequence[Outgoing],
    ) -> None:
        """A micro-batch of so many events is out. seconds: of its chain, and of sending what came
        of it. at_ms: when all replicas had it, UTC ms.
        """
        self._batches[chain].observe(events)
        self._seconds[chain].observe(sum(seconds))
        self._stages[f"publish_{chain}"].observe(seconds[1])
        for name, value in (header for one in sent for header in one.headers):
            if name == TRIGGER_APPENDED:
                self._freshness.observe(max(0, at_ms - int(value)) / 1000.0)

    def report(self) -> dict[str, Any]:
        """JSON-ready, as `stream.metrics.registry` reads it."""
        return {
            "dead_letters": dict(self.dead_letters),
            "freshness": self._freshness.report(),
            "batches": {chain: one.report() for chain, one in self._batches.items()},
            "batch_seconds": {chain: one.report() for chain, one in self._seconds.items()},
            "stages": {stage: one.report() for stage, one in self._stages.items()},
        }


class TimedEncoder:
    """`encoder`, each call on the watch as `stage`."""

    def __init__(self, encoder: Encoder, meter: Meter, stage: str) -> None:
        self._encoder = encoder
        self._meter = meter
        self._stage = stage

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def revision(self) -> str:
        return self._encoder.revision

    def encode(self, texts: Sequence[str]) -> Vector:
        return self._meter.timed(self._stage, lambda: self._encoder.encode(texts))


class TimedPictures:
    """`pictures`, each look on the watch."""

    def __init__(self, pictures: Pictures, meter: Meter) -> None:
        self._pictures = pictures
        self._meter = meter
        self.model, self.revision = pictures.model, pictures.revision
        self.placed = pictures.placed

    def look(self, images: Sequence[str]) -> list[SeenPicture]:
        return self._meter.timed("pictures", lambda: self._pictures.look(images))


class TimedRanker:
    """`ranker`, each call on the watch."""

    def __init__(self, ranker: Ranker, meter: Meter) -> None:
        self._ranker = ranker
        self._meter = meter

    @property
    def version(self) -> str:
        return self._ranker.version

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        return self._meter.timed("rank", lambda: self._ranker.rank(requests))


class TimedStore:
    """`store`, what a batch reads and writes on the watch."""

    def __init__(self, store: Store, meter: Meter) -> None:
        self._store = store
        self._meter = meter
        self.close, self.copy, self.health = store.close, store.copy, store.health
        self.forget_users = store.forget_users

    def read_users(self, users: Sequence[str]) -> list[UserState | None]:
        return self._meter.timed("read_users", lambda: self._store.read_users(users))

    def write_users(self, states: Sequence[UserState]) -> list[str]:
        return self._meter.timed("write_users", lambda: self._store.write_users(states))

    def read_items(self, item_ids: Sequence[str]) -> list[CatalogueItem | None]:
        return self._meter.timed("read_items", lambda: self._store.read_items(item_ids))

    def write_items(self, items: Sequence[CatalogueItem]) -> list[str]:
        return self._meter.timed("write_items", lambda: self._store.write_items(items))
