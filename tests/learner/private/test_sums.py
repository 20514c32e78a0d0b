"""Sums over users: how far one user moves them at most, and what is told of them."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.released import LATELY, OF_LATELY, OF_LIKES, OF_NEWCOMERS
from learner.private.plan import Plan
from learner.private.sums import CERTAIN, NEWCOMER_ITEMS, PRIOR, SILENT, Sums
from learner.ranking.gate import FEATURES, PER_SIGNAL
from learner.ranking.names import SIGNALS

PLAN = Plan(epsilon=8.0, delta=1e-3, events=20, epochs=8, first=100)
CERTAINLY = Plan(epsilon=900.0, delta=1e-3, events=20, epochs=8, first=100)
SECRET = bytes(32)
ITEMS = 30


def added(rows: list[int], lessons: int, seed: int = 1) -> dict[str, np.ndarray]:
    sums, rng = Sums(), np.random.default_rng(seed)
    for place, row in enumerate(rows):
        sums.count(row, place)
    for _ in range(lessons):
        sums.teach(rng.normal(size=FEATURES).astype(np.float32) * 50.0, PLAN.events)
    return sums.arrays()


@given(st.lists(st.integers(0, ITEMS - 1), unique=True, max_size=PLAN.events), st.integers(0, 20))
def test_no_user_adds_more_than_the_noise_is_made_for(rows: list[int], lessons: int) -> None:
    found = added(rows, lessons)
    assert np.linalg.norm(found["people"][OF_LIKES]) <= math.sqrt(PLAN.events) + 1e-9
    assert np.linalg.norm(found["people"][OF_NEWCOMERS]) <= math.sqrt(NEWCOMER_ITEMS) + 1e-9
    assert np.linalg.norm(found["lessons"]) <= 1.0 + 1e-6


def test_a_lesson_that_is_no_number_or_nothing_teaches_nothing() -> None:
    sums = Sums()
    sums.teach(np.full(FEATURES, np.nan, np.float32), 10)
    sums.teach(np.full(FEATURES, np.inf, np.float32), 10)
    sums.teach(np.zeros(FEATURES, np.float32), 10)
    assert not sums.arrays()["lessons"].any()


def test_of_what_only_noise_says_next_to_nothing_is_told() -> None:
    told = Sums().tell(PLAN, SECRET, 0, 0, 10_000)
    assert len(told.rows) < 2 * 0.04 * 10_000  # of two counts a normal tail above 2
    assert CERTAIN == 2.0


def test_what_many_share_is_told_about_as_it_is() -> None:
    sums = Sums()
    for _ in range(500):
        sums.count(3, 0)
    told = sums.tell(CERTAINLY, SECRET, 0, 0, ITEMS)
    assert 3 in told.rows
    people = told.values[list(told.rows).index(3)]
    assert np.allclose(people, 500.0, atol=5.0)


def test_signals_that_say_nothing_have_no_weight() -> None:
    sums = Sums()
    sums.teach(np.ones(FEATURES, np.float32), 10)
    weights = sums.tell(PLAN, SECRET, 0, 3, ITEMS).weights - PRIOR
    for number, name in enumerate(SIGNALS):
        own = weights[PER_SIGNAL * number : PER_SIGNAL * (number + 1)]
        assert own.any() != (name in SILENT or name == "fused")


def test_an_epoch_told_again_is_the_same_and_a_later_one_is_not() -> None:
    sums = Sums()
    sums.count(3, 0)
    kept, same = sums.arrays(), Sums()
    same.restore(kept)
    once, again = (one.tell(PLAN, SECRET, 0, 2, ITEMS) for one in (sums, same))
    assert np.array_equal(once.values, again.values)
    assert np.array_equal(once.weights, again.weights)
    assert not np.array_equal(once.weights, sums.tell(PLAN, SECRET, 0, 3, ITEMS).weights)


def test_what_came_of_late_is_told_beside_and_fades() -> None:
    sums = Sums()
    lately = []
    for epoch in range(5):
        for _ in range(500 if epoch == 0 else 0):
            sums.count(3, 0)
        told = sums.tell(CERTAINLY, SECRET, 0, epoch, ITEMS)
        lately.append(float(told.values[list(told.rows).index(3), OF_LATELY]))
    ages = [CERTAINLY.ends(epoch) - CERTAINLY.ends(0) for epoch in range(5)]
    assert np.allclose(lately, [500.0 * 0.5 ** (age / LATELY) for age in ages], atol=5.0)


def test_of_an_older_checkpoint_nothing_came_of_late_until_something_does() -> None:
    sums, again = Sums(), Sums()
    for _ in range(500):
        sums.count(3, 0)
    sums.tell(CERTAINLY, SECRET, 0, 0, ITEMS)
    older = {name: one for name, one in sums.arrays().items() if not name.startswith("lately.")}
    again.restore(older)
    told = again.tell(CERTAINLY, SECRET, 0, 1, ITEMS)
    assert told.values[list(told.rows).index(3), OF_LATELY] == 0.0
    for _ in range(100):
        again.count(3, 0)
    told = again.tell(CERTAINLY, SECRET, 0, 2, ITEMS)
    assert np.isclose(told.values[list(told.rows).index(3), OF_LATELY], 100.0, atol=5.0)


def test_it_goes_on_after_a_checkpoint() -> None:
    sums, again = Sums(), Sums()
    sums.count(7, 0)
    sums.tell(PLAN, SECRET, 0, 0, ITEMS)
    sums.teach(np.ones(FEATURES, np.float32), 10)
    again.restore(sums.arrays())
    told, other = (one.tell(PLAN, SECRET, 0, 1, ITEMS) for one in (sums, again))
    assert np.array_equal(told.weights, other.weights)
    assert np.array_equal(told.values, other.values)
