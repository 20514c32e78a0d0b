"""The gate: one linear score over z-scores and log ranks of all signals and a bias an item, learned
online from each tested target.

All start at zero: no prior for any log. Squares and biases fade, so that a long stream can still
change its mind. It knows nothing about where signals come from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel
from learner.catalogue.order import best_first
from learner.counts.lifetime import empty_lifetime
from learner.counts.repeats import empty_repeats
from learner.ranking.names import SIGNALS

__all__ = [
    "BANDS",
    "FEATURES",
    "PER_SIGNAL",
    "GateState",
    "band_of",
    "bias_of",
    "empty_gate",
    "features",
    "learn",
    "learn_wear",
    "scores",
    "tired",
    "widened",
]

PER_SIGNAL = 4
FEATURES = PER_SIGNAL * len(SIGNALS) + 1
BANDS = 5
RATE = 0.04
KEPT_SQUARE = 0.9999
"""Of AdaGrad's sums, a target: half is gone after 6,931."""
BIAS_RATE = 0.1
BIAS_SHRINK = 0.002
WEAR = -1.0
"""Of ln(1 + unanswered impressions), before anything is learned: a chance of 1 / (1 + n)."""
LEAST_WEAR = -2.0
_WEAR_SQUARE = 1.0
LEAST_SHARE = 1e-3
"""Of the softmax: a candidate below it keeps its bias, so that few change with a target."""
_FIRST_SQUARE = 0.01


class GateState(NamedTuple):
    """weights, squares: (1 + bands, F) shared first, then one set for each band of history length;
    squares are AdaGrad's fading sums.

    bias: (N,) an item's: how much more often it is chosen than its signals say. moved: (N,) it
    changed since it was last published. wear: (2,) the weight of ln(1 + unanswered impressions),
    from `LEAST_WEAR` to 0, and AdaGrad's sum of its squares. lifetime, repeats: (2,) each, as of
    `empty_lifetime` and `empty_repeats`.
    """

    weights: NDArray[np.float64]
    squares: NDArray[np.float64]
    bias: NDArray[np.float32]
    moved: NDArray[np.bool_]
    wear: NDArray[np.float64]
    lifetime: NDArray[np.float64]
    repeats: NDArray[np.float64]


def empty_gate() -> GateState:
    """All weights zero but that of impressions, and no item yet."""
    shape = (1 + BANDS, FEATURES)
    return GateState(
        np.zeros(shape),
        np.full(shape, _FIRST_SQUARE),
        np.zeros(0, np.float32),
        np.zeros(0, np.bool_),
        np.array([WEAR, _WEAR_SQUARE]),
        empty_lifetime(),
        empty_repeats(),
    )


def widened(gate: GateState, capacity: int) -> GateState:
    """With room for `capacity` items."""
    return gate._replace(bias=grown(gate.bias, capacity), moved=grown(gate.moved, capacity))


@kernel
def band_of(user_events: int) -> int:
    """min(floor(log2(1 + events)), 4)."""
    band = 0
    while band < BANDS - 1 and (1 + user_events) >> (band + 1) > 0:
        band += 1
    return band


@kernel
def _rank_features(
    values: NDArray[np.float32],
    cold: NDArray[np.bool_],
    worth: NDArray[np.float32],
    ranks: NDArray[np.float32],
    cold_ranks: NDArray[np.float32],
) -> None:
    """-ln(1 + rank), ties at their mean rank (from 0), among all and among the cold. worth: (2n,)
    of twice a rank.
    """
    order, ranked = best_first(values)
    n, start, cold_before = len(values), 0, 0
    while start < n:
        end, cold_tied = start, 0
        while True:
            cold_tied += cold[order[end]]
            end += 1
            if end == n or (end <= ranked and values[order[end]] != values[order[start]]):
                break
        rank = worth[start + end - 1]
        cold_rank = worth[2 * cold_before + cold_tied - 1] if cold_tied else np.float32(0.0)
        for position in range(start, end):
            ranks[order[position]] = rank
            cold_ranks[order[position]] = cold_rank if cold[order[position]] else 0.0
        cold_before += cold_tied
        start = end


@kernel
def _says_nothing(values: NDArray[np.float32]) -> bool:
    """The same of all."""
    place = 1
    while place < len(values) and values[place] == values[0]:
        place += 1
    return place >= len(values)


