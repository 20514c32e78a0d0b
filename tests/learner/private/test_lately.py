"""What of told sums came of late."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.private.continual import Noise
from learner.private.lately import Lately, deviation

HALF_LIFE = 100.0
LENGTHS = st.lists(st.integers(1, 400), min_size=1, max_size=12)


def told(sums: np.ndarray, lengths: list[int], noise: Noise | None = None) -> np.ndarray:
    """sums: (E, rows) running. The last of what is told of late."""
    own = Lately(HALF_LIFE)
    nothing = np.zeros(sums.shape[1])
    for epoch, after in enumerate(sums):
        said = after if noise is None else after + noise.of(epoch, 1, len(after))[0]
        found = own.tell(said, nothing, lengths[: epoch + 1], 0)
    return found


@given(LENGTHS, st.data())
def test_what_came_fades_by_its_half_life(lengths: list[int], data: st.DataObject) -> None:
    came = data.draw(st.lists(st.integers(0, 50), min_size=len(lengths), max_size=len(lengths)))
    ends = np.cumsum(lengths)
    expected = sum(
        one * 0.5 ** ((ends[-1] - end) / HALF_LIFE) for one, end in zip(came, ends, strict=True)
    )
    found = told(np.cumsum(came).reshape(-1, 1).astype(float), lengths)
    assert found == pytest.approx([expected])


@pytest.mark.parametrize("lengths", [[200], [200, 230, 264, 304], [50] * 9])
def test_its_noise_has_the_deviation_that_is_stated(lengths: list[int]) -> None:
    found = told(np.zeros((len(lengths), 40_000)), lengths, Noise(bytes(32), "lately"))
    assert found.std() == pytest.approx(deviation(lengths, HALF_LIFE), rel=0.02)


def test_a_row_that_is_new_came_as_a_whole() -> None:
    own = Lately(HALF_LIFE)
    own.tell(np.array([5.0]), np.zeros(1), [10], 0)
    found = own.tell(np.array([5.0, 9.0]), np.array([0.0, 2.0]), [10, 100], 0)
    assert found.tolist() == [2.5, 7.0]


def test_of_what_was_told_under_other_noise_nothing_came() -> None:
    own = Lately(HALF_LIFE)
    own.tell(np.array([5.0]), np.zeros(1), [10], 0)
    assert own.tell(np.array([50.0]), np.zeros(1), [10, 100], 1).tolist() == [2.5]
    assert own.tell(np.array([51.0]), np.zeros(1), [10, 100, 100], 1).tolist() == [2.25]


def test_of_rows_of_an_older_checkpoint_nothing_came_yet() -> None:
    own = Lately(HALF_LIFE)
    own.unknown(2)
    found = own.tell(np.array([5.0, 6.0, 7.0]), np.zeros(3), [10, 10], 0)
    assert found.tolist() == [0.0, 0.0, 7.0]


def test_it_goes_on_after_a_checkpoint() -> None:
    one, other = Lately(HALF_LIFE), Lately(HALF_LIFE)
    one.tell(np.array([5.0]), np.zeros(1), [10], 2)
    other.restore(one.arrays())
    after = [own.tell(np.array([8.0]), np.zeros(1), [10, 50], 2).tolist() for own in (one, other)]
    assert after[0] == after[1]
