"""kill -9 of serve and of learn in the middle of a replay, on the real broker: nothing is lost and
nothing counts twice.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from store import open_store
from stream.chain.privacy import Pseudonymizer, load_or_create_key
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from stream.replay.player import Pace, Player
from tests.e2e.engine import Engine, bundled_log, values
from tests.learner.counted import item_events
from tests.sources import by_partition
from upwell.client import UpwellClient
from upwell.ports import Encoder
from upwell.settings import KafkaSettings

RATINGS = 3_000
KILLS = 4


@pytest.mark.timeout(400)
def test_killed_workers_lose_nothing_and_count_nothing_twice(
    kafka: str, prefix: str, tmp_path: Path, language_model: Encoder
) -> None:
    items, events = bundled_log(RATINGS)
    random = Random(5)
    with Engine(
        kafka, prefix, tmp_path, UPWELL_CHECKPOINT_EXAMPLES="700", UPWELL_BATCH_EVENTS="64"
    ) as engine:
        with Player(engine.client, prefix, lambda _: None, lambda: None) as player:
            player.play(items, Pace())
            engine.wait(engine.settled, "the catalogue")
            part = len(events) // KILLS
            for number, role in enumerate(["serve", "learn", "serve", "learn"]):
                player.play(events[number * part : (number + 1) * part], Pace())
                engine.wait(
                    partial(behind_at_most, engine, random.randrange(1, part)), "the moment to kill"
                )
                os.kill(engine.supervisor.pids[role], signal.SIGKILL)
        engine.wait(engine.settled, "everything to be served and learned")
        lists = newest_lists(kafka, prefix)
    inline = undisturbed(engine, language_model, items, events)
    ids = sorted({str(event["user_id"]) for event in values(events)})
    pseudonyms = Pseudonymizer(load_or_create_key(engine.settings.data / "key"))
    users = [pseudonyms.pseudonym(user_id) for user_id in ids]
    assert_states_are_the_same(engine, inline, users)
    assert_examples_are_the_same(engine, inline)
    assert lists == {
        user_id: dict(inline.users.read([user])[user].watermark)
        for user_id, user in zip(ids, users, strict=True)
    }


def behind_at_most(engine: Engine, records: int) -> bool:
    return engine.lag.behind() <= records


def newest_lists(kafka: str, prefix: str) -> dict[str, dict[str, int]]:
    """user_id -> per partition, the newest offset that any of the user's lists covers."""
    newest: dict[str, dict[str, int]] = {}
    with UpwellClient(kafka, KafkaSettings(prefix=prefix)) as upwell:
        for one in upwell.lists(timeout=3.0, from_beginning=True):
            covered = newest.setdefault(one.user_id, {})
            for source, offset in one.covers.items():
                covered[source] = max(offset, covered.get(source, -1))
    return newest


def undisturbed(
    engine: Engine, encoder: Encoder, items: Sequence[LogRecord], events: Sequence[LogRecord]
) -> InlineEngine:
    """The same log through the inline engine, which nobody kills."""
    key = load_or_create_key(engine.settings.data / "key")
    inline = InlineEngine(engine.settings, encoder, key)
    for _ in inline.play([*items, *events]):
        pass
    return inline


def assert_states_are_the_same(engine: Engine, inline: InlineEngine, users: Sequence[str]) -> None:
    store = open_store("edge", folder=engine.settings.data / "store", dimension=384)
    try:
        for user, state in zip(users, store.read_users(users), strict=True):
            expected = inline.users.read([user])[user]
            assert state is not None
            assert [entry.event_id for entry in state.history] == [
                entry.event_id for entry in expected.history
            ]
            assert state.events == expected.events
            assert set(state.had) == set(expected.had)
            assert by_partition(state.watermark) == dict(expected.watermark)
            np.testing.assert_allclose(state.intent, expected.intent, atol=1e-2)
    finally:
        store.close()


def assert_examples_are_the_same(engine: Engine, inline: InlineEngine) -> None:
    folder = LocalFolder(engine.settings.data / "models")
    newest = checkpoint.latest(folder)
    assert newest is not None
    arrays, meta = checkpoint.load(folder, newest.name)
    learner = Learner(engine.settings.learner, 384, engine.settings.learner.seed)
    learner.restore(arrays, meta["learner"])
    assert by_partition(learner.watermark) == inline.learner.watermark
    assert item_events(learner) == item_events(inline.learner)
