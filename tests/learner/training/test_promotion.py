"""What goes out to replicas: only weights that held on targets they had not learned, and never
anything that was poisoned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from learner.ranking.parameters import settle
from learner.release.delta import decode, encode
from learner.release.guard import GroupShare, Guard, Ruling, Verdict
from learner.release.replica import Replica
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from tests.learner.counted import item_events
from tests.learner.training.small import (
    DIMENSION,
    SETTINGS,
    catalogue,
    learner_of,
    log,
    requests_of,
)
from upwell.errors import ModelError
from upwell.values import Example

EXAMPLES, STATES = log(2_400, users=600)
UNTESTED = 2.0
FUSED = replace(SETTINGS, fused=True, fused_every=64, fused_steps=1)
STEP = 16


def made(fused: bool = False) -> Learner:
    learner = Learner(FUSED if fused else SETTINGS, DIMENSION, 7)
    learner.add_items(catalogue())
    return learner


def replica_of(learner: Learner) -> Replica:
    """That has the same catalogue, and heard nothing yet."""
    replica = Replica(learner.settings, DIMENSION)
    replica.add_items(catalogue())
    return replica


def follow(replica: Replica, promotion: Promotion) -> None:
    for delta in promotion.take_deltas():
        settle(replica.apply(decode(encode(delta))))


def played(promotion: Promotion, learner: Learner, examples: Sequence[Example]) -> Iterator[Ruling]:
    for start in range(0, len(examples), STEP):
        some = examples[start : start + STEP]
        promotion.test(some)
        learner.learn(some)
        ruling = promotion.decide()
        if ruling is not None:
            yield ruling


@pytest.mark.parametrize("fused", [False, True])
def test_replicas_rank_by_what_was_promoted_and_count_what_was_learned(fused: bool) -> None:
    learner = made(fused)
    replica = replica_of(learner)
    promotion = Promotion(learner, Guard(), UNTESTED)
    rulings = list(played(promotion, learner, EXAMPLES))
    assert (
        sum(ruling.verdict is Verdict.PROMOTE for ruling in rulings)
        == promotion.counts[Verdict.PROMOTE]
        > 3
    )
    follow(replica, promotion)
    assert replica.version == promotion.version != learner.version
    assert (replica.watermark, item_events(replica)) == (learner.watermark, item_events(learner))
    served = [listed for listed, _ in learner.ranking.top(requests_of(STATES), promotion.serving)]
    assert [
        [entry.item_id for entry in entries] for entries in replica.rank(requests_of(STATES))
    ] == served


def test_training_is_the_same_with_a_guard_and_without() -> None:
    learner, alone = made(fused=True), made(fused=True)
    list(played(Promotion(learner, Guard(), 10_000), learner, EXAMPLES[:640]))
    for start in range(0, 640, STEP):
        alone.learn(EXAMPLES[start : start + STEP])
    assert learner.version == alone.version
    assert learner.figures.report() == alone.figures.report()
    assert learner.rank(requests_of(STATES)) == alone.rank(requests_of(STATES))


def test_at_the_beginning_what_is_trained_goes_out_at_once() -> None:
    learner = made()
    replica = replica_of(learner)
    promotion = Promotion(learner, Guard(), 10_000)
    assert list(played(promotion, learner, EXAMPLES[:640])) == []
    follow(replica, promotion)
    assert replica.parameters.gate.state.weights.any()
    assert replica.version == promotion.version == learner.version


def test_later_only_what_was_tested_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = made()
    promotion = Promotion(learner, Guard(), 0.0)
    list(played(promotion, learner, EXAMPLES[:320]))
    monkeypatch.setattr(Guard, "verdict", Verdict.WAIT)
    waiting = Promotion(learner, Guard())
    waiting.restore(promotion.arrays())
    waiting.take_deltas()
    list(played(waiting, learner, EXAMPLES[320:640]))
    assert not any(
        name.startswith(("gate.", "fused."))
        for delta in waiting.take_deltas()
        for name in delta.arrays
    )


def test_at_the_beginning_too_what_is_broken_does_not_go_out() -> None:
    learner = made()
    replica = replica_of(learner)
    promotion = Promotion(learner, Guard(), 10_000)
    learner.learn(EXAMPLES[:STEP])
    spoil(learner, "nan gate")
    ruling = promotion.decide()
    assert ruling is not None
    assert ruling.verdict is Verdict.ROLL_BACK
    follow(replica, promotion)
    assert np.isfinite(replica.parameters.gate.state.weights).all()


def test_the_last_ruling_is_told_with_what_was_learned_since() -> None:
    learner = made()
    promotion = Promotion(learner, Guard(), UNTESTED)
    assert promotion.ruled is None
    ruled_at = 0
    for start in range(0, len(EXAMPLES), STEP):
        some = EXAMPLES[start : start + STEP]
        promotion.test(some)
        learner.learn(some)
        ruling = promotion.decide()
        if ruling is not None:
            ruled_at = learner.learned
            assert promotion.ruled == {"verdict": str(ruling.verdict), "examples": 0}
    assert promotion.ruled is not None
    assert promotion.ruled["examples"] == learner.learned - ruled_at > 0


@pytest.mark.parametrize("poison", ["nan gate", "random gate", "nan fused", "random fused"])
def test_a_poisoned_model_is_rolled_back_and_no_replica_hears_of_it(poison: str) -> None:
    fused = poison.endswith("fused")
    learner = made(fused)
    replica = replica_of(learner)
    promotion = Promotion(learner, Guard(), UNTESTED)
    list(played(promotion, learner, EXAMPLES[:1_600]))
    follow(replica, promotion)
    spoil(learner, poison)
    for ruling in played(promotion, learner, EXAMPLES[1_600:]):
        follow(replica, promotion)
        if ruling.verdict is Verdict.ROLL_BACK:
            break
        assert ruling.verdict is Verdict.SUPERSEDE or ruling.learned <= 1_600, (
            "a candidate frozen after the poison went out"
        )
    else:
        pytest.fail("the poison was not found")
    for entries in replica.rank(requests_of(STATES)):
        assert len(entries) == 10
        assert all(np.isfinite(entry.score) for entry in entries)
    assert all(np.isfinite(array).all() for array in learner.parameters.whole().values())
    assert all(
        np.array_equal(array, promotion.serving.whole()[name])
        for name, array in learner.parameters.whole().items()
    )


def spoil(learner: Learner, poison: str) -> None:
    rng = np.random.default_rng(11)
    gate, fused = learner.parameters.gate.state, learner.parameters.fused
    if poison == "nan gate":
        gate.weights[0, 3] = np.nan
    elif poison == "random gate":
        gate.weights[...] = rng.normal(scale=20.0, size=gate.weights.shape)
        gate.squares[...] = 1e9  # so that learning does not mend it meanwhile
    else:
        assert fused is not None
        for weight in fused.weights.values():
            weight *= float("nan") if poison == "nan fused" else 0.0
        if poison == "random fused":
            gate.weights[:, -9:] = rng.normal(scale=50.0, size=gate.weights[:, -9:].shape)
            gate.squares[...] = 1e9


def test_the_candidate_is_tested_on_what_neither_has_learned() -> None:
    learner = made()
    promotion = Promotion(learner, Guard(), UNTESTED)
    list(played(promotion, learner, EXAMPLES[:320]))
    before = promotion.targets
    promotion.test(EXAMPLES[:320])
    assert promotion.targets == before


def test_one_that_is_superseded_gives_way_to_what_was_trained_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Guard, "verdict", Verdict.SUPERSEDE)
    learner = made()
    promotion = Promotion(learner, Guard(), 0.0)
    rulings = played(promotion, learner, EXAMPLES)
    first, second = next(rulings), next(rulings)
    assert first.verdict is second.verdict is Verdict.SUPERSEDE
    assert first.learned < second.learned
    assert promotion.counts == {"superseded": 2}
    assert learner.parameters.gate.state.weights.any()
    assert not any("gate.weights" in delta.arrays for delta in promotion.take_deltas())


@pytest.mark.parametrize("fused", [False, True])
def test_what_serves_is_in_the_checkpoint(fused: bool) -> None:
    learner = made(fused)
    promotion = Promotion(learner, Guard(), UNTESTED)
    list(played(promotion, learner, EXAMPLES[:1_600]))
    arrays, meta = learner.arrays() | promotion.arrays(), learner.meta()
    again = made(fused)
    replica = replica_of(again)
    replica.restore(arrays, meta)
    again.restore(arrays, meta)
    resumed = Promotion(again, Guard(), UNTESTED)
    resumed.restore(arrays)
    assert replica.version == promotion.version == resumed.version
    assert again.version == learner.version
    for parameters in (replica.parameters, resumed.serving):
        whole = parameters.whole()
        assert all(
            np.array_equal(whole[name], array) for name, array in promotion.serving.whole().items()
        )
    list(played(resumed, again, EXAMPLES[1_600:]))
    assert resumed.counts[Verdict.PROMOTE] > 0


def test_a_checkpoint_without_serving_weights_is_refused() -> None:
    learner = learner_of(EXAMPLES[:50])
    with pytest.raises(ModelError, match="weights that serve"):
        replica_of(learner).restore(learner.arrays(), learner.meta())


def test_after_a_restart_the_guard_asks_for_the_lists_that_replicas_make() -> None:
    learner = made(fused=True)
    promotion = Promotion(learner, Guard(), UNTESTED)
    list(played(promotion, learner, EXAMPLES[:1_600]))
    again = made(fused=True)
    again.restore(learner.arrays() | promotion.arrays(), learner.meta())
    resumed = Promotion(again, Guard(), UNTESTED)
    resumed.restore(promotion.arrays())
    lists, same = (
        list(one.ranking.top(requests_of(STATES), of.serving))
        for one, of in ((learner, promotion), (again, resumed))
    )
    assert lists == same


def test_after_a_restart_replicas_hear_what_serves_though_they_took_later_promotions() -> None:
    learner = made(fused=True)
    replica = replica_of(learner)
    promotion = Promotion(learner, Guard(), 10_000)
    list(played(promotion, learner, EXAMPLES[:320]))
    arrays, meta = learner.arrays() | promotion.arrays(), learner.meta()
    list(played(promotion, learner, EXAMPLES[320:640]))
    follow(replica, promotion)
    again = made(fused=True)
    again.restore(arrays, meta)
    resumed = Promotion(again, Guard(), UNTESTED)
    resumed.restore(arrays)
    follow(replica, resumed)
    assert replica.learned == 640, "it has counted what the learner learns once more"
    assert replica.version.rpartition("-")[2] == resumed.version.rpartition("-")[2]
    list(played(resumed, again, EXAMPLES[320:960]))
    follow(replica, resumed)
    assert replica.version == resumed.version
    assert item_events(replica) == item_events(again)


def test_a_candidate_is_held_to_the_shares_of_bounded_groups() -> None:
    """Of a group that all items are in each list has the whole."""
    learner, guard = made(), Guard(groups=(GroupShare("all", 1.0),))
    everything = [np.ones(1_000, np.bool_)]
    promotion = Promotion(learner, guard, 0.0, lambda ranking: everything)
    assert list(played(promotion, learner, EXAMPLES[:320]))
    [share] = promotion._guard.groups
    assert share.shown == pytest.approx(share.lists)
    assert share.lists == promotion.targets > 0
