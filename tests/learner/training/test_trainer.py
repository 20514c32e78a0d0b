"""That training learns, that each term changes loss and gradients when it is on and nothing when it
is off, and that it can go on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner.fused.histories import LENGTH, HistoryBatch
from learner.fused.trained import TrainedModel
from learner.training.batch import MiniBatch, Tuning
from learner.training.negatives import NegativeSampler
from learner.training.objective import Objective
from learner.training.ratings import Ratings
from learner.training.trainer import Trainer
from tests.learner.toy import (
    CALM,
    DIMENSION,
    ITEMS,
    OFF,
    examples,
    histories,
    model,
    poisoned,
    ring,
    table,
    trainer,
    vectors,
)
from upwell.errors import ModelError
from upwell.settings import LearnerSettings

TERMS: dict[str, dict[str, Any]] = {
    "fgsm": {"adversarial": "fgsm"},
    "vat": {"adversarial": "vat"},
    "self_supervised": {"self_supervised": True},
    "propensity": {"propensity": True},
    "rating": {"rating_head": True},
}


def objective(made: Trainer, settings: LearnerSettings) -> tuple[Objective, MiniBatch]:
    """What one step of the trainer would look at, under other settings."""
    ratings = Ratings(made.model) if settings.rating_head else None
    if ratings is not None:
        ratings.means.learn(ring(24).rows, ring(24).ratings)
        with torch.no_grad():
            ratings.head.match.add_(0.1)
    found = Objective(made.model, made.identities, ratings, settings, CALM)
    rng = np.random.default_rng(5)
    items = made.model.items
    batch = found.prepare(
        made.buffer.sample(8, rng), NegativeSampler(items.announced, items.events), rng
    )
    assert batch is not None
    return found, batch


def loss_and_gradients(made: Trainer, settings: LearnerSettings) -> tuple[float, list[Tensor]]:
    found, batch = objective(made, settings)
    loss = torch.stack(list(found.parts(batch, np.random.default_rng(6)).values())).sum()
    weights = [batch.identities, *made.model.network.parameters()]
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return loss.item(), [
        torch.zeros_like(one) if grad is None else grad
        for one, grad in zip(weights, gradients, strict=True)
    ]


def predicted(made: Trainer, past: HistoryBatch, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    assert made.ratings is not None
    return made.ratings.predict(past, rows)


def varied() -> Trainer:
    """Trained a little, on items of unequal popularity, so that every term has something to say."""
    made = trainer()
    made.add(examples([f"v{n}" for n in range(9)], [[n, 1, 2] for n in range(9)], stars=2.5))
    made.add(examples([f"w{n}" for n in range(9)], [[n, 1, 2] for n in range(9)], stars=5.0))
    made.train(3)
    return made


@pytest.mark.parametrize("term", TERMS)
def test_each_term_changes_loss_and_gradients(term: str) -> None:
    made = varied()
    plain, plain_gradients = loss_and_gradients(made, OFF)
    loss, gradients = loss_and_gradients(made, replace(OFF, **TERMS[term]))
    assert loss != plain
    changed = [
        not torch.equal(one, other) for one, other in zip(gradients, plain_gradients, strict=True)
    ]
    assert changed[0], "of the identities"
    assert any(changed[1:]), "of the weights"


@pytest.mark.parametrize("term", ["fgsm", "vat", "self_supervised", "rating"])
def test_a_term_leaves_the_main_loss_as_it_is(term: str) -> None:
    made = varied()
    found, batch = objective(made, replace(OFF, **TERMS[term]))
    plain, same = objective(made, OFF)
    parts = found.parts(batch, np.random.default_rng(6))
    assert len(parts) > 1
    assert parts["main"].item() == plain.parts(same, np.random.default_rng(6))["main"].item()


def test_switched_off_a_step_is_that_of_the_main_loss_to_the_bit() -> None:
    """Whatever the strengths of terms that are off."""
    strange = replace(OFF, adversarial_epsilon=9.0, self_supervised_weight=9.0, propensity_clip=1.5)
    first, second = trainer(OFF), trainer(strange)
    assert first.train(4).parts == second.train(4).parts
    for one, other in zip(
        first.model.network.parameters(), second.model.network.parameters(), strict=True
    ):
        assert torch.equal(one, other)
    np.testing.assert_array_equal(first.identities.values, second.identities.values)
    assert set(first.train(1).parts) == {"main"}


def test_the_main_loss_is_the_softmax_of_scores_as_they_are_served() -> None:
    """Without dropout or thinning, all items drawn, against numbers of the serving side alone."""
    made = model()
    tuning = replace(CALM, uniform=4_000, popular=0, windows=1)
    fed = Trainer(made, OFF, 7, tuning=tuning)
    fed.add(examples(["u"], [[3, 4, 5]]))
    rng = np.random.default_rng(1)
    found = Objective(made, fed.identities, None, OFF, tuning)
    fed.identities.grow(ITEMS)
    batch = found.prepare(
        fed.buffer.sample(1, rng),
        NegativeSampler(made.items.announced[:ITEMS], made.items.events[:ITEMS]),
        rng,
    )
    assert batch is not None
    walked = histories([[], [3], [3, 4]])
    intents = np.stack(
        [np.zeros(DIMENSION, np.float32), vectors()[3], vectors()[[3, 4]].sum(axis=0)]
    )  # four stars each
    scores = made.user_vectors(replace(walked, intents=intents)) @ made.item_matrix().T
    expected = [
        np.log(np.exp(row).sum()) - row[target]
        for row, target in zip(scores, (3, 4, 5), strict=True)
    ]
    assert found.parts(batch, rng)["main"].item() == pytest.approx(np.mean(expected), rel=1e-3)


def test_it_learns_what_comes_next() -> None:
    made = trainer(tuning=replace(CALM, windows=16))
    walks = histories([[start, (start + 1) % ITEMS, (start + 2) % ITEMS] for start in range(ITEMS)])

    def rank_of_next() -> float:
        scores = made.model.user_vectors(walks) @ made.model.item_matrix().T
        goal = scores[np.arange(ITEMS), (np.arange(ITEMS) + 3) % ITEMS]
        return float((scores > goal[:, None]).sum(axis=1).mean())

    before, first = rank_of_next(), made.train(5).loss
    last = made.train(60).loss
    assert last < 0.7 * first
    assert rank_of_next() < 0.5 * before


@pytest.mark.parametrize("term", TERMS)
def test_each_term_trains_on_windows_that_are_full(term: str) -> None:
    made = trainer(replace(OFF, **TERMS[term]))
    made.add(ring(8, LENGTH + 1))
    done = made.train(8)
    assert done.steps == 8
    assert done.refused == 0


def test_the_same_seed_gives_the_same_model_to_the_bit_and_another_another() -> None:
    on = replace(OFF, adversarial="vat", self_supervised=True, propensity=True, rating_head=True)
    first, second, other = (trainer(on, Tuning(windows=8), seed) for seed in (7, 7, 8))
    for made in (first, second, other):
        made.train(4)
    np.testing.assert_array_equal(first.model.item_matrix(), second.model.item_matrix())
    assert not np.array_equal(first.model.item_matrix(), other.model.item_matrix())


def test_training_goes_on_from_a_checkpoint_as_if_it_had_not_stopped() -> None:
    on = replace(OFF, rating_head=True)
    first = trainer(on)
    first.train(3)
    second = Trainer(model(seed=99), on, 7, tuning=CALM)
    second.restore({name: array.copy() for name, array in first.arrays().items()})
    second.model.items.restore(first.model.items.events[:ITEMS])
    for made in (first, second):
        made.add(ring(5, seed=9))
        made.train(3)
    np.testing.assert_array_equal(first.model.item_matrix(), second.model.item_matrix())
    past, rows = histories([[1, 2]]), np.array([4])
    np.testing.assert_array_equal(predicted(first, past, rows), predicted(second, past, rows))


def test_a_checkpoint_that_does_not_fit_is_refused() -> None:
    arrays = trainer().arrays()
    with pytest.raises(ModelError, match="does not fit"):
        trainer().restore({name: array for name, array in arrays.items() if ".buffer." not in name})


def test_a_step_that_is_not_finite_is_refused_and_counted() -> None:
    made = Trainer(model(), OFF, 7, tuning=CALM)
    made.add(poisoned(ring(24)))
    before = made.arrays()
    report = made.train(3)
    assert (report.refused, report.steps, made.refused) == (3, 0, 3)
    after = made.arrays()
    for name, array in before.items():
        if name != "trainer.trainer.steps":
            np.testing.assert_array_equal(after[name], array)
    assert made.model.changes() == {}


def test_identities_of_items_outside_the_batch_do_not_move() -> None:
    made = trainer(tuning=replace(CALM, windows=1, uniform=3, popular=3))
    made.train(1)
    moved = np.flatnonzero(made.identities.values[:ITEMS].any(axis=1))
    assert 0 < len(moved) < ITEMS
    np.testing.assert_array_equal(moved, np.flatnonzero(made.identities.squares[:ITEMS]))
    np.testing.assert_array_equal(made.model.changes()["rows"], moved)


def test_an_empty_buffer_and_items_never_announced_train_nothing() -> None:
    empty = Trainer(model(), OFF, 7, tuning=CALM)
    assert empty.train(2).steps == 0
    more = np.concatenate([vectors(), np.zeros((3, DIMENSION), np.float32)])
    unknown = Trainer(TrainedModel(table(more), 7, device="cpu"), OFF, 7, tuning=CALM)
    unknown.add(examples(["u"], [[ITEMS, ITEMS + 1]]))
    assert unknown.train(2).steps == 0


def test_a_forgotten_user_is_not_trained_on() -> None:
    made = Trainer(model(), OFF, 7, tuning=CALM)
    made.add(examples(["u"], [[1, 2, 3]]))
    assert made.buffer.forget("u") == 1
    assert made.train(2).steps == 0


def test_ratings_are_predicted_from_what_users_and_items_got() -> None:
    made = Trainer(model(), replace(OFF, rating_head=True), 7, tuning=CALM)
    made.add(examples([f"low{n}" for n in range(6)], [[1, 2, 3]] * 6, stars=1.0))
    made.add(examples([f"high{n}" for n in range(6)], [[11, 12, 13]] * 6, stars=5.0))
    low, high = predicted(made, histories([[], []]), np.array([3, 13]))
    assert low < 3.0 < high
    generous, strict = (
        predicted(made, histories([[20, 21]], stars=stars), np.array([3]))[0]
        for stars in (5.0, 1.0)
    )
    assert generous > strict
    assert strict >= 0.5


def test_torchs_threads_are_left_as_they_were() -> None:
    before = torch.get_num_threads()
    trainer().train(1)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("term", [None, *TERMS])
def test_a_report_says_what_was_done(term: str | None) -> None:
    on = replace(OFF, **(TERMS[term] if term else {}))
    report = trainer(on).train(2)
    assert report.steps == 2
    assert report.examples > 0
    assert report.loss == pytest.approx(sum(report.parts.values()))
    assert np.isfinite(report.loss)


@pytest.mark.parametrize("how", ["fgsm", "vat"])
def test_a_larger_perturbation_costs_more(how: Literal["fgsm", "vat"]) -> None:
    made, costs = varied(), []
    for epsilon in (0.0, 0.05, 0.2):
        found, batch = objective(made, replace(OFF, adversarial=how, adversarial_epsilon=epsilon))
        parts = found.parts(batch, np.random.default_rng(6))
        costs.append(parts[how].item() - (parts["main"].item() if how == "fgsm" else 0.0))
    assert costs[0] == pytest.approx(0.0, abs=1e-5)
    assert costs[0] < costs[1] < costs[2]


def test_how_much_a_users_own_ratings_say_is_learned() -> None:
    """Half of the users give everything 5 stars, half 1: two ratings tell all, once that was seen,
    and no sooner.
    """
    made = Trainer(model(), replace(OFF, rating_head=True), 7, tuning=CALM)

    def gap() -> float:
        high, low = (
            predicted(made, histories([[1, 2]], stars=stars), np.array([9]))[0]
            for stars in (5.0, 1.0)
        )
        return float(high - low)

    for number in range(20):
        for stars in (5.0, 1.0):
            walks = [[start, start + 1, start + 2] for start in range(30)]
            made.add(
                examples([f"{number}-{stars}-{start}" for start in range(30)], walks, stars=stars)
            )
    assert gap() > 3.5


@pytest.mark.parametrize("propensity", [False, True])
def test_the_rating_loss_is_weighed_where_propensity_is_on(propensity: bool) -> None:
    made = varied()
    made.model.items.count(
        np.repeat(np.arange(10, dtype=np.int32), 50)
    )  # popular items count for less
    on = replace(OFF, rating_head=True, propensity=propensity)
    found, batch = objective(made, on)
    plain, same = objective(made, replace(OFF, rating_head=True))
    losses = [
        one.parts(it, np.random.default_rng(6))["rating"].item()
        for one, it in ((found, batch), (plain, same))
    ]
    assert (losses[0] != losses[1]) == propensity


def test_without_a_rating_head_nothing_of_one_is_kept() -> None:
    made = trainer(OFF)
    made.train(1)
    assert made.ratings is None
    names = made.arrays()
    assert not [one for one in names if one.startswith(("trainer.head", "trainer.means"))]
    assert not [one for one in names if one.startswith("trainer.optimizer.rating.user")]


def test_a_rating_head_that_is_switched_on_begins_on_a_checkpoint_without_one() -> None:
    plain, on = trainer(OFF), trainer(replace(OFF, rating_head=True))
    plain.train(2)
    on.restore(plain.arrays())
    np.testing.assert_array_equal(on.model.item_matrix(), plain.model.item_matrix())
    assert on.train(2).refused == 0


def test_the_model_ranks_by_identities_rounded_once() -> None:
    made = trainer()
    made.train(3)
    fine, served = made.identities.values[:ITEMS], made.model.identities
    np.testing.assert_array_equal(served, fine.astype(np.float16))
    assert (served != fine).any()
