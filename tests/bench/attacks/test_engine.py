"""What a bench of attacks measures, on a log that is small enough to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.attacks.engine import Folder, caught, is_fake, run
from bench.attacks.profiles import FAKE, Attack, World, attacked
from learner.training.learner import Learner
from stream.quarantine.quarantine import Quarantine
from tests.bench.attacks.test_profiles import EVENTS, LOG
from tests.learner.training.small import SETTINGS
from tests.stream.quarantine.crowd import PUSHED, Crowd
from upwell.values import Example, Vector


class Letters:
    """An encoder for tests: a text's vector is drawn from its own letters."""

    dimension = 16
    revision = "letters"

    def encode(self, texts: Sequence[str]) -> Vector:
        drawn = [np.random.default_rng(list(one.encode())).normal(size=16) for one in texts]
        return np.array([one / np.linalg.norm(one) for one in drawn], np.float32)


FOLDER = Folder(LOG, Letters())
WORLD = World.of(LOG)
HONEST = list(FOLDER.examples(EVENTS))


def test_examples_are_of_every_event_with_what_its_user_did_before() -> None:
    examples = list(FOLDER.examples(EVENTS[:50]))
    assert [one.event.event_id for one in examples] == [f"e{n}" for n in range(50)]
    assert [one.user_events for one in examples[:21]] == [*range(20), 0]
    assert not any(map(is_fake, examples))


def honest(_: Learner, some: Sequence[Example]) -> list[Example]:
    return [one for one in some if not is_fake(one)]


def test_fake_events_teach_and_are_not_tested_unless_they_are_kept_back() -> None:
    events = attacked(LOG, WORLD, Attack("bandwagon", 1.0), "i3", np.random.default_rng(1))
    examples = list(FOLDER.examples(events))
    settings = replace(SETTINGS, test_sample=1.0)
    clean = run(FOLDER.items, HONEST, settings, 0)
    pushed = run(FOLDER.items, examples, settings, 0)
    kept = run(FOLDER.items, examples, settings, 0, keep=honest)
    assert len(clean.gains["all"]) == len(pushed.gains["all"])
    assert kept.ndcg10() != pushed.ndcg10()
    assert 0.0 <= clean.exposure("i3") <= 1.0


def test_who_is_caught_is_by_what_is_held_for_an_alarm() -> None:
    crowd = Crowd()
    examples = crowd.people(80) + crowd.profiles(20)
    marked = [
        replace(one, event=replace(one.event, event_id=f"{FAKE}{one.offset}"))
        if one.user.startswith("fake")
        else one
        for one in examples
    ]
    quarantine = Quarantine("strict", 30.0, {})
    assert caught(quarantine, PUSHED, marked) == {"precision": 0, "recall": 0, "of_pushed": 0}
    quarantine.sift(marked, 0)
    assert caught(quarantine, PUSHED, marked) == {"precision": 1, "recall": 0.95, "of_pushed": 1}
