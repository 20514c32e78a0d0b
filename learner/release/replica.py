"""A replica: ranks like the learner that it follows by deltas, and trains nothing.

It knows nothing about how deltas travel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.block import cut
from learner.ranking.online import OnlineModel
from learner.ranking.parameters import Arrays, part, settle
from learner.release.delta import ModelDelta
from learner.release.journal import replay
from learner.release.parts import Assembly
from learner.testing.prequential import count_block
from upwell.errors import ModelError

__all__ = ["SERVING", "Replica", "serving_of"]

SERVING = "serving."
"""In a checkpoint the parameters that served, whatever was in training."""
_STEP = 64  # examples counted at a time: about 4 ms


class Replica(OnlineModel):
    """What serves: items, counts and parameters."""

    @property
    def begins_again(self) -> bool:
        """Whether it would start from the next version that is announced, though it is level."""
        return False

    def forget_users(self, until: Mapping[str, int]) -> None:
        """What is kept of these users, by pseudonym, up to then (UTC ms) goes: here, nothing."""

    def _begin(self) -> None:
        super()._begin()
        self._assembly = Assembly()

    def apply(self, delta: ModelDelta) -> Iterator[None]:
        """Comes to the state of the learner that made this delta, in bounded steps. Between two of
        them it may rank, nothing else.

        It then ranks by what was counted of the delta so far, and by the parameters before it, as
        `version` says. Raises `ModelError` where a delta or a part before it is missing.
        """
        block, targets = replay(delta, self._catalogue.ensure, self.watermark)
        self._appended()
        for some, events in cut(block, targets, _STEP):
            count_block(self.ranking.state(), some, events, len(self._catalogue))
            self.learned += len(events.rows)
            self._items.count(events.rows)
            yield
        self._forget(delta.forgotten)
        self._reach(delta)
        rows = {
            name: np.array([self._catalogue.ensure(one) for one in items], np.int32)
            for name, items in delta.row_items.items()
        }
        self._appended()
        parameters = self._assembly.add(delta, rows)
        if parameters is not None:
            self._take_counts(part(parameters, "released."))
            self.ranking.rates.take(parameters)
            yield from self.parameters.take(parameters, delta.whole)
            self._digest = None
        elif rows:
            yield

    def _take_counts(self, told: Arrays) -> None:
        """Counts that are told whole, under a budget of privacy, in place of all of before."""
        if told:
            self.take_told(told)

    def _forget(self, item_ids: Sequence[str]) -> None:
        rows = self._catalogue.rows(item_ids)
        if rows:
            self._forget_items(np.array(rows, np.int64))

    def _reach(self, delta: ModelDelta) -> None:
        ahead = any(
            offset > delta.watermark.get(source, -1) for source, offset in self.watermark.items()
        )
        if not ahead:  # of a learner that began again from a checkpoint
            self.learned = delta.learned
        for source, offset in delta.watermark.items():
            self.watermark[source] = max(offset, self.watermark.get(source, -1))

    def restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """From a checkpoint: all that was counted, ranked by the parameters that were serving.
        Raises `ModelError`.
        """
        serving = serving_of(arrays)
        self._restore(arrays, meta)
        settle(self.parameters.take(serving, whole=True))


def serving_of(arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """A checkpoint's. Raises `ModelError` where it has none."""
    found = part(arrays, SERVING)
    if "gate.weights" not in found:
        raise ModelError(
            "a checkpoint says nothing about the weights that serve: it was made by "
            "another version of Upwell; remove it"
        )
    return found
