"""Counts as sums: what a learner has is read, decayed, moved to other places and written back."""

from __future__ import annotations

import numpy as np

from learner.federated.counted import (
    ADDED,
    Passed,
    added_up,
    all_passed,
    empty_counted,
    read_counted,
)
from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, learner_of, log

EXAMPLES = log(200)[0]


def counted_of(learner: Learner):  # type: ignore[no-untyped-def]
    return read_counted(learner.ranking.counts, learner.items)


def test_what_is_read_is_what_is_written() -> None:
    learner = learner_of(EXAMPLES)
    first = counted_of(learner)
    other = Learner(SETTINGS, DIMENSION, 7)
    other.add_items(catalogue())
    other.ranking.state()
    other.ranking.counts.restore(first.arrays())
    again = counted_of(other)
    np.testing.assert_allclose(again.sums, first.sums)
    assert again.clock == first.clock == len(EXAMPLES)
    for name, table in first.tables.items():
        np.testing.assert_allclose(again.tables[name].values, table.values, rtol=1e-5)
    held = learner.ranking.state().popularity
    theirs = other.ranking.state().popularity
    assert held.held.tolist() == theirs.held.tolist()
    for column in ADDED:
        ranked = held.values[column, held.leaders[column, : held.held[column]]]
        assert (np.diff(ranked) <= 0).all()


def test_what_passed_decays_as_the_learner_does() -> None:
    """Without another event on what was there: all of `added` is what the later ones brought."""
    learner = learner_of(EXAMPLES[:100])
    before = counted_of(learner)
    learner.learn(EXAMPLES[100:])
    growth = np.log2(learner.ranking.state().popularity.scale[7])
    newcomers = round(200 * float(growth)) - round(
        200 * float(np.log2(learner_of(EXAMPLES[:100]).ranking.state().popularity.scale[7]))
    )
    added = counted_of(learner).minus(before.decayed(Passed(100, newcomers)))
    assert added.sums[ADDED.index(8)].sum() == 100
    met = np.zeros(learner.items, np.bool_)
    met[learner.ranking.catalogue.rows(str(one.event.item_id) for one in EXAMPLES[100:])] = True
    assert (added.sums[:8, ~met] < 1e-9).all()


def test_places_and_back() -> None:
    first = counted_of(learner_of(EXAMPLES))
    size = first.sums.shape[1]
    order = np.random.default_rng(1).permutation(size)
    there = first.placed(order, size)
    back = there.placed(np.argsort(order), size)
    np.testing.assert_allclose(back.sums, first.sums)
    np.testing.assert_allclose(back.last, first.last)
    for name, table in first.tables.items():
        assert back.tables[name].keys.tolist() == table.keys.tolist()


def test_sums_of_clients_and_of_liars() -> None:
    one, lie = empty_counted(2), empty_counted(2)
    one.sums[:, 0], lie.sums[:, 1] = 5.0, 1e9
    assert added_up([one, one, lie], None).sums[0].tolist() == [10.0, 1e9]
    assert added_up([one, one, lie], 1).sums[0].tolist() == [10.0, 3.0]


def test_one_liar_does_not_let_all_else_decay() -> None:
    told = [Passed(10, 2), Passed(20, 0), Passed(10**9, 10**9)]
    assert all_passed(told, None).events == 10**9 + 30
    assert all_passed(told, 1) == Passed(230, 202)
    assert all_passed([Passed(10, 2), Passed(90, 0)], 1) == Passed(100, 2)  # it caught up


def test_events_tell_who_was_met_first_and_last_by_rounds() -> None:
    added = empty_counted(2)
    added.sums[ADDED.index(8), 0] = 4.0
    first = empty_counted(2).plus(added, Passed(4, 0), 8)
    assert (first.clock, first.first.tolist(), first.last.tolist()) == (4, [4.0, 0.0], [4.0, 0.0])
    then = first.plus(added, Passed(6, 0), 8)
    assert (then.first.tolist(), then.last.tolist()) == ([4.0, 0.0], [10.0, 0.0])
    assert then.widened(3).sums.shape[1] == 3
    assert then.events.tolist() == [8.0, 0.0]
