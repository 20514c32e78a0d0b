"""What users take again and how long interest lasts, from examples to lists: learned where the
settings say so, carried to replicas and over restarts, and without effect where they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from learner.counts.lifetime import typical_hours
from learner.ranking.gate import PER_SIGNAL
from learner.ranking.names import LIFETIME, REPEATS
from learner.ranking.parameters import settle
from learner.release.delta import decode, encode
from learner.release.replica import Replica
from learner.training.learner import Learner
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction, UserState

OFF = LearnerSettings(fused=False, candidates=5)
BOTH = replace(OFF, repeats="learned", lifetime="learned")
ITEMS, USERS, DIMENSION = 60, 6, 8
HOUR = 3_600_000
T0 = 1_700_000_000_000
VECTORS = np.eye(DIMENSION, dtype=np.float32)


def items(count: int) -> list[CatalogueItem]:
    """One an hour."""
    return [
        CatalogueItem(
            item_id=f"i{n}",
            ts=T0 + n * HOUR,
            title=f"Story {n}",
            vector=VECTORS[n % DIMENSION],
            revision="r",
        )
        for n in range(count)
    ]


def stream(choose: Sequence[int], minutes: int) -> list[Example]:
    """Clicks of users in turn, one each so many minutes."""
    histories: list[list[Interaction]] = [[] for _ in range(USERS)]
    found = []
    for number, item in enumerate(choose):
        user = number % USERS
        ts = T0 + number * minutes * 60_000
        event = Interaction(f"e{number}", ts, f"i{item}", "click", None, "clicks-0", number)
        before = tuple(histories[user])
        found.append(
            Example(
                source="clicks-0",
                offset=number,
                user=f"u{user}",
                event=event,
                history=before[-50:],
                intent=None,
                user_events=len(before),
                tested=True,
                had=tuple(dict.fromkeys(str(one.item_id) for one in before)),
            )
        )
        histories[user].append(event)
    return found


def listening(count: int) -> list[Example]:
    """Each user goes round three items of their own."""
    return stream([3 * (n % USERS) + (n // USERS) % 3 for n in range(count)], 5)


def reading(count: int) -> list[Example]:
    """Each reads what came within the last two hours."""
    return stream([max(n // 6 - n % 2, 0) for n in range(count)], 10)


def learned(settings: LearnerSettings, examples: Sequence[Example], count: int = ITEMS) -> Learner:
    learner = Learner(settings, DIMENSION, 7)
    learner.add_items(items(count))
    for start in range(0, len(examples), 32):
        learner.learn(examples[start : start + 32])
    return learner


def asked(examples: Sequence[Example], user: int = 0, at: int | None = None) -> RankRequest:
    own = [one.event for one in examples if one.user == f"u{user}"]
    had = tuple(dict.fromkeys(str(one.item_id) for one in own))
    intent = np.zeros(DIMENSION, np.float32)
    state = UserState(f"u{user}", intent, history=tuple(own[-50:]), had=had, events=len(own))
    return RankRequest(state=state, k=10, at=at)


def ids(entries: Sequence[Entry]) -> list[str]:
    return [one.item_id for one in entries]


def test_what_users_had_comes_back_once_the_log_shows_that_they_take_it_again() -> None:
    examples = listening(300)
    for settings, count, back in ((OFF, 300, 0), (BOTH, 24, 0), (BOTH, 300, 3)):
        learner = learned(settings, examples[:count])
        [found] = learner.rank([asked(examples[:count], at=T0 + 300 * 300_000)])
        assert len({"i0", "i1", "i2"} & set(ids(found)[:3])) == back
        assert len(set(ids(found))) == 10
    weights = learner.parameters.gate.state.weights
    assert weights[0, PER_SIGNAL * REPEATS : PER_SIGNAL * (REPEATS + 2)].any()


def test_targets_that_a_user_had_are_tested_where_they_may_return() -> None:
    examples = listening(300)
    off, both = learned(OFF, examples), learned(BOTH, examples)
    assert off.figures.targets["all"] == 18  # each item of each user once
    assert both.figures.targets["all"] > 200
    assert both.figures.ndcg10()["all"] > off.figures.ndcg10()["all"]


def test_how_long_interest_lasts_is_learned_and_a_list_is_of_its_time() -> None:
    examples = reading(300)
    now = examples[-1].event.ts + HOUR
    learner = learned(BOTH, examples, 51)
    assert typical_hours(learner.parameters.gate.state.lifetime) < 2.0
    assert learner.parameters.gate.state.weights[0, PER_SIGNAL * LIFETIME] != 0.0
    found, later = learner.rank([asked([], at=at) for at in (now, now + 900 * HOUR)])
    assert [one.score for one in later] != [one.score for one in found]


def test_without_the_setting_the_time_of_a_list_changes_nothing() -> None:
    examples = reading(200)
    learner = learned(OFF, examples)
    one, other = learner.rank([asked(examples, at=None), asked(examples, at=T0 + 900 * HOUR)])
    assert one == other
    assert learner.parameters.gate.state.lifetime[1] == 0.0
    assert not learner.parameters.gate.state.repeats.any()


@pytest.mark.parametrize("made", [listening, reading])
def test_a_replica_and_a_restored_learner_rank_the_same(
    made: Callable[[int], list[Example]],
) -> None:
    examples = made(240)
    learner = Learner(BOTH, DIMENSION, 7)
    replica = Replica(BOTH, DIMENSION)
    for one in (learner, replica):
        one.add_items(items(ITEMS))
    for start in range(0, len(examples), 40):
        learner.learn(examples[start : start + 40])
        settle(replica.apply(decode(encode(learner.take_delta()))))
    restored = Learner(BOTH, DIMENSION, 7)
    restored.add_items(items(ITEMS))
    restored.restore(learner.arrays(), learner.meta())
    requests = [asked(examples, user, examples[-1].event.ts) for user in range(USERS)]
    expected = learner.rank(requests)
    assert replica.rank(requests) == expected
    assert restored.rank(requests) == expected
    assert learner.version == replica.version == restored.version
    for one in (learner, restored):
        one.learn(made(300)[240:])
    assert learner.rank(requests) == restored.rank(requests)


def test_a_prefix_of_a_stream_teaches_the_same_whether_it_goes_on_or_not() -> None:
    examples = listening(192)
    short, long = Learner(BOTH, DIMENSION, 7), Learner(BOTH, DIMENSION, 7)
    for one in (short, long):
        one.add_items(items(ITEMS))
    for start in range(0, 96, 32):
        for one in (short, long):
            one.learn(examples[start : start + 32])
    before = short.rank([asked(examples[:96], at=examples[96].event.ts)])
    assert long.rank([asked(examples[:96], at=examples[96].event.ts)]) == before
    long.learn(examples[96:])
    assert short.rank([asked(examples[:96], at=examples[96].event.ts)]) == before
