"""Labels are filled from what came before alone, and what is said of their error is so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.propagation.labels import (
    GRID,
    calibration,
    filled,
    hidden,
    scores,
    thresholds,
    told,
    votes,
)

SIDE = 40


def clusters(seed: int = 7, items: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around four corners, and which corner is whose label."""
    rng = np.random.default_rng(seed)
    of = rng.integers(4, size=items)
    vectors = np.eye(4, 8)[of] + rng.normal(0.0, 0.1, (items, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), np.eye(4, dtype=np.bool_)[of]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(1, SIDE), later=st.integers(0, 1000))
def test_what_an_item_is_given_depends_on_what_came_before_alone(
    seed: int, cut: int, later: int
) -> None:
    vectors, held = clusters(seed, SIDE)
    known = ~hidden(held, 0.4, seed)
    other, names = clusters(later, SIDE)
    changed, renamed = vectors.copy(), held.copy()
    changed[cut:], renamed[cut:] = other[cut:], names[cut:]
    shares, anew = votes(vectors, held, known), votes(changed, renamed, known)
    np.testing.assert_allclose(shares[:cut], anew[:cut], atol=1e-6)
    at, again = thresholds(shares, held, known), thresholds(shares, renamed, known)
    np.testing.assert_array_equal(at[:cut], again[:cut])


def test_the_hidden_neither_vote_nor_move_a_threshold() -> None:
    vectors, held = clusters()
    gone = hidden(held, 0.5, 7)
    wrong = np.where(gone[:, None], ~held, held)
    shares, anew = (votes(vectors, one, ~gone) for one in (held, wrong))
    np.testing.assert_array_equal(shares, anew)
    at, again = (thresholds(shares, one, ~gone) for one in (held, wrong))
    np.testing.assert_array_equal(at, again)


def test_nobody_votes_on_itself_and_the_first_is_given_nothing() -> None:
    vectors = np.eye(3, dtype=np.float32)
    held = np.eye(3, dtype=np.bool_)
    everyone = np.ones(3, np.bool_)
    assert not votes(vectors, held, everyone).any()
    assert not votes(vectors, held, everyone, later=True).any()
    near = np.array([[1, 0], [0.8, 0.6], [0.8, 0.6]], np.float32)
    assert votes(near, held, everyone)[:2].tolist() == [[0, 0, 0], [1, 0, 0]]
    assert votes(near, held, everyone, later=True)[0].tolist() == pytest.approx([0, 0.5, 0.5])


def test_votes_of_numbers_are_their_mean() -> None:
    near = np.array([[0.8, 0.6], [0.8, 0.6], [0.8, 0.6]], np.float32)
    earned = np.array([[2.0], [4.0], [9.0]])
    found = votes(near, earned, np.ones(3, np.bool_))
    assert found[:, 0].tolist() == pytest.approx([0.0, 2.0, 3.0])


def test_items_near_their_kind_are_filled_and_told_as_they_are() -> None:
    vectors, held = clusters()
    gone = hidden(held, 0.5, 7)
    shares = votes(vectors, held, ~gone)
    at = thresholds(shares, held, ~gone)
    real = scores(filled(shares, at)[gone], held[gone])
    assert real.f1 > 0.9
    assert told(shares, held, ~gone, at).f1 == pytest.approx(real.f1, abs=0.1)
    assert calibration(shares[gone], held[gone]) < 0.1


def test_labels_that_texts_say_nothing_of_are_told_to_be_bad() -> None:
    vectors, held = clusters()
    held = held[np.random.default_rng(1).permutation(len(held))]
    known = ~hidden(held, 0.5, 7)
    shares = votes(vectors, held, known)
    found = told(shares, held, known, thresholds(shares, held, known))
    assert found.f1 < 0.6


def test_the_threshold_is_the_best_on_those_before() -> None:
    shares = np.array([[0.9], [0.5], [0.5], [0.0]], np.float32)
    held = np.array([[True], [False], [False], [True]])
    found = thresholds(shares, held, np.ones(4, np.bool_))
    assert found[0] == GRID[len(GRID) // 2]
    assert found[1] == pytest.approx(0.05)  # all that is said is right
    assert 0.5 < found[2] <= 0.9
    assert 0.5 < found[3] <= 0.9


def test_scores_of_all_labels_together() -> None:
    held = np.array([[True, True], [False, True]])
    given = np.array([[True, False], [True, False]])
    assert scores(given, held) == (1 / 2, 1 / 3, 2 / 5)
    assert scores(np.zeros_like(held), held) == (0.0, 0.0, 0.0)


def test_calibration_is_the_gap_between_confidence_and_truth() -> None:
    shares = np.full((10, 1), 0.75, np.float32)
    held = np.arange(10)[:, None] < 5
    assert calibration(shares, held) == pytest.approx(0.25)
    assert calibration(np.zeros((3, 1), np.float32), np.zeros((3, 1), np.bool_)) == 0.0


def test_a_share_of_the_labelled_is_hidden_by_seed() -> None:
    _, held = clusters()
    held[:20] = False
    gone = hidden(held, 0.5, 7)
    assert gone.sum() == 50
    assert not gone[:20].any()
    np.testing.assert_array_equal(gone, hidden(held, 0.5, 7))
    assert (gone != hidden(held, 0.5, 8)).any()