@kernel
def features(raw: NDArray[np.float32], cold: NDArray[np.bool_], out: NDArray[np.float32]) -> None:
    """raw: (S, n) signals of the candidates, already logged where they are counts. out: (n, 4·S +
    1), 0 where a signal says the same of all.
    """
    signals, n = raw.shape
    ranks, cold_ranks = np.zeros(n, np.float32), np.zeros(n, np.float32)
    worth = np.zeros(2 * n, np.float32)
    for twice in range(2 * n):
        worth[twice] = -np.log(1.0 + 0.5 * twice)
    for signal in range(signals):
        values = raw[signal]
        if _says_nothing(values):
            out[:, 4 * signal : 4 * signal + 4] = 0.0
            continue
        mean, square = 0.0, 0.0
        for position in range(n):
            mean += values[position]
            square += values[position] * values[position]
        mean /= n
        deviation = np.sqrt(max(square / n - mean * mean, 0.0))
        scale = 1.0 / deviation if deviation > 1e-6 else 0.0
        _rank_features(values, cold, worth, ranks, cold_ranks)
        for position in range(n):
            z = (values[position] - mean) * scale
            out[position, 4 * signal] = z
            out[position, 4 * signal + 1] = ranks[position]
            out[position, 4 * signal + 2] = z if cold[position] else 0.0
            out[position, 4 * signal + 3] = cold_ranks[position]
    for position in range(n):
        out[position, 4 * signals] = 1.0 if cold[position] else 0.0


@kernel
def bias_of(gate: GateState, item: int) -> float:
    """0 where there is no room for the item."""
    return float(gate.bias[item]) if item < len(gate.bias) else 0.0


@kernel
def scores(
    gate: GateState,
    band: int,
    found: NDArray[np.int32],
    x: NDArray[np.float32],
    out: NDArray[np.float64],
) -> None:
    """out: (n,) the score of each of the items `found` (n,) with features x (n, F)."""
    weights = (gate.weights[0] + gate.weights[1 + band]).astype(np.float32)
    for position in range(len(x)):
        total = np.float32(0.0)
        for feature in range(x.shape[1]):
            total += weights[feature] * x[position, feature]
        out[position] = total + bias_of(gate, found[position])


@kernel
def learn(
    gate: GateState,
    band: int,
    found: NDArray[np.int32],
    x: NDArray[np.float32],
    score: NDArray[np.float64],
    target: int,
    weight: float,
) -> None:
    """One step up the log-likelihood of row `target` under the softmax of the scores: AdaGrad for
    the weights, plain for the biases.
    """
    n, width = x.shape
    top = score.max()
    p = np.exp(score - top)
    p /= p.sum()
    gradient = np.zeros(width, np.float32)
    for position in range(n):
        share = np.float32(-weight * p[position]) + (
            np.float32(weight) if position == target else np.float32(0.0)
        )
        item = found[position]
        if item < len(gate.bias) and (position == target or p[position] >= LEAST_SHARE):
            gate.bias[item] += BIAS_RATE * share - BIAS_SHRINK * gate.bias[item]
            gate.moved[item] = True
        for feature in range(width):
            gradient[feature] += share * x[position, feature]
    for which in (0, 1 + band):
        for feature in range(width):
            g = gradient[feature]
            gate.squares[which, feature] = KEPT_SQUARE * gate.squares[which, feature] + g * g
            gate.weights[which, feature] += RATE * g / np.sqrt(gate.squares[which, feature])


@kernel
def tired(gate: GateState, impressions: float) -> float:
    """What so many unanswered impressions add to an item's score: at most nothing."""
    return float(gate.wear[0] * np.log1p(impressions))


@kernel
def learn_wear(
    gate: GateState,
    found: NDArray[np.int32],
    score: NDArray[np.float64],
    target: int,
    beside: NDArray[np.int32],
    impressions: NDArray[np.float64],
) -> None:
    """One step up the log-likelihood that row `target` was chosen among the items `beside` that it
    was shown with, given their `score` by all else. What was not shown could not be chosen, so it
    says nothing here.

    impressions: (len(beside),) unanswered before they were shown together.
    """
    places, worn, count, at = (
        np.zeros(len(beside), np.int64),
        np.zeros(len(beside)),
        0,
        -1,
    )
    for position in range(len(found)):
        for place in range(len(beside)):
            if beside[place] == found[position]:
                places[count], worn[count] = position, np.log1p(impressions[place])
                at = count if position == target else at
                count += 1
                break
    if at < 0 or count < 2:
        return
    chance = np.zeros(count)
    for one in range(count):
        chance[one] = score[places[one]] + gate.wear[0] * worn[one]
    chance = np.exp(chance - chance.max())
    chance /= chance.sum()
    g = worn[at]
    for one in range(count):
        g -= chance[one] * worn[one]
    gate.wear[1] = KEPT_SQUARE * gate.wear[1] + g * g
    gate.wear[0] = min(0.0, max(LEAST_WEAR, gate.wear[0] + RATE * g / np.sqrt(gate.wear[1])))
