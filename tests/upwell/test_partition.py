"""Where a key is: law and Java's own values in tests/stream/broker/test_topics.py, on the broker
too; here that the answer hangs on the number of partitions alone.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from upwell.partition import partition_of


@given(st.binary(max_size=40), st.integers(1, 60), st.integers(1, 60))
def test_a_key_has_one_place_and_a_multiple_of_partitions_keeps_it(
    key: bytes, count: int, times: int
) -> None:
    assert partition_of(key, count * times) % count == partition_of(key, count)
