"""Shares of an entry in, reasons out: few, strongest first, and together the score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.ranking.explain import CAUSED, OTHER, SHARES, reasons
from learner.ranking.names import FIRST_USER, SIGNALS
from upwell.recommendations import Reason

NOBODY = [-1] * CAUSED
weights_of = st.dictionaries(st.sampled_from(SHARES), st.floats(-5, 5), max_size=12)


def explained(
    weights: dict[str, float],
    most: int = 3,
    because: dict[str, int] | None = None,
    words: str | None = None,
    disliked: frozenset[int] = frozenset(),
) -> tuple[Reason, ...]:
    row = np.array([weights.get(signal, 0.0) for signal in SHARES])
    rows = [(because or {}).get(signal, -1) for signal in SIGNALS[FIRST_USER:][:CAUSED]]
    title = {item: f"title {item}" for item in range(9)}.get
    return reasons(row, rows, title, words, most, disliked)


@given(weights_of, st.integers(1, 5))
def test_reasons_sum_to_the_score_and_are_few_and_strongest_first(
    weights: dict[str, float], most: int
) -> None:
    found = explained(weights, most)
    assert sum(one.weight for one in found) == pytest.approx(sum(weights.values()), abs=1e-9)
    assert len(found) <= most + 1
    sizes = [abs(one.weight) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    named = [one for one in found if one.signal != OTHER]
    assert all(one.weight == weights[one.signal] for one in named)
    left = [
        abs(weight) for signal, weight in weights.items() if signal not in {n.signal for n in named}
    ]
    assert max(left, default=0.0) <= min((abs(one.weight) for one in named), default=np.inf)


def test_a_signal_that_says_nothing_is_no_reason() -> None:
    assert explained({"popularity": 0.0}) == ()
    assert [one.signal for one in explained({"popularity": 1.0}, most=5)] == ["popularity"]


def test_the_rest_stands_where_its_sum_belongs() -> None:
    weights = {"popularity": 2.0, "recency": 1.5, "newness": 1.4, "boost": 1.3}
    assert [one.signal for one in explained(weights, most=1)] == [OTHER, "popularity"]
    assert explained(weights, most=1)[0].weight == pytest.approx(4.2)


def test_what_an_item_of_the_history_caused_names_it() -> None:
    weights = {"covisitation": 3.0, "affinity_50": 2.0, "popularity": 1.0}
    found = explained(weights, because={"covisitation": 7, "affinity_50": 9})
    assert [one.because for one in found] == ["title 7", None, None]


def test_nothing_is_recommended_because_of_what_the_user_dislikes() -> None:
    weights = {"covisitation": 3.0, "affinity_50": -2.0}
    found = explained(
        weights, because={"covisitation": 7, "affinity_50": 7}, disliked=frozenset({7})
    )
    assert [one.because for one in found] == [None, "title 7"]


def test_the_intent_names_the_words_and_nothing_else_does() -> None:
    found = explained({"intent": 2.0, "fused": 1.0}, words="space opera")
    assert [(one.signal, one.because) for one in found] == [
        ("intent", "space opera"),
        ("fused", None),
    ]
