"""Around a model: texts made fit, lists filled up, batches put back in their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from encoders.engines.padding import MAX_CHARACTERS, TOKEN_BUDGET, Tally, clean, in_batches, padded
from upwell.values import Vector


def test_a_text_is_cut_and_loses_what_no_tokenizer_takes() -> None:
    [cut, question] = clean(["x" * (MAX_CHARACTERS + 1), "a \ud800"])
    assert cut == "x" * MAX_CHARACTERS
    assert question == "a ?"


def test_shorter_ones_are_filled_up_and_masked() -> None:
    ids, mask = padded([[5, 6, 7], [8]], pad=1)
    assert ids.tolist() == [[5, 6, 7], [8, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_batches_keep_the_budget_and_the_order_of_the_texts() -> None:
    tokens = [[number] * (1 + number % 40) for number in range(500)]
    sizes: list[int] = []

    def pooled(batch: Sequence[Sequence[int]]) -> Vector:
        sizes.append(len(batch) * max(map(len, batch)))
        return np.array([[one[0], len(one)] for one in batch], np.float32)

    tally = Tally()
    vectors = in_batches(tokens, pooled, 2, tally)
    assert tally.tokens == sum(map(len, tokens))
    assert vectors.tolist() == [[one[0], len(one)] for one in tokens]
    assert len(sizes) > 1
    assert max(sizes) <= TOKEN_BUDGET


def test_no_texts_are_no_vectors() -> None:
    assert in_batches([], lambda batch: np.zeros((0, 2), np.float32), 2, Tally()).shape == (0, 2)
