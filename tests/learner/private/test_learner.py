"""A learner under a budget: what leaves it, how its account survives, and where it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.private.learner import PrivateLearner
from learner.private.plan import Plan
from learner.ranking.gate import empty_gate
from learner.ranking.parameters import prefixed, settle
from learner.release.delta import ModelDelta, decode, encode
from learner.release.replica import SERVING
from learner.training.learner import Learner
from tests.learner.training.small import (
    DIMENSION,
    SETTINGS,
    catalogue,
    log,
    replica_of,
    requests_of,
)
from upwell.errors import ModelError
from upwell.values import Example

EXAMPLES, STATES = log(420, users=60)
PLAN = Plan(epsilon=60.0, delta=1e-2, events=8, epochs=4, first=60)
SECRET = b"s" * 32
LAST_BITS = 1e-8
"""Of weights: texts' products differ in them by who is beside whom in a batch."""


def private(
    examples: list[Example], plan: Plan = PLAN, secret: bytes = SECRET, step: int = 37
) -> PrivateLearner:
    learner = PrivateLearner(SETTINGS, DIMENSION, 7, plan, secret)
    learner.add_items(catalogue())
    for start in range(0, len(examples), step):
        learner.learn(examples[start : start + step])
    return learner


def restored(arrays: dict[str, NDArray[Any]], meta: dict[str, Any]) -> PrivateLearner:
    learner = private([])
    learner.restore(arrays, json.loads(json.dumps(meta)))
    learner.add_items(catalogue())
    return learner


def equal(one: ModelDelta, other: ModelDelta, atol: float = 0.0) -> bool:
    return one.arrays.keys() == other.arrays.keys() and all(
        array.shape == other.arrays[name].shape
        and np.allclose(array, other.arrays[name], rtol=0.0, atol=atol)
        for name, array in one.arrays.items()
    )


def without(user: str) -> list[Example]:
    """The same stream, where this user's events are on something that nobody announced."""
    return [
        replace(one, event=replace(one.event, item_id="unknown")) if one.user == user else one
        for one in EXAMPLES
    ]


def test_before_the_first_epoch_ends_nothing_of_any_user_leaves() -> None:
    learner = private(EXAMPLES[:59])
    delta, empty = learner.take_delta(), private([]).take_delta()
    assert equal(delta, empty)
    assert (delta.items, delta.forgotten, delta.learned) == ((), (), 59)
    assert learner.told["spent"] == 0.0


def test_what_leaves_are_whole_tables_and_no_events() -> None:
    learner = private(EXAMPLES)
    arrays = learner.take_delta().arrays
    assert not [name for name in arrays if name.startswith("examples.")]
    assert {"released.rows", "released.values", "gate.weights"} <= arrays.keys()
    assert not arrays["gate.bias"].size
    assert "released.rows" not in learner.take_delta().arrays


def test_items_that_nobody_announced_get_no_row() -> None:
    learner = private(without("u3"))
    assert learner.unannounced == 0
    assert "unknown" not in learner.meta()["items"]


def test_one_user_moves_the_sums_by_no_more_than_their_bounds() -> None:
    all_, fewer = (private(examples).arrays() for examples in (EXAMPLES, without(EXAMPLES[0].user)))
    moved = all_["private.sums.people"][0] - fewer["private.sums.people"][0]
    assert 0.0 < np.linalg.norm(moved) <= np.sqrt(PLAN.events)
    assert set(np.unique(moved)) <= {0.0, 1.0}


def test_a_replica_ranks_by_what_was_told() -> None:
    learner = private(EXAMPLES[:200])
    replica = replica_of(learner.take_delta())
    assert replica.version == learner.version
    learner.learn(EXAMPLES[200:])
    assert replica.rank(requests_of(STATES)) != learner.rank(requests_of(STATES))
    settle(replica.apply(decode(encode(learner.take_delta()))))
    assert replica.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))
    assert (replica.version, replica.watermark) == (learner.version, learner.watermark)


def test_a_replica_from_its_checkpoint_ranks_the_same() -> None:
    learner = private(EXAMPLES)
    replica = replica_of()
    arrays = learner.arrays() | prefixed(SERVING, learner.parameters.whole())
    replica.restore(arrays, json.loads(json.dumps(learner.meta())))
    replica.add_items(catalogue())
    assert replica.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))


def test_how_the_stream_is_cut_makes_no_difference() -> None:
    one, other = private(EXAMPLES, step=5), private(EXAMPLES, step=420)
    assert one.told == other.told
    assert equal(one.take_delta(), other.take_delta(), LAST_BITS)


