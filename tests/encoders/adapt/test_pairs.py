from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from encoders.adapt.pairs import Pair, batch_of, false_negatives

WORDS = st.sampled_from("abcdef")
PAIRS = st.builds(Pair, WORDS, WORDS, st.frozensets(WORDS))


@given(
    st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, 40))),
    st.integers(0, 5),
)
def test_each_pair_comes_once_an_epoch(sizes: tuple[int, int], seed: int) -> None:
    many, batch = sizes
    pairs = [Pair(str(n), "x") for n in range(many)]
    drawn = [one for n in range(many) for one in batch_of(pairs, batch, n, seed)]
    for epoch in range(batch):
        own = drawn[epoch * many : (epoch + 1) * many]
        assert Counter(one.anchor for one in own) == Counter(one.anchor for one in pairs)


def test_a_batch_depends_on_its_number_and_the_seed_alone() -> None:
    pairs = [Pair(str(n), "x") for n in range(50)]
    assert batch_of(pairs, 8, 11, 3) == batch_of(pairs, 8, 11, 3)
    assert batch_of(pairs, 8, 11, 3) != batch_of(pairs, 8, 11, 4)
    assert batch_of(pairs, 8, 0, 3) != batch_of(pairs, 8, 1, 3)


@given(st.lists(PAIRS, min_size=1, max_size=8))
def test_no_text_that_belongs_to_a_row_counts_against_it(batch: list[Pair]) -> None:
    forward, backward = false_negatives(batch)
    for row, one in enumerate(batch):
        assert not forward[row, row]
        assert not backward[row, row]
        for column, other in enumerate(batch):
            if row == column:
                continue
            own = {one.anchor, one.positive, *one.liked}
            assert forward[row, column] == (other.positive in own or other.anchor == one.anchor)
            assert backward[row, column] == (other.anchor in own or other.positive == one.positive)


def test_others_stay_negatives() -> None:
    forward, backward = false_negatives([Pair("a", "b", frozenset("ab")), Pair("c", "d")])
    assert not forward.any()
    assert not backward.any()
    assert forward.dtype == np.bool_
