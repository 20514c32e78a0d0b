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
from learner.catalogue.relations import Relation
from learner.counts.counts import FAR_DECAY, NEAR_DECAY, RECENT_WINDOW, CountState
from learner.counts.neighbours import Neighbours
from learner.objectives.rates import Lifts
from learner.ranking import affinity
from learner.ranking.affinity import LONG, MANY, SHORT, TEXT_DEPTH, Scratch
from learner.ranking.gate import PER_SIGNAL, GateState
from learner.ranking.names import BESIDE, BRAND, FIRST_DENSE, FIRST_ORDER, FIRST_USER, SIGNALS
from upwell.recommendations import Reason

__all__ = [
    "BOOST",
    "CAUSED",
    "FAIRNESS",
    "FATIGUE",
    "LEXICAL",
    "NEW_ITEM",
    "OTHER",
    "SHARES",
    "UPTAKE",
    "causes",
    "lifted",
    "reasons",
    "shares",
    "tell_lifts",
]

NEW_ITEM = "new_item"
UPTAKE = "uptake"
BOOST = "boost"
LEXICAL = "lexical"
FATIGUE = "fatigue"
FAIRNESS = "fairness"
OTHER = "other"
SHARES = (*SIGNALS, NEW_ITEM, UPTAKE, BOOST, LEXICAL, FATIGUE, FAIRNESS, *BESIDE)
_SIGNALS = len(SIGNALS)
_BOOST = SHARES.index(BOOST)
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
def _blame(
    scratch: Scratch,
    best: NDArray[np.float64],
    signal: int,
    row: int,
    ids: NDArray[np.int32],
    values: NDArray[np.float32],
    factor: float,
    out: NDArray[np.int32],
) -> None:
    """A history item's row of a table: which listed items owe it the most of a signal so far."""
    member = scratch.member
    for entry in range(len(ids)):
        place = -1 - member[ids[entry]]
        if place >= 0:
            value = values[entry] * factor
            if value > best[place, signal]:
                best[place, signal] = value
                out[place, signal] = row


@kernel
def _blame_table(
    scratch: Scratch,
    best: NDArray[np.float64],
    signal: int,
    row: int,
    table: Neighbours,
    factor: float,
    out: NDArray[np.int32],
) -> None:
    size = table.sizes[row]
    worth = factor / table.step[0]
    _blame(scratch, best, signal, row, table.ids[row, :size], table.values[row, :size], worth, out)


@kernel
def _blame_pairs(
    state: CountState,
    scratch: Scratch,
    best: NDArray[np.float64],
    row: int,
    short: bool,
    out: NDArray[np.int32],
) -> None:
    member, step = scratch.member, state.pairs.step[0]
    ids, values = state.pairs.ids, state.pairs.values
    share = 1.0 / ((state.liked[row] + affinity.PRIOR_COUNT) * step)
    own = 1.0 / (np.sqrt(state.liked[row] + 1e-9) * step)
    for entry in range(state.pairs.sizes[row]):
        place = -1 - member[ids[row, entry]]
        if place < 0:
            continue
        value = values[row, entry]
        if value * share > best[place, affinity.AFFINITY_50]:
            best[place, affinity.AFFINITY_50] = value * share
            out[place, affinity.AFFINITY_50] = row
        if short and value * share > best[place, affinity.AFFINITY_10]:
            best[place, affinity.AFFINITY_10] = value * share
            out[place, affinity.AFFINITY_10] = row
        if short and value * own > best[place, affinity.COVISITATION]:
            best[place, affinity.COVISITATION] = value * own
            out[place, affinity.COVISITATION] = row


@kernel
def _blame_relations(
    state: CountState,
    scratch: Scratch,
    best: NDArray[np.float64],
    row: int,
    worth: float,
    out: NDArray[np.int32],
) -> None:
    member, graph = scratch.member, state.relations
    ids, kinds = graph.ids, graph.kinds
    for edge in range(graph.sizes[row]):
        place = -1 - member[ids[row, edge]]
        if place < 0:
            continue
        kind = kinds[row, edge]
        for signal in (affinity.RELATED, affinity.RELATED + kind):  # the same where it is of none
            if worth > best[place, signal]:
                best[place, signal] = worth
                out[place, signal] = row


@kernel
def _blame_liked(
    state: CountState,
    scratch: Scratch,
    best: NDArray[np.float64],
    row: int,
    place: int,
    out: NDArray[np.int32],
) -> None:
    """place: among the liked."""
    if place < TEXT_DEPTH:
        _blame_table(scratch, best, affinity.NEAR, row, state.near, 0.5**place, out)
    _blame_pairs(state, scratch, best, row, place < SHORT, out)
    if place < SHORT:
        _blame_relations(state, scratch, best, row, affinity.RELATED_DECAY**place, out)


