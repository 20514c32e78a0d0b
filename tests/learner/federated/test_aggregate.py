"""What many clients say becomes one change: the same in any order, and within what honest ones
said, whatever a few liars say.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.federated.aggregate import (
    AGGREGATES,
    clamped_sum,
    krum,
    least_reports,
    mean,
    trimmed_mean,
)

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
HONEST = st.floats(-1.0, 1.0, allow_nan=False)


def of(values: NDArray[np.float64]) -> list[dict[str, NDArray[np.float64]]]:
    """(n, m) → n clients' changes, of two names."""
    return [{"a": one[:1], "b": one[1:].reshape(-1, 1)} for one in values]


def flat(found: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([found["a"].ravel(), found["b"].ravel()])


def drawn(data: st.DataObject, rows: int, numbers: st.SearchStrategy[float]) -> NDArray[np.float64]:
    some = data.draw(
        st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=rows, max_size=rows)
    )
    return np.array(some, np.float64).reshape(rows, 3)


@given(st.data())
def test_the_order_of_clients_says_nothing(data: st.DataObject) -> None:
    values = drawn(data, 7, HONEST)
    order = data.draw(st.permutations(range(7)))
    events = [1.0 + one for one in range(7)]
    shuffled = mean(of(values[order]), [events[one] for one in order])
    np.testing.assert_allclose(flat(mean(of(values), events)), flat(shuffled), atol=1e-9)
    np.testing.assert_allclose(
        flat(trimmed_mean(of(values), 2)), flat(trimmed_mean(of(values[order]), 2)), atol=1e-9
    )


@given(st.data(), st.integers(0, 3))
def test_a_trimmed_mean_stays_within_what_honest_clients_said(
    data: st.DataObject, liars: int
) -> None:
    honest = drawn(data, liars + 1, HONEST)
    lies = drawn(data, liars, st.sampled_from([1e9, -1e9, 3.0, -3.0]))
    found = flat(trimmed_mean(of(np.concatenate([lies, honest])), liars))
    assert (found >= honest.min(axis=0) - 1e-9).all()
    assert (found <= honest.max(axis=0) + 1e-9).all()


@given(st.data(), st.integers(1, 2))
def test_krum_takes_no_far_liar(data: st.DataObject, liars: int) -> None:
    honest = drawn(data, liars + 3, HONEST)
    lies = np.full((liars, 3), data.draw(st.sampled_from([1e3, -1e3])))
    found = flat(krum(of(np.concatenate([honest, lies])), liars))
    np.testing.assert_allclose(found, honest.mean(axis=0), atol=1e-9)


@given(st.data(), st.integers(0, 3))
def test_a_clamped_sum_gives_liars_no_more_than_honest_clients_or_the_floor(
    data: st.DataObject, liars: int
) -> None:
    honest = np.abs(drawn(data, 4, st.floats(0, 100)))
    lies = np.full((liars, 3), 1e12)
    bound = honest.sum(axis=0) + liars * np.maximum(honest.max(axis=0), 3.0)
    assert (clamped_sum(np.concatenate([honest, lies]), liars, 3.0) <= bound + 1e-6).all()


def test_what_one_client_alone_has_counts_up_to_the_floor() -> None:
    values = np.array([[2.0, 50.0], [0.0, 0.0], [0.0, 0.0]])
    assert clamped_sum(values, 1, 3.0).tolist() == [2.0, 3.0]


def test_a_mean_weighs_events_and_an_item_those_on_it() -> None:
    changes = [
        {"w": np.array([1.0]), "rows": np.array([[4.0], [0.0]])},
        {"w": np.array([5.0]), "rows": np.array([[0.0], [8.0]])},
    ]
    found = mean(changes, [3.0, 1.0], np.array([[1.0, 0.0], [0.0, 0.0]]), ["rows"])
    assert found["w"].tolist() == [2.0]
    assert found["rows"].tolist() == [[4.0], [0.0]]  # nobody had an event on the second item


@pytest.mark.parametrize("name", sorted(AGGREGATES))
def test_too_few_to_tell_liars_apart_is_an_error(name: str) -> None:
    least = least_reports(name, 2)
    values = np.zeros((least, 3))
    AGGREGATES[name](of(values), 2)
    with pytest.raises(ValueError, match=f"needs {least} reports"):
        AGGREGATES[name](of(values[1:]), 2)
