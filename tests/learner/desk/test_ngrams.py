"""Texts as hashed n-grams."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.desk.ngrams import BUCKETS, ngrams, words_of


@given(st.text(max_size=200))
def test_any_text_has_a_length_of_one_and_distinct_buckets(text: str) -> None:
    found = ngrams(text)
    assert 0 < len(found.columns) == len(set(found.columns.tolist()))
    assert found.columns.max() < BUCKETS
    np.testing.assert_allclose(len(found.columns) * found.value**2, 1.0)


def test_case_width_and_signs_at_the_ends_of_words_say_nothing() -> None:
    assert words_of("«Ｒefund» PLEASE?!") == ["refund", "please"]
    np.testing.assert_array_equal(
        ngrams("Refund, please").columns, ngrams("refund PLEASE!").columns
    )


def test_a_slip_of_the_pen_leaves_most_of_a_word() -> None:
    right, slip = set(ngrams("cancellation").columns), set(ngrams("cancelation").columns)
    other = set(ngrams("delivery").columns)
    assert len(right & slip) > 0.5 * len(right)
    assert len(right & other) < 0.1 * len(right)
