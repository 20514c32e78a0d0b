"""What is trained and what ranks are the same weights."""

from __future__ import annotations

import numpy as np
import pytest

from learner.fused.model import FusedModel
from learner.fused.trained import TrainedModel
from learner.ranking.parameters import settle
from tests.learner.toy import model, table, trainer, vectors


def assert_level(made: TrainedModel) -> None:
    for name, weight in made.network.named_parameters():
        np.testing.assert_array_equal(weight.detach().cpu().numpy(), made.weights[name])


def test_it_ranks_by_the_weights_that_the_seed_gives() -> None:
    made = model()
    assert_level(made)
    assert made.item_matrix().any()
    np.testing.assert_array_equal(made.item_matrix(), model().item_matrix())
    assert not np.array_equal(made.item_matrix(), model(seed=8).item_matrix())


def test_after_training_it_ranks_by_what_was_trained() -> None:
    made = trainer()
    before = made.model.weights["project"].copy()
    made.train(2)
    assert_level(made.model)
    assert not np.array_equal(made.model.weights["project"], before)
    made.train(1)
    assert_level(made.model)


@pytest.mark.parametrize("restored", [True, False])
def test_what_it_takes_is_trained_on(restored: bool) -> None:
    taught, other = trainer(), trainer(seed=8)
    taught.train(3)
    whole = taught.model.whole()
    if restored:
        other.model.restore_network(whole)
    else:
        settle(other.model.take(whole, whole=True))
    assert_level(other.model)
    assert other.model.digest == taught.model.digest
    other.train(1)
    assert_level(other.model)
    assert other.model.digest != taught.model.digest


def test_one_that_only_ranks_takes_all_of_it() -> None:
    taught, replica = trainer(), FusedModel(table(vectors()))
    taught.train(3)
    settle(replica.take(taught.model.whole(), whole=True))
    assert replica.digest == taught.model.digest
