"""Tests examples as the learner does and keeps what each would teach the gate, instead of teaching
it: nothing is counted either. It knows nothing about users' bounds or noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from learner.counts.block import Block, Targets
from learner.counts.counts import CountState
from learner.ranking.affinity import Scratch
from learner.ranking.gate import FEATURES, GateState
from learner.ranking.rank import most_candidates
from learner.testing.prequential import Outcome, test_user

__all__ = ["softmax_gradient", "test_block"]


@kernel
def softmax_gradient(
    x: NDArray[np.float32], score: NDArray[np.float64], target: int, out: NDArray[np.float32]
) -> None:
    """out: (F,) of the log-likelihood of row `target` under the softmax of the scores (n,)."""
    p = np.exp(score - score.max())
    p /= p.sum()
    for position in range(len(x)):
        share = np.float32(-p[position])
        if position == target:
            share += np.float32(1.0)
        for feature in range(x.shape[1]):
            out[feature] += share * x[position, feature]


@kernel
def test_block(
    state: CountState,
    gate: GateState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    block: Block,
    targets: Targets,
    outcome: Outcome,
    gradients: NDArray[np.float32],
    depth: int,
    rows: int,
    announced: int,
) -> None:
    """gradients: (b, F) zeros, filled for each example that is tested and whose item was a
    candidate. announced: how many of the `rows` are allowed.
    """
    most = most_candidates(depth, 0)
    found, score = np.zeros(most, np.int32), np.zeros(most, np.float64)
    x = np.zeros((most, FEATURES), np.float32)
    for user in range(len(targets.rows)):
        if targets.tested[user]:
            n, at = test_user(
                state,
                gate,
                scratch,
                allowed,
                block,
                user,
                targets.rows[user],
                outcome,
                depth,
                rows,
                announced,
                found,
                x,
                score,
            )
            if at >= 0:
                softmax_gradient(x[:n], score[:n], at, gradients[user])
