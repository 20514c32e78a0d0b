"""What impressions weigh: learned among what was shown together, in lists, on replicas, and of
checkpoints that do not know it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.ranking.fatigue import MOST_WORN
from learner.ranking.gate import (
    KEPT_SQUARE,
    LEAST_WEAR,
    RATE,
    WEAR,
    GateState,
    empty_gate,
    learn_wear,
    tired,
)
from learner.ranking.parameters import settle
from learner.release.delta import decode, encode
from learner.release.replica import Replica
from learner.training.learner import Learner
from upwell.ports import RankRequest
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction, UserState

ITEMS, DIMENSION = 30, 8
SETTINGS = LearnerSettings(fused=False, explore=0.0)
FOUND = np.array([5, 2, 9, 4], np.int32)
SCORE = np.array([0.3, -0.2, 1.0, 0.0])


def step(
    gate: GateState, target: int, beside: list[int], impressions: list[float]
) -> NDArray[np.float64]:
    learn_wear(
        gate,
        FOUND,
        SCORE,
        target,
        np.array(beside, np.int32),
        np.array(impressions, np.float64),
    )
    return gate.wear


def test_a_step_is_that_of_the_likelihood_among_what_was_shown() -> None:
    gate = empty_gate()
    beside, impressions = [9, 5, 77, 4], [6.0, 0.0, 3.0, 1.0]  # 77 is no candidate
    f = np.log1p([0.0, 6.0, 1.0])  # of 5, 9, 4
    p = np.exp(SCORE[[0, 2, 3]] + WEAR * f)
    p /= p.sum()
    g = f[2] - p @ f  # 4 was chosen
    square = KEPT_SQUARE * gate.wear[1] + g * g
    expected = [WEAR + RATE * g / np.sqrt(square), square]
    assert step(gate, 3, beside, impressions) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("target", "beside", "impressions"),
    [(0, [], []), (0, [2, 9], [1.0, 2.0]), (0, [5], [4.0]), (0, [5, 77], [4.0, 1.0])],
)
def test_what_was_not_shown_or_shown_alone_teaches_nothing(
    target: int, beside: list[int], impressions: list[float]
) -> None:
    gate = empty_gate()
    assert step(gate, target, beside, impressions).tolist() == empty_gate().wear.tolist()


def test_the_weight_stays_within_its_bounds() -> None:
    gate = empty_gate()
    for _ in range(3_000):
        step(gate, 2, [5, 9], [0.0, 9.0])  # the worn one is taken each time
    assert gate.wear[0] == 0.0
    for _ in range(9_000):
        step(gate, 0, [5, 9], [0.0, 9.0])
    assert LEAST_WEAR <= gate.wear[0] < WEAR
    assert tired(gate, 0.0) == 0.0
    assert tired(gate, MOST_WORN) >= LEAST_WEAR * np.log1p(MOST_WORN)


def catalogue() -> list[CatalogueItem]:
    vectors = np.random.default_rng(3).normal(size=(ITEMS, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        CatalogueItem(item_id=f"i{row}", ts=0, title=f"t{row}", vector=vectors[row], revision="r")
        for row in range(ITEMS)
    ]


def learner_of() -> Learner:
    learner = Learner(SETTINGS, DIMENSION, SETTINGS.seed)
    learner.add_items(catalogue())
    return learner


def example(number: int, item: int, beside: tuple[tuple[str, float], ...] = ()) -> Example:
    event = Interaction(f"e{number}", number, f"i{item}", "click", None, "clicks-0", number)
    past = tuple(
        Interaction(f"h{number}-{row}", row, f"i{row}", "click") for row in range(number % 5)
    )
    return Example(
        source="clicks-0",
        offset=number,
        user=f"u{number}",
        event=event,
        history=past,
        intent=None,
        user_events=len(past),
        tested=True,
        had=tuple(f"i{row}" for row in range(number % 5)),
        beside=beside,
    )


def some(worn: bool) -> list[Example]:
    shown = tuple((f"i{row}", float(row % 3)) for row in range(ITEMS))
    return [example(number, 5 + number % 25, shown if worn else ()) for number in range(120)]


def asked(**more: object) -> RankRequest:
    state = UserState("u", np.zeros(DIMENSION, np.float32), events=0)
    return replace(RankRequest(state=state, k=10), **more)  # type: ignore[arg-type]


def test_impressions_teach_their_own_weight_and_nothing_else() -> None:
    plain, shown = learner_of(), learner_of()
    plain.learn(some(worn=False))
    shown.learn(some(worn=True))
    before, after = plain.arrays(), shown.arrays()
    assert before.keys() == after.keys()
    different = [name for name in before if not np.array_equal(before[name], after[name])]
    assert different == ["gate.wear"]
    assert before["gate.wear"].tolist() == empty_gate().wear.tolist()


def test_what_is_worn_gives_way_and_says_so_and_reasons_sum_to_the_score() -> None:
    learner = learner_of()
    learner.learn(some(worn=False))
    [fresh] = learner.rank([asked()])
    worn = {entry.item_id: 15.0 for entry in fresh[:5]}
    [after] = learner.rank([asked(worn=worn | {"nobody": 3.0})])
    assert len(after) == len(fresh)
    assert not {entry.item_id for entry in after[:5]} & worn.keys()
    for entry in after:
        assert sum(one.weight for one in entry.reasons) == pytest.approx(entry.score, abs=1e-5)
    [everything] = learner.rank([asked(worn=worn, k=ITEMS)])
    assert {entry.item_id for entry in everything} == {f"i{row}" for row in range(ITEMS)}
    shares = {
        entry.item_id: [one.weight for one in entry.reasons if one.signal == "fatigue"]
        for entry in everything
    }
    assert all(shares[item] == [pytest.approx(WEAR * np.log1p(15.0))] for item in worn)
    assert not any(weights for item, weights in shares.items() if item not in worn)


def test_a_replica_and_a_checkpoint_rank_alike_and_the_version_tells_the_weight() -> None:
    learner, plain = learner_of(), learner_of()
    learner.learn(some(worn=True))
    plain.learn(some(worn=False))
    replica, again = Replica(SETTINGS, DIMENSION), learner_of()
    replica.add_items(catalogue())
    version = learner.version
    assert version != plain.version
    again.restore(learner.arrays(), learner.meta())
    settle(replica.apply(decode(encode(learner.take_delta()))))
    assert replica.version == again.version == version
    request = asked(worn={"i7": 4.0, "i9": 1.0})
    assert replica.rank([request]) == again.rank([request]) == learner.rank([request])


def test_a_checkpoint_of_before_impressions_counted_begins_with_the_prior() -> None:
    learner, again = learner_of(), learner_of()
    learner.learn(some(worn=False))
    arrays = learner.arrays()
    del arrays["gate.wear"]
    again.restore(arrays, learner.meta())
    assert again.parameters.gate.state.wear.tolist() == empty_gate().wear.tolist()
    assert again.version == learner.version
