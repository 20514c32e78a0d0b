"""Shares of an entry in, reasons out: few, strongest first, and together the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.counts import FAR_DECAY, NEAR_DECAY, RECENT_WINDOW, CountState
from learner.counts.events import past_of
from learner.ranking.affinity import MANY, PRIOR_COUNT, SHORT, TEXT_DEPTH
from learner.ranking.explain import (
    CAUSED,
    OTHER,
    SHARES,
    causes,
    lifted,
    reasons,
    tell_lifts,
)
from learner.ranking.names import BRAND, FIRST_USER, SIGNALS
from tests.learner.counted import value_of
from tests.learner.training.small import ITEMS, catalogue, learner_of, log
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


def test_the_cause_of_a_signal_is_the_item_of_the_history_that_gives_it_the_most() -> None:
    examples, states = log(500)
    ranking = learner_of(examples).ranking
    state, scratch = ranking.state(), ranking.scratch
    items = np.array([row for row in range(ITEMS) if row % 3 == 0], np.int32)
    signal = {name: number for number, name in enumerate(SIGNALS[FIRST_USER:][:CAUSED])}
    found, some = np.zeros((len(items), CAUSED), np.int32), 0
    for user in sorted(states):
        past = past_of(ranking.events([states[user].history], create=False))
        causes(state, scratch, past.history, past.liked, items, found)
        assert not np.isin(scratch.member[items], [-1 - place for place in range(len(items))]).any()
        likes = [row for row, liked in zip(past.history, past.liked, strict=True) if liked]
        given = {
            "affinity_50": [(row, share_of(state, row)) for row in likes[:50]],
            "affinity_10": [(row, share_of(state, row)) for row in likes[:SHORT]],
            "transition_3": [(row, 0.5**n) for n, row in enumerate(likes[:TEXT_DEPTH])],
            "transition_10": [(row, FAR_DECAY**n) for n, row in enumerate(past.history[:SHORT])],
            "transition_recent": [
                (row, NEAR_DECAY**n) for n, row in enumerate(past.history[:RECENT_WINDOW])
            ],
        }
        tables = {
            "affinity_50": state.pairs,
            "affinity_10": state.pairs,
            "transition_3": state.near,
            "transition_10": state.far,
            "transition_recent": state.recent,
        }
        for name, rows in given.items():
            for place, item in enumerate(items):
                worth = {row: factor * value_of(tables[name], row, item) for row, factor in rows}
                most = max(worth.values(), default=0.0)
                row = found[place, signal[name]]
                assert (row >= 0) == (most > 0.0)
                if most > 0.0:
                    assert worth[row] == pytest.approx(most, rel=1e-6)
                    some += 1
    assert some > 100


def test_the_cause_of_a_brand_is_the_newest_item_of_it() -> None:
    examples, states = log(200)
    learner = learner_of(examples)
    learner.add_items(
        [
            replace(item, brand=f"brand {n % 5}" if n % 5 else None)
            for n, item in enumerate(catalogue())
        ]
    )
    ranking, items = learner.ranking, np.arange(ITEMS, dtype=np.int32)
    found = np.zeros((ITEMS, CAUSED), np.int32)
    for user in sorted(states)[:6]:
        past = past_of(ranking.events([states[user].history], create=False))
        causes(ranking.state(), ranking.scratch, past.history, past.liked, items, found)
        for item, row in enumerate(found[:, BRAND - FIRST_USER]):
            same = [had for had in past.history[:MANY] if had % 5 == item % 5]
            assert row == (same[0] if same and item % 5 else -1)


def share_of(state: CountState, row: int) -> float:
    return float(1.0 / (state.liked[row] + PRIOR_COUNT))


def test_a_lift_is_added_to_the_boost_and_told_apart_from_it() -> None:
    boost, lift = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 0.7, 1.1])
    lifts = {"fairness": lift, "purchase": np.array([0.0, 0.0, -0.5, 0.25])}
    assert lifted(boost, lifts).tolist() == [0.1, 0.2 + 0.7, 0.3 + 1.1 - 0.5, 0.4 + 0.25]
    assert boost.tolist() == [0.1, 0.2, 0.3, 0.4]
    rows = np.array([[1, 3, -1], [2, 0, 1]], np.int32)
    told = np.full((2, 3, len(SHARES)), 9.0)
    tell_lifts(rows, told, boost, lifts)
    of_boost, of_lift, of_purchase = (
        told[:, :, SHARES.index(name)].tolist() for name in ("boost", "fairness", "purchase")
    )
    assert of_boost == [[0.2, 0.4, 9.0], [0.3, 0.1, 0.2]]
    assert of_lift == [[0.7, 0.0, 9.0], [1.1, 0.0, 0.7]]
    assert of_purchase == [[0.0, 0.25, 9.0], [-0.5, 0.0, 0.0]]


def test_without_a_lift_nothing_is_touched() -> None:
    boost, told = np.array([0.1]), np.full((1, 1, len(SHARES)), 9.0)
    assert lifted(boost, {"fairness": np.zeros(0)}) is boost
    tell_lifts(np.zeros((1, 1), np.int32), told, boost, {"fairness": np.zeros(0)})
    assert (told == 9.0).all()
