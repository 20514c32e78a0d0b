from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.replay.adaptation.nearness import mean_reciprocal_rank, ndcg10, ranks
from stream.replay.adaptation.stretches import Target


def target(row: int, likes: tuple[int, ...], had: tuple[int, ...], *slices: str) -> Target:
    return Target(row, likes, had, ("all", *slices))


@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_ranks_are_those_of_a_plain_count(seed: int, many: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, (12, 2)).astype(np.float32)  # ties are frequent, sums exact
    targets = []
    for _ in range(many):
        order = rng.permutation(12).tolist()
        had = tuple(order[: rng.integers(0, 6)])
        targets.append(target(order[-1], had[-2:], had))
    for found, one in zip(ranks(vectors, targets), targets, strict=True):
        profile = vectors[list(one.likes)].mean(axis=0) if one.likes else np.zeros(2, np.float32)
        scores = [float(profile @ vectors[row]) for row in range(12) if row not in one.had]
        own = float(profile @ vectors[one.row])
        more = sum(score > own + 1e-5 for score in scores)
        same = sum(abs(score - own) <= 1e-5 for score in scores)
        assert found == pytest.approx(1 + more + (same - 1) / 2)


def test_who_has_no_likes_tells_nothing() -> None:
    vectors = np.eye(41, dtype=np.float32)
    [found] = ranks(vectors, [target(3, (), (0,))])
    assert found == 20.5  # in the middle of 40


def test_figures_by_slice() -> None:
    found = np.array([1.0, 3.0, 11.0])
    targets = [target(0, (), (), "warm"), target(0, (), (), "cold_user"), target(0, (), (), "warm")]
    figures = ndcg10(found, targets)
    assert figures == pytest.approx({"all": 0.5, "warm": 0.5, "cold_user": 0.5})
    assert mean_reciprocal_rank(found) == pytest.approx((1 + 1 / 3 + 1 / 11) / 3)
