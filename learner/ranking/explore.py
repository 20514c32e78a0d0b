"""Exploration: the last place of some lists shows a new item by lot, so that it can be seen before
it has been met.

Which items may be drawn and with what probability is stated exactly, so that a policy which was not
running can be valued from the lists that were shown (learner/testing/off_policy.py). It knows
nothing about ids of items, nor about scores beyond their order.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from learner.counts.counts import CountState
from learner.ranking.candidates import is_cold

__all__ = ["POOL", "draw", "pool", "propensities"]

POOL = 10
_HALF = 2.0**64


def draw(seed: int, lot: str, chance: float) -> float:
    """Where in the pool this lot falls, in [0, 1); -1 where the list is not explored (all but
    `chance` of the lots).

    The same seed and lot fall at the same place: a redelivered event draws what it drew before.
    Nobody outside may know a lot: `Pseudonymizer.lot` makes it of the event's id and a secret.
    """
    digest = blake2b(f"{seed}\n{lot}".encode(), digest_size=16).digest()
    whether, which = (int.from_bytes(half) / _HALF for half in (digest[:8], digest[8:]))
    return min(which, float(np.nextafter(1.0, 0.0))) if whether < chance else -1.0


@kernel
def pool(
    state: CountState,
    pinned: NDArray[np.bool_],
    found: NDArray[np.int32],
    order: NDArray[np.int64],
    shown: int,
    out: NDArray[np.int64],
) -> int:
    """Writes to `out` the positions of the best items of at most two events that stand below the
    `shown` first of `order`.

    Returns how many; none where the list has one place or a pinned item on its last.
    """
    count = 0
    if shown < 2 or pinned[found[order[shown - 1]]]:
        return count
    for place in range(shown, len(order)):
        item = found[order[place]]
        if count < len(out) and is_cold(state, item) and not pinned[item]:
            out[count] = order[place]
            count += 1
    return count


def propensities(places: int, pool_size: int, chance: float, explored: bool) -> list[float]:
    """The exact probability that each place of a list holds the item that it holds, given the
    user's state and the model.
    """
    if not places or not pool_size:
        return [1.0] * places
    return [1.0] * (places - 1) + [chance / pool_size if explored else 1.0 - chance]
