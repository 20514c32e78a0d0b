"""A learner that knows nothing yet, on its way through what `examples` still holds: it tests and
learns as the one that runs does, but in steps that hang on the examples alone, so that it is the
same to the bit whoever else stood on the topic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from learner.training.learner import Learner
from learner.training.promotion import Promotion
from stream.chain.effects import Erasure
from stream.chain.wire import decode_examples
from stream.learn.afresh.retained import Erased, Read, in_order
from stream.learn.catalogue import CatalogueFeed
from stream.learn.options import LearnOptions
from stream.learn.quarantine import HeldBack
from stream.learn.rollback import BEGAN
from upwell.values import Example

__all__ = ["Second"]

TOGETHER = 64
"""Examples that are learned together: whatever came between them on the topic."""
DELTA_BATCHES = 16
"""After which what replicas would be told is dropped, and room is made."""


class Second:
    """One attempt. learner: that knows nothing yet. positions: the next offset of each partition.
    shares: erasures of users of whom it had learned before.
    """

    def __init__(
        self, learner: Learner, options: LearnOptions, read: Read, clock_ms: Callable[[], int]
    ) -> None:
        self.learner = learner
        self.promotion = Promotion(learner, options.guard, groups=options.groups)
        self.held = HeldBack(options)
        self.positions: dict[int, int] = {}
        self.shares = 0
        self._read = read
        self._clock_ms = clock_ms
        self._warmup = options.warmup_examples
        self._catalogue = CatalogueFeed(options.client, options.prefix, options.policy)
        self._kept: list[Example] = []
        self._batches = self._learned = 0

    def start(self) -> None:
        """Hears of items, rules and decisions. Raises `BrokerError`."""
        self._catalogue.start()
        self.held.start()
        self.held.begin({}, {})

    def stop(self) -> None:
        self._catalogue.stop()
        self.held.stop()

    def read_on(self, erased: Erased, ends: Mapping[int, int]) -> Iterator[None]:
        """Up to `ends`, in bounded steps. What is read and not yet learned waits for the next, or
        for `finish`.
        """
        for record in in_order(self._read, self.positions, ends):
            if record is not None:
                yield from self._take(erased, record)
                self.positions[record.partition] = record.offset + 1
            yield None
        self.positions |= {one: max(end, self.positions.get(one, 0)) for one, end in ends.items()}

    def finish(self) -> None:
        """Learns what still waits."""
        if self._kept:
            self._teach(self._kept)
        self._kept = []

    def _take(self, erased: Erased, record: Any) -> Iterator[None]:
        place, found = (record.partition, record.offset), decode_examples(record.value)
        if isinstance(found, Erasure):
            if not erased.knows(*place, found.user):
                self._forget(found.user)
            return
        self._kept += [one for one in found if not erased.before(*place, one.user)]
        while len(self._kept) >= TOGETHER:
            self._teach(self._kept[:TOGETHER])
            del self._kept[:TOGETHER]
            yield None

    def _forget(self, user: str) -> None:
        """Who was forgotten only after it began."""
        self.finish()
        self.held.forget({user})
        self.learner.forget(user)
        self.shares += 1

    def _teach(self, kept: Sequence[Example]) -> None:
        self._catalogue.tell(self.learner)
        examples = self.held.sift(kept, self._clock_ms())
        self.promotion.test(examples)
        self.learner.learn(examples)
        if examples:
            self.promotion.decide()
        if self._learned < self._warmup <= self._learned + len(examples):
            self.learner.figures.reset()
        self._learned += len(examples)
        self._batches += 1
        if self._batches % DELTA_BATCHES == 0:
            self.promotion.take_deltas()

    def checkpoint(self, topics: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arrays and meta of a checkpoint of it. topics: the incarnations that it read."""
        meta = {
            "version": self.promotion.version,
            "learner": self.learner.meta(),
            "positions": self.positions,
            "topics": dict(topics),
            "owed": [],
            "shares": self.shares,
            BEGAN: True,
        }
        return self.learner.arrays() | self.promotion.arrays() | self.held.arrays(), meta
