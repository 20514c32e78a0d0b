"""Why an entry stands in a list: each signal's exact share of its score, and the item or the words
that caused it.

The score is linear in the features, so the shares of one signal's features sum to its share, and
all shares to the score. It knows nothing about how weights are learned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from learner.counts.counts import FAR_DECAY, NEAR_DECAY, RECENT_WINDOW, CountState
from learner.counts.neighbours import value_of
from learner.ranking import affinity
from learner.ranking.affinity import LONG, SHORT, TEXT_DEPTH
from learner.ranking.gate import PER_SIGNAL, GateState
from learner.ranking.names import FIRST_DENSE, FIRST_ORDER, FIRST_USER, SIGNALS
from upwell.recommendations import Reason

__all__ = [
    "BOOST",
    "CAUSED",
    "FATIGUE",
    "LEXICAL",
    "NEW_ITEM",
    "OTHER",
    "SHARES",
    "UPTAKE",
    "causes",
    "reasons",
    "shares",
]

NEW_ITEM = "new_item"
UPTAKE = "uptake"
BOOST = "boost"
LEXICAL = "lexical"
FATIGUE = "fatigue"
OTHER = "other"
SHARES = (*SIGNALS, NEW_ITEM, UPTAKE, BOOST, LEXICAL, FATIGUE)
_SIGNALS = len(SIGNALS)
CAUSED = FIRST_DENSE - FIRST_USER  # signals that an item of the history causes


@kernel
def shares(gate: GateState, band: int, x: NDArray[np.float32], out: NDArray[np.float64]) -> None:
    """x: (F,) of one candidate. out: (len(SHARES),) each signal's share of its score, then the new
    item's; the others are left as they are.
    """
    for signal in range(_SIGNALS):
        total = 0.0
        for feature in range(PER_SIGNAL * signal, PER_SIGNAL * (signal + 1)):
            total += (gate.weights[0, feature] + gate.weights[1 + band, feature]) * x[feature]
        out[signal] = total
    last = len(x) - 1
    out[_SIGNALS] = (gate.weights[0, last] + gate.weights[1 + band, last]) * x[last]


@kernel
def _text_value(state: CountState, row: int, item: int) -> float:
    for place in range(state.text.sizes[row]):
        if state.text.ids[row, place] == item:
            return float(state.text.similarities[row, place])
    return 0.0


@kernel
def _blame(
    out: NDArray[np.int32], best: NDArray[np.float64], signal: int, row: int, value: float
) -> None:
    if value > best[signal]:
        best[signal] = value
        out[signal] = row


@kernel
def _blame_relation(
    state: CountState,
    out: NDArray[np.int32],
    best: NDArray[np.float64],
    row: int,
    item: int,
    worth: float,
) -> None:
    for place in range(state.relations.sizes[row]):
        if state.relations.ids[row, place] == item:
            _blame(out, best, affinity.RELATED, row, worth)
            kind = state.relations.kinds[row, place]
            if kind > 0:
                _blame(out, best, affinity.RELATED + kind, row, worth)


@kernel
def causes(
    state: CountState,
    history: NDArray[np.int32],
    liked: NDArray[np.bool_],
    item: int,
    out: NDArray[np.int32],
) -> None:
    """out: (CAUSED,) the row of the history item that gives the most to each signal of `item`, -1
    where none does.
    """
    best = np.zeros(CAUSED)
    out[:] = -1
    if len(history):
        out[FIRST_ORDER - FIRST_USER :] = history[0]
    liked_place = 0
    for place in range(min(LONG, len(history))):
        row = history[place]
        if place < TEXT_DEPTH:
            _blame(
                out, best, affinity.NEAR_ANY, row, value_of(state.near_any, row, item) * 0.5**place
            )
            _blame(out, best, affinity.TEXT, row, _text_value(state, row, item))
        if place == 0:
            _blame(out, best, affinity.LAST, row, value_of(state.last, row, item))
        if place < RECENT_WINDOW:
            _blame(
                out,
                best,
                affinity.RECENT,
                row,
                value_of(state.recent, row, item) * NEAR_DECAY**place,
            )
        if place < SHORT:
            _blame(out, best, affinity.FAR, row, value_of(state.far, row, item) * FAR_DECAY**place)
            _blame(out, best, affinity.AFFINITY_ANY, row, value_of(state.pairs_any, row, item))
        if liked[place]:
            if liked_place < TEXT_DEPTH:
                _blame(
                    out,
                    best,
                    affinity.NEAR,
                    row,
                    value_of(state.near, row, item) * 0.5**liked_place,
                )
            value = value_of(state.pairs, row, item)
            share = value / (state.liked[row] + affinity.PRIOR_COUNT)
            _blame(out, best, affinity.AFFINITY_50, row, share)
            if liked_place < SHORT:
                _blame(out, best, affinity.AFFINITY_10, row, share)
                _blame(
                    out, best, affinity.COVISITATION, row, value / np.sqrt(state.liked[row] + 1e-9)
                )
                _blame_relation(state, out, best, row, item, affinity.RELATED_DECAY**liked_place)
            liked_place += 1


def reasons(
    weights: NDArray[np.float64],
    because: Sequence[int],
    title: Callable[[int], str | None],
    words: str | None,
    most: int,
    disliked: Set[int] = frozenset(),
) -> tuple[Reason, ...]:
    """weights: (len(SHARES),) shares of one entry; because: rows from `causes`. The `most`
    strongest, and the sum of the rest as `other`. What speaks for an entry names no `disliked` row.
    """
    order = [
        int(place) for place in np.argsort(-np.abs(weights), kind="stable") if weights[place] != 0.0
    ]
    named = []
    for place in order[:most]:
        signal = SHARES[place]
        cause = words if signal in ("intent", LEXICAL) else None
        row = because[place - FIRST_USER] if 0 <= place - FIRST_USER < len(because) else -1
        if row >= 0 and (weights[place] < 0.0 or row not in disliked):
            cause = title(row)
        named.append(Reason(signal=signal, weight=float(weights[place]), because=cause))
    rest = order[most:]
    if rest:
        named.append(Reason(signal=OTHER, weight=float(weights[rest].sum())))
        named.sort(key=lambda reason: -abs(reason.weight))
    return tuple(named)
