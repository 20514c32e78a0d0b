"""A large delta travels in small parts, and takes effect as one: whatever came before it, and
whoever begins to read in the middle.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.ranking.parameters import settle
from learner.release.delta import ModelDelta, decode, encode
from learner.release.parts import PART_BYTES, Assembly, in_parts
from learner.release.replica import Replica
from learner.training.learner import Learner
from tests.learner.counted import item_events
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log, requests_of
from upwell.errors import ModelError

EXAMPLES, STATES = log(600)
FUSED = replace(SETTINGS, fused=True, fused_every=64)
SMALL = 6_000  # bytes; some parts of examples, some of biases, some of identities
MANY = 200_000  # items, the default cap of a catalogue


def taught(count: int = len(EXAMPLES)) -> Learner:
    learner = Learner(FUSED, DIMENSION, 7)
    learner.add_items(catalogue())
    learner.learn(EXAMPLES[:count])
    return learner


def fresh() -> Replica:
    replica = Replica(FUSED, DIMENSION)
    replica.add_items(catalogue())
    return replica


def parts_of(learner: Learner) -> list[ModelDelta]:
    """As they travel."""
    return [decode(encode(one)) for one in in_parts(learner.take_delta(), SMALL)]


def assert_level(replica: Replica, learner: Learner) -> None:
    assert (replica.version, replica.watermark) == (learner.version, learner.watermark)
    assert item_events(replica) == item_events(learner)
    assert replica.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))


def test_parts_are_small_and_together_the_delta() -> None:
    learner, replica = taught(), fresh()
    parts = in_parts(learner.take_delta(), SMALL)
    assert [(one.part, one.parts) for one in parts] == [(n, len(parts)) for n in range(len(parts))]
    network = len(encode(parts[-1]))
    assert max(len(encode(one)) for one in parts[:-1]) < 2 * SMALL < network
    assert len([one for one in parts if "examples.rows" in one.arrays]) > 2
    assert len([one for one in parts if "fused.rows" in one.arrays]) > 2
    for one in parts:
        settle(replica.apply(decode(encode(one))))
    assert_level(replica, learner)


def test_parameters_take_effect_with_the_last_part_and_counts_with_each() -> None:
    learner, replica = taught(), fresh()
    before = replica.version.rpartition("-")[2]
    *some, last = parts_of(learner)
    learned = [0]
    for one in some:
        settle(replica.apply(one))
        assert replica.version.rpartition("-")[2] == before
        assert replica.learned == one.learned
        learned.append(replica.learned)
    assert learned == sorted(learned)
    assert learned[-1] == len(EXAMPLES)
    assert len(set(learned)) > 3
    settle(replica.apply(last))
    assert_level(replica, learner)


def test_a_part_that_comes_twice_is_said() -> None:
    parts, replica = parts_of(taught()), fresh()
    for one in parts[:2]:
        settle(replica.apply(one))
    with pytest.raises(ModelError, match="part 1 of a model delta"):
        settle(replica.apply(parts[1]))


@pytest.mark.parametrize("dead", [1, 3, -1])
def test_parts_of_a_writer_that_died_are_dropped_where_a_delta_begins(dead: int) -> None:
    replica = fresh()
    for one in parts_of(taught(200))[:dead]:
        settle(replica.apply(one))
    again = taught()  # from its checkpoint, which was before all of that
    for one in parts_of(again):
        settle(replica.apply(one))
    assert_level(replica, again)


def test_a_reader_that_starts_in_the_middle_is_told_so_and_keeps_its_parameters() -> None:
    *_, late, last = parts_of(taught())
    replica = fresh()
    before = replica.version
    for one in (late, last):
        with pytest.raises(ModelError, match="restore the newest checkpoint"):
            settle(replica.apply(one))
    replica.watermark = dict(last.watermark)  # one that has all the examples, and missed weights
    with pytest.raises(ModelError, match="comes after 0 of a delta to nothing"):
        settle(replica.apply(last))
    assert replica.version.rpartition("-")[2] == before.rpartition("-")[2]


def test_a_whole_delta_replaces_what_a_replica_had() -> None:
    learner, replica = taught(), fresh()
    settle(replica.apply(learner.take_delta()))
    replica.parameters.gate.state.bias[:50] = 9.0
    whole = replace(
        learner.take_delta(learner.parameters.whole(), whole=True), version=learner.version
    )
    for one in in_parts(whole, SMALL):
        settle(replica.apply(decode(encode(one))))
    assert_level(replica, learner)


def identities(rows: NDArray[np.int32]) -> ModelDelta:
    """All rows trained, as after a restart, of a catalogue of so many items."""
    values = np.random.default_rng(2).normal(size=(len(rows), 65)).astype(np.float16)
    items = tuple(f"item-{row:012d}" for row in rows)
    return ModelDelta(
        version="9-x",
        learned=9,
        since={},
        watermark={"reviews-0": 8},
        sources=(),
        items=(),
        row_items={"gate.rows": items, "fused.rows": items},
        arrays={
            "gate.rows": rows,
            "gate.bias": values[:, 0].astype(np.float32),
            "gate.weights": np.ones((6, 117)),
            "fused.rows": rows,
            "fused.identities": values,
        },
    )


def test_of_as_many_items_as_a_catalogue_may_have_records_are_far_below_the_limit() -> None:
    delta = identities(np.arange(MANY, dtype=np.int32))
    records = [encode(one) for one in in_parts(delta)]
    assert max(map(len, records)) < 1.2 * PART_BYTES < 32 << 20 < len(encode(delta))
    assembly, found = Assembly(), None
    for record in records:
        assert found is None
        one = decode(record)
        rows = {
            name: np.array([int(item[5:]) for item in items], np.int32)
            for name, items in one.row_items.items()
        }
        found = assembly.add(one, rows)
    assert found is not None
    for name, array in delta.arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_a_small_delta_is_one_record_and_one_of_the_last_version_still_loads() -> None:
    learner = taught(50)
    delta = learner.take_delta()
    assert [one.parts for one in in_parts(delta)] == [1]
    old = encode(delta).replace(b"upwell-delta-3", b"upwell-delta-2")
    replica = fresh()
    settle(replica.apply(decode(old)))
    assert_level(replica, learner)


def test_a_delta_without_changes_is_one_record() -> None:
    learner = taught(50)
    learner.take_delta()
    (only,) = in_parts(learner.take_delta({}), SMALL)
    assert (only.part, only.parts, dict(only.arrays)) == (0, 1, {})
