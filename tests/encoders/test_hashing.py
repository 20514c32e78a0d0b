"""Words to places: the same everywhere, near where words are shared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.hashing import HashingEncoder

FIRST = [0.0, 0.0, 0.0, 0.0, -0.816497, 0.408248, 0.408248, 0.0]
SECOND = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]


def test_the_same_in_every_process_and_version() -> None:
    """Faults and recorded runs compare vectors of different processes: hash() would not do."""
    first, second = HashingEncoder(8).encode(["Toy Story (1995)", ""])
    np.testing.assert_allclose(first, FIRST, atol=1e-6)
    np.testing.assert_allclose(second, SECOND, atol=1e-6)


@given(st.lists(st.text(st.characters(), max_size=30), max_size=4), st.integers(1, 9))
def test_rows_are_of_unit_length_and_of_their_own_text_alone(
    texts: list[str], dimension: int
) -> None:
    encoder = HashingEncoder(dimension)
    rows = encoder.encode(texts)
    assert rows.shape == (len(texts), encoder.dimension)
    for row, text in zip(rows, texts, strict=True):
        np.testing.assert_array_equal(row, encoder.encode([text])[0])
        assert np.linalg.norm(row) == pytest.approx(1.0, abs=1e-5)


def test_case_and_signs_do_not_count_but_order_does() -> None:
    encoder = HashingEncoder(4_096)
    one, other, turned = encoder.encode(["Toy Story!", "toy  story", "story toy"])
    np.testing.assert_array_equal(one, other)
    assert one @ turned == pytest.approx(2 / 2.25)  # both words, not their pair


def test_texts_that_share_words_are_nearer() -> None:
    toys, more, money = HashingEncoder(256).encode(
        ["a film about toys", "this film is about toys", "quarterly rates rise"]
    )
    assert toys @ more > toys @ money + 0.2


def test_the_revision_names_the_size() -> None:
    assert HashingEncoder(8).revision != HashingEncoder(9).revision
