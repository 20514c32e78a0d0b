"""A user is forgotten down to what was learned of them, on the real broker with real workers: a
learner begins afresh, though learn is killed, serve goes over to it, and it has counted what one
would have that is given the others' examples alone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from heapq import merge
from pathlib import Path

import numpy as np
import pytest
from kafka import TopicPartition

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from stream.broker.feeds import Broadcast, read_partition
from stream.chain.effects import Erasure
from stream.chain.privacy import Pseudonymizer, load_or_create_key
from stream.chain.wire import decode_examples, decode_item
from stream.learn.rollback import BEGAN
from tests.e2e.engine import Engine
from tests.e2e.test_forget import ITEMS, learn_of_both, restarted
from upwell.client import UpwellClient
from upwell.events import Topic
from upwell.values import Example


@pytest.mark.timeout(400)
def test_a_forgotten_user_leaves_counts_and_weights_though_learn_was_killed(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    with (
        Engine(
            kafka,
            prefix,
            tmp_path,
            UPWELL_FUSED="on",
            UPWELL_CHECKPOINT_EXAMPLES="4",
            UPWELL_RELEARN="2",
        ) as engine,
        UpwellClient(kafka, engine.settings.kafka) as upwell,
    ):
        folder = LocalFolder(engine.settings.data / "models")
        learn_of_both(engine, upwell, prefix)
        confirmed = upwell.forget("ann", "op", "asked to", timeout=120)
        assert "UPWELL_RELEARN is 2" in confirmed.remains[3]
        assert began(folder) is None, "two erasures are waited for"
        upwell.forget("visitor", "op", "asked to", timeout=120)
        killed = engine.supervisor.pids["learn"]
        os.kill(killed, signal.SIGKILL)
        engine.wait(partial(restarted, engine, killed), "learn to be started again")
        engine.wait(lambda: began(folder) is not None, "a learner that began afresh")
        name = began(folder)
        assert name is not None
        engine.wait(
            lambda: [one.name for one in checkpoint.every(folder)] == [name],
            "older versions to be removed",
        )
        arrays, meta = checkpoint.load(folder, name)
        assert set(meta["learner"]["items"]) == {f"i{number}" for number in range(ITEMS)}
        engine.wait(
            lambda: engine.metrics.newest("serve").get("model_version") == meta["version"],
            "serve to go over to it",
        )
        for number in range(ITEMS):
            upwell.click("ann", f"i{number}")  # who is another one now
        upwell.flush()
        engine.wait(engine.settled, "all to go on")
    pseudonym = Pseudonymizer(load_or_create_key(tmp_path / "key")).pseudonym
    gone = {pseudonym(user) for user in ("ann", "visitor")}
    wanted = Learner(engine.settings.learner, 384, engine.settings.learner.seed)
    catalogue = Broadcast(prefix + Topic.CATALOGUE, engine.client)
    catalogue.start()
    items = {one.item_id: one for one in map(decode_item, values_of(catalogue))}
    catalogue.stop()
    wanted.add_items([items[one] for one in meta["learner"]["items"]])
    examples = list(examples_of(engine, prefix, meta["positions"]))
    assert {one.user for one in examples} > gone
    wanted.learn([one for one in examples if one.user not in gone])
    assert meta["learner"]["learned"] == wanted.learned == ITEMS
    assert meta["learner"]["items"] == wanted.meta()["items"]
    for array, values in wanted.arrays().items():
        if array.startswith(("counts.", "gate.")):
            assert np.array_equal(arrays[array], values), array


def began(folder: LocalFolder) -> str | None:
    """The newest checkpoint, where it is that of a learner that began afresh."""
    newest = checkpoint.latest(folder)
    if newest is None or not checkpoint.meta(folder, newest.name).get(BEGAN):
        return None
    return newest.name


def values_of(feed: Broadcast) -> Iterator[bytes]:
    return (one.value for one in feed.drain() if one.value is not None)


def examples_of(engine: Engine, prefix: str, ends: dict[str, int]) -> Iterator[Example]:
    """As they were appended, up to `ends`."""
    parts = [
        [
            one
            for one in read_partition(
                engine.client, TopicPartition(prefix + Topic.EXAMPLES, int(number)), 0
            )
            if one.offset < end
        ]
        for number, end in ends.items()
    ]
    for record in merge(*parts, key=lambda one: (one.timestamp, one.partition)):
        found = decode_examples(record.value)
        if not isinstance(found, Erasure):
            yield from found
