"""Lists for a block of users in one compiled call: the best k with each signal's share and cause.
It knows nothing about ids.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from learner.counts.block import Block
from learner.counts.counts import CountState
from learner.ranking.affinity import Scratch
from learner.ranking.explain import (
    BOOST,
    CAUSED,
    FATIGUE,
    LEXICAL,
    SHARES,
    UPTAKE,
    causes,
    shares,
)
from learner.ranking.explore import POOL, pool
from learner.ranking.gate import FEATURES, PER_SIGNAL, GateState, band_of, bias_of, tired
from learner.ranking.names import FIRST_DENSE, VARIETY
from learner.ranking.rank import most_candidates, prepare, rank_user
from learner.variety.places import Variety, arrange

__all__ = ["Lists", "Wishes", "list_block"]

_INTENT = PER_SIGNAL * FIRST_DENSE  # the z-score of the intent's similarity
_FIRST = 1e9  # lifts a pinned item above any score
_UPTAKE, _BOOST, _LEXICAL, _FATIGUE = (
    SHARES.index(name) for name in (UPTAKE, BOOST, LEXICAL, FATIGUE)
)
_DIVERSITY, _CALIBRATION = (SHARES.index(name) for name in VARIETY)


class Wishes(NamedTuple):
    """allowed: (masks, capacity) items that may stand in a list. mask: (b,) which of them holds for
    a user. k: (b,) how many.

    promoted: rows that are candidates for everybody. boost: (capacity,) is added to the score.
    pinned: (capacity,) stand first. search: (b,) weight of the intent's z-score beside what the
    gate learned: a user who just said what they want is taken at their word. lot: (b,) where in the
    pool of new items the last place is drawn from, in [0, 1); below 0 where it is not drawn. named:
    (b, n) rows whose titles are written like a user's words, -1 where fewer: they are candidates.
    likeness: (b, n) in z-scores, weighed as the intent's. shown: (b, n) rows that the user was
    shown and left, descending, -1 where fewer; impressions: (b, n) how often.
    """

    allowed: NDArray[np.bool_]
    mask: NDArray[np.int64]
    k: NDArray[np.int64]
    promoted: NDArray[np.int32]
    boost: NDArray[np.float64]
    pinned: NDArray[np.bool_]
    search: NDArray[np.float64]
    lot: NDArray[np.float64]
    named: NDArray[np.int32]
    likeness: NDArray[np.float64]
    shown: NDArray[np.int32]
    impressions: NDArray[np.float64]


class Lists(NamedTuple):
    """rows: (b, K) best first, -1 where a list is shorter. shares: (b, K, len(SHARES)). because:
    (b, K, user signals) rows or -1.

    pool: (b,) how many new items the last place could be drawn from. explored: (b,) it was.
    """

    rows: NDArray[np.int32]
    shares: NDArray[np.float64]
    because: NDArray[np.int32]
    pool: NDArray[np.int64]
    explored: NDArray[np.bool_]

    @classmethod
    def empty(cls, users: int, longest: int) -> Lists:
        """To be filled by `list_block`."""
        return cls(
            np.full((users, longest), -1, np.int32),
            np.zeros((users, longest, len(SHARES))),
            np.full((users, longest, CAUSED), -1, np.int32),
            np.zeros(users, np.int64),
            np.zeros(users, np.bool_),
        )


@kernel
def _center(x: NDArray[np.float32]) -> None:
    """Features less their mean over the candidates: the order stays, and a share says how an entry
    differs from the others.
    """
    for feature in range(x.shape[1]):
        x[:, feature] -= np.mean(x[:, feature])


@kernel
def _with_named(wishes: Wishes, user: int) -> NDArray[np.int32]:
    """Rows that are candidates of the user whatever their signals say."""
    named = wishes.named[user]
    return np.concatenate((wishes.promoted, named[named >= 0]))


@kernel
def _wanted(wishes: Wishes, user: int, item: int) -> float:
    """How much the item's title is written like the user's words."""
    for place in range(wishes.named.shape[1]):
        if wishes.named[user, place] == item:
            return float(wishes.search[user] * wishes.likeness[user, place])
    return 0.0


@kernel
def _fatigue(gate: GateState, wishes: Wishes, user: int, item: int) -> float:
    """What the user's unanswered impressions of the item add to its score."""
    low, high = 0, wishes.shown.shape[1]
    while low < high:
        middle = (low + high) // 2
        if wishes.shown[user, middle] > item:
            low = middle + 1
        else:
            high = middle
    if low < wishes.shown.shape[1] and wishes.shown[user, low] == item:
        return tired(gate, wishes.impressions[user, low])
    return 0.0