def test_it_goes_on_from_a_checkpoint_as_if_it_had_not_stopped() -> None:
    through, first = private(EXAMPLES), private(EXAMPLES[:130])
    again = restored(first.arrays(), first.meta())
    assert again.told == first.told
    again.learn(EXAMPLES)
    assert again.told == through.told
    first.take_delta()
    assert equal(again.take_delta(), through.take_delta(), LAST_BITS)


def test_what_was_spent_grows_and_stays_within_the_budget() -> None:
    learner, spent = private([]), [0.0]
    for start in range(0, len(EXAMPLES), 20):
        learner.learn(EXAMPLES[start : start + 20])
        spent.append(learner.told["spent"])
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(PLAN.epsilon)


def test_when_it_is_spent_nothing_more_is_learned_and_tests_go_on() -> None:
    learner = private(EXAMPLES[:300])
    assert learner.exhausted
    assert learner.told["epochs"] == PLAN.epochs
    before, tests = learner.arrays(), learner.tests["taken"]
    learner.take_delta()
    learner.learn(EXAMPLES[300:])
    after = learner.arrays()
    assert "released.rows" not in learner.take_delta().arrays
    for name in before:
        if name.startswith(("private.", "gate.", "counts.")):
            assert np.array_equal(before[name], after[name]), name
    assert learner.tests["taken"] > tests
    assert learner.learned == len(EXAMPLES)


def test_an_older_state_gives_nothing_back() -> None:
    older = private(EXAMPLES[:70])
    learner = private(EXAMPLES[:200])
    again = restored(older.arrays(), older.meta())
    again.go_on_after(learner.generations)
    assert again.told["spent"] == learner.told["spent"]
    assert (again.generation, again.exhausted) == (1, True)
    again.learn(EXAMPLES)
    assert again.told["spent"] == learner.told["spent"]


def test_a_state_that_is_level_goes_on_as_it_was() -> None:
    learner = private(EXAMPLES[:100])
    learner.go_on_after(dict(learner.generations))
    assert learner.generation == 0
    learner.go_on_after({})
    assert learner.generation == 0


def test_another_generation_has_other_noise() -> None:
    wide = replace(PLAN, epsilon=900.0, epochs=64)
    older, other = private(EXAMPLES[:50], wide), private(EXAMPLES[:50], wide)
    other.go_on_after({0: 1})
    older.learn(EXAMPLES[:62])
    other.learn(EXAMPLES[:62])
    assert (older.epochs, other.epochs) == (1, 1)
    gates = [one.parameters.gate.state.weights for one in (older, other)]
    assert not np.array_equal(gates[0], gates[1])


def test_who_was_forgotten_adds_nothing_again() -> None:
    learner = private(EXAMPLES[:50])
    user = next(one.user for one in EXAMPLES if one.event.liked)
    learner.forget(user)
    before = learner.arrays()["private.sums.people"].sum()
    offset = len(EXAMPLES)
    mine = [one for one in EXAMPLES if one.user == user]
    learner.learn([replace(one, offset=offset + number) for number, one in enumerate(mine)][:9])
    assert learner.arrays()["private.sums.people"].sum() == before


def test_checkpoints_with_and_without_a_budget_are_not_mixed() -> None:
    plain = Learner(SETTINGS, DIMENSION, 7)
    learner = private(EXAMPLES[:100])
    with pytest.raises(ModelError, match="learned without a budget of privacy"):
        private([]).restore(plain.arrays(), plain.meta())
    with pytest.raises(ModelError, match="another budget"):
        private([], replace(PLAN, epsilon=9.0)).restore(learner.arrays(), learner.meta())
    with pytest.raises(ModelError, match="noise is drawn from another key"):
        private([], secret=b"t" * 32).restore(learner.arrays(), learner.meta())
    with pytest.raises(ModelError, match="set UPWELL_PRIVATE_EPSILON as it was"):
        plain.restore(learner.arrays(), learner.meta())


def test_no_repeats_and_no_ages_are_told_beyond_the_budget() -> None:
    settings = replace(SETTINGS, repeats="learned", lifetime="learned")
    learner = PrivateLearner(settings, DIMENSION, 7, PLAN, SECRET)
    learner.add_items(catalogue())
    learner.learn(EXAMPLES)
    assert learner.epochs > 0
    state, fresh = learner.parameters.gate.state, empty_gate()
    assert state.weights.any()
    assert state.lifetime.tolist() == fresh.lifetime.tolist()
    assert state.repeats.tolist() == fresh.repeats.tolist()
