"""Posts that are kept."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.watch.post import key_of
from learner.watch.rows import Row, Rows


def row(number: int) -> Row:
    return Row(key_of(str(number)), str(number), "", "", number)


def filled(count: int, capacity: int, even: bool) -> Rows:
    rows = Rows(2, capacity, even)
    for number in range(count):
        rows.add(row(number), np.full(2, number, np.float32))
    return rows


@settings(max_examples=40)
@given(st.integers(0, 400), st.integers(1, 50), st.booleans())
def test_rows_are_bounded_and_each_has_its_vector(count: int, capacity: int, even: bool) -> None:
    rows = filled(count, capacity, even)
    assert len(rows) <= capacity
    assert [one.ts for one in rows.rows] == rows.used[:, 0].tolist()
    assert [one.ts for one in rows.rows] == sorted(one.ts for one in rows.rows)


def test_the_newest_are_kept() -> None:
    rows = filled(100, 16, even=False)
    assert rows.rows[-1].ts == 99
    assert rows.rows[0].ts >= 100 - 16


def test_an_even_sample_has_of_each_time_as_many() -> None:
    rows = filled(20_000, 1_000, even=True)
    assert 400 < len(rows) <= 1_000
    early = sum(one.ts < 10_000 for one in rows.rows)
    assert abs(early / len(rows) - 0.5) < 0.06


def test_it_draws_more_again_where_there_is_room() -> None:
    rows = filled(300, 100, even=True)
    stride = rows.stride
    assert stride > 1
    rows.widen()
    assert rows.stride == stride, "it is not empty"
    rows.keep(lambda one: False)
    rows.widen()
    assert rows.stride == stride // 2
    rows.stride = 1
    rows.widen()
    assert rows.stride == 1


def test_keeping_tells_how_many_went() -> None:
    rows = filled(10, 16, even=False)
    assert rows.keep(lambda one: one.ts % 2 == 0) == 5
    assert rows.used[:, 0].tolist() == [0, 2, 4, 6, 8]