@kernel
def list_block(
    state: CountState,
    gate: GateState,
    scratch: Scratch,
    block: Block,
    wishes: Wishes,
    variety: Variety,
    depth: int,
    rows: int,
    lists: Lists,
) -> None:
    """Fills `lists`: pinned items first, then by score, as far as `variety` leaves that; of equals
    the one found first. A lot puts a new item on the last place.
    """
    longest = lists.rows.shape[1]
    most = most_candidates(depth, longest + len(wishes.promoted) + wishes.named.shape[1])
    found, score = np.zeros(most, np.int32), np.zeros(most, np.float64)
    x = np.zeros((most, FEATURES), np.float32)
    new = np.zeros(POOL, np.int64)
    for user in range(len(wishes.k)):
        allowed = wishes.allowed[wishes.mask[user]]
        prepare(state, scratch, block, user)
        n = rank_user(
            state,
            gate,
            scratch,
            allowed,
            block,
            user,
            depth,
            rows,
            wishes.k[user],
            _with_named(wishes, user),
            found,
            x,
            score,
        )
        key = np.zeros(n)
        for position in range(n):
            item = found[position]
            wanted = wishes.search[user] * x[position, _INTENT] + _wanted(wishes, user, item)
            worth = score[position] + wanted + wishes.boost[item]
            key[position] = -(worth + _fatigue(gate, wishes, user, item)) - (
                _FIRST if wishes.pinned[item] else 0.0
            )
        order, terms = np.argsort(key, kind="mergesort"), np.zeros((n, 2))
        _center(x[:n])
        usual = 0.0
        for position in range(n):
            usual += bias_of(gate, found[position]) / n
        shown = min(wishes.k[user], n)
        start, end = block.starts[user], block.starts[user + 1]
        liked = block.history[start:end][block.liked[start:end]]
        categories = state.features.categories
        first = arrange(variety, categories, liked, wishes.pinned, found, key, shown, order, terms)
        lists.pool[user] = pool(state, wishes.pinned, found, order[:first], shown, new)
        if wishes.lot[user] >= 0.0 and lists.pool[user] > 0:
            order[shown - 1] = new[int(wishes.lot[user] * lists.pool[user])]
            lists.explored[user] = True
        band = band_of(block.events[user])
        for place in range(shown):
            position = order[place]
            item = found[position]
            lists.rows[user, place] = item
            shares(gate, band, x[position], lists.shares[user, place])
            lists.shares[user, place, FIRST_DENSE] += wishes.search[user] * x[position, _INTENT]
            lists.shares[user, place, _UPTAKE] = bias_of(gate, item) - usual
            lists.shares[user, place, _BOOST] = wishes.boost[item]
            lists.shares[user, place, _LEXICAL] = _wanted(wishes, user, item)
            lists.shares[user, place, _FATIGUE] = _fatigue(gate, wishes, user, item)
            lists.shares[user, place, _DIVERSITY] = terms[position, 0]
            lists.shares[user, place, _CALIBRATION] = terms[position, 1]
        causes(
            state,
            scratch,
            block.history[start:end],
            block.liked[start:end],
            lists.rows[user, :shown],
            lists.because[user, :shown],
        )
