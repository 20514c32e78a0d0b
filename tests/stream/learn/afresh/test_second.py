"""A learner that begins afresh is, to the bit, one that never saw who was forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.ranking.parameters import settle
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from stream.chain.effects import Erasure
from stream.chain.wire import encode_erasure, encode_examples
from stream.learn.afresh.retained import Erased, in_order
from stream.learn.afresh.second import TOGETHER, Second
from stream.learn.options import LearnOptions
from stream.learn.rollback import BEGAN
from stream.quarantine.state import held_in
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue
from tests.stream.learn.afresh.topic import Forget, Merge, Step, Taken, Topic, topic_of
from tests.stream.quarantine.crowd import Crowd
from upwell.settings import LearnerSettings

OPTIONS = LearnOptions(
    prefix="p-",
    home=Path("nowhere"),
    folder=LocalFolder(Path("nowhere")),
    engine="test",
    publish_ms=1,
    checkpoint_examples=1_000_000,
)
FUSED = replace(SETTINGS, fused=True, fused_every=8, fused_steps=1)

USERS = st.integers(0, 4)
TAKEN = st.builds(Taken, USERS, st.integers(0, 9), st.integers(1, 5))
MERGES = st.builds(Merge, USERS, USERS).filter(lambda one: one.guest != one.user)
STEPS = st.lists(st.one_of(TAKEN, TAKEN, TAKEN, MERGES, st.builds(Forget, USERS)), max_size=40)


def now() -> int:
    return 1_700_000_000_000


def begun(
    topic: Topic,
    learner_settings: LearnerSettings = SETTINGS,
    options: LearnOptions = OPTIONS,
    scanned: Mapping[int, int] | None = None,
    upto: Sequence[Mapping[int, int]] = (),
) -> Second:
    """It has read all of the topic. scanned: where erasures were looked for, all where None. upto:
    where the learner that runs stood at its rounds.
    """
    learner = Learner(learner_settings, DIMENSION, 7)
    learner.add_items(catalogue())
    second = Second(learner, options, topic.read, now)
    second.held.begin({}, {})
    erased = Erased(topic.ends)
    for record in in_order(topic.read, {}, topic.ends if scanned is None else scanned):
        if record is not None:
            erased.take(record)
    for ends in (*upto, topic.ends):
        for _ in second.read_on(erased, ends):
            pass
    assert second.positions == topic.ends
    second.finish()
    return second


def learned(second: Second) -> dict[str, NDArray[np.generic]]:
    return second.checkpoint({})[0]


def assert_same(found: Second, wanted: Second) -> None:
    ours, theirs = learned(found), learned(wanted)
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        assert np.array_equal(ours[name], values, equal_nan=values.dtype.kind == "f"), name
    assert found.learner.version == wanted.learner.version
    assert found.learner.meta() == wanted.learner.meta()


@given(STEPS, st.data())
@settings(max_examples=60, deadline=None)
def test_whoever_is_forgotten_wherever_it_is_as_if_they_had_never_been(
    steps: list[Step], data: st.DataObject
) -> None:
    """Forgotten twice, come back, guests of others, several at once; read in any rounds, which the
    learner that runs gives.
    """
    topic, never = topic_of(steps), topic_of(steps, without=True)
    rounds = [
        {one: data.draw(st.integers(0, end)) for one, end in topic.ends.items()} for _ in range(2)
    ]
    upto = [rounds[0], {one: max(end, rounds[0][one]) for one, end in rounds[1].items()}]
    found = begun(topic, upto=upto)
    assert found.shares == 0
    assert_same(found, begun(never, upto=upto))
    assert found.learner.learned == len(topic.learned)


@given(STEPS)
@settings(max_examples=30, deadline=None)
def test_counts_and_gate_are_those_of_a_learner_that_is_given_the_others_alone(
    steps: list[Step],
) -> None:
    topic = topic_of(steps)
    plain = Learner(SETTINGS, DIMENSION, 7)
    plain.add_items(catalogue())
    plain.learn(topic.learned)
    wanted = plain.arrays()
    found = learned(begun(topic))
    for name in wanted:
        if name.startswith(("counts.", "gate.")):
            assert np.array_equal(found[name], wanted[name]), name


def crowd(count: int, forget: int) -> list[Step]:
    """Of seven users, of whom one is forgotten in the midst and comes back."""
    rng = np.random.default_rng(5)
    steps: list[Step] = [
        Taken(int(rng.integers(7)), int(120 * rng.random() ** 2), int(rng.integers(1, 6)))
        for _ in range(count)
    ]
    steps.insert(2 * count // 3, Forget(forget))
    return steps


def test_the_fused_model_s_weights_are_the_same_too() -> None:
    steps = crowd(6 * TOGETHER, 3)
    found, never = begun(topic_of(steps), FUSED), begun(topic_of(steps, without=True), FUSED)
    assert found.learner.trained["steps"] > 3
    assert_same(found, never)
    saw = begun(topic_of([one for one in steps if not isinstance(one, Forget)]), FUSED)
    name = next(name for name in learned(saw) if name.startswith("fused.") and "model" in name)
    assert not np.array_equal(learned(saw)[name], learned(found)[name])


def test_what_was_saved_goes_on_as_any_checkpoint_does() -> None:
    second = begun(topic_of(crowd(3 * TOGETHER, 1)), FUSED)
    arrays, meta = second.checkpoint({"examples": "id"})
    assert (meta[BEGAN], meta["shares"], meta["owed"]) == (True, 0, [])
    assert (meta["version"], meta["topics"]) == (second.promotion.version, {"examples": "id"})
    again = Learner(FUSED, DIMENSION, 7)
    again.add_items(catalogue())
    again.restore(arrays, meta["learner"])
    assert again.version == second.learner.version
    serving = again.untrained()
    settle(serving.take(second.promotion.serving.whole(), whole=True))
    assert again.version_with(serving) == meta["version"]


def test_who_is_forgotten_after_it_began_leaves_its_windows_and_is_counted() -> None:
    steps: list[Step] = [*crowd(2 * TOGETHER, 1), Forget(2), Forget(99)]
    topic = topic_of(steps)
    scanned = {one: end - 1 for one, end in topic.ends.items()}
    second = begun(topic, FUSED, scanned=scanned)
    assert second.shares == 2
    assert second.learner.forget("ü2") == 0
    assert begun(topic_of(steps[:-2]), FUSED).learner.forget("ü2") > 0


def test_what_waits_in_quarantine_of_who_is_forgotten_later_is_dropped() -> None:
    crowd, topic = Crowd(), Topic()
    for example in crowd.people(80) + crowd.profiles(8):
        topic.append(0, example.offset, encode_examples([example]))
    options = replace(OPTIONS, quarantine="strict")
    held = {one.example.user for one in held_in(learned(begun(topic, options=options)))}
    assert len(held) > 3
    gone, scanned = max(held), dict(topic.ends)
    topic.append(0, 10_000, encode_erasure(Erasure(gone, "controls-0", 0, 1)))
    later = begun(topic, options=options, scanned=scanned)
    assert {one.example.user for one in held_in(learned(later))} == held - {gone}
    before = held_in(learned(begun(topic, options=options)))
    assert gone not in {one.example.user for one in before}


@pytest.mark.parametrize("steps", [[], [Forget(1)], [Taken(1, 1), Forget(1)]])
def test_where_nothing_is_left_it_has_learned_nothing(steps: list[Step]) -> None:
    assert begun(topic_of(steps)).learner.learned == 0


def test_an_erasure_of_someone_else_s_partition_hides_nothing_here() -> None:
    topic = topic_of([Taken(0, 1), Taken(1, 1)])
    topic.append(1, 9, encode_erasure(Erasure("ü0", "controls-1", 0, 0)))
    assert begun(topic).learner.learned == 2
