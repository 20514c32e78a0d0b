"""From which confidence on an answer may go out alone: so that a stated share of them is right, by
what was said of the newest ones. Questions in words that are known, and those in other words, have
a threshold each: what is right of the one says nothing of the other.
"""

from __future__ import annotations

from collections import deque
from itertools import groupby
from operator import itemgetter

__all__ = ["ABSTAIN", "Threshold"]

ABSTAIN = float("inf")
_KEPT = 2_000  # outcomes


class Threshold:
    """target: the share that is to be right, in (0, 1), of either kind of questions by itself.
    outcomes: confidence, whether it was right, and whether the question was in words that are
    known; the newest so many, oldest first.

    Answers are taken from the surest down, as long as (right ones) / (all + 1) is the target: one
    more wrong one would not break it. Until that many are known nothing goes out alone.
    """

    def __init__(self, target: float) -> None:
        self.target = target
        self.outcomes: deque[tuple[float, bool, bool]] = deque(maxlen=_KEPT)
        self._least: dict[bool, float] = {}

    def add(self, confidence: float, right: bool, read: bool = True) -> None:
        """What became of one answer. read: whether its question was in words that are known."""
        self.outcomes.append((confidence, right, read))
        self._least.clear()

    @property
    def least(self) -> float:
        """As `least_of` a question in words that are known."""
        return self.least_of(True)

    def least_of(self, read: bool) -> float:
        """The confidence from which on an answer goes out; infinite where none may."""
        if read not in self._least:
            self._least[read] = self._found(read)
        return self._least[read]

    def _found(self, read: bool) -> float:
        least, right, count = ABSTAIN, 0, 0
        alike_read = [one for one in self.outcomes if one[2] == read]
        surest = sorted(alike_read, key=itemgetter(0), reverse=True)
        for confidence, alike in groupby(surest, key=itemgetter(0)):
            said = [was_right for _, was_right, _ in alike]
            right, count = right + sum(said), count + len(said)
            if right >= self.target * (count + 1):
                least = confidence
        return least