@kernel
def _blame_any(
    state: CountState,
    scratch: Scratch,
    best: NDArray[np.float64],
    row: int,
    place: int,
    out: NDArray[np.int32],
) -> None:
    """place: among all."""
    if place < TEXT_DEPTH:
        size = state.text.sizes[row]
        ids, alike = state.text.ids[row, :size], state.text.similarities[row, :size]
        _blame(scratch, best, affinity.TEXT, row, ids, alike, 1.0, out)
        _blame_table(scratch, best, affinity.NEAR_ANY, row, state.near_any, 0.5**place, out)
    if place == 0:
        _blame_table(scratch, best, affinity.LAST, row, state.last, 1.0, out)
    if place < RECENT_WINDOW:
        _blame_table(scratch, best, affinity.RECENT, row, state.recent, NEAR_DECAY**place, out)
    if place < SHORT:
        _blame_table(scratch, best, affinity.FAR, row, state.far, FAR_DECAY**place, out)
        _blame_table(scratch, best, affinity.AFFINITY_ANY, row, state.pairs_any, 1.0, out)


@kernel
def _of_brand(brands: NDArray[np.int32], history: NDArray[np.int32], item: int) -> int:
    """The newest item of the history that has the item's brand, -1 where none has."""
    for row in history[:MANY]:
        if brands[row] >= 0 and brands[row] == brands[item]:
            return int(row)
    return -1


@kernel
def causes(
    state: CountState,
    scratch: Scratch,
    history: NDArray[np.int32],
    liked: NDArray[np.bool_],
    items: NDArray[np.int32],
    out: NDArray[np.int32],
) -> None:
    """out: (k, CAUSED) the row of the history item that gives the most to each signal of each of
    the distinct `items` (k,), -1 where none does.

    Ends the user's round: who is a candidate is not known afterwards.
    """
    best = np.zeros((len(items), CAUSED))
    out[:] = -1
    if len(history):
        out[:, FIRST_ORDER - FIRST_USER :] = history[0]
    for place in range(len(items)):
        scratch.member[items[place]] = -1 - place
    liked_place = 0
    for place in range(min(LONG, len(history))):
        row = history[place]
        _blame_any(state, scratch, best, row, place, out)
        if liked[place]:
            _blame_liked(state, scratch, best, row, liked_place, out)
            liked_place += 1
    for place in range(len(items)):
        out[place, BRAND - FIRST_USER] = _of_brand(state.features.brand, history, items[place])
        scratch.member[items[place]] = 0


def reasons(
    weights: NDArray[np.float64],
    because: Sequence[int],
    title: Callable[[int], str | None],
    words: str | None,
    most: int,
    disliked: Set[int] = frozenset(),
    related: Callable[[str, int], Relation | None] = lambda signal, row: None,
) -> tuple[Reason, ...]:
    """weights: (len(SHARES),) shares of one entry; because: rows from `causes`. The `most`
    strongest, and the sum of the rest as `other`. What speaks for an entry names no `disliked` row.
    related: by which relation a signal's row is that entry's, where it is one of relations.
    """
    order = [
        int(place) for place in np.argsort(-np.abs(weights), kind="stable") if weights[place] != 0.0
    ]
    named = []
    for place in order[:most]:
        signal = SHARES[place]
        cause = words if signal in ("intent", LEXICAL) else None
        row = because[place - FIRST_USER] if 0 <= place - FIRST_USER < len(because) else -1
        by = None
        if row >= 0 and (weights[place] < 0.0 or row not in disliked):
            cause, by = title(row), related(signal, row)
        name, value = by or (None, None)
        weight = float(weights[place])
        named.append(
            Reason(signal=signal, weight=weight, because=cause, relation=name, value=value)
        )
    rest = order[most:]
    if rest:
        named.append(Reason(signal=OTHER, weight=float(weights[rest].sum())))
        named.sort(key=lambda reason: -abs(reason.weight))
    return tuple(named)


def lifted(boost: NDArray[np.float64], lifts: Lifts) -> NDArray[np.float64]:
    """(capacity,) what is added to scores: the operators' boost and all lifts."""
    for lift in lifts.values():
        if len(lift):
            boost = boost.copy()
            boost[: len(lift)] += lift
    return boost


def tell_lifts(
    rows: NDArray[np.int32],
    told: NDArray[np.float64],
    boost: NDArray[np.float64],
    lifts: Lifts,
) -> None:
    """Tells them apart in the shares of lists that were made by what `lifted` gave. rows: (b, K) -1
    where a list is shorter; told: (b, K, len(SHARES)). lifts: by share.
    """
    stands = rows >= 0
    for name, lift in lifts.items():
        if len(lift):
            told[stands, _BOOST] = boost[rows[stands]]
            places = np.minimum(rows[stands], len(lift))
            told[stands, SHARES.index(name)] = np.append(lift, 0.0)[places]
