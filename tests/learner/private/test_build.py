"""Which learner the settings ask for."""

from __future__ import annotations

from learner.private.build import new_learner, plan_of
from learner.private.learner import PrivateLearner
from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS
from upwell.settings import PrivateSettings


def test_without_a_budget_it_is_the_plain_learner() -> None:
    learner = new_learner(SETTINGS, PrivateSettings(), DIMENSION, bytes(32))
    assert type(learner) is Learner
    assert learner.told is None
    assert plan_of(PrivateSettings()) is None


def test_with_one_it_has_the_plan_of_the_settings() -> None:
    settings = PrivateSettings(
        epsilon=3.0, delta=1e-4, events=9, epochs=5, epoch_examples=70, growth=2.0
    )
    learner = new_learner(SETTINGS, settings, DIMENSION, bytes(32))
    assert isinstance(learner, PrivateLearner)
    plan = learner.plan
    assert (plan.epsilon, plan.delta, plan.events, plan.epochs) == (3.0, 1e-4, 9, 5)
    assert [plan.ends(epoch) for epoch in range(2)] == [70, 210]
