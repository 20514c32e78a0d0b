"""What newcomers do, and what the catalogue says: kinds, and what stands next in the listing."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from learner.catalogue.features import FeatureTable, add_categories, add_taste
from learner.counts.block import NEWCOMER_EVENTS
from learner.counts.popularity import COUNT, HALF_LIVES, NEWCOMERS
from learner.ranking.affinity import TASTES
from learner.ranking.names import FIRST_FEATURE, FIRST_LATELY, FIRST_ORDER, SIGNALS
from learner.ranking.rank import read_features
from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, learner_of, log
from upwell.values import Example, Interaction

WALKERS, STEPS = 60, 6


def walk() -> list[Example]:
    """Each user steps through a part of the listing that nobody else comes to; their events are
    mixed.
    """
    examples: list[Example] = []
    for step in range(STEPS):
        for user in range(WALKERS):
            path = [f"i{STEPS * user + place}" for place in range(step + 1)]
            events = [
                Interaction(f"{user}-{place}", place, item, "review", 5.0)
                for place, item in enumerate(path)
            ]
            examples.append(
                Example(
                    source="reviews-0",
                    offset=len(examples),
                    user=f"u{user}",
                    event=events[-1],
                    history=tuple(events[:-1]),
                    intent=None,
                    user_events=step,
                    tested=True,
                    had=tuple(path[:-1]),
                )
            )
    return examples


def test_who_walks_through_the_listing_is_followed_to_items_that_nobody_met() -> None:
    learner = Learner(SETTINGS, DIMENSION, 7)
    learner.add_items(catalogue(WALKERS * STEPS))
    examples = walk()
    learner.learn(examples[: 3 * WALKERS])
    learner.figures.reset()
    learner.learn(examples[3 * WALKERS :])
    assert learner.figures.ndcg10()["cold_item"] > 0.6


@pytest.mark.parametrize("column", range(NEWCOMERS, len(HALF_LIVES)))
def test_only_newcomers_are_counted_as_such(column: int) -> None:
    examples, _ = log(600)
    theirs = [example for example in examples if example.user_events <= NEWCOMER_EVENTS]
    assert 0 < len(theirs) < len(examples)
    expected: dict[str | None, float] = defaultdict(float)
    for age, example in enumerate(reversed(theirs)):
        if example.event.item_id not in example.had:
            expected[example.event.item_id] += 2.0 ** (-age / HALF_LIVES[column])
    learner = learner_of(examples)
    arrays, ids = learner.arrays(), learner.meta()["items"]
    found = arrays["counts.popularity.values"][column] / arrays["counts.popularity.scale"][column]
    np.testing.assert_allclose(found, [expected[item] for item in ids], atol=1e-9)


def test_the_catalogue_is_read_from_the_newest_item_of_the_history() -> None:
    table = FeatureTable()
    table.grow(6)
    table.put(range(6), catalogue(6))  # even, odd, even, ...
    history, liked = np.array([3, 0], np.int32), np.ones(2, np.bool_)
    taste = np.zeros((TASTES, len(table.state.worth)), np.float32)
    add_taste(table.state, history, liked, taste[0])
    add_categories(table.state, 3, 1.0, taste[1])
    add_categories(table.state, 0, 1.0, taste[2])
    raw = np.zeros((len(SIGNALS), 3), np.float32)
    counts = np.zeros((len(HALF_LIVES) + 9, 6))
    counts[COUNT] = [3.0, 0.0, 0.0, 1.0, 2.0, 0.0]
    block = SimpleNamespace(starts=np.array([0, 2]), history=history)
    plain = cast(Any, read_features).py_func
    plain(
        SimpleNamespace(features=table.state, popularity=SimpleNamespace(values=counts)),
        SimpleNamespace(taste=taste),
        block,
        0,
        np.array([1, 4, 5], np.int32),
        raw,
    )
    likeness, nearness, side = raw[[FIRST_FEATURE, FIRST_ORDER, FIRST_ORDER + 1]]
    assert likeness == pytest.approx([1.0, 0.95, 1.0])  # odd as the newest, even as the one before
    assert nearness == pytest.approx([-np.log(3), -np.log(2), -np.log(3)])
    assert list(side) == [-1.0, 1.0, 1.0]
    few, many, years, *levels = raw[FIRST_LATELY:FIRST_ORDER]
    assert few == pytest.approx([1.0, 0.0, 1.0])
    assert many == pytest.approx([0.0, 1.0, 0.0])
    assert list(years) == [0.0, 0.0, 0.0], "no title names one"
    level = (np.log(1) + np.log(3)) / 2  # the user's own events do not count
    for one in levels:
        assert one == pytest.approx([-level, -abs(np.log(3) - level), -level])
