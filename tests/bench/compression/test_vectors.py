"""Smaller vectors say what they should: exactly where nothing is lost, nearly where little is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.compression.vectors import Smaller, smaller_vectors
from upwell.values import Vector

pytestmark = pytest.mark.slow


D = 384


def unit(rows: NDArray[np.float64]) -> Vector:
    made: Vector = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return made


def way(fit: Vector, name: str) -> Smaller:
    [found] = [one for one in smaller_vectors(fit, 0) if one.name == name]
    return found


@pytest.fixture
def few() -> Vector:
    """200 vectors that vary in 50 directions alone."""
    rng = np.random.default_rng(0)
    return unit(rng.normal(size=(200, 50)) @ rng.normal(size=(50, D)))


def test_a_rotation_keeps_all_products_where_the_directions_are_few(few: Vector) -> None:
    turned = way(few, "rotated 64").turned(few)
    np.testing.assert_allclose(turned @ turned.T, few @ few.T, atol=1e-5)
    cut = way(few, "first 64").turned(few)
    assert np.abs(cut @ cut.T - few @ few.T).max() > 0.1


def test_products_are_exact_of_as_many_as_there_are_centres(few: Vector) -> None:
    np.testing.assert_allclose(way(few, "products of 4").turned(few), few, atol=1e-5)


def test_whole_numbers_are_near_and_signs_are_all_as_long(few: Vector) -> None:
    assert (way(few, "int8").turned(few) * few).sum(axis=1).min() > 0.9999
    signs = way(few, "signs").turned(few)
    assert np.array_equal(signs < 0, few < 0)
    np.testing.assert_allclose(np.abs(signs), 1 / np.sqrt(D), rtol=1e-5)


def test_bytes_are_those_that_are_kept(few: Vector) -> None:
    assert {one.name: one.bytes for one in smaller_vectors(few, 0)} == {
        "first 256": 1_024,
        "rotated 256": 1_024,
        "first 128": 512,
        "rotated 128": 512,
        "first 64": 256,
        "rotated 64": 256,
        "int8": 388,
        "products of 4": 96,
        "products of 8": 48,
        "signs": 48,
    }
    for one in smaller_vectors(few, 0):
        np.testing.assert_allclose(np.linalg.norm(one.turned(few), axis=1), 1.0, atol=1e-5)
