from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.fairness import exposure
from stream.fairness.exposure import HALF_LIFE, WINDOW, Exposure, discounts

lists = st.lists(st.lists(st.integers(0, 30), unique=True, max_size=8), max_size=40)


def plainly(added: list[list[int]], rows: int) -> np.ndarray:
    values = np.zeros(rows)
    for age, one in enumerate(reversed(added)):
        for place, row in enumerate(one):
            values[row] += 2.0 ** (-age / HALF_LIFE) / math.log2(2 + place)
    return values


def filled(added: list[list[int]]) -> Exposure:
    found = Exposure()
    for one in added:
        found.add(np.array(one, np.int64))
    return found


@given(lists)
def test_a_place_has_its_discount_and_fades_with_the_lists_after_it(added: list[list[int]]) -> None:
    assert filled(added).values(31) == pytest.approx(plainly(added, 31))


def test_after_any_number_of_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "_LARGEST_SCALE", 1.01)
    added = [[number % 7, 9] for number in range(500)]
    assert filled(added).values(10) == pytest.approx(plainly(added, 10))


def test_a_list_may_be_longer_than_any() -> None:
    assert len(discounts(2_000)) == 2_000
    assert discounts(2_000)[1_999] == pytest.approx(1 / math.log2(2_001))


def test_lately_is_the_last_thousand_lists() -> None:
    found = filled([[1], [2], *[[3]] * (WINDOW - 1)])
    assert found.lately(5).tolist() == [False, False, True, True, False]


@given(lists, st.permutations(list(range(31))))
def test_items_that_move_keep_what_they_had(added: list[list[int]], new: list[int]) -> None:
    found = filled(added)
    rows: list[int | None] = [None if place == 4 else place for place in new]
    found.move(rows)
    values, before = found.values(31), plainly(added, 31)
    for old, place in enumerate(rows):
        if place is not None:
            assert values[place] == pytest.approx(before[old])
    assert values[4] == 0.0
