"""The one place that chooses: a learner with a budget where the settings name one, else one
without.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from learner.private.learner import PrivateLearner
from learner.private.plan import Plan
from learner.training.learner import Learner

if TYPE_CHECKING:
    from upwell.settings import LearnerSettings, PrivateSettings

__all__ = ["new_learner", "plan_of"]


def plan_of(private: PrivateSettings) -> Plan | None:
    """The budget of the settings; None where they name none."""
    if private.epsilon is None:
        return None
    return Plan(
        epsilon=private.epsilon,
        delta=private.delta,
        events=private.events,
        epochs=private.epochs,
        first=private.epoch_examples,
        growth=private.growth,
        fused=private.fused,
    )


def new_learner(
    settings: LearnerSettings, private: PrivateSettings, dimension: int, key: bytes
) -> Learner:
    """key: the pseudonyms', of which noise is drawn; nothing of it can be told from noise."""
    plan = plan_of(private)
    if plan is None:
        return Learner(settings, dimension, settings.seed)
    secret = hmac.digest(key, b"upwell private noise", hashlib.sha256)
    return PrivateLearner(settings, dimension, settings.seed, plan, secret)
