"""What is learned of a catalogue takes memory by its items, not by the length of the stream or the
number of users.
"""

from __future__ import annotations

from dataclasses import replace

from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log
from upwell.values import Example

EXAMPLES = log(2_000, users=200)[0]


def size(learner: Learner) -> int:
    return sum(array.nbytes for array in learner.arrays().values())


def later(examples: list[Example], round_: int) -> list[Example]:
    """The same by other users, further on in the stream."""
    moved = round_ * len(examples)
    return [
        replace(one, offset=one.offset + moved, user=f"{round_}-{one.user}") for one in examples
    ]


def test_three_times_the_events_by_three_times_the_users_are_learned_in_the_same_memory() -> None:
    learner = Learner(SETTINGS, DIMENSION, 7)
    learner.add_items(catalogue())
    learner.learn(EXAMPLES)
    learner.take_delta()
    before = size(learner)
    for round_ in (1, 2):
        learner.learn(later(EXAMPLES, round_))
    assert size(learner) == before


def test_a_table_keeps_no_more_neighbours_an_item_than_the_settings_say() -> None:
    narrow = Learner(replace(SETTINGS, neighbours=8), DIMENSION, 7)
    narrow.add_items(catalogue())
    narrow.learn(EXAMPLES)
    assert sum(narrow.ranking.counts.evicted.values()) > 0
    wide = Learner(replace(SETTINGS, neighbours=32), DIMENSION, 7)
    wide.add_items(catalogue())
    wide.learn(EXAMPLES)
    assert size(narrow) < size(wide)
