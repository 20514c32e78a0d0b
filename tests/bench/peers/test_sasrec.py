"""The training examples of the SASRec peer; the library itself is an extra and stays out of the
tests.
"""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bench.peers.sasrec import LAST, windows

PADDING = 9


@given(st.lists(st.integers(0, PADDING - 1), max_size=4 * LAST))
def test_each_step_of_a_user_is_one_example(sequence: list[int]) -> None:
    parts = windows(sequence, PADDING)
    assert parts.shape[1:] == (LAST + 1,)
    assert [
        step for part in parts.tolist() for step in pairwise(part) if PADDING not in step
    ] == list(pairwise(sequence))
