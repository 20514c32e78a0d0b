"""The text graph against all similarities sorted, however texts come and change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.catalogue.nearest.text import NEAREST, NEIGHBOURS, TextGraph

COUNT = 300
DIMENSION = 8
TIE = 1e-6
"""Similarities so close may stand in either order."""


def unit_vectors(seed: int, count: int = COUNT) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def check(graph: TextGraph, vectors: NDArray[np.float32]) -> None:
    """Every list, by brute force; a vector of zeros stands for a row that has none."""
    similar = vectors.astype(float) @ vectors.astype(float).T
    np.fill_diagonal(similar, -1.0)
    for row in range(len(vectors)):
        size = int(graph.state.sizes[row])
        held = graph.state.ids[row, :size]
        expected = np.sort(similar[row][similar[row] > TIE])[::-1][:NEIGHBOURS]
        assert len(expected) <= size <= NEIGHBOURS
        assert len(set(held.tolist())) == size
        assert np.allclose(graph.state.similarities[row, : len(expected)], expected, atol=TIE)
        assert np.allclose(similar[row, held[: len(expected)]], expected, atol=TIE)
        assert np.all(similar[row, held] > -TIE)


def filled(vectors: NDArray[np.float32], step: int = COUNT) -> TextGraph:
    graph = TextGraph(DIMENSION)
    graph.grow(len(vectors))
    for start in range(0, len(vectors), step):
        rows = np.arange(start, min(len(vectors), start + step))
        graph.put(rows, vectors[rows], len(vectors))
    return graph


@pytest.mark.parametrize("step", [1, 7, COUNT])
def test_lists_are_exact_however_items_arrive(step: int) -> None:
    vectors = unit_vectors(0)
    check(filled(vectors, step), vectors)


@pytest.mark.parametrize("step", [1, 30])
def test_every_list_is_exact_after_replacements(step: int) -> None:
    """Thirty of three hundred once left 82 lists wrong and 162 too short."""
    vectors = unit_vectors(0)
    graph, new = filled(vectors), unit_vectors(1)
    rows = np.random.default_rng(2).permutation(COUNT)[:180]
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        vectors[some] = new[some]
        graph.put(some, new[some], COUNT)
        check(graph, vectors)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.integers(0, 179), min_size=1, max_size=40, unique=True), min_size=1, max_size=12
    ),
    st.integers(0, 99),
)
def test_every_list_is_exact_after_any_announcements(batches: list[list[int]], seed: int) -> None:
    graph, vectors = TextGraph(DIMENSION), np.zeros((180, DIMENSION), np.float32)
    graph.grow(180)
    for number, batch in enumerate(batches):
        rows = np.array(batch)
        vectors[rows] = unit_vectors(seed + number, 180)[rows]
        graph.put(rows, vectors[rows], 180)
    check(graph, vectors)


@pytest.mark.parametrize("dimension", [8, 48, 384])
def test_a_similarity_has_the_same_bits_whichever_items_came_together(dimension: int) -> None:
    drawn = np.random.default_rng(4).normal(size=(200, dimension)).astype(np.float32)
    vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    graphs = [TextGraph(dimension) for _ in range(3)]
    for graph, step in zip(graphs, (1, 32, 200), strict=True):
        graph.grow(200)
        for start in range(0, 200, step):
            rows = np.arange(start, min(200, start + step))
            graph.put(rows, vectors[rows], 200)
    for other in graphs[1:]:
        sizes = graphs[0].state.sizes
        assert np.array_equal(other.state.sizes, sizes)
        for row, size in enumerate(sizes):
            for mine, theirs in zip(graphs[0].state[:2], other.state[:2], strict=True):
                assert np.array_equal(mine[row, :size], theirs[row, :size])


def test_those_whose_nearest_changed_are_named_once() -> None:
    vectors = unit_vectors(0)
    graph = filled(vectors)
    assert list(graph.take_moved()) == list(range(COUNT))
    assert list(graph.take_moved()) == []
    before = [set(graph.state.ids[row, :NEAREST].tolist()) for row in range(COUNT)]
    vectors[5] = -vectors[5]
    graph.put(np.array([5]), vectors[5:6], COUNT)
    after = [set(graph.state.ids[row, :NEAREST].tolist()) for row in range(COUNT)]
    changed = {row for row in range(COUNT) if before[row] != after[row]}
    moved = set(graph.take_moved().tolist())
    assert changed <= moved
    assert len(moved) < COUNT / 2
