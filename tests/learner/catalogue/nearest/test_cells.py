"""Cells: each row in one, none too full, and near ones together."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.catalogue.nearest.cells import (
    CELL,
    Cells,
    CellTable,
    dot,
    leave,
    nearest_first,
    settle,
)

COUNT, DIMENSION = 1_200, 8


def vectors(seed: int = 0) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(COUNT, DIMENSION)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def filled(rows: range | NDArray[np.int64], of: NDArray[np.float32]) -> Cells:
    table = CellTable(DIMENSION)
    for row in rows:
        table.grow(COUNT, 1)
        settle(table.state, of, int(row))
    return table.state


def held(cells: Cells) -> dict[int, int]:
    """Rows and their cells, as the cells have them."""
    return {
        int(row): cell
        for cell in range(int(cells.used[0]))
        for row in cells.members[cell, : cells.sizes[cell]]
    }


def test_every_row_is_in_one_cell_and_a_full_one_was_split_in_parts_not_too_small() -> None:
    cells = filled(range(COUNT), vectors())
    assert int(cells.sizes.sum()) == COUNT
    assert held(cells) == {row: int(cells.home[row]) - 1 for row in range(COUNT)}
    used = int(cells.used[0])
    assert used > COUNT // CELL
    assert cells.sizes[:used].max() < CELL
    assert cells.sizes[:used].min() >= CELL // 4
    np.testing.assert_allclose(np.linalg.norm(cells.centres[:used], axis=1), 1.0, atol=1e-5)


def test_equal_texts_are_split_too() -> None:
    same = np.repeat(vectors()[:1], COUNT, axis=0)
    cells = filled(range(CELL + 10), same)
    assert int(cells.used[0]) == 2
    assert held(cells).keys() == set(range(CELL + 10))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 599), min_size=1, max_size=60))
def test_who_leaves_is_gone_and_the_others_stay(rows: list[int]) -> None:
    cells = filled(range(600), vectors())
    for row in rows:
        leave(cells, row)  # a second time does nothing
    assert held(cells).keys() == set(range(600)) - set(rows)
    assert held(cells) == {row: int(cells.home[row]) - 1 for row in held(cells)}


def test_the_cells_of_the_most_similar_centres_come_first() -> None:
    of = vectors()
    cells = filled(range(COUNT), of)
    similar = cells.centres[: cells.used[0]] @ of[7]
    order = nearest_first(cells, of[7])
    assert np.all(np.diff(similar[order]) <= 1e-6)


def test_the_first_few_are_the_first_of_all() -> None:
    of = vectors()
    cells = filled(range(COUNT), of)
    assert list(nearest_first(cells, of[7], 3)) == list(nearest_first(cells, of[7]))[:3]


def test_a_product_is_numpy_s() -> None:
    of = vectors()
    assert abs(float(dot(of[0], of[1])) - float(of[0] @ of[1])) < 1e-6
