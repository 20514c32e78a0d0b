"""A replica that starts from a checkpoint, or meets a learner that did: it ranks by what served,
and never goes back.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.ranking.parameters import prefixed, settle
from learner.release.replica import SERVING, Replica, serving_of
from learner.training.learner import Learner
from tests.learner.counted import item_events
from tests.learner.training.small import (
    DIMENSION,
    SETTINGS,
    catalogue,
    learner_of,
    log,
    replica_of,
    requests_of,
)
from upwell.errors import ModelError

EXAMPLES, STATES = log(240)


def checkpoint(
    learner: Learner, serving: Learner
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Of a learner while the parameters of another one serve."""
    arrays = learner.arrays() | prefixed(SERVING, serving.parameters.whole())
    return arrays, json.loads(json.dumps(learner.meta()))


def assert_level(replica: Replica, learner: Learner) -> None:
    assert (replica.version, replica.watermark) == (learner.version, learner.watermark)
    assert item_events(replica) == item_events(learner)
    assert replica.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))


@pytest.mark.parametrize("before", [True, False])
def test_restored_it_counts_like_the_learner_and_follows_it(before: bool) -> None:
    learner, replica = learner_of(EXAMPLES[:150]), replica_of()
    if not before:
        replica = Replica(SETTINGS, DIMENSION)
    else:
        settle(replica.apply(learner_of(EXAMPLES[:60]).take_delta()))
    learner.take_delta()
    replica.restore(*checkpoint(learner, learner))
    replica.add_items(catalogue())
    assert_level(replica, learner)
    learner.learn(EXAMPLES[150:])
    settle(replica.apply(learner.take_delta()))
    assert_level(replica, learner)


def test_it_ranks_by_what_served_and_not_by_what_was_in_training() -> None:
    learner, serving, replica = learner_of(EXAMPLES), learner_of(EXAMPLES[:80]), replica_of()
    replica.restore(*checkpoint(learner, serving))
    weights = replica.parameters.gate.state.weights
    np.testing.assert_array_equal(weights, serving.parameters.gate.state.weights)
    assert not np.array_equal(weights, learner.parameters.gate.state.weights)
    assert (replica.learned, item_events(replica)) == (len(EXAMPLES), item_events(learner))


def test_a_learner_that_began_again_takes_nobody_back() -> None:
    """From its checkpoint it sends what the replica has counted, and then goes on."""
    replica = replica_of(learner_of(EXAMPLES[:200]).take_delta())
    again = learner_of(EXAMPLES[:100])
    settle(replica.apply(again.take_delta()))
    assert (replica.learned, replica.watermark) == (200, {"reviews-0": 199})
    again.learn(EXAMPLES[100:])
    settle(replica.apply(again.take_delta()))
    assert_level(replica, again)


def test_the_counts_do_not_depend_on_how_examples_were_cut_into_deltas() -> None:
    learner, at_once = learner_of([]), replica_of(learner_of(EXAMPLES).take_delta())
    stepwise = replica_of()
    for start in range(0, len(EXAMPLES), 70):
        learner.learn(EXAMPLES[start : start + 70])
        settle(stepwise.apply(learner.take_delta()))
    one, other = (made.ranking.counts.arrays(len(catalogue())) for made in (at_once, stepwise))
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_what_serves_is_read_without_its_prefix_and_its_lack_is_said() -> None:
    whole = learner_of(EXAMPLES).parameters.whole()
    found = serving_of(prefixed(SERVING, whole) | {"counts.clock": np.zeros(1)})
    assert found.keys() == whole.keys()
    for arrays in ({}, whole):
        with pytest.raises(ModelError, match="another version of Upwell"):
            serving_of(arrays)


def test_a_checkpoint_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    learner, replica = learner_of(EXAMPLES), replica_of()
    settle(replica.apply(learner.take_delta()))
    arrays, meta = checkpoint(learner, learner)
    with pytest.raises(ModelError, match=f"vectors of {DIMENSION + 1} dimensions"):
        replica.restore(arrays, meta | {"dimension": DIMENSION + 1})
    with pytest.raises(ModelError, match="another version of Upwell"):
        replica.restore(learner.arrays(), meta)
    assert_level(replica, learner)


def test_items_that_made_room_are_forgotten_after_what_was_counted_of_them() -> None:
    delta = learner_of(EXAMPLES).take_delta()
    gone = ("i0", "i1", "never seen")
    replica, kept = replica_of(replace(delta, forgotten=gone)), replica_of(delta)
    expected = {item: count for item, count in item_events(kept).items() if item not in gone}
    assert item_events(replica) == expected != item_events(kept)
