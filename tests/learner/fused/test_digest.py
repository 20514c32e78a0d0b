"""Digests: the same for the same rows in any order, another for any bit that ranks."""

from __future__ import annotations

from hashlib import blake2b
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from learner.fused.digest import combined, item_keys, row_digests

ROWS, WIDTH = 5, 3
TABLES = arrays(np.float32, (ROWS, WIDTH), elements=st.floats(-9, 9, width=16))
KEYS = item_keys([f"i{n}" for n in range(ROWS)])


@given(TABLES, st.permutations(range(ROWS)))
def test_the_order_of_items_does_not_matter_but_whose_row_is_whose_does(
    values: NDArray[np.float32], order: list[int]
) -> None:
    digests = row_digests(values)
    whole = combined(KEYS, digests)
    assert 0 <= whole < 2**64
    assert combined(KEYS[order], digests[order]) == whole
    for one, other in pairwise(range(ROWS)):
        if digests[one] != digests[other]:
            swapped = digests.copy()
            swapped[[one, other]] = digests[[other, one]]
            assert combined(KEYS, swapped) != whole


@pytest.mark.parametrize("kind", [np.float16, np.float32])
@given(values=TABLES, row=st.integers(0, ROWS - 1), column=st.integers(0, WIDTH - 1))
def test_one_other_number_is_another_digest_of_its_row_alone(
    kind: type[np.floating], values: NDArray[np.float32], row: int, column: int
) -> None:
    before, after = values.astype(kind), values.astype(kind)
    after[row, column] = np.nextafter(before[row, column], kind(100.0))
    changed = row_digests(after) != row_digests(before)
    assert changed[row]
    assert np.flatnonzero(changed).tolist() == [row]


def test_rows_of_zeros_say_nothing_whatever_the_sign_and_who_else_is_there() -> None:
    values = np.array([[0.0, -0.0], [1.0, 2.0]], np.float32)
    digests = row_digests(values)
    assert digests[0] == 0
    assert combined(KEYS[:2], digests) == combined(KEYS[1:2], digests[1:])


@given(arrays(np.float32, (ROWS, 4), elements=st.floats(-9, 9, width=16)), st.integers(0, 120))
def test_columns_may_be_added_up_part_by_part(values: NDArray[np.float32], first: int) -> None:
    whole = row_digests(values, first)
    parts = row_digests(values[:, :1], first) + row_digests(values[:, 1:], first + 1)
    np.testing.assert_array_equal(whole, parts)


def test_a_key_is_odd_the_items_own_and_the_same_in_every_process() -> None:
    keys = item_keys([f"item {number}" for number in range(1_000)])
    assert (keys % 2 == 1).all()
    assert len(np.unique(keys)) == len(keys)
    digest = int.from_bytes(blake2b("ü".encode(), digest_size=8).digest(), "little")
    assert item_keys(["item 7", "ü"]).tolist() == [keys[7], digest | 1]
