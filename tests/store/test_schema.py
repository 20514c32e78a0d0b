"""Ids and what stands of a batch."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from store.codec import encode_user
from store.schema import newest, point_id
from tests.store.states import DIMENSION, state


def test_a_point_id_never_changes() -> None:
    assert point_id("user-1") == "feb49cdc-5d37-5aea-b05c-984bcc3f6a9c"
    assert uuid.UUID(point_id("Ünïcode")).version == 5


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=12), st.booleans())
def test_newest_is_the_highest_sequence_of_each_id(rows: list[tuple[str, int]], last: bool) -> None:
    points = [encode_user(state(name, sequence), DIMENSION) for name, sequence in rows]
    left = newest(points, last_of_equals=last)
    assert [point.name for point in left] == list(dict.fromkeys(name for name, _ in rows))
    for point in left:
        equals = [
            each for each in points if each.name == point.name and each.sequence == point.sequence
        ]
        assert point.sequence == max(each.sequence for each in points if each.name == point.name)
        assert point is equals[-1 if last else 0]
