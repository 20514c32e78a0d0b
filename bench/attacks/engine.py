"""Upwell over a log with fake events: what lists are worth to honest users, and how often an item
stands in them. Lists are made before each micro-batch is learned, whether or not what they are
tested on is learned.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.attacks.profiles import FAKE
from bench.peers.run import COLD_EVENTS
from learner.testing.figures import CUTOFF
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.ports import Encoder, RankRequest
from upwell.settings import Settings
from upwell.values import Example, UserState

__all__ = ["AttackedEngine", "Outcome"]

BATCH = 64


@dataclass
class Outcome:
    """gains: NDCG@10 of each honest target, by slice. shown: places in tested top tens, by item.
    held, learned: fake events and honest ones that wait at the end, and that taught.
    """

    gains: dict[str, list[float]] = field(default_factory=lambda: {"all": [], "cold_user": []})
    shown: Counter[str] = field(default_factory=Counter)
    taught: Counter[str] = field(default_factory=Counter)

    def ndcg10(self) -> dict[str, float]:
        return {name: float(np.mean(some)) if some else 0.0 for name, some in self.gains.items()}

    def exposure(self, item_id: str) -> float:
        """The item's share of the places in all tested top tens."""
        return self.shown[item_id] / max(1, self.shown.total())


class AttackedEngine(InlineEngine):
    """The inline engine, which ranks each honest target of `every` before it is learned."""

    def __init__(self, settings: Settings, encoder: Encoder, every: int = 1) -> None:
        super().__init__(settings, encoder)
        self.outcome = Outcome()
        self._every, self._counted, self._seen = every, False, 0
        self.fake: set[tuple[str, int]] = set()

    def run(
        self, items: Sequence[LogRecord], events: Sequence[LogRecord], warmup: int
    ) -> Outcome:
        """warmup: honest events before what is counted."""
        for _ in self.play(items, 256):
            pass
        honest = [not _is_fake(one) for one in events]
        start = int(np.searchsorted(np.cumsum(honest), warmup)) + 1 if warmup else 0
        for part, counted in ((events[:start], False), (events[start:], True)):
            self._counted = counted
            for _ in self.play(part, BATCH):
                pass
        return self.outcome

    def _learn(self, examples: Sequence[Example]) -> None:
        if self._counted:
            self._test([one for one in examples if not one.event.event_id.startswith(FAKE)])
        super()._learn(examples)

    def _test(self, examples: Sequence[Example]) -> None:
        targets = [
            one
            for one in examples
            if one.tested
            and one.event.liked
            and one.event.item_id not in one.had
            and self.learner.may_list(str(one.event.item_id))
        ]
        targets = [one for number, one in enumerate(targets, self._seen) if number % self._every == 0]
        self._seen += len(targets)
        requests = [
            RankRequest(state=_state(one, self.learner.dimension), k=CUTOFF) for one in targets
        ]
        found = self.learner.ranking.top(requests, self.learner.parameters)
        for one, (listed, _) in zip(targets, found, strict=True):
            self.outcome.shown.update(listed)
            item = str(one.event.item_id)
            gain = 1.0 / math.log2(2.0 + listed.index(item)) if item in listed else 0.0
            self.outcome.gains["all"].append(gain)
            if one.user_events <= COLD_EVENTS:
                self.outcome.gains["cold_user"].append(gain)


def _is_fake(record: LogRecord) -> bool:
    return b'"event_id":"' + FAKE.encode() in record.value


def _state(example: Example, dimension: int) -> UserState:
    """The user just before the event."""
    intent = np.zeros(dimension, np.float32) if example.intent is None else example.intent
    return UserState(
        example.user, intent, history=example.history, had=example.had, events=example.user_events
    )
