"""From which confidence on an answer may go out alone: so that a stated share of them is right, by
what was said of the newest ones.
"""

from __future__ import annotations

from collections import deque
from itertools import groupby
from operator import itemgetter

__all__ = ["ABSTAIN", "Threshold"]

ABSTAIN = float("inf")
_KEPT = 2_000  # outcomes


class Threshold:
    """target: the share that is to be right, in (0, 1). outcomes: confidence and whether it was
    right, the newest so many, oldest first.

    Answers are taken from the surest down, as long as (right ones) / (all + 1) is the target: one
    more wrong one would not break it. Until that many are known nothing goes out alone.
    """

    def __init__(self, target: float) -> None:
        self.target = target
        self.outcomes: deque[tuple[float, bool]] = deque(maxlen=_KEPT)
        self._least: float | None = None

    def add(self, confidence: float, right: bool) -> None:
        """What became of one answer."""
        self.outcomes.append((confidence, right))
        self._least = None

    @property
    def least(self) -> float:
        """The confidence from which on an answer goes out; infinite where none may."""
        if self._least is None:
            self._least = self._found()
        return self._least

    def _found(self) -> float:
        least, right, count = ABSTAIN, 0, 0
        surest = sorted(self.outcomes, key=itemgetter(0), reverse=True)
        for confidence, alike in groupby(surest, key=itemgetter(0)):
            said = [was_right for _, was_right in alike]
            right, count = right + sum(said), count + len(said)
            if right >= self.target * (count + 1):
                least = confidence
        return least
