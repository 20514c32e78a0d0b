"""The term that holds one bound on exposure: a price of the shortfall, that rises while there is
one and falls back to nothing.

A list ordered by score plus the price, where an item is of the group, has the largest discounted
sum of scores among lists with its exposure of the group: so of all that would hold the bound the
right price costs the least of it. The price is the bound's dual variable, found by online ascent on
the shortfall of the faded share (Balseiro, Lu & Mirrokni 2020, "Dual mirror descent for online
allocation problems"), with a part in proportion to it, which damps (the controller of Morik et al.
2020, "Controlling fairness and bias in dynamic learning-to-rank", is that part alone). It knows
nothing about items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from upwell.settings import Bound

__all__ = ["HALF_LIFE", "MOST", "Held"]

HALF_LIFE = 200.0
"""Lists, after which exposure counts half for the bound."""
MOST = 8.0
"""Score, that a bound may add at most."""
RATE = 0.05
"""A list adds so much of its shortfall to the price."""
GAIN = 10.0
"""Score, that a shortfall of 1 adds by itself."""
_KEPT = 2.0 ** (-1.0 / HALF_LIFE)
_LISTS = 20.0
_EXPOSURE = _LISTS * 4.5  # of lists of ten


@dataclass(frozen=True, slots=True)
class Held:
    """A bound and where it stands. price: in score. shown, total: faded exposure of the group and
    of all; it begins as if the bound had been met by 20 lists, so that the first few do not count
    for much.
    """

    bound: Bound
    price: float
    shown: float
    total: float

    @classmethod
    def of(cls, bound: Bound) -> Held:
        """Before the first list."""
        return cls(bound, 0.0, bound.least * _EXPOSURE, _EXPOSURE)

    @property
    def share(self) -> float:
        """Of the group in what was shown lately."""
        return self.shown / self.total

    @property
    def shortfall(self) -> float:
        """Above 0 where the group has less than its bound."""
        short = self.bound.least - self.share
        return 0.0 if abs(short) < 1e-12 else short

    @property
    def term(self) -> float:
        """What the group's items get in score now, from 0 to `MOST`."""
        return min(max(self.price + GAIN * self.shortfall, 0.0), MOST)

    def after(self, shown: float, total: float) -> Held:
        """After one more list, with so much exposure of the group and in all."""
        new = replace(self, shown=_KEPT * self.shown + shown, total=_KEPT * self.total + total)
        return replace(new, price=min(max(self.price + RATE * new.shortfall, 0.0), MOST))
