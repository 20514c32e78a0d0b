"""A map that is fitted finds pictures by words it has not seen, and says how well."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.pictures.fitting import LEAST_PAIRS, _solved, fitted, found_first
from tests.encoders.tiny import message
from upwell.values import Vector

PICTURES, TEXTS, HIDDEN = 24, 16, 6


def pairs(count: int, seed: int = 0, noise: float = 0.1) -> tuple[Vector, Vector]:
    """Both sides of things that have something in common, each in its own way and place."""
    world = np.random.default_rng(100)
    rng = np.random.default_rng(seed)
    meant = rng.normal(size=(count, HIDDEN))
    sides = []
    for width in (PICTURES, TEXTS):
        seen = meant @ world.normal(size=(HIDDEN, width)) + 2.0 * world.normal(size=width)
        seen += noise * rng.normal(size=seen.shape)
        sides.append((seen / np.linalg.norm(seen, axis=1, keepdims=True)).astype(np.float32))
    return sides[0], sides[1]


def test_words_find_pictures_that_were_not_fitted() -> None:
    fit = fitted(*pairs(300))
    assert (fit.pairs, fit.held_out, fit.chance) == (300, 60, 10 / 60)
    assert fit.found > 0.9
    other = pairs(200, seed=5)
    assert found_first(fit.into_texts, *other) > 0.8


def test_what_has_nothing_in_common_is_found_by_chance() -> None:
    pictures, texts = pairs(300)
    fit = fitted(pictures, texts[np.random.default_rng(1).permutation(300)])
    assert fit.found < 0.4


def test_pictures_are_spread_as_texts_are() -> None:
    pictures, texts = pairs(300)
    drawn_together = _solved(pictures, texts, None, 1_000.0)
    placed = np.stack([drawn_together(one) for one in pictures])
    own, others = (
        float(np.linalg.norm(side - side.mean(0), axis=1).mean()) for side in (texts, placed)
    )
    assert others == pytest.approx(own, rel=0.15)


def test_the_same_pairs_give_the_same_map() -> None:
    assert fitted(*pairs(80)).into_texts.digest == fitted(*pairs(80)).into_texts.digest


def test_words_of_the_picture_model_stand_apart_and_still_teach() -> None:
    pictures, _ = pairs(100, noise=20.0)
    clear, texts = pairs(100, noise=0.05)
    words = clear + np.float32(3.0)  # elsewhere, as the two towers of such models are
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    test = pairs(300, seed=7)
    alone, taught = (found_first(_solved(pictures, texts, w, 1.0), *test) for w in (None, words))
    assert taught > alone + 0.1
    moved = _solved(pictures, texts, words + np.float32(1.0), 1.0)
    np.testing.assert_allclose(moved.turn, _solved(pictures, texts, words, 1.0).turn, atol=1e-3)


def test_words_that_teach_nothing_are_left_out() -> None:
    pictures, texts = pairs(120)
    noise = np.random.default_rng(8).normal(size=pictures.shape).astype(np.float32)
    fit = fitted(pictures, texts, noise / np.linalg.norm(noise, axis=1, keepdims=True))
    assert not fit.by_words
    assert fit.into_texts.digest == fitted(pictures, texts).into_texts.digest


def test_few_pairs_are_refused() -> None:
    assert f"needs {LEAST_PAIRS}" in message(lambda: fitted(*pairs(LEAST_PAIRS - 1)))
    assert fitted(*pairs(LEAST_PAIRS)).held_out == LEAST_PAIRS // 5
