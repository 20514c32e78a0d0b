from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from learner.counts.bands import NEWNESS, POPULARITY, newness_bands, popularity_bands


def test_head_and_tail_are_the_fifths_of_the_interactions() -> None:
    counts = np.array([0.0, 20.0, 5.0, 60.0, 5.0, 10.0])
    bands = popularity_bands(counts, np.ones(6, np.bool_))
    named = [POPULARITY[band] for band in bands]
    # 60 of 100 stand first; behind 80 of them all is tail, and so is what nobody chose
    assert named == ["tail", "mid", "tail", "head", "tail", "tail"]


def test_what_may_not_stand_in_a_list_is_in_no_group() -> None:
    listed = np.array([True, False, True])
    assert popularity_bands(np.array([1.0, 9.0, 0.0]), listed).tolist() == [0, -1, 2]
    assert newness_bands(np.array([0, 1, 2]), listed).tolist() == [2, -1, 0]


def test_newness_is_by_the_order_of_announcement() -> None:
    position = np.arange(20)[::-1]
    named = [NEWNESS[band] for band in newness_bands(position, np.ones(20, np.bool_))]
    assert named == ["new"] * 2 + ["recent"] * 8 + ["old"] * 10


@given(
    arrays(np.float64, st.integers(0, 40), elements=st.integers(0, 9).map(float)),
    st.randoms(use_true_random=False),
)
def test_no_item_is_in_a_higher_band_than_a_more_popular_one(
    counts: np.ndarray, random: object
) -> None:
    listed = np.array([bool(random.getrandbits(1)) for _ in counts], np.bool_)  # type: ignore[attr-defined]
    bands = popularity_bands(counts, listed)
    assert ((bands >= 0) == listed).all()
    order = np.argsort(-counts[listed], kind="stable")
    assert (np.diff(bands[listed][order]) >= 0).all()
    assert (bands[listed & (counts == 0.0)] == 2).all()
