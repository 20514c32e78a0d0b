"""Neighbour lists beyond what is compared in full: against all similarities sorted, as texts come
and change.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.catalogue.nearest.text import NEAREST, NEIGHBOURS, TextGraph

COUNT, DIMENSION, EXACT = 5_000, 24, 600


def vectors(seed: int = 0, count: int = COUNT) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def filled(of: NDArray[np.float32], step: int = COUNT, exact: int = EXACT) -> TextGraph:
    graph = TextGraph(DIMENSION, exact)
    graph.grow(len(of))
    for start in range(0, len(of), step):
        rows = np.arange(start, min(len(of), start + step))
        graph.put(rows, of[rows], len(of))
    return graph


def recall(graph: TextGraph, of: NDArray[np.float32], most: int) -> float:
    similar = of @ of.T
    np.fill_diagonal(similar, -1.0)
    best = np.argsort(-similar, axis=1)[:, :most]
    return float(
        np.mean(
            [
                len(np.intersect1d(graph.state.ids[row, : min(most, size)], best[row])) / most
                for row, size in enumerate(graph.state.sizes)
            ]
        )
    )


def check(graph: TextGraph, of: NDArray[np.float32]) -> None:
    """Lists are in order, hold nobody twice nor their own row, and say what is."""
    for row, size in enumerate(graph.state.sizes):
        ids, similarities = graph.state.ids[row, :size], graph.state.similarities[row, :size]
        assert len(np.unique(ids)) == size
        assert row not in ids
        assert np.all(np.diff(similarities) <= 0.0)
        np.testing.assert_allclose(of[ids] @ of[row], similarities, atol=1e-5)


def test_lists_have_nearly_all_of_the_nearest() -> None:
    of = vectors()
    graph = filled(of)
    check(graph, of)
    assert recall(graph, of, NEAREST) >= 0.96
    assert recall(graph, of, NEIGHBOURS) >= 0.94


@pytest.mark.parametrize("step", [1, 37, 640])
def test_in_what_batches_texts_came_makes_no_difference(step: int) -> None:
    of = vectors(count=1_500)
    one, other = filled(of), filled(of, step)
    assert np.array_equal(one.state.sizes, other.state.sizes)
    for row, size in enumerate(one.state.sizes):
        for mine, theirs in zip(one.state[:2], other.state[:2], strict=True):
            assert np.array_equal(mine[row, :size], theirs[row, :size])


def test_up_to_so_many_texts_nothing_is_other_than_in_full() -> None:
    of = vectors(count=EXACT)
    one, other = filled(of, 50), filled(of, 50, exact=10**6)
    assert not one.large
    assert int(one.cells.state.used[0]) == 0
    for mine, theirs in zip(one.state, other.state, strict=True):
        assert np.array_equal(mine, theirs)
    one.grow(EXACT + 1)
    one.put(np.array([EXACT]), vectors(9)[:1], EXACT + 1)
    assert one.large


@pytest.mark.parametrize("step", [1, 300])
def test_a_replaced_text_leaves_the_lists_around_the_old_and_joins_those_around_the_new(
    step: int,
) -> None:
    of = vectors()
    graph, new = filled(of), vectors(1)
    rows = np.random.default_rng(2).permutation(COUNT)[:900]
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        of[some] = new[some]
        graph.put(some, new[some], COUNT)
    assert graph.texts == COUNT
    assert int(graph.cells.state.sizes.sum()) == COUNT
    stale = sum(
        int((np.abs(of[ids[:size]] @ of[row] - similarities[:size]) > 1e-4).sum())
        for row, (ids, similarities, size) in enumerate(zip(*graph.state, strict=True))
    )
    assert stale < 0.002 * graph.state.sizes.sum()
    assert recall(graph, of, NEAREST) >= 0.95
    assert graph.state.sizes.min() >= NEIGHBOURS


def test_those_whose_nearest_changed_are_named_once_and_all_others_stayed() -> None:
    of = vectors()
    graph = filled(of)
    graph.take_moved()
    assert list(graph.take_moved()) == []
    before = [set(graph.state.ids[row, :NEAREST].tolist()) for row in range(COUNT)]
    graph.put(np.array([5]), -of[5:6], COUNT)
    after = [set(graph.state.ids[row, :NEAREST].tolist()) for row in range(COUNT)]
    changed = {row for row in range(COUNT) if before[row] != after[row]}
    moved = set(graph.take_moved().tolist())
    assert changed <= moved
    assert 0 < len(moved) < COUNT / 4
