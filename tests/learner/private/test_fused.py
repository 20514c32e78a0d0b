"""Lessons of the fused model: how long each is, and that the model is that of their noised sum."""

from __future__ import annotations

import numpy as np

from learner.fused.items import ItemTable
from learner.private.fused import FusedLessons
from learner.private.plan import Plan
from tests.learner.toy import OFF, examples, table, vectors

PLAN = Plan(epsilon=8.0, delta=1e-3, events=20, epochs=4, first=10, fused=0.5)
SECRET = bytes(32)


def lessons(items: ItemTable | None = None) -> FusedLessons:
    return FusedLessons(items or table(vectors()), OFF, 7)


def test_a_user_adds_a_length_of_one_at_most() -> None:
    taught = lessons()
    for number in range(2, 5):
        taught.teach(examples(["ann"], [list(range(number + 1))]), 3)
    assert 0.0 < np.linalg.norm(taught.arrays()["sum"]) <= 1.0 + 1e-6


def test_a_lesson_hangs_on_its_user_alone() -> None:
    one, other = lessons(), lessons()
    other.teach(examples(["bob"], [[5, 6, 7]]), 3)
    before = other.arrays()["sum"]
    for taught in (one, other):
        taught.teach(examples(["ann"], [[1, 2, 3]]), 3)
    assert np.allclose(one.arrays()["sum"], other.arrays()["sum"] - before, atol=1e-12)


def test_it_ranks_by_nothing_before_it_was_told_and_goes_on_after_a_checkpoint() -> None:
    taught, again = lessons(), lessons()
    assert not taught.model.ready
    taught.teach(examples(["ann"], [[1, 2, 3]]), 3)
    taught.tell(PLAN, SECRET, 0, 0)
    assert taught.model.ready
    assert not taught.model.identities.any()
    again.restore(taught.arrays())
    assert again.model.ready
    for name, weight in taught.model.weights.items():
        assert np.allclose(weight, again.model.weights[name], atol=1e-7), name
