"""The model of all as a message and as a checkpoint."""

from __future__ import annotations

import numpy as np

from learner.federated.options import Options
from learner.federated.state import checkpoint_of, first_model
from learner.release.guard import Guard
from learner.release.replica import Replica
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from tests.learner.federated.small import (
    FUSED,
    join,
    report,
    rounds_of,
    sent,
    site_of,
    split,
    take,
    teach,
)
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log, requests_of


def test_it_travels_as_it_is() -> None:
    model = first_model(FUSED, DIMENSION)
    again = sent(model)
    assert again.head() == model.head()
    for name, one in model.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], one)


def test_an_engine_goes_on_from_its_checkpoint_as_a_client_does() -> None:
    rounds, site = rounds_of(Options(clients=1, rounds=1), FUSED), site_of(FUSED)
    join(rounds, "c0", FUSED)
    rounds.step(0.0)
    take(rounds, "c0", site)
    teach(site, split(200, 1)[0])
    assert report(rounds, "c0", site) is None
    assert rounds.step(1.0)
    take(rounds, "c0", site)
    arrays, meta = checkpoint_of(rounds.model, FUSED, DIMENSION)
    learner, replica = Learner(FUSED, DIMENSION, 1), Replica(FUSED, DIMENSION)
    learner.restore(arrays, meta["learner"])
    promotion = Promotion(learner, Guard())
    promotion.restore(arrays)
    replica.restore(arrays, meta["learner"])
    for one in (learner, replica):
        one.add_items(catalogue())
    assert meta["version"] == learner.version == promotion.version == replica.version
    wanted = site.learner.rank(requests_of(log(200)[1]))
    for one in (learner, replica):
        found = one.rank(requests_of(log(200)[1]))
        same = [
            len({entry.item_id for entry in ours} & {entry.item_id for entry in theirs})
            for ours, theirs in zip(found, wanted, strict=True)
        ]
        assert np.mean(same) > 9.7  # of ten; what near texts earned is summed anew
    assert learner.rank(requests_of(log(200)[1])) == replica.rank(requests_of(log(200)[1]))
    learner.learn(log(220)[0][200:])  # its own events go on
    assert learner.learned == 220


def test_without_a_fused_model_too() -> None:
    arrays, meta = checkpoint_of(first_model(SETTINGS, DIMENSION), SETTINGS, DIMENSION)
    learner = Learner(SETTINGS, DIMENSION, 1)
    learner.restore(arrays, meta["learner"])
    assert learner.learned == 0
