"""kill -9 of serve and of learn in the middle of a replay, on the real broker: nothing is lost and nothing counts twice."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from encoders import load_encoder
from learner import checkpoint
from learner.learner import Learner
from store import open_store
from stream.inline import InlineEngine
from stream.privacy import Pseudonymizer, load_or_create_key
from stream.replay import Pace, Player
from stream.replay_log import LogRecord
from tests.e2e.engine import Engine, bundled_log, values
from upwell.client import UpwellClient
from upwell.values import UserState

RATINGS = 3_000
KILLS = 4


@pytest.mark.timeout(400)
def test_killed_workers_lose_nothing_and_count_nothing_twice(kafka: str, prefix: str, tmp_path: Path) -> None:
    items, events = bundled_log(RATINGS)
    random = Random(5)
    with Engine(kafka, prefix, tmp_path, UPWELL_CHECKPOINT_EXAMPLES="700", UPWELL_BATCH_EVENTS="64") as engine:
        with Player(engine.client, prefix, lambda _: None, lambda: None) as player:
            player.play(items, Pace())
            engine.wait(engine.settled, "the catalogue")
            part = len(events) // KILLS
            for number, role in enumerate(["serve", "learn", "serve", "learn"]):
                player.play(events[number * part : (number + 1) * part], Pace())
                at_most = random.randrange(1, part)
                engine.wait(lambda most=at_most: engine.lag.behind() <= most, "the moment to kill")  # type: ignore[misc]
                os.kill(engine.supervisor.pids[role], signal.SIGKILL)
        engine.wait(engine.settled, "everything to be served and learned")
        lists = newest_lists(kafka, prefix)
    assert_every_event_is_in_its_users_state_once(engine, events)
    assert_every_example_was_learned_once(engine, events)
    assert_the_newest_list_covers_the_newest_event(engine, events, lists)


def newest_lists(kafka: str, prefix: str) -> dict[str, dict[str, int]]:
    """user_id -> what the newest list covers."""
    with UpwellClient(kafka, replace(Engine_kafka, address=kafka, prefix=prefix)) as upwell:
        return {one.user_id: one.covers for one in upwell.lists(timeout=2.0, from_beginning=True)}
