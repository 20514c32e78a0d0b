"""Searches without a look at all: what they find of the nearest, whom they leave out, and that the
same search finds the same.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.catalogue.nearest.text import TextGraph
from learner.catalogue.nearest.walk import FROM_CELLS, nearest, search, walk

COUNT, DIMENSION, MOST = 6_000, 24, 100
EVERYBODY = np.ones(8_192, np.bool_)
NOBODY = np.zeros(0, np.int32)


def vectors(count: int, seed: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def graph() -> TextGraph:
    made = TextGraph(DIMENSION, exact=500)
    made.grow(8_192)
    made.put(np.arange(COUNT), vectors(COUNT, 0), COUNT)
    assert made.large
    return made


def found(
    graph: TextGraph,
    to: NDArray[np.float32],
    allowed: NDArray[np.bool_] = EVERYBODY,
    blocked: NDArray[np.int32] = NOBODY,
    only: NDArray[np.int32] = NOBODY,
) -> list[int]:
    out = np.zeros(MOST, np.int32)
    search(graph.steps, graph.trail, to, only, allowed, blocked, out)
    return [int(row) for row in out if row >= 0]


def best(graph: TextGraph, to: NDArray[np.float32], among: NDArray[np.int32]) -> list[int]:
    order = np.argsort(-(graph.vectors[among] @ to), kind="stable")
    return [int(row) for row in among[order][:MOST]]


def test_of_the_hundred_nearest_hardly_any_is_missed_though_few_are_looked_at(
    graph: TextGraph,
) -> None:
    shares, looked_at = [], []
    for to in vectors(60, 1):
        expected = best(graph, to, np.arange(COUNT, dtype=np.int32))
        shares.append(len(set(found(graph, to)) & set(expected)) / MOST)
        looked_at.append(int(graph.trail.seen[0]))
    assert np.mean(shares) >= 0.98
    assert np.mean(looked_at) < 0.7 * COUNT


def test_who_is_not_allowed_or_blocked_is_not_found_and_others_are_instead(
    graph: TextGraph,
) -> None:
    to = vectors(1, 2)[0]
    first = found(graph, to)
    allowed = EVERYBODY.copy()
    allowed[first[:30]] = False
    blocked = np.array(first[30:50], np.int32)
    others = found(graph, to, allowed, blocked)
    assert len(others) == MOST
    assert not set(others) & set(first[:50])
    assert others[:50] == first[50:]
    assert found(graph, to) == first  # nobody stays left out


def test_where_few_may_be_found_it_looks_further(graph: TextGraph) -> None:
    to, allowed = vectors(1, 6)[0], np.zeros(8_192, np.bool_)
    live = np.random.default_rng(7).choice(COUNT, 300, replace=False).astype(np.int32)
    allowed[live] = True
    expected = set(best(graph, to, np.sort(live)))
    assert len(expected & set(found(graph, to, allowed))) >= 90
    allowed[live[20:]] = False
    assert set(found(graph, to, allowed)) == set(live[:20].tolist())


def test_among_some_all_are_compared(graph: TextGraph) -> None:
    to, only = vectors(1, 3)[0], np.arange(5, COUNT, 40, dtype=np.int32)
    assert found(graph, to, only=only) == best(graph, to, only)


def test_the_same_search_finds_the_same_best_first(graph: TextGraph) -> None:
    to = vectors(1, 4)[0]
    first = found(graph, to)
    found(graph, -to)
    assert found(graph, to) == first
    assert np.all(np.diff(graph.vectors[first] @ to) <= 1e-6)


def test_a_walk_from_a_row_s_neighbours_finds_them_and_not_the_row(graph: TextGraph) -> None:
    walk(graph.steps, graph.trail, 17)
    seen = set(graph.trail.rows[: graph.trail.seen[0]].tolist())
    assert 17 not in seen
    assert set(graph.state.ids[17, : graph.state.sizes[17]].tolist()) <= seen


def test_no_item_is_looked_at_twice(graph: TextGraph) -> None:
    nearest(graph.steps, graph.trail, vectors(1, 5)[0], FROM_CELLS)
    seen = graph.trail.rows[: graph.trail.seen[0]]
    assert len(np.unique(seen)) == len(seen) >= FROM_CELLS


def test_marks_that_begin_anew_hide_nobody(graph: TextGraph) -> None:
    to = vectors(1, 8)[0]
    first = found(graph, to)
    graph.trail.round[1] = (1 << 16) - 1
    graph.trail.met[:] = 1  # as left by the first of so many searches
    assert found(graph, to) == first
    assert int(graph.trail.round[1]) == 1


def test_a_short_look_goes_on_from_the_nearest_few_alone(graph: TextGraph) -> None:
    walk(graph.steps, graph.trail, 17, 0)
    assert int(graph.trail.seen[0]) == graph.state.sizes[17]
    walk(graph.steps, graph.trail, 17, 3)
    few = int(graph.trail.seen[0])
    assert graph.state.sizes[17] < few <= 4 * MOST
    walk(graph.steps, graph.trail, 17)
    assert int(graph.trail.seen[0]) > few


def test_what_is_no_number_finds_something_and_ends(graph: TextGraph) -> None:
    rows = found(graph, np.full(DIMENSION, np.nan, np.float32))
    assert all(0 <= row < COUNT for row in rows)
