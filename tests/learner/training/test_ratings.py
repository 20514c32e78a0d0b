"""What users would give: within the scale, from what was learned before and nothing else, and the
same after a restart.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from learner.fused.shapes import WIDTH
from learner.training.buffer import ExampleBatch, ReplayBuffer, Windows
from learner.training.ratings import Ratings
from tests.learner.toy import DIMENSION, ITEMS, examples, histories, model

ROWS = np.arange(ITEMS)


def rated(stars: float, users: int = 6) -> ExampleBatch:
    walks = [[user, user + 1, user + 2] for user in range(users)]
    return examples([f"u{user}" for user in range(users)], walks, stars=stars)


def taught(*stars: float) -> Ratings:
    made = Ratings(model())
    for one in stars:
        made.learn(rated(one))
    return made


def predicted(made: Ratings) -> list[float]:
    """What somebody who rated two items would give every item."""
    found = made.predict(histories([[1, 2]] * ITEMS), ROWS)
    assert found.dtype == np.float32
    return [float(one) for one in found]


def windows(stars: float) -> Windows:
    buffer = ReplayBuffer(30, 10, DIMENSION, seed=1)
    buffer.add(rated(stars))
    return buffer.sample(4, np.random.default_rng(1))


def loss(made: Ratings, of: Windows) -> float:
    """With users and items of which nothing is known."""
    wide = of.rows.shape

    def items_of(at: np.ndarray, place: np.ndarray) -> Tensor:
        assert (of.rows[at, place] >= 0).all()
        return torch.zeros(len(at), WIDTH)

    found = made.loss(of, items_of, torch.zeros(*wide, WIDTH), lambda rows: torch.ones(len(rows)))
    return found.item()


def test_before_the_first_rating_everything_is_the_middle() -> None:
    made = Ratings(model())
    assert made.predict(histories([[]] * ITEMS), ROWS).tolist() == [3.5] * ITEMS


@settings(max_examples=15)
@given(st.lists(st.sampled_from([0.5, 2.0, 5.0, 1_000.0]), min_size=1, max_size=5))
def test_a_prediction_is_within_the_scale_whatever_was_learned(stars: list[float]) -> None:
    found = predicted(taught(*stars))
    assert min(found) >= 0.5
    assert max(found) <= 5.0


def test_what_was_no_rating_teaches_nothing() -> None:
    made = taught(2.0)
    before = made.arrays()
    made.learn(rated(float("nan")))
    for name, array in made.arrays().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def test_restored_it_predicts_and_goes_on_like_the_one_it_came_from() -> None:
    one, other = taught(5.0, 1.0, 4.0), taught(2.0)
    with torch.no_grad():
        for weight in one.weights().values():
            weight.add_(0.1)
    other.restore(one.arrays())
    assert predicted(other) == predicted(one)
    for made in (one, other):
        made.learn(rated(3.0))
    assert predicted(other) == predicted(one)
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(other.arrays()[name], array, err_msg=name)


def test_a_checkpoint_of_a_learner_without_a_head_leaves_it_as_it_is() -> None:
    made = taught(5.0)
    before = predicted(made)
    made.restore({"network.project": np.zeros(1)})
    assert predicted(made) == before


def test_the_loss_is_of_rated_events_alone_less_what_is_expected() -> None:
    made = Ratings(model())
    assert loss(made, windows(float("nan"))) == 0.0
    assert loss(made, windows(3.5)) == pytest.approx(0.0)  # which is what it expects
    assert loss(made, windows(5.0)) > 0.0
    assert set(made.weights()) == {f"rating.{name}" for name, _ in made.head.named_parameters()}
