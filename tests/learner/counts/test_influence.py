"""What one user, or many fresh ones, may add to the counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.influence import Influence
from learner.counts.popularity import COUNT, HALF_LIVES
from learner.ranking.parameters import settle
from learner.release.replica import Replica
from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, learner_of, log
from upwell.values import Example, Interaction

PUSHED = "i99"
EXAMPLES = [example for example in log(400)[0] if example.event.item_id != PUSHED]
COUNTED = ("counts.liked", "counts.people")
TABLES = ("pairs", "pairs_any", "last", "near", "near_any", "recent", "far")


def clicks(count: int) -> list[Example]:
    """One user who clicks the same item again and again."""
    events = [Interaction(f"c{n}", n, PUSHED, "click", None, "clicks-0", n) for n in range(count)]
    return [
        Example(
            source="clicks-0",
            offset=n,
            user="pusher",
            event=event,
            history=tuple(events[:n][-50:]),
            intent=None,
            user_events=n,
            tested=False,
            had=(PUSHED,) if n else (),
        )
        for n, event in enumerate(events)
    ]


def after(count: int) -> tuple[dict[str, np.ndarray], int]:
    learner = learner_of([*EXAMPLES, *clicks(count)])
    return learner.arrays(), learner.meta()["items"].index(PUSHED)


def test_a_user_who_comes_back_to_an_item_counts_for_it_once() -> None:
    once, row = after(1)
    often, _ = after(100)
    for name in COUNTED:
        assert np.array_equal(once[name], often[name])
    for table in TABLES:
        assert np.array_equal(once[f"counts.{table}.sizes"], often[f"counts.{table}.sizes"])
    first, last = (
        arrays["counts.popularity.values"][: len(HALF_LIVES), row] for arrays in (once, often)
    )
    assert first.any()
    assert np.array_equal(first, last)
    assert (
        often["counts.popularity.values"][COUNT, row]
        == once["counts.popularity.values"][COUNT, row] + 99
    )


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=300))
def test_weights_are_shares_of_the_usual_past_and_do_not_depend_on_where_a_stream_is_cut(
    pasts: list[int],
) -> None:
    whole, parts = Influence(), Influence()
    weights = whole.weigh(pasts)
    assert np.all((weights > 0.0) & (weights <= 1.0))
    cut = len(pasts) // 2
    first = parts.weigh(pasts[:cut])
    again = Influence()
    again.restore(parts.arrays())
    assert np.array_equal(np.concatenate([first, again.weigh(pasts[cut:])]), weights)


def test_so_many_fake_events_add_the_same_however_many_users_they_are_spread_over() -> None:
    budget, usual = 120, 200
    added = []
    for length in (5, 10, 40):
        influence = Influence()
        influence.weigh([usual - 1] * 5_000)
        pasts = [length - 1] * (budget // length)  # one push at the end of each profile
        added.append(float(influence.weigh(pasts).sum()))
    assert max(added) <= budget / usual * 1.1
    assert min(added) == pytest.approx(max(added), rel=0.1)


def test_bounded_influence_weighs_counts_and_replicas_count_the_same() -> None:
    settings = replace(SETTINGS, bounded_influence=True)
    bounded, free = Learner(settings, DIMENSION, 7), learner_of(EXAMPLES)
    replica = Replica(settings, DIMENSION)
    for one in (bounded, replica):
        one.add_items(catalogue())
    bounded.learn(EXAMPLES)
    settle(replica.apply(bounded.take_delta()))
    own, theirs, unweighed = (
        one.ranking.counts.arrays(len(catalogue()))["popularity.values"]
        for one in (bounded, replica, free)
    )
    assert np.array_equal(own, theirs)
    bound = slice(0, len(HALF_LIVES))
    assert np.all(own[bound] <= unweighed[bound] + 1e-9)
    assert (own[bound] < unweighed[bound]).mean() > 0.1
    assert np.array_equal(own[COUNT], unweighed[COUNT])
