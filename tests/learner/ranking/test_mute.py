"""A muted signal has no say: neither before nor after learning."""

from __future__ import annotations

import numpy as np
import pytest

from learner.ranking.explain import UPTAKE
from learner.ranking.gate import FEATURES, PER_SIGNAL
from learner.ranking.names import SIGNALS
from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log

FIRST = PER_SIGNAL * SIGNALS.index("popularity")


def learned(muted: list[str]) -> np.ndarray:
    learner = Learner(SETTINGS, DIMENSION, 7)
    learner.add_items(catalogue())
    learner.parameters.gate.mute(muted)
    learner.learn(log(200)[0])
    return learner.arrays()["gate.weights"]


def test_a_muted_signal_keeps_weight_zero_and_the_others_learn() -> None:
    weights = learned(["popularity"])
    own = np.zeros(FEATURES, bool)
    own[FIRST : FIRST + PER_SIGNAL] = True
    assert np.all(weights[:, own] == 0.0)
    assert np.any(weights[:, ~own] != 0.0)
    assert np.any(learned([])[:, own] != 0.0)


def test_muted_uptake_leaves_no_item_a_bias() -> None:
    learner = Learner(SETTINGS, DIMENSION, 7)
    learner.add_items(catalogue())
    learner.parameters.gate.mute([UPTAKE])
    learner.learn(log(200)[0])
    assert not len(learner.arrays()["gate.bias"])
    assert learner.arrays()["gate.weights"].any()


def test_an_unknown_signal_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not in tuple|tuple\.index"):
        Learner(SETTINGS, DIMENSION, 7).parameters.gate.mute(["popularities"])
