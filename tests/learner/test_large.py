"""A catalogue of more items than are compared with all others: the same lists as far as an index
can give them, the same in every process, and nobody in them who may not be.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from learner.counts.dense import read_dense
from learner.fused.histories import HistoryBatch, history_batch
from learner.ranking.parameters import prefixed, settle
from learner.release.delta import decode, encode
from learner.release.replica import SERVING, Replica
from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log
from upwell.ports import RankRequest
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, UserState

COUNT = 3_000
LARGE = replace(SETTINGS, exact_items=400)
FUSED = replace(LARGE, fused=True, fused_every=64)
ITEMS = catalogue(COUNT)
EXAMPLES, STATES = log(400)
REQUESTS = [RankRequest(state=STATES[user], k=20) for user in sorted(STATES)]


def learner_of(
    settings: LearnerSettings = LARGE,
    items: Sequence[CatalogueItem] = ITEMS,
    examples: Sequence[Example] = EXAMPLES,
    step: int = COUNT,
) -> Learner:
    made = Learner(settings, DIMENSION, 7)
    for start in range(0, len(items), step):
        made.add_items(items[start : start + step])
    made.learn(examples)
    return made


def listed(ranker: Learner | Replica, requests: Sequence[RankRequest]) -> list[list[str]]:
    return [[entry.item_id for entry in entries] for entries in ranker.rank(requests)]


def users_of(made: Learner, requests: Sequence[RankRequest]) -> HistoryBatch:
    events = made.ranking.events([one.state.history for one in requests], create=False)
    return history_batch(events, [one.state.intent for one in requests], DIMENSION)


def test_up_to_so_many_items_lists_are_what_they_were_to_the_bit() -> None:
    at_the_bound = replace(SETTINGS, exact_items=COUNT, fused=True, fused_every=64)
    exact = replace(at_the_bound, exact_items=50_000)
    assert learner_of(at_the_bound).rank(REQUESTS) == learner_of(exact).rank(REQUESTS)


@pytest.mark.parametrize("fused", [False, True])
def test_beyond_lists_are_nearly_those_of_a_look_at_all(fused: bool) -> None:
    large = learner_of(FUSED if fused else LARGE)
    exact = learner_of(replace(FUSED if fused else LARGE, exact_items=50_000))
    pairs = zip(listed(large, REQUESTS), listed(exact, REQUESTS), strict=True)
    assert large.ranking.catalogue.graph.large
    assert np.mean([len(set(one) & set(other)) / 20 for one, other in pairs]) > 0.85
    assert large.figures.ndcg10()["all"] == pytest.approx(exact.figures.ndcg10()["all"], abs=0.03)
    assert large.figures.ndcg10("popularity")["all"] == pytest.approx(
        exact.figures.ndcg10("popularity")["all"], abs=1e-9
    )


def test_the_fused_model_says_of_one_item_what_it_says_of_all() -> None:
    made = learner_of(FUSED)
    fused = made.parameters.fused
    assert fused is not None
    assert fused.ready
    users = users_of(made, REQUESTS[:5])
    dense, on = made.ranking.dense(users, fused)
    assert on[:, 1].all()
    rows = np.arange(COUNT)
    scores = fused.user_vectors(users) @ fused.item_vectors(rows).T
    some, parts = np.array([0, 7, 119, 2_900], np.int32), np.zeros((5, 4), np.float32)
    for user in range(5):
        read_dense(dense, 1, user, some, parts[user])
    np.testing.assert_allclose(parts, scores[:, some], rtol=1e-4, atol=1e-4)


def test_the_same_log_gives_the_same_lists_in_whatever_steps_items_came() -> None:
    few = ITEMS[:900]  # in one step they keep their order
    first = learner_of(FUSED, few).rank(REQUESTS)
    assert learner_of(FUSED, few).rank(REQUESTS) == first
    assert learner_of(FUSED, few, step=32).rank(REQUESTS) == first


def test_a_catalogue_taken_in_at_once_gives_the_same_lists_in_whatever_order_it_came() -> None:
    shuffled = [ITEMS[place] for place in np.random.default_rng(1).permutation(COUNT)]
    one, other = learner_of(), learner_of(items=shuffled)
    assert listed(other, REQUESTS) == listed(one, REQUESTS)


def test_a_replica_ranks_as_the_learner_and_goes_on_so_from_a_checkpoint() -> None:
    made, replica = learner_of(FUSED, examples=EXAMPLES[:200]), Replica(FUSED, DIMENSION)
    replica.add_items(ITEMS)
    settle(replica.apply(decode(encode(made.take_delta()))))
    assert (replica.version, replica.rank(REQUESTS)) == (made.version, made.rank(REQUESTS))
    made.learn(EXAMPLES[200:])
    settle(replica.apply(decode(encode(made.take_delta()))))
    assert (replica.version, replica.rank(REQUESTS)) == (made.version, made.rank(REQUESTS))
    arrays = made.arrays() | prefixed(SERVING, made.parameters.whole())
    meta = json.loads(json.dumps(made.meta()))
    later, other = Replica(FUSED, DIMENSION), Learner(FUSED, DIMENSION, 7)
    later.restore(arrays, meta)
    later.add_items(ITEMS)
    other.add_items(ITEMS)
    other.restore(arrays, meta)
    for restarted in (later, other):
        assert restarted.version == made.version
        assert listed(restarted, REQUESTS) == listed(made, REQUESTS)


def test_what_is_withdrawn_or_was_had_stands_in_no_list() -> None:
    made = learner_of()
    first = listed(made, REQUESTS)
    gone = {item_id for one in first for item_id in one[:10]}
    made.add_items([replace(one, deleted=True) for one in ITEMS if one.item_id in gone])
    for request, one in zip(REQUESTS, listed(made, REQUESTS), strict=True):
        assert not gone & set(one)
        assert not set(request.state.had) & set(one)
        assert len(one) == 20


def test_a_rare_category_is_listed_whole_also_for_who_said_nothing_yet() -> None:
    rare = {"i2998", "i2999", "i1500"}
    items = [replace(one, categories=("rare",)) if one.item_id in rare else one for one in ITEMS]
    made = learner_of(items=items)
    nobody = UserState("new", np.zeros(DIMENSION, np.float32))
    known = REQUESTS[0].state
    asked = [RankRequest(state=state, k=20, category="rare") for state in (nobody, known)]
    assert [set(one) for one in listed(made, asked)] == [rare, rare]


def test_a_new_text_is_found_where_it_now_is() -> None:
    made = learner_of(examples=())
    wish = ITEMS[5].vector
    asked = [RankRequest(state=UserState("u", wish), k=10, words="that")]
    assert "i2999" not in listed(made, asked)[0]
    made.add_items([replace(ITEMS[2_999], title="rewritten", vector=wish)])
    assert listed(made, asked)[0][:2] == ["i5", "i2999"]
    made.add_items([replace(ITEMS[2_999], title="once more", vector=-wish)])
    assert "i2999" not in listed(made, asked)[0]


def test_items_that_come_later_are_found_and_no_array_has_the_width_of_the_catalogue() -> None:
    made = learner_of(FUSED, ITEMS[:1_000])
    wish = ITEMS[2_500].vector
    made.add_items(ITEMS[1_000:])
    asked = [RankRequest(state=UserState("u", wish), k=10, words="that")]
    assert listed(made, asked)[0][0] == "i2500"
    dense, _ = made.ranking.dense(users_of(made, asked), made.parameters.fused)
    assert dense.scores.size == 0
