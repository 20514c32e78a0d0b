"""Which items newcomers like in a burst: for each item a cumulative sum over the likes of users
with a short past, of how much more often they come than the item's own share of them explains.

    sum ← max(0, sum - (RISE - 1) · share · likes since) + ln RISE    a newcomer's like
    sum ← max(0, sum - ln RISE)                                       anybody else's

It is Page's test (1954) for a Poisson rate that rises `RISE`-fold. Profiles that are made to push
an item are new, and like what newcomers did not like before; that those with a past like it too
speaks for the item. It knows nothing about records.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from learner.counts.influence import Influence
from upwell.system.lru import Lru

__all__ = ["ALARM", "SUSPECT", "Detector"]

RISE = 8.0
SUSPECT: Mapping[str, float] = {"burst": 9.0, "strict": 3.0}
"""Of the sum, by how strict: about five likes close to each other, and two."""
ALARM = 9.0
"""Of the sum: about five, which chance brings once in e^9 likes of an item."""
PRIOR_LIKES, PRIOR_OF = 1.0, 300.0
"""What an item is taken to have before it was seen."""
WARM_UP = 1_000
"""Newcomers' likes, in which shares are learned and nothing is suspect."""
OTHERS_WEIGHT = 0.25
"""Of a like of someone with a past, in an item's share."""
HALF_LIFE = 20_000.0
"""Newcomers' likes, after which one counts half in a share."""
MOST_ITEMS = 65_536
"""That are followed; of more the one seen last the longest ago is forgotten."""
_GAIN = math.log(RISE)
_DECAY = math.log(2.0) / HALF_LIFE


@dataclass(slots=True)
class _Item:
    """known: decayed likes before the excursion; excess: in it. at: newcomers' likes by then."""

    known: float = 0.0
    excess: float = 0.0
    sum: float = 0.0
    at: int = 0


class Detector:
    """`see` each like once, in one order: the same order comes to the same."""

    def __init__(self) -> None:
        self._past = Influence()
        self._items: Lru[str, _Item] = Lru(MOST_ITEMS)
        self._likes = 0
        self._total = 0.0

    def newcomer(self, past: int) -> bool:
        """Whether a user with so many earlier events has less than the usual past; all events are
        to come through here.
        """
        return bool(self._past.weigh([past])[0] < 1.0)

    def see(self, item_id: str, newcomer: bool) -> float:
        """The item's sum after a user's first like of it."""
        one = self._items.get(item_id) or _Item(at=self._likes)
        self._items[item_id] = one
        one.sum = self._fallen(one)
        if one.sum == 0.0:
            one.known, one.excess = one.known + one.excess, 0.0
        one.known *= math.exp(-_DECAY * (self._likes - one.at))
        if not newcomer:
            one.sum = max(0.0, one.sum - _GAIN)
            one.known += OTHERS_WEIGHT
            one.at = self._likes
            return one.sum
        self._likes += 1
        self._total += 1.0 - _DECAY * self._total
        one.at = self._likes
        if self._likes <= WARM_UP:
            one.known += 1.0
            return 0.0
        one.excess += 1.0
        one.sum += _GAIN
        return one.sum

    def sum_of(self, item_id: str) -> float:
        """As it is by now."""
        one = self._items.get(item_id)
        return 0.0 if one is None else self._fallen(one)

    def _fallen(self, one: _Item) -> float:
        share = (one.known + PRIOR_LIKES) / (self._total + PRIOR_OF)
        return max(0.0, one.sum - (RISE - 1.0) * share * (self._likes - one.at))

    def state(self) -> dict[str, Any]:
        """JSON-ready."""
        past = {name: one.tolist() for name, one in self._past.arrays().items()}
        items = {
            name: (one.known, one.excess, one.sum, one.at) for name, one in self._items.items()
        }
        return {"past": past, "likes": self._likes, "total": self._total, "items": items}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse."""
        self._past.restore({name: np.array(one) for name, one in state["past"].items()})
        self._likes, self._total = int(state["likes"]), float(state["total"])
        self._items = Lru(MOST_ITEMS)
        for name, values in state["items"].items():
            self._items[name] = _Item(*values)
