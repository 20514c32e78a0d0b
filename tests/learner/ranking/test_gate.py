"""Features, score and learning against a plain numpy reading of the rule."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.ranking.explain import shares
from learner.ranking.gate import (
    BIAS_RATE,
    BIAS_SHRINK,
    FEATURES,
    KEPT_SQUARE,
    LEAST_SHARE,
    PER_SIGNAL,
    RATE,
    GateState,
    band_of,
    empty_gate,
    features,
    learn,
    scores,
    widened,
)
from learner.ranking.names import SIGNALS

N = 23
FOUND = np.arange(N, dtype=np.int32)[::-1].copy()


def gate_of_items() -> GateState:
    return widened(empty_gate(), N)


def plain_ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    above = (values[None, :] > values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1)
    return np.asarray(-np.log(1.0 + above + 0.5 * (equal - 1)), np.float64)


def plain_features(raw: NDArray[np.float32], cold: NDArray[np.bool_]) -> NDArray[np.float64]:
    columns = []
    for values in raw:
        if (values == values[0]).all():
            columns += [np.zeros(len(values))] * PER_SIGNAL
            continue
        spread = values.std()
        z = (values - values.mean()) / spread if spread > 1e-6 else np.zeros(len(values))
        cold_ranks = np.zeros(len(values))
        cold_ranks[cold] = plain_ranks(values[cold])
        columns += [z, plain_ranks(values), z * cold, cold_ranks]
    return np.stack([*columns, cold.astype(float)], axis=1)


def example(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    raw = rng.integers(0, 6, size=(len(SIGNALS), N)).astype(np.float32)
    raw[3] = 2.0  # a signal that says nothing
    return raw, rng.random(N) < 0.3


@pytest.mark.parametrize("seed", range(4))
def test_features_are_z_scores_and_log_ranks_among_all_and_among_the_cold(seed: int) -> None:
    raw, cold = example(seed)
    x = np.zeros((N, FEATURES), np.float32)
    features(raw, cold, x)
    assert np.allclose(x, plain_features(raw, cold), atol=1e-4)


def test_features_of_values_that_are_no_numbers_end() -> None:
    raw, cold = example()
    x, spoilt = np.zeros((2, N, FEATURES), np.float32)
    features(raw, cold, x)
    raw[0, :4] = np.nan
    features(raw, cold, spoilt)
    assert np.array_equal(spoilt[:, PER_SIGNAL:], x[:, PER_SIGNAL:])  # of the other signals


@pytest.mark.parametrize(
    ("events", "band"),
    [(0, 0), (1, 1), (2, 1), (3, 2), (6, 2), (7, 3), (14, 3), (15, 4), (10_000, 4)],
)
def test_bands_are_powers_of_two(events: int, band: int) -> None:
    assert band_of(events) == band


def test_learning_is_one_adagrad_step_on_the_softmax_for_the_shared_weights_and_the_band() -> None:
    raw, cold = example()
    x = np.zeros((N, FEATURES), np.float32)
    features(raw, cold, x)
    gate, score = gate_of_items(), np.zeros(N)
    scores(gate, 2, FOUND, x, score)
    assert not score.any()
    learn(gate, 2, FOUND, x, score, 4, 2.0)
    gradient = 2.0 * (x[4] - x.mean(axis=0))
    step = RATE * gradient / np.sqrt(KEPT_SQUARE * 0.01 + gradient**2)
    for which in range(6):
        assert np.allclose(gate.weights[which], step if which in (0, 3) else 0.0, atol=1e-5)
    scores(gate, 2, FOUND, x, score)
    assert score.argmax() == 4


def test_shares_sum_to_the_score() -> None:
    raw, cold = example()
    x = np.zeros((N, FEATURES), np.float32)
    features(raw, cold, x)
    gate, score = gate_of_items(), np.zeros(N)
    for target in (4, 9, 4):
        scores(gate, 1, FOUND, x, score)
        learn(gate, 1, FOUND, x, score, target, 1.0)
    scores(gate, 1, FOUND, x, score)
    for row in range(N):
        out = np.zeros(len(SIGNALS) + 3)
        shares(gate, 1, x[row], out)
        assert out.sum() + gate.bias[FOUND[row]] == pytest.approx(score[row], abs=1e-5)


def test_an_items_bias_follows_what_is_chosen_beyond_its_share() -> None:
    raw, cold = example()
    x = np.zeros((N, FEATURES), np.float32)
    features(raw, cold, x)
    gate, score = gate_of_items(), np.zeros(N)
    gate.bias[:] = np.linspace(-1.0, 1.0, N)
    before = gate.bias.copy()
    score[0] = 20.0  # all others are far below LEAST_SHARE
    learn(gate, 0, FOUND, x, score, 4, 1.0)
    chosen, shown = FOUND[4], FOUND[0]
    assert gate.bias[chosen] == pytest.approx(
        before[chosen] + BIAS_RATE - BIAS_SHRINK * before[chosen], abs=1e-4
    )
    assert gate.bias[shown] == pytest.approx(
        before[shown] - BIAS_RATE - BIAS_SHRINK * before[shown], abs=1e-4
    )
    assert np.flatnonzero(gate.moved).tolist() == sorted([chosen, shown])
    assert (gate.bias == before).sum() == N - 2
    assert np.exp(-20.0) < LEAST_SHARE


def test_an_item_there_is_no_room_for_has_no_bias() -> None:
    raw, cold = example()
    x = np.zeros((N, FEATURES), np.float32)
    features(raw, cold, x)
    gate, score = empty_gate(), np.ones(N)
    learn(gate, 0, FOUND, x, score, 4, 1.0)
    scores(gate, 0, FOUND, np.zeros_like(x), score)
    assert not score.any()
