"""Noise in a log, and what is left out of it."""

from __future__ import annotations

import numpy as np
import orjson

from bench.attacks.engine import is_fake
from bench.attacks.noise import BEHIND, co_teaching, ensemble, left_soon, noisy, small_loss
from learner.training.learner import Learner
from tests.bench.attacks.test_engine import FOLDER, HONEST
from tests.bench.attacks.test_profiles import EVENTS, LOG
from tests.learner.training.small import SETTINGS


def test_noise_is_the_share_that_was_asked_for_and_marked() -> None:
    for kind, total in (("likes", None), ("clicks", None), ("flipped", len(EVENTS))):
        events = noisy(LOG, kind, 0.2, np.random.default_rng(1))
        marked = sum(map(is_fake, FOLDER.examples(events)))
        assert 0.15 * len(EVENTS) < marked < 0.25 * len(EVENTS)
        assert len(events) == (total or len(EVENTS) + marked)


def test_a_flipped_rating_is_the_opposite() -> None:
    events = noisy(LOG, "flipped", 1.0, np.random.default_rng(1))
    assert {orjson.loads(one.value)["rating"] for one in events} == {1.5}


def test_clicks_that_came_of_nothing_are_left_soon_and_no_rating_is() -> None:
    events = noisy(LOG, "clicks", 0.2, np.random.default_rng(1))
    assert len(left_soon(events)) == len(events) - len(EVENTS)
    assert left_soon(EVENTS) == frozenset()


def test_small_loss_leaves_out_what_is_in_no_list_and_keeps_newcomers() -> None:
    learner = Learner(SETTINGS, FOLDER.items[0].vector.shape[0], 7)
    block = HONEST[:64]
    assert small_loss(learner, block) == [one for one in block if one.user_events < 20]
    learner.add_items(FOLDER.items)
    assert small_loss(learner, block) == block


def learners() -> tuple[Learner, Learner]:
    """One that knows all items, and one that knows none, so that it expects nothing."""
    knows, nothing = (Learner(SETTINGS, FOLDER.items[0].vector.shape[0], seed) for seed in (7, 8))
    knows.add_items(FOLDER.items)
    return knows, nothing


def test_two_models_leave_out_what_the_other_one_does_not_expect() -> None:
    knows, nothing = learners()
    block = HONEST[:64]
    newcomers = [one for one in block if one.user_events < 20]
    assert co_teaching(nothing)(knows, block) == newcomers
    assert 0 < nothing.learned < len(block)
    assert co_teaching(knows)(learners()[1], block) == block


def test_an_ensemble_keeps_what_either_expects_and_its_other_self_learns_later() -> None:
    knows, nothing = learners()
    block = HONEST[:64]
    keep = ensemble(nothing)
    for _ in range(BEHIND):
        assert keep(knows, block) == block
    assert nothing.learned == 0
    keep(knows, block)
    assert nothing.learned == len(block)
