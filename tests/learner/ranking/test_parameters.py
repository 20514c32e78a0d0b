"""The contract of parameters, by gate, fused model and both; a version names all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learner.fused.digest import item_keys
from learner.fused.trained import TrainedModel
from learner.ranking.gate import FEATURES, PER_SIGNAL, empty_gate
from learner.ranking.gate_parameters import Gate
from learner.ranking.names import FIRST_FEATURE, FIRST_LATELY, FIRST_ORDER, LIFETIME, REPEATS
from learner.ranking.parameters import Parameters, RankingParameters, settle
from learner.release.delta import decode, encode
from learner.release.replica import Replica
from learner.training.learner import Learner
from tests.learner.toy import ITEMS, table, vectors
from tests.learner.training import small
from tests.learner.training.small import SETTINGS, catalogue, log
from upwell.errors import ModelError

KEYS = item_keys([f"i{row}" for row in range(ITEMS)])
KINDS = ["gate", "fused", "both"]


def made(kind: str, seed: int = 7) -> Parameters:
    fused = TrainedModel(table(vectors()), seed, device="cpu")
    kinds: dict[str, Parameters] = {
        "gate": Gate(),
        "fused": fused,
        "both": RankingParameters(Gate(), fused),
    }
    return kinds[kind]


def change(one: Parameters, rng: np.random.Generator) -> None:
    """As training would: some rows, and all that is small."""
    if isinstance(one, RankingParameters):
        change(one.gate, rng)
        if one.fused is not None:
            change(one.fused, rng)
        return
    rows = np.unique(rng.integers(ITEMS, size=9))
    if isinstance(one, Gate):
        one.grow(ITEMS)
        one.state.weights[...] = rng.normal(size=one.state.weights.shape)
        one.state.bias[rows] = rng.normal(size=len(rows))
        one.state.moved[rows] = True
    else:
        assert isinstance(one, TrainedModel)
        for weight in one.network.parameters():
            weight.data += 0.01
        one.write(rows, rng.normal(size=(len(rows), one.width)).astype(np.float32))


def assert_same(one: Parameters, other: Parameters) -> None:
    first, second = one.whole(), other.whole()
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_others_that_take_each_change_are_the_same(kind: str) -> None:
    one, other, rng = made(kind), made(kind, seed=8), np.random.default_rng(1)
    for _ in range(4):
        change(one, rng)
        settle(other.take(one.changes()))
        assert_same(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_they_were_others_that_take_the_whole_are_the_same(kind: str) -> None:
    one, other, rng = made(kind), made(kind, seed=8), np.random.default_rng(2)
    change(one, rng)
    change(other, rng)
    change(other, rng)
    settle(other.take(one.whole(), whole=True))
    assert_same(one, other)


@pytest.mark.parametrize("kind", ["gate", "both"])
@pytest.mark.parametrize("name", ["weights", "squares"])
def test_weights_of_a_version_with_other_signals_are_refused(kind: str, name: str) -> None:
    one, other, rng = made(kind), made(kind, seed=8), np.random.default_rng(3)
    change(one, rng)
    change(other, rng)
    before, given = other.whole(), one.whole()
    key = name if kind == "gate" else f"gate.{name}"
    given[key] = given[key][:, :-PER_SIGNAL]
    if kind == "both":
        given = {one: array for one, array in given.items() if one.startswith("gate.")}
    with pytest.raises(ModelError, match=f"gate: {name} are of shape .* another UPWELL_PREFIX"):
        settle(other.take(given, whole=True))
    for one_name, array in other.whole().items():
        np.testing.assert_array_equal(array, before[one_name], err_msg=one_name)


LATELY = slice(PER_SIGNAL * FIRST_LATELY, PER_SIGNAL * (FIRST_ORDER - 6))
NEAR = slice(PER_SIGNAL * (FIRST_ORDER - 6), PER_SIGNAL * (FIRST_ORDER - 4))
OFFERS = slice(PER_SIGNAL * (FIRST_ORDER - 4), PER_SIGNAL * (FIRST_ORDER - 2))
AGAIN = slice(PER_SIGNAL * REPEATS, PER_SIGNAL * (REPEATS + 2))
FRESH = slice(PER_SIGNAL * LIFETIME, PER_SIGNAL * (LIFETIME + 1))
RELATIONS = slice(PER_SIGNAL * (FIRST_FEATURE - 4), PER_SIGNAL * FIRST_FEATURE)


@pytest.mark.parametrize(
    "brought",
    [
        (AGAIN, FRESH),
        (AGAIN, FRESH, OFFERS),
        (AGAIN, FRESH, OFFERS, RELATIONS, NEAR),
        (AGAIN, FRESH, OFFERS, RELATIONS, NEAR, LATELY),
    ],
)
def test_weights_of_a_version_before_some_signals_are_taken_over(
    brought: tuple[slice, ...],
) -> None:
    one, other = made("gate"), made("gate", seed=8)
    change(one, np.random.default_rng(3))
    change(other, np.random.default_rng(4))
    given = one.whole()
    fresh = {"weights": 0.0, "squares": empty_gate().squares[0, 0]}
    new = np.zeros(FEATURES, np.bool_)
    for some in brought:
        new[some] = True
    older = {name: given[name][:, ~new] for name in fresh}
    settle(other.take({**given, **older}, whole=True))
    taken = other.whole()
    for name, begin in fresh.items():
        np.testing.assert_array_equal(taken[name][:, ~new], given[name][:, ~new])
        assert (taken[name][:, new] == begin).all()


def test_the_version_names_every_weight_bias_and_identity() -> None:
    both = RankingParameters(Gate(), TrainedModel(table(vectors()), 7, "cpu"))
    change(both, np.random.default_rng(3))
    assert both.fused is not None
    seen = [both.digest(KEYS)]
    both.gate.state.weights[1, 5] += 1e-9
    seen.append(both.digest(KEYS))
    both.gate.state.bias[4] += 1e-6
    seen.append(both.digest(KEYS))
    identity = both.fused.identities[[3]].astype(np.float32)
    identity[0, 7] += 0.01
    both.fused.write(np.array([3]), identity)
    seen.append(both.digest(KEYS))
    both.fused.weights["project"][0, 0] += 1e-3
    seen.append(both.digest(KEYS))
    bias = both.gate.state.bias
    bias[[0, 1]] = 0.25, 0.5
    seen.append(both.digest(KEYS))
    bias[[0, 1]] = 0.5, 0.25
    seen.append(both.digest(KEYS))
    assert len(set(seen)) == len(seen) == 7


def test_the_version_is_the_same_in_whatever_order_a_process_has_its_items() -> None:
    one, other = Gate(), Gate()
    order = np.random.default_rng(4).permutation(ITEMS)
    for gate, values in ((one, np.arange(ITEMS)), (other, np.arange(ITEMS)[order])):
        gate.grow(ITEMS)
        gate.state.bias[:ITEMS] = values
    assert RankingParameters(one, None).digest(KEYS) == RankingParameters(other, None).digest(
        KEYS[order]
    )


def test_a_replica_that_is_level_has_the_same_version_though_its_rows_are_others() -> None:
    fused = replace(SETTINGS, fused=True, fused_every=64)
    learner, replica = Learner(fused, small.DIMENSION, 7), Replica(fused, small.DIMENSION)
    learner.add_items(catalogue())
    replica.add_items(catalogue()[::-1])
    examples = log(300)[0]
    versions = []
    for start in range(0, len(examples), 100):
        learner.learn(examples[start : start + 100])
        settle(replica.apply(decode(encode(learner.take_delta()))))
        assert replica.version == learner.version
        versions.append(replica.version.rpartition("-")[2])
    assert len(set(versions)) == 3
    replica.parameters.gate.state.bias[0] += 1.0
    assert replica.version_with(replica.parameters) != learner.version
