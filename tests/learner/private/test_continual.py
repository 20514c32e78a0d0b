"""Running sums under correlated noise: how far a user moves what is told, and what the noise is."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.private.continual import Noise, roots, stretch

SECRET = bytes(range(32))


def root_matrix(epochs: int) -> NDArray[np.float64]:
    """C."""
    found = np.zeros((epochs, epochs))
    for column in range(epochs):
        found[column:, column] = roots(epochs - column)
    return found


def test_the_root_times_itself_is_the_running_sum() -> None:
    c = root_matrix(12)
    assert np.allclose(c @ c, np.tril(np.ones((12, 12))))


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_no_user_is_stretched_further_than_is_said(epochs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    c = root_matrix(epochs)
    once = np.zeros((epochs, 8))  # each number is moved in one epoch
    once[rng.integers(epochs, size=8), np.arange(8)] = rng.normal(size=8)
    assert np.linalg.norm(c @ once) <= stretch(epochs) * np.linalg.norm(once) + 1e-9
    often = rng.normal(size=(epochs, 8))  # what is bounded is the sum of the norms
    total = np.linalg.norm(often, axis=1).sum()
    assert np.linalg.norm(c @ often) <= stretch(epochs) * total + 1e-9


def test_it_costs_less_than_a_binary_tree() -> None:
    for epochs in (16, 64, 256):
        tree = math.sqrt(1 + math.log2(epochs))  # of the deviation in the worst node's path
        assert stretch(epochs) ** 2 < tree * tree


def test_an_epoch_is_told_twice_with_the_same_noise() -> None:
    first, again = Noise(SECRET, "likes"), Noise(SECRET, "likes")
    assert np.array_equal(first.of(5, 2, 30), again.of(5, 2, 30))


def test_another_stream_epoch_generation_or_secret_has_other_noise() -> None:
    base = Noise(SECRET, "likes").of(3, 1, 20)
    others = (
        Noise(SECRET, "gate").of(3, 1, 20),
        Noise(SECRET, "likes", 1).of(3, 1, 20),
        Noise(bytes(32), "likes").of(3, 1, 20),
        Noise(SECRET, "likes").of(4, 1, 20),
    )
    assert all(not np.isclose(base, other).any() for other in others)


def test_items_that_come_later_change_no_noise_of_the_others() -> None:
    noise = Noise(SECRET, "likes")
    assert np.array_equal(noise.of(2, 2, 50)[:, :20], noise.of(2, 2, 20))


def test_the_noise_is_the_root_of_the_running_sums_of_white_noise() -> None:
    noise, many = Noise(SECRET, "likes"), 40_000
    told = np.stack([noise.of(epoch, 1, many)[0] for epoch in range(4)])
    c = root_matrix(4)
    assert np.allclose(np.cov(told), c @ c.T, atol=0.05)
    assert abs(told.mean()) < 0.02
