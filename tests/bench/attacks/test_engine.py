"""What a bench of attacks measures, on a log that is small enough to know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson

from bench.attacks.engine import Folder, caught, is_fake, run
from bench.attacks.profiles import Attack, World, attacked
from stream.quarantine.quarantine import Quarantine
from tests.bench.attacks.test_profiles import EVENTS, LOG
from tests.learner.training.small import SETTINGS
from upwell.values import Vector


class Letters:
    """An encoder for tests: a text's vector is drawn from its own letters."""

    dimension = 16
    revision = "letters"

    def encode(self, texts: list[str]) -> Vector:
        drawn = [np.random.default_rng(list(one.encode())).normal(size=16) for one in texts]
        return np.array([one / np.linalg.norm(one) for one in drawn], np.float32)


FOLDER = Folder(LOG, Letters())
WORLD = World.of(LOG)


def test_examples_are_of_every_event_with_what_its_user_did_before() -> None:
    examples = list(FOLDER.examples(EVENTS[:50]))
    assert [one.event.event_id for one in examples] == [f"e{n}" for n in range(50)]
    assert [one.user_events for one in examples[:21]] == [*range(20), 0]
    assert not any(map(is_fake, examples))


def test_fake_events_teach_and_are_not_tested_unless_they_are_kept_back() -> None:
    events = attacked(LOG, WORLD, Attack("bandwagon", 1.0), "i3", np.random.default_rng(1))
    settings = replace(SETTINGS, test_sample=1.0)
    clean = run(FOLDER, EVENTS, settings, 0)
    pushed = run(FOLDER, events, settings, 0)
    kept = run(FOLDER, events, settings, 0, keep=lambda some: [e for e in some if not is_fake(e)])
    assert len(clean.gains["all"]) == len(pushed.gains["all"])
    assert kept.ndcg10() != pushed.ndcg10()
    assert 0.0 <= clean.exposure("i3") <= 1.0


def test_who_is_caught_is_by_what_is_held_for_an_alarm() -> None:
    crowd = [
        orjson.dumps({"event_id": "e", "user_id": name, "item_id": "x", "ts": 0})
        for name in ("fake-user-1", "ann")
    ]
    records = [replace(EVENTS[0], value=one) for one in crowd]
    empty = caught(Quarantine(30.0, {}), "x", records)
    assert empty == {"precision": 0.0, "recall": 0.0, "of_pushed": 0.0}
