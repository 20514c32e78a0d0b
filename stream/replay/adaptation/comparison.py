"""Two encoders beside each other on what users did next: each liked item among all, by nearness to
the mean of the last items that its user had liked.

Both are asked of the same targets, and a bet on the difference of the reciprocal ranks says when it
is no chance, however often one looks (`learner.release.guard.Bet`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from learner.release.guard import Bet
from stream.replay.adaptation.nearness import ndcg10, ranks
from stream.replay.adaptation.stretches import LAST_LIKES, Target
from upwell.values import Example, Vector

__all__ = ["WRONG", "Comparison", "Found", "Opinion"]

WRONG = 0.05
"""At most the chance of ever holding an encoder for better that is not, and the same for worse."""


class Opinion(StrEnum):
    """Of the candidate; OPEN: what came so far proves neither."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Found:
    """mrr: mean reciprocal rank, ndcg10: NDCG@10; `before` and `after`, of so many targets."""

    opinion: Opinion
    targets: int
    mrr: Mapping[str, float]
    ndcg10: Mapping[str, float]


class Comparison:
    """item_ids: of the catalogue; before, after: (n, d) unit vectors of their texts."""

    def __init__(self, item_ids: Sequence[str], before: Vector, after: Vector) -> None:
        self._rows = {item_id: row for row, item_id in enumerate(item_ids)}
        self._vectors = {"before": before, "after": after}
        self._better, self._worse = Bet(), Bet()
        self._targets = 0
        self._sums = {name: np.zeros(2) for name in self._vectors}  # of reciprocal ranks and gains

    def see(self, examples: Iterable[Example]) -> None:
        """Each once, before anything was trained on it."""
        targets = list(self._of(examples))
        if not targets:
            return
        found = {name: ranks(vectors, targets) for name, vectors in self._vectors.items()}
        for name, places in found.items():
            gain = ndcg10(places, targets)["all"] * len(targets)
            self._sums[name] += float((1.0 / places).sum()), gain
        lead = 1.0 / found["after"] - 1.0 / found["before"]  # (n,), in (-1, 1)
        self._better, self._worse = self._better.on(lead), self._worse.on(-lead)
        self._targets += len(targets)

    @property
    def found(self) -> Found:
        """So far."""
        count = max(self._targets, 1)
        mrr, gains = (
            {name: float(sums[place]) / count for name, sums in self._sums.items()}
            for place in (0, 1)
        )
        return Found(self.opinion, self._targets, mrr, gains)

    @property
    def opinion(self) -> Opinion:
        """So far."""
        if self._better.proves(WRONG):
            return Opinion.BETTER
        return Opinion.WORSE if self._worse.proves(WRONG) else Opinion.OPEN

    def _of(self, examples: Iterable[Example]) -> Iterator[Target]:
        """What was liked by users who had liked something and did not have it."""
        for one in examples:
            row = self._rows.get(one.event.item_id or "")
            had = {*one.had, *(past.item_id for past in one.history)}
            likes = [past.item_id for past in one.history if past.liked]
            places = [self._rows[item] for item in likes if item in self._rows]
            if row is None or not one.event.liked or one.event.item_id in had or not places:
                continue
            rows = tuple(self._rows[item] for item in had if item in self._rows)
            last = tuple(dict.fromkeys(reversed(places)))[:LAST_LIKES]
            yield Target(row, last, rows, ("all",))
