"""The text graph against all similarities sorted, however the items arrive."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.catalogue.text import NEIGHBOURS, TextGraph

COUNT = 300


def unit_vectors(seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(COUNT, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def check(graph: TextGraph, vectors: NDArray[np.float32], rows: range) -> None:
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -1.0)
    for row in rows:
        size = int(graph.state.sizes[row])
        expected = np.sort(similar[row][similar[row] > 0.0])[::-1][:NEIGHBOURS]
        assert size == len(expected)
        assert np.allclose(graph.state.similarities[row, :size], expected, atol=1e-5)
        assert np.allclose(similar[row, graph.state.ids[row, :size]], expected, atol=1e-5)


@pytest.mark.parametrize("step", [1, 7, COUNT])
def test_lists_are_exact_however_items_arrive(step: int) -> None:
    vectors, graph = unit_vectors(0), TextGraph(8)
    graph.grow(COUNT)
    for start in range(0, COUNT, step):
        rows = np.arange(start, min(COUNT, start + step))
        graph.put(rows, vectors[rows], COUNT)
    check(graph, vectors, range(COUNT))


def test_a_replaced_vector_leaves_no_old_neighbours() -> None:
    vectors, graph = unit_vectors(0), TextGraph(8)
    graph.grow(COUNT)
    graph.put(np.arange(COUNT), vectors, COUNT)
    vectors[5] = -vectors[5]
    graph.put(np.array([5]), vectors[5:6], COUNT)
    check(graph, vectors, range(5, 6))
    for row in range(COUNT):
        held = graph.state.ids[row, : graph.state.sizes[row]]
        assert len(set(held)) == len(held)
        if 5 in held:
            assert vectors[row] @ vectors[5] > 0.0
