"""An intent is the same however its events arrive, halves by their own time, and is signed by what
the user thought.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.events import KINDS
from learner.fused.intent import Intent, decayed, event_weight, fold, unit
from upwell.values import NEGATIVE_KINDS, POSITIVE_KINDS, TAKEN_BACK, Vector

DIMENSION = 3
HALF_LIFE_MS = 1_000.0
EVENTS = st.lists(
    st.tuples(
        st.lists(st.integers(-3, 3), min_size=DIMENSION, max_size=DIMENSION),
        st.floats(-1.25, 1.0, width=32),
        st.integers(0, 8_000),
    ),
    min_size=1,
    max_size=8,
)
Events = list[tuple[list[int], float, int]]


def folded(events: Events) -> Intent:
    intent = Intent(np.zeros(DIMENSION, np.float32), 0)
    for vector, weight, ts in events:
        intent = fold(intent, np.array(vector, np.float32), weight, ts, HALF_LIFE_MS)
    return intent


def plain(events: Events, now: int) -> Vector:
    """The sum by its definition."""
    terms = [
        weight * 0.5 ** ((now - ts) / HALF_LIFE_MS) * np.array(vector)
        for vector, weight, ts in events
    ]
    return np.asarray(np.sum(terms, axis=0), np.float32)


@given(EVENTS, st.randoms(use_true_random=False), st.integers(0, 5_000))
def test_any_order_of_arrival_gives_the_sum_of_halved_events(
    events: Events, random: Random, later: int
) -> None:
    newest = max(ts for *_, ts in events)
    shuffled = list(events)
    random.shuffle(shuffled)
    for order in (events, shuffled):
        intent = folded(order)
        assert intent.ts == newest
        found = decayed(intent, newest + later, HALF_LIFE_MS)
        np.testing.assert_allclose(found, plain(events, newest + later), rtol=1e-4, atol=1e-4)
        assert found.dtype == np.float32


@given(EVENTS)
def test_folding_leaves_what_it_was_given(events: Events) -> None:
    before = folded(events)
    kept, vector = before.vector.copy(), np.ones(DIMENSION, np.float32)
    for ts in (before.ts - 1, before.ts + 1):
        fold(before, vector, 1.0, ts, HALF_LIFE_MS)
    np.testing.assert_array_equal(before.vector, kept)
    assert vector.tolist() == [1.0] * DIMENSION


def test_a_kind_weighs_by_its_sign_and_a_rating_by_its_distance_from_three_stars() -> None:
    for kind in KINDS:
        weight = event_weight(kind, None)
        assert -1.0 <= weight <= 1.0
        assert (weight < 0) == (kind in NEGATIVE_KINDS)
        assert weight > 0 or kind not in POSITIVE_KINDS
        assert [event_weight(kind, stars) for stars in (0.5, 3.0, 5.0)] == [-1.25, 0.0, 1.0]
    assert event_weight(TAKEN_BACK, None) == 0.0


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=6))
def test_a_unit_has_the_direction_and_length_one_or_there_is_none(values: list[float]) -> None:
    vector = np.array(values, np.float32)
    norm, found = float(np.linalg.norm(vector)), unit(vector)
    assert (found is None) == (norm <= 1e-12)
    if found is not None:
        assert float(np.linalg.norm(found)) == pytest.approx(1.0, abs=1e-5)
        np.testing.assert_allclose(found * norm, vector, rtol=1e-4, atol=norm * 1e-5)
